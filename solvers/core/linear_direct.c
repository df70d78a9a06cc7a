/* The direct solver of one field on one axis.
 *
 * The rows are gathered on every rank and factored there: a few thousand cells take microseconds, no rank
 * waits for another inside the elimination, and the bits do not depend on the rank count. A periodic axis
 * couples the first and last cell; the last unknown is then bordered:
 *
 *     [ T  c ] [ x'     ]   [ b'     ]      x_last = (b_last - r T^-1 b') / (d - r T^-1 c)
 *     [ r  d ] [ x_last ] = [ b_last ]      x'     = T^-1 b' - T^-1 c x_last
 */
#include <math.h>
#include <string.h>
#include "linear_impl.h"

struct InkDirect {
  const InkMesh *mesh;
  bool cyclic, regular; /* regular: the factorisation exists */
  int64_t n, inner;     /* unknowns; rows of T: n, or n - 1 when cyclic */
  int *counts, *starts; /* of each rank */
  double *lower, *diagonal, *upper, *upper2, *x, *border;
  double corner, row_first, row_last; /* d - r T^-1 c, and the two non-zeros of r */
  bool *swapped;
};

bool ink_tridiagonal_factor(int64_t n, double *lower, double *diagonal, double *upper, double *upper2,
                            bool *swapped) {
  for (int64_t i = 0; i + 1 < n; i++) {
    upper2[i] = 0;
    swapped[i] = fabs(lower[i]) > fabs(diagonal[i]);
    if (swapped[i]) {
      const double factor = diagonal[i] / lower[i], old_upper = upper[i];
      diagonal[i] = lower[i];
      lower[i] = factor;
      upper[i] = diagonal[i + 1];
      diagonal[i + 1] = old_upper - factor * diagonal[i + 1];
      if (i + 2 < n) {
        upper2[i] = upper[i + 1];
        upper[i + 1] = -factor * upper[i + 1];
      }
    } else if (diagonal[i] != 0) {
      lower[i] /= diagonal[i];
      diagonal[i + 1] -= lower[i] * upper[i];
    }
    if (diagonal[i] == 0) return false;
  }
  return diagonal[n - 1] != 0;
}

void ink_tridiagonal_solve(int64_t n, const double *lower, const double *diagonal, const double *upper,
                           const double *upper2, const bool *swapped, double *x) {
  for (int64_t i = 0; i + 1 < n; i++) {
    const double above = swapped[i] ? x[i + 1] : x[i], below = swapped[i] ? x[i] : x[i + 1];
    x[i] = above;
    x[i + 1] = below - lower[i] * above;
  }
  x[n - 1] /= diagonal[n - 1];
  if (n > 1) x[n - 2] = (x[n - 2] - upper[n - 2] * x[n - 1]) / diagonal[n - 2];
  for (int64_t i = n - 3; i >= 0; i--)
    x[i] = (x[i] - upper[i] * x[i + 1] - upper2[i] * x[i + 2]) / diagonal[i];
}

PetscErrorCode ink_direct_create(const InkMesh *mesh, InkDirect **direct) {
  PetscFunctionBeginUser;
  InkDirect *d;
  PetscCall(PetscNew(&d));
  d->mesh = mesh;
  d->n = mesh->axis[0].cells;
  d->cyclic = mesh->axis[0].periodic && d->n > 2;
  d->inner = d->cyclic ? d->n - 1 : d->n;
  int ranks;
  PetscCallMPI(MPI_Comm_size(mesh->comm, &ranks));
  const size_t n = (size_t)d->n;
  PetscCall(PetscMalloc2(ranks, &d->counts, ranks, &d->starts));
  PetscCall(PetscCalloc7(n, &d->lower, n, &d->diagonal, n, &d->upper, n, &d->upper2, n, &d->x, n, &d->border,
                         n, &d->swapped));
  const int count = (int)mesh->count[0], start = (int)mesh->start[0];
  PetscCallMPI(MPI_Allgather(&count, 1, MPI_INT, d->counts, 1, MPI_INT, mesh->comm));
  PetscCallMPI(MPI_Allgather(&start, 1, MPI_INT, d->starts, 1, MPI_INT, mesh->comm));
  *direct = d;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_direct_destroy(InkDirect **direct) {
  PetscFunctionBeginUser;
  InkDirect *d = *direct;
  if (!d) PetscFunctionReturn(0);
  PetscCall(PetscFree2(d->counts, d->starts));
  PetscCall(PetscFree7(d->lower, d->diagonal, d->upper, d->upper2, d->x, d->border, d->swapped));
  PetscCall(PetscFree(*direct));
  PetscFunctionReturn(0);
}

static PetscErrorCode gather(const InkDirect *d, const double *padded, double *all) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = d->mesh;
  PetscCallMPI(MPI_Allgatherv(padded + mesh->origin, (int)mesh->count[0], MPI_DOUBLE, all, d->counts,
                              d->starts, MPI_DOUBLE, mesh->comm));
  PetscFunctionReturn(0);
}

static void solve_inner(const InkDirect *d, double *x) {
  ink_tridiagonal_solve(d->inner, d->lower, d->diagonal, d->upper, d->upper2, d->swapped, x);
}

/* Makes T^-1 c and the corner d - r T^-1 c of a cyclic system. */
static void factor_border(InkDirect *d, double column_first, double column_last, double corner) {
  const int64_t m = d->inner;
  memset(d->border, 0, (size_t)m * sizeof(double));
  d->border[0] += column_first;
  d->border[m - 1] += column_last;
  solve_inner(d, d->border);
  d->corner = corner - d->row_first * d->border[0] - d->row_last * d->border[m - 1];
  d->regular = d->corner != 0;
}

PetscErrorCode ink_direct_matrix(InkDirect *d, const InkBlock *matrix) {
  PetscFunctionBeginUser;
  const int64_t n = d->n;
  PetscCall(gather(d, matrix->diagonal, d->diagonal));
  PetscCall(gather(d, matrix->off[0][1], d->upper));
  PetscCall(gather(d, matrix->off[0][0], d->x)); /* row i's lower entry; the factorisation wants row i+1's */
  const double column_first = d->x[0], column_last = n > 1 ? d->upper[n - 2] : 0, corner = d->diagonal[n - 1];
  d->row_first = d->upper[n - 1];
  d->row_last = d->x[n - 1];
  memcpy(d->lower, d->x + 1, (size_t)(n - 1) * sizeof(double));
  d->regular = ink_tridiagonal_factor(d->inner, d->lower, d->diagonal, d->upper, d->upper2, d->swapped);
  if (d->cyclic && d->regular) factor_border(d, column_first, column_last, corner);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_direct_solve(InkDirect *d, const double *b, double *x, InkLinearResult *result) {
  PetscFunctionBeginUser;
  PetscCall(gather(d, b, d->x));
  result->iterations = 1;
  if (!d->regular) {
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason, "the matrix is singular"));
    PetscFunctionReturn(0);
  }
  solve_inner(d, d->x);
  if (d->cyclic) {
    const int64_t m = d->inner;
    double *y = d->x;
    y[m] = (y[m] - d->row_first * y[0] - d->row_last * y[m - 1]) / d->corner;
    for (int64_t i = 0; i < m; i++) y[i] -= d->border[i] * y[m];
  }
  memcpy(x + d->mesh->origin, d->x + d->mesh->start[0], (size_t)d->mesh->count[0] * sizeof(double));
  result->converged = true;
  PetscFunctionReturn(0);
}
