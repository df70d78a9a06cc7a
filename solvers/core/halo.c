/* Halo exchange: each rank's outermost owned cells go to the ghost cells of its neighbours.
 *
 * What is sent across a side is a box of `width` layers. With width 1 these are the owned cells behind the
 * face, and all sides are sent at once. In wide meshes the axes follow one another, and the box of an axis
 * includes the ghosts that the axes before it have filled, so that edges and corners arrive by way of the
 * faces. Ghosts beyond a wall have no owner: they are neither sent nor filled.
 *
 * A box that is one row (or one cell) is sent from where it lies; others are packed. Messages going up and
 * down an axis have tags of their own, so that two ranks of a periodic axis, each the other's neighbour on
 * both sides, do not mix them. Several fields go at once, each as messages of its own.
 */
#include "mesh_impl.h"
#include <string.h>

typedef struct InkFace {
  bool used;          /* there is a neighbour */
  bool local;         /* the neighbour is this rank itself: periodic axis on one rank */
  bool in_place;      /* contiguous */
  int64_t send, recv; /* first cell: of the owned layers, of the ghosts */
  int64_t extent[3];  /* cells along each axis */
  int64_t stride[3];  /* of the mesh */
  int64_t out, in;    /* packed: places in the buffer of a field */
} InkFace;

struct InkHalo {
  InkFace face[INK_SIDES];
  int64_t size; /* of the buffer of a field */
  int fields;   /* there is room for */
  double *buffer;
  MPI_Request *request; /* [2 * INK_SIDES * fields] */
};

static int64_t face_cells(const InkFace *face) { return face->extent[0] * face->extent[1] * face->extent[2]; }

static void face_layout(const InkMesh *mesh, int axis, int end, InkFace *face) {
  const int64_t width = mesh->width;
  face->used = axis < mesh->dim && mesh->neighbour[axis][end] != MPI_PROC_NULL;
  face->local = face->used && mesh->ranks[axis] == 1;
  int64_t first = mesh->origin;
  for (int a = 0; a < 3; a++) {
    face->stride[a] = mesh->stride[a];
    face->extent[a] = a == axis ? width : mesh->count[a];
    if (a >= axis || width == 1) continue;
    const bool below = mesh->neighbour[a][0] != MPI_PROC_NULL, above = mesh->neighbour[a][1] != MPI_PROC_NULL;
    face->extent[a] += width * (below + above);
    if (below) first -= width * mesh->stride[a];
  }
  const int64_t step = mesh->stride[axis], count = mesh->count[axis];
  face->send = first + (end == 0 ? 0 : count - width) * step;
  face->recv = first + (end == 0 ? -width : count) * step;
  face->in_place = face->extent[1] == 1 && face->extent[2] == 1;
}

PetscErrorCode ink_halo_create(const InkMesh *mesh, struct InkHalo **halo) {
  PetscFunctionBeginUser;
  struct InkHalo *made;
  PetscCall(PetscNew(&made));
  *halo = made;
  for (int side = 0; side < INK_SIDES; side++) {
    InkFace *face = &made->face[side];
    face_layout(mesh, side / 2, side % 2, face);
    PetscCheck(!face->used || face_cells(face) <= PETSC_MPI_INT_MAX, PETSC_COMM_SELF,
               PETSC_ERR_ARG_OUTOFRANGE, "a halo face of %lld cells is too large for one message",
               (long long)face_cells(face));
    if (!face->used || face->local || face->in_place) continue;
    face->out = made->size;
    face->in = made->size + face_cells(face);
    made->size += 2 * face_cells(face);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_halo_destroy(struct InkHalo **halo) {
  PetscFunctionBeginUser;
  if (*halo) {
    PetscCall(PetscFree((*halo)->buffer));
    PetscCall(PetscFree((*halo)->request));
  }
  PetscCall(PetscFree(*halo));
  PetscFunctionReturn(0);
}

/* A box from one place to another, each with strides of its own; x fastest. */
static void copy_box(const int64_t extent[3], const double *from, const int64_t from_stride[3], double *to,
                     const int64_t to_stride[3]) {
  for (int64_t k = 0; k < extent[2]; k++)
    for (int64_t j = 0; j < extent[1]; j++) {
      const double *in = from + j * from_stride[1] + k * from_stride[2];
      double *out = to + j * to_stride[1] + k * to_stride[2];
      if (extent[0] == 1)
        *out = *in;
      else
        memcpy(out, in, (size_t)extent[0] * sizeof *out);
    }
}

static void pack(const InkFace *face, const double *from, double *to) {
  const int64_t packed[] = {1, face->extent[0], face->extent[0] * face->extent[1]};
  copy_box(face->extent, from, face->stride, to, packed);
}

static void unpack(const InkFace *face, const double *from, double *to) {
  const int64_t packed[] = {1, face->extent[0], face->extent[0] * face->extent[1]};
  copy_box(face->extent, from, packed, to, face->stride);
}

/* Buffers and requests for n fields. */
static PetscErrorCode make_room(struct InkHalo *halo, int n) {
  PetscFunctionBeginUser;
  if (n <= halo->fields) PetscFunctionReturn(0);
  PetscCall(PetscFree(halo->buffer));
  PetscCall(PetscFree(halo->request));
  PetscCall(PetscMalloc1((size_t)n * (size_t)halo->size, &halo->buffer));
  PetscCall(PetscMalloc1(2 * INK_SIDES * (size_t)n, &halo->request));
  halo->fields = n;
  PetscFunctionReturn(0);
}

/* Posts the receives of a field across the sides first to last and sends; *requests grows. */
static PetscErrorCode start(const InkMesh *mesh, int first, int last, int field, double *values,
                            int *requests) {
  PetscFunctionBeginUser;
  struct InkHalo *halo = mesh->halo;
  double *buffer = halo->buffer + field * halo->size;
  for (int side = first; side <= last; side++) {
    const InkFace *face = &halo->face[side];
    if (!face->used || face->local) continue;
    double *to = face->in_place ? values + face->recv : buffer + face->in;
    /* What comes from below was sent upwards by its sender, hence the tag of the opposite side. */
    PetscCallMPI(MPI_Irecv(to, (int)face_cells(face), MPI_DOUBLE, mesh->neighbour[side / 2][side % 2],
                           INK_SIDES * field + (side ^ 1), mesh->comm, &halo->request[(*requests)++]));
  }
  for (int side = first; side <= last; side++) {
    const InkFace *face = &halo->face[side];
    if (!face->used || face->local) continue;
    if (!face->in_place) pack(face, values + face->send, buffer + face->out);
    const double *from = face->in_place ? values + face->send : buffer + face->out;
    PetscCallMPI(MPI_Isend(from, (int)face_cells(face), MPI_DOUBLE, mesh->neighbour[side / 2][side % 2],
                           INK_SIDES * field + side, mesh->comm, &halo->request[(*requests)++]));
  }
  PetscFunctionReturn(0);
}

/* All n fields across the sides first to last. */
static PetscErrorCode exchange_sides(const InkMesh *mesh, int first, int last, int n, double *values) {
  PetscFunctionBeginUser;
  struct InkHalo *halo = mesh->halo;
  int requests = 0;
  for (int f = 0; f < n; f++) PetscCall(start(mesh, first, last, f, values + f * mesh->size, &requests));
  for (int f = 0; f < n; f++)
    for (int side = first; side <= last; side++) {
      const InkFace *face = &halo->face[side];
      double *field = values + f * mesh->size;
      if (face->local) /* the ghosts at one end are the cells at the other */
        copy_box(face->extent, field + halo->face[side ^ 1].send, face->stride, field + face->recv,
                 face->stride);
    }
  PetscCallMPI(MPI_Waitall(requests, halo->request, MPI_STATUSES_IGNORE));
  for (int f = 0; f < n; f++)
    for (int side = first; side <= last; side++) {
      const InkFace *face = &halo->face[side];
      if (face->used && !face->local && !face->in_place)
        unpack(face, halo->buffer + f * halo->size + face->in, values + f * mesh->size + face->recv);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_exchange_fields(const InkMesh *mesh, int n, double *values) {
  PetscFunctionBeginUser;
  PetscCall(make_room(mesh->halo, n));
  const int together = mesh->width == 1 ? 2 * mesh->dim : 2;
  for (int side = 0; side < 2 * mesh->dim; side += together)
    PetscCall(exchange_sides(mesh, side, side + together - 1, n, values));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_exchange(const InkMesh *mesh, double *values) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_exchange_fields(mesh, 1, values));
  PetscFunctionReturn(0);
}
