/* Invariant subspaces of a chain's resolvent, by Krylov-Schur.
 *
 * A Krylov space has one vector of each eigenspace, so that of equal eigenvalues only one is sure to be
 * found. So the space can be extended: what is known is deflated, and what is left looked for again. The
 * eigenvalues and vectors are those of the operator in the whole space, a small dense matrix. */
#include <math.h>
#include <string.h>
#include <slepceps.h>
#include <petscblaslapack.h>
#include "random.h"
#include "spectrum_impl.h"

enum { SMALL = 60 }; /* chains of no more cells are solved as dense matrices */

/* The stationary law with the sides closed gives the scale. It may vanish to 0 in double precision, and there
 * may be none (parts that do not communicate): then cells count alike. */
static PetscErrorCode make_scale(InkResolvent *r) {
  PetscFunctionBeginUser;
  static const double least = 1e-290;
  InkChain closed = *r->chain;
  int64_t reducible = -1;
  PetscCall(PetscCalloc1(r->cells, &closed.exit));
  InkElimination *elimination = ink_elimination_create(&closed, NULL, &reducible);
  for (int64_t c = 0; c < r->cells; c++) r->scale[c] = 1;
  if (elimination) ink_elimination_stationary(elimination, r->scale);
  ink_elimination_destroy(&elimination);
  for (int64_t c = 0; c < r->cells; c++) r->scale[c] = sqrt(fmax(r->scale[c], least) / r->chain->volume[c]);
  PetscCall(PetscFree(closed.exit));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_resolvent_create(const InkChain *chain, InkResolvent *resolvent) {
  PetscFunctionBeginUser;
  *resolvent = (InkResolvent){.chain = chain, .cells = ink_chain_cells(chain)};
  PetscCall(PetscMalloc3(resolvent->cells, &resolvent->scale, resolvent->cells, &resolvent->kill,
                         resolvent->cells, &resolvent->work));
  PetscCall(make_scale(resolvent));
  PetscFunctionReturn(0);
}

static PetscErrorCode clear_subspace(InkResolvent *r) {
  PetscFunctionBeginUser;
  r->size = 0;
  PetscCall(PetscFree(r->basis));
  PetscCall(PetscFree(r->value[0]));
  PetscCall(PetscFree(r->value[1]));
  PetscCall(PetscFree(r->vector));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_resolvent_destroy(InkResolvent *resolvent) {
  PetscFunctionBeginUser;
  PetscCall(clear_subspace(resolvent));
  ink_elimination_destroy(&resolvent->elimination);
  PetscCall(PetscFree3(resolvent->scale, resolvent->kill, resolvent->work));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_resolvent_shift(InkResolvent *r, double shift, InkFailure *failure) {
  PetscFunctionBeginUser;
  double bytes, operations;
  PetscCall(clear_subspace(r));
  ink_elimination_destroy(&r->elimination);
  r->shift = shift;
  for (int64_t c = 0; c < r->cells; c++) r->kill[c] = shift * r->chain->volume[c];
  r->elimination = ink_elimination_create(r->chain, r->kill, NULL);
  if (r->elimination) PetscFunctionReturn(0);
  ink_elimination_plan(r->chain, &bytes, &operations);
  ink_fail(
      failure, INK_USAGE,
      "mesh: the elimination of %lld cells needs %.3g GB on one process, which this machine does not give; "
      "use fewer cells",
      (long long)r->cells, bytes * 1e-9);
  PetscFunctionReturn(0);
}

/* ---- the operator ---- */

static void apply(const InkResolvent *r, const double *x, double *y) {
  for (int64_t c = 0; c < r->cells; c++) r->work[c] = r->chain->volume[c] * r->scale[c] * x[c];
  ink_elimination_forward(r->elimination, r->work, y);
  for (int64_t c = 0; c < r->cells; c++) y[c] /= r->scale[c];
}

static PetscErrorCode multiply(Mat matrix, Vec in, Vec out) {
  PetscFunctionBeginUser;
  InkResolvent *r;
  const double *x;
  double *y;
  PetscCall(MatShellGetContext(matrix, &r));
  PetscCall(VecGetArrayRead(in, &x));
  PetscCall(VecGetArrayWrite(out, &y));
  apply(r, x, y);
  PetscCall(VecRestoreArrayWrite(out, &y));
  PetscCall(VecRestoreArrayRead(in, &x));
  PetscFunctionReturn(0);
}

static double dot(int64_t n, const double *x, const double *y) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

PetscErrorCode ink_resolvent_is_symmetric(InkResolvent *r, bool *symmetric) {
  PetscFunctionBeginUser;
  const size_t n = (size_t)r->cells;
  double *x, *y, *image, first, second;
  PetscCall(PetscMalloc3(n, &x, n, &y, n, &image));
  ink_random_normal(1, 1, 0, n, x);
  ink_random_normal(1, 2, 0, n, y);
  apply(r, x, image);
  first = dot(r->cells, y, image);
  const double size = sqrt(dot(r->cells, image, image) * dot(r->cells, y, y));
  apply(r, y, image);
  second = dot(r->cells, x, image);
  *symmetric = fabs(first - second) <= 1e-11 * size;
  PetscCall(PetscFree3(x, y, image));
  PetscFunctionReturn(0);
}

/* Eigenvalues and vectors of the operator in the subspace, a dense matrix. */
static PetscErrorCode project(InkResolvent *r) {
  PetscFunctionBeginUser;
  const size_t n = (size_t)r->size;
  double *image, *matrix, *work, nothing = 0;
  PetscBLASInt order, one = 1, room, info;
  PetscCall(PetscBLASIntCast(r->size, &order));
  PetscCall(PetscBLASIntCast(8 * r->size, &room));
  for (int part = 0; part < 2; part++) {
    PetscCall(PetscFree(r->value[part]));
    PetscCall(PetscMalloc1(n, &r->value[part]));
  }
  PetscCall(PetscFree(r->vector));
  PetscCall(PetscMalloc1(n * n, &r->vector));
  PetscCall(PetscMalloc3((size_t)r->cells, &image, n * n, &matrix, 8 * n, &work));
  for (int j = 0; j < r->size; j++) {
    apply(r, r->basis + j * r->cells, image);
    for (int i = 0; i < r->size; i++) matrix[i + j * r->size] = dot(r->cells, r->basis + i * r->cells, image);
  }
  PetscCallBLAS("LAPACKgeev", LAPACKgeev_("N", "V", &order, matrix, &order, r->value[0], r->value[1],
                                          &nothing, &one, r->vector, &order, work, &room, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's geev failed with %d", (int)info);
  PetscCall(PetscFree3(image, matrix, work));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_resolvent_shrink(InkResolvent *r, int size) {
  PetscFunctionBeginUser;
  if (size == r->size) PetscFunctionReturn(0);
  r->size = size;
  PetscCall(project(r));
  PetscFunctionReturn(0);
}

void ink_resolvent_vector(const InkResolvent *r, int k, double *real, double *imaginary) {
  const bool pair = r->value[1][k] > 0;
  for (int64_t c = 0; c < r->cells; c++) real[c] = imaginary[c] = 0;
  for (int j = 0; j < r->size; j++) {
    const double a = r->vector[j + k * r->size], b = pair ? r->vector[j + (k + 1) * r->size] : 0;
    const double *w = r->basis + j * r->cells;
    for (int64_t c = 0; c < r->cells; c++) {
      real[c] += a * w[c];
      imaginary[c] += b * w[c];
    }
  }
}

/* ---- Krylov-Schur ---- */

/* The start vector: noise, so that no symmetry of the chain hides a mode. */
static PetscErrorCode start_vector(EPS eps, Mat matrix, uint32_t stream) {
  PetscFunctionBeginUser;
  Vec start;
  double *values;
  PetscInt n;
  PetscCall(MatCreateVecs(matrix, &start, NULL));
  PetscCall(VecGetLocalSize(start, &n));
  PetscCall(VecGetArrayWrite(start, &values));
  ink_random_normal(1, stream, 0, (size_t)n, values);
  PetscCall(VecRestoreArrayWrite(start, &values));
  PetscCall(EPSSetInitialSpace(eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* What is known is left out of the search. */
static PetscErrorCode deflate(const InkResolvent *r, EPS eps) {
  PetscFunctionBeginUser;
  Vec *known;
  if (r->size == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(r->size, &known));
  for (int k = 0; k < r->size; k++)
    PetscCall(
        VecCreateSeqWithArray(PETSC_COMM_SELF, 1, (PetscInt)r->cells, r->basis + k * r->cells, &known[k]));
  PetscCall(EPSSetDeflationSpace(eps, r->size, known));
  for (int k = 0; k < r->size; k++) PetscCall(VecDestroy(&known[k]));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

static PetscErrorCode search(InkResolvent *r, Mat matrix, PetscInt want, EPS *eps) {
  PetscFunctionBeginUser;
  const PetscInt room = (PetscInt)r->cells - r->size,
                 dimension = PetscMin(PetscMax(2 * want, want + 15), room);
  PetscCall(EPSCreate(PETSC_COMM_SELF, eps));
  PetscCall(EPSSetOptionsPrefix(*eps, "ink_"));
  PetscCall(EPSSetOperators(*eps, matrix, NULL));
  PetscCall(EPSSetProblemType(*eps, EPS_NHEP));
  PetscCall(EPSSetType(*eps, EPSKRYLOVSCHUR));
  PetscCall(EPSSetWhichEigenpairs(*eps, EPS_LARGEST_MAGNITUDE));
  PetscCall(EPSSetDimensions(*eps, PetscMin(want, room), dimension, PETSC_DEFAULT));
  PetscCall(EPSSetConvergenceTest(*eps, EPS_CONV_ABS));
  PetscCall(EPSSetTolerances(*eps, 1e-13 / r->shift, 1000));
  PetscCall(start_vector(*eps, matrix, (uint32_t)r->size));
  PetscCall(deflate(r, *eps));
  PetscCall(EPSSetFromOptions(*eps));
  PetscCall(EPSSolve(*eps));
  PetscFunctionReturn(0);
}

/* The converged subspace of a search, behind what is known. */
static PetscErrorCode append(InkResolvent *r, EPS eps, Mat matrix, int *added) {
  PetscFunctionBeginUser;
  Vec *vectors, model;
  PetscInt converged;
  PetscCall(EPSGetConverged(eps, &converged));
  *added = (int)converged;
  if (converged == 0) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(matrix, &model, NULL));
  PetscCall(VecDuplicateVecs(model, converged, &vectors));
  PetscCall(EPSGetInvariantSubspace(eps, vectors));
  PetscCall(PetscRealloc((size_t)(r->size + converged) * (size_t)r->cells * sizeof *r->basis, &r->basis));
  for (PetscInt k = 0; k < converged; k++) {
    const double *x;
    PetscCall(VecGetArrayRead(vectors[k], &x));
    memcpy(r->basis + (r->size + k) * r->cells, x, (size_t)r->cells * sizeof *x);
    PetscCall(VecRestoreArrayRead(vectors[k], &x));
  }
  PetscCall(VecDestroyVecs(converged, &vectors));
  PetscCall(VecDestroy(&model));
  r->size += (int)converged;
  PetscFunctionReturn(0);
}

static PetscErrorCode whole_space(InkResolvent *r, int *added) {
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)(r->cells * r->cells), &r->basis));
  for (int64_t c = 0; c < r->cells; c++) r->basis[c * r->cells + c] = 1;
  r->size = *added = (int)r->cells;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_resolvent_extend(InkResolvent *r, int want, int *added) {
  PetscFunctionBeginUser;
  EPS eps;
  Mat matrix;
  const PetscInt n = (PetscInt)r->cells;
  *added = 0;
  if (r->size == r->cells) PetscFunctionReturn(0);
  if (r->size == 0 && r->cells <= SMALL) {
    PetscCall(whole_space(r, added));
  } else {
    PetscCall(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, r, &matrix));
    PetscCall(MatShellSetOperation(matrix, MATOP_MULT, (void (*)(void))multiply));
    PetscCall(search(r, matrix, want, &eps));
    PetscCall(append(r, eps, matrix, added));
    PetscCall(EPSDestroy(&eps));
    PetscCall(MatDestroy(&matrix));
  }
  if (*added > 0) PetscCall(project(r));
  PetscFunctionReturn(0);
}
