/* One value of a deck: text, choice, integer, quantity, expression; ranges and dimensions. */
#include "deck_impl.h"
#include "expression_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ink_resolve_error(InkResolver *resolver, InkNode *node, const char *format, ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  node->bad = true;
  ink_error(resolver->errors, node->place, ink_tree_path(resolver->pool, node), "%s", text);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool ink_identifier(const char *name) {
  size_t n = 0;
  if (!is_letter(*name)) return false;
  while (is_letter(name[n]) || is_digit(name[n])) n++;
  return !name[n] && n <= 60;
}

bool ink_reserved_name(const InkDeck *deck, const char *name) {
  static const char *const words[] = {"t", "pi", "noise", "if"};
  if (deck->axes < 0 && strlen(name) == 1 && strchr("xyzr", name[0])) return true;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strcmp(words[i], name)) return true;
  for (const InkFunction *f = ink_functions; f->name; f++)
    if (!strcmp(f->name, name)) return true;
  return false;
}

/* [+-]?(d+.?d*|.d+)([eE][+-]?d+)? */
size_t ink_number_length(const char *text) {
  const char *p = text;
  if (*p == '+' || *p == '-') p++;
  const char *whole = p;
  while (is_digit(*p)) p++;
  size_t digits = (size_t)(p - whole);
  if (*p == '.') {
    const char *part = ++p;
    while (is_digit(*p)) p++;
    digits += (size_t)(p - part);
  }
  if (!digits) return 0;
  if (*p == 'e' || *p == 'E') {
    const char *q = p + 1;
    if (*q == '+' || *q == '-') q++;
    if (is_digit(*q)) {
      while (is_digit(*q)) q++;
      p = q;
    }
  }
  return (size_t)(p - text);
}

const char *ink_quantity_unit(const char *text) {
  size_t n = ink_number_length(text);
  if (!n) return NULL;
  const char *unit = text + n;
  while (*unit == ' ') unit++;
  if (*unit == '%') return unit; /* "5 %" and "5%": no expression has a % */
  if (unit == text + n) return NULL;
  bool letter = is_letter(*unit) && *unit != '_';
  bool sign = !strncmp(unit, "°", 2) || !strncmp(unit, "µ", 2) || !strncmp(unit, "μ", 2);
  return letter || sign || !strncmp(unit, "1/", 2) ? unit : NULL;
}

static void resolve_choice(InkResolver *r, InkNode *node, const InkKey *key) {
  if (ink_choices_have(key->choices, node->text, strlen(node->text))) return;
  char all[300];
  const char *names[32];
  int count = 0;
  ink_choices_print(key->choices, " or ", all, sizeof all);
  char *copy = ink_pool_strdup(r->pool, key->choices), *rest = copy;
  for (char *word; count < 32 && (word = strsep(&rest, "|"));) names[count++] = word;
  const char *near = ink_nearest(node->text, names, count);
  const size_t word_length = key->refusal ? strcspn(key->refusal, "=") : 0;
  if (word_length && strlen(node->text) == word_length && !strncmp(key->refusal, node->text, word_length)) {
    ink_resolve_error(r, node, "must be %s; %s %s", all, node->text, key->refusal + word_length + 1);
    return;
  }
  ink_resolve_error(r, node, "must be %s, got '%.60s'%s%s%s", all, node->text, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
}

static void number_text(double value, char *text, size_t size) { snprintf(text, size, "%.6g", value); }

/* Range of a number in SI. */
static void check_range(InkResolver *r, InkNode *node, const InkKey *key, double value) {
  if (key->min == 0 && key->max == 0) return;
  bool exclusive = key->flags & INK_EXCLUSIVE_MIN;
  bool low = key->min > -INK_NO_MAX && (exclusive ? value <= key->min : value < key->min);
  bool high = key->max < INK_NO_MAX && value > key->max;
  if (!low && !high) return;
  char bound[40];
  const char *unit = key->unit && *key->unit != '@' && strcmp(key->unit, "1") ? key->unit : "";
  number_text(low ? key->min : key->max, bound, sizeof bound);
  ink_resolve_error(r, node, "must be %s %s%s%s, got %.60s",
                    high        ? "at most"
                    : exclusive ? "greater than"
                                : "at least",
                    bound, *unit ? " " : "", unit, node->text);
}

static void resolve_integer(InkResolver *r, InkNode *node, const InkKey *key) {
  size_t n = ink_number_length(node->text);
  double value = n && !node->text[n] ? strtod(node->text, NULL) : NAN;
  if (!isfinite(value) || value != floor(value)) {
    ink_resolve_error(r, node, "must be an integer, got '%.60s'", node->text);
    return;
  }
  if (fabs(value) > 9007199254740992.0) {
    ink_resolve_error(r, node, "must be at most 2^53 in size, got %.60s", node->text);
    return;
  }
  node->number = value;
  check_range(r, node, key, value);
}

static void resolve_unit(InkResolver *r, InkNode *node) {
  InkUnit unit;
  char message[400];
  if (!ink_unit_parse(node->text, strlen(node->text), &unit, message, sizeof message)) {
    ink_resolve_error(r, node, "%s", message);
    return;
  }
  node->dim = unit.dim;
}

void ink_resolve_scalar(InkResolver *r, InkNode *node, const InkKey *key) {
  if (key->kind == INK_KIND_CHOICE)
    resolve_choice(r, node, key);
  else if (key->kind == INK_KIND_INTEGER)
    resolve_integer(r, node, key);
  else if (key->kind == INK_KIND_UNIT)
    resolve_unit(r, node);
  else if (key->kind == INK_KIND_BOOL) {
    node->number = !strcmp(node->text, "true");
    if (!node->number && strcmp(node->text, "false"))
      ink_resolve_error(r, node, "must be true or false, got '%.60s'", node->text);
  }
}

static int field_named(const InkDeck *deck, const char *name) {
  for (int f = 0; f < deck->fields; f++)
    if (!strcmp(deck->field[f], name)) return f;
  return -1;
}

/* The field a node is about (see InkSchema.unit): the only one; the one that `field` beside it, or the end of
 * `quantity` beside it ("spots:u"), names; else that of the nearest name on the way to the root. */
static int field_about(const InkDeck *deck, const InkNode *node) {
  if (deck->fields == 1) return 0;
  static const char *const beside[] = {"field", "quantity"};
  for (int i = 0; i < 2 && node->parent && node->parent->kind == INK_MAPPING; i++) {
    const InkNode *sibling = ink_tree_child(node->parent, beside[i]);
    if (!sibling || sibling == node || sibling->kind != INK_SCALAR) continue;
    const char *colon = strrchr(sibling->text, ':');
    const int field = field_named(deck, colon ? colon + 1 : sibling->text);
    if (field >= 0) return field;
  }
  for (; node; node = node->parent) {
    const int field = node->key ? field_named(deck, node->key) : -1;
    if (field >= 0) return field;
  }
  return -1;
}

/* Of a number in a list of numbers that is a place. */
static InkDim dim_of_item(const InkDeck *deck, const InkNode *item) {
  if (deck->axes < 0) return ink_dim_of("m");
  int a = 0;
  for (const InkNode *other = item->parent->first; other != item; other = other->next) a++;
  return a < deck->axes ? deck->axis[a].dim : ink_dim_any();
}

InkDim ink_resolve_key_dim(const InkResolver *r, const InkNode *node, const InkKey *key) {
  const InkDeck *deck = r->deck;
  if (!key->unit) return ink_dim_any();
  if (*key->unit != '@') return ink_dim_of(key->unit);
  if (!strcmp(key->unit, "@axes")) return dim_of_item(deck, node);
  const int field = field_about(deck, node);
  if (!strcmp(key->unit, "@field")) return field >= 0 ? deck->field_dim[field] : ink_dim_any();
  if (!deck->schema->unit) return ink_dim_any();
  return deck->schema->unit(deck->root, node, key->unit + 1, field, deck->field_dim);
}

/* True when `dim` fits; else one line that names both. `unit`: as written, or NULL for an expression. */
static bool check_dim(InkResolver *r, InkNode *node, const InkKey *key, const InkDim *dim, const char *unit) {
  InkDim wanted = ink_resolve_key_dim(r, node, key);
  if (ink_dim_equal(dim, &wanted)) return true;
  char got[100], want[100], named[200], wanted_name[200];
  ink_dim_print(dim, got, sizeof got);
  ink_dim_print(&wanted, want, sizeof want);
  bool own_name = *key->unit != '@' && strcmp(key->unit, want) != 0;
  if (own_name)
    snprintf(wanted_name, sizeof wanted_name, "%s (%s)", key->unit, want);
  else
    snprintf(wanted_name, sizeof wanted_name, "%s", want);
  if (unit && strcmp(unit, got))
    snprintf(named, sizeof named, "'%.60s' (%s)", unit, got);
  else
    snprintf(named, sizeof named, "%s", got);
  const char *hint = unit ? ink_unit_hint(unit, strlen(unit)) : NULL;
  InkUnit meant;
  char ignored[200];
  if (hint && (!ink_unit_parse(hint, strlen(hint), &meant, ignored, sizeof ignored) ||
               !ink_dim_equal(&meant.dim, &wanted)))
    hint = NULL;
  ink_resolve_error(r, node, "wrong dimension: needs %s, got %s%s%s%s", wanted_name, named,
                    hint ? "; did you mean '" : "", hint ? hint : "", hint ? "'?" : "");
  return false;
}

/* NUMBER blanks UNIT. False: reported. */
static bool read_quantity(InkResolver *r, InkNode *node, const InkKey *key, const char *unit_text,
                          bool point) {
  InkUnit unit;
  char message[400];
  size_t length = strlen(unit_text);
  if (!ink_unit_parse(unit_text, length, &unit, message, sizeof message)) {
    ink_resolve_error(r, node, "%s", message);
    return false;
  }
  double number = strtod(node->text, NULL);
  node->percent = key->kind == INK_KIND_TOLERANCE && !strcmp(unit_text, "%");
  node->unit = ink_pool_strdup(r->pool, unit_text);
  node->factor = unit.factor;
  node->offset = point ? unit.offset : 0;
  node->dim = unit.dim;
  node->number = node->percent ? number / 100 : unit.factor * number + node->offset;
  if (node->percent) return true;
  return check_dim(r, node, key, &unit.dim, unit_text);
}

/* A hint for texts that look like something else; written to hint. */
static void expression_hint(const char *text, char *hint, size_t size) {
  size_t n = ink_number_length(text);
  int open = 0;
  *hint = 0;
  for (const char *p = text; *p; p++) open += *p == '(' ? 1 : *p == ')' ? -1 : 0;
  if (open) {
    snprintf(hint, size, "; inside { } and [ ] a value that holds commas needs quotes");
    return;
  }
  InkUnit unit;
  char ignored[400];
  if (n && text[n] && text[n] != ' ' &&
      ink_unit_parse(text + n, strlen(text + n), &unit, ignored, sizeof ignored))
    snprintf(hint, size, "; a quantity has a blank before its unit: '%.*s %.60s'", (int)n, text, text + n);
}

/* Parses and checks. NULL: reported. */
static const InkExpr *read_expression(InkResolver *r, InkNode *node, const InkKey *key,
                                      const InkScope *scope) {
  char message[600], hint[200];
  const InkExpr *e = ink_expr_parse(r->pool, node->text, scope, message, sizeof message);
  if (!e) {
    expression_hint(node->text, hint, sizeof hint);
    ink_resolve_error(r, node, "in '%.80s': %s%s", node->text, message, hint);
    return NULL;
  }
  if (!ink_expr_check(e, &node->dim, message, sizeof message)) {
    ink_resolve_error(r, node, "in '%.80s': %s", node->text, message);
    return NULL;
  }
  return check_dim(r, node, key, &node->dim, NULL) ? e : NULL;
}

void ink_resolve_number(InkResolver *r, InkNode *node, const InkKey *key, const InkScope *constants) {
  const char *unit = ink_quantity_unit(node->text);
  size_t n = ink_number_length(node->text);
  bool point = key->kind == INK_KIND_NUMBER || key->kind == INK_KIND_NUMBERS;
  if (unit) {
    if (!read_quantity(r, node, key, unit, point)) return;
  } else if (n && !node->text[n])
    node->number = strtod(node->text, NULL);
  else {
    const InkExpr *e = read_expression(r, node, key, constants);
    if (!e) return;
    node->number = ink_expr_value(e, NULL);
  }
  if (!isfinite(node->number)) {
    ink_resolve_error(r, node, "'%.60s' is not a finite number", node->text);
    return;
  }
  check_range(r, node, key, node->number);
}

/* A number as a tree, with the dimension of the quantity it was. */
static const InkExpr *number_tree(InkResolver *r, const InkNode *node) {
  InkExpr *e = ink_expr_node(r->pool, INK_OP_NUMBER, NULL);
  *e = *ink_expr_leaf(r->pool, fabs(node->number));
  e->dim = node->dim;
  if (!signbit(node->number)) return e;
  const InkExpr *arg[3] = {e};
  e = ink_expr_node(r->pool, INK_OP_NEG, arg);
  e->dim = node->dim;
  return e;
}

void ink_resolve_expression(InkResolver *r, InkNode *node, const InkKey *key, const InkScope *scope) {
  const char *unit = ink_quantity_unit(node->text);
  size_t n = ink_number_length(node->text);
  if (unit || (n && !node->text[n])) {
    if (unit && !read_quantity(r, node, key, unit, true)) return;
    if (!unit) node->number = strtod(node->text, NULL);
    if (!isfinite(node->number)) {
      ink_resolve_error(r, node, "'%.60s' is not a finite number", node->text);
      return;
    }
    node->expression = number_tree(r, node);
  } else
    node->expression = read_expression(r, node, key, scope);
  if (!node->expression || !ink_expr_is_constant(node->expression)) return;
  double value = ink_expr_value(node->expression, NULL);
  /* A NaN is not the deck's error: in a field it ends the run with exit 4, whether it is constant or comes
   * later. */
  if (!isnan(value)) check_range(r, node, key, value);
}
