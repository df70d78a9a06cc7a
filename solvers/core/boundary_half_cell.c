/* The half cell: between the side (value us) and the centroid (value u) at distance d, the flux
 *
 *     q = -k du/dx + w u = const  gives  q = g (B(-z) us - B(z) u),   g = k/d,  z = w d/k,
 *
 * with Bernoulli's function B(z) = z/(exp(z) - 1); for k = 0 the upwind value: q = max(w,0) us - max(-w,0) u.
 */
#include <math.h>
#include "boundary_impl.h"

double ink_bernoulli(double z) {
  if (z == 0.0) return 1.0;
  if (z > 800.0) return 0.0; /* below the smallest number; inf too */
  /* z > 0: exp(-z) does not overflow, and no digits cancel */
  return z > 0.0 ? z * exp(-z) / -expm1(-z) : z / expm1(z);
}

/* B' = B(z) (1 - B(-z)) / z; near 0, where that cancels, -1/2 + sum of B_2k z^(2k-1) / (2k-1)!. */
double ink_bernoulli_slope(double z) {
  if (fabs(z) >= 0.5) {
    if (z < -700.0) return -1.0; /* exp(z) is below any digit; -inf too */
    return z > 800.0 ? -0.0 : ink_bernoulli(z) * (1.0 - ink_bernoulli(-z)) / z;
  }
  static const double c[] = {1.0 / 6.0,          -1.0 / 180.0,    1.0 / 5040.0,
                             -1.0 / 151200.0,    1.0 / 4790016.0, -691.0 / (2730.0 * 39916800.0),
                             7.0 / 37362124800.0};
  const double square = z * z;
  double sum = c[6];
  for (int k = 5; k >= 0; k--) sum = sum * square + c[k];
  return sum * z - 0.5;
}

InkCarry ink_carry(double k, double w, double distance) {
  const double z = w * distance / k;
  if (k == 0.0 || !(fabs(z) < 1e300)) {
    if (isnan(k) || isnan(w)) return (InkCarry){.into = NAN, .out = NAN};
    return (InkCarry){.into = fmax(w, 0.0), .out = fmax(-w, 0.0)};
  }
  const double g = k / distance, into = ink_bernoulli(-z), out = ink_bernoulli(z);
  return (InkCarry){.into = g * into,
                    .out = g * out,
                    .into_by_k = (into + z * ink_bernoulli_slope(-z)) / distance,
                    .out_by_k = (out - z * ink_bernoulli_slope(z)) / distance};
}
