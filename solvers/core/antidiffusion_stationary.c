/* The stationary density with the antidiffusive flows, by deferred correction.
 *
 * The generator alone is factored once, on rank 0, with a cell (the fullest one) from which the chain may
 * leave: what is put into a closed chain sums to zero, so nothing leaves, and the solution is that of the
 * closed chain which is 0 there. To it the generator's own stationary density is added until the content
 * is 1.
 *
 * The flows are limited as in a step (antidiffusion.c), but there is no step to say how far a flow takes a
 * cell: here the room of a cell is its distance from the values around it times the excess of its edges, so
 * that an extremum gets nothing and a smooth density everything (Kuzmin, J. Comput. Phys. 228 (2009) 2517).
 * Half a dozen turns find what is to be found; the limits, which have kinks, take more to settle, and do so
 * when each turn goes only most of the way. */
#include <math.h>
#include "antidiffusion_impl.h"
#include "elimination.h"

static const double PART = 0.7; /* of a turn's change that is made */

typedef struct Deferred {
  InkAntidiffusion *a;
  InkElimination *elimination; /* rank 0 */
  double *all;                 /* rank 0: [cells] */
  double *own;                 /* the generator's density */
  double *weight;              /* of a cell's room */
  double *work;
} Deferred;

/* ---- rank 0 ---- */

/* Factors the chain with a way out of the cell where `all` is largest; false: it cannot be. */
static PetscErrorCode factor(Deferred *w, const InkChain *chain, bool *fine) {
  PetscFunctionBeginUser;
  double *kill, largest = 0;
  int64_t cells = chain->cells[0] * chain->cells[1] * chain->cells[2], fullest = 0;
  for (int64_t c = 0; c < cells; c++)
    if (w->all[c] > w->all[fullest]) fullest = c;
  for (int d = 0; d < chain->directions; d++)
    for (int64_t c = 0; c < cells; c++)
      largest = ink_larger(largest, ink_larger(chain->up[d][c], chain->down[d][c]));
  PetscCall(PetscCalloc1(cells, &kill));
  kill[fullest] = largest;
  w->elimination = ink_elimination_create(chain, kill, NULL);
  *fine = w->elimination != NULL;
  PetscCall(PetscFree(kill));
  PetscFunctionReturn(0);
}

/* ---- all ranks ---- */

static void set_weights(Deferred *w) {
  const InkGenerator *generator = w->a->generator;
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++)
      for (int d = 0; d < generator->directions; d++)
        w->weight[c] +=
            2 * (fabs(generator->excess[d][c]) +
                 fabs(generator->excess[d][c - ink_mesh_jump(generator->mesh, generator->offset[d])]));
}

static PetscErrorCode begin(Deferred *w, const double *p, bool *fine) {
  PetscFunctionBeginUser;
  InkGenerator *generator = w->a->generator;
  const InkMesh *mesh = generator->mesh;
  InkChain chain;
  int rank, good = 1;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  PetscCall(ink_mesh_array(mesh, &w->own));
  PetscCall(ink_mesh_array(mesh, &w->weight));
  PetscCall(ink_mesh_array(mesh, &w->work));
  PetscCall(PetscMalloc1(rank == 0 ? mesh->cells : 0, &w->all));
  PetscCall(PetscArraycpy(w->own, p, mesh->size));
  set_weights(w);
  PetscCall(ink_mesh_gather(mesh, p, w->all));
  PetscCall(ink_generator_gather(generator, &chain));
  if (rank == 0) {
    PetscCall(factor(w, &chain, fine));
    good = *fine;
  }
  PetscCall(ink_chain_clear(&chain));
  PetscCallMPI(MPI_Bcast(&good, 1, MPI_INT, 0, mesh->comm));
  *fine = good != 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode end(Deferred *w) {
  PetscFunctionBeginUser;
  if (w->elimination) ink_elimination_destroy(&w->elimination);
  PetscCall(PetscFree(w->all));
  ink_mesh_free(&w->own);
  ink_mesh_free(&w->weight);
  ink_mesh_free(&w->work);
  PetscFunctionReturn(0);
}

/* What the limited antidiffusive flows at density p bring into each cell, into work. */
static PetscErrorCode find_inflow(Deferred *w, double *p) {
  PetscFunctionBeginUser;
  InkAntidiffusion *a = w->a;
  const InkGenerator *generator = a->generator;
  PetscCall(ink_mesh_exchange(generator->mesh, p));
  ink_antidiffusion_add(a, (InkFlowSum){.anti = 1, .dt = 2}, p, a->flow);
  ink_antidiffusion_shares(a, w->weight, p, p);
  PetscCall(ink_antidiffusion_limit(a, a->flow));
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) {
      w->work[c] = 0;
      for (int d = 0; d < generator->directions; d++)
        w->work[c] += a->flow[d][c - ink_mesh_jump(generator->mesh, generator->offset[d])] - a->flow[d][c];
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode content(const InkGenerator *generator, const double *p, double *value) {
  PetscFunctionBeginUser;
  InkSum sum;
  ink_sum_clear(&sum);
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++)
      ink_sum_add_product(&sum, generator->volume[c], p[c]);
  PetscCall(ink_sum_reduce(generator->mesh->comm, 1, &sum, value));
  PetscFunctionReturn(0);
}

/* One turn: p goes most of the way to the next; *change: the whole way, of the largest density. */
static PetscErrorCode turn(Deferred *w, double *p, double *change) {
  PetscFunctionBeginUser;
  const InkGenerator *generator = w->a->generator;
  double have, pair[2] = {0, 0};
  PetscCall(find_inflow(w, p));
  PetscCall(ink_mesh_gather(generator->mesh, w->work, w->all));
  if (w->elimination) ink_elimination_forward(w->elimination, w->all, w->all);
  PetscCall(ink_mesh_scatter(generator->mesh, w->all, w->work));
  PetscCall(content(generator, w->work, &have));
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) {
      const double way = w->work[c] + (1 - have) * w->own[c] - p[c];
      p[c] += PART * way;
      pair[0] = fmax(pair[0], isfinite(way) ? fabs(way) : INFINITY);
      pair[1] = fmax(pair[1], fabs(p[c]));
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, generator->mesh->comm));
  *change = pair[0] / pair[1];
  PetscFunctionReturn(0);
}

/* What the turns left in the round-off of the largest density, or below zero, is no more than nothing; there
 * the generator's own density, which is positive, knows better. Then the content is made 1. */
static PetscErrorCode finish(Deferred *w, double *p, InkDeferred *result) {
  PetscFunctionBeginUser;
  static const double nothing = 1e-13;
  const InkGenerator *generator = w->a->generator;
  double have, largest = 0, difference = 0;
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) largest = fmax(largest, p[c]);
  PetscCall(ink_reduce_max(generator->mesh->comm, &largest));
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++)
      p[c] = fmax(p[c], fmin(w->own[c], nothing * largest));
  PetscCall(content(generator, p, &have));
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) {
      p[c] /= have;
      difference = fmax(difference, fabs(p[c] - w->own[c]));
    }
  PetscCall(ink_reduce_max(generator->mesh->comm, &difference));
  result->correction = difference / largest;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_antidiffusion_stationary(InkAntidiffusion *antidiffusion, double t, double tolerance,
                                            int most, double *p, InkDeferred *result) {
  PetscFunctionBeginUser;
  /* Less than this is round-off, and would spoil the small values of a density that needs no mending. */
  static const double nothing = 1e-12;
  static const double settled = 1e-4; /* the kinks may keep it from settling further */
  Deferred w = {.a = antidiffusion};
  bool fine = false;
  *result = (InkDeferred){.change = INFINITY};
  PetscCall(ink_generator_at(antidiffusion->generator, t));
  PetscCall(begin(&w, p, &fine));
  while (fine && !result->converged && result->turns < most &&
         (result->turns == 0 || isfinite(result->change))) {
    PetscCall(turn(&w, p, &result->change));
    result->turns++;
    result->converged = result->change <= tolerance;
  }
  result->converged = result->converged || (result->turns == most && result->change <= settled);
  const bool as_it_was = !result->converged || (result->turns == 1 && result->change <= nothing);
  if (as_it_was)
    PetscCall(PetscArraycpy(p, w.own, antidiffusion->generator->mesh->size));
  else
    PetscCall(finish(&w, p, result));
  PetscCall(end(&w));
  PetscFunctionReturn(0);
}
