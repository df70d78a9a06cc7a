/* Means over cells of a density that goes as y^(a - 1) at the distance y from a wall. */
#include "wall_law.h"
#include <math.h>

static const double GAUSS = 0.57735026918962576; /* half-way points of a unit half-length: 1/sqrt(3) */
static const double NOTHING = 1e-12;             /* D at the wall, of the first centroid's */
static const double ONE = 1.0 - 1e-9;            /* a is 1 from here on: round-off */
static const double LINEAR = 0.01;               /* D/y at the two distances may differ by this part */
static const double MOST = 0.5;                  /* what the growth within a cell may change */
static const double RAMP = 10.0; /* the rates' defect is made good in full up to a = 1 - 1/RAMP */

/* What two Gauss points make of the integral of 1/y from y to z, less the integral. */
static double gauss_defect(double y, double z) {
  const double half = 0.5 * (z - y), middle = 0.5 * (y + z);
  return half / (middle - GAUSS * half) + half / (middle + GAUSS * half) - log(z / y);
}

void ink_wall_law(int64_t cells, const double *face, const double *centroid, bool upper, InkWallLaw *law) {
  const int64_t most = cells / 2;
  const double wall = face[upper ? cells : 0];
  double defect = 0.0;
  law->cells = most < INK_WALL_CELLS ? (int)most : INK_WALL_CELLS;
  for (int c = law->cells - 1; c >= 0; c--) {
    const int64_t cell = upper ? cells - 1 - c : c, next = upper ? cell - 1 : cell + 1;
    const double y = fabs(centroid[cell] - wall), one = fabs(face[cell] - wall),
                 other = fabs(face[cell + 1] - wall);
    const double near = upper ? other : one, far = upper ? one : other;
    defect += gauss_defect(y, fabs(centroid[next] - wall));
    law->below[c] = log((c == 0 ? far : near) / y);
    law->span[c] = c == 0 ? 0.0 : log(far / near);
    law->centroid[c] = y;
    law->scale[c] = y / (far - near);
    law->defect[c] = defect;
    law->weight[c] = 2 * c <= law->cells ? 1.0 : 2.0 * (law->cells - c) / law->cells;
  }
}

InkWallDensity ink_wall_density(const InkWallProcess *at) {
  const double *D = at->D_y, *y = at->y;
  const double slope = (D[1] / y[1] * y[0] - D[0] / y[0] * y[1]) / (y[0] - y[1]);
  const double a = at->drift / slope;
  const bool vanishes = fabs(at->D) <= NOTHING * slope * at->centroid;
  const bool linear = fabs(D[0] * y[1] - D[1] * y[0]) <= LINEAR * (D[1] * y[0]);
  if (!(slope > 0.0 && vanishes && linear && a > INK_WALL_LEAST && a < ONE))
    return (InkWallDensity){.a = 1.0};
  const double bend = (D[0] / (slope * y[0]) - 1.0) / y[0];
  return (InkWallDensity){.a = a, .growth = at->drift_y / D[0] - a / y[0] - bend};
}

/* How far the mean place under y^(a - 1) is beyond the centroid. */
static double shift(const InkWallLaw *law, int cell, double a) {
  const double part = cell == 0 ? 1.0 / (1.0 + a) : 1.0 / (12.0 * law->scale[cell] * law->scale[cell]);
  return (a - 1.0) * law->centroid[cell] * part;
}

double ink_wall_mean(const InkWallLaw *law, int cell, InkWallDensity density) {
  const double a = density.a;
  const double span = cell == 0 ? 1.0 : expm1(a * law->span[cell]);
  const double mean =
      law->scale[cell] * (exp(a * law->below[cell]) * span / a); /* of y^(a-1), centroid's 1 */
  const double defect = exp(a * fmin(1.0, RAMP * (1.0 - a)) * law->defect[cell]);
  const double grown = fmax(-MOST, fmin(MOST, density.growth * shift(law, cell, a)));
  return 1.0 + law->weight[cell] * (mean * defect * (1.0 + grown) - 1.0);
}
