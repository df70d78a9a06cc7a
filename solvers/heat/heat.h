/* Heat conduction on structured meshes,
 *
 *     rho c(x,t,T) dT/dt = div( k(x,t,T) grad T ) + s(x,t,T),
 *
 * or, with material.diffusivity alone, dT/dt = div( D grad T ) + s. Finite volumes (core/operator.h),
 * explicit, implicit or steady (core/stepping.h). */
#ifndef INK_HEAT_H
#define INK_HEAT_H
#include "../solver.h"

extern const InkSolverType ink_heat;

#endif
