/* See dimension.h. */
#include "dimension.h"
#include <stdio.h>
#include <string.h>

InkDim ink_dim_si(int m, int kg, int s, int K, int A, int mol) {
  return (InkDim){.known = true, .exponent = {m, kg, s, K, A, mol, 0}};
}

const char *ink_dim_text(InkPool *pool, InkText **known, const InkDim *dim) {
  static const struct {
    int m, kg, s;
    const char *name;
  } named[] = {{0, 1, -3, "W/m^2"}, {1, 1, -3, "W/m"}, {2, 1, -3, "W"}};
  char text[64];
  if (!dim->known) return "1";
  ink_dim_print(dim, text, sizeof text);
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
    const InkDim watt = ink_dim_si(named[i].m, named[i].kg, named[i].s, 0, 0, 0);
    if (ink_dim_equal(dim, &watt)) snprintf(text, sizeof text, "%s", named[i].name);
  }
  for (const InkText *t = *known; t; t = t->next)
    if (strcmp(t->text, text) == 0) return t->text;
  InkText *made = ink_pool_alloc(pool, sizeof *made);
  *made = (InkText){ink_pool_strdup(pool, text), *known};
  *known = made;
  return made->text;
}
