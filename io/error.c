/* Deck errors, collected and printed by file and line; the failure of a run. */
#include "error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
  char *file, *path, *text;
  int line, column;
  int file_order; /* files sort in the order of first mention */
  int order;      /* of arrival, for entries on one line */
  bool warning;
} Entry;

enum { MAX_ENTRIES = 500 }; /* nobody reads more; keeps a hostile deck from costing time */

struct InkErrors {
  Entry *entry;
  int count, room;
  int errors;  /* entries that are errors */
  int dropped; /* errors past MAX_ENTRIES */
};

static void *must(void *memory) {
  if (!memory) {
    fprintf(stderr, "inkdrop: out of memory\n");
    abort();
  }
  return memory;
}

static char *copy(const char *text) { return must(strdup(text ? text : "")); }

InkErrors *ink_errors_create(void) { return must(calloc(1, sizeof(InkErrors))); }

void ink_errors_destroy(InkErrors **errors) {
  if (!errors || !*errors) return;
  for (int i = 0; i < (*errors)->count; i++) {
    free((*errors)->entry[i].file);
    free((*errors)->entry[i].path);
    free((*errors)->entry[i].text);
  }
  free((*errors)->entry);
  free(*errors);
  *errors = NULL;
}

static bool same(const Entry *a, const Entry *b) {
  return a->line == b->line && a->warning == b->warning && !strcmp(a->file, b->file) &&
         !strcmp(a->path, b->path) && !strcmp(a->text, b->text);
}

static void discard(Entry *entry) {
  free(entry->file);
  free(entry->path);
  free(entry->text);
}

__attribute__((format(printf, 5, 0))) static void add(InkErrors *errors, bool warning, InkPlace place,
                                                      const char *path, const char *format, va_list args) {
  char text[1024];
  vsnprintf(text, sizeof text, format, args);
  Entry entry = {.file = copy(place.file),
                 .path = copy(path),
                 .text = copy(text),
                 .line = place.line,
                 .column = place.column,
                 .file_order = errors->count,
                 .order = errors->count,
                 .warning = warning};
  for (int i = 0; i < errors->count; i++) {
    if (same(&errors->entry[i], &entry)) {
      discard(&entry);
      return;
    }
    if (!strcmp(errors->entry[i].file, entry.file)) entry.file_order = errors->entry[i].file_order;
  }
  if (errors->count == MAX_ENTRIES) {
    discard(&entry);
    if (!warning) errors->dropped++;
    return;
  }
  if (errors->count == errors->room) {
    errors->room = errors->room ? 2 * errors->room : 16;
    errors->entry = must(realloc(errors->entry, (size_t)errors->room * sizeof *errors->entry));
  }
  errors->entry[errors->count++] = entry;
  if (!warning) errors->errors++;
}

void ink_error(InkErrors *errors, InkPlace place, const char *path, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(errors, false, place, path, format, args);
  va_end(args);
}

void ink_warning(InkErrors *errors, InkPlace place, const char *path, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(errors, true, place, path, format, args);
  va_end(args);
}

int ink_errors_count(const InkErrors *errors) { return errors->errors + errors->dropped; }

static int by_place(const void *a, const void *b) {
  const Entry *p = *(const Entry *const *)a, *q = *(const Entry *const *)b;
  if (p->file_order != q->file_order) return p->file_order < q->file_order ? -1 : 1;
  if (p->line != q->line) return p->line < q->line ? -1 : 1;
  if (p->column != q->column) return p->column < q->column ? -1 : 1;
  return p->order < q->order ? -1 : 1;
}

void ink_errors_print(const InkErrors *errors, FILE *stream) {
  if (!errors->count) return;
  const Entry **sorted = must(malloc((size_t)errors->count * sizeof *sorted));
  for (int i = 0; i < errors->count; i++) sorted[i] = &errors->entry[i];
  qsort(sorted, (size_t)errors->count, sizeof *sorted, by_place);
  for (int i = 0; i < errors->count; i++) {
    const Entry *e = sorted[i];
    fprintf(stream, "%s:", *e->file ? e->file : "inkdrop");
    if (e->line > 0) fprintf(stream, "%d:", e->line);
    fprintf(stream, "%s", e->warning ? " warning:" : "");
    if (*e->path) fprintf(stream, " %s:", e->path);
    fprintf(stream, " %s\n", e->text);
  }
  free(sorted);
  if (errors->dropped) fprintf(stream, "inkdrop: and %d more errors\n", errors->dropped);
}

void ink_fail(InkFailure *failure, InkExit code, const char *format, ...) {
  if (failure->code != INK_DONE) return;
  va_list args;
  va_start(args, format);
  failure->code = code;
  vsnprintf(failure->message, sizeof failure->message, format, args);
  va_end(args);
}
