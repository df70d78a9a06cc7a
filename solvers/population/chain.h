/* The chains and their equations, exactly. Pure functions, no MPI.
 *
 * i copies of allele A among N make an offspring that is A with the probability
 *
 *     p = (1 - v) w + u (1 - w),     w = i (1 + s)/(i (1 + s) + N - i)
 *
 * (s selection, u mutation forward, to A, v backward). A step of Wright-Fisher draws N offspring: i -> j with
 * the binomial probability of j in N trials; one step is a generation. A step of Moran draws one offspring
 * and one to die, each of the N alike: i -> i + 1 with p (N - i)/N, i -> i - 1 with (1 - p) i/N; N steps are
 * a generation. Sources: Wright, Genetics 16 (1931) 97; Moran, Proc. Camb. Phil. Soc. 54 (1958) 60; Ewens,
 * Mathematical Population Genetics (2004), 1.4, 3.2, 3.4. */
#ifndef INK_POPULATION_CHAIN_H
#define INK_POPULATION_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct InkPopulation {
  bool moran;
  int64_t size;       /* N > 0 */
  double selection;   /* s > -1 */
  double mutation[2]; /* v, from A to the other, and u, to A: what leads away from the ends x = 1, x = 0 */
} InkPopulation;

/* The ends: 0 is the state 0 (x_min), 1 the state N (x_max). No mutation leads away from an absorbing one. */
bool ink_population_absorbs(const InkPopulation *population, int end);
/* Probabilities p that an offspring is A, and q that it is not. */
void ink_population_offspring(const InkPopulation *population, int64_t copies, double *p, double *q);
/* row[j], j = 0 ... N: probability of the step from `copies` to j. Their sum is 1 to round-off and each has a
 * small relative error; what is below 1e-300 is 0. */
void ink_population_row(const InkPopulation *population, int64_t copies, double *row);

/* All rows. */
typedef struct InkTransitions {
  int64_t states;       /* N + 1 */
  double *row;          /* [states][states] */
  int64_t *first, *end; /* [states]: row i is 0 outside of first[i] <= j < end[i] */
} InkTransitions;
InkTransitions *ink_transitions_create(const InkPopulation *population); /* NULL: no memory */
void ink_transitions_destroy(InkTransitions **transitions);
/* next_j = sum_i mass_i P_ij, in a fixed order. */
void ink_transitions_step(const InkTransitions *transitions, const double *mass, double *next);

/* The states that do not absorb, eliminated one by one without a subtraction (Grassmann, Taksar & Heyman,
 * Oper. Res. 33 (1985) 1107): every entry of the solutions has a small relative error, however small it is.
 */
typedef struct InkStateElimination InkStateElimination;
double ink_state_elimination_bytes(const InkPopulation *population);
InkStateElimination *ink_state_elimination_create(const InkPopulation *population); /* NULL: no memory */
void ink_state_elimination_destroy(InkStateElimination **elimination);
/* [N + 1] each. Probability to end at `end`, from each state; end absorbs. */
void ink_population_hitting(const InkStateElimination *elimination, int end, double *u);
/* Mean steps until an end absorbs; end >= 0: of the paths that end there (0 where there are none). */
void ink_population_time(const InkStateElimination *elimination, int end, double *tau);
/* Probabilities in the long run; no end absorbs. */
void ink_population_stationary(const InkStateElimination *elimination, double *mass);
#endif
