/* Row kernels of the explicit step: pure functions, no MPI, vectorised by the compiler.
 *
 * A row is n cells along the first axis; below and above it along axis a lie u[i - stride[a]], u[i +
 * stride[a]]. Each cell's result is the same sequence of IEEE operations wherever the row is cut, so its bits
 * do not depend on the decomposition. */
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
} InkRowWeights;

/* next[i] = u[i] + sum over neighbours of weight * (neighbour - u[i]). */
void ink_row_update(const InkRowShape *shape, const InkRowWeights *weights, const double *u, double *next);
/* After the last streamed row, before other processes read it. */
void ink_row_stream_end(void);

/* flow[i] = sum over faces of conductance * (neighbour - u[i]). face[a][i] is the conductance of the face
 * between cell i and its lower neighbour along axis a, stored like a field (so face[a][i + stride[a]] is the
 * upper face). */
void ink_row_flow(const InkRowShape *shape, const double *const face[3], const double *u, double *flow);

/* next[i] = u[i] + dt * (flow of face conductances) / mass[i], in one pass. */
void ink_row_advance(const InkRowShape *shape, const double *const face[3], const double *mass, double dt,
                     const double *u, double *next);

#endif
