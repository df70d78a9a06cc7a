/* Edges along the axes that no off-diagonal diffusion couples: Scharfetter-Gummel rates from drift and
 * diffusion at two Gauss points between neighbouring centroids and diffusion at these. Places beyond the
 * owned cells are evaluated here as well as by their owner, so nothing is exchanged. */
#include "generator_impl.h"
#include <string.h>

static void fill(int64_t n, double value, double *to) {
  for (int64_t i = 0; i < n; i++) to[i] = value;
}

/* Negative diffusion has no process: NaN, which ends the run with a failure that names the place. */
static void refuse(int64_t n, double *diffusion) {
  for (int64_t i = 0; i < n; i++) diffusion[i] = diffusion[i] < 0.0 ? NAN : diffusion[i];
}

void ink_generator_edges(const InkGenerator *generator, double t, const InkEdgeSpan *span) {
  const struct InkGeneratorParts *parts = generator->parts;
  const InkGeneratorRows *rows = &parts->rows;
  const int axis = span->axis;
  for (int p = 0; p < 2; p++) {
    const double *x = axis == 0 ? parts->gauss[0][p] : parts->at[0];
    const double y = axis == 1 ? parts->gauss[1][p][span->at[1]] : parts->at[1][span->at[1]];
    const double z = axis == 2 ? parts->gauss[2][p][span->at[2]] : parts->at[2][span->at[2]];
    ink_generator_run(parts->edge[axis], span->n, x + span->first, y, z, t,
                      (double *const[]){rows->drift[p], rows->diffusion[p]});
  }
}

/* D_aa at n cells of row (j, k). */
static void centres(const InkGenerator *generator, int axis, double t, int64_t first, int64_t n, int64_t j,
                    int64_t k, double *to) {
  const struct InkGeneratorParts *parts = generator->parts;
  ink_generator_run(parts->centre[axis], n, parts->at[0] + first, parts->at[1][j], parts->at[2][k], t,
                    (double *const[]){to});
  refuse(n, to);
}

static InkEdgeRow row_of(const InkGeneratorRows *rows) {
  return (InkEdgeRow){.drift = {rows->drift[0], rows->drift[1]},
                      .diffusion = {rows->diffusion[0], rows->diffusion[1]},
                      .low = rows->low,
                      .high = rows->high,
                      .distance = rows->distance,
                      .area = rows->area};
}

/* ---- along x: a row's edges, that below its first cell included ---- */

static void along_row(InkGenerator *generator, double t, int64_t j, int64_t k) {
  const InkMesh *mesh = generator->mesh;
  const InkGeneratorRows *rows = &generator->parts->rows;
  const int64_t n = mesh->count[0] + 1, cell = ink_local(mesh, -1, j, k);
  double *up = generator->up[0] + cell, *down = generator->down[0] + cell;
  ink_generator_edges(generator, t, &(InkEdgeSpan){.first = -1, .n = n, .at = {0, j, k}});
  for (int p = 0; p < 2; p++) refuse(n, rows->diffusion[p]);
  centres(generator, 0, t, -1, n + 1, j, k, rows->low);
  fill(n, mesh->axis[1].volume[mesh->start[1] + j] * mesh->axis[2].volume[mesh->start[2] + k], rows->area);
  InkEdgeRow row = row_of(rows);
  row.high = rows->low + 1;
  row.distance = generator->parts->distance[0] - 1;
  ink_edge_rates(n, &row, up, down);
  if (ink_is_wall(mesh, 0, -1)) up[0] = down[0] = 0.0;
  if (ink_is_wall(mesh, 0, n - 2)) up[n - 1] = down[n - 1] = 0.0;
  if (!generator->excess[0]) return;
  double *excess = generator->excess[0] + cell;
  ink_edge_excess(n, &row, excess);
  if (ink_is_wall(mesh, 0, -1)) excess[0] = 0.0;
  if (ink_is_wall(mesh, 0, n - 2)) excess[n - 1] = 0.0;
}

/* ---- across rows ---- */

/* Areas of a row's faces normal to y or z. */
static void set_areas(const InkGenerator *generator, int axis, int64_t other) {
  const InkMesh *mesh = generator->mesh;
  const int b = 3 - axis;
  const double depth = mesh->axis[b].volume[mesh->start[b] + other];
  const double *width = mesh->axis[0].volume + mesh->start[0];
  for (int64_t i = 0; i < mesh->count[0]; i++) generator->parts->rows.area[i] = width[i] * depth;
}

/* The edges between the rows of a plane normal to the other axis. */
static void across_plane(InkGenerator *generator, int axis, double t, int64_t other) {
  const InkMesh *mesh = generator->mesh;
  InkGeneratorRows *rows = &generator->parts->rows;
  const int64_t n = mesh->count[0];
  int64_t at[3] = {0, other, other}, known = -2; /* the row whose diffusion stands in rows->low */
  set_areas(generator, axis, other);
  for (int64_t edge = -1; edge < mesh->count[axis]; edge++) {
    at[axis] = edge;
    const int64_t cell = ink_local(mesh, 0, at[1], at[2]);
    double *up = generator->up[axis] + cell, *down = generator->down[axis] + cell;
    if (ink_is_wall(mesh, axis, edge)) {
      fill(n, 0.0, up);
      fill(n, 0.0, down);
      continue;
    }
    ink_generator_edges(generator, t, &(InkEdgeSpan){.axis = axis, .n = n, .at = {at[0], at[1], at[2]}});
    for (int p = 0; p < 2; p++) refuse(n, rows->diffusion[p]);
    if (known != edge) centres(generator, axis, t, 0, n, at[1], at[2], rows->low);
    at[axis] = edge + 1;
    centres(generator, axis, t, 0, n, at[1], at[2], rows->high);
    fill(n, generator->parts->distance[axis][edge], rows->distance);
    const InkEdgeRow row = row_of(rows);
    ink_edge_rates(n, &row, up, down);
    if (generator->excess[axis]) ink_edge_excess(n, &row, generator->excess[axis] + cell);
    double *const swap = rows->low;
    rows->low = rows->high;
    rows->high = swap;
    known = edge + 1;
  }
}

/* ---- exits ---- */

/* From n cells of row (at[1], at[2]), the first at at[0], through a side. */
static void exit_row(InkGenerator *generator, int side, double t, int64_t n, const int64_t at[3]) {
  const InkMesh *mesh = generator->mesh;
  const InkGeneratorRows *rows = &generator->parts->rows;
  const int axis = side / 2;
  const int64_t wall = side % 2 ? mesh->count[axis] - 1 : -1;
  InkEdgeSpan span = {.axis = axis, .first = at[0], .n = n, .at = {at[0], at[1], at[2]}};
  if (axis == 0) span.first = wall;
  span.at[axis] = wall;
  ink_generator_edges(generator, t, &span);
  for (int p = 0; p < 2; p++) {
    refuse(n, rows->diffusion[p]);
    for (int64_t i = 0; side % 2 == 0 && i < n; i++) rows->drift[p][i] = -rows->drift[p][i];
  }
  centres(generator, axis, t, at[0], n, at[1], at[2], rows->low);
  fill(n, generator->parts->distance[axis][wall], rows->distance);
  const InkEdgeRow row = row_of(rows);
  ink_exit_rates(n, &row, generator->exit[side] + ink_local(mesh, at[0], at[1], at[2]));
}

static void exits(InkGenerator *generator, int side, double t) {
  const InkMesh *mesh = generator->mesh;
  const int axis = side / 2;
  int64_t at[3], last[3], count = axis == 0 ? 1 : mesh->count[0];
  if (!generator->exit[side] || !ink_touches(mesh, side)) return;
  for (int a = 0; a < 3; a++) {
    at[a] = a == axis && side % 2 ? mesh->count[a] - 1 : 0;
    last[a] = a == axis ? at[a] + 1 : mesh->count[a];
  }
  const int64_t first = at[1];
  for (; at[2] < last[2]; at[2]++)
    for (at[1] = first; at[1] < last[1]; at[1]++) {
      const double x = mesh->axis[1].volume[mesh->start[1] + at[1]],
                   y = mesh->axis[2].volume[mesh->start[2] + at[2]];
      if (axis == 0)
        generator->parts->rows.area[0] = x * y;
      else
        set_areas(generator, axis, at[3 - axis]);
      exit_row(generator, side, t, count, at);
    }
}

void ink_generator_axis(InkGenerator *generator, int axis, double t) {
  const InkMesh *mesh = generator->mesh;
  if (axis == 0)
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++) along_row(generator, t, j, k);
  else
    for (int64_t other = 0; other < mesh->count[3 - axis]; other++) across_plane(generator, axis, t, other);
  ink_generator_laws(generator, axis, t);
  for (int end = 0; end < 2; end++) exits(generator, 2 * axis + end, t);
}
