/* The slowest modes of a chain: which shifts to take, which modes to keep, and their scaling. See spectrum.h.
 */
#include <math.h>
#include <stdlib.h>
#include "spectrum_impl.h"

typedef struct Mode {
  double decay, frequency;
  int number; /* of the eigenvector */
} Mode;

/* What one shift gave. */
typedef struct Pass {
  bool converged; /* as many as were asked for */
  bool faint;     /* some are too fast for the shift */
  int found;
  Mode *mode; /* that are not at rest, slowest first, one of each complex pair */
} Pass;

/* The modes asked for, group by group from the fastest: `left` of them are still to be found. A pass either
 * keeps some, or tells a better shift or number of modes to ask for. */
typedef struct Search {
  InkResolvent *resolvent;
  bool at_rest;  /* there is a stationary law */
  double chosen; /* shift over the fastest rate asked for */
  double least_shift;
  int left, want;
  double *decay, *frequency, **mode;
} Search;

/* The shift over the fastest rate asked for, and how far from that it may be. Where there is detailed balance
 * no mode turns, and the nearest to any shift are the slowest. */
static const double REVERSIBLE = 10, TURNING = 100, AROUND = 10;
static const double SLOW = 1e-4;          /* rates this small compared with the shift lose digits */
static const double FAINT = 1e-11;        /* eigenvalues this small compared with the largest are noise */
static const double LEAST_SHIFT = 1e-140; /* compared with the largest rate between cells */
enum { MOST_PASSES = 100, MOST_COPIES = 50, EXTRA = 5 };

static bool chain_leaves(const InkChain *chain, int64_t cells) {
  for (int64_t c = 0; c < cells; c++)
    if (chain->exit && chain->exit[c] > 0) return true;
  return false;
}

/* The order of magnitude of the largest rate between cells; 1 when nothing moves. */
static double largest_rate(const InkChain *chain, int64_t cells) {
  double rate = 0;
  for (int64_t c = 0; c < cells; c++) {
    double most = chain->exit ? chain->exit[c] : 0;
    for (int d = 0; d < chain->directions; d++) most = fmax(most, fmax(chain->up[d][c], chain->down[d][c]));
    rate = fmax(rate, most / chain->volume[c]);
  }
  return rate > 0 ? rate : 1;
}

static int slower(const void *a, const void *b) {
  const Mode *one = a, *two = b;
  if (one->decay != two->decay) return one->decay < two->decay ? -1 : 1;
  if (one->frequency != two->frequency) return one->frequency < two->frequency ? -1 : 1;
  return one->number - two->number;
}

static double size(const Mode *mode) { return hypot(mode->decay, mode->frequency); }

/* The modes in the subspace. Those much faster than the shift are left out: they cannot be told from
 * round-off. */
static PetscErrorCode list_modes(const InkResolvent *r, bool at_rest, Pass *pass) {
  PetscFunctionBeginUser;
  int rest = 0, n = 0;
  PetscCall(PetscFree(pass->mode));
  PetscCall(PetscMalloc1(r->size + 1, &pass->mode));
  Mode *mode = pass->mode;
  pass->faint = false;
  for (int i = 0; i < r->size; i++) {
    const double real = r->value[0][i], imaginary = r->value[1][i], length = hypot(real, imaginary);
    const bool faint = length * r->shift < FAINT;
    pass->faint = pass->faint || faint;
    if (imaginary < 0 || faint) continue;
    mode[n] = (Mode){real / length / length - r->shift, imaginary / length / length, i};
    if (size(&mode[n]) < size(&mode[rest])) rest = n;
    n++;
  }
  if (at_rest && n > 0) mode[rest] = mode[--n];
  qsort(mode, (size_t)n, sizeof *mode, slower);
  pass->found = n;
  PetscFunctionReturn(0);
}

/* phi = x + i y, with the phase that makes its largest entry real and positive (of entries equally large the
 * first); its real part, integral of the square 1. */
static void normalise(const InkResolvent *r, const double *x, const double *y, double *shape) {
  double largest = 0, sum = 0;
  int64_t at = 0;
  for (int64_t c = 0; c < r->cells; c++) largest = fmax(largest, r->scale[c] * hypot(x[c], y[c]));
  while (at + 1 < r->cells && r->scale[at] * hypot(x[at], y[at]) < (1 - 1e-6) * largest) at++;
  const double length = hypot(x[at], y[at]), cosine = x[at] / length, sine = y[at] / length;
  for (int64_t c = 0; c < r->cells; c++) {
    shape[c] = r->scale[c] * (cosine * x[c] + sine * y[c]);
    sum += r->chain->volume[c] * shape[c] * shape[c];
  }
  for (int64_t c = 0; c < r->cells; c++) shape[c] /= sqrt(sum);
}

static PetscErrorCode take_shape(const InkResolvent *r, const Mode *mode, double *shape) {
  PetscFunctionBeginUser;
  double *x, *y;
  if (!shape) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2((size_t)r->cells, &x, (size_t)r->cells, &y));
  ink_resolvent_vector(r, mode->number, x, y);
  normalise(r, x, y, shape);
  PetscCall(PetscFree2(x, y));
  PetscFunctionReturn(0);
}

/* Of equal eigenvalues some may be missing: looks for more as slow as those that are wanted until there are
 * none. */
static PetscErrorCode complete(const Search *search, Pass *pass) {
  PetscFunctionBeginUser;
  InkResolvent *r = search->resolvent;
  for (int copies = 0; copies < MOST_COPIES; copies++) {
    const double slowest = pass->mode[search->left - 1].decay * (1 + 1e-6);
    const int before = r->size;
    int added;
    PetscCall(ink_resolvent_extend(r, 1, &added));
    if (added == 0) break;
    const int known = pass->found;
    int slow_before = 0, slow = 0;
    for (int k = 0; k < known; k++) slow_before += pass->mode[k].decay <= slowest;
    PetscCall(list_modes(r, search->at_rest, pass));
    for (int k = 0; k < pass->found; k++) slow += pass->mode[k].decay <= slowest;
    if (slow > slow_before) continue;
    PetscCall(ink_resolvent_shrink(r, before));
    PetscCall(list_modes(r, search->at_rest, pass));
    break;
  }
  PetscFunctionReturn(0);
}

/* Keeps those of the slowest `left` that the shift resolves. */
static PetscErrorCode keep(Search *search, Pass *pass) {
  PetscFunctionBeginUser;
  const InkResolvent *r = search->resolvent;
  const bool all = r->shift <= search->least_shift; /* what is left never decays */
  int first = 0;
  if (!all) PetscCall(complete(search, pass));
  while (!all && first < search->left && size(&pass->mode[first]) < SLOW * r->shift) first++;
  for (int k = first; k < search->left; k++) {
    search->decay[k] = all ? 0 : fmax(pass->mode[k].decay, 0);
    search->frequency[k] = all ? 0 : pass->mode[k].frequency;
    PetscCall(take_shape(r, &pass->mode[k], search->mode ? search->mode[k] : NULL));
  }
  search->left = first;
  search->want = first + EXTRA;
  PetscFunctionReturn(0);
}

/* The next step of the search; *shift is the one of the pass and becomes the next one's. */
static PetscErrorCode judge(Search *search, Pass *pass, double *shift, bool *stuck) {
  PetscFunctionBeginUser;
  const bool complete_space = search->resolvent->size == search->resolvent->cells;
  const bool enough = pass->found >= search->left;
  const double wanted = enough ? search->chosen * size(&pass->mode[search->left - 1]) : 0;
  if (!enough && pass->faint) {
    *shift *= 1e6;
  } else if (!enough && !pass->converged) { /* too close together for this shift */
    *stuck = *shift <= search->least_shift;
    *shift = fmax(*shift / TURNING, search->least_shift);
  } else if (!enough) { /* of pairs one is listed: ask for more */
    *stuck = complete_space;
    search->want *= 2;
  } else if (*shift > AROUND * wanted && *shift > search->least_shift) {
    *shift = fmax(fmax(wanted, 1e-10 * *shift), search->least_shift);
  } else if (wanted > AROUND * *shift) {
    *shift = wanted;
  } else {
    PetscCall(keep(search, pass));
    *shift = fmax(*shift * SLOW, search->least_shift);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode find(Search *search, double shift, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkResolvent *r = search->resolvent;
  Pass pass = {0};
  bool stuck = false, symmetric;
  for (int passes = 0; search->left > 0 && !stuck; passes++) {
    int added;
    PetscCall(ink_resolvent_shift(r, shift, failure));
    if (failure->code) break;
    if (passes == 0) {
      PetscCall(ink_resolvent_is_symmetric(r, &symmetric));
      search->chosen = symmetric ? REVERSIBLE : TURNING;
    }
    PetscCall(ink_resolvent_extend(r, search->want, &added));
    pass.converged = added >= search->want || r->size == r->cells;
    PetscCall(list_modes(r, search->at_rest, &pass));
    PetscCall(judge(search, &pass, &shift, &stuck));
    stuck = stuck || passes == MOST_PASSES;
  }
  PetscCall(PetscFree(pass.mode));
  if (stuck)
    ink_fail(failure, INK_NUMERICAL,
             "spectrum: %d of the slowest modes did not converge (rates too close together near %.3g per "
             "time); ask "
             "for fewer modes",
             search->left, shift);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_spectrum_chain(const InkChain *chain, int count, double decay[], double frequency[],
                                  double *mode[], InkFailure *failure) {
  PetscFunctionBeginUser;
  InkResolvent resolvent;
  const int64_t cells = ink_chain_cells(chain);
  const bool at_rest = !chain_leaves(chain, cells);
  if (cells - at_rest < count) {
    ink_fail(failure, INK_NUMERICAL, "spectrum: %lld cells have no more than %lld modes%s, %d are asked for",
             (long long)cells, (long long)(cells - at_rest), at_rest ? " that are not at rest" : "", count);
    PetscFunctionReturn(0);
  }
  PetscCall(ink_resolvent_create(chain, &resolvent));
  const double rate = largest_rate(chain, cells);
  const double longest = (double)PetscMax(chain->cells[0], PetscMax(chain->cells[1], chain->cells[2]));
  Search search = {&resolvent, at_rest,   TURNING, LEAST_SHIFT * rate, count, count + EXTRA,
                   decay,      frequency, mode};
  PetscCall(find(&search, TURNING * rate / (longest * longest), failure));
  PetscCall(ink_resolvent_destroy(&resolvent));
  PetscFunctionReturn(0);
}
