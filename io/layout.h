/* How our files are laid out: netCDF-4/CF at the root, /VTKHDF for ParaView, /run for the record of the run.
 *
 * A layout is used by the one rank that has the file open in libhdf5. Any failing call leaves `good` false
 * and the HDF5 error stack as it is. Only for io/. */
#ifndef INK_IO_LAYOUT_H
#define INK_IO_LAYOUT_H

#include "snapshot.h"

enum { INK_LAYOUT_NAME = 128 };

typedef struct InkLayout InkLayout;

/* Writes Conventions, `time` (count values, used until the layout is finished), and, when grid is not NULL,
 * the coordinates and their bounds. */
InkLayout *ink_layout_create(hid_t file, const char *title, int count, const double *times,
                             const InkGrid *grid);
/* Makes an existing dataset over (time, and the grid's axes when grid is not NULL) a netCDF variable. Axes
 * that the layout's own grid lacks are written as further dimensions, once, with coordinates and without
 * bounds. */
void ink_layout_variable(InkLayout *layout, const char *name, const char *long_name, const char *unit,
                         const InkGrid *grid);
/* Writes what ties variables and dimensions together, /VTKHDF with the variables on the layout's grid where
 * it is uniform and Cartesian, and /run (run may be NULL). Frees the layout. False: something failed. */
bool ink_layout_finish(InkLayout **layout, const InkRunRecord *run);

/* True when VTK's uniform image describes the grid. */
bool ink_layout_is_image(const InkGrid *grid);
/* Writes /VTKHDF with the times and links to the fields. */
bool ink_layout_vtk(hid_t file, const InkGrid *grid, int count, const double *times, int nfields,
                    char (*names)[INK_LAYOUT_NAME]);
/* Writes /run. */
bool ink_layout_run(hid_t file, const InkRunRecord *run);
/* The name as it stands in files: '/' and '.' become '_'. */
void ink_layout_name(const char *name, char text[INK_LAYOUT_NAME]);

#endif
