/* The row kernels against the formula they stand for, cell by cell, and their bits wherever a row is cut. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../solvers/core/explicit_kernel.h"

enum { N = 77, PITCH = 96, ROWS = 9, SIZE = PITCH * ROWS, FIRST = PITCH * 4 + 8 };

/* Arrays of a box of 3 x 3 rows around the row at FIRST. */
typedef struct Arrays {
  double *u, *next, *face[3], *mass, *source, *capacity, *lower, *upper;
} Arrays;

static const int64_t stride[3] = {1, PITCH, 3 * PITCH};

static double *numbers(double from, double to) {
  static uint64_t state = 12345;
  double *values = aligned_alloc(64, SIZE * sizeof(double));
  assert_non_null(values);
  for (int i = 0; i < SIZE; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    values[i] = from + (to - from) * (double)(state >> 11) * 0x1p-53;
  }
  return values;
}

static Arrays make(void) {
  Arrays a = {.u = numbers(-1, 1), .next = numbers(7, 8), .mass = numbers(1, 2), .source = numbers(-1, 1)};
  a.capacity = numbers(1, 3);
  a.lower = numbers(0.1, 0.1);
  a.upper = numbers(0.1, 0.1);
  for (int d = 0; d < 3; d++) a.face[d] = numbers(0, 1);
  return a;
}

static void clear(Arrays *a) {
  for (int d = 0; d < 3; d++) free(a->face[d]);
  free(a->u);
  free(a->next);
  free(a->mass);
  free(a->source);
  free(a->capacity);
  free(a->lower);
  free(a->upper);
}

static InkRowWeights weights_of(const Arrays *a, bool uniform, bool stream, bool source) {
  InkRowWeights weights = {.lower = a->lower, .upper = a->upper, .uniform = uniform, .stream = stream};
  for (int d = 1; d < 3; d++) {
    weights.below[d] = 0.07 * d;
    weights.above[d] = 0.05 * d;
  }
  if (source) {
    weights.source = a->source;
    weights.factor = 0.3;
  }
  return weights;
}

/* Every dimension, weights that change or do not, streamed or not, with a source or without. */
static void updates_are_the_formula(void **state) {
  (void)state;
  for (int way = 0; way < 24; way++) {
    Arrays a = make();
    const int dim = 1 + way % 3;
    const bool uniform = way / 3 % 2, stream = way / 6 % 2, source = way / 12;
    if (uniform) /* walls */
      a.lower[0] = a.upper[N - 1] = 0.0;
    else
      a.lower[5] = 0.2;
    const InkRowWeights weights = weights_of(&a, uniform, stream, source);
    const InkRowShape shape = {dim, N, {stride[0], stride[1], stride[2]}};
    const double *u = a.u + FIRST;
    ink_row_update(&shape, &weights, u, a.next + FIRST);
    if (stream) ink_row_stream_end();
    for (int i = 0; i < N; i++) {
      double sum = a.lower[i] * (u[i - 1] - u[i]) + a.upper[i] * (u[i + 1] - u[i]);
      for (int d = 1; d < dim; d++)
        sum += weights.below[d] * (u[i - stride[d]] - u[i]) + weights.above[d] * (u[i + stride[d]] - u[i]);
      double expected = u[i] + sum;
      if (source) expected += 0.3 * a.source[i];
      assert_memory_equal(&a.next[FIRST + i], &expected, sizeof expected);
    }
    assert_true(a.next[FIRST - 1] >= 7.0 && a.next[FIRST + N] >= 7.0); /* nothing beside the row */
    clear(&a);
  }
}

static void updates_do_not_know_where_the_row_is_cut(void **state) {
  (void)state;
  Arrays a = make();
  double whole[N];
  a.lower[0] = a.upper[N - 1] = 0.0;
  const InkRowWeights weights = weights_of(&a, true, false, true);
  const InkRowShape shape = {3, N, {stride[0], stride[1], stride[2]}};
  ink_row_update(&shape, &weights, a.u + FIRST, whole);
  for (int cut = 1; cut < N; cut++) {
    double parts[N];
    InkRowShape part = shape;
    InkRowWeights rest = weights;
    part.n = cut;
    ink_row_update(&part, &weights, a.u + FIRST, parts);
    part.n = N - cut;
    rest.lower += cut;
    rest.upper += cut;
    rest.source += cut;
    ink_row_update(&part, &rest, a.u + FIRST + cut, parts + cut);
    assert_memory_equal(parts, whole, sizeof whole);
  }
  clear(&a);
}

/* The fused advance, and flow and advance one after the other: the same bits, and the formula's. */
static void advances_are_the_formula(void **state) {
  (void)state;
  for (int way = 0; way < 18; way++) {
    Arrays a = make();
    const int dim = 1 + way % 3, kind = way / 3 % 3; /* no source; capacities; one capacity */
    const InkRowShape shape = {dim, N, {stride[0], stride[1], stride[2]}};
    InkRowChange change = {.dt = 0.01, .mass = a.mass, .factor = 0.02, .stream = way / 9};
    const double *face[3] = {a.face[0] + FIRST, a.face[1] + FIRST, a.face[2] + FIRST}, *u = a.u + FIRST;
    double flow[N], two[N];
    if (kind > 0) change.source = a.source;
    if (kind == 1) change.capacity = a.capacity;
    ink_row_flow_advance(&shape, face, &change, u, a.next + FIRST);
    if (change.stream) ink_row_stream_end();
    ink_row_flow(&shape, face, u, flow);
    ink_row_advance(N, &change, flow, u, two);
    assert_memory_equal(a.next + FIRST, two, sizeof two);
    for (int i = 0; i < N; i++) {
      double sum = 0.0;
      for (int d = 0; d < dim; d++)
        sum += face[d][i] * (u[i - stride[d]] - u[i]) + face[d][i + stride[d]] * (u[i + stride[d]] - u[i]);
      double expected = u[i] + 0.01 * sum / a.mass[i];
      if (kind == 1) expected += 0.01 * a.source[i] / a.capacity[i];
      if (kind == 2) expected += 0.02 * a.source[i];
      assert_true(fabs(two[i] - expected) <= 1e-15);
    }
    clear(&a);
  }
}

/* With forward = backward what is carried is the flow; and what leaves a cell arrives in the next. */
static void carried_flows(void **state) {
  (void)state;
  Arrays a = make();
  const InkRowShape shape = {3, N, {stride[0], stride[1], stride[2]}};
  const double *face[3] = {a.face[0] + FIRST, a.face[1] + FIRST, a.face[2] + FIRST}, *u = a.u + FIRST;
  double flow[N], carried[N], twice[N];
  ink_row_flow(&shape, face, u, flow);
  ink_row_carry(&shape, face, face, u, carried);
  memcpy(twice, flow, sizeof flow);
  ink_row_flow_add(&shape, face, u, twice);
  for (int i = 0; i < N; i++) {
    assert_true(fabs(carried[i] - flow[i]) <= 1e-14);
    assert_true(fabs(twice[i] - 2.0 * flow[i]) <= 1e-14);
  }
  const InkRowShape line = {1, N, {1, 0, 0}};
  const double *const backward[3] = {a.mass + FIRST};
  ink_row_carry(&line, face, backward, u, carried);
  double sum = 0.0;
  for (int i = 0; i < N; i++) sum += carried[i];
  const double in = face[0][0] * u[-1] - backward[0][0] * u[0];
  const double out = face[0][N] * u[N - 1] - backward[0][N] * u[N];
  assert_true(fabs(sum - (in - out)) <= 1e-13);
  clear(&a);
}

static void conductances_are_layers_in_series(void **state) {
  (void)state;
  Arrays a = make();
  double face[N];
  const double *const line[5] = {a.face[0], a.mass, a.capacity, a.face[1], a.face[2]};
  a.face[0][3] = a.face[1][5] = a.face[2][5] = 0.0; /* no area; nothing conducts */
  a.face[1][N - 1] = 0.0;
  ink_row_conductances(N, line, face);
  for (int i = 0; i < N; i++) {
    const double resistance = a.mass[i] / a.face[1][i] + a.capacity[i] / a.face[2][i];
    const double expected = i == 5 ? 0.0 : a.face[0][i] / resistance;
    assert_true(fabs(face[i] - expected) <= 1e-15 * fabs(expected));
  }
  clear(&a);
}

static void bounds_let_nan_through(void **state) {
  (void)state;
  Arrays a = make();
  assert_true(ink_row_largest(N, a.u, 5.0) == 5.0);
  for (int i = 0; i < N; i++) {
    const double kept = a.u[i];
    a.u[i] = 3.0;
    assert_true(ink_row_largest(N, a.u, 0.0) == 3.0);
    a.u[i] = NAN;
    assert_true(isnan(ink_row_largest(N, a.u, 0.0)));
    a.u[i] = kept;
  }
  double rates[N], same[N];
  for (int i = 0; i < N; i++) rates[i] = same[i] = 1.0;
  a.source[N - 1] = a.source[0] = NAN;
  ink_row_add_decay(N, a.source, a.capacity, 0.0, rates);
  ink_row_add_decay(N, a.source, NULL, 2.0, same);
  assert_true(isnan(rates[0]) && isnan(rates[N - 1]) && isnan(same[0]) && isnan(same[N - 1]));
  for (int i = 1; i < N - 1; i++) {
    const double decay = a.source[i] < 0.0 ? -a.source[i] : 0.0;
    assert_true(fabs(rates[i] - (1.0 + decay / a.capacity[i])) <= 1e-15);
    assert_true(same[i] == 1.0 + 2.0 * decay);
  }
  clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(updates_are_the_formula),
                                     cmocka_unit_test(updates_do_not_know_where_the_row_is_cut),
                                     cmocka_unit_test(advances_are_the_formula),
                                     cmocka_unit_test(carried_flows),
                                     cmocka_unit_test(conductances_are_layers_in_series),
                                     cmocka_unit_test(bounds_let_nan_through)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
