/* Cells beside reflecting walls at which the density grows without bound: what flows out of them along the
 * axis is that of their mean density (wall_law.h). Every rank evaluates the wall for the cells it needs. */
#include "generator_impl.h"

/* A row of n places at a wall: one of an axis along x, else the owned cells of row (at[1], at[2]). */
typedef struct WallRow {
  int side;
  double t;
  int64_t n, at[3];
} WallRow;

void ink_generator_set_laws(InkGenerator *generator) {
  const InkMesh *mesh = generator->mesh;
  for (int side = 0; side < 2 * mesh->dim; side++) {
    const InkAxis *axis = &mesh->axis[side / 2];
    InkWallLaw *law = &generator->parts->law[side];
    law->cells = 0;
    if (!axis->periodic && !generator->parts->absorbs[side] && !generator->parts->coupled[side / 2])
      ink_wall_law(axis->cells, axis->face, axis->centroid, side % 2, law);
  }
}

/* Runs a program of the axis at the row's places, at `along` of it. */
static void run_at(const InkGenerator *generator, const WallRow *row, const InkProgram *program, double along,
                   double *const out[]) {
  const struct InkGeneratorParts *parts = generator->parts;
  const int axis = row->side / 2;
  const double *x = axis == 0 ? &along : parts->at[0];
  const double y = axis == 1 ? along : parts->at[1][row->at[1]];
  const double z = axis == 2 ? along : parts->at[2][row->at[2]];
  ink_generator_run(program, row->n, x, y, z, row->t, out);
}

/* The densities at the row's places: a into rows.area, growth into rows.distance; false when all a are 1. */
static bool densities(const InkGenerator *generator, const WallRow *row) {
  static const double part[2] = {0x1p-6, 0x1p-10}; /* of the way to the first centroid */
  const InkGeneratorRows *rows = &generator->parts->rows;
  const int axis = row->side / 2;
  const InkAxis *along = &generator->mesh->axis[axis];
  const InkProgram *program = generator->parts->edge[axis];
  const double wall = row->side % 2 ? along->to : along->from, way = row->side % 2 ? -1.0 : 1.0;
  const double reach = along->centroid[row->side % 2 ? along->cells - 1 : 0] - wall;
  double *const near[2] = {rows->low, rows->high};
  InkWallProcess at = {.centroid = fabs(reach)};
  bool inwards = false, some = false;
  run_at(generator, row, program, wall, (double *const[]){rows->drift[0], rows->diffusion[0]});
  for (int64_t i = 0; i < row->n; i++) inwards = inwards || way * rows->drift[0][i] > 0.0;
  if (!inwards) return false;
  for (int p = 1; p >= 0; p--) {
    const double place = wall + part[p] * reach;
    at.y[p] = fabs(place - wall);
    run_at(generator, row, program, place, (double *const[]){rows->drift[1], near[p]});
  }
  for (int64_t i = 0; i < row->n; i++) {
    at.drift = way * rows->drift[0][i];
    at.D = rows->diffusion[0][i];
    at.drift_y = way * rows->drift[1][i];
    for (int p = 0; p < 2; p++) at.D_y[p] = near[p][i];
    const InkWallDensity density = ink_wall_density(&at);
    rows->area[i] = density.a;
    rows->distance[i] = density.growth;
    some = some || density.a < 1.0;
  }
  return some;
}

/* What leaves the cells of layer `c` from the wall, along its axis. */
static void take_means(InkGenerator *generator, const WallRow *row, int c) {
  const InkMesh *mesh = generator->mesh;
  const int axis = row->side / 2;
  const int64_t cells = mesh->axis[axis].cells;
  const int64_t layer = (row->side % 2 ? cells - 1 - c : c) - mesh->start[axis];
  int64_t at[3] = {0, row->at[1], row->at[2]};
  if (layer < -1 || layer > mesh->count[axis]) return;
  at[axis] = layer;
  const int64_t cell = ink_local(mesh, at[0], at[1], at[2]);
  double *up = generator->up[axis] + cell, *down = generator->down[axis] + cell - mesh->stride[axis];
  for (int64_t i = 0; i < row->n; i++) {
    const InkWallDensity density = {generator->parts->rows.area[i], generator->parts->rows.distance[i]};
    if (!(density.a < 1.0)) continue;
    const double g = ink_wall_mean(&generator->parts->law[row->side], c, density);
    if (layer < mesh->count[axis]) up[i] /= g;
    if (layer >= 0) down[i] /= g;
  }
}

/* Has this rank edges of cells that the wall's law concerns? */
static bool concerns(const InkGenerator *generator, int side) {
  const InkMesh *mesh = generator->mesh;
  const int a = side / 2, depth = generator->parts->law[side].cells;
  if (depth == 0) return false;
  const int64_t first = mesh->start[a] - 1, last = mesh->start[a] + mesh->count[a];
  return side % 2 ? last >= mesh->axis[a].cells - depth : first < depth;
}

void ink_generator_laws(InkGenerator *generator, int axis, double t) {
  const InkMesh *mesh = generator->mesh;
  for (int side = 2 * axis; side <= 2 * axis + 1; side++) {
    if (!concerns(generator, side)) continue;
    const int64_t rows = axis == 1 ? 1 : mesh->count[1], planes = axis == 2 ? 1 : mesh->count[2];
    WallRow row = {.side = side, .t = t, .n = axis == 0 ? 1 : mesh->count[0]};
    for (row.at[2] = 0; row.at[2] < planes; row.at[2]++)
      for (row.at[1] = 0; row.at[1] < rows; row.at[1]++)
        if (densities(generator, &row))
          for (int c = 0; c < generator->parts->law[side].cells; c++) take_means(generator, &row, c);
  }
}
