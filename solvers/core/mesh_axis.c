/* One axis of a mesh: faces, centroids and metric factors. Pure functions, no MPI.
 *
 * Widths along a stretch are w, w g, w g^2, ... (g: grading), so face i of n is at
 *     from + (to - from) (g^i - 1) / (g^n - 1),
 * measured from the end with the narrow cells. Centroid of the cell (a, b) with m = (a + b)/2, h = b - a:
 *     Cartesian    m
 *     cylindrical  (2/3) (b^3 - a^3)/(b^2 - a^2) = m + h^2/(12 m)
 *     spherical    (3/4) (b^4 - a^4)/(b^3 - a^3) = (3/4) (a + b) (a^2 + b^2)/(a^2 + a b + b^2)
 * in which nothing cancels.
 */
#include "mesh.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static void uniform_faces(double from, double to, int64_t cells, double *face) {
  double length = to - from;
  for (int64_t i = 0; i <= cells; i++) {
    /* From the nearer end, so that faces of a symmetric axis are exactly symmetric and both ends are exact.
     */
    if (2 * i < cells)
      face[i] = from + length * (double)i / (double)cells;
    else if (2 * i > cells)
      face[i] = to - length * (double)(cells - i) / (double)cells;
    else
      face[i] = 0.5 * (from + to);
  }
}

void ink_axis_faces(double from, double to, int64_t cells, double grading, double *face) {
  if (grading == 1 || cells == 1) {
    uniform_faces(from, to, cells, face);
    return;
  }
  double rate = fabs(log(grading)), length = to - from, whole = expm1((double)cells * rate);
  for (int64_t i = 0; i <= cells; i++) {
    if (grading > 1)
      face[i] = from + length * (expm1((double)i * rate) / whole);
    else
      face[i] = to - length * (expm1((double)(cells - i) * rate) / whole);
  }
  face[0] = from;
  face[cells] = to;
}

static double grading_of(double grading) { return grading == 0 ? 1 : grading; }

/* Widest and narrowest width of a stretch, from the wide end so that nothing overflows. */
static void extreme_widths(double length, int64_t cells, double grading, double *widest, double *narrowest) {
  double rate = fabs(log(grading));
  if (cells == 1) rate = 0;
  *widest = rate == 0 ? length / (double)cells : length * (expm1(-rate) / expm1(-(double)cells * rate));
  *narrowest = *widest * exp(-(double)(cells - 1) * rate);
}

double ink_axis_width_ratio(const InkAxisSpec *spec) {
  InkAxisSegment whole = {spec->to, spec->cells, spec->grading};
  const InkAxisSegment *segment = spec->segments > 0 ? spec->segment : &whole;
  int count = spec->segments > 0 ? spec->segments : 1;
  double smallest = INFINITY, largest = 0, from = spec->from;
  for (int s = 0; s < count; s++) {
    double widest, narrowest;
    extreme_widths(segment[s].to - from, segment[s].cells, grading_of(segment[s].grading), &widest,
                   &narrowest);
    smallest = fmin(smallest, narrowest);
    largest = fmax(largest, widest);
    from = segment[s].to;
  }
  return largest / smallest;
}

static double cell_centroid(InkCoordinates coordinates, double a, double b) {
  double middle = 0.5 * (a + b), width = b - a;
  if (coordinates == INK_CYLINDRICAL || coordinates == INK_AXISYMMETRIC)
    return middle + width * width / (12 * middle);
  if (coordinates == INK_SPHERICAL) return 0.75 * (a + b) * (a * a + b * b) / (a * a + a * b + b * b);
  return middle;
}

static double cell_volume(InkCoordinates coordinates, double a, double b, double width) {
  if (coordinates == INK_CYLINDRICAL || coordinates == INK_AXISYMMETRIC) return pi * (a + b) * width;
  if (coordinates == INK_SPHERICAL) return 4 * pi / 3 * (a * a + a * b + b * b) * width;
  return width;
}

static double face_area(InkCoordinates coordinates, double r) {
  if (coordinates == INK_CYLINDRICAL || coordinates == INK_AXISYMMETRIC) return 2 * pi * r;
  if (coordinates == INK_SPHERICAL) return 4 * pi * r * r;
  return 1;
}

static void fill_metrics(InkCoordinates coordinates, InkAxis *axis) {
  const double *face = axis->face;
  double equal = (axis->to - axis->from) / (double)axis->cells;
  for (int64_t i = 0; i < axis->cells; i++) {
    axis->centroid[i] = cell_centroid(coordinates, face[i], face[i + 1]);
    /* On a uniform axis all widths are the same number, not differences of rounded faces. */
    double width = axis->uniform ? equal : face[i + 1] - face[i];
    axis->volume[i] = cell_volume(coordinates, face[i], face[i + 1], width);
  }
  for (int64_t i = 0; i <= axis->cells; i++) axis->area[i] = face_area(coordinates, face[i]);
}

static PetscErrorCode make_names(const char *name, const char *unit, InkAxis *axis) {
  PetscFunctionBeginUser;
  const size_t size = strlen(name) + sizeof "_min";
  char *text[4];
  for (int i = 0; i < 3; i++) PetscCall(PetscMalloc1(size, &text[i]));
  PetscCall(PetscStrallocpy(unit, &text[3]));
  (void)snprintf(text[0], size, "%s", name);
  (void)snprintf(text[1], size, "%s_min", name);
  (void)snprintf(text[2], size, "%s_max", name);
  axis->name = text[0];
  axis->side[0] = text[1];
  axis->side[1] = text[2];
  axis->unit = text[3];
  PetscFunctionReturn(0);
}

PetscErrorCode ink_axis_create(const InkAxisSpec *spec, int variable, InkCoordinates coordinates,
                               InkAxis *axis) {
  PetscFunctionBeginUser;
  static const char *const letter[] = {"x", "y", "z", "r"};
  InkAxisSegment whole = {spec->to, spec->cells, spec->grading};
  const InkAxisSegment *segment = spec->segments > 0 ? spec->segment : &whole;
  int count = spec->segments > 0 ? spec->segments : 1;
  *axis = (InkAxis){.variable = variable, .from = spec->from};
  PetscCall(make_names(spec->name ? spec->name : letter[variable], spec->unit ? spec->unit : "m", axis));
  for (int s = 0; s < count; s++) axis->cells += segment[s].cells;
  axis->to = segment[count - 1].to;
  axis->uniform = count == 1 && (grading_of(segment[0].grading) == 1 || axis->cells == 1);
  axis->periodic = spec->periodic;
  axis->has_min = coordinates == INK_CARTESIAN || spec->from > 0;
  size_t cells = (size_t)axis->cells;
  PetscCall(PetscMalloc4(cells + 1, &axis->face, cells, &axis->centroid, cells, &axis->volume, cells + 1,
                         &axis->area));
  double from = spec->from, *face = axis->face;
  for (int s = 0; s < count; s++) {
    ink_axis_faces(from, segment[s].to, segment[s].cells, grading_of(segment[s].grading), face);
    from = segment[s].to;
    face += segment[s].cells;
  }
  fill_metrics(coordinates, axis);
  PetscFunctionReturn(0);
}

void ink_axis_destroy(InkAxis *axis) {
  (void)PetscFree(axis->name);
  for (int end = 0; end < 2; end++) (void)PetscFree(axis->side[end]);
  (void)PetscFree(axis->unit);
  (void)PetscFree4(axis->face, axis->centroid, axis->volume, axis->area);
}
