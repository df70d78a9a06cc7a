/* The split form of the operator, for constant coefficients on uniform Cartesian meshes:
 *
 *     du_s/dt = D_s Laplace_h u_s + (data of the sides)  +  R_s / c_s,      D = k/c.
 *
 * Laplace_h has homogeneous ends (a flux side is closed, the ghost of a value side is minus the cell), so a
 * flux side adds A q(x,t)/(V c) and a value side A k v(x,t)/(d V c) to the cells beside it. */
#include "operator_impl.h"
#include <math.h>
#include <string.h>

/* ---- the rest ---- */

/* Largest row sum of |dR_s/du_f| / c_s over a part. */
static double part_rate(const InkDiffusion *diffusion, const InkPart *part) {
  const InkReactions *reactions = &diffusion->reactions;
  double largest = 0.0;
  for (int64_t i = 0; i < part->n; i++) {
    double sum = 0.0;
    for (int m = 0; m < reactions->slopes; m++) { /* rows in order */
      sum += fabs(reactions->buffer[m * INK_PART + i]) / diffusion->field[reactions->row[m]].c.number;
      if (m + 1 < reactions->slopes && reactions->row[m + 1] == reactions->row[m]) continue;
      if (!(sum <= largest)) largest = sum; /* lets NaN through */
      sum = 0.0;
    }
    if (isnan(largest)) break;
  }
  return largest;
}

PetscErrorCode ink_operator_split_rest(void *context, double t, double *u, double *f, double *rate) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  double largest = 0.0;
  PetscCall(ink_reactions_prepare(diffusion));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_part(diffusion, t, u, &part);
    for (int s = 0; s < diffusion->n; s++) {
      const double *r = diffusion->reactions.now[s], factor = 1.0 / diffusion->field[s].c.number;
      double *to = f + s * mesh->size + part.cell;
      for (int64_t i = 0; i < part.n; i++) to[i] = r ? factor * r[i] : 0.0;
    }
    if (!rate) continue;
    ink_reactions_slopes(diffusion, false, t, u, &part);
    const double here = part_rate(diffusion, &part);
    if (!(here <= largest) && !isnan(largest)) largest = here;
  }
  if (!rate) PetscFunctionReturn(0);
  *rate = largest;
  PetscCall(ink_reduce_max(mesh->comm, rate));
  PetscFunctionReturn(0);
}

/* ---- the stiff part ---- */

static void ends_of(const InkDiffusion *diffusion, int s, InkEnd end[3][2]) {
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    end[side / 2][side % 2] = closure && closure->law[s] == INK_LAW_VALUE ? INK_END_VALUE : INK_END_FLUX;
  }
}

/* One transform for each combination of ends that occurs. */
static PetscErrorCode need_transforms(InkDiffusion *diffusion) {
  PetscFunctionBeginUser;
  if (diffusion->transforms > 0) PetscFunctionReturn(0);
  for (int s = 0; s < diffusion->n; s++) {
    InkEnd end[3][2], other[3][2];
    if (!diffusion->field[s].mobile) continue;
    ends_of(diffusion, s, end);
    diffusion->transform_of[s] = diffusion->transforms;
    for (int f = 0; f < s; f++) {
      if (!diffusion->field[f].mobile) continue;
      ends_of(diffusion, f, other);
      if (!memcmp(end, other, sizeof end)) diffusion->transform_of[s] = diffusion->transform_of[f];
    }
    if (diffusion->transform_of[s] < diffusion->transforms) continue;
    PetscCall(ink_transform_create(diffusion->mesh, end, &diffusion->transform[diffusion->transforms]));
    diffusion->transforms++;
  }
  PetscFunctionReturn(0);
}

/* Adds h times what the sides bring that does not depend on u: the inflow at u less its linear part. */
static void add_side_data(InkDiffusion *diffusion, double h, const InkClosure *closure, int s,
                          const double *before, double *u) {
  const int n = diffusion->n;
  const double *inflow = closure->inflow + s * closure->count;
  const double *slope = closure->slope + (s * n + s) * closure->count;
  for (int64_t i = 0; i < closure->count; i++) {
    const int64_t cell = closure->cell[i];
    const double brought = inflow[i] - slope[i] * before[i];
    u[cell] +=
        h * (closure->area[i] * brought) / ink_operator_side_mass(diffusion, s, closure->side, i, cell);
  }
}

static PetscErrorCode add_sides(InkDiffusion *diffusion, double t, double h, double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  double *before[INK_SIDES] = {NULL}; /* the cells beside the sides, which share cells at edges */
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    PetscCall(PetscMalloc1((size_t)(diffusion->n * closure->count), &before[side]));
    for (int s = 0; s < diffusion->n; s++)
      for (int64_t i = 0; i < closure->count; i++)
        before[side][s * closure->count + i] = u[s * mesh->size + closure->cell[i]];
  }
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    for (int s = 0; s < diffusion->n; s++)
      if (diffusion->field[s].mobile)
        add_side_data(diffusion, h, closure, s, before[side] + s * closure->count, u + s * mesh->size);
    PetscCall(PetscFree(before[side]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_split_solve(void *context, double t, double h, const double *b, double *u) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  PetscCall(need_transforms(diffusion));
  for (int s = 0; u != b && s < diffusion->n; s++)
    for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
      memcpy(u + s * mesh->size + part.cell, b + s * mesh->size + part.cell, (size_t)part.n * sizeof(double));
  PetscCall(add_sides(diffusion, t, h, u));
  for (int s = 0; s < diffusion->n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    double *values = u + s * mesh->size;
    if (!field->mobile || field->k.number == 0.0) continue;
    PetscCall(ink_transform_solve(diffusion->transform[diffusion->transform_of[s]], 1.0,
                                  h * (field->k.number / field->c.number), values, values));
  }
  PetscFunctionReturn(0);
}
