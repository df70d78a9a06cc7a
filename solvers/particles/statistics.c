/* Moments, fates, histograms and absorption rates of an ensemble. See statistics.h. */
#include "statistics.h"
#include <math.h>

/* Values that count, gathered for the sums' fast path. */
enum { BATCH = 512 };

static bool counts(const InkEnsemble *e, InkWho who, int fate, int64_t i) {
  switch (who) {
  case INK_ALL_PARTICLES:
    return true;
  case INK_THOSE_INSIDE:
    return ink_is_inside(e, i);
  case INK_THOSE_ABSORBED:
    return !ink_is_inside(e, i) && (fate < 0 || e->fate[i] == fate);
  }
  return false;
}

/* Those of the particles from *next on that count, at most BATCH of them; returns how many. */
static int next_batch(const InkEnsemble *e, InkWho who, int fate, const double *value, int64_t *next,
                      double batch[BATCH]) {
  int n = 0;
  int64_t i = *next;
  for (; i < e->n && n < BATCH; i++)
    if (counts(e, who, fate, i)) batch[n++] = value[i];
  *next = i;
  return n;
}

/* Mean first, then the powers of the differences from it: nothing cancels. */
PetscErrorCode ink_ensemble_moments(const InkEnsemble *e, InkWho who, int fate, const double *value,
                                    InkMoments *moments) {
  PetscFunctionBeginUser;
  InkSum sum[2];
  double batch[BATCH], square[BATCH], total[2];
  int64_t number = 0;
  int n;
  ink_sum_clear(&sum[0]);
  for (int64_t next = 0; (n = next_batch(e, who, fate, value, &next, batch)) > 0; number += n)
    ink_sum_add_array(&sum[0], n, batch);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &number, 1, MPI_INT64_T, MPI_SUM, e->comm));
  PetscCall(ink_sum_reduce(e->comm, 1, sum, total));
  const double all = (double)number, mean = total[0] / all;
  *moments = (InkMoments){all, NAN, NAN, NAN, NAN};
  if (number == 0) PetscFunctionReturn(0);
  ink_sum_clear(&sum[0]);
  ink_sum_clear(&sum[1]);
  for (int64_t next = 0; (n = next_batch(e, who, fate, value, &next, batch)) > 0;) {
    for (int i = 0; i < n; i++) {
      const double difference = batch[i] - mean;
      square[i] = difference * difference;
      batch[i] = square[i] * square[i];
    }
    ink_sum_add_array(&sum[0], n, square);
    ink_sum_add_array(&sum[1], n, batch);
  }
  PetscCall(ink_sum_reduce(e->comm, 2, sum, total));
  const double variance = total[0] / all, beyond = total[1] / all - variance * variance;
  moments->mean = mean;
  moments->variance = variance;
  moments->mean_error = sqrt(variance / all);
  moments->variance_error = sqrt((beyond < 0.0 ? 0.0 : beyond) / all); /* round-off must not give NaN */
  PetscFunctionReturn(0);
}

PetscErrorCode ink_ensemble_fates(const InkEnsemble *e, int64_t number[INK_FATES], int64_t *inside) {
  PetscFunctionBeginUser;
  int64_t told[INK_FATES + 1] = {0};
  for (int64_t i = 0; i < e->n; i++) told[ink_is_inside(e, i) ? INK_FATES : (int)e->fate[i]]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, told, INK_FATES + 1, MPI_INT64_T, MPI_SUM, e->comm));
  for (int f = 0; f < INK_FATES; f++) number[f] = told[f];
  *inside = told[INK_FATES];
  PetscFunctionReturn(0);
}

/* ---- histogram ---- */

int64_t ink_axis_cell(const InkAxis *axis, double at) {
  const double *face = axis->face;
  const int64_t last = axis->cells - 1;
  int64_t low = 0, high = axis->cells; /* face[low] <= at < face[high] */
  if (!(at > axis->from)) return 0;
  if (at >= axis->to) return last;
  if (axis->uniform) { /* a guess that is right but for rounding; the faces decide */
    int64_t cell = (int64_t)((at - axis->from) / (axis->to - axis->from) * (double)axis->cells);
    if (cell > last) cell = last;
    while (at < face[cell]) cell--;
    while (at >= face[cell + 1]) cell++;
    return cell;
  }
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (face[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static int64_t cell_of(const InkEnsemble *e, const InkMesh *mesh, int64_t i) {
  int64_t cell = 0;
  if (e->cell) return (int64_t)e->cell[i];
  for (int a = e->dim - 1; a >= 0; a--)
    cell = cell * mesh->axis[a].cells + ink_axis_cell(&mesh->axis[a], e->x[a][i]);
  return cell;
}

PetscErrorCode ink_ensemble_histogram(const InkEnsemble *e, const InkMesh *mesh, int64_t *counts_of) {
  PetscFunctionBeginUser;
  const int64_t most = INT64_C(1) << 24; /* a message */
  for (int64_t c = 0; c < mesh->cells; c++) counts_of[c] = 0;
  for (int64_t i = 0; i < e->n; i++)
    if (ink_is_inside(e, i)) counts_of[cell_of(e, mesh, i)]++;
  for (int64_t done = 0; done < mesh->cells; done += most) {
    const int64_t n = mesh->cells - done < most ? mesh->cells - done : most;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts_of + done, (int)n, MPI_INT64_T, MPI_SUM, e->comm));
  }
  PetscFunctionReturn(0);
}

/* ---- absorption rates ---- */

/* The window of the estimate: with exact times as wide as the bias and the noise of a smooth density agree
 * on; with a grain, a whole number of steps. */
static double window(double count, double since, double grain) {
  const double width = fmin(1.5 * since * pow(count, -0.2), since);
  return grain > 0.0 ? grain * fmax(floor(width / grain), 1.0) : width;
}

PetscErrorCode ink_ensemble_flux(const InkEnsemble *e, int fate, double start, double t, double grain,
                                 double *flux, double *error) {
  PetscFunctionBeginUser;
  const double all = (double)e->count, w = window(all, t - start, grain);
  InkSum sum[2];
  double total[2];
  *flux = *error = NAN;
  if (!(t > start)) PetscFunctionReturn(0);
  ink_sum_clear(&sum[0]);
  ink_sum_clear(&sum[1]);
  for (int64_t i = 0; i < e->n; i++) {
    if (!counts(e, INK_THOSE_ABSORBED, fate, i)) continue;
    const double ago = t - (e->when[i] - 0.5 * grain);
    if (!(ago >= 0.0 && ago < w)) continue;
    const double weight = 4.0 - 6.0 * ago / w;
    ink_sum_add(&sum[0], weight);
    ink_sum_add(&sum[1], weight * weight);
  }
  PetscCall(ink_sum_reduce(e->comm, 2, sum, total));
  const double mean = total[0] / all, square = total[1] / all;
  *flux = mean / w;
  *error = sqrt(fmax(square - mean * mean, 0.0) / all) / w;
  PetscFunctionReturn(0);
}
