/* The laws of walls.h on vectors of particles; a lane's value does not depend on the other lanes. */
#ifndef INK_WALLS_VECTOR_H
#define INK_WALLS_VECTOR_H

#include "../core/vector.h"

/* Uniform deviates are no smaller than 2^-53, so a bridge with x y > INK_WALL_REACH variance never touches:
 * exp(-2 * 20) < 2^-53. */
static const double INK_WALL_REACH = 20.0;

/* See ink_bridge_crossing. */
static inline InkVector ink_bridge_crossings(InkVector x, InkVector y, InkVector variance) {
  const InkVector zero = ink_all(0.0);
  const InkVector p = INK_SLEEF(exp, u10)(ink_all(-2.0) * x * y / variance);
  const InkVector inside =
      ink_select(ink_lt(zero, variance), ink_select(ink_le(x, zero), ink_all(1.0), p), zero);
  return ink_select(ink_le(y, zero), ink_all(1.0), inside);
}

/* See ink_bridge_excursion: a with (x + a)(y + a) = -variance ln(uniform)/2, where that is positive. */
static inline InkVector ink_bridge_excursions(InkVector x, InkVector y, InkVector variance,
                                              InkVector uniform) {
  const InkVector zero = ink_all(0.0), sum = x + y, difference = x - y;
  const InkVector far = ink_all(-2.0) * variance * INK_SLEEF(log, u10)(uniform), near = ink_all(4.0) * x * y;
  const InkVector root = ink_sqrt(ink_fma(difference, difference, far));
  /* two forms of one number, each without cancellation where it is taken */
  const InkVector a =
      ink_select(ink_lt(zero, sum), ink_all(0.5) * (far - near) / (root + sum), ink_all(0.5) * (root - sum));
  return ink_select(ink_lt(near, far), a, zero);
}
#endif
