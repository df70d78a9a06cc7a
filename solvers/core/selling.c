/* Selling's decomposition. A superbase e_0 + ... + e_d = 0 of the integer lattice is obtuse for D when all
 * <e_i, D e_j> <= 0, i != j; then
 *
 *     D = sum over i < j of  -<e_i, D e_j> v_ij v_ij^T,
 *
 * v_ij being the vector dual to the pair: in two dimensions e_k turned by a quarter, in three e_k x e_l, of
 * what is left. Selling's step takes a pair with <e_i, D e_j> > 0 and lessens the sum of <e_i, D e_i>; it
 * ends when D is positive definite. An axis that no off-diagonal entry couples is left out beforehand: three
 * dimensions are often two and one. */
#include "rates.h"
#include <math.h>
#include <stdlib.h>

static const double ROUND = 1e-15;  /* of a sum of a few products */
static const double BEYOND = 1e-12; /* a matrix that is less positive than this is not semi-definite */
enum { MAX_STEPS = 400, MAX_PAIRS = INK_SELLING_MAX, LEAST = -50 };

typedef struct Superbase {
  int axes, pairs;
  int e[4][3];
} Superbase;

static const int PAIR[MAX_PAIRS][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {1, 2, 0, 3},
                                       {0, 3, 1, 2}, {1, 3, 0, 2}, {2, 3, 0, 1}}; /* i, j and what is left */

/* <a, M b> and what its round-off is measured by. */
static double product(int axes, const double M[3][3], const int a[3], const int b[3], double *size) {
  double sum = 0.0;
  *size = 0.0;
  for (int i = 0; i < axes; i++)
    for (int j = 0; j < axes; j++) {
      const double term = (double)a[i] * b[j] * M[i][j];
      sum += term;
      *size += fabs(term);
    }
  return sum;
}

/* The vector dual to a pair, its first non-zero component positive. */
static void dual(const Superbase *base, int pair, int v[3]) {
  const int *a = base->e[PAIR[pair][2]], *b = base->e[PAIR[pair][3]];
  if (base->axes == 2) {
    v[0] = -a[1];
    v[1] = a[0];
    v[2] = 0;
  } else {
    for (int i = 0; i < 3; i++) v[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
  }
  const int first = v[0] ? v[0] : v[1] ? v[1] : v[2];
  for (int i = 0; i < 3 && first < 0; i++) v[i] = -v[i];
}

static bool within(const int v[3], int radius) {
  return abs(v[0]) <= radius && abs(v[1]) <= radius && abs(v[2]) <= radius;
}

/* One of Selling's steps at a pair. */
static void reflect(Superbase *base, int pair) {
  const int *p = PAIR[pair], (*old)[3] = base->e;
  int e[4][3] = {{0}};
  for (int i = 0; i < base->axes; i++) {
    const int a = old[p[0]][i], b = old[p[1]][i];
    e[p[0]][i] = -a;
    e[p[1]][i] = b;
    e[p[2]][i] = base->axes == 2 ? a - b : old[p[2]][i] + a;
    if (base->axes == 3) e[p[3]][i] = old[p[3]][i] + a;
  }
  for (int k = 0; k <= base->axes; k++)
    for (int i = 0; i < 3; i++) base->e[k][i] = e[k][i];
}

/* The pair of the superbase with the largest <e_i, M e_j> that is positive beyond round-off; -1: none. */
static int steepest_pair(const Superbase *base, const double M[3][3]) {
  double Me[4][3], most = 0.0, size;
  int steepest = -1;
  for (int k = 1; k <= base->axes; k++)
    for (int i = 0; i < base->axes; i++) {
      Me[k][i] = 0.0;
      for (int j = 0; j < base->axes; j++) Me[k][i] += M[i][j] * base->e[k][j];
    }
  for (int pair = 0; pair < base->pairs; pair++) {
    const int *a = base->e[PAIR[pair][0]], *b = base->e[PAIR[pair][1]];
    double s = 0.0;
    for (int i = 0; i < base->axes; i++) s += a[i] * Me[PAIR[pair][1]][i];
    if (!(s > most)) continue;
    s = product(base->axes, M, a, b, &size);
    if (!(s > ROUND * size && s > most)) continue;
    most = s;
    steepest = pair;
  }
  return steepest;
}

/* The obtuse superbase of M. False: its vectors are too long for offsets within the radius. */
static bool make_obtuse(int axes, const double M[3][3], int radius, Superbase *base) {
  const int longest = axes == 2 ? 2 * radius : 4 * radius * radius;
  *base = (Superbase){.axes = axes, .pairs = axes == 2 ? 3 : 6};
  for (int i = 0; i < axes; i++) {
    base->e[i][i] = 1;
    base->e[axes][i] = -1;
  }
  for (int step = 0; step < MAX_STEPS; step++) {
    const int pair = steepest_pair(base, M);
    if (pair < 0) return true;
    reflect(base, pair);
    for (int k = 0; k <= axes; k++)
      if (!within(base->e[k], longest)) return false;
  }
  return false;
}

/* R = M - sum of w v v^T. */
static void residual(int axes, const double M[3][3], int count, int (*v)[3], const double *w,
                     double R[3][3]) {
  for (int i = 0; i < axes; i++)
    for (int j = i; j < axes; j++) {
      double sum = 0.0;
      for (int k = 0; k < count; k++) sum += w[k] * ((double)v[k][i] * v[k][j]);
      R[i][j] = R[j][i] = M[i][j] - sum;
    }
}

/* The weights of all pairs: once more from what is left, so that the sum is M to the round-off of the sum
 * itself and not to that of the long vectors. Weights within round-off of 0 become 0. */
static void weigh(const double M[3][3], const Superbase *base, int v[MAX_PAIRS][3], double w[MAX_PAIRS]) {
  double R[3][3], size[MAX_PAIRS], ignored;
  for (int pair = 0; pair < base->pairs; pair++) {
    dual(base, pair, v[pair]);
    w[pair] = -product(base->axes, M, base->e[PAIR[pair][0]], base->e[PAIR[pair][1]], &size[pair]);
  }
  residual(base->axes, M, base->pairs, v, w, R);
  for (int pair = 0; pair < base->pairs; pair++) {
    w[pair] -= product(base->axes, R, base->e[PAIR[pair][0]], base->e[PAIR[pair][1]], &ignored);
    if (w[pair] <= 2.0 * ROUND * size[pair]) w[pair] = 0.0;
  }
}

/* Solves the symmetric G x = b of n <= MAX_PAIRS rows in place, by elimination with diagonal pivots; rows
 * that depend on others get 0. */
static void solve(int n, double G[MAX_PAIRS][MAX_PAIRS], double b[MAX_PAIRS], const double scale[MAX_PAIRS]) {
  int order[MAX_PAIRS], rank = 0;
  bool used[MAX_PAIRS] = {false};
  for (; rank < n; rank++) {
    int p = -1;
    for (int i = 0; i < n; i++)
      if (!used[i] && G[i][i] > BEYOND * scale[i] && (p < 0 || G[i][i] > G[p][p])) p = i;
    if (p < 0) break;
    used[p] = true;
    order[rank] = p;
    for (int i = 0; i < n; i++) {
      if (used[i]) continue;
      const double factor = G[i][p] / G[p][p];
      for (int j = 0; j < n; j++)
        if (!used[j]) G[i][j] -= factor * G[p][j];
      b[i] -= factor * b[p];
    }
  }
  for (int i = 0; i < n; i++)
    if (!used[i]) b[i] = 0.0;
  for (int r = rank - 1; r >= 0; r--) {
    const int p = order[r];
    for (int s = r + 1; s < rank; s++) b[p] -= G[p][order[s]] * b[order[s]];
    b[p] /= G[p][p];
  }
}

/* Where weights became 0, the others take what went with them, by least squares. False: they cannot. */
static bool refit(int axes, const double M[3][3], int count, int v[MAX_PAIRS][3], double w[MAX_PAIRS]) {
  double R[3][3], G[MAX_PAIRS][MAX_PAIRS], b[MAX_PAIRS], scale[MAX_PAIRS], ignored;
  residual(axes, M, count, v, w, R);
  for (int k = 0; k < count; k++) {
    b[k] = product(axes, R, v[k], v[k], &ignored);
    for (int l = 0; l < count; l++) {
      double dot = 0.0;
      for (int i = 0; i < axes; i++) dot += (double)v[k][i] * v[l][i];
      G[k][l] = dot * dot;
    }
    scale[k] = G[k][k];
  }
  solve(count, G, b, scale);
  for (int k = 0; k < count; k++)
    if (w[k] + b[k] > 0.0) w[k] += b[k];
  residual(axes, M, count, v, w, R);
  double most = 0.0, left = 0.0;
  for (int i = 0; i < axes; i++)
    for (int j = 0; j < axes; j++) {
      most = fmax(most, M[i][j]);
      left = fmax(left, fabs(R[i][j]));
    }
  return left <= 5.0 * ROUND * most;
}

/* The decomposition of M, whose axes are all coupled. False: not with offsets within the radius. */
static bool decompose(int axes, const double M[3][3], int radius, int *count, int v[MAX_PAIRS][3],
                      double w[MAX_PAIRS]) {
  Superbase base;
  if (!make_obtuse(axes, M, radius, &base)) return false;
  weigh(M, &base, v, w);
  *count = 0;
  for (int pair = 0; pair < base.pairs; pair++) {
    if (w[pair] == 0.0) continue;
    if (!within(v[pair], radius)) return false;
    for (int i = 0; i < 3; i++) v[*count][i] = v[pair][i];
    w[(*count)++] = w[pair];
  }
  return *count == base.pairs || refit(axes, M, *count, v, w);
}

/* With as little as possible on the diagonal: a power of two times its largest entry. At 1 the diagonal
 * dominates, and offsets have components of 0 and 1 only. */
static double decompose_within(int axes, const double M[3][3], int radius, int *count, int v[MAX_PAIRS][3],
                               double w[MAX_PAIRS]) {
  double more[3][3], most = 0.0;
  if (decompose(axes, M, radius, count, v, w)) return 0.0;
  for (int i = 0; i < axes; i++) most = fmax(most, M[i][i]);
  int low = LEAST, high = 0;
  for (int at = low + (high - low) / 2; at > low; at = low + (high - low) / 2) {
    for (int i = 0; i < axes; i++)
      for (int j = 0; j < axes; j++) more[i][j] = M[i][j] + (i == j ? ldexp(most, at) : 0.0);
    if (decompose(axes, (const double(*)[3])more, radius, count, v, w))
      high = at;
    else
      low = at;
  }
  for (int i = 0; i < axes; i++)
    for (int j = 0; j < axes; j++) more[i][j] = M[i][j] + (i == j ? ldexp(most, high) : 0.0);
  decompose(axes, (const double(*)[3])more, radius, count, v, w);
  return ldexp(most, high);
}

/* Correlations between -1 and 1, and their determinant not negative, but for round-off. */
static bool semi_definite(int dim, const double D[3][3]) {
  double most = 0.0, c[3][3] = {{0}};
  for (int i = 0; i < dim; i++) most = fmax(most, D[i][i]);
  for (int i = 0; i < dim; i++)
    for (int j = 0; j < dim; j++) {
      if (!isfinite(D[i][j]) || (i == j && D[i][i] < -BEYOND * most)) return false;
      if (j >= i) continue;
      const double size = sqrt(fmax(D[i][i], 0.0)) * sqrt(fmax(D[j][j], 0.0));
      if (fabs(D[i][j]) > (1.0 + BEYOND) * size && fabs(D[i][j]) > BEYOND * most) return false;
      c[i][j] = size > 0.0 ? D[i][j] / size : 0.0;
    }
  const double a = c[1][0], b = c[2][0], d = c[2][1];
  return 1.0 + 2.0 * a * b * d - a * a - b * b - d * d >= -BEYOND;
}

static void take(InkSelling *selling, int axes, const int axis[3], const int v[3], double weight) {
  int *offset = selling->offset[selling->count];
  for (int i = 0; i < axes; i++) offset[axis[i]] = v[i];
  selling->weight[selling->count++] = weight;
}

bool ink_selling(int dim, const double D[3][3], int radius, InkSelling *selling) {
  double M[3][3] = {{0}}, w[MAX_PAIRS], most = 0.0;
  int axis[3] = {0}, axes = 0, count, v[MAX_PAIRS][3];
  *selling = (InkSelling){0};
  if (!semi_definite(dim, D)) return false;
  for (int i = 0; i < dim; i++) {
    bool coupled = false;
    for (int j = 0; j < dim; j++) coupled |= j != i && D[i][j] != 0.0 && D[i][i] > 0.0 && D[j][j] > 0.0;
    if (coupled)
      axis[axes++] = i;
    else if (D[i][i] > 0.0)
      take(selling, 1, (const int[3]){i}, (const int[3]){1}, D[i][i]);
    most = fmax(most, D[i][i]);
  }
  if (axes == 0) return true;
  for (int i = 0; i < axes; i++)
    for (int j = 0; j < axes; j++) M[i][j] = D[axis[i]][axis[j]];
  selling->added = decompose_within(axes, (const double(*)[3])M, radius, &count, v, w) / most;
  for (int k = 0; k < count; k++) take(selling, axes, axis, v[k], w[k]);
  return true;
}

/* ---- drift ---- */

/* share = w v.m with (D + added) m = drift, D the sum of w v v^T, and what is left of the drift. */
static void fit_drift(int dim, const InkSelling *selling, const double D[3][3], double added,
                      const double drift[3], double share[INK_SELLING_MAX], double rest[3]) {
  double G[MAX_PAIRS][MAX_PAIRS], scale[MAX_PAIRS], size[3];
  for (int k = 0; k < INK_SELLING_MAX; k++) share[k] = 0.0;
  for (int i = 0; i < 3; i++) rest[i] = i < dim ? drift[i] : 0.0;
  for (int sweep = 0; sweep < (added == 0.0 ? 2 : 1); sweep++) { /* the second takes the first's round-off */
    double m[MAX_PAIRS] = {rest[0], rest[1], rest[2]};
    for (int i = 0; i < dim; i++) {
      for (int j = 0; j < dim; j++) G[i][j] = D[i][j];
      scale[i] = G[i][i] += added;
    }
    solve(dim, G, m, scale);
    for (int i = 0; i < dim; i++) size[i] = fabs(rest[i] = drift[i]);
    for (int k = 0; k < selling->count; k++) {
      const int *v = selling->offset[k];
      share[k] += selling->weight[k] * (v[0] * m[0] + v[1] * m[1] + v[2] * m[2]);
      for (int i = 0; i < dim; i++) {
        rest[i] -= share[k] * v[i];
        size[i] += fabs(share[k] * v[i]);
      }
    }
  }
  for (int i = 0; i < dim; i++)
    if (fabs(rest[i]) <= ROUND * size[i]) rest[i] = 0.0;
}

/* Upwinding a share adds diffusion of the order share/2 v v^T. Do the shares add little to the diffusion that
 * is there, or not much more than the drift along the axes would? */
static bool diffuses_little(int dim, const InkSelling *selling, const double drift[3],
                            const double share[INK_SELLING_MAX]) {
  double steepest = 0.0, shares = 0.0, axes = 0.0;
  for (int k = 0; k < selling->count; k++) {
    double length = 0.0;
    for (int i = 0; i < dim; i++) length += (double)selling->offset[k][i] * selling->offset[k][i];
    steepest = fmax(steepest, fabs(share[k]) / selling->weight[k]);
    shares += fabs(share[k]) * length;
  }
  for (int i = 0; i < dim; i++) axes += fabs(drift[i]);
  return !(steepest > INK_SELLING_STEEPEST && shares > INK_SELLING_DETOUR * axes);
}

void ink_selling_drift(int dim, const InkSelling *selling, const double drift[3],
                       double share[INK_SELLING_MAX], double rest[3]) {
  double D[3][3] = {{0}}, most = 0.0;
  for (int k = 0; k < selling->count; k++) {
    most = fmax(most, selling->weight[k]);
    for (int i = 0; i < dim; i++)
      for (int j = 0; j < dim; j++)
        D[i][j] += selling->weight[k] * (selling->offset[k][i] * selling->offset[k][j]);
  }
  const double(*matrix)[3] = (const double(*)[3])D;
  fit_drift(dim, selling, matrix, 0.0, drift, share, rest);
  if (diffuses_little(dim, selling, drift, share)) return;
  const double least = most * ROUND;
  double high = most / 1024, low = 0.0;
  for (;; low = high, high *= 4.0) { /* up to what is enough */
    fit_drift(dim, selling, matrix, high, drift, share, rest);
    if (diffuses_little(dim, selling, drift, share)) break;
  }
  for (double less = high / 16; low == 0.0 && less > least; less /= 16) { /* or down to what is not */
    fit_drift(dim, selling, matrix, less, drift, share, rest);
    if (diffuses_little(dim, selling, drift, share))
      high = less;
    else
      low = less;
  }
  for (int turn = 0; turn < 10 && low > 0.0; turn++) { /* as good as smooth in the data */
    const double middle = sqrt(low * high);
    fit_drift(dim, selling, matrix, middle, drift, share, rest);
    if (diffuses_little(dim, selling, drift, share))
      high = middle;
    else
      low = middle;
  }
  fit_drift(dim, selling, matrix, high, drift, share, rest);
}
