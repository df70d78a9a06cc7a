/* What is told of an ensemble: means with standard errors, histograms. Exact sums (reduction.h), so that no
 * bit depends on the ranks. Collective over the ensemble's communicator unless said otherwise. */
#ifndef INK_STATISTICS_H
#define INK_STATISTICS_H

#include "../core/reduction.h"
#include "ensemble.h"

/* Which particles count. */
typedef enum InkWho {
  INK_ALL_PARTICLES,
  INK_THOSE_INSIDE,
  INK_THOSE_ABSORBED, /* anywhere; with fate >= 0: there */
} InkWho;

typedef struct InkMoments {
  double count, mean, variance;      /* variance over the particles, divided by count */
  double mean_error, variance_error; /* standard errors: sqrt(variance/n), sqrt((m4 - variance^2)/n) */
} InkMoments;
/* Of value[i] of this rank's particles. NaN where there is none. */
PetscErrorCode ink_ensemble_moments(const InkEnsemble *e, InkWho who, int fate, const double *value,
                                    InkMoments *moments);
/* Number of particles with the fate. */
PetscErrorCode ink_ensemble_fates(const InkEnsemble *e, int64_t number[INK_FATES], int64_t *inside);
/* The cell of an axis a place lies in: one on a face belongs to the upper cell, on `to` to the last, and what
 * is beyond an end to the cell there. Local, pure. */
int64_t ink_axis_cell(const InkAxis *axis, double at);
/* Particles inside by cell of the axes (x fastest), on all ranks; of chains by the cell they are in.
 * counts[cells] owned by the caller. */
PetscErrorCode ink_ensemble_histogram(const InkEnsemble *e, const InkMesh *mesh, int64_t *counts);
/* Absorption density at time t from the passage times in (t - w, t]: the local-linear boundary estimate
 * 1/(N w) sum of (4 - 6 (t - tau)/w), w = 1.5 (t - start) N^(-1/5) (at most t - start), with its standard
 * error. grain: length of the steps at whose ends times are set down (absorbed in the middle of them, as far
 * as the estimate goes, and w a whole number of them); 0: times are exact. NaN at the start. */
PetscErrorCode ink_ensemble_flux(const InkEnsemble *e, int fate, double start, double t, double grain,
                                 double *flux, double *error);
#endif
