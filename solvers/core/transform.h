/* Fast transforms: constant-coefficient diffusion on uniform Cartesian meshes solved directly, mode by mode.
 *
 * On an axis of n equal cells of width h whose ends close (no flux), hold a value (through the half cell: the
 * ghost is minus the cell) or are periodic, the second difference has the eigenvalues -4/h^2 sin^2(theta_m),
 * and its eigenvectors are those of a cosine, sine or Fourier transform: flux-flux DCT-II, theta = pi m/(2n);
 * value-value DST-II, pi (m+1)/(2n); flux-value DCT-IV and value-flux DST-IV, pi (2m+1)/(4n); periodic DFT,
 * pi m/n. Lines are brought together along each axis in turn and transformed one by one, the last axis is
 * solved by recurrences, so the bits do not depend on the number of ranks. FFTW (GPL) is used by
 * transform_line.c alone. On one core a solve takes 4 to 6 ns a cell on two axes and 10 on three, where no
 * number of cells has a large prime factor (509^2: 46). */
#ifndef INK_CORE_TRANSFORM_H
#define INK_CORE_TRANSFORM_H

#include "mesh.h"

typedef enum InkEnd { INK_END_FLUX, INK_END_VALUE } InkEnd; /* not looked at on periodic axes */

typedef struct InkTransform InkTransform;

/* Collective. The mesh must outlive it. On a mesh that is not uniform only ink_transform_power may be called
 * (it takes cells as if they were equal). */
PetscErrorCode ink_transform_create(const InkMesh *mesh, const InkEnd end[3][2], InkTransform **transform);
PetscErrorCode ink_transform_destroy(InkTransform **transform);

/* u = (shift - k Laplace_h)^-1 b with homogeneous ends; shift > 0 and k >= 0, or shift 0 where no mode is
 * singular. Arrays of one field (padded; ghosts not read or written); u may be b. Collective; same bits on
 * any rank count. */
PetscErrorCode ink_transform_solve(InkTransform *transform, double shift, double k, const double *b,
                                   double *u);

/* The spectrum of a field: wave number |k| (2 pi m / L on periodic axes, pi m / L on others, which go through
 * a cosine transform whatever `end` says) and squared amplitude of every mode, added to bins of width `bin`:
 * power[i] is the sum and modes[i] the number of modes with |k| in [(i - 1/2) bin, (i + 1/2) bin), the
 * constant mode left out. Scaled so that the power of all modes is the variance over the cells. Collective;
 * same bits on any rank count, the same on all ranks. */
PetscErrorCode ink_transform_power(InkTransform *transform, const double *values, double bin, int bins,
                                   double *power, double *modes);
#endif
