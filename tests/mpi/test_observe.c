/* Observers: probes are exact for linear fields up to the sides, integrals and errors obey their definitions,
 * and all of them give the bits a single rank gives. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>
#include "../../solvers/core/observe.h"

typedef struct Case {
  InkMesh *mesh;
  double *values, *side[INK_SIDES];
  InkFieldView view;
} Case;

typedef double (*Field)(const double at[3]);

static double linear(const double at[3]) { return 3 + 2 * at[0] - 5 * at[1] + 0.7 * at[2]; }
static double slope(const double at[3]) { return 1 - at[0]; }
static double hump(const double at[3]) { return 0.25 - fabs(at[0] - 0.5); }
static double ramp_y(const double at[3]) { return 4 * at[1]; }
static double bubble(const double at[3]) { /* 0 on all sides of the unit square */
  return at[0] * (1 - at[0]) * at[1] * (1 - at[1]);
}
static double vault(const double at[3]) { return at[0] * (1 - at[0]); }
static double step(const double at[3]) { return at[0] == 0 ? 1 : 0; }
static double one(const double at[3]) { return 1 + 0 * at[0]; }
static double product(const double at[3]) { return at[0] * at[1] + 1; }
static double rough(const double at[3]) {
  return sin(1e5 * at[0] + 3e4 * at[1] - 7e5 * at[2]) * exp(20 * cos(9e4 * at[0] + 11 * at[2]));
}

static void assert_same(double a, double b) { assert_memory_equal(&a, &b, sizeof a); }

static void assert_near(double value, double expected, double within) {
  if (!(fabs(value - expected) <= within)) fail_msg("got %.17g, expected %.17g", value, expected);
}

/* Point of owned cell (i,j,k), moved to the face of side `side` when it is not -1. */
static void cell_point(const InkMesh *mesh, const int64_t local[3], int side, double at[3]) {
  for (int a = 0; a < 3; a++) {
    at[a] = a < mesh->dim ? mesh->axis[a].centroid[mesh->start[a] + local[a]] : 0;
    if (side / 2 == a && side >= 0) at[a] = side % 2 == 0 ? mesh->axis[a].from : mesh->axis[a].to;
  }
}

static void fill_cells(Case *c, Field field) {
  double *first = ink_mesh_first(c->mesh, c->values), at[3];
  int64_t p[3];
  for (p[2] = 0; p[2] < c->mesh->count[2]; p[2]++)
    for (p[1] = 0; p[1] < c->mesh->count[1]; p[1]++)
      for (p[0] = 0; p[0] < c->mesh->count[0]; p[0]++) {
        cell_point(c->mesh, p, -1, at);
        first[p[0] + p[1] * c->mesh->stride[1] + p[2] * c->mesh->stride[2]] = field(at);
      }
}

static void fill_side(Case *c, int side, Field field) {
  const InkMesh *mesh = c->mesh;
  if (ink_side_count(mesh, side) == 0) return;
  c->side[side] = calloc((size_t)ink_side_count(mesh, side), sizeof(double));
  c->view.side_value[side] = c->side[side];
  int64_t low[3] = {0, 0, 0}, high[3] = {mesh->count[0], mesh->count[1], mesh->count[2]}, p[3], next = 0;
  int normal = side / 2;
  low[normal] = side % 2 == 0 ? 0 : mesh->count[normal] - 1;
  high[normal] = low[normal] + 1;
  for (p[2] = low[2]; p[2] < high[2]; p[2]++)
    for (p[1] = low[1]; p[1] < high[1]; p[1]++)
      for (p[0] = low[0]; p[0] < high[0]; p[0]++) {
        double at[3];
        cell_point(mesh, p, side, at);
        c->side[side][next++] = field(at);
      }
}

static Case made(MPI_Comm comm, int dim, const InkAxisSpec spec[], InkCoordinates coordinates, Field field,
                 bool sides) {
  Case c = {0};
  InkFailure failure = {0};
  assert_int_equal(ink_mesh_build(comm, spec, dim, coordinates, &c.mesh, &failure), 0);
  assert_int_equal(ink_mesh_array(c.mesh, &c.values), 0);
  c.view.mesh = c.mesh;
  c.view.values = c.values;
  fill_cells(&c, field);
  for (int side = 0; sides && side < INK_SIDES; side++) fill_side(&c, side, field);
  return c;
}

static void clear(Case *c) {
  for (int side = 0; side < INK_SIDES; side++) free(c->side[side]);
  ink_mesh_free(&c->values);
  assert_int_equal(ink_mesh_destroy(&c->mesh), 0);
}

static const InkAxisSpec graded[3] = {{.from = -1, .to = 2, .cells = 9, .grading = 1.2},
                                      {.from = 0, .to = 0.5, .cells = 6, .grading = 0.8},
                                      {.from = 10, .to = 11, .cells = 5}};

static double probed(const Case *c, double x, double y, double z) {
  double value = -1, at[3] = {x, y, z};
  assert_int_equal(ink_observe_probe(&c->view, at, &value), 0);
  return value;
}

static void probes_are_exact_for_linear_fields(void **state) {
  (void)state;
  for (int dim = 1; dim <= 3; dim++) {
    Case c = made(PETSC_COMM_WORLD, dim, graded, INK_CARTESIAN, linear, true);
    int most[3] = {10, dim > 1 ? 10 : 0, dim > 2 ? 10 : 0};
    for (int i = 0; i <= most[0]; i++)
      for (int j = 0; j <= most[1]; j++)
        for (int k = 0; k <= most[2]; k++) { /* 0 and 10 are the sides, so edges and corners too */
          double at[3] = {-1 + 0.3 * i, dim > 1 ? 0.05 * j : 0, dim > 2 ? 10 + 0.1 * k : 0};
          assert_near(probed(&c, at[0], at[1], at[2]), linear(at), 1e-12);
        }
    clear(&c);
  }
}

/* Also at edges and corners a side has its own values; where two sides contradict each other, what lies
 * between. */
static void probes_on_sides_are_the_sides(void **state) {
  (void)state;
  const InkAxisSpec unit[3] = {{.from = 0, .to = 1, .cells = 9},
                               {.from = 0, .to = 1, .cells = 6, .grading = 0.8},
                               {.from = 0, .to = 1, .cells = 5}};
  for (int dim = 2; dim <= 3; dim++) {
    Case c = made(PETSC_COMM_WORLD, dim, unit, INK_CARTESIAN, bubble, true);
    Case rooms = made(PETSC_COMM_WORLD, dim, unit, INK_CARTESIAN, vault, false);
    fill_side(&rooms, 0, vault); /* the other sides have the cells' values: nothing passes there */
    Case both = made(PETSC_COMM_WORLD, dim, unit, INK_CARTESIAN, step, true);
    for (int i = 0; i <= 20; i++)
      for (int k = 0; k <= (dim > 2 ? 20 : 0); k++)
        for (int end = 0; end < 2; end++) {
          assert_near(probed(&c, end, 0.05 * i, 0.05 * k), 0, 0);
          assert_near(probed(&c, 0.05 * i, end, 0.05 * k), 0, 0);
          assert_near(probed(&rooms, 0, 0.05 * i, 0.05 * k), 0, 0);
          assert_true(probed(&c, 0.005 * i, 0.99, 0.05 * k) >= 0);
          assert_near(probed(&both, 0, 0.05 * i, 0.05 * k), 0.5, 0.5);
        }
    assert_near(probed(&both, 0, 0, 0.5), 0.5, 0);
    clear(&c);
    clear(&rooms);
    clear(&both);
  }
}

static void probes_at_centroids_are_the_cells(void **state) {
  (void)state;
  Case c = made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, rough, true);
  for (int i = 0; i < 9; i++) {
    double at[3] = {c.mesh->axis[0].centroid[i], c.mesh->axis[1].centroid[i % 6],
                    c.mesh->axis[2].centroid[i % 5]};
    assert_same(probed(&c, at[0], at[1], at[2]), rough(at));
  }
  clear(&c);
}

static void probes_reach_walls_axes_and_periodic_ends(void **state) {
  (void)state;
  InkAxisSpec line = {.from = 0, .to = 1, .cells = 8};
  Case wall = made(PETSC_COMM_WORLD, 1, &line, INK_CARTESIAN, slope, false);
  assert_same(probed(&wall, 0, 0, 0), 1 - 0.0625); /* without side values: the cell's own */
  assert_same(probed(&wall, 1, 0, 0), 0.0625);
  clear(&wall);
  Case ball = made(PETSC_COMM_WORLD, 1, &line, INK_SPHERICAL, slope, true);
  double centre = 1 - ball.mesh->axis[0].centroid[0];
  assert_same(probed(&ball, 0, 0, 0), centre);
  assert_same(probed(&ball, 0.05, 0, 0), centre);
  assert_near(probed(&ball, 1, 0, 0), 0, 1e-15);
  clear(&ball);
  line.periodic = true;
  Case ring = made(PETSC_COMM_WORLD, 1, &line, INK_CARTESIAN, slope, true);
  assert_near(probed(&ring, 0, 0, 0), 0.5, 1e-15); /* half way between the last and the first cell */
  assert_near(probed(&ring, 1, 0, 0), 0.5, 1e-15);
  assert_near(probed(&ring, 0.03125, 0, 0), 0.5 + 0.21875, 1e-15);
  clear(&ring);
}

static void integrals_obey_their_definitions(void **state) {
  (void)state;
  double value, mean, variance;
  Case c = made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, one, false);
  assert_int_equal(ink_observe_integral(&c.view, &value), 0);
  assert_near(value, 3 * 0.5 * 1, 1e-14);
  assert_int_equal(ink_observe_mean_variance(&c.view, &mean, &variance), 0);
  assert_near(mean, 1, 1e-15);
  assert_near(variance, 0, 1e-30);
  fill_cells(&c, linear); /* the midpoint rule is exact for the mean of a linear field */
  const double middle[3] = {0.5, 0.25, 10.5};
  assert_int_equal(ink_observe_mean_variance(&c.view, &mean, &variance), 0);
  assert_near(mean, linear(middle), 1e-12);
  assert_true(variance > 0);
  clear(&c);
  InkAxisSpec line = {.from = 0, .to = 1, .cells = 64};
  c = made(PETSC_COMM_WORLD, 1, &line, INK_CARTESIAN, slope, false);
  assert_int_equal(ink_observe_mean_variance(&c.view, &mean, &variance), 0);
  assert_near(mean, 0.5, 1e-15);
  assert_near(variance, (1 - 1.0 / (64 * 64)) / 12, 1e-15); /* of 64 equally spaced values */
  clear(&c);
}

static void fronts_are_found(void **state) {
  (void)state;
  double position;
  InkAxisSpec line = {.from = 0, .to = 1, .cells = 40, .grading = 1.03};
  Case c = made(PETSC_COMM_WORLD, 1, &line, INK_CARTESIAN, slope, false);
  assert_int_equal(ink_observe_front(&c.view, 0, 0.3, &position), 0);
  assert_near(position, 0.7, 1e-14);
  assert_int_equal(ink_observe_front(&c.view, 0, 7, &position), 0);
  assert_true(isnan(position));
  clear(&c);
  c = made(PETSC_COMM_WORLD, 1, &line, INK_CARTESIAN, hump, false);
  assert_int_equal(ink_observe_front(&c.view, 0, 0.1, &position), 0);
  assert_near(position, 0.65, 1e-14); /* of 0.35 and 0.65 the leading one */
  double top[3] = {c.mesh->axis[0].centroid[30]};
  assert_int_equal(ink_observe_front(&c.view, 0, hump(top), &position), 0);
  assert_same(position, top[0]); /* a centroid that has the level itself */
  clear(&c);
  c = made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, ramp_y, false);
  assert_int_equal(ink_observe_front(&c.view, 1, 1.1, &position), 0);
  assert_near(position, 0.275, 1e-14);
  clear(&c);
}

static void the_first_bad_cell_is_found(void **state) {
  (void)state;
  static const int64_t bad[2][3] = {{1, 5, 3}, {7, 2, 3}}; /* the second has the lower number */
  Case c = made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, linear, false);
  PetscBool found;
  int64_t index[3];
  double at[3], value, min, max;
  assert_int_equal(ink_observe_not_finite(&c.view, &found, index, at, &value), 0);
  assert_false(found);
  for (int b = 0; b < 2; b++) {
    int64_t offset = 0;
    bool own = true;
    for (int a = 0; a < 3; a++) {
      int64_t local = bad[b][a] - c.mesh->start[a];
      own = own && local >= 0 && local < c.mesh->count[a];
      offset += local * c.mesh->stride[a];
    }
    if (own) ink_mesh_first(c.mesh, c.values)[offset] = b == 0 ? NAN : INFINITY;
  }
  assert_int_equal(ink_observe_not_finite(&c.view, &found, index, at, &value), 0);
  assert_true(found && isinf(value));
  for (int a = 0; a < 3; a++) {
    assert_int_equal(index[a], bad[1][a]);
    assert_same(at[a], c.mesh->axis[a].centroid[bad[1][a]]);
  }
  assert_int_equal(ink_observe_range(&c.view, &min, &max), 0);
  assert_true(isnan(min) && isnan(max));
  clear(&c);
}

static InkProgram *program_of(const InkExpr *e) {
  char message[256] = "";
  InkProgram *program = ink_program_create(1, &e, INK_ROW_UNIFORM, message, sizeof message);
  assert_non_null(program);
  return program;
}

/* x y + 1, `factor` times. */
static const InkExpr *product_expression(InkPool *pool, double factor) {
  const InkExpr *x = ink_expr_variable(pool, INK_VAR_X), *y = ink_expr_variable(pool, INK_VAR_Y);
  const InkExpr *xy = ink_expr_binary(pool, INK_OP_MUL, x, y);
  const InkExpr *sum = ink_expr_binary(pool, INK_OP_ADD, xy, ink_expr_number(pool, 1));
  return ink_expr_binary(pool, INK_OP_MUL, ink_expr_number(pool, factor), sum);
}

static void errors_are_relative_to_the_exact_field(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  InkProgram *same = program_of(product_expression(pool, 1)),
             *half = program_of(product_expression(pool, 0.5)), *zero = program_of(ink_expr_number(pool, 0));
  Case c = made(PETSC_COMM_WORLD, 2, graded, INK_CARTESIAN, product, false);
  double l2, max, low, high;
  assert_int_equal(ink_observe_error(&c.view, same, 0, &l2, &max), 0);
  assert_near(l2, 0, 1e-15);
  assert_near(max, 0, 1e-15);
  assert_int_equal(ink_observe_error(&c.view, half, 0, &l2, &max), 0);
  assert_int_equal(ink_observe_range(&c.view, &low, &high), 0);
  assert_near(l2, 1, 1e-14);
  assert_near(max, 0.5 * high, 1e-14);
  assert_int_equal(ink_observe_error(&c.view, zero, 0, &l2, &max), 0);
  double mean, variance;
  assert_int_equal(ink_observe_mean_variance(&c.view, &mean, &variance), 0);
  assert_near(l2, sqrt(mean * mean + variance), 1e-13); /* absolute: the RMS of the field */
  assert_same(max, high);
  clear(&c);
  ink_program_destroy(&same);
  ink_program_destroy(&half);
  ink_program_destroy(&zero);
  ink_pool_destroy(&pool);
}

static void all_observers(const Case *c, double result[]) {
  double *next = result;
  assert_int_equal(ink_observe_integral(&c->view, next++), 0);
  assert_int_equal(ink_observe_mean_variance(&c->view, &next[0], &next[1]), 0);
  next += 2;
  assert_int_equal(ink_observe_range(&c->view, &next[0], &next[1]), 0);
  next += 2;
  for (int a = 0; a < 3; a++) assert_int_equal(ink_observe_front(&c->view, a, 0.5, next++), 0);
  for (int p = 0; p < 8; p++) *next++ = probed(c, -1 + 3.0 * p / 7, 0.5 * (p % 4) / 3, 10 + (p % 3) / 2.0);
}

static void any_rank_count_gives_the_same_bits(void **state) {
  (void)state;
  double alone[16], together[16];
  Case serial = made(PETSC_COMM_SELF, 3, graded, INK_CARTESIAN, rough, true);
  Case parallel = made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, rough, true);
  all_observers(&serial, alone);
  all_observers(&parallel, together);
  for (int i = 0; i < 16; i++) assert_same(alone[i], together[i]);
  clear(&serial);
  clear(&parallel);
}

/* noise(2) + u t, over a field u. */
static void evaluation_does_not_depend_on_the_ranks(void **state) {
  (void)state;
  InkPool *pool = ink_pool_create();
  const InkExpr *u = ink_expr_variable(pool, INK_VAR_FIELD), *t = ink_expr_variable(pool, INK_VAR_T);
  const InkExpr *noise = ink_expr_variable(pool, INK_VAR_NOISE + 2),
                *ut = ink_expr_binary(pool, INK_OP_MUL, u, t);
  InkProgram *program = program_of(ink_expr_binary(pool, INK_OP_ADD, noise, ut));
  Case c[2] = {made(PETSC_COMM_SELF, 3, graded, INK_CARTESIAN, rough, false),
               made(PETSC_COMM_WORLD, 3, graded, INK_CARTESIAN, rough, false)};
  double integral[2], low[2], high[2];
  for (int i = 0; i < 2; i++) {
    double *out;
    assert_int_equal(ink_mesh_array(c[i].mesh, &out), 0);
    assert_int_equal(ink_mesh_evaluate(c[i].mesh, program, 0.25, 42, (const double *const[]){c[i].values},
                                       (double *const[]){out}),
                     0);
    InkFieldView view = {.mesh = c[i].mesh, .values = out};
    assert_int_equal(ink_observe_integral(&view, &integral[i]), 0);
    assert_int_equal(ink_observe_range(&view, &low[i], &high[i]), 0);
    ink_mesh_free(&out);
  }
  assert_same(integral[0], integral[1]);
  assert_same(low[0], low[1]);
  assert_same(high[0], high[1]);
  assert_true(low[0] < high[0]);
  for (int i = 0; i < 2; i++) clear(&c[i]);
  ink_program_destroy(&program);
  ink_pool_destroy(&pool);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(probes_are_exact_for_linear_fields),
      cmocka_unit_test(probes_on_sides_are_the_sides),
      cmocka_unit_test(probes_at_centroids_are_the_cells),
      cmocka_unit_test(probes_reach_walls_axes_and_periodic_ends),
      cmocka_unit_test(integrals_obey_their_definitions),
      cmocka_unit_test(fronts_are_found),
      cmocka_unit_test(the_first_bad_cell_is_found),
      cmocka_unit_test(errors_are_relative_to_the_exact_field),
      cmocka_unit_test(any_rank_count_gives_the_same_bits),
      cmocka_unit_test(evaluation_does_not_depend_on_the_ranks),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
