/* The parser: recursive descent, one function a level.
 *
 *     comparison = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
 *     sum        = term { ("+" | "-") term }
 *     term       = unary { ("*" | "/") unary }
 *     unary      = ("-" | "+") unary | power
 *     power      = primary [ "^" unary ]                      so -2^2 = -4, 2^-1 = 0.5, 2^3^2 = 512
 *     primary    = number [ "[" unit "]" ] | name | function "(" comparison { "," comparison } ")"
 *                | "noise" "(" integer ")" | "(" comparison ")"
 *     number     = (digits ["." [digits]] | "." digits) [("e" | "E") ["+" | "-"] digits]
 *
 * The first error stops it. Columns in messages count bytes from 1. */
#include "expression_impl.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTH = 65536, MAX_NESTING = 200, MAX_DEPTH = 1000, MAX_NAME = 64 };

typedef struct Parser {
  InkPool *pool;
  const char *text, *at;
  const InkScope *scope;
  char *message;
  size_t size;
  int nesting;
} Parser;

typedef const InkExpr *E;

static E comparison(Parser *p);
static E unary(Parser *p);

__attribute__((format(printf, 3, 4))) static E fail(Parser *p, const char *where, const char *format, ...) {
  int used = snprintf(p->message, p->size, "column %d: ", (int)(where - p->text) + 1);
  if (used < 0 || (size_t)used >= p->size) return NULL;
  va_list list;
  va_start(list, format);
  vsnprintf(p->message + used, p->size - (size_t)used, format, list);
  va_end(list);
  return NULL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static char peek(Parser *p) {
  while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r') p->at++;
  return *p->at;
}

static bool accept(Parser *p, char c) {
  if (peek(p) != c) return false;
  p->at++;
  return true;
}

/* A node made of what was written, at the column of its operator or name. */
static E node(Parser *p, InkOp op, const char *where, const E arg[]) {
  InkExpr *e = ink_expr_node(p->pool, op, arg);
  e->column = (int)(where - p->text);
  if (e->depth > MAX_DEPTH)
    return fail(
        p, where,
        "more than %d operations build on each other; group long sums with parentheses: (a + b) + (c + d)",
        MAX_DEPTH);
  return e;
}

/* What stands at p->at, for messages: a name, a number, or one character (UTF-8 whole). */
static int width_of(const char *at) {
  int n = 0;
  while (is_letter(at[n]) || is_digit(at[n])) n++;
  if (n) return n < MAX_NAME ? n : MAX_NAME;
  n = *at ? 1 : 0;
  while (n && n < 4 && ((unsigned char)at[n] & 0xC0) == 0x80) n++;
  return n;
}

static const char *advice(const char *at) {
  if (*at == '=') return ": to compare, write ==";
  if (*at == '&') return ": for 'and', multiply the comparisons: (x > 0)*(x < 1)";
  if (*at == '|') return ": for 'or', use max of the comparisons: max(x < 0, x > 1)";
  if (*at == '!') return ": for 'not', subtract the comparison from 1, or use !=";
  if (*at == '?' || *at == ':') return ": for a choice, write if(condition, a, b)";
  if (*at == '%') return ": for a remainder, write mod(a, b)";
  if (*at == '[') return ": a unit in brackets follows a number, as in 25[degC]";
  if (*at == '*') return ": for a power, write ^";
  if (is_letter(*at)) return ": to multiply, write *; a unit goes in brackets, as in 25[degC]";
  if ((unsigned char)*at >= 0x80) return ": only plain ASCII letters and signs";
  return "";
}

static E unexpected(Parser *p, const char *wanted) {
  char c = peek(p);
  if (!c) return fail(p, p->at, "the expression ends where %s is expected", wanted);
  if (iscntrl((unsigned char)c)) return fail(p, p->at, "unexpected control character");
  return fail(p, p->at, "unexpected '%.*s' where %s is expected%s", width_of(p->at), p->at, wanted,
              advice(p->at));
}

/* Names. */

static int min3(int a, int b, int c) {
  int m = a < b ? a : b;
  return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap neighbours) that turn a into b; large for long names. */
static int edits(const char *a, int n, const char *b) {
  int m = (int)strlen(b), row[3][MAX_NAME + 1];
  if (n > MAX_NAME || m > MAX_NAME) return MAX_NAME;
  for (int j = 0; j <= m; j++) row[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= m; j++) {
      bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
      now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + !same);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
        now[j] = before[j - 2] + 1;
    }
  }
  return row[n % 3][m];
}

/* The known name nearest to `name`: one slip in three letters, two in six, three in longer ones; NULL: none.
 */
static const char *suggestion(const Parser *p, const char *name, int n) {
  const char *best = NULL;
  int fewest = (n <= 1 ? 0 : n <= 3 ? 1 : n <= 6 ? 2 : 3) + 1;
  for (int s = 0; s < p->scope->count; s++) {
    int d = p->scope->symbol[s].refusal ? MAX_NAME : edits(name, n, p->scope->symbol[s].name);
    if (d < fewest) {
      best = p->scope->symbol[s].name;
      fewest = d;
    }
  }
  for (const InkFunction *f = ink_functions; f->name; f++) {
    int d = edits(name, n, f->name);
    if (d < fewest) {
      best = f->name;
      fewest = d;
    }
  }
  return best;
}

/* One letter is no slip of another, but of fields with one-letter names the nearest in the alphabet is likely
 * meant: v for w or V. NULL: none within two letters. */
static const char *neighbour(const Parser *p, char letter) {
  const char *best = NULL;
  int nearest = 3;
  for (int s = 0; s < p->scope->count; s++) {
    const struct InkSymbol *symbol = &p->scope->symbol[s];
    if (symbol->variable < INK_VAR_FIELD || symbol->refusal || strlen(symbol->name) != 1) continue;
    int d = abs((symbol->name[0] | 32) - (letter | 32)); /* letters without their case */
    if (d < nearest) {
      best = symbol->name;
      nearest = d;
    }
  }
  return best;
}

static E unknown(Parser *p, const char *name, int n) {
  const char *best = suggestion(p, name, n);
  if (!best && n == 1) best = neighbour(p, *name);
  int shown = n < MAX_NAME ? n : MAX_NAME;
  if (best) return fail(p, name, "unknown name '%.*s': did you mean %s?", shown, name, best);
  char known[160] = "";
  size_t used = 0;
  for (int s = 0; s < p->scope->count && used < sizeof known - 40; s++) {
    const struct InkSymbol *symbol = &p->scope->symbol[s];
    if (symbol->refusal || strlen(symbol->name) > 30) continue;
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", symbol->name);
  }
  return fail(p, name, "unknown name '%.*s'%s%s", shown, name, used ? ": known here are " : "", known);
}

static bool equals(const char *name, int n, const char *word) {
  return strncmp(name, word, (size_t)n) == 0 && word[n] == 0;
}

static const InkFunction *find_function(const char *name, int n) {
  for (const InkFunction *f = ink_functions; f->name; f++)
    if (equals(name, n, f->name)) return f;
  return NULL;
}

static E constant(Parser *p, const char *where, double value, InkDim dim) {
  InkExpr *e = ink_expr_leaf(p->pool, fabs(value));
  e->column = (int)(where - p->text);
  e->dim = dim;
  E leaf = e;
  return signbit(value) && !isnan(value) ? node(p, INK_OP_NEG, where, &leaf) : leaf;
}

static E symbol(Parser *p, const char *name, int n) {
  for (int s = 0; s < p->scope->count; s++) {
    const struct InkSymbol *known = &p->scope->symbol[s];
    if (!equals(name, n, known->name)) continue;
    if (known->refusal) return fail(p, name, "'%s' %s", known->name, known->refusal);
    if (known->variable < 0) return constant(p, name, known->value, known->dim);
    InkExpr *e = ink_expr_node(p->pool, INK_OP_VARIABLE, NULL);
    e->variable = known->variable;
    e->variables = 1ull << known->variable;
    e->dim = known->dim;
    e->column = (int)(name - p->text);
    return e;
  }
  if (equals(name, n, "pi")) return constant(p, name, M_PI, ink_dim_any());
  const InkFunction *f = find_function(name, n);
  if (f) return fail(p, name, "%s is a function: write %s(...)", f->name, f->name);
  if (equals(name, n, "noise")) return fail(p, name, "noise is a function: write noise(0)");
  return unknown(p, name, n);
}

static E noise(Parser *p, const char *name) {
  if (!p->scope->noise) return fail(p, name, "noise(k) is allowed in `initial` only");
  peek(p);
  const char *digits = p->at;
  int k = 0;
  while (is_digit(*p->at) && p->at - digits < 3) k = 10 * k + (*p->at++ - '0');
  if (p->at == digits || k >= INK_MAX_NOISE || !accept(p, ')'))
    return fail(p, digits, "noise takes one whole number from 0 to %d, the stream: noise(0)",
                INK_MAX_NOISE - 1);
  InkExpr *e = ink_expr_node(p->pool, INK_OP_VARIABLE, NULL);
  e->variable = INK_VAR_NOISE + k;
  e->variables = 1ull << e->variable;
  e->column = (int)(name - p->text);
  return e;
}

static E call(Parser *p, const char *name, int n) {
  if (equals(name, n, "noise")) return noise(p, name);
  const InkFunction *f = find_function(name, n);
  if (!f) {
    for (int s = 0; s < p->scope->count; s++)
      if (equals(name, n, p->scope->symbol[s].name))
        return fail(p, name, "'%.*s' is not a function: to multiply, write %.*s*(...)", n, name, n, name);
    if (equals(name, n, "pi")) return fail(p, name, "'pi' is not a function: to multiply, write pi*(...)");
    if (equals(name, n, "ln")) return fail(p, name, "unknown function 'ln': log is the natural logarithm");
    if (equals(name, n, "log10")) return fail(p, name, "unknown function 'log10': write log(a)/log(10)");
    return unknown(p, name, n);
  }
  E arg[3] = {NULL, NULL, NULL};
  int count = 0;
  if (peek(p) != ')') do {
      E e = comparison(p);
      if (!e) return NULL;
      if (count < 3) arg[count] = e;
      count++;
    } while (accept(p, ','));
  if (!accept(p, ')')) return unexpected(p, "',' or ')'");
  if (count != f->arguments)
    return fail(p, name, "%s takes %d argument%s, got %d", f->name, f->arguments,
                f->arguments == 1 ? "" : "s", count);
  return node(p, f->op, name, arg);
}

/* Numbers. */

/* Length of the number at `at`, 0: none. */
static int number_length(const char *at) {
  int n = 0, digits = 0;
  while (is_digit(at[n])) n++, digits++;
  if (at[n] == '.') n++;
  while (is_digit(at[n])) n++, digits++;
  if (!digits) return 0;
  if (at[n] == 'e' || at[n] == 'E') {
    int m = n + 1;
    if (at[m] == '+' || at[m] == '-') m++;
    if (is_digit(at[m])) {
      while (is_digit(at[m])) m++;
      n = m;
    }
  }
  return n;
}

/* Reads the unit at "[...]" behind a number; false: failed. */
static bool unit_literal(Parser *p, InkUnit *unit) {
  const char *open = p->at - 1, *close = strchr(p->at, ']');
  if (!close) {
    fail(p, open, "'[' without ']': a unit literal is written 25[degC]");
    return false;
  }
  const char *from = p->at, *to = close;
  while (from < to && *from == ' ') from++;
  while (to > from && to[-1] == ' ') to--;
  char reason[256] = "";
  if (from == to) {
    fail(p, open, "the brackets hold no unit");
    return false;
  }
  if (!ink_unit_parse(from, (size_t)(to - from), unit, reason, sizeof reason)) {
    fail(p, from, "%s", reason);
    return false;
  }
  p->at = close + 1;
  return true;
}

/* sign -1: the number follows a minus sign; *absorbed is set when the sign became part of the number. */
static E number(Parser *p, int sign, bool *absorbed) {
  const char *where = p->at;
  int n = number_length(where);
  if (!n) return unexpected(p, "a number, a name or '('");
  char *end;
  double value = strtod(where, &end); /* the program runs in the C locale */
  if (end != where + n) {             /* strtod also reads 0x10 */
    char digits[MAX_NAME];
    if (n >= MAX_NAME) return fail(p, where, "a number with more than %d characters", MAX_NAME - 1);
    memcpy(digits, where, (size_t)n);
    digits[n] = 0;
    value = strtod(digits, NULL);
  }
  if (!isfinite(value)) return fail(p, where, "%.*s is too large: at most 1.8e308", n < 40 ? n : 40, where);
  p->at += n;
  if (is_letter(*p->at) || is_digit(*p->at) || *p->at == '.') {
    int width = width_of(p->at);
    if (!width || is_digit(*p->at) || n > 40)
      return fail(p, where, "'%.*s%.*s' is not a number", n < 40 ? n : 40, where, 1, p->at);
    return fail(
        p, where,
        "'%.*s%.*s' is not a number: to multiply, write %.*s*%.*s; a unit goes in brackets: %.*s[%.*s]", n,
        where, width, p->at, n, where, width, p->at, n, where, width, p->at);
  }
  if (!accept(p, '[')) return constant(p, where, value, ink_dim_any());
  InkUnit unit;
  if (!unit_literal(p, &unit)) return NULL;
  if (unit.offset != 0 && sign < 0) {
    value = -value;
    *absorbed = true;
  }
  double si = unit.factor * value + unit.offset;
  if (!isfinite(si)) return fail(p, where, "the value is too large in SI units");
  return constant(p, where, si, unit.dim);
}

/* The levels. */

static E primary(Parser *p, int sign, bool *absorbed) {
  const char *where;
  if (accept(p, '(')) {
    where = p->at - 1;
    E e = comparison(p);
    if (!e) return NULL;
    if (accept(p, ')')) return e;
    if (!peek(p)) return fail(p, where, "'(' without ')'");
    return unexpected(p, "an operator or ')'");
  }
  where = p->at;
  if (!is_letter(*where)) return number(p, sign, absorbed);
  int n = 0;
  while (is_letter(where[n]) || is_digit(where[n])) n++;
  p->at += n;
  return accept(p, '(') ? call(p, where, n) : symbol(p, where, n);
}

static E power(Parser *p, int sign, bool *absorbed) {
  E base = primary(p, sign, absorbed);
  if (!base || peek(p) != '^') return base;
  const char *where = p->at++;
  if (*absorbed)
    return fail(p, where, "a power of a negative number in an offset unit: put the number in parentheses");
  if (++p->nesting > MAX_NESTING)
    return fail(p, where, "more than %d powers and parentheses nested", MAX_NESTING);
  E exponent = unary(p);
  p->nesting--;
  return exponent ? node(p, INK_OP_POW, where, (E[]){base, exponent}) : NULL;
}

static E unary(Parser *p) {
  bool absorbed = false;
  char c = peek(p);
  const char *where = p->at;
  if (c != '-' && c != '+') return power(p, 1, &absorbed);
  if (++p->nesting > MAX_NESTING)
    return fail(p, where, "more than %d signs and parentheses nested", MAX_NESTING);
  p->at++;
  char next = peek(p);
  E e = next == '-' || next == '+' ? unary(p) : power(p, c == '-' ? -1 : 1, &absorbed);
  p->nesting--;
  if (!e || c == '+' || absorbed) return e;
  return node(p, INK_OP_NEG, where, &e);
}

static E term(Parser *p) {
  E left = unary(p);
  while (left && (peek(p) == '*' || *p->at == '/')) {
    const char *where = p->at++;
    if (*where == '*' && *p->at == '*') return fail(p, where, "unexpected '**': for a power, write ^");
    E right = unary(p);
    if (!right) return NULL;
    left = node(p, *where == '*' ? INK_OP_MUL : INK_OP_DIV, where, (E[]){left, right});
  }
  return left;
}

static E sum(Parser *p) {
  E left = term(p);
  while (left && (peek(p) == '+' || *p->at == '-')) {
    const char *where = p->at++;
    E right = term(p);
    if (!right) return NULL;
    left = node(p, *where == '+' ? INK_OP_ADD : INK_OP_SUB, where, (E[]){left, right});
  }
  return left;
}

/* The comparison operator at p->at: its length, 0 for none. */
static int comparison_operator(Parser *p, InkOp *op) {
  char c = peek(p), next = c ? p->at[1] : 0;
  switch (c) {
  case '<':
    *op = next == '=' ? INK_OP_LE : INK_OP_LT;
    return next == '=' ? 2 : 1;
  case '>':
    *op = next == '=' ? INK_OP_GE : INK_OP_GT;
    return next == '=' ? 2 : 1;
  case '=':
    *op = INK_OP_EQ;
    return next == '=' ? 2 : 0;
  case '!':
    *op = INK_OP_NE;
    return next == '=' ? 2 : 0;
  default:
    return 0;
  }
}

static E comparison(Parser *p) {
  if (++p->nesting > MAX_NESTING)
    return fail(p, p->at, "more than %d signs and parentheses nested", MAX_NESTING);
  E left = sum(p);
  InkOp op, again;
  int length;
  if (left && (length = comparison_operator(p, &op))) {
    const char *where = p->at;
    p->at += length;
    E right = sum(p);
    if (!right) return NULL;
    left = node(p, op, where, (E[]){left, right});
    if (left && comparison_operator(p, &again))
      return fail(p, p->at, "comparisons do not chain: write (a < b)*(b < c) for a < b < c");
  }
  p->nesting--;
  return left;
}

const InkExpr *ink_expr_parse(InkPool *pool, const char *text, const InkScope *scope, char *message,
                              size_t size) {
  Parser p = {.pool = pool, .text = text, .at = text, .scope = scope, .message = message, .size = size};
  if (strlen(text) > MAX_LENGTH)
    return fail(&p, text + MAX_LENGTH, "the expression is longer than %d characters", MAX_LENGTH);
  if (!peek(&p)) return fail(&p, text, "the expression is empty");
  E e = comparison(&p);
  if (!e) return NULL;
  if (!peek(&p)) return e;
  if (*p.at == ')') return fail(&p, p.at, "')' without '('");
  return unexpected(&p, "an operator");
}
