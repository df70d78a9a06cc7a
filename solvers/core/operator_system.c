/* What kind of system the operator is: which blocks its Jacobian has, whether it is linear, symmetric,
 * constant, and what a step costs. */
#include "operator_impl.h"

static const uint64_t time_bit = 1ull << INK_VAR_T;

/* ---- coupling ---- */

static void couple(InkDiffusion *diffusion, int s, int f, InkCoupling coupling) {
  InkCoupling *known = &diffusion->coupling[s * diffusion->n + f];
  if (coupling > *known) *known = coupling;
}

static void couple_slopes(InkDiffusion *diffusion, int s, const InkCoefficient *k) {
  for (int m = 0; m < k->slopes; m++) couple(diffusion, s, k->field[m], INK_NEIGHBOURS);
}

void ink_operator_couple(InkDiffusion *diffusion) {
  const int n = diffusion->n;
  const InkReactions *reactions = &diffusion->reactions;
  for (int s = 0; s < n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    couple(diffusion, s, s, field->mobile ? INK_NEIGHBOURS : INK_LOCAL);
    couple_slopes(diffusion, s, &field->k);
    for (int c = 0; c < field->crosses; c++) {
      couple(diffusion, s, field->cross[c].of, INK_NEIGHBOURS);
      couple_slopes(diffusion, s, &field->cross[c].k);
    }
    for (int f = 0; f < n; f++)
      for (int side = 0; side < INK_SIDES; side++)
        if (diffusion->closure[side] && diffusion->closure[side]->coupled[s * n + f])
          couple(diffusion, s, f, INK_LOCAL);
  }
  for (int m = 0; m < reactions->slopes; m++)
    couple(diffusion, reactions->row[m], reactions->column[m], INK_LOCAL);
}

/* ---- classification ---- */

/* Does something fix the level of a field, so that adding a constant to it changes its equation? */
static bool has_level(const InkDiffusion *diffusion, int s) {
  const int n = diffusion->n;
  const InkReactions *reactions = &diffusion->reactions;
  for (int m = 0; m < reactions->slopes; m++)
    if (reactions->row[m] == s) return true;
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    for (int f = 0; closure && f < n; f++)
      if (closure->coupled[s * n + f]) return true;
  }
  return false;
}

static void classify_sides(const InkDiffusion *diffusion, InkSystem *system, bool *dissipative) {
  for (int side = 0; side < INK_SIDES; side++) {
    const InkClosure *closure = diffusion->closure[side];
    if (!closure) continue;
    system->linear = system->linear && closure->affine;
    system->constant = system->constant && closure->constant_slope;
    system->moving = system->moving || closure->moving;
    *dissipative = *dissipative && closure->dissipative;
  }
}

static void classify_coefficient(const InkCoefficient *coefficient, InkSystem *system) {
  system->linear = system->linear && !coefficient->state;
  system->constant = system->constant && !coefficient->moving;
  system->moving = system->moving || (coefficient->variables & time_bit);
}

static void classify(const InkDiffusion *diffusion, InkSystem *system) {
  const InkReactions *reactions = &diffusion->reactions;
  bool dissipative = reactions->nonpositive && !diffusion->velocity.any;
  system->reacts = reactions->slopes > 0 && !reactions->nonpositive;
  system->linear = reactions->affine;
  system->constant = reactions->constant_slopes && !diffusion->velocity.moving;
  system->moving = (reactions->variables | diffusion->velocity.variables) & time_bit;
  for (int s = 0; s < diffusion->n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    classify_coefficient(&field->k, system);
    classify_coefficient(&field->c, system);
    for (int c = 0; c < field->crosses; c++) classify_coefficient(&field->cross[c].k, system);
    system->singular = system->singular || !has_level(diffusion, s);
  }
  classify_sides(diffusion, system, &dissipative);
  system->symmetric = diffusion->n == 1 && dissipative && !diffusion->field[0].k.state;
}

bool ink_operator_steady_bound(const InkDiffusion *diffusion) {
  if (!diffusion->reactions.constant_slopes || diffusion->velocity.moving) return false;
  for (int s = 0; s < diffusion->n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    if (field->k.moving || field->c.moving) return false;
    for (int c = 0; c < field->crosses; c++)
      if (field->cross[c].k.moving) return false;
  }
  for (int side = 0; side < INK_SIDES; side++)
    if (diffusion->closure[side] && !diffusion->closure[side]->constant_slope) return false;
  return true;
}

bool ink_operator_splits(const InkDiffusion *diffusion) {
  const InkMesh *mesh = diffusion->mesh;
  bool mobile = false;
  if (mesh->dim < 2 || mesh->coordinates != INK_CARTESIAN || diffusion->velocity.any) return false;
  for (int a = 0; a < mesh->dim; a++)
    if (!mesh->axis[a].uniform) return false;
  for (int s = 0; s < diffusion->n; s++) {
    const InkOperatorField *field = &diffusion->field[s];
    if (!field->c.constant || !field->k.constant || field->crosses > 0) return false;
    mobile = mobile || field->mobile;
    for (int side = 0; side < INK_SIDES; side++)
      if (diffusion->closure[side] && diffusion->closure[side]->law[s] == INK_LAW_OTHER) return false;
  }
  return mobile;
}

static bool accumulates(const InkDiffusion *diffusion) {
  for (int side = 0; side < INK_SIDES; side++)
    if (diffusion->closure[side] && diffusion->open[side]) return true;
  return diffusion->reactions.fixed > 0 || (diffusion->budget && diffusion->reactions.moved > 0);
}

void ink_diffusion_system(InkDiffusion *diffusion, InkSystem *system) {
  *system = (InkSystem){.context = diffusion,
                        .mesh = diffusion->mesh,
                        .n = diffusion->n,
                        .field = diffusion->name,
                        .coupling = diffusion->coupling};
  classify(diffusion, system);
  bool capacity_moves = false;
  for (int s = 0; s < diffusion->n; s++) capacity_moves = capacity_moves || diffusion->field[s].c.state;
  system->rhs = ink_operator_rhs;
  system->capacity = ink_operator_capacity;
  system->jacobian = ink_operator_jacobian;
  system->capacity_derivative = capacity_moves ? ink_operator_capacity_slope : NULL;
  system->accumulate = accumulates(diffusion) ? ink_operator_accumulate : NULL;
  system->monotone_step = ink_operator_monotone_step;
  system->explicit_step = ink_operator_explicit_step;
  system->steady_bound = ink_operator_steady_bound(diffusion);
  system->fault = ink_operator_fault;
  if (!ink_operator_splits(diffusion)) return;
  system->split_rest = ink_operator_split_rest;
  system->split_solve = ink_operator_split_solve;
}

/* ---- plans ---- */

static double field_arrays(const InkDiffusion *diffusion, const InkOperatorField *field) {
  const int dim = diffusion->mesh->dim;
  double arrays = 0.0;
  if (!field->simple && field->mobile)
    arrays += (diffusion->velocity.any ? 2 : 1) * dim + 2; /* faces, k, V c */
  if (!field->c.constant) arrays += 1;
  if (field->k.slopes > 0)
    arrays += field->k.slopes + (field->mean == INK_MEAN_BOTH ? 2 * dim * (1 + field->k.slopes) : 0);
  for (int c = 0; c < field->crosses; c++) arrays += dim + 1 + field->cross[c].k.slopes;
  if (field->c.state) arrays += 2;
  return arrays;
}

double ink_diffusion_bytes_per_cell(const InkDiffusion *diffusion) {
  double arrays = 0.0;
  for (int s = 0; s < diffusion->n; s++) arrays += field_arrays(diffusion, &diffusion->field[s]);
  for (int a = 0; a < 3; a++) arrays += diffusion->velocity.program[a] ? 1 : 0;
  arrays += diffusion->reactions.fixed + (diffusion->budget ? diffusion->reactions.moved : 0);
  return 8.0 * arrays;
}

static double field_operations(const InkDiffusion *diffusion, const InkOperatorField *field) {
  const int dim = diffusion->mesh->dim;
  double operations = field->mobile ? 6.0 * dim : 1.0;
  const int evaluations = field->mean == INK_MEAN_BOTH ? 1 + 2 * dim : 1;
  if (field->k.moving || diffusion->velocity.moving) operations += 10.0 * dim;
  if (field->k.moving) operations += evaluations * ink_program_operations(field->k.value);
  if (field->c.moving) operations += ink_program_operations(field->c.value);
  for (int c = 0; c < field->crosses; c++) {
    operations += 6.0 * dim;
    if (field->cross[c].k.moving) operations += 5.0 * dim + ink_program_operations(field->cross[c].k.value);
  }
  return operations;
}

double ink_diffusion_operations(const InkDiffusion *diffusion) {
  const InkReactions *reactions = &diffusion->reactions;
  double operations = 2.0 * (reactions->fixed + reactions->moved);
  for (int s = 0; s < diffusion->n; s++) operations += field_operations(diffusion, &diffusion->field[s]);
  if (reactions->moved_value) operations += ink_program_operations(reactions->moved_value);
  for (int a = 0; diffusion->velocity.moving && a < 3; a++)
    if (diffusion->velocity.program[a]) operations += ink_program_operations(diffusion->velocity.program[a]);
  return operations;
}
