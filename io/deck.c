/* The resolved deck: reading, getters, the solver's own errors. */
#include "deck_impl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

InkDeck *ink_deck_create(const char *file) {
  InkPool *pool = ink_pool_create();
  InkDeck *deck = ink_pool_alloc(pool, sizeof *deck);
  deck->pool = pool;
  deck->file = ink_pool_strdup(pool, file);
  deck->axes = -1;
  return deck;
}

void ink_deck_destroy(InkDeck **deck) {
  if (!deck || !*deck) return;
  InkPool *pool = (*deck)->pool; /* holds the deck too */
  ink_pool_destroy(&pool);
  *deck = NULL;
}

void ink_deck_name_variables(InkDeck *deck) {
  static const char *const fixed[] = {"x", "y", "z", "r", "t"};
  for (int v = 0; v < 5; v++) deck->variable[v] = fixed[v];
  for (int a = 0; a < deck->axes; a++) deck->variable[INK_VAR_X + a] = deck->axis[a].name;
  for (int f = 0; f < deck->fields; f++) deck->variable[INK_VAR_FIELD + f] = deck->field[f];
}

static const InkKey *const common_tables[] = {ink_common_keys, NULL};
static const InkSchema common_schema = {.tables = common_tables};

/* The schema the deck's `solver` names; NULL: reported. */
static const InkSchema *find_schema(const InkDeck *deck, const InkSchemas *schemas, InkErrors *errors) {
  InkNode *solver = ink_tree_child(deck->root, "solver");
  char known[400];
  int count = 0;
  while (schemas->names[count]) count++;
  ink_names_join(schemas->names, count, known, sizeof known);
  if (!solver) {
    ink_error(errors, deck->root->place, "solver", "is required: one of %s", known);
    return NULL;
  }
  if (solver->bad) return NULL;
  const InkSchema *schema = solver->kind == INK_SCALAR ? schemas->find(solver->text) : NULL;
  if (schema) return schema;
  const char *text = solver->kind == INK_SCALAR ? solver->text : "a mapping or list";
  const char *near = ink_nearest(text, schemas->names, count);
  solver->bad = true;
  ink_error(errors, solver->place, "solver", "there is no solver '%.60s'%s%s%s; solvers: %s", text,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", known);
  return NULL;
}

void ink_deck_resolve(InkDeck *deck, const InkSchemas *schemas, InkErrors *errors) {
  const InkSchema *schema = find_schema(deck, schemas, errors);
  deck->schema = schema ? schema : &common_schema;
  if (!schema && !ink_tree_child(deck->root, "solver")) {
    /* Reported already; a stand-in keeps the table from saying it again. */
    InkNode *none = ink_node_create(deck->pool, INK_SCALAR, "solver", deck->root->place, deck->root->place);
    none->text = "";
    none->bad = true;
    ink_node_append(deck->root, none);
  }
  if (schema && schema->expand) schema->expand(deck->pool, deck->root, errors);
  InkResolver resolver = {.deck = deck, .pool = deck->pool, .errors = errors, .solver_known = schema != NULL};
  ink_resolve_structure(&resolver);
  ink_resolve_values(&resolver);
  ink_deck_name_variables(deck);
}

InkDeck *ink_deck_read(const char *path, const char *const *settings, const InkSchemas *schemas,
                       InkErrors *errors) {
  InkDeck *deck = ink_deck_create(path);
  deck->root = ink_tree_read(deck->pool, path, errors);
  if (!deck->root) {
    deck->root = ink_node_create(deck->pool, INK_MAPPING, NULL, (InkPlace){deck->file, 0, 0},
                                 (InkPlace){deck->file, 0, 0});
    deck->schema = &common_schema;
    ink_deck_name_variables(deck);
    return deck;
  }
  for (int i = 0; settings && settings[i]; i++) ink_tree_set(deck->pool, deck->root, settings[i], errors);
  ink_deck_resolve(deck, schemas, errors);
  return deck;
}

/* The path written by a getter's format. */
#define INK_FORMAT_PATH(name, format)                                                                        \
  char name[INK_PATH_SIZE];                                                                                  \
  do {                                                                                                       \
    va_list args_;                                                                                           \
    va_start(args_, format);                                                                                 \
    vsnprintf(name, sizeof name, format, args_);                                                             \
    va_end(args_);                                                                                           \
  } while (0)

static const InkNode *need(const InkDeck *deck, const char *path, const char *what,
                           bool fits(const InkNode *)) {
  const InkNode *node = ink_tree_find(deck->root, path);
  if (!node || !fits(node)) {
    fprintf(stderr, "inkdrop: internal error: the deck has no %s '%s'\n", what, path);
    abort();
  }
  return node;
}

static bool fits_number(const InkNode *node) { return node->kind == INK_SCALAR && !node->expression; }
static bool fits_text(const InkNode *node) { return node->kind == INK_SCALAR && node->text; }

bool ink_deck_has(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  const InkNode *node = ink_tree_find(deck->root, text);
  return node && !node->defaulted;
}

const InkNode *ink_deck_node(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  return ink_tree_find(deck->root, text);
}

double ink_deck_number(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  return need(deck, text, "number", fits_number)->number;
}

int64_t ink_deck_integer(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  return (int64_t)need(deck, text, "integer", fits_number)->number;
}

bool ink_deck_bool(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  return need(deck, text, "true or false", fits_number)->number != 0;
}

const char *ink_deck_text(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  return need(deck, text, "text", fits_text)->text;
}

const InkExpr *ink_deck_expression(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  const InkNode *node = ink_tree_find(deck->root, text);
  return node ? node->expression : NULL;
}

static bool all_good(const InkNode *node) {
  if (node->bad) return false;
  for (const InkNode *child = node->first; child; child = child->next)
    if (!all_good(child)) return false;
  return true;
}

bool ink_deck_sound(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  const InkNode *node = ink_tree_find(deck->root, text);
  if (node) return all_good(node);
  while (!node) {
    char *dot = strrchr(text, '.');
    if (dot) *dot = '\0';
    node = dot ? ink_tree_find(deck->root, text) : deck->root;
  }
  for (const InkNode *child = node->first; child; child = child->next)
    if (child->bad) return false;
  return !node->bad;
}

int ink_deck_count(const InkDeck *deck, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  const InkNode *node = ink_tree_find(deck->root, text);
  int count = 0;
  if (node && node->bad) return 0; /* a list where a section is wanted has no names */
  for (const InkNode *child = node ? node->first : NULL; child; child = child->next)
    count += !child->defaulted;
  return count;
}

const char *ink_deck_name(const InkDeck *deck, const char *path, int i) {
  const InkNode *node = ink_tree_find(deck->root, path);
  for (const InkNode *child = node ? node->first : NULL; child; child = child->next)
    if (!child->defaulted && i-- == 0) return child->key;
  return NULL;
}

int ink_deck_numbers(const InkDeck *deck, const double **values, const char *path, ...) {
  INK_FORMAT_PATH(text, path);
  const InkNode *node = ink_tree_find(deck->root, text);
  *values = NULL;
  if (!node || node->kind != INK_SEQUENCE || !node->count) return 0;
  double *array = ink_pool_alloc(deck->pool, (size_t)node->count * sizeof *array);
  int count = 0;
  for (const InkNode *item = node->first; item; item = item->next) array[count++] = item->number;
  *values = array;
  return count;
}

int ink_deck_fields(const InkDeck *deck, const char *const **names, const InkDim **dims) {
  if (names) *names = deck->field;
  if (dims) *dims = deck->field_dim;
  return deck->fields;
}

bool ink_deck_chosen(const InkDeck *deck, const char *path, const char *choice) {
  const InkNode *node = ink_tree_find(deck->root, path);
  return node && node->text && strcmp(node->text, choice) == 0;
}

bool ink_deck_is_steady(const InkDeck *deck) {
  const InkNode *equation = ink_tree_find(deck->root, "equation");
  if (equation && equation->text && !equation->bad) return strcmp(equation->text, "density") != 0;
  return ink_deck_chosen(deck, "time.method", "steady");
}

bool ink_deck_is_manufactured(const InkDeck *deck) { return ink_deck_chosen(deck, "manufactured", "true"); }

const char *ink_deck_seconds(const InkDeck *deck) {
  const InkNode *end = ink_tree_find(deck->root, "time.end");
  const InkDim none = ink_dim_none();
  const bool unit = end && end->dim.known && !ink_dim_equal(&end->dim, &none);
  return deck->axes < 0 || unit ? " s" : "";
}

int ink_deck_state(const InkDeck *deck, const InkDomainAxis **axes) {
  if (axes) *axes = deck->axis;
  return deck->axes;
}

InkPool *ink_deck_pool(const InkDeck *deck) { return deck->pool; }
const char *ink_deck_file(const InkDeck *deck) { return deck->file; }
const char *const *ink_deck_variable_names(const InkDeck *deck) { return deck->variable; }

/* Place of the node at `path`, or of its nearest parent that is there. */
static InkPlace place_of(const InkDeck *deck, const char *path) {
  char prefix[INK_PATH_SIZE];
  snprintf(prefix, sizeof prefix, "%s", path ? path : "");
  const InkNode *node = ink_tree_find(deck->root, prefix);
  bool exact = node != NULL;
  while (!node && *prefix) {
    char *dot = strrchr(prefix, '.'), *bracket = strrchr(prefix, '[');
    char *cut = dot > bracket ? dot : bracket;
    if (cut)
      *cut = 0;
    else
      *prefix = 0;
    node = ink_tree_find(deck->root, prefix);
  }
  if (!node) return (InkPlace){deck->file, 0, 0};
  return node->key && (!exact || node->kind != INK_SCALAR) ? node->key_place : node->place;
}

void ink_deck_error(const InkDeck *deck, InkErrors *errors, const char *path, const char *format, ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  ink_error(errors, place_of(deck, path), path, "%s", text);
}

void ink_deck_warning(const InkDeck *deck, InkErrors *errors, const char *path, const char *format, ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  ink_warning(errors, place_of(deck, path), path, "%s", text);
}
