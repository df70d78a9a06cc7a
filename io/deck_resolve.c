/* From text to values, in the order in which they depend on each other: parameters, the numbers of mesh and
 * time, initial conditions (which give the fields their dimensions), all else. */
#include "deck_impl.h"

#include <string.h>

enum { FIXED_SYMBOLS = 6 }; /* x y z r t pi */

static const char *const coordinate[] = {"x", "y", "z", "r"};

/* Why a name may not be used, or NULL. */
static const char *refusal_of_coordinate(const InkResolver *r, const char *name, unsigned flags) {
  const InkNode *mesh = ink_tree_child(r->deck->root, "mesh");
  if (!(flags & INK_OF_SPACE)) return "is not allowed here: this value may not depend on position";
  if (!ink_tree_child(mesh, name)) return "is not an axis of the mesh";
  return NULL;
}

/* The axes: state variables, or x, y, z and r. Returns how many. */
static int add_coordinates(const InkResolver *r, unsigned flags, struct InkSymbol *symbol) {
  const InkDeck *deck = r->deck;
  const int count = deck->axes < 0 ? 4 : deck->axes;
  for (int c = 0; c < count; c++) {
    symbol[c] = (struct InkSymbol){.name = coordinate[c], .variable = INK_VAR_X + c, .dim = r->length};
    if (deck->axes < 0) {
      symbol[c].refusal = refusal_of_coordinate(r, coordinate[c], flags);
      continue;
    }
    symbol[c].name = deck->axis[c].name;
    symbol[c].dim = deck->axis[c].dim;
    if (!(flags & INK_OF_SPACE))
      symbol[c].refusal = "is not allowed here: this value may not depend on the state";
  }
  return count;
}

/* Names that a parameter was refused for have been reported: their uses are not. */
static void let_pass_misnamed(const InkResolver *r, struct InkSymbol *symbol, int count) {
  const InkNode *section = ink_tree_child(r->deck->root, "parameters");
  for (int s = 0; s < count && section && section->kind == INK_MAPPING; s++) {
    const InkNode *node = ink_tree_child(section, symbol[s].name);
    if (!node || !node->bad) continue;
    symbol[s] = (struct InkSymbol){.name = symbol[s].name, .variable = -1, .value = 1, .dim = ink_dim_any()};
  }
}

/* The names a key's expression may use. flags: INK_OF_*. */
static InkScope make_scope(InkResolver *r, unsigned flags) {
  InkDeck *deck = r->deck;
  size_t room = (size_t)(FIXED_SYMBOLS + deck->fields + r->parameters);
  struct InkSymbol *symbol = ink_pool_alloc(r->pool, room * sizeof *symbol);
  int count = add_coordinates(r, flags, symbol);
  symbol[count++] = (struct InkSymbol){
      .name = "t",
      .variable = INK_VAR_T,
      .dim = r->time,
      .refusal = flags & INK_OF_TIME ? NULL : "is not allowed here: this value may not depend on time"};
  symbol[count++] =
      (struct InkSymbol){.name = "pi", .variable = -1, .value = 3.14159265358979323846, .dim = ink_dim_any()};
  for (int f = 0; f < deck->fields; f++)
    symbol[count++] = (struct InkSymbol){
        .name = deck->field[f],
        .variable = INK_VAR_FIELD + f,
        .dim = deck->field_dim[f],
        .refusal =
            flags & INK_OF_FIELDS ? NULL : "is not allowed here: this value may not depend on the fields"};
  let_pass_misnamed(r, symbol, count);
  for (int p = 0; p < r->parameters; p++) symbol[count++] = r->parameter[p];
  return (InkScope){.symbol = symbol, .count = count, .noise = flags & INK_OF_NOISE};
}

static bool is_field(const InkDeck *deck, const char *name) {
  for (int f = 0; f < deck->fields; f++)
    if (!strcmp(deck->field[f], name)) return true;
  return false;
}

static bool is_axis(const InkDeck *deck, const char *name) {
  for (int a = 0; a < deck->axes; a++)
    if (!strcmp(deck->axis[a].name, name)) return true;
  return false;
}

/* What a name is taken for, or NULL: it is free. */
static const char *taken_for(const InkDeck *deck, const char *name) {
  if (is_field(deck, name)) return "a field of the solver";
  if (is_axis(deck, name)) return "a state variable";
  if (!ink_reserved_name(deck, name)) return NULL;
  return deck->axes < 0 ? "coordinates, t, pi and functions" : "t, pi and functions";
}

static void check_parameter_names(InkResolver *r, InkNode *section) {
  const InkNode *equation = ink_tree_child(r->deck->root, "equation");
  for (InkNode *node = section->first; node; node = node->next) {
    if (node->bad || !node->type) continue;
    const char *taken = taken_for(r->deck, node->key);
    if (!taken) continue;
    char field[120];
    if (is_field(r->deck, node->key) && equation && equation->kind == INK_SCALAR) {
      snprintf(field, sizeof field, "the field of equation: %.60s", equation->text);
      taken = field;
    }
    node->bad = true;
    ink_error(r->errors, node->key_place, ink_tree_path(r->pool, node),
              "'%s' is reserved (%s); choose another name, such as %s_m", node->key, taken, node->key);
  }
}

static void resolve_parameters(InkResolver *r) {
  InkNode *section = ink_tree_child(r->deck->root, "parameters");
  if (!section || section->kind != INK_MAPPING) return;
  check_parameter_names(r, section);
  r->parameter = ink_pool_alloc(r->pool, (size_t)(section->count + 1) * sizeof *r->parameter);
  for (InkNode *node = section->first; node; node = node->next) {
    if (node->bad || !node->type) continue;
    InkScope scope = make_scope(r, 0);
    ink_resolve_number(r, node, node->type, &scope);
    /* A bad one stays known, so that its uses are not reported too. */
    r->parameter[r->parameters++] = (struct InkSymbol){.name = node->key,
                                                       .variable = -1,
                                                       .value = node->bad ? 1 : node->number,
                                                       .dim = node->bad ? ink_dim_any() : node->dim};
  }
}

static bool is_number(InkKind kind) {
  return kind == INK_KIND_NUMBER || kind == INK_KIND_DIFFERENCE || kind == INK_KIND_TOLERANCE;
}

static bool of_field(const InkKey *key) { return key->unit && *key->unit == '@'; }

static void resolve_numbers(InkResolver *r, InkNode *node, const InkKey *key) {
  InkScope scope = make_scope(r, 0);
  for (InkNode *item = node->first; item; item = item->next)
    if (!item->bad && item->kind == INK_SCALAR) ink_resolve_number(r, item, key, &scope);
}

/* Numbers whose unit is fixed; they may stand in any order. */
static void visit_number(InkResolver *r, InkNode *node, const InkKey *key) {
  if (key->kind == INK_KIND_NUMBERS && !of_field(key)) resolve_numbers(r, node, key);
  if (!is_number(key->kind) || of_field(key)) return;
  const InkNode *parameters = ink_tree_child(r->deck->root, "parameters");
  if (node->parent == parameters) return;
  InkScope scope = make_scope(r, 0);
  ink_resolve_number(r, node, key, &scope);
}

/* Numbers in the unit of a field, after the fields' dimensions are known. */
static void visit_field_number(InkResolver *r, InkNode *node, const InkKey *key) {
  if (!of_field(key)) return;
  InkScope scope = make_scope(r, 0);
  if (key->kind == INK_KIND_NUMBERS)
    resolve_numbers(r, node, key);
  else if (is_number(key->kind))
    ink_resolve_number(r, node, key, &scope);
}

static void visit_expression(InkResolver *r, InkNode *node, const InkKey *key) {
  if (key->kind != INK_KIND_EXPRESSION || node->expression) return;
  InkScope scope = make_scope(r, key->flags);
  ink_resolve_expression(r, node, key, &scope);
}

/* Was any number below this node given with a unit? */
static bool has_unit(const InkNode *node) {
  if (!node) return false;
  if (node->kind == INK_SCALAR) {
    const InkDim none = ink_dim_none();
    return node->dim.known && !ink_dim_equal(&node->dim, &none);
  }
  for (const InkNode *child = node->first; child; child = child->next)
    if (has_unit(child)) return true;
  return false;
}

static InkNode *child_of(const InkNode *parent, const char *name) {
  return parent && parent->kind == INK_MAPPING && !parent->bad ? ink_tree_child(parent, name) : NULL;
}

static bool good_scalar(const InkNode *node) {
  return node && node->kind == INK_SCALAR && node->type && !node->bad;
}

/* Units of species and initial conditions give the fields their dimensions. */
static void resolve_initial(InkResolver *r) {
  InkDeck *deck = r->deck;
  const InkNode *all = child_of(deck->root, "species");
  InkNode *initial = child_of(deck->root, "initial");
  for (int f = 0; f < deck->fields; f++) {
    const InkNode *unit = child_of(child_of(all, deck->field[f]), "unit");
    if (good_scalar(unit)) deck->field_dim[f] = unit->dim;
  }
  if (initial) ink_resolve_visit(r, initial, visit_expression);
  for (int f = 0; f < deck->fields; f++) {
    InkNode *own = child_of(child_of(all, deck->field[f]), "initial");
    if (good_scalar(own)) visit_expression(r, own, own->type);
    const InkNode *node = child_of(initial, deck->field[f]);
    if (!good_scalar(node)) node = own;
    if (good_scalar(node) && !deck->field_dim[f].known) deck->field_dim[f] = node->dim;
  }
  InkDim axis_dim[3] = {deck->axis[0].dim, deck->axis[1].dim, deck->axis[2].dim};
  for (int f = 0; f < deck->fields && deck->schema->field_dim; f++)
    if (!deck->field_dim[f].known)
      deck->field_dim[f] = deck->schema->field_dim(deck->root, f, axis_dim, r->time);
}

/* Names that output files have for their own. */
static bool of_files(const char *name) {
  static const char *const names[] = {"time", "bnds", "run", "VTKHDF"};
  const size_t length = strlen(name);
  if (length > 5 && !strcmp(name + length - 5, "_bnds")) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i], name)) return true;
  return false;
}

/* A field has a section of its own where the deck names the fields: there its name must be free. */
static void check_field_names(InkResolver *r) {
  const InkDeck *deck = r->deck;
  for (int f = 0; f < deck->fields; f++) {
    InkNode *node = child_of(child_of(deck->root, "species"), deck->field[f]);
    const bool reserved = node && ink_reserved_name(deck, node->key);
    if (!node || node->bad || (!reserved && !of_files(node->key))) continue;
    node->bad = true;
    ink_error(r->errors, node->key_place, ink_tree_path(r->pool, node),
              "'%s' is reserved (%s); choose another name", node->key,
              reserved ? "coordinates, t, pi and functions" : "output files have it");
  }
}

void ink_domain_axis_name(InkPool *pool, InkDomainAxis *axis) {
  const size_t size = strlen(axis->name) + sizeof "_min";
  char *low = ink_pool_alloc(pool, size), *high = ink_pool_alloc(pool, size), unit[100];
  snprintf(low, size, "%s_min", axis->name);
  snprintf(high, size, "%s_max", axis->name);
  ink_dim_print(&axis->dim, unit, sizeof unit);
  axis->side[0] = low;
  axis->side[1] = high;
  axis->unit = axis->dim.known ? ink_pool_strdup(pool, unit) : "1";
}

/* The state variables that are the axes of the domain, and whether their names are free. */
static void resolve_axes(InkResolver *r) {
  InkDeck *deck = r->deck;
  InkSchemaAxis axes[3];
  if (!deck->schema->axes) return;
  const int count = deck->schema->axes(r->pool, deck->root, axes);
  deck->axes = count < 3 ? count : 3;
  for (int a = 0; a < deck->axes; a++) {
    deck->axis[a] = (InkDomainAxis){.name = axes[a].name, .section = axes[a].section, .dim = ink_dim_any()};
    InkNode *node = ink_tree_find(deck->root, axes[a].section);
    const char *taken = is_field(deck, axes[a].name)            ? "a field of the solver"
                        : ink_reserved_name(deck, axes[a].name) ? "t, pi and functions"
                        : of_files(axes[a].name)                ? "output files have it"
                                                                : NULL;
    if (!taken || !node || node->bad) continue;
    node->bad = true;
    ink_error(r->errors, node->key_place, axes[a].section, "'%s' is reserved (%s); choose another name",
              axes[a].name, taken);
  }
  InkNode *all = count > 3 ? ink_tree_find(deck->root, axes[0].section) : NULL;
  if (!all || all->parent->bad) return;
  all->parent->bad = true;
  ink_error(r->errors, all->parent->key_place, ink_tree_path(r->pool, all->parent),
            "has %d state variables; at most 3 can be the axes of a domain", count);
}

/* The dimension of a state variable: that of the ends that were given with a unit, which must agree. */
static void add_dim_of_end(InkResolver *r, InkNode *end, InkDim *dim) {
  const InkDim none = ink_dim_none();
  char got[100], want[100];
  if (!good_scalar(end) || !end->dim.known || ink_dim_equal(&end->dim, &none)) return;
  if (!dim->known) *dim = end->dim;
  if (ink_dim_equal(dim, &end->dim)) return;
  ink_dim_print(dim, want, sizeof want);
  ink_dim_print(&end->dim, got, sizeof got);
  ink_resolve_error(r, end, "wrong dimension: the other end of this axis has %s, this has %s", want, got);
}

static void find_axis_dims(InkResolver *r) {
  for (int a = 0; a < r->deck->axes; a++) {
    InkDomainAxis *axis = &r->deck->axis[a];
    const InkNode *section = ink_tree_find(r->deck->root, axis->section);
    const InkNode *segments = section ? ink_tree_child(section, "segments") : NULL;
    add_dim_of_end(r, child_of(section, "from"), &axis->dim);
    add_dim_of_end(r, child_of(section, "to"), &axis->dim);
    for (InkNode *item = segments && segments->kind == INK_SEQUENCE ? segments->first : NULL; item;
         item = item->next)
      add_dim_of_end(r, child_of(item, "to"), &axis->dim);
    ink_domain_axis_name(r->pool, axis);
  }
}

/* A percentage of 0, or of a number whose zero is a convention, says nothing. */
static void check_tolerances(InkResolver *r) {
  const InkNode *verify = ink_tree_child(r->deck->root, "verify");
  for (InkNode *item = verify ? verify->first : NULL; item; item = item->next) {
    InkNode *within = ink_tree_child(item, "within"), *expect = ink_tree_child(item, "expect");
    if (!within || !expect || within->bad || expect->bad || within->kind != INK_SCALAR || !expect->type)
      continue;
    char got[100], want[100];
    if (within->percent && expect->offset != 0)
      ink_resolve_error(r, within,
                        "a percentage of a value in %s has no meaning; give a difference such as '0.05 K'",
                        expect->unit);
    else if (within->percent && expect->number == 0)
      ink_resolve_error(r, within, "a percentage of 0 is 0; give a difference");
    else if (!within->percent && !ink_dim_equal(&within->dim, &expect->dim)) {
      ink_dim_print(&within->dim, got, sizeof got);
      ink_dim_print(&expect->dim, want, sizeof want);
      ink_resolve_error(r, within, "wrong dimension: `expect` has %s, this has %s", want, got);
    }
  }
}

void ink_resolve_values(InkResolver *r) {
  InkDeck *deck = r->deck;
  for (int f = 0; f < INK_MAX_FIELDS; f++) deck->field_dim[f] = ink_dim_any();
  if (deck->schema->fields) deck->fields = deck->schema->fields(deck->root, deck->field);
  resolve_axes(r);
  check_field_names(r);
  r->length = r->time = ink_dim_any();
  resolve_parameters(r);
  ink_resolve_visit(r, deck->root, visit_number);
  if (has_unit(ink_tree_child(deck->root, "mesh"))) r->length = ink_dim_of("m");
  if (has_unit(ink_tree_find(deck->root, "time.end"))) r->time = ink_dim_of("s");
  find_axis_dims(r);
  for (int a = 0; a < deck->axes && !ink_tree_find(deck->root, "time.end"); a++)
    if (deck->axis[a].dim.known) r->time = ink_dim_of("s"); /* nothing is said of time itself */
  resolve_initial(r);
  ink_resolve_visit(r, deck->root, visit_field_number);
  ink_resolve_visit(r, deck->root, visit_expression);
  check_tolerances(r);
}
