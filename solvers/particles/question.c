/* Which quantities a deck of particles defines, and what they ask for: those of a density, and those of
 * paths. Local; no MPI, no udunits. */
#include <string.h>
#include "../core/asking.h"
#include "particles_impl.h"

typedef struct Asking {
  InkAsking ask;
  const InkDomainAxis *axis;
  const char *state[3]; /* their names */
  int axes;
  InkDim density, time;
} Asking;

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- names ---- */

static int find_state(const Asking *a, const char *name) {
  for (int i = 0; i < a->axes; i++)
    if (is(a->state[i], name)) return i;
  return -1;
}

static int find_field(const Asking *a, const char *name) {
  if (is(name, "p")) return 0;
  return is(name, "density") && ink_deck_compares(a->ask.deck) ? 1 : -1;
}

/* Of a field of that name; p when it is "" and the entry has no `field`. */
static bool read_field(const Asking *a, const char *name, InkRequest *r) {
  const char *given = ink_option_text(&a->ask, "field"), *wanted = *name ? name : given ? given : "p";
  r->field = find_field(a, wanted);
  if (r->field >= 0) return true;
  if (is(wanted, "density"))
    return ink_refuse(&a->ask, "%s: no density goes along with the particles: give particles.compare: true",
                      a->ask.query->kind);
  return ink_refuse(&a->ask, "%s: there is no field '%s'; there is p, the histogram%s", a->ask.query->kind,
                    wanted, ink_deck_compares(a->ask.deck) ? ", and density" : "");
}

static void states_in_words(const Asking *a, char *text, size_t size) {
  ink_names_join(a->state, a->axes, text, size);
}

/* The state variable of that name, or of the entry's `field`; the only one, or -1, when none is named. */
static bool read_state(const Asking *a, const char *name, InkRequest *r) {
  const char *wanted = *name ? name : ink_option_text(&a->ask, "field");
  char known[256];
  r->state = a->axes == 1 ? 0 : -1;
  if (!wanted) return true;
  r->state = find_state(a, wanted);
  if (r->state >= 0) return true;
  states_in_words(a, known, sizeof known);
  return ink_refuse(&a->ask, "%s:%s: there is no state variable '%s'; there %s %s", a->ask.query->kind,
                    a->ask.query->argument, wanted, a->axes == 1 ? "is" : "are", known);
}

static bool absorbs(const Asking *a, int side) {
  char path[160];
  const char *name = a->axis[side / 2].side[side % 2];
  snprintf(path, sizeof path, "model.boundary.%s", name);
  return ink_deck_chosen(a->ask.deck, path, "absorbing");
}

/* What absorbs, in words. Returns how many do. */
static int absorbing_in_words(const Asking *a, char *text, size_t size) {
  const char *name[INK_FATES];
  int n = 0;
  for (int side = 0; side < 2 * a->axes; side++)
    if (absorbs(a, side)) name[n++] = a->axis[side / 2].side[side % 2];
  for (int i = 0; i < ink_deck_count(a->ask.deck, "particles.absorbing") && i < INK_MAX_REGIONS; i++)
    name[n++] = ink_deck_name(a->ask.deck, "particles.absorbing", i);
  ink_names_join(name, n, text, size);
  return n;
}

/* Reads a side or surface that absorbs. */
static bool read_fate(const Asking *a, const char *name, InkRequest *r) {
  char known[512];
  const int n = absorbing_in_words(a, known, sizeof known);
  r->fate = ink_deck_fate(a->ask.deck, name);
  if (r->fate >= INK_SIDES || (r->fate >= 0 && absorbs(a, r->fate))) return true;
  if (n == 0)
    return ink_refuse(&a->ask, "%s:%s: nothing absorbs here (model.boundary, particles.absorbing)",
                      a->ask.query->kind, a->ask.query->argument);
  if (r->fate >= 0)
    return ink_refuse(&a->ask, "%s:%s: the side does not absorb (model.boundary.%s); what absorbs: %s",
                      a->ask.query->kind, a->ask.query->argument, name, known);
  return ink_refuse(&a->ask, "%s:%s: '%s' is neither a side nor one of particles.absorbing; what absorbs: %s",
                    a->ask.query->kind, a->ask.query->argument, name, known);
}

/* The argument up to a colon, which may only be followed by the field. */
static bool read_name(const Asking *a, InkRequest *r, char *name, size_t size) {
  const char *argument = a->ask.query->argument, *colon = strchr(argument, ':');
  snprintf(name, size, "%.*s", (int)(colon ? colon - argument : (ptrdiff_t)strlen(argument)), argument);
  if (!read_field(a, colon ? colon + 1 : "", r)) return false;
  if (r->field == 0) return true;
  return ink_refuse(&a->ask, "%s:%s: what the density loses is asked of solver: fokker_planck",
                    a->ask.query->kind, argument);
}

/* ---- of the histogram; the dimension is filled in ---- */

static bool ask_probe(const Asking *a, InkRequest *r) {
  const char *field;
  r->dim = a->density;
  return ink_read_probe(&a->ask, &r->probe, &field) && read_field(a, field, r);
}

static bool ask_field(const Asking *a, InkRequest *r) {
  if (!read_field(a, a->ask.query->argument, r)) return false;
  r->dim = a->density;
  if (r->what == INK_WANTED_FIELD_VARIANCE) r->dim = ink_dim_product(r->dim, r->dim, 1.0);
  for (int i = 0; i < a->axes && r->what == INK_WANTED_INTEGRAL; i++)
    r->dim = ink_dim_product(r->dim, a->axis[i].dim, 1.0);
  return true;
}

static bool ask_error(const Asking *a, InkRequest *r) {
  const char *field;
  bool l2;
  if (!ink_read_error(&a->ask, "p", &l2, &field) || !read_field(a, field, r)) return false;
  r->what = l2 ? INK_WANTED_ERROR_L2 : INK_WANTED_ERROR_MAX;
  r->dim = l2 ? ink_dim_none() : a->density;
  return ink_needs_exact(&a->ask, "p");
}

/* ---- of the particles ---- */

/* The dimension of a square of a state, or of all of them when they have the same. */
static bool square_dim(const Asking *a, InkRequest *r, double power) {
  const InkDim one = ink_dim_none(), *first = &a->axis[r->state < 0 ? 0 : r->state].dim;
  char known[256];
  r->dim = ink_dim_product(one, *first, power);
  for (int i = 0; i < a->axes && r->state < 0; i++) {
    if (ink_dim_equal(first, &a->axis[i].dim)) continue;
    states_in_words(a, known, sizeof known);
    return ink_refuse(&a->ask, "%s needs a state variable after it, as they have different units: %s",
                      a->ask.query->kind, known);
  }
  return true;
}

/* A time of absorption: of all, or of those at one side or surface. */
static bool read_passage(const Asking *a, const char *name, InkRequest *r) {
  char known[512];
  r->dim = a->time;
  r->fate = -1;
  if (*name) return read_fate(a, name, r);
  if (absorbing_in_words(a, known, sizeof known) > 0) return true;
  return ink_refuse(&a->ask,
                    "first_passage_time: nothing absorbs here (model.boundary, particles.absorbing)");
}

/* What paths are asked: its name, and after a colon whose. */
static bool read_of(const Asking *a, const char *what, const char *whose, InkRequest *r) {
  static const char *const name[] = {[INK_OF_STATE] = "",
                                     [INK_OF_QUADRATIC_VARIATION] = "quadratic_variation",
                                     [INK_OF_TOTAL_VARIATION] = "total_variation",
                                     [INK_OF_SQUARED_DISPLACEMENT] = "msd",
                                     [INK_OF_PASSAGE_TIME] = "first_passage_time"};
  for (int of = INK_OF_QUADRATIC_VARIATION; of <= INK_OF_PASSAGE_TIME; of++)
    if (is(name[of], what)) r->of = (InkOf)of;
  if (r->of == INK_OF_PASSAGE_TIME) return read_passage(a, whose, r);
  return read_state(a, whose, r) && square_dim(a, r, r->of == INK_OF_TOTAL_VARIATION ? 1.0 : 2.0);
}

static bool is_of_paths(const char *name) {
  return is(name, "quadratic_variation") || is(name, "total_variation") || is(name, "msd") ||
         is(name, "first_passage_time");
}

/* quadratic_variation[:STATE] and the like: means. */
static bool ask_path(const Asking *a, InkRequest *r) {
  return read_of(a, a->ask.query->kind, a->ask.query->argument, r);
}

/* Of a state over the particles inside, of what paths are asked, or of a field over the volume. */
static bool ask_moment(const Asking *a, InkRequest *r) {
  const char *argument = a->ask.query->argument, *colon = strchr(argument, ':');
  const bool variance = r->what == INK_WANTED_VARIANCE;
  char known[256], name[80];
  snprintf(name, sizeof name, "%.*s", (int)(colon ? colon - argument : (ptrdiff_t)strlen(argument)),
           argument);
  r->state = find_state(a, argument);
  if (r->state >= 0) {
    r->dim = a->axis[r->state].dim;
  } else if (is_of_paths(name)) {
    if (!read_of(a, name, colon ? colon + 1 : "", r)) return false;
  } else if (!*argument || find_field(a, argument) >= 0 || is(argument, "density")) {
    r->what = variance ? INK_WANTED_FIELD_VARIANCE : INK_WANTED_FIELD_MEAN;
    return ask_field(a, r);
  } else {
    states_in_words(a, known, sizeof known);
    return ink_refuse(&a->ask,
                      "%s: '%s' is neither a state variable (%s) nor the field p, nor quadratic_variation, "
                      "total_variation, msd or first_passage_time",
                      a->ask.query->kind, argument, known);
  }
  if (variance) r->dim = ink_dim_product(r->dim, r->dim, 1.0);
  return true;
}

/* The expression under `where` or `of` of the entry. */
static bool ask_expression(const Asking *a, InkRequest *r) {
  const bool probability = r->what == INK_WANTED_PROBABILITY;
  const InkNode *node = ink_option(&a->ask, probability ? "where" : "of");
  r->dim = probability ? ink_dim_none() : node ? node->dim : ink_dim_any();
  r->expression = node ? node->expression : NULL;
  if (r->expression) return true;
  return probability ? ink_refuse(&a->ask, "probability needs where, a condition such as 'x > 0'")
                     : ink_refuse(&a->ask, "expectation needs of, a function of the state such as 'x^2'");
}

static bool ask_absorbed(const Asking *a, InkRequest *r) {
  char name[80];
  r->dim = ink_dim_none();
  return read_name(a, r, name, sizeof name) && read_fate(a, name, r);
}

/* Of a side that reflects it is 0, as for a density. */
static bool ask_flux(const Asking *a, InkRequest *r) {
  char name[80], list[256];
  const char *sides[INK_SIDES];
  r->dim = ink_dim_product(ink_dim_none(), a->time, -1.0);
  if (!read_name(a, r, name, sizeof name)) return false;
  r->fate = ink_deck_fate(a->ask.deck, name);
  if (r->fate >= 0 && r->fate < INK_SIDES && ink_deck_side_is_periodic(a->ask.deck, name))
    return ink_refuse(
        &a->ask,
        "flux:%s: the side is periodic, and particles do not count how often they go through it; "
        "solver: fokker_planck tells the flux of the density",
        name);
  if (r->fate >= 0) return true;
  ink_deck_sides(a->ask.deck, sides);
  ink_names_join(sides, INK_SIDES, list, sizeof list);
  return ink_refuse(&a->ask, "flux: the domain has no side '%s'; its sides are %s", name, list);
}

/* ---- of histogram and density ---- */

static bool along_state(const Asking *a, const char *name, InkRequest *r) {
  char known[256];
  if (!read_state(a, name, r)) return false;
  if (r->state >= 0) return true;
  states_in_words(a, known, sizeof known);
  return ink_refuse(&a->ask, "%s:%s needs a state variable after it: %s", a->ask.query->kind,
                    a->ask.query->argument, known);
}

static bool ask_comparison(const Asking *a, InkRequest *r) {
  static const struct {
    const char *kind, *name;
    InkWanted what;
    bool along; /* a state */
  } known[] = {{"distance", "total_variation", INK_WANTED_TOTAL_VARIATION_DISTANCE, false},
               {"distance", "wasserstein", INK_WANTED_WASSERSTEIN, true},
               {"distance", "kolmogorov_smirnov", INK_WANTED_KOLMOGOROV_SMIRNOV, true},
               {"p_value", "chi_squared", INK_WANTED_CHI_SQUARED_P, false},
               {"p_value", "kolmogorov_smirnov", INK_WANTED_KOLMOGOROV_SMIRNOV_P, true}};
  const char *argument = a->ask.query->argument, *colon = strchr(argument, ':');
  const size_t length = colon ? (size_t)(colon - argument) : strlen(argument);
  r->dim = ink_dim_none();
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!is(known[i].kind, a->ask.query->kind) || strlen(known[i].name) != length ||
        strncmp(known[i].name, argument, length) != 0 || (colon && !known[i].along))
      continue;
    r->what = known[i].what;
    if (!ink_deck_compares(a->ask.deck))
      return ink_refuse(&a->ask, "%s:%s needs a density beside the particles: %s", a->ask.query->kind,
                        argument, ink_deck_alone(a->ask.deck));
    if (!known[i].along) return true;
    if (!along_state(a, colon ? colon + 1 : "", r)) return false;
    if (r->what == INK_WANTED_WASSERSTEIN) r->dim = a->axis[r->state].dim;
    return true;
  }
  return is(a->ask.query->kind, "distance")
             ? ink_refuse(&a->ask,
                          "distance: write distance:total_variation, distance:wasserstein[:STATE] or "
                          "distance:kolmogorov_smirnov[:STATE], got distance:%s",
                          argument)
             : ink_refuse(
                   &a->ask,
                   "p_value: write p_value:chi_squared or p_value:kolmogorov_smirnov[:STATE], got p_value:%s",
                   argument);
}

/* ---- all ---- */

static InkDim time_dim(const InkDeck *deck, const InkDomainAxis *axis, int axes) {
  const InkNode *end = ink_deck_node(deck, "time.end");
  if (end) return end->dim;
  for (int i = 0; i < axes; i++)
    if (axis[i].dim.known) return ink_dim_si(0, 0, 1, 0, 0, 0);
  return ink_dim_any();
}

bool ink_request_read(const InkDeck *deck, const InkQuery *query, InkRequest *request, char *message,
                      size_t size) {
  static const struct {
    const char *kind;
    InkWanted what;
    bool (*ask)(const Asking *, InkRequest *);
  } known[] = {{"probe", INK_WANTED_PROBE, ask_probe},
               {"integral", INK_WANTED_INTEGRAL, ask_field},
               {"min", INK_WANTED_MIN, ask_field},
               {"max", INK_WANTED_MAX, ask_field},
               {"error", INK_WANTED_ERROR_L2, ask_error},
               {"mean", INK_WANTED_MEAN, ask_moment},
               {"variance", INK_WANTED_VARIANCE, ask_moment},
               {"quadratic_variation", INK_WANTED_MEAN, ask_path},
               {"total_variation", INK_WANTED_MEAN, ask_path},
               {"msd", INK_WANTED_MEAN, ask_path},
               {"first_passage_time", INK_WANTED_MEAN, ask_path},
               {"probability", INK_WANTED_PROBABILITY, ask_expression},
               {"expectation", INK_WANTED_EXPECTATION, ask_expression},
               {"absorbed", INK_WANTED_ABSORBED, ask_absorbed},
               {"flux", INK_WANTED_FLUX, ask_flux},
               {"distance", INK_WANTED_TOTAL_VARIATION_DISTANCE, ask_comparison},
               {"p_value", INK_WANTED_CHI_SQUARED_P, ask_comparison}};
  const char *const *names;
  const InkDim *dim;
  Asking a = {
      .ask = {deck, query, message, size},
  };
  a.density = ink_deck_fields(deck, &names, &dim) > 0 ? dim[0] : ink_dim_any();
  a.axes = ink_deck_state(deck, &a.axis);
  for (int i = 0; i < a.axes; i++) a.state[i] = a.axis[i].name;
  a.time = time_dim(deck, a.axis, a.axes);
  *request = (InkRequest){.probe = "", .dim = ink_dim_any(), .state = -1, .fate = -1};
  if (a.axes < 1) return ink_refuse(&a.ask, "%s needs model.state", query->kind);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!is(known[i].kind, query->kind)) continue;
    request->what = known[i].what;
    return known[i].ask(&a, request);
  }
  return ink_refuse(&a.ask, "%s is not defined for particles", query->kind);
}
