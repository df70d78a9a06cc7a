/* How far a histogram is from a density. Pure functions.
 *
 * counts[cells] of `total` particles (those not in any cell are absorbed), mass[cells] the density's masses;
 * what is missing to 1 is absorbed too. */
#ifndef INK_DISTANCE_H
#define INK_DISTANCE_H

#include <stdint.h>

/* 1/2 sum |counts/total - mass|, what is absorbed being one more cell; expected: its mean when the particles
 * are drawn from mass, half the sum of the cells' mean deviations: exact ones (De Moivre) of cells that
 * expect few particles, sqrt(2 m (1 - m)/(pi total)) of the others. */
double ink_distance_total_variation(int64_t cells, const int64_t *counts, int64_t total, const double *mass,
                                    double *expected);
/* Pearson's chi-squared over cells in the order given, neighbours pooled until each bin expects at least 5
 * (what is absorbed is a bin too), degrees of freedom = bins - 1, and the probability to exceed it. A count
 * where the mass is 0 gives infinity and 0. No particles: NaN. */
typedef struct InkChiSquared {
  double statistic, freedom, p_value;
} InkChiSquared;
InkChiSquared ink_chi_squared(int64_t cells, const int64_t *counts, int64_t total, const double *mass);
/* Along one axis, of those inside (both normalised to 1): n marginal masses and counts, n + 1 faces.
 * Wasserstein-1: integral of the difference of the distribution functions (linear in each cell).
 * Kolmogorov-Smirnov: the largest difference at the faces, and its p-value (Kolmogorov's series at
 * (sqrt(n) + 0.12 + 0.11/sqrt(n)) D; Stephens 1970). Nothing in one of them: NaN. */
double ink_distance_wasserstein(int64_t n, const double *counts, const double *mass, const double *face);
double ink_distance_kolmogorov_smirnov(int64_t n, const double *counts, const double *mass, double *p_value);
/* Upper tails: of chi-squared with k degrees of freedom (regularised incomplete gamma function Q(k/2, x/2)),
 * and of Kolmogorov's law. */
double ink_chi_squared_tail(double x, double k);
double ink_kolmogorov_tail(double x);
#endif
