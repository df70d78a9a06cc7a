/* The `model:` section of a deck: a diffusion process dX = b dt + B dW on a box of named state variables.
 *
 * What fokker_planck and particles share. The state variables are the axes of a Cartesian mesh, in the order
 * of the deck; in expressions they are INK_VAR_X, _Y, _Z (InkSchema.axes). Either drift and diffusion are
 * given, D symmetric, off-diagonal entries once (`xv`), or drift and the columns of B (`noise`), D = B B^T/2.
 * With `interpretation: stratonovich` the Ito drift is b_i + 1/2 sum_jk B_jk dB_ik/dx_j (Gardiner, Handbook
 * of Stochastic Methods, 4.3.6), by symbolic derivatives.
 */
#ifndef INK_CORE_MODEL_H
#define INK_CORE_MODEL_H

#include "generator.h"

/* Rows of the key table: model.state..., model.drift, model.diffusion, model.noise, model.interpretation,
 * model.boundary, initial.point, initial.density. Ends with a row whose path is NULL. */
extern const InkKey ink_model_keys[];
/* InkSchema.axes, and the dimensions "@drift", "@diffusion", "@noise" stand for. */
int ink_model_axes(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]);
InkDim ink_model_unit(const InkNode *root, const InkNode *node, const char *name);

enum { INK_MAX_NOISES = 16 };

typedef struct InkModel {
  InkProcess process;                  /* Ito, with D */
  int noises;                          /* columns of B; 0: the deck gave D */
  const char *noise[INK_MAX_NOISES];   /* their names */
  const InkExpr *B[3][INK_MAX_NOISES]; /* NULL: 0 */
  const InkExpr *as_given[3];          /* the deck's own drift */
  bool stratonovich;
} InkModel;

/* The entry of D a key of model.diffusion names: a state variable, or two one after the other ("xv"). False:
 * none. Local, pure. */
bool ink_model_entry(const InkProcess *process, const char *name, int *i, int *j);

/* A good deck's model; derived trees live in the pool. Local, any rank. */
void ink_model_read(const InkDeck *deck, InkPool *pool, InkModel *model);

/* Everything wrong with the section that the key table cannot say, `initial` included when needs_initial
 * (rank 0, no MPI): names, pairs, sides, a point outside the domain or of the wrong length, diffusion given
 * twice or beside noise, Stratonovich without noise, a constant matrix that is not positive semi-definite,
 * periodic on one end only, cross-diffusion on graded axes. */
void ink_model_check(const InkDeck *deck, int ranks, bool needs_initial, InkErrors *errors);

/* The initial density of a good deck on the generator's mesh, sum of volume times p = 1 to round-off: unit
 * mass shared linearly between the two nearest cells per axis (a point between the last centroid and a side
 * goes to the last cell), or initial.density, normalised. Negative, not finite or zero everywhere is a
 * failure (INK_NUMERICAL) with the place. Collective. */
PetscErrorCode ink_model_initial(const InkDeck *deck, const InkMesh *mesh, double *p, InkFailure *failure);

/* The mesh of a good deck, as wide as the process reaches, and the generator on it at time.start. arrays: of
 * the mesh that the caller will hold besides, for the look at the memory. Collective; failure: memory, more
 * ranks than cells (INK_USAGE), a process that is not one (INK_NUMERICAL). What was made before a failure is
 * the caller's. */
PetscErrorCode ink_model_generator(MPI_Comm comm, const InkDeck *deck, const InkProcess *process,
                                   double arrays, InkMesh **mesh, InkGenerator **generator,
                                   InkFailure *failure);
#endif
