/* The group /run: who computed a file, with what, when. Everything that may differ between two runs of one
 * deck is here and nowhere else. */
#include "layout.h"
#include "store_impl.h"

#include <petscversion.h>
#include <time.h>
#include <unistd.h>

static bool text(hid_t group, const char *name, const char *value) {
  return !value || ink_h5_attribute_text(group, name, value);
}

bool ink_layout_run(hid_t file, const InkRunRecord *run) {
  char host[256] = "", date[32] = "", hdf5[64], petsc[64], mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  unsigned major = 0, minor = 0, release = 0;
  time_t now = time(NULL);
  struct tm utc;
  const int64_t ranks = run->ranks, step = run->step;
  H5get_libversion(&major, &minor, &release);
  snprintf(hdf5, sizeof hdf5, "%u.%u.%u", major, minor, release);
  snprintf(petsc, sizeof petsc, "%d.%d.%d", PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR);
  MPI_Get_library_version(mpi, &length);
  for (char *c = mpi; *c; c++)
    if (*c == ',') *c = '\0'; /* "Open MPI v4.1.4", without the build's details */
  gethostname(host, sizeof host - 1);
  if (gmtime_r(&now, &utc)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (!ink_h5_group(file, "/run") || (run->deck && !ink_h5_text(file, "/run/deck", run->deck))) return false;
  hid_t group = H5Gopen2(file, "/run", H5P_DEFAULT);
  bool good =
      group >= 0 && text(group, "title", run->title) && text(group, "solver", run->solver) &&
      text(group, "method", run->method) && text(group, "instruction_set", run->instruction_set) &&
      text(group, "version", INKDROP_VERSION) && text(group, "commit", INKDROP_COMMIT) &&
      text(group, "hdf5", hdf5) && text(group, "petsc", petsc) && text(group, "mpi", mpi) &&
      text(group, "host", host) && text(group, "date", date) &&
      ink_h5_attribute(group, "ranks", H5T_NATIVE_INT64, H5T_NATIVE_INT64, 1, &ranks) &&
      ink_h5_attribute(group, "step", H5T_NATIVE_INT64, H5T_NATIVE_INT64, 1, &step) &&
      ink_h5_attribute(group, "wall_seconds", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, 1, &run->wall_seconds);
  if (group >= 0) H5Gclose(group);
  return good;
}
