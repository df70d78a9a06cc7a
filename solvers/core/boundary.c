/* Closures of the sides: q(x,t,u) from a side's law and the half cell,
 *
 *     ks (us - u) / d = q(x,t,us),      dq/du = q'(us) dus/du,   dus/du = (ks/d - k'(u)/2 (us - u)/d) /
 * f'(us),
 *
 * with f(us) = ks (us - u)/d - q(us). */
#include "boundary.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEWTON_STEPS = 60 };
#define NEWTON_TOLERANCE 1e-12

/* How a closure is evaluated. */
typedef enum Form { CLOSED, FIXED_VALUE, FIXED_FLUX, LINEAR_CONVECTION, SURFACE_LAW } Form;

struct InkClosureParts {
  Form form;
  InkProgram *data;      /* value: v. fixed flux: q. linear convection: h, ambient. surface law: q, dq/dus */
  InkProgram *conductor; /* k, dk/du at the cell's place */
  bool data_static, k_static; /* evaluated once */
  bool k_state;               /* k depends on u */
  double *face_at[4];         /* x y z r of the face centres */
  double *cell_at[4];         /* of the cells */
  double *first, *second;     /* outputs of data */
  double *k, *dk;             /* at u */
  double *ks, *dks;           /* at the surface value */
  double *state;              /* u */
  unsigned char *done;        /* per face: Newton is done */
  bool k_known, data_known;   /* the static ones have been evaluated */
  void *memory;               /* of all the double arrays */
};

/* ---- geometry ---- */

static double place(const InkMesh *mesh, int axis, int64_t local) {
  return mesh->axis[axis].centroid[mesh->start[axis] + local];
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
      double at[3] = {0.0, 0.0, 0.0};
      if (first < mesh->dim) at[first] = place(mesh, first, a);
      if (second < mesh->dim) at[second] = place(mesh, second, b);
      at[normal] = axis->centroid[cell];
      for (int d = 0; d < 3; d++) parts->cell_at[d][n] = at[d];
      parts->cell_at[3][n] = at[0];
      at[normal] = axis->face[wall];
      for (int d = 0; d < 3; d++) parts->face_at[d][n] = at[d];
      parts->face_at[3][n] = at[0];
    }
}

static void allocate(InkClosure *closure) {
  enum { ARRAYS = 19 };
  struct InkClosureParts *parts = closure->parts;
  const size_t n = (size_t)(closure->count > 0 ? closure->count : 1);
  double *memory = calloc(ARRAYS * n, sizeof(double));
  closure->cell = calloc(n, sizeof(int64_t));
  parts->done = calloc(n, 1);
  if (!memory || !closure->cell || !parts->done) abort();
  double **array[ARRAYS] = {&closure->area,     &closure->inflow,   &closure->slope,    &closure->surface,
                            &parts->face_at[0], &parts->face_at[1], &parts->face_at[2], &parts->face_at[3],
                            &parts->cell_at[0], &parts->cell_at[1], &parts->cell_at[2], &parts->cell_at[3],
                            &parts->first,      &parts->second,     &parts->k,          &parts->dk,
                            &parts->ks,         &parts->dks,        &parts->state};
  for (int a = 0; a < ARRAYS; a++) *array[a] = memory + (size_t)a * n;
  parts->memory = memory;
}

/* ---- laws ---- */

static uint64_t field_bit(void) { return 1ull << INK_VAR_FIELD; }
static uint64_t time_bit(void) { return 1ull << INK_VAR_T; }
static uint64_t variables_of(const InkExpr *e) { return e ? ink_expr_variables(e) : 0; }

/* q as a function of the surface value. */
static const InkExpr *surface_law(InkPool *pool, const InkSideData *data) {
  const InkExpr *us = ink_expr_variable(pool, INK_VAR_FIELD);
  if (data->type == INK_SIDE_FLUX) return data->value;
  if (data->type == INK_SIDE_CONVECTION)
    return ink_expr_binary(pool, INK_OP_MUL, data->coefficient,
                           ink_expr_binary(pool, INK_OP_SUB, data->ambient, us));
  const InkExpr *four = ink_expr_number(pool, 4.0);
  const InkExpr *factor =
      ink_expr_binary(pool, INK_OP_MUL, data->emissivity, ink_expr_number(pool, INK_STEFAN_BOLTZMANN));
  const InkExpr *difference =
      ink_expr_binary(pool, INK_OP_SUB, ink_expr_binary(pool, INK_OP_POW, data->ambient, four),
                      ink_expr_binary(pool, INK_OP_POW, us, four));
  return ink_expr_binary(pool, INK_OP_MUL, factor, difference);
}

static Form form_of(const InkSideData *data, bool k_state) {
  const bool state = (variables_of(data->value) | variables_of(data->coefficient) |
                      variables_of(data->ambient) | variables_of(data->emissivity)) &
                     field_bit();
  switch (data->type) {
  case INK_SIDE_CLOSED:
    return CLOSED;
  case INK_SIDE_VALUE:
    return FIXED_VALUE;
  case INK_SIDE_FLUX:
    return state || k_state ? SURFACE_LAW : FIXED_FLUX;
  case INK_SIDE_CONVECTION:
    return state || k_state ? SURFACE_LAW : LINEAR_CONVECTION;
  case INK_SIDE_RADIATION:
    return SURFACE_LAW;
  }
  return CLOSED;
}

static bool compile(InkClosure *closure, const InkSideData *data, const InkExpr *conductivity, InkPool *pool,
                    char *message, size_t size) {
  struct InkClosureParts *parts = closure->parts;
  const InkExpr *out[2] = {NULL, NULL};
  int outputs = 1;
  switch (parts->form) {
  case CLOSED:
    return true;
  case FIXED_VALUE:
  case FIXED_FLUX:
    out[0] = data->value;
    break;
  case LINEAR_CONVECTION:
    out[0] = data->coefficient;
    out[1] = data->ambient;
    outputs = 2;
    break;
  case SURFACE_LAW:
    out[0] = surface_law(pool, data);
    out[1] = ink_expr_derivative(pool, out[0], INK_VAR_FIELD);
    outputs = 2;
    break;
  }
  const InkExpr *conductor[2] = {conductivity, ink_expr_derivative(pool, conductivity, INK_VAR_FIELD)};
  parts->data = ink_program_create(outputs, out, time_bit(), message, size);
  parts->conductor = parts->data ? ink_program_create(2, conductor, time_bit(), message, size) : NULL;
  return parts->conductor != NULL;
}

/* What kind of function of u and t the closure is. */
static void classify(InkClosure *closure, const InkSideData *data, const InkExpr *conductivity) {
  struct InkClosureParts *parts = closure->parts;
  const uint64_t k = variables_of(conductivity), h = variables_of(data->coefficient);
  const uint64_t law =
      variables_of(data->value) | h | variables_of(data->ambient) | variables_of(data->emissivity);
  const bool fixed_flux = data->type == INK_SIDE_FLUX && !(law & field_bit());
  parts->k_state = k & field_bit();
  parts->k_static = !(k & (field_bit() | time_bit()));
  parts->form = form_of(data, parts->k_state);
  parts->data_static = parts->form != SURFACE_LAW && !(law & time_bit());
  closure->moving = data->type != INK_SIDE_CLOSED && ((law | k) & time_bit());
  closure->fixes_level = data->type != INK_SIDE_CLOSED && !fixed_flux;
  closure->affine = !closure->fixes_level || parts->form == LINEAR_CONVECTION ||
                    (parts->form == FIXED_VALUE && !parts->k_state);
  closure->constant_slope =
      !closure->fixes_level || (closure->affine && parts->k_static && !(h & time_bit()));
  closure->dissipative = !closure->fixes_level || (closure->affine && data->type != INK_SIDE_FLUX) ||
                         (data->type == INK_SIDE_RADIATION && !parts->k_state && !(law & field_bit()));
}

InkClosure *ink_closure_create(const InkMesh *mesh, int side, const InkSideData *data,
                               const InkExpr *conductivity, InkPool *pool, char *message, size_t size) {
  InkClosure *closure = calloc(1, sizeof *closure);
  if (!closure) abort();
  closure->parts = calloc(1, sizeof *closure->parts);
  if (!closure->parts) abort();
  closure->side = side;
  closure->type = data->type;
  closure->count = ink_side_count(mesh, side);
  classify(closure, data, conductivity);
  allocate(closure);
  locate_faces(closure, mesh);
  if (!compile(closure, data, conductivity, pool, message, size)) ink_closure_destroy(&closure);
  return closure;
}

void ink_closure_destroy(InkClosure **closure) {
  if (!*closure) return;
  struct InkClosureParts *parts = (*closure)->parts;
  if (parts->data) ink_program_destroy(&parts->data);
  if (parts->conductor) ink_program_destroy(&parts->conductor);
  free(parts->memory);
  free(parts->done);
  free(parts);
  free((*closure)->cell);
  free(*closure);
  *closure = NULL;
}

/* ---- evaluation ---- */

static void run(const InkProgram *program, const InkClosure *closure, double *const at[4], double t,
                const double *state, double *first, double *second) {
  const double *in[INK_VARS] = {NULL};
  double *const out[2] = {first, second};
  in[INK_VAR_X] = at[0];
  in[INK_VAR_Y] = at[1];
  in[INK_VAR_Z] = at[2];
  in[INK_VAR_R] = at[3];
  in[INK_VAR_T] = &t;
  in[INK_VAR_FIELD] = state;
  ink_program_run(program, (size_t)closure->count, in, out);
}

static void fix_value(InkClosure *closure, double t) {
  struct InkClosureParts *parts = closure->parts;
  const double d = closure->distance;
  if (parts->k_state) run(parts->conductor, closure, parts->cell_at, t, parts->first, parts->ks, parts->dks);
  for (int64_t i = 0; i < closure->count; i++) {
    const double difference = parts->first[i] - parts->state[i];
    const double ks = parts->k_state ? 0.5 * (parts->k[i] + parts->ks[i]) : parts->k[i];
    closure->inflow[i] = ks * difference / d;
    closure->slope[i] = (parts->k_state ? 0.5 * parts->dk[i] * difference - ks : -ks) / d;
    closure->surface[i] = parts->first[i];
  }
}

static void fix_flux(InkClosure *closure) {
  struct InkClosureParts *parts = closure->parts;
  for (int64_t i = 0; i < closure->count; i++) {
    const double q = parts->first[i], k = parts->k[i];
    closure->inflow[i] = q;
    closure->slope[i] = 0.0;
    closure->surface[i] = k == 0.0 ? parts->state[i] : parts->state[i] + q * closure->distance / k;
  }
}

/* q = (ambient - u) / (1/h + d/k), written so that h = 0 and k = 0 give 0. */
static void convect(InkClosure *closure) {
  struct InkClosureParts *parts = closure->parts;
  const double d = closure->distance;
  for (int64_t i = 0; i < closure->count; i++) {
    const double h = parts->first[i], ambient = parts->second[i], k = parts->k[i], u = parts->state[i];
    const double sum = k + h * d;
    const double transfer = sum == 0.0 ? 0.0 : h * k / sum;
    closure->inflow[i] = transfer * (ambient - u);
    closure->slope[i] = -transfer;
    closure->surface[i] = sum == 0.0 ? u : u + h * d / sum * (ambient - u);
  }
}

/* One Newton step of every face that is not done; returns how many are still open. */
static int64_t newton_step(InkClosure *closure) {
  struct InkClosureParts *parts = closure->parts;
  const double d = closure->distance;
  int64_t open = 0;
  for (int64_t i = 0; i < closure->count; i++) {
    if (parts->done[i]) continue;
    const double u = parts->state[i], us = closure->surface[i], gradient = (us - u) / d;
    const double ks = parts->k_state ? 0.5 * (parts->k[i] + parts->ks[i]) : parts->k[i];
    const double f = ks * gradient - parts->first[i];
    const double df = ks / d + (parts->k_state ? 0.5 * parts->dks[i] * gradient : 0.0) - parts->second[i];
    const double step = df == 0.0 ? 0.0 : f / df;
    closure->surface[i] = us - step;
    if (!isfinite(step) || fabs(step) <= NEWTON_TOLERANCE * (fabs(us) + fabs(u)))
      parts->done[i] = 1;
    else
      open++;
  }
  return open;
}

static void surface_terms(InkClosure *closure, double t) {
  struct InkClosureParts *parts = closure->parts;
  run(parts->data, closure, parts->face_at, t, closure->surface, parts->first, parts->second);
  if (parts->k_state)
    run(parts->conductor, closure, parts->cell_at, t, closure->surface, parts->ks, parts->dks);
}

static void solve_surface(InkClosure *closure, double t) {
  struct InkClosureParts *parts = closure->parts;
  const double d = closure->distance;
  const size_t n = (size_t)closure->count;
  memcpy(closure->surface, parts->state, n * sizeof(double));
  memset(parts->done, 0, n);
  int64_t open = closure->count;
  for (int step = 0; step < NEWTON_STEPS && open > 0; step++) {
    surface_terms(closure, t);
    open = newton_step(closure);
  }
  surface_terms(closure, t);
  for (int64_t i = 0; i < closure->count; i++) {
    const double u = parts->state[i], us = closure->surface[i], gradient = (us - u) / d;
    const double ks = parts->k_state ? 0.5 * (parts->k[i] + parts->ks[i]) : parts->k[i];
    const double df = ks / d + (parts->k_state ? 0.5 * parts->dks[i] * gradient : 0.0) - parts->second[i];
    const double du = ks / d - (parts->k_state ? 0.5 * parts->dk[i] * gradient : 0.0);
    closure->inflow[i] = parts->first[i];
    closure->slope[i] = df == 0.0 ? 0.0 : parts->second[i] * du / df;
    const bool cold = closure->type == INK_SIDE_RADIATION && !(u > 0.0 && us > 0.0);
    if (!parts->done[i] || cold) closure->inflow[i] = closure->slope[i] = NAN;
  }
}

void ink_closure_evaluate(InkClosure *closure, double t, const double *u) {
  struct InkClosureParts *parts = closure->parts;
  if (closure->count == 0) return;
  for (int64_t i = 0; i < closure->count; i++) parts->state[i] = u[closure->cell[i]];
  if (parts->form == CLOSED) {
    memcpy(closure->surface, parts->state, (size_t)closure->count * sizeof(double));
    return;
  }
  if (!parts->k_static || !parts->k_known)
    run(parts->conductor, closure, parts->cell_at, t, parts->state, parts->k, parts->dk);
  parts->k_known = true;
  if (parts->form == SURFACE_LAW) {
    solve_surface(closure, t);
    return;
  }
  if (!parts->data_static || !parts->data_known)
    run(parts->data, closure, parts->face_at, t, parts->state, parts->first, parts->second);
  parts->data_known = true;
  if (parts->form == FIXED_VALUE) fix_value(closure, t);
  if (parts->form == FIXED_FLUX) fix_flux(closure);
  if (parts->form == LINEAR_CONVECTION) convect(closure);
}
