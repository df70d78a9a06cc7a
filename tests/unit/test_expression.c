/* The deck's expressions: what is read, what is refused and how, dimensions, derivatives, printing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../io/expression.h"

static const char *const names[INK_VARS] = {"x", "y", "z", "r", "t", "T", "u"};
enum { VAR_T = INK_VAR_FIELD, VAR_U };

static InkScope scope(struct InkSymbol symbol[8]) {
  int n = 0;
  for (int v = 0; v < 7; v++) symbol[n++] = (struct InkSymbol){names[v], v, 0, ink_dim_any(), NULL};
  symbol[n++] = (struct InkSymbol){"k0", -1, -3, ink_dim_any(), NULL};
  symbol[VAR_U].refusal = "is not known here";
  return (InkScope){symbol, n, true};
}

static const InkExpr *parse(InkPool *pool, const char *text, char message[512]) {
  struct InkSymbol symbol[8];
  InkScope s = scope(symbol);
  message[0] = 0;
  return ink_expr_parse(pool, text, &s, message, 512);
}

static const InkExpr *parsed(InkPool *pool, const char *text) {
  char message[512];
  const InkExpr *e = parse(pool, text, message);
  if (!e) fail_msg("%s: %s", text, message);
  return e;
}

static void values_of_constants(void **state) {
  (void)state;
  const struct {
    const char *text;
    double value;
  } cases[] = {
      {"-2^2", -4},
      {"2^-1", 0.5},
      {"2^3^2", 512},
      {"-2^-2", -0.25},
      {"1+2*3", 7},
      {"8/4/2", 1},
      {"8-4-2", 2},
      {"(1+2)*3", 9},
      {".5", 0.5},
      {"5.", 5},
      {"1e3", 1000},
      {"1.5E-2", 0.015},
      {"1 < 2", 1},
      {"2<=1", 0},
      {"1==1", 1},
      {"1!=1", 0},
      {"2*3 < 7-1", 0},
      {"if(1<2,3,4)", 3},
      {"if(0,3,4)", 4},
      {"min(2,-1)", -1},
      {"max(2,-1)", 2},
      {"abs(-3)", 3},
      {"sign(-3)", -1},
      {"sign(0)", 0},
      {"sqrt(9)", 3},
      {"floor(-0.5)", -1},
      {"mod(-1,3)", 2},
      {"mod(7,-3)", -2},
      {"pow(2,10)", 1024},
      {"k0^2", 9},
      {"--3", 3},
      {"-+3", -3},
      {"pi", M_PI},
      {"atan2(1,1)", M_PI / 4},
      {"(-2)^3", -8},
      {"4^0.5", 2},
      {"0^0", 1},
      {"if(2>1, 1, 0/0)", 1},
      {"2^-3^2", pow(2, -9)},
      {" 1 + 1 ", 2},
      {"log(exp(2))", 2},
      {"2*-3", -6},
      {"1 + -1", 0},
      {"2^64", 0x1p64},
  };
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double value = ink_expr_value(parsed(pool, cases[i].text), NULL);
    if (value != cases[i].value) fail_msg("%s: %.17g, not %.17g", cases[i].text, value, cases[i].value);
  }
  const char *nan_cases[] = {"1/0",        "0/0",        "log(0)",    "log(-1)",     "sqrt(-1)",
                             "(-2)^0.5",   "0^-1",       "0^-0.5",    "mod(1,0)",    "if(0/0,1,2)",
                             "min(0/0,1)", "max(1,0/0)", "sign(0/0)", "pow(-1,1.5)", "asin(2)"};
  for (size_t i = 0; i < sizeof nan_cases / sizeof *nan_cases; i++)
    if (!isnan(ink_expr_value(parsed(pool, nan_cases[i]), NULL))) fail_msg("%s is not NaN", nan_cases[i]);
  ink_pool_destroy(&pool);
}

static void refusals(void **state) {
  (void)state;
  const struct {
    const char *text, *says; /* a piece of the message */
  } cases[] = {
      {"", "empty"},
      {"   ", "empty"},
      {"1 +", "column 4: the expression ends"},
      {"sin", "sin is a function: write sin(...)"},
      {"sin(1,2)", "sin takes 1 argument, got 2"},
      {"sin()", "sin takes 1 argument, got 0"},
      {"min(1)", "min takes 2 arguments, got 1"},
      {"if(1,2,3,4)", "if takes 3 arguments, got 4"},
      {"1 < x < 2", "column 7: comparisons do not chain"},
      {"2x", "2*x"},
      {"25 degC", "a unit goes in brackets"},
      {"x = 1", "write =="},
      {"x ** 2", "write ^"},
      {"x && y", "multiply the comparisons"},
      {"x || y", "max of the comparisons"},
      {"x ? 1 : 2", "if(condition, a, b)"},
      {"(1", "'(' without ')'"},
      {"1)", "')' without '('"},
      {"(1 2)", "an operator or ')'"},
      {"tt", "did you mean"},
      {"exq(1)", "did you mean exp"},
      {"sine(1)", "did you mean sin"},
      {"blorp", "unknown name 'blorp': known here are x"},
      {"u", "'u' is not known here"},
      {"x(1)", "'x' is not a function"},
      {"ln(2)", "log is the natural logarithm"},
      {"noise(16)", "0 to 15"},
      {"noise(-1)", "0 to 15"},
      {"noise(x)", "0 to 15"},
      {"noise(1.5)", "0 to 15"},
      {"noise", "noise is a function"},
      {"0x10", "not a number"},
      {"1e", "not a number"},
      {"1.2.3", "not a number"},
      {"1e999", "too large"},
      {"inf", "unknown name"},
      {"nan", "unknown name"},
      {"1_000", "not a number"},
      {"25[]", "no unit"},
      {"25[degC", "without ']'"},
      {"25[nonsense]", "column 4: "},
      {"x[m]", "a unit in brackets follows a number"},
      {"2 × 3", "ASCII"},
      {"x;", "unexpected ';'"},
      {"-25[degC]^2", "parentheses"},
  };
  InkPool *pool = ink_pool_create();
  char message[512];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (parse(pool, cases[i].text, message)) fail_msg("'%s' was taken", cases[i].text);
    if (!strstr(message, cases[i].says))
      fail_msg("'%s': '%s' lacks '%s'", cases[i].text, message, cases[i].says);
    if (strncmp(message, "column ", 7) != 0 || strchr(message, '\n'))
      fail_msg("'%s': %s", cases[i].text, message);
  }
  ink_pool_destroy(&pool);
}

/* `count` copies of `piece`, then `middle`, then `count` of `end`. */
static char *repeated(const char *piece, size_t count, const char *middle, const char *end) {
  size_t n = count * (strlen(piece) + strlen(end)) + strlen(middle) + 1;
  char *text = malloc(n), *at = text;
  assert_non_null(text);
  for (size_t i = 0; i < count; i++) at += sprintf(at, "%s", piece);
  at += sprintf(at, "%s", middle);
  for (size_t i = 0; i < count; i++) at += sprintf(at, "%s", end);
  return text;
}

static void long_and_deep_input_is_refused_or_works(void **state) {
  (void)state;
  const struct {
    const char *piece, *middle, *end;
    size_t count;
    bool good;
  } cases[] = {
      {"(", "1", ")", 100, true},      {"(", "1", ")", 30000, false},  {"-", "1", "", 60000, false},
      {"1+", "1", "", 900, true},      {"1+", "1", "", 30000, false},  {"2^", "1", "", 30000, false},
      {"sin(", "1", ")", 9000, false}, {" ", "1", "", 70000, false},   {"if(1,", "x", ",2)", 150, true},
      {"x*", "x", "", 900, true},      {"-(", "1", ")", 15000, false}, {"9", "9", "", 60000, false},
  };
  char message[512];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    InkPool *pool = ink_pool_create();
    char *text = repeated(cases[i].piece, cases[i].count, cases[i].middle, cases[i].end);
    const InkExpr *e = parse(pool, text, message);
    if ((e != NULL) != cases[i].good) fail_msg("case %zu: %s", i, message);
    if (e) { /* nothing that walks the tree may be slow or deep */
      InkDim dim;
      assert_true(ink_expr_check(e, &dim, message, sizeof message));
      const InkExpr *d = ink_expr_derivative(pool, ink_expr_derivative(pool, e, INK_VAR_X), INK_VAR_X);
      assert_non_null(ink_expr_copy(pool, d));
      assert_true(strlen(ink_expr_print(pool, e, names)) > 0);
    }
    free(text);
    ink_pool_destroy(&pool);
  }
}

static void unit_literals(void **state) {
  (void)state;
  const struct {
    const char *text;
    double value;
  } cases[] = {{"25[degC]", 298.15},
               {"50[K]", 50},
               {"-25[degC]", 248.15},
               {"1[ms]", 1e-3},
               {"2[km]/4[m]", 500},
               {"1 [ mm ]", 1e-3},
               {"20[degC] - 5[K]", 288.15},
               {"-2[m]^2", -4},
               {"25[degC] + 50[K]*sin(pi/2)", 348.15}};
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double value = ink_expr_value(parsed(pool, cases[i].text), NULL);
    if (fabs(value - cases[i].value) > 1e-12 * fabs(cases[i].value))
      fail_msg("%s: %.17g", cases[i].text, value);
  }
  ink_pool_destroy(&pool);
}

static void dimensions(void **state) {
  (void)state;
  const struct {
    const char *text, *unit; /* NULL: any; starting with '!': a piece of the refusal */
  } cases[] = {
      {"1", NULL},
      {"25[degC] + 50[K]*sin(2*pi*t/40[s])", "K"}, /* t has any dimension, hence the sine too */
      {"25[degC] + 3", "K"},
      {"2*3[m]", NULL},
      {"3[m]*2[s]", "m s"},
      {"3[m]/2[s]", "m/s"},
      {"sqrt(4[m^2])", "m"},
      {"(3[m])^2", "m^2"},
      {"pow(3[m], 1/2)", "m^0.5"},
      {"exp(1[m]/2[m])", "1"},
      {"sin(x)", NULL},
      {"if(x < 1, 2[K], 0)", "K"},
      {"if(1[m] < 2[mm], 2[K], 3[degC])", "K"},
      {"min(1[m], x)", "m"},
      {"mod(5[s], 2[s])", "s"},
      {"atan2(1[m], 2[m])", "1"},
      {"1[m] < 2[m]", "1"},
      {"abs(-3[m])", "m"},
      {"sign(-3[m])", "1"},
      {"1[m] + 1[s]", "!column 6: the two sides of '+' have different dimensions: m and s"},
      {"1[m] < 1[s]", "!column 6: the two sides of '<'"},
      {"min(1[m], 1[s])", "!column 1: the two sides of 'min'"},
      {"if(x<1, 1[m], 1[s])", "!column 1: the two sides of 'if'"},
      {"if(1[m], 1, 2)", "!the condition of 'if' must be dimensionless"},
      {"2 + sin(1[m])", "!column 5: the argument of 'sin' must be dimensionless (1), but has dimension m"},
      {"1[m]^x", "!only be raised to a constant power"},
      {"2^1[m]", "!the exponent of '^' must be dimensionless"},
      {"floor(1[m])", "!must be dimensionless"},
      {"1[K] + sin(1[m]/1[m])", "!K and 1"},
  };
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char message[512] = "";
    InkDim dim, wanted = ink_dim_any();
    bool good = ink_expr_check(parsed(pool, cases[i].text), &dim, message, sizeof message);
    if (cases[i].unit && cases[i].unit[0] == '!') {
      if (good || !strstr(message, cases[i].unit + 1)) fail_msg("%s: '%s'", cases[i].text, message);
      continue;
    }
    if (!good) fail_msg("%s: %s", cases[i].text, message);
    if (cases[i].unit && strcmp(cases[i].unit, "m^0.5") == 0)
      wanted = ink_dim_product(ink_dim_none(), ink_dim_of("m"), 0.5);
    else if (cases[i].unit)
      wanted = ink_dim_of(cases[i].unit);
    if (dim.known != wanted.known || !ink_dim_equal(&dim, &wanted))
      fail_msg("%s: wrong dimension", cases[i].text);
  }
  ink_pool_destroy(&pool);
}

static double at(const InkExpr *e, int variable, double value) {
  double v[INK_VARS];
  for (int i = 0; i < INK_VARS; i++) v[i] = 0.3 + 0.05 * i;
  v[variable] = value;
  return ink_expr_value(e, v);
}

/* Fourth-order central difference. */
static double slope(const InkExpr *e, int variable, double value) {
  double h = 1e-4 * (1 + fabs(value));
  double near = at(e, variable, value + h) - at(e, variable, value - h);
  double far = at(e, variable, value + 2 * h) - at(e, variable, value - 2 * h);
  return (8 * near - far) / (12 * h);
}

static void derivatives_agree_with_differences(void **state) {
  (void)state;
  const char *cases[] = {"3*x + x*y - x/7",
                         "x/y + y/x",
                         "x^2",
                         "x^3*y^2",
                         "x^-2",
                         "x^0.5",
                         "x^y",
                         "y^x",
                         "2^x",
                         "x^x",
                         "pow(x, t)",
                         "sqrt(x)",
                         "exp(-x^2)",
                         "log(1+x)",
                         "sin(2*x)",
                         "cos(x*y)",
                         "tan(x)",
                         "asin(x)",
                         "acos(x)",
                         "atan(3*x)",
                         "atan2(x, y)",
                         "atan2(y, x)",
                         "sinh(x)",
                         "cosh(2*x)",
                         "tanh(x)",
                         "erf(x)",
                         "erfc(x)",
                         "abs(x-2)",
                         "abs(x)",
                         "min(x^2, 5)",
                         "max(x^2, 5)",
                         "min(x, x^3)",
                         "if(x<5, x^2, x)",
                         "if(x>5, x^2, x^3)",
                         "mod(x, 10)*x",
                         "mod(7, 0.95 + x)",
                         "floor(x*1e-3)*x",
                         "sign(x)*x",
                         "(x<5)*x",
                         "-x",
                         "-(x-y)*-x",
                         "x/(1+x/(1+x/(1+x)))",
                         "sin(cos(exp(-x)))",
                         "x*(1-x)*(x-0.25)",
                         "1/(1+exp(-10*(x-0.5)))"};
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const InkExpr *e = parsed(pool, cases[i]), *d = ink_expr_derivative(pool, e, INK_VAR_X);
    const InkExpr *second = ink_expr_derivative(pool, d, INK_VAR_X);
    for (double x = 0.1; x < 0.95; x += 0.093) {
      double exact = at(d, INK_VAR_X, x), wanted = slope(e, INK_VAR_X, x);
      if (!(fabs(exact - wanted) <= 1e-7 * (1 + fabs(wanted))))
        fail_msg("d/dx %s at %g: %.12g, not %.12g", cases[i], x, exact, wanted);
      double exact2 = at(second, INK_VAR_X, x), wanted2 = slope(d, INK_VAR_X, x);
      if (!(fabs(exact2 - wanted2) <= 1e-6 * (1 + fabs(wanted2))))
        fail_msg("d2/dx2 %s at %g: %.12g, not %.12g", cases[i], x, exact2, wanted2);
    }
    assert_true(ink_expr_value(ink_expr_derivative(pool, e, INK_VAR_Z), NULL) == 0);
  }
  ink_pool_destroy(&pool);
}

/* A shared part is valued once: 2^60 ways lead down these. Printing follows them all, and is cut. */
static void shared_parts_are_done_once(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  const InkExpr *x = ink_expr_variable(pool, INK_VAR_X), *sum = x, *product = x;
  for (int k = 0; k < 60; k++) {
    sum = ink_expr_binary(pool, INK_OP_ADD, sum, sum);
    product = ink_expr_unary(pool, INK_OP_SIN, ink_expr_binary(pool, INK_OP_MUL, product, product));
  }
  assert_true(at(sum, INK_VAR_X, 1.25) == ldexp(1.25, 60));
  const InkExpr *d = ink_expr_derivative(pool, ink_expr_derivative(pool, product, INK_VAR_X), INK_VAR_X);
  assert_true(isfinite(at(d, INK_VAR_X, 1.2)));
  const char *text = ink_expr_print(pool, sum, names);
  assert_true(strlen(text) < 2 << 20);
  assert_string_equal(text + strlen(text) - 4, " ...");
  ink_pool_destroy(&pool);
}

static void derivatives_are_simplified(void **state) {
  (void)state;
  const char *cases[][2] = {{"3*x + y", "3"},     {"x^2", "2*x"},   {"x*y", "y"},
                            {"2*x - x", "1"},     {"x/4", "0.25"},  {"-x", "-1"},
                            {"exp(x)", "exp(x)"}, {"y^3", "0"},     {"if(x<1,x,x)", "1"},
                            {"sin(x)", "cos(x)"}, {"x - u*0", NULL}};
  InkPool *pool = ink_pool_create();
  for (size_t i = 0; cases[i][1]; i++) {
    const InkExpr *d = ink_expr_derivative(pool, parsed(pool, cases[i][0]), INK_VAR_X);
    assert_string_equal(ink_expr_print(pool, d, names), cases[i][1]);
  }
  ink_pool_destroy(&pool);
}

/* What a condition that is known decides is decided at once; else the value is if()'s own. */
static void conditions_are_simplified(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  const InkExpr *x = ink_expr_variable(pool, INK_VAR_X), *y = ink_expr_variable(pool, INK_VAR_Y);
  assert_ptr_equal(ink_expr_if(pool, parsed(pool, "2 > 1"), x, y), x);
  assert_ptr_equal(ink_expr_if(pool, parsed(pool, "2 < 1"), x, y), y);
  assert_ptr_equal(ink_expr_if(pool, x, y, y), y);
  assert_string_equal(ink_expr_print(pool, ink_expr_if(pool, x, parsed(pool, "3"), parsed(pool, "3")), names),
                      "3");
  assert_true(isnan(ink_expr_value(ink_expr_if(pool, ink_expr_number(pool, NAN), x, y), NULL)));
  const InkExpr *e = ink_expr_if(pool, parsed(pool, "x < 1"), x, ink_expr_number(pool, NAN));
  assert_true(ink_expr_has_branches(e) && e->op == INK_OP_IF);
  assert_true(at(e, INK_VAR_X, 0.5) == 0.5 && isnan(at(e, INK_VAR_X, 1.5)));
  ink_pool_destroy(&pool);
}

static bool same(const InkExpr *a, const InkExpr *b) {
  if (a->op != b->op || a->variable != b->variable) return false;
  if (a->op == INK_OP_NUMBER && memcmp(&a->value, &b->value, sizeof a->value) != 0) return false;
  for (int i = 0; i < 3; i++) {
    if (!a->arg[i] != !b->arg[i]) return false;
    if (a->arg[i] && !same(a->arg[i], b->arg[i])) return false;
  }
  return true;
}

static const InkExpr *random_tree(InkPool *pool, int depth) {
  static const InkOp binary[] = {INK_OP_ADD, INK_OP_SUB, INK_OP_MUL, INK_OP_DIV, INK_OP_POW,
                                 INK_OP_LT,  INK_OP_LE,  INK_OP_GT,  INK_OP_GE,  INK_OP_EQ,
                                 INK_OP_NE,  INK_OP_MIN, INK_OP_MAX, INK_OP_MOD, INK_OP_ATAN2};
  int pick = rand() % 8;
  if (depth == 0 || pick == 0) {
    if (rand() % 2) return ink_expr_variable(pool, rand() % 3 ? rand() % 6 : INK_VAR_NOISE + rand() % 16);
    return ink_expr_number(pool, rand() % 2 ? rand() % 10 - 5 : (rand() - 1e9) * 1.1e-7);
  }
  if (pick <= 2) {
    static const InkOp unary[] = {INK_OP_NEG, INK_OP_ABS, INK_OP_SIN, INK_OP_ERFC, INK_OP_SQRT, INK_OP_FLOOR};
    return ink_expr_unary(pool, unary[rand() % 6], random_tree(pool, depth - 1));
  }
  const InkExpr *a = random_tree(pool, depth - 1), *b = random_tree(pool, depth - 1);
  return ink_expr_binary(pool, binary[(size_t)rand() % (sizeof binary / sizeof *binary)], a, b);
}

static void printed_trees_parse_to_themselves(void **state) {
  (void)state;
  srand(1);
  for (int i = 0; i < 3000; i++) {
    InkPool *pool = ink_pool_create(), *other = ink_pool_create();
    const InkExpr *e = random_tree(pool, 5);
    const char *text = ink_expr_print(pool, e, names);
    const InkExpr *again = parsed(other, text);
    if (!same(e, again)) fail_msg("%s became %s", text, ink_expr_print(other, again, names));
    const InkExpr *copied = ink_expr_copy(other, e);
    assert_true(same(e, copied));
    assert_true(ink_expr_variables(e) == ink_expr_variables(again));
    ink_pool_destroy(&pool);
    ink_pool_destroy(&other);
  }
}

static void substitution(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  const InkExpr *e = ink_expr_substitute(pool, parsed(pool, "x^2 + y*x"), INK_VAR_X, parsed(pool, "(1+t)"));
  assert_string_equal(ink_expr_print(pool, e, names), "(1 + t)^2 + y*(1 + t)");
  assert_true(ink_expr_variables(e) == (1ull << INK_VAR_Y | 1ull << INK_VAR_T));
  assert_true(ink_expr_has_branches(parsed(pool, "1 + min(x,y)")));
  assert_false(ink_expr_has_branches(parsed(pool, "1 + exp(x)^y")));
  assert_false(ink_expr_is_constant(parsed(pool, "noise(3)")));
  assert_true(ink_expr_is_constant(parsed(pool, "sin(2)")));
  ink_pool_destroy(&pool);
}

/* Bytes at random, and bytes of the language at random: an answer, never a crash. */
static void random_text(void **state) {
  (void)state;
  const char *pieces[] = {"x", "y", "1",   "2.5", "+",        "-",  "*",    "/", "^",  "(",
                          ")", ",", "sin", "if",  "[",        "]",  "degC", "<", "==", "noise",
                          "e", ".", " ",   "min", "\xc2\xb0", "\t", "1e",   "!", "k0"};
  srand(2);
  int taken = 0;
  for (int i = 0; i < 20000; i++) {
    char text[256] = "", message[512] = "";
    for (int k = rand() % 12; k >= 0; k--)
      strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
    if (i % 4 == 0) text[(size_t)rand() % (strlen(text) + 1)] = (char)(rand() % 255 + 1);
    InkPool *pool = ink_pool_create();
    const InkExpr *e = parse(pool, text, message);
    if (e) {
      taken++;
      assert_true(same(e, parsed(pool, ink_expr_print(pool, e, names))));
    } else {
      assert_true(strncmp(message, "column ", 7) == 0);
    }
    ink_pool_destroy(&pool);
  }
  assert_true(taken > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_of_constants),
      cmocka_unit_test(refusals),
      cmocka_unit_test(long_and_deep_input_is_refused_or_works),
      cmocka_unit_test(unit_literals),
      cmocka_unit_test(dimensions),
      cmocka_unit_test(derivatives_agree_with_differences),
      cmocka_unit_test(shared_parts_are_done_once),
      cmocka_unit_test(derivatives_are_simplified),
      cmocka_unit_test(conditions_are_simplified),
      cmocka_unit_test(printed_trees_parse_to_themselves),
      cmocka_unit_test(substitution),
      cmocka_unit_test(random_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
