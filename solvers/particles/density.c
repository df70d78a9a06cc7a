/* The density beside paths: the same model's Fokker-Planck equation on the cells of the histogram, taken by
 * the shared steppers. (Chains bring their own, cell_chain.h.) */
#include "../core/antidiffusion.h"
#include "../core/memory.h"
#include "../core/method.h"
#include "particles_impl.h"

struct InkBeside {
  InkGenerator *generator;
  InkAntidiffusion *antidiffusion; /* NULL where the cells resolve the process */
  InkSystem system;
  InkFinish finish;
  InkMethod method;
  InkStepper *stepper;
  double *p;
};

/* As the solver of densities does: mended where edges do not resolve the drift. */
static PetscErrorCode make_system(struct InkBeside *b) {
  PetscFunctionBeginUser;
  double share;
  PetscCall(ink_generator_excess(b->generator, true));
  PetscCall(ink_antidiffusion_share(b->generator, &share));
  if (share > 0 || b->generator->moving)
    PetscCall(ink_antidiffusion_create(b->generator, &b->antidiffusion));
  else
    PetscCall(ink_generator_excess(b->generator, false));
  ink_generator_system(b->generator, &b->system);
  b->system.fades = true;
  if (!b->antidiffusion) PetscFunctionReturn(0);
  ink_antidiffusion_finish(b->antidiffusion, &b->finish);
  b->system.finish = &b->finish;
  PetscFunctionReturn(0);
}

static PetscErrorCode make_stepper(InkParticles *s) {
  PetscFunctionBeginUser;
  struct InkBeside *b = s->beside;
  InkStepperOptions options = ink_method_options(s->deck, b->method, true);
  PetscCall(ink_stepper_create(&b->system, &options, &b->p, s->start, &b->stepper));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_beside_create(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkPlan plan = {0};
  struct InkBeside *b;
  PetscCall(PetscNew(&b));
  s->beside = b;
  PetscCall(ink_model_generator(s->comm, s->deck, &s->model.process, 8, &s->mesh, &b->generator, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_mesh_array(s->mesh, &b->p));
  PetscCall(ink_model_initial(s->deck, s->mesh, b->p, failure));
  PetscCall(ink_failure_agree(s->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(make_system(b));
  PetscCall(ink_method_choose(s->deck, &b->system, true, b->p, &b->method, &plan));
  PetscCall(make_stepper(s));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_beside_advance(InkParticles *s, double until, InkProgress *progress) {
  PetscFunctionBeginUser;
  InkProgress own = {0};
  PetscCall(ink_stepper_advance(s->beside->stepper, until, NULL, &own));
  if (own.failure.code) progress->failure = own.failure;
  PetscFunctionReturn(0);
}

const double *ink_beside_values(const InkParticles *s) { return s->beside->p; }

PetscErrorCode ink_beside_save(InkParticles *s, InkStore *store) {
  PetscFunctionBeginUser;
  const int64_t method = s->beside->method;
  InkBox box;
  ink_mesh_box(s->mesh, &box);
  PetscCall(ink_stepper_save(s->beside->stepper, store));
  PetscCall(ink_store_write_integers(store, "/state/method", 1, &method));
  PetscCall(ink_store_write(store, "/state/density", &box, ink_mesh_first(s->mesh, s->beside->p), false, 0));
  PetscFunctionReturn(0);
}

/* The method is that of the run's beginning. */
PetscErrorCode ink_beside_load(InkParticles *s, InkStore *store) {
  PetscFunctionBeginUser;
  struct InkBeside *b = s->beside;
  int64_t method = b->method;
  InkBox box;
  ink_mesh_box(s->mesh, &box);
  PetscCall(ink_store_read_integers(store, "/state/method", 1, &method));
  PetscCall(ink_store_read(store, "/state/density", &box, ink_mesh_first(s->mesh, b->p)));
  if (method != (int64_t)b->method && method >= 0 && method <= INK_STAGED) {
    b->method = (InkMethod)method;
    PetscCall(ink_stepper_destroy(&b->stepper));
    PetscCall(make_stepper(s));
  }
  PetscCall(ink_stepper_load(b->stepper, store));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_beside_destroy(InkParticles *s) {
  PetscFunctionBeginUser;
  struct InkBeside *b = s->beside;
  if (!b) PetscFunctionReturn(0);
  if (b->stepper) PetscCall(ink_stepper_destroy(&b->stepper));
  PetscCall(ink_antidiffusion_destroy(&b->antidiffusion));
  if (b->generator) PetscCall(ink_generator_destroy(&b->generator));
  if (b->p) ink_mesh_free(&b->p);
  PetscCall(PetscFree(b));
  s->beside = NULL;
  PetscFunctionReturn(0);
}
