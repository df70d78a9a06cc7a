/* Row kernels of the explicit step: pure functions, no MPI, vectorised.
 *
 * A row is n cells along the first axis, or a part of one; below and above it along axis a lie u[i -
 * stride[a]], u[i + stride[a]]. Each cell's result is the same sequence of IEEE operations wherever the row
 * is cut, so its bits do not depend on the decomposition. */
#ifndef INK_CORE_EXPLICIT_KERNEL_H
#define INK_CORE_EXPLICIT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct InkRowShape {
  int dim;
  int64_t n;
  int64_t stride[3];
} InkRowShape;

/* Dimensionless weights dt D area / (distance volume) of a row's neighbours; zero where there is a wall. */
typedef struct InkRowWeights {
  const double *lower, *upper; /* [n] of u[i-1] and u[i+1] */
  bool uniform;                /* lower and upper are one number but for the row's first and last cell */
  bool stream; /* store past the caches: for arrays too large for them, whose lines would only be read in to
                  be overwritten. next must be aligned to 64 bytes; ends with ink_row_stream_end */
  double below[3], above[3]; /* of the neighbours along axes 1 and 2 */
  const double *source;      /* [n] R; NULL: none */
  double factor;             /* of the source: dt / c */
} InkRowWeights;

/* next[i] = (u[i] + sum over neighbours of weight * (neighbour - u[i])) + factor * source[i]. */
void ink_row_update(const InkRowShape *shape, const InkRowWeights *weights, const double *u, double *next);
/* Asks for n cells that will be read soon, so that they come in while something else is computed. */
void ink_row_fetch(int64_t n, const double *u);
/* After the last streamed row, before other processes read it. */
void ink_row_stream_end(void);

/* The largest of n values and `floor`; NaN when one of them is. */
double ink_row_largest(int64_t n, const double *values, double floor);
/* rates[i] += max(0, -slope[i]) / capacity[i]; NaN stays NaN. capacity NULL: 1/capacity is `inverse`. */
void ink_row_add_decay(int64_t n, const double *slope, const double *capacity, double inverse, double *rates);

/* Conductances A kB kA / (dB kA + dA kB), 0 where A or the sum is 0. line: [n] A, dB, dA, kB, kA. */
void ink_row_conductances(int64_t n, const double *const line[5], double *face);

/* flow[i] = sum over faces of conductance * (neighbour - u[i]). face[a][i] is the conductance of the face
 * between cell i and its lower neighbour along axis a, stored like a field (so face[a][i + stride[a]] is the
 * upper face). */
void ink_row_flow(const InkRowShape *shape, const double *const face[3], const double *u, double *flow);
/* The same, added to what is in flow. */
void ink_row_flow_add(const InkRowShape *shape, const double *const face[3], const double *u, double *flow);
/* flow[i] = sum over faces of what comes in, where forward u_below - backward u_above flows upwards through a
 * face; both are stored like face. */
void ink_row_carry(const InkRowShape *shape, const double *const forward[3], const double *const backward[3],
                   const double *u, double *flow);

/* What a row's cells are changed by, besides their fluxes. */
typedef struct InkRowChange {
  double dt;
  const double *mass;     /* [n] V c */
  const double *source;   /* [n] R; NULL: none */
  const double *capacity; /* [n] c; NULL: dt / c is `factor` */
  double factor;
  bool stream; /* as in InkRowWeights */
} InkRowChange;

/* next[i] = (u[i] + dt * flow[i] / mass[i]) + dt * source[i] / capacity[i]. */
void ink_row_advance(int64_t n, const InkRowChange *change, const double *flow, const double *u,
                     double *next);
/* The same with the flow of ink_row_flow, in one pass. */
void ink_row_flow_advance(const InkRowShape *shape, const double *const face[3], const InkRowChange *change,
                          const double *u, double *next);

#endif
