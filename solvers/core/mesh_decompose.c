/* How a mesh is cut among ranks: a grid of blocks. Pure functions, no MPI. */
#include "mesh.h"

/* Cost of one step on the largest part: its cells, and the cells of its halo of `layers` with a weight. A
 * face normal to x is gathered from strided memory and shortens the rows, so it counts double. */
static double part_cost(int dim, const int64_t cells[3], int64_t layers, const int grid[3]) {
  double count[3] = {1, 1, 1}, volume = 1;
  for (int a = 0; a < dim; a++) {
    count[a] = (double)((cells[a] + grid[a] - 1) / grid[a]);
    volume *= count[a];
  }
  double halo = 0;
  for (int a = 0; a < dim; a++)
    if (grid[a] > 1) halo += 2 * (a == 0 ? 2 : 1) * (volume / count[a]);
  return volume + 4 * (double)layers * halo;
}

/* Does every part get `least` cells along each axis? */
static bool parts_suffice(int dim, const int64_t cells[3], int64_t least, const int grid[3]) {
  for (int a = 0; a < 3; a++)
    if (a < dim ? cells[a] / grid[a] < least : grid[a] > 1) return false;
  return true;
}

bool ink_decompose(int ranks, int dim, const int64_t cells[3], int64_t least, int grid[3]) {
  bool found = false;
  double best = 0;
  /* Fewest cuts along x first, then along y: the first of equal costs is kept. */
  for (int p0 = 1; p0 <= ranks; p0++) {
    if (ranks % p0 != 0) continue;
    for (int p1 = 1; p1 <= ranks / p0; p1++) {
      if (ranks / p0 % p1 != 0) continue;
      int trial[3] = {p0, p1, ranks / p0 / p1};
      if (!parts_suffice(dim, cells, least, trial)) continue;
      double cost = part_cost(dim, cells, least, trial);
      if (found && cost >= best) continue;
      found = true;
      best = cost;
      for (int a = 0; a < 3; a++) grid[a] = trial[a];
    }
  }
  return found;
}

int ink_decompose_most(int ranks, int dim, const int64_t cells[3], int64_t least) {
  int grid[3];
  for (int most = ranks; most > 0; most--)
    if (ink_decompose(most, dim, cells, least, grid)) return most;
  return 0;
}

void ink_decompose_part(int64_t cells, int parts, int part, int64_t *start, int64_t *count) {
  int64_t each = cells / parts, rest = cells % parts;
  *count = each + (part < rest ? 1 : 0);
  *start = part * each + (part < rest ? part : rest);
}
