/* Snapshots: OUT/snapshots/NNNNNN.h5, one time, all fields. */
#include "layout.h"
#include "store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *snapshot_path(const char *out, int number) {
  char name[64];
  snprintf(name, sizeof name, "/snapshots/%06d.h5", number);
  return ink_text_join(out, name);
}

/* The folder itself; nothing to say when it cannot be made, for then creating the file fails and says why. */
static void make_folder(const char *out) {
  char *folder = ink_text_join(out, "/snapshots");
  mkdir(folder, 0777);
  free(folder);
}

/* A field's box with the time in front. */
static InkBox with_time(const InkBox *box) {
  InkBox b = {.rank = box->rank + 1, .size = {1}, .start = {0}, .count = {1}};
  bool packed = true;
  for (int a = 0; a < box->rank; a++) {
    b.size[a + 1] = box->size[a];
    b.start[a + 1] = box->start[a];
    b.count[a + 1] = box->count[a];
    b.stride[a + 1] = box->stride[a];
    packed = packed && box->stride[a] == 0;
  }
  b.stride[0] = packed ? 0 : 1; /* never stepped along, but not "packed" when the others are not */
  return b;
}

PetscErrorCode ink_snapshot_write(MPI_Comm comm, const char *out, int number, double time,
                                  const InkGrid *grid, int nfields, const InkFieldData *fields,
                                  const InkRunRecord *run, const InkSnapshotOptions *options,
                                  InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store;
  InkLayout *layout = NULL;
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) make_folder(out);
  char *path = snapshot_path(out, number);
  PetscCall(ink_store_create(comm, path, false, &store));
  free(path);
  PetscCall(ink_store_attribute_text(store, "/", "inkdrop", "snapshot"));
  if (ink_store_root(store)) layout = ink_layout_create(store->file, run->title, 1, &time, grid);
  for (int f = 0; f < nfields; f++) {
    char name[INK_LAYOUT_NAME];
    const InkGrid *own = fields[f].grid ? fields[f].grid : grid;
    const InkBox box = with_time(&own->box);
    ink_layout_name(fields[f].name, name);
    PetscCall(ink_store_write(store, name, &box, fields[f].values, options->single, options->compression));
    if (layout && ink_store_root(store))
      ink_layout_variable(layout, name, fields[f].long_name, fields[f].unit, own);
  }
  if (layout && !ink_layout_finish(&layout, run)) ink_store_note_h5(store, "write");
  PetscCall(ink_store_commit(&store, failure));
  PetscFunctionReturn(0);
}

void ink_snapshot_remove_from(const char *out, int count) {
  char *folder = ink_text_join(out, "/snapshots");
  DIR *listing = opendir(folder);
  struct dirent *entry;
  while (listing && (entry = readdir(listing))) {
    int number = -1, end = 0;
    bool ours = sscanf(entry->d_name, "%d.h5%n", &number, &end) == 1 && end > 0;
    bool left = ours && strcmp(entry->d_name + end, ".tmp") == 0; /* of a run that was killed while writing */
    if (!left && !(ours && entry->d_name[end] == '\0' && number >= count)) continue;
    unlinkat(dirfd(listing), entry->d_name, 0);
  }
  if (listing) closedir(listing);
  free(folder);
}
