/* The explicit step of the diffusion operator, forward Euler
 *
 *     next_i = u_i + dt / (V c) [ sum_faces G (u_j - u_i) + V s + sum_sides A q ],
 *
 * added in that order, and its step limit: the new value is a weighted mean of old values and boundary data
 * while
 *
 *     dt [ sum_faces G - sum_sides A dq/du - V min(0, ds/du) ] <= V c        (Gershgorin). */
#include "operator_impl.h"
#include <math.h>

/* Arrays of more doubles than this are streamed past the caches (8 MiB each, of two). */
static const int64_t STREAMED = 1 << 20;

/* ---- one step ---- */

/* Source on top of the interior update. */
static void add_row_source(const InkDiffusion *diffusion, double dt, int64_t row, double *next) {
  const int64_t n = diffusion->mesh->count[0];
  const double *restrict s = diffusion->s.values + row;
  if (diffusion->c.constant) {
    const double factor = dt / diffusion->c.number;
    for (int64_t i = 0; i < n; i++) next[row + i] += factor * s[i];
  } else {
    const double *restrict c = diffusion->c.values + row;
    for (int64_t i = 0; i < n; i++) next[row + i] += dt * s[i] / c[i];
  }
}

static double cell_mass(const InkDiffusion *diffusion, int64_t cell, int64_t side_cell, int side) {
  if (!diffusion->c.constant) return diffusion->mass[cell];
  const InkMesh *mesh = diffusion->mesh;
  const int normal = side / 2, first = normal == 0 ? 1 : 0, second = normal == 2 ? 1 : 2;
  int64_t at[3];
  at[first] = side_cell % mesh->count[first];
  at[second] = side_cell / mesh->count[first];
  at[normal] = side % 2 ? mesh->count[normal] - 1 : 0;
  return ink_mesh_volume(mesh, at[0], at[1], at[2]) * diffusion->c.number;
}

static void add_closures(InkDiffusion *diffusion, double t, double dt, const double *u, double *next) {
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int64_t n = 0; n < closure->count; n++) {
      const int64_t cell = closure->cell[n];
      next[cell] += dt * (closure->area[n] * closure->inflow[n]) / cell_mass(diffusion, cell, n, side);
    }
  }
}

/* Weights of axis 0 for this dt; kept until dt changes. */
static void set_weights(InkDiffusion *diffusion, double dt) {
  if (dt == diffusion->weight_dt) return;
  const double factor = dt * (diffusion->k.number / diffusion->c.number);
  for (int64_t i = 0; i < diffusion->mesh->count[0]; i++) {
    diffusion->row_lower[i] = factor * diffusion->lower[0][i];
    diffusion->row_upper[i] = factor * diffusion->upper[0][i];
  }
  diffusion->weight_dt = dt;
}

static void step_constant(InkDiffusion *diffusion, double dt, const double *u, double *next) {
  const InkMesh *mesh = diffusion->mesh;
  const InkRowShape shape = {mesh->dim, mesh->count[0], {1, mesh->stride[1], mesh->stride[2]}};
  const double factor = dt * (diffusion->k.number / diffusion->c.number);
  InkRowWeights weights = {.lower = diffusion->row_lower, .upper = diffusion->row_upper};
  set_weights(diffusion, dt);
  weights.stream = mesh->size > STREAMED && !diffusion->s.value; /* a source goes over the row again */
  weights.uniform = mesh->axis[0].uniform && mesh->coordinates == INK_CARTESIAN;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = ink_cell(mesh, 0, j, k), at[3] = {0, j, k};
      for (int a = 1; a < mesh->dim; a++) {
        weights.below[a] = factor * diffusion->lower[a][at[a]];
        weights.above[a] = factor * diffusion->upper[a][at[a]];
      }
      ink_row_update(&shape, &weights, u + row, next + row);
      if (diffusion->s.value) add_row_source(diffusion, dt, row, next);
    }
  if (weights.stream) ink_row_stream_end();
}

static void step_variable(InkDiffusion *diffusion, double dt, const double *u, double *next) {
  const InkMesh *mesh = diffusion->mesh;
  const InkRowShape shape = {mesh->dim, mesh->count[0], {1, mesh->stride[1], mesh->stride[2]}};
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = ink_cell(mesh, 0, j, k);
      const double *face[3] = {NULL, NULL, NULL};
      for (int a = 0; a < mesh->dim; a++) face[a] = diffusion->face[a] + row;
      ink_row_advance(&shape, face, diffusion->mass + row, dt, u + row, next + row);
      if (diffusion->s.value) add_row_source(diffusion, dt, row, next);
    }
}

PetscErrorCode ink_operator_explicit_step(void *context, double t, double dt, double *u, double *next) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  PetscCall(ink_mesh_exchange(diffusion->mesh, u));
  if (diffusion->s.value) PetscCall(ink_coefficient_update(diffusion->mesh, &diffusion->s, false, t, u));
  if (ink_operator_is_separable(diffusion)) {
    step_constant(diffusion, dt, u, next);
  } else {
    PetscCall(ink_operator_faces(diffusion, false, t, u));
    PetscCall(ink_operator_mass(diffusion, t, u));
    step_variable(diffusion, dt, u, next);
  }
  add_closures(diffusion, t, dt, u, next);
  PetscCall(ink_operator_accumulate_evaluated(diffusion, dt));
  PetscFunctionReturn(0);
}

/* ---- step limits ---- */

/* Constant coefficients: the largest coupling of each axis, walls' closures included; their sum is the
 * largest of the sums, as every combination of rows occurs. */
static PetscErrorCode constant_rate(InkDiffusion *diffusion, double *rate) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const double diffusivity = diffusion->k.number / diffusion->c.number;
  *rate = 0.0;
  for (int a = 0; a < mesh->dim; a++) {
    double largest = 0.0;
    for (int64_t i = 0; i < mesh->count[a]; i++) {
      double sum = diffusivity * (diffusion->lower[a][i] + diffusion->upper[a][i]);
      for (int end = 0; end < 2; end++) {
        const InkClosure *closure = diffusion->closure[2 * a + end];
        if (!closure || closure->count == 0 || i != (end ? mesh->count[a] - 1 : 0)) continue;
        const InkAxis *axis = &mesh->axis[a];
        const double area = axis->area[end ? axis->cells : 0] / axis->volume[mesh->start[a] + i];
        double slope = 0.0;
        for (int64_t n = 0; n < closure->count; n++) slope = fmax(slope, -closure->slope[n]);
        sum += slope * area / diffusion->c.number;
      }
      largest = fmax(largest, sum);
    }
    PetscCall(ink_reduce_max(mesh->comm, &largest));
    *rate += largest;
  }
  PetscFunctionReturn(0);
}

/* Any coefficients: the sum of each cell's couplings over its capacity. */
static PetscErrorCode cell_rates(InkDiffusion *diffusion, double t, double *u, double *rates) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  PetscCall(ink_mesh_exchange(mesh, u));
  PetscCall(ink_operator_faces(diffusion, false, t, u));
  PetscCall(ink_operator_mass(diffusion, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        double sum = 0.0;
        for (int a = 0; a < mesh->dim; a++)
          sum += diffusion->face[a][cell] + diffusion->face[a][cell + ink_step(mesh, a)];
        rates[cell] = sum / diffusion->mass[cell];
      }
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    for (int64_t n = 0; closure && n < closure->count; n++) {
      const int64_t cell = closure->cell[n];
      rates[cell] += fmax(0.0, -closure->slope[n] * closure->area[n]) / diffusion->mass[cell];
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode largest_rate(InkDiffusion *diffusion, double *rates, double *rate) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const bool decay = diffusion->s.value && diffusion->s.state;
  *rate = 0.0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        double sum = rates[cell];
        if (decay) {
          const double c = diffusion->c.constant ? diffusion->c.number : diffusion->c.values[cell];
          sum += fmax(0.0, -diffusion->s.slopes[cell]) / c;
        }
        if (!(sum <= *rate) && !isnan(*rate)) *rate = sum; /* lets NaN through */
      }
  PetscCall(ink_reduce_max(mesh->comm, rate));
  PetscFunctionReturn(0);
}

/* Largest eigenvalue of -d2/dx2 on an axis of equal cells: 4/h^2 sin^2(theta), the wave number of the
 * highest mode being cells when a side fixes the level at both ends, cells - 1/2 at one end, cells - 1 at
 * none. */
static double axis_eigenvalue(const InkDiffusion *diffusion, int a) {
  const InkAxis *axis = &diffusion->mesh->axis[a];
  const double n = (double)axis->cells, h = (axis->to - axis->from) / n;
  double mode = n - 1.0;
  for (int end = 0; end < 2; end++) {
    const InkClosure *closure = diffusion->closure[2 * a + end];
    if (closure && closure->fixes_level) mode += 0.5;
  }
  if (axis->periodic) mode = axis->cells % 2 ? n - 1.0 : n;
  const double sine = sin(mode * M_PI / (2.0 * n));
  return 4.0 / (h * h) * sine * sine;
}

static double exact_limit(const InkDiffusion *diffusion) {
  const InkMesh *mesh = diffusion->mesh;
  double sum = 0.0;
  if (!ink_operator_is_separable(diffusion) || mesh->coordinates != INK_CARTESIAN) return 0.0;
  if (diffusion->s.value && diffusion->s.state) return 0.0;
  for (int a = 0; a < mesh->dim; a++) {
    if (!mesh->axis[a].uniform) return 0.0;
    sum += axis_eigenvalue(diffusion, a);
  }
  const double rate = sum * diffusion->k.number / diffusion->c.number;
  return rate > 0.0 ? 2.0 / rate : 0.0;
}

PetscErrorCode ink_diffusion_limits(InkDiffusion *diffusion, double t, double *u, double *gershgorin,
                                    double *exact) {
  PetscFunctionBeginUser;
  *exact = exact_limit(diffusion);
  *gershgorin = diffusion->limit;
  if (*gershgorin > 0.0) PetscFunctionReturn(0);
  const bool source = diffusion->s.value && diffusion->s.state;
  bool constant = ink_operator_is_separable(diffusion) && !source;
  bool settled = !diffusion->k.moving && !diffusion->c.moving && !source;
  double rate;
  for (int side = 0; side < INK_SIDES; side++) {
    if (!diffusion->closure[side]) continue;
    ink_closure_evaluate(diffusion->closure[side], t, u);
    settled = settled && diffusion->closure[side]->constant_slope;
  }
  if (constant) {
    PetscCall(constant_rate(diffusion, &rate));
  } else {
    if (!diffusion->work) PetscCall(ink_mesh_array(diffusion->mesh, &diffusion->work));
    if (source) PetscCall(ink_coefficient_update(diffusion->mesh, &diffusion->s, true, t, u));
    PetscCall(cell_rates(diffusion, t, u, diffusion->work));
    PetscCall(largest_rate(diffusion, diffusion->work, &rate));
  }
  *gershgorin = rate == 0.0 ? INFINITY : 1.0 / rate;
  if (settled) diffusion->limit = *gershgorin;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_monotone_step(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  double exact;
  PetscCall(ink_diffusion_limits(context, t, u, dt, &exact));
  PetscFunctionReturn(0);
}
