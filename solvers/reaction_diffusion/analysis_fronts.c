/* Fronts that the steady states foretell: lengths sqrt(D/r) and speeds.
 *
 * A species that is absent from a state, and grows there at the rate r whatever else happens (its row of
 * dR/du is r on the diagonal and 0 elsewhere), invades it at the pulled speed 2 sqrt(D r) or faster. With one
 * species the speed is exactly that where f(u) <= f'(u0) (u - u0) up to the next state (Kolmogorov,
 * Petrovskii & Piskunov 1937). Between two stable states a front moves by the sign of the integral of D f. */
#include "analysis_impl.h"

#include <math.h>

enum { SAMPLES = 400 };

/* With one species: R at u. */
static double rate_at(const InkModel *model, double u) {
  double rate;
  ink_model_rates(model, &u, &rate, NULL);
  return rate;
}

static double diffusion_at(const InkModel *model, double u) {
  double D;
  ink_model_diffusion(model, &u, &D);
  return D;
}

/* Does R lie below its tangent at u0 on the way to u1? */
static bool below_tangent(const InkModel *model, double u0, double u1, double slope) {
  for (int i = 1; i < SAMPLES; i++) {
    const double u = u0 + (u1 - u0) * i / SAMPLES;
    if (rate_at(model, u) / (u - u0) > slope * (1 + 1e-12)) return false;
    if (diffusion_at(model, u) != diffusion_at(model, u0)) return false; /* the rule is for constant D */
  }
  return true;
}

/* Integral of D R from u0 to u1 by Simpson's rule. */
static double preference(const InkModel *model, double u0, double u1) {
  const double h = (u1 - u0) / SAMPLES;
  double sum = 0;
  for (int i = 0; i <= SAMPLES; i++) {
    const double weight = i == 0 || i == SAMPLES ? 1 : i % 2 ? 4 : 2, u = u0 + i * h;
    sum += weight * diffusion_at(model, u) * rate_at(model, u);
  }
  return sum * h / 3;
}

static InkFront invasion(int species, int from, int into, double D, double r, bool pulled) {
  return (InkFront){.kind = pulled ? INK_PULLED : INK_AT_LEAST,
                    .species = species,
                    .from = from,
                    .into = into,
                    .rate = r,
                    .length = sqrt(D / r),
                    .speed = 2 * sqrt(D * r)};
}

/* The next state above (up) or below `i` in value; -1: none. With one species. */
static int neighbour(const InkSteadyState *state, int states, int i, bool up) {
  int best = -1;
  for (int j = 0; j < states; j++) {
    const bool beyond = up ? state[j].u[0] > state[i].u[0] : state[j].u[0] < state[i].u[0];
    const bool nearer =
        best < 0 || (up ? state[j].u[0] < state[best].u[0] : state[j].u[0] > state[best].u[0]);
    if (beyond && nearer) best = j;
  }
  return best;
}

/* Fronts of one species from and about state i. Returns how many were put at `front`. */
static int scalar_fronts(const InkModel *model, const InkSteadyState *state, int states, int i,
                         InkFront *front) {
  const double r = creal(state[i].slowest), D = diffusion_at(model, state[i].u[0]);
  const int below = neighbour(state, states, i, false), above = neighbour(state, states, i, true);
  const bool stable_below = below >= 0 && state[below].stable;
  const bool stable_above = above >= 0 && state[above].stable;
  int count = 0;
  if (!(r > 0) || !(D > 0)) return 0;
  if (stable_below && stable_above) {
    const double steepest =
        fmax(r, fmax(fabs(creal(state[below].slowest)), fabs(creal(state[above].slowest))));
    front[count++] = (InkFront){.kind = INK_BISTABLE,
                                .from = above,
                                .into = below,
                                .rate = steepest,
                                .length = sqrt(D / steepest),
                                .preference = preference(model, state[below].u[0], state[above].u[0])};
    if (state[i].u[0] != 0) return count; /* a threshold; an empty state can be invaded all the same */
  }
  const int others[2] = {below, above};
  for (int o = 0; o < 2; o++) {
    const int j = others[o];
    if (j < 0 || !state[j].stable) continue;
    front[count++] = invasion(0, j, i, D, r, below_tangent(model, state[i].u[0], state[j].u[0], r));
  }
  return count;
}

/* Species of several that are absent from state i and grow there. */
static int invaders(const InkModel *model, const InkSteadyState *state, int i, InkFront *front, int most) {
  const int n = model->n;
  InkLinearised linear;
  int count = 0;
  ink_linearise(model, state[i].u, &linear);
  for (int s = 0; s < n && count < most; s++) {
    const double r = linear.J[s * n + s], D = linear.D[s * n + s];
    bool alone = state[i].u[s] == 0 && r > 0 && D > 0;
    for (int f = 0; f < n; f++)
      alone = alone && (f == s || (linear.J[s * n + f] == 0 && linear.D[s * n + f] == 0));
    if (alone) front[count++] = invasion(s, -1, i, D, r, false);
  }
  return count;
}

int ink_model_fronts(const InkModel *model, const InkSteadyState *state, int states,
                     InkFront front[INK_MAX_FRONTS]) {
  int count = 0;
  for (int i = 0; i < states && count + 1 < INK_MAX_FRONTS; i++)
    count += model->n == 1 ? scalar_fronts(model, state, states, i, front + count)
                           : invaders(model, state, i, front + count, INK_MAX_FRONTS - count);
  return count;
}
