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
    if (!known) ink_species_unknown(s->deck, path_of(s, child), child->key, s->errors);
    if (law && !ink_law_key(child->key) && !child->bad && known)
      ink_deck_error(s->deck, s->errors, path_of(s, child),
                     "stands beside a law of the whole side: give either");
    good = good && known;
  }
  const bool for_all = ink_law_type(&(InkLaw){.node = mapping}) == INK_SIDE_CLOSED;
  if (law && s->n > 1 && !for_all && !ink_tree_child(mapping, "type")->bad) {
    ink_deck_error(s->deck, s->errors, path_of(s, mapping),
                   "there are several species: give each its own law, {%s: {type: ..}, %s: {type: ..}}",
                   s->name[0], s->name[1]);
    return false;
  }
  return good;
}

/* ---- one law of one species ---- */

static void check_law(const Side *s, const InkLaw *law, int species) {
  const InkSideType type = ink_law_type(law);
  const InkExpr *value = ink_law_expression(law, "value");
  ink_law_check(s->deck, law, s->pool, s->errors);
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
  double value;
  if (ink_law_type(law) != INK_SIDE_FLUX) return ink_law_type(law) == INK_SIDE_CLOSED;
  return ink_expr_is_number(ink_law_expression(law, "value"), &value) && value == 0.0;
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
  const int count = ink_side_laws(s->deck, s->side, s->name[species], s->pool, &laws);
  bool sound = true;
  if (own && !own->bad && own->kind == INK_SEQUENCE) ink_law_check_parts(s->deck, own, s->pool, s->errors);
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
    ink_law_check_parts(s->deck, node, s->pool, s->errors);
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
