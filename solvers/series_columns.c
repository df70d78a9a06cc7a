/* Which numbers go into the series. See series_columns.h. */
#include "series_columns.h"
#include "core/mesh.h"
#include "verify.h"

#include <stdarg.h>
#include <string.h>

/* The columns while they are being collected. */
typedef struct Candidates {
  InkColumns *columns;
  int room;
} Candidates;

/* Are the options with which two entries ask for the same quantity of the same field the same? */
static bool same_options(const InkNode *a, const InkNode *b) {
  static const char *const numbers[] = {"level", "wavenumber"}, *const texts[] = {"axis", "where", "of"};
  for (int o = 0; o < 5; o++) {
    const char *key = o < 2 ? numbers[o] : texts[o - 2];
    const InkNode *p = a ? ink_tree_child(a, key) : NULL;
    const InkNode *q = b ? ink_tree_child(b, key) : NULL;
    if (!p != !q) return false;
    if (p && o >= 2 && strcmp(p->text, q->text) != 0) return false;
    if (p && o < 2 && p->number != q->number) return false;
  }
  return true;
}

/* Adds a column for `query` unless it is there. title: its long name and, with '_' for what may not stand in
 * names, its name. */
static PetscErrorCode add(Candidates *list, const char *title, const InkQuery *query) {
  InkColumns *columns = list->columns;
  int alike = 0;
  PetscFunctionBeginUser;
  for (int c = 0; c < columns->count; c++) {
    const InkQuery *other = &columns->query[c];
    if (strcmp(columns->long_name[c], title) != 0) continue;
    if (same_options(other->entry, query->entry)) PetscFunctionReturn(0);
    alike++;
  }
  if (columns->count == list->room) {
    list->room = list->room ? 2 * list->room : 16;
    PetscCall(PetscRealloc((size_t)list->room * sizeof *columns->query, &columns->query));
    PetscCall(PetscRealloc((size_t)list->room * sizeof *columns->name, &columns->name));
    PetscCall(PetscRealloc((size_t)list->room * sizeof *columns->long_name, &columns->long_name));
  }
  char name[512];
  snprintf(name, sizeof name, "%s", title);
  if (alike > 0) snprintf(name, sizeof name, "%s_%d", title, alike + 1);
  for (char *c = name; *c; c++)
    if (*c == ':' || *c == '.' || *c == '/') *c = '_';
  columns->query[columns->count] = *query;
  columns->long_name[columns->count] = ink_pool_strdup(columns->pool, title);
  columns->name[columns->count++] = ink_pool_strdup(columns->pool, name);
  PetscFunctionReturn(0);
}

__attribute__((format(printf, 2, 3))) static PetscErrorCode add_named(Candidates *list, const char *format,
                                                                      ...) {
  va_list arguments;
  char text[400];
  PetscFunctionBeginUser;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  InkQuery query = ink_query_parse(list->columns->pool, text, NULL);
  PetscCall(add(list, text, &query));
  PetscFunctionReturn(0);
}

/* Of every side, and with several fields of every field. */
static PetscErrorCode add_sides(const InkDeck *deck, const char *const *fields, int count, Candidates *list) {
  static const char *const kinds[] = {"flux", "absorbed", "current"};
  const char *sides[INK_SIDES];
  PetscFunctionBeginUser;
  ink_deck_sides(deck, sides);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (int s = 0; s < INK_SIDES; s++) {
      if (!*sides[s]) continue;
      if (count == 1) PetscCall(add_named(list, "%s:%s", kinds[k], sides[s]));
      for (int f = 0; f < count && count > 1; f++)
        PetscCall(add_named(list, "%s:%s:%s", kinds[k], sides[s], fields[f]));
    }
  PetscFunctionReturn(0);
}

/* Of every state variable of a model. */
static PetscErrorCode add_states(const InkDeck *deck, Candidates *list) {
  const InkDomainAxis *axis;
  PetscFunctionBeginUser;
  const int count = ink_deck_state(deck, &axis);
  for (int a = 0; a < count; a++) {
    PetscCall(add_named(list, "mean:%s", axis[a].name));
    PetscCall(add_named(list, "variance:%s", axis[a].name));
  }
  PetscFunctionReturn(0);
}

/* What a verify entry asks, or samples, with options: front:position, amplitude, probability, ... The field
 * goes into the name when the deck gives it as an option. */
static PetscErrorCode add_asked(const InkDeck *deck, int i, int fields, Candidates *list) {
  static const char *const kinds[] = {
      "front",       "amplitude",           "wavelength",      "spots", "probability",
      "expectation", "quadratic_variation", "total_variation", "msd",   "first_passage_time",
      "distance"};
  PetscFunctionBeginUser;
  const char *quantity = ink_deck_text(deck, "verify[%d].quantity", i);
  const InkNode *entry = ink_deck_node(deck, "verify[%d]", i), *field = ink_tree_child(entry, "field");
  InkTrackKind rate = ink_track_kind(quantity);
  InkQuery query = ink_query_parse(list->columns->pool, quantity, entry);
  if (rate != INK_TRACK_NONE) query = ink_track_base(list->columns->pool, rate, &query);
  bool wanted = false;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    wanted = wanted || strcmp(query.kind, kinds[k]) == 0;
  if (!wanted) PetscFunctionReturn(0);
  char title[400];
  snprintf(title, sizeof title, "%s%s%s", query.kind, *query.argument ? ":" : "", query.argument);
  size_t length = strlen(title);
  if (fields > 1 && field && field->text) snprintf(title + length, sizeof title - length, ":%s", field->text);
  PetscCall(add(list, title, &query));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_candidates(const InkDeck *deck, InkColumns *columns) {
  static const char *const of_fields[] = {"mean", "integral", "min", "max", "balance", "error:l2"};
  Candidates list = {columns, 0};
  PetscFunctionBeginUser;
  for (int p = 0; p < ink_deck_count(deck, "probes"); p++)
    PetscCall(add_named(&list, "probe:%s", ink_deck_name(deck, "probes", p)));
  const char *const *fields;
  const InkDim *dims;
  int count = ink_deck_fields(deck, &fields, &dims);
  for (int f = 0; f < count; f++)
    for (size_t k = 0; k < sizeof of_fields / sizeof *of_fields; k++)
      PetscCall(add_named(&list, "%s:%s", of_fields[k], fields[f]));
  PetscCall(add_states(deck, &list));
  PetscCall(add_sides(deck, fields, count, &list));
  for (int i = 0; i < ink_deck_count(deck, "verify"); i++) PetscCall(add_asked(deck, i, count, &list));
  PetscFunctionReturn(0);
}

/* Has a quantity of a solver that draws a standard error? */
static bool has_error(const InkQuery *query) {
  static const char *const exact[] = {"min", "max", "error", "balance", "distance", "p_value"};
  for (size_t k = 0; k < sizeof exact / sizeof *exact; k++)
    if (strcmp(query->kind, exact[k]) == 0) return false;
  return true;
}

/* A column NAME_error after all others for each that has a standard error. */
static PetscErrorCode add_errors(InkColumns *columns) {
  PetscFunctionBeginUser;
  const int count = columns->count;
  PetscCall(PetscCalloc1((size_t)count, &columns->error));
  PetscCall(PetscRealloc(2 * (size_t)count * sizeof *columns->query, &columns->query));
  PetscCall(PetscRealloc(2 * (size_t)count * sizeof *columns->name, &columns->name));
  PetscCall(PetscRealloc(2 * (size_t)count * sizeof *columns->long_name, &columns->long_name));
  for (int c = 0; c < count; c++) {
    char text[512];
    if (!has_error(&columns->query[c])) continue;
    columns->error[c] = columns->count;
    snprintf(text, sizeof text, "%s_error", columns->name[c]);
    columns->name[columns->count] = ink_pool_strdup(columns->pool, text);
    snprintf(text, sizeof text, "standard error of %s", columns->long_name[c]);
    columns->long_name[columns->count++] = ink_pool_strdup(columns->pool, text);
  }
  columns->asked = count;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_create(MPI_Comm comm, const InkDeck *deck, const InkSolverType *solver,
                                  InkColumns **columns) {
  InkColumns *made;
  int rank, *defined, kept = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&made));
  made->pool = ink_pool_create();
  PetscCall(add_candidates(deck, made));
  PetscCall(PetscCalloc1((size_t)made->count, &defined));
  for (int c = 0; rank == 0 && c < made->count; c++) {
    InkDim dim;
    char message[256];
    defined[c] = solver->defined(deck, &made->query[c], &dim, message, sizeof message);
  }
  PetscCallMPI(MPI_Bcast(defined, made->count, MPI_INT, 0, comm));
  for (int c = 0; c < made->count; c++) {
    if (!defined[c]) continue;
    made->query[kept] = made->query[c];
    made->name[kept] = made->name[c];
    made->long_name[kept++] = made->long_name[c];
  }
  made->count = made->asked = kept;
  if (solver->draws) PetscCall(add_errors(made));
  size_t length = 1;
  for (int c = 0; c < made->count; c++) length += strlen(made->name[c]) + 1;
  made->names = ink_pool_alloc(made->pool, length);
  for (int c = 0; c < made->count; c++) strcat(strcat(made->names, made->name[c]), " ");
  PetscCall(PetscFree(defined));
  *columns = made;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_destroy(InkColumns **columns) {
  PetscFunctionBeginUser;
  if (*columns) {
    PetscCall(PetscFree((*columns)->query));
    PetscCall(PetscFree((*columns)->name));
    PetscCall(PetscFree((*columns)->long_name));
    PetscCall(PetscFree((*columns)->error));
    ink_pool_destroy(&(*columns)->pool);
  }
  PetscCall(PetscFree(*columns));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_values(const InkColumns *columns, const InkSolverType *solver, void *self,
                                  double *value, const char **unit) {
  PetscFunctionBeginUser;
  for (int c = 0; c < columns->asked; c++) {
    InkValue v = {0};
    PetscCall(solver->quantity(self, &columns->query[c], &v));
    value[c] = v.value;
    if (unit) unit[c] = v.unit ? v.unit : "1";
    if (!columns->error || columns->error[c] == 0) continue;
    value[columns->error[c]] = v.standard_error;
    if (unit) unit[columns->error[c]] = unit[c];
  }
  PetscFunctionReturn(0);
}
