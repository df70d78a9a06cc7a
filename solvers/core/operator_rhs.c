/* The right-hand side G(t,u) and the capacity M = V c of the operator. */
#include "operator_impl.h"
#include <string.h>

/* One part of a row of one field: fluxes, then V R. */
static void part_rhs(InkDiffusion *diffusion, int s, const InkPart *part, const double *u, double *g) {
  const InkMesh *mesh = diffusion->mesh;
  const double *r = diffusion->reactions.now[s];
  double *to = g + s * mesh->size + part->cell;
  if (diffusion->field[s].mobile) {
    ink_operator_flow(diffusion, s, part, u);
    memcpy(to, diffusion->flow, (size_t)part->n * sizeof *to);
  } else {
    memset(to, 0, (size_t)part->n * sizeof *to);
  }
  if (r) ink_part_add(mesh, part, 1.0, r, to);
}

PetscErrorCode ink_operator_rhs(void *context, double t, double *u, double *g) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  PetscCall(ink_mesh_exchange_fields(mesh, diffusion->n, u));
  for (int s = 0; s < diffusion->n; s++) PetscCall(ink_operator_faces(diffusion, s, false, t, u));
  PetscCall(ink_reactions_prepare(diffusion));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_part(diffusion, t, u, &part);
    for (int s = 0; s < diffusion->n; s++) part_rhs(diffusion, s, &part, u, g);
  }
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int s = 0; s < diffusion->n; s++) {
      const double *inflow = closure->inflow + s * closure->count;
      double *to = g + s * mesh->size;
      for (int64_t n = 0; n < closure->count; n++) to[closure->cell[n]] += closure->area[n] * inflow[n];
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_capacity(void *context, double t, const double *u, double *m) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  for (int s = 0; s < diffusion->n; s++) {
    PetscCall(ink_operator_mass(diffusion, s, t, u));
    for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
      memcpy(m + s * mesh->size + part.cell, diffusion->field[s].mass + part.cell,
             (size_t)part.n * sizeof *m);
  }
  PetscFunctionReturn(0);
}

/* dM_s/du_s: the slope of c_s by its own field. */
static void part_capacity_slope(const InkDiffusion *diffusion, int s, const InkPart *part, double *dm) {
  const InkMesh *mesh = diffusion->mesh;
  const InkCoefficient *c = &diffusion->field[s].c;
  const double *slope = NULL;
  for (int k = 0; k < c->slopes; k++)
    if (c->field[k] == s) slope = c->slope + k * mesh->size + part->cell;
  for (int64_t i = 0; i < part->n; i++)
    dm[i] = slope ? ink_mesh_volume(mesh, part->at[0] + i, part->at[1], part->at[2]) * slope[i] : 0.0;
}

PetscErrorCode ink_operator_capacity_slope(void *context, double t, const double *u, double *dm) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  for (int s = 0; s < diffusion->n; s++) {
    InkCoefficient *c = &diffusion->field[s].c;
    if (c->state) PetscCall(ink_coefficient_update(diffusion, c, true, t, u));
    for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
      part_capacity_slope(diffusion, s, &part, dm + s * mesh->size + part.cell);
  }
  PetscFunctionReturn(0);
}
