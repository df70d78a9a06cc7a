/* What can be wrong with a population deck that the key table cannot say. Rank 0, no MPI; all errors at once.
 */
#include <math.h>
#include <string.h>
#include "population_impl.h"

bool ink_population_copies(const InkPopulation *population, double frequency, int64_t *copies) {
  const double n = (double)population->size, exact = frequency * n;
  *copies = (int64_t)fmin(fmax(round(exact), 0), n);
  return fabs(exact - (double)*copies) <= 1e-9 * n;
}

static const char *mutation_of(int end) {
  return end ? "population.mutation.backward" : "population.mutation.forward";
}

static void check_ends(const InkDeck *deck, const InkPopulation *population, InkErrors *errors) {
  const InkPopulationEquation equation = ink_population_equation(deck);
  const bool asks = equation == INK_POPULATION_TIME || equation == INK_POPULATION_HITTING;
  const int end = ink_deck_has(deck, "target") ? ink_population_end(ink_deck_text(deck, "target")) : -1;
  bool absorbs[2];
  for (int e = 0; e < 2; e++) absorbs[e] = ink_population_absorbs(population, e);
  if (equation == INK_POPULATION_HITTING && end < 0)
    ink_deck_error(deck, errors, "target", "is missing: hitting_probability needs the end, x_min or x_max");
  if (asks && end >= 0 && !absorbs[end])
    ink_deck_error(deck, errors, "target", "%s does not absorb: %s leads away from it",
                   end ? "x_max" : "x_min", mutation_of(end));
  if (!asks && end >= 0)
    ink_deck_warning(deck, errors, "target", "is not used when equation is %s",
                     ink_deck_text(deck, "equation"));
  if (equation == INK_POPULATION_TIME && end < 0 && !absorbs[0] && !absorbs[1])
    ink_deck_error(deck, errors, "population.mutation",
                   "leads away from both ends, so nothing absorbs: first_passage needs an end that does");
  for (int e = 0; e < 2 && equation == INK_POPULATION_STATIONARY; e++)
    if (absorbs[e])
      ink_deck_error(
          deck, errors, "population",
          "%s absorbs: all paths end there or at the other end, so there is no stationary density between; "
          "give %s",
          e ? "x_max" : "x_min", mutation_of(e));
}

static void check_start(const InkDeck *deck, const InkPopulation *population, InkErrors *errors) {
  const double *point, n = (double)population->size;
  int64_t copies;
  if (!ink_deck_sound(deck, "initial")) return;
  if (ink_population_equation(deck) != INK_POPULATION_DENSITY) {
    if (ink_deck_has(deck, "initial"))
      ink_deck_warning(deck, errors, "initial", "is not used when equation is %s",
                       ink_deck_text(deck, "equation"));
    return;
  }
  const int count = ink_deck_numbers(deck, &point, "initial.point");
  if (!ink_deck_has(deck, "initial.point"))
    ink_deck_error(deck, errors, "initial", "initial.point is missing: the fraction of A at time.start");
  else if (count != 1)
    ink_deck_error(deck, errors, "initial.point", "needs one number, the fraction of A; got %d", count);
  else if (!(point[0] >= 0 && point[0] <= 1))
    ink_deck_error(deck, errors, "initial.point", "must be between 0 and 1, got %.9g", point[0]);
  else if (!ink_population_copies(population, point[0], &copies))
    ink_deck_error(deck, errors, "initial.point",
                   "must be a multiple of 1/%.0f, got %.9g; the nearest is %.15g (%.0f copies)", n, point[0],
                   (double)copies / n, (double)copies);
}

static void check_whole(const InkDeck *deck, const char *path, double value, InkErrors *errors) {
  if (value != round(value))
    ink_deck_error(deck, errors, path, "must be a whole number of steps, got %.9g", value);
}

static void check_times(const InkDeck *deck, InkErrors *errors) {
  static const char *const keys[] = {"time.start", "time.end", "output.snapshots.every",
                                     "output.series.every", "checkpoint.every_simulated"};
  const double *at;
  char path[64];
  if (!ink_deck_sound(deck, "time") || !ink_deck_sound(deck, "output") || !ink_deck_sound(deck, "checkpoint"))
    return;
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
    if (ink_deck_node(deck, "%s", keys[k]))
      check_whole(deck, keys[k], ink_deck_number(deck, "%s", keys[k]), errors);
  const int count = ink_deck_numbers(deck, &at, "output.snapshots.at");
  for (int i = 0; i < count; i++) check_whole(deck, "output.snapshots.at", at[i], errors);
  for (int i = 0; i < ink_deck_count(deck, "verify") && ink_deck_sound(deck, "verify"); i++) {
    (void)snprintf(path, sizeof path, "verify[%d].at", i);
    if (ink_deck_node(deck, "%s", path)) check_whole(deck, path, ink_deck_number(deck, "%s", path), errors);
  }
}

static void check_unused(const InkDeck *deck, InkErrors *errors) {
  static const char *const keys[] = {"time.dt", "exact", "manufactured"};
  const InkPopulationEquation equation = ink_population_equation(deck);
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
    if (ink_deck_has(deck, "%s", keys[k]) && !ink_deck_chosen(deck, keys[k], "false"))
      ink_deck_warning(deck, errors, keys[k], "is not used by population");
  if (!ink_deck_sound(deck, "time")) return;
  if (equation == INK_POPULATION_DENSITY && !ink_deck_has(deck, "time.end"))
    ink_deck_error(deck, errors, "time.end", "is required (last step)");
  if (equation != INK_POPULATION_DENSITY && ink_deck_has(deck, "time.end"))
    ink_deck_warning(deck, errors, "time", "is not used when equation is %s",
                     ink_deck_text(deck, "equation"));
}

static void check_probes(const InkDeck *deck, InkErrors *errors) {
  const char *const *field;
  const double *at;
  char path[160];
  ink_deck_fields(deck, &field, NULL);
  for (int i = 0; i < ink_deck_count(deck, "probes"); i++) {
    const char *name = ink_deck_name(deck, "probes", i);
    if (!ink_deck_sound(deck, "probes.%s", name)) continue;
    (void)snprintf(path, sizeof path, "probes.%s.field", name);
    if (ink_deck_has(deck, "%s", path) && strcmp(ink_deck_text(deck, "%s", path), field[0]) != 0)
      ink_deck_error(deck, errors, path, "there is no field '%s'; with this equation: %s",
                     ink_deck_text(deck, "%s", path), field[0]);
    (void)snprintf(path, sizeof path, "probes.%s.at", name);
    const int count = ink_deck_numbers(deck, &at, "%s", path);
    if (count != 1)
      ink_deck_error(deck, errors, path, "needs one number, the fraction of A; got %d", count);
    else if (!(at[0] >= 0 && at[0] <= 1))
      ink_deck_error(deck, errors, path, "is outside the domain: %.9g is not between 0 and 1", at[0]);
  }
}

void ink_population_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  if (ink_deck_sound(deck, "population") && ink_deck_node(deck, "population.size")) {
    const InkPopulation population = ink_population_of(deck);
    if (ink_deck_sound(deck, "equation") && ink_deck_sound(deck, "target"))
      check_ends(deck, &population, errors);
    check_start(deck, &population, errors);
    if (ranks > population.size + 1)
      ink_deck_error(deck, errors, "population.size", "makes %lld states, fewer than the %d ranks",
                     (long long)population.size + 1, ranks);
  }
  check_times(deck, errors);
  check_unused(deck, errors);
  check_probes(deck, errors);
}
