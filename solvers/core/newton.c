/* Newton's method on r(U) = rate M(t,U) (U - base) - G(t,U).
 *
 * A system that is linear is solved by one linear solve; of a constant one the matrix and its preconditioner
 * stay while the rate does. So that this does not depend on the past of a run, the rate that enters the
 * matrix is rounded to 30 bits: equal steps that differ in their last digits share one matrix, before and
 * after a restart alike; the residual has the exact rate.
 *
 * Several fields may differ by many orders of magnitude, so their linear systems are solved in units of the
 * fields' scales, rounded to powers of two, which costs no digits: with W = diag(unit), W^-1 A W y = W^-1 b,
 * x = W y.
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
  InkStencil jacobian, matrix; /* the same arrays unless the system is constant */
  double *residual, *capacity, *slope, *update;
  double *scaled;     /* right-hand side in units; only of several fields */
  double *unit;       /* [n] of the matrix in place */
  double scale;       /* of a single field */
  double matrix_rate; /* of the matrix in place; NaN: none */
  bool capacity_known, jacobian_known;
};

const double *ink_newton_capacity(const InkNewton *newton) { return newton->capacity; }
const double *ink_newton_last_residual(const InkNewton *newton) { return newton->residual; }

static int far_directions(const InkStencil *stencil) { return stencil->reach ? stencil->reach->count : 0; }

/* Only the blocks and arrays that exist. */
static PetscErrorCode stencil_create(const InkSystem *system, InkStencil *stencil) {
  PetscFunctionBeginUser;
  const int blocks = system->n * system->n;
  stencil->n = system->n;
  stencil->reach = system->reach;
  PetscCall(PetscCalloc1(blocks, &stencil->block));
  for (int b = 0; b < blocks; b++) {
    if (system->coupling[b] == INK_UNCOUPLED) continue;
    PetscCall(ink_mesh_array(system->mesh, &stencil->block[b].diagonal));
    for (int axis = 0; axis < system->mesh->dim && system->coupling[b] == INK_NEIGHBOURS; axis++)
      for (int end = 0; end < 2; end++)
        PetscCall(ink_mesh_array(system->mesh, &stencil->block[b].off[axis][end]));
  }
  const int reach = far_directions(stencil);
  if (reach > 0) PetscCall(PetscCalloc1(reach, &stencil->block[0].far));
  for (int d = 0; d < reach; d++)
    for (int end = 0; end < 2; end++) PetscCall(ink_mesh_array(system->mesh, &stencil->block[0].far[d][end]));
  PetscFunctionReturn(0);
}

static PetscErrorCode stencil_destroy(InkStencil *stencil) {
  PetscFunctionBeginUser;
  for (int d = 0; d < far_directions(stencil); d++)
    for (int end = 0; end < 2; end++) ink_mesh_free(&stencil->block[0].far[d][end]);
  PetscCall(PetscFree(stencil->block[0].far));
  for (int b = 0; b < stencil->n * stencil->n; b++) {
    ink_mesh_free(&stencil->block[b].diagonal);
    for (int axis = 0; axis < 3; axis++)
      for (int end = 0; end < 2; end++) ink_mesh_free(&stencil->block[b].off[axis][end]);
  }
  PetscCall(PetscFree(stencil->block));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_create(const InkSystem *system, InkNewton **newton, InkFailure *failure) {
  PetscFunctionBeginUser;
  *newton = NULL;
  InkLinear *linear;
  PetscCall(ink_linear_create(system->mesh, system->n, system->coupling, system->reach, system->symmetric,
                              &linear, failure));
  if (!linear) PetscFunctionReturn(0);
  InkNewton *w;
  PetscCall(PetscNew(&w));
  w->system = *system;
  w->linear = linear;
  w->matrix_rate = NAN;
  PetscCall(PetscCalloc1(system->n, &w->unit));
  PetscCall(stencil_create(system, &w->matrix));
  if (system->constant)
    PetscCall(stencil_create(system, &w->jacobian));
  else
    w->jacobian = w->matrix;
  PetscCall(ink_mesh_fields(system->mesh, system->n, &w->residual));
  PetscCall(ink_mesh_fields(system->mesh, system->n, &w->capacity));
  PetscCall(ink_mesh_fields(system->mesh, system->n, &w->update));
  if (system->capacity_derivative) PetscCall(ink_mesh_fields(system->mesh, system->n, &w->slope));
  if (system->n > 1) PetscCall(ink_mesh_fields(system->mesh, system->n, &w->scaled));
  *newton = w;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_destroy(InkNewton **newton) {
  PetscFunctionBeginUser;
  InkNewton *w = *newton;
  if (!w) PetscFunctionReturn(0);
  PetscCall(ink_linear_destroy(&w->linear));
  if (w->system.constant) PetscCall(stencil_destroy(&w->jacobian));
  PetscCall(stencil_destroy(&w->matrix));
  ink_mesh_free(&w->residual);
  ink_mesh_free(&w->capacity);
  ink_mesh_free(&w->update);
  ink_mesh_free(&w->slope);
  ink_mesh_free(&w->scaled);
  PetscCall(PetscFree(w->unit));
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
  for (int f = 0; f < system->n; f++)
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++) {
        const int64_t row = f * mesh->size + row_start(mesh, j, k), end = row + mesh->count[0];
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

/* The power of two next to a scale. */
static double power_of_two(double scale) {
  int exponent;
  const double mantissa = frexp(scale, &exponent);
  return scale > 0 && isfinite(scale) ? ldexp(1, mantissa > 0.70710678118654752 ? exponent : exponent - 1)
                                      : 1;
}

/* Sets the units of the matrix to come; true: they are those of the matrix in place. */
static bool set_units(InkNewton *newton, const double *scale) {
  bool same = true;
  newton->scale = scale[0];
  if (newton->system.n == 1) {
    newton->unit[0] = 1;
    return true;
  }
  for (int f = 0; f < newton->system.n; f++) {
    const double unit = power_of_two(scale[f]);
    same = same && unit == newton->unit[f];
    newton->unit[f] = unit;
  }
  return same;
}

/* Block (s,f) of rate (M + dM/du (u - base)) - dG/du, in units. */
static void combine_block(InkNewton *newton, const InkNewtonProblem *problem, double rate, const double *u,
                          int s, int f) {
  const InkMesh *mesh = newton->system.mesh;
  const int n = newton->system.n;
  const int64_t field = s * mesh->size;
  const double *m = newton->capacity + field, *base = problem->base + field, *now = u + field;
  const double *dm = newton->slope ? newton->slope + field : NULL;
  const InkBlock *from = &newton->jacobian.block[s * n + f], *to = &newton->matrix.block[s * n + f];
  const double factor = newton->unit[f] / newton->unit[s];
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k), end = row + mesh->count[0];
      double *diagonal = to->diagonal;
      if (s == f)
        for (int64_t c = row; c < end; c++) diagonal[c] = rate * m[c] - from->diagonal[c];
      else
        for (int64_t c = row; c < end; c++) diagonal[c] = -factor * from->diagonal[c];
      if (s == f && dm && rate != 0)
        for (int64_t c = row; c < end; c++) diagonal[c] += rate * dm[c] * (now[c] - base[c]);
      for (int axis = 0; axis < mesh->dim && to->off[0][0]; axis++)
        for (int side = 0; side < 2; side++)
          for (int64_t c = row; c < end; c++) to->off[axis][side][c] = -factor * from->off[axis][side][c];
      for (int d = 0; to->far && d < newton->matrix.reach->count; d++)
        for (int side = 0; side < 2; side++)
          for (int64_t c = row; c < end; c++) to->far[d][side][c] = -factor * from->far[d][side][c];
    }
}

/* No NaN or infinity in an array: then 0 times the sum of all is 0. */
static bool all_finite(const InkMesh *mesh, const double *values) {
  double bad = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = row_start(mesh, j, k);
      for (int64_t c = row; c < row + mesh->count[0]; c++) bad += 0 * values[c];
    }
  return bad == 0;
}

static PetscErrorCode matrix_is_finite(const InkNewton *newton, bool *finite) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = newton->system.mesh;
  int good = 1;
  for (int b = 0; b < newton->matrix.n * newton->matrix.n; b++) {
    const InkBlock *block = &newton->matrix.block[b];
    if (block->diagonal) good = good && all_finite(mesh, block->diagonal);
    for (int axis = 0; axis < mesh->dim && block->off[0][0]; axis++)
      for (int end = 0; end < 2; end++) good = good && all_finite(mesh, block->off[axis][end]);
    for (int d = 0; block->far && d < newton->matrix.reach->count; d++)
      for (int end = 0; end < 2; end++) good = good && all_finite(mesh, block->far[d][end]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, mesh->comm));
  *finite = good != 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_matrix(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                                 bool *finite) {
  PetscFunctionBeginUser;
  const InkSystem *system = &newton->system;
  const int n = system->n;
  const double rate = rounded(problem->rate);
  *finite = true;
  const bool same_units = set_units(newton, problem->scale);
  if (system->constant && newton->matrix_rate == rate && same_units) PetscFunctionReturn(0);
  newton->matrix_rate = NAN;
  if (!(system->constant && newton->jacobian_known))
    PetscCall(system->jacobian(system->context, problem->t, u, &newton->jacobian));
  newton->jacobian_known = true;
  if (!(system->constant && newton->capacity_known))
    PetscCall(system->capacity(system->context, problem->t, u, newton->capacity));
  newton->capacity_known = true;
  if (newton->slope) PetscCall(system->capacity_derivative(system->context, problem->t, u, newton->slope));
  /* Where rate is 0 base is not given, and not read; u stands in for it in the pointers. */
  InkNewtonProblem now = *problem;
  if (!now.base) now.base = u;
  for (int s = 0; s < n; s++)
    for (int f = 0; f < n; f++)
      if (newton->matrix.block[s * n + f].diagonal) combine_block(newton, &now, rate, u, s, f);
  PetscCall(matrix_is_finite(newton, finite));
  if (!*finite) PetscFunctionReturn(0);
  PetscCall(ink_linear_matrix(newton->linear, &newton->matrix, problem->keep_preconditioner));
  newton->matrix_rate = rate;
  PetscFunctionReturn(0);
}

/* values of field f *= factor of the field */
static void scale_fields(const InkNewton *newton, bool inverse, const double *from, double *to) {
  const InkMesh *mesh = newton->system.mesh;
  for (int f = 0; f < newton->system.n; f++) {
    const double factor = inverse ? 1 / newton->unit[f] : newton->unit[f];
    ink_field_combine(mesh, 1, 1, &(InkTerm){factor, from + f * mesh->size}, to + f * mesh->size);
  }
}

PetscErrorCode ink_newton_linear(InkNewton *newton, const double *b, double rtol, double atol, double *x,
                                 InkLinearResult *result) {
  PetscFunctionBeginUser;
  if (newton->system.n == 1) {
    PetscCall(ink_linear_solve(newton->linear, b, rtol, atol * newton->scale, x, result));
    PetscFunctionReturn(0);
  }
  scale_fields(newton, true, b, newton->scaled);
  PetscCall(ink_linear_solve(newton->linear, newton->scaled, rtol, atol, x, result));
  scale_fields(newton, false, x, x);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_newton_merit(InkNewton *newton, const double *residual, double *merit) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = newton->system.mesh;
  const int n = newton->system.n;
  double pair[2] = {0, 0};
  for (int s = 0; s < n; s++)
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t c = row_start(mesh, j, k) + i;
          double weight = 0;
          for (int f = 0; f < n; f++)
            if (newton->matrix.block[s * n + f].diagonal)
              weight += fabs(newton->matrix.block[s * n + f].diagonal[c]);
          const double r = fabs(residual[s * mesh->size + c]) / newton->unit[s];
          const double size = weight > 0 ? r / weight : r;
          pair[0] = size > pair[0] ? size : pair[0];
          if (!isfinite(size)) pair[1] = 1;
        }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, mesh->comm));
  *merit = pair[1] > 0 ? NAN : pair[0];
  PetscFunctionReturn(0);
}

/* One iteration from the residual in place: u -= matrix^-1 residual. */
static PetscErrorCode iterate(InkNewton *newton, const InkNewtonProblem *problem, double *u,
                              InkNewtonResult *result) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = newton->system.mesh;
  const int n = newton->system.n;
  InkNewtonProblem now = *problem;
  now.keep_preconditioner = problem->keep_preconditioner || result->iterations > 0;
  PetscCall(ink_newton_matrix(newton, &now, u, &result->finite));
  if (!result->finite) {
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason, "the matrix is not finite"));
    PetscFunctionReturn(0);
  }
  /* The solver's norm is a 2-norm, the tolerance a max norm: between "all of the error in one cell" and
   * "spread evenly" the fourth root of the number of values is the middle. */
  const double atol = 0.3 * problem->tolerance * sqrt(sqrt((double)n * (double)mesh->cells));
  InkLinearResult linear;
  PetscCall(ink_newton_linear(newton, newton->residual, 1e-12, atol, newton->update, &linear));
  result->linear_iterations += linear.iterations;
  result->iterations++;
  if (!linear.converged) {
    PetscCall(PetscStrncpy(result->reason, linear.reason, sizeof result->reason));
    PetscFunctionReturn(0);
  }
  ink_field_combine(mesh, n, 2, (InkTerm[]){{1, u}, {-1, newton->update}}, u);
  PetscCall(ink_field_norm(mesh, n, problem->scale, newton->update, &result->update));
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
    PetscCall(ink_field_norm(newton->system.mesh, newton->system.n, NULL, residual, &norm));
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
      PetscCall(PetscSNPrintf(result->reason, sizeof result->reason,
                              "Newton's method %s (%d iterations, last update %.3g of the field's range)",
                              diverges ? "diverges" : "does not converge", result->iterations,
                              result->update));
      break;
    }
  }
  PetscFunctionReturn(0);
}
