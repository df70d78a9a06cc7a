/* The chain's linear equations, by elimination of its states. See chain.h.
 *
 * Transient states are numbered from 0. Watched only while it is in the states below k, the chain has the
 * probabilities a_ij + a_ik a_kj / s_k, s_k = sum over j < k of a_kj, and exits likewise. Rows are eliminated
 * in blocks of pivots, which stay in the cache while all other rows pass by; each entry sees its operations
 * in the same order whatever the block. */
#include <stdlib.h>
#include <string.h>
#include "chain.h"

enum { BLOCK = 16 };

struct InkStateElimination {
  InkPopulation population;
  int64_t first, n;  /* transient states are first ... first + n - 1 */
  double *a;         /* [n][n]: above the diagonal a_ik / s_k, below a_kj */
  double *exit[2];   /* [n]: step to the absorbing end, of the chain as given */
  double *leave, *s; /* [n]: all exits, of the reduced chain; pivots */
  double *work;      /* [n] */
};

static void count_transient(InkStateElimination *e) {
  e->first = ink_population_absorbs(&e->population, 0) ? 1 : 0;
  e->n = e->population.size + 1 - e->first - (ink_population_absorbs(&e->population, 1) ? 1 : 0);
}

double ink_state_elimination_bytes(const InkPopulation *population) {
  const double n = (double)population->size + 1;
  return 8 * n * (n + 6);
}

/* Takes the pivots high ... low, all above i, out of row i. */
static void reduce_row(InkStateElimination *e, int64_t i, int64_t high, int64_t low) {
  double *restrict row = e->a + i * e->n;
  for (int64_t k = high; k >= low; k--) {
    const double *pivot = e->a + k * e->n, factor = row[k] / e->s[k];
    row[k] = factor;
    if (factor == 0) continue;
    for (int64_t j = 0; j < k; j++) row[j] += factor * pivot[j];
    e->leave[i] += factor * e->leave[k];
  }
}

static double pivot_of(const InkStateElimination *e, int64_t k) {
  double sum = e->leave[k];
  for (int64_t j = 0; j < k; j++) sum += e->a[k * e->n + j];
  return sum;
}

static void reduce(InkStateElimination *e) {
  for (int64_t high = e->n - 1; high >= 0; high -= BLOCK) {
    const int64_t low = high - BLOCK + 1 > 0 ? high - BLOCK + 1 : 0;
    for (int64_t k = high; k >= low; k--) {
      reduce_row(e, k, high, k + 1);
      e->s[k] = pivot_of(e, k);
    }
    for (int64_t i = 0; i < low; i++) reduce_row(e, i, high, low);
  }
}

static void fill(InkStateElimination *e, double *row) {
  const int64_t last = e->population.size;
  for (int64_t i = 0; i < e->n; i++) {
    ink_population_row(&e->population, e->first + i, row);
    memcpy(e->a + i * e->n, row + e->first, (size_t)e->n * sizeof *row);
    e->exit[0][i] = ink_population_absorbs(&e->population, 0) ? row[0] : 0;
    e->exit[1][i] = ink_population_absorbs(&e->population, 1) ? row[last] : 0;
    e->leave[i] = e->exit[0][i] + e->exit[1][i];
  }
}

InkStateElimination *ink_state_elimination_create(const InkPopulation *population) {
  InkStateElimination *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  e->population = *population;
  count_transient(e);
  const size_t n = (size_t)e->n;
  double *row = malloc(((size_t)population->size + 1) * sizeof *row);
  e->a = malloc(n * n * sizeof *e->a);
  e->exit[0] = malloc(5 * n * sizeof *e->work);
  if (!row || !e->a || !e->exit[0]) {
    free(row);
    ink_state_elimination_destroy(&e);
    return NULL;
  }
  e->exit[1] = e->exit[0] + n;
  e->leave = e->exit[1] + n;
  e->s = e->leave + n;
  e->work = e->s + n;
  fill(e, row);
  free(row);
  reduce(e);
  return e;
}

void ink_state_elimination_destroy(InkStateElimination **elimination) {
  InkStateElimination *e = *elimination;
  if (!e) return;
  free(e->a);
  free(e->exit[0]);
  free(e);
  *elimination = NULL;
}

/* x with x_i = sum_j P_ij x_j + b_i over the transient states; b and x may be the same. */
static void solve_backward(const InkStateElimination *e, const double *b, double *x) {
  const int64_t n = e->n;
  if (x != b) memcpy(x, b, (size_t)n * sizeof *x);
  for (int64_t i = n - 2; i >= 0; i--) {
    /* b_i + sum over k > i of (a_ik / s_k) b_k, from the highest k as they were taken out */
    double sum = x[i];
    for (int64_t k = n - 1; k > i; k--) sum += e->a[i * n + k] * x[k];
    x[i] = sum;
  }
  for (int64_t k = 0; k < n; k++) {
    double sum = x[k];
    for (int64_t j = 0; j < k; j++) sum += e->a[k * n + j] * x[j];
    x[k] = sum / e->s[k];
  }
}

/* Values of the transient states among all, 0 at the ends that absorb. */
static void spread(const InkStateElimination *e, const double *inner, double *all) {
  for (int64_t i = 0; i <= e->population.size; i++) all[i] = 0;
  memcpy(all + e->first, inner, (size_t)e->n * sizeof *all);
}

void ink_population_hitting(const InkStateElimination *e, int end, double *u) {
  solve_backward(e, e->exit[end], e->work);
  spread(e, e->work, u);
  u[end ? e->population.size : 0] = 1;
}

void ink_population_time(const InkStateElimination *e, int end, double *tau) {
  double *u = tau + e->first; /* of the transient states */
  for (int64_t i = 0; i < e->n; i++) e->work[i] = 1;
  if (end >= 0) {
    solve_backward(e, e->exit[end], u);
    memcpy(e->work, u, (size_t)e->n * sizeof *u);
  }
  solve_backward(e, e->work, e->work);
  for (int64_t i = 0; i < e->n && end >= 0; i++) e->work[i] = u[i] > 0 ? e->work[i] / u[i] : 0;
  spread(e, e->work, tau);
}

void ink_population_stationary(const InkStateElimination *e, double *mass) {
  const int64_t n = e->n;
  double sum = mass[0] = 1;
  for (int64_t k = 1; k < n; k++) {
    mass[k] = 0;
    for (int64_t i = 0; i < k; i++) mass[k] += mass[i] * e->a[i * n + k];
    sum += mass[k];
  }
  for (int64_t k = 0; k < n; k++) mass[k] /= sum;
}
