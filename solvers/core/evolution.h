/* An evolution: n fields of one diffusion operator taken through time or to their steady state.
 *
 * What heat and reaction_diffusion share: mesh, operator, choice of the method, stepper, initial state, plan,
 * checkpoints, quantities. A solver says by an InkEvolutionModel what its deck means; most of its
 * InkSolverType are then the functions below, whose `self` is an InkEvolution. */
#ifndef INK_CORE_EVOLUTION_H
#define INK_CORE_EVOLUTION_H

#include "dimension.h"
#include "observe.h"
#include "operator.h"

/* A deck as the equation it stands for. Arrays and trees live in the pool it was made with; names, paths and
 * field names as long as the deck. */
typedef struct InkEvolutionProblem {
  InkDiffusionSpec equation;
  const InkExpr *const *initial;   /* [n] the state at time.start, of x y z r and noise */
  const char *const *initial_path; /* [n] the key it stands at, for messages */
  const char *const *long_name;    /* [n] for people: "temperature" */
} InkEvolutionProblem;

/* All callbacks are local and give the same on every rank; none but `problem` needs a deck without errors. */
typedef struct InkEvolutionModel {
  const char *name; /* of the solver */
  void (*problem)(const InkDeck *deck, InkPool *pool, InkEvolutionProblem *problem);
  /* Dimension of a field's flux density; without udunits. */
  InkDim (*flux)(const InkDeck *deck, int field);
  /* Is the balance of a field defined? If not, one line to message. */
  bool (*balance)(const InkDeck *deck, int field, char *message, size_t size);
  /* Electrons that cross a side with each particle of a field that leaves there; 0: none. NULL: the solver
   * knows no currents. */
  double (*electrons)(const InkDeck *deck, const char *side, int field);
} InkEvolutionModel;

/* Read-only for the solvers. */
typedef struct InkEvolution {
  MPI_Comm comm;
  const InkDeck *deck;
  const InkEvolutionModel *model;
  InkMesh *mesh;
  InkDiffusion *diffusion;
  InkSystem system;
  InkStepper *stepper;
  InkMethod method;
  int n;
  const char *const *name; /* [n] of the fields; the deck's */
  const InkDim *dim;       /* [n] of the fields; the deck's */
  double *u;               /* the state (ink_mesh_fields) */
  bool *nonnegative;       /* [n] */
  InkField *field;         /* [n] */
  InkProgram **exact;      /* [n]; NULL where the deck has none */
  InkPlan plan;            /* what the choice of the method found */
  InkPool *pool;           /* of texts */
  InkText *texts;          /* units given out so far */
} InkEvolution;

/* Sets up on a good deck. failure: what a user can cause (too many ranks, too little memory, an initial state
 * that is not finite); *evolution is NULL then. Collective. */
PetscErrorCode ink_evolution_create(MPI_Comm comm, const InkDeck *deck, const InkEvolutionModel *model,
                                    InkEvolution **evolution, InkFailure *failure);

/* Functions of an InkSolverType: see solver.h. */
PetscErrorCode ink_evolution_destroy(void **self);
PetscErrorCode ink_evolution_plan(void *self, InkPlan *plan);
PetscErrorCode ink_evolution_fields(void *self, const InkField **fields, int *count);
PetscErrorCode ink_evolution_advance(void *self, double until, InkClock *clock, InkProgress *progress);
PetscErrorCode ink_evolution_quantity(void *self, const InkQuery *query, InkValue *value);
PetscErrorCode ink_evolution_save(void *self, InkStore *store);
PetscErrorCode ink_evolution_load(void *self, InkStore *store);
extern const char *const ink_evolution_methods[];

/* InkSolverType.defined. The quantities: probe:NAME, integral, mean, variance, min, max, balance and
 * error:l2, error:max of a FIELD, flux, mean_flux and current of a SIDE (of the key `field`, or SIDE:FIELD),
 * front:position and, for the driver that samples the position, front:speed (level, field, axis), amplitude
 * of a Fourier component and, likewise, growth (wavenumber, field, axis), wavelength (field), spots:FIELD
 * (level). Where there is one field it need not be named. */
bool ink_evolution_defined(const InkDeck *deck, const InkEvolutionModel *model, const InkQuery *query,
                           InkDim *dim, char *message, size_t size);

/* Errors of a side's name: it is no side of the mesh. Rank 0. False: reported. */
bool ink_deck_side_known(const InkDeck *deck, const char *given, InkErrors *errors);
#endif
