/* Fields that cannot become negative. See nonnegative.h. */
#include "nonnegative.h"
#include <math.h>
#include "observe.h"

enum { SAMPLES = 512 };

/* The i-th number of the additive sequence of an irrational step, in [0, 1): evenly spread for any dimension.
 */
static double spread(int i, int dimension) {
  const double x = (i + 1) * sqrt(2.0 + 3.0 * dimension + dimension * dimension);
  return x - floor(x);
}

typedef struct InkSampling {
  const InkMesh *mesh;
  const InkDiffusionSpec *equation;
  double start, end;            /* time span */
  double scale[INK_MAX_FIELDS]; /* typical value of each field */
} InkSampling;

/* Place, time and fields of sample i; field s is 0. */
static void sample(const InkSampling *sampling, int s, int i, double in[INK_VARS]) {
  for (int v = 0; v < INK_VARS; v++) in[v] = 0.0;
  for (int a = 0; a < sampling->mesh->dim; a++) {
    const InkAxis *axis = &sampling->mesh->axis[a];
    in[axis->variable] = axis->from + spread(i, a) * (axis->to - axis->from);
  }
  in[INK_VAR_T] = sampling->start + spread(i, 3) * (sampling->end - sampling->start);
  for (int f = 0; f < sampling->equation->n; f++) {
    const double place = spread(i, 4 + f);
    /* An eighth of the samples has the field at 0, the others are spread in the logarithm. */
    if (f != s && place > 0.125)
      in[INK_VAR_FIELD + f] = sampling->scale[f] * pow(10.0, -2.0 + 4.0 * (place - 0.125));
  }
}

static bool not_negative(const InkExpr *e, const double in[INK_VARS]) {
  return !e || ink_expr_value(e, in) >= 0.0; /* NaN is not */
}

/* What field s gets, where it is 0, from its reaction and from the sides. */
static bool is_given(const InkDiffusionSpec *equation, int s, const double in[INK_VARS]) {
  bool good = not_negative(equation->source[s], in);
  for (int side = 0; side < INK_SIDES && good; side++) {
    const InkSideParts *parts = equation->side[side] ? &equation->side[side][s] : NULL;
    for (int p = 0; parts && p < parts->count && good; p++) {
      const InkSideData *data = &parts->data[p];
      if (data->type == INK_SIDE_VALUE || data->type == INK_SIDE_FLUX) good = not_negative(data->value, in);
      if (data->type == INK_SIDE_CONVECTION) good = not_negative(data->ambient, in);
    }
  }
  return good;
}

static bool may_qualify(const InkDiffusionSpec *equation, int s) {
  const uint64_t fields = ((1ull << equation->n) - 1) << INK_VAR_FIELD;
  for (int f = 0; f < equation->n; f++)
    if (f != s && equation->conductivity[s * equation->n + f]) return false;
  return equation->source[s] && (ink_expr_variables(equation->source[s]) & fields);
}

PetscErrorCode ink_nonnegative_fields(const InkMesh *mesh, const InkDiffusionSpec *equation, double start,
                                      double end, const double *u, bool *nonnegative) {
  PetscFunctionBeginUser;
  InkSampling sampling = {.mesh = mesh, .equation = equation, .start = start, .end = end};
  double low, high, in[INK_VARS];
  for (int f = 0; f < equation->n; f++) {
    const InkFieldView view = {.mesh = mesh, .values = u + f * mesh->size};
    PetscCall(ink_observe_range(&view, &low, &high));
    nonnegative[f] = low >= 0.0 && may_qualify(equation, f);
    sampling.scale[f] = high > 0.0 ? high : 1.0;
  }
  for (int s = 0; s < equation->n; s++)
    for (int i = 0; nonnegative[s] && i < SAMPLES; i++) {
      sample(&sampling, s, i, in);
      nonnegative[s] = is_given(equation, s, in);
    }
  PetscFunctionReturn(0);
}
