/* Which quantities a Fokker-Planck deck defines, and what they ask for. Local; no MPI, no udunits. */
#include <stdlib.h>
#include <string.h>
#include "../core/asking.h"
#include "fokker_planck_impl.h"

typedef struct Asking {
  InkAsking ask;
  InkEquation equation;
  const char *const *name; /* of the fields */
  const InkDim *dim;
  int n;
  const InkDomainAxis *axis;
  int axes;
  InkDim time;
} Asking;

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Is there a density? */
static bool need_density(const Asking *a) {
  if (a->equation == INK_DENSITY || a->equation == INK_STATIONARY) return true;
  return ink_refuse(&a->ask, "%s%s%s is of a density, and equation is %s", a->ask.query->kind,
                    *a->ask.query->argument ? ":" : "", a->ask.query->argument,
                    ink_deck_text(a->ask.deck, "equation"));
}

static int find_field(const Asking *a, const char *name) {
  for (int f = 0; f < a->n; f++)
    if (is(a->name[f], name)) return f;
  return -1;
}

/* The field of that name; the key `field` when `name` is ""; the only one when that is not given. */
static bool read_field(const Asking *a, const char *name, InkInquiry *q) {
  char known[512];
  const InkNode *node = ink_option(&a->ask, "field");
  const char *wanted = *name ? name : node ? node->text : a->n == 1 ? a->name[0] : NULL;
  q->field = wanted ? find_field(a, wanted) : -1;
  if (q->field >= 0) return true;
  ink_names_join(a->name, a->n, known, sizeof known);
  if (!wanted) return ink_refuse(&a->ask, "%s needs field, one of %s", a->ask.query->kind, known);
  return ink_refuse(&a->ask, "%s: there is no field '%s'; with equation: %s there is %s", a->ask.query->kind,
                    wanted, ink_deck_text(a->ask.deck, "equation"), known);
}

/* ---- one quantity each; the dimension is filled in ---- */

static bool ask_probe(const Asking *a, InkInquiry *q) {
  const char *field;
  if (!ink_read_probe(&a->ask, &q->probe, &field) || !read_field(a, field, q)) return false;
  q->dim = a->dim[q->field];
  return true;
}

static bool ask_field(const Asking *a, InkInquiry *q) {
  if (!read_field(a, a->ask.query->argument, q)) return false;
  q->dim = a->dim[q->field];
  if (q->what == INK_SOUGHT_VARIANCE) q->dim = ink_dim_product(q->dim, q->dim, 1.0);
  for (int i = 0; i < a->axes && q->what == INK_SOUGHT_INTEGRAL; i++)
    q->dim = ink_dim_product(q->dim, a->axis[i].dim, 1.0);
  return true;
}

/* Of a field over the volume, or of a state variable over the density. */
static bool ask_moment(const Asking *a, InkInquiry *q) {
  const char *name = a->ask.query->argument;
  char known[256], fields[256];
  const bool variance = q->what == INK_SOUGHT_VARIANCE;
  for (q->axis = 0; q->axis < a->axes; q->axis++) {
    if (!is(a->axis[q->axis].name, name)) continue;
    q->what = variance ? INK_SOUGHT_STATE_VARIANCE : INK_SOUGHT_STATE_MEAN;
    q->dim = a->axis[q->axis].dim;
    if (variance) q->dim = ink_dim_product(q->dim, q->dim, 1.0);
    return need_density(a);
  }
  if (!*name || find_field(a, name) >= 0) return ask_field(a, q);
  const char *states[3] = {"", "", ""};
  for (int i = 0; i < a->axes; i++) states[i] = a->axis[i].name;
  ink_names_join(states, a->axes, known, sizeof known);
  ink_names_join(a->name, a->n, fields, sizeof fields);
  return ink_refuse(&a->ask, "%s: '%s' is neither a state variable (%s) nor a field (%s)", a->ask.query->kind,
                    name, known, fields);
}

static bool ask_error(const Asking *a, InkInquiry *q) {
  const char *field;
  bool l2;
  if (!ink_read_error(&a->ask, a->name[0], &l2, &field) || !read_field(a, field, q)) return false;
  q->what = l2 ? INK_SOUGHT_ERROR_L2 : INK_SOUGHT_ERROR_MAX;
  q->dim = l2 ? ink_dim_none() : a->dim[q->field];
  return ink_needs_exact(&a->ask, a->name[q->field]);
}

static bool chosen(const Asking *a, const char *side, const char *what) {
  char path[128];
  snprintf(path, sizeof path, "model.boundary.%s", side);
  return ink_deck_chosen(a->ask.deck, path, what);
}

/* "SIDE", or "SIDE:p". */
static bool read_side(const Asking *a, InkInquiry *q, char *side, size_t size) {
  const char *argument = a->ask.query->argument, *colon = strchr(argument, ':'), *names[INK_SIDES];
  char list[256];
  snprintf(side, size, "%.*s", (int)(colon ? colon - argument : (ptrdiff_t)strlen(argument)), argument);
  q->side = ink_deck_side(a->ask.deck, side);
  if (q->side >= 0) return read_field(a, colon ? colon + 1 : "", q);
  ink_deck_sides(a->ask.deck, names);
  ink_names_join(names, INK_SIDES, list, sizeof list);
  return ink_refuse(&a->ask, "%s: the domain has no side '%s'; its sides are %s", a->ask.query->kind, side,
                    list);
}

static bool ask_flux(const Asking *a, InkInquiry *q) {
  char side[80];
  q->dim = ink_dim_product(ink_dim_none(), a->time, -1.0);
  return need_density(a) && read_side(a, q, side, sizeof side);
}

static bool ask_absorbed(const Asking *a, InkInquiry *q) {
  char side[80];
  q->dim = ink_dim_none();
  if (a->equation != INK_DENSITY)
    return ink_refuse(&a->ask,
                      "absorbed:%s needs equation: density (hitting_probability gives it for all starts)",
                      a->ask.query->argument);
  if (!read_side(a, q, side, sizeof side)) return false;
  if (chosen(a, side, "absorbing")) return true;
  return ink_refuse(&a->ask, "absorbed:%s: the side does not absorb (model.boundary.%s)", side, side);
}

/* The expression under `key` of the entry. */
static bool ask_expression(const Asking *a, InkInquiry *q) {
  const bool probability = q->what == INK_SOUGHT_PROBABILITY;
  const InkNode *node = ink_option(&a->ask, probability ? "where" : "of");
  if (!need_density(a)) return false;
  q->dim = probability ? ink_dim_none() : node ? node->dim : ink_dim_any();
  q->expression = node ? node->expression : NULL;
  if (q->expression) return true;
  return probability ? ink_refuse(&a->ask, "probability needs where, a condition such as 'x > 0'")
                     : ink_refuse(&a->ask, "expectation needs of, a function of the state such as 'x^2'");
}

static bool any_absorbs(const Asking *a) {
  for (int i = 0; i < a->axes; i++)
    for (int end = 0; end < 2; end++)
      if (chosen(a, a->axis[i].side[end], "absorbing")) return true;
  return false;
}

static bool ask_eigenvalue(const Asking *a, InkInquiry *q) {
  const char *argument = a->ask.query->argument;
  char *end;
  const long k = strtol(argument, &end, 10);
  q->dim = ink_dim_product(ink_dim_none(), a->time, -1.0);
  if (a->equation != INK_SPECTRUM)
    return ink_refuse(&a->ask, "eigenvalue:%s needs equation: spectrum", argument);
  if (end == argument || *end || k < 0 || k > INK_MAX_MODES)
    return ink_refuse(&a->ask, "eigenvalue:%s: write a whole number from 0 to %d", argument, INK_MAX_MODES);
  if (k == 0 && any_absorbs(a))
    return ink_refuse(&a->ask,
                      "eigenvalue:0 is that of the stationary density, and a side absorbs: the slowest decay "
                      "rate is eigenvalue:1");
  if (k > a->n) return ink_refuse(&a->ask, "eigenvalue:%ld: modes is %d", k, a->n);
  q->k = (int)k;
  return true;
}

bool ink_inquiry_read(const InkDeck *deck, const InkQuery *query, InkInquiry *inquiry, char *message,
                      size_t size) {
  static const struct {
    const char *kind;
    InkSought what;
    bool (*ask)(const Asking *, InkInquiry *);
  } known[] = {{"probe", INK_SOUGHT_PROBE, ask_probe},
               {"integral", INK_SOUGHT_INTEGRAL, ask_field},
               {"mean", INK_SOUGHT_MEAN, ask_moment},
               {"variance", INK_SOUGHT_VARIANCE, ask_moment},
               {"min", INK_SOUGHT_MIN, ask_field},
               {"max", INK_SOUGHT_MAX, ask_field},
               {"error", INK_SOUGHT_ERROR_L2, ask_error},
               {"flux", INK_SOUGHT_FLUX, ask_flux},
               {"absorbed", INK_SOUGHT_ABSORBED, ask_absorbed},
               {"probability", INK_SOUGHT_PROBABILITY, ask_expression},
               {"expectation", INK_SOUGHT_EXPECTATION, ask_expression},
               {"eigenvalue", INK_SOUGHT_EIGENVALUE, ask_eigenvalue}};
  const InkNode *end = ink_deck_node(deck, "time.end");
  Asking a = {
      .ask = {deck, query, message, size},

      .equation = ink_deck_equation(deck),
      .time = end ? end->dim : ink_dim_any(),

  };
  a.n = ink_deck_fields(deck, &a.name, &a.dim);
  a.axes = ink_deck_state(deck, &a.axis);
  for (int i = 0; i < a.axes && !end; i++)
    if (a.axis[i].dim.known) a.time = ink_dim_si(0, 0, 1, 0, 0, 0);
  *inquiry = (InkInquiry){.probe = "", .dim = ink_dim_any()};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!is(known[i].kind, query->kind)) continue;
    inquiry->what = known[i].what;
    return known[i].ask(&a, inquiry);
  }
  return ink_refuse(&a.ask, "%s is not defined for fokker_planck", query->kind);
}
