/* Meshes: making them, their local arrays, and their boxes of the global arrays. */
#include "mesh_impl.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 8, PAGE = 512 }; /* doubles in a cache line and in 4096 bytes */

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/* Strides that are multiples of a page make neighbouring rows compete for the same cache sets. */
static int64_t off_page(int64_t stride) { return stride % PAGE == 0 ? stride + 2 * LINE : stride; }

static void layout(InkMesh *mesh) {
  const int64_t *count = mesh->count, width = mesh->width;
  mesh->stride[0] = 1;
  mesh->stride[1] = off_page(round_up(count[0] + 2 * width, LINE));
  mesh->stride[2] = off_page(mesh->stride[1] * (count[1] + (mesh->dim > 1 ? 2 * width : 0)));
  mesh->origin = round_up(width, LINE);
  for (int a = 1; a < mesh->dim; a++) mesh->origin += width * mesh->stride[a];
  int64_t last = mesh->origin; /* start of the last row, ghosts included */
  for (int a = 1; a < mesh->dim; a++) last += (count[a] + width - 1) * mesh->stride[a];
  mesh->size = last + round_up(count[0] + width, LINE);
}

static int rank_at(const InkMesh *mesh, const int at[3]) {
  return at[0] + mesh->ranks[0] * (at[1] + mesh->ranks[1] * at[2]);
}

static int neighbour_rank(const InkMesh *mesh, int axis, int step) {
  int at[3] = {mesh->at[0], mesh->at[1], mesh->at[2]}, ranks = mesh->ranks[axis];
  at[axis] += step;
  if (at[axis] < 0 || at[axis] >= ranks) {
    if (!mesh->axis[axis].periodic) return MPI_PROC_NULL;
    at[axis] = (at[axis] + ranks) % ranks;
  }
  return rank_at(mesh, at);
}

static void place(InkMesh *mesh, int rank) {
  mesh->at[0] = rank % mesh->ranks[0];
  mesh->at[1] = rank / mesh->ranks[0] % mesh->ranks[1];
  mesh->at[2] = rank / mesh->ranks[0] / mesh->ranks[1];
  for (int a = 0; a < 3; a++) {
    ink_decompose_part(mesh->axis[a].cells, mesh->ranks[a], mesh->at[a], &mesh->start[a], &mesh->count[a]);
    for (int end = 0; end < 2; end++) mesh->neighbour[a][end] = neighbour_rank(mesh, a, end == 0 ? -1 : 1);
  }
}

void ink_mesh_too_small(int ranks, int dim, const int64_t cells[3], int least, char *message, size_t size) {
  char shape[96] = "";
  for (int a = 0; a < dim; a++) {
    size_t used = strlen(shape);
    snprintf(shape + used, sizeof shape - used, "%s%lld", a > 0 ? " x " : "", (long long)cells[a]);
  }
  const int most = ink_decompose_most(ranks, dim, cells, least);
  char each[48] = "one";
  if (least > 1) snprintf(each, sizeof each, "%d along each axis", least);
  if (most == 0)
    snprintf(message, size, "mesh too small: %s cells, and %s are needed", shape, each);
  else
    snprintf(message, size,
             "mesh too small for %d ranks: %s cells cannot be cut so that every rank gets %s; use at most %d",
             ranks, shape, each, most);
}

static PetscErrorCode make_axes(const InkAxisSpec spec[], InkMesh *mesh) {
  PetscFunctionBeginUser;
  static const InkAxisSpec unused = {.from = 0, .to = 1, .cells = 1};
  static const int straight_axes[] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z},
                   round_axes[] = {INK_VAR_R, INK_VAR_Z, INK_VAR_Y};
  for (int a = 0; a < 3; a++) {
    bool used = a < mesh->dim;
    const bool straight = mesh->coordinates == INK_AXISYMMETRIC && a > 0;
    const int variable = (mesh->coordinates == INK_CARTESIAN ? straight_axes : round_axes)[a];
    PetscCall(ink_axis_create(used ? &spec[a] : &unused, variable,
                              used && !straight ? mesh->coordinates : INK_CARTESIAN, &mesh->axis[a]));
  }
  mesh->cells = mesh->axis[0].cells * mesh->axis[1].cells * mesh->axis[2].cells;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_build(MPI_Comm comm, const InkAxisSpec spec[], int dim, InkCoordinates coordinates,
                              InkMesh **mesh, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_build_wide(comm, spec, dim, coordinates, 1, mesh, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_build_wide(MPI_Comm comm, const InkAxisSpec spec[], int dim,
                                   InkCoordinates coordinates, int width, InkMesh **mesh,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  int size, rank;
  *mesh = NULL;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  InkMesh *made;
  PetscCall(PetscNew(&made));
  made->comm = MPI_COMM_NULL;
  made->dim = dim;
  made->coordinates = coordinates;
  made->width = width;
  PetscCall(make_axes(spec, made));
  int64_t cells[3] = {made->axis[0].cells, made->axis[1].cells, made->axis[2].cells};
  if (!ink_decompose(size, dim, cells, width, made->ranks)) {
    char message[256];
    ink_mesh_too_small(size, dim, cells, width, message, sizeof message);
    ink_fail(failure, INK_USAGE, "%s", message);
    PetscCall(ink_mesh_destroy(&made));
    PetscFunctionReturn(0);
  }
  PetscCallMPI(MPI_Comm_dup(comm, &made->comm)); /* so that halo messages meet no others */
  place(made, rank);
  layout(made);
  PetscCall(ink_halo_create(made, &made->halo));
  *mesh = made;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_destroy(InkMesh **mesh) {
  PetscFunctionBeginUser;
  if (!*mesh) PetscFunctionReturn(0);
  PetscCall(ink_halo_destroy(&(*mesh)->halo));
  for (int a = 0; a < 3; a++) ink_axis_destroy(&(*mesh)->axis[a]);
  if ((*mesh)->comm != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&(*mesh)->comm));
  PetscCall(PetscFree(*mesh));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_array(const InkMesh *mesh, double **values) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_fields(mesh, 1, values));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_fields(const InkMesh *mesh, int n, double **values) {
  PetscFunctionBeginUser;
  /* Large arrays in huge pages: a stencil walks three or more rows at once, and each page walk costs. */
  const size_t huge_page = 1u << 21;
  size_t bytes = (size_t)n * (size_t)mesh->size * sizeof **values; /* size is a multiple of 8 doubles */
  const bool huge = bytes >= 2 * huge_page;
  if (huge) bytes = (bytes + huge_page - 1) / huge_page * huge_page;
  *values = aligned_alloc(huge ? huge_page : 64, bytes);
  PetscCheck(*values, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for an array of %zu bytes", bytes);
  if (huge) madvise(*values, bytes, MADV_HUGEPAGE); /* advice: nothing is lost where it is not taken */
  memset(*values, 0, bytes);
  PetscFunctionReturn(0);
}

void ink_mesh_free(double **values) {
  free(*values);
  *values = NULL;
}

double ink_mesh_volume(const InkMesh *mesh, int64_t i, int64_t j, int64_t k) {
  return mesh->axis[0].volume[mesh->start[0] + i] * mesh->axis[1].volume[mesh->start[1] + j] *
         mesh->axis[2].volume[mesh->start[2] + k];
}

void ink_mesh_box(const InkMesh *mesh, InkBox *box) {
  *box = (InkBox){.rank = mesh->dim};
  for (int a = 0; a < mesh->dim; a++) {
    int slot = mesh->dim - 1 - a; /* storage order: slowest first */
    box->size[slot] = (hsize_t)mesh->axis[a].cells;
    box->start[slot] = (hsize_t)mesh->start[a];
    box->count[slot] = (hsize_t)mesh->count[a];
    box->stride[slot] = (hsize_t)mesh->stride[a];
  }
}

void ink_mesh_place(const InkMesh *mesh, const int64_t index[], const double at[], char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "cell (");
  for (int a = 0; a < mesh->dim && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%lld", a ? ", " : "", (long long)index[a]);
  for (int a = 0; a < mesh->dim && used < size; a++) {
    const InkAxis *axis = &mesh->axis[a];
    const bool unit = strcmp(axis->unit, "1") != 0;
    used += (size_t)snprintf(text + used, size - used, "%s%s = %.6g%s%s", a ? ", " : ") at ", axis->name,
                             at[a], unit ? " " : "", unit ? axis->unit : "");
  }
}
