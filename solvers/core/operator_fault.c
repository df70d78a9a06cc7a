/* What makes the equation undefined: the first coefficient that is negative where it must not be or not
 * finite, in words that name field, coefficient, value, cell and place; or the first side whose law has no
 * solution. */
#include "operator_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where a fault is. */
typedef struct Spot {
  bool found;
  int64_t index[3]; /* global cell */
  double value;
} Spot;

static double global_number(const InkMesh *mesh, const int64_t at[3]) {
  return (double)((mesh->start[0] + at[0]) +
                  mesh->axis[0].cells *
                      ((mesh->start[1] + at[1]) + mesh->axis[1].cells * (mesh->start[2] + at[2])));
}

/* Takes the spot of the lowest global cell of all ranks. cell: this rank's, or INFINITY. The value travels as
 * bits, so that a NaN arrives as it is. */
static PetscErrorCode agree(const InkMesh *mesh, double cell, double value, Spot *spot) {
  PetscFunctionBeginUser;
  double first = cell;
  uint64_t bits = 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE, MPI_MIN, mesh->comm));
  *spot = (Spot){.found = isfinite(first)};
  if (!spot->found) PetscFunctionReturn(0);
  if (cell == first) memcpy(&bits, &value, sizeof bits);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bits, 1, MPI_UINT64_T, MPI_MAX, mesh->comm));
  memcpy(&spot->value, &bits, sizeof bits);
  int64_t rest = (int64_t)first;
  for (int a = 0; a < 3; a++) {
    spot->index[a] = rest % mesh->axis[a].cells;
    rest /= mesh->axis[a].cells;
  }
  PetscFunctionReturn(0);
}

static bool fields_are_finite(const InkDiffusion *diffusion, const double *u, int64_t cell) {
  for (int f = 0; f < diffusion->n; f++)
    if (!isfinite(u[f * diffusion->mesh->size + cell])) return false;
  return true;
}

static bool is_good(InkSign sign, double scale, double value) {
  if (!isfinite(value)) return false;
  if (sign == INK_POSITIVE) return value > 0.0;
  return sign == INK_ANY_SIGN || value >= -0.01 * scale;
}

/* Looks at diffusion->work, where all fields are finite. */
static PetscErrorCode look(const InkDiffusion *diffusion, InkSign sign, double scale, const double *u,
                           Spot *spot) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  double cell = INFINITY, value = 0.0;
  for (InkPart part = ink_part_first(mesh); part.n > 0 && !isfinite(cell); ink_part_next(mesh, &part))
    for (int64_t i = 0; i < part.n && !isfinite(cell); i++) {
      const double here = diffusion->work[part.cell + i];
      if (is_good(sign, scale, here) || !fields_are_finite(diffusion, u, part.cell + i)) continue;
      value = here;
      cell = global_number(mesh, (const int64_t[3]){part.at[0] + i, part.at[1], part.at[2]});
    }
  PetscCall(agree(mesh, cell, value, spot));
  PetscFunctionReturn(0);
}

static PetscErrorCode look_at(InkDiffusion *diffusion, const InkProgram *program, InkSign sign, double scale,
                              double t, const double *u, Spot *spot) {
  PetscFunctionBeginUser;
  double *const out[1] = {diffusion->work};
  ink_operator_evaluate(diffusion, program, t, u, out);
  PetscCall(look(diffusion, sign, scale, u, spot));
  PetscFunctionReturn(0);
}

/* "what is -0.3 in cell (3, 4) at x = .., y = .." */
static void say(const InkMesh *mesh, const Spot *spot, const char *what, char *text, size_t size) {
  double at[3];
  char place[160];
  for (int a = 0; a < 3; a++) at[a] = a < mesh->dim ? mesh->axis[a].centroid[spot->index[a]] : 0.0;
  ink_mesh_place(mesh, spot->index, at, place, sizeof place);
  if (isnan(spot->value)) /* without a sign */
    (void)snprintf(text, size, "%s is nan in %s", what, place);
  else
    (void)snprintf(text, size, "%s is %.9g in %s", what, spot->value, place);
}

static PetscErrorCode look_at_coefficient(InkDiffusion *diffusion, const InkCoefficient *coefficient,
                                          double t, const double *u, const char *what, char *text,
                                          size_t size) {
  PetscFunctionBeginUser;
  Spot spot;
  if (!coefficient->given) PetscFunctionReturn(0);
  PetscCall(look_at(diffusion, coefficient->value, coefficient->sign, coefficient->scale, t, u, &spot));
  if (spot.found) say(diffusion->mesh, &spot, what, text, size);
  PetscFunctionReturn(0);
}

static PetscErrorCode look_at_field(InkDiffusion *diffusion, int s, double t, const double *u, char *text,
                                    size_t size) {
  PetscFunctionBeginUser;
  const InkOperatorField *field = &diffusion->field[s];
  const char *name = diffusion->name[s];
  char what[256];
  (void)snprintf(what, sizeof what,
                 diffusion->n == 1 && field->c.given ? "diffusion coefficient (conductivity) of %s"
                                                     : "diffusion of %s",
                 name);
  PetscCall(look_at_coefficient(diffusion, &field->k, t, u, what, text, size));
  for (int c = 0; c < field->crosses && !text[0]; c++) {
    (void)snprintf(what, sizeof what, "diffusion of %s by %s", name, diffusion->name[field->cross[c].of]);
    PetscCall(look_at_coefficient(diffusion, &field->cross[c].k, t, u, what, text, size));
  }
  if (text[0]) PetscFunctionReturn(0);
  (void)snprintf(what, sizeof what, "capacity of %s", name);
  PetscCall(look_at_coefficient(diffusion, &field->c, t, u, what, text, size));
  PetscFunctionReturn(0);
}

static PetscErrorCode look_at_velocity(InkDiffusion *diffusion, double t, const double *u, char *text,
                                       size_t size) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  for (int a = 0; a < mesh->dim && !text[0]; a++) {
    Spot spot;
    char what[32];
    if (!diffusion->velocity.program[a]) continue;
    PetscCall(look_at(diffusion, diffusion->velocity.program[a], INK_ANY_SIGN, 0.0, t, u, &spot));
    (void)snprintf(what, sizeof what, "velocity.%s", mesh->axis[a].name);
    if (spot.found) say(mesh, &spot, what, text, size);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode look_at_reaction(InkDiffusion *diffusion, int s, double t, const double *u, char *text,
                                       size_t size) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  Spot spot;
  char what[256];
  if (!diffusion->reactions.given[s]) PetscFunctionReturn(0);
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    ink_reactions_part(diffusion, t, u, &part);
    memcpy(diffusion->work + part.cell, diffusion->reactions.now[s], (size_t)part.n * sizeof(double));
  }
  PetscCall(look(diffusion, INK_ANY_SIGN, 0.0, u, &spot));
  const char *alone = diffusion->field[s].c.given ? "source" : "source (reaction)";
  (void)snprintf(what, sizeof what, "%s of %s", diffusion->n == 1 ? alone : "reaction", diffusion->name[s]);
  if (spot.found) say(mesh, &spot, what, text, size);
  PetscFunctionReturn(0);
}

static PetscErrorCode look_at_side(InkDiffusion *diffusion, int side, double t, const double *u, char *text,
                                   size_t size) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = diffusion->mesh;
  InkClosure *closure = diffusion->closure[side];
  if (!closure) PetscFunctionReturn(0);
  ink_closure_evaluate(closure, t, u);
  for (int s = 0; s < diffusion->n && !text[0]; s++) {
    double cell = INFINITY;
    Spot spot;
    for (int64_t i = 0; i < closure->count && !isfinite(cell); i++) {
      const int64_t offset = closure->cell[i] - mesh->origin;
      const int64_t plane = mesh->dim > 2 ? offset / mesh->stride[2] : 0;
      const int64_t rest = offset - plane * mesh->stride[2], row = mesh->dim > 1 ? rest / mesh->stride[1] : 0;
      const int64_t at[3] = {rest - row * mesh->stride[1], row, plane};
      if (isfinite(closure->inflow[s * closure->count + i]) ||
          !fields_are_finite(diffusion, u, closure->cell[i]))
        continue;
      cell = global_number(mesh, at);
    }
    PetscCall(agree(mesh, cell, NAN, &spot));
    if (!spot.found) continue;
    double at[3];
    char place[160];
    for (int a = 0; a < 3; a++) at[a] = a < mesh->dim ? mesh->axis[a].centroid[spot.index[a]] : 0.0;
    ink_mesh_place(mesh, spot.index, at, place, sizeof place);
    (void)snprintf(text, size, "side %s: the law of %s has no solution at %s", ink_side_name(mesh, side),
                   diffusion->name[s], place);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_operator_fault(void *context, double t, double *u, char *text, size_t size) {
  PetscFunctionBeginUser;
  InkDiffusion *diffusion = context;
  text[0] = '\0';
  PetscCall(ink_operator_need(diffusion->mesh, diffusion->n, &diffusion->work));
  PetscCall(ink_reactions_prepare(diffusion));
  for (int s = 0; s < diffusion->n && !text[0]; s++) PetscCall(look_at_field(diffusion, s, t, u, text, size));
  if (!text[0]) PetscCall(look_at_velocity(diffusion, t, u, text, size));
  for (int s = 0; s < diffusion->n && !text[0]; s++)
    PetscCall(look_at_reaction(diffusion, s, t, u, text, size));
  for (int side = 0; side < INK_SIDES && !text[0]; side++)
    PetscCall(look_at_side(diffusion, side, t, u, text, size));
  PetscFunctionReturn(0);
}
