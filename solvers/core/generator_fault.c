/* What makes the process undefined: the first cell where drift or diffusion is not finite or the diffusion
 * matrix not positive semi-definite, at its centroid or on the way to its neighbours. */
#include "generator_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is said of one cell; "" when there is nothing. */
typedef struct Finding {
  const InkGenerator *generator;
  double t;
  int64_t at[3]; /* local */
  char *text;
  size_t size;
} Finding;

static double global_number(const InkMesh *mesh, const int64_t at[3]) {
  return (double)((mesh->start[0] + at[0]) +
                  mesh->axis[0].cells *
                      ((mesh->start[1] + at[1]) + mesh->axis[1].cells * (mesh->start[2] + at[2])));
}

/* ": cell (3, 4), x = 0.1, v = 2, t = 0", the place being that of an edge along `axis` where that is >= 0 */
static void say_place(const Finding *finding, int axis, double along) {
  const InkMesh *mesh = finding->generator->mesh;
  const struct InkGeneratorParts *parts = finding->generator->parts;
  char *text = finding->text;
  const size_t size = finding->size;
  size_t used = strlen(text);
  for (int a = 0; a < mesh->dim && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%lld", a ? ", " : " in cell (",
                             (long long)(mesh->start[a] + finding->at[a]));
  for (int a = 0; a < mesh->dim && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%s = %.6g", a ? ", " : ") at ", parts->name[a],
                             a == axis ? along : parts->at[a][finding->at[a]]);
  if (used < size) (void)snprintf(text + used, size - used, ", t = %.9g", finding->t);
}

/* A value that is not finite or, of a diagonal entry, negative. entry as in rows.entry. */
static bool is_bad(int dim, int entry, double value) {
  for (int a = 0; a < dim; a++)
    if (entry == ink_entry(dim, a, a) && value < 0.0) return true;
  return !isfinite(value);
}

static void say_value(const Finding *finding, int entry, double value) {
  const struct InkGeneratorParts *parts = finding->generator->parts;
  const int dim = finding->generator->mesh->dim;
  char number[32] = "nan"; /* without a sign */
  if (!isnan(value)) (void)snprintf(number, sizeof number, "%.9g", value);
  if (entry < dim) {
    (void)snprintf(finding->text, finding->size, "drift b_%s is %s", parts->name[entry], number);
    return;
  }
  for (int i = 0; i < dim; i++)
    for (int j = i; j < dim; j++)
      if (entry == ink_entry(dim, i, j))
        (void)snprintf(finding->text, finding->size, "diffusion D_%s%s is %s", parts->name[i], parts->name[j],
                       number);
}

/* The matrix at place i of rows.entry: negative in some direction? */
static void look_at_matrix(const Finding *finding, int64_t i) {
  const InkGenerator *generator = finding->generator;
  const struct InkGeneratorParts *parts = generator->parts;
  const int dim = generator->mesh->dim;
  double D[3][3] = {{0}};
  InkSelling selling;
  for (int a = 0; a < dim; a++)
    for (int b = 0; b < dim; b++) D[a][b] = parts->rows.entry[ink_entry(dim, a, b)][i];
  if (ink_selling(dim, D, INK_SELLING_RADIUS, &selling)) return;
  size_t used =
      (size_t)snprintf(finding->text, finding->size, "the diffusion matrix is not positive semi-definite (");
  for (int a = 0; a < dim; a++)
    for (int b = a; b < dim && used < finding->size; b++)
      used += (size_t)snprintf(finding->text + used, finding->size - used, "%sD_%s%s = %.9g",
                               a + b > 0 ? ", " : "", parts->name[a], parts->name[b], D[a][b]);
  if (used < finding->size) (void)snprintf(finding->text + used, finding->size - used, ")");
  say_place(finding, -1, 0.0);
}

static void look_at_centroid(const Finding *finding, int64_t i) {
  const struct InkGeneratorParts *parts = finding->generator->parts;
  const int dim = finding->generator->mesh->dim;
  for (int entry = 0; entry < ink_entries(dim); entry++) {
    const double value = parts->rows.entry[entry][i];
    if (!is_bad(dim, entry, value)) continue;
    say_value(finding, entry, value);
    say_place(finding, -1, 0.0);
    return;
  }
  if (parts->far) look_at_matrix(finding, i);
}

/* The row at finding->at[1], [2]; stops at the first cell of which something is to be said. */
static void look_at_centroids(Finding *finding) {
  const InkMesh *mesh = finding->generator->mesh;
  const int64_t *at = finding->at;
  ink_generator_cells(finding->generator, finding->t, 0, mesh->count[0], at[1], at[2]);
  for (finding->at[0] = 0; at[0] < mesh->count[0]; finding->at[0]++) {
    look_at_centroid(finding, at[0]);
    if (finding->text[0]) return;
  }
}

/* The edges above (lower: below) the cells of the row along an axis, walls included where they absorb. */
static void look_at_edges(Finding *finding, int axis, bool lower) {
  const InkGenerator *generator = finding->generator;
  const InkMesh *mesh = generator->mesh;
  const struct InkGeneratorParts *parts = generator->parts;
  const int dim = mesh->dim, shift = lower ? -1 : 0;
  int64_t *at = finding->at;
  InkEdgeSpan span = {.axis = axis, .first = 0, .n = mesh->count[0], .at = {0, at[1], at[2]}};
  if (axis == 0)
    span.first = shift;
  else
    span.at[axis] += shift;
  ink_generator_edges(generator, finding->t, &span);
  for (at[0] = 0; at[0] < mesh->count[0]; at[0]++) {
    const int64_t edge = at[axis] + shift;
    if (ink_is_wall(mesh, axis, edge) && !parts->absorbs[2 * axis + !lower]) continue;
    for (int p = 0; p < 2; p++) {
      const double b = parts->rows.drift[p][at[0]], D = parts->rows.diffusion[p][at[0]];
      const int entry = is_bad(dim, axis, b) ? axis : ink_entry(dim, axis, axis);
      if (!is_bad(dim, entry, entry == axis ? b : D)) continue;
      say_value(finding, entry, entry == axis ? b : D);
      say_place(finding, axis, parts->gauss[axis][p][edge]);
      return;
    }
  }
}

/* Takes the finding of the lowest global cell. */
static PetscErrorCode agree(const InkMesh *mesh, double cell, char *text, size_t size) {
  PetscFunctionBeginUser;
  struct {
    double cell;
    int rank;
  } first = {.cell = cell};
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &first.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE_INT, MPI_MINLOC, mesh->comm));
  PetscCallMPI(MPI_Bcast(text, (int)size, MPI_CHAR, first.rank, mesh->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_fault(const InkGenerator *generator, double t, char *text, size_t size) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  Finding finding = {.generator = generator, .t = t, .text = text, .size = size};
  double cell = INFINITY;
  int64_t *at = finding.at;
  memset(text, 0, size);
  for (at[2] = 0; at[2] < mesh->count[2] && !text[0]; at[2]++)
    for (at[1] = 0; at[1] < mesh->count[1] && !text[0]; at[1]++) {
      look_at_centroids(&finding);
      for (int a = 0; a < mesh->dim; a++)
        for (int lower = 1; lower >= 0 && generator->parts->edge[a] && !text[0]; lower--)
          look_at_edges(&finding, a, lower);
      if (text[0]) cell = global_number(mesh, at);
    }
  PetscCall(agree(mesh, cell, text, size));
  PetscFunctionReturn(0);
}
