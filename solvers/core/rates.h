/* Rates of a Markov generator between neighbouring cells. Pure functions, no MPI.
 *
 * A diffusion process dX = b dt + B dW (Ito), B B^T = 2 D, has the density
 *
 *     p_t = - sum_i d_i(b_i p) + sum_ij d_i d_j (D_ij p).
 *
 * Along one axis the flux is b p - (D p)' = exp(S) d/dx( - exp(-S) D p ) with S' = b/D, and between two
 * centroids a distance h apart, with b/D constant on the way (Scharfetter & Gummel, IEEE Trans. ED 16 (1969)
 * 64; Chang & Cooper, J. Comput. Phys. 6 (1970) 1),
 *
 *     flow from L to R = A/h [ D_L B(-z) p_L - D_R B(z) p_R ],   z = integral of b/D from L to R,
 *     B(z) = z/(exp(z) - 1).
 *
 * No flow means D_R p_R / (D_L p_L) = exp(z): the stationary law exp(integral b/D)/D at the nodes, exactly as
 * far as z is. Neutral diffusion (b = 0) steps to either side with equal rates, so that martingales stay
 * martingales. Where D vanishes the flow is the upwind one.
 */
#ifndef INK_CORE_RATES_H
#define INK_CORE_RATES_H

#include <stdbool.h>
#include <stdint.h>

/* What a row of n edges is made from; arrays [n]. The two-point Gauss rule gives z: exact for b/D cubic. */
typedef struct InkEdgeRow {
  const double *drift[2];     /* b along the edge at the Gauss points low + (1/2 -+ sqrt(3)/6) (high - low) */
  const double *diffusion[2]; /* D there */
  const double *low, *high;   /* D at the two centroids */
  const double *distance;     /* h > 0 between them */
  const double *area;         /* A of the face */
} InkEdgeRow;

/* up[i]: coefficient of the lower cell's density in the flow upwards, down[i]: of the upper cell's in the
 * flow downwards; flow = up p_low - down p_high. Both >= 0 and finite for finite b and D >= 0, however strong
 * the drift; NaN both where data are NaN. Where D at one of the four places is 0, or below 1e-14 of the
 * largest of them (round-off where it should be 0; negative counts as 0):
 * up = A (D_low/h + max(b,0)), down = A (D_high/h + max(-b,0)), b the mean of the two. Turning the row round
 * exchanges up and down bit for bit. up and down may not overlap with the row's arrays. */
void ink_edge_rates(int64_t n, const InkEdgeRow *row, double *up, double *down);
/* The diffusion that the flow has beyond the process's own, as a coefficient of density differences with the
 * sign of the drift: in size A/h (D_low + D_high)/2 ink_excess(z), and where D vanishes or z is very large
 * A |b|/2. Of the drift alone: where D varies but |z| is small it is 0. */
void ink_edge_excess(int64_t n, const InkEdgeRow *row, double *excess);
/* z/2 coth(z/2) less its value at |z| = 1/5, and 0 below that: diffusion in excess, relative to the own, of
 * an edge that does not resolve its drift. Even in z. */
double ink_excess(double z);
/* An absorbing wall: `high` is not read, the distance is that from the centroid to the wall, the Gauss points
 * lie on that way, drift is towards the wall. out[i]: coefficient of the cell's density in what is absorbed,
 * A/h D_low B(-z). The density is 0 at the wall. */
void ink_exit_rates(int64_t n, const InkEdgeRow *row, double *out);

/* ---- full diffusion matrices: Selling's decomposition ---- */

enum { INK_SELLING_MAX = 6, INK_SELLING_RADIUS = 8, INK_SELLING_STEEPEST = 1, INK_SELLING_DETOUR = 6 };

/* D = sum over k of weight[k] e_k e_k^T, weight > 0, e_k integer vectors (the first non-zero component
 * positive, components beyond dim 0), D in units of the cells: D_ij / (h_i h_j). */
typedef struct InkSelling {
  int count;
  int offset[INK_SELLING_MAX][3];
  double weight[INK_SELLING_MAX];
  double added; /* what had to be added to the diagonal entries of the axes that off-diagonal ones couple, in
                   parts of the largest diagonal entry, to stay within the radius; 0: nothing */
} InkSelling;

/* Decomposes a symmetric positive semi-definite matrix, dim 1 to 3 (Selling 1874; Fehrenbach & Mirebeau, J.
 * Math. Imaging Vision 49 (2014) 123; Conway & Sloane, Proc. R. Soc. A 436 (1992) 55). False: D is not
 * positive semi-definite (beyond round-off, 1e-12 in the correlations) or not finite. The sum is D to 1e-14
 * of its largest entry. Offsets with a component beyond `radius` >= 1 are avoided by adding the least
 * multiple of the identity (to a factor of two) that does it. At radius 8 nothing is added, whatever the
 * angle, while D's largest eigenvalue, in units of the cells, is below 256 times the least in two dimensions
 * and about 100 times in three. Diagonal matrices give the axes that are not zero; singular ones whose range
 * holds one offset within the radius give that one alone. Pure, deterministic. */
bool ink_selling(int dim, const double D[3][3], int radius, InkSelling *selling);

/* A drift (in cells per time) as sum_k share[k] e_k over the decomposition's directions where they span it,
 * by least squares weighted with the weights (so that strong directions carry it): share_k = w_k <e_k, m>
 * with D m = drift, so that a drift D grad S is shared as w_k times the differences of S. What is outside of
 * their span goes to rest[3], a remainder along the axes that is carried upwind; sum + rest is the drift to
 * round-off always.
 * Drift across a strong direction can need large shares of both signs along it, which cancel as drift but
 * each add upwind diffusion. Where some share is above INK_SELLING_STEEPEST weights and sum |share| |e|^2 is
 * above INK_SELLING_DETOUR times the drift (never below anisotropies of 15), m is made smaller: (D + least
 * multiple of 1) m = drift, and rest takes what that leaves over. */
void ink_selling_drift(int dim, const InkSelling *selling, const double drift[3],
                       double share[INK_SELLING_MAX], double rest[3]);
#endif
