/* The equations that one solve answers: the stationary law, mean first-passage times, hitting probabilities,
 * modes.
 *
 * All but the modes are solved directly on rank 0 by elimination of the chain (core/elimination.h), which
 * keeps the relative accuracy of every entry. With a target the mean time of the paths that leave there is
 * E[T; target] / P[target], and E[T; target] solves the first-passage equation with u in place of 1. */
#include <math.h>
#include "../core/elimination.h"
#include "../core/memory.h"
#include "../core/reduction.h"
#include "../core/spectrum.h"
#include "fokker_planck_impl.h"

/* "0.12 GB". */
static void bytes_in_words(double bytes, char *text, size_t size) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
  int u = 0;
  for (; bytes >= 1000.0 && u < 4; u++) bytes /= 1000.0;
  snprintf(text, size, "%.3g %s", bytes, unit[u]);
}

/* What one processor does in eliminations of some size: 1e10 to 6e10 a second were measured. */
static const double operations_a_second = 1.5e10;

/* Bytes of the gathered chain, and of results. */
static double chain_bytes(const InkFokkerPlanck *f) {
  return 8.0 * (double)f->mesh->cells * (4.0 + 2.0 * f->generator->directions);
}

/* The elimination as far as the chain's shape says what it will take. */
static void plan_shape(const InkFokkerPlanck *f, double *bytes, double *operations) {
  int offset[INK_MAX_DIRECTIONS][3];
  InkChain shape = {.dim = f->mesh->dim, .directions = f->generator->directions, .offset = offset};
  for (int d = 0; d < shape.directions; d++)
    for (int a = 0; a < 3; a++) offset[d][a] = f->generator->offset[d][a];
  for (int a = 0; a < 3; a++) {
    shape.cells[a] = f->mesh->axis[a].cells;
    shape.periodic[a] = f->mesh->axis[a].periodic;
  }
  ink_elimination_plan(&shape, bytes, operations);
}

/* Offsets that few cells use cost more by the shape than they do: then the chain itself is looked at.
 * Collective. */
static PetscErrorCode plan_elimination(const InkFokkerPlanck *f, double plan[2], InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank;
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  PetscCall(ink_memory_check(f->comm, rank == 0 ? chain_bytes(f) : 0.0, failure));
  if (failure->code) PetscFunctionReturn(0);
  if (f->generator->directions == f->mesh->dim) {
    plan_shape(f, &plan[0], &plan[1]);
    PetscFunctionReturn(0);
  }
  InkChain chain = {0};
  PetscCall(ink_generator_gather(f->generator, &chain));
  if (rank == 0) ink_elimination_plan(&chain, &plan[0], &plan[1]);
  PetscCall(ink_chain_clear(&chain));
  PetscCallMPI(MPI_Bcast(plan, 2, MPI_DOUBLE, 0, f->comm));
  PetscFunctionReturn(0);
}

/* Arrays of all cells that the search for modes holds: the Krylov space, and twice the modes. */
static double spectrum_arrays(int modes) {
  const double wanted = modes + 5.0;
  return fmax(2.0 * wanted, wanted + 15.0) + 2.0 * wanted + 8.0;
}

PetscErrorCode ink_solve_create(InkFokkerPlanck *f, InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank;
  InkPlan *plan = &f->plan;
  const char *equation = ink_deck_text(f->deck, "equation");
  const double arrays = 8.0 * (double)f->mesh->size * (3.0 + f->n + 2.0 * f->generator->directions);
  double elimination[2] = {0.0, 0.0};
  char memory[32], modes[80] = "";
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  *plan = (InkPlan){.cells = (double)f->mesh->cells, .method = "steady", .steps = 1.0};
  PetscCall(plan_elimination(f, elimination, failure));
  if (failure->code) PetscFunctionReturn(0);
  double bytes = elimination[0] + chain_bytes(f);
  if (f->equation == INK_SPECTRUM) bytes += 8.0 * plan->cells * spectrum_arrays(f->n);
  bytes_in_words(bytes, memory, sizeof memory);
  plan->seconds = elimination[1] / operations_a_second;
  if (f->equation == INK_SPECTRUM)
    (void)snprintf(modes, sizeof modes, "the %d slowest modes by shift-and-invert Krylov-Schur, ", f->n);
  snprintf(plan->reason, sizeof plan->reason,
           "equation is %s: %sdirect elimination of %.0f cells on one rank, %s, %.2g operations", equation,
           modes, plan->cells, memory, elimination[1]);
  PetscCall(ink_memory_check(f->comm, arrays + (rank == 0 ? bytes : 0.0), failure));
  bytes = arrays + (rank == 0 ? bytes : 0.0);
  PetscCallMPI(MPI_Allreduce(&bytes, &plan->bytes_per_rank, 1, MPI_DOUBLE, MPI_MAX, f->comm));
  PetscFunctionReturn(0);
}

/* ---- on rank 0 ---- */

/* "cell (3, 0) at x = 0.1, y = 0" of a cell's number, x fastest. */
static void place_of(const InkMesh *mesh, int64_t cell, char *text, size_t size) {
  int64_t index[3];
  double at[3] = {0.0, 0.0, 0.0};
  for (int a = 0; a < 3; a++) {
    index[a] = cell % mesh->axis[a].cells;
    cell /= mesh->axis[a].cells;
    if (a < mesh->dim) at[a] = mesh->axis[a].centroid[index[a]];
  }
  ink_mesh_place(mesh, index, at, text, size);
}

static bool leaves(const InkChain *chain, int64_t cells) {
  for (int64_t c = 0; c < cells; c++)
    if (chain->exit[c] > 0.0) return true;
  return false;
}

static InkElimination *factor(const InkFokkerPlanck *f, const InkChain *chain, InkFailure *failure) {
  int64_t stuck = -1;
  char place[160];
  InkElimination *made = NULL;
  if (f->equation == INK_FIRST_PASSAGE && !leaves(chain, f->mesh->cells))
    stuck = 0;
  else
    made = ink_elimination_create(chain, NULL, &stuck);
  if (made) return made;
  if (stuck < 0) {
    ink_fail(failure, INK_NUMERICAL, "%s: there is not enough memory for the direct elimination: %s",
             f->name[0], f->plan.reason);
    return NULL;
  }
  place_of(f->mesh, stuck, place, sizeof place);
  if (f->equation == INK_STATIONARY)
    ink_fail(failure, INK_NUMERICAL,
             "p: from %s paths cannot reach the rest of the domain, so the stationary density is not unique: "
             "is the diffusion 0 somewhere, or the barrier too high for double precision?",
             place);
  else
    ink_fail(failure, INK_NUMERICAL,
             "%s: from %s paths never reach an absorbing side: is the diffusion 0 somewhere, or the barrier "
             "too high for double precision?",
             f->name[0], place);
  return NULL;
}

static double integral(const InkChain *chain, int64_t cells, const double *p) {
  InkSum sum;
  ink_sum_clear(&sum);
  for (int64_t c = 0; c < cells; c++) ink_sum_add(&sum, chain->volume[c] * p[c]);
  return ink_sum_round(&sum);
}

static void solve_stationary(const InkElimination *e, const InkChain *chain, int64_t cells, double *p) {
  ink_elimination_stationary(e, p);
  const double total = integral(chain, cells, p);
  for (int64_t c = 0; c < cells; c++) p[c] /= total;
}

/* Mean time of the paths that leave through the target, whose exits are given. Returns in how many cells
 * their probability is 0 in double precision; there the time is set to 0. */
static int64_t solve_conditional(const InkElimination *e, const InkChain *chain, int64_t cells,
                                 const double *target, double *u, double *tau) {
  int64_t unknown = 0;
  ink_elimination_backward(e, target, u);
  for (int64_t c = 0; c < cells; c++) tau[c] = chain->volume[c] * u[c];
  ink_elimination_backward(e, tau, tau);
  for (int64_t c = 0; c < cells; c++) {
    unknown += !(u[c] > 0.0);
    tau[c] = u[c] > 0.0 ? tau[c] / u[c] : 0.0;
  }
  return unknown;
}

/* result: [cells]. */
static PetscErrorCode solve_chain(InkFokkerPlanck *f, const InkChain *chain, const double *target,
                                  double *result, InkFailure *failure) {
  PetscFunctionBeginUser;
  const int64_t cells = f->mesh->cells;
  InkElimination *e = factor(f, chain, failure);
  if (!e) PetscFunctionReturn(0);
  if (f->equation == INK_STATIONARY)
    solve_stationary(e, chain, cells, result);
  else if (f->equation == INK_HITTING_PROBABILITY)
    ink_elimination_backward(e, target, result);
  else if (f->target < 0)
    ink_elimination_backward(e, chain->volume, result);
  else {
    double *u;
    PetscCall(PetscMalloc1((size_t)cells, &u));
    const int64_t unknown = solve_conditional(e, chain, cells, target, u, result);
    if (unknown > 0)
      snprintf(f->note, sizeof f->note,
               "tau is set to 0 in %lld cells from which %s is reached with a probability below 1e-300",
               (long long)unknown, ink_side_name(f->mesh, f->target));
    PetscCall(PetscFree(u));
  }
  ink_elimination_destroy(&e);
  for (int64_t c = 0; c < cells; c++) {
    char place[160];
    if (isfinite(result[c])) continue;
    place_of(f->mesh, c, place, sizeof place);
    ink_fail(failure, INK_NUMERICAL, "%s: is not finite in %s: it is too large for double precision",
             f->name[0], place);
    break;
  }
  PetscFunctionReturn(0);
}

/* ---- all ranks ---- */

static PetscErrorCode solve_direct(InkFokkerPlanck *f, InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank;
  InkChain chain = {0};
  double *target = NULL, *result = NULL;
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  const size_t cells = rank == 0 ? (size_t)f->mesh->cells : 0;
  PetscCall(PetscMalloc2(cells, &result, cells, &target));
  PetscCall(ink_generator_gather(f->generator, &chain));
  if (f->target >= 0) PetscCall(ink_mesh_gather(f->mesh, f->generator->exit[f->target], target));
  if (rank == 0) PetscCall(solve_chain(f, &chain, target, result, failure));
  PetscCall(ink_chain_clear(&chain));
  PetscCall(ink_failure_agree(f->comm, failure));
  if (!failure->code) PetscCall(ink_mesh_scatter(f->mesh, result, f->u));
  PetscCall(PetscFree2(result, target));
  PetscFunctionReturn(0);
}

/* The stationary density to second order where the generator's flow is upwind. */
static PetscErrorCode mend_stationary(InkFokkerPlanck *f) {
  PetscFunctionBeginUser;
  static const double tolerance = 1e-7, worth_telling = 1e-6;
  enum { MOST_TURNS = 300 };
  InkDeferred result;
  PetscCall(ink_antidiffusion_stationary(f->antidiffusion, f->now, tolerance, MOST_TURNS, f->u, &result));
  if (!result.converged)
    snprintf(f->note, sizeof f->note,
             "warning: p is of first order only where drift outweighs diffusion, and may be wrong by tens of "
             "percent: the second order did not settle in %d turns; take more cells",
             result.turns);
  else if (result.correction > worth_telling)
    snprintf(f->note, sizeof f->note,
             "p was mended to second order where drift outweighs diffusion: by up to %.2g of its maximum, in "
             "%d turns",
             result.correction, result.turns);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_solve(InkFokkerPlanck *f, InkFailure *failure) {
  PetscFunctionBeginUser;
  if (f->equation == INK_SPECTRUM) {
    double *mode[INK_MAX_MODES];
    for (int k = 0; k < f->n; k++) mode[k] = f->u + (int64_t)k * f->mesh->size;
    PetscCall(ink_spectrum(f->generator, f->n, f->decay, f->frequency, mode, failure));
  } else
    PetscCall(solve_direct(f, failure));
  if (!failure->code && f->antidiffusion) PetscCall(mend_stationary(f));
  f->solved = !failure->code;
  PetscFunctionReturn(0);
}
