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
  int order;      /* in time, of the method */
  double *values; /* what the study asks, [study->count] */
  int fields;
  double *field;     /* all fields, this rank's cells, packed, one field after the other */
  size_t cells_here; /* of one field */
} Solution;

static void free_solution(Solution *s) {
  free(s->values);
  free(s->field);
  *s = (Solution){0};
}

/* Copies this rank's cells of a field into a packed array. Returns how many there are; counts only when
 * packed is NULL. */
static size_t copy_field(const InkField *field, double *packed) {
  const InkBox *box = &field->grid.box;
  hsize_t count[4] = {1, 1, 1, 1}, stride[4] = {0};
  bool dense = true;
  for (int a = 0; a < box->rank; a++) {
    count[4 - box->rank + a] = box->count[a];
    stride[4 - box->rank + a] = box->stride[a];
    dense = dense && box->stride[a] == 0;
  }
  if (dense) {
    stride[3] = 1;
    for (int a = 2; a >= 0; a--) stride[a] = stride[a + 1] * count[a + 1];
  }
  size_t n = 0;
  if (!packed) return (size_t)(count[0] * count[1] * count[2] * count[3]);
  for (hsize_t l = 0; l < count[0]; l++)
    for (hsize_t k = 0; k < count[1]; k++)
      for (hsize_t j = 0; j < count[2]; j++)
        for (hsize_t i = 0; i < count[3]; i++)
          packed[n++] = field->values[l * stride[0] + k * stride[1] + j * stride[2] + i * stride[3]];
  return n;
}

static void copy_fields(const InkField *field, int count, Solution *s) {
  s->fields = count;
  s->cells_here = copy_field(&field[0], NULL);
  s->field = malloc((s->cells_here * (size_t)count + 1) * sizeof(double));
  for (int f = 0; f < count; f++) copy_field(&field[f], s->field + (size_t)f * s->cells_here);
}

/* At a target: samples of rates, and verify entries that are due. */
static PetscErrorCode observe(const InkSolverType *solver, void *self, const InkEvents *events, unsigned what,
                              double now, InkVerify *verify) {
  PetscFunctionBeginUser;
  if (what & INK_EVENT_TRACK) PetscCall(ink_verify_sample(verify, solver, self, now, events->same));
  if (what & INK_EVENT_VERIFY) PetscCall(ink_verify_evaluate(verify, solver, self, now, events->same));
  PetscFunctionReturn(0);
}

/* Advances to the end; verify entries are evaluated on the way when `verify` is not NULL. */
static PetscErrorCode advance_to_end(const InkSolverType *solver, void *self, const InkEvents *events,
                                     InkVerify *verify, InkProgress *progress) {
  const InkEvent *next;
  PetscFunctionBeginUser;
  progress->now = events->start;
  if (verify) PetscCall(observe(solver, self, events, events->initial, events->start, verify));
  while (!progress->failure.code && (next = ink_events_after(events, progress->now))) {
    PetscCall(solver->advance(self, next->time, NULL, progress));
    if (!progress->failure.code && progress->now >= next->time && verify)
      PetscCall(observe(solver, self, events, next->what, progress->now, verify));
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
    PetscCall(ink_events_create(deck, with_values ? INK_EVENT_VERIFY | INK_EVENT_TRACK : 0, &events));
    PetscCall(ink_events_tell(events, solver, self, &progress.failure));
    PetscCall(ink_verify_create(study->comm, deck, &verify));
    if (!progress.failure.code)
      PetscCall(advance_to_end(solver, self, events, with_values ? verify : NULL, &progress));
  }
  study->code = (int)progress.failure.code;
  if (study->code && study->rank == 0) fprintf(stderr, "%s: %s\n", study->file, progress.failure.message);
  if (!study->code) {
    const InkField *field;
    int count;
    if (with_values) PetscCall(ask(study, solver, self, verify, s));
    PetscCall(solver->fields(self, &field, &count));
    copy_fields(field, count, s);
    s->cells = plan.cells;
    s->order = plan.order;
    s->steps = progress.step;
  }
  ink_events_destroy(&events);
  PetscCall(ink_verify_destroy(&verify));
  if (self) PetscCall(solver->destroy(&self));
  ink_deck_destroy(&deck);
  PetscFunctionReturn(0);
}

/* Root-mean-square and largest difference of field f of two solutions on the same mesh, and the size of the
 * field. */
static PetscErrorCode difference(MPI_Comm comm, const Solution *a, const Solution *b, int f, double norm[2],
                                 double *size) {
  double largest[2] = {0, 0}, sums[2] = {0, (double)a->cells_here};
  PetscFunctionBeginUser;
  for (size_t i = (size_t)f * a->cells_here; i < (size_t)(f + 1) * a->cells_here; i++) {
    double d = a->field[i] - b->field[i];
    largest[0] = fmax(largest[0], fabs(d));
    largest[1] = fmax(largest[1], fabs(a->field[i]));
    sums[0] += d * d;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, 2, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, comm));
  norm[0] = sqrt(sums[0] / sums[1]);
  norm[1] = largest[0];
  *size = largest[1];
  PetscFunctionReturn(0);
}

/* log2 of the ratio of successive errors; NaN when there is no earlier one or the error is round-off: that of
 * numbers as large as size[q], or 1 without `size`. */
static void fill_orders(InkTable *table, const double *size) {
  static const double round_off = 1e-14;
  for (int q = 0; q < table->columns; q++)
    for (int l = 0; l < table->rows; l++) {
      double now = table->row[l].error[q], before = l > 0 ? table->row[l - 1].error[q] : NAN;
      table->row[l].order[q] = now > round_off * (size ? size[q] : 1) ? log2(before / now) : NAN;
    }
}

static InkTableRow *new_row(InkTable *table, const Solution *solution) {
  InkTableRow *row = &table->row[table->rows++];
  row->cells = solution->cells;
  row->steps = solution->steps;
  row->method_order = solution->order;
  return row;
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
    InkTableRow *row = new_row(table, &now);
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
  fill_orders(table, NULL);
  PetscFunctionReturn(0);
}

static PetscErrorCode time_study(InkStudy *study, InkTable *table) {
  Solution before = {0}, now = {0};
  double size[INK_STUDY_QUANTITIES] = {0};
  PetscFunctionBeginUser;
  table->columns = study->norms;
  for (int l = 0; l < study->levels && !study->code; l++) {
    char **settings = ink_study_time_settings(study, l);
    PetscCall(solve(study, (const char *const *)settings, false, &now));
    ink_study_free_settings(settings);
    if (study->code) break;
    InkTableRow *row = new_row(table, &now);
    for (int f = 0; 2 * f < study->norms; f++) {
      row->error[2 * f] = row->error[2 * f + 1] = NAN;
      if (l == 0) continue;
      PetscCall(difference(study->comm, &now, &before, f, &row->error[2 * f], &size[2 * f]));
      size[2 * f + 1] = size[2 * f];
    }
    free_solution(&before);
    before = now;
    now = (Solution){0};
  }
  free_solution(&before);
  fill_orders(table, size);
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
  InkTable time = {.title = "time", .quantity = study.norm};
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
