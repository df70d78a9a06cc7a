/* What the deck says of a species at a side: one law for all, a law a species, or parts of either. */
#include "reaction_diffusion_impl.h"
#include <string.h>

static const InkNode *child(const InkNode *node, const char *key) {
  return node && node->kind == INK_MAPPING ? ink_tree_child(node, key) : NULL;
}

/* The law of a species in a mapping that is either the law itself or has one for each species. */
static const InkNode *law_in(const InkNode *mapping, const char *species) {
  return child(mapping, "type") ? mapping : child(mapping, species);
}

int ink_species_laws(const InkDeck *deck, const char *side, const char *species, InkPool *pool,
                     InkLaw **laws) {
  const InkNode *node = ink_deck_node(deck, "boundary.%s", side), *all = node;
  *laws = NULL;
  if (!node) return 0;
  if (node->kind == INK_MAPPING) node = law_in(node, species);
  if (!node || node->kind != INK_SEQUENCE) {
    *laws = ink_pool_alloc(pool, sizeof **laws);
    **laws = (InkLaw){.node = node};
    return 1;
  }
  int count = 0;
  *laws = ink_pool_alloc(pool, ((size_t)node->count + 1) * sizeof **laws);
  for (const InkNode *part = node->first; part; part = part->next)
    (*laws)[count++] =
        (InkLaw){.node = node == all ? law_in(part, species) : part, .where = child(part, "where")};
  return count;
}

InkSideType ink_law_type(const InkLaw *law) {
  static const struct {
    const char *name;
    InkSideType type;
  } types[] = {{"value", INK_SIDE_VALUE}, {"flux", INK_SIDE_FLUX}, {"convection", INK_SIDE_CONVECTION}};
  const InkNode *type = child(law->node, "type");
  for (size_t i = 0; type && type->text && i < sizeof types / sizeof *types; i++)
    if (strcmp(type->text, types[i].name) == 0) return types[i].type;
  return INK_SIDE_CLOSED;
}

const InkExpr *ink_law_expression(const InkLaw *law, const char *key) {
  const InkNode *node = child(law->node, key);
  return node ? node->expression : NULL;
}

double ink_law_electrons(const InkLaw *law) {
  const InkNode *node = child(law->node, "electrons");
  return node ? node->number : 0.0;
}

double ink_species_electrons(const InkDeck *deck, const char *side, int field) {
  const char *const *names;
  InkPool *pool = ink_pool_create();
  InkLaw *laws;
  double electrons = 0.0;
  ink_deck_fields(deck, &names, NULL);
  const int count = ink_species_laws(deck, side, names[field], pool, &laws);
  /* Parts that have a flux have the same number: see the checks. */
  for (int i = 0; i < count; i++)
    if (ink_law_electrons(&laws[i]) > 0.0) electrons = ink_law_electrons(&laws[i]);
  ink_pool_destroy(&pool);
  return electrons;
}
