/* Evolutions: which quantities a deck defines, and what they ask for. Local; no MPI, no udunits. */
#include "evolution_impl.h"
#include <stdarg.h>
#include <string.h>

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

typedef struct Asking {
  const InkDeck *deck;
  const InkEvolutionModel *model;
  const InkQuery *query;
  const char *const *name; /* of the fields */
  const InkDim *dim;
  int n;
  char *message;
  size_t size;
} Asking;

/* Says why a query is not defined; false, for returns. */
__attribute__((format(printf, 2, 3))) static bool refuse(const Asking *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(a->message, a->size, format, args);
  va_end(args);
  return false;
}

/* The text of an option of the verify entry, or NULL. */
static const char *option(const Asking *a, const char *key) {
  const InkNode *node = a->query->entry ? ink_tree_child(a->query->entry, key) : NULL;
  return node && node->kind == INK_SCALAR ? node->text : NULL;
}

/* The field of that name; the key `field` when `name` is ""; the only one when that is not given. */
static bool read_field(const Asking *a, const char *name, int *field) {
  char known[512];
  const char *wanted = *name ? name : option(a, "field");
  *field = 0;
  if (!wanted && a->n == 1) return true;
  for (int f = 0; wanted && f < a->n; f++) {
    *field = f;
    if (is(a->name[f], wanted)) return true;
  }
  ink_names_join(a->name, a->n, known, sizeof known);
  if (!wanted) return refuse(a, "%s needs field, one of %s", a->query->kind, known);
  if (a->n == 1)
    return refuse(a, "%s: %s has one field, %s, got '%s'", a->query->kind, a->model->name, known, wanted);
  return refuse(a, "%s: there is no field '%s'; the fields are: %s", a->query->kind, wanted, known);
}

/* "SIDE" or "SIDE:FIELD". */
static bool read_side(const Asking *a, InkQuestion *q, const char **field) {
  const char *names[INK_SIDES], *argument = a->query->argument, *colon = strchr(argument, ':');
  const size_t length = colon ? (size_t)(colon - argument) : strlen(argument);
  *field = colon ? colon + 1 : "";
  ink_deck_sides(a->deck, names);
  for (q->side = 0; q->side < INK_SIDES; q->side++) {
    const char *name = names[q->side];
    if (!*name || strlen(name) != length || strncmp(name, argument, length) != 0) continue;
    if (!ink_deck_side_is_periodic(a->deck, name)) return true;
    return refuse(a, "%s: side %s is periodic, so nothing leaves there", a->query->kind, name);
  }
  return refuse(a, "%s: the mesh has no side '%.*s'", a->query->kind, (int)length, argument);
}

/* The axis the entry names, the only one when it does not; -1: none. */
static int read_axis(const Asking *a) {
  const char *axis = option(a, "axis");
  if (!axis) return ink_deck_dimension(a->deck) == 1 ? 0 : -1;
  return ink_deck_axis(a->deck, axis);
}

static bool refuse_axis(const Asking *a) {
  const char *axis = option(a, "axis");
  if (axis) return refuse(a, "the mesh has no axis %s", axis);
  return refuse(a, "needs axis, one of the mesh's axes");
}

static bool read_number(const Asking *a, const char *key, double *number) {
  const InkNode *node = a->query->entry ? ink_tree_child(a->query->entry, key) : NULL;
  if (!node) return false;
  *number = node->number;
  return true;
}

/* ---- one quantity each; the dimension is filled in ---- */

static bool ask_probe(const Asking *a, InkQuestion *q) {
  q->probe = a->query->argument;
  if (!*q->probe || !ink_deck_has(a->deck, "probes.%s", q->probe))
    return refuse(a, "probe: there is no probes.%s", q->probe);
  const InkNode *field = ink_deck_node(a->deck, "probes.%s.field", q->probe);
  if (!read_field(a, field && field->text ? field->text : "", &q->field)) return false;
  q->dim = a->dim[q->field];
  return true;
}

static bool ask_field(const Asking *a, InkQuestion *q) {
  if (!read_field(a, a->query->argument, &q->field)) return false;
  const InkDim u = a->dim[q->field], metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  q->dim = u;
  if (q->what == INK_ASKED_VARIANCE) q->dim = ink_dim_product(u, u, 1.0);
  if (q->what == INK_ASKED_INTEGRAL) q->dim = ink_dim_product(u, metre, ink_deck_volume_metres(a->deck));
  return true;
}

static bool ask_flux(const Asking *a, InkQuestion *q) {
  const char *field;
  const InkDim metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  if (!read_side(a, q, &field) || !read_field(a, field, &q->field)) return false;
  q->dim = a->model->flux(a->deck, q->field);
  if (q->what == INK_ASKED_FLUX) q->dim = ink_dim_product(q->dim, metre, ink_deck_side_metres(a->deck));
  return true;
}

/* The only field with electrons when the deck does not name one. */
static bool ask_current(const Asking *a, InkQuestion *q) {
  const char *field, *names[INK_SIDES];
  int carriers = 0, last = 0;
  if (!a->model->electrons) return refuse(a, "current is not defined for %s", a->model->name);
  if (!read_side(a, q, &field)) return false;
  ink_deck_sides(a->deck, names);
  const char *side = names[q->side];
  for (int f = 0; f < a->n; f++) {
    if (!(a->model->electrons(a->deck, side, f) > 0.0)) continue;
    carriers++;
    last = f;
  }
  if (!carriers)
    return refuse(a,
                  "current:%s needs electrons: give their number n with the law of boundary.%s, and the "
                  "current is n F times the outward flux",
                  side, side);
  q->field = last;
  if ((carriers > 1 || *field || option(a, "field")) && !read_field(a, field, &q->field)) return false;
  q->number = a->model->electrons(a->deck, side, q->field);
  if (!(q->number > 0.0)) return refuse(a, "current:%s: %s has no electrons there", side, a->name[q->field]);
  const InkDim charge = ink_dim_si(0, 0, 1, 0, 1, -1), metre = ink_dim_si(1, 0, 0, 0, 0, 0);
  q->dim = ink_dim_product(a->model->flux(a->deck, q->field), charge, 1.0);
  q->dim = ink_dim_product(q->dim, metre, ink_deck_side_metres(a->deck));
  return true;
}

static bool ask_error(const Asking *a, InkQuestion *q) {
  const char *argument = a->query->argument, *colon = strchr(argument, ':');
  const bool l2 = strncmp(argument, "l2:", 3) == 0, max = strncmp(argument, "max:", 4) == 0;
  if ((!l2 && !max) || !colon[1])
    return refuse(a, "error: write error:l2:%s or error:max:%s, got error:%s", a->name[0], a->name[0],
                  argument);
  q->what = l2 ? INK_ASKED_ERROR_L2 : INK_ASKED_ERROR_MAX;
  if (!read_field(a, colon + 1, &q->field)) return false;
  if (!ink_deck_has(a->deck, "exact.%s", a->name[q->field]))
    return refuse(a, "error:%s needs exact.%s", argument, a->name[q->field]);
  q->dim = l2 ? ink_dim_si(0, 0, 0, 0, 0, 0) : a->dim[q->field];
  return true;
}

static bool ask_balance(const Asking *a, InkQuestion *q) {
  q->dim = ink_dim_si(0, 0, 0, 0, 0, 0);
  return read_field(a, a->query->argument, &q->field) &&
         a->model->balance(a->deck, q->field, a->message, a->size);
}

/* "position" or "speed", with or without ":FIELD". */
static bool ask_front(const Asking *a, InkQuestion *q) {
  const char *argument = a->query->argument, *colon = strchr(argument, ':');
  const size_t length = colon ? (size_t)(colon - argument) : strlen(argument);
  const bool speed = length == strlen("speed") && strncmp(argument, "speed", length) == 0;
  if (!speed && (length != strlen("position") || strncmp(argument, "position", length) != 0))
    return refuse(a, "front:%s is not defined for %s; front:position and front:speed are", argument,
                  a->model->name);
  q->what = speed ? INK_ASKED_FRONT_SPEED : INK_ASKED_FRONT_POSITION;
  q->dim = ink_dim_si(1, 0, speed ? -1 : 0, 0, 0, 0);
  if (!read_number(a, "level", &q->number))
    return refuse(a, "front:%s needs level, the value that marks the front", argument);
  q->axis = read_axis(a);
  if (q->axis < 0) return refuse_axis(a);
  return read_field(a, colon ? colon + 1 : "", &q->field);
}

static bool ask_wave(const Asking *a, InkQuestion *q) {
  q->dim = ink_dim_si(0, 0, -1, 0, 0, 0);
  if (!read_number(a, "wavenumber", &q->number))
    return refuse(a, "%s needs wavenumber, 2 pi over the wavelength", a->query->kind);
  q->axis = q->number == 0.0 && !option(a, "axis") ? 0 : read_axis(a);
  if (q->axis < 0) return refuse_axis(a);
  if (q->number != 0.0 && q->axis == 0 && ink_deck_coordinates(a->deck) != INK_CARTESIAN)
    return refuse(a, "%s: waves along r are no Fourier components", a->query->kind);
  if (!read_field(a, a->query->argument, &q->field)) return false;
  if (q->what == INK_ASKED_AMPLITUDE) q->dim = a->dim[q->field];
  return true;
}

static bool ask_pattern(const Asking *a, InkQuestion *q) {
  const char *kind = a->query->kind;
  q->dim = q->what == INK_ASKED_WAVELENGTH ? ink_dim_si(1, 0, 0, 0, 0, 0) : ink_dim_si(0, 0, 0, 0, 0, 0);
  char why[256];
  if (q->what == INK_ASKED_WAVELENGTH && !ink_deck_has_spectrum(a->deck, why, sizeof why))
    return refuse(a, "%s: %s", kind, why);
  if (q->what == INK_ASKED_SPOTS && !read_number(a, "level", &q->number))
    return refuse(a, "%s needs level: regions where the field is above it are counted", kind);
  return read_field(a, a->query->argument, &q->field);
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
  Asking a = {.deck = deck, .model = model, .query = query, .message = message, .size = size};
  a.n = ink_deck_fields(deck, &a.name, &a.dim);
  *question = (InkQuestion){.probe = ""};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!is(known[i].kind, query->kind)) continue;
    question->what = known[i].what;
    return a.n > 0 ? known[i].ask(&a, question) : refuse(&a, "%s: there are no fields", query->kind);
  }
  return refuse(&a, "%s is not defined for %s", query->kind, model->name);
}

bool ink_evolution_defined(const InkDeck *deck, const InkEvolutionModel *model, const InkQuery *query,
                           InkDim *dim, char *message, size_t size) {
  InkQuestion question;
  if (!ink_question_read(deck, model, query, &question, message, size)) return false;
  *dim = question.dim;
  return true;
}
