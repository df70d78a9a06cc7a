/* The right-hand side G(t,u), the capacity M = V c and the exact Jacobian dG/du of the diffusion operator. */
#include "operator_impl.h"

static void add_source(const InkDiffusion *diffusion, double *g) {
  const InkMesh *mesh = diffusion->mesh;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        g[cell] += ink_mesh_volume(mesh, i, j, k) * diffusion->s.values[cell];
      }
}

PetscErrorCode ink_operator_rhs(void *context, double t, double *u, double *g) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  const InkRowShape shape = {mesh->dim, mesh->count[0], {1, mesh->stride[1], mesh->stride[2]}};
  PetscCall(ink_mesh_exchange(mesh, u));
  PetscCall(ink_operator_faces(diffusion, false, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = ink_cell(mesh, 0, j, k);
      const double *face[3] = {NULL, NULL, NULL};
      for (int a = 0; a < mesh->dim; a++) face[a] = diffusion->face[a] + row;
      ink_row_flow(&shape, face, u + row, g + row);
    }
  if (diffusion->s.value) {
    PetscCall(ink_coefficient_update(mesh, &diffusion->s, false, t, u));
    add_source(diffusion, g);
  }
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int64_t n = 0; n < closure->count; n++) g[closure->cell[n]] += closure->area[n] * closure->inflow[n];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_capacity(void *context, double t, const double *u, double *m) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  PetscCall(ink_operator_mass(diffusion, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        m[cell] = diffusion->mass[cell];
      }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_capacity_slope(void *context, double t, const double *u, double *dm) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  if (diffusion->c.state) PetscCall(ink_coefficient_update(mesh, &diffusion->c, true, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        dm[cell] = diffusion->c.state ? ink_mesh_volume(mesh, i, j, k) * diffusion->c.slopes[cell] : 0.0;
      }
  PetscFunctionReturn(0);
}

/* A cell's row: with F = G (u_lower - u_i) through the lower face and its mirror image through the upper. */
static void cell_row(const InkDiffusion *diffusion, const double *u, int64_t i, int64_t j, int64_t k,
                     InkStencil *stencil) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t cell = ink_cell(mesh, i, j, k);
  double diagonal = 0.0;
  for (int a = 0; a < mesh->dim; a++) {
    const int64_t step = ink_step(mesh, a);
    const InkFace below = ink_operator_face(diffusion, a, i, j, k);
    const InkFace above = ink_operator_face(diffusion, a, i + (a == 0), j + (a == 1), k + (a == 2));
    const double drop_below = u[cell - step] - u[cell], drop_above = u[cell] - u[cell + step];
    stencil->off[a][0][cell] = below.conductance + below.lower * drop_below;
    stencil->off[a][1][cell] = above.conductance - above.upper * drop_above;
    diagonal += below.upper * drop_below - below.conductance;
    diagonal -= above.lower * drop_above + above.conductance;
  }
  stencil->diagonal[cell] = diagonal;
}

PetscErrorCode ink_operator_jacobian(void *context, double t, double *u, InkStencil *stencil) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  PetscCall(ink_mesh_exchange(mesh, u));
  PetscCall(ink_operator_faces(diffusion, true, t, u));
  if (diffusion->s.state) PetscCall(ink_coefficient_update(mesh, &diffusion->s, true, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        cell_row(diffusion, u, i, j, k, stencil);
        if (diffusion->s.state)
          stencil->diagonal[cell] += ink_mesh_volume(mesh, i, j, k) * diffusion->s.slopes[cell];
      }
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int64_t n = 0; n < closure->count; n++)
      stencil->diagonal[closure->cell[n]] += closure->area[n] * closure->slope[n];
  }
  PetscFunctionReturn(0);
}
