/* Thresholds: parameter values at which a steady state changes its stability, or ends.
 *
 * A state is followed by Newton's method in small steps of the parameter. On the way the largest growth rates
 * of the uniform disturbance and of all waves are watched; where one changes sign the step is bisected. */
#include "analysis_impl.h"

#include <math.h>
#include <string.h>

enum { STEPS = 24, TRIES = 400, BISECTIONS = 30, SCAN = 96 };

void ink_model_set(InkModel *model, const InkModelParameters *parameters, int changed, double value) {
  for (int p = 0; p < parameters->count; p++) {
    double *variable = &model->variable[parameters->first + p];
    if (p == changed)
      *variable = value;
    else if (parameters->formula[p])
      *variable = ink_expr_value(parameters->formula[p], model->variable);
    else
      *variable = parameters->value[p];
  }
}

/* A point on the way. */
typedef struct Point {
  double value; /* of the parameter */
  double u[INK_MAX_FIELDS];
  double uniform, waves; /* largest growth rates: k = 0, k > 0 */
  double wavenumber;     /* of the fastest wave */
} Point;

typedef struct Walk {
  InkModel *model;
  const InkModelParameters *parameters;
  int parameter;
  double scale[INK_MAX_FIELDS];
} Walk;

/* With one mobile species alone no wave grows before the uniform disturbance does. */
static bool one_mobile(const InkLinearised *linear) {
  int count = 0;
  for (int i = 0; i < linear->n * linear->n; i++) count += linear->D[i] != 0;
  return count <= 1;
}

static void look(const Walk *walk, Point *point) {
  InkLinearised linear;
  ink_linearise(walk->model, point->u, &linear);
  point->uniform = ink_linearised_growth(&linear, 0, NULL);
  point->waves = point->uniform;
  if (one_mobile(&linear)) return;
  point->wavenumber = ink_linearised_fastest(&linear, SCAN, &point->waves);
}

/* The state at `value` from a nearby one. False: there is none near. */
static bool step(const Walk *walk, const Point *from, double value, Point *to) {
  *to = *from;
  to->value = value;
  ink_model_set(walk->model, walk->parameters, walk->parameter, value);
  if (!ink_model_newton(walk->model, walk->scale, to->u)) return false;
  for (int f = 0; f < walk->model->n; f++) {
    const double size = fmax(fabs(from->u[f]), 0.1 * walk->scale[f]);
    if (!(fabs(to->u[f] - from->u[f]) <= 0.25 * size)) return false; /* that is another state */
  }
  return true;
}

/* Follows the state to `value`, in shorter steps where it must. False: it ends before; *to is then the last
 * point that was reached, 1e-10 of the value from the end. */
static bool follow(const Walk *walk, const Point *from, double value, Point *to) {
  Point next;
  double length = value - from->value;
  *to = *from;
  for (int tries = 0; tries == 0 || (tries < TRIES && fabs(length) > 1e-10 * fabs(value)); tries++) {
    const bool last = fabs(length) >= fabs(value - to->value);
    if (!step(walk, to, last ? value : to->value + length, &next)) {
      length /= 2;
      continue;
    }
    *to = next;
    if (last) return true;
    length *= 1.5;
  }
  return false;
}

static bool uniform_grows(const Point *point) { return point->uniform > 0; }
static bool anything_grows(const Point *point) { return point->uniform > 0 || point->waves > 0; }

/* The point between a and b where `grows` changes; the side on which it does. */
static bool bisect(const Walk *walk, Point a, Point b, bool grows(const Point *), Point *growing) {
  for (int i = 0; i < BISECTIONS; i++) {
    Point middle;
    if (!follow(walk, &a, 0.5 * (a.value + b.value), &middle)) return false;
    look(walk, &middle);
    if (grows(&middle) == grows(&a))
      a = middle;
    else
      b = middle;
  }
  *growing = grows(&a) ? a : b;
  return true;
}

typedef struct Found {
  InkThreshold *threshold;
  int count;
} Found;

static void put(Found *found, const Walk *walk, InkThresholdKind kind, double value, double wavenumber,
                double frequency) {
  if (found->count >= INK_MAX_THRESHOLDS) return;
  found->threshold[found->count++] = (InkThreshold){.kind = kind,
                                                    .parameter = walk->parameter,
                                                    .value = value,
                                                    .now = walk->parameters->value[walk->parameter],
                                                    .wavenumber = wavenumber,
                                                    .frequency = frequency};
}

/* Changes between neighbouring points. */
static void compare(Found *found, const Walk *walk, const Point *a, const Point *b) {
  Point at;
  double complex lambda;
  InkLinearised linear;
  if (uniform_grows(a) != uniform_grows(b) && bisect(walk, *a, *b, uniform_grows, &at)) {
    ink_model_set(walk->model, walk->parameters, walk->parameter, at.value);
    ink_linearise(walk->model, at.u, &linear);
    ink_linearised_growth(&linear, 0, &lambda);
    const bool hopf = cimag(lambda) != 0;
    put(found, walk, hopf ? INK_HOPF : INK_REAL, at.value, 0, hopf ? cimag(lambda) : 0);
  }
  if (anything_grows(a) == anything_grows(b) || !bisect(walk, *a, *b, anything_grows, &at)) return;
  if (at.uniform < 0 && at.waves > 0) put(found, walk, INK_TURING, at.value, at.wavenumber, 0);
}

/* Does the parameter change the reactions or the diffusion at the state or beside it? */
static bool matters(const Walk *walk, const double *u) {
  enum { SQUARE = INK_MAX_FIELDS * INK_MAX_FIELDS };
  const int n = walk->model->n;
  double beside[INK_MAX_FIELDS], rate[2][INK_MAX_FIELDS], D[2][SQUARE];
  const double now = walk->parameters->value[walk->parameter];
  for (int f = 0; f < n; f++) beside[f] = 0.9 * u[f] + 0.07 * walk->scale[f];
  for (int i = 0; i < 2; i++) {
    ink_model_set(walk->model, walk->parameters, walk->parameter, now * (1 + 0.01 * i));
    ink_model_rates(walk->model, beside, rate[i], NULL);
    ink_model_diffusion(walk->model, beside, D[i]);
  }
  return memcmp(rate[0], rate[1], (size_t)n * sizeof(double)) != 0 ||
         memcmp(D[0], D[1], (size_t)(n * n) * sizeof(double)) != 0;
}

/* Least magnitude of the eigenvalues of dR/du. */
static double least_eigenvalue(const Walk *walk, const Point *point) {
  InkLinearised linear;
  double complex lambda[INK_MAX_FIELDS];
  double least = INFINITY;
  ink_model_set(walk->model, walk->parameters, walk->parameter, point->value);
  ink_linearise(walk->model, point->u, &linear);
  if (!ink_small_eigenvalues(linear.n, linear.J, lambda, NULL, NULL)) return INFINITY;
  for (int i = 0; i < linear.n; i++) least = fmin(least, cabs(lambda[i]));
  return least;
}

/* From the parameter's value to `factor` times it. */
static void walk_to(Found *found, const Walk *walk, const Point *start, double factor) {
  Point here = *start, next;
  for (int i = 1; i <= STEPS; i++) {
    const double value = start->value * pow(factor, (double)i / STEPS);
    if (!follow(walk, &here, value, &next)) {
      /* where two states meet an eigenvalue goes to zero, as the square root of the distance */
      if (least_eigenvalue(walk, &next) < 1e-2 * least_eigenvalue(walk, start))
        put(found, walk, INK_FOLD, next.value, 0, 0);
      return;
    }
    look(walk, &next);
    if (isnan(next.uniform) || isnan(next.waves)) return;
    compare(found, walk, &here, &next);
    here = next;
  }
}

int ink_model_thresholds(InkModel *model, const InkModelParameters *parameters, const double *u,
                         InkThreshold threshold[INK_MAX_THRESHOLDS]) {
  Found found = {threshold, 0};
  for (int p = 0; p < parameters->count; p++) {
    Walk walk = {.model = model, .parameters = parameters, .parameter = p};
    Point start = {.value = parameters->value[p]};
    if (parameters->formula[p] || start.value == 0) continue;
    memcpy(start.u, u, (size_t)model->n * sizeof *u);
    ink_model_scale(model->n, u, walk.scale);
    if (matters(&walk, u)) {
      ink_model_set(model, parameters, p, start.value);
      look(&walk, &start);
      walk_to(&found, &walk, &start, 0.1);
      walk_to(&found, &walk, &start, 10);
    }
    ink_model_set(model, parameters, -1, 0);
  }
  return found.count;
}
