/* For the heat solver's tests: runs from decks, and the values of the temperature. */
#ifndef INK_TESTS_HEAT_BENCH_H
#define INK_TESTS_HEAT_BENCH_H

#include "../../solvers/core/mesh.h"
#include "../../solvers/heat/heat.h"

static const InkSolverType *const solver = &ink_heat;
#include "solver_bench.h"

static inline void close_to(double value, double expect, double relative) {
  if (!(fabs(value - expect) <= relative * fabs(expect)))
    print_error("got %.15g, expected %.15g\n", value, expect);
  assert_true(fabs(value - expect) <= relative * fabs(expect));
}

/* The owned values of the temperature; free() them. */
static inline double *field_of(const Run *run, size_t *bytes) {
  const InkField *fields;
  int count;
  assert_int_equal(solver->fields(run->self, &fields, &count), 0);
  assert_int_equal(count, 1);
  const InkBox *box = &fields[0].grid.box;
  size_t nx = (size_t)box->count[1], ny = (size_t)box->count[0];
  double *values = malloc((nx * ny + 1) * sizeof(double));
  assert_non_null(values);
  for (size_t j = 0; j < ny; j++)
    for (size_t i = 0; i < nx; i++)
      values[j * nx + i] = fields[0].values[j * (size_t)box->stride[0] + i * (size_t)box->stride[1]];
  *bytes = nx * ny * sizeof(double);
  return values;
}

#endif
