/* What can be wrong with a Fokker-Planck deck that the key table cannot say. Rank 0, no MPI; all errors at
 * once. */
#include <string.h>
#include "../core/observe.h"
#include "fokker_planck_impl.h"

static const uint64_t time_bit = 1ull << INK_VAR_T;

static bool absorbs(const InkModel *model) {
  for (int side = 0; side < INK_SIDES; side++)
    if (model->process.absorbing[side]) return true;
  return false;
}

static void check_target(const InkDeck *deck, InkEquation equation, const InkModel *model,
                         InkErrors *errors) {
  const bool used = equation == INK_FIRST_PASSAGE || equation == INK_HITTING_PROBABILITY;
  const char *names[INK_SIDES];
  char list[256];
  if (!ink_deck_sound(deck, "target") || !ink_deck_sound(deck, "model")) return;
  ink_deck_sides(deck, names);
  ink_names_join(names, INK_SIDES, list, sizeof list);
  if (!ink_deck_has(deck, "target")) {
    char absorbing[256];
    for (int side = 0; side < INK_SIDES; side++)
      if (!model->process.absorbing[side]) names[side] = "";
    ink_names_join(names, INK_SIDES, absorbing, sizeof absorbing);
    if (equation == INK_HITTING_PROBABILITY)
      ink_deck_error(deck, errors, "target",
                     "is missing: hitting_probability needs the absorbing side that is hit%s%s",
                     *absorbing ? "; here: " : "; make one of model.boundary absorbing", absorbing);
    return;
  }
  const char *target = ink_deck_text(deck, "target");
  const int side = ink_deck_side(deck, target);
  if (!used)
    ink_deck_warning(deck, errors, "target", "is not used when equation is %s",
                     ink_deck_text(deck, "equation"));
  else if (side < 0)
    ink_deck_error(deck, errors, "target", "'%s' is no side of this domain; its sides are %s", target, list);
  else if (!model->process.absorbing[side])
    ink_deck_error(deck, errors, "target", "%s does not absorb: give model.boundary.%s: absorbing", target,
                   target);
}

static void check_boundary(const InkDeck *deck, InkEquation equation, const InkModel *model,
                           InkErrors *errors) {
  const char *path = ink_deck_has(deck, "model.boundary") ? "model.boundary" : "equation";
  if (!ink_deck_sound(deck, "model")) return;
  if (equation == INK_STATIONARY && absorbs(model))
    ink_deck_error(
        deck, errors, path,
        "has an absorbing side: in the end all mass is absorbed, so there is no stationary density");
  if (equation == INK_FIRST_PASSAGE && !absorbs(model))
    ink_deck_error(deck, errors, path,
                   "no side absorbs, so paths never leave: first_passage needs an absorbing side");
}

/* What one solve cannot follow. */
static void check_time_dependence(const InkDeck *deck, const InkModel *model, InkErrors *errors) {
  static const char *const sections[] = {"model.drift", "model.diffusion", "model.noise"};
  const int n = model->process.dim;
  for (int s = 0; s < 3; s++) {
    bool moves = false;
    for (int i = 0; i < n; i++) {
      if (s == 0) moves = moves || (model->as_given[i] && ink_expr_variables(model->as_given[i]) & time_bit);
      for (int j = 0; j < n && s == 1; j++) {
        const InkExpr *D = model->process.diffusion[i][j];
        moves = moves || (model->noises == 0 && D && ink_expr_variables(D) & time_bit);
      }
      for (int k = 0; k < model->noises && s == 2; k++)
        moves = moves || (model->B[i][k] && ink_expr_variables(model->B[i][k]) & time_bit);
    }
    if (moves)
      ink_deck_error(deck, errors, sections[s], "depends on t: only `equation: density` can follow that");
  }
}

/* ---- sections that the equation does not use ---- */

static bool time_given(const InkDeck *deck) {
  /* The defaults are compared by value, so that OUT/deck.yaml gives no warning either. */
  return ink_deck_has(deck, "time.end") || ink_deck_has(deck, "time.dt") ||
         ink_deck_has(deck, "time.max_steps") || !ink_deck_chosen(deck, "time.method", "auto");
}

static void check_unused(const InkDeck *deck, InkEquation equation, InkErrors *errors) {
  const char *name = ink_deck_text(deck, "equation");
  if (equation == INK_DENSITY) return;
  if (ink_deck_sound(deck, "time") && time_given(deck))
    ink_deck_warning(deck, errors, "time", "is not used when equation is %s", name);
  if (ink_deck_has(deck, "initial"))
    ink_deck_warning(deck, errors, "initial", "is not used when equation is %s", name);
}

static void check_modes(const InkDeck *deck, InkEquation equation, InkErrors *errors) {
  if (!ink_deck_has(deck, "modes") || !ink_deck_sound(deck, "modes")) return;
  if (equation != INK_SPECTRUM)
    ink_deck_warning(deck, errors, "modes", "is used only when equation is spectrum");
}

static void check_exact(const InkDeck *deck, InkErrors *errors) {
  const char *const *names;
  const int count = ink_deck_fields(deck, &names, NULL);
  char list[512];
  ink_names_join(names, count, list, sizeof list);
  for (int i = 0; i < ink_deck_count(deck, "exact"); i++) {
    const char *given = ink_deck_name(deck, "exact", i);
    char path[192];
    bool known = false;
    for (int f = 0; f < count; f++) known = known || strcmp(names[f], given) == 0;
    if (known) continue;
    snprintf(path, sizeof path, "exact.%s", given);
    ink_deck_error(deck, errors, path, "there is no field '%s'; with this equation: %s", given, list);
  }
  if (ink_deck_is_manufactured(deck))
    ink_deck_error(deck, errors, "manufactured", "is not defined for fokker_planck, which has no sources");
}

void ink_fokker_planck_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  const InkEquation equation = ink_deck_equation(deck);
  const bool known = ink_deck_sound(deck, "equation");
  InkModel model;
  ink_model_check(deck, ranks, known && equation == INK_DENSITY, errors);
  ink_model_read(deck, ink_deck_pool(deck), &model);
  if (known) {
    check_target(deck, equation, &model, errors);
    check_boundary(deck, equation, &model, errors);
    check_unused(deck, equation, errors);
    check_modes(deck, equation, errors);
    if (equation != INK_DENSITY) check_time_dependence(deck, &model, errors);
    if (equation == INK_DENSITY && ink_deck_sound(deck, "time") && !ink_deck_has(deck, "time.end"))
      ink_deck_error(deck, errors, "time.end", "is required (end time)");
  }
  check_exact(deck, errors);
  ink_probes_check(deck, errors);
}
