/* The operator's coefficients in cells: k and c as arrays with their slopes, and V c. */
#include "operator_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t time_bit = 1ull << INK_VAR_T;

static uint64_t field_bits(int n) { return ((1ull << n) - 1) << INK_VAR_FIELD; }

static bool is_zero(const InkExpr *e) { return ink_expr_is_constant(e) && ink_expr_value(e, NULL) == 0.0; }

static bool allowed(InkSign sign, double value) {
  if (sign == INK_POSITIVE) return value > 0.0;
  return sign == INK_NOT_NEGATIVE ? value >= 0.0 : !isnan(value);
}

bool ink_coefficient_create(InkCoefficient *coefficient, const InkExpr *e, int n, InkSign sign, InkPool *pool,
                            char *message, size_t size) {
  coefficient->sign = sign;
  coefficient->constant = true;
  coefficient->number = sign == INK_POSITIVE ? 1.0 : 0.0;
  if (!e) return true;
  coefficient->given = true;
  coefficient->variables = ink_expr_variables(e);
  coefficient->state = coefficient->variables & field_bits(n);
  coefficient->moving = coefficient->state || (coefficient->variables & time_bit);
  coefficient->constant = ink_expr_is_constant(e);
  if (coefficient->constant) coefficient->number = ink_expr_value(e, NULL);
  if (coefficient->constant && !allowed(sign, coefficient->number)) coefficient->number = NAN;
  const InkExpr *out[INK_MAX_FIELDS + 1] = {e};
  coefficient->field = calloc((size_t)n, sizeof(int));
  if (!coefficient->field) abort();
  for (int f = 0; f < n; f++) {
    if (!(coefficient->variables >> (INK_VAR_FIELD + f) & 1)) continue;
    const InkExpr *slope = ink_expr_derivative(pool, e, INK_VAR_FIELD + f);
    if (is_zero(slope)) continue;
    coefficient->field[coefficient->slopes++] = f;
    out[coefficient->slopes] = slope;
  }
  coefficient->value = ink_program_create(1, out, INK_ROW_UNIFORM, message, size);
  if (!coefficient->value || coefficient->slopes == 0) return coefficient->value != NULL;
  coefficient->both = ink_program_create(1 + coefficient->slopes, out, INK_ROW_UNIFORM, message, size);
  return coefficient->both != NULL;
}

void ink_coefficient_destroy(InkCoefficient *coefficient) {
  if (coefficient->value) ink_program_destroy(&coefficient->value);
  if (coefficient->both) ink_program_destroy(&coefficient->both);
  if (coefficient->values) ink_mesh_free(&coefficient->values);
  if (coefficient->slope) ink_mesh_free(&coefficient->slope);
  free(coefficient->field);
}

/* ---- evaluation ---- */

void ink_operator_inputs(const InkDiffusion *diffusion, const double *t, const double *u, const InkPart *part,
                         const double *in[INK_VARS]) {
  const InkMesh *mesh = diffusion->mesh;
  in[INK_VAR_X] = in[INK_VAR_Y] = in[INK_VAR_Z] = in[INK_VAR_R] = diffusion->zeros;
  for (int a = 0; a < mesh->dim; a++)
    in[mesh->axis[a].variable] = mesh->axis[a].centroid + mesh->start[a] + part->at[a];
  in[INK_VAR_T] = t;
  for (int f = 0; f < diffusion->n; f++) in[INK_VAR_FIELD + f] = u + f * mesh->size + part->cell;
}

void ink_operator_evaluate(const InkDiffusion *diffusion, const InkProgram *program, double t,
                           const double *u, double *const out[]) {
  const InkMesh *mesh = diffusion->mesh;
  const int outputs = ink_program_outputs(program);
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    const double *in[INK_VARS] = {NULL};
    double *to[outputs];
    ink_operator_inputs(diffusion, &t, u, &part, in);
    for (int o = 0; o < outputs; o++) to[o] = out[o] + part.cell;
    ink_program_run(program, (size_t)part.n, in, to);
  }
}

/* The largest magnitude of the owned cells, on all ranks. */
static PetscErrorCode set_scale(const InkMesh *mesh, InkCoefficient *coefficient) {
  PetscFunctionBeginUser;
  if (coefficient->scale > 0.0 || coefficient->sign != INK_NOT_NEGATIVE) PetscFunctionReturn(0);
  double largest = 0.0;
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    const double *row = coefficient->values + part.cell;
    for (int64_t i = 0; i < part.n; i++)
      if (fabs(row[i]) > largest) largest = fabs(row[i]);
  }
  PetscCall(ink_reduce_max(mesh->comm, &largest));
  coefficient->scale = largest;
  PetscFunctionReturn(0);
}

/* Values of the wrong sign become NaN. */
void ink_coefficient_refuse(const InkMesh *mesh, const InkCoefficient *coefficient, double *values) {
  if (coefficient->sign == INK_ANY_SIGN) return;
  const bool positive = coefficient->sign == INK_POSITIVE;
  const double least = positive ? 0.0 : -0.01 * coefficient->scale;
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    double *row = values + part.cell;
    if (positive)
      for (int64_t i = 0; i < part.n; i++) row[i] = row[i] > least ? row[i] : NAN;
    else
      for (int64_t i = 0; i < part.n; i++) row[i] = row[i] >= least ? row[i] : NAN;
  }
}

PetscErrorCode ink_coefficient_update(const InkDiffusion *diffusion, InkCoefficient *coefficient, bool slopes,
                                      double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  slopes = slopes && coefficient->slopes > 0;
  if (coefficient->known) PetscFunctionReturn(0);
  PetscCall(ink_operator_need(mesh, 1, &coefficient->values));
  if (slopes) PetscCall(ink_operator_need(mesh, coefficient->slopes, &coefficient->slope));
  double *out[INK_MAX_FIELDS + 1] = {coefficient->values};
  for (int m = 0; slopes && m < coefficient->slopes; m++) out[m + 1] = coefficient->slope + m * mesh->size;
  ink_operator_evaluate(diffusion, slopes ? coefficient->both : coefficient->value, t, u, out);
  PetscCall(set_scale(mesh, coefficient));
  ink_coefficient_refuse(mesh, coefficient, coefficient->values);
  if (coefficient->constant && isnan(coefficient->number))
    for (int64_t cell = 0; cell < mesh->size; cell++) coefficient->values[cell] = NAN;
  coefficient->known = !coefficient->moving;
  PetscFunctionReturn(0);
}

/* ---- capacity ---- */

PetscErrorCode ink_operator_mass(InkDiffusion *diffusion, int s, double t, const double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkOperatorField *field = &diffusion->field[s];
  InkCoefficient *c = &field->c;
  if (field->mass_known) PetscFunctionReturn(0);
  PetscCall(ink_operator_need(mesh, 1, &field->mass));
  if (!c->constant) PetscCall(ink_coefficient_update(diffusion, c, false, t, u));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n; i++) {
      const double capacity = c->constant ? c->number : c->values[part.cell + i];
      field->mass[part.cell + i] = ink_mesh_volume(mesh, part.at[0] + i, part.at[1], part.at[2]) * capacity;
    }
  field->mass_known = !c->moving;
  PetscFunctionReturn(0);
}

double ink_operator_side_mass(const InkDiffusion *diffusion, int s, int side, int64_t face, int64_t cell) {
  const InkOperatorField *field = &diffusion->field[s];
  if (!field->c.constant) return field->mass[cell];
  const InkMesh *mesh = diffusion->mesh;
  const int normal = side / 2, first = normal == 0 ? 1 : 0, second = normal == 2 ? 1 : 2;
  int64_t at[3];
  at[first] = face % mesh->count[first];
  at[second] = face / mesh->count[first];
  at[normal] = side % 2 ? mesh->count[normal] - 1 : 0;
  return ink_mesh_volume(mesh, at[0], at[1], at[2]) * field->c.number;
}
