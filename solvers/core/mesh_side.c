/* The sides of a mesh: names, existence, and the boundary cells a rank owns. */
#include "mesh_impl.h"

const char *ink_side_name(const InkMesh *mesh, int side) {
  return side / 2 < mesh->dim ? mesh->axis[side / 2].side[side % 2] : "";
}

bool ink_side_exists(const InkMesh *mesh, int side) {
  const InkAxis *axis = &mesh->axis[side / 2];
  return side / 2 < mesh->dim && !axis->periodic && (side % 2 == 1 || axis->has_min);
}

int64_t ink_side_count(const InkMesh *mesh, int side) {
  int axis = side / 2, edge = side % 2 == 0 ? 0 : mesh->ranks[axis] - 1;
  if (!ink_side_exists(mesh, side) || mesh->at[axis] != edge) return 0;
  int64_t count = 1;
  for (int a = 0; a < 3; a++)
    if (a != axis) count *= mesh->count[a];
  return count;
}

void ink_side_box(const InkMesh *mesh, int side, InkBox *box) {
  int normal = side / 2;
  bool owned = ink_side_count(mesh, side) > 0;
  *box = (InkBox){.rank = mesh->dim - 1};
  for (int a = mesh->dim - 1, slot = 0; a >= 0; a--) {
    if (a == normal) continue;
    box->size[slot] = (hsize_t)mesh->axis[a].cells;
    box->start[slot] = owned ? (hsize_t)mesh->start[a] : 0;
    box->count[slot] = owned ? (hsize_t)mesh->count[a] : 0;
    slot++;
  }
  if (box->rank == 0) { /* the one value of a side in 1-D, as an array of one: rank 0 cannot be empty */
    box->rank = 1;
    box->size[0] = 1;
    box->count[0] = owned ? 1 : 0;
  }
}
