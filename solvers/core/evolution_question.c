/* Evolutions: which quantities a deck defines, and what they ask for. Local; no MPI, no udunits. */
#include "asking.h"
#include "evolution_impl.h"
#include <string.h>

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

typedef struct Asking {
  InkAsking ask;
  const InkEvolutionModel *model;
  const char *const *name; /* of the fields */
  const InkDim *dim;
  int n;
} Asking;

/* The field of that name; the key `field` when `name` is ""; the only one when that is not given. */
static bool read_field(const Asking *a, const char *name, int *field) {
  char known[512];
  const char *wanted = *name ? name : ink_option_text(&a->ask, "field");
  *field = 0;
  if (!wanted && a->n == 1) return true;
  for (int f = 0; wanted && f < a->n; f++) {
    *field = f;
    if (is(a->name[f], wanted)) return true;
  }
  ink_names_join(a->name, a->n, known, sizeof known);
  if (!wanted) return ink_refuse(&a->ask, "%s needs field, one of %s", a->ask.query->kind, known);
  if (a->n == 1)
    return ink_refuse(&a->ask, "%s: %s has one field, %s, got '%s'", a->ask.query->kind, a->model->name,
                      known, wanted);
  return ink_refuse(&a->ask, "%s: there is no field '%s'; the fields are: %s", a->ask.query->kind, wanted,
                    known);
}

/* "SIDE" or "SIDE:FIELD". */
static bool read_side(const Asking *a, InkQuestion *q, const char **field) {
  const char *names[INK_SIDES], *argument = a->ask.query->argument, *colon = strchr(argument, ':');
  const size_t length = colon ? (size_t)(colon - argument) : strlen(argument);
  *field = colon ? colon + 1 : "";
  ink_deck_sides(a->ask.deck, names);
  for (q->side = 0; q->side < INK_SIDES; q->side++) {
    const char *name = names[q->side];
    if (!*name || strlen(name) != length || strncmp(name, argument, length) != 0) continue;
    if (!ink_deck_side_is_periodic(a->ask.deck, name)) return true;
    return ink_refuse(&a->ask, "%s: side %s is periodic, so nothing leaves there", a->ask.query->kind, name);
  }
  return ink_refuse(&a->ask, "%s: the mesh has no side '%.*s'", a->ask.query->kind, (int)length, argument);
}

/* The axis the entry names, the only one when it does not; -1: none. */
static int read_axis(const Asking *a) {
  const char *axis = ink_option_text(&a->ask, "axis");
  if (!axis) return ink_deck_dimension(a->ask.deck) == 1 ? 0 : -1;
  return ink_deck_axis(a->ask.deck, axis);
}

static bool refuse_axis(const Asking *a) {
  const char *axis = ink_option_text(&a->ask, "axis");
  if (axis) return ink_refuse(&a->ask, "the mesh has no axis %s", axis);
  return ink_refuse(&a->ask, "needs axis, one of the mesh's axes");
}

static bool read_number(const Asking *a, const char *key, double *number) {
  const InkNode *node = ink_option(&a->ask, key);
  if (!node) return false;
  *number = node->number;
  return true;
}

/* ---- one quantity each; the dimension is filled in ---- */

static bool ask_probe(const Asking *a, InkQuestion *q) {
  const char *field;
  if (!ink_read_probe(&a->ask, &q->probe, &field) || !read_field(a, field, &q->field)) return false;
  q->dim = a->dim[q->field];
  return true;
}

static bool ask_field(const Asking *a, InkQuestion *q) {
  if (!read_field(a, a->ask.query->argument, &q->field)) return false;
  const InkDim u = a->dim[q->field], metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  q->dim = u;
  if (q->what == INK_ASKED_VARIANCE) q->dim = ink_dim_product(u, u, 1.0);
  if (q->what == INK_ASKED_INTEGRAL) q->dim = ink_dim_product(u, metre, ink_deck_volume_metres(a->ask.deck));
  return true;
}

static bool ask_flux(const Asking *a, InkQuestion *q) {
  const char *field;
  const InkDim metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  if (!read_side(a, q, &field) || !read_field(a, field, &q->field)) return false;
  q->dim = a->model->flux(a->ask.deck, q->field);
  if (q->what == INK_ASKED_FLUX) q->dim = ink_dim_product(q->dim, metre, ink_deck_side_metres(a->ask.deck));
  return true;
}

/* The only field with electrons when the deck does not name one. */
static bool ask_current(const Asking *a, InkQuestion *q) {
  const char *field, *names[INK_SIDES];
  int carriers = 0, last = 0;
  if (!a->model->electrons) return ink_refuse(&a->ask, "current is not defined for %s", a->model->name);
  if (!read_side(a, q, &field)) return false;
  ink_deck_sides(a->ask.deck, names);
  const char *side = names[q->side];
  for (int f = 0; f < a->n; f++) {
    if (!(a->model->electrons(a->ask.deck, side, f) > 0.0)) continue;
    carriers++;
    last = f;
  }
  if (!carriers)
    return ink_refuse(&a->ask,
                      "current:%s needs electrons: give their number n with the law of boundary.%s, and the "
                      "current is n F times the outward flux",
                      side, side);
  q->field = last;
  if ((carriers > 1 || *field || ink_option_text(&a->ask, "field")) && !read_field(a, field, &q->field))
    return false;
  q->number = a->model->electrons(a->ask.deck, side, q->field);
  if (!(q->number > 0.0))
    return ink_refuse(&a->ask, "current:%s: %s has no electrons there", side, a->name[q->field]);
  const InkDim charge = ink_dim_si(0, 0, 1, 0, 1, -1), metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  q->dim = ink_dim_product(a->model->flux(a->ask.deck, q->field), charge, 1.0);
  q->dim = ink_dim_product(q->dim, metre, ink_deck_side_metres(a->ask.deck));
  return true;
}

static bool ask_error(const Asking *a, InkQuestion *q) {
  const char *field;
  bool l2;
  if (!ink_read_error(&a->ask, a->name[0], &l2, &field) || !read_field(a, field, &q->field)) return false;
  q->what = l2 ? INK_ASKED_ERROR_L2 : INK_ASKED_ERROR_MAX;
  q->dim = l2 ? ink_dim_si(0, 0, 0, 0, 0, 0) : a->dim[q->field];
  return ink_needs_exact(&a->ask, a->name[q->field]);
}

static bool ask_balance(const Asking *a, InkQuestion *q) {
  q->dim = ink_dim_si(0, 0, 0, 0, 0, 0);
  return read_field(a, a->ask.query->argument, &q->field) &&
         a->model->balance(a->ask.deck, q->field, a->ask.message, a->ask.size);
}

/* "position" or "speed", with or without ":FIELD". */
static bool ask_front(const Asking *a, InkQuestion *q) {
  const char *argument = a->ask.query->argument, *colon = strchr(argument, ':');
  const size_t length = colon ? (size_t)(colon - argument) : strlen(argument);
  const bool speed = length == strlen("speed") && strncmp(argument, "speed", length) == 0;
  if (!speed && (length != strlen("position") || strncmp(argument, "position", length) != 0))
    return ink_refuse(&a->ask, "front:%s is not defined for %s; front:position and front:speed are", argument,
                      a->model->name);
  q->what = speed ? INK_ASKED_FRONT_SPEED : INK_ASKED_FRONT_POSITION;
  q->dim = ink_dim_si(1, 0, speed ? -1 : 0, 0, 0, 0);
  if (!read_number(a, "level", &q->number))
    return ink_refuse(&a->ask, "front:%s needs level, the value that marks the front", argument);
  q->axis = read_axis(a);
  if (q->axis < 0) return refuse_axis(a);
  return read_field(a, colon ? colon + 1 : "", &q->field);
}

static bool ask_wave(const Asking *a, InkQuestion *q) {
  q->dim = ink_dim_si(0, 0, -1, 0, 0, 0);
  if (!read_number(a, "wavenumber", &q->number))
    return ink_refuse(&a->ask, "%s needs wavenumber, 2 pi over the wavelength", a->ask.query->kind);
  q->axis = q->number == 0.0 && !ink_option_text(&a->ask, "axis") ? 0 : read_axis(a);
  if (q->axis < 0) return refuse_axis(a);
  if (q->number != 0.0 && q->axis == 0 && ink_deck_coordinates(a->ask.deck) != INK_CARTESIAN)
    return ink_refuse(&a->ask, "%s: waves along r are no Fourier components", a->ask.query->kind);
  if (!read_field(a, a->ask.query->argument, &q->field)) return false;
  if (q->what == INK_ASKED_AMPLITUDE) q->dim = a->dim[q->field];
  return true;
}

static bool ask_pattern(const Asking *a, InkQuestion *q) {
  const char *kind = a->ask.query->kind;
  q->dim = q->what == INK_ASKED_WAVELENGTH ? ink_dim_si(1, 0, 0, 0, 0, 0) : ink_dim_si(0, 0, 0, 0, 0, 0);
  char why[256];
  if (q->what == INK_ASKED_WAVELENGTH && !ink_deck_has_spectrum(a->ask.deck, why, sizeof why))
    return ink_refuse(&a->ask, "%s: %s", kind, why);
  if (q->what == INK_ASKED_SPOTS && !read_number(a, "level", &q->number))
    return ink_refuse(&a->ask, "%s needs level: regions where the field is above it are counted", kind);
  return read_field(a, a->ask.query->argument, &q->field);
}

bool ink_question_read(const InkDeck *deck, const InkEvolutionModel *model, const InkQuery *query,
                       InkQuestion *question, char *message, size_t size) {
  static const struct {
    const char *kind;
    InkAsked what;
    bool (*ask)(const Asking *, InkQuestion *);
  } known[] = {{"probe", INK_ASKED_PROBE, ask_probe},
               {"integral", INK_ASKED_INTEGRAL, ask_field},
               {"mean", INK_ASKED_MEAN, ask_field},
               {"variance", INK_ASKED_VARIANCE, ask_field},
               {"min", INK_ASKED_MIN, ask_field},
               {"max", INK_ASKED_MAX, ask_field},
               {"flux", INK_ASKED_FLUX, ask_flux},
               {"mean_flux", INK_ASKED_MEAN_FLUX, ask_flux},
               {"current", INK_ASKED_CURRENT, ask_current},
               {"error", INK_ASKED_ERROR_L2, ask_error},
               {"balance", INK_ASKED_BALANCE, ask_balance},
               {"front", INK_ASKED_FRONT_POSITION, ask_front},
               {"amplitude", INK_ASKED_AMPLITUDE, ask_wave},
               {"growth", INK_ASKED_GROWTH, ask_wave},
               {"wavelength", INK_ASKED_WAVELENGTH, ask_pattern},
               {"spots", INK_ASKED_SPOTS, ask_pattern}};
  Asking a = {.ask = {deck, query, message, size}, .model = model};
  a.n = ink_deck_fields(deck, &a.name, &a.dim);
  *question = (InkQuestion){.probe = ""};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!is(known[i].kind, query->kind)) continue;
    question->what = known[i].what;
    return a.n > 0 ? known[i].ask(&a, question) : ink_refuse(&a.ask, "%s: there are no fields", query->kind);
  }
  return ink_refuse(&a.ask, "%s is not defined for %s", query->kind, model->name);
}

bool ink_evolution_defined(const InkDeck *deck, const InkEvolutionModel *model, const InkQuery *query,
                           InkDim *dim, char *message, size_t size) {
  InkQuestion question;
  if (!ink_question_read(deck, model, query, &question, message, size)) return false;
  *dim = question.dim;
  return true;
}
