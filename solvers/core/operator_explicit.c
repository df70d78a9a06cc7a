/* The explicit step of the operator, forward Euler
 *
 *     next_i = u_i + dt / (V c) [ sum_faces flow + V R + sum_sides A q ],
 *
 * added in that order. The rows are done in parts: the reactions of all fields of a part, then each field's
 * fluxes and sum while they are in the cache. */
#include "operator_impl.h"

/* Arrays of more doubles than this are streamed past the caches (8 MiB each, of two). */
static const int64_t STREAMED = 1 << 20;

/* Weights of axis 0 for this dt; kept until dt changes. */
static void set_weights(const InkDiffusion *diffusion, InkOperatorField *field, double dt) {
  if (dt == field->weight_dt) return;
  const double factor = dt * (field->k.number / field->c.number);
  for (int64_t i = 0; i < diffusion->mesh->count[0]; i++) {
    field->row_lower[i] = factor * diffusion->lower[0][i];
    field->row_upper[i] = factor * diffusion->upper[0][i];
  }
  field->weight_dt = dt;
}

static bool streams(const InkDiffusion *diffusion) { return diffusion->n * diffusion->mesh->size > STREAMED; }

static void step_simple(const InkDiffusion *diffusion, int s, const InkPart *part, double dt, const double *u,
                        double *next) {
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const InkRowShape shape = {mesh->dim, part->n, {1, mesh->stride[1], mesh->stride[2]}};
  const double factor = dt * (field->k.number / field->c.number);
  InkRowWeights weights = {.lower = field->row_lower + part->at[0],
                           .upper = field->row_upper + part->at[0],
                           .uniform = mesh->axis[0].uniform && mesh->axis[0].variable != INK_VAR_R,
                           .stream = streams(diffusion),
                           .source = diffusion->reactions.now[s],
                           .factor = dt / field->c.number};
  for (int a = 1; a < mesh->dim; a++) {
    weights.below[a] = factor * diffusion->lower[a][part->at[a]];
    weights.above[a] = factor * diffusion->upper[a][part->at[a]];
  }
  ink_row_update(&shape, &weights, u, next);
}

/* A field of any coefficients. */
static void step_carried(const InkDiffusion *diffusion, int s, const InkPart *part, double dt,
                         const double *u, double *next) {
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const int64_t first = s * mesh->size + part->cell;
  const InkRowChange change = {.dt = dt,
                               .mass = field->mass + part->cell,
                               .source = diffusion->reactions.now[s],
                               .capacity = field->c.constant ? NULL : field->c.values + part->cell,
                               .factor = dt / field->c.number,
                               .stream = streams(diffusion)};
  if (diffusion->velocity.any || field->crosses > 0) {
    ink_operator_flow(diffusion, s, part, u);
    ink_row_advance(part->n, &change, diffusion->flow, u + first, next + first);
    return;
  }
  const InkRowShape shape = {mesh->dim, part->n, {1, mesh->stride[1], mesh->stride[2]}};
  const double *face[3] = {NULL};
  for (int a = 0; a < mesh->dim; a++) face[a] = field->forward[a] + part->cell;
  ink_row_flow_advance(&shape, face, &change, u + first, next + first);
}

static void step_immobile(const InkDiffusion *diffusion, int s, const InkPart *part, double dt,
                          const double *u, double *next) {
  const InkCoefficient *c = &diffusion->field[s].c;
  const double *r = diffusion->reactions.now[s], factor = dt / c->number;
  for (int64_t i = 0; i < part->n; i++) {
    const double change = !r ? 0.0 : c->constant ? factor * r[i] : dt * r[i] / c->values[part->cell + i];
    next[i] = u[i] + change;
  }
}

static void step_field(const InkDiffusion *diffusion, int s, const InkPart *part, double dt, const double *u,
                       double *next) {
  const InkOperatorField *field = &diffusion->field[s];
  const int64_t first = s * diffusion->mesh->size + part->cell;
  if (field->simple)
    step_simple(diffusion, s, part, dt, u + first, next + first);
  else if (field->mobile)
    step_carried(diffusion, s, part, dt, u, next);
  else
    step_immobile(diffusion, s, part, dt, u + first, next + first);
}

static void add_closures(InkDiffusion *diffusion, double t, double dt, const double *u, double *next) {
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int s = 0; s < diffusion->n; s++) {
      const double *inflow = closure->inflow + s * closure->count;
      double *to = next + s * diffusion->mesh->size;
      for (int64_t n = 0; n < closure->count; n++) {
        const int64_t cell = closure->cell[n];
        to[cell] += dt * (closure->area[n] * inflow[n]) / ink_operator_side_mass(diffusion, s, side, n, cell);
      }
    }
  }
}

/* The cells above a part are what its fluxes read for the first time: they come in while the reactions are
 * computed. */
static void fetch(const InkDiffusion *diffusion, const InkPart *part, const double *u) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t above = part->cell + ink_step(mesh, mesh->dim - 1);
  for (int s = 0; s < diffusion->n; s++)
    if (diffusion->field[s].mobile) ink_row_fetch(part->n, u + s * mesh->size + above);
}

static PetscErrorCode prepare(InkDiffusion *diffusion, double t, double dt, double *u) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_exchange_fields(diffusion->mesh, diffusion->n, u));
  PetscCall(ink_reactions_prepare(diffusion));
  PetscCall(ink_operator_keep_sources(diffusion));
  for (int s = 0; s < diffusion->n; s++) {
    InkOperatorField *field = &diffusion->field[s];
    if (field->simple) {
      set_weights(diffusion, field, dt);
      continue;
    }
    PetscCall(ink_operator_faces(diffusion, s, false, t, u));
    PetscCall(ink_operator_mass(diffusion, s, t, u));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_explicit_step(void *context, double t, double dt, bool taken, double *u,
                                          double *next) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  const bool reacts = diffusion->reactions.fixed > 0 || diffusion->reactions.moved > 0;
  const bool fetches = streams(diffusion) && diffusion->reactions.moved > 0;
  PetscCall(prepare(diffusion, t, dt, u));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    if (fetches) fetch(diffusion, &part, u);
    if (reacts) ink_reactions_part(diffusion, t, u, &part);
    for (int s = 0; s < diffusion->n; s++) step_field(diffusion, s, &part, dt, u, next);
    if (reacts && taken) ink_operator_accumulate_part(diffusion, dt, &part);
  }
  if (streams(diffusion)) ink_row_stream_end();
  add_closures(diffusion, t, dt, u, next);
  if (taken) ink_operator_accumulate_sides(diffusion, dt);
  PetscFunctionReturn(0);
}
