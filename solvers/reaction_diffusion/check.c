/* What can be wrong with a reaction-diffusion deck that the key table cannot say; sides are in check_sides.c.
 * Rank 0, no MPI; all errors at once. */
#include "analysis_impl.h"
#include "reaction_diffusion_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Species {
  int n;
  const char *const *name;
} Species;

void ink_species_unknown(const InkDeck *deck, const char *path, const char *given, InkErrors *errors) {
  const char *const *names;
  const int count = ink_deck_fields(deck, &names, NULL);
  const char *near = ink_nearest(given, names, count);
  char list[512];
  ink_names_join(names, count, list, sizeof list);
  if (near)
    ink_deck_error(deck, errors, path, "there is no species '%s'; did you mean '%s'?", given, near);
  else
    ink_deck_error(deck, errors, path, "there is no species '%s'; the species are %s", given, list);
}

/* An error for each name in a section that is no species. */
static void check_names(const InkDeck *deck, const Species *all, const char *section, InkErrors *errors) {
  const InkNode *node = ink_deck_node(deck, "%s", section);
  if (!node || node->kind != INK_MAPPING || all->n == 0) return;
  for (const InkNode *child = node->first; child; child = child->next) {
    char path[192];
    bool known = child->bad;
    for (int s = 0; s < all->n; s++) known = known || strcmp(all->name[s], child->key) == 0;
    if (known) continue;
    snprintf(path, sizeof path, "%s.%s", section, child->key);
    ink_species_unknown(deck, path, child->key, errors);
  }
}

/* ---- species ---- */

static void check_species(const InkDeck *deck, const Species *all, InkErrors *errors) {
  const int given = ink_deck_count(deck, "species");
  if (all->n == 0 && ink_deck_sound(deck, "species") && ink_deck_sound(deck, "kinetics"))
    ink_deck_error(deck, errors, "species",
                   "there are none: give species.NAME with diffusion, reaction and initial, or kinetics with "
                   "the name of a set (`inkdrop list` shows them)");
  if (given > INK_MAX_SPECIES)
    ink_deck_error(deck, errors, "species", "at most %d species, got %d", INK_MAX_SPECIES, given);
  for (int s = 0; s < all->n; s++) {
    char path[128];
    snprintf(path, sizeof path, "species.%s", all->name[s]);
    if (ink_law_key(all->name[s]))
      ink_deck_error(deck, errors, path, "'%s' is a key of the laws at sides; choose another name",
                     all->name[s]);
  }
}

/* Cross-diffusion {u: .., v: ..}: species that exist, and an own coefficient that is not negative. */
static void check_diffusion(const InkDeck *deck, const Species *all, InkErrors *errors) {
  for (int s = 0; s < all->n; s++) {
    char path[128], own[192];
    double value;
    snprintf(path, sizeof path, "species.%s.diffusion", all->name[s]);
    const InkNode *node = ink_deck_node(deck, "%s", path);
    if (!node || node->kind != INK_MAPPING) continue;
    check_names(deck, all, path, errors);
    if (!ink_deck_sound(deck, "%s", path)) continue;
    snprintf(own, sizeof own, "%s.%s", path, all->name[s]);
    const InkExpr *diagonal = ink_deck_expression(deck, "%s", own);
    if (!diagonal)
      ink_deck_error(deck, errors, path, "needs %s, the coefficient of its own gradient", all->name[s]);
    else if (ink_expr_is_number(diagonal, &value) && !(value > 0.0))
      ink_deck_error(
          deck, errors, own,
          "must be greater than 0 beside other coefficients (an immobile species has diffusion: 0), "
          "got %.9g",
          value);
  }
}

/* Numbers only: an eigenvalue of the diffusion matrix with a negative real part lets short waves grow without
 * bound, the shorter the faster. */
static void check_well_posed(const InkDeck *deck, const Species *all, InkErrors *errors) {
  enum { MOST = 12 };
  const int n = all->n;
  if (n == 0 || n > MOST || !ink_deck_sound(deck, "species")) return;
  const InkExpr *const *given = ink_species_diffusion(deck, ink_deck_pool(deck));
  double D[MOST * MOST];
  double complex lambda[MOST];
  for (int e = 0; e < n * n; e++) {
    D[e] = 0.0;
    if (given[e] && !ink_expr_is_number(given[e], &D[e])) return;
  }
  if (!ink_small_eigenvalues(n, D, lambda, NULL, NULL)) return;
  double least = 0.0;
  for (int i = 0; i < n; i++) least = fmin(least, creal(lambda[i]));
  if (least < -1e-12 * ink_small_norm(n, D))
    ink_deck_error(
        deck, errors, "species",
        "the diffusion coefficients of all species as a matrix have the eigenvalue %.6g: with one below 0 "
        "short waves grow without bound; make the cross-diffusion weaker or of the other sign",
        least);
}

/* ---- start and exact solution ---- */

static void check_initial(const InkDeck *deck, const char *name, InkErrors *errors) {
  char path[128];
  const bool outside = ink_deck_has(deck, "initial.%s", name);
  const bool inside = ink_deck_has(deck, "species.%s.initial", name);
  snprintf(path, sizeof path, "species.%s.initial", name);
  if (ink_deck_is_manufactured(deck)) {
    if (inside)
      ink_deck_error(deck, errors, path, "comes from exact when manufactured is true: leave it out");
    snprintf(path, sizeof path, "initial.%s", name);
    if (outside)
      ink_deck_error(deck, errors, path, "comes from exact when manufactured is true: leave it out");
    return;
  }
  if (inside && outside) ink_deck_error(deck, errors, path, "is given twice: initial.%s says it too", name);
  const bool known = ink_deck_sound(deck, "time") && ink_deck_sound(deck, "manufactured") &&
                     ink_deck_sound(deck, "initial") && ink_deck_sound(deck, "species.%s", name);
  if (known && !inside && !outside && !ink_deck_is_steady(deck))
    ink_deck_error(deck, errors, path, "is missing: give the value of %s at time.start", name);
}

static void check_exact(const InkDeck *deck, const char *name, InkErrors *errors) {
  char path[128];
  if (!ink_deck_is_manufactured(deck) || !ink_deck_sound(deck, "exact")) return;
  snprintf(path, sizeof path, "exact.%s", name);
  const InkExpr *exact = ink_deck_expression(deck, "%s", path);
  if (!ink_deck_has(deck, "%s", path))
    ink_deck_error(deck, errors, "manufactured",
                   "needs exact.%s: everything is derived from the exact values", name);
  else if (exact && ink_expr_has_branches(exact))
    ink_deck_error(
        deck, errors, path,
        "must be smooth when manufactured is true: no if, abs, min, max, sign, floor, mod or comparisons");
}

static void check_start(const InkDeck *deck, const Species *all, InkErrors *errors) {
  check_names(deck, all, "initial", errors);
  check_names(deck, all, "exact", errors);
  for (int s = 0; s < all->n; s++) {
    check_initial(deck, all->name[s], errors);
    check_exact(deck, all->name[s], errors);
  }
}

/* ---- velocity ---- */

static void check_velocity(const InkDeck *deck, InkErrors *errors) {
  if (ink_deck_dimension(deck) == 0 || !ink_deck_sound(deck, "mesh")) return;
  for (int i = 0; i < ink_deck_count(deck, "velocity"); i++) {
    const char *axis = ink_deck_name(deck, "velocity", i);
    char path[192];
    if (ink_deck_axis(deck, axis) >= 0) continue;
    snprintf(path, sizeof path, "velocity.%s", axis);
    ink_deck_error(deck, errors, path, "is no axis of the mesh");
  }
}

/* ---- steady problems ---- */

static const uint64_t any_field = ((1ull << INK_MAX_FIELDS) - 1) << INK_VAR_FIELD;

static bool depends_on_fields(const InkExpr *e) { return e && (ink_expr_variables(e) & any_field); }

static void check_steady(const InkDeck *deck, const Species *all, InkErrors *errors) {
  if (!ink_deck_is_steady(deck) || ink_deck_dimension(deck) == 0) return;
  if (!ink_deck_sound(deck, "mesh") || !ink_deck_sound(deck, "boundary") || !ink_deck_sound(deck, "species"))
    return;
  if (ink_deck_has(deck, "time.dt"))
    ink_deck_warning(deck, errors, "time.dt", "is not used when time.method is steady");
  for (int s = 0; s < all->n; s++) {
    const char *name = all->name[s];
    if (depends_on_fields(ink_deck_expression(deck, "species.%s.reaction", name))) continue;
    if (ink_sides_fix_level(deck, name)) continue;
    ink_deck_error(deck, errors, ink_deck_has(deck, "boundary") ? "boundary" : "time.method",
                   "nothing fixes the level of %s, so a steady state is not determined: give a value or "
                   "convection side, or a reaction that depends on it",
                   name);
  }
}

/* A good deck may still have a mesh that cannot show its pattern or front. */
static void check_resolution(const InkDeck *deck, InkErrors *errors) {
  char text[400];
  if (ink_errors_count(errors) == 0 && ink_reaction_mesh_warning(deck, text, sizeof text))
    ink_deck_warning(deck, errors, "mesh", "%s", text);
}

void ink_species_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  Species all;
  all.n = ink_deck_fields(deck, &all.name, NULL);
  ink_mesh_check(deck, ranks, errors);
  check_species(deck, &all, errors);
  check_diffusion(deck, &all, errors);
  check_well_posed(deck, &all, errors);
  check_velocity(deck, errors);
  ink_species_check_sides(deck, errors);
  check_start(deck, &all, errors);
  check_steady(deck, &all, errors);
  if (all.n > 0) ink_probes_check(deck, errors);
  check_resolution(deck, errors);
}
