/* The particle solver's rows of the key table, its field, and what a deck asks of each path. */
#include <string.h>
#include "particles_impl.h"

static const char *const schemes[] = {[INK_EULER_MARUYAMA] = "euler_maruyama",
                                      [INK_MILSTEIN] = "milstein",
                                      [INK_HEUN] = "heun",
                                      [INK_EXACT] = "exact",
                                      [INK_JUMP] = "jump"};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

static const InkKey own_keys[] = {
    {.path = "equation",
     .kind = INK_KIND_CHOICE,
     .fallback = "density",
     .choices = "density",
     .doc = "particles follow the process in time, as the density does"},
    {.path = "direction",
     .kind = INK_KIND_CHOICE,
     .fallback = "forward",
     .choices = "forward|reverse",
     .doc = "reverse: the time-reversed chain, from the density at time.end back to the initial one; needs "
            "scheme: jump"},
    {.path = "particles", .kind = INK_KIND_SECTION, .doc = "the ensemble"},
    {.path = "particles.count",
     .kind = INK_KIND_INTEGER,
     .fallback = "100000",
     .min = 1,
     .max = 1e15,
     .doc = "number of particles"},
    {.path = "particles.dt",
     .kind = INK_KIND_DIFFERENCE,
     .unit = "s",
     .min = 0,
     .max = INK_NO_MAX,
     .flags = INK_EXCLUSIVE_MIN,
     .doc = "longest step; the way to the next target is divided evenly. Default: time.dt, else chosen"},
    {.path = "particles.scheme",
     .kind = INK_KIND_CHOICE,
     .choices = "euler_maruyama|milstein|heun|exact|jump",
     .doc =
         "paths by Euler-Maruyama (strong order 1/2, weak 1), Milstein (strong 1, commuting noise), "
         "stochastic Heun (Stratonovich's), exact steps (linear equations, geometric Brownian motion), or a "
         "jump process on the cells with the rates of the density. Default: euler_maruyama; of reversed "
         "runs jump"},
    {.path = "particles.bridge",
     .kind = INK_KIND_BOOL,
     .fallback = "true",
     .doc = "paths: what happens at walls between two steps is drawn from the Brownian bridge; false: only "
            "the ends of steps count"},
    {.path = "particles.compare",
     .kind = INK_KIND_BOOL,
     .doc = "take the density along (field `density`) and tell how far the histogram is from it. Default: "
            "true of scheme jump, else only when verify asks for a distance"},
    {.path = "particles.absorbing",
     .kind = INK_KIND_SECTION,
     .doc = "surfaces inside the domain that absorb paths, by name; first_passage_time:NAME, absorbed:NAME"},
    {.path = "particles.absorbing.*",
     .kind = INK_KIND_EXPRESSION,
     .flags = INK_OF_SPACE,
     .doc = "a smooth function of the state, positive where paths live; they end where it is 0 or less: "
            "'R^2 - x^2 - y^2'"},
    {.path = "particles.start",
     .kind = INK_KIND_SECTION,
     .doc = "where the run's particles begin, instead of `initial`; reversed: instead of the density at "
            "time.end"},
    {.path = "particles.start.point",
     .kind = INK_KIND_NUMBERS,
     .unit = "@axes",
     .doc = "all at this point, a number a state variable"},
    {.path = "particles.start.file",
     .kind = INK_KIND_TEXT,
     .doc = "HDF5 file with samples, relative to the deck: a dataset a state variable, named as it or "
            "path_STATE (a snapshot with output.paths); particle i takes sample i modulo their number"},
    {.path = "output.paths",
     .kind = INK_KIND_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 1e12,
     .flags = INK_MAY_CHANGE,
     .doc = "so many particles have their places in every snapshot, as path_STATE(time, path)"},
    {.path = "time.end",
     .kind = INK_KIND_NUMBER,
     .unit = "s",
     .flags = INK_REQUIRED | INK_MAY_CHANGE,
     .doc = "end time"},
    {.path = "time.method",
     .kind = INK_KIND_CHOICE,
     .fallback = "auto",
     .choices = "auto|explicit|implicit",
     .refusal = "steady=is for equations that are solved at once",
     .doc = "how the density beside paths is stepped; particles have particles.scheme"},
    {.path = "time.dt",
     .kind = INK_KIND_DIFFERENCE,
     .unit = "s",
     .min = 0,
     .max = INK_NO_MAX,
     .flags = INK_EXCLUSIVE_MIN,
     .doc = "step of the density, and of the particles where particles.dt is not given"},
    {.path = "verify[].quantity",
     .kind = INK_KIND_TEXT,
     .flags = INK_REQUIRED,
     .doc = "what: mean:STATE, variance:STATE, probability, expectation, absorbed:SIDE, flux:SIDE, "
            "first_passage_time[:SIDE], quadratic_variation, total_variation, msd (and variance: of these); "
            "of the histogram p probe:NAME, integral:, min:, max:, error:l2:, error:max:; from the density "
            "distance:total_variation, distance:wasserstein, distance:kolmogorov_smirnov, "
            "p_value:chi_squared, p_value:kolmogorov_smirnov"},
    {.path = NULL}};

const InkKey *const ink_particles_tables[] = {own_keys, ink_model_keys, ink_common_keys, NULL};

/* ---- fields and dimensions ---- */

int ink_particles_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  (void)root;
  names[0] = "p";
  return 1;
}

InkDim ink_particles_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time) {
  const InkNode *states = ink_tree_find(root, "model.state");
  InkDim dim = ink_dim_none();
  (void)field;
  (void)time;
  for (int a = 0; a < 3 && states && a < states->count; a++) dim = ink_dim_product(dim, axis_dim[a], -1.0);
  return dim;
}

InkDim ink_particles_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                          const InkDim *field_dim) {
  (void)field;
  (void)field_dim;
  return ink_model_unit(root, node, name);
}

/* ---- what a deck says ---- */

bool ink_deck_is_reverse(const InkDeck *deck) { return ink_deck_chosen(deck, "direction", "reverse"); }

InkScheme ink_deck_scheme(const InkDeck *deck) {
  for (int s = 0; s < SCHEMES; s++)
    if (ink_deck_chosen(deck, "particles.scheme", schemes[s])) return (InkScheme)s;
  return ink_deck_is_reverse(deck) ? INK_JUMP : INK_EULER_MARUYAMA;
}

/* Does the text of a verify entry's quantity have this word between its colons? */
static bool mentions(const char *quantity, const char *word) {
  const size_t length = strlen(word);
  for (const char *at = quantity; (at = strstr(at, word)); at += length)
    if ((at == quantity || at[-1] == ':') && (at[length] == '\0' || at[length] == ':')) return true;
  return false;
}

static bool asked(const InkDeck *deck, const char *word) {
  const InkNode *verify = ink_deck_node(deck, "verify");
  for (const InkNode *entry = verify ? verify->first : NULL; entry; entry = entry->next) {
    const InkNode *quantity = entry->kind == INK_MAPPING ? ink_tree_child(entry, "quantity") : NULL;
    if (!quantity || !quantity->text) continue;
    const bool distance = mentions(quantity->text, "distance") && strcmp(word, "distance") != 0;
    if (!distance && mentions(quantity->text, word)) return true;
  }
  return false;
}

static bool absorbs(const InkDeck *deck) {
  const char *sides[INK_SIDES];
  char path[160];
  ink_deck_sides(deck, sides);
  for (int s = 0; s < INK_SIDES; s++) {
    snprintf(path, sizeof path, "model.boundary.%s", sides[s]);
    if (*sides[s] && ink_deck_chosen(deck, path, "absorbing")) return true;
  }
  return false;
}

const char *ink_deck_alone(const InkDeck *deck) {
  if (ink_deck_is_reverse(deck) && absorbs(deck))
    return "of a reversed run with absorbing sides there is none: those left at the end did not start like "
           "all";
  if (ink_deck_count(deck, "particles.absorbing") > 0)
    return "surfaces of particles.absorbing are not those of a density";
  if (ink_deck_chosen(deck, "particles.compare", "false")) return "particles.compare is false";
  return NULL;
}

bool ink_deck_compares(const InkDeck *deck) {
  if (ink_deck_alone(deck)) return false;
  return ink_deck_chosen(deck, "particles.compare", "true") || ink_deck_scheme(deck) == INK_JUMP ||
         asked(deck, "distance") || asked(deck, "p_value");
}

InkEnsembleNeeds ink_deck_needs(const InkDeck *deck) {
  return (InkEnsembleNeeds){.moved = asked(deck, "msd"),
                            .quadratic = asked(deck, "quadratic_variation"),
                            .total = asked(deck, "total_variation"),
                            .chain = ink_deck_scheme(deck) == INK_JUMP,
                            .absorbs = absorbs(deck) || ink_deck_count(deck, "particles.absorbing") > 0};
}

int ink_deck_fate(const InkDeck *deck, const char *name) {
  const char *sides[INK_SIDES];
  ink_deck_sides(deck, sides);
  for (int s = 0; s < INK_SIDES; s++)
    if (*sides[s] && strcmp(sides[s], name) == 0) return s;
  for (int r = 0; r < ink_deck_count(deck, "particles.absorbing") && r < INK_MAX_REGIONS; r++)
    if (strcmp(ink_deck_name(deck, "particles.absorbing", r), name) == 0) return INK_SIDES + r;
  return -1;
}
