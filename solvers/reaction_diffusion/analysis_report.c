/* The analysis of a deck, in words: what `inkdrop check` prints, and the warning about a coarse mesh. */
#include "analysis_impl.h"

#include <math.h>
#include <string.h>

enum { WAVE_CELLS = 8, FRONT_CELLS = 4, FOLLOWED = 3, NAME_WIDTH = 18 };

/* What takes long with many species is left out, so that no deck waits noticeably. */
enum { MOST_SPECIES = 12, MOST_FOLLOWED_SPECIES = 6 };

static const double two_pi = 6.28318530717958647692;

/* ---- finding ---- */

/* The state nearest to the mean of the initial state, each field measured by its typical size. */
static int nearest_state(const InkFindings *findings, const double *scale) {
  int best = -1;
  double least = INFINITY;
  for (int i = 0; i < findings->states; i++) {
    double distance = 0;
    for (int f = 0; f < findings->model.n; f++)
      distance = fmax(distance, fabs(findings->state[i].u[f] - findings->deck.mean[f]) / scale[f]);
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

bool ink_findings_create(const InkDeck *deck, InkPool *pool, InkFindings *findings, char *why, size_t size) {
  double values[INK_MAX_FIELDS], scale[INK_MAX_FIELDS];
  *findings = (InkFindings){.nearest = -1};
  if (ink_deck_fields(deck, NULL, NULL) > MOST_SPECIES) {
    snprintf(why, size, "not analysed: more than %d species", MOST_SPECIES);
    return false;
  }
  if (!ink_deck_model(deck, pool, &findings->deck, why, size)) return false;
  if (!ink_model_create(&findings->deck.reactions, &findings->model)) {
    snprintf(why, size, "not analysed: the reactions and their derivatives are too large");
    return false;
  }
  InkModel *model = &findings->model;
  ink_model_set(model, &findings->deck.parameters, -1, 0);
  for (int f = 0; f < model->n; f++) values[f] = findings->deck.size[f];
  ink_model_scale(model->n, values, scale);
  findings->free = ink_model_free(model, scale);
  findings->states = ink_model_states(model, values, findings->state);
  findings->nearest = nearest_state(findings, scale);
  for (int i = 0; i < findings->states; i++) {
    InkLinearised linear;
    if (i != findings->nearest && model->n > MOST_FOLLOWED_SPECIES) continue;
    ink_linearise(model, findings->state[i].u, &linear);
    findings->grows[i] = ink_linearised_dispersion(&linear, &findings->dispersion[i]);
  }
  findings->fronts = ink_model_fronts(model, findings->state, findings->states, findings->front);
  return true;
}

void ink_findings_clear(InkFindings *findings) { ink_model_clear(&findings->model); }

/* ---- is the mesh fine enough? ---- */

/* The wavelength of the pattern that grows from a state; 0: none. */
static double wavelength_of(const InkFindings *findings, int state) {
  const InkDispersion *d = &findings->dispersion[state];
  const bool wave = findings->grows[state] && d->fastest > 0 && isfinite(d->fastest);
  return wave ? two_pi / d->fastest : 0;
}

/* The axis along which a length is covered by the fewest cells, all axes being long enough to hold it. */
static const InkDeckAxis *coarsest(const InkDeckModel *deck, double length) {
  const InkDeckAxis *worst = NULL;
  for (int d = 0; d < deck->dim; d++)
    if (deck->axis[d].length >= length && (!worst || deck->axis[d].widest > worst->widest))
      worst = &deck->axis[d];
  return worst;
}

bool ink_findings_warning(const InkFindings *findings, char *text, size_t size) {
  const int near = findings->nearest;
  const double wave = near >= 0 ? wavelength_of(findings, near) : 0;
  const InkDeckAxis *axis = wave > 0 ? coarsest(&findings->deck, wave) : NULL;
  if (axis && wave < WAVE_CELLS * axis->widest) {
    snprintf(text, size,
             "the mesh is too coarse for the pattern: the wavelength of the fastest growth is %.4g, that is "
             "%.3g cells of %.4g along %c; at least %d are needed",
             wave, wave / axis->widest, axis->widest, axis->name, WAVE_CELLS);
    return true;
  }
  for (int i = 0; i < findings->fronts; i++) {
    const InkFront *front = &findings->front[i];
    axis = coarsest(&findings->deck, front->length);
    if (!axis || front->length >= FRONT_CELLS * axis->widest) continue;
    snprintf(
        text, size,
        "the mesh is too coarse for the front of %s: its length sqrt(D/r) is %.4g, that is %.3g cells of "
        "%.4g along %c; at least %d are needed",
        findings->deck.reactions.name[front->species], front->length, front->length / axis->widest,
        axis->widest, axis->name, FRONT_CELLS);
    return true;
  }
  return false;
}

bool ink_reaction_mesh_warning(const InkDeck *deck, char *text, size_t size) {
  char why[200];
  InkFindings findings;
  InkPool *pool = ink_pool_create();
  const bool coarse = ink_findings_create(deck, pool, &findings, why, sizeof why) &&
                      ink_findings_warning(&findings, text, size);
  ink_findings_clear(&findings);
  ink_pool_destroy(&pool);
  return coarse;
}

/* ---- printing ---- */

static void print_state(const InkFindings *findings, int i, FILE *out) {
  const InkSteadyState *state = &findings->state[i];
  const double real = creal(state->slowest), imaginary = cimag(state->slowest);
  fprintf(out, "    ");
  for (int f = 0; f < findings->model.n; f++)
    fprintf(out, "%s%s = %.9g", f ? ", " : "", findings->deck.reactions.name[f], state->u[f] + 0.0);
  const bool neutral = fabs(real) <= 1e-10 * fmax(cabs(state->slowest), 1e-300);
  fprintf(out, ": %s, ", state->stable ? "stable" : neutral ? "neutral" : "unstable");
  if (imaginary != 0)
    fprintf(out, "slowest eigenvalues %.6g +- %.6g i", neutral ? 0.0 : real, imaginary);
  else
    fprintf(out, "slowest eigenvalue %.6g", real);
  fprintf(out, "%s\n",
          i == findings->nearest && findings->states > 1 ? " (nearest to the initial state)" : "");
}

/* Whole or half waves of the band that fit between the sides of a Cartesian domain. */
static bool band_fits(const InkDeckModel *deck, const InkDispersion *d) {
  enum { MOST = 400 };
  double unit[INK_AXES] = {0};
  int most[INK_AXES] = {0};
  if (!deck->cartesian) return true;
  for (int a = 0; a < deck->dim; a++) {
    unit[a] = two_pi / deck->axis[a].length / (deck->axis[a].periodic ? 1 : 2);
    most[a] = d->upper < MOST * unit[a] ? (int)(d->upper / unit[a]) : MOST;
  }
  for (int i = 0; i <= most[0]; i++)
    for (int j = 0; j <= most[1]; j++)
      for (int l = 0; l <= most[2]; l++) {
        const double x = i * unit[0], y = j * unit[1], z = l * unit[2], k = sqrt(x * x + y * y + z * z);
        if (k > d->lower && k < d->upper && k > 0) return true;
      }
  return false;
}

static void print_wave(const InkFindings *findings, const InkDispersion *d, FILE *out) {
  const InkDeckModel *deck = &findings->deck;
  const double wave = two_pi / d->fastest;
  if (d->lower > 0)
    fprintf(out, "      growing wave numbers %.9g to %.9g", d->lower, d->upper);
  else
    fprintf(out, "      growing wave numbers up to %.9g", d->upper);
  fprintf(out, ", fastest %.9g: wavelength %.6g, growth rate %.9g", d->fastest, wave, d->growth);
  if (d->frequency > 0) fprintf(out, ", angular frequency %.6g", d->frequency);
  fprintf(out, "\n");
  for (int a = 0; a < deck->dim; a++)
    fprintf(out, "      along %c: %.4g wavelengths, %.4g cells a wavelength\n", deck->axis[a].name,
            deck->axis[a].length / wave, wave / deck->axis[a].widest);
  if (!band_fits(deck, d))
    fprintf(out, "      no growing wave fits between the sides: no pattern will form\n");
}

static int diffusing(const InkFindings *findings) {
  const int n = findings->model.n;
  int count = 0;
  for (int s = 0; s < n; s++) {
    const InkExpr *D = findings->deck.reactions.diffusion[s * n + s];
    double value;
    count += D && !(ink_expr_is_number(D, &value) && value == 0);
  }
  return count;
}

static void print_growth(const InkFindings *findings, int i, FILE *out) {
  const InkDispersion *d = &findings->dispersion[i];
  if (!findings->grows[i]) {
    if (findings->state[i].stable && diffusing(findings) > 1)
      fprintf(out, "      stable against waves of all lengths: no Turing pattern\n");
    return;
  }
  if (isinf(d->fastest)) {
    fprintf(out, "      the shorter a wave the faster it grows: no wavelength is chosen\n");
    return;
  }
  if (d->turing)
    fprintf(out, "      Turing%s: stable when uniform, unstable to waves\n", d->frequency > 0 ? "-Hopf" : "");
  else if (cimag(findings->state[i].slowest) != 0)
    fprintf(out, "      past the Hopf threshold: uniform oscillations grow, angular frequency %.6g\n",
            fabs(cimag(findings->state[i].slowest)));
  if (d->fastest > 0) print_wave(findings, d, out);
}

static void print_thresholds(InkFindings *findings, int i, FILE *out) {
  static const char *const kind[] = {"Turing threshold", "Hopf threshold", "stability threshold",
                                     "saddle-node (the state ends)"};
  InkThreshold threshold[INK_MAX_THRESHOLDS];
  const InkModelParameters *parameters = &findings->deck.parameters;
  const int count = ink_model_thresholds(&findings->model, parameters, findings->state[i].u, threshold);
  for (int t = 0; t < count; t++) {
    const InkThreshold *at = &threshold[t];
    fprintf(out, "      %s: %s = %.9g (now %.9g)", kind[at->kind], parameters->name[at->parameter], at->value,
            at->now);
    if (at->kind == INK_TURING) fprintf(out, ", wave number %.6g", at->wavenumber);
    if (at->kind == INK_HOPF) fprintf(out, ", angular frequency %.6g", at->frequency);
    fprintf(out, "\n");
  }
}

static void print_values(const InkFindings *findings, int state, FILE *out) {
  for (int f = 0; f < findings->model.n; f++)
    fprintf(out, "%s%s = %.6g", f ? ", " : "", findings->deck.reactions.name[f],
            findings->state[state].u[f] + 0.0);
}

static void print_front(const InkFindings *findings, const InkFront *front, FILE *out) {
  const char *name = findings->deck.reactions.name[front->species];
  fprintf(out, "    %s", name);
  if (front->kind == INK_BISTABLE) {
    const double upper = findings->state[front->from].u[0], lower = findings->state[front->into].u[0];
    fprintf(out, " has two stable states: length sqrt(D/r) = %.9g, ", front->length);
    const double flat = 1e-12 * (fabs(upper) + fabs(lower)) * front->rate;
    if (fabs(front->preference) <= flat)
      fprintf(out, "a front between them stands\n");
    else
      fprintf(out, "a front between them moves so that %.6g spreads\n",
              front->preference > 0 ? upper : lower);
    return;
  }
  fprintf(out, " invades ");
  print_values(findings, front->into, out);
  if (front->from >= 0) {
    fprintf(out, " from ");
    print_values(findings, front->from, out);
  }
  fprintf(out, ": rate r = %.9g, length sqrt(D/r) = %.9g, front speed 2 sqrt(D r) = %.9g%s\n", front->rate,
          front->length, front->speed, front->kind == INK_PULLED ? "" : " or more (if it is pushed)");
}

/* Thresholds are looked for at the state nearest to the initial one, and at a few other stable ones. */
static void print_states(InkFindings *findings, FILE *out) {
  int followed = 0;
  for (int i = 0; i < findings->states; i++) {
    print_state(findings, i, out);
    print_growth(findings, i, out);
    const bool follow = i == findings->nearest || (findings->state[i].stable && followed < FOLLOWED);
    if (!follow || findings->model.n > MOST_FOLLOWED_SPECIES) continue;
    followed++;
    print_thresholds(findings, i, out);
  }
}

void ink_reaction_analysis(const InkDeck *deck, FILE *out) {
  char text[400];
  InkFindings findings;
  InkPool *pool = ink_pool_create();
  fprintf(out, "  %-*s ", NAME_WIDTH, "kinetics");
  if (!ink_findings_create(deck, pool, &findings, text, sizeof text))
    fprintf(out, "%s\n", text);
  else if (findings.free > 0)
    fprintf(out, "no isolated uniform steady state: %d combination%s of the species stay%s as at the start\n",
            findings.free, findings.free == 1 ? "" : "s", findings.free == 1 ? "s" : "");
  else if (findings.states == 0)
    fprintf(out, "no uniform steady state found\n");
  else {
    fprintf(out, "%s%d uniform steady state%s\n", findings.states == INK_MAX_STATES ? "at least " : "",
            findings.states, findings.states == 1 ? "" : "s");
    print_states(&findings, out);
    if (findings.fronts > 0) fprintf(out, "  %s\n", "fronts");
    for (int i = 0; i < findings.fronts; i++) print_front(&findings, &findings.front[i], out);
    if (ink_deck_count(deck, "velocity") > 0)
      fprintf(out, "    (in a medium at rest; the velocity of the deck adds to front speeds)\n");
  }
  ink_findings_clear(&findings);
  ink_pool_destroy(&pool);
}
