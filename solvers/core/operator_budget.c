/* The budget of the diffusion operator: what came in through the sides and from the source since the start,
 * against the change of content,
 *
 *     change of sum_i V h_i  =  sum over steps and stages of weight * ( sum_sides A q + sum_i V s ),
 *
 * h = c u, or the enthalpy int c du from the start's state where c depends on u. Steps add to arrays, cell by
 * cell; sums over cells are exact and taken only when asked for. */
#include "operator_impl.h"
#include <math.h>

/* ---- accumulation ---- */

PetscErrorCode ink_operator_accumulate_evaluated(InkDiffusion *diffusion, double weight) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    double *inflow = diffusion->inflow[side];
    for (int64_t n = 0; n < closure->count; n++)
      inflow[n] += weight * (closure->area[n] * closure->inflow[n]);
  }
  if (!diffusion->s.value) PetscFunctionReturn(0);
  if (!diffusion->s.moving) { /* the array is the same each time: only its weight grows */
    diffusion->source_weight += weight;
    PetscFunctionReturn(0);
  }
  if (!diffusion->sourced) PetscCall(ink_mesh_array(mesh, &diffusion->sourced));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        diffusion->sourced[cell] += weight * (ink_mesh_volume(mesh, i, j, k) * diffusion->s.values[cell]);
      }
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate_inflows(InkDiffusion *diffusion, double t, const double *u) {
  PetscFunctionBeginUser;
  for (int side = 0; side < INK_SIDES; side++)
    if (diffusion->closure[side]) ink_closure_evaluate(diffusion->closure[side], t, u);
  if (diffusion->s.value) PetscCall(ink_coefficient_update(diffusion->mesh, &diffusion->s, false, t, u));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_accumulate(void *context, double weight, double t, double *u) {
  PetscFunctionBeginUser;
  PetscCall(evaluate_inflows(context, t, u));
  PetscCall(ink_operator_accumulate_evaluated(context, weight));
  PetscFunctionReturn(0);
}

/* ---- sides ---- */

PetscErrorCode ink_diffusion_flux(InkDiffusion *diffusion, int side, double t, const double *u,
                                  double *outward, double *area) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkClosure *closure = diffusion->closure[side];
  const int normal = side / 2;
  InkSum sum;
  ink_sum_clear(&sum);
  *area = mesh->axis[normal].area[side % 2 ? mesh->axis[normal].cells : 0];
  for (int a = 0; a < 3; a++) {
    if (a == normal) continue;
    InkSum width; /* the side's area is a product of sums over whole axes: every rank has them */
    ink_sum_clear(&width);
    ink_sum_add_array(&width, mesh->axis[a].cells, mesh->axis[a].volume);
    *area *= ink_sum_round(&width);
  }
  if (closure) ink_closure_evaluate(closure, t, u);
  for (int64_t n = 0; closure && n < closure->count; n++)
    ink_sum_add_product(&sum, closure->area[n], -closure->inflow[n]);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, outward));
  PetscFunctionReturn(0);
}

void ink_diffusion_surfaces(InkDiffusion *diffusion, double t, const double *u,
                            const double *side_value[INK_SIDES]) {
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    side_value[side] = NULL;
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    side_value[side] = closure->surface;
  }
}

/* ---- content ---- */

bool ink_diffusion_has_content(const InkDiffusion *diffusion) {
  return !(diffusion->c.variables & (1ull << INK_VAR_T));
}

/* sum V c u and sum |V c u|. */
static PetscErrorCode content_of(InkDiffusion *diffusion, double t, const double *u, double value[2]) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const InkCoefficient *c = &diffusion->c;
  if (!c->constant) PetscCall(ink_coefficient_update(mesh, &diffusion->c, false, t, u));
  InkSum sum[2];
  ink_sum_clear(&sum[0]);
  ink_sum_clear(&sum[1]);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        const double mass = ink_mesh_volume(mesh, i, j, k) * (c->constant ? c->number : c->values[cell]);
        ink_sum_add_product(&sum[0], mass, u[cell]);
        ink_sum_add_product(&sum[1], fabs(mass), fabs(u[cell]));
      }
  PetscCall(ink_sum_reduce(mesh->comm, 2, sum, value));
  PetscFunctionReturn(0);
}

/* sum V int_{start}^{u} c du, by Gauss-Legendre quadrature with eight points. */
static PetscErrorCode enthalpy_change(InkDiffusion *diffusion, double t, const double *u, double *change) {
  static const double point[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                  0.9602898564975363};
  static const double weight[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                   0.1012285362903763};
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const double *start = diffusion->start_state;
  double *between;
  InkSum sum;
  ink_sum_clear(&sum);
  PetscCall(ink_mesh_array(mesh, &between));
  for (int p = 0; p < 8; p++) {
    const double x = 0.5 + (p % 2 ? 0.5 : -0.5) * point[p / 2];
    for (int64_t n = 0; n < mesh->size; n++) between[n] = start[n] + x * (u[n] - start[n]);
    PetscCall(ink_coefficient_update(mesh, &diffusion->c, false, t, between));
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t cell = ink_cell(mesh, i, j, k);
          const double mass = ink_mesh_volume(mesh, i, j, k) * diffusion->c.values[cell];
          ink_sum_add_product(&sum, 0.5 * weight[p / 2] * mass, u[cell] - start[cell]);
        }
  }
  ink_mesh_free(&between);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, change));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_budget_start(InkDiffusion *diffusion, double t, const double *u) {
  PetscFunctionBeginUser;
  double content[2];
  PetscCall(content_of(diffusion, t, u, content));
  diffusion->start_content = content[0];
  diffusion->start_scale = content[1];
  if (diffusion->c.state) {
    if (!diffusion->start_state) PetscCall(ink_mesh_array(diffusion->mesh, &diffusion->start_state));
    PetscCall(PetscArraycpy(diffusion->start_state, u, (size_t)diffusion->mesh->size));
  }
  PetscFunctionReturn(0);
}

/* ---- sums ---- */

/* sum over cells of the source, accumulated (or of the static source times its weight). */
static PetscErrorCode source_sum(InkDiffusion *diffusion, bool rate, double t, const double *u,
                                 double *value) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  *value = 0.0;
  if (!diffusion->s.value) PetscFunctionReturn(0);
  const bool values = rate || !diffusion->s.moving;
  if (values) PetscCall(ink_coefficient_update(mesh, &diffusion->s, false, t, u));
  InkSum sum;
  ink_sum_clear(&sum);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        if (values)
          ink_sum_add_product(&sum, ink_mesh_volume(mesh, i, j, k), diffusion->s.values[cell]);
        else if (diffusion->sourced)
          ink_sum_add(&sum, diffusion->sourced[cell]);
      }
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, value));
  if (!rate && values) *value *= diffusion->source_weight;
  PetscFunctionReturn(0);
}

static void close_budget(InkBudget *budget) {
  double gain = budget->source;
  budget->scale = fmax(budget->scale, fabs(budget->source));
  for (int side = 0; side < INK_SIDES; side++) {
    gain += budget->inflow[side];
    budget->scale = fmax(budget->scale, fabs(budget->inflow[side]));
  }
  budget->balance = budget->scale > 0.0 ? (budget->change - gain) / budget->scale : 0.0;
}

PetscErrorCode ink_diffusion_budget(InkDiffusion *diffusion, double t, const double *u, InkBudget *budget) {
  PetscFunctionBeginUser;
  double content[2];
  InkSum sum[INK_SIDES];
  for (int side = 0; side < INK_SIDES; side++) {
    ink_sum_clear(&sum[side]);
    if (diffusion->closure[side])
      ink_sum_add_array(&sum[side], diffusion->closure[side]->count, diffusion->inflow[side]);
  }
  PetscCall(ink_sum_reduce(diffusion->mesh->comm, INK_SIDES, sum, budget->inflow));
  PetscCall(source_sum(diffusion, false, t, u, &budget->source));
  PetscCall(content_of(diffusion, t, u, content));
  budget->change = content[0] - diffusion->start_content;
  budget->scale = fmax(content[1], diffusion->start_scale);
  if (diffusion->c.state) PetscCall(enthalpy_change(diffusion, t, u, &budget->change));
  close_budget(budget);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_steady_budget(InkDiffusion *diffusion, double t, const double *u,
                                           InkBudget *budget) {
  PetscFunctionBeginUser;
  *budget = (InkBudget){0};
  for (int side = 0; side < INK_SIDES; side++) {
    double outward = 0.0, area;
    if (diffusion->closure[side]) PetscCall(ink_diffusion_flux(diffusion, side, t, u, &outward, &area));
    budget->inflow[side] = -outward;
  }
  PetscCall(source_sum(diffusion, true, t, u, &budget->source));
  close_budget(budget);
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

static PetscErrorCode side_path(const InkDiffusion *diffusion, int side, char path[64]) {
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, 64, "/state/budget/%s", ink_side_name(diffusion->mesh, side)));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_save(const InkDiffusion *diffusion, InkStore *store) {
  PetscFunctionBeginUser;
  char path[64];
  InkBox box;
  const double weight[1] = {diffusion->source_weight};
  PetscCall(ink_store_group(store, "/state/budget"));
  PetscCall(ink_store_write_numbers(store, "/state/budget/source_weight", 1, weight));
  for (int side = 0; side < INK_SIDES; side++) {
    if (!diffusion->closure[side]) continue;
    ink_side_box(diffusion->mesh, side, &box);
    PetscCall(side_path(diffusion, side, path));
    PetscCall(ink_store_write(store, path, &box, diffusion->inflow[side], false, 0));
  }
  if (diffusion->sourced) {
    ink_mesh_box(diffusion->mesh, &box);
    PetscCall(ink_store_write(store, "/state/budget/source", &box,
                              diffusion->sourced + diffusion->mesh->origin, false, 0));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_load(InkDiffusion *diffusion, InkStore *store) {
  PetscFunctionBeginUser;
  char path[64];
  InkBox box;
  PetscCall(ink_store_read_numbers(store, "/state/budget/source_weight", 1, &diffusion->source_weight));
  for (int side = 0; side < INK_SIDES; side++) {
    if (!diffusion->closure[side]) continue;
    ink_side_box(diffusion->mesh, side, &box);
    PetscCall(side_path(diffusion, side, path));
    PetscCall(ink_store_read(store, path, &box, diffusion->inflow[side]));
  }
  if (ink_store_has(store, "/state/budget/source")) {
    if (!diffusion->sourced) PetscCall(ink_mesh_array(diffusion->mesh, &diffusion->sourced));
    ink_mesh_box(diffusion->mesh, &box);
    PetscCall(
        ink_store_read(store, "/state/budget/source", &box, diffusion->sourced + diffusion->mesh->origin));
  }
  PetscFunctionReturn(0);
}
