/* Whole lines of cells along an axis.
 *
 * Where the axis is not cut a rank has whole lines already. Where it is, the ranks along it (those that have
 * the same place on the other axes) have the same cells across, and each takes a part of the lines: everyone
 * sends everyone else its stretch of their lines (MPI_Alltoallv). The message between two ranks is row by
 * row, a row being the same cell of all lines, so that what arrives from the ranks in turn is, without
 * another copy, an array [cell along the axis][line]. For axis 0 a message is line by line and is copied once
 * more, into [line][cell], the order the transform reads fastest. */
#include <string.h>
#include "transform_impl.h"

struct InkGather {
  const InkMesh *mesh;
  int axis, other[2]; /* the axes across, the lower one first */
  MPI_Comm row;       /* the ranks along the axis; MPI_COMM_NULL where there is one */
  int ranks;
  int64_t cells;                 /* along the axis, all ranks */
  int64_t first, lines;          /* this rank's share of the lines */
  int *to_count, *to_start;      /* doubles to each rank on the way in, */
  int *from_count, *from_start;  /* and from each */
  int64_t *line_start, *along;   /* of each rank: its first line, its cells along the axis */
  double *cut, *whole, *by_line; /* this rank's cells; its lines; those by line (axis 0) */
};

static PetscErrorCode plan_messages(InkGather *g) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = g->mesh;
  const int64_t all = mesh->count[g->other[0]] * mesh->count[g->other[1]];
  const size_t ranks = (size_t)g->ranks;
  PetscCall(PetscMalloc6(ranks, &g->to_count, ranks, &g->to_start, ranks, &g->from_count, ranks,
                         &g->from_start, ranks + 1, &g->line_start, ranks, &g->along));
  int64_t count, start;
  ink_decompose_part(all, g->ranks, mesh->at[g->axis], &g->first, &g->lines);
  for (int r = 0; r < g->ranks; r++) {
    ink_decompose_part(all, g->ranks, r, &g->line_start[r], &count);
    g->to_count[r] = (int)(count * mesh->count[g->axis]);
    g->to_start[r] = (int)(g->line_start[r] * mesh->count[g->axis]);
    ink_decompose_part(g->cells, g->ranks, r, &start, &g->along[r]);
    g->from_count[r] = (int)(g->lines * g->along[r]);
    g->from_start[r] = (int)(g->lines * start);
  }
  g->line_start[g->ranks] = all;
  const size_t here = (size_t)(all * mesh->count[g->axis]), mine = (size_t)(g->lines * g->cells);
  PetscCall(PetscMalloc3(here, &g->cut, mine, &g->whole, g->axis == 0 ? mine : 0, &g->by_line));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_gather_create(const InkMesh *mesh, int axis, InkGather **gather) {
  PetscFunctionBeginUser;
  InkGather *g;
  PetscCall(PetscNew(&g));
  g->mesh = mesh;
  g->axis = axis;
  g->other[0] = axis == 0 ? 1 : 0;
  g->other[1] = axis == 2 ? 1 : 2;
  g->ranks = mesh->ranks[axis];
  g->cells = mesh->axis[axis].cells;
  g->lines = mesh->count[g->other[0]] * mesh->count[g->other[1]];
  g->row = MPI_COMM_NULL;
  if (g->ranks > 1) {
    PetscCallMPI(MPI_Comm_split(mesh->comm,
                                mesh->at[g->other[0]] + mesh->ranks[g->other[0]] * mesh->at[g->other[1]],
                                mesh->at[axis], &g->row));
    PetscCall(plan_messages(g));
  }
  *gather = g;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_gather_destroy(InkGather **gather) {
  PetscFunctionBeginUser;
  InkGather *g = *gather;
  if (!g) PetscFunctionReturn(0);
  if (g->row != MPI_COMM_NULL) {
    PetscCallMPI(MPI_Comm_free(&g->row));
    PetscCall(PetscFree6(g->to_count, g->to_start, g->from_count, g->from_start, g->line_start, g->along));
    PetscCall(PetscFree3(g->cut, g->whole, g->by_line));
  }
  PetscCall(PetscFree(*gather));
  PetscFunctionReturn(0);
}

int64_t ink_gather_first(const InkGather *gather) { return gather->first; }
int64_t ink_gather_count(const InkGather *gather) { return gather->lines; }

bool ink_gather_lines(const InkGather *g, int64_t group, double *values, InkLines *lines, int64_t *number) {
  const InkMesh *mesh = g->mesh;
  *number = 0;
  if (g->row != MPI_COMM_NULL) {
    *lines = g->axis == 0 ? (InkLines){g->by_line, 1, g->cells, g->lines}
                          : (InkLines){g->whole, g->lines, 1, g->lines};
    return group == 0;
  }
  const int across = g->other[0], farther = g->other[1];
  if (group >= mesh->count[farther]) return false;
  const int64_t step[3] = {1, mesh->stride[1], mesh->stride[2]};
  *lines = (InkLines){values + mesh->origin + group * step[farther], step[g->axis], step[across],
                      mesh->count[across]};
  *number = group * mesh->count[across];
  return true;
}

static void copy(double *message, double *values, int64_t n, bool in) {
  memcpy(in ? message : values, in ? values : message, (size_t)n * sizeof(double));
}

/* Between an array of the mesh and messages of whole stretches of axis 0, line by line. */
static void copy_stretches(const InkGather *g, double *values, bool in) {
  const InkMesh *mesh = g->mesh;
  const int64_t n = mesh->count[0];
  double *message = g->cut;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++, message += n)
      copy(message, values + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2], n, in);
}

/* The same for the other axes: of each message cell by cell along the axis, all its lines. */
static void copy_rows(const InkGather *g, double *values, bool in) {
  const InkMesh *mesh = g->mesh;
  const int64_t across = mesh->count[0];
  double *message = g->cut;
  for (int r = 0; r < g->ranks; r++)
    for (int64_t i = 0; i < mesh->count[g->axis]; i++) {
      double *plane = values + mesh->origin + i * mesh->stride[g->axis];
      for (int64_t line = g->line_start[r], n; line < g->line_start[r + 1]; line += n, message += n) {
        const int64_t at = line % across, rest = g->line_start[r + 1] - line;
        n = across - at < rest ? across - at : rest; /* to the end of the row in memory */
        copy(message, plane + at + line / across * mesh->stride[g->other[1]], n, in);
      }
    }
}

/* Between messages of stretches and whole lines, [line][cell]. */
static void join_stretches(const InkGather *g, bool in) {
  double *message = g->whole;
  for (int r = 0, start = 0; r < g->ranks; start += (int)g->along[r], r++)
    for (int64_t line = 0; line < g->lines; line++, message += g->along[r])
      copy(message, g->by_line + line * g->cells + start, g->along[r], !in);
}

PetscErrorCode ink_gather_in(InkGather *g, const double *from) {
  PetscFunctionBeginUser;
  if (g->row == MPI_COMM_NULL) PetscFunctionReturn(0);
  (g->axis == 0 ? copy_stretches : copy_rows)(g, (double *)from, true); /* reads only */
  PetscCallMPI(MPI_Alltoallv(g->cut, g->to_count, g->to_start, MPI_DOUBLE, g->whole, g->from_count,
                             g->from_start, MPI_DOUBLE, g->row));
  if (g->axis == 0) join_stretches(g, true);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_gather_out(InkGather *g, double *to) {
  PetscFunctionBeginUser;
  if (g->row == MPI_COMM_NULL) PetscFunctionReturn(0);
  if (g->axis == 0) join_stretches(g, false);
  PetscCallMPI(MPI_Alltoallv(g->whole, g->from_count, g->from_start, MPI_DOUBLE, g->cut, g->to_count,
                             g->to_start, MPI_DOUBLE, g->row));
  (g->axis == 0 ? copy_stretches : copy_rows)(g, to, false);
  PetscFunctionReturn(0);
}
