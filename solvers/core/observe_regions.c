/* Connected regions of the cells above a level: spots, stripes.
 *
 * Cells are connected over faces, also across periodic ends. Each rank joins its own cells into parts (a
 * union-find in which the root of a part is its first cell) and gives every part the global number of its
 * first cell as a label, from 1. Then labels go across the ranks' borders, the smaller one wins, until none
 * changes: a region then has the label of its first cell everywhere, and the part that still has its own
 * label is counted for it. */
#include "observe_impl.h"

typedef struct Regions {
  const InkMesh *mesh;
  int64_t *parent; /* of owned cells, packed; -1: not above the level */
  double *part;    /* of roots: label of the part */
  double *label;   /* padded array that is exchanged; 0: not above the level */
} Regions;

static int64_t packed(const InkMesh *mesh, const int64_t p[3]) {
  return p[0] + mesh->count[0] * (p[1] + mesh->count[1] * p[2]);
}

static int64_t padded(const InkMesh *mesh, const int64_t p[3]) {
  return mesh->origin + p[0] + p[1] * mesh->stride[1] + p[2] * mesh->stride[2];
}

static int64_t root_of(int64_t *parent, int64_t cell) {
  while (parent[cell] != cell) { /* halving the path on the way */
    parent[cell] = parent[parent[cell]];
    cell = parent[cell];
  }
  return cell;
}

/* The lower number stays a root, so that a part's root is its first cell. */
static void join(int64_t *parent, int64_t a, int64_t b) {
  a = root_of(parent, a);
  b = root_of(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

/* The parts of this rank's cells. */
static void find_parts(const InkFieldView *view, double level, Regions *regions) {
  const InkMesh *mesh = view->mesh;
  const int64_t step[3] = {1, mesh->count[0], mesh->count[0] * mesh->count[1]};
  int64_t p[3];
  for (p[2] = 0; p[2] < mesh->count[2]; p[2]++)
    for (p[1] = 0; p[1] < mesh->count[1]; p[1]++)
      for (p[0] = 0; p[0] < mesh->count[0]; p[0]++) {
        int64_t cell = packed(mesh, p);
        regions->parent[cell] = view->values[padded(mesh, p)] > level ? cell : -1;
        if (regions->parent[cell] < 0) continue;
        for (int a = 0; a < mesh->dim; a++)
          if (p[a] > 0 && regions->parent[cell - step[a]] >= 0) join(regions->parent, cell, cell - step[a]);
      }
}

/* The label of the part whose first cell is p: its global number, from 1. */
static double first_label(const InkMesh *mesh, const int64_t p[3]) {
  int64_t row = (mesh->start[2] + p[2]) * mesh->axis[1].cells + mesh->start[1] + p[1];
  return (double)(row * mesh->axis[0].cells + mesh->start[0] + p[0] + 1);
}

/* Gives every part its first label, or counts those that still have it. */
static int64_t at_roots(Regions *regions, bool give) {
  const InkMesh *mesh = regions->mesh;
  int64_t kept = 0, p[3];
  for (p[2] = 0; p[2] < mesh->count[2]; p[2]++)
    for (p[1] = 0; p[1] < mesh->count[1]; p[1]++)
      for (p[0] = 0; p[0] < mesh->count[0]; p[0]++) {
        int64_t cell = packed(mesh, p);
        if (regions->parent[cell] != cell) continue;
        if (give) regions->part[cell] = first_label(mesh, p);
        kept += regions->part[cell] == first_label(mesh, p);
      }
  return kept;
}

/* What is done at a cell of the border: in the place of the ghost beside it a label has come. */
typedef void (*AtBorder)(Regions *regions, int64_t root, int64_t place, int64_t ghost, bool *changed);

static void show_label(Regions *regions, int64_t root, int64_t place, int64_t ghost, bool *changed) {
  (void)ghost;
  (void)changed;
  regions->label[place] = regions->part[root];
}

static void take_label(Regions *regions, int64_t root, int64_t place, int64_t ghost, bool *changed) {
  (void)place;
  double label = regions->label[ghost];
  if (label == 0 || label >= regions->part[root]) return;
  regions->part[root] = label;
  *changed = true;
}

/* Goes through the cells above the level that are the outermost ones of this rank. */
static void at_border(Regions *regions, AtBorder act, bool *changed) {
  const InkMesh *mesh = regions->mesh;
  for (int side = 0; side < 2 * mesh->dim; side++) {
    int a = side / 2;
    int64_t low[3] = {0, 0, 0}, high[3] = {mesh->count[0], mesh->count[1], mesh->count[2]}, p[3];
    low[a] = side % 2 == 0 ? 0 : mesh->count[a] - 1;
    high[a] = low[a] + 1;
    int64_t outwards = side % 2 == 0 ? -mesh->stride[a] : mesh->stride[a];
    for (p[2] = low[2]; p[2] < high[2]; p[2]++)
      for (p[1] = low[1]; p[1] < high[1]; p[1]++)
        for (p[0] = low[0]; p[0] < high[0]; p[0]++) {
          int64_t cell = packed(mesh, p), place = padded(mesh, p);
          if (regions->parent[cell] >= 0)
            act(regions, root_of(regions->parent, cell), place, place + outwards, changed);
        }
  }
}

static PetscErrorCode spread_labels(Regions *regions) {
  PetscFunctionBeginUser;
  for (int again = 1; again;) {
    bool changed = false;
    at_border(regions, show_label, &changed);
    PetscCall(ink_mesh_exchange(regions->mesh, regions->label));
    at_border(regions, take_label, &changed);
    again = changed;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &again, 1, MPI_INT, MPI_MAX, regions->mesh->comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_regions(const InkFieldView *view, double level, int64_t *count) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  const size_t cells = (size_t)(mesh->count[0] * mesh->count[1] * mesh->count[2]);
  Regions regions = {.mesh = mesh};
  PetscCall(PetscMalloc2(cells, &regions.parent, cells, &regions.part));
  PetscCall(ink_mesh_array(mesh, &regions.label));
  find_parts(view, level, &regions);
  (void)at_roots(&regions, true);
  PetscCall(spread_labels(&regions));
  *count = at_roots(&regions, false);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 1, MPI_INT64_T, MPI_SUM, mesh->comm));
  ink_mesh_free(&regions.label);
  PetscCall(PetscFree2(regions.parent, regions.part));
  PetscFunctionReturn(0);
}
