/* Walls between two steps: the bridge's laws. See walls.h.
 *
 * Crossing and excursion are the law of a Brownian bridge's minimum, P(min < -a) = exp(-2 (x + a)(y + a)/v)
 * for a >= max(-x, -y) (Karatzas & Shreve, Brownian Motion and Stochastic Calculus, 2.8 and 4.3.40). The time
 * of the first touch: with s = z/(1 + z) the bridge is (1 - s) (x - |y| z + sqrt(v) W(z)), which is 0 when a
 * Brownian motion with drift first is: z is inverse Gaussian (for y > 0 by reflection). */
#include "walls.h"
#include "walls_vector.h"

static double first_lane(InkVector a) {
  double lane[INK_WIDTH];
  ink_store(lane, a);
  return lane[0];
}

double ink_bridge_crossing(double x, double y, double variance) {
  return first_lane(ink_bridge_crossings(ink_all(x), ink_all(y), ink_all(variance)));
}

double ink_bridge_excursion(double x, double y, double variance, double uniform) {
  return first_lane(ink_bridge_excursions(ink_all(x), ink_all(y), ink_all(variance), ink_all(uniform)));
}

/* With m = |y|/x and c = normal^2 variance/(2 x^2) the two roots of Michael, Schucany & Haas are z = 1/r and
 * r/m^2, r = m + c + sqrt(c^2 + 2 m c); the first is taken with probability 1/(1 + m/r). */
double ink_bridge_time(double x, double y, double variance, double normal, double uniform) {
  if (!(x > 0.0)) return 0.0;
  const double m = fabs(y) / x, c = 0.5 * normal * normal * variance / (x * x);
  const double r = m + c + sqrt(c * c + 2.0 * m * c);
  if (r == 0.0) return 1.0;
  return uniform * (r + m) <= r ? 1.0 / (1.0 + r) : 1.0 / (1.0 + m * m / r);
}

double ink_wrap(double x, double from, double to) {
  const double length = to - from, y = x - length * floor((x - from) / length);
  return x >= from && x < to ? x : y >= to || y < from ? from : y;
}

double ink_fold(double x, double from, double to) {
  if (x >= from && x <= to) return x;
  const double length = to - from, lengths = (x - from) / length;
  const double part = lengths - 2.0 * floor(0.5 * lengths); /* in [0, 2) */
  const double y = from + length * (part <= 1.0 ? part : 2.0 - part);
  return y < from ? from : y > to ? to : y;
}
