/* Explicit step limits. The new value is a weighted mean of old values and boundary data while
 *
 *     dt [ sum_faces (what leaves a cell per u) - sum_sides A dq_s/du_s - V min(0, dR_s/du_s) ] <= V c
 *
 * in every cell and for every field (Gershgorin). The magnitudes of what the gradients of other fields carry
 * count as well: the new values are then no means any more, but no error grows (row sums of the whole
 * matrix). Reactions with other fields are not bounded: they may carry a value out of the range of the old
 * ones. */
#include "operator_impl.h"
#include <math.h>

/* The larger one; NaN when either is. */
static double larger(double a, double b) { return isnan(a) || a > b ? a : b; }

/* ---- constant coefficients, no reaction of its own ---- */

/* The largest coupling of each axis, walls' closures included; their sum is the largest of the sums, as every
 * combination of rows occurs. */
static PetscErrorCode simple_rate(const InkDiffusion *diffusion, int s, double *rate) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const double diffusivity = field->k.number / field->c.number;
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
        const double *slopes = closure->slope + (s * diffusion->n + s) * closure->count;
        double slope = 0.0;
        for (int64_t n = 0; n < closure->count; n++) slope = larger(-slopes[n], slope);
        sum += slope * area / field->c.number;
      }
      largest = larger(sum, largest);
    }
    PetscCall(ink_reduce_max(mesh->comm, &largest));
    *rate += largest;
  }
  PetscFunctionReturn(0);
}

/* ---- any coefficients ---- */

static const double *own_slope(const InkReactions *reactions, int s) {
  for (int m = 0; m < reactions->own; m++)
    if (reactions->own_of[m] == s) return reactions->buffer + (ptrdiff_t)m * INK_PART;
  return NULL;
}

/* Must the field's bound be looked for cell by cell? */
static bool needs_cells(const InkDiffusion *diffusion, int s) {
  return !diffusion->field[s].simple || own_slope(&diffusion->reactions, s);
}

static void add_side(const InkDiffusion *diffusion, const InkClosure *closure, int s, const double *slope,
                     double *rates) {
  for (int64_t i = 0; i < closure->count; i++) {
    const int64_t cell = closure->cell[i];
    rates[cell] += larger(-slope[i] * closure->area[i], 0.0) /
                   ink_operator_side_mass(diffusion, s, closure->side, i, cell);
  }
}

/* What the sides take out of each cell, into diffusion->work (n fields). False: nothing. */
static PetscErrorCode side_rates(InkDiffusion *diffusion, bool *some) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const int n = diffusion->n;
  *some = false;
  for (int side = 0; side < INK_SIDES; side++)
    for (int s = 0; diffusion->closure[side] && s < n; s++)
      *some = *some || diffusion->closure[side]->coupled[s * n + s];
  if (!*some) PetscFunctionReturn(0);
  PetscCall(ink_operator_need(mesh, n, &diffusion->work)); /* n, whoever needs it */
  for (int64_t cell = 0; cell < n * mesh->size; cell++) diffusion->work[cell] = 0.0;
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    for (int s = 0; closure && s < n; s++) {
      const double *slope = closure->slope + (s * n + s) * closure->count;
      if (needs_cells(diffusion, s)) add_side(diffusion, closure, s, slope, diffusion->work + s * mesh->size);
    }
  }
  PetscFunctionReturn(0);
}

/* What leaves a part's cells through their faces, per capacity, into diffusion->flow. */
static void flux_rates(const InkDiffusion *diffusion, int s, const InkPart *part) {
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const double diffusivity = field->k.number / field->c.number;
  const double *lower = diffusion->lower[0] + part->at[0], *upper = diffusion->upper[0] + part->at[0];
  double *rates = diffusion->flow, across = 0.0;
  if (field->simple) {
    for (int a = 1; a < mesh->dim; a++)
      across += diffusion->lower[a][part->at[a]] + diffusion->upper[a][part->at[a]];
    for (int64_t i = 0; i < part->n; i++) rates[i] = diffusivity * (lower[i] + upper[i] + across);
    return;
  }
  for (int64_t i = 0; i < part->n; i++) rates[i] = 0.0;
  if (!field->mobile) return;
  for (int a = 0; a < mesh->dim; a++) {
    const double *out = field->backward[a] + part->cell,
                 *up = field->forward[a] + part->cell + ink_step(mesh, a);
    for (int64_t i = 0; i < part->n; i++) rates[i] += out[i] + up[i];
  }
  for (int c = 0; c < field->crosses; c++)
    for (int a = 0; a < mesh->dim; a++) {
      const double *g = field->cross[c].face[a] + part->cell, *up = g + ink_step(mesh, a);
      for (int64_t i = 0; i < part->n; i++) rates[i] += fabs(g[i]) + fabs(up[i]);
    }
  for (int64_t i = 0; i < part->n; i++) rates[i] /= field->mass[part->cell + i];
}

/* The largest rate of a part's cells. */
static double part_rate(InkDiffusion *diffusion, int s, bool sides, const InkPart *part) {
  const double *taken = diffusion->work + s * diffusion->mesh->size + part->cell;
  const double *slope = own_slope(&diffusion->reactions, s);
  const InkCoefficient *c = &diffusion->field[s].c;
  flux_rates(diffusion, s, part);
  for (int64_t i = 0; sides && i < part->n; i++) diffusion->flow[i] += taken[i];
  if (slope)
    ink_row_add_decay(part->n, slope, c->constant ? NULL : c->values + part->cell, 1.0 / c->number,
                      diffusion->flow);
  return ink_row_largest(part->n, diffusion->flow, 0.0);
}

/* The largest rate of the fields whose bound needs the cells; *rate is one to be above. */
static PetscErrorCode general_rate(InkDiffusion *diffusion, double t, double *u, double *rate) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  bool sides, some = false;
  for (int s = 0; s < diffusion->n; s++) {
    some = some || needs_cells(diffusion, s);
    if (diffusion->field[s].simple) continue;
    PetscCall(ink_operator_faces(diffusion, s, false, t, u));
    PetscCall(ink_operator_mass(diffusion, s, t, u));
  }
  if (!some) PetscFunctionReturn(0);
  PetscCall(side_rates(diffusion, &sides));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_slopes(diffusion, true, t, u, &part);
    for (int s = 0; s < diffusion->n; s++)
      if (needs_cells(diffusion, s)) *rate = larger(part_rate(diffusion, s, sides, &part), *rate);
  }
  PetscCall(ink_reduce_max(mesh->comm, rate));
  PetscFunctionReturn(0);
}

/* ---- the exact limit ---- */

/* Largest eigenvalue of -d2/dx2 on an axis of equal cells: 4/h^2 sin^2(theta), the wave number of the
 * highest mode being cells when a side fixes the level at both ends, cells - 1/2 at one end, cells - 1 at
 * none. */
static double axis_eigenvalue(const InkDiffusion *diffusion, int s, int a) {
  const InkAxis *axis = &diffusion->mesh->axis[a];
  const double n = (double)axis->cells, h = (axis->to - axis->from) / n;
  double mode = n - 1.0;
  for (int end = 0; end < 2; end++) {
    const InkClosure *closure = diffusion->closure[2 * a + end];
    if (closure && closure->coupled[s * diffusion->n + s]) mode += 0.5;
  }
  if (axis->periodic) mode = axis->cells % 2 ? n - 1.0 : n;
  const double sine = sin(mode * M_PI / (2.0 * n));
  return 4.0 / (h * h) * sine * sine;
}

static double exact_limit(const InkDiffusion *diffusion) {
  const InkMesh *mesh = diffusion->mesh;
  double rate = 0.0;
  if (mesh->coordinates != INK_CARTESIAN || diffusion->reactions.slopes > 0) return 0.0;
  for (int s = 0; s < diffusion->n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    double sum = 0.0;
    if (field->mobile && !field->simple) return 0.0;
    for (int a = 0; a < mesh->dim; a++) {
      if (!mesh->axis[a].uniform) return 0.0;
      sum += axis_eigenvalue(diffusion, s, a);
    }
    if (field->mobile) rate = larger(sum * field->k.number / field->c.number, rate);
  }
  return rate > 0.0 ? 2.0 / rate : 0.0;
}

/* ---- all fields ---- */

PetscErrorCode ink_diffusion_limits(InkDiffusion *diffusion, double t, double *u, double *gershgorin,
                                    double *exact) {
  PetscFunctionBeginUser;
  *exact = exact_limit(diffusion);
  *gershgorin = diffusion->limit;
  if (*gershgorin > 0.0) PetscFunctionReturn(0);
  double rate = 0.0;
  for (int side = 0; side < INK_SIDES; side++)
    if (diffusion->closure[side]) ink_closure_evaluate(diffusion->closure[side], t, u);
  PetscCall(ink_mesh_exchange_fields(diffusion->mesh, diffusion->n, u));
  for (int s = 0; s < diffusion->n; s++) {
    double own;
    if (needs_cells(diffusion, s)) continue;
    PetscCall(simple_rate(diffusion, s, &own));
    rate = larger(own, rate);
  }
  PetscCall(general_rate(diffusion, t, u, &rate));
  *gershgorin = rate == 0.0 ? INFINITY : 1.0 / rate;
  if (ink_operator_steady_bound(diffusion)) diffusion->limit = *gershgorin;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_monotone_step(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  double exact;
  PetscCall(ink_diffusion_limits(context, t, u, dt, &exact));
  PetscFunctionReturn(0);
}
