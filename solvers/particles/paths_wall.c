/* Sides of the box, for blocks that have someone near them.
 *
 * Reflecting sides first: each pushes the path back by its bridge's excursion beyond the wall (Skorokhod),
 * along the conormal D n, which is the direction that makes the density's flux through the wall vanish; what
 * is then still outside is folded. Where there are no bridges, or no noise across the wall, a path is
 * mirrored. Then absorbing sides: who crosses, and when; the earliest absorbs.
 *
 * The two ends of an axis share a uniform deviate, u and 1 - u: a bridge hardly ever touches both, and so the
 * chances add up. As -ln u <= 1/u - 1, nobody touches a wall at distances x, y unless 2 x y u <
 * variance (1 - u), which spares nearly all of those near a wall the logarithm. */
#include "paths_impl.h"

/* Vectors of the block in which someone may have touched an end of an axis. */
typedef struct InkTouched {
  int axis, count;
  uint8_t vector[INK_BLOCK];
  const double *uniform;
} InkTouched;

/* What the two ends see of a vector of particles. */
typedef struct InkEnd {
  InkVector x, y, uniform; /* distances from it at both ends of the step */
} InkEnd;

static inline void ends_of(const InkPaths *p, const InkTouched *touched, size_t i, InkEnd end[2]) {
  const InkPathBlock *block = &p->block;
  const InkAxisEnds *axis = &p->axis[touched->axis];
  const InkVector x = ink_load(block->x[touched->axis] + i), y = ink_load(block->y[touched->axis] + i);
  const InkVector from = ink_all(axis->from), to = ink_all(axis->to), u = ink_load(touched->uniform + i);
  end[0] = (InkEnd){x - from, y - from, u};
  end[1] = (InkEnd){to - x, to - y, ink_all(1.0) - u};
}

/* Variance of the step across an axis. */
static inline InkVector variance_of(const InkPaths *p, const InkStep *step, int a, size_t v) {
  const InkAxisEnds *axis = &p->axis[a];
  if (!axis->bridges) return ink_all(0.0);
  if (axis->steady) return ink_all(step->dt * axis->squares);
  return ink_all(step->dt) * ink_covariance(p, a, a, v);
}

InkMask ink_paths_may_touch(InkVector x, InkVector y, InkVector uniform, InkVector variance) {
  const InkVector two = ink_all(2.0), one = ink_all(1.0);
  return ink_or(ink_lt(two * x * y * uniform, variance * (one - uniform)), ink_le(y, ink_all(0.0)));
}

const double *ink_paths_uniforms(InkPaths *p, const InkStream *noise, const InkStep *step, int fate) {
  InkPathBlock *block = &p->block;
  const int64_t four = step->number / INK_DRAWS;
  if (!p->option.bridge) return block->uniform[fate]; /* zero, and no variance: nothing is drawn */
  if (block->drawn[fate] != four)
    ink_random_uniforms_of((InkStream){noise->seed, (uint32_t)(INK_STREAM_WALL + fate)}, block->number,
                           INK_BLOCK, (uint64_t)four, block->uniform[fate]);
  block->drawn[fate] = four;
  return block->uniform[fate] + (size_t)(step->number % INK_DRAWS) * INK_BLOCK;
}

static void touch(InkPaths *p, const InkStream *noise, const InkStep *step, int a, InkTouched *touched) {
  touched->axis = a;
  touched->count = 0;
  touched->uniform = ink_paths_uniforms(p, noise, step, 2 * a);
  for (size_t i = 0, v = 0; i < INK_BLOCK; i += INK_WIDTH, v++) {
    InkEnd end[2];
    ends_of(p, touched, i, end);
    const InkVector variance = variance_of(p, step, a, v);
    const InkMask low = ink_paths_may_touch(end[0].x, end[0].y, end[0].uniform, variance),
                  high = ink_paths_may_touch(end[1].x, end[1].y, end[1].uniform, variance);
    touched->vector[touched->count] = (uint8_t)v;
    touched->count += ink_any(ink_and(ink_or(low, high), ink_still(p->block.fate, i))) != 0;
  }
}

/* ---- reflecting ---- */

/* How far an end pushes each particle of a vector. */
static InkVector push_of(const InkEnd *end, InkVector variance) {
  const InkVector zero = ink_all(0.0);
  const InkVector mirrored = ink_select(ink_lt(end->y, zero), ink_all(-2.0) * end->y, zero);
  const InkMask diffuses = ink_lt(zero, variance);
  if (!ink_any(diffuses)) return mirrored;
  return ink_select(diffuses, ink_bridge_excursions(end->x, end->y, variance, end->uniform), mirrored);
}

/* Folds a few particles at the reflecting ends of an axis. */
static void fold(const InkAxisEnds *axis, double *y) {
  const bool low = !axis->absorbing[0], high = !axis->absorbing[1];
  const InkVector place = ink_load(y);
  if (!ink_any(ink_or(ink_lt(place, ink_all(axis->from)), ink_lt(ink_all(axis->to), place)))) return;
  for (size_t k = 0; k < INK_WIDTH; k++) {
    if (low && high)
      y[k] = ink_fold(y[k], axis->from, axis->to);
    else if (low && y[k] < axis->from)
      y[k] = axis->from + (axis->from - y[k]);
    else if (high && y[k] > axis->to)
      y[k] = axis->to - (y[k] - axis->to);
  }
}

/* Pushes a vector back; along the conormal, which moves other axes too. */
static void reflect_vector(InkPaths *p, const InkStep *step, const InkTouched *touched, size_t v,
                           bool moved[3]) {
  InkPathBlock *block = &p->block;
  const int a = touched->axis;
  const InkAxisEnds *axis = &p->axis[a];
  const InkVector zero = ink_all(0.0), variance = variance_of(p, step, a, v);
  const size_t i = v * INK_WIDTH;
  InkEnd end[2];
  ends_of(p, touched, i, end);
  InkVector way = zero;
  if (!axis->absorbing[0]) way = way + push_of(&end[0], variance);
  if (!axis->absorbing[1]) way = way - push_of(&end[1], variance);
  way = ink_select(ink_still(block->fate, i), way, zero);
  if (!ink_any(ink_ne(way, zero))) return;
  ink_store(block->y[a] + i, ink_load(block->y[a] + i) + way);
  fold(axis, block->y[a] + i);
  const InkVector square = ink_covariance(p, a, a, v);
  for (int b = 0; b < p->sde.dim; b++) {
    if (b == a || !axis->couples[b]) continue;
    const InkVector slope = ink_select(ink_lt(zero, square), ink_covariance(p, a, b, v) / square, zero);
    ink_store(block->y[b] + i, ink_fma(way, slope, ink_load(block->y[b] + i)));
    moved[b] = true;
  }
}

static bool reflects(const InkAxisEnds *axis) {
  return !axis->periodic && !(axis->absorbing[0] && axis->absorbing[1]);
}

static void reflect(InkPaths *p, const InkStream *noise, const InkStep *step) {
  InkPathBlock *block = &p->block;
  bool moved[3] = {false, false, false};
  InkTouched touched;
  for (int a = 0; a < p->sde.dim; a++) {
    if (!reflects(&p->axis[a]) || !(block->near[a] || moved[a])) continue;
    touch(p, noise, step, a, &touched);
    for (int n = 0; n < touched.count; n++) reflect_vector(p, step, &touched, touched.vector[n], moved);
  }
  for (int a = 0; a < p->sde.dim; a++) {
    if (!moved[a]) continue;
    block->near[a] = true; /* it may now be beyond another wall, or a periodic end */
    block->far[a] = false;
    for (size_t i = 0; i < INK_BLOCK && reflects(&p->axis[a]); i += INK_WIDTH)
      fold(&p->axis[a], block->y[a] + i);
  }
}

/* ---- absorbing ---- */

/* Part of the step at which a particle crosses. */
static double passage(const InkPathBlock *block, const InkStream *noise, const InkStep *step, int fate,
                      size_t particle, const double law[3]) {
  const InkStream stream = {noise->seed, (uint32_t)(INK_STREAM_PASSAGE + fate)};
  const uint64_t index = block->number[particle], draw = INK_DRAWS * (uint64_t)step->number;
  const double normal = ink_random_normal_at(stream, index, draw),
               uniform = ink_random_uniform_at(stream, index, draw + 2); /* draws 0 and 1 are one pair's */
  return ink_bridge_time(law[0], law[1], law[2], normal, uniform);
}

void ink_paths_note(InkPathBlock *block, const InkStream *noise, const InkStep *step, int fate, size_t i,
                    InkMask hit, const InkVector law[3]) {
  double hits[INK_WIDTH], laws[3][INK_WIDTH];
  if (!ink_any(hit)) return;
  ink_store(hits, ink_select(hit, ink_all(1.0), ink_all(0.0)));
  for (int l = 0; l < 3; l++) ink_store(laws[l], law[l]);
  for (size_t k = 0; k < INK_BLOCK && block->hits == 0; k++) block->part[k] = 2.0;
  for (size_t k = 0; k < INK_WIDTH; k++) {
    if (hits[k] == 0.0) continue;
    const double part =
        passage(block, noise, step, fate, i + k, (const double[3]){laws[0][k], laws[1][k], laws[2][k]});
    if (block->part[i + k] > 1.0) block->hits++;
    if (part >= block->part[i + k]) continue;
    block->part[i + k] = part;
    block->taker[i + k] = fate;
  }
}

static void absorb(InkPaths *p, const InkStream *noise, const InkStep *step, int a) {
  InkPathBlock *block = &p->block;
  InkTouched touched;
  touch(p, noise, step, a, &touched);
  for (int n = 0; n < touched.count; n++) {
    const size_t v = touched.vector[n], i = v * INK_WIDTH;
    const InkVector variance = variance_of(p, step, a, v);
    InkEnd end[2];
    ends_of(p, &touched, i, end);
    for (int e = 0; e < 2; e++) {
      if (!p->axis[a].absorbing[e]) continue;
      const InkMask beyond = ink_le(end[e].y, ink_all(0.0)); /* also without deviates */
      const InkMask crosses =
          ink_or(beyond, ink_lt(end[e].uniform, ink_bridge_crossings(end[e].x, end[e].y, variance)));
      ink_paths_note(block, noise, step, 2 * a + e, i, ink_and(crosses, ink_still(block->fate, i)),
                     (const InkVector[3]){end[e].x, end[e].y, variance});
    }
  }
}

void ink_paths_walls(InkPaths *p, const InkStream *noise, const InkStep *step) {
  reflect(p, noise, step);
  for (int a = 0; a < p->sde.dim; a++)
    if (p->block.near[a] && (p->axis[a].absorbing[0] || p->axis[a].absorbing[1])) absorb(p, noise, step, a);
}

void ink_paths_wrap(const InkAxisEnds *axis, const double *y, double *to) {
  const InkVector low = ink_all(axis->from), high = ink_all(axis->to);
  for (size_t i = 0; i < INK_BLOCK; i += INK_WIDTH) {
    const InkVector place = ink_load(y + i);
    const bool outside = ink_any(ink_or(ink_lt(place, low), ink_le(high, place)));
    ink_store(to + i, place);
    for (size_t k = 0; k < INK_WIDTH && outside; k++) to[i + k] = ink_wrap(y[i + k], axis->from, axis->to);
  }
}
