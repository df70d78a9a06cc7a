/* The values of verify entries and the samples of rates in checkpoints: /driver/verify_* and /driver/tracks.
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

/* The tracks of all entries, for tracks.h; free with PetscFree. */
static PetscErrorCode all_tracks(const InkVerify *verify, InkTrack ***track) {
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)verify->count, track));
  for (int i = 0; i < verify->count; i++) (*track)[i] = verify->entry[i].track;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_verify_save(const InkVerify *verify, InkStore *store) {
  size_t n = (size_t)verify->count;
  int64_t *done;
  double *values;
  InkTrack **track;
  PetscFunctionBeginUser;
  if (n == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n, &done));
  PetscCall(PetscMalloc1(2 * n, &values));
  size_t length = 1;
  for (size_t i = 0; i < n; i++) length += strlen(verify->entry[i].unit) + 1;
  char *units;
  PetscCall(PetscCalloc1(length, &units));
  for (size_t i = 0; i < n; i++) {
    const InkVerifyEntry *e = &verify->entry[i];
    done[i] = e->done;
    values[2 * i] = e->value.value;
    values[2 * i + 1] = e->value.standard_error;
    strcat(strcat(units, e->unit), "\n");
  }
  PetscCall(ink_store_write_integers(store, "/driver/verify_done", (int)n, done));
  PetscCall(ink_store_write_numbers(store, "/driver/verify_values", 2 * (int)n, values));
  PetscCall(ink_store_write_text(store, "/driver/verify_units", units));
  PetscCall(all_tracks(verify, &track));
  PetscCall(ink_tracks_save(verify->count, track, store));
  PetscCall(PetscFree(track));
  PetscCall(PetscFree(done));
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(units));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_verify_load(InkVerify *verify, InkStore *store) {
  size_t n = (size_t)verify->count;
  int rank = 0;
  hsize_t size[4] = {0};
  int64_t *done;
  double *values;
  InkTrack **track;
  char *units = NULL;
  PetscFunctionBeginUser;
  if (n == 0 || !ink_store_has(store, "/driver/verify_done")) PetscFunctionReturn(0);
  PetscCall(ink_store_size(store, "/driver/verify_done", &rank, size));
  if (rank != 1 || size[0] != n)
    PetscFunctionReturn(0); /* the entries were changed: they are evaluated anew */
  PetscCall(PetscMalloc1(n, &done));
  PetscCall(PetscMalloc1(2 * n, &values));
  PetscCall(ink_store_read_integers(store, "/driver/verify_done", (int)n, done));
  PetscCall(ink_store_read_numbers(store, "/driver/verify_values", 2 * (int)n, values));
  PetscCall(ink_store_read_text(store, "/driver/verify_units", &units));
  const char *line = units ? units : "";
  for (size_t i = 0; i < n; i++) {
    InkVerifyEntry *e = &verify->entry[i];
    size_t length = strcspn(line, "\n");
    snprintf(e->unit, sizeof e->unit, "%.*s", (int)length, line);
    line += length + (line[length] == '\n');
    e->done = done[i] != 0;
    e->value = (InkValue){values[2 * i], values[2 * i + 1], e->unit};
  }
  PetscCall(all_tracks(verify, &track));
  PetscCall(ink_tracks_load(verify->count, track, store));
  PetscCall(PetscFree(track));
  free(units);
  PetscCall(PetscFree(done));
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}
