/* The electrons that cross a side with a species. */
#include "reaction_diffusion_impl.h"

double ink_law_electrons(const InkLaw *law) {
  const InkNode *node = ink_law_node(law, "electrons");
  return node ? node->number : 0.0;
}

double ink_species_electrons(const InkDeck *deck, const char *side, int field) {
  const char *const *names;
  InkPool *pool = ink_pool_create();
  InkLaw *laws;
  double electrons = 0.0;
  ink_deck_fields(deck, &names, NULL);
  const int count = ink_side_laws(deck, side, names[field], pool, &laws);
  /* Parts that have a flux have the same number: see the checks. */
  for (int i = 0; i < count; i++)
    if (ink_law_electrons(&laws[i]) > 0.0) electrons = ink_law_electrons(&laws[i]);
  ink_pool_destroy(&pool);
  return electrons;
}
