/* Reading and checking a deck before anything runs, and the verb `check`. */
#include "driver.h"

#include <math.h>
#include <string.h>
#include "core/mesh.h"
#include "events.h"
#include "verify.h"

double ink_deck_number_or(const InkDeck *deck, const char *path, double otherwise) {
  return ink_deck_node(deck, "%s", path) ? ink_deck_number(deck, "%s", path) : otherwise;
}

/* On rank 0: the deck, or NULL when it is bad, which has been printed. */
static InkDeck *read_and_check(const char *path, const char *const *settings, int ranks) {
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, settings, &ink_schemas, errors);
  const InkNode *name = deck && ink_deck_sound(deck, "solver") ? ink_deck_node(deck, "solver") : NULL;
  const InkSolverType *solver = name && name->text ? ink_solver_find(name->text) : NULL;
  if (solver) { /* with errors already found, the checks leave out what rests on them */
    solver->check(deck, ranks, errors);
    ink_events_check(deck, errors);
    ink_verify_check(deck, solver, errors);
  }
  ink_errors_print(errors, stderr);
  if (ink_errors_count(errors) > 0) ink_deck_destroy(&deck);
  ink_errors_destroy(&errors);
  return deck;
}

PetscErrorCode ink_prepare_deck(MPI_Comm comm, const char *path, const char *const *settings, InkDeck **deck,
                                const InkSolverType **solver) {
  int rank, ranks, good = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  *deck = NULL;
  if (rank == 0) {
    *deck = read_and_check(path, settings, ranks);
    good = *deck != NULL;
  }
  PetscCallMPI(MPI_Bcast(&good, 1, MPI_INT, 0, comm));
  if (!good) PetscFunctionReturn(0);
  PetscCall(ink_deck_broadcast(comm, &ink_schemas, deck));
  *solver = ink_solver_find(ink_deck_text(*deck, "solver"));
  PetscFunctionReturn(0);
}

static bool immobile(const InkDeck *deck, const char *field) {
  const InkNode *node = ink_deck_node(deck, "species.%s.diffusion", field);
  double value;
  return ink_deck_node(deck, "species") &&
         (!node || (ink_expr_is_number(node->expression, &value) && value == 0));
}

/* The mobile fields that a side with a law for each field leaves out: "u, v"; "" when it says all. */
static void left_out(const InkDeck *deck, const char *side, char *text, size_t size) {
  const InkNode *node = ink_deck_node(deck, "%s.%s", ink_deck_boundary(deck), side);
  const char *const *fields;
  const int count = ink_deck_fields(deck, &fields, NULL);
  const char *absent[INK_MAX_FIELDS];
  int n = 0;
  text[0] = '\0';
  if (!node || node->kind != INK_MAPPING || ink_tree_child(node, "type")) return;
  for (int f = 0; f < count; f++)
    if (!ink_tree_child(node, fields[f]) && !immobile(deck, fields[f])) absent[n++] = fields[f];
  ink_names_join(absent, n, text, size);
}

void ink_defaulted_sides(const InkDeck *deck, char *text, size_t size) {
  text[0] = '\0';
  if (ink_deck_node(deck, "manufactured") && ink_deck_bool(deck, "manufactured"))
    return; /* all come from `exact` */
  if (!ink_deck_has_domain(deck)) return;
  const char *side[INK_SIDES];
  ink_deck_sides(deck, side);
  for (int s = 0; s < INK_SIDES; s++) {
    char fields[160];
    if (!*side[s]) continue;
    left_out(deck, side[s], fields, sizeof fields);
    if (ink_deck_has(deck, "%s.%s", ink_deck_boundary(deck), side[s]) && !fields[0]) continue;
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s%s%s%s", length ? ", " : "", side[s], fields[0] ? " (" : "",
             fields, fields[0] ? ")" : "");
  }
}

/* A number of bytes with a unit that suits it. */
static void print_bytes(double bytes) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
  int u = 0;
  for (; bytes >= 1000 && u < 4; u++) bytes /= 1000;
  printf("%.3g %s", bytes, unit[u]);
}

static void print_seconds(double seconds) {
  if (seconds < 120)
    printf("%.2g s", seconds);
  else if (seconds < 7200)
    printf("%.3g min", seconds / 60);
  else
    printf("%.3g h", seconds / 3600);
}

static void print_time(const InkPlan *plan, int ranks) {
  const double least = strcmp(plan->method, "steady") == 0 ? 1 : 0; /* below, other things take longer */
  if (plan->seconds <= least) return;
  printf("  %-18s about ", "time");
  print_seconds(plan->seconds);
  printf(" on %d rank%s, without output\n", ranks, ranks == 1 ? "" : "s");
}

static void print_steps(const InkDeck *deck, const InkPlan *plan) {
  const char *s = ink_deck_seconds(deck);
  if (strcmp(plan->method, "steady") == 0) {
    printf("  %-18s one steady solve\n", "steps");
    return;
  }
  if (plan->dt_gershgorin > 0) {
    printf("  %-18s %.4g%s (Gershgorin)", "monotone step", plan->dt_gershgorin, s);
    if (plan->dt_exact > 0) printf(", %.4g%s (exact bound)", plan->dt_exact, s);
    printf("\n");
  }
  if (plan->dt > 0) printf("  %-18s %.4g%s\n", "first step", plan->dt, s);
  if (plan->steps > 0)
    printf("  %-18s about %.0f\n", "steps", plan->steps);
  else
    printf("  %-18s as many as the tolerance needs\n", "steps");
}

static void print_plan(const char *file, const InkDeck *deck, const InkPlan *plan, int ranks,
                       const InkEvents *events) {
  char sides[256];
  int snapshots = (events->initial & INK_EVENT_SNAPSHOT) != 0;
  for (int e = 0; e < events->count; e++) snapshots += (events->event[e].what & INK_EVENT_SNAPSHOT) != 0;
  printf("%s: good\n", file);
  printf("  %-18s %.0f\n  %-18s ", plan->counts ? plan->counts : "cells", plan->cells, "memory per rank");
  print_bytes(plan->bytes_per_rank);
  printf(" (%d rank%s)\n", ranks, ranks == 1 ? "" : "s");
  printf("  %-18s %s: %s\n", "method", plan->method, plan->reason);
  print_steps(deck, plan);
  print_time(plan, ranks);
  printf("  %-18s %d of ", "snapshots", snapshots);
  if (plan->counts)
    printf("the histogram on the cells of the model\n");
  else {
    print_bytes(8 * plan->cells);
    printf(" a field\n");
  }
  ink_defaulted_sides(deck, sides, sizeof sides);
  if (!ink_deck_has_domain(deck)) return;
  printf("  %-18s %s\n", ink_deck_state(deck, NULL) < 0 ? "zero-flux sides" : "reflecting sides",
         sides[0] ? sides : "none by default");
}

PetscErrorCode ink_check_deck(MPI_Comm comm, const char *file, const InkOptions *options, int *code) {
  InkDeck *deck;
  const InkSolverType *solver;
  InkFailure failure = {0};
  InkPlan plan = {0};
  InkEvents *events;
  void *self = NULL;
  int rank, ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  *code = INK_USAGE;
  PetscCall(ink_prepare_deck(comm, file, options->setting, &deck, &solver));
  if (!deck) PetscFunctionReturn(0);
  PetscCall(solver->create(comm, deck, &self, &failure));
  PetscCall(ink_failure_agree(comm, &failure));
  *code = (int)failure.code;
  if (failure.code && rank == 0) fprintf(stderr, "%s: %s\n", file, failure.message);
  if (!failure.code) {
    PetscCall(solver->plan(self, &plan));
    PetscCall(ink_events_create(deck, INK_EVENT_ALL, &events));
    if (rank == 0) print_plan(file, deck, &plan, ranks, events);
    if (rank == 0 && solver->analyse) solver->analyse(deck, stdout);
    ink_events_destroy(&events);
  }
  if (self) PetscCall(solver->destroy(&self));
  ink_deck_destroy(&deck);
  PetscFunctionReturn(0);
}
