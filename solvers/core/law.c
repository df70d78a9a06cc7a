/* What the deck says of a field at a side. See law.h. */
#include "law.h"
#include <string.h>

static const InkNode *child(const InkNode *node, const char *key) {
  return node && node->kind == INK_MAPPING ? ink_tree_child(node, key) : NULL;
}

/* The law of a field in a mapping that is either the law itself or has one for each field. */
static const InkNode *law_in(const InkNode *mapping, const char *field) {
  return child(mapping, "type") ? mapping : child(mapping, field);
}

int ink_side_laws(const InkDeck *deck, const char *side, const char *field, InkPool *pool, InkLaw **laws) {
  const InkNode *node = ink_deck_node(deck, "boundary.%s", side), *all = node;
  *laws = NULL;
  if (!node) return 0;
  if (node->kind == INK_MAPPING) node = law_in(node, field);
  if (!node || node->kind != INK_SEQUENCE) {
    *laws = ink_pool_alloc(pool, sizeof **laws);
    **laws = (InkLaw){.node = node};
    return 1;
  }
  int count = 0;
  *laws = ink_pool_alloc(pool, ((size_t)node->count + 1) * sizeof **laws);
  for (const InkNode *part = node->first; part; part = part->next)
    (*laws)[count++] =
        (InkLaw){.node = node == all ? law_in(part, field) : part, .where = child(part, "where")};
  return count;
}

const InkNode *ink_law_node(const InkLaw *law, const char *key) { return child(law->node, key); }

const InkExpr *ink_law_expression(const InkLaw *law, const char *key) {
  const InkNode *node = child(law->node, key);
  return node ? node->expression : NULL;
}

static bool chosen(const InkLaw *law, const char *type) {
  const InkNode *node = child(law->node, "type");
  return node && node->text && strcmp(node->text, type) == 0;
}

InkSideType ink_law_type(const InkLaw *law) {
  static const struct {
    const char *name;
    InkSideType type;
  } types[] = {{"value", INK_SIDE_VALUE},
               {"flux", INK_SIDE_FLUX},
               {"convection", INK_SIDE_CONVECTION},
               {"radiation", INK_SIDE_RADIATION}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (chosen(law, types[i].name)) return types[i].type;
  return INK_SIDE_CLOSED;
}

bool ink_law_fixes_level(const InkLaw *law) {
  static const uint64_t fields = ((1ull << INK_MAX_FIELDS) - 1) << INK_VAR_FIELD;
  const InkExpr *value = ink_law_expression(law, "value");
  const InkSideType type = ink_law_type(law);
  if (type == INK_SIDE_FLUX) return value && (ink_expr_variables(value) & fields);
  return type != INK_SIDE_CLOSED;
}

bool ink_sides_fix_level(const InkDeck *deck, const char *field) {
  const char *names[INK_SIDES];
  InkPool *pool = ink_pool_create();
  bool fixed = false;
  ink_deck_sides(deck, names);
  for (int side = 0; side < INK_SIDES; side++) {
    InkLaw *laws;
    if (!*names[side]) continue;
    const int count = ink_side_laws(deck, names[side], field, pool, &laws);
    if (count == 0) fixed = fixed || ink_deck_is_manufactured(deck);
    for (int i = 0; i < count; i++) fixed = fixed || ink_law_fixes_level(&laws[i]);
  }
  ink_pool_destroy(&pool);
  return fixed;
}

InkSideParts ink_side_parts(const InkDeck *deck, const InkManufactured *made, int side, const char *name,
                            int field) {
  InkLaw *laws;
  const char *const *names;
  ink_deck_fields(deck, &names, NULL);
  const bool manufactured = made->exact != NULL;
  const bool mobile = made->conductivity[field * made->n + field] != NULL;
  int count = ink_side_laws(deck, name, names[field], made->pool, &laws);
  if (!manufactured && count == 1 && !laws[0].node) count = 0;
  if (manufactured && count == 0 && mobile) count = 1;
  InkSideData *data = ink_pool_alloc(made->pool, (size_t)(count + 1) * sizeof *data);
  const InkExpr **where = ink_pool_alloc(made->pool, (size_t)(count + 1) * sizeof *where);
  for (int i = 0; i < count; i++) {
    const InkLaw law = laws ? laws[i] : (InkLaw){NULL, NULL};
    data[i] = (InkSideData){.type = ink_law_type(&law),
                            .value = ink_law_expression(&law, "value"),
                            .coefficient = ink_law_expression(&law, "coefficient"),
                            .ambient = ink_law_expression(&law, "ambient"),
                            .emissivity = ink_law_expression(&law, "emissivity")};
    where[i] = law.where ? law.where->expression : NULL;
    if (!manufactured) continue;
    if (!law.node && mobile) data[i].type = INK_SIDE_VALUE;
    ink_manufactured_side(made, field, side, &data[i]);
  }
  return (InkSideParts){.count = count, .where = where, .data = data};
}

/* ---- checks ---- */

void ink_law_check(const InkDeck *deck, const InkLaw *law, InkPool *pool, InkErrors *errors) {
  static const struct {
    const char *type, *key;
    bool derived; /* comes from `exact` in a manufactured run */
  } needs[] = {{"value", "value", true},
               {"flux", "value", true},
               {"convection", "coefficient", false},
               {"convection", "ambient", true},
               {"radiation", "emissivity", false},
               {"radiation", "ambient", false}};
  const bool manufactured = ink_deck_is_manufactured(deck);
  const char *path = ink_tree_path(pool, law->node);
  double coefficient;
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    if (!chosen(law, needs[i].type)) continue;
    const InkNode *given = ink_law_node(law, needs[i].key);
    if (manufactured && needs[i].derived && given)
      ink_deck_error(deck, errors, ink_tree_path(pool, given),
                     "comes from exact when manufactured is true: leave it out");
    else if (!given && !(manufactured && needs[i].derived))
      ink_deck_error(deck, errors, path, "type %s needs %s", needs[i].type, needs[i].key);
  }
  if (manufactured && chosen(law, "radiation"))
    ink_deck_error(deck, errors, path,
                   "radiation cannot be manufactured: use value, flux, convection or periodic");
  if (manufactured && ink_expr_is_number(ink_law_expression(law, "coefficient"), &coefficient) &&
      coefficient == 0.0)
    ink_deck_error(deck, errors, path, "coefficient must not be 0 when manufactured is true");
}

void ink_law_check_parts(const InkDeck *deck, const InkNode *list, InkPool *pool, InkErrors *errors) {
  if (list->count == 0)
    ink_deck_error(deck, errors, ink_tree_path(pool, list),
                   "has no parts: the last one says what is everywhere else");
  for (const InkNode *part = list->first; part; part = part->next) {
    const InkNode *where = child(part, "where");
    if (part->bad || (where && where->bad)) continue;
    if (!part->next && where)
      ink_deck_error(deck, errors, ink_tree_path(pool, where),
                     "the last part has none: it holds where no other does");
    if (part->next && !where)
      ink_deck_error(deck, errors, ink_tree_path(pool, part),
                     "where is missing: only the last part has none");
  }
}
