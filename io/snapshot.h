/* Snapshots: one file, two readers. The root is netCDF-4/CF for xarray, the group /VTKHDF makes the same file
 * open in ParaView. */
#ifndef INK_IO_SNAPSHOT_H
#define INK_IO_SNAPSHOT_H

#include "store.h"

/* The grid a field lives on, as a writer sees it. Axes in storage order (slowest first: z, y, x). */
typedef struct InkGrid {
  int dim;
  const char *coordinates; /* cartesian, cylindrical, spherical, axisymmetric */
  struct InkGridAxis {
    const char *name; /* "x" */
    const char *unit; /* "m", or "1" when the deck gave no unit */
    int64_t cells;
    const double *centroid; /* [cells], global */
    const double *face;     /* [cells+1], global; NULL on a further grid, whose axes only number things */
    bool uniform;
  } axis[3];
  InkBox box; /* rank = dim; this rank's cells and their strides in memory */
} InkGrid;

typedef struct InkFieldData {
  const char *name, *long_name, *unit; /* unit "K"; "1" when not known */
  const double *values;                /* first owned cell */
  const InkGrid *grid; /* NULL: the snapshot's. Other axes are further dimensions of the file: path_x(time,
                          path) beside p(time, y, x). An axis of a name already there must be that axis. */
} InkFieldData;

/* What goes into /run: all that may differ between runs of the same deck. */
typedef struct InkRunRecord {
  const char *deck; /* resolved YAML */
  const char *title, *solver, *method, *instruction_set;
  int ranks;
  double wall_seconds; /* since the start of the run */
  int64_t step;
} InkRunRecord;

typedef struct InkSnapshotOptions {
  bool single;     /* f32 */
  int compression; /* 0-9 */
} InkSnapshotOptions;

/* Writes OUT/snapshots/NNNNNN.h5. `grid` is the one that other programs see as a picture: it has bounds, and
 * /VTKHDF holds the fields on it. Collective. */
PetscErrorCode ink_snapshot_write(MPI_Comm comm, const char *out, int number, double time,
                                  const InkGrid *grid, int nfields, const InkFieldData *fields,
                                  const InkRunRecord *run, const InkSnapshotOptions *options,
                                  InkFailure *failure);
/* Rewrites OUT/fields.h5, the index (virtual dataset) over snapshots 0 .. count-1. Collective (rank 0
 * writes). Replaced by rename. */
PetscErrorCode ink_index_write(MPI_Comm comm, const char *out, int count, const double *times,
                               const InkGrid *grid, int nfields, const InkFieldData *fields,
                               const InkRunRecord *run, const InkSnapshotOptions *options,
                               InkFailure *failure);
/* Removes snapshots with number >= count (left by a run that was killed after its last checkpoint). Rank 0
 * only. */
void ink_snapshot_remove_from(const char *out, int count);

/* The verbs `info` and `pack`. Serial (rank 0). Return the exit code; messages go to stdout and stderr. */
InkExit ink_info(const char *file);
InkExit ink_pack(const char *out, const char *file);
#endif
