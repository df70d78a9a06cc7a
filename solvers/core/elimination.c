/* State reduction, front by front.
 *
 * A front starts with the edges between its own cells and those not eliminated before, and what its children
 * left (the flows among their boundaries, which lie within this front). Its own cells are eliminated, what it
 * leaves goes on the stack for its parent, and the rest of it is its part of the factor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "elimination_impl.h"

/* What making a factorisation needs beside it. */
typedef struct Maker {
  const InkChain *chain;
  const double *kill;
  InkElimination *made;
  double *work, *visits; /* of the front at hand */
  double *stack;         /* what finished fronts left, their parents' turn not having come */
  int64_t height;
  int32_t *local; /* [cells]: by position, the column in the front at hand */
  int32_t *map;   /* [longest boundary]: a child's boundary in the front at hand */
} Maker;

void ink_elimination_plan(const InkChain *chain, double *bytes, double *operations) {
  InkDissection order;
  *bytes = *operations = INFINITY;
  if (!ink_dissect(chain, &order)) return;
  const double cells = (double)chain->cells[0] * (double)chain->cells[1] * (double)chain->cells[2];
  *operations = order.operations;
  *bytes = 8 * ((double)order.factor + (double)order.stack + (double)order.work + 16 * (double)order.largest +
                1.5 * (double)order.widest + cells) +
           12 * cells + sizeof(InkFront) * (double)order.fronts;
  for (int f = 0; f < order.fronts; f++) *bytes += 4 * (double)order.front[f].boundary;
  ink_dissection_clear(&order);
}

/* The column of a position in the front at hand. */
static int64_t column(const Maker *m, const InkFront *front, int32_t position) {
  const int32_t after = front->first + front->own;
  return position < after ? position - front->first : m->local[position];
}

static void add_edge(const Maker *m, const InkFront *front, const InkDense *dense, int64_t row, int32_t to,
                     double out, double in) {
  if (out == 0 && in == 0) return;
  const int64_t other = column(m, front, to);
  ink_dense_row(dense, row)[other] += out * m->made->scale;
  ink_dense_row(dense, other)[row] += in * m->made->scale;
}

/* Edges between the front's own cells and those eliminated later, and exits. */
static void add_edges(const Maker *m, const InkFront *front, const InkDense *dense) {
  const InkChain *chain = m->chain;
  const InkDissection *order = &m->made->order;
  for (int64_t row = 0; row < front->own; row++) {
    const int32_t here = front->first + (int32_t)row;
    const int64_t cell = order->cell[here];
    int64_t at[3];
    ink_chain_place(chain, cell, at);
    for (int d = 0; d < chain->directions; d++) {
      const int64_t above = ink_chain_neighbour(chain, at, chain->offset[d], 1);
      if (above >= 0 && above != cell && order->position[above] >= front->first)
        add_edge(m, front, dense, row, order->position[above], chain->up[d][cell], chain->down[d][cell]);
      const int64_t below = ink_chain_neighbour(chain, at, chain->offset[d], -1);
      if (below >= 0 && order->position[below] >= front->first + front->own)
        add_edge(m, front, dense, row, order->position[below], chain->down[d][below], chain->up[d][below]);
    }
    ink_dense_row(dense, row)[dense->start + dense->boundary] +=
        (chain->exit[cell] + (m->kill ? m->kill[cell] : 0)) * m->made->scale;
  }
}

/* Adds what a child left. Its boundary is mostly stretches of neighbouring columns. */
static void add_child(const Maker *m, const InkFront *front, const InkDense *dense, const InkFront *child,
                      const double *left) {
  const int32_t *edge = m->made->order.boundary + child->edge;
  const int64_t n = child->boundary;
  for (int64_t b = 0; b < n; b++) m->map[b] = (int32_t)column(m, front, edge[b]);
  m->map[n] = (int32_t)(dense->start + dense->boundary);
  for (int64_t start = 0, end; start <= n; start = end) {
    for (end = start + 1; end <= n && m->map[end] == m->map[end - 1] + 1; end++) continue;
    for (int64_t b = 0; b < n; b++) {
      double *to = ink_dense_row(dense, m->map[b]) + m->map[start];
      const double *from = left + b * (n + 1) + start;
      for (int64_t j = 0; j < end - start; j++) to[j] += from[j];
    }
  }
}

/* Takes the front's children off the stack and puts what it leaves there. */
static void leave(Maker *m, const InkFront *front, const InkDense *dense) {
  for (int c = 0; c < front->children; c++)
    m->height -= ink_schur_size(m->made->order.front[front->child[c]].boundary);
  double *to = m->stack + m->height;
  const int64_t n = front->boundary;
  for (int64_t b = 0; b < n; b++, to += n + 1)
    memcpy(to, ink_dense_row(dense, dense->start + b) + dense->start, (size_t)(n + 1) * sizeof *to);
  m->height += ink_schur_size(n);
}

static void keep_factor(const Maker *m, const InkFront *front, const InkDense *dense) {
  const int64_t own = front->own, n = front->boundary;
  double *to = m->made->factor + front->factor + own;
  for (int64_t k = 0; k < own; k++, to += own) memcpy(to, ink_dense_row(dense, k), (size_t)own * sizeof *to);
  for (int64_t k = 0; k < own; k++, to += n)
    memcpy(to, ink_dense_row(dense, k) + dense->start, (size_t)n * sizeof *to);
  for (int64_t b = 0; b < n; b++, to += own)
    memcpy(to, ink_dense_row(dense, dense->start + b), (size_t)own * sizeof *to);
}

static void eliminate(Maker *m, const InkFront *front) {
  const InkDissection *order = &m->made->order;
  const InkDense dense = ink_dense(front->own, front->boundary, m->work, m->visits);
  memset(m->work, 0, (size_t)ink_dense_size(&dense) * sizeof(double));
  for (int64_t b = 0; b < front->boundary; b++)
    m->local[order->boundary[front->edge + b]] = (int32_t)(dense.start + b);
  add_edges(m, front, &dense);
  const double *left = m->stack + m->height;
  for (int c = front->children - 1; c >= 0; c--) {
    const InkFront *child = &order->front[front->child[c]];
    left -= ink_schur_size(child->boundary);
    add_child(m, front, &dense, child, left);
  }
  ink_dense_eliminate(&dense, m->made->factor + front->factor);
  leave(m, front, &dense);
  keep_factor(m, front, &dense);
}

/* Cells that keep what reaches them: none in a chain that leaves, one in a chain that does not. Returns the
 * cell when there are more, else -1. */
static int64_t find_closed(InkElimination *made, bool leaves) {
  made->closed = -1;
  for (int f = 0; f < made->order.fronts; f++) {
    const InkFront *front = &made->order.front[f];
    for (int64_t k = 0; k < front->own; k++) {
      if (made->factor[front->factor + k] > 0) continue;
      if (leaves || made->closed >= 0) return made->order.cell[front->first + k];
      made->closed = front->first + k;
    }
  }
  return -1;
}

static double largest(const double *a, int64_t n) {
  double most = 0;
  for (int64_t c = 0; a && c < n; c++) most = a[c] > most ? a[c] : most;
  return most;
}

static bool leaves(const InkChain *chain, const double *kill, int64_t cells) {
  return largest(chain->exit, cells) > 0 || largest(kill, cells) > 0;
}

/* A power of two that brings the largest coefficient near 1, so that units do not matter. */
static double scale(const InkChain *chain, const double *kill, int64_t cells) {
  double most = fmax(largest(chain->exit, cells), largest(kill, cells));
  for (int d = 0; d < chain->directions; d++)
    most = fmax(most, fmax(largest(chain->up[d], cells), largest(chain->down[d], cells)));
  return most > 0 ? ldexp(1, (int)fmin(-ilogb(most), 1000)) : 1;
}

/* Large arrays in huge pages: they are filled once, and each page costs when it is first met. */
static double *doubles(int64_t n) {
  const size_t huge_page = 1u << 21, bytes = (size_t)n * sizeof(double);
  const bool huge = bytes >= 2 * huge_page;
  const size_t page = huge ? huge_page : 64, whole = (bytes / page + 1) * page;
  double *made = aligned_alloc(page, whole);
  if (made && huge) madvise(made, whole, MADV_HUGEPAGE); /* advice: nothing is lost where it is not taken */
  return made;
}

/* False when memory runs out. */
static bool factor(Maker *m) {
  InkElimination *made = m->made;
  const InkDissection *order = &made->order;
  made->factor = doubles(order->factor);
  made->value = doubles(made->cells);
  made->near = doubles(order->widest);
  m->work = doubles(order->work);
  m->visits = doubles(16 * (order->largest + 16));
  m->stack = doubles(order->stack);
  m->local = malloc((size_t)made->cells * sizeof(int32_t));
  m->map = malloc((size_t)(order->widest + 1) * sizeof(int32_t));
  const bool good =
      made->factor && made->value && made->near && m->work && m->visits && m->stack && m->local && m->map;
  for (int f = 0; good && f < order->fronts; f++) eliminate(m, &order->front[f]);
  free(m->work);
  free(m->visits);
  free(m->stack);
  free(m->local);
  free(m->map);
  return good;
}

InkElimination *ink_elimination_create(const InkChain *chain, const double *kill, int64_t *reducible) {
  if (reducible) *reducible = -1;
  InkElimination *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->cells = chain->cells[0] * chain->cells[1] * chain->cells[2];
  made->scale = scale(chain, kill, made->cells);
  Maker m = {.chain = chain, .kill = kill, .made = made};
  bool good = ink_dissect(chain, &made->order) && factor(&m);
  if (good) {
    const int64_t closed = find_closed(made, leaves(chain, kill, made->cells));
    if (reducible) *reducible = closed;
    good = closed < 0;
  }
  if (!good) ink_elimination_destroy(&made);
  return made;
}

void ink_elimination_destroy(InkElimination **elimination) {
  InkElimination *e = *elimination;
  if (!e) return;
  ink_dissection_clear(&e->order);
  free(e->factor);
  free(e->value);
  free(e->near);
  free(e);
  *elimination = NULL;
}
