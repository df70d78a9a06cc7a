/* The exact Jacobian dG/du of the operator, block by block. A flow F through a face goes out of the cell
 * below and into the cell above; with F = forward u_B - backward u_A of one field and F = G (f_B - f_A) of
 * another,
 *
 *     dF/du_B = forward + dF/dk dk/du_B,   dF/du_A = -backward + dF/dk dk/du_A. */
#include "operator_impl.h"

/* Where the derivatives of a field's equation go: the row of blocks. */
typedef struct Row {
  InkDiffusion *diffusion;
  int s;
  InkBlock *block; /* [n] */
  const double *u;
} Row;

static void clear_block(const InkMesh *mesh, InkBlock *block) {
  double *array[7] = {block->diagonal};
  for (int a = 0; a < 3; a++)
    for (int end = 0; end < 2; end++) array[1 + 2 * a + end] = block->off[a][end];
  for (int i = 0; i < 7; i++)
    for (InkPart part = ink_part_first(mesh); array[i] && part.n > 0; ink_part_next(mesh, &part))
      for (int64_t c = part.cell; c < part.cell + part.n; c++) array[i][c] = 0.0;
}

/* The derivatives of the flows through the lower and upper face of a cell along an axis. */
static inline void add_faces(InkBlock *block, int axis, int64_t cell, const double lower[2],
                             const double upper[2]) {
  block->off[axis][0][cell] += lower[0];
  block->diagonal[cell] += lower[1] - upper[0];
  block->off[axis][1][cell] -= upper[1];
}

/* The field's own gradient and advection, coefficients held: what the block starts from. */
static void own_flows(const Row *row) {
  const InkMesh *mesh = row->diffusion->mesh;
  const InkOperatorField *field = &row->diffusion->field[row->s];
  const InkBlock *block = &row->block[row->s];
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    double *restrict diagonal = block->diagonal + part.cell;
    for (int64_t i = 0; i < part.n; i++) diagonal[i] = 0.0;
    for (int a = 0; a < mesh->dim; a++) {
      const double *f = field->forward[a] + part.cell, *b = field->backward[a] + part.cell;
      double *restrict below = block->off[a][0] + part.cell, *restrict above = block->off[a][1] + part.cell;
      const int64_t step = ink_step(mesh, a);
      for (int64_t i = 0; i < part.n; i++) {
        below[i] = f[i];
        above[i] = b[i + step];
        diagonal[i] -= b[i];
        diagonal[i] -= f[i + step];
      }
    }
  }
}

/* What the field's own coefficient changes, by the fields that it depends on. */
static void own_slopes(const Row *row, int axis) {
  const InkMesh *mesh = row->diffusion->mesh;
  const InkCoefficient *k = &row->diffusion->field[row->s].k;
  for (int m = 0; m < k->slopes; m++)
    for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
      for (int64_t i = 0; i < part.n; i++) {
        const int64_t at[3] = {part.at[0] + i, part.at[1], part.at[2]};
        const int64_t next[3] = {at[0] + (axis == 0), at[1] + (axis == 1), at[2] + (axis == 2)};
        const InkFaceSlopes lower = ink_operator_flow_slopes(row->diffusion, row->s, axis, at, m, row->u);
        const InkFaceSlopes upper = ink_operator_flow_slopes(row->diffusion, row->s, axis, next, m, row->u);
        add_faces(&row->block[k->field[m]], axis, part.cell + i, (const double[2]){lower.below, lower.above},
                  (const double[2]){upper.below, upper.above});
      }
}

/* d(flow)/dk of a crossed gradient: the same for the k below and above. */
static double cross_slope(const Row *row, int axis, const int64_t at[3], const double *other) {
  const InkMesh *mesh = row->diffusion->mesh;
  const int64_t cell = ink_cell(mesh, at[0], at[1], at[2]), step = ink_step(mesh, axis);
  const InkGeometry g = ink_operator_geometry(row->diffusion, axis, at);
  if (g.area == 0.0) return 0.0;
  return g.area * 0.5 / (g.below + g.above) * (other[cell - step] - other[cell]);
}

static void cross_flows(const Row *row, const InkCross *cross, int axis) {
  const InkMesh *mesh = row->diffusion->mesh;
  const double *g = cross->face[axis], *other = row->u + cross->of * mesh->size;
  const int64_t step = ink_step(mesh, axis);
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n; i++) {
      const int64_t c = part.cell + i;
      const int64_t at[3] = {part.at[0] + i, part.at[1], part.at[2]};
      const int64_t next[3] = {at[0] + (axis == 0), at[1] + (axis == 1), at[2] + (axis == 2)};
      add_faces(&row->block[cross->of], axis, c, (const double[2]){g[c], -g[c]},
                (const double[2]){g[c + step], -g[c + step]});
      if (cross->k.slopes == 0) continue;
      const double lower = cross_slope(row, axis, at, other), upper = cross_slope(row, axis, next, other);
      for (int m = 0; m < cross->k.slopes; m++) {
        const double *dk = cross->k.slope + m * mesh->size + c;
        add_faces(&row->block[cross->k.field[m]], axis, c,
                  (const double[2]){lower * dk[-step], lower * dk[0]},
                  (const double[2]){upper * dk[0], upper * dk[step]});
      }
    }
}

static void add_reactions(InkDiffusion *diffusion, double t, const double *u, InkStencil *stencil) {
  const InkMesh *mesh = diffusion->mesh;
  const InkReactions *reactions = &diffusion->reactions;
  if (reactions->slopes == 0) return;
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_slopes(diffusion, false, t, u, &part);
    for (int m = 0; m < reactions->slopes; m++) {
      const double *slope = reactions->buffer + (ptrdiff_t)m * INK_PART;
      double *diagonal =
          stencil->block[reactions->row[m] * diffusion->n + reactions->column[m]].diagonal + part.cell;
      ink_part_add(mesh, &part, 1.0, slope, diagonal);
    }
  }
}

static void add_sides(InkDiffusion *diffusion, double t, const double *u, InkStencil *stencil) {
  const int blocks = diffusion->n * diffusion->n;
  for (int side = 0; side < INK_SIDES; side++) {
    InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    ink_closure_evaluate(closure, t, u);
    for (int block = 0; block < blocks; block++) {
      if (!closure->coupled[block]) continue;
      const double *slope = closure->slope + block * closure->count;
      double *diagonal = stencil->block[block].diagonal;
      for (int64_t i = 0; i < closure->count; i++) diagonal[closure->cell[i]] += closure->area[i] * slope[i];
    }
  }
}

PetscErrorCode ink_operator_jacobian(void *context, double t, double *u, InkStencil *stencil) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  const InkMesh *mesh = diffusion->mesh;
  const int n = diffusion->n;
  PetscCall(ink_mesh_exchange_fields(mesh, n, u));
  for (int s = 0; s < n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    const Row row = {diffusion, s, stencil->block + (ptrdiff_t)s * n, u};
    for (int f = 0; f < n; f++)
      if (f != s || !field->mobile) clear_block(mesh, &row.block[f]);
    if (!field->mobile) continue;
    PetscCall(ink_operator_faces(diffusion, s, true, t, u));
    own_flows(&row);
    for (int a = 0; a < mesh->dim; a++) {
      if (field->k.slopes > 0) own_slopes(&row, a);
      for (int c = 0; c < field->crosses; c++) cross_flows(&row, &field->cross[c], a);
    }
  }
  add_reactions(diffusion, t, u, stencil);
  add_sides(diffusion, t, u, stencil);
  PetscFunctionReturn(0);
}
