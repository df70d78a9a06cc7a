/* Backward-Euler substeps in place of a step, M(U_i)(U_i - U_{i-1}) = dt/m G(t_i, U_i), i = 1 to m:
 *
 *   - for a fixed dt whose data jump: |dt k1| exceeds a field's range, so a trapezoidal stage would
 *     overshoot, which a capacity that depends on u turns into a loss of content. First order, but rare, so
 *     the order of the run stays two;
 *   - for fields that must stay positive, which no linear method above first order guarantees (Bolley &
 *     Crouzeix, RAIRO Anal. Numer. 12 (1978) 237). Backward Euler does for every dt as long as what a
 *     reaction takes away vanishes with the field. With a chosen dt the result may differ from the step that
 *     it replaces by the tolerance, so that the error stays controlled; else the step is shortened.
 *
 * and what is common to all implicit steps that are taken:
 *
 * Conservation. Summed over the cells, M (U - u0) of a field differs from dt sum b_j G_j by the solver's
 * residuals. That sum is known, and is taken out by one small change of the whole field (of the size of the
 * solver's tolerance), so that the content changes by exactly the flows and sources that accumulate() was
 * told of: a shift, or for fields that keep their sign a factor. */
#include <math.h>
#include "stepping_impl.h"

static const int MOST_SUBSTEPS = 8, MOST_SUBSTEPS_FIXED = 64;
/* Of the tolerance: a value that is below zero by less is zero as far as the step can tell. */
static const double NEGLIGIBLE = 0.1;
static const double SMALL_PART = 1e-3; /* of a field's content, may be negligible */
static const double ROUND_OFF = 1e-14; /* of a field's scale */
static const double DRIVEN = 1e-9;     /* of the field's largest rate of change: more than round-off */

/* Must the field stay positive, because the deck or the equation says so? */
static bool keeps_sign(const InkStepper *stepper, int f) {
  return stepper->options.positive || (stepper->system.nonnegative && stepper->system.nonnegative[f]);
}

/* Values below `limit` times the scale of their field. */
static PetscErrorCode count_below(InkStepper *stepper, double limit, const double *u, bool *some) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  int below = 0;
  for (int f = 0; f < stepper->system.n; f++) {
    const double least = limit * stepper->scale[f], *values = u + f * mesh->size + mesh->origin;
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++)
          if (values[i + j * mesh->stride[1] + k * mesh->stride[2]] < least) below = 1;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &below, 1, MPI_INT, MPI_MAX, mesh->comm));
  *some = below != 0;
  PetscFunctionReturn(0);
}

/* Is a field that is below zero in `next` still taken away from when it is zero there? Then it is no error of
 * the step, and setting it to zero would invent what the equation does not have. The rate of change at a zero
 * is compared with the largest of the field. */
static PetscErrorCode is_driven_below(InkStepper *stepper, InkAttempt *attempt, bool *driven) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkMesh *mesh = system->mesh;
  double *zeroed = attempt->scratch, *rate = attempt->spare;
  int some = 0;
  for (int64_t c = 0; c < system->n * mesh->size; c++)
    zeroed[c] = attempt->next[c] > 0 ? attempt->next[c] : 0;
  PetscCall(system->rhs(system->context, attempt->end, zeroed, rate));
  ink_field_divide(mesh, system->n, attempt->capacity, rate);
  for (int f = 0; f < system->n; f++) {
    double largest;
    PetscCall(ink_field_norm(mesh, 1, NULL, rate + f * mesh->size, &largest));
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t c = f * mesh->size + mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
          if (attempt->next[c] < 0 && rate[c] < -DRIVEN * largest) some = 1;
        }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &some, 1, MPI_INT, MPI_MAX, mesh->comm));
  *driven = some != 0;
  PetscFunctionReturn(0);
}

/* Is what lies below zero more than a small part of the content of its field? */
static PetscErrorCode is_much(InkStepper *stepper, const InkAttempt *attempt, bool *much) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  InkSum *above = stepper->sums, *below = stepper->sums + n;
  for (int f = 0; f < n; f++) {
    ink_sum_clear(&above[f]);
    ink_sum_clear(&below[f]);
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t c = f * mesh->size + mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
          const double value = attempt->next[c];
          ink_sum_add_product(value < 0 ? &below[f] : &above[f], attempt->capacity[c], fabs(value));
        }
  }
  PetscCall(ink_sum_reduce(mesh->comm, 2 * n, stepper->sums, stepper->total));
  *much = false;
  for (int f = 0; f < n; f++) *much = *much || stepper->total[n + f] > SMALL_PART * stepper->total[f];
  PetscFunctionReturn(0);
}

PetscErrorCode ink_find_negative(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const double negligible = stepper->options.dt > 0 ? 0 : NEGLIGIBLE * stepper->options.tolerance;
  bool some;
  PetscCall(count_below(stepper, -fmax(attempt->acceptable, negligible), attempt->next, &attempt->negative));
  if (attempt->negative) PetscFunctionReturn(0);
  PetscCall(count_below(stepper, 0, attempt->next, &some));
  if (!some) PetscFunctionReturn(0);
  /* Substeps are the last resort: what their solver leaves below zero is nothing. */
  const double nothing = attempt->substeps ? attempt->acceptable : ROUND_OFF;
  PetscCall(count_below(stepper, -nothing, attempt->next, &some));
  if (some) PetscCall(is_much(stepper, attempt, &attempt->negative));
  if (!attempt->negative) PetscCall(is_driven_below(stepper, attempt, &attempt->negative));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_clip(InkStepper *stepper, const double *capacity, double *u) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  bool any = false;
  for (int f = 0; f < n; f++) any = any || keeps_sign(stepper, f);
  if (!any) PetscFunctionReturn(0);
  for (int f = 0; f < n; f++) {
    ink_sum_clear(&stepper->sums[f]);
    if (!keeps_sign(stepper, f)) continue;
    /* A field that is only known not to become negative is mended within the tolerance. */
    const double least =
        stepper->options.positive ? -INFINITY : -stepper->options.tolerance * stepper->scale[f];
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t c = f * mesh->size + mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
          if (!(u[c] < 0 && u[c] >= least)) continue;
          ink_sum_add_product(&stepper->sums[f], capacity[c], -u[c]);
          u[c] = 0;
        }
  }
  PetscCall(ink_sum_reduce(mesh->comm, n, stepper->sums, stepper->total));
  for (int f = 0; f < n; f++) stepper->defect[f] += stepper->total[f];
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  double **const array[] = {&stepper->second, &stepper->third, &stepper->base, &stepper->work};
  for (size_t a = 0; a < sizeof array / sizeof *array; a++) PetscCall(ink_stepper_array(stepper, array[a]));
  PetscCall(ink_stepper_newton(stepper));
  PetscFunctionReturn(0);
}

/* The two states take turns, so that the last substep ends in `third`. Without `positive` two substeps are
 * stages of the budget; else the budget is told of them when they are taken, by doing them again. */
PetscErrorCode ink_euler_substeps(InkStepper *stepper, InkAttempt *attempt, int substeps, bool accumulate) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkMesh *mesh = system->mesh;
  const int n = system->n;
  const bool positive = stepper->options.positive;
  PetscCall(make_arrays(stepper));
  if (stepper->failure.code) PetscFunctionReturn(0);
  for (int f = 0; f < n; f++) stepper->defect[f] = 0;
  attempt->substeps = substeps;
  attempt->scratch = stepper->work;
  attempt->spare = stepper->base;
  attempt->capacity = ink_newton_capacity(stepper->newton);
  attempt->negative = false;
  attempt->stages = substeps == 2 && !positive ? 2 : 0;
  const double length = attempt->dt / substeps;
  double *from = stepper->u;
  for (int i = 1; i <= substeps; i++) {
    double *to = (substeps - i) % 2 == 0 ? stepper->third : stepper->second;
    const double time = i == substeps ? attempt->end : attempt->t + attempt->dt * i / substeps;
    ink_field_copy(mesh, n, from, stepper->base);
    ink_field_copy(mesh, n, from, to);
    PetscCall(ink_stage_solve(stepper, attempt, &(InkStageProblem){time, 1 / length, length, i > 1}, to));
    if (!attempt->result.converged) break;
    if (attempt->stages) attempt->stage[i - 1] = (InkStage){1.0 / substeps, time, to};
    if (accumulate && system->accumulate) PetscCall(system->accumulate(system->context, length, time, to));
    attempt->next = to;
    if (positive) PetscCall(count_below(stepper, -attempt->acceptable, to, &attempt->negative));
    if (attempt->negative) break;
    if (positive && i == substeps) PetscCall(ink_find_negative(stepper, attempt));
    if (positive && !attempt->negative) PetscCall(ink_clip(stepper, attempt->capacity, to));
    from = to;
  }
  if (attempt->result.converged) PetscCall(ink_stepper_include(stepper, attempt->next, stepper->seen));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_euler_redo(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  const bool fixed = stepper->options.dt > 0;
  const int most = fixed ? MOST_SUBSTEPS_FIXED : MOST_SUBSTEPS;
  if (!fixed) { /* what the substeps are compared with */
    PetscCall(ink_stepper_array(stepper, &stepper->next));
    ink_field_copy(mesh, n, attempt->next, stepper->next);
  }
  for (int substeps = 2; substeps <= most; substeps *= 2) {
    double error = 0;
    PetscCall(ink_euler_substeps(stepper, attempt, substeps, false));
    if (stepper->failure.code || !attempt->result.converged) PetscFunctionReturn(0);
    if (attempt->negative) continue;
    if (!fixed) {
      ink_field_combine(mesh, n, 2, (InkTerm[]){{1, attempt->next}, {-1, stepper->next}}, stepper->work);
      PetscCall(ink_field_norm(mesh, n, stepper->scale, stepper->work, &error));
    }
    if (error <= stepper->options.tolerance) PetscFunctionReturn(0);
  }
  attempt->negative = true;
  PetscFunctionReturn(0);
}

/* gain[f]: how much each field must be changed, as a shift or a factor, for the residuals to be gone. A field
 * that is all but used up is left alone: what remains of it is no more than the residuals. */
static PetscErrorCode find_gain(InkStepper *stepper, const InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  ink_field_copy(mesh, n, attempt->capacity, attempt->scratch);
  for (int f = 0; f < n; f++)
    if (keeps_sign(stepper, f))
      ink_field_multiply(mesh, 1, 1, attempt->next + f * mesh->size, attempt->scratch + f * mesh->size);
  PetscCall(ink_field_sums(mesh, n, attempt->scratch, stepper->sums, stepper->total));
  for (int f = 0; f < n; f++) {
    const bool used_up = keeps_sign(stepper, f) && fabs(stepper->defect[f]) > 0.5 * stepper->total[f];
    stepper->gain[f] = stepper->total[f] > 0 && !used_up ? -stepper->defect[f] / stepper->total[f] : 0;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_take(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const InkMesh *mesh = system->mesh;
  bool exact = true;
  if (attempt->substeps && !attempt->stages && system->accumulate)
    PetscCall(ink_euler_substeps(stepper, attempt, attempt->substeps, true));
  for (int s = 0; s < attempt->stages && system->accumulate; s++)
    PetscCall(system->accumulate(system->context, attempt->dt * attempt->stage[s].weight,
                                 attempt->stage[s].time, attempt->stage[s].state));
  PetscCall(ink_clip(stepper, attempt->capacity, attempt->next));
  for (int f = 0; f < system->n; f++) exact = exact && stepper->defect[f] == 0;
  if (!exact) PetscCall(find_gain(stepper, attempt));
  for (int f = 0; f < system->n && !exact; f++) {
    const double gain = stepper->gain[f];
    const bool factor = keeps_sign(stepper, f);
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++) {
        const int64_t row = f * mesh->size + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
        double *next = attempt->next;
        for (int64_t c = row; c < row + mesh->count[0]; c++) next[c] += factor ? gain * next[c] : gain;
      }
  }
  const InkFinish *finish = system->finish;
  if (finish)
    PetscCall(finish->mend(finish->context, attempt->t, attempt->dt, false, stepper->u, attempt->next));
  ink_field_copy(mesh, system->n, attempt->next, stepper->u);
  PetscFunctionReturn(0);
}
