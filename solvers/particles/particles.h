/* Ensembles of particles: paths of stochastic differential equations, chains on the generator's cells, and
 * those chains reversed in time. */
#ifndef INK_PARTICLES_H
#define INK_PARTICLES_H
#include "../solver.h"
extern const InkSolverType ink_particles;
#endif
