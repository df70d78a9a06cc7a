/* The parts of a convergence study: what is asked, with which settings, and the tables. */
#ifndef INK_CONVERGENCE_IMPL_H
#define INK_CONVERGENCE_IMPL_H

#include <stdio.h>
#include "driver.h"
#include "options.h"

/* Room for two errors of every field. */
enum { INK_STUDY_QUANTITIES = 2 * INK_MAX_FIELDS, INK_STUDY_LEVELS = 12 };

typedef struct InkStudy {
  MPI_Comm comm;
  int rank;
  const char *file;
  const InkOptions *options;
  int levels;
  int code; /* 0 while all goes well */

  InkDeck *deck; /* as given */
  const InkSolverType *solver;
  bool explicit_steps, steady;
  double span, dt; /* of time; the deck's own or the planned step */
  int order;       /* in time, of the planned method; 0: steady */
  char method[32];

  bool against_exact; /* query: errors; else the verify entries */
  int count;
  InkQuery query[INK_STUDY_QUANTITIES];
  const char *quantity[INK_STUDY_QUANTITIES];
  int norms; /* columns of the table of time: rms and max of every field */
  const char *norm[INK_STUDY_QUANTITIES];
  InkPool *pool;
} InkStudy;

typedef struct InkTableRow {
  double cells;
  int64_t steps;
  int method_order; /* in time, of the method that was taken at this level */
  double error[INK_STUDY_QUANTITIES], order[INK_STUDY_QUANTITIES]; /* NaN: none */
} InkTableRow;

typedef struct InkTable {
  const char *title;
  int columns, rows;
  const char *const *quantity;
  InkTableRow row[INK_STUDY_LEVELS];
} InkTable;

/* Reads the deck, plans, and decides what is asked. A failure is printed and in study->code. Collective. */
PetscErrorCode ink_study_create(InkStudy *study);
void ink_study_destroy(InkStudy *study);

/* Settings of a level: the user's and those that refine. Ends with NULL; free with ink_study_free_settings.
 */
char **ink_study_space_settings(const InkStudy *study, int level);
char **ink_study_time_settings(const InkStudy *study, int level);
void ink_study_free_settings(char **settings);

void ink_study_print(const InkStudy *study, const InkTable *table, FILE *stream);
/* Returns 0 or INK_STORAGE, which has been printed. Rank 0. */
int ink_study_write_json(const InkStudy *study, const InkTable *space, const InkTable *time);
#endif
