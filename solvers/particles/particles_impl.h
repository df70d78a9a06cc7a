/* Shared between the files of the particle solver; not for others. */
#ifndef INK_PARTICLES_IMPL_H
#define INK_PARTICLES_IMPL_H

#include "../core/dimension.h"
#include "../core/evaluate.h"
#include "../core/stepping.h"
#include "cell_chain.h"
#include "distance.h"
#include "particles.h"
#include "paths.h"
#include "sde.h"
#include "start.h"
#include "statistics.h"

/* Steps from one target to the next: evenly divided. */
typedef struct InkSpan {
  double from, to;
  int64_t count, done;
} InkSpan;

typedef struct InkParticles {
  MPI_Comm comm;
  const InkDeck *deck;
  InkScheme scheme;
  bool reverse, compares; /* compares: a density goes along */
  InkModel model;
  InkEnsemble *ensemble;
  InkMesh *mesh;       /* of the histogram, over all ranks */
  InkPaths *paths;     /* NULL for chains */
  InkCellChain *chain; /* NULL for paths */
  InkMover mover;
  double start, end, now, dt_longest;
  int64_t step;
  InkSpan span;
  int64_t steps;      /* reversed: of the whole run */
  double *lattice;    /* [steps + 1] reversed: their times in the run's clock */
  InkFailure refused; /* found when a checkpoint was loaded; told by the next advance */
  bool gone;          /* all are absorbed */
  /* fields.c, observe.c */
  double *p;       /* histogram as a density, an array of the mesh */
  double *density; /* the density beside it; NULL unless compares */
  int64_t *counts; /* [mesh->cells] of the histogram, all cells on all ranks */
  double *mass;    /* [mesh->cells] of the density, the same; NULL unless compares */
  bool counted;    /* counts, p, density and mass are those of now */
  int fields;
  InkField *field;
  double *number, *edge;    /* the axis of the paths that are shown */
  InkProgram *exact;        /* exact.p */
  struct InkBeside *beside; /* density.c: the density beside paths */
  char note[600];
  InkPlan plan;
  InkPool *pool;
  InkText *texts;
} InkParticles;

/* ---- keys.c ---- */
extern const InkKey *const ink_particles_tables[];
int ink_particles_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_particles_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time);
InkDim ink_particles_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                          const InkDim *field_dim);
InkScheme ink_deck_scheme(const InkDeck *deck);
bool ink_deck_is_reverse(const InkDeck *deck);
/* Does a density go along with the particles? Chains: unless particles.compare is false; paths: when it is
 * true, or a quantity asks for a distance. */
bool ink_deck_compares(const InkDeck *deck);
/* Why there can be none; NULL: there can. */
const char *ink_deck_alone(const InkDeck *deck);
/* What verify asks each path to keep. */
InkEnsembleNeeds ink_deck_needs(const InkDeck *deck);
/* The fate's number of a side or region by name; -1: none. */
int ink_deck_fate(const InkDeck *deck, const char *name);

/* ---- check.c ---- */
void ink_particles_check(const InkDeck *deck, int ranks, InkErrors *errors);

/* ---- density.c: the density beside paths ---- */
PetscErrorCode ink_beside_create(InkParticles *self, InkFailure *failure);
PetscErrorCode ink_beside_advance(InkParticles *self, double until, InkProgress *progress);
/* The density now, an array of self->mesh. */
const double *ink_beside_values(const InkParticles *self);
PetscErrorCode ink_beside_save(InkParticles *self, InkStore *store);
PetscErrorCode ink_beside_load(InkParticles *self, InkStore *store);
PetscErrorCode ink_beside_destroy(InkParticles *self);

/* ---- fields.c ---- */
PetscErrorCode ink_particles_make_fields(InkParticles *self, InkFailure *failure);
PetscErrorCode ink_particles_free_fields(InkParticles *self);

/* ---- observe.c ---- */
/* The process's own time now: in a reversed run it goes from end to start. Expressions and `exact` are of
 * it. Local. */
double ink_particles_forward_time(const InkParticles *self);
/* Counts the particles in the cells and fills p (and density, mass, where a density goes along), arrays that
 * the caller has made; nothing when that is done. Collective. */
PetscErrorCode ink_particles_count(InkParticles *self);
/* Counts and masses along an axis, [cells of the axis] on all ranks, of what ink_particles_count has filled;
 * free with PetscFree. Local; only where a density goes along. */
PetscErrorCode ink_particles_marginals(const InkParticles *self, int axis, double **counts, double **mass);
/* One line on how far the histogram is from the density, with what chance alone would give. Collective. */
PetscErrorCode ink_particles_compare(InkParticles *self, char *text, size_t size);

/* ---- question.c ---- */
typedef enum InkWanted {
  INK_WANTED_PROBE,
  INK_WANTED_INTEGRAL,
  INK_WANTED_FIELD_MEAN, /* of p over the volume */
  INK_WANTED_FIELD_VARIANCE,
  INK_WANTED_MIN,
  INK_WANTED_MAX,
  INK_WANTED_ERROR_L2,
  INK_WANTED_ERROR_MAX,
  INK_WANTED_MEAN, /* of `of` over the particles */
  INK_WANTED_VARIANCE,
  INK_WANTED_PROBABILITY,
  INK_WANTED_EXPECTATION,
  INK_WANTED_ABSORBED,
  INK_WANTED_FLUX,
  INK_WANTED_TOTAL_VARIATION_DISTANCE,
  INK_WANTED_WASSERSTEIN,
  INK_WANTED_KOLMOGOROV_SMIRNOV,
  INK_WANTED_CHI_SQUARED_P,
  INK_WANTED_KOLMOGOROV_SMIRNOV_P
} InkWanted;

/* What a mean or variance is of. */
typedef enum InkOf {
  INK_OF_STATE,                /* of the particles inside */
  INK_OF_QUADRATIC_VARIATION,  /* of a state; state -1: the sum over all */
  INK_OF_TOTAL_VARIATION,      /* of a state; -1: the length of the path */
  INK_OF_SQUARED_DISPLACEMENT, /* along a state; -1: in all. These three of all particles: a path that was
                                * absorbed counts as it was then */
  INK_OF_PASSAGE_TIME          /* of those absorbed; with a fate: there */
} InkOf;

typedef struct InkRequest {
  InkWanted what;
  InkOf of;
  int state, fate;
  int field; /* 0: p, 1: density */
  const char *probe;
  const InkExpr *expression;
  InkDim dim; /* of the value */
} InkRequest;

/* False: the query is not defined for this deck, and message says why. Local; no MPI, no udunits. */
bool ink_request_read(const InkDeck *deck, const InkQuery *query, InkRequest *request, char *message,
                      size_t size);

/* ---- quantity.c ---- */
PetscErrorCode ink_particles_quantity(void *self, const InkQuery *query, InkValue *value);

#endif
