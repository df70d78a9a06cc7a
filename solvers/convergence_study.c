/* A convergence study's questions, settings and tables. See convergence_impl.h. */
#include "convergence_impl.h"
#include "../io/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "core/mesh.h"
#include "events.h"
#include "verify.h"

/* Steps of an implicit run on the coarsest level: so many that the error in time is of the size of that in
 * space. */
enum { IMPLICIT_SPACE_STEPS = 64, IMPLICIT_TIME_STEPS = 16 };
/* Linear and nonlinear solves follow time.tolerance; here steps are fixed, and what a solve leaves must not
 * show. */
static const char tight[] = "time.tolerance=1e-9";

static void add_quantity(InkStudy *study, const char *text) {
  if (study->count == INK_STUDY_QUANTITIES) return;
  study->quantity[study->count] = ink_pool_strdup(study->pool, text);
  study->query[study->count] = ink_query_parse(study->pool, study->quantity[study->count], NULL);
  study->count++;
}

/* Errors of every field with an exact solution; without one the verify entries. */
static void choose_quantities(InkStudy *study) {
  static const char *const errors[] = {"l2", "max"}, *const norms[] = {"rms", "max"};
  const char *const *fields;
  const InkDim *dims;
  char text[256];
  int count = ink_deck_fields(study->deck, &fields, &dims);
  for (int f = 0; f < count; f++)
    for (int e = 0; e < 2; e++) {
      snprintf(text, sizeof text, "%s difference%s%s", norms[e], count > 1 ? " " : "",
               count > 1 ? fields[f] : "");
      study->norm[study->norms++] = ink_pool_strdup(study->pool, text);
      if (!ink_deck_has(study->deck, "exact.%s", fields[f])) continue;
      study->against_exact = true;
      snprintf(text, sizeof text, "error:%s:%s", errors[e], fields[f]);
      add_quantity(study, text);
    }
  if (study->against_exact) return;
  for (int i = 0; i < ink_deck_count(study->deck, "verify"); i++)
    add_quantity(study, ink_deck_text(study->deck, "verify[%d].quantity", i));
}

static PetscErrorCode plan_steps(InkStudy *study) {
  InkFailure failure = {0};
  InkPlan plan = {0};
  void *self = NULL;
  PetscFunctionBeginUser;
  PetscCall(study->solver->create(study->comm, study->deck, &self, &failure));
  PetscCall(ink_failure_agree(study->comm, &failure));
  study->code = (int)failure.code;
  if (!failure.code)
    PetscCall(study->solver->plan(self, &plan));
  else if (study->rank == 0)
    fprintf(stderr, "%s: %s\n", study->file, failure.message);
  if (self) PetscCall(study->solver->destroy(&self));
  snprintf(study->method, sizeof study->method, "%s", plan.method);
  study->order = plan.order;
  study->explicit_steps = strcmp(plan.method, "explicit") == 0;
  study->steady = strcmp(plan.method, "steady") == 0;
  study->span = ink_deck_end(study->deck) - ink_deck_start(study->deck);
  study->dt = ink_deck_number_or(study->deck, "time.dt", study->explicit_steps ? plan.dt : 0);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_study_create(InkStudy *study) {
  PetscFunctionBeginUser;
  study->code = INK_USAGE;
  study->pool = ink_pool_create();
  PetscCall(
      ink_prepare_deck(study->comm, study->file, study->options->setting, &study->deck, &study->solver));
  if (!study->deck) PetscFunctionReturn(0);
  if (!ink_deck_has_domain(study->deck) || study->solver->draws) {
    if (study->rank == 0)
      fprintf(stderr, "%s: convergence halves cells, and %s %s\n", study->file, study->solver->name,
              study->solver->draws ? "draws its paths by chance: compare runs with different particles.dt"
                                   : "has none that the deck could change");
    PetscFunctionReturn(0);
  }
  choose_quantities(study);
  if (study->count == 0) {
    if (study->rank == 0)
      fprintf(stderr, "%s: convergence needs something to compare: give `exact` or `verify` entries\n",
              study->file);
    PetscFunctionReturn(0);
  }
  PetscCall(plan_steps(study));
  PetscFunctionReturn(0);
}

void ink_study_destroy(InkStudy *study) {
  ink_deck_destroy(&study->deck);
  ink_pool_destroy(&study->pool);
}

/* A list of settings with room for the refinement of three axes and the time step. */
typedef struct Settings {
  char **text;
  int count;
} Settings;

enum { REFINING_SETTINGS = 12 };

__attribute__((format(printf, 2, 3))) static void set(Settings *settings, const char *format, ...) {
  va_list list;
  char text[8192];
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  settings->text[settings->count++] = strdup(text);
}

static Settings users_settings(const InkStudy *study) {
  Settings settings = {calloc((size_t)study->options->settings + REFINING_SETTINGS, sizeof(char *)), 0};
  for (int i = 0; i < study->options->settings; i++) set(&settings, "%s", study->options->setting[i]);
  return settings;
}

void ink_study_free_settings(char **settings) {
  for (int i = 0; settings[i]; i++) free(settings[i]);
  free(settings);
}

/* The segments of an axis with cells times `factor`, as a flow sequence. */
static void refine_segments(const InkStudy *study, const char *section, int factor, Settings *settings) {
  char text[8000] = "";
  size_t length = 0;
  for (int s = 0; s < ink_deck_count(study->deck, "%s.segments", section); s++) {
    double to = ink_deck_number(study->deck, "%s.segments[%d].to", section, s);
    double grading = ink_deck_number(study->deck, "%s.segments[%d].grading", section, s);
    long long cells = (long long)ink_deck_integer(study->deck, "%s.segments[%d].cells", section, s);
    int written = snprintf(text + length, sizeof text - length, "%s{to: %.17g, cells: %lld, grading: %.17g}",
                           s ? ", " : "", to, cells * factor, pow(grading, 1.0 / factor));
    if (written < 0 || (size_t)written >= sizeof text - length) return;
    length += (size_t)written;
  }
  set(settings, "%s.segments=[%s]", section, text);
}

static void refine_axis(const InkStudy *study, const char *section, int factor, Settings *settings) {
  if (ink_deck_has(study->deck, "%s.segments", section)) {
    refine_segments(study, section, factor, settings);
    return;
  }
  long long cells = (long long)ink_deck_integer(study->deck, "%s.cells", section);
  double grading = ink_deck_number(study->deck, "%s.grading", section);
  set(settings, "%s.cells=%lld", section, cells * factor);
  if (grading != 1) set(settings, "%s.grading=%.17g", section, pow(grading, 1.0 / factor));
}

/* Steps of an implicit run on the coarsest level. The samples of rates are targets that steps hit, so that
 * steps are as many as the samples at least: with more, every level divides them alike. */
static double space_steps(const InkStudy *study) {
  double steps = IMPLICIT_SPACE_STEPS, from, to;
  for (int i = 0; !study->against_exact && i < ink_deck_count(study->deck, "verify"); i++) {
    if (ink_track_kind(ink_deck_text(study->deck, "verify[%d].quantity", i)) == INK_TRACK_NONE) continue;
    ink_track_span(study->deck, i, &from, &to);
    steps = fmax(steps, ceil(study->span / (to - from) * INK_TRACK_INTERVALS));
  }
  return steps;
}

char **ink_study_space_settings(const InkStudy *study, int level) {
  Settings settings = users_settings(study);
  int factor = 1 << level;
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(study->deck, &axes);
  for (int a = 0; a < dim; a++) refine_axis(study, axes[a].section, factor, &settings);
  if (!study->steady) set(&settings, "time.method=%s", study->method);
  if (!study->explicit_steps) set(&settings, "%s", tight);
  bool own_dt = ink_deck_has(study->deck, "time.dt");
  double shorter = study->order > 0 ? pow(factor, 2.0 / study->order) : 1;
  if (study->explicit_steps) { /* else the monotone step, which goes with the square of the width by itself */
    if (own_dt) set(&settings, "time.dt=%.17g", study->dt / shorter);
  } else if (!study->steady)
    set(&settings, "time.dt=%.17g", (own_dt ? study->dt : study->span / space_steps(study)) / shorter);
  return settings.text;
}

char **ink_study_time_settings(const InkStudy *study, int level) {
  Settings settings = users_settings(study);
  double steps = IMPLICIT_TIME_STEPS;
  if (study->explicit_steps) steps = 2 * ceil(study->span / study->dt);
  set(&settings, "time.method=%s", study->method);
  if (!study->explicit_steps) set(&settings, "%s", tight);
  set(&settings, "time.dt=%.17g", study->span / (steps * (1 << level)));
  return settings.text;
}

/* The order that is expected: that of the method in time; a level with another method is told of. */
static void print_expected(const InkTable *table, bool space, FILE *stream) {
  int order = table->rows > 0 ? table->row[table->rows - 1].method_order : 0;
  fprintf(stream, "; expected order %d\n", space ? 2 : order);
  for (int l = 0; l < table->rows; l++)
    if (table->row[l].method_order != order)
      fprintf(stream, "note: level %d was stepped with a method of order %d, the last with one of order %d\n",
              l, table->row[l].method_order, order);
}

void ink_study_print(const InkStudy *study, const InkTable *table, FILE *stream) {
  bool space = table->title[0] == 's';
  const char *what = !space                 ? "differences between successive steps, same cells"
                     : study->against_exact ? "errors against `exact`"
                                            : "differences between successive levels";
  fprintf(stream, "%s (%s, %s): %s", table->title, study->solver->name, study->method, what);
  print_expected(table, space, stream);
  fprintf(stream, "%12s %10s", "cells", "steps");
  for (int q = 0; q < table->columns; q++) fprintf(stream, "  %18s  order", table->quantity[q]);
  fprintf(stream, "\n");
  for (int l = 0; l < table->rows; l++) {
    const InkTableRow *row = &table->row[l];
    fprintf(stream, "%12.0f %10lld", row->cells, (long long)row->steps);
    for (int q = 0; q < table->columns; q++) {
      if (isnan(row->error[q]))
        fprintf(stream, "  %18s", "-");
      else
        fprintf(stream, "  %18.6e", row->error[q]);
      if (isnan(row->order[q]))
        fprintf(stream, "  %5s", "-");
      else
        fprintf(stream, "  %5.2f", row->order[q]);
    }
    fprintf(stream, "\n");
  }
}

/* A list of rows {cells, steps, method_order, error, order, quantities: {NAME: {error, order}}}; error and
 * order are those of the first quantity. */
static json_t *table_json(const InkTable *table) {
  json_t *rows = json_array();
  for (int l = 0; l < table->rows; l++) {
    const InkTableRow *row = &table->row[l];
    json_t *quantities = json_object();
    for (int q = 0; q < table->columns; q++)
      json_object_set_new(quantities, table->quantity[q],
                          json_pack("{s:o, s:o}", "error", ink_json_number(row->error[q]), "order",
                                    ink_json_number(row->order[q])));
    json_array_append_new(rows, json_pack("{s:f, s:I, s:i, s:o, s:o, s:o}", "cells", row->cells, "steps",
                                          (json_int_t)row->steps, "method_order", row->method_order, "error",
                                          ink_json_number(row->error[0]), "order",
                                          ink_json_number(row->order[0]), "quantities", quantities));
  }
  return rows;
}

int ink_study_write_json(const InkStudy *study, const InkTable *space, const InkTable *time) {
  json_t *root = json_pack("{s:s, s:s, s:s, s:o, s:o}", "deck", study->file, "solver", study->solver->name,
                           "method", study->method, "space", table_json(space), "time",
                           study->steady ? json_null() : table_json(time));
  char *text = json_dumps(root, JSON_INDENT(2));
  InkFailure failure = {0};
  if (text)
    ink_write_text(study->options->json_file, text, &failure);
  else
    ink_fail(&failure, INK_STORAGE, "no memory for %s", study->options->json_file);
  if (failure.code) fprintf(stderr, "%s: %s\n", study->file, failure.message);
  free(text);
  json_decref(root);
  return (int)failure.code;
}
