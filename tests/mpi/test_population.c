/* The population solver from deck to numbers: steps one by one and all at once, the martingale of a neutral
 * chain, its decay of heterozygosity. */
#include "../../solvers/core/mesh.h"
#include "../../solvers/population/population.h"

static const InkSolverType *const solver = &ink_population;
#include "solver_bench.h"

static double expectation(const Run *run, const char *entry) {
  InkValue value = {0};
  const InkQuery query = {"expectation", "", ink_deck_node(run->deck, "%s", entry)};
  assert_int_equal(solver->quantity(run->self, &query, &value), 0);
  return value.value;
}

/* The mean frequency x stays, and that of x (1 - x) shrinks by 1 - 1/N a step, for odd and even numbers of
 * steps. */
static void neutral_steps_are_a_martingale(void **state) {
  (void)state;
  static const char deck[] = "solver: population\npopulation: {kind: wright_fisher, size: 20}\n"
                             "initial: {point: [0.3]}\ntime: {end: 7}\n"
                             "verify: [{quantity: expectation, of: x, expect: 0.3, within: 1},\n"
                             "         {quantity: expectation, of: x*(1 - x), expect: 0.2, within: 1}]\n";
  for (int steps = 1; steps <= 7; steps += 3) {
    Run run;
    start(MPI_COMM_WORLD, deck, &run);
    for (int t = 1; t <= steps; t++) advance(&run, t);
    assert_true(fabs(expectation(&run, "verify[0]") - 0.3) < 1e-14);
    assert_true(fabs(expectation(&run, "verify[1]") - 0.21 * pow(0.95, steps)) < 1e-14);
    finish(&run);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(neutral_steps_are_a_martingale)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
