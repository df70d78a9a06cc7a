/* The split method: M^-1 G = f(t,u) + L(t,u), the rest f explicit, the stiff linear part L implicit and
 * solved directly, by ARK4(3)6L[2]SA (see stepping_tableau.h): fourth order, third for the error.
 *
 *     B_i = u + h sum_{j<i} (a_ij f_j + s_ij L_j),      U_i - h/4 L(t_i, U_i) = B_i,      i = 2 to 6
 *
 * a the explicit and s the implicit coefficients. L_i is (U_i - B_i) / (h/4), and needs no array of its own:
 * every sum is one of u, U_2 to U_6, h f_1 to h f_6 and h L_1, with weights that follow from the tableau. As
 * the last implicit row is b,
 *
 *     u_1 = U_6 + h sum_j (b_j - a_6j) f_j
 *
 * is the new state, whose content has changed by h sum_j b_j (flows and sources at t_j, U_j) to round-off:
 * that is what the budget is told. Everything is local to a cell but f and the direct solve, so the bits do
 * not depend on the number of ranks. */
#include <math.h>
#include "stepping_impl.h"

/* What sums are made of: U_1 = u and U_2 to U_6; h f_1 to h f_6; h L_1. */
enum { STATE, REST = INK_ARK_STAGES, STIFF = 2 * INK_ARK_STAGES, PARTS };

typedef struct Weights {
  double base[INK_ARK_STAGES][PARTS]; /* B_i */
  double error[PARTS];                /* u_1 - v_1 */
  double next[PARTS];                 /* u_1 */
} Weights;

static void add(double weight, const double from[PARTS], double to[PARTS]) {
  for (int p = 0; p < PARTS; p++) to[p] += weight * from[p];
}

static void make_weights(Weights *w) {
  const InkTableau *t = &ink_ark;
  double stiff[INK_ARK_STAGES][PARTS] = {{0}}; /* h L_i */
  *w = (Weights){0};
  stiff[0][STIFF] = 1;
  for (int i = 1; i < INK_ARK_STAGES; i++) {
    w->base[i][STATE] = 1;
    for (int j = 0; j < i; j++) {
      w->base[i][REST + j] += t->rest[i][j];
      add(t->stiff[i][j], stiff[j], w->base[i]);
    }
    stiff[i][STATE + i] = 1 / t->stiff[i][i];
    add(-1 / t->stiff[i][i], w->base[i], stiff[i]);
  }
  for (int j = 0; j < INK_ARK_STAGES; j++) {
    const double difference = t->b[j] - t->embedded[j];
    w->error[REST + j] += difference;
    add(difference, stiff[j], w->error);
    w->next[REST + j] = t->b[j] - t->rest[INK_ARK_STAGES - 1][j];
  }
  w->next[STATE + INK_ARK_STAGES - 1] = 1;
}

/* k1 is the stiff part of the first stage, rest[0] the other. The array of U_2 is free when all stages are
 * done, and holds the error; that of f_2 the new state. */
PetscErrorCode ink_split_arrays(InkStepper *stepper) {
  PetscFunctionBeginUser;
  PetscCall(ink_stepper_array(stepper, &stepper->k1));
  PetscCall(ink_stepper_array(stepper, &stepper->mass));
  for (int i = 0; i < INK_ARK_STAGES; i++) {
    if (i > 0) PetscCall(ink_stepper_array(stepper, &stepper->state_of[i]));
    PetscCall(ink_stepper_array(stepper, &stepper->rest[i]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_split_begin(InkStepper *stepper, double t) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  PetscCall(system->split_rest(system->context, t, stepper->u, stepper->rest[0], NULL));
  ink_field_combine(system->mesh, system->n, 2, (InkTerm[]){{1, stepper->k1}, {-1, stepper->rest[0]}},
                    stepper->k1);
  PetscFunctionReturn(0);
}

static void combine(const InkStepper *stepper, const double weight[PARTS], double h, double *out) {
  InkTerm term[PARTS];
  int terms = 0;
  for (int p = 0; p < PARTS; p++) {
    if (weight[p] == 0) continue;
    const double *values = p == STATE   ? stepper->u
                           : p < REST   ? stepper->state_of[p - STATE]
                           : p == STIFF ? stepper->k1
                                        : stepper->rest[p - REST];
    term[terms++] = (InkTerm){p < REST ? weight[p] : weight[p] * h, values};
  }
  ink_field_combine(stepper->system.mesh, stepper->system.n, terms, term, out);
}

/* Not filtered as TR-BDF2's: of stiff components the embedded method then sees more than there is, which
 * costs some steps where the solution is smooth, but the filter hides what noise at the start does. (A
 * Schnakenberg pattern from noise, error 2e-5: 215 steps without, about 320 with it.) */
static PetscErrorCode estimate_error(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = stepper->system.mesh;
  const int n = stepper->system.n;
  PetscCall(ink_stepper_include(stepper, attempt->next, stepper->seen));
  for (int f = 0; f < n; f++) stepper->total[f] = ink_stepper_scale(stepper, &stepper->seen[f]);
  PetscCall(ink_field_norm(mesh, n, stepper->total, attempt->scratch, &attempt->error));
  attempt->result.finite = attempt->result.converged = isfinite(attempt->error);
  attempt->error /= stepper->options.tolerance;
  PetscFunctionReturn(0);
}

static double stage_time(const InkAttempt *attempt, int i) {
  return i + 1 == INK_ARK_STAGES ? attempt->end : attempt->t + ink_ark.c[i] * attempt->dt;
}

/* U_i and f_i from the stages before. */
static PetscErrorCode make_stage(InkStepper *stepper, const InkAttempt *attempt, const Weights *weights,
                                 int i) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double time = stage_time(attempt, i);
  double *U = stepper->state_of[i];
  combine(stepper, weights->base[i], attempt->dt, U);
  PetscCall(system->split_solve(system->context, time, attempt->dt * ink_ark.stiff[i][i], U, U));
  PetscCall(system->split_rest(system->context, time, U, stepper->rest[i], NULL));
  PetscFunctionReturn(0);
}

/* Which stage of a step that is not finite went wrong first: its state or its rest into attempt->culprit. The
 * direct solve spreads a NaN over all cells, so the stages are made again one by one. */
static PetscErrorCode find_culprit(InkStepper *stepper, InkAttempt *attempt, const Weights *weights) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  bool found = false;
  for (int i = 1; i < INK_ARK_STAGES && !found; i++) {
    PetscCall(make_stage(stepper, attempt, weights, i));
    const double *const array[2] = {stepper->state_of[i], stepper->rest[i]};
    for (int a = 0; a < 2 && !found; a++) {
      double size;
      PetscCall(ink_field_norm(system->mesh, system->n, NULL, array[a], &size));
      found = !isfinite(size);
      attempt->culprit = array[a];
      attempt->suspect = stepper->state_of[i];
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_split_try(InkStepper *stepper, InkAttempt *attempt) {
  PetscFunctionBeginUser;
  const InkSystem *system = &stepper->system;
  const double h = attempt->dt;
  Weights weights;
  make_weights(&weights);
  for (int i = 1; i < INK_ARK_STAGES; i++) PetscCall(make_stage(stepper, attempt, &weights, i));
  attempt->stages = 0;
  for (int i = 0; i < INK_ARK_STAGES; i++)
    if (ink_ark.b[i] != 0)
      attempt->stage[attempt->stages++] =
          (InkStage){ink_ark.b[i], stage_time(attempt, i), i ? stepper->state_of[i] : stepper->u};
  for (int f = 0; f < system->n; f++) stepper->defect[f] = 0;
  attempt->next = stepper->rest[1];
  attempt->scratch = stepper->state_of[1];
  attempt->spare = stepper->rest[2];
  attempt->capacity = stepper->mass;
  combine(stepper, weights.error, h, attempt->scratch);
  combine(stepper, weights.next, h, attempt->next);
  PetscCall(estimate_error(stepper, attempt));
  if (!attempt->result.finite) PetscCall(find_culprit(stepper, attempt, &weights));
  PetscFunctionReturn(0);
}
