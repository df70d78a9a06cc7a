/* Probes: the value of a field at a point.
 *
 * Along each axis the point lies between two nodes: centroids, or the last centroid and the side. The 2^dim
 * combinations are the corners of a multilinear interpolation. A corner that lies on several sides at once
 * (edge or corner of the domain) is reached along each of them: side a gives s_a + sum over the other sides b
 * of the smaller of two changes towards b of one sign, that of the cell, s_b - u, and that of the side's own
 * values. Both are exact for linear fields; a side of equal values keeps its value up to its end. Of the
 * sides that disagree, those that had to be continued least count most.
 * The cell and side values needed are each owned by one rank; they are gathered bit by bit and all ranks
 * interpolate alike, so the result has the same bits on any rank count.
 */
#include "observe.h"
#include "observe_impl.h"
#include <math.h>
#include <string.h>

/* The two nodes along an axis: cell (global), the side it stands for (-1: the centroid), and the point's
 * place between them from 0 to 1. */
typedef struct InkNodes {
  int64_t cell[2];
  int side[2];
  double place;
} InkNodes;

enum { CORNERS = 8 };

/* What a corner's value is made of. Doubles only, as it is gathered as an array. */
typedef struct InkCorner {
  double cell;       /* of the cell the corner belongs to */
  double side[3];    /* on the side of each axis */
  double next[3][3]; /* [a][b]: on side a at the neighbouring cell along axis b, inwards */
} InkCorner;

static void nodes_beyond_min(const InkMesh *mesh, int a, double at, InkNodes *nodes) {
  const InkAxis *axis = &mesh->axis[a];
  double below = axis->from, first = axis->centroid[0];
  if (axis->periodic) {
    nodes->cell[0] = axis->cells - 1;
    below = axis->centroid[axis->cells - 1] - (axis->to - axis->from);
  } else if (axis->has_min)
    nodes->side[0] = 2 * a;
  nodes->place = (at - below) / (first - below);
}

static void nodes_beyond_max(const InkMesh *mesh, int a, double at, InkNodes *nodes) {
  const InkAxis *axis = &mesh->axis[a];
  double last = axis->centroid[axis->cells - 1], above = axis->to;
  nodes->cell[0] = nodes->cell[1] = axis->cells - 1;
  if (axis->periodic) {
    nodes->cell[1] = 0;
    above = axis->centroid[0] + (axis->to - axis->from);
  } else
    nodes->side[1] = 2 * a + 1;
  nodes->place = (at - last) / (above - last);
}

static InkNodes find_nodes(const InkMesh *mesh, int a, double at) {
  InkNodes nodes = {.cell = {0, 0}, .side = {-1, -1}, .place = 0};
  if (a >= mesh->dim) return nodes;
  const InkAxis *axis = &mesh->axis[a];
  at = fmin(fmax(at, axis->from), axis->to);
  if (at < axis->centroid[0])
    nodes_beyond_min(mesh, a, at, &nodes);
  else if (at >= axis->centroid[axis->cells - 1])
    nodes_beyond_max(mesh, a, at, &nodes);
  else {
    int64_t low = 0, high = axis->cells - 1; /* centroid[low] <= at < centroid[high] */
    while (high - low > 1) {
      int64_t middle = low + (high - low) / 2;
      if (axis->centroid[middle] <= at)
        low = middle;
      else
        high = middle;
    }
    nodes.cell[0] = low;
    nodes.cell[1] = high;
    nodes.place = (at - axis->centroid[low]) / (axis->centroid[high] - axis->centroid[low]);
  }
  return nodes;
}

/* Place of an owned boundary cell in the side's array. */
static int64_t side_index(const InkMesh *mesh, int axis, const int64_t local[3]) {
  int inner = axis == 0 ? 1 : 0, outer = axis == 2 ? 1 : 2;
  return local[inner] + mesh->count[inner] * local[outer];
}

/* The value on side `side` (-1: of the cell) at a cell that this rank owns; else 0. */
static double own_value(const InkFieldView *view, int side, const int64_t cell[3]) {
  const InkMesh *mesh = view->mesh;
  int64_t local[3], offset = mesh->origin;
  for (int a = 0; a < 3; a++) {
    local[a] = cell[a] - mesh->start[a];
    if (local[a] < 0 || local[a] >= mesh->count[a]) return 0;
    offset += local[a] * mesh->stride[a];
  }
  const double *values = side < 0 ? NULL : view->side_value[side];
  return values ? values[side_index(mesh, side / 2, local)] : view->values[offset];
}

/* What this rank knows of a corner; what it does not own stays 0. */
static void own_parts(const InkFieldView *view, const InkNodes nodes[3], int corner, InkCorner *parts) {
  int64_t cell[3];
  int side[3];
  for (int a = 0; a < 3; a++) {
    cell[a] = nodes[a].cell[corner >> a & 1];
    side[a] = nodes[a].side[corner >> a & 1];
  }
  parts->cell = own_value(view, -1, cell);
  for (int a = 0; a < 3; a++) {
    if (side[a] < 0) continue;
    parts->side[a] = own_value(view, side[a], cell);
    for (int b = 0; b < 3; b++) {
      if (b == a || side[b] < 0 || view->mesh->axis[b].cells < 2) continue;
      int64_t next[3] = {cell[0], cell[1], cell[2]};
      next[b] += side[b] % 2 == 0 ? 1 : -1;
      parts->next[a][b] = own_value(view, side[a], next);
    }
  }
}

/* The way from the last centroid to the side, over that between the last two. */
static double reach(const InkAxis *axis, int side) {
  const double *c = axis->centroid;
  const int64_t n = axis->cells;
  return side % 2 == 0 ? (c[0] - axis->from) / (c[1] - c[0]) : (axis->to - c[n - 1]) / (c[n - 1] - c[n - 2]);
}

static double smaller(double a, double b) {
  if ((a > 0) != (b > 0) || a == 0 || b == 0) return 0;
  return fabs(a) < fabs(b) ? a : b;
}

static double corner_value(const InkMesh *mesh, const InkNodes nodes[3], int corner, const InkCorner *parts) {
  double value[3], way[3], least = INFINITY, sum = 0, weights = 0;
  int side[3], sides = 0;
  for (int a = 0; a < 3; a++) sides += (side[a] = nodes[a].side[corner >> a & 1]) >= 0;
  if (sides == 0) return parts->cell;
  for (int a = 0; a < 3; a++) {
    if (side[a] < 0) continue;
    value[a] = parts->side[a];
    way[a] = 0;
    for (int b = 0; b < 3; b++) {
      if (b == a || side[b] < 0) continue;
      double change = parts->side[b] - parts->cell;
      if (mesh->axis[b].cells > 1)
        change = smaller(change, reach(&mesh->axis[b], side[b]) * (parts->side[a] - parts->next[a][b]));
      value[a] += change;
      way[a] += fabs(change);
    }
    least = fmin(least, way[a]);
  }
  for (int a = 0; a < 3; a++) {
    if (side[a] < 0) continue;
    const double weight = way[a] > 0 ? least / way[a] : 1;
    sum += weight * value[a];
    weights += weight;
  }
  return sum / weights;
}

static double between(double a, double b, double place) {
  if (place == 1) return b;
  return place == 0 ? a : a + place * (b - a);
}

bool ink_probe_inside(int dim, const double from[], const double to[], const double at[]) {
  for (int a = 0; a < dim; a++)
    if (!(at[a] >= from[a] && at[a] <= to[a])) return false;
  return true;
}

PetscErrorCode ink_observe_gather(MPI_Comm comm, int count, double *values) {
  PetscFunctionBeginUser;
  PetscCheck(sizeof(uint64_t) == sizeof(double), PETSC_COMM_SELF, PETSC_ERR_SUP,
             "a double is not 64 bits wide");
  uint64_t *bits;
  PetscCall(PetscMalloc1((size_t)count, &bits));
  memcpy(bits, values, (size_t)count * sizeof *bits);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bits, count, MPI_UINT64_T, MPI_SUM, comm));
  memcpy(values, bits, (size_t)count * sizeof *bits);
  PetscCall(PetscFree(bits));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_probe(const InkFieldView *view, const double at[3], double *value) {
  PetscFunctionBeginUser;
  InkNodes nodes[3];
  InkCorner parts[CORNERS] = {0};
  double corner[CORNERS];
  for (int a = 0; a < 3; a++) nodes[a] = find_nodes(view->mesh, a, at[a]);
  for (int c = 0; c < CORNERS; c++) own_parts(view, nodes, c, &parts[c]);
  PetscCall(ink_observe_gather(view->mesh->comm, CORNERS * (int)(sizeof parts[0] / sizeof(double)),
                               &parts[0].cell));
  for (int c = 0; c < CORNERS; c++) corner[c] = corner_value(view->mesh, nodes, c, &parts[c]);
  for (int a = 0; a < 3; a++) /* pairs of corners that differ along axis a, then of what is left */
    for (int c = 0; c < CORNERS >> (a + 1); c++)
      corner[c] = between(corner[2 * c], corner[2 * c + 1], nodes[a].place);
  *value = corner[0];
  PetscFunctionReturn(0);
}
