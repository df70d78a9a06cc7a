/* Closures are made here: the faces of a side, the programs of its laws and coefficients, and the arrays. */
#include "boundary.h"
#include <math.h>
#include <stdlib.h>
#include "boundary_impl.h"

/* ---- geometry ---- */

static double place(const InkMesh *mesh, int axis, int64_t local) {
  return mesh->axis[axis].centroid[mesh->start[axis] + local];
}

/* x y z r of a place given along the axes; in axisymmetric coordinates the second axis is z. */
static void put_place(const InkMesh *mesh, const double along[3], double *const at[4], int64_t n) {
  const bool axisymmetric = mesh->coordinates == INK_AXISYMMETRIC;
  at[0][n] = at[3][n] = along[0];
  at[1][n] = along[1];
  at[2][n] = along[axisymmetric ? 1 : 2];
}

static void locate_faces(InkClosure *closure, const InkMesh *mesh) {
  struct InkClosureParts *parts = closure->parts;
  const int normal = closure->side / 2, end = closure->side % 2;
  const int first = normal == 0 ? 1 : 0, second = normal == 2 ? 1 : 2;
  const InkAxis *axis = &mesh->axis[normal];
  const int64_t wall = end ? axis->cells : 0, cell = end ? axis->cells - 1 : 0;
  closure->distance = fabs(axis->face[wall] - axis->centroid[cell]);
  int64_t n = 0;
  if (closure->count == 0) return;
  for (int64_t b = 0; b < mesh->count[second]; b++)
    for (int64_t a = 0; a < mesh->count[first]; a++, n++) {
      const int64_t step[3] = {1, mesh->stride[1], mesh->stride[2]};
      closure->cell[n] = mesh->origin + a * step[first] + b * step[second] +
                         (end ? mesh->count[normal] - 1 : 0) * step[normal];
      closure->area[n] = axis->area[wall] * mesh->axis[first].volume[mesh->start[first] + a] *
                         mesh->axis[second].volume[mesh->start[second] + b];
      if (parts->still) continue;
      double at[3] = {0.0, 0.0, 0.0};
      if (first < mesh->dim) at[first] = place(mesh, first, a);
      if (second < mesh->dim) at[second] = place(mesh, second, b);
      at[normal] = axis->centroid[cell];
      put_place(mesh, at, parts->cell_at, n);
      at[normal] = axis->face[wall];
      put_place(mesh, at, parts->face_at, n);
    }
}

/* ---- arrays ---- */

static void *array(InkClosure *closure, size_t columns, size_t element) {
  const size_t count = closure->count > 0 ? (size_t)closure->count : 1;
  return ink_pool_alloc(closure->parts->memory, columns * count * element);
}

static double *numbers(InkClosure *closure, int columns) {
  return array(closure, (size_t)columns, sizeof(double));
}

/* The fields of a mask, in order; their number into *count. */
static int *fields_of(InkPool *memory, uint64_t mask, int *count) {
  int *field = ink_pool_alloc(memory, INK_MAX_FIELDS * sizeof *field);
  *count = 0;
  for (int f = 0; f < INK_MAX_FIELDS; f++)
    if (mask >> f & 1) field[(*count)++] = f;
  return field;
}

static void allocate(InkClosure *closure) {
  struct InkClosureParts *parts = closure->parts;
  const int n = closure->n;
  closure->cell = array(closure, 1, sizeof *closure->cell);
  closure->area = numbers(closure, 1);
  closure->inflow = numbers(closure, n);
  closure->slope = numbers(closure, n * n);
  closure->surface = numbers(closure, n);
  if (parts->still) return;
  parts->state = numbers(closure, n);
  for (int d = 0; d < 4; d++) {
    parts->face_at[d] = numbers(closure, 1);
    parts->cell_at[d] = numbers(closure, 1);
  }
}

static void allocate_newton(InkClosure *closure) {
  InkSurfaceNewton *newton = &closure->parts->newton;
  InkPool *memory = closure->parts->memory;
  const int m = newton->m, n = closure->n;
  const size_t number = sizeof(double), rows = (size_t)m * number, row = (size_t)n * rows;
  newton->status = array(closure, 1, 1);
  newton->base = numbers(closure, m);
  newton->step = numbers(closure, m);
  newton->scale = numbers(closure, m);
  newton->merit = numbers(closure, 1);
  newton->fraction = numbers(closure, 1);
  newton->residual = ink_pool_alloc(memory, rows);
  newton->magnitude = ink_pool_alloc(memory, rows);
  newton->flow = ink_pool_alloc(memory, rows);
  newton->by_surface = ink_pool_alloc(memory, row);
  newton->by_cell = ink_pool_alloc(memory, row);
  newton->flow_by_surface = ink_pool_alloc(memory, row);
  newton->flow_by_cell = ink_pool_alloc(memory, row);
  newton->matrix = ink_pool_alloc(memory, (size_t)m * rows);
  newton->right = ink_pool_alloc(memory, row);
}

/* ---- programs ---- */

typedef struct Maker {
  const InkClosureSpec *spec;
  const InkSideUse *use;
  InkPool *pool;
  char *message;
  size_t size;
} Maker;

static InkProgram *compile(const Maker *maker, int outputs, const InkExpr *const out[]) {
  return ink_program_create(outputs, out, 1ull << INK_VAR_T, maker->message, maker->size);
}

static bool varies(const InkExpr *e) {
  return ink_side_fields(e) || (ink_side_variables(e) >> INK_VAR_T & 1);
}

/* e and its derivatives with respect to the fields of a list. */
static int with_derivatives(const Maker *maker, const InkExpr *e, int count, const int field[],
                            const InkExpr *out[]) {
  out[0] = e;
  for (int j = 0; j < count; j++) out[1 + j] = ink_expr_derivative(maker->pool, e, INK_VAR_FIELD + field[j]);
  return 1 + count;
}

static bool make_part(InkSideField *field, InkSidePart *part, const Maker *maker, const InkSideData *data,
                      const InkExpr *where, int s) {
  const InkExpr *out[1 + INK_MAX_FIELDS] = {NULL};
  int outputs = 1;
  part->type = data->type;
  if (where) {
    part->condition = compile(maker, 1, &where);
    if (!part->condition) return false;
    field->choice_moves |= varies(where);
  }
  if (data->type == INK_SIDE_CLOSED) return true;
  if (field->form == INK_FORM_COUPLED)
    outputs =
        with_derivatives(maker, ink_side_law(maker->pool, data, s), field->dependences, field->field, out);
  else if (data->type == INK_SIDE_CONVECTION) {
    out[0] = data->coefficient;
    out[1] = data->ambient;
    outputs = 2;
  } else
    out[0] = data->value;
  for (int o = 0; o < outputs; o++) {
    field->data_moves |= varies(out[o]);
    field->data_state |= ink_side_fields(out[o]) != 0;
  }
  part->law = compile(maker, outputs, out);
  return part->law != NULL;
}

static bool make_field(InkClosure *closure, const Maker *maker, int s) {
  InkPool *memory = closure->parts->memory;
  const InkSideParts *given = &maker->spec->parts[s];
  InkSideField *field = &closure->parts->field[s];
  if (field->form == INK_FORM_STILL) return true;
  field->field =
      fields_of(memory, field->form == INK_FORM_COUPLED ? maker->use->law[s] : 0, &field->dependences);
  field->columns = 1 + field->dependences;
  field->parts = given->count;
  field->part = ink_pool_alloc(memory, (size_t)(given->count + 1) * sizeof *field->part);
  field->uniform = given->count == 1 && !(given->where && given->where[0]);
  for (int p = 0; p < given->count; p++) {
    if (field->form == INK_FORM_LINEAR && given->data[p].type == INK_SIDE_CONVECTION) field->columns = 2;
    if (!make_part(field, &field->part[p], maker, &given->data[p], given->where ? given->where[p] : NULL, s))
      return false;
  }
  field->data_moves |= field->choice_moves;
  field->data = numbers(closure, field->columns);
  field->choice = array(closure, 1, sizeof *field->choice);
  field->kind = array(closure, 1, 1);
  if (!field->uniform) field->scratch = numbers(closure, field->columns);
  return true;
}

static bool make_conductor(InkClosure *closure, const Maker *maker, int row, int column) {
  struct InkClosureParts *parts = closure->parts;
  const InkExpr *k = maker->spec->conductivity[row * closure->n + column];
  const InkExpr *out[1 + INK_MAX_FIELDS];
  InkConductor *conductor = &parts->conductor[parts->conductors];
  if (row == column) parts->field[row].conductor = parts->conductors;
  parts->conductors++;
  conductor->row = row;
  conductor->column = column;
  conductor->field = fields_of(parts->memory, ink_side_fields(k), &conductor->dependences);
  conductor->moves = varies(k);
  conductor->cell = numbers(closure, 1 + conductor->dependences);
  if (conductor->dependences) conductor->surface = numbers(closure, 1 + conductor->dependences);
  const int outputs = with_derivatives(maker, k, conductor->dependences, conductor->field, out);
  conductor->program = compile(maker, outputs, out);
  return conductor->program != NULL;
}

static bool make_conductors(InkClosure *closure, const Maker *maker) {
  struct InkClosureParts *parts = closure->parts;
  const int n = closure->n;
  int most = 0;
  for (int e = 0; e < n * n; e++) most += maker->spec->conductivity[e] != NULL;
  parts->conductor = ink_pool_alloc(parts->memory, (size_t)(most + 1) * sizeof *parts->conductor);
  for (int s = 0; s < n; s++) {
    const InkSideField *field = &parts->field[s];
    if (field->form == INK_FORM_STILL || !field->mobile) continue;
    if (!make_conductor(closure, maker, s, s)) return false; /* a row begins with the own one */
    for (int f = 0; f < n; f++)
      if ((maker->use->cross[s] >> f & 1) && !make_conductor(closure, maker, s, f)) return false;
  }
  return true;
}

static bool make_velocity(InkClosure *closure, const Maker *maker) {
  struct InkClosureParts *parts = closure->parts;
  const InkExpr *velocity = maker->spec->velocity;
  if (ink_side_absent(velocity)) return true;
  parts->inwards = closure->side % 2 ? -1.0 : 1.0;
  parts->velocity_moves = varies(velocity);
  parts->speed = numbers(closure, 1);
  parts->velocity = compile(maker, 1, &velocity);
  return parts->velocity != NULL;
}

/* ---- the coupled fields ---- */

/* Marks the linear fields whose us a coupled field's law or half cell uses. */
static void mark_followed(InkClosure *closure, const InkClosureSpec *spec, const InkSideUse *use) {
  struct InkClosureParts *parts = closure->parts;
  const int n = closure->n;
  uint64_t used = 0;
  for (int a = 0; a < parts->newton.m; a++) {
    const int s = parts->newton.field[a];
    used |= use->law[s] | use->cross[s];
    for (int f = 0; f < n; f++)
      if (f == s || (use->cross[s] >> f & 1)) used |= ink_side_fields(spec->conductivity[s * n + f]);
  }
  for (int f = 0; f < n; f++) {
    InkSideField *field = &parts->field[f];
    field->followed = (used >> f & 1) && field->form != INK_FORM_COUPLED;
    if (!field->followed) continue;
    field->follow = numbers(closure, 1);
    for (int64_t i = 0; i < closure->count; i++) field->follow[i] = 1.0; /* what a still field keeps */
  }
}

/* May field s be solved by itself in plain loops? */
static bool is_single(const InkClosure *closure, const InkClosureSpec *spec, const InkSideUse *use, int s) {
  const InkSideField *field = &closure->parts->field[s];
  const uint64_t uses = use->law[s] | use->cross[s] | ink_side_fields(spec->conductivity[s * spec->n + s]);
  return field->mobile && field->uniform && !closure->parts->velocity && !(uses & ~(1ull << s)) &&
         field->part[0].type != INK_SIDE_VALUE && field->part[0].type != INK_SIDE_CLOSED;
}

static void make_newton(InkClosure *closure, const InkClosureSpec *spec, const InkSideUse *use) {
  struct InkClosureParts *parts = closure->parts;
  InkSurfaceNewton *newton = &parts->newton;
  uint64_t coupled = 0;
  for (int s = 0; s < closure->n; s++)
    if (use->form[s] == INK_FORM_COUPLED) coupled |= 1ull << s;
  if (!coupled) return;
  newton->field = fields_of(parts->memory, coupled, &newton->m);
  newton->place = ink_pool_alloc(parts->memory, (size_t)closure->n * sizeof *newton->place);
  for (int s = 0; s < closure->n; s++) newton->place[s] = -1;
  for (int a = 0; a < newton->m; a++) newton->place[newton->field[a]] = a;
  newton->single = newton->m == 1 && is_single(closure, spec, use, newton->field[0]);
  allocate_newton(closure);
  mark_followed(closure, spec, use);
}

/* ---- creation ---- */

static bool make(InkClosure *closure, const Maker *maker) {
  struct InkClosureParts *parts = closure->parts;
  if (parts->still) return true;
  for (int s = 0; s < closure->n; s++)
    if (!make_field(closure, maker, s)) return false;
  if (!make_conductors(closure, maker) || !make_velocity(closure, maker)) return false;
  make_newton(closure, maker->spec, maker->use);
  return true;
}

InkClosure *ink_closure_create(const InkMesh *mesh, int side, const InkClosureSpec *spec, InkPool *pool,
                               char *message, size_t size) {
  InkPool *memory = ink_pool_create();
  InkClosure *closure = ink_pool_alloc(memory, sizeof *closure);
  struct InkClosureParts *parts = ink_pool_alloc(memory, sizeof *parts);
  InkSideUse use;
  const Maker maker = {.spec = spec, .use = &use, .pool = pool, .message = message, .size = size};
  closure->parts = parts;
  closure->side = side;
  closure->n = spec->n;
  closure->count = ink_side_count(mesh, side);
  parts->memory = memory;
  parts->field_size = (size_t)mesh->size;
  parts->field = ink_pool_alloc(memory, (size_t)spec->n * sizeof *parts->field);
  ink_side_use(spec, pool, &use);
  parts->still = true;
  for (int s = 0; s < spec->n; s++) {
    parts->field[s].form = use.form[s];
    parts->field[s].mobile = spec->conductivity[s * spec->n + s] != NULL;
    parts->field[s].conductor = -1;
    parts->still = parts->still && use.form[s] == INK_FORM_STILL;
  }
  ink_side_classify(closure, spec, &use, pool);
  allocate(closure);
  locate_faces(closure, mesh);
  if (!make(closure, &maker)) ink_closure_destroy(&closure);
  return closure;
}

void ink_closure_destroy(InkClosure **closure) {
  if (!*closure) return;
  struct InkClosureParts *parts = (*closure)->parts;
  for (int s = 0; s < (*closure)->n; s++)
    for (int p = 0; p < parts->field[s].parts; p++) {
      InkSidePart *part = &parts->field[s].part[p];
      if (part->condition) ink_program_destroy(&part->condition);
      if (part->law) ink_program_destroy(&part->law);
    }
  for (int c = 0; c < parts->conductors; c++)
    if (parts->conductor[c].program) ink_program_destroy(&parts->conductor[c].program);
  if (parts->velocity) ink_program_destroy(&parts->velocity);
  InkPool *memory = parts->memory;
  ink_pool_destroy(&memory);
  *closure = NULL;
}
