/* Exact finite Markov chains of population genetics: the copies of one of two alleles among N, from one
 * generation (Wright-Fisher) or one birth and death (Moran) to the next. See README.md. */
#ifndef INK_POPULATION_H
#define INK_POPULATION_H
#include "../solver.h"

extern const InkSolverType ink_population;

#endif
