/* Homogeneous steady states R(u) = 0: Newton's method from many starts. */
#include "analysis_impl.h"

#include <math.h>
#include <string.h>

enum { STARTS = 128, ITERATIONS = 100, HALVINGS = 12, SAMPLES = 6 };

void ink_model_scale(int n, const double *values, double *scale) {
  double largest = 0;
  for (int f = 0; f < n; f++) largest = fmax(largest, fabs(values[f]));
  if (!(largest > 0 && isfinite(largest))) largest = 1;
  for (int f = 0; f < n; f++) scale[f] = fabs(values[f]) > 1e-6 * largest ? fabs(values[f]) : largest;
}

/* Sum of the squares of the rates, each in its own unit. */
static double defect(int n, const double *rate, const double *unit) {
  double sum = 0;
  for (int s = 0; s < n; s++) sum += rate[s] * rate[s] / (unit[s] * unit[s]);
  return sqrt(sum);
}

/* Typical sizes of the rates: how much a change by `scale` changes them. */
static void units(int n, const double *slope, const double *scale, double *unit) {
  for (int s = 0; s < n; s++) {
    unit[s] = 0;
    for (int f = 0; f < n; f++) unit[s] = fmax(unit[s], fabs(slope[s * n + f]) * scale[f]);
    if (!(unit[s] > 0)) unit[s] = 1;
  }
}

/* u + as much of `step` as makes the defect smaller. False: none does. rate, slope: there. */
static bool damped(const InkModel *model, const double *step, const double *unit, double *u, double *rate,
                   double *slope) {
  const int n = model->n;
  const double before = defect(n, rate, unit);
  double factor = 1;
  for (int h = 0; h < HALVINGS; h++, factor /= 2) {
    double trial[INK_MAX_FIELDS];
    for (int f = 0; f < n; f++) trial[f] = u[f] + factor * step[f];
    ink_model_rates(model, trial, rate, slope);
    const double after = defect(n, rate, unit);
    if (!(after <= before * (1 - 0.1 * factor)) && after > 1e-15) continue;
    memcpy(u, trial, (size_t)n * sizeof *u);
    return true;
  }
  return false;
}

/* Values far below the scale are zeros of round-off: they are made zeros where R stays one. False: R is not
 * finite there, so that was the way into a singularity. */
static bool clean(const InkModel *model, const double *scale, const double *unit, double *u) {
  const int n = model->n;
  double trial[INK_MAX_FIELDS], rate[INK_MAX_FIELDS];
  ink_model_rates(model, u, rate, NULL);
  const double before = defect(n, rate, unit);
  for (int f = 0; f < n; f++) trial[f] = fabs(u[f]) < 1e-9 * scale[f] ? 0.0 : u[f];
  ink_model_rates(model, trial, rate, NULL);
  const double after = defect(n, rate, unit);
  if (after <= before + 1e-14) memcpy(u, trial, (size_t)n * sizeof *u);
  return isfinite(after);
}

/* A full step from where Newton's method stopped; false: it is not small, so that was no solution. */
static bool polish(const InkModel *model, const double *scale, double *u) {
  const int n = model->n;
  double rate[INK_MAX_FIELDS], slope[INK_MAX_FIELDS * INK_MAX_FIELDS];
  ink_model_rates(model, u, rate, slope);
  if (ink_small_solve(n, slope, rate) < n) return true;
  for (int f = 0; f < n; f++)
    if (!(fabs(rate[f]) <= 1e-7 * fmax(fabs(u[f]), scale[f]))) return false;
  for (int f = 0; f < n; f++) u[f] -= rate[f];
  return true;
}

bool ink_model_newton(const InkModel *model, const double *scale, double *u) {
  const int n = model->n;
  double rate[INK_MAX_FIELDS], slope[INK_MAX_FIELDS * INK_MAX_FIELDS], unit[INK_MAX_FIELDS];
  ink_model_rates(model, u, rate, slope);
  units(n, slope, scale, unit);
  for (int i = 0; i < ITERATIONS; i++) {
    double step[INK_MAX_FIELDS], matrix[INK_MAX_FIELDS * INK_MAX_FIELDS];
    bool small = true;
    if (!isfinite(defect(n, rate, unit))) return false;
    memcpy(matrix, slope, (size_t)(n * n) * sizeof *matrix);
    for (int f = 0; f < n; f++) step[f] = -rate[f];
    if (ink_small_solve(n, matrix, step) < n) return defect(n, rate, unit) < 1e-14;
    for (int f = 0; f < n; f++) small = small && fabs(step[f]) <= 1e-11 * fmax(fabs(u[f]), 1e-3 * scale[f]);
    if (!small && damped(model, step, unit, u, rate, slope)) continue;
    if (!small && defect(n, rate, unit) > 1e-10) return false;
    return polish(model, scale, u) && clean(model, scale, unit, u);
  }
  return false;
}

void ink_model_classify(const InkModel *model, const double *u, InkSteadyState *state) {
  const int n = model->n;
  double rate[INK_MAX_FIELDS], slope[INK_MAX_FIELDS * INK_MAX_FIELDS];
  double complex lambda[INK_MAX_FIELDS];
  memcpy(state->u, u, (size_t)n * sizeof *u);
  ink_model_rates(model, u, rate, slope);
  if (!ink_small_eigenvalues(n, slope, lambda, NULL, NULL)) lambda[0] = NAN;
  state->slowest = lambda[0];
  state->stable = creal(lambda[0]) < -1e-12 * ink_small_norm(n, slope);
}

/* The fractional part of i * g^-(f + 1), g^(n + 1) = g + 1: points that fill the unit cube evenly. */
static double spread(int n, int f, int i) {
  double g = 2;
  for (int k = 0; k < 40; k++) g = pow(1 + g, 1.0 / (n + 1));
  return fmod(0.5 + i * pow(g, -(f + 1)), 1.0);
}

/* Starts: the typical values, zero, then values spread evenly: in the logarithm around each field's scale
 * and around the largest scale, and of either sign up to twice the largest scale and up to 2. */
static void start_at(int n, const double *values, const double *scale, int i, double *u) {
  double largest = 0;
  for (int f = 0; f < n; f++) largest = fmax(largest, scale[f]);
  for (int f = 0; f < n; f++) {
    const double p = i < 2 ? 0 : spread(n, f, i);
    if (i < 2)
      u[f] = i == 0 ? values[f] : 0.0;
    else if (i % 4 < 2)
      u[f] = (i % 4 == 0 ? scale[f] : largest) * pow(10, 4 * p - 2);
    else
      u[f] = (i % 4 == 2 ? largest : 1) * 4 * (p - 0.5);
  }
}

int ink_model_free(const InkModel *model, const double *scale) {
  const int n = model->n;
  int rank = 0;
  for (int i = 2; i < 2 + SAMPLES; i++) {
    double u[INK_MAX_FIELDS], rate[INK_MAX_FIELDS], slope[INK_MAX_FIELDS * INK_MAX_FIELDS];
    start_at(n, scale, scale, 4 * i, u);
    ink_model_rates(model, u, rate, slope);
    const int found = ink_small_solve(n, slope, rate);
    if (found > rank) rank = found;
  }
  return n - rank;
}

static bool negative(int n, const InkSteadyState *state) {
  for (int f = 0; f < n; f++)
    if (state->u[f] < 0) return true;
  return false;
}

/* Order of the list: without negative values first, then by the fields in turn. */
static bool precedes(int n, const InkSteadyState *a, const InkSteadyState *b) {
  const bool an = negative(n, a), bn = negative(n, b);
  if (an != bn) return bn;
  for (int f = 0; f < n; f++)
    if (a->u[f] != b->u[f]) return a->u[f] < b->u[f];
  return false;
}

static bool known(int n, const double *scale, const InkSteadyState *state, int count, const double *u) {
  for (int i = 0; i < count; i++) {
    bool same = true;
    for (int f = 0; f < n; f++)
      same = same && fabs(state[i].u[f] - u[f]) <= 1e-6 * fmax(fabs(u[f]), 0.1 * scale[f]);
    if (same) return true;
  }
  return false;
}

int ink_model_states(const InkModel *model, const double *values, InkSteadyState state[INK_MAX_STATES]) {
  const int n = model->n;
  double scale[INK_MAX_FIELDS];
  int count = 0;
  ink_model_scale(n, values, scale);
  if (ink_model_free(model, scale) > 0) return 0;
  for (int i = 0; i < STARTS && count < INK_MAX_STATES; i++) {
    double u[INK_MAX_FIELDS];
    InkSteadyState found = {0};
    start_at(n, values, scale, i, u);
    if (!ink_model_newton(model, scale, u) || known(n, scale, state, count, u)) continue;
    ink_model_classify(model, u, &found);
    if (isnan(creal(found.slowest))) continue;
    int place = count++;
    for (; place > 0 && precedes(n, &found, &state[place - 1]); place--) state[place] = state[place - 1];
    state[place] = found;
  }
  return count;
}

int ink_steady_states(const InkReactions *reactions, const double *scale,
                      InkSteadyState state[INK_MAX_STATES]) {
  InkModel model;
  const int count = ink_model_create(reactions, &model) ? ink_model_states(&model, scale, state) : 0;
  ink_model_clear(&model);
  return count;
}
