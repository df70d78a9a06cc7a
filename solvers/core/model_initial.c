/* The density a run begins with. See model.h. */
#include <math.h>
#include "model.h"
#include "observe.h"

/* Where a point lies among the centroids of an axis: between cells low and high, a part `weight` of the way.
 */
typedef struct Between {
  int64_t low, high;
  double weight;
} Between;

static Between locate(const InkAxis *axis, double at) {
  const int64_t n = axis->cells;
  const double *c = axis->centroid;
  if (at < c[0] || at >= c[n - 1]) {
    if (!axis->periodic) return at < c[0] ? (Between){0, 0, 0.0} : (Between){n - 1, n - 1, 0.0};
    const double length = axis->to - axis->from, gap = c[0] + length - c[n - 1];
    return (Between){n - 1, 0, (at < c[0] ? at + length - c[n - 1] : at - c[n - 1]) / gap};
  }
  int64_t low = 0, high = n - 1; /* c[low] <= at < c[high] */
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (c[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  return (Between){low, high, (at - c[low]) / (c[high] - c[low])};
}

/* Unit mass at a point, in the two nearest cells of each axis: the mean is that of the point. */
static void set_point(const InkMesh *mesh, const double *at, int n, double *p) {
  Between place[3] = {{0, 0, 0.0}, {0, 0, 0.0}, {0, 0, 0.0}};
  for (int a = 0; a < mesh->dim && a < n; a++) place[a] = locate(&mesh->axis[a], at[a]);
  for (int corner = 0; corner < 8; corner++) {
    int64_t cell[3];
    double mass = 1.0;
    bool own = true;
    for (int a = 0; a < 3; a++) {
      const bool high = corner >> a & 1;
      mass *= high ? place[a].weight : 1.0 - place[a].weight;
      cell[a] = (high ? place[a].high : place[a].low) - mesh->start[a];
      own = own && cell[a] >= 0 && cell[a] < mesh->count[a];
    }
    if (own && mass > 0.0)
      p[mesh->origin + cell[0] + cell[1] * mesh->stride[1] + cell[2] * mesh->stride[2]] +=
          mass / ink_mesh_volume(mesh, cell[0], cell[1], cell[2]);
  }
}

static PetscErrorCode check_law(const InkFieldView *view, InkFailure *failure) {
  PetscFunctionBeginUser;
  int64_t index[3];
  double at[3], value, minimum, maximum;
  PetscBool found;
  char place[160];
  PetscCall(ink_observe_not_finite(view, &found, index, at, &value));
  if (found) {
    ink_mesh_place(view->mesh, index, at, place, sizeof place);
    ink_fail(failure, INK_NUMERICAL, "initial.density is not finite (%s) in %s; mend the expression",
             isnan(value) ? "nan" : "infinite", place);
    PetscFunctionReturn(0);
  }
  PetscCall(ink_observe_range(view, &minimum, &maximum));
  if (minimum < 0.0)
    ink_fail(failure, INK_NUMERICAL, "initial.density goes down to %.9g: a density is at least 0", minimum);
  else if (!(maximum > 0.0))
    ink_fail(
        failure, INK_NUMERICAL,
        "initial.density is 0 in all cells: there is nothing to normalise (is it narrower than a cell?)");
  PetscFunctionReturn(0);
}

static PetscErrorCode set_law(const InkDeck *deck, const InkMesh *mesh, double *p, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkExpr *law = ink_deck_expression(deck, "initial.density");
  const InkFieldView view = {.mesh = mesh, .values = p};
  char message[256] = "";
  double total;
  InkProgram *program = ink_program_create(1, &law, INK_ROW_UNIFORM, message, sizeof message);
  if (!program) ink_fail(failure, INK_USAGE, "initial.density: %s", message);
  if (!program) PetscFunctionReturn(0);
  double *out[1] = {p};
  PetscCall(ink_mesh_evaluate(mesh, program, ink_deck_number(deck, "time.start"), 0, NULL, out));
  ink_program_destroy(&program);
  PetscCall(check_law(&view, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_observe_integral(&view, &total));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      double *row = p + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = 0; i < mesh->count[0]; i++) row[i] /= total;
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_model_initial(const InkDeck *deck, const InkMesh *mesh, double *p, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double *at;
  const int n = ink_deck_numbers(deck, &at, "initial.point");
  if (n > 0)
    set_point(mesh, at, n, p);
  else
    PetscCall(set_law(deck, mesh, p, failure));
  PetscFunctionReturn(0);
}
