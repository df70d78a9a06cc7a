/* Integrals, means, extrema, errors against an exact solution, and the search for values that are not finite.
 *
 * Integral of u = sum over cells of u V: the products are rounded cell by cell and added exactly, so the
 * result does not depend on who owns which cell.
 */
#include "observe_impl.h"
#include <math.h>

/* What is added up over the cells. */
typedef enum InkMoment {
  INK_MOMENT_VOLUME, /* V */
  INK_MOMENT_VALUE,  /* V u */
  INK_MOMENT_SQUARE, /* V (u - shift)^2 */
  INK_MOMENT_ERROR,  /* V (u - other)^2 */
} InkMoment;

typedef struct InkTerm {
  InkMoment moment;
  double shift;
  const double *values, *other; /* padded arrays */
} InkTerm;

static void row_products(const InkMesh *mesh, const InkTerm *term, int64_t j, int64_t k, double *product) {
  int64_t offset = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
  const double *u = term->values ? term->values + offset : NULL;
  const double *other = term->other ? term->other + offset : NULL;
  for (int64_t i = 0; i < mesh->count[0]; i++) {
    double volume = ink_mesh_volume(mesh, i, j, k), difference;
    switch (term->moment) {
    case INK_MOMENT_VOLUME:
      product[i] = volume;
      break;
    case INK_MOMENT_VALUE:
      product[i] = volume * u[i];
      break;
    case INK_MOMENT_SQUARE:
      difference = u[i] - term->shift;
      product[i] = volume * (difference * difference);
      break;
    case INK_MOMENT_ERROR:
      difference = u[i] - other[i];
      product[i] = volume * (difference * difference);
      break;
    }
  }
}

static PetscErrorCode add_up(const InkMesh *mesh, const InkTerm *term, double *total) {
  PetscFunctionBeginUser;
  InkSum sum;
  double *product;
  PetscCall(PetscMalloc1((size_t)mesh->count[0], &product));
  ink_sum_clear(&sum);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      row_products(mesh, term, j, k, product);
      ink_sum_add_array(&sum, mesh->count[0], product);
    }
  PetscCall(PetscFree(product));
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, total));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_integral(const InkFieldView *view, double *value) {
  PetscFunctionBeginUser;
  InkTerm term = {.moment = INK_MOMENT_VALUE, .values = view->values};
  PetscCall(add_up(view->mesh, &term, value));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_mean_variance(const InkFieldView *view, double *mean, double *variance) {
  PetscFunctionBeginUser;
  double volume, content, square;
  PetscCall(add_up(view->mesh, &(InkTerm){.moment = INK_MOMENT_VOLUME}, &volume));
  PetscCall(ink_observe_integral(view, &content));
  *mean = content / volume;
  InkTerm term = {.moment = INK_MOMENT_SQUARE, .shift = *mean, .values = view->values};
  PetscCall(add_up(view->mesh, &term, &square));
  *variance = square / volume;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_range(const InkFieldView *view, double *min, double *max) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  bool nan = false;
  double low = INFINITY, high = -INFINITY;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const double *u = view->values + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        low = u[i] < low ? u[i] : low;
        high = u[i] > high ? u[i] : high;
        nan |= isnan(u[i]);
      }
    }
  /* + 0.0 turns -0 into +0, which compares equal and would let the order of the ranks choose the sign. */
  *min = nan ? NAN : low + 0.0;
  *max = nan ? NAN : high + 0.0;
  PetscCall(ink_reduce_min(mesh->comm, min));
  PetscCall(ink_reduce_max(mesh->comm, max));
  PetscFunctionReturn(0);
}

/* Global number of the first owned cell that is not finite; INT64_MAX when there is none. Owned cells are
 * gone through in the order of their global numbers. */
static int64_t first_not_finite(const InkFieldView *view, double *value) {
  const InkMesh *mesh = view->mesh;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const double *u = view->values + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        if (isfinite(u[i])) continue;
        *value = u[i];
        return mesh->start[0] + i +
               mesh->axis[0].cells * (mesh->start[1] + j + mesh->axis[1].cells * (mesh->start[2] + k));
      }
    }
  return INT64_MAX;
}

PetscErrorCode ink_observe_not_finite(const InkFieldView *view, PetscBool *found, int64_t index[3],
                                      double at[3], double *value) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  double own = 0;
  int64_t mine = first_not_finite(view, &own), lowest = mine;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT64_T, MPI_MIN, mesh->comm));
  *found = lowest < INT64_MAX ? PETSC_TRUE : PETSC_FALSE;
  if (!*found) PetscFunctionReturn(0);
  *value = mine == lowest ? own : 0;
  PetscCall(ink_observe_gather(mesh->comm, 1, value));
  for (int a = 0; a < 3; a++) {
    index[a] = lowest % mesh->axis[a].cells;
    lowest /= mesh->axis[a].cells;
    at[a] = a < mesh->dim ? mesh->axis[a].centroid[index[a]] : 0;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode largest_difference(const InkFieldView *view, const double *other, double *largest) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  *largest = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      int64_t offset = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = offset; i < offset + mesh->count[0]; i++) {
        double difference = fabs(view->values[i] - other[i]);
        if (difference > *largest || isnan(difference)) *largest = difference; /* a NaN stays */
      }
    }
  PetscCall(ink_reduce_max(mesh->comm, largest));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_error(const InkFieldView *view, const InkProgram *exact, double time, double *l2,
                                 double *max) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  double *expected, error, square, volume;
  PetscCall(ink_mesh_array(mesh, &expected));
  PetscCall(ink_mesh_evaluate(mesh, exact, time, 0, NULL, (double *const[]){expected}));
  InkTerm difference = {.moment = INK_MOMENT_ERROR, .values = view->values, .other = expected};
  InkTerm size = {.moment = INK_MOMENT_SQUARE, .shift = 0, .values = expected};
  PetscCall(add_up(mesh, &difference, &error));
  PetscCall(add_up(mesh, &size, &square));
  PetscCall(add_up(mesh, &(InkTerm){.moment = INK_MOMENT_VOLUME}, &volume));
  *l2 = sqrt(square != 0 ? error / square : error / volume);
  PetscCall(largest_difference(view, expected, max));
  ink_mesh_free(&expected);
  PetscFunctionReturn(0);
}
