/* Edges along the integer offsets of Selling's decomposition, on the axes that off-diagonal diffusion
 * couples.
 *
 * From the cell c to c +- e flow V w(c) B(-+z) of its density (generator_legs.c), z the mean of the two
 * cells' where both have the direction, and not far from each other: then p w exp(-...) balances exactly over
 * an edge, and drift and diffusion are right to second order. The rest of the drift goes upwind along the
 * axes. */
#include "generator_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_owned(const InkMesh *mesh, const int64_t at[3]) {
  for (int a = 0; a < 3; a++)
    if (at[a] < 0 || at[a] >= mesh->count[a]) return false;
  return true;
}

/* The side that the way from cell `at` along e meets first and the part of the way inside; -1: none. */
static int first_side(const InkMesh *mesh, const int64_t at[3], const int e[3], double *part) {
  int side = -1;
  *part = 1.0;
  for (int a = 0; a < mesh->dim; a++) {
    const int64_t cell = mesh->start[a] + at[a], to = cell + e[a];
    if (mesh->axis[a].periodic || (to >= 0 && to < mesh->axis[a].cells)) continue;
    const bool above = e[a] > 0;
    const double inside = ((double)(above ? mesh->axis[a].cells - 1 - cell : cell) + 0.5) / abs(e[a]);
    if (side >= 0 && inside >= *part) continue;
    side = 2 * a + above;
    *part = inside;
  }
  return side;
}

/* A local cell with its legs. */
typedef struct Cell {
  int64_t at[3], cell;
  bool owned;
  const InkLegs *legs;
} Cell;

/* Adds the flow coefficient out of a cell along sign times direction d, and the cell's part of the edge's
 * excess. */
static void add(InkGenerator *generator, const Cell *from, int d, int sign, double coefficient,
                double excess) {
  const int64_t edge =
      sign > 0 ? from->cell : from->cell - ink_mesh_jump(generator->mesh, generator->offset[d]);
  (sign > 0 ? generator->up : generator->down)[d][edge] += coefficient;
  if (generator->excess[d]) generator->excess[d][edge] += excess;
}

/* z of a direction in the cell at the other end; the own one where that has no such direction. */
static double other_z(const InkLegs *legs, const InkLeg *own) {
  for (int k = 0; k < legs->count; k++)
    if (legs->leg[k].direction == own->direction) return legs->leg[k].z;
  return own->z;
}

/* Is one z of another order than the other? Then diffusion falls by an order between two cells, and the
 * mean would drive the cell that diffuses more by what only the other's drift is in its diffusion. */
static bool disagree(double z, double other) {
  const double low = fmin(fabs(z), fabs(other)), high = fmax(fabs(z), fabs(other));
  return high > 8.0 * (1.0 + low);
}

/* z of a step e; NaN where there is no slope. */
static double slope_along(const InkLegs *legs, const int e[3]) {
  return legs->slope[0] * e[0] + legs->slope[1] * e[1] + legs->slope[2] * e[2];
}

/* What leaves along sign times direction d: through a side, to a cell, or nowhere. leg: the direction's;
 * NULL: `rest` cells per time are carried upwind. */
static void leave(InkGenerator *generator, const Cell *from, int d, int sign, const InkLeg *leg, bool wall,
                  double rest) {
  const InkMesh *mesh = generator->mesh;
  const double volume = generator->volume[from->cell];
  int e[3];
  int64_t to[3];
  double part;
  for (int a = 0; a < 3; a++) {
    e[a] = sign * generator->offset[d][a];
    to[a] = from->at[a] + e[a];
  }
  if (!from->owned && !is_owned(mesh, to)) return;
  const int side = first_side(mesh, from->at, e, &part);
  if (side >= 0) {
    if (!from->owned || !generator->exit[side]) return;
    generator->exit[side][from->cell] +=
        leg ? volume * leg->weight / part * ink_bernoulli(-sign * leg->z * part) : volume * rest;
    return;
  }
  if (!leg) {
    add(generator, from, d, sign, volume * rest, 0.5 * sign * volume * rest);
    return;
  }
  const InkLegs *there = from->legs + sign * ink_mesh_jump(mesh, generator->offset[d]);
  double other = wall ? slope_along(there, generator->offset[d]) : other_z(there, leg);
  if (isnan(other) || disagree(leg->z, other)) other = leg->z;
  const double z = 0.5 * (leg->z + other);
  add(generator, from, d, sign, volume * leg->weight * ink_bernoulli(-sign * z),
      0.5 * volume * leg->weight * copysign(ink_excess(z), z));
}

/* ---- along reflecting walls ---- */

/* A cell's decomposition, from its legs. */
static void selling_of(const InkGenerator *generator, const InkSplitter *splitter, const InkLegs *legs,
                       InkSelling *selling) {
  *selling = (InkSelling){.count = legs->count};
  for (int k = 0; k < legs->count; k++) {
    selling->weight[k] = legs->leg[k].weight;
    for (int m = 0; m < splitter->dim; m++)
      selling->offset[k][m] = generator->offset[legs->leg[k].direction][splitter->axis[m]];
  }
}

/* The legs of the cell that lies `steps` times e away; NULL beyond a side. */
static const InkLegs *legs_at(const InkGenerator *generator, const Cell *from, const int e[3], int steps) {
  const int way[3] = {steps * e[0], steps * e[1], steps * e[2]};
  double part;
  if (first_side(generator->mesh, from->at, way, &part) >= 0) return NULL;
  return from->legs + ink_mesh_jump(generator->mesh, way);
}

/* div S at a cell beside a wall, along coupled axis a; one-sided at the wall's ends. */
static double divergence(const InkGenerator *generator, const InkSplitter *splitter, const Cell *from,
                         const InkWall *wall, int a) {
  double sum = 0.0;
  for (int b = 0; b < splitter->dim; b++) {
    double S[2] = {wall->S[a][b], wall->S[a][b]};
    int e[3] = {0}, apart = 0;
    if (b == wall->normal) continue;
    e[splitter->axis[b]] = 1;
    for (int end = 0; end < 2; end++) {
      const InkLegs *legs = legs_at(generator, from, e, end ? 1 : -1);
      InkSelling selling;
      InkWall there;
      if (!legs) continue;
      selling_of(generator, splitter, legs, &selling);
      (void)ink_generator_wall(splitter->dim, &selling, wall->normal, &there);
      S[end] = there.S[a][b];
      apart++;
    }
    if (apart > 0) sum += (S[1] - S[0]) / apart;
  }
  return sum;
}

/* How a leg's weight changes along its direction. */
static double change_of(const InkGenerator *generator, const Cell *from, const InkLeg *leg, int sign) {
  const InkLegs *there = legs_at(generator, from, generator->offset[leg->direction], sign);
  if (!there) return 0.0;
  for (int n = 0; n < there->count; n++)
    if (there->leg[n].direction == leg->direction) return there->leg[n].weight - leg->weight;
  return -leg->weight;
}

/* The drift that makes the edges along a wall carry what was lost (generator_wall.c). inward: 1 at a lower
 * side, -1 at an upper one. */
static void wall_drift(const InkGenerator *generator, const InkSplitter *splitter, const Cell *from,
                       const InkWall *wall, int inward, double drift[3]) {
  double bend = 0.0, change[INK_SELLING_MAX] = {0.0};
  const InkLegs *legs = from->legs;
  for (int k = 0; k < legs->count; k++) {
    if (wall->across[k] == 0) continue;
    change[k] = change_of(generator, from, &legs->leg[k], wall->across[k] > 0 ? inward : -inward);
    bend += abs(wall->across[k]) * change[k] / wall->D;
  }
  for (int a = 0; a < splitter->dim; a++) {
    if (a == wall->normal) continue;
    double sum = divergence(generator, splitter, from, wall, a);
    for (int k = 0; k < legs->count; k++)
      sum += inward * wall->part[k][a] * (bend * legs->leg[k].weight * abs(wall->across[k]) - change[k]);
    drift[splitter->axis[a]] += sum;
  }
}

/* What the side at the end (0 lower, 1 upper) of coupled axis m cuts off at a cell; false: nothing. */
static bool cut_off(const InkGenerator *generator, const InkSplitter *splitter, const Cell *from, int m,
                    int end, InkWall *wall) {
  const int a = splitter->axis[m];
  InkSelling selling;
  if (!ink_reflects(generator, 2 * a + end, from->at[a]) || isnan(from->legs->slope[0])) return false;
  selling_of(generator, splitter, from->legs, &selling);
  return ink_generator_wall(splitter->dim, &selling, m, wall);
}

static void leave_along_walls(InkGenerator *generator, const InkSplitter *splitter, const Cell *from) {
  InkSelling along;
  InkWall wall;
  for (int m = 0; m < splitter->dim; m++)
    for (int end = 0; end < 2; end++) {
      if (!cut_off(generator, splitter, from, m, end, &wall) || !ink_splitter_wall(splitter, &wall, &along))
        continue;
      for (int k = 0; k < along.count; k++) {
        const int d = ink_splitter_direction(splitter, along.offset[k]);
        const InkLeg leg = {d, along.weight[k], slope_along(from->legs, generator->offset[d])};
        for (int sign = -1; sign <= 1; sign += 2) leave(generator, from, d, sign, &leg, true, 0.0);
      }
    }
}

static void leave_cell(InkGenerator *generator, const InkSplitter *splitter, const Cell *from) {
  for (int k = 0; k < from->legs->count; k++) {
    const InkLeg *leg = &from->legs->leg[k];
    for (int sign = -1; sign <= 1; sign += 2) leave(generator, from, leg->direction, sign, leg, false, 0.0);
  }
  leave_along_walls(generator, splitter, from);
  for (int a = 0; a < generator->mesh->dim; a++)
    for (int sign = -1; sign <= 1; sign += 2) {
      const double rest = sign * from->legs->rest[a];
      if (!(rest <= 0.0)) leave(generator, from, a, sign, NULL, false, rest); /* NaN goes both ways */
    }
}

/* ---- all cells ---- */

/* Local cells of an axis that are needed: the owned ones and, where offsets run along it, the ghosts within
 * the domain. */
static void range(const InkGenerator *generator, int a, int64_t *first, int64_t *end) {
  const InkMesh *mesh = generator->mesh;
  const int64_t more = generator->parts->coupled[a] ? generator->parts->radius : 0;
  *first = -more;
  *end = mesh->count[a] + more;
  if (mesh->axis[a].periodic) return;
  if (*first < -mesh->start[a]) *first = -mesh->start[a];
  if (*end > mesh->axis[a].cells - mesh->start[a]) *end = mesh->axis[a].cells - mesh->start[a];
}

/* Does `step` for every row of the cells that are needed. */
typedef void (*RowStep)(InkGenerator *generator, void *context, const int64_t first[3], int64_t n);
static void each_row(InkGenerator *generator, RowStep step, void *context) {
  int64_t first[3], end[3], at[3];
  for (int a = 0; a < 3; a++) range(generator, a, &first[a], &end[a]);
  at[0] = first[0];
  for (at[2] = first[2]; at[2] < end[2]; at[2]++)
    for (at[1] = first[1]; at[1] < end[1]; at[1]++) step(generator, context, at, end[0] - first[0]);
}

typedef struct Splitting {
  InkSplitter splitter;
  double t, *drift[3];
} Splitting;

static void legs_of_row(InkGenerator *generator, void *context, const int64_t at[3], int64_t n) {
  Splitting *splitting = context;
  InkLegs *legs = generator->parts->legs + ink_local(generator->mesh, at[0], at[1], at[2]);
  ink_generator_cells(generator, splitting->t, at[0], n, at[1], at[2]);
  for (int64_t i = 0; i < n; i++) {
    ink_splitter_legs(&splitting->splitter, i, &legs[i]);
    if (splitting->splitter.good)
      generator->added = fmax(generator->added, splitting->splitter.selling.added);
  }
}

static Cell cell_at(const InkGenerator *generator, const int64_t first[3], int64_t i) {
  Cell cell = {.at = {first[0] + i, first[1], first[2]}};
  cell.cell = ink_local(generator->mesh, cell.at[0], cell.at[1], cell.at[2]);
  cell.owned = is_owned(generator->mesh, cell.at);
  cell.legs = generator->parts->legs + cell.cell;
  return cell;
}

static void leave_row(InkGenerator *generator, void *context, const int64_t first[3], int64_t n) {
  const Splitting *splitting = context;
  for (int64_t i = 0; i < n; i++) {
    const Cell from = cell_at(generator, first, i);
    leave_cell(generator, &splitting->splitter, &from);
  }
}

static void wall_drift_row(InkGenerator *generator, void *context, const int64_t first[3], int64_t n) {
  const Splitting *splitting = context;
  for (int64_t i = 0; i < n; i++) {
    const Cell cell = cell_at(generator, first, i);
    double drift[3] = {0.0};
    InkWall wall;
    if (!cell.owned) continue;
    for (int m = 0; m < splitting->splitter.dim; m++)
      for (int end = 0; end < 2; end++)
        if (cut_off(generator, &splitting->splitter, &cell, m, end, &wall))
          wall_drift(generator, &splitting->splitter, &cell, &wall, end ? -1 : 1, drift);
    for (int a = 0; a < generator->mesh->dim; a++) splitting->drift[a][cell.cell] = drift[a];
  }
}

static void add_drift_row(InkGenerator *generator, void *context, const int64_t first[3], int64_t n) {
  const Splitting *splitting = context;
  const int64_t cell = ink_local(generator->mesh, first[0], first[1], first[2]);
  for (int64_t i = cell; i < cell + n; i++)
    for (int a = 0; a < generator->mesh->dim; a++)
      generator->parts->legs[i].rest[a] += splitting->drift[a][i];
}

/* The drift along reflecting walls, of the owned cells, to all that need it. */
static PetscErrorCode add_wall_drifts(InkGenerator *generator, Splitting *splitting) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  bool walls = false;
  for (int side = 0; side < 2 * mesh->dim; side++)
    walls = walls || (generator->parts->coupled[side / 2] && !mesh->axis[side / 2].periodic &&
                      !generator->parts->absorbs[side]);
  if (!walls) PetscFunctionReturn(0);
  for (int a = 0; a < mesh->dim; a++) PetscCall(ink_mesh_array(mesh, &splitting->drift[a]));
  each_row(generator, wall_drift_row, splitting);
  for (int a = 0; a < mesh->dim; a++) PetscCall(ink_mesh_exchange(mesh, splitting->drift[a]));
  each_row(generator, add_drift_row, splitting);
  for (int a = 0; a < mesh->dim; a++) ink_mesh_free(&splitting->drift[a]);
  PetscFunctionReturn(0);
}

static void clear(InkGenerator *generator) {
  const InkMesh *mesh = generator->mesh;
  const size_t bytes = (size_t)mesh->size * sizeof(double);
  for (int d = 0; d < generator->directions; d++) {
    if (d < mesh->dim && !generator->parts->coupled[d]) continue;
    memset(generator->up[d], 0, bytes);
    memset(generator->down[d], 0, bytes);
    if (generator->excess[d]) memset(generator->excess[d], 0, bytes);
  }
  for (int side = 0; side < 2 * mesh->dim; side++)
    if (generator->exit[side] && generator->parts->coupled[side / 2]) memset(generator->exit[side], 0, bytes);
}

PetscErrorCode ink_generator_far(InkGenerator *generator, double t) {
  PetscFunctionBeginUser;
  struct InkGeneratorParts *parts = generator->parts;
  Splitting splitting = {.splitter = ink_splitter_of(generator, parts->radius), .t = t};
  if (!parts->legs) PetscCall(PetscMalloc1((size_t)generator->mesh->size, &parts->legs));
  clear(generator);
  each_row(generator, legs_of_row, &splitting);
  PetscCall(add_wall_drifts(generator, &splitting));
  each_row(generator, leave_row, &splitting);
  if (!parts->far_moves) PetscCall(PetscFree(parts->legs));
  PetscCall(ink_reduce_max(generator->mesh->comm, &generator->added));
  PetscFunctionReturn(0);
}
