/* Row kernels of the explicit step,
 *
 *     next = u + sum_a [ w_lower (u_lower - u) + w_upper (u_upper - u) ],
 *
 * the contributions of an axis added first, then the axes in order. */
#include "explicit_kernel.h"
#include "vector.h"

/* ---- constant coefficients ---- */

/* Cells first <= i < last of a row whose weights are the same in every cell. */
static void uniform_row(const InkRowShape *shape, double w, const InkRowWeights *weights, int64_t first,
                        int64_t last, const double *restrict u, double *restrict next) {
  const int64_t sy = shape->stride[1], sz = shape->stride[2];
  const double yb = weights->below[1], ya = weights->above[1], zb = weights->below[2], za = weights->above[2];
  if (shape->dim == 1)
    for (int64_t i = first; i < last; i++) next[i] = u[i] + (w * (u[i - 1] - u[i]) + w * (u[i + 1] - u[i]));
  else if (shape->dim == 2)
    for (int64_t i = first; i < last; i++)
      next[i] = u[i] + ((w * (u[i - 1] - u[i]) + w * (u[i + 1] - u[i])) +
                        (yb * (u[i - sy] - u[i]) + ya * (u[i + sy] - u[i])));
  else
    for (int64_t i = first; i < last; i++)
      next[i] = u[i] + (((w * (u[i - 1] - u[i]) + w * (u[i + 1] - u[i])) +
                         (yb * (u[i - sy] - u[i]) + ya * (u[i + sy] - u[i]))) +
                        (zb * (u[i - sz] - u[i]) + za * (u[i + sz] - u[i])));
}

/* The same with weights that change along the row. */
static void graded_row(const InkRowShape *shape, const InkRowWeights *weights, int64_t first, int64_t last,
                       const double *restrict u, double *restrict next) {
  const int64_t sy = shape->stride[1], sz = shape->stride[2];
  const double *restrict lower = weights->lower, *restrict upper = weights->upper;
  const double yb = weights->below[1], ya = weights->above[1], zb = weights->below[2], za = weights->above[2];
  if (shape->dim == 1)
    for (int64_t i = first; i < last; i++)
      next[i] = u[i] + (lower[i] * (u[i - 1] - u[i]) + upper[i] * (u[i + 1] - u[i]));
  else if (shape->dim == 2)
    for (int64_t i = first; i < last; i++)
      next[i] = u[i] + ((lower[i] * (u[i - 1] - u[i]) + upper[i] * (u[i + 1] - u[i])) +
                        (yb * (u[i - sy] - u[i]) + ya * (u[i + sy] - u[i])));
  else
    for (int64_t i = first; i < last; i++)
      next[i] = u[i] + (((lower[i] * (u[i - 1] - u[i]) + upper[i] * (u[i + 1] - u[i])) +
                         (yb * (u[i - sy] - u[i]) + ya * (u[i + sy] - u[i]))) +
                        (zb * (u[i - sz] - u[i]) + za * (u[i + sz] - u[i])));
}

/* below (u_lower - u) + above (u_upper - u) of INK_WIDTH cells */
static inline InkVector pair(const double *u, int64_t step, InkVector centre, InkVector below,
                             InkVector above) {
  return below * (ink_load(u - step) - centre) + above * (ink_load(u + step) - centre);
}

/* uniform_row with streaming stores: the same operations, so the same bits. first and last: multiples of the
 * vector's width. */
static void uniform_row_streamed(const InkRowShape *shape, double weight, const InkRowWeights *weights,
                                 int64_t first, int64_t last, const double *u, double *next) {
  const int64_t sy = shape->stride[1], sz = shape->stride[2];
  const InkVector w = ink_all(weight), yb = ink_all(weights->below[1]), ya = ink_all(weights->above[1]);
  const InkVector zb = ink_all(weights->below[2]), za = ink_all(weights->above[2]);
  for (int64_t i = first; i < last; i += INK_WIDTH) {
    const double *at = u + i;
    const InkVector centre = ink_load(at);
    InkVector sum = pair(at, 1, centre, w, w);
    if (shape->dim > 1) sum = sum + pair(at, sy, centre, yb, ya);
    if (shape->dim > 2) sum = sum + pair(at, sz, centre, zb, za);
    ink_stream(next + i, centre + sum);
  }
}

void ink_row_stream_end(void) { ink_stream_end(); }

void ink_row_update(const InkRowShape *shape, const InkRowWeights *weights, const double *u, double *next) {
  const int64_t n = shape->n;
  if (!weights->uniform || n < 3) {
    graded_row(shape, weights, 0, n, u, next);
    return;
  }
  const double w = weights->lower[1];
  graded_row(shape, weights, 0, 1, u, next);
  if (weights->stream && n > 2 * INK_WIDTH) {
    const int64_t first = INK_WIDTH, last = (n - 1) / INK_WIDTH * INK_WIDTH;
    uniform_row(shape, w, weights, 1, first, u, next);
    uniform_row_streamed(shape, w, weights, first, last, u, next);
    uniform_row(shape, w, weights, last, n - 1, u, next);
  } else {
    uniform_row(shape, w, weights, 1, n - 1, u, next);
  }
  graded_row(shape, weights, n - 1, n, u, next);
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

void ink_row_advance(const InkRowShape *shape, const double *const face[3], const double *mass, double dt,
                     const double *u, double *next) {
  ink_row_flow(shape, face, u, next);
  for (int64_t i = 0; i < shape->n; i++) next[i] = u[i] + dt * next[i] / mass[i];
}
