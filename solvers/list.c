/* The verbs list and describe: what the program knows, printed. */
#include "list.h"
#include "solver.h"

#include <string.h>

/* What can be asked of a process, where a solver has several equations for it. */
static void list_equations(const InkSolverType *solver, FILE *stream) {
  const InkKey *equation = ink_key_find(&solver->schema, "equation", NULL);
  if (!equation || !equation->choices) return;
  fprintf(stream, "  %-20s equations:", "");
  for (const char *p = equation->choices; *p; p += strcspn(p, "|"), p += *p == '|')
    fprintf(stream, " %.*s", (int)strcspn(p, "|"), p);
  fprintf(stream, "\n");
}

InkExit ink_list(FILE *stream) {
  fprintf(stream, "solvers (solver: NAME), with their methods (time.method):\n");
  for (int s = 0; ink_solvers[s]; s++) {
    fprintf(stream, "  %-20s %s\n  %-20s methods:", ink_solvers[s]->name, ink_solvers[s]->summary, "");
    for (const char *const *m = ink_solvers[s]->methods; m && *m; m++) fprintf(stream, " %s", *m);
    fprintf(stream, "\n");
    list_equations(ink_solvers[s], stream);
    if (ink_solvers[s]->list) ink_solvers[s]->list(stream);
  }
  fprintf(stream, "`inkdrop describe SOLVER` prints every key of a solver's deck.\n");
  return INK_DONE;
}

static bool describe_one(const InkOptions *options, const InkSolverType *solver, const char *filter,
                         FILE *stream) {
  if (options->json_schema) return ink_describe_json_schema(&solver->schema, solver->name, stream);
  if (options->json) return ink_describe_json(&solver->schema, solver->name, filter, stream);
  return ink_describe(&solver->schema, solver->name, filter, stream);
}

InkExit ink_describe_verb(const InkOptions *options, FILE *stream) {
  if (options->arguments == 0) {
    for (int s = 0; ink_solvers[s]; s++) describe_one(options, ink_solvers[s], NULL, stream);
    return INK_DONE;
  }
  char name[256];
  snprintf(name, sizeof name, "%s", options->argument[0]);
  char *filter = strchr(name, '.');
  if (filter) *filter++ = '\0';
  const InkSolverType *solver = ink_solver_find(name);
  if (!solver) {
    fprintf(stderr, "inkdrop: unknown solver '%s'; the solvers are:", name);
    for (int s = 0; ink_solvers[s]; s++) fprintf(stderr, " %s", ink_solvers[s]->name);
    fprintf(stderr, "\n");
    return INK_USAGE;
  }
  if (describe_one(options, solver, filter && *filter ? filter : NULL, stream)) return INK_DONE;
  fprintf(stderr, "inkdrop: %s has no key '%s'; `inkdrop describe %s` prints them all\n", name,
          filter ? filter : "", name);
  return INK_USAGE;
}
