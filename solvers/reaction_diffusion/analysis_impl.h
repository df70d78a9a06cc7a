/* Shared between the files of the analysis; not for others.
 *
 *     analysis_deck.c        deck    -> reactions with their parameters, domain, initial state
 *     analysis_model.c       trees   -> programs: R, dR/du, D at a state; small linear algebra
 *     analysis_states.c      model   -> steady states
 *     analysis_dispersion.c  model   -> growth rates of waves about a state
 *     analysis_threshold.c   model   -> parameter values where stability changes
 *     analysis_fronts.c      model   -> lengths and speeds of fronts
 *     analysis_report.c      all of it in words */
#ifndef INK_RD_ANALYSIS_IMPL_H
#define INK_RD_ANALYSIS_IMPL_H

#include "../../io/deck.h"
#include "../core/evaluate.h"
#include "analysis.h"

/* ---- model ---- */

/* Reactions ready to be evaluated one state at a time. */
typedef struct InkModel {
  int n;
  InkProgram *kinetics;      /* R_s, then dR_s/du_f at n + s * n + f */
  InkProgram *transport;     /* D_sf at s * n + f */
  double variable[INK_VARS]; /* of what is not a field: parameters */
} InkModel;

/* False: larger than the evaluator takes. Free with ink_model_clear in either case. */
bool ink_model_create(const InkReactions *reactions, InkModel *model);
void ink_model_clear(InkModel *model);
/* rate[n] and slope[n * n] (may be NULL) at u[n]. */
void ink_model_rates(const InkModel *model, const double *u, double *rate, double *slope);
void ink_model_diffusion(const InkModel *model, const double *u, double *D);

/* Solves A x = b by elimination with rows scaled and complete pivoting; A[n * n] by rows and b[n] are used
 * up, x stands in b. Returns the rank (pivots below 1e-12 of the first count as zero); x is of use only when
 * it is n. */
int ink_small_solve(int n, double *A, double *b);
double ink_small_norm(int n, const double *A); /* largest row sum of magnitudes */

/* Eigenvalues of A[n * n] (by rows), the one with the largest real part first (of a pair, that with positive
 * imaginary part). False: LAPACK found none (A is not finite). left, right: eigenvectors of the first, [n],
 * y^H A = lambda y^H; both or neither NULL. */
bool ink_small_eigenvalues(int n, const double *A, double complex *lambda, double complex *left,
                           double complex *right);

/* ---- states ---- */

/* Newton's method, damped, from u; scale[n] > 0: typical sizes. True: u is a zero of R. */
bool ink_model_newton(const InkModel *model, const double *scale, double *u);
/* Stability of a steady state; state->u is set. */
void ink_model_classify(const InkModel *model, const double *u, InkSteadyState *state);
/* How many combinations of the fields the reactions leave free: n less the rank of dR/du at general states.
 */
int ink_model_free(const InkModel *model, const double *scale);
int ink_model_states(const InkModel *model, const double *scale, InkSteadyState state[INK_MAX_STATES]);
/* Typical sizes, > 0, of fields with these values. */
void ink_model_scale(int n, const double *values, double *scale);

/* ---- dispersion ---- */

/* J and D at a state. */
typedef struct InkLinearised {
  int n;
  double J[INK_MAX_FIELDS * INK_MAX_FIELDS], D[INK_MAX_FIELDS * INK_MAX_FIELDS];
} InkLinearised;

void ink_linearise(const InkModel *model, const double *u, InkLinearised *linear);
double ink_linearised_growth(const InkLinearised *linear, double k, double complex *lambda);
/* The wave number > 0 of fastest growth, found in a scan of `points` values of k and refined; *growth: its
 * rate. INFINITY: the shorter the wave, the faster. */
double ink_linearised_fastest(const InkLinearised *linear, int points, double *growth);
bool ink_linearised_dispersion(const InkLinearised *linear, InkDispersion *dispersion);

/* ---- thresholds ---- */

/* The deck's parameters as variables of the model, in the order of the deck. */
typedef struct InkModelParameters {
  int count, first; /* parameter p is variable first + p */
  const char *name[INK_MAX_FIELDS];
  double value[INK_MAX_FIELDS];           /* of those that are numbers */
  const InkExpr *formula[INK_MAX_FIELDS]; /* of those above it; NULL: a number */
} InkModelParameters;

/* Sets the model's variables; parameter `changed` (-1: none) has the value `value`. */
void ink_model_set(InkModel *model, const InkModelParameters *parameters, int changed, double value);

typedef enum InkThresholdKind {
  INK_TURING, /* a wave begins to grow while the uniform state is stable */
  INK_HOPF,   /* the uniform state begins to oscillate */
  INK_REAL,   /* the uniform state becomes unstable without oscillation */
  INK_FOLD    /* the state ends: it meets another one (saddle-node) */
} InkThresholdKind;

typedef struct InkThreshold {
  InkThresholdKind kind;
  int parameter;
  double value, now;
  double wavenumber; /* Turing */
  double frequency;  /* Hopf */
} InkThreshold;

enum { INK_MAX_THRESHOLDS = 24 };

/* Follows the steady state u as each parameter goes from its value down to a tenth and up to ten times it,
 * and finds where stability changes, to 1e-8. Returns how many. */
int ink_model_thresholds(InkModel *model, const InkModelParameters *parameters, const double *u,
                         InkThreshold threshold[INK_MAX_THRESHOLDS]);

/* ---- fronts ---- */

typedef enum InkFrontKind {
  INK_PULLED,   /* into an unstable state; f lies below its tangent there, so the speed is 2 sqrt(D r) */
  INK_AT_LEAST, /* into an unstable state; 2 sqrt(D r) is a lower bound */
  INK_BISTABLE  /* between two stable states */
} InkFrontKind;

typedef struct InkFront {
  InkFrontKind kind;
  int species;
  int from, into;    /* states: of the one that invades (-1: not known) and the one that is invaded */
  double rate;       /* r; bistable: the largest |f'| at the three states */
  double length;     /* sqrt(D/r) */
  double speed;      /* pulled; 0 when bistable */
  double preference; /* bistable: integral of D f from the lower to the upper state; > 0: the upper wins */
} InkFront;

enum { INK_MAX_FRONTS = 8 };
int ink_model_fronts(const InkModel *model, const InkSteadyState *state, int states,
                     InkFront front[INK_MAX_FRONTS]);

/* ---- deck ---- */

enum { INK_AXES = 3 };

typedef struct InkDeckAxis {
  char name;
  double length, widest; /* widest cell */
  bool periodic;
} InkDeckAxis;

/* What the analysis reads from a deck. All of it lives in `pool`. */
typedef struct InkDeckModel {
  InkReactions reactions;
  InkModelParameters parameters;
  double mean[INK_MAX_FIELDS]; /* of the initial state */
  double size[INK_MAX_FIELDS]; /* largest magnitude in it */
  int dim;
  bool cartesian;
  InkDeckAxis axis[INK_AXES];
} InkDeckModel;

/* False: there is nothing to analyse, and `why` says so in a line. */
bool ink_deck_model(const InkDeck *deck, InkPool *pool, InkDeckModel *model, char *why, size_t size);

/* Everything found about a deck. */
typedef struct InkFindings {
  InkDeckModel deck;
  InkModel model;
  int states, nearest; /* nearest: to the mean of the initial state; -1: none */
  int free;            /* combinations of the fields that no reaction changes */
  InkSteadyState state[INK_MAX_STATES];
  bool grows[INK_MAX_STATES];
  InkDispersion dispersion[INK_MAX_STATES];
  int fronts;
  InkFront front[INK_MAX_FRONTS];
} InkFindings;

/* False: nothing to analyse, `why` says so. Free with ink_findings_clear in either case. */
bool ink_findings_create(const InkDeck *deck, InkPool *pool, InkFindings *findings, char *why, size_t size);
void ink_findings_clear(InkFindings *findings);
/* A line about a mesh too coarse for what is to be expected; false: it is fine. */
bool ink_findings_warning(const InkFindings *findings, char *text, size_t size);
#endif
