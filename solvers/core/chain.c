/* Chains on one rank: arrays of the mesh gathered on rank 0 and scattered from there.
 *
 * Rank 0 asks each rank where its box of cells lies and takes the boxes one after the other, so that besides
 * the whole it holds one rank's part at a time. */
#include "elimination.h"
#include "generator.h"

enum { TAG_VALUES = 1 };

/* A rank's owned cells: fewer than 2^31. */
typedef struct Part {
  int64_t start[3], count[3];
} Part;

static Part own_part(const InkMesh *mesh) {
  Part part;
  for (int a = 0; a < 3; a++) {
    part.start[a] = mesh->start[a];
    part.count[a] = mesh->count[a];
  }
  return part;
}

static int64_t part_cells(const Part *part) { return part->count[0] * part->count[1] * part->count[2]; }

/* A box of cells: copies count[0] x count[1] x count[2] of them between arrays with rows of their own
 * lengths. */
static void copy(const int64_t count[3], const double *from, const int64_t from_stride[3], double *to,
                 const int64_t to_stride[3]) {
  for (int64_t k = 0; k < count[2]; k++)
    for (int64_t j = 0; j < count[1]; j++)
      for (int64_t i = 0; i < count[0]; i++)
        to[i + j * to_stride[1] + k * to_stride[2]] = from[i + j * from_stride[1] + k * from_stride[2]];
}

/* How a part lies in an array of all cells, and by itself. */
typedef struct Layout {
  int64_t first, all[3], alone[3];
} Layout;

static Layout layout(const InkMesh *mesh, const Part *part) {
  const int64_t row = mesh->axis[0].cells, plane = row * mesh->axis[1].cells;
  return (Layout){part->start[0] + row * part->start[1] + plane * part->start[2],
                  {1, row, plane},
                  {1, part->count[0], part->count[0] * part->count[1]}};
}

/* Rank 0: the parts of all ranks, and room for the largest. The others: room for their own. */
static PetscErrorCode find_parts(const InkMesh *mesh, int *rank, int *ranks, Part **parts, double **room) {
  PetscFunctionBeginUser;
  Part own = own_part(mesh);
  int64_t most = part_cells(&own);
  PetscCallMPI(MPI_Comm_rank(mesh->comm, rank));
  PetscCallMPI(MPI_Comm_size(mesh->comm, ranks));
  PetscCall(PetscMalloc1(*rank == 0 ? *ranks : 0, parts));
  PetscCallMPI(MPI_Gather(&own, 6, MPI_INT64_T, *parts, 6, MPI_INT64_T, 0, mesh->comm));
  for (int r = 0; *rank == 0 && r < *ranks; r++)
    if (part_cells(&(*parts)[r]) > most) most = part_cells(&(*parts)[r]);
  PetscCall(PetscMalloc1(most, room));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_gather(const InkMesh *mesh, const double *values, double *all) {
  PetscFunctionBeginUser;
  int rank, ranks;
  Part *parts, own = own_part(mesh);
  double *packed;
  PetscCall(find_parts(mesh, &rank, &ranks, &parts, &packed));
  const Layout mine = layout(mesh, &own);
  copy(own.count, values + mesh->origin, mesh->stride, packed, mine.alone);
  int n = (int)part_cells(&own);
  if (rank > 0) PetscCallMPI(MPI_Send(packed, n, MPI_DOUBLE, 0, TAG_VALUES, mesh->comm));
  for (int r = 0; rank == 0 && r < ranks; r++) {
    n = (int)part_cells(&parts[r]);
    if (r > 0) PetscCallMPI(MPI_Recv(packed, n, MPI_DOUBLE, r, TAG_VALUES, mesh->comm, MPI_STATUS_IGNORE));
    const Layout at = layout(mesh, &parts[r]);
    copy(parts[r].count, packed, at.alone, all + at.first, at.all);
  }
  PetscCall(PetscFree(parts));
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_scatter(const InkMesh *mesh, const double *all, double *values) {
  PetscFunctionBeginUser;
  int rank, ranks;
  Part *parts, own = own_part(mesh);
  double *packed;
  PetscCall(find_parts(mesh, &rank, &ranks, &parts, &packed));
  int n;
  for (int r = ranks - 1; rank == 0 && r >= 0; r--) { /* its own last: it stays in `packed` */
    const Layout at = layout(mesh, &parts[r]);
    copy(parts[r].count, all + at.first, at.all, packed, at.alone);
    n = (int)part_cells(&parts[r]);
    if (r > 0) PetscCallMPI(MPI_Send(packed, n, MPI_DOUBLE, r, TAG_VALUES, mesh->comm));
  }
  n = (int)part_cells(&own);
  if (rank > 0) PetscCallMPI(MPI_Recv(packed, n, MPI_DOUBLE, 0, TAG_VALUES, mesh->comm, MPI_STATUS_IGNORE));
  const Layout mine = layout(mesh, &own);
  copy(own.count, packed, mine.alone, values + mesh->origin, mesh->stride);
  PetscCall(PetscFree(parts));
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(0);
}

static bool all_zero(const double *a, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (a[i] != 0) return false;
  return true;
}

/* The directions that any edge has: fewer and shorter offsets make elimination cheaper. */
static PetscErrorCode gather_edges(InkGenerator *generator, int rank, InkChain *chain) {
  PetscFunctionBeginUser;
  const int64_t cells = rank == 0 ? generator->mesh->cells : 0;
  const int most = rank == 0 ? generator->directions : 0;
  PetscCall(PetscMalloc1(most, &chain->offset));
  PetscCall(PetscMalloc1(most, &chain->up));
  PetscCall(PetscMalloc1(most, &chain->down));
  for (int d = 0; d < generator->directions; d++) {
    double *up, *down;
    PetscCall(PetscMalloc1(cells, &up));
    PetscCall(PetscMalloc1(cells, &down));
    PetscCall(ink_mesh_gather(generator->mesh, generator->up[d], up));
    PetscCall(ink_mesh_gather(generator->mesh, generator->down[d], down));
    if (all_zero(up, cells) && all_zero(down, cells)) {
      PetscCall(PetscFree(up));
      PetscCall(PetscFree(down));
      continue;
    }
    for (int a = 0; a < 3; a++) chain->offset[chain->directions][a] = generator->offset[d][a];
    chain->up[chain->directions] = up;
    chain->down[chain->directions++] = down;
  }
  PetscFunctionReturn(0);
}

/* exit: over all sides that absorb. */
static PetscErrorCode gather_exits(InkGenerator *generator, int rank, InkChain *chain) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  const int64_t cells = rank == 0 ? mesh->cells : 0;
  double *side;
  PetscCall(PetscCalloc1(cells, &chain->exit));
  PetscCall(PetscMalloc1(cells, &chain->volume));
  PetscCall(PetscMalloc1(cells, &side));
  PetscCall(ink_mesh_gather(mesh, generator->volume, chain->volume));
  for (int s = 0; s < INK_SIDES; s++) {
    if (!generator->exit[s]) continue;
    PetscCall(ink_mesh_gather(mesh, generator->exit[s], side));
    for (int64_t c = 0; c < cells; c++) chain->exit[c] += side[c];
  }
  PetscCall(PetscFree(side));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_gather(InkGenerator *generator, InkChain *chain) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  int rank;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  *chain = (InkChain){.dim = mesh->dim};
  for (int a = 0; a < 3; a++) {
    chain->cells[a] = rank == 0 ? mesh->axis[a].cells : 0;
    chain->periodic[a] = mesh->axis[a].periodic;
  }
  PetscCall(gather_edges(generator, rank, chain));
  PetscCall(gather_exits(generator, rank, chain));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_chain_clear(InkChain *chain) {
  PetscFunctionBeginUser;
  for (int d = 0; d < chain->directions; d++) {
    PetscCall(PetscFree(chain->up[d]));
    PetscCall(PetscFree(chain->down[d]));
  }
  PetscCall(PetscFree(chain->up));
  PetscCall(PetscFree(chain->down));
  PetscCall(PetscFree(chain->offset));
  PetscCall(PetscFree(chain->exit));
  PetscCall(PetscFree(chain->volume));
  *chain = (InkChain){0};
  PetscFunctionReturn(0);
}
