/* Densities without bound at a reflecting wall: means over cells. Pure functions, no MPI.
 *
 * Where diffusion vanishes linearly at a wall, D = D' y at the distance y, and drift is b away from it, 0 < a
 * = b/D' < 1, the density goes as y^(a - 1) whatever the process does elsewhere (Feller, Ann. Math. 55 (1952)
 * 468; of genes: Wright, Genetics 16 (1931) 97, a = 2 N u). Its value at the centroid of the first cell of
 * width h is (h/2)^(a - 1), its mean there h^(a - 1)/a: more by 1/(a 2^(1 - a)), 5 times at a = 0.1. Rates
 * between nodes give values at the nodes. So that they give the cells' means p, what flows out of a cell is
 * taken at
 *
 *     p / g,   g = mean of y^(a - 1) over the cell / what the rates make of it at the centroid,
 *
 * g - 1 ~ (1 - a)(2 - a)/24 (h/y)^2 further away. Integrals of the density, of order h^a without, are then of
 * order 1 + a and more; of what weighs with the place in the cell, as means do, the first cell's mass times
 * h.
 */
#ifndef INK_CORE_WALL_LAW_H
#define INK_CORE_WALL_LAW_H

#include <stdbool.h>
#include <stdint.h>

enum { INK_WALL_CELLS = 32 };
#define INK_WALL_LEAST 1e-10 /* paths with a below practically end at the wall */

/* The geometry of the cells beside a wall, the first one number 0. */
typedef struct InkWallLaw {
  int cells;                    /* to which g applies: INK_WALL_CELLS or half of the axis' */
  double below[INK_WALL_CELLS]; /* log of the nearer face's distance over the centroid's; of cell 0: that of
                                   its further face */
  double span[INK_WALL_CELLS];  /* log of the further face's distance over the nearer's; not of cell 0 */
  double centroid[INK_WALL_CELLS]; /* its distance */
  double scale[INK_WALL_CELLS];    /* distance of the centroid / width */
  double defect[INK_WALL_CELLS];   /* sum over the edges from here on: two Gauss points' integral of 1/y less
                                      its own */
  double weight[INK_WALL_CELLS];   /* 1; beyond half of the cells falling to 0 */
} InkWallLaw;

/* From an axis' faces [cells + 1] and centroids [cells], at its lower or upper end. */
void ink_wall_law(int64_t cells, const double *face, const double *centroid, bool upper, InkWallLaw *law);
/* The density beside a wall, y^(a - 1) (1 + growth y). */
typedef struct InkWallDensity {
  double a, growth;
} InkWallDensity;

/* What is known of the process there: drift away from the wall and D, at it and at two small distances. */
typedef struct InkWallProcess {
  double drift, D;              /* at the wall */
  double y[2], drift_y, D_y[2]; /* y[0] > y[1] > 0; the drift at y[0] */
  double centroid;              /* distance of the first */
} InkWallProcess;
/* a is 1 where D does not vanish at the wall (beyond 1e-12 of D at the centroid), or not linearly, or a is
 * not between 1e-10 and 1 (below, paths practically end at the wall). */
InkWallDensity ink_wall_density(const InkWallProcess *process);
/* g > 0 of a cell, number 0 to law->cells - 1, for 0 < a < 1; 1 at a = 1. Rates integrate 1/y by two points,
 * 0.008 too little from the first centroid to the second: that too is made good, but for a in 0.9 to 1 less
 * and less, as laws with a >= 1 are left as they are. */
double ink_wall_mean(const InkWallLaw *law, int cell, InkWallDensity density);
#endif
