/* One step of a block of paths, walls apart; see paths.h for the schemes.
 *
 * A step is one run of the program (none when all coefficients are numbers) and one loop an axis,
 *
 *     y = base + b dt + sum_k B_k sqrt(dt) z_k,
 *
 * in which it is seen too whether any particle has come within reach of a wall: those in the middle of the
 * box, which nothing can have happened to, need no more than that. A wall is out of reach when the product of
 * a path's distances from it at both ends of the step is over INK_WALL_REACH variances of the step. */
#include "paths_impl.h"

/* The loop over one axis. */
typedef struct InkSweep {
  const double *base, *x, *fate;
  double *y;
  InkValues drift;
  const InkTerm *term;
  int terms;
  double *const *z;
  size_t four; /* where in z the step's deviates lie */
  double dt, root;
  double middle, safe; /* a particle with |y - middle| below `safe` is out of reach; */
  double reach;        /* in noise that varies: with |.| + reach sum |B_k| below it, . also the start */
} InkSweep;

static inline bool all_true(InkMask m) {
  return !ink_any(ink_ne(ink_select(m, ink_all(0.0), ink_all(1.0)), ink_all(0.0)));
}

static inline InkVector largest(InkVector a, InkVector b) { return ink_select(ink_lt(a, b), b, a); }

/* Are all particles out of reach? The flags are constants where this is called. */
__attribute__((always_inline)) static inline bool sweep(const InkSweep *s, const int terms, const bool steady,
                                                        const bool frozen) {
  const InkVector dt = ink_all(s->dt), root = ink_all(s->root), middle = ink_all(s->middle),
                  safe = ink_all(s->safe), reach = ink_all(s->reach), zero = ink_all(0.0);
  InkMask out_of_reach = ink_eq(zero, zero);
  for (size_t i = 0, v = 0; i < INK_BLOCK; i += INK_WIDTH, v++) {
    InkVector y = ink_fma(ink_values_at(s->drift, v), dt, ink_load(s->base + i)), noise = zero;
    for (int n = 0; n < terms; n++) {
      const InkVector B = ink_values_at(s->term[n].value, v);
      y = ink_fma(B, root * ink_load(s->z[s->term[n].k] + s->four + i), y);
      if (!steady) noise = noise + ink_abs(B);
    }
    InkVector distance = ink_abs(y - middle);
    if (!steady) {
      const InkVector before = ink_abs(ink_load(s->x + i) - middle);
      distance = ink_fma(reach, noise, ink_select(ink_lt(distance, before), before, distance));
    }
    if (frozen) {
      const InkMask still = ink_still(s->fate, i);
      y = ink_select(still, y, ink_load(s->x + i));
      distance = ink_select(still, distance, zero);
    }
    out_of_reach = ink_and(out_of_reach, ink_lt(distance, safe)); /* false for NaN */
    ink_store(s->y + i, y);
  }
  return all_true(out_of_reach);
}

static bool run_sweep(const InkSweep *s, bool steady, bool frozen) {
  const int terms = s->terms;
  if (frozen) return steady ? sweep(s, terms, true, true) : sweep(s, terms, false, true);
  if (terms == 0) return sweep(s, 0, true, false);
  if (terms == 1) return steady ? sweep(s, 1, true, false) : sweep(s, 1, false, false);
  if (terms == 2) return steady ? sweep(s, 2, true, false) : sweep(s, 2, false, false);
  return steady ? sweep(s, terms, true, false) : sweep(s, terms, false, false);
}

/* Were all particles of the axis out of reach of walls, at the start of the step too? Tells what is known of
 * the start of the next one; steps of a schedule differ by rounding, for which INK_WALL_REACH has room. */
static void mark(InkPaths *p, const InkStep *step, int a, bool out_of_reach) {
  InkPathBlock *block = &p->block;
  const bool start =
      !(p->axis[a].bridges && p->axis[a].steady) || (block->far[a] && step->dt <= 1.05 * block->far_dt);
  block->near[a] = !(out_of_reach && start);
  block->far[a] = out_of_reach;
}

/* How near the middle of an axis its walls are out of reach, as far as noise given by numbers goes. */
static double steady_safe(const InkAxisEnds *axis, double dt) {
  const double squares = axis->bridges && axis->steady ? axis->squares : 0.0;
  return axis->half - sqrt(INK_WALL_REACH * squares * dt);
}

/* y of axis a from base and the coefficients. */
static void step_axis(InkPaths *p, const InkStep *step, const InkCoefficients *c, int a, const double *base) {
  InkPathBlock *block = &p->block;
  const InkAxisEnds *axis = &p->axis[a];
  const bool steady = axis->steady || !axis->bridges;
  const InkSweep s = {.base = base,
                      .x = block->x[a],
                      .fate = block->fate,
                      .y = block->y[a],
                      .drift = c->drift[a],
                      .term = c->noise[a],
                      .terms = c->noises[a],
                      .z = block->z,
                      .four = (size_t)(step->number % INK_DRAWS) * INK_BLOCK,
                      .dt = step->dt,
                      .root = step->root,
                      .middle = axis->middle,
                      .safe = steady_safe(axis, step->dt),
                      .reach = sqrt(INK_WALL_REACH * step->dt)};
  mark(p, step, a, run_sweep(&s, steady, block->inside < INK_BLOCK));
}

/* base + sum over j <= k of second_jk (dW_j dW_k - delta_jk dt). */
static void add_second(const InkPaths *p, const InkStep *step, int a, const double *base, double *to) {
  const InkCoefficients *c = &p->at[0];
  const size_t four = (size_t)(step->number % INK_DRAWS) * INK_BLOCK;
  const InkVector dt = ink_all(step->dt), one = ink_all(1.0), zero = ink_all(0.0);
  for (size_t i = 0, v = 0; i < INK_BLOCK; i += INK_WIDTH, v++) {
    InkVector sum = ink_load(base + i);
    for (int n = 0; n < c->seconds[a]; n++) {
      const InkTerm *term = &c->second[a][n];
      const InkVector zj = ink_load(p->block.z[term->j] + four + i),
                      zk = ink_load(p->block.z[term->k] + four + i);
      const InkVector product = ink_fms(zj, zk, term->j == term->k ? one : zero);
      sum = ink_fma(ink_values_at(term->value, v), dt * product, sum);
    }
    ink_store(to + i, sum);
  }
}

static void euler(InkPaths *p, const InkStep *step) {
  ink_paths_evaluate(p, 0, p->block.x, step->t);
  for (int a = 0; a < p->sde.dim; a++) {
    const double *base = p->block.x[a];
    if (p->at[0].seconds[a] > 0) {
      add_second(p, step, a, base, p->block.predicted[a]);
      base = p->block.predicted[a];
    }
    step_axis(p, step, &p->at[0], a, base);
  }
}

/* Heun's X*, brought back into the box: expressions need not be defined outside. */
static void predict(InkPaths *p, const InkStep *step) {
  InkPathBlock *block = &p->block;
  for (int a = 0; a < p->sde.dim; a++) {
    const InkAxisEnds *axis = &p->axis[a];
    const bool far = block->far[a];
    step_axis(p, step, &p->at[0], a, block->x[a]);
    const bool inside = block->far[a];
    block->far[a] = far; /* that is said of x */
    const double *y = block->y[a];
    for (size_t i = 0; i < INK_BLOCK; i++)
      block->predicted[a][i] = inside           ? y[i]
                               : axis->periodic ? ink_wrap(y[i], axis->from, axis->to)
                                                : ink_fold(y[i], axis->from, axis->to);
  }
}

static void heun(InkPaths *p, const InkStep *step) {
  ink_paths_evaluate(p, 0, p->block.x, step->t);
  predict(p, step);
  ink_paths_evaluate(p, 1, p->block.predicted, step->end);
  const InkVector half = ink_all(0.5);
  for (int o = 0; o < p->outputs; o++)
    for (size_t i = 0; i < INK_BLOCK; i += INK_WIDTH)
      ink_store(p->out[1][o] + i, half * (ink_load(p->out[0][o] + i) + ink_load(p->out[1][o] + i)));
  for (int a = 0; a < p->sde.dim; a++) step_axis(p, step, &p->at[1], a, p->block.x[a]);
}

/* ---- exact steps ---- */

/* Sum over the columns of L_ak z_k, on top of `sum`. */
static inline InkVector add_columns(const InkPaths *p, const InkStep *step, int a, size_t i, InkVector sum) {
  const size_t four = (size_t)(step->number % INK_DRAWS) * INK_BLOCK;
  for (int k = 0; k < step->exact->columns; k++)
    sum = ink_fma(ink_all(step->exact->L[a][k]), ink_load(p->block.z[k] + four + i), sum);
  return sum;
}

/* P X + q + L z. */
static void linear(const InkPaths *p, const InkStep *step, int a) {
  const InkExactStep *exact = step->exact;
  for (size_t i = 0; i < INK_BLOCK; i += INK_WIDTH) {
    InkVector sum = ink_all(exact->q[a]);
    for (int b = 0; b < p->sde.dim; b++)
      sum = ink_fma(ink_all(exact->P[a][b]), ink_load(p->block.x[b] + i), sum);
    ink_store(p->block.predicted[a] + i, add_columns(p, step, a, i, sum));
  }
}

/* X exp(growth + L z). */
static void geometric(const InkPaths *p, const InkStep *step, int a) {
  for (size_t i = 0; i < INK_BLOCK; i += INK_WIDTH) {
    const InkVector exponent = add_columns(p, step, a, i, ink_all(step->exact->q[a]));
    ink_store(p->block.predicted[a] + i, ink_load(p->block.x[a] + i) * INK_SLEEF(exp, u10)(exponent));
  }
}

/* Takes over X', and looks how near it is. */
static void take(InkPaths *p, const InkStep *step, int a) {
  InkPathBlock *block = &p->block;
  const InkAxisEnds *axis = &p->axis[a];
  const InkVector middle = ink_all(axis->middle), zero = ink_all(0.0);
  const InkVector steady = ink_all(steady_safe(axis, step->dt));
  InkMask out_of_reach = ink_eq(zero, zero);
  for (size_t i = 0, v = 0; i < INK_BLOCK; i += INK_WIDTH, v++) {
    const InkMask still = ink_still(block->fate, i);
    const InkVector x = ink_load(block->x[a] + i),
                    y = ink_select(still, ink_load(block->predicted[a] + i), x);
    const InkVector distance = largest(ink_abs(x - middle), ink_abs(y - middle));
    InkVector safe = steady;
    if (axis->bridges && !axis->steady)
      safe = safe - ink_sqrt(ink_all(INK_WALL_REACH * step->dt) * ink_covariance(p, a, a, v));
    out_of_reach = ink_and(out_of_reach, ink_lt(ink_select(still, distance, zero), safe));
    ink_store(block->y[a] + i, y);
  }
  block->near[a] = !all_true(out_of_reach);
}

static void exact(InkPaths *p, const InkStep *step) {
  ink_paths_evaluate(p, 0, p->block.x, step->t); /* B, for bridges */
  for (int a = 0; a < p->sde.dim; a++) {
    if (p->exact == INK_EXACT_LINEAR)
      linear(p, step, a);
    else
      geometric(p, step, a);
    take(p, step, a);
  }
}

void ink_paths_scheme(InkPaths *p, const InkStep *step) {
  if (p->option.scheme == INK_EXACT)
    exact(p, step);
  else if (p->option.scheme == INK_HEUN)
    heun(p, step);
  else
    euler(p, step);
  p->block.far_dt = step->dt;
}
