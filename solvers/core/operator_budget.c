/* The budget of the operator: what came in through the sides and from the source since the start, against the
 * change of content, for each field
 *
 *     change of sum_i V h_i  =  sum over steps and stages of weight * ( sum_sides A q + sum_i V R ),
 *
 * h = c u, or the enthalpy int c du from the start's state where c depends on the fields (along the straight
 * line to the state where it depends on several). Steps add to arrays, cell by cell; sums over cells are
 * exact and taken only when asked for. */
#include "operator_impl.h"
#include <math.h>

/* ---- accumulation ---- */

/* Is the field's source kept cell by cell? */
static bool keeps(const InkDiffusion *diffusion, int s) {
  return diffusion->budget && diffusion->reactions.moving[s];
}

PetscErrorCode ink_operator_keep_sources(InkDiffusion *diffusion) {
  PetscFunctionBeginUser;
  for (int s = 0; s < diffusion->n; s++)
    if (keeps(diffusion, s)) PetscCall(ink_operator_need(diffusion->mesh, 1, &diffusion->sourced[s]));
  PetscFunctionReturn(0);
}

void ink_operator_accumulate_sides(InkDiffusion *diffusion, double weight) {
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    for (int s = 0; closure && s < diffusion->n; s++) {
      const double *from = closure->inflow + s * closure->count;
      double *inflow = diffusion->inflow[side] + s * closure->count;
      for (int64_t i = 0; i < closure->count; i++) inflow[i] += weight * (closure->area[i] * from[i]);
    }
  }
  /* A static source is the same each time: only its weight grows. */
  if (diffusion->reactions.fixed > 0) diffusion->source_weight += weight;
}

void ink_operator_accumulate_part(InkDiffusion *diffusion, double weight, const InkPart *part) {
  const InkMesh *mesh = diffusion->mesh;
  for (int s = 0; s < diffusion->n; s++) {
    if (!keeps(diffusion, s)) continue;
    ink_part_add(mesh, part, weight, diffusion->reactions.now[s], diffusion->sourced[s] + part->cell);
  }
}

PetscErrorCode ink_operator_accumulate(void *context, double weight, double t, double *u) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  for (int side = 0; side < INK_SIDES; side++)
    if (diffusion->closure[side]) ink_closure_evaluate(diffusion->closure[side], t, u);
  ink_operator_accumulate_sides(diffusion, weight);
  if (!diffusion->budget || diffusion->reactions.moved == 0) PetscFunctionReturn(0);
  PetscCall(ink_reactions_prepare(diffusion));
  PetscCall(ink_operator_keep_sources(diffusion));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_part(diffusion, t, u, &part);
    ink_operator_accumulate_part(diffusion, weight, &part);
  }
  PetscFunctionReturn(0);
}

/* ---- sides ---- */

PetscErrorCode ink_diffusion_flux(InkDiffusion *diffusion, int side, int field, double t, const double *u,
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
  for (int64_t i = 0; closure && i < closure->count; i++)
    ink_sum_add_product(&sum, closure->area[i], -closure->inflow[field * closure->count + i]);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, outward));
  PetscFunctionReturn(0);
}

void ink_diffusion_surfaces(InkDiffusion *diffusion, int field, double t, const double *u,
                            const double *side_value[INK_SIDES]) {
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    side_value[side] = NULL;
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    side_value[side] = closure->surface + field * closure->count;
  }
}

/* ---- content ---- */

bool ink_diffusion_has_content(const InkDiffusion *diffusion, int field) {
  return !(diffusion->field[field].c.variables & (1ull << INK_VAR_T));
}

/* sum V c u and sum |V c u|. */
static PetscErrorCode content_of(InkDiffusion *diffusion, int s, double t, const double *u, double value[2]) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkCoefficient *c = &diffusion->field[s].c;
  const double *own = u + s * mesh->size;
  if (!c->constant) PetscCall(ink_coefficient_update(diffusion, c, false, t, u));
  InkSum sum[2];
  ink_sum_clear(&sum[0]);
  ink_sum_clear(&sum[1]);
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n; i++) {
      const int64_t cell = part.cell + i;
      const double mass = ink_mesh_volume(mesh, part.at[0] + i, part.at[1], part.at[2]) *
                          (c->constant ? c->number : c->values[cell]);
      ink_sum_add_product(&sum[0], mass, own[cell]);
      ink_sum_add_product(&sum[1], fabs(mass), fabs(own[cell]));
    }
  PetscCall(ink_sum_reduce(mesh->comm, 2, sum, value));
  PetscFunctionReturn(0);
}

static void add_enthalpy(const InkDiffusion *diffusion, int s, double weight, const double *u, InkSum *sum) {
  const InkMesh *mesh = diffusion->mesh;
  const double *start = diffusion->start_state + s * mesh->size, *own = u + s * mesh->size;
  const double *c = diffusion->field[s].c.values;
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n; i++) {
      const int64_t cell = part.cell + i;
      const double mass = ink_mesh_volume(mesh, part.at[0] + i, part.at[1], part.at[2]) * c[cell];
      ink_sum_add_product(sum, weight * mass, own[cell] - start[cell]);
    }
}

/* sum V int_{start}^{u} c du, by Gauss-Legendre quadrature with eight points. */
static PetscErrorCode enthalpy_change(InkDiffusion *diffusion, int s, double t, const double *u,
                                      double *change) {
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
  PetscCall(ink_mesh_fields(mesh, diffusion->n, &between));
  for (int p = 0; p < 8; p++) {
    const double x = 0.5 + (p % 2 ? 0.5 : -0.5) * point[p / 2];
    for (int64_t i = 0; i < diffusion->n * mesh->size; i++) between[i] = start[i] + x * (u[i] - start[i]);
    PetscCall(ink_coefficient_update(diffusion, &diffusion->field[s].c, false, t, between));
    add_enthalpy(diffusion, s, 0.5 * weight[p / 2], u, &sum);
  }
  ink_mesh_free(&between);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, change));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_budget_start(InkDiffusion *diffusion, double t, const double *u) {
  PetscFunctionBeginUser;
  bool state = false;
  for (int s = 0; s < diffusion->n; s++) {
    double content[2];
    PetscCall(content_of(diffusion, s, t, u, content));
    diffusion->start_content[s] = content[0];
    diffusion->start_scale[s] = content[1];
    state = state || diffusion->field[s].c.state;
  }
  if (state) {
    PetscCall(ink_operator_need(diffusion->mesh, diffusion->n, &diffusion->start_state));
    PetscCall(PetscArraycpy(diffusion->start_state, u, (size_t)(diffusion->n * diffusion->mesh->size)));
  }
  PetscFunctionReturn(0);
}

/* ---- sums ---- */

/* sum over cells of V R, of a part of which R was evaluated last. */
static void add_sources(const InkDiffusion *diffusion, int s, const InkPart *part, InkSum *sum) {
  const double *r = diffusion->reactions.now[s];
  for (int64_t i = 0; r && i < part->n; i++)
    ink_sum_add_product(sum, ink_mesh_volume(diffusion->mesh, part->at[0] + i, part->at[1], part->at[2]),
                        r[i]);
}

/* The rate of a field's source over the domain. */
static PetscErrorCode source_rate(InkDiffusion *diffusion, int s, double t, const double *u, double *value) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkSum sum;
  ink_sum_clear(&sum);
  *value = 0.0;
  if (!diffusion->reactions.given[s]) PetscFunctionReturn(0);
  PetscCall(ink_reactions_prepare(diffusion));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_part(diffusion, t, u, &part);
    add_sources(diffusion, s, &part, &sum);
  }
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, value));
  PetscFunctionReturn(0);
}

/* What a field's source has given since the start; NaN when it was not kept. */
static PetscErrorCode source_sum(InkDiffusion *diffusion, int s, double t, const double *u, double *value) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const double *sourced = diffusion->sourced[s];
  if (!diffusion->reactions.moving[s]) {
    PetscCall(source_rate(diffusion, s, t, u, value));
    *value *= diffusion->source_weight;
    PetscFunctionReturn(0);
  }
  *value = NAN;
  if (!diffusion->budget) PetscFunctionReturn(0);
  InkSum sum;
  ink_sum_clear(&sum);
  for (InkPart part = ink_part_first(mesh); sourced && part.n > 0; ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n; i++) ink_sum_add(&sum, sourced[part.cell + i]);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, value));
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

PetscErrorCode ink_diffusion_budget(InkDiffusion *diffusion, int s, double t, const double *u,
                                    InkBudget *budget) {
  PetscFunctionBeginUser;
  double content[2];
  InkSum sum[INK_SIDES];
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    ink_sum_clear(&sum[side]);
    if (closure) ink_sum_add_array(&sum[side], closure->count, diffusion->inflow[side] + s * closure->count);
  }
  PetscCall(ink_sum_reduce(diffusion->mesh->comm, INK_SIDES, sum, budget->inflow));
  PetscCall(source_sum(diffusion, s, t, u, &budget->source));
  PetscCall(content_of(diffusion, s, t, u, content));
  budget->change = content[0] - diffusion->start_content[s];
  budget->scale = fmax(content[1], diffusion->start_scale[s]);
  if (diffusion->field[s].c.state) PetscCall(enthalpy_change(diffusion, s, t, u, &budget->change));
  close_budget(budget);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_steady_budget(InkDiffusion *diffusion, int s, double t, const double *u,
                                           InkBudget *budget) {
  PetscFunctionBeginUser;
  *budget = (InkBudget){0};
  for (int side = 0; side < INK_SIDES; side++) {
    double outward = 0.0, area;
    if (diffusion->closure[side]) PetscCall(ink_diffusion_flux(diffusion, side, s, t, u, &outward, &area));
    budget->inflow[side] = -outward;
  }
  PetscCall(source_rate(diffusion, s, t, u, &budget->source));
  close_budget(budget);
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

/* "/state/budget/fields/FIELD" or "/state/budget/fields/FIELD/what" */
static PetscErrorCode budget_path(const InkDiffusion *diffusion, int s, const char *what, char path[256]) {
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, 256, "/state/budget/fields/%s%s%s", diffusion->name[s], what ? "/" : "",
                          what ? what : ""));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_save(const InkDiffusion *diffusion, InkStore *store) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  char path[256];
  InkBox box;
  const double weight[1] = {diffusion->source_weight};
  PetscCall(ink_store_group(store, "/state/budget"));
  PetscCall(ink_store_group(store, "/state/budget/fields"));
  PetscCall(ink_store_write_numbers(store, "/state/budget/source_weight", 1, weight));
  for (int s = 0; s < diffusion->n; s++) {
    PetscCall(budget_path(diffusion, s, NULL, path));
    PetscCall(ink_store_group(store, path));
    for (int side = 0; side < INK_SIDES; side++) {
      const InkClosure *closure = diffusion->closure[side];
      if (!closure) continue;
      ink_side_box(mesh, side, &box);
      PetscCall(budget_path(diffusion, s, ink_side_name(mesh, side), path));
      PetscCall(ink_store_write(store, path, &box, diffusion->inflow[side] + s * closure->count, false, 0));
    }
    if (!diffusion->sourced[s]) continue;
    ink_mesh_box(mesh, &box);
    PetscCall(budget_path(diffusion, s, "source", path));
    PetscCall(ink_store_write(store, path, &box, diffusion->sourced[s] + mesh->origin, false, 0));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_diffusion_load(InkDiffusion *diffusion, InkStore *store) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  char path[256];
  InkBox box;
  PetscCall(ink_store_read_numbers(store, "/state/budget/source_weight", 1, &diffusion->source_weight));
  PetscCall(ink_operator_keep_sources(diffusion));
  for (int s = 0; s < diffusion->n; s++) {
    for (int side = 0; side < INK_SIDES; side++) {
      const InkClosure *closure = diffusion->closure[side];
      if (!closure) continue;
      ink_side_box(mesh, side, &box);
      PetscCall(budget_path(diffusion, s, ink_side_name(mesh, side), path));
      PetscCall(ink_store_read(store, path, &box, diffusion->inflow[side] + s * closure->count));
    }
    PetscCall(budget_path(diffusion, s, "source", path));
    if (!diffusion->sourced[s] || !ink_store_has(store, path)) continue;
    ink_mesh_box(mesh, &box);
    PetscCall(ink_store_read(store, path, &box, diffusion->sourced[s] + mesh->origin));
  }
  PetscFunctionReturn(0);
}
