/* A model as the equation a scheme steps: Cholesky's factor of a diffusion matrix, the Stratonovich drift,
 * Milstein's terms, and whether the noise commutes. See sde.h. */
#include "sde_impl.h"

#include <math.h>
#include <stdio.h>

typedef const InkExpr *E;

/* Pivots this small beside the diagonal are what rounding left of 0. */
#define PIVOT_SLACK 1e-14

E ink_sde_folded(InkPool *pool, E e) {
  double value;
  if (!ink_expr_is_number(e, &value)) return e;
  if (value == 0.0) return NULL;
  return isfinite(value) ? ink_expr_number(pool, value) : e;
}

static E binary(InkPool *pool, InkOp op, E a, E b) {
  return ink_sde_folded(pool, ink_expr_binary(pool, op, a, b));
}

static E sum(InkPool *pool, E a, E b) { return !a || !b ? (a ? a : b) : binary(pool, INK_OP_ADD, a, b); }

static E product(InkPool *pool, E a, E b) { return !a || !b ? NULL : binary(pool, INK_OP_MUL, a, b); }

static E difference(InkPool *pool, E a, E b) {
  if (!b) return a;
  return a ? binary(pool, INK_OP_SUB, a, b) : ink_expr_unary(pool, INK_OP_NEG, b);
}

static E times(InkPool *pool, double factor, E e) { return product(pool, ink_expr_number(pool, factor), e); }

static E derivative(InkPool *pool, E e, int state) {
  return ink_sde_folded(pool, ink_expr_derivative(pool, e, INK_VAR_X + state));
}

/* ---- the factor of 2 D ---- */

/* The root of what is left of the diagonal entry `whole`: 0 where that is rounding only, so that matrices
 * without full rank have their zero columns; not a number where the matrix is not positive semi-definite. */
static E pivot(InkPool *pool, E whole, E left) {
  if (!left) return NULL;
  if (left != whole) {
    const E slack = binary(pool, INK_OP_MUL, ink_expr_number(pool, PIVOT_SLACK), whole);
    const E least = ink_expr_binary(pool, INK_OP_LE, ink_expr_unary(pool, INK_OP_ABS, left),
                                    slack ? slack : ink_expr_number(pool, 0.0));
    left = ink_sde_folded(pool, ink_expr_if(pool, least, ink_expr_number(pool, 0.0), left));
    if (!left) return NULL;
  }
  return ink_sde_folded(pool, ink_expr_unary(pool, INK_OP_SQRT, left));
}

/* left/root, 0 where the root is. */
static E divided(InkPool *pool, E left, E root) {
  if (!left || !root) return NULL;
  double value;
  const E ratio = binary(pool, INK_OP_DIV, left, root);
  if (!ratio || ink_expr_is_number(root, &value)) return ratio;
  const E zero = ink_expr_number(pool, 0.0);
  return ink_expr_if(pool, ink_expr_binary(pool, INK_OP_GT, root, zero), ratio, zero);
}

/* B B^T = 2 D, B lower triangular, without the columns that are 0 everywhere. */
static void factor(InkPool *pool, InkSde *sde) {
  for (int j = 0; j < sde->dim; j++) {
    const int k = sde->noises;
    const E whole = times(pool, 2.0, sde->D[j][j]);
    E left = whole;
    if (!whole) continue;
    for (int c = 0; c < k; c++) left = difference(pool, left, product(pool, sde->B[j][c], sde->B[j][c]));
    const E root = pivot(pool, whole, left);
    if (!root) continue;
    sde->B[j][k] = root;
    for (int i = j + 1; i < sde->dim; i++) {
      if (!sde->D[i][i]) continue;
      left = times(pool, 2.0, sde->D[i][j]);
      for (int c = 0; c < k; c++) left = difference(pool, left, product(pool, sde->B[i][c], sde->B[j][c]));
      sde->B[i][k] = divided(pool, left, root);
    }
    char name[16];
    snprintf(name, sizeof name, "w%d", k + 1);
    sde->noise[k] = ink_pool_strdup(pool, name);
    sde->noises++;
  }
}

/* ---- derivatives along the noise ---- */

/* e^2 where that takes a root away (*root), factor by factor. */
static E squared(InkPool *pool, E e, bool *root) {
  double exponent;
  switch (e->op) {
  case INK_OP_SQRT:
    *root = true;
    return e->arg[0];
  case INK_OP_NEG:
    return squared(pool, e->arg[0], root);
  case INK_OP_MUL:
  case INK_OP_DIV: {
    const E a = squared(pool, e->arg[0], root), b = squared(pool, e->arg[1], root);
    return ink_expr_binary(pool, e->op, a, b);
  }
  case INK_OP_POW:
    if (ink_expr_is_number(e->arg[1], &exponent) && exponent == 0.5) {
      *root = true;
      return e->arg[0];
    }
    break;
  default:
    break;
  }
  return ink_expr_binary(pool, INK_OP_MUL, e, e);
}

/* b de/dx_l. Of b = e with a root in it, half the derivative of e^2: the same, but also right where the root
 * is 0 and its derivative infinite. */
static E along(InkPool *pool, E b, E e, int l) {
  bool root = false;
  if (b == e) {
    const E square = squared(pool, e, &root);
    if (root) return times(pool, 0.5, derivative(pool, square, l));
  }
  return product(pool, b, derivative(pool, e, l));
}

void ink_sde_terms(const InkSde *sde, InkPool *pool, int j, E e, E term[3]) {
  for (int l = 0; l < 3; l++)
    term[l] = l < sde->dim && sde->B[l][j] && e ? along(pool, sde->B[l][j], e, l) : NULL;
}

/* L^j e. */
static E operate(const InkSde *sde, InkPool *pool, int j, E e) {
  E term[3], total = NULL;
  ink_sde_terms(sde, pool, j, e, term);
  for (int l = 0; l < sde->dim; l++) total = sum(pool, total, term[l]);
  return total;
}

/* b_i - 1/2 sum over k of L^k B_ik: Ito's drift as Stratonovich's. */
static void stratonovich(InkPool *pool, InkSde *sde) {
  for (int i = 0; i < sde->dim; i++) {
    E total = NULL;
    for (int k = 0; k < sde->noises; k++) total = sum(pool, total, operate(sde, pool, k, sde->B[i][k]));
    sde->drift[i] = difference(pool, sde->drift[i], times(pool, 0.5, total));
  }
}

static void milstein(InkPool *pool, InkSde *sde) {
  for (int i = 0; i < sde->dim; i++)
    for (int j = 0; j < sde->noises; j++)
      for (int k = j; k < sde->noises; k++) {
        const E forth = operate(sde, pool, j, sde->B[i][k]),
                back = j == k ? NULL : operate(sde, pool, k, sde->B[i][j]);
        sde->second[i][j][k] = times(pool, 0.5, sum(pool, forth, back));
      }
}

void ink_sde_read(const InkModel *model, InkScheme scheme, InkPool *pool, InkSde *sde) {
  const InkProcess *process = &model->process;
  *sde = (InkSde){.dim = process->dim, .noises = model->noises};
  const bool given = scheme == INK_HEUN && model->stratonovich;
  for (int i = 0; i < sde->dim; i++) {
    sde->state[i] = process->name[i];
    sde->drift[i] = given ? model->as_given[i] : process->drift[i];
    for (int j = 0; j < sde->dim; j++) sde->D[i][j] = process->diffusion[i][j];
    for (int k = 0; k < sde->noises; k++) sde->B[i][k] = model->B[i][k];
  }
  for (int k = 0; k < sde->noises; k++) sde->noise[k] = model->noise[k];
  if (sde->noises == 0) factor(pool, sde);
  if (scheme == INK_HEUN && !given) stratonovich(pool, sde);
  if (scheme == INK_MILSTEIN) milstein(pool, sde);
}

/* ---- does it commute? ---- */

enum { COMMUTING_POINTS = 64 };

/* Digits of i in `base` mirrored at the point: van der Corput's sequence. */
static double mirrored(int i, int base) {
  double value = 0.0, digit = 1.0;
  for (; i > 0; i /= base) value += i % base * (digit /= base);
  return value;
}

void ink_sde_point(int dim, const double from[3], const double to[3], double t, int i,
                   double variable[INK_VARS]) {
  const int base[3] = {2, 3, 5};
  for (int v = 0; v < INK_VARS; v++) variable[v] = 0.0;
  for (int a = 0; a < dim; a++)
    variable[INK_VAR_X + a] = from[a] + (to[a] - from[a]) * mirrored(i + 1, base[a]);
  variable[INK_VAR_T] = t;
}

/* Adds up terms at a point, and their magnitudes to *size. */
static double add_up(E const term[3], const double variable[INK_VARS], double *size) {
  double total = 0.0;
  for (int l = 0; l < 3; l++) {
    const double value = term[l] ? ink_expr_value(term[l], variable) : 0.0;
    total += value;
    *size += fabs(value);
  }
  return total;
}

static void name_place(const InkSde *sde, const double variable[INK_VARS], char *text, size_t size) {
  size_t used = 0;
  for (int a = 0; a < sde->dim && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%s = %.4g", a ? ", " : "", sde->state[a],
                             variable[INK_VAR_X + a]);
}

bool ink_sde_commutes(const InkSde *sde, const double from[3], const double to[3], double t, char *message,
                      size_t size) {
  InkPool *pool = ink_pool_create();
  bool commutes = true;
  for (int j = 0; j < sde->noises; j++)
    for (int k = j + 1; k < sde->noises; k++)
      for (int i = 0; i < sde->dim && commutes; i++) {
        E forth[3], back[3];
        ink_sde_terms(sde, pool, j, sde->B[i][k], forth);
        ink_sde_terms(sde, pool, k, sde->B[i][j], back);
        for (int p = 0; p < COMMUTING_POINTS && commutes; p++) {
          double variable[INK_VARS], large = 0.0;
          ink_sde_point(sde->dim, from, to, t, p, variable);
          const double gap = add_up(forth, variable, &large) - add_up(back, variable, &large);
          if (!isfinite(large) || fabs(gap) <= 1e-9 * large) continue;
          char place[200];
          name_place(sde, variable, place, sizeof place);
          snprintf(message, size,
                   "the noises %s and %s do not commute at %s: Milstein's scheme would need their iterated "
                   "integrals; take euler_maruyama or heun",
                   sde->noise[j], sde->noise[k], place);
          commutes = false;
        }
      }
  ink_pool_destroy(&pool);
  return commutes;
}
