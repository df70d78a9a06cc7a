/* Probes: the value of a field at a point.
 *
 * Along each axis the point lies between two nodes: centroids, or the last centroid and the side. The 2^dim
 * combinations are the corners of a multilinear interpolation. A corner that lies on several sides at once
 * (edge or corner of the domain) takes u + sum over its sides (s_a - u), with u the boundary cell's value and
 * s_a the value on side a: exact for linear fields. The cell and side values needed are each owned by one
 * rank; they are gathered bit by bit and all ranks interpolate alike, so the result has the same bits on any
 * rank count.
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

enum { CORNERS = 8, PARTS = 4 }; /* of a corner: the cell's value, and the value on the side of each axis */

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

/* What this rank knows of a corner; the parts it does not own stay 0. */
static void own_parts(const InkFieldView *view, const InkNodes nodes[3], int corner, double parts[PARTS]) {
  const InkMesh *mesh = view->mesh;
  int64_t local[3], offset = mesh->origin;
  for (int a = 0; a < 3; a++) {
    local[a] = nodes[a].cell[corner >> a & 1] - mesh->start[a];
    if (local[a] < 0 || local[a] >= mesh->count[a]) return;
    offset += local[a] * mesh->stride[a];
  }
  parts[0] = view->values[offset];
  for (int a = 0; a < 3; a++) {
    int side = nodes[a].side[corner >> a & 1];
    if (side < 0) continue;
    const double *values = view->side_value[side];
    parts[1 + a] = values ? values[side_index(mesh, a, local)] : parts[0];
  }
}

static double corner_value(const InkNodes nodes[3], int corner, const double parts[PARTS]) {
  int sides = 0, only = 0;
  double value = parts[0];
  for (int a = 0; a < 3; a++) {
    if (nodes[a].side[corner >> a & 1] < 0) continue;
    sides++;
    only = a;
    value += parts[1 + a] - parts[0];
  }
  return sides == 1 ? parts[1 + only] : value;
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
  double parts[CORNERS][PARTS] = {{0}}, corner[CORNERS];
  for (int a = 0; a < 3; a++) nodes[a] = find_nodes(view->mesh, a, at[a]);
  for (int c = 0; c < CORNERS; c++) own_parts(view, nodes, c, parts[c]);
  PetscCall(ink_observe_gather(view->mesh->comm, CORNERS * PARTS, parts[0]));
  for (int c = 0; c < CORNERS; c++) corner[c] = corner_value(nodes, c, parts[c]);
  for (int a = 0; a < 3; a++) /* pairs of corners that differ along axis a, then of what is left */
    for (int c = 0; c < CORNERS >> (a + 1); c++)
      corner[c] = between(corner[2 * c], corner[2 * c + 1], nodes[a].place);
  *value = corner[0];
  PetscFunctionReturn(0);
}
