/* Fourier amplitudes and the mean wavelength of a field.
 *
 * Amplitude at the wave number k along x:
 *
 *     a = | 2/V sum over cells of (u - mean u) exp(-i k x) V_cell |
 *
 * with the sums of the rounded terms exact, so that the bits do not depend on the ranks. Wavelength: with
 * P(q) the mean power of the modes of wave number about q,
 *
 *     2 pi sum of P(q) / sum of q P(q)
 */
#include "observe_impl.h"
#include "transform.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* The owned cells' terms V u and V, or with waves V (u - mean) cos k x and V (u - mean) sin k x. wave: cos k
 * x, then sin k x, at the owned indices of the axis; NULL: none. */
static PetscErrorCode add_terms(const InkFieldView *view, int axis, double mean, const double *wave,
                                double total[2]) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  const int64_t along = mesh->count[axis], row = mesh->count[0];
  InkSum sums[2];
  double *term;
  PetscCall(PetscMalloc1(2 * (size_t)row, &term));
  for (int s = 0; s < 2; s++) ink_sum_clear(&sums[s]);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const double *u = view->values + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = 0; i < row; i++) {
        const int64_t place[3] = {i, j, k};
        double volume = ink_mesh_volume(mesh, i, j, k), content = volume * (u[i] - mean);
        term[i] = wave ? content * wave[place[axis]] : content;
        term[row + i] = wave ? content * wave[along + place[axis]] : volume;
      }
      for (int s = 0; s < 2; s++) ink_sum_add_array(&sums[s], row, term + s * row);
    }
  PetscCall(PetscFree(term));
  PetscCall(ink_sum_reduce(mesh->comm, 2, sums, total));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_observe_amplitude(const InkFieldView *view, int axis, double wavenumber,
                                     double *amplitude) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = view->mesh;
  const int64_t along = mesh->count[axis];
  double *wave, content[2], part[2];
  PetscCall(add_terms(view, axis, 0, NULL, content));
  const double mean = content[0] / content[1];
  if (wavenumber == 0) {
    *amplitude = fabs(mean);
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(2 * (size_t)along, &wave));
  for (int64_t i = 0; i < along; i++) {
    double phase = wavenumber * mesh->axis[axis].centroid[mesh->start[axis] + i];
    wave[i] = cos(phase);
    wave[along + i] = sin(phase);
  }
  PetscCall(add_terms(view, axis, mean, wave, part));
  PetscCall(PetscFree(wave));
  *amplitude = 2 * hypot(part[0], part[1]) / content[1];
  PetscFunctionReturn(0);
}

static bool axis_has_equal_cells(const InkDeck *deck, const char *section) {
  int segments = ink_deck_count(deck, "%s.segments", section);
  const InkNode *grading = segments > 0 ? ink_deck_node(deck, "%s.segments[0].grading", section)
                                        : ink_deck_node(deck, "%s.grading", section);
  return segments <= 1 && (!grading || grading->number == 1);
}

bool ink_deck_has_spectrum(const InkDeck *deck, char *why, size_t size) {
  if (ink_deck_coordinates(deck) != INK_CARTESIAN) {
    snprintf(why, size, "a wavelength needs a Cartesian mesh");
    return false;
  }
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(deck, &axes);
  for (int a = 0; a < dim; a++) {
    if (axis_has_equal_cells(deck, axes[a].section)) continue;
    snprintf(why, size, "a wavelength needs equal cells, and those of axis %s are not", axes[a].name);
    return false;
  }
  return true;
}

static bool has_spectrum(const InkMesh *mesh) {
  bool uniform = mesh->coordinates == INK_CARTESIAN;
  for (int a = 0; a < mesh->dim; a++) uniform = uniform && mesh->axis[a].uniform;
  return uniform;
}

/* The smallest wave number of the mesh, and an upper bound of them all. */
static void wave_numbers(const InkMesh *mesh, double *smallest, double *largest) {
  double square = 0;
  *smallest = INFINITY;
  for (int a = 0; a < mesh->dim; a++) {
    const InkAxis *axis = &mesh->axis[a];
    double length = axis->to - axis->from;
    double least = (axis->periodic ? 2 : 1) * pi / length, most = pi * (double)axis->cells / length;
    if (axis->cells > 1 && least < *smallest) *smallest = least;
    square += most * most;
  }
  *largest = sqrt(square);
}

PetscErrorCode ink_observe_wavelength(const InkFieldView *view, double *wavelength) {
  PetscFunctionBeginUser;
  static const InkEnd closed[3][2] = {
      {INK_END_FLUX, INK_END_FLUX}, {INK_END_FLUX, INK_END_FLUX}, {INK_END_FLUX, INK_END_FLUX}};
  InkTransform *transform;
  double low, high, bin, most, *power, *modes, total = 0, moment = 0;
  *wavelength = NAN;
  PetscCall(ink_observe_range(view, &low, &high));
  /* Also where a value is infinite: then the difference is not finite. */
  if (!has_spectrum(view->mesh) || !(high > low) || !isfinite(high - low)) PetscFunctionReturn(0);
  wave_numbers(view->mesh, &bin, &most);
  int bins = (int)(most / bin) + 2;
  PetscCall(PetscMalloc2((size_t)bins, &power, (size_t)bins, &modes));
  PetscCall(ink_transform_create(view->mesh, closed, &transform));
  PetscCall(ink_transform_power(transform, view->values, bin, bins, power, modes));
  PetscCall(ink_transform_destroy(&transform));
  for (int i = 0; i < bins; i++) {
    if (modes[i] == 0) continue;
    total += power[i] / modes[i];
    moment += i * bin * (power[i] / modes[i]);
  }
  PetscCall(PetscFree2(power, modes));
  *wavelength = 2 * pi * total / moment;
  PetscFunctionReturn(0);
}
