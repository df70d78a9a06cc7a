/* Arithmetic and norms on the owned cells of padded arrays, for the steppers. Only max norms steer. */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

static int64_t row_start(const InkMesh *mesh, int64_t j, int64_t k) {
  return mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
}

void ink_field_combine(const InkMesh *mesh, int n, const InkTerm term[], double *out) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k);
      for (int64_t c = row; c < row + mesh->count[0]; c++) {
        double sum = term[0].weight * term[0].values[c];
        for (int m = 1; m < n; m++) sum += term[m].weight * term[m].values[c];
        out[c] = sum;
      }
    }
}

void ink_field_copy(const InkMesh *mesh, const double *from, double *to) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      memcpy(to + row_start(mesh, j, k), from + row_start(mesh, j, k),
             (size_t)mesh->count[0] * sizeof(double));
}

void ink_field_divide(const InkMesh *mesh, const double *by, double *values) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k);
      for (int64_t c = row; c < row + mesh->count[0]; c++) values[c] /= by[c];
    }
}

PetscErrorCode ink_field_max_abs(const InkMesh *mesh, const double *values, double *largest) {
  PetscFunctionBeginUser;
  double most = 0, bad = 0; /* bad stays 0, or becomes NaN */
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k);
      for (int64_t c = row; c < row + mesh->count[0]; c++) {
        const double a = fabs(values[c]);
        most = a > most ? a : most;
        bad += 0 * values[c];
      }
    }
  double pair[2] = {most, bad == 0 ? 0 : 1};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, mesh->comm));
  *largest = pair[1] > 0 ? NAN : pair[0];
  PetscFunctionReturn(0);
}

/* This rank's worst cell: its global number in *cell (-1: none), x fastest. */
static double local_worst(const InkMesh *mesh, const double *values, double *cell) {
  double most = -1;
  *cell = -1;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const double value = values[row_start(mesh, j, k) + i];
        const double size = isfinite(value) ? fabs(value) : INFINITY;
        if (!(size > most)) continue;
        most = size;
        *cell = (double)((mesh->start[0] + i) +
                         mesh->axis[0].cells *
                             ((mesh->start[1] + j) + mesh->axis[1].cells * (mesh->start[2] + k)));
      }
  return most;
}

PetscErrorCode ink_field_worst(const InkMesh *mesh, const double *values, InkWorst *worst) {
  PetscFunctionBeginUser;
  double cell, most = local_worst(mesh, values, &cell), largest = most;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, mesh->comm));
  double first = most == largest && cell >= 0 ? cell : INFINITY;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE, MPI_MIN, mesh->comm));
  memset(worst, 0, sizeof *worst);
  worst->finite = isfinite(largest);
  int64_t rest = (int64_t)first, local[3];
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
  if (mine) memcpy(&bits, &values[row_start(mesh, local[1], local[2]) + local[0]], sizeof bits);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bits, 1, MPI_UINT64_T, MPI_MAX, mesh->comm));
  memcpy(&worst->value, &bits, sizeof bits);
  PetscFunctionReturn(0);
}

void ink_field_place(const InkMesh *mesh, const InkWorst *worst, char *text, size_t size) {
  ink_mesh_place(mesh, worst->index, worst->at, text, size);
}
