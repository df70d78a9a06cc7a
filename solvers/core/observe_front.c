/* The position of a front: where the profile of a field along an axis last crosses a level, coming from
 * the axis's lower end: the leading edge of what moves outwards.
 *
 * The profile at index i is the mean over the cells with that index, weighted with the volume factors of the
 * other axes; sums of the rounded products are exact, so the same bits come out on any rank count.
 */
#include "observe_impl.h"
#include <math.h>

enum {
  CHUNK = 1024, /* indices whose sums are held at a time */
  COLUMNS = 16, /* of a tile in which columns along the other axes are gathered */
  TILE = 512
};

/* The cells of this rank whose index along an axis is in a chunk. */
typedef struct Slab {
  const InkFieldView *view;
  int axis;
  int64_t first; /* local index along the axis, of sums[0] */
  int64_t low[3], high[3];
  InkSum *sums;
} Slab;

static double other_volume(const InkMesh *mesh, int axis, const int64_t local[3]) {
  double volume = 1;
  for (int a = 0; a < mesh->dim; a++)
    if (a != axis) volume *= mesh->axis[a].volume[mesh->start[a] + local[a]];
  return volume;
}

static const double *row_at(const InkFieldView *view, int64_t j, int64_t k) {
  return view->values + view->mesh->origin + j * view->mesh->stride[1] + k * view->mesh->stride[2];
}

/* Along y or z: a row of cells belongs to one index. */
static void add_rows(const Slab *s, double *product) {
  int64_t at[3];
  for (at[2] = s->low[2]; at[2] < s->high[2]; at[2]++)
    for (at[1] = s->low[1]; at[1] < s->high[1]; at[1]++) {
      const double *u = row_at(s->view, at[1], at[2]);
      for (at[0] = 0; at[0] < s->high[0]; at[0]++)
        product[at[0]] = u[at[0]] * other_volume(s->view->mesh, s->axis, at);
      ink_sum_add_array(&s->sums[at[s->axis] - s->first], s->high[0], product);
    }
}

/* Along x: the rows have a cell of every index, so that columns are gathered first. */
static void add_columns(const Slab *s) {
  double tile[COLUMNS][TILE];
  for (int64_t k = 0; k < s->high[2]; k++)
    for (int64_t j = 0; j < s->high[1]; j += TILE)
      for (int64_t i = s->low[0]; i < s->high[0]; i += COLUMNS) {
        int64_t rows = s->high[1] - j < TILE ? s->high[1] - j : TILE;
        int64_t columns = s->high[0] - i < COLUMNS ? s->high[0] - i : COLUMNS;
        for (int64_t r = 0; r < rows; r++) {
          const int64_t at[3] = {0, j + r, k};
          const double *u = row_at(s->view, j + r, k);
          const double weight = other_volume(s->view->mesh, 0, at);
          for (int64_t c = 0; c < columns; c++) tile[c][r] = u[i + c] * weight;
        }
        for (int64_t c = 0; c < columns; c++) ink_sum_add_array(&s->sums[i + c - s->first], rows, tile[c]);
      }
}

/* Sums of value times weight for indices first .. first + count. product: room for a row. */
static void add_chunk(const InkFieldView *view, int axis, int64_t first, int64_t count, InkSum *sums,
                      double *product) {
  const InkMesh *mesh = view->mesh;
  Slab s = {.view = view, .axis = axis, .first = first - mesh->start[axis], .sums = sums};
  for (int a = 0; a < 3; a++) s.high[a] = mesh->count[a];
  if (s.first > 0) s.low[axis] = s.first;
  if (s.first + count < s.high[axis]) s.high[axis] = s.first + count;
  for (int64_t i = 0; i < count; i++) ink_sum_clear(&sums[i]);
  if (s.low[axis] >= s.high[axis]) return; /* the chunk lies elsewhere */
  if (axis == 0)
    add_columns(&s);
  else
    add_rows(&s, product);
}

/* The sum of the weights, the same for all indices. */
static PetscErrorCode add_weights(const InkMesh *mesh, int axis, double *total) {
  PetscFunctionBeginUser;
  InkSum sum;
  ink_sum_clear(&sum);
  int64_t high[3] = {mesh->count[0], mesh->count[1], mesh->count[2]}, at[3];
  high[axis] = mesh->start[axis] == 0 ? 1 : 0;
  for (at[2] = 0; at[2] < high[2]; at[2]++)
    for (at[1] = 0; at[1] < high[1]; at[1]++)
      for (at[0] = 0; at[0] < high[0]; at[0]++) ink_sum_add(&sum, other_volume(mesh, axis, at));
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, total));
  PetscFunctionReturn(0);
}

static PetscErrorCode mean_profile(const InkFieldView *view, int axis, double *profile) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  int64_t cells = mesh->axis[axis].cells, most = cells < CHUNK ? cells : CHUNK;
  InkSum *sums;
  double *totals, *product, weight;
  PetscCall(PetscMalloc3((size_t)most, &sums, (size_t)most, &totals, (size_t)mesh->count[0], &product));
  PetscCall(add_weights(mesh, axis, &weight));
  for (int64_t first = 0; first < cells; first += most) {
    int64_t count = cells - first < most ? cells - first : most;
    add_chunk(view, axis, first, count, sums, product);
    PetscCall(ink_sum_reduce(mesh->comm, (int)count, sums, totals));
    for (int64_t i = 0; i < count; i++) profile[first + i] = totals[i] / weight;
  }
  PetscCall(PetscFree3(sums, totals, product));
  PetscFunctionReturn(0);
}

static PetscErrorCode line_profile(const InkFieldView *view, double *profile) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  for (int64_t i = 0; i < mesh->axis[0].cells; i++) profile[i] = 0;
  for (int64_t i = 0; i < mesh->count[0]; i++) profile[mesh->start[0] + i] = view->values[mesh->origin + i];
  PetscCall(ink_observe_gather(mesh->comm, (int)mesh->axis[0].cells, profile));
  PetscFunctionReturn(0);
}

/* The crossing with the largest coordinate. */
static double last_crossing(int64_t cells, const double *centroid, const double *profile, double level) {
  for (int64_t i = cells - 1; i >= 0; i--) {
    if (profile[i] == level) return centroid[i];
    if (i == 0 || (profile[i] < level) == (profile[i - 1] < level)) continue;
    if (isnan(profile[i]) || isnan(profile[i - 1]) || profile[i - 1] == level) continue;
    double place = (level - profile[i - 1]) / (profile[i] - profile[i - 1]);
    return centroid[i - 1] + place * (centroid[i] - centroid[i - 1]);
  }
  return NAN;
}

PetscErrorCode ink_observe_front(const InkFieldView *view, int axis, double level, double *position) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  double *profile;
  PetscCall(PetscMalloc1((size_t)mesh->axis[axis].cells, &profile));
  if (mesh->dim == 1)
    PetscCall(line_profile(view, profile));
  else
    PetscCall(mean_profile(view, axis, profile));
  *position = last_crossing(mesh->axis[axis].cells, mesh->axis[axis].centroid, profile, level);
  PetscCall(PetscFree(profile));
  PetscFunctionReturn(0);
}
