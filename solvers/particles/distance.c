/* Distances between a histogram and a density, and the tails of the laws they follow by chance. See
 * distance.h.
 *
 * Sources: Abramowitz & Stegun 6.5.29 and 6.5.31 (incomplete gamma function), Lentz's method as in Press et
 * al., Numerical Recipes, 5.2; Kolmogorov 1933 and Feller, Ann. Math. Stat. 19 (1948) 177 (both series of his
 * law); De Moivre 1730, in Diaconis & Zabell, Stat. Sci. 6 (1991) 284 (mean deviation of a binomial). */
#include "distance.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>

static int64_t sum_of(int64_t cells, const int64_t *counts) {
  int64_t sum = 0;
  for (int64_t c = 0; c < cells; c++) sum += counts[c];
  return sum;
}

/* What is missing to 1. */
static double missing(int64_t cells, const double *mass) {
  double sum = 0.0;
  for (int64_t c = 0; c < cells; c++) sum += mass[c];
  return fmax(1.0 - sum, 0.0);
}

/* ---- total variation ---- */

/* E |X - n m| of X binomial: 2 v C(n, v) m^v (1 - m)^(n - v + 1), v = floor(n m) + 1 (De Moivre). */
static double mean_deviation(double n, double m) {
  const double few = 30.0;
  if (!(m > 0.0) || m >= 1.0) return 0.0;
  if (m > 0.5) m = 1.0 - m; /* as many stay away as come */
  if (n * m >= few) return sqrt(2.0 * n * m * (1.0 - m) / M_PI);
  const double odds = m / (1.0 - m), v = floor(n * m) + 1.0;
  double chance = exp(n * log1p(-m));
  for (double k = 1.0; k <= v; k++) chance *= (n - k + 1.0) / k * odds;
  return 2.0 * v * (1.0 - m) * chance;
}

double ink_distance_total_variation(int64_t cells, const int64_t *counts, int64_t total, const double *mass,
                                    double *expected) {
  const double n = (double)total, gone = missing(cells, mass);
  double sum = fabs((double)(total - sum_of(cells, counts)) / n - gone), chance = mean_deviation(n, gone);
  for (int64_t c = 0; c < cells; c++) {
    sum += fabs((double)counts[c] / n - mass[c]);
    chance += mean_deviation(n, mass[c]);
  }
  *expected = 0.5 * chance / n;
  return 0.5 * sum;
}

/* ---- chi-squared ---- */

/* Cells pooled into bins. */
typedef struct Bins {
  double expects, holds;           /* of the bin that is being filled */
  double last_expects, last_holds; /* of the last one that is full, not yet in the statistic */
  double statistic, bins;
  bool impossible;
} Bins;

static const double enough = 5.0;

static void close_last(Bins *b) {
  if (!(b->last_expects > 0.0)) return;
  const double more = b->last_holds - b->last_expects;
  b->statistic += more * more / b->last_expects;
  b->bins++;
  b->last_expects = b->last_holds = 0.0;
}

static void add_cell(Bins *b, double expects, double holds) {
  b->impossible = b->impossible || (holds > 0.0 && !(expects > 0.0));
  b->expects += expects;
  b->holds += holds;
  if (b->expects < enough) return;
  close_last(b);
  b->last_expects = b->expects;
  b->last_holds = b->holds;
  b->expects = b->holds = 0.0;
}

InkChiSquared ink_chi_squared(int64_t cells, const int64_t *counts, int64_t total, const double *mass) {
  const double n = (double)total;
  Bins b = {.expects = 0.0};
  if (total <= 0) return (InkChiSquared){NAN, NAN, NAN};
  for (int64_t c = 0; c < cells; c++) add_cell(&b, n * mass[c], (double)counts[c]);
  add_cell(&b, n * missing(cells, mass), (double)(total - sum_of(cells, counts)));
  b.last_expects += b.expects; /* what is left joins the last bin */
  b.last_holds += b.holds;
  close_last(&b);
  const double freedom = b.bins > 1.0 ? b.bins - 1.0 : 0.0;
  if (b.impossible) return (InkChiSquared){INFINITY, freedom, 0.0};
  if (freedom == 0.0) return (InkChiSquared){0.0, 0.0, 1.0};
  return (InkChiSquared){b.statistic, freedom, ink_chi_squared_tail(b.statistic, freedom)};
}

/* ln Gamma(a + 1) - ln sqrt(2 pi a) - a ln a + a: Stirling's series, 1e-16 for a >= 100. */
static double stirling(double a) {
  return (1.0 - (1.0 / 30.0 - 1.0 / (105.0 * a * a)) / (a * a)) / (12.0 * a);
}

/* x^a e^-x/Gamma(a + 1), to round-off also where its factors are huge. */
static double leading(double a, double x) {
  if (a < 100.0) return exp(a * log(x) - x - lgamma(a + 1.0));
  const double more = (x - a) / a;
  return exp(-a * (more - log1p(more)) - stirling(a)) / sqrt(2.0 * M_PI * a);
}

/* Lower part P(a, x) over the leading term: 1 + x/(a + 1) + x^2/((a + 1)(a + 2)) + ... */
static double series(double a, double x) {
  double term = 1.0, sum = 1.0;
  for (double k = a + 1.0; term > DBL_EPSILON * 0.25 * sum; k++) {
    term *= x / k;
    sum += term;
  }
  return sum;
}

/* Upper part Q(a, x) over x^a e^-x/Gamma(a): 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - ...)), x >= a + 1. */
static double fraction(double a, double x) {
  double b = x + 1.0 - a, c = 1.0 / DBL_MIN, d = 1.0 / b, h = d, change = 0.0;
  for (double k = 1.0; fabs(change - 1.0) > DBL_EPSILON; k++) {
    const double an = -k * (k - a);
    b += 2.0;
    d = 1.0 / (an * d + b);
    c = b + an / c;
    change = c * d;
    h *= change;
    if (k > 1e7) break; /* far more than sqrt(a) ever needs */
  }
  return h;
}

double ink_chi_squared_tail(double x, double k) {
  const double a = 0.5 * k, y = 0.5 * x;
  if (isnan(x) || isnan(k)) return NAN;
  if (!(x > 0.0)) return 1.0;
  if (!(k > 0.0) || isinf(x)) return 0.0;
  if (y < a + 1.0) return 1.0 - leading(a, y) * series(a, y);
  return leading(a, y) * a * fraction(a, y);
}

/* ---- along an axis ---- */

static double total_of(int64_t n, const double *values) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += values[i];
  return sum;
}

double ink_distance_wasserstein(int64_t n, const double *counts, const double *mass, const double *face) {
  const double particles = total_of(n, counts), all = total_of(n, mass);
  double sum = 0.0, below = 0.0, seen = 0.0, weight = 0.0;
  if (!(particles > 0.0) || !(all > 0.0)) return NAN;
  for (int64_t i = 0; i < n; i++) {
    seen += counts[i];
    weight += mass[i];
    const double above = i + 1 < n ? seen / particles - weight / all : 0.0;
    const double both = fabs(below) + fabs(above), height = face[i + 1] - face[i];
    if (below * above >= 0.0)
      sum += 0.5 * height * both;
    else /* the difference changes sign in the cell */
      sum += 0.5 * height * (below * below + above * above) / both;
    below = above;
  }
  return sum;
}

double ink_distance_kolmogorov_smirnov(int64_t n, const double *counts, const double *mass, double *p_value) {
  const double particles = total_of(n, counts), all = total_of(n, mass);
  double largest = 0.0, seen = 0.0, weight = 0.0;
  *p_value = NAN;
  if (!(particles > 0.0) || !(all > 0.0)) return NAN;
  for (int64_t i = 0; i + 1 < n; i++) {
    seen += counts[i];
    weight += mass[i];
    largest = fmax(largest, fabs(seen / particles - weight / all));
  }
  const double root = sqrt(particles);
  *p_value = ink_kolmogorov_tail((root + 0.12 + 0.11 / root) * largest);
  return largest;
}

double ink_kolmogorov_tail(double x) {
  const double where_both_are_short = 1.18;
  double sum = 0.0;
  if (isnan(x)) return NAN;
  if (!(x > 0.04)) return 1.0; /* to all digits */
  if (x < where_both_are_short) {
    for (int k = 1; k <= 9; k += 2) sum += exp(-(double)(k * k) * M_PI * M_PI / (8.0 * x * x));
    return 1.0 - sqrt(2.0 * M_PI) / x * sum;
  }
  for (int k = 1; k <= 6; k++) sum += (k % 2 ? 2.0 : -2.0) * exp(-2.0 * (double)(k * k) * x * x);
  return sum;
}
