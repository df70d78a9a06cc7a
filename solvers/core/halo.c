/* Halo exchange: each rank's outermost owned cells go to the ghost cells of its neighbours, faces only.
 *
 * A face is `rows` rows of `length` cells. A face that is one row (or one cell) is sent from where it lies;
 * others are packed. Messages going up and down an axis have tags of their own, so that two ranks of a
 * periodic axis, each the other's neighbour on both sides, do not mix them. Several fields go at once, each
 * as messages of its own.
 */
#include "mesh_impl.h"
#include <string.h>

typedef struct InkFace {
  bool used;            /* there is a neighbour */
  bool local;           /* the neighbour is this rank itself: periodic axis on one rank */
  bool in_place;        /* contiguous */
  int64_t send, recv;   /* first cell: outermost owned, ghost */
  int64_t rows, pitch;  /* number of rows and distance between their starts */
  int64_t length, step; /* cells in a row and distance between them */
  int64_t out, in;      /* packed: places in the buffer of a field */
} InkFace;

struct InkHalo {
  InkFace face[INK_SIDES];
  int64_t size; /* of the buffer of a field */
  int fields;   /* there is room for */
  double *buffer;
  MPI_Request *request; /* [2 * INK_SIDES * fields] */
};

static int64_t face_cells(const InkFace *face) { return face->rows * face->length; }

/* The other two axes of a face normal to `axis`, the faster one along the row. */
static void face_layout(const InkMesh *mesh, int axis, int end, InkFace *face) {
  int inner = axis == 0 ? 1 : 0, outer = axis == 2 ? 1 : 2;
  face->used = axis < mesh->dim && mesh->neighbour[axis][end] != MPI_PROC_NULL;
  face->local = face->used && mesh->ranks[axis] == 1;
  face->length = mesh->count[inner];
  face->step = mesh->stride[inner];
  face->rows = mesh->count[outer];
  face->pitch = mesh->stride[outer];
  int64_t last = mesh->count[axis] - 1, step = mesh->stride[axis];
  face->send = mesh->origin + (end == 0 ? 0 : last) * step;
  face->recv = mesh->origin + (end == 0 ? -1 : last + 1) * step;
  face->in_place = face->rows == 1 && (face->step == 1 || face->length == 1);
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

static void pack(const InkFace *face, const double *from, double *to) {
  for (int64_t row = 0; row < face->rows; row++, from += face->pitch, to += face->length) {
    if (face->step == 1)
      memcpy(to, from, (size_t)face->length * sizeof *to);
    else
      for (int64_t i = 0; i < face->length; i++) to[i] = from[i * face->step];
  }
}

static void unpack(const InkFace *face, const double *from, double *to) {
  for (int64_t row = 0; row < face->rows; row++, from += face->length, to += face->pitch) {
    if (face->step == 1)
      memcpy(to, from, (size_t)face->length * sizeof *to);
    else
      for (int64_t i = 0; i < face->length; i++) to[i * face->step] = from[i];
  }
}

/* Periodic axis on one rank: the ghosts at one end are the cells at the other. */
static void copy_across(const InkFace *face, double *from, double *to) {
  for (int64_t row = 0; row < face->rows; row++)
    for (int64_t i = 0; i < face->length; i++)
      to[row * face->pitch + i * face->step] = from[row * face->pitch + i * face->step];
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

/* Posts the receives of a field and sends; *requests grows. */
static PetscErrorCode start(const InkMesh *mesh, int field, double *values, int *requests) {
  PetscFunctionBeginUser;
  struct InkHalo *halo = mesh->halo;
  double *buffer = halo->buffer + field * halo->size;
  for (int side = 0; side < INK_SIDES; side++) {
    const InkFace *face = &halo->face[side];
    if (!face->used || face->local) continue;
    double *to = face->in_place ? values + face->recv : buffer + face->in;
    /* What comes from below was sent upwards by its sender, hence the tag of the opposite side. */
    PetscCallMPI(MPI_Irecv(to, (int)face_cells(face), MPI_DOUBLE, mesh->neighbour[side / 2][side % 2],
                           INK_SIDES * field + (side ^ 1), mesh->comm, &halo->request[(*requests)++]));
  }
  for (int side = 0; side < INK_SIDES; side++) {
    const InkFace *face = &halo->face[side];
    if (!face->used || face->local) continue;
    if (!face->in_place) pack(face, values + face->send, buffer + face->out);
    const double *from = face->in_place ? values + face->send : buffer + face->out;
    PetscCallMPI(MPI_Isend(from, (int)face_cells(face), MPI_DOUBLE, mesh->neighbour[side / 2][side % 2],
                           INK_SIDES * field + side, mesh->comm, &halo->request[(*requests)++]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_exchange_fields(const InkMesh *mesh, int n, double *values) {
  PetscFunctionBeginUser;
  struct InkHalo *halo = mesh->halo;
  int requests = 0;
  PetscCall(make_room(halo, n));
  for (int f = 0; f < n; f++) PetscCall(start(mesh, f, values + f * mesh->size, &requests));
  for (int f = 0; f < n; f++)
    for (int side = 0; side < INK_SIDES; side++) {
      const InkFace *face = &halo->face[side];
      double *field = values + f * mesh->size;
      if (face->local) copy_across(face, field + halo->face[side ^ 1].send, field + face->recv);
    }
  PetscCallMPI(MPI_Waitall(requests, halo->request, MPI_STATUSES_IGNORE));
  for (int f = 0; f < n; f++)
    for (int side = 0; side < INK_SIDES; side++) {
      const InkFace *face = &halo->face[side];
      if (face->used && !face->local && !face->in_place)
        unpack(face, halo->buffer + f * halo->size + face->in, values + f * mesh->size + face->recv);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_exchange(const InkMesh *mesh, double *values) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_exchange_fields(mesh, 1, values));
  PetscFunctionReturn(0);
}
