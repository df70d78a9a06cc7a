/* Antidiffusion's pure functions: the excess diffusion of an edge, the flow that takes it back, the limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../solvers/core/antidiffusion.h"
#include "../../solvers/core/rates.h"

/* That of an edge with constant diffusion, the logarithmic mean of up and down, with the sign of the drift.
 */
static double excess_of(double up, double down) {
  const double mean = 0.5 * (up + down), more = fmax(up, down), less = fmin(up, down);
  if (up == down) return 0;
  return copysign(less > 0 ? mean - (more - less) / log(more / less) : mean, up - down);
}

static double flow(double up, double down, double low, double high, double dt, double own) {
  const double excess = excess_of(up, down);
  const InkAntidiffusionRow row = {.up = &up,
                                   .down = &down,
                                   .excess = &excess,
                                   .low = &low,
                                   .high = &high,
                                   .anti = 1,
                                   .dt = dt,
                                   .own = own};
  double result = 0;
  ink_antidiffusive_flows(1, &row, &result);
  return result;
}

/* An edge with constant drift and diffusion has the diffusion A D/h and, on top, the excess: all of it but
 * what an edge of |z| = 1/5 has. */
static void test_excess(void **state) {
  (void)state;
  const double small = 0.1 / tanh(0.1) - 1;
  for (int k = -60; k <= 60; k++) {
    const double D = 0.3, h = 0.01, area = 2.5, z = k * 0.4, b = z * D / h, own = area * D / h;
    const InkEdgeRow row = {{&b, &b}, {&D, &D}, &D, &D, &h, &area};
    double up, down, excess;
    ink_edge_rates(1, &row, &up, &down);
    ink_edge_excess(1, &row, &excess);
    const double wanted = fmax(0, 0.5 * (up + down) - own * (1 + small));
    assert_true(fabs(fabs(excess) - wanted) < 1e-12 * up + 1e-12 * down);
    assert_true(k != 0 ? excess * z > 0 : excess == 0);
    assert_true(fabs(fabs(excess) - own * ink_excess(z)) < 1e-12 * own * (1 + fabs(z)));
  }
  /* D that varies is no excess, nor is a drift that the cells resolve. */
  const double D[2] = {0.1, 0.3}, middle = 0.2, slow = 0.03, h = 1, none = 0;
  double excess;
  ink_edge_excess(1, &(InkEdgeRow){{&slow, &slow}, {&middle, &middle}, &D[0], &D[1], &h, &h}, &excess);
  assert_true(excess == 0);
  /* Nothing diffuses: half the upwind flow's. */
  for (int sign = -1; sign <= 1; sign++) {
    const double b = 3.0 * sign;
    ink_edge_excess(1, &(InkEdgeRow){{&b, &b}, {&none, &none}, &none, &none, &h, &h}, &excess);
    assert_true(excess == 0.5 * b);
  }
}

static void test_flow(void **state) {
  (void)state;
  for (int k = 1; k < 40; k++) {
    const double up = 2 + sin(k), down = 1 + cos(3 * k), low = 2 + sin(5 * k), high = 2 + cos(7 * k);
    const double f = flow(up, down, low, high, 2, 0), net = up * low - down * high;
    assert_true(f * (high - low) >= 0); /* against diffusion */
    assert_true(fabs(f) <= fabs(excess_of(up, down) * (high - low)));
    assert_true(net * (up - down) > 0 ? fabs(f) <= fabs(net) : f == 0);
    assert_true(flow(down, up, high, low, 2, 0) == -f); /* the edge turned round */
    assert_true(fabs(flow(up, down, low, high, 0.5, -1) - 0.25 * (f - net)) < 1e-14);
    /* In balance there is none; without diffusion the whole is the central flow. */
    assert_true(fabs(flow(up, down, low, low * up / down, 2, 0)) < 1e-15 * up * low);
    assert_true(fabs(flow(up, 0, low, high, 2, 1) - 0.5 * up * (low + high)) < 1e-15 * up * (low + high));
  }
  assert_true(flow(0, 0, 1, 2, 2, 1) == 0);
  assert_true(flow(1, 1, 0, 0, 2, 1) == 0);
  assert_true(flow(1, 0, 0, 1, 2, 0) == 0);   /* nothing comes from an empty cell, */
  assert_true(flow(1, 0, 1, 100, 2, 0) <= 1); /* and from a nearly empty one no more than twice as much */
}

static void test_share(void **state) {
  (void)state;
  for (int k = 1; k < 60; k++) {
    const double wanted = 1 + sin(k), room = 1 + cos(5 * k), share = ink_flow_share(wanted, room);
    assert_true(share >= 0 && share <= 1 && share * wanted <= room);
    if (wanted <= 0.999 * room) assert_true(share == 1);
    if (wanted >= room) assert_true(share * wanted >= room * (1 - 1e-12));
  }
  assert_true(ink_flow_share(1, 0) == 0);
  assert_true(ink_flow_share(1, -1e-20) == 0);
  assert_true(ink_flow_share(0, 1) == 1);
  assert_true(isfinite(ink_flow_share(0, 0)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_excess),
      cmocka_unit_test(test_flow),
      cmocka_unit_test(test_share),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
