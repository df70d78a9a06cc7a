/* The density over time: dp/dt of the generator, taken by the shared steppers. */
#include <math.h>
#include "../core/memory.h"
#include "../core/method.h"
#include "../core/observe.h"
#include "fokker_planck_impl.h"

/* What is left of the mass when a run has nothing more to do. */
static const double nothing_left = 1e-12;
/* What is added to the diffusion matrix is told again when it is this much more. */
static const double worth_telling = 1.5;

static PetscErrorCode make_stepper(InkFokkerPlanck *f) {
  PetscFunctionBeginUser;
  const InkStepperOptions options = ink_method_options(f->deck, f->method, true);
  PetscCall(
      ink_stepper_create(&f->system, &options, &f->u, ink_deck_number(f->deck, "time.start"), &f->stepper));
  PetscFunctionReturn(0);
}

/* Arrays of the mesh that a run holds. */
static double arrays_held(const InkFokkerPlanck *f) {
  const double coefficients = 2.0 * f->generator->directions;
  const double mending = f->antidiffusion ? coefficients + 2.0 : 0.0;
  return 3.0 + coefficients + mending + ink_method_arrays(&f->system, f->method);
}

PetscErrorCode ink_density_create(InkFokkerPlanck *f, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(ink_model_initial(f->deck, f->mesh, f->u, failure));
  PetscCall(ink_failure_agree(f->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  ink_generator_system(f->generator, &f->system);
  if (f->antidiffusion) {
    ink_antidiffusion_finish(f->antidiffusion, &f->finish);
    f->system.finish = &f->finish;
  }
  f->system.fades = true; /* from a point on, the density only becomes flatter */
  PetscCall(ink_method_choose(f->deck, &f->system, true, f->u, &f->method, &f->plan));
  if (ink_deck_chosen(f->deck, "time.method", "implicit"))
    snprintf(f->plan.reason, sizeof f->plan.reason, "time.method is implicit: TR-BDF2, second order");
  PetscCall(ink_memory_check(f->comm, 8.0 * (double)f->mesh->size * arrays_held(f), failure));
  if (!failure->code) PetscCall(make_stepper(f));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_density_plan(InkFokkerPlanck *f, InkPlan *plan) {
  PetscFunctionBeginUser;
  *plan = f->plan;
  PetscCall(f->system.monotone_step(f->system.context, f->now, f->u, &plan->dt_gershgorin));
  if (!isfinite(plan->dt_gershgorin)) plan->dt_gershgorin = 0.0;
  const double coefficients = 2.0 * f->generator->directions;
  const double bytes = 8.0 * (double)f->mesh->size * arrays_held(f);
  PetscCallMPI(MPI_Allreduce(&bytes, &plan->bytes_per_rank, 1, MPI_DOUBLE, MPI_MAX, f->comm));
  /* The coefficients come from memory, about 1e10 bytes a second and rank; to mend a step takes ten times as
   * long. */
  const double cell_seconds = 8.0 * (3.0 + (f->antidiffusion ? 11.0 : 1.0) * coefficients) / 1e10;
  PetscCall(ink_method_plan(f->deck, &f->system, f->method, cell_seconds, f->u, plan));
  PetscFunctionReturn(0);
}

/* Only looked at where a target is reached, so that a restart sees it at the same time. */
static PetscErrorCode look_at_mass(InkFokkerPlanck *f, InkProgress *progress) {
  PetscFunctionBeginUser;
  const InkFieldView view = {.mesh = f->mesh, .values = f->u};
  double mass;
  if (f->generator->conserves) PetscFunctionReturn(0);
  PetscCall(ink_observe_integral(&view, &mass));
  f->gone = mass < nothing_left;
  if (!f->gone) PetscFunctionReturn(0);
  snprintf(f->note, sizeof f->note,
           "all mass is absorbed: %.3g is left at t = %.9g%s, so the run takes no more steps", mass, f->now,
           ink_deck_seconds(f->deck));
  progress->note = f->note;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_density_advance(InkFokkerPlanck *f, double until, InkClock *clock, InkProgress *progress) {
  PetscFunctionBeginUser;
  if (f->gone) {
    progress->now = f->now = until;
    PetscFunctionReturn(0);
  }
  PetscCall(ink_stepper_advance(f->stepper, until, clock, progress));
  f->now = progress->now;
  if (f->generator->added > worth_telling * f->told) {
    ink_generator_remark(f->generator, f->note, sizeof f->note);
    f->told = f->generator->added;
    progress->note = f->note;
  }
  if (!progress->failure.code && f->now >= until) PetscCall(look_at_mass(f, progress));
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

PetscErrorCode ink_density_save(InkFokkerPlanck *f, InkStore *store) {
  PetscFunctionBeginUser;
  const int64_t numbers[2] = {f->method, f->gone};
  PetscCall(ink_generator_save(f->generator, store));
  PetscCall(ink_stepper_save(f->stepper, store));
  PetscCall(ink_store_write_integers(store, "/state/method", 2, numbers));
  PetscFunctionReturn(0);
}

/* The method is chosen once: a run that continues keeps the one it began with, even when its end was moved.
 */
PetscErrorCode ink_density_load(InkFokkerPlanck *f, InkStore *store) {
  PetscFunctionBeginUser;
  int64_t numbers[2] = {f->method, 0};
  PetscCall(ink_generator_load(f->generator, store));
  PetscCall(ink_store_read_integers(store, "/state/method", 2, numbers));
  f->gone = numbers[1] != 0;
  if (numbers[0] != (int64_t)f->method && numbers[0] >= 0 && numbers[0] <= INK_STAGED) {
    f->method = (InkMethod)numbers[0];
    ink_method_kept(f->deck, f->method, &f->plan);
    PetscCall(ink_stepper_destroy(&f->stepper));
    PetscCall(make_stepper(f));
  }
  PetscCall(ink_stepper_load(f->stepper, store));
  PetscFunctionReturn(0);
}
