/* The operator's coefficients in cells and on faces: k, c, s as arrays, V c, and the conductances
 *
 *     G = A kL kR / (dL kR + dR kL)          (0 when both k are 0). */
#include "operator_impl.h"
#include <math.h>

static const uint64_t state_bit = 1ull << INK_VAR_FIELD, time_bit = 1ull << INK_VAR_T;

bool ink_coefficient_create(InkCoefficient *coefficient, const InkExpr *e, InkPool *pool, char *message,
                            size_t size) {
  const InkExpr *both[2] = {e, ink_expr_derivative(pool, e, INK_VAR_FIELD)};
  coefficient->variables = ink_expr_variables(e);
  coefficient->state = coefficient->variables & state_bit;
  coefficient->moving = coefficient->variables & (state_bit | time_bit);
  coefficient->constant = ink_expr_is_constant(e);
  if (coefficient->constant) coefficient->number = ink_expr_value(e, NULL);
  coefficient->value = ink_program_create(1, both, INK_ROW_UNIFORM, message, size);
  if (!coefficient->value) return false;
  coefficient->both = ink_program_create(2, both, INK_ROW_UNIFORM, message, size);
  return coefficient->both != NULL;
}

void ink_coefficient_destroy(InkCoefficient *coefficient) {
  if (coefficient->value) ink_program_destroy(&coefficient->value);
  if (coefficient->both) ink_program_destroy(&coefficient->both);
  if (coefficient->values) ink_mesh_free(&coefficient->values);
  if (coefficient->slopes) ink_mesh_free(&coefficient->slopes);
}

static PetscErrorCode need_array(const InkMesh *mesh, double **values) {
  PetscFunctionBeginUser;
  if (!*values) PetscCall(ink_mesh_array(mesh, values));
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate(const InkMesh *mesh, const InkCoefficient *coefficient, bool slopes, double t,
                               const double *u, double *values, double *derivative) {
  PetscFunctionBeginUser;
  const double *const fields[1] = {u};
  double *const out[2] = {values, derivative};
  PetscCall(ink_mesh_evaluate(mesh, slopes ? coefficient->both : coefficient->value, t, 0, fields, out));
  PetscFunctionReturn(0);
}

/* The largest magnitude of the owned cells, on all ranks. */
static PetscErrorCode set_scale(const InkMesh *mesh, InkCoefficient *coefficient) {
  PetscFunctionBeginUser;
  if (coefficient->scale > 0.0 || coefficient->sign != INK_NOT_NEGATIVE) PetscFunctionReturn(0);
  double largest = 0.0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const double *row = coefficient->values + ink_cell(mesh, 0, j, k);
      for (int64_t i = 0; i < mesh->count[0]; i++)
        if (fabs(row[i]) > largest) largest = fabs(row[i]);
    }
  PetscCall(ink_reduce_max(mesh->comm, &largest));
  coefficient->scale = largest;
  PetscFunctionReturn(0);
}

/* Values of the wrong sign become NaN. */
static void refuse_sign(const InkMesh *mesh, const InkCoefficient *coefficient, double *values) {
  if (coefficient->sign == INK_ANY_SIGN) return;
  const bool positive = coefficient->sign == INK_POSITIVE;
  const double least = positive ? 0.0 : -0.01 * coefficient->scale;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      double *row = values + ink_cell(mesh, 0, j, k);
      if (positive)
        for (int64_t i = 0; i < mesh->count[0]; i++) row[i] = row[i] > least ? row[i] : NAN;
      else
        for (int64_t i = 0; i < mesh->count[0]; i++) row[i] = row[i] >= least ? row[i] : NAN;
    }
}

PetscErrorCode ink_coefficient_update(const InkMesh *mesh, InkCoefficient *coefficient, bool slopes, double t,
                                      const double *u) {
  PetscFunctionBeginUser;
  slopes = slopes && coefficient->state; /* the array stays zero else */
  if (coefficient->known) PetscFunctionReturn(0);
  PetscCall(need_array(mesh, &coefficient->values));
  if (slopes) PetscCall(need_array(mesh, &coefficient->slopes));
  PetscCall(evaluate(mesh, coefficient, slopes, t, u, coefficient->values, coefficient->slopes));
  PetscCall(set_scale(mesh, coefficient));
  refuse_sign(mesh, coefficient, coefficient->values);
  coefficient->known = !coefficient->moving;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_mass(InkDiffusion *diffusion, double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  if (diffusion->mass_known) PetscFunctionReturn(0);
  PetscCall(need_array(mesh, &diffusion->mass));
  if (!diffusion->c.constant) PetscCall(ink_coefficient_update(mesh, &diffusion->c, false, t, u));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_cell(mesh, i, j, k);
        const double c = diffusion->c.constant ? diffusion->c.number : diffusion->c.values[cell];
        diffusion->mass[cell] = ink_mesh_volume(mesh, i, j, k) * c;
      }
  diffusion->mass_known = !diffusion->c.moving;
  PetscFunctionReturn(0);
}

/* k(x_i, u of the neighbour), in i and in its ghosts. */
static PetscErrorCode update_near(InkDiffusion *diffusion, bool slopes, double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  for (int a = 0; a < mesh->dim; a++)
    for (int end = 0; end < 2; end++) {
      /* The neighbour's value is the same array, one cell further. */
      const double *neighbour = end ? u + ink_step(mesh, a) : u - ink_step(mesh, a);
      double **values = &diffusion->near_k[a][end], **derivative = &diffusion->near_slope[a][end];
      PetscCall(need_array(mesh, values));
      if (slopes) PetscCall(need_array(mesh, derivative));
      PetscCall(evaluate(mesh, &diffusion->k, slopes, t, neighbour, *values, *derivative));
      refuse_sign(mesh, &diffusion->k, *values);
      PetscCall(ink_mesh_exchange(mesh, *values));
      if (slopes) PetscCall(ink_mesh_exchange(mesh, *derivative));
    }
  PetscFunctionReturn(0);
}

/* What the geometry of a face is: area, distances of the cells below and above. */
typedef struct Geometry {
  double area, below, above;
} Geometry;

static inline Geometry geometry_of(const InkDiffusion *diffusion, int axis, int64_t i, int64_t j, int64_t k) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t at[3] = {i, j, k};
  Geometry g = {.area = diffusion->face_area[axis][at[axis]],
                .below = diffusion->to_upper[axis][at[axis] - 1],
                .above = diffusion->to_lower[axis][at[axis]]};
  for (int a = 0; a < 3; a++)
    if (a != axis) g.area *= mesh->axis[a].volume[mesh->start[a] + at[a]];
  return g;
}

/* The conductivities below and above a face, averaged in the state. */
static inline void conductivities(const InkDiffusion *diffusion, int axis, int64_t cell, int64_t step,
                                  double *below, double *above) {
  const double *k = diffusion->k.values;
  *below = k[cell - step];
  *above = k[cell];
  if (diffusion->mean == INK_MEAN_STATE) *below = *above = 0.5 * (*below + *above);
  if (diffusion->mean == INK_MEAN_BOTH) {
    *below = 0.5 * (*below + diffusion->near_k[axis][1][cell - step]);
    *above = 0.5 * (*above + diffusion->near_k[axis][0][cell]);
  }
}

static inline double conductance(const Geometry *g, double below, double above) {
  const double sum = g->below * above + g->above * below;
  return sum == 0.0 ? 0.0 : g->area * (below * above / sum);
}

static void fill_faces(InkDiffusion *diffusion, int axis) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t step = ink_step(mesh, axis);
  int64_t last[3] = {mesh->count[0], mesh->count[1], mesh->count[2]};
  last[axis] += 1; /* the upper face of the last cell */
  for (int64_t k = 0; k < last[2]; k++)
    for (int64_t j = 0; j < last[1]; j++)
      for (int64_t i = 0; i < last[0]; i++) {
        const Geometry g = geometry_of(diffusion, axis, i, j, k);
        const int64_t cell = ink_cell(mesh, i, j, k);
        double below, above;
        if (g.area == 0.0) {
          diffusion->face[axis][cell] = 0.0;
          continue;
        }
        conductivities(diffusion, axis, cell, step, &below, &above);
        diffusion->face[axis][cell] = conductance(&g, below, above);
      }
}

PetscErrorCode ink_operator_faces(InkDiffusion *diffusion, bool slopes, double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  if (diffusion->faces_known) PetscFunctionReturn(0);
  slopes = slopes && diffusion->k.state;
  PetscCall(ink_coefficient_update(mesh, &diffusion->k, slopes, t, u));
  PetscCall(ink_mesh_exchange(mesh, diffusion->k.values));
  if (slopes) PetscCall(ink_mesh_exchange(mesh, diffusion->k.slopes));
  if (diffusion->mean == INK_MEAN_BOTH) PetscCall(update_near(diffusion, slopes, t, u));
  for (int a = 0; a < mesh->dim; a++) {
    PetscCall(need_array(mesh, &diffusion->face[a]));
    fill_faces(diffusion, a);
  }
  diffusion->faces_known = !diffusion->k.moving;
  PetscFunctionReturn(0);
}

InkFace ink_operator_face(const InkDiffusion *diffusion, int axis, int64_t i, int64_t j, int64_t k) {
  const InkMesh *mesh = diffusion->mesh;
  const int64_t step = ink_step(mesh, axis), cell = ink_cell(mesh, i, j, k);
  InkFace face = {.conductance = diffusion->face[axis][cell]};
  if (!diffusion->k.state) return face;
  const Geometry g = geometry_of(diffusion, axis, i, j, k);
  if (g.area == 0.0) return face;
  const double *dk = diffusion->k.slopes;
  double below, above;
  conductivities(diffusion, axis, cell, step, &below, &above);
  const double sum = g.below * above + g.above * below;
  if (diffusion->mean == INK_MEAN_STATE) {
    const double half = 0.5 * g.area / (g.below + g.above);
    face.lower = half * dk[cell - step];
    face.upper = half * dk[cell];
  } else if (sum != 0.0) {
    /* dG/d(below) and dG/d(above), then the chain rule. */
    const double to_below = g.area * g.below * (above / sum) * (above / sum);
    const double to_above = g.area * g.above * (below / sum) * (below / sum);
    face.lower = 0.5 * (to_below * dk[cell - step] + to_above * diffusion->near_slope[axis][0][cell]);
    face.upper = 0.5 * (to_below * diffusion->near_slope[axis][1][cell - step] + to_above * dk[cell]);
  }
  return face;
}
