/* The block evaluator: against plain libm on every operation and on random expressions, and the law it is
 * built for: a cell's bits do not depend on where the cell lies. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/evaluate.h"

enum { CELLS = 700, VAR_U = INK_VAR_FIELD, VAR_V };
static const char *const names[INK_VARS] = {"x", "y", "z", "r", "t", "u", "v"};

static const InkExpr *parsed(InkPool *pool, const char *text) {
  struct InkSymbol symbol[7];
  for (int v = 0; v < 7; v++) symbol[v] = (struct InkSymbol){names[v], v, 0, ink_dim_any(), NULL};
  InkScope scope = {symbol, 7, false};
  char message[512];
  const InkExpr *e = ink_expr_parse(pool, text, &scope, message, sizeof message);
  if (!e) fail_msg("%s: %s", text, message);
  return e;
}

static InkProgram *compiled(int nout, const InkExpr *const e[], uint64_t uniform) {
  char message[256];
  InkProgram *p = ink_program_create(nout, e, uniform, message, sizeof message);
  if (!p) fail_msg("%s", message);
  return p;
}

static double uniform_random(double from, double to) { return from + (to - from) * rand() / RAND_MAX; }

/* Distance in units in the last place of the larger; 0 for two NaN or equal infinities. */
static double ulps(double a, double b) {
  if ((isnan(a) && isnan(b)) || a == b) return 0;
  if (!isfinite(a) || !isfinite(b)) return INFINITY;
  double big = fmax(fabs(a), fabs(b));
  return fabs(a - b) / (nextafter(big, INFINITY) - big);
}

typedef struct Arrays {
  double value[7][CELLS];
  const double *in[INK_VARS];
} Arrays;

/* Random inputs in [-limit, limit] with special values among them. */
static void fill(Arrays *a, double limit) {
  static const double special[] = {0.0, -0.0,  1.0,    -1.0,   0.5,    2.0,     -0.5,  INFINITY, -INFINITY,
                                   NAN, 1e300, -1e300, 1e-300, 5e-324, -1e-310, 710.0, -746.0,   3.0};
  for (int v = 0; v < 7; v++) {
    for (int i = 0; i < CELLS; i++)
      a->value[v][i] = rand() % 5 ? uniform_random(-limit, limit)
                                  : special[(size_t)rand() % (sizeof special / sizeof *special)];
    a->in[v] = a->value[v];
  }
}

static double reference(const InkExpr *e, const Arrays *a, int cell, uint64_t uniform) {
  double v[INK_VARS] = {0};
  for (int k = 0; k < 7; k++) v[k] = a->value[k][uniform >> k & 1 ? 0 : cell];
  return ink_expr_value(e, v);
}

/* Expression, range of the inputs, allowed difference. */
static const struct {
  const char *text;
  double limit, ulps;
} operations[] = {
    {"x + y", 1e3, 0},
    {"x - y", 1e3, 0},
    {"x * y", 1e3, 0},
    {"x / y", 1e3, 0},
    {"-x", 1e3, 0},
    {"x < y", 2, 0},
    {"x <= y", 2, 0},
    {"x > y", 2, 0},
    {"x >= y", 2, 0},
    {"x == y", 2, 0},
    {"x != y", 2, 0},
    {"if(x, y, z)", 2, 0},
    {"if(x < y, z, r)", 2, 0},
    {"if(x >= y, z, r)", 2, 0},
    {"if(x == y, z, r)", 2, 0},
    {"if(x != y, z, r)", 2, 0},
    {"min(x, y)", 2, 0},
    {"max(x, y)", 2, 0},
    {"abs(x)", 2, 0},
    {"sign(x)", 2, 0},
    {"floor(x)", 1e3, 0},
    {"mod(x, y)", 1e3, 0},
    {"sqrt(x)", 1e3, 0},
    {"x^2", 1e3, 0},
    {"x^3", 1e3, 0},
    {"x^-1", 1e3, 0},
    {"x^-5", 1e3, 0},
    {"x^64", 3, 0},
    {"x^0", 3, 0},
    {"x^0.5", 1e3, 0},
    {"exp(x)", 700, 1.5},
    {"exp(x)", 1, 1.5},
    {"log(x)", 1e3, 1.5},
    {"sin(x)", 10, 1.5},
    {"cos(x)", 1e5, 1.5},
    {"tan(x)", 10, 1.5},
    {"asin(x)", 1, 1.5},
    {"acos(x)", 1, 1.5},
    {"atan(x)", 100, 1.5},
    {"atan2(x, y)", 10, 1.5},
    {"sinh(x)", 20, 3},
    {"cosh(x)", 20, 3},
    {"tanh(x)", 5, 2},
    {"erf(x)", 3, 2},
    {"erfc(x)", 5, 2.5},
    {"x^y", 10, 1.5},
    {"x^1.7", 1e3, 1.5},
    {"2^x", 100, 1.5},
    {"pow(x, -0.5)", 9, 1.5},
};

static void every_operation_agrees_with_libm(void **state) {
  (void)state;
  static Arrays a;
  static double out[CELLS];
  srand(3);
  for (size_t c = 0; c < sizeof operations / sizeof *operations; c++) {
    InkPool *pool = ink_pool_create();
    const InkExpr *e = parsed(pool, operations[c].text);
    InkProgram *p = compiled(1, &e, 0);
    double *outs[] = {out};
    for (int again = 0; again < 20; again++) {
      fill(&a, operations[c].limit);
      ink_program_run(p, CELLS, a.in, outs);
      for (int i = 0; i < CELLS; i++) {
        double wanted = reference(e, &a, i, 0);
        /* libm's own error is up to 1 ulp; SLEEF gives 0 for results far below the normal range. */
        bool tiny = fabs(wanted) < 1e-300 && fabs(out[i]) < 1e-300 && operations[c].ulps > 0;
        if (!tiny && !(ulps(out[i], wanted) <= operations[c].ulps))
          fail_msg("%s at x=%.17g y=%.17g z=%.17g r=%.17g: %.17g, not %.17g", operations[c].text,
                   a.value[0][i], a.value[1][i], a.value[2][i], a.value[3][i], out[i], wanted);
        if (operations[c].ulps == 0 && wanted == 0 && signbit(wanted) != signbit(out[i]))
          fail_msg("%s at %.17g, %.17g: wrong sign of zero", operations[c].text, a.value[0][i],
                   a.value[1][i]);
      }
    }
    ink_program_destroy(&p);
    ink_pool_destroy(&pool);
  }
}

static const char *const varied[] = {
    "0.04 - u + u^2*v",
    "x*y + z*r - t*u",
    "sin(x)*exp(-y^2)/(1+z^2) + erf(u)*tanh(v) - atan2(x, y)",
    "if(x < y, u^v, log(x+3)) + mod(x, 0.7) + max(u, v)*floor(3*x)",
    "(x-y)*(x-y) + (z+r)*(u*v) - (x*y)/(z*r) + sqrt(abs(t))",
    "cos(x+y)+asin(x)*acos(y)+tan(z)+sinh(u)+cosh(v)+erfc(x)+atan(r)",
};

static void bits_do_not_depend_on_position(void **state) {
  (void)state;
  static double in[7][1300], out[1300];
  for (size_t c = 0; c < sizeof varied / sizeof *varied; c++) {
    InkPool *pool = ink_pool_create();
    const InkExpr *e = parsed(pool, varied[c]);
    InkProgram *p = compiled(1, &e, 0);
    /* One cell's values at every position of arrays of every length, its neighbours changing. */
    const double cell[7] = {0.31, -0.77, 0.123, 1.9, -0.4, 0.55, 0.81};
    double one;
    const double *at[INK_VARS] = {NULL};
    for (int v = 0; v < 7; v++) at[v] = &cell[v];
    ink_program_run(p, 1, at, (double *[]){&one});
    assert_true(one == one);
    for (size_t n = 1; n <= 600; n++) {
      size_t offset = n % 9, place = (n * 7919) % n;
      for (int v = 0; v < 7; v++) {
        for (size_t i = 0; i < n; i++) in[v][offset + i] = i % 3 ? cell[v] : uniform_random(-1, 1);
        in[v][offset + place] = cell[v];
        at[v] = in[v] + offset;
      }
      memset(out, 0x7f, sizeof out);
      double guard = out[0];
      ink_program_run(p, n, at, (double *[]){out + offset + 1});
      for (size_t i = 0; i < n; i++)
        if (i % 3 || i == place) assert_memory_equal(&out[offset + 1 + i], &one, sizeof one);
      assert_memory_equal(&out[offset], &guard, sizeof guard);
      assert_memory_equal(&out[offset + 1 + n], &guard, sizeof guard);
    }
    ink_program_destroy(&p);
    ink_pool_destroy(&pool);
  }
}

static void uniform_variables_and_parts(void **state) {
  (void)state;
  static Arrays a;
  static double varying[CELLS], fixed[CELLS], full[7][CELLS];
  srand(4);
  fill(&a, 1);
  for (size_t c = 0; c < sizeof varied / sizeof *varied; c++) {
    InkPool *pool = ink_pool_create();
    const InkExpr *e = parsed(pool, varied[c]);
    for (int set = 0; set < 128; set += 5) {
      const double *in[INK_VARS] = {NULL};
      for (int v = 0; v < 7; v++) {
        a.value[v][0] = 0.1 * v - 0.25;
        for (int i = 0; i < CELLS; i++) full[v][i] = a.value[v][set >> v & 1 ? 0 : i];
        in[v] = full[v];
      }
      InkProgram *p = compiled(1, &e, 0), *q = compiled(1, &e, (uint64_t)set);
      ink_program_run(p, CELLS, in, (double *[]){varying});
      ink_program_run(q, CELLS, a.in, (double *[]){fixed});
      for (int i = 0; i < CELLS; i++)
        if (!(isnan(varying[i]) && isnan(fixed[i])))
          assert_memory_equal(&varying[i], &fixed[i], sizeof *fixed);
      ink_program_destroy(&p);
      ink_program_destroy(&q);
    }
    ink_pool_destroy(&pool);
  }
}

/* Outputs in the arrays of the inputs, in any order, must give what separate outputs give. */
static void in_place(void **state) {
  (void)state;
  static Arrays a, b;
  static double out[4][CELLS];
  const char *texts[] = {"u + x*v", "u", "v - u + x", "x + y*exp(u)"};
  const int onto[] = {0, 1, VAR_U, VAR_V};
  InkPool *pool = ink_pool_create();
  const InkExpr *e[4];
  for (int o = 0; o < 4; o++) e[o] = parsed(pool, texts[o]);
  InkProgram *p = compiled(4, e, 0);
  srand(5);
  for (int turn = 0; turn < 24; turn++) {
    for (size_t n = 1; n < CELLS; n += 97) {
      fill(&a, 2);
      b = a;
      for (int v = 0; v < 7; v++) b.in[v] = b.value[v];
      double *apart[4], *over[4];
      for (int o = 0; o < 4; o++) {
        apart[o] = out[o];
        over[o] = b.value[onto[(o * (1 + 2 * (turn % 2)) + turn / 2) % 4]];
      }
      ink_program_run(p, n, a.in, apart);
      ink_program_run(p, n, b.in, over);
      for (int o = 0; o < 4; o++) assert_memory_equal(over[o], out[o], n * sizeof(double));
    }
  }
  ink_program_destroy(&p);
  ink_pool_destroy(&pool);
}

static void outputs_of_every_kind(void **state) {
  (void)state;
  static Arrays a;
  static double out[7][CELLS];
  const char *texts[] = {"x", "x", "t", "7", "sin(2)*t", "x*y", "x*y"};
  InkPool *pool = ink_pool_create();
  const InkExpr *e[7];
  double *outs[7];
  for (int o = 0; o < 7; o++) {
    e[o] = parsed(pool, texts[o]);
    outs[o] = out[o];
  }
  InkProgram *p = compiled(7, e, 1ull << INK_VAR_T);
  fill(&a, 2);
  a.value[INK_VAR_T][0] = 0.7;
  ink_program_run(p, CELLS, a.in, outs);
  for (int o = 0; o < 7; o++)
    for (int i = 0; i < CELLS; i++)
      assert_true(ulps(out[o][i], reference(e[o], &a, i, 1ull << INK_VAR_T)) <= 1.5);
  assert_true(ink_program_variables(p) == (1ull << INK_VAR_X | 1ull << INK_VAR_Y | 1ull << INK_VAR_T));
  assert_int_equal(ink_program_operations(p), 1);
  ink_program_run(p, 0, a.in, outs);
  ink_program_destroy(&p);
  ink_pool_destroy(&pool);
}

static const InkExpr *random_tree(InkPool *pool, int depth) {
  static const InkOp unary[] = {INK_OP_NEG, INK_OP_ABS, INK_OP_SIN, INK_OP_TANH, INK_OP_SQRT, INK_OP_ATAN};
  static const InkOp binary[] = {INK_OP_ADD, INK_OP_SUB, INK_OP_MUL, INK_OP_ADD, INK_OP_SUB,
                                 INK_OP_MUL, INK_OP_DIV, INK_OP_MIN, INK_OP_MAX};
  int pick = rand() % 10;
  if (depth == 0 || pick == 0)
    return rand() % 4 ? ink_expr_variable(pool, rand() % 7) : ink_expr_number(pool, uniform_random(-2, 2));
  if (pick <= 2) return ink_expr_unary(pool, unary[rand() % 6], random_tree(pool, depth - 1));
  const InkExpr *a = random_tree(pool, depth - 1), *b = random_tree(pool, depth - 1);
  if (pick == 3) b = ink_expr_number(pool, rand() % 7 - 3), a = ink_expr_unary(pool, INK_OP_ABS, a);
  return ink_expr_binary(
      pool, pick == 3 ? INK_OP_POW : binary[(size_t)rand() % (sizeof binary / sizeof *binary)], a, b);
}

/* A bound of the rounding error of ink_expr_value, by running through the tree with errors. */
static double value_with_error(const InkExpr *e, const double *v, double *error) {
  double arg[3] = {0, 0, 0}, err[3] = {0, 0, 0};
  for (int a = 0; a < ink_op_arguments(e->op); a++) arg[a] = value_with_error(e->arg[a], v, &err[a]);
  double value = ink_expr_value(e, v), eps = 4 * 0x1p-53 * fabs(value);
  *error = eps + err[0] + err[1]; /* slope at most 1: sums, min, max, abs, sin, tanh, atan */
  if (e->op == INK_OP_NUMBER || e->op == INK_OP_VARIABLE) *error = 0;
  if (e->op == INK_OP_MUL) *error = eps + fabs(arg[0]) * err[1] + fabs(arg[1]) * err[0] + err[0] * err[1];
  if (e->op == INK_OP_DIV)
    *error = err[1] * 2 > fabs(arg[1]) ? INFINITY : eps + 2 * (err[0] + fabs(value) * err[1]) / fabs(arg[1]);
  if (e->op == INK_OP_SQRT) *error = arg[0] < 4 * err[0] ? INFINITY : eps + err[0] / value;
  if (e->op == INK_OP_POW)
    *error = arg[0] < 100 * err[0] ? INFINITY : 4 * eps + 2 * fabs(arg[1]) * fabs(value) * err[0] / arg[0];
  return value;
}

static void random_expressions(void **state) {
  (void)state;
  srand(6);
  static Arrays a;
  static double out[3][CELLS];
  int compared = 0;
  for (int turn = 0; turn < 3000; turn++) {
    InkPool *pool = ink_pool_create();
    const InkExpr *e[3];
    for (int o = 0; o < 3; o++) e[o] = random_tree(pool, 2 + turn % 6);
    uint64_t uniform = turn % 3 ? 0 : (uint64_t)rand() % 128;
    InkProgram *p = compiled(3, e, uniform);
    for (int v = 0; v < 7; v++) {
      a.in[v] = a.value[v];
      for (int i = 0; i < 60; i++) a.value[v][i] = uniform_random(-2, 2);
    }
    ink_program_run(p, 60, a.in, (double *[]){out[0], out[1], out[2]});
    for (int o = 0; o < 3; o++)
      for (int i = 0; i < 60; i += 7) {
        double v[INK_VARS] = {0}, error;
        for (int k = 0; k < 7; k++) v[k] = a.value[k][uniform >> k & 1 ? 0 : i];
        double wanted = value_with_error(e[o], v, &error);
        if (!isfinite(error) || isnan(wanted)) continue;
        compared++;
        if (!(fabs(out[o][i] - wanted) <= error))
          fail_msg("%s: %.17g, not %.17g", ink_expr_print(pool, e[o], names), out[o][i], wanted);
      }
    ink_program_destroy(&p);
    ink_pool_destroy(&pool);
  }
  assert_true(compared > 30000);
}

static void common_parts_are_done_once(void **state) {
  (void)state;
  const struct {
    const char *text;
    int operations;
  } cases[] = {{"0.04 - u + u^2*v", 3},    /* u u, 0.04 - u, fma */
               {"exp(x*y) + exp(x*y)", 3}, /* x y, exp, sum */
               {"(x+y)*(y+x)", 2},         /* x + y is y + x */
               {"x^4", 2},
               {"sin(1)*2^3", 1}, /* the copy of a constant */
               {"if(x > y, x, y)", 2}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    InkPool *pool = ink_pool_create();
    const InkExpr *e = parsed(pool, cases[c].text);
    InkProgram *p = compiled(1, &e, 0);
    int wanted = ink_expr_is_constant(e) ? 0 : cases[c].operations;
    assert_int_equal(ink_program_operations(p), wanted);
    ink_program_destroy(&p);
    ink_pool_destroy(&pool);
  }
}

/* Deep derivatives stay small, and what is too large is refused in words. */
static void size_is_bounded(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  const InkExpr *e = ink_expr_variable(pool, INK_VAR_X);
  for (int k = 0; k < 30; k++) e = ink_expr_unary(pool, INK_OP_SIN, ink_expr_binary(pool, INK_OP_MUL, e, e));
  const InkExpr *d = ink_expr_derivative(pool, ink_expr_derivative(pool, e, INK_VAR_X), INK_VAR_X);
  InkProgram *p = compiled(1, &d, 0);
  assert_true(ink_program_operations(p) < 500);
  ink_program_destroy(&p);
  e = ink_expr_variable(pool, INK_VAR_X);
  for (int k = 0; k < 900; k++) {
    const InkExpr *shifted = ink_expr_binary(pool, INK_OP_ADD, e, ink_expr_number(pool, k + 0.5));
    e = ink_expr_unary(pool, INK_OP_SIN, ink_expr_unary(pool, INK_OP_EXP, shifted));
  }
  for (int k = 0; k < 3; k++) e = ink_expr_derivative(pool, e, INK_VAR_X);
  char message[256] = "";
  assert_null(ink_program_create(1, &e, 0, message, sizeof message));
  assert_non_null(strstr(message, "too large"));
  ink_pool_destroy(&pool);
}

/* Arrays too large for the caches are stored past them: the same values, and nothing beyond the ends, at any
 * alignment. */
static void large_arrays_give_the_same_bits(void **state) {
  (void)state;
  enum { MANY = (1 << 19) + 1003, PIECE = 1000 };
  InkPool *pool = ink_pool_create();
  const InkExpr *e[] = {parsed(pool, "0.04 - x + x^2*y"), parsed(pool, "x*y + t")};
  InkProgram *p = compiled(2, e, UINT64_C(1) << INK_VAR_T);
  double *x = malloc(4 * (MANY + 16) * sizeof *x), time = 0.7;
  assert_non_null(x);
  double *y = x + MANY + 16, *whole[] = {y + MANY + 16, y + 2 * (MANY + 16)};
  for (int i = 0; i < MANY; i++) {
    x[i] = 1e-3 * (i % 1013);
    y[i] = 1 - 1e-3 * (i % 761);
  }
  for (int shift = 1; shift < 10; shift += 3) {
    const double *in[INK_VARS] = {[INK_VAR_X] = x, [INK_VAR_Y] = y, [INK_VAR_T] = &time};
    double *out[] = {whole[0] + shift, whole[1] + shift + 1}, piece[2][PIECE],
           *pieces[] = {piece[0], piece[1]};
    for (int o = 0; o < 2; o++) out[o][-1] = out[o][MANY] = 7;
    ink_program_run(p, MANY, in, out);
    for (int first = 0; first < MANY; first += PIECE) {
      size_t n = MANY - first < PIECE ? (size_t)(MANY - first) : PIECE;
      in[INK_VAR_X] = x + first;
      in[INK_VAR_Y] = y + first;
      ink_program_run(p, n, in, pieces);
      for (int o = 0; o < 2; o++) assert_memory_equal(out[o] + first, piece[o], n * sizeof(double));
    }
    for (int o = 0; o < 2; o++) assert_true(out[o][-1] == 7 && out[o][MANY] == 7);
  }
  free(x);
  ink_program_destroy(&p);
  ink_pool_destroy(&pool);
}

int main(void) {
  printf("instruction set: %s\n", ink_program_instruction_set());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_agrees_with_libm),
      cmocka_unit_test(bits_do_not_depend_on_position),
      cmocka_unit_test(uniform_variables_and_parts),
      cmocka_unit_test(in_place),
      cmocka_unit_test(outputs_of_every_kind),
      cmocka_unit_test(random_expressions),
      cmocka_unit_test(common_parts_are_done_once),
      cmocka_unit_test(size_is_bounded),
      cmocka_unit_test(large_arrays_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
