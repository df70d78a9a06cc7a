/* Closures of several fields: laws that couple them, cross-diffusion, immobile fields, parts of a side. */
#include "closure_bench.h"

/* ---- coupled laws ---- */

/* O + e <-> R at an electrode: q_O = kb R - kf O = -q_R at the surface; C looks on, at a fixed value. */
static const Sketch butler_volmer = {
    .n = 3,
    .side = 1,
    .k = {"1.5", NULL, NULL, NULL, "0.7", NULL, NULL, NULL, "2"},
    .law = {{{INK_SIDE_FLUX, .value = "2*exp(0.5*1.3)*B - 2*exp(-0.5*1.3)*A"}},
            {{INK_SIDE_FLUX, .value = "2*exp(-0.5*1.3)*A - 2*exp(0.5*1.3)*B"}},
            {{INK_SIDE_VALUE, .value = "t"}}},
    .parts = {1, 1, 1}};

static void butler_volmer_kinetics(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, &butler_volmer, (double[]){0.4, 0.1, 5.0});
  const double *q = bench.closure->inflow, *us = bench.closure->surface;
  const double kf = 2.0 * exp(-0.65), kb = 2.0 * exp(0.65);
  const double resistance = 1.0 + kf * distance / 1.5 + kb * distance / 0.7;
  near(q[0], (kb * 0.1 - kf * 0.4) / resistance, 1e-12); /* by hand: kinetics and two half cells in series */
  near(q[0] + q[1], 0.0, 1e-15);
  near(kb * us[1] - kf * us[0], q[0], 1e-12);
  near(1.5 * (us[0] - 0.4) / distance, q[0], 1e-12);
  near(0.7 * (us[1] - 0.1) / distance, q[1], 1e-12);
  near(q[2], 2.0 * (2.0 - 5.0) / distance, 1e-15);
  check_slopes(&bench, 1e-7);
  static const bool coupled[9] = {true, true, false, true, true, false, false, false, true};
  assert_memory_equal(bench.closure->coupled, coupled, sizeof coupled);
  assert_true(bench.closure->affine && bench.closure->constant_slope && bench.closure->moving);
  assert_false(bench.closure->dissipative);
  assert_int_equal(bench.closure->law[0], INK_LAW_OTHER);
  assert_int_equal(bench.closure->law[2], INK_LAW_VALUE);
  tear_down(&bench);
}

/* A potential field B drives the kinetics of A exponentially; with advection and k of both fields. */
static void nonlinear_kinetics_with_everything(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {.n = 3,
                         .side = 0,
                         .k = {"1 + 0.2*A*B", "0.3*x", NULL, "0.1*B", "2", "0.4", NULL, NULL, "1"},
                         .velocity = "1.5",
                         .law = {{{INK_SIDE_FLUX, .value = "exp(-3*B) - A*C*exp(2*B)"}},
                                 {{INK_SIDE_CONVECTION, .coefficient = "4 + A", .ambient = "t"}},
                                 {{INK_SIDE_CONVECTION, .coefficient = "3", .ambient = "0.5"}}},
                         .parts = {1, 1, 1}};
  set_up(&bench, &sketch, (double[]){0.7, 0.4, 0.9});
  const double *us = bench.closure->surface, *q = bench.closure->inflow;
  near(q[0], exp(-3.0 * us[1]) - us[0] * us[2] * exp(2.0 * us[1]), 1e-12);
  near(q[1], (4.0 + us[0]) * (2.0 - us[1]), 1e-12);
  /* the half cell of A carries the same */
  const double k = 0.5 * (1.0 + 0.2 * 0.7 * 0.4 + 1.0 + 0.2 * us[0] * us[1]), z = 1.5 * distance / k;
  const double carried = k / distance * (ink_bernoulli(-z) * us[0] - ink_bernoulli(z) * 0.7) +
                         0.3 * distance * (us[1] - 0.4) / distance;
  near(carried, q[0], 1e-12);
  check_slopes(&bench, 1e-6);
  assert_false(bench.closure->affine || bench.closure->constant_slope);
  assert_true(bench.closure->fixes_level);
  tear_down(&bench);
}

/* Steep two-field kinetics from far off equilibrium converge by damping. */
static void stiff_kinetics_converge(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {.n = 2,
                         .side = 1,
                         .k = {"1e-3", NULL, NULL, "10"},
                         .law = {{{INK_SIDE_FLUX, .value = "1e3*(B*exp(-20*A) - exp(20*A))"}},
                                 {{INK_SIDE_FLUX, .value = "-1e3*(B*exp(-20*A) - exp(20*A))"}}},
                         .parts = {1, 1}};
  set_up(&bench, &sketch, (double[]){2.0, 50.0});
  const double *q = bench.closure->inflow, *us = bench.closure->surface;
  near(q[0] + q[1], 0.0, 1e-11);
  near(q[1] / (10.0 * (us[1] - 50.0) / distance), 1.0, 1e-12);
  near(q[0] / (1e-3 * (us[0] - 2.0) / distance), 1.0, 1e-12);
  tear_down(&bench);
}

/* Infinitely fast kinetics, nearly: A and B are in equilibrium at the surface, A = 2 B, and what one loses
 * the other gets, without loss of digits. */
static void fast_kinetics_keep_their_digits(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {
      .n = 2,
      .side = 1,
      .k = {"1", NULL, NULL, "1"},
      .law = {{{INK_SIDE_FLUX, .value = "2e9*B - 1e9*A"}}, {{INK_SIDE_FLUX, .value = "-(2e9*B - 1e9*A)"}}},
      .parts = {1, 1}};
  set_up(&bench, &sketch, (double[]){1.0, 0.0});
  const double *q = bench.closure->inflow, *us = bench.closure->surface;
  const double expect =
      -1.0 / distance / (3.0 + 1.0 / (1e9 * distance)); /* A's flux: kinetics and half cells */
  near(us[0] / us[1], 2.0, 1e-7);
  near(q[0] / expect, 1.0, 1e-13);
  near(q[0] + q[1], 0.0, 1e-14);
  check_slopes(&bench, 1e-7); /* elimination costs the slopes eight digits */
  tear_down(&bench);
}

static void value_sides_may_use_the_other_field(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {
      .n = 2, /* Nernst: A at the surface follows from B's */
      .side = 1,
      .k = {"1.5", NULL, NULL, "0.7"},
      .law = {{{INK_SIDE_VALUE, .value = "1 - 0.3*log(B)"}}, {{INK_SIDE_FLUX, .value = "2"}}},
      .parts = {1, 1}};
  set_up(&bench, &sketch, (double[]){0.4, 0.6});
  const double b = 0.6 + 2.0 * distance / 0.7;
  near(bench.closure->surface[1], b, 1e-14);
  near(bench.closure->surface[0], 1.0 - 0.3 * log(b), 1e-14);
  near(bench.closure->inflow[0], 1.5 * (1.0 - 0.3 * log(b) - 0.4) / distance, 1e-12);
  check_slopes(&bench, 1e-6);
  assert_true(bench.closure->coupled[1] && !bench.closure->coupled[2] && !bench.closure->coupled[3]);
  assert_int_equal(bench.closure->law[1], INK_LAW_FLUX);
  tear_down(&bench);
}

static void cross_diffusion_acts_in_the_half_cell(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {.n = 2,
                         .side = 1,
                         .k = {"1.5", "0.4", "-0.2", "0.7"},
                         .law = {{{INK_SIDE_VALUE, .value = "3"}}, {{INK_SIDE_FLUX, .value = "0.8"}}},
                         .parts = {1, 1}};
  set_up(&bench, &sketch, (double[]){1.0, 2.0});
  const double *us = bench.closure->surface;
  near(-0.2 * (us[0] - 1.0) / distance + 0.7 * (us[1] - 2.0) / distance, 0.8, 1e-13);
  near(bench.closure->inflow[0], 1.5 * 2.0 / distance + 0.4 * (us[1] - 2.0) / distance, 1e-13);
  near(bench.closure->inflow[1], 0.8, 0.0);
  check_slopes(&bench, 1e-7);
  assert_true(bench.closure->affine && bench.closure->constant_slope);
  assert_int_equal(bench.closure->law[0], INK_LAW_OTHER);
  assert_int_equal(bench.closure->law[1], INK_LAW_FLUX);
  tear_down(&bench);
}

/* An immobile field takes a flux straight into its cell (a film that grows); a value means nothing to it. */
static void immobile_fields(void **state) {
  (void)state;
  Bench bench;
  const Sketch deposit = {.n = 3,
                          .side = 1,
                          .k = {"1.5", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
                          .velocity = "0.5",
                          .law = {{{INK_SIDE_FLUX, .value = "-4*A*(1 - B)"}},
                                  {{INK_SIDE_FLUX, .value = "4*A*(1 - B)"}},
                                  {{INK_SIDE_VALUE, .value = "7"}}},
                          .parts = {1, 1, 1}};
  set_up(&bench, &deposit, (double[]){1.0, 0.25, 2.0});
  const double *us = bench.closure->surface, *q = bench.closure->inflow;
  near(us[1], 0.25, 0.0);
  near(q[1], 4.0 * us[0] * 0.75, 1e-13);
  near(q[0] + q[1], 0.0, 0.0);
  near(q[2], 0.0, 0.0);
  near(us[2], 2.0, 0.0);
  check_slopes(&bench, 1e-7);
  assert_int_equal(bench.closure->law[2], INK_LAW_FLUX);
  tear_down(&bench);
  const Sketch plain = {.n = 2,
                        .side = 1,
                        .k = {NULL, NULL, "3", NULL},
                        .law = {{{INK_SIDE_FLUX, .value = "2 + x"}},
                                {{INK_SIDE_CONVECTION, .coefficient = "5", .ambient = "3"}}},
                        .parts = {1, 1}};
  set_up(&bench, &plain, (double[]){1.0, 0.25});
  near(bench.closure->inflow[0], 3.0, 0.0);
  near(bench.closure->inflow[1], 5.0 * 2.75, 1e-15);
  near(bench.closure->slope[3], -5.0, 0.0);
  check_slopes(&bench, 1e-7);
  tear_down(&bench);
}

/* ---- parts ---- */

static const Sketch electrode = {
    .n = 2, /* an electrode on part of the side that moves with time, a bath on another, insulation between */
    .side = 1,
    .rows = 8,
    .k = {"1.5", NULL, NULL, "0.7"},
    .law = {{{INK_SIDE_FLUX, .value = "2*B - 3*A", .where = "y < 0.1*t"},
             {INK_SIDE_VALUE, .value = "1", .where = "y > 0.7"}},
            {{INK_SIDE_FLUX, .value = "3*A - 2*B", .where = "y < 0.1*t"},
             {INK_SIDE_CONVECTION, .coefficient = "4", .ambient = "2", .where = "y > 0.7"}}},
    .parts = {2, 2}};

static void parts_by_place_and_time(void **state) {
  (void)state;
  Bench bench;
  set_up(&bench, &electrode, (double[]){0.5, 0.3});
  const int64_t count = bench.closure->count;
  check_slopes(&bench, 1e-7);
  for (double t = 2.0; t <= 4.0; t += 2.0) {
    ink_closure_evaluate(bench.closure, t, bench.u);
    for (int64_t i = 0; i < count; i++) {
      const double y = ((double)i + 0.5) / 8.0, *q = bench.closure->inflow, *us = bench.closure->surface;
      if (y < 0.1 * t) {
        near(q[i], 2.0 * us[count + i] - 3.0 * us[i], 1e-12);
        near(q[i], 1.5 * (us[i] - 0.5) / distance, 1e-12);
        near(q[i] + q[count + i], 0.0, 1e-15);
        assert_true(fabs(q[i]) > 0.1);
      } else if (y > 0.7) {
        near(q[i], 1.5 * 0.5 / distance, 1e-14);
        near(q[count + i], 1.7 / (0.25 + distance / 0.7), 1e-12);
      } else {
        near(q[i], 0.0, 0.0);
        near(q[count + i], 0.0, 0.0);
        near(us[i], 0.5, 0.0);
        near(us[count + i], 0.3, 0.0);
        for (int e = 0; e < 4; e++) near(bench.closure->slope[e * count + i], 0.0, 0.0);
      }
    }
  }
  assert_true(bench.closure->moving && bench.closure->affine && !bench.closure->constant_slope);
  tear_down(&bench);
}

/* Linear laws in parts, with the last one everywhere else; the first true one wins. */
static void parts_of_linear_laws(void **state) {
  (void)state;
  Bench bench;
  Sketch sketch = {.n = 1,
                   .side = 0,
                   .rows = 8,
                   .k = {"2"},
                   .law = {{{INK_SIDE_VALUE, .value = "3 + y", .where = "y < 0.3"},
                            {INK_SIDE_FLUX, .value = "5", .where = "y < 0.6"},
                            {INK_SIDE_CONVECTION, .coefficient = "7", .ambient = "30"}}},
                   .parts = {3}};
  for (int advection = 0; advection < 2; advection++) {
    sketch.velocity = advection ? "1" : NULL;
    set_up(&bench, &sketch, (double[]){4.0});
    const double z = advection ? distance / 2.0 : 0.0, g = 2.0 / distance;
    const double a = g * ink_bernoulli(-z), b = g * ink_bernoulli(z);
    for (int64_t i = 0; i < 8; i++) {
      const double y = ((double)i + 0.5) / 8.0;
      const double expect = y < 0.3   ? a * (3.0 + y) - b * 4.0
                            : y < 0.6 ? 5.0
                                      : 7.0 * (a * 30.0 - b * 4.0) / (a + 7.0);
      near(bench.closure->inflow[i], expect, 1e-13);
    }
    check_slopes(&bench, 1e-6);
    assert_true(bench.closure->affine && bench.closure->constant_slope && bench.closure->dissipative);
    assert_int_equal(bench.closure->law[0], INK_LAW_OTHER);
    tear_down(&bench);
  }
  sketch.velocity = NULL;
  sketch.law[0][1] = (Words){INK_SIDE_VALUE, .value = "5", .where = NULL};
  sketch.parts[0] = 2;
  set_up(&bench, &sketch, (double[]){4.0});
  assert_int_equal(bench.closure->law[0], INK_LAW_VALUE); /* values everywhere */
  tear_down(&bench);
  sketch.law[0][1].where = "y > 0.5";
  set_up(&bench, &sketch, (double[]){4.0});
  assert_int_equal(bench.closure->law[0], INK_LAW_OTHER); /* not everywhere */
  tear_down(&bench);
}

/* A field in closed form beside coupled ones gives the bits it has alone. */
static void uncoupled_fields_stay_in_closed_form(void **state) {
  (void)state;
  Bench three, one;
  set_up(&three, &butler_volmer, (double[]){0.4, 0.1, 5.0});
  set_up_one(&one, "2", NULL, (Words){INK_SIDE_VALUE, .value = "t"}, 5.0);
  assert_memory_equal(&three.closure->inflow[2], &one.closure->inflow[0], sizeof(double));
  assert_memory_equal(&three.closure->slope[8], &one.closure->slope[0], sizeof(double));
  tear_down(&three);
  tear_down(&one);
}

/* The bits of a face do not depend on the faces beside it. */
static void a_face_has_its_own_bits(void **state) {
  (void)state;
  Bench many;
  Sketch sketch = electrode;
  sketch.rows = 5;
  sketch.velocity = "0.3";
  sketch.k[0] = "1.5 + 0.1*A";
  for (int s = 0; s < 2; s++) {
    sketch.law[s][0].where = NULL;
    sketch.law[s][0].value = s ? "exp(2*A) - exp(B)" : "exp(B) - exp(2*A)";
    sketch.parts[s] = 1;
  }
  set_up(&many, &sketch, (double[]){0.5, 0.3});
  const int64_t count = many.closure->count;
  for (int64_t i = 0; i < count; i++)
    many.u[many.closure->cell[i]] = 0.5 + (i == 3 ? 0.07 : 10.0 * (double)i);
  ink_closure_evaluate(many.closure, 2.0, many.u);
  const double q = many.closure->inflow[3], slope = many.closure->slope[count + 3];
  for (int64_t i = 0; i < count; i++)
    if (i != 3) many.u[many.closure->cell[i]] = 0.5;
  ink_closure_evaluate(many.closure, 2.0, many.u);
  assert_memory_equal(&q, &many.closure->inflow[3], sizeof q);
  assert_memory_equal(&slope, &many.closure->slope[count + 3], sizeof slope);
  tear_down(&many);
}

static void closed_sides_cost_nothing(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {.n = 2, .side = 1, .rows = 3, .k = {"1.5*A", "0.2", NULL, "0.7*t"}};
  set_up(&bench, &sketch, (double[]){0.5, 0.3});
  assert_int_equal(bench.closure->count, 3);
  for (int64_t i = 0; i < 3; i++) {
    near(bench.closure->surface[i], 0.5, 0.0);
    near(bench.closure->surface[3 + i], 0.3, 0.0);
    near(bench.closure->area[i], 1.0 / 3.0, 1e-15);
  }
  for (int64_t i = 0; i < 6; i++) near(bench.closure->inflow[i], 0.0, 0.0);
  assert_true(bench.closure->affine && bench.closure->constant_slope);
  assert_false(bench.closure->moving || bench.closure->fixes_level);
  assert_int_equal(bench.closure->law[0], INK_LAW_FLUX);
  tear_down(&bench);
}

static void laws_without_a_solution_give_NaN(void **state) {
  (void)state;
  Bench bench;
  const Sketch sketch = {
      .n = 2,
      .side = 1,
      .k = {"1", NULL, NULL, "1"},
      .law = {{{INK_SIDE_FLUX, .value = "10 + A^2 + B^2"}}, {{INK_SIDE_FLUX, .value = "A"}}},
      .parts = {1, 1}};
  set_up(&bench, &sketch, (double[]){0.4, 100.0});
  assert_true(isnan(bench.closure->inflow[0]) && isnan(bench.closure->slope[0]));
  tear_down(&bench);
}

/* On the mantle of a cylinder a law knows its z, on the lid its r. */
static void axisymmetric_places(void **state) {
  (void)state;
  const InkAxisSpec axes[2] = {{.from = 0.0, .to = 2.0, .cells = 4}, {.from = 1.0, .to = 4.0, .cells = 3}};
  InkFailure failure = {0};
  Bench bench = {.pool = ink_pool_create()};
  assert_int_equal(ink_mesh_build(MPI_COMM_SELF, axes, 2, INK_AXISYMMETRIC, &bench.mesh, &failure), 0);
  assert_int_equal(ink_mesh_fields(bench.mesh, 1, &bench.u), 0);
  for (int side = 1; side <= 3; side += 2) {
    const InkExpr *sum = ink_expr_binary(bench.pool, INK_OP_ADD, ink_expr_variable(bench.pool, INK_VAR_R),
                                         ink_expr_variable(bench.pool, INK_VAR_Z));
    const InkExpr *k = ink_expr_number(bench.pool, 2.0);
    const InkSideData data = {.type = INK_SIDE_FLUX, .value = sum};
    const InkSideParts parts = {.count = 1, .data = &data};
    const InkClosureSpec spec = {.n = 1, .conductivity = &k, .parts = &parts};
    char message[256];
    bench.closure = ink_closure_create(bench.mesh, side, &spec, bench.pool, message, sizeof message);
    assert_non_null(bench.closure);
    ink_closure_evaluate(bench.closure, 0.0, bench.u);
    assert_int_equal(bench.closure->count, side == 1 ? 3 : 4);
    for (int64_t i = 0; i < bench.closure->count; i++)
      near(bench.closure->inflow[i],
           side == 1 ? 2.0 + 1.5 + (double)i : 4.0 + bench.mesh->axis[0].centroid[i], 1e-15);
    ink_closure_destroy(&bench.closure);
  }
  tear_down(&bench);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(butler_volmer_kinetics),
      cmocka_unit_test(nonlinear_kinetics_with_everything),
      cmocka_unit_test(stiff_kinetics_converge),
      cmocka_unit_test(fast_kinetics_keep_their_digits),
      cmocka_unit_test(value_sides_may_use_the_other_field),
      cmocka_unit_test(cross_diffusion_acts_in_the_half_cell),
      cmocka_unit_test(immobile_fields),
      cmocka_unit_test(parts_by_place_and_time),
      cmocka_unit_test(parts_of_linear_laws),
      cmocka_unit_test(uncoupled_fields_stay_in_closed_form),
      cmocka_unit_test(a_face_has_its_own_bits),
      cmocka_unit_test(axisymmetric_places),
      cmocka_unit_test(closed_sides_cost_nothing),
      cmocka_unit_test(laws_without_a_solution_give_NaN),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
