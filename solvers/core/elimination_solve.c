/* Solutions from the factor. With u(k,j) = a(k,j)/s_k above the diagonal, l(i,k) below, cells in the order of
 * elimination:
 *
 *     backward   up:   y_k = b_k/s_k,  b_i += l(i,k) y_k  (i > k)
 *                down: x_k = y_k + sum_{j>k} u(k,j) x_j
 *     forward    up:   b_j += b_k u(k,j)  (j > k)
 *                down: p_k = (b_k + sum_{i>k} p_i l(i,k))/s_k
 *
 * The stationary law is the way down of forward with b = 0 from the cell that keeps what reaches it. */
#include <math.h>
#include <string.h>
#include "elimination_impl.h"
#include "vector.h"

enum { START = 400 }; /* the stationary law starts with 2^START: room for smaller values */

typedef struct Part { /* of one front */
  const double *inverse, *a, *right, *below;
  const int32_t *edge;
  double *value; /* of its own cells */
  int64_t own, boundary;
} Part;

static Part part(const InkElimination *e, int f) {
  const InkFront *front = &e->order.front[f];
  const int64_t own = front->own, n = front->boundary;
  const double *at = e->factor + front->factor;
  return (Part){at,
                at + own,
                at + own + own * own,
                at + own + own * own + own * n,
                e->order.boundary + front->edge,
                e->value + front->first,
                own,
                n};
}

static double dot(const double *a, const double *b, int64_t n) {
  double sum = 0;
  InkVector lanes = ink_all(0), other = ink_all(0);
  int64_t i = 0;
  for (; i + 2 * INK_WIDTH <= n; i += 2 * INK_WIDTH) {
    lanes = ink_fma(ink_load(a + i), ink_load(b + i), lanes);
    other = ink_fma(ink_load(a + i + INK_WIDTH), ink_load(b + i + INK_WIDTH), other);
  }
  for (; i < n; i++) sum += a[i] * b[i];
  double lane[INK_WIDTH];
  ink_store(lane, lanes + other);
  for (int l = 0; l < INK_WIDTH; l++) sum += lane[l];
  return sum;
}

static void add(double *to, double factor, const double *a, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += factor * a[i];
}

static void gather(const InkElimination *e, const Part *p) {
  for (int64_t b = 0; b < p->boundary; b++) e->near[b] = e->value[p->edge[b]];
}
static void spread(const InkElimination *e, const Part *p) {
  for (int64_t b = 0; b < p->boundary; b++) e->value[p->edge[b]] = e->near[b];
}

static void to_positions(const InkElimination *e, const double *b) {
  for (int64_t p = 0; p < e->cells; p++) e->value[p] = b[e->order.cell[p]] * e->scale;
}
static void from_positions(const InkElimination *e, double *x) {
  for (int64_t p = 0; p < e->cells; p++) x[e->order.cell[p]] = e->value[p];
}

void ink_elimination_backward(const InkElimination *e, const double *b, double *x) {
  to_positions(e, b);
  for (int f = 0; f < e->order.fronts; f++) {
    const Part p = part(e, f);
    for (int64_t k = 0; k < p.own; k++)
      p.value[k] = (p.value[k] + dot(p.a + k * p.own, p.value, k)) * p.inverse[k];
    for (int64_t r = 0; r < p.boundary; r++) e->value[p.edge[r]] += dot(p.below + r * p.own, p.value, p.own);
  }
  for (int f = e->order.fronts - 1; f >= 0; f--) {
    const Part p = part(e, f);
    gather(e, &p);
    for (int64_t k = p.own - 1; k >= 0; k--)
      p.value[k] += dot(p.a + k * p.own + k + 1, p.value + k + 1, p.own - k - 1) +
                    dot(p.right + k * p.boundary, e->near, p.boundary);
  }
  from_positions(e, x);
}

/* Multiplies all values by 2^exponent. */
static void rescale(const InkElimination *e, int exponent) {
  for (int64_t c = 0; c < e->cells; c++) e->value[c] = ldexp(e->value[c], exponent);
}

/* The stationary law at a cell, from what flows there. Laws may span more than doubles do, and the largest
 * entry is not known before: when one outgrows the range, all are scaled down. */
static double stationary_value(const InkElimination *e, const double *value, double inverse) {
  if (value - e->value == e->closed) return ldexp(1, START);
  const double p = *value * inverse;
  if (p <= 0x1p800) return p;
  rescale(e, START - ilogb(*value) - ilogb(inverse));
  return *value * inverse;
}

/* The way down of forward. */
static void descend(const InkElimination *e, bool stationary) {
  for (int f = e->order.fronts - 1; f >= 0; f--) {
    const Part p = part(e, f);
    for (int64_t r = 0; r < p.boundary; r++) add(p.value, e->value[p.edge[r]], p.below + r * p.own, p.own);
    for (int64_t k = p.own - 1; k >= 0; k--) {
      p.value[k] = stationary ? stationary_value(e, p.value + k, p.inverse[k]) : p.value[k] * p.inverse[k];
      add(p.value, p.value[k], p.a + k * p.own, k);
    }
  }
}

void ink_elimination_forward(const InkElimination *e, const double *b, double *p) {
  to_positions(e, b);
  for (int f = 0; f < e->order.fronts; f++) {
    const Part at = part(e, f);
    gather(e, &at);
    for (int64_t k = 0; k < at.own; k++) {
      add(at.value + k + 1, at.value[k], at.a + k * at.own + k + 1, at.own - k - 1);
      add(e->near, at.value[k], at.right + k * at.boundary, at.boundary);
    }
    spread(e, &at);
  }
  descend(e, false);
  from_positions(e, p);
}

void ink_elimination_stationary(const InkElimination *e, double *p) {
  memset(e->value, 0, (size_t)e->cells * sizeof(double));
  descend(e, true);
  double most = 0;
  for (int64_t c = 0; c < e->cells; c++) most = fmax(most, e->value[c]);
  for (int64_t c = 0; c < e->cells; c++) e->value[c] /= most;
  from_positions(e, p);
}
