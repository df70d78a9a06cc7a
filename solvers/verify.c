/* Verify entries: from the deck to queries, values and verdicts. See verify.h. */
#include "verify.h"
#include "core/mesh.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The quantities of the deck's language. argument: what must follow the name ("" nothing). */
static const struct QuantityRow {
  const char *kind, *argument;
} quantities[] = {
    {"probe", "NAME"},
    {"integral", "FIELD"},
    {"mean", "NAME"},
    {"variance", "NAME"},
    {"min", "FIELD"},
    {"max", "FIELD"},
    {"flux", "SIDE"},
    {"mean_flux", "SIDE"},
    {"current", "SIDE"},
    {"error", "l2:FIELD"},
    {"front", "position or front:speed"},
    {"growth", ""},
    {"amplitude", ""},
    {"wavelength", ""},
    {"spots", ""},
    {"balance", "FIELD"},
    {"probability", ""},
    {"expectation", ""},
    {"absorbed", "SIDE"},
    {"eigenvalue", "k"},
    {"quadratic_variation", ""},
    {"total_variation", ""},
    {"msd", ""},
    {"first_passage_time", ""},
    {"distance", "total_variation"},
    {"p_value", "chi_squared"},
    {"alpha_bar", "t"},
    {"beta", "t"},
    {"snr", "t"},
    {"posterior", "mean_x0"},
    {"prior_kl", ""},
    {"mixture", "weight:k"},
};
enum { QUANTITIES = sizeof quantities / sizeof *quantities, LONGEST_NAME = 32 };

InkQuery ink_query_parse(InkPool *pool, const char *quantity, const InkNode *entry) {
  InkQuery query = {quantity, "", entry};
  const char *colon = strchr(quantity, ':');
  if (!colon) return query;
  char *kind = ink_pool_strdup(pool, quantity);
  kind[colon - quantity] = '\0';
  query.kind = kind;
  query.argument = kind + (colon - quantity) + 1;
  return query;
}

/* Levenshtein distance of two names, up to LONGEST_NAME characters of each. */
static int distance(const char *a, const char *b) {
  int row[LONGEST_NAME + 1];
  int n = (int)strnlen(a, LONGEST_NAME), m = (int)strnlen(b, LONGEST_NAME);
  for (int j = 0; j <= m; j++) row[j] = j;
  for (int i = 1; i <= n; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= m; j++) {
      int change = diagonal + (a[i - 1] != b[j - 1]);
      int shortest = change < row[j] + 1 ? change : row[j] + 1;
      if (row[j - 1] + 1 < shortest) shortest = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = shortest;
    }
  }
  return row[m];
}

static const struct QuantityRow *find_quantity(const char *kind) {
  for (int q = 0; q < QUANTITIES; q++)
    if (strcmp(quantities[q].kind, kind) == 0) return &quantities[q];
  return NULL;
}

static const char *nearest_quantity(const char *kind) {
  int best = QUANTITIES, least = (int)strlen(kind) / 2;
  for (int q = 0; q < QUANTITIES; q++) {
    int d = distance(kind, quantities[q].kind);
    if (d <= least) {
      least = d - 1;
      best = q;
    }
  }
  return best < QUANTITIES ? quantities[best].kind : NULL;
}

/* Is the name of the quantity one of the deck's language, with what must follow it? Else the error is added.
 */
static bool check_name(const InkDeck *deck, const char *path, const InkQuery *query, InkErrors *errors) {
  const struct QuantityRow *row = find_quantity(query->kind);
  size_t length = strcspn(query->argument, ":");
  if (!row) {
    const char *near = nearest_quantity(query->kind);
    ink_deck_error(deck, errors, path, "unknown quantity '%s'%s%s%s", query->kind,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
  }
  if (*row->argument && !*query->argument) {
    ink_deck_error(deck, errors, path, "'%s' needs a name after it: %s:%s", query->kind, query->kind,
                   row->argument);
    return false;
  }
  if (strcmp(query->kind, "front") != 0) return true;
  if (length == strlen("position") && strncmp(query->argument, "position", length) == 0) return true;
  if (length == strlen("speed") && strncmp(query->argument, "speed", length) == 0) return true;
  ink_deck_error(deck, errors, path,
                 "unknown quantity 'front:%s'; a front has front:position and front:speed", query->argument);
  return false;
}

/* True when the i-th entry's quantity can be asked; else the errors are added. dim: of its value. */
static bool check_quantity(const InkDeck *deck, int i, const InkSolverType *solver, InkPool *pool,
                           InkDim *dim, InkErrors *errors) {
  char path[64], message[512] = "";
  const char *quantity = ink_deck_text(deck, "verify[%d].quantity", i);
  InkQuery query = ink_query_parse(pool, quantity, ink_deck_node(deck, "verify[%d]", i));
  InkTrackKind kind = ink_track_kind(quantity);
  snprintf(path, sizeof path, "verify[%d].quantity", i);
  if (!check_name(deck, path, &query, errors) || !ink_track_check(deck, i, errors)) return false;
  if (kind != INK_TRACK_NONE) query = ink_track_base(pool, kind, &query);
  if (!solver->defined(deck, &query, dim, message, sizeof message)) {
    ink_deck_error(deck, errors, path, "%s", message);
    return false;
  }
  if (kind != INK_TRACK_NONE) *dim = ink_track_dim(kind);
  return true;
}

void ink_verify_check(const InkDeck *deck, const InkSolverType *solver, InkErrors *errors) {
  if (!ink_deck_sound(deck, "%s", ink_deck_domain(deck)) || !ink_deck_sound(deck, "probes"))
    return; /* what they name is unknown */
  InkPool *pool = ink_pool_create();
  for (int i = 0; i < ink_deck_count(deck, "verify"); i++) {
    const InkNode *quantity = ink_deck_node(deck, "verify[%d].quantity", i);
    const InkNode *expect = ink_deck_node(deck, "verify[%d].expect", i);
    if (!quantity || !quantity->text || !ink_deck_sound(deck, "verify[%d]", i)) continue;
    InkDim dim = ink_dim_any();
    if (!check_quantity(deck, i, solver, pool, &dim, errors)) continue;
    if (!expect || ink_dim_equal(&dim, &expect->dim)) continue;
    char path[64], wanted[64], got[64];
    ink_dim_print(&dim, wanted, sizeof wanted);
    ink_dim_print(&expect->dim, got, sizeof got);
    snprintf(path, sizeof path, "verify[%d].expect", i);
    ink_deck_error(deck, errors, path, "%s is in %s, got %s", quantity->text, wanted, got);
  }
  ink_pool_destroy(&pool);
}

static void read_entry(const InkDeck *deck, int i, bool root, InkVerify *verify) {
  InkVerifyEntry *e = &verify->entry[i];
  e->quantity = ink_deck_text(deck, "verify[%d].quantity", i);
  e->query = ink_query_parse(verify->pool, e->quantity, ink_deck_node(deck, "verify[%d]", i));
  e->at = ink_verify_time(deck, i);
  e->expect = ink_deck_number(deck, "verify[%d].expect", i);
  e->within = ink_deck_number(deck, "verify[%d].within", i);
  if (ink_deck_node(deck, "verify[%d].within", i)->percent) e->within *= fabs(e->expect);
  e->source =
      ink_deck_node(deck, "verify[%d].source", i) ? ink_deck_text(deck, "verify[%d].source", i) : NULL;
  const InkNode *expect = ink_deck_node(deck, "verify[%d].expect", i);
  bool with_unit = root && expect->unit && expect->factor != 0;
  e->display_unit = with_unit ? expect->unit : NULL;
  e->display_factor = with_unit ? expect->factor : 1;
  e->display_offset = with_unit ? expect->offset / expect->factor : 0;
}

PetscErrorCode ink_verify_create(MPI_Comm comm, const InkDeck *deck, InkVerify **verify) {
  InkVerify *made;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&made));
  made->pool = ink_pool_create();
  made->count = ink_deck_count(deck, "verify");
  PetscCall(PetscCalloc1((size_t)made->count, &made->entry));
  for (int i = 0; i < made->count; i++) {
    read_entry(deck, i, rank == 0, made);
    PetscCall(ink_track_create(deck, i, made->pool, &made->entry[i].query, &made->entry[i].track));
  }
  *verify = made;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_verify_destroy(InkVerify **verify) {
  PetscFunctionBeginUser;
  if (*verify) {
    for (int i = 0; i < (*verify)->count; i++) PetscCall(ink_track_destroy(&(*verify)->entry[i].track));
    ink_pool_destroy(&(*verify)->pool);
    PetscCall(PetscFree((*verify)->entry));
  }
  PetscCall(PetscFree(*verify));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_verify_sample(InkVerify *verify, const InkSolverType *solver, void *self, double time,
                                 double same) {
  PetscFunctionBeginUser;
  for (int i = 0; i < verify->count; i++)
    if (verify->entry[i].track) PetscCall(ink_track_sample(verify->entry[i].track, solver, self, time, same));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_verify_evaluate(InkVerify *verify, const InkSolverType *solver, void *self, double time,
                                   double same) {
  PetscFunctionBeginUser;
  for (int i = 0; i < verify->count; i++) {
    InkVerifyEntry *e = &verify->entry[i];
    if (fabs(e->at - time) > same) continue;
    if (e->track)
      ink_track_value(e->track, &e->value);
    else
      PetscCall(solver->quantity(self, &e->query, &e->value));
    snprintf(e->unit, sizeof e->unit, "%s", e->value.unit ? e->value.unit : "1");
    e->done = true;
  }
  PetscFunctionReturn(0);
}

InkVerdict *ink_verify_verdicts(const InkVerify *verify, bool *pass) {
  InkVerdict *verdict = calloc((size_t)verify->count + 1, sizeof *verdict);
  *pass = true;
  for (int i = 0; verdict && i < verify->count; i++) {
    const InkVerifyEntry *e = &verify->entry[i];
    InkVerdict *v = &verdict[i];
    *v = (InkVerdict){.quantity = e->quantity,
                      .at = e->at,
                      .value = e->done ? e->value.value : NAN,
                      .expect = e->expect,
                      .within = e->within,
                      .standard_error = e->value.standard_error,
                      .source = e->source,
                      .unit = e->display_unit ? e->display_unit : (e->done ? e->unit : "1"),
                      .display_factor = e->display_factor,
                      .display_offset = e->display_offset};
    v->difference = v->value - v->expect;
    v->pass = fabs(v->difference) <= v->within; /* false for NaN */
    *pass = *pass && v->pass;
  }
  return verdict;
}
