/* The heat solver's rows of the key table, and what its units stand for. */
#include "heat_impl.h"
#include <string.h>

enum { PLACE_TIME = INK_OF_SPACE | INK_OF_TIME, PLACE_TIME_T = INK_OF_SPACE | INK_OF_TIME | INK_OF_FIELDS };

/* The properties of the material, which its regions give anew. */
#define MATERIAL_KEYS(at)                                                                                    \
  {.path = at ".conductivity",                                                                               \
   .kind = INK_KIND_EXPRESSION,                                                                              \
   .unit = "W/m/K",                                                                                          \
   .min = 0.0,                                                                                               \
   .max = INK_NO_MAX,                                                                                        \
   .flags = PLACE_TIME_T,                                                                                    \
   .doc = "thermal conductivity k"},                                                                         \
      {.path = at ".density",                                                                                \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "kg/m^3",                                                                                     \
       .min = 0.0,                                                                                           \
       .max = INK_NO_MAX,                                                                                    \
       .flags = PLACE_TIME_T | INK_EXCLUSIVE_MIN,                                                            \
       .doc = "mass density; not needed when steady"},                                                       \
      {.path = at ".heat_capacity",                                                                          \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "J/kg/K",                                                                                     \
       .min = 0.0,                                                                                           \
       .max = INK_NO_MAX,                                                                                    \
       .flags = PLACE_TIME_T | INK_EXCLUSIVE_MIN,                                                            \
       .doc = "specific heat capacity; not needed when steady"},                                             \
  {                                                                                                          \
    .path = at ".diffusivity", .kind = INK_KIND_EXPRESSION, .unit = "m^2/s", .min = 0.0, .max = INK_NO_MAX,  \
    .flags = PLACE_TIME_T,                                                                                   \
    .doc = "thermal diffusivity, instead of the other three (density times heat capacity is then 1)"         \
  }

/* The keys of a side's law: of a whole side, or of a part of one. */
#define LAW_KEYS(at, types, refused)                                                                         \
  {.path = at ".type",                                                                                       \
   .kind = INK_KIND_CHOICE,                                                                                  \
   .choices = types,                                                                                         \
   .refusal = refused,                                                                                       \
   .flags = INK_REQUIRED,                                                                                    \
   .doc = "what happens there"},                                                                             \
      {.path = at ".value",                                                                                  \
       .when = "type=value",                                                                                 \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@field",                                                                                     \
       .flags = PLACE_TIME,                                                                                  \
       .doc = "temperature of the side"},                                                                    \
      {.path = at ".value",                                                                                  \
       .when = "type=flux",                                                                                  \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@flux",                                                                                      \
       .flags = PLACE_TIME_T,                                                                                \
       .doc = "heat flux into the domain; T is the side's own temperature"},                                 \
      {.path = at ".coefficient",                                                                            \
       .when = "type=convection",                                                                            \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@transfer",                                                                                  \
       .min = 0.0,                                                                                           \
       .max = INK_NO_MAX,                                                                                    \
       .flags = PLACE_TIME_T,                                                                                \
       .doc = "heat transfer coefficient h: the flux into the domain is h (ambient - T)"},                   \
      {.path = at ".ambient",                                                                                \
       .when = "type=convection|radiation",                                                                  \
       .kind = INK_KIND_EXPRESSION,                                                                          \
       .unit = "@field",                                                                                     \
       .flags = PLACE_TIME_T,                                                                                \
       .doc = "temperature of the surroundings"},                                                            \
  {                                                                                                          \
    .path = at ".emissivity", .when = "type=radiation", .kind = INK_KIND_EXPRESSION, .unit = "1",            \
    .min = 0.0, .max = 1.0, .flags = PLACE_TIME_T,                                                           \
    .doc = "the flux into the domain is emissivity * 5.670374419e-8 W/(m^2 K^4) * (ambient^4 - T^4), in "    \
           "kelvin"                                                                                          \
  }

static const InkKey heat_keys[] = {
    {.path = "material",
     .kind = INK_KIND_SECTION,
     .flags = INK_REQUIRED,
     .doc = "conductivity, density and heat_capacity; or diffusivity alone"},
    MATERIAL_KEYS("material"),
    {.path = "material.regions",
     .kind = INK_KIND_LIST,
     .doc = "parts of the domain with properties of their own; what one does not give is the material's"},
    {.path = "material.regions[].where",
     .kind = INK_KIND_EXPRESSION,
     .unit = "1",
     .flags = INK_OF_SPACE | INK_REQUIRED,
     .doc = "condition, at the centroid of a cell: the first region that is true holds"},
    MATERIAL_KEYS("material.regions[]"),
    {.path = "source",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@source",
     .flags = PLACE_TIME_T,
     .doc = "heat made per volume and time"},
    {.path = "initial", .kind = INK_KIND_SECTION, .doc = "the state at time.start"},
    {.path = "initial.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@field",
     .flags = INK_OF_SPACE | INK_OF_NOISE,
     .doc = "initial temperature T; for a steady problem the first guess (default 0)"},
    {.path = "boundary",
     .kind = INK_KIND_SECTION,
     .doc = "the sides of the domain (x_min, r_max, ...); one that is not given has zero flux"},
    {.path = "boundary.*", .kind = INK_KIND_SECTION, .doc = "one side"},
    {.path = "boundary.*", .kind = INK_KIND_LIST, .doc = "one side in parts, each with `where`"},
    LAW_KEYS("boundary.*", "value|flux|convection|radiation|symmetry|periodic", NULL),
    {.path = "boundary.*[].where",
     .kind = INK_KIND_EXPRESSION,
     .unit = "1",
     .flags = PLACE_TIME,
     .doc = "condition, at the centre of a face: the first part that is true holds; the last has none"},
    LAW_KEYS("boundary.*[]", "value|flux|convection|radiation|symmetry",
             "periodic=is of a whole side, not of a part"),
    {.path = NULL}};

const InkKey *const ink_heat_tables[] = {ink_common_keys, heat_keys, NULL};

int ink_heat_fields(const InkNode *root, const char *names[INK_MAX_FIELDS]) {
  (void)root;
  names[0] = "T";
  return 1;
}

static InkDim times(InkDim a, const char *unit) { return ink_dim_product(a, ink_dim_of(unit), 1.0); }

/* Does the material, or one of its regions, have a diffusivity? */
static bool diffusive(const InkNode *material) {
  if (ink_tree_child(material, "diffusivity")) return true;
  const InkNode *regions = ink_tree_child(material, "regions");
  for (const InkNode *region = regions ? regions->first : NULL; region; region = region->next)
    if (ink_tree_child(region, "diffusivity")) return true;
  return false;
}

/* With a conductivity fluxes are of energy; with a diffusivity they are of temperature. */
InkDim ink_heat_unit(const InkNode *root, const InkNode *node, const char *name, int field,
                     const InkDim *field_dim) {
  (void)node;
  (void)field;
  const bool energy = !diffusive(ink_tree_child(root, "material"));
  const InkDim temperature = field_dim[0];
  if (strcmp(name, "flux") == 0) return energy ? ink_dim_of("W/m^2") : times(temperature, "m/s");
  if (strcmp(name, "source") == 0) return energy ? ink_dim_of("W/m^3") : times(temperature, "1/s");
  if (strcmp(name, "transfer") == 0) return ink_dim_of(energy ? "W/m^2/K" : "m/s");
  return ink_dim_any();
}

bool ink_heat_by_diffusivity(const InkDeck *deck) { return diffusive(ink_deck_node(deck, "material")); }
