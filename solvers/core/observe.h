/* What can be observed of a field on a mesh whatever the equation: probes, integrals, means, extrema, errors.
 * All collective, and the same bits on any rank count. `values` are padded arrays of the mesh
 * (ink_mesh_array). */
#ifndef INK_CORE_OBSERVE_H
#define INK_CORE_OBSERVE_H
#include "mesh.h"
#include "reduction.h"
#include "evaluate.h"

/* side_value[s]: values on side s at its owned boundary cells, ordered as ink_side_count says; NULL: the
 * cell's own value. */
typedef struct InkFieldView {
  const InkMesh *mesh;
  const double *values; /* ghosts need not be filled */
  const double *side_value[INK_SIDES];
} InkFieldView;

/* Deck checks of the probes (rank 0, no MPI): the field is known, there is one coordinate an axis, and the
 * point is inside the domain. Says nothing about inside when the mesh section itself is wrong. */
void ink_probes_check(const InkDeck *deck, InkErrors *errors);
/* Is the point in the closed box? Pure. */
bool ink_probe_inside(int dim, const double from[], const double to[], const double at[]);

/* Multilinear between centroids; linear to a side with the side's own value; even across an axis; across
 * periodic ends. */
PetscErrorCode ink_observe_probe(const InkFieldView *view, const double at[3], double *value);
/* Sums are exact sums of the rounded products of value and volume. */
PetscErrorCode ink_observe_integral(const InkFieldView *view, double *value);
PetscErrorCode ink_observe_mean_variance(const InkFieldView *view, double *mean, double *variance);
PetscErrorCode ink_observe_range(const InkFieldView *view, double *min, double *max);
/* Finds the non-finite cell with the lowest global index; false when there is none. index[]: global cell,
 * at[]: its centroid. */
PetscErrorCode ink_observe_not_finite(const InkFieldView *view, PetscBool *found, int64_t index[3],
                                      double at[3], double *value);
/* exact: one output, of x y z r t, uniform mask as ink_mesh_evaluate. l2: volume-weighted RMS of the
 * difference relative to the RMS of exact (absolute when that is 0); max: max norm. At centroids. */
PetscErrorCode ink_observe_error(const InkFieldView *view, const InkProgram *exact, double time, double *l2,
                                 double *max);

/* Crossing of `level` along axis, with linear interpolation between centroids; of several the last one,
 * nearest to the axis's upper end (the leading edge of what moves outwards). NaN when there is none. 1-D
 * profiles: the field averaged over the other axes. */
PetscErrorCode ink_observe_front(const InkFieldView *view, int axis, double level, double *position);

/* Amplitude of a Fourier component along an axis: |2/V sum over cells of (u - mean) exp(-i k x) V_cell|, and
 * |mean| when k is 0. A wave has its own amplitude when the axis holds a whole number of half waves; without
 * taking the mean off, an odd number of them would show the mean. */
PetscErrorCode ink_observe_amplitude(const InkFieldView *view, int axis, double wavenumber,
                                     double *amplitude);

/* Is there a spectrum on the deck's mesh: Cartesian, all axes with equal cells? If not, why[size] says so in
 * a line. Pure; sound mesh sections only. */
bool ink_deck_has_spectrum(const InkDeck *deck, char *why, size_t size);
/* 2 pi over the first moment of the radially averaged spectrum without k = 0: sum of k P(k) over sum of P(k),
 * P the mean power of the modes in bins of the width of the smallest wave number. NaN for a uniform field, a
 * field that is not finite, and on meshes without a spectrum. */
PetscErrorCode ink_observe_wavelength(const InkFieldView *view, double *wavelength);
/* Number of connected regions (over faces, and across periodic ends) where the field is above `level`: spots
 * or stripes. The same on any rank count. */
PetscErrorCode ink_observe_regions(const InkFieldView *view, double level, int64_t *count);

/* Evaluates a program over all owned cells, row by row: x (or r) along the row, y, z, t uniform. fields[f]:
 * padded arrays (NULL when unused), out[o]: padded arrays. Programs must be created with uniform mask
 * INK_ROW_UNIFORM. noise streams are generated from `seed` and the global cell. */
#define INK_ROW_UNIFORM ((1ull << INK_VAR_Y) | (1ull << INK_VAR_Z) | (1ull << INK_VAR_T))
PetscErrorCode ink_mesh_evaluate(const InkMesh *mesh, const InkProgram *program, double time, uint64_t seed,
                                 const double *const fields[], double *const out[]);
#endif
