/* A small semi-discrete system for the tests of stepping and of linear solvers:
 *
 *     M(u) du/dt = sum over faces D A / h (u_neighbour - u) + V R(t,u)
 *
 * on any mesh of equal widths, D constant, sides zero-flux or held at a value, R and M as the test says. */
#ifndef INK_TESTS_TOY_SYSTEM_H
#define INK_TESTS_TOY_SYSTEM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/stepping.h"

typedef struct Toy Toy;
struct Toy {
  const InkMesh *mesh;
  double diffusivity;
  double (*side)(double t);                                  /* NULL: zero-flux */
  double (*reaction)(const Toy *toy, double t, double u);    /* NULL: none */
  double (*slope)(const Toy *toy, double t, double u);       /* d reaction / du */
  double (*capacity)(double u), (*capacity_slope)(double u); /* NULL: 1 */
  double rate;                                               /* for the reaction */
  double budget;    /* sum of what accumulate() was told, this rank's part */
  int64_t nan_cell; /* -1: none; global x index of a cell whose rate is NaN from time nan_time on */
  double nan_time;
  double limit; /* monotone step */
};

static inline int64_t toy_local(const InkMesh *mesh, int64_t c, int axis) {
  int64_t at = c - mesh->origin, local[3] = {0, 0, 0};
  for (int a = mesh->dim - 1; a > 0; a--) {
    local[a] = at / mesh->stride[a];
    at -= local[a] * mesh->stride[a];
  }
  local[0] = at;
  return local[axis];
}

/* The owned cells in order: for (c = toy_first(mesh); c >= 0; c = toy_next(mesh, c)). */
static inline int64_t toy_first(const InkMesh *mesh) { return mesh->origin; }
static inline int64_t toy_next(const InkMesh *mesh, int64_t c) {
  int64_t local[3] = {toy_local(mesh, c, 0), toy_local(mesh, c, 1), toy_local(mesh, c, 2)};
  for (int axis = 0; axis < mesh->dim; axis++) {
    if (++local[axis] < mesh->count[axis])
      return mesh->origin + local[0] + local[1] * mesh->stride[1] + local[2] * mesh->stride[2];
    local[axis] = 0;
  }
  return -1;
}

static inline double toy_volume(const InkMesh *mesh, int64_t c) {
  return ink_mesh_volume(mesh, toy_local(mesh, c, 0), toy_local(mesh, c, 1), toy_local(mesh, c, 2));
}

static inline double toy_at(const InkMesh *mesh, int64_t c, int axis) {
  return mesh->axis[axis].centroid[mesh->start[axis] + toy_local(mesh, c, axis)];
}

/* Conductance of a face of the cell; 0 at a zero-flux wall. *wall: it is a wall. */
static inline double toy_conductance(const Toy *toy, int64_t c, int axis, int end, bool *wall) {
  const InkMesh *mesh = toy->mesh;
  const InkAxis *a = &mesh->axis[axis];
  const int64_t global = mesh->start[axis] + toy_local(mesh, c, axis);
  const double width = a->face[global + 1] - a->face[global];
  *wall = !a->periodic && (end ? global == a->cells - 1 : global == 0);
  if (*wall && !toy->side) return 0;
  return toy->diffusivity * toy_volume(mesh, c) / (width * width) * (*wall ? 2 : 1);
}

static inline double toy_cell(const Toy *toy, double t, const double *u, int64_t c, double *gain) {
  double g = 0, outer = 0;
  for (int axis = 0; axis < toy->mesh->dim; axis++)
    for (int end = 0; end < 2; end++) {
      bool wall;
      const double conductance = toy_conductance(toy, c, axis, end, &wall);
      if (conductance == 0) continue;
      const int64_t step = axis == 0 ? 1 : toy->mesh->stride[axis];
      const double other = wall ? toy->side(t) : u[end ? c + step : c - step];
      g += conductance * (other - u[c]);
      if (wall) outer += conductance * (other - u[c]);
    }
  if (toy->reaction) outer += toy_volume(toy->mesh, c) * toy->reaction(toy, t, u[c]);
  if (toy->reaction) g += toy_volume(toy->mesh, c) * toy->reaction(toy, t, u[c]);
  if (gain) *gain += outer;
  if (toy->nan_cell >= 0 && t >= toy->nan_time &&
      toy->mesh->start[0] + toy_local(toy->mesh, c, 0) == toy->nan_cell)
    return NAN;
  return g;
}

static PetscErrorCode toy_rhs(void *context, double t, double *u, double *g) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  PetscCall(ink_mesh_exchange(toy->mesh, u));
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
    g[c] = toy_cell(toy, t, u, c, NULL);
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_capacity(void *context, double t, const double *u, double *m) {
  PetscFunctionBeginUser;
  (void)t;
  const Toy *toy = context;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
    m[c] = toy_volume(toy->mesh, c) * (toy->capacity ? toy->capacity(u[c]) : 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_capacity_slope(void *context, double t, const double *u, double *dm) {
  PetscFunctionBeginUser;
  (void)t;
  const Toy *toy = context;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
    dm[c] = toy_volume(toy->mesh, c) * toy->capacity_slope(u[c]);
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_jacobian(void *context, double t, double *u, InkStencil *stencil) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
    double diagonal = toy->slope ? toy_volume(toy->mesh, c) * toy->slope(toy, t, u[c]) : 0;
    for (int axis = 0; axis < toy->mesh->dim; axis++)
      for (int end = 0; end < 2; end++) {
        bool wall;
        const double conductance = toy_conductance(toy, c, axis, end, &wall);
        diagonal -= conductance;
        stencil->off[axis][end][c] = wall ? 0 : conductance;
      }
    stencil->diagonal[c] = diagonal;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_accumulate(void *context, double weight, double t, double *u) {
  PetscFunctionBeginUser;
  Toy *toy = context;
  double gain = 0;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) toy_cell(toy, t, u, c, &gain);
  toy->budget += weight * gain;
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_monotone(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  (void)t;
  (void)u;
  *dt = ((const Toy *)context)->limit;
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_explicit(void *context, double t, double dt, double *u, double *next) {
  PetscFunctionBeginUser;
  Toy *toy = context;
  PetscCall(ink_mesh_exchange(toy->mesh, u));
  double gain = 0;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
    next[c] = u[c] + dt / (toy_volume(toy->mesh, c) * (toy->capacity ? toy->capacity(u[c]) : 1)) *
                         toy_cell(toy, t, u, c, &gain);
  toy->budget += dt * gain;
  PetscFunctionReturn(0);
}

/* A mesh of the unit interval, square or cube. */
static inline InkMesh *toy_mesh_on(MPI_Comm comm, int dim, int64_t cells, bool periodic) {
  InkAxisSpec spec[3];
  for (int a = 0; a < dim; a++) spec[a] = (InkAxisSpec){.to = 1, .cells = cells, .periodic = periodic};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(comm, spec, dim, INK_CARTESIAN, &mesh, &failure), 0);
  assert_int_equal(failure.code, INK_DONE);
  return mesh;
}

static inline InkMesh *toy_mesh(int dim, int64_t cells, bool periodic) {
  return toy_mesh_on(PETSC_COMM_WORLD, dim, cells, periodic);
}

static inline InkSystem toy_system(Toy *toy, bool linear, bool constant) {
  toy->nan_cell = toy->nan_time > 0 || toy->nan_cell > 0 ? toy->nan_cell : -1;
  return (InkSystem){.context = toy,
                     .mesh = toy->mesh,
                     .field = "u",
                     .linear = linear,
                     .symmetric = true,
                     .constant = constant,
                     .singular = !toy->side && !toy->reaction,
                     .rhs = toy_rhs,
                     .capacity = toy_capacity,
                     .jacobian = toy_jacobian,
                     .capacity_derivative = toy->capacity_slope ? toy_capacity_slope : NULL,
                     .accumulate = toy_accumulate,
                     .monotone_step = toy_monotone,
                     .explicit_step = toy_explicit};
}
#endif
