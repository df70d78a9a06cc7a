/* Steps that give no number: which particle, where and when, and whether drift, noise or the step is to
 * blame. */
#include "paths_impl.h"

int ink_paths_lost(const InkPaths *p) {
  const InkPathBlock *block = &p->block;
  int lost = INK_BLOCK;
  for (int a = 0; a < p->sde.dim; a++) {
    if (!block->near[a]) continue; /* it was compared with something */
    for (size_t i = 0; i < INK_BLOCK; i += INK_WIDTH) {
      const InkVector y = ink_load(block->y[a] + i);
      if (!ink_any(ink_ne(y - y, ink_all(0.0)))) continue;
      for (size_t k = i; k < i + INK_WIDTH; k++)
        if (!isfinite(block->y[a][k]) && block->fate[k] == INK_INSIDE && (int)k < lost) lost = (int)k;
    }
  }
  return lost < INK_BLOCK ? lost : -1;
}

/* "x = 1.5, y = 2". */
static const char *place_text(const InkPaths *p, double *const place[3], size_t particle, char text[128]) {
  int length = 0;
  for (int a = 0; a < p->sde.dim; a++)
    length += snprintf(text + length, 128 - (size_t)length, "%s%s = %.9g", a > 0 ? ", " : "", p->sde.state[a],
                       place[a][particle]);
  return text;
}

static double value_of(InkValues values, int particle) {
  return values.step == 0 ? values.at[0] : values.at[particle];
}

/* The first coefficient of a set that is no number, in words; false: all are. */
static bool coefficient_text(const InkPaths *p, int at, int particle, char text[128]) {
  const InkCoefficients *c = &p->at[at];
  for (int a = 0; a < p->sde.dim; a++) {
    const char *x = p->sde.state[a];
    const double drift = value_of(c->drift[a], particle);
    if (!isfinite(drift)) return snprintf(text, 128, "the drift of %s is %g", x, drift) > 0;
    for (int n = 0; n < c->noises[a]; n++) {
      const InkTerm *term = &c->noise[a][n];
      const double B = value_of(term->value, particle);
      if (!isfinite(B))
        return snprintf(text, 128, "the noise %s of %s is %g", p->sde.noise[term->k], x, B) > 0;
    }
    for (int n = 0; n < c->seconds[a]; n++) {
      const double second = value_of(c->second[a][n].value, particle);
      if (!isfinite(second))
        return snprintf(text, 128, "the derivative of the noise of %s is %g", x, second) > 0;
    }
  }
  return false;
}

void ink_paths_blame(const InkPaths *p, const InkStep *step, int particle, InkFailure *failure) {
  const InkPathBlock *block = &p->block;
  const long long number = (long long)block->number[particle];
  const size_t i = (size_t)particle;
  char what[128], place[128];
  if (coefficient_text(p, 0, particle, what)) {
    ink_fail(failure, INK_NUMERICAL,
             "particle %lld at t = %.9g: %s at %s; mend the expression or take a smaller particles.dt",
             number, step->t, what, place_text(p, block->x, i, place));
    return;
  }
  if (p->option.scheme == INK_HEUN && coefficient_text(p, 1, particle, what)) {
    ink_fail(failure, INK_NUMERICAL,
             "particle %lld at t = %.9g: %s at the predicted %s; mend the expression or take a smaller "
             "particles.dt",
             number, step->end, what, place_text(p, block->predicted, i, place));
    return;
  }
  int axis = 0;
  while (isfinite(block->y[axis][i])) axis++;
  ink_fail(
      failure, INK_NUMERICAL,
      "particle %lld at t = %.9g: the step of %.9g from %s gives %s = %g; take a smaller particles.dt or a "
      "domain that paths cannot leave so far",
      number, step->t, step->dt, place_text(p, block->x, i, place), p->sde.state[axis], block->y[axis][i]);
}

void ink_paths_blame_region(const InkPaths *p, const InkStep *step, int region, size_t particle, double phi,
                            InkFailure *failure) {
  char place[128];
  ink_fail(failure, INK_NUMERICAL,
           "particle %lld at t = %.9g: particles.absorbing.%s is %g at %s; mend the expression",
           (long long)p->block.number[particle], step->end, p->option.region_name[region], phi,
           place_text(p, p->block.y, particle, place));
}
