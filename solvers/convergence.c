/* Observed orders of convergence. See convergence.h. */
#include "convergence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "convergence_impl.h"
#include "verify.h"

/* The state of one solution at the end. */
typedef struct Solution {
  double cells;
  int64_t steps;
  double *values; /* what the study asks, [study->count] */
  double *field;  /* the first field, this rank's cells, packed */
  size_t cells_here;
} Solution;

static void free_solution(Solution *s) {
  free(s->values);
  free(s->field);
  *s = (Solution){0};
}

/* Copies this rank's cells of a field into a packed array. */
static void copy_field(const InkField *field, Solution *s) {
  const InkBox *box = &field->grid.box;
  hsize_t count[4] = {1, 1, 1, 1}, stride[4] = {0};
  bool packed = true;
  for (int a = 0; a < box->rank; a++) {
    count[4 - box->rank + a] = box->count[a];
    stride[4 - box->rank + a] = box->stride[a];
    packed = packed && box->stride[a] == 0;
  }
  if (packed) {
    stride[3] = 1;
    for (int a = 2; a >= 0; a--) stride[a] = stride[a + 1] * count[a + 1];
  }
  s->cells_here = (size_t)(count[0] * count[1] * count[2] * count[3]);
  s->field = malloc((s->cells_here + 1) * sizeof(double));
  size_t n = 0;
  for (hsize_t l = 0; l < count[0]; l++)
    for (hsize_t k = 0; k < count[1]; k++)
      for (hsize_t j = 0; j < count[2]; j++)
        for (hsize_t i = 0; i < count[3]; i++)
          s->field[n++] = field->values[l * stride[0] + k * stride[1] + j * stride[2] + i * stride[3]];
}

/* Advances to the end; verify entries are evaluated on the way when `verify` is not NULL. */
static PetscErrorCode advance_to_end(const InkSolverType *solver, void *self, const InkEvents *events,
                                     InkVerify *verify, InkProgress *progress) {
  const InkEvent *next;
  PetscFunctionBeginUser;
  progress->now = events->start;
  if (verify && events->initial & INK_EVENT_VERIFY)
    PetscCall(ink_verify_evaluate(verify, solver, self, events->start, events->same));
  while (!progress->failure.code && (next = ink_events_after(events, progress->now))) {
    PetscCall(solver->advance(self, next->time, NULL, progress));
    if (!progress->failure.code && progress->now >= next->time && verify && next->what & INK_EVENT_VERIFY)
      PetscCall(ink_verify_evaluate(verify, solver, self, progress->now, events->same));
  }
  PetscFunctionReturn(0);
}

/* What the study asks of the solution: errors against `exact`, or the verify values. */
static PetscErrorCode ask(const InkStudy *study, const InkSolverType *solver, void *self,
                          const InkVerify *verify, Solution *s) {
  PetscFunctionBeginUser;
  s->values = calloc((size_t)study->count + 1, sizeof(double));
  for (int q = 0; q < study->count; q++) {
    InkValue value = {0};
    if (study->against_exact)
      PetscCall(solver->quantity(self, &study->query[q], &value));
    else
      value = verify->entry[q].value;
    s->values[q] = value.value;
  }
  PetscFunctionReturn(0);
}

/* Solves the deck with `settings`; on failure it has been printed and study->code says which. */
static PetscErrorCode solve(InkStudy *study, const char *const *settings, bool with_values, Solution *s) {
  InkDeck *deck;
  const InkSolverType *solver;
  void *self = NULL;
  InkEvents *events = NULL;
  InkVerify *verify = NULL;
  InkProgress progress = {0};
  InkPlan plan = {0};
  PetscFunctionBeginUser;
  study->code = INK_USAGE;
  PetscCall(ink_prepare_deck(study->comm, study->file, settings, &deck, &solver));
  if (!deck) PetscFunctionReturn(0);
  PetscCall(solver->create(study->comm, deck, &self, &progress.failure));
  PetscCall(ink_failure_agree(study->comm, &progress.failure));
  if (!progress.failure.code) {
    PetscCall(solver->plan(self, &plan));
    PetscCall(ink_events_create(deck, with_values ? INK_EVENT_VERIFY : 0, &events));
    PetscCall(ink_verify_create(study->comm, deck, &verify));
    PetscCall(advance_to_end(solver, self, events, with_values ? verify : NULL, &progress));
  }
  study->code = (int)progress.failure.code;
  if (study->code && study->rank == 0) fprintf(stderr, "%s: %s\n", study->file, progress.failure.message);
  if (!study->code) {
    const InkField *field;
    int count;
    if (with_values) PetscCall(ask(study, solver, self, verify, s));
    PetscCall(solver->fields(self, &field, &count));
    copy_field(&field[0], s);
    s->cells = plan.cells;
    s->steps = progress.step;
  }
  ink_events_destroy(&events);
  PetscCall(ink_verify_destroy(&verify));
  if (self) PetscCall(solver->destroy(&self));
  ink_deck_destroy(&deck);
  PetscFunctionReturn(0);
}

/* Largest and root-mean-square difference of two solutions on the same mesh. */
static PetscErrorCode difference(MPI_Comm comm, const Solution *a, const Solution *b, double norm[2]) {
  double largest = 0, sums[2] = {0, (double)a->cells_here};
  PetscFunctionBeginUser;
  for (size_t i = 0; i < a->cells_here; i++) {
    double d = a->field[i] - b->field[i];
    largest = fmax(largest, fabs(d));
    sums[0] += d * d;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, comm));
  norm[0] = sqrt(sums[0] / sums[1]);
  norm[1] = largest;
  PetscFunctionReturn(0);
}

/* log2 of the ratio of successive errors; NaN when there is no earlier one or both are round-off. */
static void fill_orders(InkTable *table, double round_off) {
  for (int q = 0; q < table->columns; q++)
    for (int l = 0; l < table->rows; l++) {
      double now = table->row[l].error[q], before = l > 0 ? table->row[l - 1].error[q] : NAN;
      table->row[l].order[q] = now > round_off ? log2(before / now) : NAN;
    }
}

static PetscErrorCode space_study(InkStudy *study, InkTable *table) {
  Solution before = {0}, now = {0};
  PetscFunctionBeginUser;
  table->columns = study->count;
  for (int l = 0; l < study->levels && !study->code; l++) {
    char **settings = ink_study_space_settings(study, l);
    PetscCall(solve(study, (const char *const *)settings, true, &now));
    ink_study_free_settings(settings);
    if (study->code) break;
    InkTableRow *row = &table->row[table->rows++];
    row->cells = now.cells;
    row->steps = now.steps;
    for (int q = 0; q < study->count; q++) {
      if (study->against_exact)
        row->error[q] = now.values[q];
      else
        row->error[q] = l > 0 ? fabs(now.values[q] - before.values[q]) : NAN;
    }
    free_solution(&before);
    before = now;
    now = (Solution){0};
  }
  free_solution(&before);
  fill_orders(table, 1e-14);
  PetscFunctionReturn(0);
}

static PetscErrorCode time_study(InkStudy *study, InkTable *table) {
  Solution before = {0}, now = {0};
  PetscFunctionBeginUser;
  table->columns = 2;
  for (int l = 0; l < study->levels && !study->code; l++) {
    char **settings = ink_study_time_settings(study, l);
    PetscCall(solve(study, (const char *const *)settings, false, &now));
    ink_study_free_settings(settings);
    if (study->code) break;
    InkTableRow *row = &table->row[table->rows++];
    row->cells = now.cells;
    row->steps = now.steps;
    row->error[0] = row->error[1] = NAN;
    if (l > 0) PetscCall(difference(study->comm, &now, &before, row->error));
    free_solution(&before);
    before = now;
    now = (Solution){0};
  }
  free_solution(&before);
  fill_orders(table, 1e-14);
  PetscFunctionReturn(0);
}

/* The lowest of the last orders; INFINITY when all are round-off. */
static double last_order(const InkTable *table) {
  double least = INFINITY;
  for (int q = 0; q < table->columns; q++)
    for (int l = table->rows - 1; l >= 0; l--)
      if (!isnan(table->row[l].order[q])) {
        least = fmin(least, table->row[l].order[q]);
        break;
      }
  return least;
}

PetscErrorCode ink_convergence(MPI_Comm comm, const InkOptions *options, int *code) {
  InkStudy study = {
      .comm = comm, .file = options->argument[0], .options = options, .levels = options->levels};
  InkTable space = {.title = "space", .quantity = study.quantity};
  static const char *const norms[] = {"rms difference", "max difference"};
  InkTable time = {.title = "time", .quantity = norms};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &study.rank));
  PetscCall(ink_study_create(&study));
  if (!study.code) PetscCall(space_study(&study, &space));
  if (!study.code && !study.steady) PetscCall(time_study(&study, &time));
  if (!study.code && study.rank == 0) {
    ink_study_print(&study, &space, stdout);
    if (!study.steady) ink_study_print(&study, &time, stdout);
    if (options->json_file) study.code = ink_study_write_json(&study, &space, &time);
  }
  PetscCallMPI(MPI_Bcast(&study.code, 1, MPI_INT, 0, comm));
  double reached = last_order(&space);
  if (!study.code && options->expect_order > 0 && !(reached >= options->expect_order)) {
    study.code = INK_UNVERIFIED;
    if (study.rank == 0)
      fprintf(stderr, "%s: the last order in space is %.3f, below %g\n", study.file, reached,
              options->expect_order);
  }
  *code = study.code;
  ink_study_destroy(&study);
  PetscFunctionReturn(0);
}
