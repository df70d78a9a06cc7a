/* The order of elimination: nested dissection of the box of cells (George, SIAM J. Numer. Anal. 10 (1973)
 * 345).
 *
 * A box is cut in two along the axis where that costs fewest cells, by a separator as thick as the longest
 * offset along that axis; both halves are numbered before the separator. Along a periodic axis the first
 * separator lies at the seam, and what is left is a box that is not periodic. Small boxes are leaves. */
#include <stdlib.h>
#include <string.h>
#include "elimination_impl.h"

enum { LEAF = 8 }; /* cells of the largest box that is not cut */

typedef struct Box {
  int64_t low[3], count[3];
  bool periodic[3]; /* still the whole of a periodic axis */
} Box;

typedef struct Maker {
  const InkChain *chain;
  InkDissection *made;
  int64_t reach[3];
  int32_t next;             /* position */
  int capacity;             /* of made->front */
  int64_t boundaries, room; /* used of, and room in, made->boundary */
  int32_t *mark;            /* [cells]: by position, the front that saw it last */
  int32_t *fresh, *merged;  /* neighbours of a front's own cells; with those of children */
  int64_t fresh_room, merged_room;
  int64_t height; /* of the stack */
} Maker;

static int64_t box_cells(const Box *box) { return box->count[0] * box->count[1] * box->count[2]; }

/* Gives the cells of a box the next positions. */
static void number(Maker *m, const Box *box) {
  for (int64_t k = 0; k < box->count[2]; k++)
    for (int64_t j = 0; j < box->count[1]; j++)
      for (int64_t i = 0; i < box->count[0]; i++) {
        const int64_t cell =
            box->low[0] + i + m->chain->cells[0] * (box->low[1] + j + m->chain->cells[1] * (box->low[2] + k));
        m->made->cell[m->next] = (int32_t)cell;
        m->made->position[cell] = m->next++;
      }
}

/* The axis to cut: the most layers for the thickness of the separator. -1: a leaf. */
static int cut_axis(const Maker *m, const Box *box) {
  if (box_cells(box) <= LEAF) return -1;
  int best = -1;
  double most = 0;
  for (int a = 0; a < 3; a++) {
    const int64_t thick = m->reach[a];
    if (box->count[a] < (box->periodic[a] ? 2 * thick + 1 : thick + 2)) continue;
    const double layers = (double)box->count[a] / (double)(box->periodic[a] ? 2 * thick : thick);
    if (layers > most) {
      most = layers;
      best = a;
    }
  }
  return best;
}

/* Cuts the box: the parts (the number is returned) and the separator. */
static int cut(const Maker *m, const Box *box, int axis, Box part[2], Box *separator) {
  const int64_t thick = m->reach[axis], rest = box->count[axis] - thick;
  part[0] = part[1] = *separator = *box;
  separator->count[axis] = thick;
  for (int p = 0; p < 2; p++) part[p].periodic[axis] = false;
  if (box->periodic[axis]) {
    part[0].low[axis] += thick;
    part[0].count[axis] = rest;
    return 1;
  }
  part[0].count[axis] = rest / 2;
  separator->low[axis] += rest / 2;
  part[1].low[axis] += rest / 2 + thick;
  part[1].count[axis] = rest - rest / 2;
  return 2;
}

/* Room for `need` entries, more than asked for so that it seldom moves. */
static bool grow(int32_t **list, int64_t *room, int64_t need) {
  if (need <= *room) return true;
  const int64_t larger = 2 * need + 64;
  int32_t *moved = realloc(*list, (size_t)larger * sizeof *moved);
  if (!moved) return false;
  *list = moved;
  *room = larger;
  return true;
}

static int ascending(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void sort(int32_t *list, int64_t n) {
  if (n > 64) {
    qsort(list, (size_t)n, sizeof *list, ascending);
    return;
  }
  for (int64_t i = 1; i < n; i++) {
    const int32_t value = list[i];
    int64_t at = i;
    for (; at > 0 && list[at - 1] > value; at--) list[at] = list[at - 1];
    list[at] = value;
  }
}

/* Neighbours of own cells that are eliminated later, ascending, into m->fresh. Returns the number, -1 when
 * memory runs out. */
static int64_t find_fresh(Maker *m, const InkFront *front, int32_t stamp) {
  const InkChain *chain = m->chain;
  const int64_t after = (int64_t)front->first + front->own;
  int64_t n = 0;
  for (int64_t p = front->first; p < after; p++) {
    const int64_t cell = m->made->cell[p];
    int64_t at[3];
    ink_chain_place(chain, cell, at);
    if (!grow(&m->fresh, &m->fresh_room, n + 2 * chain->directions)) return -1;
    for (int e = 0; e < 2 * chain->directions; e++) {
      const int d = e / 2;
      const int64_t to = ink_chain_neighbour(chain, at, chain->offset[d], e % 2 ? -1 : 1);
      if (to < 0) continue;
      const int32_t position = m->made->position[to];
      if (position < after || m->mark[position] == stamp) continue;
      const int64_t from = e % 2 ? to : cell;
      if (chain->up && chain->up[d][from] == 0 && chain->down[d][from] == 0) continue;
      m->mark[position] = stamp;
      m->fresh[n++] = position;
    }
  }
  sort(m->fresh, n);
  return n;
}

/* The union of two ascending lists; entries below `least` are left out. */
static int64_t merge(const int32_t *a, int64_t na, const int32_t *b, int64_t nb, int32_t least, int32_t *to) {
  int64_t i = 0, j = 0, n = 0;
  while (i < na && a[i] < least) i++;
  while (j < nb && b[j] < least) j++;
  while (i < na && j < nb) {
    const int32_t x = a[i], y = b[j];
    to[n++] = x < y ? x : y;
    i += x <= y;
    j += y <= x;
  }
  for (; i < na; i++) to[n++] = a[i];
  for (; j < nb; j++) to[n++] = b[j];
  return n;
}

/* The boundary of a front: its children's without its own cells, and its cells' neighbours. */
static bool find_boundary(Maker *m, int f) {
  InkDissection *made = m->made;
  InkFront *front = &made->front[f];
  const int32_t after = front->first + front->own;
  int64_t n = find_fresh(m, front, f), most = n;
  if (n < 0) return false;
  for (int c = 0; c < front->children; c++) most += made->front[front->child[c]].boundary;
  if (!grow(&made->boundary, &m->room, m->boundaries + most) || !grow(&m->merged, &m->merged_room, most))
    return false;
  int32_t *to = made->boundary + m->boundaries, *other = m->merged;
  if (n > 0) memcpy(to, m->fresh, (size_t)n * sizeof *to);
  for (int c = 0; c < front->children; c++) {
    const InkFront *child = &made->front[front->child[c]];
    const int64_t both = merge(to, n, made->boundary + child->edge, child->boundary, after, other);
    if (both > 0) memcpy(to, other, (size_t)both * sizeof *to);
    n = both;
  }
  front->edge = m->boundaries;
  front->boundary = n;
  m->boundaries += n;
  return true;
}

/* What the front costs, in memory and operations. */
static void count_front(Maker *m, InkFront *front) {
  InkDissection *made = m->made;
  const int64_t own = front->own, edge = front->boundary;
  const InkDense dense = ink_dense(own, edge, NULL, NULL);
  front->factor = made->factor;
  made->factor += own * (1 + own + 2 * edge);
  if (ink_dense_size(&dense) > made->work) made->work = ink_dense_size(&dense);
  if (edge > made->widest) made->widest = edge;
  if (own > made->largest) made->largest = own;
  for (int c = 0; c < front->children; c++)
    m->height -= ink_schur_size(made->front[front->child[c]].boundary);
  m->height += ink_schur_size(edge);
  if (m->height > made->stack) made->stack = m->height;
  const double all = (double)(own + edge), left = (double)edge;
  made->operations += 2.0 / 3.0 * (all * all * all - left * left * left);
}

/* Numbers the cells of a box and makes its fronts, the last being its root (-1: memory ran out). */
static int dissect(Maker *m, const Box *box) {
  InkDissection *made = m->made;
  Box part[2], own = *box;
  InkFront front = {0};
  const int axis = cut_axis(m, box);
  if (axis >= 0) front.children = cut(m, box, axis, part, &own);
  for (int c = 0; c < front.children; c++) {
    front.child[c] = dissect(m, &part[c]);
    if (front.child[c] < 0) return -1;
  }
  if (made->fronts == m->capacity) {
    m->capacity = 2 * m->capacity + 64;
    InkFront *moved = realloc(made->front, (size_t)m->capacity * sizeof *moved);
    if (!moved) return -1;
    made->front = moved;
  }
  front.first = m->next;
  front.own = (int32_t)box_cells(&own);
  number(m, &own);
  made->front[made->fronts] = front;
  return made->fronts++;
}

static bool make(Maker *m) {
  const InkChain *chain = m->chain;
  Box box = {.low = {0}};
  for (int a = 0; a < 3; a++) {
    box.count[a] = chain->cells[a];
    box.periodic[a] = chain->periodic[a];
    m->reach[a] = 1;
    for (int d = 0; d < chain->directions; d++)
      if (labs(chain->offset[d][a]) > m->reach[a]) m->reach[a] = labs(chain->offset[d][a]);
  }
  if (dissect(m, &box) < 0) return false;
  for (int f = 0; f < m->made->fronts; f++) {
    if (!find_boundary(m, f)) return false;
    count_front(m, &m->made->front[f]);
  }
  return true;
}

bool ink_dissect(const InkChain *chain, InkDissection *dissection) {
  *dissection = (InkDissection){0};
  const int64_t cells = chain->cells[0] * chain->cells[1] * chain->cells[2];
  if (cells > INK_ELIMINATION_MOST) return false;
  Maker m = {.chain = chain, .made = dissection};
  dissection->cell = malloc((size_t)cells * sizeof(int32_t));
  dissection->position = malloc((size_t)cells * sizeof(int32_t));
  m.mark = malloc((size_t)cells * sizeof(int32_t));
  bool good = dissection->cell && dissection->position && m.mark;
  if (good) {
    memset(m.mark, -1, (size_t)cells * sizeof(int32_t));
    good = make(&m);
  }
  free(m.mark);
  free(m.fresh);
  free(m.merged);
  if (!good) ink_dissection_clear(dissection);
  return good;
}

void ink_dissection_clear(InkDissection *dissection) {
  free(dissection->cell);
  free(dissection->position);
  free(dissection->front);
  free(dissection->boundary);
  *dissection = (InkDissection){0};
}
