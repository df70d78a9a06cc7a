/* State reduction: solutions against dense elimination in long double and product formulas, transposes,
 * signs, reducible chains. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/elimination.h"

typedef struct Toy {
  InkChain chain;
  int64_t cells;
} Toy;

static uint64_t bits = 1;
static double uniform(void) { /* xorshift */
  bits ^= bits << 13;
  bits ^= bits >> 7;
  bits ^= bits << 17;
  return (double)(bits >> 11) * 0x1p-53;
}

static double *zeros(int64_t n) {
  double *a = calloc((size_t)n, sizeof *a);
  assert_non_null(a);
  return a;
}

static Toy toy(int64_t nx, int64_t ny, int64_t nz, unsigned periodic, int directions,
               const int (*offset)[3]) {
  Toy t = {.cells = nx * ny * nz};
  t.chain = (InkChain){.dim = nz > 1   ? 3
                              : ny > 1 ? 2
                                       : 1,
                       .cells = {nx, ny, nz},
                       .periodic = {periodic & 1, periodic >> 1 & 1, periodic >> 2 & 1},
                       .directions = directions};
  t.chain.offset = malloc((size_t)directions * sizeof *t.chain.offset);
  t.chain.up = malloc((size_t)directions * sizeof *t.chain.up);
  t.chain.down = malloc((size_t)directions * sizeof *t.chain.down);
  memcpy(t.chain.offset, offset, (size_t)directions * sizeof *offset);
  for (int d = 0; d < directions; d++) {
    t.chain.up[d] = zeros(t.cells);
    t.chain.down[d] = zeros(t.cells);
  }
  t.chain.exit = zeros(t.cells);
  t.chain.volume = zeros(t.cells);
  return t;
}

static void clear(Toy *t) {
  for (int d = 0; d < t->chain.directions; d++) {
    free(t->chain.up[d]);
    free(t->chain.down[d]);
  }
  free(t->chain.up);
  free(t->chain.down);
  free(t->chain.offset);
  free(t->chain.exit);
  free(t->chain.volume);
}

/* The cell at c + offset[d], or -1. */
static int64_t above(const Toy *t, int64_t c, int d) {
  const int64_t *n = t->chain.cells;
  int64_t at[3] = {c % n[0], c / n[0] % n[1], c / n[0] / n[1]};
  for (int a = 0; a < 3; a++) {
    at[a] += t->chain.offset[d][a];
    if (t->chain.periodic[a])
      at[a] = ((at[a] % n[a]) + n[a]) % n[a];
    else if (at[a] < 0 || at[a] >= n[a])
      return -1;
  }
  return at[0] + n[0] * (at[1] + n[1] * at[2]);
}

/* Random coefficients over `decades` powers of ten; a share of one-way edges and of edges that are not there
 * (not along the axes, so that nothing is cut off). */
static void fill(Toy *t, double decades, double one_way, double exits) {
  for (int d = 0; d < t->chain.directions; d++) {
    const int *o = t->chain.offset[d];
    const bool far = abs(o[0]) + abs(o[1]) + abs(o[2]) > 1;
    for (int64_t c = 0; c < t->cells; c++) {
      if (above(t, c, d) < 0) continue;
      if (far && uniform() < 0.3) continue;
      t->chain.up[d][c] = pow(10, decades * (uniform() - 0.5));
      t->chain.down[d][c] = pow(10, decades * (uniform() - 0.5));
      if (far && uniform() < one_way) *(uniform() < 0.5 ? &t->chain.up[d][c] : &t->chain.down[d][c]) = 0;
    }
  }
  for (int64_t c = 0; c < t->cells; c++)
    if (uniform() < exits) t->chain.exit[c] = uniform();
}

/* Row c: the coefficients out of cell c. */
static long double *dense(const Toy *t) {
  const size_t n = (size_t)t->cells;
  long double *a = calloc(n * n, sizeof *a);
  assert_non_null(a);
  for (int d = 0; d < t->chain.directions; d++)
    for (int64_t c = 0; c < t->cells; c++) {
      const int64_t to = above(t, c, d);
      if (to < 0 || to == c) continue;
      a[(size_t)c * n + (size_t)to] += t->chain.up[d][c];
      a[(size_t)to * n + (size_t)c] += t->chain.down[d][c];
    }
  return a;
}

/* Solves m x = b by Gauss elimination with partial pivoting; m and x (in: b) are overwritten. */
static void gauss(size_t n, long double *m, long double *x) {
  for (size_t k = 0; k < n; k++) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; i++)
      if (fabsl(m[i * n + k]) > fabsl(m[pivot * n + k])) pivot = i;
    for (size_t j = 0; pivot != k && j < n; j++) {
      const long double swap = m[k * n + j];
      m[k * n + j] = m[pivot * n + j];
      m[pivot * n + j] = swap;
    }
    const long double swap = x[k];
    x[k] = x[pivot];
    x[pivot] = swap;
    for (size_t i = k + 1; i < n; i++) {
      const long double factor = m[i * n + k] / m[k * n + k];
      if (factor == 0) continue;
      for (size_t j = k + 1; j < n; j++) m[i * n + j] -= factor * m[k * n + j];
      x[i] -= factor * x[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; j++) x[k] -= m[k * n + j] * x[j];
    x[k] /= m[k * n + k];
  }
}

/* The same equations, dense, by Gauss elimination. */
static long double *solved(const Toy *t, const double *kill, const double *b, bool forward) {
  const size_t n = (size_t)t->cells;
  long double *flow = dense(t), *m = calloc(n * n, sizeof *m), *x = calloc(n, sizeof *x);
  assert_true(m && x);
  for (size_t i = 0; i < n; i++) {
    m[i * n + i] = (long double)t->chain.exit[i] + (kill ? kill[i] : 0);
    for (size_t j = 0; j < n; j++) m[i * n + i] += flow[i * n + j];
    x[i] = b[i];
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      if (i != j) m[i * n + j] = -(forward ? flow[j * n + i] : flow[i * n + j]);
  gauss(n, m, x);
  free(m);
  free(flow);
  return x;
}

/* The same, cell by cell in the order of their numbers, without subtractions: right to the last digits
 * however far the coefficients lie apart. b: forward b >= 0 gives p, or backward b gives x. */
static long double *reduced(const Toy *t, const double *kill, const double *b, bool forward) {
  const size_t n = (size_t)t->cells;
  long double *a = dense(t), *out = calloc(n, sizeof *out), *s = calloc(n, sizeof *s),
              *x = calloc(n, sizeof *x);
  assert_true(out && s && x);
  for (size_t i = 0; i < n; i++) {
    out[i] = (long double)t->chain.exit[i] + (kill ? kill[i] : 0);
    x[i] = b[i];
  }
  for (size_t k = 0; k < n; k++) {
    s[k] = out[k];
    for (size_t j = k + 1; j < n; j++) s[k] += a[k * n + j];
    for (size_t i = k + 1; i < n; i++) {
      out[i] += a[i * n + k] * (out[k] / s[k]);
      x[i] += forward ? x[k] * (a[k * n + i] / s[k]) : a[i * n + k] * (x[k] / s[k]);
      for (size_t j = k + 1; j < n; j++)
        if (i != j) a[i * n + j] += a[i * n + k] * (a[k * n + j] / s[k]);
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; j++) x[k] += forward ? x[j] * a[j * n + k] : a[k * n + j] * x[j];
    x[k] /= s[k];
  }
  free(a);
  free(out);
  free(s);
  return x;
}

static double worst(int64_t n, const double *x, const long double *exact) {
  double most = 0;
  for (int64_t c = 0; c < n; c++) {
    if (!isfinite(x[c])) return INFINITY;
    most = fmax(most, (double)fabsl((x[c] - exact[c]) / exact[c]));
  }
  return most;
}

/* Forward and backward against dense solutions, and <x, b> = <c, p>. */
static void check(Toy *t, const double *kill, bool mild) {
  int64_t reducible = 7;
  InkElimination *e = ink_elimination_create(&t->chain, kill, &reducible);
  assert_non_null(e);
  assert_int_equal(reducible, -1);
  double *b = zeros(t->cells), *c = zeros(t->cells), *p = zeros(t->cells), *x = zeros(t->cells);
  for (int64_t i = 0; i < t->cells; i++) {
    b[i] = uniform();
    c[i] = uniform();
  }
  ink_elimination_forward(e, b, p);
  ink_elimination_backward(e, c, x);
  for (int way = 0; way < (mild ? 2 : 1); way++) {
    long double *(*solve)(const Toy *, const double *, const double *, bool) = way ? solved : reduced;
    long double *forward = solve(t, kill, b, true), *backward = solve(t, kill, c, false);
    assert_true(worst(t->cells, p, forward) <= 1e-12);
    assert_true(worst(t->cells, x, backward) <= 1e-12);
    free(forward);
    free(backward);
  }
  long double left = 0, right = 0;
  for (int64_t i = 0; i < t->cells; i++) {
    left += (long double)x[i] * b[i];
    right += (long double)c[i] * p[i];
  }
  assert_true(fabsl(left - right) <= 1e-13L * left);
  ink_elimination_forward(e, b, b); /* in place */
  assert_memory_equal(b, p, (size_t)t->cells * sizeof *b);
  ink_elimination_backward(e, c, c);
  assert_memory_equal(c, x, (size_t)t->cells * sizeof *c);
  free(b);
  free(c);
  free(p);
  free(x);
  ink_elimination_destroy(&e);
  assert_null(e);
}

static const int axes[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
static const int selling[7][3] = {{1, 0, 0}, {0, 1, 0},  {1, 1, 0}, {2, -1, 0},
                                  {3, 2, 0}, {1, -3, 0}, {0, 2, 0}};
static const int hops[2][3] = {{1, 0, 0}, {3, 0, 0}};
static const int oblique[5][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, -1, 1}, {2, 0, 1}};

static void random_chains_are_solved(void **state) {
  (void)state;
  static const struct {
    int64_t cells[3];
    unsigned periodic;
    int directions;
    const int (*offset)[3];
  } shape[] = {
      {{1, 1, 1}, 0, 1, axes},      {{2, 1, 1}, 1, 1, axes},      {{3, 1, 1}, 1, 1, axes},
      {{97, 1, 1}, 0, 1, axes},     {{97, 1, 1}, 1, 1, axes},     {{20, 1, 1}, 1, 2, hops},
      {{13, 16, 1}, 0, 2, axes},    {{13, 16, 1}, 3, 2, axes},    {{40, 2, 1}, 2, 2, axes},
      {{17, 13, 1}, 0, 7, selling}, {{13, 17, 1}, 3, 7, selling}, {{5, 30, 1}, 1, 7, selling},
      {{3, 3, 1}, 3, 7, selling},   {{6, 7, 5}, 0, 3, axes},      {{5, 6, 7}, 5, 3, axes},
      {{7, 5, 6}, 2, 5, oblique},   {{2, 3, 35}, 7, 5, oblique},  {{1, 15, 14}, 4, 3, axes},
  };
  for (size_t s = 0; s < sizeof shape / sizeof *shape; s++) {
    Toy t = toy(shape[s].cells[0], shape[s].cells[1], shape[s].cells[2], shape[s].periodic,
                shape[s].directions, shape[s].offset);
    bits = 77 + s;
    const bool mild = s % 3 == 0;
    fill(&t, mild ? 1 : 12, 0.5, t.cells < 4 ? 1 : 0.1);
    double *kill = zeros(t.cells);
    for (int64_t c = 0; c < t.cells; c++) kill[c] = uniform();
    check(&t, NULL, mild);
    check(&t, kill, mild);
    free(kill);
    clear(&t);
  }
}

/* sum of what flows into each cell (forward) or of coefficient times value over what flows out of it, and its
 * value times all that flows out: of the same size where the equations hold. */
static void balance(const Toy *t, const double *x, const double *b, bool forward, double within) {
  double *in = zeros(t->cells), *out = zeros(t->cells);
  for (int64_t c = 0; c < t->cells; c++) {
    in[c] = b[c];
    out[c] = t->chain.exit[c];
  }
  for (int d = 0; d < t->chain.directions; d++)
    for (int64_t c = 0; c < t->cells; c++) {
      const int64_t to = above(t, c, d);
      if (to < 0) continue;
      const double up = t->chain.up[d][c], down = t->chain.down[d][c];
      out[c] += up;
      out[to] += down;
      in[forward ? to : c] += up * x[forward ? c : to];
      in[forward ? c : to] += down * x[forward ? to : c];
    }
  for (int64_t c = 0; c < t->cells; c++) assert_true(fabs(in[c] - out[c] * x[c]) <= within * in[c]);
  free(in);
  free(out);
}

/* Too large for dense references: separators of hundreds of cells. The equations hold in every cell. */
static void wide_separators(void **state) {
  (void)state;
  static const int knight[5][3] = {{1, 0, 0}, {0, 1, 0}, {6, 5, 0}, {4, -7, 0}, {1, 2, 0}};
  static const int cube[4][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {2, 1, -2}};
  for (int s = 0; s < 3; s++) {
    Toy t = s < 2 ? toy(61, 50, 1, s == 1 ? 3 : 0, 5, knight) : toy(17, 15, 16, 4, 4, cube);
    bits = 5;
    fill(&t, 2, 0.3, 0.02);
    double *b = zeros(t.cells), *p = zeros(t.cells), *x = zeros(t.cells), *again = zeros(t.cells);
    for (int64_t c = 0; c < t.cells; c++) b[c] = uniform();
    InkElimination *e = ink_elimination_create(&t.chain, NULL, NULL);
    assert_non_null(e);
    ink_elimination_forward(e, b, p);
    ink_elimination_backward(e, b, x);
    balance(&t, p, b, true, 3e-14);
    balance(&t, x, b, false, 3e-14);
    long double left = 0, right = 0;
    for (int64_t c = 0; c < t.cells; c++) {
      left += (long double)x[c] * b[c];
      right += (long double)b[c] * p[c];
    }
    assert_true(fabsl(left - right) <= 1e-13L * left);
    ink_elimination_destroy(&e);
    e = ink_elimination_create(&t.chain, NULL, NULL);
    assert_non_null(e);
    ink_elimination_forward(e, b, again); /* the same bits */
    assert_memory_equal(again, p, (size_t)t.cells * sizeof *p);
    ink_elimination_destroy(&e);
    free(b);
    free(p);
    free(x);
    free(again);
    clear(&t);
  }
}

/* b may have any sign, and sources in one cell give no negative value anywhere. */
static void signs(void **state) {
  (void)state;
  Toy t = toy(23, 18, 1, 0, 7, selling);
  bits = 9;
  fill(&t, 20, 0.5, 0.02);
  double *plus = zeros(t.cells), *minus = zeros(t.cells), *both = zeros(t.cells);
  InkElimination *e = ink_elimination_create(&t.chain, NULL, NULL);
  assert_non_null(e);
  for (int way = 0; way < 2; way++) {
    void (*solve)(const InkElimination *, const double *, double *) =
        way ? ink_elimination_backward : ink_elimination_forward;
    for (int64_t c = 0; c < t.cells; c++) {
      plus[c] = c % 3 ? uniform() : 0;
      minus[c] = c % 3 ? 0 : uniform();
      both[c] = plus[c] - minus[c];
    }
    solve(e, plus, plus);
    solve(e, minus, minus);
    solve(e, both, both);
    for (int64_t c = 0; c < t.cells; c++) {
      assert_true(plus[c] >= 0 && minus[c] >= 0);
      assert_true(fabs(both[c] - (plus[c] - minus[c])) <= 1e-13 * (plus[c] + minus[c]));
    }
    for (int64_t c = 0; c < t.cells; c++) plus[c] = c == 200;
    solve(e, plus, plus);
    for (int64_t c = 0; c < t.cells; c++) assert_true(plus[c] >= 0);
    assert_true(plus[200] > 0);
  }
  ink_elimination_destroy(&e);
  free(plus);
  free(minus);
  free(both);
  clear(&t);
}

/* A line that leaves at its upper end. Forward, the source in the first cell flows through every edge: p_j =
 * (1 + down_j p_(j+1))/up_j. Backward, the differences follow from the lower end: up_j (x_j - x_(j+1)) = c_j
 * + down_(j-1) (x_(j-1) - x_j). Values over hundreds of powers of ten, all digits right. */
static void lines_over_many_decades(void **state) {
  (void)state;
  enum { N = 300 };
  Toy t = toy(N, 1, 1, 0, 1, axes);
  bits = 3;
  for (int64_t c = 0; c + 1 < N; c++) {
    const double uphill = 1.2 * sin(6.28 * (double)c / N) + uniform() - 0.5;
    t.chain.up[0][c] = pow(10, -uphill);
    t.chain.down[0][c] = pow(10, uphill);
  }
  t.chain.exit[N - 1] = 0.3;
  static double p[N], x[N];
  static long double forward[N], backward[N], difference[N];
  for (int c = 0; c < N; c++) x[c] = 1 + c % 7;
  for (int c = N - 1; c >= 0; c--)
    forward[c] = c == N - 1 ? 1 / (long double)t.chain.exit[c]
                            : (1 + t.chain.down[0][c] * forward[c + 1]) / t.chain.up[0][c];
  for (int c = 0; c < N; c++)
    difference[c] = (x[c] + (c ? t.chain.down[0][c - 1] * difference[c - 1] : 0)) /
                    (c == N - 1 ? t.chain.exit[c] : t.chain.up[0][c]);
  for (int c = N - 1; c >= 0; c--) backward[c] = difference[c] + (c == N - 1 ? 0 : backward[c + 1]);
  assert_true(forward[0] > 1e200L * forward[N - 1]);
  p[0] = 1;
  InkElimination *e = ink_elimination_create(&t.chain, NULL, NULL);
  assert_non_null(e);
  ink_elimination_forward(e, p, p);
  ink_elimination_backward(e, x, x);
  assert_true(worst(N, p, forward) <= 1e-13);
  assert_true(worst(N, x, backward) <= 1e-13);
  ink_elimination_destroy(&e);
  clear(&t);
}

/* Coefficients with detailed balance for the law 2^-level: exact powers of two along the axes. */
static void fill_balanced(Toy *t, const int *level) {
  for (int d = 0; d < t->chain.directions; d++)
    for (int64_t c = 0; c < t->cells; c++) {
      const int64_t to = above(t, c, d);
      if (to < 0) continue;
      const int uphill = level[to] - level[c];
      const double factor = exp(uniform());
      t->chain.up[d][c] = factor * (uphill > 0 ? ldexp(1, -uphill) : 1);
      t->chain.down[d][c] = factor * (uphill > 0 ? 1 : ldexp(1, uphill));
    }
}

static void check_law(Toy *t, const int *level) {
  int lowest = level[0];
  double *p = zeros(t->cells);
  for (int64_t c = 0; c < t->cells; c++) lowest = level[c] < lowest ? level[c] : lowest;
  fill_balanced(t, level);
  InkElimination *e = ink_elimination_create(&t->chain, NULL, NULL);
  assert_non_null(e);
  ink_elimination_stationary(e, p);
  for (int64_t c = 0; c < t->cells; c++) {
    const double exact = ldexp(1, lowest - level[c]);
    assert_true(exact < 0x1p-1020 ? p[c] >= 0 && p[c] < 0x1p-1019 : fabs(p[c] - exact) <= 1e-13 * exact);
  }
  ink_elimination_destroy(&e);
  free(p);
}

static void detailed_balance_gives_the_product_formula(void **state) {
  (void)state;
  bits = 11;
  static int level[4000];
  Toy random = toy(25, 31, 1, 1, 7, selling), solid = toy(9, 8, 11, 2, 5, oblique);
  for (int s = 0; s < 2; s++) {
    Toy *t = s ? &solid : &random;
    for (int64_t c = 0; c < t->cells; c++) level[c] = (int)(60 * uniform());
    check_law(t, level);
    clear(t);
  }
  for (int centre = 0; centre < 200; centre += 37) { /* wells down to 2^-6000, and out of range */
    Toy line = toy(200, 1, 1, 0, 1, axes);
    for (int c = 0; c < 200; c++) level[c] = (c - centre) * (c - centre) / 6;
    check_law(&line, level);
    clear(&line);
  }
  for (int depth = 650; depth <= 1000; depth += 350) { /* two wells, 2^-depth between them, less outside */
    Toy wells = toy(50, 40, 1, 0, 2, axes), line = toy(90, 1, 1, 0, 1, axes);
    for (int c = 0; c < 2000; c++) {
      const double x = (c % 50 - 25) / 14., y = (c / 50 - 20) / 14.;
      level[c] = (int)(depth * (x * x - 1) * (x * x - 1) + 400 * y * y + 3 * (x > 0));
    }
    check_law(&wells, level);
    for (int c = 0; c < 90; c++) {
      const double x = (c - 45) / 25.;
      level[c] = (int)(depth * (x * x - 1) * (x * x - 1) + 3 * (x > 0));
    }
    check_law(&line, level);
    clear(&wells);
    clear(&line);
  }
}

/* A ring that is driven round: the same flow through all edges. */
static void rings_carry_one_flow(void **state) {
  (void)state;
  for (int n = 3; n < 300; n += 41) {
    Toy t = toy(n, 1, 1, 1, 1, axes);
    bits = 23;
    for (int64_t c = 0; c < n; c++) {
      t.chain.up[0][c] = exp(3 * uniform());
      t.chain.down[0][c] = n == 44 ? 0 : exp(uniform()); /* once one-way */
    }
    double *p = zeros(n), *flow = zeros(n);
    InkElimination *e = ink_elimination_create(&t.chain, NULL, NULL);
    assert_non_null(e);
    ink_elimination_stationary(e, p);
    double most = 0, largest = 0;
    for (int64_t c = 0; c < n; c++) {
      flow[c] = t.chain.up[0][c] * p[c] - t.chain.down[0][c] * p[(c + 1) % n];
      most = fmax(most, t.chain.up[0][c] * p[c]);
      largest = fmax(largest, p[c]);
    }
    assert_true(flow[0] > 0);
    assert_true(largest == 1);
    for (int64_t c = 0; c < n; c++) assert_true(fabs(flow[c] - flow[0]) <= 2e-15 * most);
    ink_elimination_destroy(&e);
    free(p);
    free(flow);
    clear(&t);
  }
}

/* Cells lo to hi of a line flow both ways, the rest only towards larger numbers. */
static Toy partly_one_way(int64_t lo, int64_t hi) {
  Toy t = toy(60, 1, 1, 0, 1, axes);
  for (int64_t c = 0; c < 59; c++) {
    t.chain.up[0][c] = 1;
    t.chain.down[0][c] = c >= lo && c < hi ? 2 : 0;
  }
  return t;
}

static void reducible_chains(void **state) {
  (void)state;
  static double p[60];
  int64_t reducible;
  Toy t = partly_one_way(50, 59); /* the others are left for good: p is 0 there */
  InkElimination *e = ink_elimination_create(&t.chain, NULL, &reducible);
  assert_non_null(e);
  ink_elimination_stationary(e, p);
  for (int c = 0; c < 60; c++)
    assert_true(c < 50 ? p[c] == 0 : fabs(p[c] - ldexp(1, 50 - c)) <= 1e-15 * p[c]);
  ink_elimination_destroy(&e);
  t.chain.up[0][30] = 0; /* two classes that are never left: 30 and 50 to 59 */
  e = ink_elimination_create(&t.chain, NULL, &reducible);
  assert_null(e);
  assert_true(reducible == 30 || reducible >= 50);
  t.chain.exit[30] = 1; /* one of them leaves, the other does not */
  e = ink_elimination_create(&t.chain, NULL, &reducible);
  assert_null(e);
  assert_true(reducible >= 50);
  t.chain.exit[55] = 1; /* both do */
  e = ink_elimination_create(&t.chain, NULL, &reducible);
  assert_non_null(e);
  assert_int_equal(reducible, -1);
  for (int c = 0; c < 60; c++) p[c] = 1;
  ink_elimination_backward(e, p, p);
  for (int c = 0; c <= 30; c++) assert_true(fabs(p[c] - (31 - c)) <= 1e-13); /* one step a unit of time */
  ink_elimination_destroy(&e);
  static double kill[60]; /* no exit but by `kill` */
  t.chain.exit[30] = t.chain.exit[55] = 0;
  kill[30] = 1;
  e = ink_elimination_create(&t.chain, kill, &reducible);
  assert_null(e);
  assert_true(reducible >= 50);
  clear(&t);
}

/* The plan counts what is then taken, without making it; nothing can be planned for more cells than there
 * are numbers. */
static void plans(void **state) {
  (void)state;
  double bytes, operations, more_bytes, more_operations;
  Toy t = toy(64, 64, 1, 0, 2, axes);
  fill(&t, 1, 0, 1);
  ink_elimination_plan(&t.chain, &bytes, &operations);
  assert_true(bytes > 8. * 20 * 4096 && bytes < 8. * 200 * 4096);
  assert_true(operations > 1e6 && operations < 4e7);
  double **up = t.chain.up, **down = t.chain.down;
  t.chain.up = t.chain.down = NULL; /* from the offsets alone */
  ink_elimination_plan(&t.chain, &more_bytes, &more_operations);
  assert_true(more_bytes == bytes && more_operations == operations);
  for (int a = 0; a < 3; a++) t.chain.cells[a] = 3000;
  ink_elimination_plan(&t.chain, &bytes, &operations);
  assert_true(isinf(bytes) && isinf(operations));
  t.chain.up = up;
  t.chain.down = down;
  clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_chains_are_solved),
      cmocka_unit_test(wide_separators),
      cmocka_unit_test(signs),
      cmocka_unit_test(lines_over_many_decades),
      cmocka_unit_test(detailed_balance_gives_the_product_formula),
      cmocka_unit_test(rings_carry_one_flow),
      cmocka_unit_test(reducible_chains),
      cmocka_unit_test(plans),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
