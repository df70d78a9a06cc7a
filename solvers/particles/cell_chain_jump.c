/* Particles through tables of transitions, in blocks that stay in the first-level cache. What a particle does
 * in a step depends on its row, the step's table and its own deviate. */
#include "cell_chain_impl.h"
#include <math.h>

/* A block of particles. */
typedef struct Block {
  InkEnsemble *ensemble;
  int64_t first; /* of this rank's */
  int n;
  int32_t row[INK_PARTICLE_BLOCK];
  int64_t pick[INK_PARTICLE_BLOCK]; /* place in `to` of the option a particle takes */
  int32_t next[INK_PARTICLE_BLOCK]; /* the row it takes it to */
  double way[INK_PARTICLE_BLOCK];
  double u[INK_DRAWS * INK_PARTICLE_BLOCK];
} Block;

InkSchedule ink_chain_steps(const InkSchedule *schedule, int k) {
  const int64_t first = schedule->first + k;
  int count = INK_DRAWS - (int)(first % INK_DRAWS);
  if (count > schedule->count - k) count = schedule->count - k;
  return (InkSchedule){first, count, schedule->time + k};
}

/* ---- a step ---- */

static inline void choose_of(int options, const InkTable *table, double scale, const double *u,
                             Block *block) {
  for (int i = 0; i < block->n; i++) {
    const int64_t row = block->row[i];
    const double *limit = table->number + row * options, v = u[i] * scale;
    int64_t passed = 0;
    for (int k = 0; k < options; k++) passed += limit[k] <= v;
    block->pick[i] = row * (options + 1) + passed;
  }
}

static void choose(const InkTable *table, double scale, const double *u, Block *block) {
  switch (table->options) { /* loops of a known length are unrolled */
  case 2:
    choose_of(2, table, scale, u, block);
    break;
  case 4:
    choose_of(4, table, scale, u, block);
    break;
  case 6:
    choose_of(6, table, scale, u, block);
    break;
  default:
    choose_of(table->options, table, scale, u, block);
  }
}

static inline bool is_absorbed(const InkCellChain *chain, const Block *block, int i) {
  return block->next[i] >= chain->cells && block->row[i] < chain->cells;
}

static double wall_of(const InkCellChain *chain, int side) {
  const InkAxis *axis = &chain->mesh->axis[side / 2];
  return side % 2 ? axis->to : axis->from;
}

static void absorb(const InkCellChain *chain, double time, Block *block) {
  InkEnsemble *e = block->ensemble;
  for (int i = 0; i < block->n; i++) {
    if (!is_absorbed(chain, block, i)) continue;
    const int side = (int)(block->next[i] - chain->cells);
    const int64_t particle = block->first + i;
    for (int a = 0; a < e->dim; a++) e->x[a][particle] = chain->place[a][block->row[i]];
    e->x[side / 2][particle] = wall_of(chain, side);
    e->cell[particle] = -1.0;
    e->fate[particle] = side;
    e->when[particle] = time;
  }
}

/* The ways of the step's jumps along an axis, unfolded; 0 of those that stay. */
static void set_ways(const InkCellChain *chain, const InkTable *table, int a, Block *block) {
  const InkAxis *axis = &chain->mesh->axis[a];
  const double *place = chain->place[a], length = axis->to - axis->from;
  for (int i = 0; i < block->n; i++) block->way[i] = place[block->next[i]] - place[block->row[i]];
  for (int i = 0; i < block->n && table->turn[a]; i++)
    block->way[i] += table->turn[a][block->pick[i]] * length;
  for (int i = 0; i < block->n && block->ensemble->fate; i++) {
    if (!is_absorbed(chain, block, i)) continue;
    const int side = (int)(block->next[i] - chain->cells);
    block->way[i] = side / 2 == a ? wall_of(chain, side) - place[block->row[i]] : 0.0;
  }
}

/* What the ensemble adds up over the jumps. */
static void add_up(const InkCellChain *chain, const InkTable *table, Block *block) {
  const InkEnsemble *e = block->ensemble;
  const int64_t first = block->first;
  double square[INK_PARTICLE_BLOCK] = {0};
  for (int a = 0; a < e->dim; a++) {
    const double *way = block->way;
    set_ways(chain, table, a, block);
    for (int i = 0; i < block->n; i++) square[i] += way[i] * way[i];
    for (int i = 0; i < block->n && e->moved[a]; i++) e->moved[a][first + i] += way[i];
    for (int i = 0; i < block->n && e->quadratic[a]; i++) e->quadratic[a][first + i] += way[i] * way[i];
    for (int i = 0; i < block->n && e->total[a]; i++) e->total[a][first + i] += fabs(way[i]);
  }
  for (int i = 0; i < block->n && e->length; i++) e->length[first + i] += sqrt(square[i]);
}

/* ---- blocks ---- */

static void load(const InkCellChain *chain, Block *block) {
  const InkEnsemble *e = block->ensemble;
  for (int i = 0; i < block->n; i++) {
    const int64_t particle = block->first + i;
    block->row[i] = (int32_t)(ink_is_inside(e, particle) ? (int64_t)e->cell[particle]
                                                         : chain->cells + (int64_t)e->fate[particle]);
  }
}

static void store(const InkCellChain *chain, Block *block) {
  InkEnsemble *e = block->ensemble;
  for (int i = 0; i < block->n; i++) {
    const int64_t row = block->row[i], particle = block->first + i;
    if (row >= chain->cells) continue;
    e->cell[particle] = (double)row;
    for (int a = 0; a < e->dim; a++) e->x[a][particle] = chain->place[a][row];
  }
}

static void jump(const InkCellChain *chain, const InkSchedule *schedule, const InkJumps *jumps,
                 Block *block) {
  const InkEnsemble *e = block->ensemble;
  const InkStream stream = {e->seed, INK_STREAM_JUMP};
  const bool adds = e->moved[0] || e->quadratic[0] || e->total[0] || e->length;
  load(chain, block);
  for (int k = 0; k < schedule->count; k++) {
    const uint64_t step = (uint64_t)(schedule->first + k), draw = step % INK_DRAWS;
    const InkTable *table = &jumps->table[jumps->each * k];
    const double scale = jumps->rates ? 1.0 / (schedule->time[k + 1] - schedule->time[k]) : 1.0;
    if (k == 0 || draw == 0)
      ink_random_uniforms(stream, (uint64_t)(e->first + block->first), (size_t)block->n, step / INK_DRAWS,
                          block->u);
    choose(table, scale, block->u + draw * (uint64_t)block->n, block);
    for (int i = 0; i < block->n; i++) block->next[i] = table->to[block->pick[i]];
    if (adds) add_up(chain, table, block);
    if (e->fate) absorb(chain, schedule->time[k + 1], block);
    for (int i = 0; i < block->n; i++) block->row[i] = block->next[i];
  }
  store(chain, block);
}

void ink_cell_chain_jump(const InkCellChain *chain, InkEnsemble *ensemble, const InkSchedule *schedule,
                         const InkJumps *jumps) {
  Block block = {.ensemble = ensemble};
  for (; block.first < ensemble->n; block.first += INK_PARTICLE_BLOCK) {
    const int64_t left = ensemble->n - block.first;
    block.n = left < INK_PARTICLE_BLOCK ? (int)left : INK_PARTICLE_BLOCK;
    jump(chain, schedule, jumps, &block);
  }
}
