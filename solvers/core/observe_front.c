/* The position of a front: where the profile of a field along an axis first crosses a level.
 *
 * The profile at index i is the mean over the cells with that index, weighted with the volume factors of the
 * other axes; sums are exact, so the same bits come out on any rank count.
 */
#include "observe_impl.h"
#include <math.h>

enum { CHUNK = 1024 }; /* indices whose sums are held at a time */

static double other_volume(const InkMesh *mesh, int axis, const int64_t local[3]) {
  double volume = 1;
  for (int a = 0; a < mesh->dim; a++)
    if (a != axis) volume *= mesh->axis[a].volume[mesh->start[a] + local[a]];
  return volume;
}

/* Sums of value times weight, and of weights, for indices first .. first + count. */
static void add_chunk(const InkFieldView *view, int axis, int64_t first, int64_t count, InkSum *sums) {
  const InkMesh *mesh = view->mesh;
  for (int64_t s = 0; s < 2 * count; s++) ink_sum_clear(&sums[s]);
  int64_t low[3] = {0, 0, 0}, high[3] = {mesh->count[0], mesh->count[1], mesh->count[2]}, at[3];
  int64_t begin = first - mesh->start[axis], end = begin + count;
  if (begin > 0) low[axis] = begin;
  if (end < high[axis]) high[axis] = end;
  for (at[2] = low[2]; at[2] < high[2]; at[2]++)
    for (at[1] = low[1]; at[1] < high[1]; at[1]++)
      for (at[0] = low[0]; at[0] < high[0]; at[0]++) {
        double weight = other_volume(mesh, axis, at);
        double value = view->values[mesh->origin + at[0] + at[1] * mesh->stride[1] + at[2] * mesh->stride[2]];
        InkSum *sum = &sums[2 * (at[axis] - begin)];
        ink_sum_add_product(&sum[0], value, weight);
        ink_sum_add(&sum[1], weight);
      }
}

static PetscErrorCode mean_profile(const InkFieldView *view, int axis, double *profile) {
  PetscFunctionBeginUser;
  int64_t cells = view->mesh->axis[axis].cells, most = cells < CHUNK ? cells : CHUNK;
  InkSum *sums;
  double *totals;
  PetscCall(PetscMalloc2(2 * (size_t)most, &sums, 2 * (size_t)most, &totals));
  for (int64_t first = 0; first < cells; first += most) {
    int64_t count = cells - first < most ? cells - first : most;
    add_chunk(view, axis, first, count, sums);
    PetscCall(ink_sum_reduce(view->mesh->comm, (int)(2 * count), sums, totals));
    for (int64_t i = 0; i < count; i++) profile[first + i] = totals[2 * i] / totals[2 * i + 1];
  }
  PetscCall(PetscFree2(sums, totals));
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

static double first_crossing(int64_t cells, const double *centroid, const double *profile, double level) {
  for (int64_t i = 0; i < cells; i++) {
    if (profile[i] == level) return centroid[i];
    if (i + 1 == cells || (profile[i] < level) == (profile[i + 1] < level)) continue;
    if (isnan(profile[i]) || isnan(profile[i + 1])) continue;
    double place = (level - profile[i]) / (profile[i + 1] - profile[i]);
    return centroid[i] + place * (centroid[i + 1] - centroid[i]);
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
  *position = first_crossing(mesh->axis[axis].cells, mesh->axis[axis].centroid, profile, level);
  PetscCall(PetscFree(profile));
  PetscFunctionReturn(0);
}
