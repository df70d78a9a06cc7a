/* Does a field rest where it is unstable?
 *
 * Ahead of a front that invades an unstable state (u = 0 of u (1 - u)) the field rests exactly. Transforms
 * mix all cells, so they leave rounding errors there, of about 1e-16 of the field's size, and these grow as
 * exp(growth t): after growth t = 37 they are as large as the field itself. Such runs are not split. */
#include <math.h>
#include "stepping_impl.h"

static const double ALLOWED = 20;       /* growth * time: 1e-16 exp(20) = 5e-8 */
static const double DISTURBANCE = 1e-6; /* of the field's size, to find its growth */

/* The largest growth (moved - rest) / delta of a field over the cells that rest: a step changes nothing
 * there. */
static double largest_growth(const InkMesh *mesh, const double *u, const double *next, const double *rest,
                             const double *moved, double delta) {
  double growth = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t c = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
        if (next[c] == u[c] && rest[c] == 0) growth = fmax(growth, (moved[c] - rest[c]) / delta);
      }
  return growth;
}

/* u after a stable step. */
static PetscErrorCode step_once(const InkSystem *system, double t, double span, double *u, double *next) {
  PetscFunctionBeginUser;
  double dt;
  PetscCall(system->monotone_step(system->context, t, u, &dt));
  dt = dt > 0 ? fmin(dt, span) : span;
  PetscCall(system->explicit_step(system->context, t, dt, false, u, next));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_rests_unstable(const InkSystem *system, double t, double span, double *u, double *rate,
                                  bool *unstable) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = system->mesh;
  const int n = system->n;
  double *next, *rest, *moved, *disturbed, growth = 0;
  double **const array[] = {&next, &rest, &moved, &disturbed};
  for (int a = 0; a < 4; a++) PetscCall(ink_mesh_fields(mesh, n, array[a]));
  PetscCall(step_once(system, t, span, u, next));
  PetscCall(system->split_rest(system->context, t, u, rest, rate));
  for (int f = 0; f < n; f++) {
    const int64_t at = f * mesh->size;
    double size;
    PetscCall(ink_field_norm(mesh, 1, NULL, u + at, &size));
    const double delta = DISTURBANCE * (size > 0 ? size : 1);
    ink_field_copy(mesh, n, u, disturbed);
    for (int64_t c = at; c < at + mesh->size; c++) disturbed[c] += delta;
    PetscCall(system->split_rest(system->context, t, disturbed, moved, NULL));
    growth = fmax(growth, largest_growth(mesh, u + at, next + at, rest + at, moved + at, delta));
  }
  PetscCall(ink_reduce_max(mesh->comm, &growth));
  *unstable = growth * span > ALLOWED;
  for (int a = 0; a < 4; a++) ink_mesh_free(array[a]);
  PetscFunctionReturn(0);
}
