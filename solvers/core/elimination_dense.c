/* Elimination within a dense front.
 *
 * Cell k of the front is eliminated by
 *
 *     s_k = sum_{j>k} a(k,j),   a(k,j) <- a(k,j)/s_k,   a(i,j) += a(i,k) a(k,j)  for i, j > k,
 *
 * the way out being one of the columns j. Every entry is a sum of products >= 0, so it does not matter for
 * the relative error in what order the products are added, and the work can be done in blocks: 16 cells are
 * eliminated among themselves (what they send beyond their block counts as one column, which is enough for
 * s_k), then the columns below them, then their rows, and the rest is a matrix product. Halving recursively
 * makes nearly all of it matrix products. */
#include <float.h>
#include <string.h>
#include "elimination_impl.h"
#include "vector.h"

enum {
  BLOCK = 16,
  TILE_ROWS = INK_WIDTH == 8 ? 8 : 4, /* of a product, held in registers */
  TILE_VECTORS = 3,
  DEPTH = 128, /* products summed at a time, */
  BAND = 192   /* and rows: these parts of the matrices stay in the cache */
};

InkDense ink_dense(int64_t own, int64_t boundary, double *a, double *visits) {
  const int64_t start = (own + 7) / 8 * 8, stride = (start + boundary + 1 + 7) / 8 * 8;
  return (InkDense){own, boundary, start, stride % 16 ? stride : stride + 8, a, visits};
}

typedef struct Product {
  double *c;
  const double *a, *b;
  int64_t stride, b_stride; /* of c and a; of b */
} Product;

/* c[rows][vectors * INK_WIDTH] += a[rows][depth] b[depth][...]. rows and vectors are constants where this is
 * used. c may be among a. */
static inline __attribute__((always_inline)) void tile(const int rows, const int vectors, const Product *p,
                                                       int64_t depth) {
  InkVector sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) sum[r][v] = ink_load(p->c + r * p->stride + v * INK_WIDTH);
  for (int64_t k = 0; k < depth; k++) {
    InkVector b[TILE_VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) b[v] = ink_load(p->b + k * p->b_stride + v * INK_WIDTH);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const InkVector a = ink_all(p->a[r * p->stride + k]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; v++) sum[r][v] = ink_fma(a, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) ink_store(p->c + r * p->stride + v * INK_WIDTH, sum[r][v]);
}

static inline __attribute__((always_inline)) void strip(const int vectors, Product p, int64_t rows,
                                                        int64_t depth) {
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
    tile(TILE_ROWS, vectors, &p, depth);
    p.c += TILE_ROWS * p.stride;
    p.a += TILE_ROWS * p.stride;
  }
  for (; rows >= 2; rows -= 2) {
    tile(2, vectors, &p, depth);
    p.c += 2 * p.stride;
    p.a += 2 * p.stride;
  }
  if (rows) tile(1, vectors, &p, depth);
}

/* c += a b; columns is a multiple of 8. From right to left, so that c may be the columns of a whose rows of b
 * are zero to their left. */
static void multiply(Product p, int64_t rows, int64_t columns, int64_t depth) {
  const int64_t wide = TILE_VECTORS * INK_WIDTH;
  double *const c = p.c;
  const double *const b = p.b;
  while (columns > 0) {
    const int64_t step = columns >= wide ? wide : columns >= 2 * INK_WIDTH ? 2 * INK_WIDTH : INK_WIDTH;
    columns -= step;
    p.c = c + columns;
    p.b = b + columns;
    if (step == wide)
      strip(TILE_VECTORS, p, rows, depth);
    else if (step == 2 * INK_WIDTH)
      strip(2, p, rows, depth);
    else
      strip(1, p, rows, depth);
  }
}

/* Rows r0..r1, columns c0..c1 of the front += its columns k0..k1 times its rows k0..k1. */
static void update(const InkDense *front, int64_t r0, int64_t r1, int64_t c0, int64_t c1, int64_t k0,
                   int64_t k1) {
  for (int64_t k = k0; k < k1; k += DEPTH)
    for (int64_t r = r0; r < r1; r += BAND) {
      double *row = ink_dense_row(front, r);
      const Product p = {row + c0, row + k, ink_dense_row(front, k) + c0, front->stride, front->stride};
      multiply(p, r1 - r < BAND ? r1 - r : BAND, c1 - c0, k1 - k < DEPTH ? k1 - k : DEPTH);
    }
}

static double row_sum(const double *a, int64_t n) {
  double sum = 0;
  for (; n % (2 * INK_WIDTH); n--) sum += *a++;
  InkVector even = ink_all(0), odd = ink_all(0);
  for (int64_t i = 0; i < n; i += 2 * INK_WIDTH) {
    even = even + ink_load(a + i);
    odd = odd + ink_load(a + i + INK_WIDTH);
  }
  double lane[INK_WIDTH];
  ink_store(lane, even + odd);
  for (int l = 0; l < INK_WIDTH; l++) sum += lane[l];
  return sum;
}

/* The cells of a block among themselves. */
typedef struct Block {
  double a[BLOCK][BLOCK];      /* as the front's; zero beyond its cells */
  double inverse[BLOCK];       /* 1/s */
  double visits[BLOCK][BLOCK]; /* k < j: expected visits of j from k on the way up */
} Block;

/* Eliminates cells k0 .. k0 + n - 1 among themselves. */
static void eliminate_block(const InkDense *front, int64_t k0, int n, double *inverse, Block *block) {
  double beyond[BLOCK];
  memset(block, 0, sizeof *block);
  for (int i = 0; i < n; i++) {
    const double *row = ink_dense_row(front, k0 + i) + k0;
    memcpy(block->a[i], row, (size_t)n * sizeof *row);
    beyond[i] = row_sum(row + n, front->stride - k0 - n);
  }
  for (int k = 0; k < n; k++) {
    double s = beyond[k];
    for (int j = k + 1; j < n; j++) s += block->a[k][j];
    if (s < DBL_MIN) { /* no way out: what arrives stays, and so leaves what is looked at */
      for (int j = k + 1; j < n; j++) block->a[k][j] = 0;
      ink_dense_row(front, k0 + k)[front->start + front->boundary] = beyond[k] = s = 1;
      inverse[k] = 0;
    } else
      inverse[k] = 1 / s;
    block->inverse[k] = 1 / s;
    beyond[k] *= block->inverse[k];
    for (int j = k + 1; j < n; j++) block->a[k][j] *= block->inverse[k];
    for (int i = k + 1; i < n; i++) {
      const double flow = block->a[i][k];
      beyond[i] += flow * beyond[k];
      for (int j = k + 1; j < n; j++) block->a[i][j] += flow * block->a[k][j];
    }
  }
  for (int k = n - 1; k >= 0; k--)
    for (int j = k + 1; j < n; j++) {
      double sum = block->a[k][j];
      for (int i = k + 1; i < j; i++) sum += block->a[k][i] * block->visits[i][j];
      block->visits[k][j] = sum;
    }
  for (int i = 0; i < n; i++)
    memcpy(ink_dense_row(front, k0 + i) + k0, block->a[i], (size_t)n * sizeof(double));
}

/* The rows of a block beyond it, one vector wide: row k becomes (row k + sum_{i<k} a(k,i) row i)/s_k. */
static inline __attribute__((always_inline)) void solve_rows(const int most, int n, double *a, int64_t stride,
                                                             const Block *block) {
  InkVector row[BLOCK];
#pragma GCC unroll 16
  for (int i = 0; i < most; i++) row[i] = i < n ? ink_load(a + i * stride) : ink_all(0);
#pragma GCC unroll 16
  for (int k = 0; k < most; k++) {
    row[k] = row[k] * ink_all(block->inverse[k]);
    if (k < n) ink_store(a + k * stride, row[k]);
#pragma GCC unroll 16
    for (int i = k + 1; i < most; i++) row[i] = ink_fma(ink_all(block->a[i][k]), row[k], row[i]);
  }
}

/* All columns of the block's rows from `from` on, a multiple of 8. */
static void solve_block(const InkDense *front, int64_t k0, int n, int64_t from, const Block *block) {
  double *a = ink_dense_row(front, k0);
  for (int64_t j = from; j < front->stride; j += INK_WIDTH) {
    if (n <= 4)
      solve_rows(4, n, a + j, front->stride, block);
    else if (n <= 8)
      solve_rows(8, n, a + j, front->stride, block);
    else
      solve_rows(BLOCK, n, a + j, front->stride, block);
  }
}

static int64_t eights(int64_t n) { return (n + 7) / 8 * 8; }
static int64_t middle(int64_t k0, int64_t k1) { return k0 + ((k1 - k0) / 2 + BLOCK - 1) / BLOCK * BLOCK; }

/* Columns k0..k1, whose cells are eliminated already, of rows r0..r1: from the flows without them to those
 * at the time of each. */
static void finish_columns(const InkDense *front, int64_t r0, int64_t r1, int64_t k0, int64_t k1) {
  if (k1 - k0 <= BLOCK) {
    double *c = ink_dense_row(front, r0) + k0;
    const Product p = {c, c, front->visits + k0 * BLOCK, front->stride, BLOCK};
    multiply(p, r1 - r0, eights(k1 - k0), k1 - k0);
    return;
  }
  const int64_t mid = middle(k0, k1);
  finish_columns(front, r0, r1, k0, mid);
  update(front, r0, r1, mid, eights(k1), k0, mid);
  finish_columns(front, r0, r1, mid, k1);
}

/* Eliminates cells k0..k1 from their own rows. */
static void finish_rows(const InkDense *front, int64_t k0, int64_t k1, double *inverse) {
  if (k1 - k0 <= BLOCK) {
    Block block;
    const int n = (int)(k1 - k0);
    eliminate_block(front, k0, n, inverse + k0, &block);
    memcpy(front->visits + k0 * BLOCK, block.visits, sizeof block.visits);
    solve_block(front, k0, n, eights(k1), &block);
    return;
  }
  const int64_t mid = middle(k0, k1);
  finish_rows(front, k0, mid, inverse);
  finish_columns(front, mid, k1, k0, mid);
  update(front, mid, k1, mid, front->stride, k0, mid);
  finish_rows(front, mid, k1, inverse);
}

void ink_dense_eliminate(const InkDense *front, double *inverse) {
  const int64_t first = front->start, end = first + front->boundary;
  finish_rows(front, 0, front->own, inverse);
  finish_columns(front, first, end, 0, front->own);
  update(front, first, end, first, front->stride, 0, front->own);
}
