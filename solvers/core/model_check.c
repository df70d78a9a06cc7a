/* What can be wrong with a model that the key table cannot say. Rank 0, no MPI; all errors at once. */
#include <math.h>
#include <string.h>
#include "model.h"

typedef struct Checking {
  const InkDeck *deck;
  InkErrors *errors;
  const InkDomainAxis *axis;
  InkProcess process; /* names and dim only */
} Checking;

/* An error for a name that is no state variable. */
static void unknown_state(const Checking *c, const char *path, const char *name) {
  const char *near = ink_nearest(name, c->process.name, c->process.dim);
  char list[256];
  ink_names_join(c->process.name, c->process.dim, list, sizeof list);
  if (near)
    ink_deck_error(c->deck, c->errors, path, "there is no state variable '%s'; did you mean '%s'?", name,
                   near);
  else
    ink_deck_error(c->deck, c->errors, path, "there is no state variable '%s'; they are %s", name, list);
}

static bool is_state(const Checking *c, const char *name) {
  for (int i = 0; i < c->process.dim; i++)
    if (strcmp(c->process.name[i], name) == 0) return true;
  return false;
}

static void check_states(const Checking *c) {
  const int given = ink_deck_count(c->deck, "model.state");
  if (given == 0 && ink_deck_has(c->deck, "model.state") && ink_deck_sound(c->deck, "model.state"))
    ink_deck_error(c->deck, c->errors, "model.state",
                   "there are none: give a name with from, to and cells, such as x: {from: -3, to: 3, cells: "
                   "200}");
}

/* Keys of a section that must be state variables. */
static void check_names(const Checking *c, const char *section) {
  for (int i = 0; i < ink_deck_count(c->deck, "%s", section); i++) {
    const char *name = ink_deck_name(c->deck, section, i);
    char path[192];
    snprintf(path, sizeof path, "%s.%s", section, name);
    if (!is_state(c, name) && ink_deck_sound(c->deck, "%s", path)) unknown_state(c, path, name);
  }
}

/* ---- diffusion ---- */

static bool graded(const Checking *c, int axis) {
  const InkNode *grading = ink_deck_node(c->deck, "%s.grading", c->axis[axis].section);
  return grading && grading->kind == INK_SCALAR && grading->number != 1.0;
}

static void check_coupled(const Checking *c, const char *path, int i, int j) {
  for (int k = 0; k < 2; k++) {
    const int axis = k ? j : i;
    if (!graded(c, axis)) continue;
    ink_deck_error(c->deck, c->errors, path,
                   "couples %s and %s: cross-diffusion needs equal cells, leave out %s.grading",
                   c->process.name[i], c->process.name[j], c->axis[axis].section);
    return;
  }
}

static void check_entries(const Checking *c) {
  const char *by[3][3] = {{NULL}};
  for (int e = 0; e < ink_deck_count(c->deck, "model.diffusion"); e++) {
    const char *name = ink_deck_name(c->deck, "model.diffusion", e);
    char path[192];
    int i, j;
    snprintf(path, sizeof path, "model.diffusion.%s", name);
    if (!ink_deck_sound(c->deck, "%s", path)) continue;
    if (!ink_model_entry(&c->process, name, &i, &j)) {
      char list[256];
      ink_names_join(c->process.name, c->process.dim, list, sizeof list);
      ink_deck_error(c->deck, c->errors, path,
                     "is neither a state variable nor the names of two one after the other; they are %s",
                     list);
      continue;
    }
    if (by[i][j])
      ink_deck_error(c->deck, c->errors, path, "is given twice: model.diffusion.%s is the same entry of D",
                     by[i][j]);
    by[i][j] = by[j][i] = name;
    if (i != j) check_coupled(c, path, i, j);
  }
}

/* Are all principal minors of the correlations >= 0? Numbers only; else true. */
static bool positive(const InkModel *model) {
  const double slack = 1e-12;
  const int n = model->process.dim;
  double D[3][3] = {{0}}, r[3][3] = {{0}};
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      const InkExpr *e = model->process.diffusion[i][j];
      if (e && !ink_expr_is_number(e, &D[i][j])) return true;
    }
  for (int i = 0; i < n; i++)
    if (!(D[i][i] >= 0.0)) return false;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      if (i == j || D[i][j] == 0.0) continue;
      r[i][j] = D[i][j] / sqrt(D[i][i]) / sqrt(D[j][j]);
      if (!(fabs(r[i][j]) <= 1.0 + slack)) return false;
    }
  return 1.0 + 2.0 * r[0][1] * r[1][2] * r[0][2] - r[0][1] * r[0][1] - r[1][2] * r[1][2] -
             r[0][2] * r[0][2] >=
         -slack;
}

static void check_diffusion(const Checking *c, const InkModel *model) {
  const bool diffusion = ink_deck_has(c->deck, "model.diffusion"),
             noise = ink_deck_has(c->deck, "model.noise");
  if (!ink_deck_sound(c->deck, "model.diffusion") || !ink_deck_sound(c->deck, "model.noise")) return;
  if (diffusion && noise)
    ink_deck_error(c->deck, c->errors, "model.noise",
                   "contradicts model.diffusion: give D or the noises, D = B B^T/2");
  if (!diffusion && !noise)
    ink_deck_error(c->deck, c->errors, "model", "diffusion is missing: give model.diffusion or model.noise");
  if (model->stratonovich && !noise)
    ink_deck_error(c->deck, c->errors, "model.interpretation",
                   "stratonovich needs model.noise: D alone does not say which noise acts where");
  if (diffusion && !noise && !positive(model))
    ink_deck_error(c->deck, c->errors, "model.diffusion",
                   "is not positive semi-definite: no process diffuses so; variances must be at least 0, and "
                   "the square of a mixed entry at most the product of its two variances");
}

static void check_noise(const Checking *c, const InkModel *model) {
  check_names(c, "model.noise");
  int most = 0;
  for (int i = 0; i < c->process.dim; i++) most += ink_deck_count(c->deck, "model.noise.%s", c->axis[i].name);
  if (most > INK_MAX_NOISES && model->noises == INK_MAX_NOISES)
    ink_deck_error(c->deck, c->errors, "model.noise", "has more than %d different noises", INK_MAX_NOISES);
  for (int i = 0; i < c->process.dim && model->noises > 0; i++)
    for (int j = 0; j < i; j++)
      if (model->process.diffusion[i][j]) check_coupled(c, "model.noise", i, j);
}

/* ---- sides ---- */

static void check_sides(const Checking *c) {
  const char *names[INK_SIDES];
  char list[256];
  ink_deck_sides(c->deck, names);
  ink_names_join(names, INK_SIDES, list, sizeof list);
  for (int s = 0; s < ink_deck_count(c->deck, "model.boundary"); s++) {
    const char *given = ink_deck_name(c->deck, "model.boundary", s);
    char path[192];
    bool known = false;
    for (int side = 0; side < INK_SIDES; side++) known = known || strcmp(names[side], given) == 0;
    if (known) continue;
    snprintf(path, sizeof path, "model.boundary.%s", given);
    const char *near = ink_nearest(given, names, 2 * c->process.dim);
    ink_deck_error(c->deck, c->errors, path, "is no side of this domain%s%s%s; its sides are %s",
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list);
  }
}

/* ---- initial ---- */

static void check_point(const Checking *c) {
  const InkNode *point = ink_deck_node(c->deck, "initial.point");
  if (!point || !ink_deck_sound(c->deck, "initial.point") || point->kind != INK_SEQUENCE) return;
  if (point->count != c->process.dim) {
    ink_deck_error(c->deck, c->errors, "initial.point", "needs %d number%s, one a state variable; got %d",
                   c->process.dim, c->process.dim == 1 ? "" : "s", point->count);
    return;
  }
  for (int i = 0; i < c->process.dim; i++) {
    const InkNode *item = ink_tree_item(point, i),
                  *from = ink_deck_node(c->deck, "%s.from", c->axis[i].section),
                  *to = ink_deck_node(c->deck, "%s.to", c->axis[i].section);
    if (!from || !to || !ink_deck_sound(c->deck, "%s", c->axis[i].section)) continue;
    if (!(from->number < to->number)) continue; /* the domain's own check says so */
    if (!(item->number >= from->number && item->number <= to->number))
      ink_deck_error(c->deck, c->errors, "initial.point",
                     "is outside the domain: %s = %.9g is not between %.9g and %.9g", c->axis[i].name,
                     item->number, from->number, to->number);
  }
}

/* Of a law that is a number; others are looked at in the cells. */
static void check_law(const Checking *c) {
  const InkExpr *law =
      ink_deck_sound(c->deck, "initial.density") ? ink_deck_expression(c->deck, "initial.density") : NULL;
  double value;
  if (law && ink_expr_is_number(law, &value) && !(value > 0.0))
    ink_deck_error(c->deck, c->errors, "initial.density",
                   "must be positive somewhere, so that there is a law to normalise; got %.9g", value);
}

static void check_initial(const Checking *c) {
  const bool point = ink_deck_has(c->deck, "initial.point"), law = ink_deck_has(c->deck, "initial.density");
  if (!ink_deck_sound(c->deck, "initial")) return;
  if (point && law)
    ink_deck_error(c->deck, c->errors, "initial.density", "contradicts initial.point: give one of the two");
  if (!point && !law)
    ink_deck_error(c->deck, c->errors, "initial",
                   "is missing: give initial.point, where all paths start, or initial.density");
  check_point(c);
  check_law(c);
}

void ink_model_check(const InkDeck *deck, int ranks, bool needs_initial, InkErrors *errors) {
  Checking c = {.deck = deck, .errors = errors};
  InkModel model;
  ink_mesh_check(deck, ranks, errors);
  ink_model_read(deck, ink_deck_pool(deck), &model);
  c.process = model.process;
  if (ink_deck_state(deck, &c.axis) < 0) return;
  check_states(&c);
  if (c.process.dim == 0) return;
  check_names(&c, "model.drift");
  check_entries(&c);
  check_noise(&c, &model);
  check_diffusion(&c, &model);
  check_sides(&c);
  if (needs_initial) check_initial(&c);
}
