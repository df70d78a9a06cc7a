/* The diffusion operator: making it, its geometry, and what kind of system it is. */
#include "operator_impl.h"
#include <math.h>
#include <stdlib.h>

static const uint64_t state_bit = 1ull << INK_VAR_FIELD, time_bit = 1ull << INK_VAR_T;

/* ---- geometry ---- */

static double *line(int64_t count) {
  double *values = calloc((size_t)count, sizeof(double));
  if (!values) abort();
  return values;
}

/* Distances and areas along one axis, ghosts included; at walls the areas are 0 and the ghosts' distances 1.
 */
static void make_lines(InkDiffusion *diffusion, int a) {
  const InkMesh *mesh = diffusion->mesh;
  const InkAxis *axis = &mesh->axis[a];
  const int64_t count = mesh->count[a], cells = axis->cells;
  diffusion->to_lower[a] = line(count + 2) + 1;
  diffusion->to_upper[a] = line(count + 2) + 1;
  diffusion->face_area[a] = line(count + 3) + 1;
  diffusion->lower[a] = line(count);
  diffusion->upper[a] = line(count);
  for (int64_t i = -1; i <= count; i++) {
    const int64_t global = mesh->start[a] + i;
    const bool outside = global < 0 || global >= cells;
    const int64_t cell = (global + cells) % cells;
    const bool absent = outside && !axis->periodic;
    diffusion->to_lower[a][i] = absent ? 1.0 : axis->centroid[cell] - axis->face[cell];
    diffusion->to_upper[a][i] = absent ? 1.0 : axis->face[cell + 1] - axis->centroid[cell];
    const bool wall = !axis->periodic && (global <= 0 || global >= cells);
    if (i >= 0) diffusion->face_area[a][i] = wall ? 0.0 : axis->area[global];
  }
  const double width = (axis->to - axis->from) / (double)cells;
  const bool equal = axis->uniform && mesh->coordinates == INK_CARTESIAN;
  for (int64_t i = 0; i < count; i++) {
    const double below = diffusion->to_upper[a][i - 1] + diffusion->to_lower[a][i];
    const double above = diffusion->to_upper[a][i] + diffusion->to_lower[a][i + 1];
    const double area[2] = {diffusion->face_area[a][i], diffusion->face_area[a][i + 1]};
    const double volume = axis->volume[mesh->start[a] + i];
    /* Equal widths are taken as exactly equal: the weights are then one number. */
    diffusion->lower[a][i] = equal ? area[0] / (width * width) : area[0] / (below * volume);
    diffusion->upper[a][i] = equal ? area[1] / (width * width) : area[1] / (above * volume);
  }
}

static void free_line(double *values, int shift) {
  if (values) free(values - shift);
}

/* ---- classification ---- */

static void classify_source(InkDiffusion *diffusion, const InkExpr *source, InkPool *pool) {
  diffusion->affine_source = diffusion->constant_source_slope = true;
  diffusion->source_slope_nonpositive = true;
  if (!source) return;
  const InkExpr *slope = ink_expr_derivative(pool, source, INK_VAR_FIELD);
  const uint64_t variables = ink_expr_variables(slope);
  diffusion->affine_source = !(variables & state_bit);
  diffusion->constant_source_slope = !(variables & (state_bit | time_bit));
  diffusion->source_slope_nonpositive = ink_expr_is_constant(slope) && ink_expr_value(slope, NULL) <= 0.0;
}

static InkMean mean_of(const InkCoefficient *k) {
  const uint64_t place =
      (1ull << INK_VAR_X) | (1ull << INK_VAR_Y) | (1ull << INK_VAR_Z) | (1ull << INK_VAR_R);
  if (!k->state) return INK_MEAN_POSITION;
  return k->variables & place ? INK_MEAN_BOTH : INK_MEAN_STATE;
}

bool ink_operator_is_separable(const InkDiffusion *diffusion) {
  return diffusion->k.constant && diffusion->c.constant;
}

void ink_diffusion_system(InkDiffusion *diffusion, InkSystem *system) {
  *system = (InkSystem){.context = diffusion, .mesh = diffusion->mesh, .field = diffusion->field};
  bool affine = diffusion->affine_source, steady_slopes = diffusion->constant_source_slope;
  bool dissipative = diffusion->source_slope_nonpositive;
  bool moving = (diffusion->k.variables | diffusion->c.variables | diffusion->s.variables) & time_bit;
  bool level = diffusion->s.value && diffusion->s.state;
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    affine = affine && closure->affine;
    steady_slopes = steady_slopes && closure->constant_slope;
    dissipative = dissipative && closure->dissipative;
    level = level || closure->fixes_level;
    moving = moving || closure->moving;
  }
  system->linear = affine && !diffusion->k.state && !diffusion->c.state;
  system->symmetric = dissipative && !diffusion->k.state;
  system->constant = steady_slopes && !diffusion->k.moving && !diffusion->c.moving;
  system->moving = moving;
  system->singular = !level;
  system->rhs = ink_operator_rhs;
  system->capacity = ink_operator_capacity;
  system->jacobian = ink_operator_jacobian;
  system->capacity_derivative = diffusion->c.state ? ink_operator_capacity_slope : NULL;
  system->accumulate = ink_operator_accumulate;
  system->monotone_step = ink_operator_monotone_step;
  system->explicit_step = ink_operator_explicit_step;
}

/* ---- creation ---- */

static bool make_parts(InkDiffusion *diffusion, InkPool *pool, const InkDiffusionSpec *spec, char *message,
                       size_t size) {
  const InkMesh *mesh = diffusion->mesh;
  if (!ink_coefficient_create(&diffusion->k, spec->conductivity, pool, message, size) ||
      !ink_coefficient_create(&diffusion->c, spec->capacity, pool, message, size) ||
      (spec->source && !ink_coefficient_create(&diffusion->s, spec->source, pool, message, size)))
    return false;
  diffusion->k.sign = INK_NOT_NEGATIVE;
  diffusion->c.sign = INK_POSITIVE;
  for (int side = 0; side < INK_SIDES; side++) {
    if (!ink_side_exists(mesh, side) || spec->side[side].type == INK_SIDE_CLOSED) continue;
    diffusion->closure[side] =
        ink_closure_create(mesh, side, &spec->side[side], spec->conductivity, pool, message, size);
    if (!diffusion->closure[side]) return false;
    diffusion->inflow[side] = line(diffusion->closure[side]->count + 1);
  }
  return true;
}

PetscErrorCode ink_diffusion_create(const InkMesh *mesh, InkPool *pool, const InkDiffusionSpec *spec,
                                    InkDiffusion **out, InkFailure *failure) {
  PetscFunctionBeginUser;
  char message[256] = "";
  InkDiffusion *diffusion = calloc(1, sizeof *diffusion);
  PetscCheck(diffusion, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory");
  diffusion->mesh = mesh;
  diffusion->field = spec->field;
  for (int a = 0; a < 3; a++) make_lines(diffusion, a);
  diffusion->row_lower = line(mesh->count[0]);
  diffusion->row_upper = line(mesh->count[0]);
  diffusion->weight_dt = NAN;
  *out = diffusion;
  if (!make_parts(diffusion, pool, spec, message, sizeof message)) {
    ink_fail(failure, INK_USAGE, "%s: %s", spec->field, message);
    PetscCall(ink_diffusion_destroy(out));
    PetscFunctionReturn(0);
  }
  diffusion->mean = mean_of(&diffusion->k);
  classify_source(diffusion, spec->source, pool);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_destroy(InkDiffusion **out) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = *out;
  if (!diffusion) PetscFunctionReturn(0);
  ink_coefficient_destroy(&diffusion->k);
  ink_coefficient_destroy(&diffusion->c);
  ink_coefficient_destroy(&diffusion->s);
  for (int side = 0; side < INK_SIDES; side++) {
    ink_closure_destroy(&diffusion->closure[side]);
    free(diffusion->inflow[side]);
  }
  for (int a = 0; a < 3; a++) {
    free_line(diffusion->to_lower[a], 1);
    free_line(diffusion->to_upper[a], 1);
    free_line(diffusion->face_area[a], 1);
    free(diffusion->lower[a]);
    free(diffusion->upper[a]);
    for (int end = 0; end < 2; end++) {
      if (diffusion->near_k[a][end]) ink_mesh_free(&diffusion->near_k[a][end]);
      if (diffusion->near_slope[a][end]) ink_mesh_free(&diffusion->near_slope[a][end]);
    }
    if (diffusion->face[a]) ink_mesh_free(&diffusion->face[a]);
  }
  free(diffusion->row_lower);
  free(diffusion->row_upper);
  if (diffusion->mass) ink_mesh_free(&diffusion->mass);
  if (diffusion->work) ink_mesh_free(&diffusion->work);
  if (diffusion->sourced) ink_mesh_free(&diffusion->sourced);
  if (diffusion->start_state) ink_mesh_free(&diffusion->start_state);
  free(diffusion);
  *out = NULL;
  PetscFunctionReturn(0);
}

/* ---- plans ---- */

double ink_diffusion_bytes_per_cell(const InkDiffusion *diffusion) {
  const int dim = diffusion->mesh->dim;
  double arrays = 0.0;
  if (!ink_operator_is_separable(diffusion)) arrays += dim + 2; /* conductances, k, V c */
  if (!diffusion->c.constant) arrays += 1;
  if (diffusion->k.state) arrays += 1 + (diffusion->mean == INK_MEAN_BOTH ? 4 * dim : 0);
  if (diffusion->s.value) arrays += 1 + (diffusion->s.moving ? 1 : 0);
  if (diffusion->c.state) arrays += 2;
  return 8.0 * arrays;
}

double ink_diffusion_operations(const InkDiffusion *diffusion) {
  const int dim = diffusion->mesh->dim;
  double operations = 6.0 * dim;
  const int evaluations = diffusion->mean == INK_MEAN_BOTH ? 1 + 2 * dim : 1;
  if (diffusion->k.moving)
    operations += evaluations * ink_program_operations(diffusion->k.value) + 10.0 * dim;
  if (diffusion->c.moving) operations += ink_program_operations(diffusion->c.value);
  if (diffusion->s.value)
    operations += diffusion->s.moving ? ink_program_operations(diffusion->s.value) : 2.0;
  return operations;
}
