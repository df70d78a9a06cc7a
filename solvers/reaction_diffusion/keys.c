/* The reaction-diffusion solver's rows of the key table, and what its units stand for. */
#include "reaction_diffusion_impl.h"
#include <string.h>

enum { PLACE_TIME = INK_OF_SPACE | INK_OF_TIME, PLACE_TIME_U = INK_OF_SPACE | INK_OF_TIME | INK_OF_FIELDS };

/* The keys of a side's law. A side is one law, a law a species, or a list of parts of either; a species may
 * have a list of parts too. `at` is the path; `types` and `needed` are of the key `type`. */
#define LAW_KEYS(at, types, needed)                                                                          \
  {.path = at ".type",                                                                                       \
   .kind = INK_KIND_CHOICE,                                                                                  \
   .choices = types,                                                                                         \
   .refusal = "radiation=is a law of temperatures, which the solver heat has",                               \
   .flags = needed,                                                                                          \
   .doc = "what happens there"},                                                                             \
      {.path = at ".value",                                                                                  \
       .when = "type=value",                                                                                 \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@field",                                                                                     \
       .flags = PLACE_TIME_U,                                                                                \
       .doc = "value at the side; other species stand for their own values there"},                          \
      {.path = at ".value",                                                                                  \
       .when = "type=flux",                                                                                  \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@flux",                                                                                      \
       .flags = PLACE_TIME_U,                                                                                \
       .doc = "flux into the domain, all of it; species stand for their values at the side"},                \
      {.path = at ".coefficient",                                                                            \
       .when = "type=convection",                                                                            \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "m/s",                                                                                        \
       .min = 0.0,                                                                                           \
       .max = INK_NO_MAX,                                                                                    \
       .flags = PLACE_TIME_U,                                                                                \
       .doc = "mass transfer coefficient h: the flux into the domain is h (ambient - u)"},                   \
      {.path = at ".ambient",                                                                                \
       .when = "type=convection",                                                                            \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@field",                                                                                     \
       .flags = PLACE_TIME_U,                                                                                \
       .doc = "value in the surroundings"},                                                                  \
  {                                                                                                          \
    .path = at ".electrons", .kind = INK_KIND_NUMBER, .unit = "1", .min = 0.0, .max = INK_NO_MAX,            \
    .flags = INK_EXCLUSIVE_MIN,                                                                              \
    .doc = "number n of electrons a particle gives or takes there: current:SIDE is n F times the outward "   \
           "flux"                                                                                            \
  }

#define WHERE_KEY(at)                                                                                        \
  {                                                                                                          \
    .path = at ".where", .kind = INK_KIND_EXPRESSION, .flags = PLACE_TIME,                                   \
    .doc = "condition, at the centre of a face: the first part that is true holds; the last has none"        \
  }

#define SIDE_TYPES "value|flux|convection|symmetry|periodic"
#define PART_TYPES "value|flux|convection|symmetry"

static const InkKey species_keys[] = {
    {.path = "kinetics",
     .kind = INK_KIND_TEXT,
     .doc = "a set of species and reactions from the catalogue (`inkdrop list`); the deck's own keys win"},
    {.path = "species", .kind = INK_KIND_SECTION, .doc = "the species, by name"},
    {.path = "species.*",
     .kind = INK_KIND_SECTION,
     .doc = "one species; in expressions the name is its value"},
    {.path = "species.*.diffusion",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@diffusion",
     .min = 0.0,
     .max = INK_NO_MAX,
     .flags = PLACE_TIME_U,
     .doc = "diffusion coefficient; 0 (the default): immobile, reacts only"},
    {.path = "species.*.diffusion",
     .kind = INK_KIND_SECTION,
     .doc = "a coefficient a species {u: .., v: ..}: how its gradient drives this one (cross-diffusion)"},
    {.path = "species.*.diffusion.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@diffusion",
     .flags = PLACE_TIME_U,
     .doc = "coefficient of the gradient of this species"},
    {.path = "species.*.reaction",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@rate",
     .flags = PLACE_TIME_U,
     .doc = "made per volume and time; default 0"},
    {.path = "species.*.initial",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@field",
     .flags = INK_OF_SPACE | INK_OF_NOISE,
     .doc = "value at time.start (or initial.NAME)"},
    {.path = "species.*.unit",
     .kind = INK_KIND_UNIT,
     .doc = "unit of its values; default: that of the initial value"},
    {.path = "species.*.name", .kind = INK_KIND_TEXT, .doc = "for people: 'oxygen'"},
    {.path = "initial", .kind = INK_KIND_SECTION, .doc = "the state at time.start"},
    {.path = "initial.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@field",
     .flags = INK_OF_SPACE | INK_OF_NOISE,
     .doc = "initial value of a species (or species.NAME.initial); steady: the first guess (default 0)"},
    {.path = "velocity", .kind = INK_KIND_SECTION, .doc = "of the medium, which carries all mobile species"},
    {.path = "velocity.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "m/s",
     .flags = PLACE_TIME,
     .doc = "component along an axis"},
    {.path = "time.positive",
     .kind = INK_KIND_BOOL,
     .fallback = "false",
     .doc = "no value may become negative: implicit steps that make one are redone in a way that cannot"},
    {.path = "boundary",
     .kind = INK_KIND_SECTION,
     .doc = "the sides of the domain (x_min, r_max, ...); what is not given has zero flux"},
    {.path = "boundary.*",
     .kind = INK_KIND_SECTION,
     .doc =
         "one side: a law a species {u: {..}, v: {..}}, or one law when there is one species or the type is "
         "symmetry or periodic"},
    {.path = "boundary.*", .kind = INK_KIND_LIST, .doc = "one side in parts, each with `where`"},
    LAW_KEYS("boundary.*", SIDE_TYPES, 0),
    {.path = "boundary.*.*", .kind = INK_KIND_SECTION, .doc = "the law of one species"},
    {.path = "boundary.*.*",
     .kind = INK_KIND_LIST,
     .doc = "the law of one species in parts, each with `where`"},
    LAW_KEYS("boundary.*.*", PART_TYPES, INK_REQUIRED),
    WHERE_KEY("boundary.*.*[]"),
    LAW_KEYS("boundary.*.*[]", PART_TYPES, INK_REQUIRED),
    WHERE_KEY("boundary.*[]"),
    LAW_KEYS("boundary.*[]", PART_TYPES, 0),
    {.path = "boundary.*[].*", .kind = INK_KIND_SECTION, .doc = "the law of one species in this part"},
    LAW_KEYS("boundary.*[].*", PART_TYPES, INK_REQUIRED),
    {.path = NULL}};

const InkKey *const ink_species_tables[] = {ink_common_keys, species_keys, NULL};

bool ink_law_key(const char *name) {
  static const char *const keys[] = {"where", "type", "value", "coefficient", "ambient", "electrons"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strcmp(keys[i], name) == 0) return true;
  return false;
}

int ink_species_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  const InkNode *section = root->kind == INK_MAPPING ? ink_tree_child(root, "species") : NULL;
  int count = 0;
  if (!section || section->kind != INK_MAPPING) return 0;
  for (const InkNode *node = section->first; node && count < INK_MAX_SPECIES; node = node->next)
    names[count++] = node->key;
  return count;
}

/* The species in whose section a node stands, and its dimension. */
static InkDim row_dim(const InkNode *root, const InkNode *node, const InkDim *field_dim, const char **name) {
  const char *names[INK_MAX_FIELDS];
  const int count = ink_species_fields(root, names);
  const InkNode *species = node->parent->parent;
  *name = species && species->key ? species->key : "";
  for (int f = 0; f < count; f++)
    if (strcmp(names[f], *name) == 0) return field_dim[f];
  return ink_dim_any();
}

InkDim ink_species_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                        const InkDim *field_dim) {
  const InkDim u = field >= 0 ? field_dim[field] : ink_dim_any();
  if (strcmp(name, "rate") == 0) return ink_dim_product(u, ink_dim_of("s"), -1.0);
  if (strcmp(name, "flux") == 0) return ink_dim_product(u, ink_dim_of("m/s"), 1.0);
  if (strcmp(name, "diffusion") != 0) return ink_dim_any();
  const InkDim plain = ink_dim_of("m^2/s");
  if (strcmp(node->key, "diffusion") == 0) return plain;
  const char *row; /* D_sf grad u_f is a flux of species s */
  const InkDim s = row_dim(root, node, field_dim, &row);
  if (strcmp(row, node->key) == 0) return plain;
  return ink_dim_product(ink_dim_product(plain, s, 1.0), u, -1.0);
}
