/* Row kernels of the explicit step,
 *
 *     next = u + sum_a [ w_lower (u_lower - u) + w_upper (u_upper - u) ],
 *
 * the contributions of an axis added first, then the axes in order. */
#include "explicit_kernel.h"

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

void ink_row_update(const InkRowShape *shape, const InkRowWeights *weights, const double *u, double *next) {
  const int64_t n = shape->n;
  if (!weights->uniform || n < 3) {
    graded_row(shape, weights, 0, n, u, next);
    return;
  }
  graded_row(shape, weights, 0, 1, u, next);
  uniform_row(shape, weights->lower[1], weights, 1, n - 1, u, next);
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
