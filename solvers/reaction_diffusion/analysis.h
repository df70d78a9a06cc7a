/* What can be said of kinetics before they run: homogeneous steady states, their stability, Turing and Hopf
 * thresholds, the dispersion relation, lengths and speeds.
 *
 * Linearised about a steady state U0 with R(U0) = 0, a disturbance exp(lambda t + i k x) grows with the
 * eigenvalues lambda of  J - k^2 D,  J = dR/dU from the symbolic derivatives, D the diffusion matrix at U0
 * (Murray, Mathematical Biology II, 2.3). Pure mathematics, no MPI. */
#ifndef INK_RD_ANALYSIS_H
#define INK_RD_ANALYSIS_H

#include <complex.h>
#include <stdio.h>
#include "../../io/expression.h"

/* Kinetics that do not depend on place and time. */
typedef struct InkReactions {
  int n;
  const char *const *name;         /* [n] */
  const InkExpr *const *rate;      /* [n] R_s of the fields INK_VAR_FIELD + f; NULL: 0 */
  const InkExpr *const *diffusion; /* [n * n] D_sf; NULL: 0 */
  InkPool *pool;                   /* for derivatives */
} InkReactions;

enum { INK_MAX_STATES = 16 };

typedef struct InkSteadyState {
  double u[INK_MAX_FIELDS];
  bool stable;            /* against uniform disturbances */
  double complex slowest; /* eigenvalue of J with the largest real part */
} InkSteadyState;

/* Homogeneous steady states, found by Newton's method from a deterministic set of starts around `scale`
 * (typical values of each field; the mean of the initial state is a good one). Non-negative ones first, no
 * duplicates. Immobile conserved sets (det J = 0 everywhere) have none that are isolated: 0. Returns how
 * many. */
int ink_steady_states(const InkReactions *reactions, const double *scale,
                      InkSteadyState state[INK_MAX_STATES]);

/* Largest real part of the eigenvalues of J - k^2 D at u; *lambda: that eigenvalue. */
double ink_growth_rate(const InkReactions *reactions, const double *u, double k, double complex *lambda);

typedef struct InkDispersion {
  bool turing;            /* stable without diffusion, unstable with it */
  double lower, upper;    /* band of growing wave numbers; lower 0 when k = 0 grows too */
  double fastest, growth; /* wave number of fastest growth, its rate */
  double frequency;       /* |Im lambda| there */
} InkDispersion;
/* False when no wave number grows. Band edges and maximum to 1e-10 relative. */
bool ink_dispersion(const InkReactions *reactions, const double *u, InkDispersion *dispersion);

/* The report of `inkdrop check`: see reaction_diffusion/README. deck: good, as it was read (rank 0). */
struct InkDeck;
void ink_reaction_analysis(const struct InkDeck *deck, FILE *out);
/* Is the mesh too coarse for the pattern (fewer than 8 cells in the wavelength that grows fastest from the
 * steady state nearest to the initial one) or for a front (fewer than 4 in sqrt(D/r))? A line about it in
 * text[size]. deck: good, or at least with a sound mesh, parameters and species. */
bool ink_reaction_mesh_warning(const struct InkDeck *deck, char *text, size_t size);
#endif
