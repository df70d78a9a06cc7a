/* Regions that absorb where an expression phi is 0 or less, and what becomes of absorbed particles.
 *
 * The surface is a plane to a step: at distance phi/|grad phi| from either end, with noise n^T B B^T n across
 * it, n = grad phi/|grad phi|. */
#include "paths_impl.h"

enum { PHI, GRADIENT }; /* rows of InkPathBlock.gap */

/* phi and its gradient at `place`, a row each. */
static void measure(const InkPaths *p, double *const place[3], double t, double *gap[][4]) {
  const double *in[INK_VARS] = {NULL};
  double *out[4 * INK_MAX_REGIONS];
  int outputs = 0;
  for (int a = 0; a < p->sde.dim; a++) in[INK_VAR_X + a] = place[a];
  in[INK_VAR_T] = &t;
  for (int r = 0; r < p->option.regions; r++)
    for (int row = 0; row < (p->option.bridge ? 1 + p->sde.dim : 1); row++) out[outputs++] = gap[r][row];
  ink_program_run(p->region, INK_BLOCK, in, out);
}

/* A vector of particles at a region: distances at both ends, variance of the step across it. */
typedef struct InkGap {
  InkVector x, y, variance;
} InkGap;

static inline InkVector steepness(const InkPaths *p, double *const gap[4], size_t i) {
  InkVector sum = ink_all(0.0);
  for (int a = 0; a < p->sde.dim; a++) {
    const InkVector slope = ink_load(gap[GRADIENT + a] + i);
    sum = ink_fma(slope, slope, sum);
  }
  return ink_sqrt(sum);
}

/* sum_k (sum_a n_a B_ak)^2 = sum_ab n_a n_b sum_k B_ak B_bk. */
static InkVector noise_across(const InkPaths *p, double *const gap[4], InkVector steep, size_t i, size_t v) {
  InkVector sum = ink_all(0.0);
  for (int k = 0; k < p->sde.noises; k++) {
    InkVector along = ink_all(0.0);
    for (int a = 0; a < p->sde.dim; a++) {
      const InkValues B = p->at[0].B[a][k];
      if (B.at) along = ink_fma(ink_load(gap[GRADIENT + a] + i) / steep, ink_values_at(B, v), along);
    }
    sum = ink_fma(along, along, sum);
  }
  return sum;
}

static InkGap gap_of(const InkPaths *p, const InkStep *step, int r, size_t i, size_t v) {
  double *const *before = p->block.gap[0][r], *const *after = p->block.gap[1][r];
  InkGap gap = {ink_load(before[PHI] + i), ink_load(after[PHI] + i), ink_all(0.0)};
  if (!p->option.bridge) return gap;
  const InkVector steep = steepness(p, before, i);
  gap.x = gap.x / steep;
  gap.y = gap.y / steepness(p, after, i);
  gap.variance = ink_all(step->dt) * noise_across(p, before, steep, i, v);
  return gap;
}

static void take_in(InkPaths *p, const InkStream *noise, const InkStep *step, int r) {
  InkPathBlock *block = &p->block;
  const int fate = INK_SIDES + r;
  const InkVector zero = ink_all(0.0);
  const double *uniform = ink_paths_uniforms(p, noise, step, fate);
  for (size_t i = 0, v = 0; i < INK_BLOCK; i += INK_WIDTH, v++) {
    const InkVector before = ink_load(block->gap[0][r][PHI] + i), after = ink_load(block->gap[1][r][PHI] + i);
    const InkGap gap = gap_of(p, step, r, i, v);
    const InkVector u = ink_load(uniform + i);
    const InkMask inside = ink_or(ink_le(before, zero), ink_le(after, zero)),
                  near = ink_or(inside, ink_paths_may_touch(gap.x, gap.y, u, gap.variance));
    if (!ink_any(ink_and(near, ink_still(block->fate, i)))) continue;
    const InkMask crosses = ink_and(near, ink_lt(u, ink_bridge_crossings(gap.x, gap.y, gap.variance)));
    const InkMask hit = ink_and(ink_or(inside, crosses), ink_still(block->fate, i));
    ink_paths_note(block, noise, step, fate, i, hit, (const InkVector[3]){gap.x, gap.y, gap.variance});
  }
}

/* Is phi no number somewhere? */
static bool fails(const InkPaths *p, int r, InkFailure *failure, const InkStep *step) {
  const InkPathBlock *block = &p->block;
  for (size_t i = 0; i < INK_BLOCK; i++) {
    const double phi = block->gap[1][r][PHI][i];
    if (isfinite(phi) || block->fate[i] != INK_INSIDE) continue;
    if (block->hits > 0 && block->part[i] <= 1.0)
      continue; /* a wall has it; beyond, phi need not be defined */
    ink_paths_blame_region(p, step, r, i, phi, failure);
    return true;
  }
  return false;
}

static void swap_gaps(InkPathBlock *block, int regions) {
  for (int r = 0; r < regions; r++)
    for (int row = 0; row < INK_GAP_ROWS; row++) {
      double *before = block->gap[0][r][row];
      block->gap[0][r][row] = block->gap[1][r][row];
      block->gap[1][r][row] = before;
    }
}

void ink_paths_regions(InkPaths *p, const InkStream *noise, const InkStep *step, InkFailure *failure) {
  InkPathBlock *block = &p->block;
  double *place[3] = {block->y[0], block->y[1], block->y[2]};
  for (int a = 0; a < p->sde.dim; a++) {
    if (!p->axis[a].periodic || !block->near[a]) continue;
    place[a] = block->predicted[a];
    ink_paths_wrap(&p->axis[a], block->y[a], place[a]);
  }
  if (block->gauged)
    swap_gaps(block, p->option.regions);
  else
    measure(p, block->x, step->t, block->gap[0]);
  block->gauged = true;
  measure(p, place, step->end, block->gap[1]);
  for (int r = 0; r < p->option.regions; r++) {
    if (fails(p, r, failure, step)) return;
    take_in(p, noise, step, r);
  }
}

/* ---- what becomes of absorbed particles ---- */

/* Moves a place at `part` of the step, between x and y, along the gradient to where phi is 0 on a line
 * between its values at both ends. */
static void onto_surface(const InkPaths *p, int r, size_t particle, double part, double place[3]) {
  double *const *before = p->block.gap[0][r], *const *after = p->block.gap[1][r];
  double slope[3] = {0.0, 0.0, 0.0}, square = 0.0;
  for (int a = 0; a < p->sde.dim && p->option.bridge; a++) {
    slope[a] = (1.0 - part) * before[GRADIENT + a][particle] + part * after[GRADIENT + a][particle];
    square += slope[a] * slope[a];
  }
  const double phi = (1.0 - part) * before[PHI][particle] + part * after[PHI][particle];
  if (!(square > 0.0) || !(before[PHI][particle] > 0.0)) return;
  for (int a = 0; a < p->sde.dim; a++) place[a] -= phi * slope[a] / square;
}

static void absorb_one(InkPaths *p, const InkStep *step, size_t i) {
  InkPathBlock *block = &p->block;
  const int fate = (int)block->taker[i];
  const double part = block->part[i];
  double place[3] = {0.0, 0.0, 0.0};
  for (int a = 0; a < p->sde.dim; a++) place[a] = block->x[a][i] + part * (block->y[a][i] - block->x[a][i]);
  if (fate >= INK_SIDES) onto_surface(p, fate - INK_SIDES, i, part, place);
  for (int a = 0; a < p->sde.dim; a++) {
    const InkAxisEnds *axis = &p->axis[a];
    if (!axis->periodic) place[a] = fmin(fmax(place[a], axis->from), axis->to);
    if (fate / 2 == a) place[a] = fate % 2 ? axis->to : axis->from;
    block->y[a][i] = place[a];
  }
  block->fate[i] = fate;
  block->when[i] = p->option.bridge && part < 1.0 ? step->t + part * step->dt : step->end;
  block->inside--;
}

void ink_paths_absorb(InkPaths *p, const InkStep *step) {
  InkPathBlock *block = &p->block;
  for (size_t i = 0; i < INK_BLOCK && block->hits > 0; i++)
    if (block->part[i] <= 1.0) absorb_one(p, step, i);
  for (int a = 0; a < p->sde.dim && block->hits > 0; a++)
    if (p->axis[a].periodic) block->near[a] = true; /* places on surfaces may lie beyond an end */
  block->hits = 0;
}
