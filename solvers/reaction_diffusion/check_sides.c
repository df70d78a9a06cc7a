/* What can be wrong with the sides of a reaction-diffusion deck. Rank 0, no MPI. */
#include "reaction_diffusion_impl.h"
#include <string.h>

/* What the checks of a side look at. */
typedef struct Side {
  const InkDeck *deck;
  InkErrors *errors;
  InkPool *pool;
  int n;
  const char *const *name; /* of the species */
  const InkExpr *const *diffusion;
  const char *side;
} Side;

static const char *path_of(const Side *s, const InkNode *node) { return ink_tree_path(s->pool, node); }

/* ---- the shape: which law is whose ---- */

static bool has_law_keys(const InkNode *mapping) {
  for (const InkNode *child = mapping->first; child; child = child->next)
    if (ink_law_key(child->key) && strcmp(child->key, "where") != 0) return true;
  return false;
}

static bool chosen(const InkNode *law, const char *type) {
  const InkNode *node = ink_tree_child(law, "type");
  return node && node->text && strcmp(node->text, type) == 0;
}

static void unknown_species(const Side *s, const InkNode *child) {
  char list[512] = "";
  const char *near = ink_nearest(child->key, s->name, s->n);
  for (int f = 0; f < s->n; f++) {
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", f ? ", " : "", s->name[f]);
  }
  if (near)
    ink_deck_error(s->deck, s->errors, path_of(s, child), "there is no species '%s'; did you mean '%s'?",
                   child->key, near);
  else
    ink_deck_error(s->deck, s->errors, path_of(s, child), "there is no species '%s'; the species are %s",
                   child->key, list);
}

/* A mapping that is one law for all, or has one for each species. False: reported. */
static bool check_shape(const Side *s, const InkNode *mapping) {
  const bool law = ink_tree_child(mapping, "type") != NULL;
  bool good = true;
  if (!law && has_law_keys(mapping)) {
    ink_deck_error(s->deck, s->errors, path_of(s, mapping),
                   s->n > 1
                       ? "there are several species: give each its own law, {%s: {type: ..}, %s: {type: ..}}"
                       : "type is missing",
                   s->name[0], s->name[1 % s->n]);
    return false;
  }
  for (const InkNode *child = mapping->first; child; child = child->next) {
    bool known = child->bad || ink_law_key(child->key);
    for (int f = 0; f < s->n; f++) known = known || strcmp(s->name[f], child->key) == 0;
    if (!known) unknown_species(s, child);
    if (law && !ink_law_key(child->key) && !child->bad && known)
      ink_deck_error(s->deck, s->errors, path_of(s, child),
                     "stands beside a law of the whole side: give either");
    good = good && known;
  }
  const bool for_all = chosen(mapping, "symmetry") || chosen(mapping, "periodic");
  if (law && s->n > 1 && !for_all && !ink_tree_child(mapping, "type")->bad) {
    ink_deck_error(s->deck, s->errors, path_of(s, mapping),
                   "there are several species: give each its own law, {%s: {type: ..}, %s: {type: ..}}",
                   s->name[0], s->name[1]);
    return false;
  }
  return good;
}

/* A list of parts: all but the last have a condition. */
static void check_parts(const Side *s, const InkNode *list) {
  if (list->count == 0)
    ink_deck_error(s->deck, s->errors, path_of(s, list),
                   "has no parts: the last one says what is everywhere else");
  for (const InkNode *part = list->first; part; part = part->next) {
    const InkNode *where = part->kind == INK_MAPPING ? ink_tree_child(part, "where") : NULL;
    if (part->bad || (where && where->bad)) continue;
    if (!part->next && where)
      ink_deck_error(s->deck, s->errors, path_of(s, where),
                     "the last part has none: it holds where no other does");
    if (part->next && !where)
      ink_deck_error(s->deck, s->errors, path_of(s, part), "where is missing: only the last part has none");
  }
}

/* ---- one law of one species ---- */

static void check_data(const Side *s, const InkLaw *law) {
  static const struct {
    const char *type, *key;
    bool derived; /* comes from `exact` in a manufactured run */
  } needs[] = {{"value", "value", true},
               {"flux", "value", true},
               {"convection", "coefficient", false},
               {"convection", "ambient", true}};
  const bool manufactured = ink_deck_is_manufactured(s->deck);
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    if (!chosen(law->node, needs[i].type)) continue;
    const InkNode *given = ink_tree_child(law->node, needs[i].key);
    if (manufactured && needs[i].derived && given)
      ink_deck_error(s->deck, s->errors, path_of(s, given),
                     "comes from exact when manufactured is true: leave it out");
    else if (!given && !(manufactured && needs[i].derived))
      ink_deck_error(s->deck, s->errors, path_of(s, law->node), "type %s needs %s", needs[i].type,
                     needs[i].key);
  }
  const InkExpr *h = ink_law_expression(law, "coefficient");
  if (manufactured && h && ink_expr_is_constant(h) && ink_expr_value(h, NULL) == 0.0)
    ink_deck_error(s->deck, s->errors, path_of(s, law->node),
                   "coefficient must not be 0 when manufactured is true");
}

static void check_law(const Side *s, const InkLaw *law, int species) {
  const InkSideType type = ink_law_type(law);
  const InkExpr *value = ink_law_expression(law, "value");
  check_data(s, law);
  if (type == INK_SIDE_CLOSED) return;
  const InkNode *diffusion = ink_deck_node(s->deck, "species.%s.diffusion", s->name[species]);
  if (!s->diffusion[species * s->n + species] && !(diffusion && diffusion->bad))
    ink_deck_error(s->deck, s->errors, path_of(s, law->node),
                   "%s is immobile (its diffusion is 0), so nothing crosses a side: leave it out",
                   s->name[species]);
  else if (type == INK_SIDE_VALUE && value && (ink_expr_variables(value) >> (INK_VAR_FIELD + species) & 1))
    ink_deck_error(s->deck, s->errors, path_of(s, ink_tree_child(law->node, "value")),
                   "the value of %s must not depend on %s itself: a law of its flux may", s->name[species],
                   s->name[species]);
}

/* Does nothing flow under this law for certain? */
static bool closed(const InkLaw *law) {
  const InkExpr *value = ink_law_expression(law, "value");
  if (ink_law_type(law) != INK_SIDE_FLUX) return ink_law_type(law) == INK_SIDE_CLOSED;
  return value && ink_expr_is_constant(value) && ink_expr_value(value, NULL) == 0.0;
}

/* current:SIDE is one number times the flux of the whole side, so all parts through which something flows
 * have the same number of electrons. */
static void check_electrons(const Side *s, const InkLaw *laws, int count) {
  double electrons = 0.0;
  for (int i = 0; i < count; i++)
    if (laws[i].node && ink_law_electrons(&laws[i]) > 0.0) electrons = ink_law_electrons(&laws[i]);
  for (int i = 0; i < count && electrons > 0.0; i++)
    if (laws[i].node && !closed(&laws[i]) && ink_law_electrons(&laws[i]) != electrons)
      ink_deck_error(s->deck, s->errors, path_of(s, laws[i].node),
                     "electrons must be the same (%g) in all parts of the side through which something flows",
                     electrons);
}

static bool bad_below(const InkNode *node) {
  if (!node) return false;
  if (node->bad) return true;
  for (const InkNode *child = node->first; child; child = child->next)
    if (bad_below(child)) return true;
  return false;
}

static void check_species(const Side *s, int species) {
  InkLaw *laws;
  const InkNode *own = ink_deck_node(s->deck, "boundary.%s.%s", s->side, s->name[species]);
  const int count = ink_species_laws(s->deck, s->side, s->name[species], s->pool, &laws);
  bool sound = true;
  if (own && !own->bad && own->kind == INK_SEQUENCE) check_parts(s, own);
  for (int i = 0; i < count; i++) {
    const bool good = !bad_below(laws[i].node);
    sound = sound && good;
    if (good && laws[i].node && laws[i].node->kind == INK_MAPPING) check_law(s, &laws[i], species);
  }
  if (sound) check_electrons(s, laws, count);
}

static void check_side(const Side *s) {
  const InkNode *node = ink_deck_node(s->deck, "boundary.%s", s->side);
  bool good = true;
  if (node->bad) return; /* the key table says so */
  if (node->kind == INK_MAPPING) good = check_shape(s, node);
  if (node->kind == INK_SEQUENCE) {
    check_parts(s, node);
    for (const InkNode *part = node->first; part; part = part->next)
      if (part->kind == INK_MAPPING && !part->bad && !check_shape(s, part)) good = false;
  }
  for (int species = 0; species < s->n && good; species++) check_species(s, species);
}

void ink_species_check_sides(const InkDeck *deck, InkErrors *errors) {
  /* The mesh's own check or the key table says so. */
  if (ink_deck_dimension(deck) == 0 || !ink_deck_sound(deck, "mesh")) return;
  Side s = {.deck = deck, .errors = errors, .pool = ink_pool_create()};
  s.n = ink_deck_fields(deck, &s.name, NULL);
  s.diffusion = ink_species_diffusion(deck, s.pool);
  for (int i = 0; i < ink_deck_count(deck, "boundary") && s.n > 0; i++) {
    s.side = ink_deck_name(deck, "boundary", i);
    if (ink_deck_side_known(deck, s.side, errors)) check_side(&s);
  }
  ink_pool_destroy(&s.pool);
}
