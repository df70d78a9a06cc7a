/* Scharfetter-Gummel rates, a vector of edges at a time.
 *
 * With x = |z| the Bernoulli function is x/expm1(x) against the drift and x + x/expm1(x) with it: sums of
 * positive terms, whose ratio is exp(x) to round-off. Every lane has the same operations whatever its
 * neighbours hold, and turning an edge round exchanges `up` and `down` bit for bit. */
#include "rates.h"
#include <math.h>
#include "vector.h"

static const double FAR = 700.0;    /* x/expm1(x) is 0 beyond */
static const double NEAR = 1e-17;   /* x/expm1(x) is 1 below */
static const double ABSENT = 1e-14; /* diffusion below this part of the largest nearby counts as 0 */
static const double RESOLVED = 1.003331113225399; /* z/2 coth(z/2) at z = 1/5 */

/* The edges of one vector. */
typedef struct Lanes {
  InkVector drift[2], diffusion[2], low, high, distance, area;
} Lanes;

static inline InkVector larger(InkVector a, InkVector b) { return ink_select(ink_lt(a, b), b, a); }
/* max(a, 0), NaN where a is. */
static inline InkVector positive(InkVector a) { return ink_all(0.5) * (a + ink_abs(a)); }

/* Where D vanishes at a place of the edge, or the drift is so strong that nothing flows against it: the flow
 * with coefficient `end` (D at the cell it comes from), along the sign `way` of the drift. */
static inline InkVector upwind(const Lanes *e, InkMask absent, InkVector end, double way) {
  const InkVector half = ink_all(0.5 * way);
  const InkVector mean = half * e->drift[0] + half * e->drift[1];
  const InkVector scaled =
      half * (e->drift[0] * (end / e->diffusion[0])) + half * (e->drift[1] * (end / e->diffusion[1]));
  return e->area * ink_select(absent, positive(end) / e->distance + positive(mean), positive(scaled));
}

/* NaN where one of them is. */
static inline InkVector lanes_data(const Lanes *e) {
  return e->drift[0] + e->drift[1] + e->diffusion[0] + e->diffusion[1] + e->low + e->high;
}

/* The slope of an edge and its Bernoulli functions. */
typedef struct Slope {
  InkVector z, along, against;      /* B(-|z|) and B(|z|) */
  InkMask absent, unknown, special; /* D vanishes; NaN; either, or |z| beyond all measure */
} Slope;

static inline Slope lanes_slope(const Lanes *e) {
  const InkVector none = ink_all(0.0), one = ink_all(1.0);
  Slope s;
  const InkVector most = larger(larger(e->low, e->high), larger(e->diffusion[0], e->diffusion[1]));
  const InkVector least = larger(none, ink_all(ABSENT) * most);
  s.absent = ink_or(ink_or(ink_le(e->low, least), ink_le(e->high, least)),
                    ink_or(ink_le(e->diffusion[0], least), ink_le(e->diffusion[1], least)));
  s.z = ink_all(0.5) * e->distance * (e->drift[0] / e->diffusion[0] + e->drift[1] / e->diffusion[1]);
  const InkVector x = ink_abs(s.z);
  const InkMask ordinary = ink_lt(x, ink_all(FAR));
  const InkVector inside = ink_select(ordinary, x, one);
  s.against = ink_select(ink_lt(x, ink_all(NEAR)), one, inside / INK_SLEEF(expm1, u10)(inside));
  s.along = s.against + x;
  const InkVector data = lanes_data(e);
  s.unknown = ink_ne(data, data);
  s.special = ink_or(ink_or(s.absent, s.unknown), ink_or(ink_le(ink_all(FAR), x), ink_ne(x, x)));
  return s;
}

static inline void lanes_rates(const Lanes *e, InkVector *up, InkVector *down) {
  const Slope s = lanes_slope(e);
  const InkVector unit = e->area / e->distance;
  const InkMask rising = ink_lt(ink_all(0.0), s.z);
  *up = unit * e->low * ink_select(rising, s.along, s.against);
  *down = unit * e->high * ink_select(rising, s.against, s.along);
  if (ink_any(s.special)) {
    const InkVector data = lanes_data(e);
    *up = ink_select(s.special, ink_select(s.unknown, data, upwind(e, s.absent, e->low, 1.0)), *up);
    *down = ink_select(s.special, ink_select(s.unknown, data, upwind(e, s.absent, e->high, -1.0)), *down);
  }
}

static inline InkVector lanes_excess(const Lanes *e) {
  const Slope s = lanes_slope(e);
  const InkVector half = ink_all(0.5), mean = half * (e->low + e->high) * e->area / e->distance;
  const InkVector size = mean * positive(half * (s.along + s.against) - ink_all(RESOLVED));
  const InkVector carried = half * e->area * (half * e->drift[0] + half * e->drift[1]);
  return ink_select(s.special, carried, ink_select(ink_lt(s.z, ink_all(0.0)), -size, size));
}

/* Edges i to i + count, count <= INK_WIDTH; a short vector repeats its last edge. */
static inline InkVector lanes_load(const double *row, int64_t i, int count) {
  double lane[INK_WIDTH];
  if (count == INK_WIDTH) return ink_load(row + i);
  for (int l = 0; l < INK_WIDTH; l++) lane[l] = row[i + (l < count ? l : count - 1)];
  return ink_load(lane);
}

static inline void lanes_store(double *row, int64_t i, int count, InkVector value) {
  double lane[INK_WIDTH];
  ink_store(lane, value);
  for (int l = 0; l < count; l++) row[i + l] = lane[l];
}

static inline Lanes lanes_of(const InkEdgeRow *row, const double *high, int64_t i, int count) {
  Lanes e;
  for (int g = 0; g < 2; g++) {
    e.drift[g] = lanes_load(row->drift[g], i, count);
    e.diffusion[g] = lanes_load(row->diffusion[g], i, count);
  }
  e.low = lanes_load(row->low, i, count);
  e.high = lanes_load(high, i, count);
  e.distance = lanes_load(row->distance, i, count);
  e.area = lanes_load(row->area, i, count);
  return e;
}

static inline int lanes_left(int64_t n, int64_t i) { return n - i < INK_WIDTH ? (int)(n - i) : INK_WIDTH; }

void ink_edge_rates(int64_t n, const InkEdgeRow *row, double *up, double *down) {
  for (int64_t i = 0; i < n; i += INK_WIDTH) {
    const int count = lanes_left(n, i);
    const Lanes e = lanes_of(row, row->high, i, count);
    InkVector upwards, downwards;
    lanes_rates(&e, &upwards, &downwards);
    lanes_store(up, i, count, upwards);
    lanes_store(down, i, count, downwards);
  }
}

void ink_edge_excess(int64_t n, const InkEdgeRow *row, double *excess) {
  for (int64_t i = 0; i < n; i += INK_WIDTH) {
    const int count = lanes_left(n, i);
    const Lanes e = lanes_of(row, row->high, i, count);
    lanes_store(excess, i, count, lanes_excess(&e));
  }
}

double ink_excess(double z) {
  const double half = 0.5 * fabs(z);
  return half > 0.1 ? half / tanh(half) - RESOLVED : 0.0;
}

void ink_exit_rates(int64_t n, const InkEdgeRow *row, double *out) {
  for (int64_t i = 0; i < n; i += INK_WIDTH) {
    const int count = lanes_left(n, i);
    const Lanes e = lanes_of(row, row->low, i, count);
    InkVector outwards, back;
    lanes_rates(&e, &outwards, &back);
    lanes_store(out, i, count, outwards);
  }
}
