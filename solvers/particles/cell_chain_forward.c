/* The chain forward in time: in a step of dt a deviate u jumps by the sums of the rates that are <= u/dt, so
 * that one table serves all steps of a generator that does not move. The density takes the same steps. */
#include "cell_chain_impl.h"

/* The masses take one step. */
static void take_step(InkCellChain *chain, double dt) {
  ink_cell_chain_step(chain, dt, chain->mass, chain->next);
  double *const mass = chain->next;
  chain->next = chain->mass;
  chain->mass = mass;
}

/* A table a step, as many steps as there are tables. */
static PetscErrorCode move_with_time(InkCellChain *chain, InkEnsemble *ensemble, const InkSchedule *steps,
                                     InkFailure *failure) {
  PetscFunctionBeginUser;
  bool fits = true;
  for (int k = 0; k < steps->count && fits; k++) {
    const double t = steps->time[k], dt = steps->time[k + 1] - t;
    PetscCall(ink_cell_chain_at(chain, t, &chain->table[k]));
    PetscCall(ink_cell_chain_fits(chain, t, dt, &fits, failure));
    if (fits) take_step(chain, dt);
  }
  if (fits) ink_cell_chain_jump(chain, ensemble, steps, &(InkJumps){chain->table, 1, true});
  PetscFunctionReturn(0);
}

static PetscErrorCode advance(void *context, InkEnsemble *ensemble, const InkSchedule *schedule,
                              InkFailure *failure) {
  PetscFunctionBeginUser;
  InkCellChain *chain = context;
  bool fits = true;
  PetscCheck(ensemble->fate || chain->generator->conserves, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
             "a chain that absorbs, and particles without fates");
  if (chain->generator->moving) {
    for (int k = 0; k < schedule->count && !failure->code;) {
      const InkSchedule steps = ink_chain_steps(schedule, k);
      PetscCall(move_with_time(chain, ensemble, &steps, failure));
      k += steps.count;
    }
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < schedule->count && fits; k++) {
    const double t = schedule->time[k], dt = schedule->time[k + 1] - t;
    PetscCall(ink_cell_chain_fits(chain, t, dt, &fits, failure));
    if (fits) take_step(chain, dt);
  }
  if (fits) ink_cell_chain_jump(chain, ensemble, schedule, &(InkJumps){&chain->out, 0, true});
  PetscFunctionReturn(0);
}

void ink_cell_chain_forward(InkCellChain *chain, InkMover *mover) {
  *mover = (InkMover){.context = chain, .advance = advance};
}
