/* Shared between the files of the Fokker-Planck solver; not for others. */
#ifndef INK_FOKKER_PLANCK_IMPL_H
#define INK_FOKKER_PLANCK_IMPL_H

#include "../core/antidiffusion.h"
#include "../core/dimension.h"
#include "../core/evaluate.h"
#include "../core/model.h"
#include "../core/stepping.h"
#include "fokker_planck.h"

typedef enum InkEquation {
  INK_DENSITY,
  INK_STATIONARY,
  INK_FIRST_PASSAGE,
  INK_HITTING_PROBABILITY,
  INK_SPECTRUM
} InkEquation;

enum { INK_MAX_MODES = 30 };

typedef struct InkFokkerPlanck {
  MPI_Comm comm;
  const InkDeck *deck;
  InkEquation equation;
  InkMesh *mesh;
  InkGenerator *generator;
  bool diffuses[3];                /* along each state variable */
  int target;                      /* side; -1: none */
  InkAntidiffusion *antidiffusion; /* NULL where the cells resolve the process */
  int n;
  const char *const *name; /* [n] of the fields; the deck's */
  const InkDim *dim;       /* [n] */
  double *u;               /* the fields (ink_mesh_fields) */
  InkField *field;         /* [n] */
  InkProgram **exact;      /* [n]; NULL where the deck has none */
  double *nothing, *one;   /* zeros and ones, one for every cell of a side */
  double now;
  InkPlan plan;
  char note[240], remark[320]; /* remark: what the plan says besides */
  double told;                 /* what was told to be added to the diffusion matrix */
  /* density.c */
  InkSystem system;
  InkFinish finish;
  InkStepper *stepper;
  InkMethod method;
  bool gone; /* all mass is absorbed */
  /* solve.c */
  bool solved;
  double decay[INK_MAX_MODES], frequency[INK_MAX_MODES];
  InkPool *pool; /* of texts */
  InkText *texts;
} InkFokkerPlanck;

/* ---- keys.c ---- */
extern const InkKey *const ink_fokker_planck_tables[];
int ink_fokker_planck_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]);
InkDim ink_fokker_planck_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time);
InkDim ink_fokker_planck_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                              const InkDim *field_dim);
InkEquation ink_deck_equation(const InkDeck *deck);
/* The side of that name, or -1. */
int ink_deck_side(const InkDeck *deck, const char *name);
/* The largest k of verify entries eigenvalue:k; 0: none. */
int ink_modes_asked(const InkNode *root);

/* ---- check.c ---- */
void ink_fokker_planck_check(const InkDeck *deck, int ranks, InkErrors *errors);

/* ---- remark.c ---- */

/* One line on a side towards which the density grows without bound; "" where there is none. Local. */
void ink_fokker_planck_remark(const InkFokkerPlanck *self, const InkProcess *process, char *text,
                              size_t size);

/* ---- density.c ---- */

/* The initial density, the method and the stepper. Collective. */
PetscErrorCode ink_density_create(InkFokkerPlanck *self, InkFailure *failure);
PetscErrorCode ink_density_plan(InkFokkerPlanck *self, InkPlan *plan);
PetscErrorCode ink_density_advance(InkFokkerPlanck *self, double until, InkClock *clock,
                                   InkProgress *progress);
PetscErrorCode ink_density_save(InkFokkerPlanck *self, InkStore *store);
PetscErrorCode ink_density_load(InkFokkerPlanck *self, InkStore *store);

/* ---- solve.c ---- */

/* What the solve takes, as a plan; failure: more memory than there is. Collective. */
PetscErrorCode ink_solve_create(InkFokkerPlanck *self, InkFailure *failure);
/* Fills the fields. Collective. */
PetscErrorCode ink_solve(InkFokkerPlanck *self, InkFailure *failure);

/* ---- question.c ---- */

typedef enum InkSought {
  INK_SOUGHT_PROBE,
  INK_SOUGHT_INTEGRAL,
  INK_SOUGHT_MEAN, /* over the volume */
  INK_SOUGHT_VARIANCE,
  INK_SOUGHT_MIN,
  INK_SOUGHT_MAX,
  INK_SOUGHT_ERROR_L2,
  INK_SOUGHT_ERROR_MAX,
  INK_SOUGHT_STATE_MEAN, /* over the density */
  INK_SOUGHT_STATE_VARIANCE,
  INK_SOUGHT_PROBABILITY,
  INK_SOUGHT_EXPECTATION,
  INK_SOUGHT_FLUX,
  INK_SOUGHT_ABSORBED,
  INK_SOUGHT_EIGENVALUE
} InkSought;

/* A query understood. */
typedef struct InkInquiry {
  InkSought what;
  int field, side, axis, k;
  const char *probe;
  const InkExpr *expression;
  InkDim dim; /* of the value */
} InkInquiry;

/* False: the query is not defined for this deck, and message says why. Local; no MPI, no udunits. */
bool ink_inquiry_read(const InkDeck *deck, const InkQuery *query, InkInquiry *inquiry, char *message,
                      size_t size);

/* ---- quantity.c ---- */
PetscErrorCode ink_fokker_planck_quantity(void *self, const InkQuery *query, InkValue *value);

#endif
