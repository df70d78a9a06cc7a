/* Steps without error: linear equations with constant noise, and geometric Brownian motion. See sde.h.
 *
 * With P(h) = exp(A h), S(h) = integral over [0, h] of exp(A s) Q exp(A^T s), Q = B B^T, and q(h) the
 * integral of exp(A (h - s)) c(t + s):
 *
 *     P(2h) = P(h)^2,   S(2h) = P(h) S(h) P(h)^T + S(h),   q over [t, t + 2h] = P(h) q_1 + q_2,
 *
 * so a step is halved until |A h| <= 1/4, where series and quadrature are exact to rounding, and doubled
 * back. No term grows, also where A dt is large: Van Loan's block exponential (IEEE Trans. Autom. Control 23
 * (1978) 395), which gives the same S, would need exp(-A dt). */
#include "sde_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef const InkExpr *E;
typedef struct Matrix {
  double a[3][3];
} Matrix;

enum { TERMS = 20, GAUSS = 8, MOST_HALVINGS = 1000, MOST_SPLITS = 12 };
#define SMALL       0.25
#define PIVOT_SLACK 1e-14

/* ---- which kind ---- */

/* Has e a branch (floor, sign, if ...) that a state decides? Then derivatives do not tell all of it. */
static bool branches(E e, int dim) {
  const uint64_t states = ((1ull << dim) - 1) << INK_VAR_X;
  if (!ink_expr_has_branches(e) || !(ink_expr_variables(e) & states)) return false;
  if (e->op >= INK_OP_LT && e->op <= INK_OP_MOD) return true;
  for (int a = 0; a < ink_op_arguments(e->op); a++)
    if (branches(e->arg[a], dim)) return true;
  return false;
}

/* Is e = sum of slope[j] x_j + something without states, slopes numbers? */
static bool is_linear(E e, int dim, InkPool *pool, double slope[3]) {
  for (int j = 0; j < 3; j++) slope[j] = 0.0;
  if (!e) return true;
  for (int j = 0; j < dim; j++)
    if (!ink_expr_is_number(ink_expr_derivative(pool, e, INK_VAR_X + j), &slope[j]) || !isfinite(slope[j]))
      return false;
  return !branches(e, dim);
}

/* Is e = slope x_i, slope a number? */
static bool is_proportional(E e, int dim, int i, InkPool *pool, double *slope) {
  double slopes[3], rest = 0.0;
  *slope = 0.0;
  if (!e) return true;
  if (!is_linear(e, dim, pool, slopes)) return false;
  for (int j = 0; j < dim; j++)
    if (j != i && slopes[j] != 0.0) return false;
  *slope = slopes[i];
  const E zero = ink_expr_number(pool, 0.0);
  for (int j = 0; j < dim; j++) e = ink_expr_substitute(pool, e, INK_VAR_X + j, zero);
  return ink_expr_is_number(e, &rest) && rest == 0.0;
}

static bool is_constant(E e) { return !e || ink_expr_is_constant(e); }

#define WHAT_EXACT                                                                                           \
  "scheme exact is for linear equations with constant noise and for geometric Brownian motion; take "        \
  "euler_maruyama or milstein"

/* Why a noise is neither constant nor its state times a number, or does not go with the others. */
static void explain_noise(const InkSde *sde, InkPool *pool, char *message, size_t size) {
  double slope;
  for (int i = 0; i < sde->dim; i++)
    for (int k = 0; k < sde->noises; k++) {
      const E e = sde->B[i][k];
      if (is_constant(e) || is_proportional(e, sde->dim, i, pool, &slope)) continue;
      snprintf(message, size, "the noise %s of %s is neither constant nor %s times a number: " WHAT_EXACT,
               sde->noise[k], sde->state[i], sde->state[i]);
      return;
    }
  for (int i = 0; i < sde->dim; i++)
    for (int k = 0; k < sde->noises; k++) {
      if (is_constant(sde->B[i][k])) continue;
      snprintf(message, size,
               "the noise %s of %s is %s times a number, but not every drift and noise is its own state "
               "times a number: " WHAT_EXACT,
               sde->noise[k], sde->state[i], sde->state[i]);
      return;
    }
}

InkExactKind ink_sde_exact(const InkSde *sde, InkPool *pool, char *message, size_t size) {
  bool linear = true, geometric = true;
  int bent = -1; /* whose drift is not linear */
  for (int i = 0; i < sde->dim; i++) {
    double slope[3];
    if (!is_linear(sde->drift[i], sde->dim, pool, slope) && bent < 0) bent = i;
    geometric = geometric && is_proportional(sde->drift[i], sde->dim, i, pool, slope);
    for (int k = 0; k < sde->noises; k++) {
      linear = linear && is_constant(sde->B[i][k]);
      geometric = geometric && is_proportional(sde->B[i][k], sde->dim, i, pool, slope);
    }
  }
  if (linear && bent < 0) return INK_EXACT_LINEAR;
  if (geometric) return INK_EXACT_GEOMETRIC;
  if (bent >= 0)
    snprintf(message, size, "the drift of %s is not linear in the states with constant slopes: " WHAT_EXACT,
             sde->state[bent]);
  else
    explain_noise(sde, pool, message, size);
  return INK_EXACT_NONE;
}

/* ---- small matrices ---- */

static Matrix multiply(const Matrix *a, const Matrix *b) {
  Matrix c = {{{0.0}}};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) c.a[i][j] += a->a[i][k] * b->a[k][j];
  return c;
}

static Matrix transposed(const Matrix *a) {
  Matrix c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) c.a[i][j] = a->a[j][i];
  return c;
}

/* a + factor b. */
static Matrix added(const Matrix *a, double factor, const Matrix *b) {
  Matrix c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) c.a[i][j] = a->a[i][j] + factor * b->a[i][j];
  return c;
}

static double largest_row(const Matrix *a) {
  double largest = 0.0;
  for (int i = 0; i < 3; i++) largest = fmax(largest, fabs(a->a[i][0]) + fabs(a->a[i][1]) + fabs(a->a[i][2]));
  return largest;
}

static const Matrix identity = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
static const Matrix nothing;

/* ---- a linear step ---- */

/* Over a time h: exp(A h) - 1, its integral, and S. */
typedef struct Flow {
  Matrix rise, whole, spread;
} Flow;

/* Their series, |A h| <= 1/4. S = sum over n >= 1 of T_n h^n/n!, T_1 = Q, T_(n+1) = A T_n + T_n A^T. */
static Flow short_flow(const Matrix *A, const Matrix *Q, double h) {
  Flow flow = {nothing, nothing, nothing};
  for (int n = TERMS; n >= 1; n--) { /* from the inside: h/n (1 + A (h/(n + 1) (1 + A ... */
    const Matrix turned = multiply(A, &flow.whole), low = multiply(A, &flow.spread), high = transposed(&low);
    Matrix inner = added(&identity, 1.0, &turned);
    flow.whole = added(&nothing, h / n, &inner);
    inner = added(Q, 1.0, &low);
    inner = added(&inner, 1.0, &high);
    flow.spread = added(&nothing, h / n, &inner);
  }
  flow.rise = multiply(A, &flow.whole);
  return flow;
}

static Flow twice(const Flow *one) {
  const Matrix P = added(&identity, 1.0, &one->rise), turned = transposed(&P);
  Flow two;
  Matrix inner = multiply(&one->rise, &one->rise);
  two.rise = added(&inner, 2.0, &one->rise);
  inner = multiply(&P, &one->whole);
  two.whole = added(&inner, 1.0, &one->whole);
  inner = multiply(&P, &one->spread);
  inner = multiply(&inner, &turned);
  two.spread = added(&inner, 1.0, &one->spread);
  return two;
}

/* How often h must be halved for the series. */
static int halvings(const Matrix *A, double h) {
  int n = 0;
  for (double size = largest_row(A) * h; size > SMALL && n < MOST_HALVINGS; size *= 0.5) n++;
  return n;
}

static Flow flow_over(const Matrix *A, const Matrix *Q, double h) {
  const int times = halvings(A, h);
  Flow flow = short_flow(A, Q, ldexp(h, -times));
  for (int n = 0; n < times; n++) flow = twice(&flow);
  return flow;
}

/* Of one state, in closed form. */
static Flow flow_of_one(double a, double variance, double h) {
  Flow flow = {nothing, nothing, nothing};
  flow.rise.a[0][0] = expm1(a * h);
  flow.whole.a[0][0] = a != 0.0 ? expm1(a * h) / a : h;
  flow.spread.a[0][0] = variance * (a != 0.0 ? expm1(2.0 * a * h) / (2.0 * a) : h);
  return flow;
}

static void coefficients(const InkSde *sde, Matrix *A, Matrix *Q) {
  InkPool *pool = ink_pool_create();
  *A = *Q = nothing;
  for (int i = 0; i < sde->dim; i++) is_linear(sde->drift[i], sde->dim, pool, A->a[i]);
  ink_pool_destroy(&pool);
  for (int i = 0; i < sde->dim; i++)
    for (int j = 0; j < sde->dim; j++)
      for (int k = 0; k < sde->noises; k++)
        if (sde->B[i][k] && sde->B[j][k])
          Q->a[i][j] += ink_expr_value(sde->B[i][k], NULL) * ink_expr_value(sde->B[j][k], NULL);
}

/* c(t), the drift at the origin. */
static void push(const InkSde *sde, double t, double c[3]) {
  const double variable[INK_VARS] = {[INK_VAR_T] = t};
  for (int i = 0; i < 3; i++)
    c[i] = i < sde->dim && sde->drift[i] ? ink_expr_value(sde->drift[i], variable) : 0.0;
}

static bool push_moves(const InkSde *sde) {
  for (int i = 0; i < sde->dim; i++)
    if (sde->drift[i] && ink_expr_variables(sde->drift[i]) >> INK_VAR_T & 1) return true;
  return false;
}

/* y += factor a x. */
static void add_applied(const Matrix *a, double factor, const double x[3], double y[3]) {
  for (int i = 0; i < 3; i++) y[i] += factor * (a->a[i][0] * x[0] + a->a[i][1] * x[1] + a->a[i][2] * x[2]);
}

/* Gauss-Legendre's rule of 8 points on [-1, 1], the positive half (Abramowitz & Stegun, table 25.4). */
static const double abscissa[GAUSS / 2] = {0.1834346424956498049, 0.5255324099163289858,
                                           0.7966664774136267396, 0.9602898564975362317};
static const double weight[GAUSS / 2] = {0.3626837833783619830, 0.3137066458778872873, 0.2223810344533744705,
                                         0.1012285362903762592};

/* q of a moving c: the rule on as many equal pieces as |A h| <= 1/4 takes, up to 2^MOST_SPLITS. */
static void pushed(const InkSde *sde, const Matrix *A, double t, double dt, double q[3]) {
  const int splits = halvings(A, dt) < MOST_SPLITS ? halvings(A, dt) : MOST_SPLITS, pieces = 1 << splits;
  const double h = ldexp(dt, -splits);
  const Flow piece = flow_over(A, &nothing, h);
  Matrix onward[GAUSS]; /* exp(A (h - s)) */
  double at[GAUSS];
  for (int g = 0; g < GAUSS; g++) {
    const double side = g % 2 ? -1.0 : 1.0;
    at[g] = 0.5 * h * (1.0 + side * abscissa[g / 2]);
    const Flow rest = flow_over(A, &nothing, 0.5 * h * (1.0 - side * abscissa[g / 2]));
    onward[g] = added(&identity, 1.0, &rest.rise);
  }
  for (int s = 0; s < pieces; s++) {
    double next[3] = {q[0], q[1], q[2]}, c[3];
    add_applied(&piece.rise, 1.0, q, next);
    for (int g = 0; g < GAUSS; g++) {
      push(sde, t + (s * h + at[g]), c);
      add_applied(&onward[g], 0.5 * h * weight[g / 2], c, next);
    }
    memcpy(q, next, sizeof next);
  }
}

/* Lower triangular L, L L^T = S; columns of pivots that are rounding only stay 0. */
static void root(const Matrix *S, InkExactStep *step) {
  for (int j = 0; j < step->dim; j++) {
    double left = S->a[j][j];
    for (int k = 0; k < j; k++) left -= step->L[j][k] * step->L[j][k];
    if (!(left > PIVOT_SLACK * S->a[j][j])) continue;
    step->L[j][j] = sqrt(left);
    for (int i = j + 1; i < step->dim; i++) {
      double mixed = S->a[i][j];
      for (int k = 0; k < j; k++) mixed -= step->L[i][k] * step->L[j][k];
      step->L[i][j] = mixed / step->L[j][j];
    }
  }
}

/* Noises that act on one state each: the sign of a column is that of its noise. */
static void follow_noises(const InkSde *sde, InkExactStep *step) {
  if (sde->noises != sde->dim) return;
  for (int i = 0; i < sde->dim; i++)
    for (int k = 0; k < sde->noises; k++)
      if (i != k && sde->B[i][k]) return;
  for (int k = 0; k < sde->noises; k++)
    if (sde->B[k][k] && ink_expr_value(sde->B[k][k], NULL) < 0.0)
      for (int i = k; i < sde->dim; i++) step->L[i][k] = -step->L[i][k];
}

static void linear_step(const InkSde *sde, double t, double dt, InkExactStep *step) {
  Matrix A, Q;
  coefficients(sde, &A, &Q);
  const Flow flow = sde->dim == 1 ? flow_of_one(A.a[0][0], Q.a[0][0], dt) : flow_over(&A, &Q, dt);
  for (int i = 0; i < sde->dim; i++)
    for (int j = 0; j < sde->dim; j++) step->P[i][j] = (i == j) + flow.rise.a[i][j];
  if (sde->dim == 1) step->P[0][0] = exp(A.a[0][0] * dt);
  if (push_moves(sde)) {
    pushed(sde, &A, t, dt, step->q);
  } else {
    double c[3];
    push(sde, t, c);
    add_applied(&flow.whole, 1.0, c, step->q);
  }
  step->columns = sde->noises > 0 ? sde->dim : 0;
  root(&flow.spread, step);
  follow_noises(sde, step);
}

/* ---- a geometric step ---- */

static void geometric_step(const InkSde *sde, double dt, InkExactStep *step) {
  InkPool *pool = ink_pool_create();
  step->columns = sde->noises;
  for (int i = 0; i < sde->dim; i++) {
    double a, s, squares = 0.0;
    is_proportional(sde->drift[i], sde->dim, i, pool, &a);
    for (int k = 0; k < sde->noises; k++) {
      is_proportional(sde->B[i][k], sde->dim, i, pool, &s);
      squares += s * s;
      step->L[i][k] = s * sqrt(dt);
    }
    step->q[i] = (a - 0.5 * squares) * dt;
  }
  ink_pool_destroy(&pool);
}

void ink_sde_exact_step(const InkSde *sde, InkExactKind kind, double t, double dt, InkExactStep *step) {
  *step = (InkExactStep){.kind = kind, .dim = sde->dim};
  if (kind == INK_EXACT_LINEAR)
    linear_step(sde, t, dt, step);
  else
    geometric_step(sde, dt, step);
}
