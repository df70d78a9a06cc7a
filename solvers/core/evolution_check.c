/* Evolutions: what can be wrong with the names of a deck's sides. Rank 0, no MPI. */
#include "evolution.h"
#include <string.h>

bool ink_deck_side_known(const InkDeck *deck, const char *given, InkErrors *errors) {
  char path[192], list[64];
  const char *names[INK_SIDES];
  ink_deck_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++)
    if (*names[side] && strcmp(names[side], given) == 0) return true;
  snprintf(path, sizeof path, "boundary.%s", given);
  ink_names_join(names, INK_SIDES, list, sizeof list);
  const bool radial = ink_deck_coordinates(deck) != INK_CARTESIAN;
  const bool named = strlen(given) == 5 && given[1] == '_' &&
                     (strcmp(given + 2, "min") == 0 || strcmp(given + 2, "max") == 0);
  if (radial && strcmp(given, "r_min") == 0)
    ink_deck_error(deck, errors, path,
                   "does not exist: r.from is 0, so the domain reaches the axis; its side is r_max");
  else if (named && strchr("xyzr", given[0]))
    ink_deck_error(deck, errors, path, "does not exist: the mesh has no %c axis; its sides are %s", given[0],
                   list);
  else
    ink_deck_error(deck, errors, path, "is no side of this mesh; its sides are %s", list);
  return false;
}
