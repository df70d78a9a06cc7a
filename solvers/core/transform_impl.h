/* Private to the files transform*.c. */
#ifndef INK_CORE_TRANSFORM_IMPL_H
#define INK_CORE_TRANSFORM_IMPL_H

#include "transform.h"

/* Lines of equal strides in memory: value i of line l at first + i * along + l * between. */
typedef struct InkLines {
  double *first;
  int64_t along, between, count;
} InkLines;

/* ---- lines through the transform (transform_line.c, the only file that uses FFTW) ---- */

typedef enum InkBasis {
  INK_COSINE,         /* DCT-II: flux, flux */
  INK_SINE,           /* DST-II: value, value */
  INK_COSINE_QUARTER, /* DCT-IV: flux, value */
  INK_SINE_QUARTER,   /* DST-IV: value, flux */
  INK_FOURIER         /* periodic */
} InkBasis;

typedef struct InkLine InkLine;
PetscErrorCode ink_line_create(InkBasis basis, int64_t n, InkLine **line);
PetscErrorCode ink_line_destroy(InkLine **line);
/* theta of the mode in each slot of a transformed line, 0 to pi/2; second differences multiply it by -4
 * sin^2(theta) / h^2. angle[n]. */
void ink_line_angles(const InkLine *line, double *angle);
/* From physical values to modes, and back times n. `to` may be `from`. The result for a line does not depend
 * on the others, nor on the strides. */
void ink_line_forward(InkLine *line, const InkLines *from, const InkLines *to);
void ink_line_backward(InkLine *line, const InkLines *from, const InkLines *to);

/* ---- lines through a tridiagonal solver (transform_sweep.c) ---- */

/* For each line the system (across[l] + c S) x = b, S the matrix -1, 2, -1 of second differences, with 1 +
 * wall[e] in place of 2 in the first and last row: 0 where an end closes, 2 where it holds a value (both ends
 * of a single cell: their sum); or cyclic. across may not be negative, and is positive where no end holds a
 * value. The result for a line does not depend on the others. between must be 1 where there are several
 * lines.
 */
typedef struct InkSweep {
  int64_t n;
  bool periodic;
  double c, wall[2];
  double *scratch; /* [ink_sweep_scratch(n)] */
} InkSweep;
int64_t ink_sweep_scratch(int64_t n);
void ink_sweep(const InkSweep *sweep, const InkLines *from, const InkLines *to, const double *across);

/* ---- whole lines along an axis (transform_gather.c) ---- */

typedef struct InkGather InkGather;
/* Collective. */
PetscErrorCode ink_gather_create(const InkMesh *mesh, int axis, InkGather **gather);
PetscErrorCode ink_gather_destroy(InkGather **gather);
/* This rank's lines: all that cross its block where the axis is not cut, else its share of those that cross
 * the blocks of the ranks along the axis. Line l of this rank, l + first = i + j * count[a], is the one
 * through local cells i, j of the two other axes a < b. */
int64_t ink_gather_first(const InkGather *gather);
int64_t ink_gather_count(const InkGather *gather);
/* Brings lines together where the axis is cut; else does nothing. Collective over the ranks along the axis.
 */
PetscErrorCode ink_gather_in(InkGather *gather, const double *from);
/* The g-th group of this rank's lines that have equal strides; false after the last. values: the array they
 * stand in where the axis is not cut. *number: of the group's first line, from 0. */
bool ink_gather_lines(const InkGather *gather, int64_t g, double *values, InkLines *lines, int64_t *number);
/* Takes gathered lines back where the axis is cut; else does nothing. Collective over the ranks along the
 * axis. */
PetscErrorCode ink_gather_out(InkGather *gather, double *to);
#endif
