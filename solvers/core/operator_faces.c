/* The operator on faces. Between the cells below and above, with distances dB and dA to the face of area A,
 *
 *     flow upwards = forward u_B - backward u_A,   forward = G B(-z), backward = G B(z), z = A w / G,
 *     G = A kB kA / (dB kA + dA kB)                (0 when both k are 0),
 *
 * so that forward - backward = A w; without velocity both are G, and where G is 0 the flow is upwind. The
 * derivative of both by G is  beta = B(z) - z B'(z).  Cross-diffusion: A (kB + kA)/2 / (dB + dA). */
#include "operator_impl.h"
#include <math.h>

static const double UPWIND = 700.0; /* exp(-z) is 0 beyond */

/* How many faces there are along each axis, the upper face of the last cell included. */
static void last_faces(const InkMesh *mesh, int axis, int64_t last[3]) {
  for (int a = 0; a < 3; a++) last[a] = mesh->count[a] + (a == axis);
}

/* ---- velocity ---- */

/* w at `n` faces normal to one axis, from local index `first` on. The upper end of a periodic axis is its
 * lower one, whatever w is there. */
static void run_velocity(InkDiffusion *diffusion, int axis, const double *t, const int64_t first[3],
                         int64_t n) {
  const InkMesh *mesh = diffusion->mesh;
  const double *in[INK_VARS] = {NULL};
  in[INK_VAR_X] = in[INK_VAR_Y] = in[INK_VAR_Z] = in[INK_VAR_R] = diffusion->zeros;
  in[INK_VAR_T] = t;
  for (int a = 0; a < mesh->dim; a++)
    in[mesh->axis[a].variable] = mesh->axis[a].centroid + mesh->start[a] + first[a];
  int64_t face = mesh->start[axis] + first[axis];
  if (mesh->axis[axis].periodic && face == mesh->axis[axis].cells) face = 0;
  in[mesh->axis[axis].variable] = mesh->axis[axis].face + face;
  double *const out[1] = {diffusion->velocity.face[axis] + ink_cell(mesh, first[0], first[1], first[2])};
  ink_program_run(diffusion->velocity.program[axis], (size_t)n, in, out);
}

static void fill_velocity(InkDiffusion *diffusion, int axis, double t) {
  const InkMesh *mesh = diffusion->mesh;
  int64_t last[3];
  last_faces(mesh, axis, last);
  for (int64_t k = 0; k < last[2]; k++)
    for (int64_t j = 0; j < last[1]; j++) {
      run_velocity(diffusion, axis, &t, (const int64_t[3]){0, j, k}, mesh->count[0]);
      if (axis == 0) run_velocity(diffusion, axis, &t, (const int64_t[3]){mesh->count[0], j, k}, 1);
    }
}

static PetscErrorCode update_velocity(InkDiffusion *diffusion, double t) {
  PetscFunctionBeginUser;
  InkVelocity *velocity = &diffusion->velocity;
  if (velocity->known) PetscFunctionReturn(0);
  for (int a = 0; a < diffusion->mesh->dim; a++) {
    if (!velocity->program[a]) continue;
    PetscCall(ink_operator_need(diffusion->mesh, 1, &velocity->face[a]));
    fill_velocity(diffusion, a, t);
  }
  velocity->known = !velocity->moving;
  PetscFunctionReturn(0);
}

/* ---- conductances ---- */

/* k(x_i, u of the neighbour), in i and in its ghosts. */
static PetscErrorCode update_near(InkDiffusion *diffusion, InkOperatorField *field, bool slopes, double t,
                                  const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  const InkCoefficient *k = &field->k;
  for (int a = 0; a < mesh->dim; a++)
    for (int end = 0; end < 2; end++) {
      /* The neighbour's value is the same array, one cell further. */
      const double *neighbour = end ? u + ink_step(mesh, a) : u - ink_step(mesh, a);
      double *out[INK_MAX_FIELDS + 1];
      PetscCall(ink_operator_need(mesh, 1, &field->near_k[a][end]));
      if (slopes) PetscCall(ink_operator_need(mesh, k->slopes, &field->near_slope[a][end]));
      out[0] = field->near_k[a][end];
      for (int m = 0; slopes && m < k->slopes; m++) out[m + 1] = field->near_slope[a][end] + m * mesh->size;
      ink_operator_evaluate(diffusion, slopes ? k->both : k->value, t, neighbour, out);
      ink_coefficient_refuse(mesh, k, field->near_k[a][end]);
      PetscCall(ink_mesh_exchange(mesh, field->near_k[a][end]));
      if (slopes) PetscCall(ink_mesh_exchange_fields(mesh, k->slopes, field->near_slope[a][end]));
    }
  PetscFunctionReturn(0);
}

/* The conductivities below and above a face, averaged in the state. */
static inline void conductivities(const InkOperatorField *field, int axis, int64_t cell, int64_t step,
                                  double *below, double *above) {
  const double *k = field->k.values;
  *below = k[cell - step];
  *above = k[cell];
  if (field->mean == INK_MEAN_STATE) *below = *above = 0.5 * (*below + *above);
  if (field->mean == INK_MEAN_BOTH) {
    *below = 0.5 * (*below + field->near_k[axis][1][cell - step]);
    *above = 0.5 * (*above + field->near_k[axis][0][cell]);
  }
}

static inline double conductance(const InkGeometry *g, double below, double above) {
  const double sum = g->below * above + g->above * below;
  return sum == 0.0 ? 0.0 : g->area * (below * above / sum);
}

/* The Scharfetter-Gummel coefficients of a face through which A w flows upwards. */
static void carry(double flow, double g, double *forward, double *backward) {
  const double z = flow / g;
  if (flow == 0.0 || isnan(g)) {
    *forward = *backward = g;
  } else if (!(fabs(z) < UPWIND)) { /* infinite when g is 0 */
    *forward = fmax(flow, 0.0);
    *backward = fmax(-flow, 0.0);
  } else {
    *forward = g * ink_bernoulli(-z);
    *backward = g * ink_bernoulli(z);
  }
}

/* From the conductances in forward[axis]. */
static void carry_faces(const InkDiffusion *diffusion, InkOperatorField *field, int axis) {
  const InkMesh *mesh = diffusion->mesh;
  const double *w = diffusion->velocity.face[axis];
  int64_t last[3];
  last_faces(mesh, axis, last);
  for (int64_t k = 0; k < last[2]; k++)
    for (int64_t j = 0; j < last[1]; j++)
      for (int64_t i = 0; i < last[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        const double area = ink_operator_geometry(diffusion, axis, (const int64_t[3]){i, j, k}).area;
        double *forward = &field->forward[axis][cell];
        carry(w ? area * w[cell] : 0.0, *forward, forward, &field->backward[axis][cell]);
      }
}

/* Areas and distances of a row of faces, from (0,j,k) on: the numbers of ink_operator_geometry. */
static void row_geometry(const InkDiffusion *diffusion, int axis, int64_t j, int64_t k, int64_t n,
                         double *const line[5]) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t at[3] = {0, j, k};
  double *restrict area = line[0], *restrict below = line[1], *restrict above = line[2];
  const double *restrict first = diffusion->face_area[axis] + at[axis];
  const double *restrict upper = diffusion->to_upper[axis] + at[axis] - 1;
  const double *restrict lower = diffusion->to_lower[axis] + at[axis];
  const int64_t along = axis == 0 ? 1 : 0; /* do they change along the row? */
  for (int64_t i = 0; i < n; i++) area[i] = first[along * i];
  for (int64_t i = 0; i < n; i++) below[i] = upper[along * i];
  for (int64_t i = 0; i < n; i++) above[i] = lower[along * i];
  for (int a = 0; a < 3; a++) {
    if (a == axis) continue;
    const double *restrict volume = mesh->axis[a].volume + mesh->start[a] + at[a];
    const double one = *volume;
    if (a == 0)
      for (int64_t i = 0; i < n; i++) area[i] *= volume[i];
    else
      for (int64_t i = 0; i < n; i++) area[i] *= one;
  }
}

/* The conductivities below and above a row of faces, averaged in the state. */
static void row_conductivities(const InkOperatorField *field, int axis, int64_t cell, int64_t step, int64_t n,
                               double *const line[5]) {
  const double *k = field->k.values + cell;
  double *below = line[3], *above = line[4];
  for (int64_t i = 0; i < n; i++) below[i] = k[i - step];
  for (int64_t i = 0; i < n; i++) above[i] = k[i];
  if (field->mean == INK_MEAN_STATE)
    for (int64_t i = 0; i < n; i++) below[i] = above[i] = 0.5 * (below[i] + above[i]);
  if (field->mean == INK_MEAN_BOTH) {
    const double *lower = field->near_k[axis][0] + cell, *upper = field->near_k[axis][1] + cell - step;
    for (int64_t i = 0; i < n; i++) below[i] = 0.5 * (below[i] + upper[i]);
    for (int64_t i = 0; i < n; i++) above[i] = 0.5 * (above[i] + lower[i]);
  }
}

static void fill_faces(InkDiffusion *diffusion, InkOperatorField *field, int axis) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t step = ink_step(mesh, axis), width = mesh->count[0] + 1;
  double *line[5];
  int64_t last[3];
  last_faces(mesh, axis, last);
  for (int l = 0; l < 5; l++) line[l] = diffusion->face_lines + l * width;
  for (int64_t k = 0; k < last[2]; k++)
    for (int64_t j = 0; j < last[1]; j++) {
      const int64_t cell = ink_cell(mesh, 0, j, k);
      row_geometry(diffusion, axis, j, k, last[0], line);
      row_conductivities(field, axis, cell, step, last[0], line);
      ink_row_conductances(last[0], (const double *const *)line, field->forward[axis] + cell);
    }
  if (diffusion->velocity.any) carry_faces(diffusion, field, axis);
}

static PetscErrorCode update_cross(InkDiffusion *diffusion, InkCross *cross, bool slopes, double t,
                                   const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  if (cross->known) PetscFunctionReturn(0);
  PetscCall(ink_coefficient_update(diffusion, &cross->k, slopes, t, u));
  PetscCall(ink_mesh_exchange(mesh, cross->k.values));
  if (slopes && cross->k.slopes > 0)
    PetscCall(ink_mesh_exchange_fields(mesh, cross->k.slopes, cross->k.slope));
  for (int a = 0; a < mesh->dim; a++) {
    const int64_t step = ink_step(mesh, a);
    int64_t last[3];
    last_faces(mesh, a, last);
    PetscCall(ink_operator_need(mesh, 1, &cross->face[a]));
    for (int64_t k = 0; k < last[2]; k++)
      for (int64_t j = 0; j < last[1]; j++)
        for (int64_t i = 0; i < last[0]; i++) {
          const InkGeometry g = ink_operator_geometry(diffusion, a, (const int64_t[3]){i, j, k});
          const int64_t cell = ink_cell(mesh, i, j, k);
          const double *values = cross->k.values + cell;
          cross->face[a][cell] =
              g.area == 0.0 ? 0.0 : g.area * (0.5 * (values[-step] + values[0])) / (g.below + g.above);
        }
  }
  cross->known = !cross->k.moving;
  PetscFunctionReturn(0);
}

static PetscErrorCode need_faces(InkDiffusion *diffusion, InkOperatorField *field) {
  PetscFunctionBeginUser;
  for (int a = 0; a < diffusion->mesh->dim; a++) {
    PetscCall(ink_operator_need(diffusion->mesh, 1, &field->forward[a]));
    if (diffusion->velocity.any)
      PetscCall(ink_operator_need(diffusion->mesh, 1, &field->backward[a]));
    else
      field->backward[a] = field->forward[a];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_faces(InkDiffusion *diffusion, int s, bool slopes, double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkOperatorField *field = &diffusion->field[s];
  if (!field->mobile) PetscFunctionReturn(0);
  for (int c = 0; c < field->crosses; c++) PetscCall(update_cross(diffusion, &field->cross[c], slopes, t, u));
  if (field->faces_known) PetscFunctionReturn(0);
  const bool own_slopes = slopes && field->k.slopes > 0;
  PetscCall(update_velocity(diffusion, t));
  PetscCall(ink_coefficient_update(diffusion, &field->k, own_slopes, t, u));
  PetscCall(ink_mesh_exchange(mesh, field->k.values));
  if (own_slopes) PetscCall(ink_mesh_exchange_fields(mesh, field->k.slopes, field->k.slope));
  if (field->mean == INK_MEAN_BOTH) PetscCall(update_near(diffusion, field, own_slopes, t, u));
  PetscCall(need_faces(diffusion, field));
  for (int a = 0; a < mesh->dim; a++) fill_faces(diffusion, field, a);
  field->faces_known = !field->k.moving && !diffusion->velocity.moving;
  PetscFunctionReturn(0);
}

void ink_operator_flow(const InkDiffusion *diffusion, int s, const InkPart *part, const double *u) {
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const InkRowShape shape = {mesh->dim, part->n, {1, mesh->stride[1], mesh->stride[2]}};
  const double *forward[3] = {NULL}, *backward[3] = {NULL};
  for (int a = 0; a < mesh->dim; a++) {
    forward[a] = field->forward[a] + part->cell;
    backward[a] = field->backward[a] + part->cell;
  }
  const double *own = u + s * mesh->size + part->cell;
  if (diffusion->velocity.any)
    ink_row_carry(&shape, forward, backward, own, diffusion->flow);
  else
    ink_row_flow(&shape, forward, own, diffusion->flow);
  for (int c = 0; c < field->crosses; c++) {
    for (int a = 0; a < mesh->dim; a++) forward[a] = field->cross[c].face[a] + part->cell;
    ink_row_flow_add(&shape, forward, u + field->cross[c].of * mesh->size + part->cell, diffusion->flow);
  }
}

/* ---- derivatives ---- */

/* d(flow)/dG: beta times the drop. */
static double flow_by_conductance(const InkDiffusion *diffusion, int axis, int64_t cell, double area,
                                  double conducted, double drop) {
  const double *w = diffusion->velocity.face[axis];
  if (!w || w[cell] == 0.0) return drop;
  const double z = area * w[cell] / conducted;
  if (!(fabs(z) < UPWIND)) return 0.0;
  return (ink_bernoulli(z) - z * ink_bernoulli_slope(z)) * drop;
}

InkFaceSlopes ink_operator_flow_slopes(const InkDiffusion *diffusion, int s, int axis, const int64_t at[3],
                                       int slope, const double *u) {
  const InkMesh *mesh = diffusion->mesh;
  const InkOperatorField *field = &diffusion->field[s];
  const int64_t step = ink_step(mesh, axis), cell = ink_cell(mesh, at[0], at[1], at[2]);
  const InkGeometry g = ink_operator_geometry(diffusion, axis, at);
  InkFaceSlopes by_k = {0.0, 0.0}; /* of G */
  if (g.area == 0.0) return by_k;
  const double *dk = field->k.slope + slope * mesh->size, *own = u + s * mesh->size;
  double below, above;
  conductivities(field, axis, cell, step, &below, &above);
  const double sum = g.below * above + g.above * below;
  if (field->mean == INK_MEAN_STATE) {
    const double half = 0.5 * g.area / (g.below + g.above);
    by_k = (InkFaceSlopes){half * dk[cell - step], half * dk[cell]};
  } else if (sum != 0.0) {
    /* dG/d(below) and dG/d(above), then the chain rule. */
    const double *lower = field->near_slope[axis][0] + slope * mesh->size;
    const double *upper = field->near_slope[axis][1] + slope * mesh->size;
    const double to_below = g.area * g.below * (above / sum) * (above / sum);
    const double to_above = g.area * g.above * (below / sum) * (below / sum);
    by_k.below = 0.5 * (to_below * dk[cell - step] + to_above * lower[cell]);
    by_k.above = 0.5 * (to_below * upper[cell - step] + to_above * dk[cell]);
  }
  const double by_g = flow_by_conductance(diffusion, axis, cell, g.area, conductance(&g, below, above),
                                          own[cell - step] - own[cell]);
  return (InkFaceSlopes){by_g * by_k.below, by_g * by_k.above};
}
