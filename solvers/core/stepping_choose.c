/* `auto`: explicit or implicit, whichever is estimated to take less time.
 *
 *     explicit   steps = (end - now) / monotone step
 *     implicit   steps = START_STEPS + SWEEP (1e-5 / tolerance)^(1/3)
 *     seconds    steps (overhead of a step + cost of a cell and step * cells of a rank)
 *
 * A second-order method with an embedded third-order estimate takes steps that grow as tolerance^(1/3). In
 * eight relaxations of a slab, cylinder or sphere from a jump at the start it took 88 to 190 steps at 1e-5
 * (about 30 of them to pass the jump), with a periodic or degenerate front 350 to 900. The costs were
 * measured on one core of an x86-64 server (1-D 300 and 2000 cells, 2-D 512^2, 3-D 64^3; an implicit step is
 * two stages and the filter of its error, with multigrid in 2-D and 3-D; where the steps are so short that a
 * cheaper solver would do, explicit wins by far anyway). They are good to a factor of three, which is what
 * the choice needs: the two usually differ by more. */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

static const double EXPLICIT_STEP = 1e-5, EXPLICIT_CELL = 4e-9;
static const double IMPLICIT_STEP = 1e-4, IMPLICIT_CELL[3] = {2e-7, 4e-6, 8e-6}; /* one, two, three axes */
static const double NONLINEAR_FACTOR = 3; /* matrices and Newton iterations */
static const double START_STEPS = 30, SWEEP = 120;

typedef struct InkEstimate {
  double limit, explicit_steps, implicit_steps, explicit_seconds, implicit_seconds;
} InkEstimate;

static PetscErrorCode estimate(const InkSystem *system, double *u, double time, double span, double tolerance,
                               InkEstimate *e) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = system->mesh;
  PetscCall(system->monotone_step(system->context, time, u, &e->limit));
  int ranks;
  PetscCallMPI(MPI_Comm_size(mesh->comm, &ranks));
  const double share = (double)mesh->cells / ranks;
  e->explicit_steps = e->limit > 0 ? fmax(1, ceil(span / e->limit)) : INFINITY;
  e->implicit_steps = ceil(START_STEPS + SWEEP * cbrt(1e-5 / tolerance));
  e->explicit_seconds = e->explicit_steps * (EXPLICIT_STEP + share * EXPLICIT_CELL);
  /* One axis is solved whole on every rank. */
  const double cells = mesh->dim == 1 ? (double)mesh->cells : share;
  e->implicit_seconds = e->implicit_steps * (IMPLICIT_STEP + cells * IMPLICIT_CELL[mesh->dim - 1]) *
                        (system->linear ? 1 : NONLINEAR_FACTOR);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_stepper_choose(const InkSystem *system, double *u, double time, double end,
                                  double tolerance, InkMethod *method, InkPlan *plan) {
  PetscFunctionBeginUser;
  InkEstimate e;
  PetscCall(estimate(system, u, time, end - time, tolerance, &e));
  const bool explicit_wins = e.explicit_seconds <= e.implicit_seconds;
  *method = explicit_wins ? INK_EXPLICIT : INK_IMPLICIT;
  plan->steps = explicit_wins ? e.explicit_steps : e.implicit_steps;
  plan->seconds = explicit_wins ? e.explicit_seconds : e.implicit_seconds;
  plan->dt = explicit_wins ? fmin(e.limit, end - time) : 0;
  PetscCall(PetscStrncpy(plan->method, explicit_wins ? "explicit" : "implicit", sizeof plan->method));
  PetscCall(PetscSNPrintf(plan->reason, sizeof plan->reason,
                          "auto took %s: about %.3g explicit steps of %.3g s (%.2g s of work) against about "
                          "%.3g implicit steps at tolerance %.2g (%.2g s)",
                          plan->method, e.explicit_steps, fmin(e.limit, end - time), e.explicit_seconds,
                          e.implicit_steps, tolerance, e.implicit_seconds));
  PetscFunctionReturn(0);
}
