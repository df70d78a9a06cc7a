/* The population solver's rows of the key table, its axis and its field. */
#include <string.h>
#include "population_impl.h"

static const char *const equations[] = {[INK_POPULATION_DENSITY] = "density",
                                        [INK_POPULATION_STATIONARY] = "stationary",
                                        [INK_POPULATION_TIME] = "first_passage",
                                        [INK_POPULATION_HITTING] = "hitting_probability"};
enum { EQUATIONS = sizeof equations / sizeof *equations };

static const InkKey own_keys[] = {
    {.path = "equation",
     .kind = INK_KIND_CHOICE,
     .fallback = "density",
     .choices = "density|stationary|first_passage|hitting_probability",
     .refusal = "spectrum=is not defined for population",
     .doc = "what is solved for: the probabilities of the states over time or in the long run (field p, a "
            "density), "
            "the mean number of steps tau until an end absorbs, or the probability u to end at `target`"},
    {.path = "target",
     .kind = INK_KIND_CHOICE,
     .choices = "x_min|x_max",
     .doc = "the end, loss (x_min) or fixation (x_max), a hitting_probability is of; with first_passage: of "
            "the paths "
            "that end there"},
    {.path = "population",
     .kind = INK_KIND_SECTION,
     .flags = INK_REQUIRED,
     .doc = "N copies of two alleles; the state x is the fraction of allele A, in steps of 1/N"},
    {.path = "population.kind",
     .kind = INK_KIND_CHOICE,
     .choices = "wright_fisher|moran",
     .flags = INK_REQUIRED,
     .doc = "a step of time is a generation, drawn at once (wright_fisher), or one birth and death, N of "
            "which are a "
            "generation (moran)"},
    {.path = "population.size",
     .kind = INK_KIND_INTEGER,
     .min = 2,
     .max = 20000,
     .flags = INK_REQUIRED,
     .doc = "N, copies in all (of diploids twice the individuals)"},
    {.path = "population.selection",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .fallback = "0",
     .min = -1,
     .max = INK_NO_MAX,
     .flags = INK_EXCLUSIVE_MIN,
     .doc = "s: the fitness of A is 1 + s, that of the other allele 1"},
    {.path = "population.mutation",
     .kind = INK_KIND_SECTION,
     .doc = "mutation of an offspring; none by default"},
    {.path = "population.mutation.forward",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .fallback = "0",
     .min = 0,
     .max = 1,
     .doc = "probability with which an offspring of the other allele is A"},
    {.path = "population.mutation.backward",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .fallback = "0",
     .min = 0,
     .max = 1,
     .doc = "probability with which an offspring of A is of the other allele"},
    {.path = "initial", .kind = INK_KIND_SECTION, .doc = "where the density starts"},
    {.path = "initial.point",
     .kind = INK_KIND_NUMBERS,
     .unit = "1",
     .flags = INK_REQUIRED,
     .doc = "the fraction of A at time.start, a multiple of 1/N: [0.1]"},
    {.path = "time.start", .kind = INK_KIND_NUMBER, .unit = "1", .fallback = "0", .doc = "first step"},
    {.path = "time.end",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .flags = INK_MAY_CHANGE,
     .doc = "last step, a whole number; needed when equation is density"},
    {.path = "time.method",
     .kind = INK_KIND_CHOICE,
     .fallback = "auto",
     .choices = "auto",
     .refusal = "steady=is `equation: stationary` here",
     .doc = "there is one: the chain's own steps"},
    {.path = "verify[].quantity",
     .kind = INK_KIND_TEXT,
     .flags = INK_REQUIRED,
     .doc = "what: probe:NAME, integral:, min:, max:, mean:, variance:FIELD; of a density also mean:x, "
            "variance:x, probability, expectation, absorbed:x_min, absorbed:x_max"},
    {.path = NULL}};

const InkKey *const ink_population_tables[] = {own_keys, ink_common_keys, NULL};

static InkPopulationEquation equation_of(const InkNode *node) {
  for (int e = 0; node && node->text && e < EQUATIONS; e++)
    if (strcmp(equations[e], node->text) == 0) return (InkPopulationEquation)e;
  return INK_POPULATION_DENSITY;
}

InkPopulationEquation ink_population_equation(const InkDeck *deck) {
  return equation_of(ink_deck_node(deck, "equation"));
}

int ink_population_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  static const char *const field[EQUATIONS] = {"p", "p", "tau", "u"};
  names[0] = field[root->kind == INK_MAPPING ? equation_of(ink_tree_child(root, "equation")) : 0];
  return 1;
}

int ink_population_axes(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]) {
  (void)pool;
  (void)root;
  axes[0] = (InkSchemaAxis){.name = "x", .section = "population"};
  return 1;
}

InkDim ink_population_field_dim(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time) {
  (void)root;
  (void)field;
  (void)axis_dim;
  (void)time;
  return ink_dim_none();
}

InkPopulation ink_population_of(const InkDeck *deck) {
  return (InkPopulation){.moran = ink_deck_chosen(deck, "population.kind", "moran"),
                         .size = ink_deck_integer(deck, "population.size"),
                         .selection = ink_deck_number(deck, "population.selection"),
                         .mutation = {ink_deck_has(deck, "population.mutation.backward")
                                          ? ink_deck_number(deck, "population.mutation.backward")
                                          : 0,
                                      ink_deck_has(deck, "population.mutation.forward")
                                          ? ink_deck_number(deck, "population.mutation.forward")
                                          : 0}};
}

int ink_population_end(const char *name) {
  return strcmp(name, "x_min") == 0 ? 0 : strcmp(name, "x_max") == 0 ? 1 : -1;
}
