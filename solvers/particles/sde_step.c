/* The longest step that keeps a scheme's bias small. See sde.h.
 *
 * A rate r of a place (1/time; coordinates measured in lengths of their axes) makes the relative error of a
 * step about r dt, and no more than 1. The step is such that the mean of min(1, r dt) over the box is 0.5 %:
 * for rates that are the same everywhere dt = 0.005/r, while a singular wall, where r has no bound, counts
 * with the part of the box that feels it. */
#include "sde_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef const InkExpr *E;

enum { POINTS = 1000 };
#define RESOLVED       0.005 /* mean of rate times step */
#define STEPS_AN_AXIS  50.0
#define NOTHING_LIMITS "nothing limits the step"

typedef struct Trees {
  InkPool *pool;
  E drift[3][3];                 /* db_i/dx_j; NULL: 0 */
  E noise[3][INK_MAX_NOISES][3]; /* dB_ik/dx_j */
} Trees;

static Trees slopes(const InkSde *sde) {
  Trees trees = {.pool = ink_pool_create()};
  for (int i = 0; i < sde->dim; i++)
    for (int j = 0; j < sde->dim; j++) {
      if (sde->drift[i])
        trees.drift[i][j] =
            ink_sde_folded(trees.pool, ink_expr_derivative(trees.pool, sde->drift[i], INK_VAR_X + j));
      for (int k = 0; k < sde->noises; k++)
        if (sde->B[i][k])
          trees.noise[i][k][j] =
              ink_sde_folded(trees.pool, ink_expr_derivative(trees.pool, sde->B[i][k], INK_VAR_X + j));
    }
  return trees;
}

static double value(E e, const double variable[INK_VARS]) { return e ? ink_expr_value(e, variable) : 0.0; }

/* Largest row sums at a point: of |db_i/dx_j|, and of the squares of dB_ik/dx_j. */
static void rates_at(const InkSde *sde, const Trees *trees, const double length[3],
                     const double variable[INK_VARS], double *drift, double *noise) {
  *drift = *noise = 0.0;
  for (int i = 0; i < sde->dim; i++) {
    double row = 0.0, square = 0.0;
    for (int j = 0; j < sde->dim; j++) {
      const double scale = length[j] / length[i];
      row += fabs(value(trees->drift[i][j], variable)) * scale;
      for (int k = 0; k < sde->noises; k++) {
        const double slope = value(trees->noise[i][k][j], variable) * scale;
        square += slope * slope;
      }
    }
    if (isnan(row) || row > *drift) *drift = row; /* NaN stays */
    if (isnan(square) || square > *noise) *noise = square;
  }
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The step at which the mean of min(1, rate dt) is RESOLVED. Sorts the rates. */
static double step_of(double *rate, int n) {
  double total[POINTS + 1] = {0.0}; /* of the smallest ones */
  qsort(rate, (size_t)n, sizeof *rate, ascending);
  for (int m = 0; m < n; m++) total[m + 1] = total[m] + rate[m];
  for (int m = n; m > 0 && total[m] > 0.0; m--) { /* the rates from m on count 1 */
    const double rest = RESOLVED * n - (n - m);
    if (!(rest > 0.0)) break;
    const double dt = rest / total[m];
    if (dt * rate[m - 1] <= 1.0) return dt;
  }
  return INFINITY;
}

static double median(double *values, int n) {
  if (n == 0) return 0.0;
  qsort(values, (size_t)n, sizeof *values, ascending);
  return values[n / 2];
}

/* ---- change in time ---- */

typedef struct Box {
  const InkSde *sde;
  const double *from, *to;
  double t;
} Box;

/* Mean magnitude over some points. */
static double mean_size(const Box *box, E e) {
  enum { SOME = 32 };
  double total = 0.0, variable[INK_VARS];
  int n = 0;
  for (int p = 0; p < SOME; p++) {
    ink_sde_point(box->sde->dim, box->from, box->to, box->t, p, variable);
    const double size = fabs(ink_expr_value(e, variable));
    if (!isfinite(size)) continue;
    total += size;
    n++;
  }
  return n ? total / n : 0.0;
}

/* How fast e changes with t: sqrt(|e'''|/|e'|), the frequency of an oscillation about any mean and the rate
 * of an exponential, 0 for a ramp; where e' is 0, sqrt(|e''|/|e|). */
static double rate_in_time(const Box *box, InkPool *pool, E e) {
  if (!e || !(ink_expr_variables(e) >> INK_VAR_T & 1)) return 0.0;
  const E first = ink_expr_derivative(pool, e, INK_VAR_T),
          second = ink_expr_derivative(pool, first, INK_VAR_T),
          third = ink_expr_derivative(pool, second, INK_VAR_T);
  const double change = mean_size(box, first);
  const double top = mean_size(box, change > 0.0 ? third : second),
               bottom = change > 0.0 ? change : mean_size(box, e);
  return bottom > 0.0 ? sqrt(top / bottom) : 0.0;
}

/* ---- the shortest of all ---- */

typedef struct Choice {
  double dt;
  char *reason;
  size_t size;
} Choice;

static bool shorter(Choice *choice, double dt) {
  if (!(dt < choice->dt)) return false;
  choice->dt = dt;
  return true;
}

static void choose_time(Choice *choice, const Box *box, InkPool *pool) {
  double rate = 0.0;
  for (int i = 0; i < box->sde->dim; i++) {
    rate = fmax(rate, rate_in_time(box, pool, box->sde->drift[i]));
    for (int k = 0; k < box->sde->noises; k++) rate = fmax(rate, rate_in_time(box, pool, box->sde->B[i][k]));
  }
  if (rate > 0.0 && shorter(choice, RESOLVED / rate))
    snprintf(choice->reason, choice->size, "the equation changes with t at a rate of %.3g, resolved to %g %%",
             rate, 100.0 * RESOLVED);
}

static void choose_axes(Choice *choice, const Box *box) {
  for (int a = 0; a < box->sde->dim; a++) {
    const E D = box->sde->D[a][a];
    double values[POINTS], variable[INK_VARS];
    int n = 0;
    for (int p = 0; D && p < POINTS; p++) {
      ink_sde_point(box->sde->dim, box->from, box->to, box->t, p, variable);
      values[n] = ink_expr_value(D, variable);
      if (isfinite(values[n])) n++;
    }
    const double typical = median(values, n), length = (box->to[a] - box->from[a]) / STEPS_AN_AXIS;
    if (typical > 0.0 && shorter(choice, length * length / (2.0 * typical)))
      snprintf(choice->reason, choice->size,
               "sqrt(2 D dt) is a fiftieth of the axis %s, D = %.3g at its median", box->sde->state[a],
               typical);
  }
}

static void choose_rates(Choice *choice, const Box *box, const Trees *trees) {
  double drift[POINTS], noise[POINTS], variable[INK_VARS], length[3];
  int drifts = 0, noises = 0;
  for (int a = 0; a < box->sde->dim; a++) length[a] = box->to[a] - box->from[a];
  for (int p = 0; p < POINTS; p++) {
    ink_sde_point(box->sde->dim, box->from, box->to, box->t, p, variable);
    rates_at(box->sde, trees, length, variable, &drift[drifts], &noise[noises]);
    if (isfinite(drift[drifts])) drifts++;
    if (isfinite(noise[noises])) noises++;
  }
  const double of_drift = step_of(drift, drifts), of_noise = step_of(noise, noises);
  if (shorter(choice, of_drift))
    snprintf(choice->reason, choice->size, "the drift relaxes at a rate of %.3g, resolved to %g %%",
             RESOLVED / of_drift, 100.0 * RESOLVED);
  if (shorter(choice, of_noise))
    snprintf(choice->reason, choice->size,
             "the noise changes with the state at a rate of %.3g, resolved to %g %%", RESOLVED / of_noise,
             100.0 * RESOLVED);
}

double ink_sde_step(const InkSde *sde, const double from[3], const double to[3], double t, char *reason,
                    size_t size) {
  const Box box = {sde, from, to, t};
  Choice choice = {INFINITY, reason, size};
  Trees trees = slopes(sde);
  snprintf(reason, size, NOTHING_LIMITS);
  choose_rates(&choice, &box, &trees);
  choose_time(&choice, &box, trees.pool);
  choose_axes(&choice, &box);
  ink_pool_destroy(&trees.pool);
  return choice.dt;
}
