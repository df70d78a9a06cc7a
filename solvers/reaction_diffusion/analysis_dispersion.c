/* The dispersion relation: growth rates of waves about a uniform steady state.
 *
 * lambda(k) is the eigenvalue of A = J - k^2 D with the largest real part. With right and left eigenvectors
 * v and w its slope is  d lambda / d(k^2) = -(w^H D v) / (w^H v),  whose zero is the fastest wave: found by
 * bisection it has all digits, which a search for the maximum of a flat function has not. */
#include "analysis_impl.h"

#include <math.h>
#include <string.h>

enum { SCAN = 400, BISECTIONS = 60 };

void ink_linearise(const InkModel *model, const double *u, InkLinearised *linear) {
  double rate[INK_MAX_FIELDS];
  linear->n = model->n;
  ink_model_rates(model, u, rate, linear->J);
  ink_model_diffusion(model, u, linear->D);
}

static void matrix_at(const InkLinearised *linear, double k, double *A) {
  for (int i = 0; i < linear->n * linear->n; i++) A[i] = linear->J[i] - k * k * linear->D[i];
}

double ink_linearised_growth(const InkLinearised *linear, double k, double complex *lambda) {
  double A[INK_MAX_FIELDS * INK_MAX_FIELDS];
  double complex all[INK_MAX_FIELDS];
  matrix_at(linear, k, A);
  if (!ink_small_eigenvalues(linear->n, A, all, NULL, NULL)) all[0] = NAN;
  if (lambda) *lambda = all[0];
  return creal(all[0]);
}

/* Real part of d lambda / d(k^2). */
static double slope_at(const InkLinearised *linear, double k) {
  const int n = linear->n;
  double A[INK_MAX_FIELDS * INK_MAX_FIELDS];
  double complex lambda[INK_MAX_FIELDS], w[INK_MAX_FIELDS], v[INK_MAX_FIELDS], above = 0, below = 0;
  matrix_at(linear, k, A);
  if (!ink_small_eigenvalues(n, A, lambda, w, v)) return NAN;
  for (int i = 0; i < n; i++) {
    below += conj(w[i]) * v[i];
    for (int j = 0; j < n; j++) above += conj(w[i]) * linear->D[i * n + j] * v[j];
  }
  return creal(-above / below);
}

/* The range of k in which anything can happen: from waves that feel no diffusion to waves that feel nothing
 * else. False: nothing diffuses. */
static bool range(const InkLinearised *linear, double *lowest, double *highest) {
  const int n = linear->n;
  double least = INFINITY, most = 0;
  const double J = ink_small_norm(n, linear->J);
  for (int i = 0; i < n * n; i++) {
    const double D = fabs(linear->D[i]);
    most = fmax(most, D);
    if (D > 0 && i % n == i / n) least = fmin(least, D);
  }
  if (!(most > 0) || !isfinite(most)) return false;
  if (!isfinite(least)) least = most;
  const double rate = J > 0 && isfinite(J) ? J : 1;
  *lowest = 1e-3 * sqrt(rate / most);
  *highest = 30 * sqrt(rate / least);
  return true;
}

/* The zero of the slope between two wave numbers, up before and down after. */
static double summit(const InkLinearised *linear, double below, double above) {
  for (int i = 0; i < BISECTIONS; i++) {
    const double k = 0.5 * (below + above);
    if (slope_at(linear, k) > 0)
      below = k;
    else
      above = k;
  }
  return 0.5 * (below + above);
}

double ink_linearised_fastest(const InkLinearised *linear, int points, double *growth) {
  double lowest, highest, best = -INFINITY;
  int at = -1;
  *growth = ink_linearised_growth(linear, 0, NULL);
  if (!range(linear, &lowest, &highest)) return 0;
  const double ratio = pow(highest / lowest, 1.0 / (points - 1));
  for (int i = 0; i < points; i++) {
    const double rate = ink_linearised_growth(linear, lowest * pow(ratio, i), NULL);
    if (rate > best) {
      best = rate;
      at = i;
    }
  }
  if (at < 0) return 0;
  if (at == points - 1 && best > *growth) {
    *growth = best;
    return INFINITY;
  }
  const double k = summit(linear, at > 0 ? lowest * pow(ratio, at - 1) : 0, lowest * pow(ratio, at + 1));
  *growth = ink_linearised_growth(linear, k, NULL);
  return k;
}

/* Where growth changes sign between two wave numbers. */
static double edge(const InkLinearised *linear, double growing, double decaying) {
  for (int i = 0; i < BISECTIONS; i++) {
    const double k = 0.5 * (growing + decaying);
    if (ink_linearised_growth(linear, k, NULL) > 0)
      growing = k;
    else
      decaying = k;
  }
  return 0.5 * (growing + decaying);
}

/* The edge of the band around `from` on the way to `to`, in small steps so that no other band is entered. */
static double band_edge(const InkLinearised *linear, double from, double to) {
  double inside = from;
  for (int i = 1; i <= SCAN; i++) {
    const double k = from + (to - from) * i / SCAN;
    if (!(ink_linearised_growth(linear, k, NULL) > 0)) return edge(linear, inside, k);
    inside = k;
  }
  return to;
}

bool ink_linearised_dispersion(const InkLinearised *linear, InkDispersion *dispersion) {
  double growth, lowest = 0, highest = 0;
  double complex lambda;
  const double uniform = ink_linearised_growth(linear, 0, NULL);
  const double least = 1e-13 * ink_small_norm(linear->n, linear->J);
  *dispersion = (InkDispersion){0};
  double fastest = ink_linearised_fastest(linear, SCAN, &growth);
  if (uniform >= growth) { /* nothing grows faster than the uniform disturbance */
    fastest = 0;
    growth = uniform;
  }
  if (!(growth > least)) return false;
  *dispersion = (InkDispersion){.turing = uniform < -least, .fastest = fastest, .growth = growth};
  if (isinf(fastest)) {
    dispersion->lower = uniform > least ? 0 : NAN;
    dispersion->upper = INFINITY;
    return true;
  }
  if (!range(linear, &lowest, &highest)) return true; /* no diffusion: waves of all lengths grow alike */
  dispersion->lower = uniform > least ? 0 : band_edge(linear, fastest, 0);
  dispersion->upper = band_edge(linear, fastest, highest);
  if (dispersion->upper >= highest) dispersion->upper = INFINITY;
  ink_linearised_growth(linear, fastest, &lambda);
  dispersion->frequency = fabs(cimag(lambda));
  return true;
}

double ink_growth_rate(const InkReactions *reactions, const double *u, double k, double complex *lambda) {
  InkModel model;
  InkLinearised linear;
  double growth = NAN;
  if (lambda) *lambda = NAN;
  if (ink_model_create(reactions, &model)) {
    ink_linearise(&model, u, &linear);
    growth = ink_linearised_growth(&linear, k, lambda);
  }
  ink_model_clear(&model);
  return growth;
}

bool ink_dispersion(const InkReactions *reactions, const double *u, InkDispersion *dispersion) {
  InkModel model;
  InkLinearised linear;
  bool grows = false;
  *dispersion = (InkDispersion){0};
  if (ink_model_create(reactions, &model)) {
    ink_linearise(&model, u, &linear);
    grows = ink_linearised_dispersion(&linear, dispersion);
  }
  ink_model_clear(&model);
  return grows;
}
