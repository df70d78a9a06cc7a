/* OUT/fields.h5: all snapshots as one file, without copying them.
 *
 * Each field is a virtual dataset over (time, z, y, x), or (time, its own grid's axes), whose n-th time is
 * snapshots/NNNNNN.h5. The names are relative, so the folder can be moved. Parted from its snapshots it reads
 * as NaN without a word: `inkdrop pack` makes a file that stands alone. For the same reason snapshots that
 * are not there are left out: those before the checkpoint of another folder that a run was started from. */
#include "layout.h"
#include "store_impl.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* The snapshots that an index is made of. */
typedef struct Sources {
  int count;
  int *number;
  double *time;
} Sources;

static Sources find_sources(const char *out, int count, const double *times) {
  Sources s = {.number = malloc(((size_t)count + 1) * sizeof *s.number),
               .time = malloc(((size_t)count + 1) * sizeof *s.time)};
  if (!s.number || !s.time) abort();
  for (int n = 0; n < count; n++) {
    char name[64];
    snprintf(name, sizeof name, "/snapshots/%06d.h5", n);
    char *path = ink_text_join(out, name);
    if (access(path, F_OK) == 0) {
      s.number[s.count] = n;
      s.time[s.count++] = times[n];
    }
    free(path);
  }
  return s;
}

static void free_sources(Sources *s) {
  free(s->number);
  free(s->time);
}

/* The virtual dataset of a field. */
static bool write_virtual(hid_t file, const char *name, const InkGrid *grid, const Sources *sources,
                          bool single) {
  const int count = sources->count;
  const hid_t type = single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
  const double missing = NAN;
  hsize_t size[4] = {(hsize_t)count}, one[4] = {1}, start[4] = {0};
  bool good = true;
  for (int a = 0; a < grid->dim; a++) size[a + 1] = one[a + 1] = (hsize_t)grid->axis[a].cells;
  hid_t list = ink_h5_dataset_creation(), space = H5Screate_simple(grid->dim + 1, size, NULL);
  hid_t source = H5Screate_simple(grid->dim + 1, one, NULL);
  H5Pset_fill_time(list, H5D_FILL_TIME_IFSET);
  H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &missing);
  for (int n = 0; n < count && good; n++) {
    char from[64];
    snprintf(from, sizeof from, "snapshots/%06d.h5", sources->number[n]);
    start[0] = (hsize_t)n;
    good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, one, NULL) >= 0 &&
           H5Pset_virtual(list, space, from, name, source) >= 0;
  }
  H5Sselect_all(space);
  hid_t dataset =
      good ? H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT) : H5I_INVALID_HID;
  good = dataset >= 0 && H5Dclose(dataset) >= 0;
  H5Sclose(source);
  H5Sclose(space);
  H5Pclose(list);
  return good;
}

static PetscErrorCode write_index(const char *path, const Sources *sources, const InkGrid *grid, int nfields,
                                  const InkFieldData *fields, const InkRunRecord *run, bool single,
                                  InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store;
  PetscCall(ink_store_create(MPI_COMM_SELF, path, false, &store));
  PetscCall(ink_store_attribute_text(store, "/", "inkdrop", "index"));
  if (ink_store_root(store)) {
    InkLayout *layout = ink_layout_create(store->file, run->title, sources->count, sources->time, grid);
    for (int f = 0; f < nfields && store->failure.code == INK_DONE; f++) {
      char name[INK_LAYOUT_NAME];
      const InkGrid *own = fields[f].grid ? fields[f].grid : grid;
      ink_layout_name(fields[f].name, name);
      if (!write_virtual(store->file, name, own, sources, single))
        ink_store_note_h5(store, "write");
      else
        ink_layout_variable(layout, name, fields[f].long_name, fields[f].unit, own);
    }
    if (!ink_layout_finish(&layout, run)) ink_store_note_h5(store, "write");
  }
  PetscCall(ink_store_commit(&store, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_index_write(MPI_Comm comm, const char *out, int count, const double *times,
                               const InkGrid *grid, int nfields, const InkFieldData *fields,
                               const InkRunRecord *run, const InkSnapshotOptions *options,
                               InkFailure *failure) {
  PetscFunctionBeginUser;
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && count > 0) {
    char *path = ink_text_join(out, "/fields.h5");
    Sources sources = find_sources(out, count, times);
    if (sources.count > 0)
      PetscCall(write_index(path, &sources, grid, nfields, fields, run, options->single, failure));
    free_sources(&sources);
    free(path);
  }
  PetscCall(ink_failure_agree(comm, failure));
  PetscFunctionReturn(0);
}
