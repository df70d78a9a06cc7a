/* Time series of observed numbers: rows in memory on rank 0, rewritten whole to OUT/series.h5. */
#ifndef INK_IO_SERIES_H
#define INK_IO_SERIES_H

#include "snapshot.h"

typedef struct InkSeries InkSeries;
/* columns: names such as "probe_centre" (no '/' or '.'), units and long names; time is column 0 and implied.
 */
InkSeries *ink_series_create(int columns, const char *const *names, const char *const *units,
                             const char *const *long_names);
void ink_series_destroy(InkSeries **series);
void ink_series_append(InkSeries *series, double time,
                       const double *row); /* every rank holds the rows alike */
int ink_series_rows(const InkSeries *series);
const double *ink_series_times(const InkSeries *series);
const double *ink_series_column(const InkSeries *series, int column);
/* Writes OUT/series.h5 (netCDF-4/CF, dimension time). Collective. */
PetscErrorCode ink_series_write(MPI_Comm comm, const char *out, const InkSeries *series,
                                const InkRunRecord *run, InkFailure *failure);
/* As part of a checkpoint. */
PetscErrorCode ink_series_save(const InkSeries *series, InkStore *store);
PetscErrorCode ink_series_load(InkSeries *series, InkStore *store);
#endif
