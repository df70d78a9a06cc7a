/* The columns of OUT/series.h5: every number that is defined for the solver and needs no more than a name,
 * and those that verify entries ask for with options (fronts, amplitudes, wavelengths, spots). */
#ifndef INK_SERIES_COLUMNS_H
#define INK_SERIES_COLUMNS_H

#include "../io/series.h"
#include "solver.h"

/* probe_NAME of every probe; mean, integral, min, max, balance, error_l2 of every field; flux and current of
 * every side, with several fields of each (flux_x_min_u); what verify entries sample or ask at a time
 * (front_position, amplitude_u, wavelength, spots), with a number after the name where two differ only in
 * their options. Of a solver that draws (InkSolverType.draws) each has its standard error in NAME_error,
 * after all others. */
typedef struct InkColumns {
  int count;
  int asked;  /* the first of them are answers to query[] */
  int *error; /* [asked] the column of the answer's standard error, 0: none; NULL: of none */
  InkQuery *query;
  const char **name, **long_name;
  char *names; /* all, for the checkpoint: "probe_a mean_T" */
  InkPool *pool;
} InkColumns;

/* Collective: rank 0 asks the solver what is defined. */
PetscErrorCode ink_columns_create(MPI_Comm comm, const InkDeck *deck, const InkSolverType *solver,
                                  InkColumns **columns);
PetscErrorCode ink_columns_destroy(InkColumns **columns);
/* The values now: value[columns->count], and their units when unit is not NULL. Collective. */
PetscErrorCode ink_columns_values(const InkColumns *columns, const InkSolverType *solver, void *self,
                                  double *value, const char **unit);
#endif
