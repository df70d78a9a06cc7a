/* Shared between the files of the chain on cells; not for others.
 *
 *   cell_chain.c          making it, its density in steps, draws, questions
 *   cell_chain_table.c    from the generator to tables of transitions
 *   cell_chain_jump.c     particles through tables
 *   cell_chain_forward.c  the chain
 *   cell_chain_reverse.c  the chain reversed in time, and the densities it needs
 *   cell_chain_store.c    the density in checkpoints */
#ifndef INK_CELL_CHAIN_IMPL_H
#define INK_CELL_CHAIN_IMPL_H

#include "cell_chain.h"

/* Where one can go from each row in a step, or come from. Rows: the cells, x fastest, then a row a side for
 * what was absorbed there, which stays. A row has `options` places to go to, some of them unused, and at last
 * the row itself: staying.
 *
 * number[row * options + k]: of a table of rates, the rate between the row and option k; of a table to jump
 * by, the sum of the rates or probabilities of options 0 to k, so that a deviate v makes the option that is
 * the number of limits <= v. Unused options have rate 0 and are never made. */
typedef struct InkTable {
  int options;
  int64_t rows;
  double *number;  /* [rows][options] */
  int32_t *to;     /* [rows][options + 1] */
  int8_t *turn[3]; /* [rows][options + 1] how often the way passes the end of the periodic axis, upwards; NULL
                      on other axes */
  int64_t version; /* of the places; see ink_table_reversed */
} InkTable;

enum { INK_CHAIN_TABLES = INK_DRAWS }; /* steps whose deviates are drawn at once */

/* Masses of the forward steps 0 to `steps` of a run that goes back: of every stride-th step, and of all steps
 * of one segment between two of these. */
typedef struct InkChainHistory {
  int64_t steps, stride, segment; /* segment: the one that is there; -1: none */
  double *time;                   /* [steps + 1] */
  double *kept;                   /* [steps / stride + 1][cells] */
  double *between;                /* [stride][cells] */
} InkChainHistory;

struct InkCellChain {
  MPI_Comm comm;
  InkMesh *mesh; /* of this process alone */
  InkGenerator *generator;
  int64_t cells;
  double peclet;
  double *place[3];                  /* [cells] centroids */
  double *start;                     /* [cells] masses at the start */
  double *mass;                      /* [cells] now */
  double *next, *weighted, *staying; /* [cells] work */
  double *leaving;                   /* [cells] rate out of each cell, sides included */
  double largest;                    /* of them; NaN where one is */
  bool made;                         /* are tables those of a generator that does not move? */
  InkTable out, in;                  /* limits of rates out of the cells; rates into them */
  InkTable table[INK_CHAIN_TABLES];  /* a step each, of chains whose tables change */
  InkChainHistory history;
};

/* ---- cell_chain.c ---- */
/* The chain of a process on the mesh, which becomes the chain's; it starts from masses that are all 0.
 * failure: memory, process. Collective over comm. */
PetscErrorCode ink_cell_chain_build(MPI_Comm comm, InkMesh *mesh, const InkProcess *process, double t,
                                    InkCellChain **chain, InkFailure *failure);
/* Tables, and the rates out of the cells, of time t: those of jumps into `out`. Nothing to do twice where
 * coefficients do not move, and all callers then share chain->out. */
PetscErrorCode ink_cell_chain_at(InkCellChain *chain, double t, InkTable *out);
/* Is dt short enough for the tables of now, those of time t? If not, a failure. */
PetscErrorCode ink_cell_chain_fits(InkCellChain *chain, double t, double dt, bool *fits, InkFailure *failure);
/* next = masses a step of dt after m, by the tables of now. weighted = dt m and staying, what stays, too. */
void ink_cell_chain_step(InkCellChain *chain, double dt, const double *m, double *next);

/* ---- cell_chain_table.c ---- */
PetscErrorCode ink_table_create(const InkMesh *mesh, InkTable *table);
PetscErrorCode ink_table_destroy(InkTable *table);
double ink_table_bytes(const InkMesh *mesh, int options);
/* A table to jump by of rates out of the cells, and one of rates into them. */
PetscErrorCode ink_table_out(const InkGenerator *generator, InkTable *table);
PetscErrorCode ink_table_in(const InkGenerator *generator, InkTable *table);
/* A table to jump back by: option k of a cell has the probability proportional to rate * weighted[place], and
 * staying to staying[cell]; in cells without mass all stay. Of each cell the sum of these is the mass that
 * ink_cell_chain_step gives, in the same order. */
PetscErrorCode ink_table_reversed(const InkTable *in, int64_t cells, const double *weighted,
                                  const double *staying, InkTable *back);

/* ---- cell_chain_jump.c ---- */
/* How a schedule's steps are made: step k by table[each * k]; its deviates are multiplied by 1/dt where
 * tables are of rates. */
typedef struct InkJumps {
  const InkTable *table;
  int each;
  bool rates;
} InkJumps;
void ink_cell_chain_jump(const InkCellChain *chain, InkEnsemble *ensemble, const InkSchedule *schedule,
                         const InkJumps *jumps);
/* Steps of the schedule from step k on, as many as share a block of draws. */
InkSchedule ink_chain_steps(const InkSchedule *schedule, int k);

/* ---- cell_chain_reverse.c ---- */
/* Step n of the forward chain turned round: P~_n, to go from step n + 1 to n. failure: ink_cell_chain_fits.
 */
PetscErrorCode ink_cell_chain_back(InkCellChain *chain, int64_t n, InkTable *back, InkFailure *failure);
PetscErrorCode ink_chain_history_destroy(InkChainHistory *history);
/* chain->mass = masses of forward step n. */
PetscErrorCode ink_chain_history_recall(InkCellChain *chain, int64_t n);
#endif
