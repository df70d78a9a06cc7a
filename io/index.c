/* OUT/fields.h5: all snapshots as one file, without copying them.
 *
 * Each field is a virtual dataset over (time, z, y, x) whose n-th time is snapshots/NNNNNN.h5. The names are
 * relative, so the folder can be moved. Parted from its snapshots it reads as NaN without a word: `inkdrop
 * pack` makes a file that stands alone. */
#include "layout.h"
#include "store_impl.h"

#include <math.h>
#include <stdlib.h>

/* The virtual dataset of a field. */
static bool write_virtual(hid_t file, const char *name, const InkGrid *grid, int count, bool single) {
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
    snprintf(from, sizeof from, "snapshots/%06d.h5", n);
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

static PetscErrorCode write_index(const char *path, int count, const double *times, const InkGrid *grid,
                                  int nfields, const InkFieldData *fields, const InkRunRecord *run,
                                  bool single, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store;
  PetscCall(ink_store_create(MPI_COMM_SELF, path, false, &store));
  PetscCall(ink_store_attribute_text(store, "/", "inkdrop", "index"));
  if (ink_store_root(store)) {
    InkLayout *layout = ink_layout_create(store->file, run->title, count, times, grid);
    for (int f = 0; f < nfields && store->failure.code == INK_DONE; f++) {
      char name[INK_LAYOUT_NAME];
      ink_layout_name(fields[f].name, name);
      if (!write_virtual(store->file, name, grid, count, single))
        ink_store_note_h5(store, "write");
      else
        ink_layout_variable(layout, name, fields[f].long_name, fields[f].unit);
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
    PetscCall(write_index(path, count, times, grid, nfields, fields, run, options->single, failure));
    free(path);
  }
  PetscCall(ink_failure_agree(comm, failure));
  PetscFunctionReturn(0);
}
