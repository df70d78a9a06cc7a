/* Newton's method on r(U) = rate M(t,U) (U - base) - G(t,U).
 *
 * A system that is linear is solved by one linear solve; of a constant one the matrix and its preconditioner
 * stay while the rate does. So that this does not depend on the past of a run, the rate that enters the
 * matrix is rounded to 30 bits: equal steps that differ in their last digits share one matrix, before and
 * after a restart alike; the residual has the exact rate.
 *
 * Convergence: the linear solver is stopped where its error is about a third of the tolerance, and the
 * iteration where the next update, as the last two foretell, would be below it.
 */
#include <math.h>
#include <string.h>
#include "stepping_impl.h"

struct InkNewton {
  InkSystem system;
  InkLinear *linear;
  InkStencil jacobian, matrix;
  double *residual, *capacity, *slope, *update;
  double matrix_rate; /* of the matrix in place; NaN: none */
  bool capacity_known, jacobian_known;
};

const double *ink_newton_capacity(const InkNewton *newton) { return newton->capacity; }
const double *ink_newton_last_residual(const InkNewton *newton) { return newton->residual; }
const double *ink_newton_diagonal(const InkNewton *newton) { return newton->matrix.diagonal; }

static PetscErrorCode stencil_create(const InkMesh *mesh, InkStencil *stencil) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_array(mesh, &stencil->diagonal));
  for (int axis = 0; axis < mesh->dim; axis++)
    for (int end = 0; end < 2; end++) PetscCall(ink_mesh_array(mesh, &stencil->off[axis][end]));
  PetscFunctionReturn(0);
}

static void stencil_destroy(InkStencil *stencil) {
  ink_mesh_free(&stencil->diagonal);
  for (int axis = 0; axis < 3; axis++)
    for (int end = 0; end < 2; end++) ink_mesh_free(&stencil->off[axis][end]);
}

PetscErrorCode ink_newton_create(const InkSystem *system, InkNewton **newton, InkFailure *failure) {
  PetscFunctionBeginUser;
  *newton = NULL;
  InkLinear *linear;
  PetscCall(ink_linear_create(system->mesh, system->symmetric, &linear, failure));
  if (!linear) PetscFunctionReturn(0);
  InkNewton *n;
  PetscCall(PetscNew(&n));
  n->system = *system;
  n->linear = linear;
  n->matrix_rate = NAN;
  PetscCall(stencil_create(system->mesh, &n->jacobian));
  PetscCall(stencil_create(system->mesh, &n->matrix));
  PetscCall(ink_mesh_array(system->mesh, &n->residual));
  PetscCall(ink_mesh_array(system->mesh, &n->capacity));
  PetscCall(ink_mesh_array(system->mesh, &n->update));
  if (system->capacity_derivative) PetscCall(ink_mesh_array(system->mesh, &n->slope));
  *newton = n;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_destroy(InkNewton **newton) {
  PetscFunctionBeginUser;
  InkNewton *n = *newton;
  if (!n) PetscFunctionReturn(0);
  PetscCall(ink_linear_destroy(&n->linear));
  stencil_destroy(&n->jacobian);
  stencil_destroy(&n->matrix);
  ink_mesh_free(&n->residual);
  ink_mesh_free(&n->capacity);
  ink_mesh_free(&n->update);
  ink_mesh_free(&n->slope);
  PetscCall(PetscFree(*newton));
  PetscFunctionReturn(0);
}

static int64_t row_start(const InkMesh *mesh, int64_t j, int64_t k) {
  return mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
}

PetscErrorCode ink_newton_residual(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                   const double **residual) {
  PetscFunctionBeginUser;
  const InkSystem *system = &newton->system;
  const InkMesh *mesh = system->mesh;
  PetscCall(system->rhs(system->context, problem->t, u, newton->residual));
  if (!(system->constant && newton->capacity_known))
    PetscCall(system->capacity(system->context, problem->t, u, newton->capacity));
  newton->capacity_known = true;
  double *r = newton->residual;
  const double *m = newton->capacity, *base = problem->base;
  const double rate = problem->rate;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k), end = row + mesh->count[0];
      if (rate == 0)
        for (int64_t c = row; c < end; c++) r[c] = -r[c];
      else
        for (int64_t c = row; c < end; c++) r[c] = rate * m[c] * (u[c] - base[c]) - r[c];
    }
  *residual = r;
  PetscFunctionReturn(0);
}

/* Rounded to 30 bits. */
static double rounded(double rate) {
  int exponent;
  const double mantissa = frexp(rate, &exponent);
  return ldexp(nearbyint(ldexp(mantissa, 30)), exponent - 30);
}

/* matrix = rate (M + dM/du (u - base)) - dG/du */
static void combine(InkNewton *newton, const InkNewtonProblem *problem, double rate, const double *u) {
  const InkMesh *mesh = newton->system.mesh;
  const double *m = newton->capacity, *dm = newton->slope, *base = problem->base;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k), end = row + mesh->count[0];
      double *diagonal = newton->matrix.diagonal;
      for (int64_t c = row; c < end; c++) diagonal[c] = rate * m[c] - newton->jacobian.diagonal[c];
      if (dm && rate != 0)
        for (int64_t c = row; c < end; c++) diagonal[c] += rate * dm[c] * (u[c] - base[c]);
      for (int axis = 0; axis < mesh->dim; axis++)
        for (int side = 0; side < 2; side++)
          for (int64_t c = row; c < end; c++)
            newton->matrix.off[axis][side][c] = -newton->jacobian.off[axis][side][c];
    }
}

static PetscErrorCode matrix_is_finite(const InkNewton *newton, bool *finite) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = newton->system.mesh;
  double most;
  PetscCall(ink_field_max_abs(mesh, newton->matrix.diagonal, &most));
  *finite = isfinite(most);
  for (int axis = 0; axis < mesh->dim; axis++)
    for (int end = 0; end < 2; end++) {
      PetscCall(ink_field_max_abs(mesh, newton->matrix.off[axis][end], &most));
      *finite = *finite && isfinite(most);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_matrix(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                 bool *finite) {
  PetscFunctionBeginUser;
  const InkSystem *system = &newton->system;
  const double rate = rounded(problem->rate);
  *finite = true;
  if (system->constant && newton->matrix_rate == rate) PetscFunctionReturn(0);
  newton->matrix_rate = NAN;
  if (!(system->constant && newton->jacobian_known))
    PetscCall(system->jacobian(system->context, problem->t, u, &newton->jacobian));
  newton->jacobian_known = true;
  if (!(system->constant && newton->capacity_known))
    PetscCall(system->capacity(system->context, problem->t, u, newton->capacity));
  if (newton->slope) PetscCall(system->capacity_derivative(system->context, problem->t, u, newton->slope));
  combine(newton, problem, rate, u);
  PetscCall(matrix_is_finite(newton, finite));
  if (!*finite) PetscFunctionReturn(0);
  PetscCall(ink_linear_matrix(newton->linear, &newton->matrix, problem->keep_preconditioner));
  newton->matrix_rate = rate;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_linear(InkNewton *newton, const double *b, double rtol, double atol, double *x,
                                 InkLinearResult *result) {
  PetscFunctionBeginUser;
  PetscCall(ink_linear_solve(newton->linear, b, rtol, atol, x, result));
  PetscFunctionReturn(0);
}

/* One iteration from the residual in place: u -= matrix^-1 residual. */
static PetscErrorCode iterate(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                              InkNewtonResult *result) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = newton->system.mesh;
  InkNewtonProblem now = *problem;
  now.keep_preconditioner = problem->keep_preconditioner || result->iterations > 0;
  PetscCall(ink_newton_matrix(newton, &now, u, &result->finite));
  if (!result->finite) {
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason, "the matrix is not finite"));
    PetscFunctionReturn(0);
  }
  /* The solver's norm is a 2-norm, the tolerance a max norm: between "all of the error in one cell" and
   * "spread evenly" the fourth root of the number of cells is the middle. */
  const double atol = 0.3 * problem->tolerance * sqrt(sqrt((double)mesh->cells));
  InkLinearResult linear;
  PetscCall(ink_newton_linear(newton, newton->residual, 1e-12, atol, newton->update, &linear));
  result->linear_iterations += linear.iterations;
  result->iterations++;
  if (!linear.converged) {
    PetscCall(PetscStrncpy(result->reason, linear.reason, sizeof result->reason));
    PetscFunctionReturn(0);
  }
  ink_field_combine(mesh, 2, (InkTerm[]){{1, u}, {-1, newton->update}}, u);
  PetscCall(ink_field_max_abs(mesh, newton->update, &result->update));
  result->finite = isfinite(result->update);
  if (!result->finite)
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason, "the update is not finite"));
  PetscFunctionReturn(0);
}

/* Will the next update be below the tolerance? `before`: the update before the last, 0 if there is none. */
static bool accurate(const InkNewton *newton, const InkNewtonProblem *problem, double before, double update) {
  if (update <= problem->tolerance) return true;
  if (before > 0 && update <= problem->acceptable && update > 0.25 * before) return true; /* round-off */
  if (newton->system.linear) return 1e-9 * update <= problem->tolerance; /* the matrix's rate is rounded */
  if (before <= 0) return false;
  const double ratio = update / before;
  return ratio < 0.5 && update * ratio / (1 - ratio) <= problem->tolerance;
}

PetscErrorCode ink_newton_solve(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                InkNewtonResult *result) {
  PetscFunctionBeginUser;
  memset(result, 0, sizeof *result);
  result->finite = true;
  double before = 0, norm;
  bool done = false;
  while (true) {
    const double *residual;
    PetscCall(ink_newton_residual(newton, problem, u, &residual));
    PetscCall(ink_field_max_abs(newton->system.mesh, residual, &norm));
    result->finite = isfinite(norm);
    result->converged = done && result->finite;
    if (!result->finite)
      PetscCall(PetscSNPrintf(result->reason, sizeof result->reason, "the equation is not finite"));
    if (done || !result->finite) break;
    before = result->update;
    PetscCall(iterate(newton, problem, u, result));
    if (result->reason[0]) break;
    done = accurate(newton, problem, before, result->update);
    if (result->iterations >= problem->max_iterations && result->update <= problem->acceptable) done = true;
    const bool diverges = result->iterations > 2 && result->update > 2 * before && before > 0;
    if (!done && (diverges || result->iterations >= problem->max_iterations)) {
      PetscCall(PetscSNPrintf(
          result->reason, sizeof result->reason, "Newton's method %s (%d iterations, last update %.3g)",
          diverges ? "diverges" : "does not converge", result->iterations, result->update));
      break;
    }
  }
  PetscFunctionReturn(0);
}
