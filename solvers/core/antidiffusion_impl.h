/* Shared between the files of the antidiffusion; not for others. */
#ifndef INK_CORE_ANTIDIFFUSION_IMPL_H
#define INK_CORE_ANTIDIFFUSION_IMPL_H

#include "antidiffusion.h"
#include "part.h"
#include "reduction.h"

struct InkAntidiffusion {
  InkGenerator *generator;
  double *flow[INK_MAX_DIRECTIONS];  /* over the step */
  double *shift[INK_MAX_DIRECTIONS]; /* the same, of the change of rates; only of generators that move */
  double *share_in, *share_out;      /* of each cell, ghosts included */
};

/* As plain choices, which vectors have. */
static inline double ink_larger(double a, double b) { return a > b ? a : b; }
static inline double ink_smaller(double a, double b) { return a < b ? a : b; }

/* flow = old * flow + dt/2 (anti * antidiffusive flow + own * the generator's own) at density p, ghosts
 * included. flow: [directions], as InkAntidiffusion.flow. */
typedef struct InkFlowSum {
  double old, anti, own, dt;
} InkFlowSum;
void ink_antidiffusion_add(const InkAntidiffusion *a, InkFlowSum sum, const double *p, double *const flow[]);
/* What the cells may take in and give away, when a flow of weight * (value - bound) takes a cell to its
 * bound: the largest or least of both arrays in the cell and around it. */
void ink_antidiffusion_shares(InkAntidiffusion *a, const double *weight, const double *before,
                              const double *after);
/* Leaves of the flows what both cells allow. Collective. */
PetscErrorCode ink_antidiffusion_limit(InkAntidiffusion *a, double *const flow[]);
#endif
