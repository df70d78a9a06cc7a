/* The chain reversed in time.
 *
 * A particle in cell j at forward step n + 1 was in cell i at step n with
 *
 *     P~_n(j -> i) = m_n(i) P_n(i -> j) / m_(n+1)(j):
 *
 * the terms of the sum that m_(n+1)(j) is, over the sum. Anderson, Stoch. Proc. Appl. 12 (1982) 313 has the
 * diffusion's; for chains this is Bayes' formula (Kelly, Reversibility and Stochastic Networks, 1979, 1.7).
 * Masses of every stride-th step are kept, stride = sqrt(steps), and those between two of them computed again
 * when the particles get there: the density's steps are taken twice. */
#include "cell_chain_impl.h"
#include <math.h>
#include <string.h>
#include "../core/memory.h"

PetscErrorCode ink_chain_history_destroy(InkChainHistory *history) {
  PetscFunctionBeginUser;
  PetscCall(PetscFree(history->time));
  PetscCall(PetscFree(history->kept));
  PetscCall(PetscFree(history->between));
  *history = (InkChainHistory){.segment = -1};
  PetscFunctionReturn(0);
}

/* next = masses at step n + 1, from those at step n. */
static PetscErrorCode take_step(InkCellChain *chain, int64_t n, const double *mass, double *next,
                                InkFailure *failure) {
  PetscFunctionBeginUser;
  const double t = chain->history.time[n], dt = chain->history.time[n + 1] - t;
  bool fits;
  PetscCall(ink_cell_chain_at(chain, t, &chain->out));
  PetscCall(ink_cell_chain_fits(chain, t, dt, &fits, failure));
  if (fits) ink_cell_chain_step(chain, dt, mass, next);
  PetscFunctionReturn(0);
}

/* ---- laying out ---- */

static PetscErrorCode make_history(InkCellChain *chain, int64_t steps, const double *times,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  InkChainHistory *h = &chain->history;
  const size_t cells = (size_t)chain->cells;
  int64_t stride = (int64_t)ceil(sqrt((double)steps));
  if (stride < 1) stride = 1;
  const int64_t kept = steps / stride + 1;
  PetscCall(ink_chain_history_destroy(h));
  PetscCall(ink_memory_check(chain->comm,
                             8.0 * (double)chain->cells * (double)(kept + stride) + 8.0 * (double)steps +
                                 INK_CHAIN_TABLES * ink_table_bytes(chain->mesh, chain->in.options),
                             failure));
  if (failure->code) PetscFunctionReturn(0);
  h->steps = steps;
  h->stride = stride;
  PetscCall(PetscMalloc1((size_t)(steps + 1), &h->time));
  PetscCall(PetscMalloc1((size_t)kept * cells, &h->kept));
  PetscCall(PetscMalloc1((size_t)stride * cells, &h->between));
  memcpy(h->time, times, (size_t)(steps + 1) * sizeof *times);
  PetscFunctionReturn(0);
}

/* All steps from the start, keeping what is kept. */
static PetscErrorCode run_to_the_end(InkCellChain *chain, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkChainHistory *h = &chain->history;
  const size_t bytes = (size_t)chain->cells * sizeof(double);
  memcpy(chain->mass, chain->start, bytes);
  for (int64_t n = 0; n <= h->steps && !failure->code; n++) {
    if (n % h->stride == 0) memcpy(h->kept + n / h->stride * chain->cells, chain->mass, bytes);
    if (n == h->steps) break;
    PetscCall(take_step(chain, n, chain->mass, chain->next, failure));
    double *const mass = chain->next;
    chain->next = chain->mass;
    chain->mass = mass;
  }
  PetscFunctionReturn(0);
}

/* ---- going back ---- */

/* Masses at step n; the segment's other steps come with it. */
static PetscErrorCode masses_at(InkCellChain *chain, int64_t n, const double **masses, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkChainHistory *h = &chain->history;
  const int64_t segment = n / h->stride, first = segment * h->stride, cells = chain->cells;
  if (segment != h->segment) {
    memcpy(h->between, h->kept + segment * cells, (size_t)cells * sizeof(double));
    for (int64_t k = 1; k < h->stride && first + k <= h->steps && !failure->code; k++)
      PetscCall(
          take_step(chain, first + k - 1, h->between + (k - 1) * cells, h->between + k * cells, failure));
    h->segment = segment;
  }
  *masses = h->between + (n - first) * cells;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_back(InkCellChain *chain, int64_t n, InkTable *back, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double *masses;
  PetscCall(masses_at(chain, n, &masses, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(take_step(chain, n, masses, chain->next, failure)); /* for the terms of its sums */
  PetscCall(ink_table_reversed(&chain->in, chain->cells, chain->weighted, chain->staying, back));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_chain_history_recall(InkCellChain *chain, int64_t n) {
  PetscFunctionBeginUser;
  const double *masses;
  InkFailure none = {0}; /* these steps have been taken before */
  PetscCall(masses_at(chain, n, &masses, &none));
  memcpy(chain->mass, masses, (size_t)chain->cells * sizeof *masses);
  PetscFunctionReturn(0);
}

static PetscErrorCode advance(void *context, InkEnsemble *ensemble, const InkSchedule *schedule,
                              InkFailure *failure) {
  PetscFunctionBeginUser;
  InkCellChain *chain = context;
  const int64_t steps = chain->history.steps, end = schedule->first + schedule->count;
  PetscCheck(schedule->first >= 0 && end <= steps, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "a reversed chain before its start");
  for (int k = 0; k < schedule->count && !failure->code;) {
    const InkSchedule part = ink_chain_steps(schedule, k);
    for (int s = 0; s < part.count && !failure->code; s++)
      PetscCall(ink_cell_chain_back(chain, steps - 1 - (part.first + s), &chain->table[s], failure));
    if (!failure->code) ink_cell_chain_jump(chain, ensemble, &part, &(InkJumps){chain->table, 1, false});
    k += part.count;
  }
  if (!failure->code) PetscCall(ink_chain_history_recall(chain, steps - end));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_reverse(InkCellChain *chain, int64_t steps, const double *times,
                                      InkMover *mover, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(make_history(chain, steps, times, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(run_to_the_end(chain, failure));
  PetscCall(ink_failure_agree(chain->comm, failure));
  *mover = (InkMover){.context = chain, .advance = advance};
  PetscFunctionReturn(0);
}
