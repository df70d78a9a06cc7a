/* What can be wrong with a particle deck that the key table cannot say. Rank 0, no MPI; all errors at once.
 */
#include <math.h>
#include <string.h>
#include "../core/observe.h"
#include "particles_impl.h"

typedef struct Domain {
  int dim;
  double from[3], to[3];
} Domain;

/* The box of the state variables. False when the deck's own checks have an error there. */
static bool domain_of(const InkDeck *deck, Domain *domain) {
  const InkDomainAxis *axis;
  domain->dim = ink_deck_state(deck, &axis);
  if (domain->dim < 1 || !ink_deck_sound(deck, "model.state")) return false;
  for (int a = 0; a < domain->dim; a++) {
    domain->from[a] = ink_deck_number(deck, "%s.from", axis[a].section);
    domain->to[a] = ink_deck_number(deck, "%s.to", axis[a].section);
    if (!(domain->from[a] < domain->to[a])) return false;
  }
  return true;
}

static bool has_law(const InkDeck *deck) {
  return ink_deck_has(deck, "initial.point") || ink_deck_has(deck, "initial.density");
}

static void check_direction(const InkDeck *deck, InkErrors *errors) {
  if (!ink_deck_sound(deck, "direction") || !ink_deck_is_reverse(deck)) return;
  if (ink_deck_sound(deck, "particles.scheme") && ink_deck_scheme(deck) != INK_JUMP)
    ink_deck_error(deck, errors, "particles.scheme",
                   "must be jump when direction is reverse: the reversed process is that of the chain on the "
                   "cells");
  if (!has_law(deck) && ink_deck_sound(deck, "initial"))
    ink_deck_error(deck, errors, "direction",
                   "reverse needs the density that is gone back: give initial.density or initial.point, the "
                   "law at time.start");
  if (ink_deck_count(deck, "particles.absorbing") > 0)
    ink_deck_error(deck, errors, "particles.absorbing",
                   "is of paths: a chain is absorbed at sides of the domain only");
}

/* A place for all particles. */
static void check_start_point(const InkDeck *deck, const Domain *domain, InkErrors *errors) {
  const InkDomainAxis *axis;
  const double *at;
  if (!ink_deck_has(deck, "particles.start.point") || !ink_deck_sound(deck, "particles.start.point")) return;
  const int n = ink_deck_numbers(deck, &at, "particles.start.point");
  ink_deck_state(deck, &axis);
  if (n != domain->dim) {
    ink_deck_error(deck, errors, "particles.start.point", "needs %d number%s, one a state variable; got %d",
                   domain->dim, domain->dim == 1 ? "" : "s", n);
    return;
  }
  for (int a = 0; a < n; a++)
    if (!(at[a] >= domain->from[a] && at[a] <= domain->to[a]))
      ink_deck_error(deck, errors, "particles.start.point",
                     "is outside the domain: %s = %.9g is not between %.9g and %.9g", axis[a].name, at[a],
                     domain->from[a], domain->to[a]);
}

static void check_start(const InkDeck *deck, const Domain *domain, InkErrors *errors) {
  const bool point = ink_deck_has(deck, "particles.start.point"),
             file = ink_deck_has(deck, "particles.start.file");
  if (!ink_deck_has(deck, "particles.start") || !ink_deck_sound(deck, "particles.start")) return;
  if (point && file)
    ink_deck_error(deck, errors, "particles.start.file",
                   "contradicts particles.start.point: give one of the two");
  if (!point && !file)
    ink_deck_error(deck, errors, "particles.start", "is empty: give particles.start.point or .file");
  check_start_point(deck, domain, errors);
}

/* At a point where all paths start, a surface must not have absorbed them. */
static void check_regions(const InkDeck *deck, const Domain *domain, InkErrors *errors) {
  const int count = ink_deck_count(deck, "particles.absorbing");
  const double *at;
  if (!ink_deck_sound(deck, "particles.absorbing")) return;
  if (count > INK_MAX_REGIONS)
    ink_deck_error(deck, errors, "particles.absorbing", "has more than %d surfaces", INK_MAX_REGIONS);
  if (count > 0 && ink_deck_scheme(deck) == INK_JUMP && !ink_deck_is_reverse(deck))
    ink_deck_error(deck, errors, "particles.absorbing",
                   "is of paths: with scheme: jump particles are absorbed at sides of the domain only");
  for (int r = 0; r < count; r++) {
    const char *name = ink_deck_name(deck, "particles.absorbing", r);
    char path[192];
    double variable[INK_VARS] = {0};
    snprintf(path, sizeof path, "particles.absorbing.%s", name);
    if (ink_deck_fate(deck, name) < INK_SIDES)
      ink_deck_error(deck, errors, path, "is the name of a side; take another");
    const int n = ink_deck_numbers(deck, &at, "initial.point");
    const InkExpr *surface = ink_deck_expression(deck, "%s", path);
    if (n != domain->dim || !surface || !ink_deck_sound(deck, "initial.point")) continue;
    for (int a = 0; a < n; a++) variable[INK_VAR_X + a] = at[a];
    const double value = ink_expr_value(surface, variable);
    if (!(value > 0))
      ink_deck_error(deck, errors, path,
                     "is %.9g at initial.point: paths live where it is positive, so all would be absorbed at "
                     "once",
                     value);
  }
}

/* What a scheme asks of the equation. */
static void check_scheme(const InkDeck *deck, const Domain *domain, InkErrors *errors) {
  const InkScheme scheme = ink_deck_scheme(deck);
  const double start = ink_deck_sound(deck, "time.start") ? ink_deck_number(deck, "time.start") : 0;
  InkPool *pool = ink_deck_pool(deck);
  InkModel model;
  InkSde sde;
  char message[512];
  if (!ink_deck_sound(deck, "model") || !ink_deck_sound(deck, "particles.scheme")) return;
  if (scheme != INK_MILSTEIN && scheme != INK_EXACT) return;
  ink_model_read(deck, pool, &model);
  ink_sde_read(&model, scheme, pool, &sde);
  if (scheme == INK_MILSTEIN &&
      !ink_sde_commutes(&sde, domain->from, domain->to, start, message, sizeof message))
    ink_deck_error(deck, errors, "particles.scheme", "%s", message);
  if (scheme == INK_EXACT && ink_sde_exact(&sde, pool, message, sizeof message) == INK_EXACT_NONE)
    ink_deck_error(deck, errors, "particles.scheme", "%s", message);
}

static void check_exact(const InkDeck *deck, InkErrors *errors) {
  for (int i = 0; i < ink_deck_count(deck, "exact"); i++) {
    const char *given = ink_deck_name(deck, "exact", i);
    char path[192];
    if (strcmp(given, "p") == 0) continue;
    snprintf(path, sizeof path, "exact.%s", given);
    ink_deck_error(deck, errors, path, "there is no field '%s'; there is p, the histogram", given);
  }
  if (ink_deck_is_manufactured(deck))
    ink_deck_error(deck, errors, "manufactured", "is not defined for particles");
}

/* Names that the files of a run have for other things. */
static void check_names(const InkDeck *deck, InkErrors *errors) {
  if (ink_deck_has(deck, "output.paths") && ink_deck_has(deck, "model.state.path"))
    ink_deck_error(deck, errors, "model.state.path",
                   "is what output.paths calls the axis of its particles: take another name, or no paths");
}

void ink_particles_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  Domain domain;
  const bool given = ink_deck_has(deck, "particles.start") && !ink_deck_is_reverse(deck);
  /* Of a reversed run without a law check_direction says more. */
  ink_model_check(deck, ranks, !given && (has_law(deck) || !ink_deck_is_reverse(deck)), errors);
  check_direction(deck, errors);
  check_names(deck, errors);
  if (ink_deck_has(deck, "particles.compare") && ink_deck_chosen(deck, "particles.compare", "true") &&
      ink_deck_alone(deck))
    ink_deck_error(deck, errors, "particles.compare", "needs a density beside the particles: %s",
                   ink_deck_alone(deck));
  check_exact(deck, errors);
  ink_probes_check(deck, errors);
  if (given && ink_deck_compares(deck) && !ink_deck_has(deck, "initial"))
    ink_deck_error(deck, errors, "particles.start",
                   "says nothing of a density: give `initial` besides, or particles.compare: false");
  if (!domain_of(deck, &domain)) return;
  check_start(deck, &domain, errors);
  check_regions(deck, &domain, errors);
  check_scheme(deck, &domain, errors);
}
