/* Which fields cannot become negative: concentrations and populations yes, voltages and activators that are
 * driven through zero no, and nothing that starts, or is fed, below zero. The same on any rank count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../solvers/core/nonnegative.h"

enum { FIELDS = 3 };

typedef struct Case {
  int n;
  const char *source[FIELDS];
  double start[FIELDS];
  const char *cross; /* k_01 */
  InkSideType type;  /* of field 0 at x_max */
  const char *side;
  bool expected[FIELDS];
} Case;

static const Case cases[] = {
    {1, {"u*(1 - u)"}, {0}, NULL, INK_SIDE_CLOSED, NULL, {true}},
    {1, {"u*(1 - u)"}, {-1e-9}, NULL, INK_SIDE_CLOSED, NULL, {false}},
    {1, {"-u"}, {1}, NULL, INK_SIDE_VALUE, "0.5 + 0.5*sin(t)", {true}},
    {1, {"-u"}, {1}, NULL, INK_SIDE_VALUE, "sin(t)", {false}},
    {1, {"-u"}, {1}, NULL, INK_SIDE_FLUX, "-3*u", {true}},
    {1, {"-u"}, {1}, NULL, INK_SIDE_FLUX, "-3*(u + 1)", {false}},
    {1, {"-1"}, {1}, NULL, INK_SIDE_CLOSED, NULL, {false}},          /* does not depend on a field */
    {1, {"x - 0.7 - u"}, {1}, NULL, INK_SIDE_CLOSED, NULL, {false}}, /* a sink at some places */
    {1, {NULL}, {1}, NULL, INK_SIDE_CLOSED, NULL, {false}},          /* nothing that could grow */
    /* Gray and Scott; a third species that u is turned into */
    {3,
     {"-u*v^2 + 0.04*(1 - u)", "u*v^2 - 0.1*v", "u - w"},
     {1, 0, 0},
     NULL,
     INK_SIDE_CLOSED,
     NULL,
     {true, true, true}},
    {2, {"-u*v", "u*v"}, {1, 1}, "0.1", INK_SIDE_CLOSED, NULL, {false, true}}, /* cross-diffusion */
    /* FitzHugh and Nagumo: v at rest says nothing of where u may go */
    {2, {"u - u^3 - v", "u - v"}, {0, 0}, NULL, INK_SIDE_CLOSED, NULL, {false, true}},
    /* a membrane potential with a gate */
    {2,
     {"-36*v*(u + 12) + 0.3*(10 - u)", "0.1*(1 - v) - 0.2*v"},
     {0, 0.3},
     NULL,
     INK_SIDE_CLOSED,
     NULL,
     {false, true}},
    {2, {"0/0*v*u", "v*0"}, {1, 1}, NULL, INK_SIDE_CLOSED, NULL, {false, true}}, /* NaN is no promise */
};

static const InkExpr *parse(InkPool *pool, const char *text) {
  struct InkSymbol symbols[] = {{.name = "x", .variable = INK_VAR_X},
                                {.name = "t", .variable = INK_VAR_T},
                                {.name = "u", .variable = INK_VAR_FIELD},
                                {.name = "v", .variable = INK_VAR_FIELD + 1},
                                {.name = "w", .variable = INK_VAR_FIELD + 2}};
  const InkScope scope = {.symbol = symbols, .count = 5};
  char message[256];
  const InkExpr *e = text ? ink_expr_parse(pool, text, &scope, message, sizeof message) : NULL;
  assert_true(e || !text);
  return e;
}

static void check(const InkMesh *mesh, const Case *c) {
  InkPool *pool = ink_pool_create();
  const InkExpr *source[FIELDS], *k[FIELDS * FIELDS] = {NULL};
  const InkExpr *where[1] = {NULL};
  const InkSideData data = {.type = c->type, .value = parse(pool, c->side)};
  InkSideParts side[FIELDS] = {{.count = c->side != NULL, .where = where, .data = &data}};
  InkDiffusionSpec equation = {.n = c->n, .conductivity = k, .source = source, .side = {[1] = side}};
  bool nonnegative[FIELDS];
  double *u;
  assert_int_equal(ink_mesh_fields(mesh, c->n, &u), 0);
  for (int f = 0; f < c->n; f++) {
    source[f] = parse(pool, c->source[f]);
    k[f * c->n + f] = parse(pool, "1");
    for (int64_t i = 0; i < mesh->count[0]; i++) u[f * mesh->size + mesh->origin + i] = c->start[f];
  }
  if (c->cross) k[1] = parse(pool, c->cross);
  assert_int_equal(ink_nonnegative_fields(mesh, &equation, 0, 10, u, nonnegative), 0);
  for (int f = 0; f < c->n; f++)
    if (nonnegative[f] != c->expected[f]) fail_msg("field %d of '%s'", f, c->source[0]);
  ink_mesh_free(&u);
  ink_pool_destroy(&pool);
}

static void concentrations_but_not_voltages(void **state) {
  (void)state;
  InkAxisSpec spec = {.from = 0, .to = 1, .cells = 9};
  InkFailure failure = {0};
  InkMesh *mesh;
  assert_int_equal(ink_mesh_build(PETSC_COMM_WORLD, &spec, 1, INK_CARTESIAN, &mesh, &failure), 0);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) check(mesh, &cases[c]);
  assert_int_equal(ink_mesh_destroy(&mesh), 0);
}

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(concentrations_but_not_voltages)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
