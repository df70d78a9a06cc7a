/* Reaction, diffusion and advection of species on structured meshes,
 *
 *     du_s/dt = div( sum_f D_sf(x,t,u) grad u_f  -  w(x,t) u_s ) + R_s(x,t,u),        s = 1 ... n.
 *
 * Finite volumes (core/operator.h), explicit, implicit or steady (core/stepping.h). See README.md. */
#ifndef INK_REACTION_DIFFUSION_H
#define INK_REACTION_DIFFUSION_H
#include "../solver.h"

extern const InkSolverType ink_reaction_diffusion;

#endif
