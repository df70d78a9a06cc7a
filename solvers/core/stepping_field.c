/* Arithmetic and norms on the owned cells of padded arrays of n fields, for the steppers. Only max norms
 * steer. */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

enum { BLOCK = 256 }; /* doubles: a piece of a row that stays in the first cache */

static int64_t rows(const InkMesh *mesh, int n) { return n * mesh->count[1] * mesh->count[2]; }

/* Row r of rows(): the fields one after the other. */
static int64_t row_start(const InkMesh *mesh, int64_t r) {
  const int64_t j = r % mesh->count[1], k = r / mesh->count[1] % mesh->count[2],
                f = r / (mesh->count[1] * mesh->count[2]);
  return f * mesh->size + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
}

void ink_field_combine(const InkMesh *mesh, int n, int terms, const InkTerm term[], double *out) {
  double sum[BLOCK]; /* out may be a term, so it is written when the sums are known */
  for (int64_t r = 0; r < rows(mesh, n); r++) {
    const int64_t row = row_start(mesh, r);
    for (int64_t i = 0; i < mesh->count[0]; i += BLOCK) {
      const int64_t first = row + i, count = mesh->count[0] - i < BLOCK ? mesh->count[0] - i : BLOCK;
      for (int64_t c = 0; c < count; c++) sum[c] = term[0].weight * term[0].values[first + c];
      for (int m = 1; m < terms; m++) {
        const double weight = term[m].weight, *values = term[m].values + first;
        for (int64_t c = 0; c < count; c++) sum[c] += weight * values[c];
      }
      memcpy(out + first, sum, (size_t)count * sizeof(double));
    }
  }
}

void ink_field_copy(const InkMesh *mesh, int n, const double *from, double *to) {
  for (int64_t r = 0; r < rows(mesh, n); r++)
    memcpy(to + row_start(mesh, r), from + row_start(mesh, r), (size_t)mesh->count[0] * sizeof(double));
}

void ink_field_divide(const InkMesh *mesh, int n, const double *by, double *values) {
  for (int64_t r = 0; r < rows(mesh, n); r++) {
    const int64_t row = row_start(mesh, r);
    for (int64_t c = row; c < row + mesh->count[0]; c++) values[c] /= by[c];
  }
}

void ink_field_multiply(const InkMesh *mesh, int n, double factor, const double *by, double *values) {
  for (int64_t r = 0; r < rows(mesh, n); r++) {
    const int64_t row = row_start(mesh, r);
    for (int64_t c = row; c < row + mesh->count[0]; c++) values[c] *= factor * by[c];
  }
}

PetscErrorCode ink_field_norm(const InkMesh *mesh, int n, const double *scale, const double *values,
                              double *norm) {
  PetscFunctionBeginUser;
  double pair[2] = {0, 0}; /* norm; 1 when something is not finite */
  for (int f = 0; f < n; f++) {
    double most = 0, bad = 0; /* bad stays 0, or becomes NaN */
    for (int64_t r = 0; r < rows(mesh, 1); r++) {
      const int64_t row = f * mesh->size + row_start(mesh, r);
      for (int64_t c = row; c < row + mesh->count[0]; c++) {
        const double a = fabs(values[c]);
        most = a > most ? a : most;
        bad += 0 * values[c];
      }
    }
    if (scale) most /= scale[f];
    if (most > pair[0]) pair[0] = most;
    if (bad != 0) pair[1] = 1;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, mesh->comm));
  *norm = pair[1] > 0 ? NAN : pair[0];
  PetscFunctionReturn(0);
}

PetscErrorCode ink_field_sums(const InkMesh *mesh, int n, const double *values, InkSum *sums, double *total) {
  PetscFunctionBeginUser;
  for (int f = 0; f < n; f++) {
    ink_sum_clear(&sums[f]);
    for (int64_t r = 0; r < rows(mesh, 1); r++)
      ink_sum_add_array(&sums[f], mesh->count[0], values + f * mesh->size + row_start(mesh, r));
  }
  PetscCall(ink_sum_reduce(mesh->comm, n, sums, total));
  PetscFunctionReturn(0);
}

/* This rank's worst value: its number in *which (-1: none): field by field, x fastest. */
static double local_worst(const InkMesh *mesh, int n, const double *scale, const double *values,
                          double *which) {
  double most = -1;
  *which = -1;
  for (int f = 0; f < n; f++)
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const double value = values[f * mesh->size + row_start(mesh, k * mesh->count[1] + j) + i];
          const double size = isfinite(value) ? fabs(value) / (scale ? scale[f] : 1) : INFINITY;
          if (!(size > most)) continue;
          most = size;
          const int64_t cell =
              (mesh->start[0] + i) +
              mesh->axis[0].cells * ((mesh->start[1] + j) + mesh->axis[1].cells * (mesh->start[2] + k));
          *which = (double)(f * mesh->cells + cell);
        }
  return most;
}

PetscErrorCode ink_field_worst(const InkMesh *mesh, int n, const double *scale, const double *values,
                               InkWorst *worst) {
  PetscFunctionBeginUser;
  double which, most = local_worst(mesh, n, scale, values, &which), largest = most;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, mesh->comm));
  double first = most == largest && which >= 0 ? which : INFINITY;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE, MPI_MIN, mesh->comm));
  memset(worst, 0, sizeof *worst);
  worst->finite = isfinite(largest);
  worst->field = (int)((int64_t)first / mesh->cells);
  int64_t rest = (int64_t)first % mesh->cells, local[3];
  bool mine = true;
  for (int axis = 0; axis < 3; axis++) {
    worst->index[axis] = rest % mesh->axis[axis].cells;
    rest /= mesh->axis[axis].cells;
    worst->at[axis] = axis < mesh->dim ? mesh->axis[axis].centroid[worst->index[axis]] : 0;
    local[axis] = worst->index[axis] - mesh->start[axis];
    mine = mine && local[axis] >= 0 && local[axis] < mesh->count[axis];
  }
  /* As bits, so that a NaN arrives as it is. */
  uint64_t bits = 0;
  if (mine) {
    const int64_t row = worst->field * mesh->size + row_start(mesh, local[2] * mesh->count[1] + local[1]);
    memcpy(&bits, &values[row + local[0]], sizeof bits);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bits, 1, MPI_UINT64_T, MPI_MAX, mesh->comm));
  memcpy(&worst->value, &bits, sizeof bits);
  PetscFunctionReturn(0);
}

void ink_field_place(const InkMesh *mesh, const InkWorst *worst, char *text, size_t size) {
  ink_mesh_place(mesh, worst->index, worst->at, text, size);
}
