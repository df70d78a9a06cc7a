/* Row kernels of the explicit step,
 *
 *     next = ( u + sum_a [ w_lower (u_lower - u) + w_upper (u_upper - u) ] ) + dt/c R,
 *
 * the contributions of an axis added first, then the axes in order. */
#include "explicit_kernel.h"
#include "vector.h"

/* ---- constant coefficients ---- */

/* Cells first <= i < last, one by one. */
static void cells(const InkRowShape *shape, const InkRowWeights *weights, int64_t first, int64_t last,
                  const double *u, double *next) {
  for (int64_t i = first; i < last; i++) {
    double sum = weights->lower[i] * (u[i - 1] - u[i]) + weights->upper[i] * (u[i + 1] - u[i]);
    for (int a = 1; a < shape->dim; a++) {
      const int64_t step = shape->stride[a];
      sum = sum + (weights->below[a] * (u[i - step] - u[i]) + weights->above[a] * (u[i + step] - u[i]));
    }
    const double result = u[i] + sum;
    next[i] = weights->source ? result + weights->factor * weights->source[i] : result;
  }
}

/* below (u_lower - u) + above (u_upper - u) of INK_WIDTH cells */
static inline InkVector pair(const double *u, int64_t step, InkVector centre, InkVector below,
                             InkVector above) {
  return below * (ink_load(u - step) - centre) + above * (ink_load(u + step) - centre);
}

/* The same operations, so the same bits, in whole vectors from cell `first` on, not beyond `last`; returns
 * the first cell not done. graded: the weights change along the row; else they are those of its middle.
 * Inlined for each combination. */
static inline __attribute__((always_inline)) int64_t
vectors(const int dim, const bool graded, const bool source, const bool stream, const InkRowShape *shape,
        const InkRowWeights *weights, int64_t first, int64_t last, const double *u, double *next) {
  const int64_t sy = shape->stride[1], sz = shape->stride[2];
  const double *lower = weights->lower, *upper = weights->upper;
  const InkVector w = ink_all(lower[shape->n / 2]), factor = ink_all(weights->factor);
  const InkVector yb = ink_all(weights->below[1]), ya = ink_all(weights->above[1]);
  const InkVector zb = ink_all(weights->below[2]), za = ink_all(weights->above[2]);
  /* Of the rows read, the last one comes from memory; the processor looks ahead too little by itself. */
  const int64_t ahead = (dim > 2 ? sz : dim > 1 ? sy : 0) + (source ? 64 : 128);
  int64_t i = first;
  for (; i + INK_WIDTH <= last; i += INK_WIDTH) {
    const double *at = u + i;
    const InkVector centre = ink_load(at);
    if (stream) __builtin_prefetch(at + ahead);
    InkVector below = w, above = w;
    if (graded) {
      below = ink_load(lower + i);
      above = ink_load(upper + i);
    }
    InkVector sum = pair(at, 1, centre, below, above);
    if (dim > 1) sum = sum + pair(at, sy, centre, yb, ya);
    if (dim > 2) sum = sum + pair(at, sz, centre, zb, za);
    InkVector result = centre + sum;
    if (source) result = result + factor * ink_load(weights->source + i);
    if (stream)
      ink_stream(next + i, result);
    else
      ink_store(next + i, result);
  }
  return i;
}

static inline __attribute__((always_inline)) int64_t in_space(const bool graded, const bool source,
                                                              const bool stream, const InkRowShape *shape,
                                                              const InkRowWeights *weights, int64_t first,
                                                              int64_t last, const double *u, double *next) {
  if (shape->dim == 1) return vectors(1, graded, source, stream, shape, weights, first, last, u, next);
  if (shape->dim == 2) return vectors(2, graded, source, stream, shape, weights, first, last, u, next);
  return vectors(3, graded, source, stream, shape, weights, first, last, u, next);
}

static inline __attribute__((always_inline)) int64_t run(const bool graded, const InkRowShape *shape,
                                                         const InkRowWeights *weights, int64_t first,
                                                         int64_t last, const double *u, double *next) {
  if (weights->source && weights->stream)
    return in_space(graded, true, true, shape, weights, first, last, u, next);
  if (weights->source) return in_space(graded, true, false, shape, weights, first, last, u, next);
  if (weights->stream) return in_space(graded, false, true, shape, weights, first, last, u, next);
  return in_space(graded, false, false, shape, weights, first, last, u, next);
}

static int64_t graded_vectors(const InkRowShape *shape, const InkRowWeights *weights, int64_t first,
                              int64_t last, const double *u, double *next) {
  return run(true, shape, weights, first, last, u, next);
}

static int64_t uniform_vectors(const InkRowShape *shape, const InkRowWeights *weights, int64_t first,
                               int64_t last, const double *u, double *next) {
  return run(false, shape, weights, first, last, u, next);
}

void ink_row_fetch(int64_t n, const double *u) {
  enum { LINE = 8 }; /* doubles */
  for (int64_t i = 0; i < n; i += LINE) __builtin_prefetch(u + i, 0, 2);
}

void ink_row_stream_end(void) { ink_stream_end(); }

void ink_row_update(const InkRowShape *shape, const InkRowWeights *weights, const double *u, double *next) {
  const int64_t n = shape->n;
  int64_t done = 0;
  if (weights->uniform && n > 2 * INK_WIDTH) { /* the first and last cell may have a wall */
    done = graded_vectors(shape, weights, 0, INK_WIDTH, u, next);
    done = uniform_vectors(shape, weights, done, n - 1, u, next);
  }
  done = graded_vectors(shape, weights, done, n, u, next);
  cells(shape, weights, done, n, u, next);
}

/* ---- variable coefficients ---- */

void ink_row_flow(const InkRowShape *shape, const double *const face[3], const double *u, double *flow) {
  const int64_t n = shape->n, sy = shape->stride[1], sz = shape->stride[2];
  const double *gx = face[0], *gy = face[1], *gz = face[2];
  if (shape->dim == 1)
    for (int64_t i = 0; i < n; i++) flow[i] = gx[i] * (u[i - 1] - u[i]) + gx[i + 1] * (u[i + 1] - u[i]);
  else if (shape->dim == 2)
    for (int64_t i = 0; i < n; i++)
      flow[i] = (gx[i] * (u[i - 1] - u[i]) + gx[i + 1] * (u[i + 1] - u[i])) +
                (gy[i] * (u[i - sy] - u[i]) + gy[i + sy] * (u[i + sy] - u[i]));
  else
    for (int64_t i = 0; i < n; i++)
      flow[i] = ((gx[i] * (u[i - 1] - u[i]) + gx[i + 1] * (u[i + 1] - u[i])) +
                 (gy[i] * (u[i - sy] - u[i]) + gy[i + sy] * (u[i + sy] - u[i]))) +
                (gz[i] * (u[i - sz] - u[i]) + gz[i + sz] * (u[i + sz] - u[i]));
}

void ink_row_flow_add(const InkRowShape *shape, const double *const face[3], const double *u, double *flow) {
  const double *restrict from = u;
  for (int a = 0; a < shape->dim; a++) {
    const int64_t step = shape->stride[a];
    const double *restrict g = face[a];
    for (int64_t i = 0; i < shape->n; i++)
      flow[i] += g[i] * (from[i - step] - from[i]) + g[i + step] * (from[i + step] - from[i]);
  }
}

void ink_row_carry(const InkRowShape *shape, const double *const forward[3], const double *const backward[3],
                   const double *u, double *flow) {
  for (int64_t i = 0; i < shape->n; i++) flow[i] = 0.0;
  for (int a = 0; a < shape->dim; a++) {
    const int64_t step = shape->stride[a];
    const double *restrict f = forward[a], *restrict b = backward[a];
    for (int64_t i = 0; i < shape->n; i++)
      flow[i] += (f[i] * u[i - step] - b[i] * u[i]) + (b[i + step] * u[i + step] - f[i + step] * u[i]);
  }
}

void ink_row_advance(int64_t n, const InkRowChange *change, const double *flow, const double *u,
                     double *next) {
  const double dt = change->dt, factor = change->factor;
  const double *mass = change->mass, *source = change->source, *c = change->capacity;
  for (int64_t i = 0; i < n; i++) next[i] = u[i] + dt * flow[i] / mass[i];
  if (!source) return;
  if (c)
    for (int64_t i = 0; i < n; i++) next[i] += dt * source[i] / c[i];
  else
    for (int64_t i = 0; i < n; i++) next[i] += factor * source[i];
}

/* Whole vectors from cell 0 on; returns the first cell not done. Inlined for each dim. */
static inline __attribute__((always_inline)) int64_t flow_vectors(const int dim, const InkRowShape *shape,
                                                                  const double *const face[3],
                                                                  const InkRowChange *change, const double *u,
                                                                  double *next) {
  const InkVector dt = ink_all(change->dt), factor = ink_all(change->factor);
  const double *mass = change->mass, *source = change->source, *c = change->capacity;
  const bool stream = change->stream;
  int64_t i = 0;
  for (; i + INK_WIDTH <= shape->n; i += INK_WIDTH) {
    const InkVector centre = ink_load(u + i);
    const int64_t sy = shape->stride[1], sz = shape->stride[2];
    const double *gx = face[0] + i;
    InkVector sum = pair(u + i, 1, centre, ink_load(gx), ink_load(gx + 1));
    if (dim > 1) sum = sum + pair(u + i, sy, centre, ink_load(face[1] + i), ink_load(face[1] + i + sy));
    if (dim > 2) sum = sum + pair(u + i, sz, centre, ink_load(face[2] + i), ink_load(face[2] + i + sz));
    InkVector result = centre + dt * sum / ink_load(mass + i);
    if (source && c) result = result + dt * ink_load(source + i) / ink_load(c + i);
    if (source && !c) result = result + factor * ink_load(source + i);
    if (stream)
      ink_stream(next + i, result);
    else
      ink_store(next + i, result);
  }
  return i;
}

void ink_row_flow_advance(const InkRowShape *shape, const double *const face[3], const InkRowChange *change,
                          const double *u, double *next) {
  int64_t done;
  if (shape->dim == 1)
    done = flow_vectors(1, shape, face, change, u, next);
  else if (shape->dim == 2)
    done = flow_vectors(2, shape, face, change, u, next);
  else
    done = flow_vectors(3, shape, face, change, u, next);
  if (done == shape->n) return;
  double flow[INK_WIDTH];
  const double *rest[3] = {NULL};
  InkRowShape last = *shape;
  InkRowChange same = *change;
  last.n -= done;
  for (int a = 0; a < shape->dim; a++) rest[a] = face[a] + done;
  same.mass += done;
  if (same.source) same.source += done;
  if (same.capacity) same.capacity += done;
  ink_row_flow(&last, rest, u + done, flow);
  ink_row_advance(last.n, &same, flow, u + done, next + done);
}

void ink_row_conductances(int64_t n, const double *const line[5], double *face) {
  const double *area = line[0], *below = line[1], *above = line[2], *k_below = line[3], *k_above = line[4];
  const InkVector zero = ink_all(0.0);
  int64_t i = 0;
  for (; i + INK_WIDTH <= n; i += INK_WIDTH) {
    const InkVector a = ink_load(area + i), kb = ink_load(k_below + i), ka = ink_load(k_above + i);
    const InkVector sum = ink_load(below + i) * ka + ink_load(above + i) * kb;
    const InkMask none = ink_or(ink_eq(a, zero), ink_eq(sum, zero));
    ink_store(face + i, ink_select(none, zero, a * (kb * ka / sum)));
  }
  for (; i < n; i++) {
    const double sum = below[i] * k_above[i] + above[i] * k_below[i];
    face[i] = area[i] == 0.0 || sum == 0.0 ? 0.0 : area[i] * (k_below[i] * k_above[i] / sum);
  }
}

/* ---- bounds ---- */

/* a where it is above b or NaN, else b, which may be NaN too. */
static inline InkVector larger(InkVector a, InkVector b) {
  return ink_select(ink_or(ink_lt(b, a), ink_ne(a, a)), a, b);
}

static inline double larger_value(double a, double b) { return isnan(a) || a > b ? a : b; }

double ink_row_largest(int64_t n, const double *values, double floor) {
  InkVector most = ink_all(floor);
  double lane[INK_WIDTH], largest = floor;
  int64_t i = 0;
  for (; i + INK_WIDTH <= n; i += INK_WIDTH) most = larger(ink_load(values + i), most);
  ink_store(lane, most);
  for (int k = 0; k < INK_WIDTH; k++) largest = larger_value(lane[k], largest);
  for (; i < n; i++) largest = larger_value(values[i], largest);
  return largest;
}

void ink_row_add_decay(int64_t n, const double *slope, const double *capacity, double inverse,
                       double *rates) {
  const InkVector zero = ink_all(0.0), factor = ink_all(inverse);
  int64_t i = 0;
  for (; i + INK_WIDTH <= n; i += INK_WIDTH) {
    const InkVector decay = larger(zero - ink_load(slope + i), zero);
    const InkVector rate = capacity ? decay / ink_load(capacity + i) : decay * factor;
    ink_store(rates + i, ink_load(rates + i) + rate);
  }
  for (; i < n; i++) {
    const double decay = larger_value(0.0 - slope[i], 0.0);
    rates[i] += capacity ? decay / capacity[i] : decay * inverse;
  }
}
