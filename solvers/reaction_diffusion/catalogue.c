/* Expanding a deck's `kinetics` into species and parameters, and printing the catalogue. */
#include "catalogue.h"

#include <ctype.h>
#include <string.h>

const InkKinetics *ink_kinetics_find(const char *name) {
  for (const InkKinetics *set = ink_kinetics; set->name; set++)
    if (strcmp(set->name, name) == 0) return set;
  return NULL;
}

/* ---- expanding ---- */

typedef struct Expansion {
  InkPool *pool;
  InkNode *root;
  InkPlace place; /* of the key `kinetics`: new nodes are said to stand there */
} Expansion;

static InkNode *add(const Expansion *e, InkNodeKind kind, InkNode *parent, const char *key,
                    const char *text) {
  InkNode *node = ink_node_create(e->pool, kind, key, e->place, e->place);
  node->text = text;
  ink_node_append(parent, node);
  return node;
}

/* The mapping `key` of the root, made when it is not there. NULL: it is something else, which the reader
 * reports. */
static InkNode *section(const Expansion *e, const char *key) {
  InkNode *node = ink_tree_child(e->root, key);
  if (!node) node = add(e, INK_MAPPING, e->root, key, NULL);
  return node->kind == INK_MAPPING ? node : NULL;
}

static void give(const Expansion *e, InkNode *mapping, const char *key, const char *text) {
  if (text && !ink_tree_child(mapping, key)) add(e, INK_SCALAR, mapping, key, text);
}

/* A manufactured run takes its initial state from `exact`, and a deck may not give one. */
static bool manufactured(const InkNode *root) {
  const InkNode *node = ink_tree_child(root, "manufactured");
  return node && node->kind == INK_SCALAR && strcmp(node->text, "true") == 0;
}

/* The species of the set come first, in its order, whatever the deck gives of them; the deck's own follow. */
static void add_species(const Expansion *e, const InkKinetics *set) {
  InkNode *species = section(e, "species");
  const InkNode *initial = ink_tree_child(e->root, "initial");
  if (!species) return;
  InkNode *own = ink_node_create(e->pool, INK_MAPPING, NULL, e->place, e->place);
  for (InkNode *child; (child = species->first);) {
    ink_node_remove(child);
    ink_node_append(own, child);
  }
  for (const InkKineticsSpecies *s = set->species; s->name; s++) {
    InkNode *node = ink_tree_child(own, s->name);
    if (node) {
      ink_node_remove(node);
      ink_node_append(species, node);
    } else
      node = add(e, INK_MAPPING, species, s->name, NULL);
    if (node->kind != INK_MAPPING) continue;
    give(e, node, "name", s->long_name);
    give(e, node, "reaction", s->reaction);
    give(e, node, "diffusion", s->diffusion);
    if (!manufactured(e->root) && !ink_tree_child(initial, s->name)) give(e, node, "initial", s->initial);
  }
  for (InkNode *child; (child = own->first);) {
    ink_node_remove(child);
    ink_node_append(species, child);
  }
}

static bool part_of_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Does the text use the name as a whole word? */
static bool uses(const char *text, const char *name) {
  const size_t length = strlen(name);
  for (const char *p = text; (p = strstr(p, name)); p++)
    if ((p == text || !part_of_name(p[-1])) && !part_of_name(p[length])) return true;
  return false;
}

/* Puts a node behind `before` (NULL: first). */
static void insert(InkNode *parent, InkNode *before, InkNode *node) {
  if (before == parent->last) {
    ink_node_append(parent, node);
    return;
  }
  node->parent = parent;
  node->next = before ? before->next : parent->first;
  if (before)
    before->next = node;
  else
    parent->first = node;
  parent->count++;
}

static InkNode *last_used(const InkNode *parameters, const char *text) {
  InkNode *last = NULL;
  for (InkNode *child = parameters->first; child; child = child->next)
    if (uses(text, child->key)) last = child;
  return last;
}

/* A parameter is known below its line only. So a default stands as far up as it can: behind the last of the
 * parameters it uses, which may be the deck's own, else at the top. Then the deck's own parameters may use
 * it, and it follows those that the deck overrides. */
static void add_parameters(const Expansion *e, const InkKinetics *set) {
  InkNode *parameters = set->parameter[0].name ? section(e, "parameters") : NULL;
  InkNode *top = NULL; /* the last of the defaults at the top */
  if (!parameters) return;
  for (const InkKineticsParameter *p = set->parameter; p->name; p++) {
    if (ink_tree_child(parameters, p->name)) continue;
    InkNode *used = last_used(parameters, p->value);
    InkNode *node = ink_node_create(e->pool, INK_SCALAR, p->name, e->place, e->place);
    node->text = p->value;
    insert(parameters, used ? used : top, node);
    if (!used || used == top) top = node;
  }
}

/* Does any text of the deck but the title, and but that of the parameter itself, use the parameter's name? */
static bool used_in(const InkNode *node, const InkNode *parameter) {
  if (node == parameter || (node->key && strcmp(node->key, "title") == 0)) return false;
  if (node->kind == INK_SCALAR) return uses(node->text, parameter->key);
  for (const InkNode *child = node->first; child; child = child->next)
    if (used_in(child, parameter)) return true;
  return false;
}

/* The deck's own parameters that nothing uses and that are nearly one of the set's: most often a misspelt
 * one. In a resolved deck, where the expressions have become numbers, nothing uses any, so others are not
 * spoken of. */
static void warn_of_unused(const Expansion *e, const InkKinetics *set, InkErrors *errors) {
  const InkNode *parameters = ink_tree_child(e->root, "parameters");
  const char *names[INK_KINETICS_PARAMETERS];
  int count = 0;
  if (!parameters || parameters->kind != INK_MAPPING) return;
  for (const InkKineticsParameter *p = set->parameter; p->name; p++) names[count++] = p->name;
  for (const InkNode *own = parameters->first; own; own = own->next) {
    const char *near = ink_nearest(own->key, names, count);
    char path[80];
    if (!near || strcmp(near, own->key) == 0 || used_in(e->root, own)) continue;
    snprintf(path, sizeof path, "parameters.%.60s", own->key);
    ink_warning(errors, own->key_place, path, "nothing uses it; did you mean '%s'?", near);
  }
}

static void report_unknown(InkNode *node, InkErrors *errors) {
  enum { MOST = 64 };
  const char *names[MOST];
  char known[800];
  int count = 0;
  for (const InkKinetics *set = ink_kinetics; set->name && count < MOST; set++) names[count++] = set->name;
  ink_names_join(names, count, known, sizeof known);
  const char *text = node->kind == INK_SCALAR ? node->text : "a mapping or list";
  const char *near = ink_nearest(text, names, count);
  node->bad = true;
  if (near)
    ink_error(errors, node->place, "kinetics", "unknown '%.60s'; did you mean '%s'?", text, near);
  else
    ink_error(errors, node->place, "kinetics", "unknown '%.60s'; known are %s", text, known);
}

void ink_kinetics_expand(InkPool *pool, InkNode *root, InkErrors *errors) {
  InkNode *node = ink_tree_child(root, "kinetics");
  if (!node || node->bad) return;
  const InkKinetics *set = node->kind == INK_SCALAR ? ink_kinetics_find(node->text) : NULL;
  if (!set) {
    report_unknown(node, errors);
    return;
  }
  const Expansion expansion = {pool, root, node->key_place};
  add_parameters(&expansion, set);
  add_species(&expansion, set);
  warn_of_unused(&expansion, set, errors);
}

/* ---- printing ---- */

static void print_full(FILE *out, const InkKinetics *set) {
  for (const InkKineticsSpecies *s = set->species; s->name; s++)
    fprintf(out, "      %s: %s\n        reaction %s\n        diffusion %s%s%s\n", s->name, s->long_name,
            s->reaction, s->diffusion, s->initial ? ", initial " : "", s->initial ? s->initial : "");
  for (const InkKineticsParameter *p = set->parameter; p->name; p++)
    fprintf(out, "      %s = %s: %s\n", p->name, p->value, p->doc);
}

static void print_short(FILE *out, const InkKinetics *set) {
  fprintf(out, "      ");
  for (const InkKineticsSpecies *s = set->species; s->name; s++)
    fprintf(out, "%s%s", s == set->species ? "species " : " ", s->name);
  for (const InkKineticsParameter *p = set->parameter; p->name; p++)
    fprintf(out, "%s%s = %s", p == set->parameter ? "; " : ", ", p->name, p->value);
  fprintf(out, "\n");
}

void ink_kinetics_list(FILE *out, bool full) {
  fprintf(out, "    kinetics (kinetics: NAME), with their sources, species and parameters:\n");
  for (const InkKinetics *set = ink_kinetics; set->name; set++) {
    fprintf(out, "    %-20s %s\n      [%s]\n", set->name, set->summary, set->source);
    if (full)
      print_full(out, set);
    else
      print_short(out, set);
  }
}
