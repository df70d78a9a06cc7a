/* The equations inkdrop knows: one line each. */
#include "solver.h"
#include "fokker_planck/fokker_planck.h"
#include "heat/heat.h"
#include "particles/particles.h"
#include "population/population.h"
#include "reaction_diffusion/reaction_diffusion.h"

#include <string.h>

/* A line an equation: its `solver:` name, which is also that of its InkSolverType ink_NAME. */
#define EQUATIONS(LINE)                                                                                      \
  LINE(heat) LINE(reaction_diffusion) LINE(fokker_planck) LINE(population) LINE(particles)

#define TYPE(name) &ink_##name,
#define NAME(name) #name,

const InkSolverType *const ink_solvers[] = {EQUATIONS(TYPE) NULL};
static const char *const names[] = {EQUATIONS(NAME) NULL};

const InkSolverType *ink_solver_find(const char *name) {
  for (int s = 0; ink_solvers[s]; s++)
    if (strcmp(ink_solvers[s]->name, name) == 0) return ink_solvers[s];
  return NULL;
}

static const InkSchema *find_schema(const char *solver) {
  const InkSolverType *type = ink_solver_find(solver);
  return type ? &type->schema : NULL;
}

const InkSchemas ink_schemas = {find_schema, names};
