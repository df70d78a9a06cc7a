/* Diffusion processes dX = b(X,t) dt + B(X,t) dW (Ito), B B^T = 2 D, on a box of one to three state
 * variables, by one Markov generator (core/generator.h):
 *
 *     density              p_t = - sum_i d_i(b_i p) + sum_ij d_i d_j (D_ij p)
 *     stationary           0   = the same, integral of p = 1
 *     first_passage        sum_i b_i d_i tau + sum_ij D_ij d_i d_j tau = -1,  tau = 0 at absorbing sides
 *     hitting_probability  sum_i b_i d_i u   + sum_ij D_ij d_i d_j u   =  0,  u = 1 at the target, else 0
 *     spectrum             the slowest modes phi exp(-lambda t) of the density
 *
 * See README.md. */
#ifndef INK_FOKKER_PLANCK_H
#define INK_FOKKER_PLANCK_H
#include "../solver.h"

extern const InkSolverType ink_fokker_planck;

#endif
