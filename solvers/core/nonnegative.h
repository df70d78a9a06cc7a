/* Fields that cannot become negative.
 *
 * A field that starts without a negative value stays so when, wherever it is 0 and no field is negative,
 * neither its reaction nor what a side gives is negative (quasi-positivity; Pierre, Milan J. Math. 78 (2010)
 * 417): concentrations and populations, but not voltages. Steps of second and higher order leave small
 * negative values ahead of steep fronts all the same, and where the state 0 is unstable, as in u (1 - u),
 * these grow without bound. Steppers set them to zero (InkSystem.nonnegative). */
#ifndef INK_CORE_NONNEGATIVE_H
#define INK_CORE_NONNEGATIVE_H

#include "operator.h"

/* nonnegative[s]: field s of the state u has no negative value, its reaction depends on some field, it has no
 * cross-diffusion, and neither its reaction nor its value, flux or ambient on any side was negative with
 * field s at 0 at any of a fixed set of samples of place, time from start to end and the other fields (0, and
 * a hundredth to thirty times their largest value in u, or of 1 where they are 0). Collective; the same on
 * all ranks. */
PetscErrorCode ink_nonnegative_fields(const InkMesh *mesh, const InkDiffusionSpec *equation, double start,
                                      double end, const double *u, bool *nonnegative);
#endif
