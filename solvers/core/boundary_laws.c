/* Evaluation of closures: which part of the side holds at each face, its data, the coefficients, and the
 * fields whose law is linear and their own affair. For these, with q = a us - b u in the half cell
 * (a = b = k/d without advection),
 *
 *     value       us = v                       q = a v - b u
 *     flux        us = (q + b u) / a           q given
 *     convection  us = (h ambient + b u) / (a + h)     q = h (a ambient - b u) / (a + h). */
#include <math.h>
#include <string.h>
#include "boundary_impl.h"

void ink_side_run(const InkClosure *closure, const InkProgram *program, double *const at[4], double t,
                  const double *state, double *out) {
  const double *in[INK_VARS] = {NULL};
  double *columns[1 + INK_MAX_FIELDS];
  const size_t count = (size_t)closure->count;
  in[INK_VAR_X] = at[0];
  in[INK_VAR_Y] = at[1];
  in[INK_VAR_Z] = at[2];
  in[INK_VAR_R] = at[3];
  in[INK_VAR_T] = &t;
  for (int f = 0; f < closure->n; f++) in[INK_VAR_FIELD + f] = state + (size_t)f * count;
  for (int o = 0; o < ink_program_outputs(program); o++) columns[o] = out + (size_t)o * count;
  ink_program_run(program, count, in, columns);
}

/* ---- parts ---- */

static void choose_parts(InkClosure *closure, InkSideField *field, double t) {
  const struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  if (field->choice_known && !field->choice_moves) return;
  field->choice_known = true;
  for (int64_t i = 0; i < count; i++) field->choice[i] = -1;
  for (int p = 0; p < field->parts; p++) {
    const InkSidePart *part = &field->part[p];
    if (part->condition)
      ink_side_run(closure, part->condition, parts->face_at, t, parts->state, field->scratch);
    for (int64_t i = 0; i < count; i++)
      if (field->choice[i] < 0 && (!part->condition || field->scratch[i] != 0.0)) field->choice[i] = p;
  }
  for (int64_t i = 0; i < count; i++)
    field->kind[i] =
        (unsigned char)(field->choice[i] < 0 ? INK_SIDE_CLOSED : field->part[field->choice[i]].type);
}

void ink_side_data(InkClosure *closure, int s, double t, const double *surface) {
  const struct InkClosureParts *parts = closure->parts;
  InkSideField *field = &parts->field[s];
  const int64_t count = closure->count;
  for (int p = 0; p < field->parts; p++) {
    const InkSidePart *part = &field->part[p];
    if (!part->law) continue;
    ink_side_run(closure, part->law, parts->face_at, t, surface,
                 field->uniform ? field->data : field->scratch);
    if (field->uniform) continue;
    for (int c = 0; c < ink_program_outputs(part->law); c++)
      for (int64_t i = 0; i < count; i++)
        if (field->choice[i] == p) field->data[c * count + i] = field->scratch[c * count + i];
  }
}

/* ---- linear laws ---- */

/* One field on the faces. */
typedef struct Faces {
  int64_t count;
  double d;
  bool all;                  /* one kind at all faces */
  const unsigned char *kind; /* [count] */
  const double *u, *first, *second;
  const double *k;        /* of the own conductivity; NULL: immobile */
  const double *w;        /* velocity into the domain; NULL: none */
  double *q, *slope, *us; /* results */
  double *follow;         /* dus/du; NULL: not wanted */
} Faces;

static bool is(const Faces *faces, int64_t i, InkSideType kind) {
  return faces->all || faces->kind[i] == kind;
}

/* k may depend on the own u: ks is its mean over cell and side, dk its derivative at the cell. */
static void fix_value(InkClosure *closure, const Faces *faces, const InkConductor *conductor, double t) {
  const double d = faces->d;
  const bool k_state = conductor->dependences > 0;
  const double *at_side = conductor->surface, *dk = conductor->cell + faces->count;
  for (int64_t i = 0; i < faces->count; i++)
    if (is(faces, i, INK_SIDE_VALUE)) faces->us[i] = faces->first[i];
  if (k_state)
    ink_side_run(closure, conductor->program, closure->parts->cell_at, t, closure->surface,
                 conductor->surface);
  for (int64_t i = 0; i < faces->count; i++) {
    if (!is(faces, i, INK_SIDE_VALUE)) continue;
    const double difference = faces->first[i] - faces->u[i];
    const double ks = k_state ? 0.5 * (faces->k[i] + at_side[i]) : faces->k[i];
    faces->q[i] = ks * difference / d;
    faces->slope[i] = (k_state ? 0.5 * dk[i] * difference - ks : -ks) / d;
  }
}

static void fix_flux(const Faces *faces) {
  for (int64_t i = 0; i < faces->count; i++) {
    if (!is(faces, i, INK_SIDE_FLUX)) continue;
    const double q = faces->first[i], k = faces->k[i];
    faces->q[i] = q;
    faces->slope[i] = 0.0;
    faces->us[i] = k == 0.0 ? faces->u[i] : faces->u[i] + q * faces->d / k;
  }
}

/* q = (ambient - u) / (1/h + d/k), written so that h = 0 and k = 0 give 0. */
static void convect(const Faces *faces) {
  const double d = faces->d;
  for (int64_t i = 0; i < faces->count; i++) {
    if (!is(faces, i, INK_SIDE_CONVECTION)) continue;
    const double h = faces->first[i], ambient = faces->second[i], k = faces->k[i], u = faces->u[i];
    const double sum = k + h * d;
    const double transfer = sum == 0.0 ? 0.0 : h * k / sum;
    faces->q[i] = transfer * (ambient - u);
    faces->slope[i] = -transfer;
    faces->us[i] = sum == 0.0 ? u : u + h * d / sum * (ambient - u);
  }
}

static void close_faces(const Faces *faces) {
  for (int64_t i = 0; i < faces->count; i++) {
    if (!is(faces, i, INK_SIDE_CLOSED)) continue;
    faces->q[i] = faces->slope[i] = 0.0;
    faces->us[i] = faces->u[i];
  }
}

/* dus/du of the laws above. */
static void follow_cell(const Faces *faces) {
  for (int64_t i = 0; i < faces->count; i++) {
    const double sum = faces->kind[i] == INK_SIDE_CONVECTION ? faces->k[i] + faces->first[i] * faces->d : 0.0;
    faces->follow[i] = faces->kind[i] == INK_SIDE_VALUE ? 0.0 : sum == 0.0 ? 1.0 : faces->k[i] / sum;
  }
}

/* The same laws with advection. Where a is 0 (upwind, or a profile too steep for numbers) us cannot be told
 * from the flux: it is taken as u. */
static void carry(const Faces *faces) {
  for (int64_t i = 0; i < faces->count; i++) {
    const InkCarry half = ink_carry(faces->k[i], faces->w[i], faces->d);
    const double a = half.into, b = half.out, u = faces->u[i], first = faces->first[i];
    const bool convection = faces->kind[i] == INK_SIDE_CONVECTION;
    const double h = convection ? first : 0.0, sum = a + h;
    double q = 0.0, slope = 0.0, us, follow;
    if (faces->kind[i] == INK_SIDE_VALUE) {
      us = first;
      follow = 0.0;
      q = a * us - b * u;
      slope = -b;
    } else {
      const double given = faces->kind[i] == INK_SIDE_FLUX ? first : convection ? h * faces->second[i] : 0.0;
      us = (given + b * u) / sum;
      follow = b / sum;
      if (convection && sum != 0.0) {
        q = h * (a * faces->second[i] - b * u) / sum;
        slope = -h * b / sum;
      } else if (!convection)
        q = given;
      if (sum == 0.0 || !isfinite(follow)) {
        us = u;
        follow = 1.0;
      }
    }
    faces->q[i] = q;
    faces->slope[i] = slope;
    faces->us[i] = us;
    if (faces->follow) faces->follow[i] = follow;
  }
}

/* A field that only stays where it is: no half cell, us = u. */
static void deposit(const Faces *faces) {
  for (int64_t i = 0; i < faces->count; i++) {
    const bool convection = faces->kind[i] == INK_SIDE_CONVECTION;
    const double first = faces->first[i], u = faces->u[i];
    faces->us[i] = u;
    faces->q[i] = convection ? first * (faces->second[i] - u) : faces->kind[i] == INK_SIDE_FLUX ? first : 0.0;
    faces->slope[i] = convection ? -first : 0.0;
  }
}

static bool occurs(const InkSideField *field, InkSideType kind) {
  if (field->uniform) return field->part[0].type == kind;
  for (int p = 0; p < field->parts; p++)
    if (field->part[p].type == kind) return true;
  return kind == INK_SIDE_CLOSED;
}

static void solve_linear(InkClosure *closure, int s, double t) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSideField *field = &parts->field[s];
  const int64_t count = closure->count;
  const InkConductor *conductor = field->mobile ? &parts->conductor[field->conductor] : NULL;
  const Faces faces = {.count = count,
                       .d = closure->distance,
                       .all = field->uniform,
                       .kind = field->kind,
                       .u = parts->state + s * count,
                       .first = field->data,
                       .second = field->data + (field->columns - 1) * count,
                       .k = conductor ? conductor->cell : NULL,
                       .w = parts->velocity ? parts->speed : NULL,
                       .q = closure->inflow + s * count,
                       .slope = closure->slope + (s * closure->n + s) * count,
                       .us = closure->surface + s * count,
                       .follow = field->followed ? field->follow : NULL};
  if (!conductor) {
    deposit(&faces);
    return;
  }
  if (faces.w) {
    carry(&faces);
    return;
  }
  if (occurs(field, INK_SIDE_CLOSED)) close_faces(&faces);
  if (occurs(field, INK_SIDE_VALUE)) fix_value(closure, &faces, conductor, t);
  if (occurs(field, INK_SIDE_FLUX)) fix_flux(&faces);
  if (occurs(field, INK_SIDE_CONVECTION)) convect(&faces);
  if (faces.follow) follow_cell(&faces);
}

/* ---- all fields ---- */

static void evaluate_velocity(InkClosure *closure, double t) {
  struct InkClosureParts *parts = closure->parts;
  if (!parts->velocity || (parts->velocity_known && !parts->velocity_moves)) return;
  ink_side_run(closure, parts->velocity, parts->face_at, t, parts->state, parts->speed);
  for (int64_t i = 0; i < closure->count; i++) parts->speed[i] *= parts->inwards;
  parts->velocity_known = true;
}

static void evaluate_coefficients(InkClosure *closure, double t) {
  const struct InkClosureParts *parts = closure->parts;
  for (int c = 0; c < parts->conductors; c++) {
    InkConductor *conductor = &parts->conductor[c];
    if (conductor->known && !conductor->moves) continue;
    ink_side_run(closure, conductor->program, parts->cell_at, t, parts->state, conductor->cell);
    conductor->known = true;
  }
}

static void gather(const InkClosure *closure, const double *u, double *state) {
  const int64_t count = closure->count;
  const size_t size = closure->parts->field_size;
  for (int f = 0; f < closure->n; f++) {
    const double *values = u + (size_t)f * size;
    for (int64_t i = 0; i < count; i++) state[f * count + i] = values[closure->cell[i]];
  }
}

void ink_closure_evaluate(InkClosure *closure, double t, const double *u) {
  struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  if (count == 0) return;
  gather(closure, u, parts->still ? closure->surface : parts->state);
  if (parts->still) return;
  evaluate_velocity(closure, t);
  evaluate_coefficients(closure, t);
  for (int s = 0; s < closure->n; s++) {
    InkSideField *field = &parts->field[s];
    if (field->form == INK_FORM_STILL)
      memcpy(closure->surface + s * count, parts->state + s * count, (size_t)count * sizeof(double));
    else
      choose_parts(closure, field, t);
    if (field->form != INK_FORM_LINEAR) continue;
    if (!field->data_known || field->data_moves) ink_side_data(closure, s, t, parts->state);
    field->data_known = true;
    solve_linear(closure, s, t);
  }
  if (parts->newton.m) ink_side_solve(closure, t);
}
