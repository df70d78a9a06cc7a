/* A small semi-discrete system of one or two fields for the tests of stepping and of linear solvers:
 *
 *     M(u) du_f/dt = sum over faces D_f A / h (u_f neighbour - u_f) + V R_f(t,u)
 *
 * on any mesh of equal widths, D constant, sides zero-flux or held at a value, R and M as the test says. On
 * one axis it has a split form, diffusion stiff and R the rest. */
#ifndef INK_TESTS_TOY_SYSTEM_H
#define INK_TESTS_TOY_SYSTEM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/linear.h"

enum { TOY_FIELDS = 2 };

typedef struct Toy Toy;
struct Toy {
  const InkMesh *mesh;
  int fields;                                             /* 0: one */
  double diffusivity, second_diffusivity;                 /* of the first and the second field */
  double (*side)(double t);                               /* NULL: zero-flux */
  double (*reaction)(const Toy *toy, double t, double u); /* of a single field; NULL: none */
  double (*slope)(const Toy *toy, double t, double u);    /* d reaction / du */
  /* Of two fields: r[f], and slope[s * 2 + f] = dr_s/du_f. NULL: none. */
  void (*reactions)(const Toy *toy, double t, const double u[], double r[]);
  void (*slopes)(const Toy *toy, double t, const double u[], double slope[]);
  double (*capacity)(double u), (*capacity_slope)(double u); /* NULL: 1 */
  double rate;                                               /* for the reaction */
  double budget[TOY_FIELDS]; /* sum of what accumulate() was told, this rank's part */
  int64_t nan_cell;          /* -1: none; global x index of a cell whose rate is NaN from time nan_time on */
  int nan_field;
  double nan_time;
  double limit;                                     /* monotone step */
  double (*moving_limit)(double t, const Toy *toy); /* the same, when it moves */
  double (*limit_of_state)(double largest);         /* or depends on the largest value */
  int looks;                                        /* how often the monotone step was asked for */
  const char *fault;                                /* what fault() finds */
  InkCoupling coupling[TOY_FIELDS * TOY_FIELDS];
};

static const char *const toy_names[TOY_FIELDS] = {"u", "v"};

static inline int toy_count(const Toy *toy) { return toy->fields ? toy->fields : 1; }

/* R at cell c (of one field's array) and, when slope is not NULL, its Jacobian. */
static inline void toy_react(const Toy *toy, double t, const double *u, int64_t c, double r[],
                             double slope[]) {
  const int n = toy_count(toy);
  double here[TOY_FIELDS] = {0};
  for (int f = 0; f < n; f++) here[f] = u[f * toy->mesh->size + c];
  for (int f = 0; f < n; f++) r[f] = 0;
  for (int e = 0; slope && e < n * n; e++) slope[e] = 0;
  if (toy->reactions) {
    toy->reactions(toy, t, here, r);
    if (slope) toy->slopes(toy, t, here, slope);
  } else if (toy->reaction) {
    r[0] = toy->reaction(toy, t, here[0]);
    if (slope) slope[0] = toy->slope(toy, t, here[0]);
  }
}

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
static inline double toy_conductance(const Toy *toy, int field, int64_t c, int axis, int end, bool *wall) {
  const InkMesh *mesh = toy->mesh;
  const InkAxis *a = &mesh->axis[axis];
  const int64_t global = mesh->start[axis] + toy_local(mesh, c, axis);
  const double width = a->face[global + 1] - a->face[global];
  *wall = !a->periodic && (end ? global == a->cells - 1 : global == 0);
  if (*wall && !toy->side) return 0;
  const double diffusivity = field ? toy->second_diffusivity : toy->diffusivity;
  return diffusivity * toy_volume(mesh, c) / (width * width) * (*wall ? 2 : 1);
}

/* Net inflow and source of a cell; what comes from outside is added to *gain. */
static inline double toy_cell(const Toy *toy, double t, const double *u, int field, int64_t c, double *gain) {
  double g = 0, outer = 0, r[TOY_FIELDS];
  const double *own = u + field * toy->mesh->size;
  for (int axis = 0; axis < toy->mesh->dim; axis++)
    for (int end = 0; end < 2; end++) {
      bool wall;
      const double conductance = toy_conductance(toy, field, c, axis, end, &wall);
      if (conductance == 0) continue;
      const int64_t step = axis == 0 ? 1 : toy->mesh->stride[axis];
      const double other = wall ? toy->side(t) : own[end ? c + step : c - step];
      g += conductance * (other - own[c]);
      if (wall) outer += conductance * (other - own[c]);
    }
  toy_react(toy, t, u, c, r, NULL);
  outer += toy_volume(toy->mesh, c) * r[field];
  g += toy_volume(toy->mesh, c) * r[field];
  if (gain) *gain += outer;
  if (toy->nan_cell >= 0 && field == toy->nan_field && t >= toy->nan_time &&
      toy->mesh->start[0] + toy_local(toy->mesh, c, 0) == toy->nan_cell)
    return NAN;
  return g;
}

static PetscErrorCode toy_rhs(void *context, double t, double *u, double *g) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  PetscCall(ink_mesh_exchange_fields(toy->mesh, toy_count(toy), u));
  for (int f = 0; f < toy_count(toy); f++)
    for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
      g[f * toy->mesh->size + c] = toy_cell(toy, t, u, f, c, NULL);
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_capacity(void *context, double t, const double *u, double *m) {
  PetscFunctionBeginUser;
  (void)t;
  const Toy *toy = context;
  for (int f = 0; f < toy_count(toy); f++)
    for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
      const int64_t at = f * toy->mesh->size + c;
      m[at] = toy_volume(toy->mesh, c) * (toy->capacity ? toy->capacity(u[at]) : 1);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_capacity_slope(void *context, double t, const double *u, double *dm) {
  PetscFunctionBeginUser;
  (void)t;
  const Toy *toy = context;
  for (int f = 0; f < toy_count(toy); f++)
    for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
      const int64_t at = f * toy->mesh->size + c;
      dm[at] = toy_volume(toy->mesh, c) * toy->capacity_slope(u[at]);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_jacobian(void *context, double t, double *u, InkStencil *stencil) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  const int n = toy_count(toy);
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
    double r[TOY_FIELDS], slope[TOY_FIELDS * TOY_FIELDS];
    toy_react(toy, t, u, c, r, slope);
    for (int s = 0; s < n; s++)
      for (int f = 0; f < n; f++) {
        InkBlock *block = &stencil->block[s * n + f];
        double diagonal = toy_volume(toy->mesh, c) * slope[s * n + f];
        for (int axis = 0; axis < toy->mesh->dim && s == f; axis++)
          for (int end = 0; end < 2; end++) {
            bool wall;
            const double conductance = toy_conductance(toy, s, c, axis, end, &wall);
            diagonal -= conductance;
            if (block->off[axis][end]) block->off[axis][end][c] = wall ? 0 : conductance;
          }
        block->diagonal[c] = diagonal;
      }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_accumulate(void *context, double weight, double t, double *u) {
  PetscFunctionBeginUser;
  Toy *toy = context;
  for (int f = 0; f < toy_count(toy); f++) {
    double gain = 0;
    for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
      toy_cell(toy, t, u, f, c, &gain);
    toy->budget[f] += weight * gain;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_monotone(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  Toy *toy = context;
  toy->looks++;
  *dt = toy->moving_limit ? toy->moving_limit(t, toy) : toy->limit;
  if (!toy->limit_of_state) PetscFunctionReturn(0);
  double largest = 0;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c))
    largest = fmax(largest, fabs(u[c]));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, toy->mesh->comm));
  *dt = toy->limit_of_state(largest);
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_explicit(void *context, double t, double dt, bool taken, double *u, double *next) {
  PetscFunctionBeginUser;
  Toy *toy = context;
  PetscCall(ink_mesh_exchange_fields(toy->mesh, toy_count(toy), u));
  for (int f = 0; f < toy_count(toy); f++) {
    double gain = 0;
    for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
      const int64_t at = f * toy->mesh->size + c;
      next[at] = u[at] + dt / (toy_volume(toy->mesh, c) * (toy->capacity ? toy->capacity(u[at]) : 1)) *
                             toy_cell(toy, t, u, f, c, &gain);
    }
    if (taken) toy->budget[f] += dt * gain;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_split_rest(void *context, double t, double *u, double *rest, double *rate) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  const int n = toy_count(toy);
  double largest = 0;
  for (int64_t c = toy_first(toy->mesh); c >= 0; c = toy_next(toy->mesh, c)) {
    double r[TOY_FIELDS], slope[TOY_FIELDS * TOY_FIELDS];
    toy_react(toy, t, u, c, r, rate ? slope : NULL);
    for (int s = 0; s < n; s++) {
      double sum = 0;
      const bool bad = toy->nan_cell >= 0 && s == toy->nan_field && t >= toy->nan_time &&
                       toy->mesh->start[0] + toy_local(toy->mesh, c, 0) == toy->nan_cell;
      rest[s * toy->mesh->size + c] = bad ? NAN : r[s];
      for (int f = 0; rate && f < n; f++) sum += fabs(slope[s * n + f]);
      largest = fmax(largest, sum);
    }
  }
  if (!rate) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, toy->mesh->comm));
  *rate = largest;
  PetscFunctionReturn(0);
}

/* One axis: every rank solves the whole tridiagonal system. */
static PetscErrorCode toy_split_solve(void *context, double t, double h, const double *b, double *u) {
  PetscFunctionBeginUser;
  const Toy *toy = context;
  const InkMesh *mesh = toy->mesh;
  const int64_t cells = mesh->axis[0].cells;
  double *array[5];
  bool *swapped;
  for (int a = 0; a < 5; a++) PetscCall(PetscCalloc1(cells, &array[a]));
  PetscCall(PetscCalloc1(cells, &swapped));
  double *lower = array[0], *diagonal = array[1], *upper = array[2], *upper2 = array[3], *x = array[4];
  for (int f = 0; f < toy_count(toy); f++) {
    const double coefficient =
        h * (f ? toy->second_diffusivity : toy->diffusivity) * (double)cells * (double)cells;
    for (int64_t i = 0; i < cells; i++) {
      const bool first = i == 0, last = i == cells - 1;
      const double walls = toy->side ? 2.0 * (first + last) : 0;
      diagonal[i] = 1 + coefficient * (!first + !last + walls);
      lower[i] = upper[i] = -coefficient;
      x[i] = 0;
    }
    for (int64_t i = 0; i < mesh->count[0]; i++) x[mesh->start[0] + i] = b[f * mesh->size + mesh->origin + i];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, x, (int)cells, MPI_DOUBLE, MPI_SUM, mesh->comm));
    if (toy->side) {
      x[0] += 2 * coefficient * toy->side(t);
      x[cells - 1] += 2 * coefficient * toy->side(t);
    }
    assert_true(ink_tridiagonal_factor(cells, lower, diagonal, upper, upper2, swapped));
    ink_tridiagonal_solve(cells, lower, diagonal, upper, upper2, swapped, x);
    for (int64_t i = 0; i < mesh->count[0]; i++) u[f * mesh->size + mesh->origin + i] = x[mesh->start[0] + i];
  }
  for (int a = 0; a < 5; a++) PetscCall(PetscFree(array[a]));
  PetscCall(PetscFree(swapped));
  PetscFunctionReturn(0);
}

static PetscErrorCode toy_fault(void *context, double t, double *u, char *text, size_t size) {
  PetscFunctionBeginUser;
  (void)t;
  (void)u;
  snprintf(text, size, "%s", ((const Toy *)context)->fault);
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
  const int n = toy_count(toy);
  toy->nan_cell = toy->nan_time > 0 || toy->nan_cell > 0 ? toy->nan_cell : -1;
  for (int s = 0; s < n; s++)
    for (int f = 0; f < n; f++)
      toy->coupling[s * n + f] =
          s == f && (s ? toy->second_diffusivity : toy->diffusivity) != 0 ? INK_NEIGHBOURS : INK_LOCAL;
  if (n == 1) toy->coupling[0] = INK_NEIGHBOURS;
  const bool split = toy->mesh->dim == 1 && !toy->capacity && !toy->mesh->axis[0].periodic;
  return (InkSystem){.context = toy,
                     .mesh = toy->mesh,
                     .n = n,
                     .field = toy_names,
                     .coupling = toy->coupling,
                     .linear = linear,
                     .symmetric = n == 1,
                     .constant = constant,
                     .singular = !toy->side && !toy->reaction && !toy->reactions,
                     .rhs = toy_rhs,
                     .capacity = toy_capacity,
                     .jacobian = toy_jacobian,
                     .capacity_derivative = toy->capacity_slope ? toy_capacity_slope : NULL,
                     .accumulate = toy_accumulate,
                     .monotone_step = toy_monotone,
                     .explicit_step = toy_explicit,
                     .steady_bound = !toy->moving_limit && !toy->limit_of_state,
                     .split_rest = split ? toy_split_rest : NULL,
                     .split_solve = split ? toy_split_solve : NULL,
                     .fault = toy->fault ? toy_fault : NULL};
}
#endif
