/* Reflecting walls that cut off oblique edges.
 *
 * Edges of direction e, e_n = m > 0 cells across the wall, have their middles m/2, m/2 + 1, ... cells above
 * the first row beside it, one for each cell along the wall: a layer of thickness m/2 at the wall is left
 * without its share w e e^T of the diffusion. There D grad f has no normal component, and its gradients are
 * f_t s_t along e,
 *
 *     s_t = e_t - m D_nt / D_nn.
 *
 * Moreover row j beside the wall misses the flow sum over m > j of w s: zero in the sum over the rows, but a
 * layer phi_j f_t of the solution, which decays within a few rows, balances it in each. What the edges would
 * have carried along the wall, and what that layer takes, is
 *
 *     S = sum of m/2 w s s^T + q^T A^-1 q,   q_j = sum over m > j of w s,
 *
 * A being the edges' Laplacian across the rows of a half space. S is given to edges along the wall in the
 * cells beside it; without it a reflecting wall is right to first order in the cells' width only. It is 0
 * where no off-diagonal entry couples the wall's normal. */
#include "generator_impl.h"
#include <stdlib.h>

enum { ROWS = 32, BAND = INK_SELLING_RADIUS };

/* The edges across the rows: how far, and what they carry along the wall. */
typedef struct Layer {
  int count, leg[INK_SELLING_MAX], across[INK_SELLING_MAX], sign[INK_SELLING_MAX];
  double weight[INK_SELLING_MAX], s[INK_SELLING_MAX][2];
} Layer;

static bool layer_of(int dim, const InkSelling *selling, int normal, Layer *layer) {
  double D[3] = {0.0};
  *layer = (Layer){0};
  for (int k = 0; k < selling->count; k++)
    for (int i = 0; i < dim; i++)
      D[i] += selling->weight[k] * (selling->offset[k][normal] * selling->offset[k][i]);
  for (int k = 0; k < selling->count; k++) {
    const int *e = selling->offset[k], sign = e[normal] < 0 ? -1 : 1, n = layer->count;
    if (e[normal] == 0) continue;
    layer->leg[n] = k;
    layer->sign[n] = sign;
    layer->across[n] = abs(e[normal]);
    layer->weight[n] = selling->weight[k];
    for (int i = 0, t = 0; i < dim; i++)
      if (i != normal) layer->s[n][t++] = sign * (e[i] - e[normal] * (D[i] / D[normal]));
    layer->count++;
  }
  return layer->count > 0;
}

/* Factors A = L L^T of the rows, band by band: A[j][d] is the entry of rows j and j - d. */
static void factor(const Layer *layer, double A[ROWS][BAND + 1]) {
  for (int k = 0; k < layer->count; k++)
    for (int j = 0; j < ROWS; j++) {
      const int m = layer->across[k];
      A[j][0] += layer->weight[k] * (j >= m ? 2.0 : 1.0);
      if (j >= m) A[j][m] -= layer->weight[k];
    }
  for (int j = 0; j < ROWS; j++)
    for (int d = j < BAND ? j : BAND; d >= 0; d--) {
      double sum = A[j][d];
      for (int e = d + 1; e <= BAND && e <= j; e++)
        if (e - d <= BAND) sum -= A[j][e] * A[j - d][e - d];
      A[j][d] = d ? sum / A[j - d][0] : sqrt(sum);
    }
}

/* x = A^-1 q, q_j = sum over edges that cross more than j rows of w s along tangent t. */
static void solve(const Layer *layer, double A[ROWS][BAND + 1], int t, double x[ROWS]) {
  for (int j = 0; j < ROWS; j++) {
    x[j] = 0.0;
    for (int k = 0; k < layer->count; k++)
      if (layer->across[k] > j) x[j] += layer->weight[k] * layer->s[k][t];
    for (int d = 1; d <= BAND && d <= j; d++) x[j] -= A[j][d] * x[j - d];
    x[j] /= A[j][0];
  }
  for (int j = ROWS - 1; j >= 0; j--) {
    for (int d = 1; d <= BAND && j + d < ROWS; d++) x[j] -= A[j + d][d] * x[j + d];
    x[j] /= A[j][0];
  }
}

bool ink_generator_wall(int dim, const InkSelling *selling, int normal, InkWall *wall) {
  double A[ROWS][BAND + 1] = {{0.0}}, x[ROWS];
  Layer layer;
  *wall = (InkWall){.normal = normal};
  if (!layer_of(dim, selling, normal, &layer)) return false;
  factor(&layer, A);
  for (int t = 0; t < dim - 1; t++) {
    const int a = t < normal ? t : t + 1;
    solve(&layer, A, t, x);
    for (int n = 0; n < layer.count; n++) {
      double *part = &wall->part[layer.leg[n]][a];
      *part = 0.5 * layer.across[n] * layer.s[n][t];
      for (int j = 0; j < layer.across[n]; j++) *part += x[j];
    }
  }
  for (int n = 0; n < layer.count; n++) {
    wall->across[layer.leg[n]] = layer.across[n] * layer.sign[n];
    wall->D += layer.weight[n] * (layer.across[n] * layer.across[n]);
    for (int t = 0; t < dim - 1; t++)
      for (int a = 0; a < dim; a++) {
        const int b = t < normal ? t : t + 1;
        wall->S[a][b] += layer.weight[n] * wall->part[layer.leg[n]][a] * layer.s[n][t];
      }
  }
  for (int a = 0; a < dim; a++) /* symmetric but for round-off */
    for (int b = 0; b < a; b++) wall->S[a][b] = wall->S[b][a] = 0.5 * (wall->S[a][b] + wall->S[b][a]);
  return true;
}
