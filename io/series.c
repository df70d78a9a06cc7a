/* Time series of observed numbers. All ranks hold the rows; rank 0 writes them. */
#include "series.h"
#include "layout.h"
#include "store_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct InkSeries {
  int columns, rows, room;
  char **names, **units, **long_names;
  double *times;
  double **values; /* [columns][room] */
};

static char **copy_texts(int n, const char *const *texts) {
  char **copy = calloc((size_t)n + 1, sizeof *copy);
  if (!copy) abort();
  for (int i = 0; i < n; i++) copy[i] = ink_text_join(texts && texts[i] ? texts[i] : "", "");
  return copy;
}

InkSeries *ink_series_create(int columns, const char *const *names, const char *const *units,
                             const char *const *long_names) {
  InkSeries *s = calloc(1, sizeof *s);
  if (!s) abort();
  s->columns = columns;
  s->names = copy_texts(columns, names);
  s->units = copy_texts(columns, units);
  s->long_names = copy_texts(columns, long_names);
  s->values = calloc((size_t)columns + 1, sizeof *s->values);
  if (!s->values) abort();
  return s;
}

void ink_series_destroy(InkSeries **series) {
  InkSeries *s = *series;
  if (!s) return;
  for (int c = 0; c < s->columns; c++) {
    free(s->names[c]);
    free(s->units[c]);
    free(s->long_names[c]);
    free(s->values[c]);
  }
  free(s->names);
  free(s->units);
  free(s->long_names);
  free(s->values);
  free(s->times);
  free(s);
  *series = NULL;
}

static void reserve(InkSeries *s, int rows) {
  if (rows <= s->room) return;
  while (s->room < rows) s->room = s->room ? 2 * s->room : 64;
  s->times = realloc(s->times, (size_t)s->room * sizeof *s->times);
  if (!s->times) abort();
  for (int c = 0; c < s->columns; c++) {
    s->values[c] = realloc(s->values[c], (size_t)s->room * sizeof **s->values);
    if (!s->values[c]) abort();
  }
}

void ink_series_append(InkSeries *s, double time, const double *row) {
  reserve(s, s->rows + 1);
  s->times[s->rows] = time;
  for (int c = 0; c < s->columns; c++) s->values[c][s->rows] = row[c];
  s->rows++;
}

int ink_series_rows(const InkSeries *s) { return s->rows; }
const double *ink_series_times(const InkSeries *s) { return s->times; }
const double *ink_series_column(const InkSeries *s, int column) { return s->values[column]; }

PetscErrorCode ink_series_write(MPI_Comm comm, const char *out, const InkSeries *s, const InkRunRecord *run,
                                InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store;
  char *path = ink_text_join(out, "/series.h5");
  hsize_t size = (hsize_t)s->rows;
  PetscCall(ink_store_create(comm, path, false, &store));
  free(path);
  PetscCall(ink_store_attribute_text(store, "/", "inkdrop", "series"));
  if (ink_store_root(store)) {
    InkLayout *layout = ink_layout_create(store->file, run->title, s->rows, s->times, NULL);
    for (int c = 0; c < s->columns && store->failure.code == INK_DONE; c++) {
      char name[INK_LAYOUT_NAME];
      ink_layout_name(s->names[c], name);
      if (!ink_h5_small(store->file, name, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &size, s->values[c]))
        ink_store_note_h5(store, "write");
      else
        ink_layout_variable(layout, name, s->long_names[c], *s->units[c] ? s->units[c] : "1", NULL);
    }
    if (!ink_layout_finish(&layout, run)) ink_store_note_h5(store, "write");
  }
  PetscCall(ink_store_commit(&store, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_series_save(const InkSeries *s, InkStore *store) {
  PetscFunctionBeginUser;
  const int64_t rows = s->rows;
  PetscCall(ink_store_group(store, "/series"));
  PetscCall(ink_store_write_integers(store, "/series/rows", 1, &rows));
  if (rows == 0) PetscFunctionReturn(0);
  PetscCall(ink_store_write_numbers(store, "/series/time", s->rows, s->times));
  for (int c = 0; c < s->columns; c++) {
    char path[INK_LAYOUT_NAME + 16], name[INK_LAYOUT_NAME];
    ink_layout_name(s->names[c], name);
    snprintf(path, sizeof path, "/series/column_%s", name);
    PetscCall(ink_store_write_numbers(store, path, s->rows, s->values[c]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_series_load(InkSeries *s, InkStore *store) {
  PetscFunctionBeginUser;
  int64_t rows = 0;
  PetscCall(ink_store_read_integers(store, "/series/rows", 1, &rows));
  s->rows = 0;
  if (rows <= 0) PetscFunctionReturn(0);
  reserve(s, (int)rows);
  s->rows = (int)rows;
  PetscCall(ink_store_read_numbers(store, "/series/time", s->rows, s->times));
  for (int c = 0; c < s->columns; c++) {
    char path[INK_LAYOUT_NAME + 16], name[INK_LAYOUT_NAME];
    ink_layout_name(s->names[c], name);
    snprintf(path, sizeof path, "/series/column_%s", name);
    for (int i = 0; i < s->rows; i++) s->values[c][i] = NAN; /* a column the older run did not have */
    if (ink_store_has(store, path)) PetscCall(ink_store_read_numbers(store, path, s->rows, s->values[c]));
  }
  PetscFunctionReturn(0);
}
