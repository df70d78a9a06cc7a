/* The operator: making it, and its geometry. */
#include "operator_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

double *ink_operator_line(int64_t count) {
  const size_t bytes = ((size_t)count * sizeof(double) + 63) / 64 * 64;
  double *values = aligned_alloc(64, bytes > 0 ? bytes : 64);
  if (!values) abort();
  memset(values, 0, bytes);
  return values;
}

PetscErrorCode ink_operator_need(const InkMesh *mesh, int n, double **values) {
  PetscFunctionBeginUser;
  if (!*values) PetscCall(ink_mesh_fields(mesh, n, values));
  PetscFunctionReturn(0);
}

static void *need(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size);
  if (!memory) abort();
  return memory;
}

/* ---- geometry ---- */

/* Distances and areas along one axis, ghosts included; at walls the areas are 0 and the ghosts' distances 1.
 */
static void make_lines(InkDiffusion *diffusion, int a) {
  const InkMesh *mesh = diffusion->mesh;
  const InkAxis *axis = &mesh->axis[a];
  const int64_t count = mesh->count[a], cells = axis->cells;
  diffusion->to_lower[a] = ink_operator_line(count + 2) + 1;
  diffusion->to_upper[a] = ink_operator_line(count + 2) + 1;
  diffusion->face_area[a] = ink_operator_line(count + 3) + 1;
  diffusion->lower[a] = ink_operator_line(count);
  diffusion->upper[a] = ink_operator_line(count);
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
  const bool equal = axis->uniform && axis->variable != INK_VAR_R;
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

static void make_geometry(InkDiffusion *diffusion) {
  const InkMesh *mesh = diffusion->mesh;
  for (int a = 0; a < 3; a++) make_lines(diffusion, a);
  diffusion->zeros = ink_operator_line(mesh->count[0] + 1);
  diffusion->flow = ink_operator_line(INK_PART);
  diffusion->face_lines = ink_operator_line(5 * (mesh->count[0] + 1));
}

static void free_line(double *values, int shift) {
  if (values) free(values - shift);
}

/* ---- fields ---- */

static InkMean mean_of(const InkCoefficient *k) {
  const uint64_t place =
      (1ull << INK_VAR_X) | (1ull << INK_VAR_Y) | (1ull << INK_VAR_Z) | (1ull << INK_VAR_R);
  if (!k->state) return INK_MEAN_POSITION;
  return k->variables & place ? INK_MEAN_BOTH : INK_MEAN_STATE;
}

static bool make_field(InkDiffusion *diffusion, int s, const InkDiffusionSpec *spec, InkPool *pool,
                       char *message, size_t size) {
  InkOperatorField *field = &diffusion->field[s];
  const InkExpr *const *k = spec->conductivity + (ptrdiff_t)s * spec->n;
  const int n = spec->n;
  const int64_t row = diffusion->mesh->count[0];
  field->mobile = k[s];
  field->weight_dt = NAN;
  field->row_lower = ink_operator_line(row);
  field->row_upper = ink_operator_line(row);
  if (!ink_coefficient_create(&field->k, k[s], n, INK_NOT_NEGATIVE, pool, message, size) ||
      !ink_coefficient_create(&field->c, spec->capacity ? spec->capacity[s] : NULL, n, INK_POSITIVE, pool,
                              message, size))
    return false;
  field->mean = mean_of(&field->k);
  field->cross = need((size_t)n, sizeof *field->cross);
  for (int f = 0; field->mobile && f < n; f++) {
    if (f == s || !k[f]) continue;
    InkCross *cross = &field->cross[field->crosses++];
    cross->of = f;
    if (!ink_coefficient_create(&cross->k, k[f], n, INK_ANY_SIGN, pool, message, size)) return false;
  }
  field->simple = field->mobile && field->k.constant && field->c.constant && field->crosses == 0 &&
                  !diffusion->velocity.any;
  return true;
}

static void free_field(InkOperatorField *field) {
  ink_coefficient_destroy(&field->k);
  ink_coefficient_destroy(&field->c);
  for (int c = 0; c < field->crosses; c++) {
    ink_coefficient_destroy(&field->cross[c].k);
    for (int a = 0; a < 3; a++)
      if (field->cross[c].face[a]) ink_mesh_free(&field->cross[c].face[a]);
  }
  free(field->cross);
  for (int a = 0; a < 3; a++) {
    for (int end = 0; end < 2; end++) {
      if (field->near_k[a][end]) ink_mesh_free(&field->near_k[a][end]);
      if (field->near_slope[a][end]) ink_mesh_free(&field->near_slope[a][end]);
    }
    if (field->backward[a] == field->forward[a]) field->backward[a] = NULL;
    if (field->backward[a]) ink_mesh_free(&field->backward[a]);
    if (field->forward[a]) ink_mesh_free(&field->forward[a]);
  }
  if (field->mass) ink_mesh_free(&field->mass);
  free(field->row_lower);
  free(field->row_upper);
}

static bool make_velocity(InkDiffusion *diffusion, const InkDiffusionSpec *spec, char *message, size_t size) {
  InkVelocity *velocity = &diffusion->velocity;
  for (int a = 0; a < diffusion->mesh->dim; a++) {
    if (!spec->velocity[a]) continue;
    velocity->any = true;
    velocity->variables |= ink_expr_variables(spec->velocity[a]);
    velocity->program[a] = ink_program_create(1, &spec->velocity[a], INK_ROW_UNIFORM, message, size);
    if (!velocity->program[a]) return false;
  }
  velocity->moving = velocity->variables & (1ull << INK_VAR_T);
  return true;
}

/* ---- sides ---- */

static bool all_closed(const InkSideParts *parts, int n) {
  for (int s = 0; s < n; s++)
    for (int p = 0; p < parts[s].count; p++)
      if (parts[s].data[p].type != INK_SIDE_CLOSED) return false;
  return true;
}

static bool make_sides(InkDiffusion *diffusion, const InkDiffusionSpec *spec, InkPool *pool, char *message,
                       size_t size) {
  const int n = spec->n;
  bool good = true;
  /* Nothing carries an immobile field: neither gradients of others nor sides. */
  const InkExpr **k = need((size_t)(n * n), sizeof *k);
  InkSideParts *parts = need((size_t)n, sizeof *parts);
  for (int s = 0; s < n; s++)
    for (int f = 0; f < n; f++)
      k[s * n + f] = diffusion->field[s].mobile ? spec->conductivity[s * n + f] : NULL;
  for (int side = 0; good && side < INK_SIDES; side++) {
    for (int s = 0; s < n; s++)
      parts[s] = spec->side[side] && diffusion->field[s].mobile ? spec->side[side][s] : (InkSideParts){0};
    /* What is carried towards a closed side heaps up at it: its surface value differs from the cell's. */
    const bool carried = spec->velocity[side / 2] != NULL;
    diffusion->open[side] = !all_closed(parts, n);
    if (!ink_side_exists(diffusion->mesh, side) || (!diffusion->open[side] && !carried)) continue;
    const InkClosureSpec closure = {
        .n = n, .conductivity = k, .velocity = spec->velocity[side / 2], .parts = parts};
    diffusion->closure[side] = ink_closure_create(diffusion->mesh, side, &closure, pool, message, size);
    good = diffusion->closure[side] != NULL;
    if (good) diffusion->inflow[side] = ink_operator_line(n * diffusion->closure[side]->count + 1);
  }
  free(k);
  free(parts);
  return good;
}

/* ---- the operator ---- */

static bool make_parts(InkDiffusion *diffusion, InkPool *pool, const InkDiffusionSpec *spec, char *message,
                       size_t size) {
  const InkExpr *none[INK_MAX_FIELDS] = {NULL};
  if (!make_velocity(diffusion, spec, message, size)) return false;
  for (int s = 0; s < spec->n; s++) {
    char why[256] = "";
    if (make_field(diffusion, s, spec, pool, why, sizeof why)) continue;
    (void)snprintf(message, size, "%s: %s", spec->field[s], why);
    return false;
  }
  return ink_reactions_create(diffusion, spec->source ? spec->source : none, pool, message, size) &&
         make_sides(diffusion, spec, pool, message, size);
}

PetscErrorCode ink_diffusion_create(const InkMesh *mesh, InkPool *pool, const InkDiffusionSpec *spec,
                                    InkDiffusion **out, InkFailure *failure) {
  PetscFunctionBeginUser;
  char message[512] = "";
  const size_t n = (size_t)spec->n;
  InkDiffusion *diffusion = need(1, sizeof *diffusion);
  diffusion->mesh = mesh;
  diffusion->n = spec->n;
  diffusion->name = spec->field;
  diffusion->budget = spec->budget;
  diffusion->field = need(n, sizeof *diffusion->field);
  diffusion->coupling = need(n * n, sizeof *diffusion->coupling);
  diffusion->sourced = need(n, sizeof *diffusion->sourced);
  diffusion->start_content = need(n, sizeof(double));
  diffusion->start_scale = need(n, sizeof(double));
  diffusion->transform = need(n, sizeof *diffusion->transform);
  diffusion->transform_of = need(n, sizeof(int));
  make_geometry(diffusion);
  *out = diffusion;
  if (!make_parts(diffusion, pool, spec, message, sizeof message)) {
    ink_fail(failure, INK_USAGE, "%s", message);
    PetscCall(ink_diffusion_destroy(out));
    PetscFunctionReturn(0);
  }
  ink_operator_couple(diffusion);
  PetscFunctionReturn(0);
}

static void free_lines(InkDiffusion *diffusion) {
  for (int a = 0; a < 3; a++) {
    free_line(diffusion->to_lower[a], 1);
    free_line(diffusion->to_upper[a], 1);
    free_line(diffusion->face_area[a], 1);
    free(diffusion->lower[a]);
    free(diffusion->upper[a]);
    if (diffusion->velocity.program[a]) ink_program_destroy(&diffusion->velocity.program[a]);
    if (diffusion->velocity.face[a]) ink_mesh_free(&diffusion->velocity.face[a]);
  }
  free(diffusion->zeros);
  free(diffusion->flow);
  free(diffusion->face_lines);
}

PetscErrorCode ink_diffusion_destroy(InkDiffusion **out) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = *out;
  if (!diffusion) PetscFunctionReturn(0);
  for (int s = 0; s < diffusion->n; s++) {
    free_field(&diffusion->field[s]);
    if (diffusion->sourced[s]) ink_mesh_free(&diffusion->sourced[s]);
  }
  ink_reactions_destroy(&diffusion->reactions, diffusion->n);
  for (int side = 0; side < INK_SIDES; side++) {
    ink_closure_destroy(&diffusion->closure[side]);
    free(diffusion->inflow[side]);
  }
  free_lines(diffusion);
  for (int i = 0; i < diffusion->transforms; i++) PetscCall(ink_transform_destroy(&diffusion->transform[i]));
  if (diffusion->work) ink_mesh_free(&diffusion->work);
  if (diffusion->start_state) ink_mesh_free(&diffusion->start_state);
  free(diffusion->field);
  free(diffusion->coupling);
  free(diffusion->sourced);
  free(diffusion->start_content);
  free(diffusion->start_scale);
  free(diffusion->transform);
  free(diffusion->transform_of);
  free(diffusion);
  *out = NULL;
  PetscFunctionReturn(0);
}
