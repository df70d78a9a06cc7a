/* What a user is told when something is wrong: deck errors collected by line, and failures of a run.
 *
 * Internal errors (bugs, MPI, PETSc) travel as PetscErrorCode. Everything a user can cause or must act on
 * travels in one of the two types below and never as a PETSc traceback. */
#ifndef INK_IO_ERROR_H
#define INK_IO_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes of the program. */
typedef enum InkExit {
  INK_DONE = 0,       /* ran and verified */
  INK_INTERNAL = 1,   /* a bug */
  INK_USAGE = 2,      /* bad usage or bad deck */
  INK_UNVERIFIED = 3, /* ran, but `verify:` is out of tolerance */
  INK_NUMERICAL = 4,  /* NaN or no convergence */
  INK_STORAGE = 74,   /* a file could not be written or read */
  INK_STOPPED = 75,   /* stopped early with a checkpoint: submit again */
} InkExit;

/* A place in a deck. `file` is a path as the user gave it, or "--set"; it is owned by the deck's tree. line
 * 0: no line. */
typedef struct InkPlace {
  const char *file;
  int line, column;
} InkPlace;

/* The list of errors and warnings found in a deck. Local to one rank (rank 0); not collective. */
typedef struct InkErrors InkErrors;

InkErrors *ink_errors_create(void);
void ink_errors_destroy(InkErrors **errors);

/* Adds an error about deck key `path` ("mesh.x.cells"; NULL: about the file as a whole) at `place`. The text
 * is copied. The same text at the same place is kept once. */
__attribute__((format(printf, 4, 5))) void ink_error(InkErrors *errors, InkPlace place, const char *path,
                                                     const char *format, ...);
/* The same for a warning: printed, but does not make the deck bad. */
__attribute__((format(printf, 4, 5))) void ink_warning(InkErrors *errors, InkPlace place, const char *path,
                                                       const char *format, ...);
int ink_errors_count(const InkErrors *errors); /* errors only, not warnings */

/* Prints "FILE:LINE: PATH: TEXT" a line each, sorted by file (in order of first mention) and line; warnings
 * as "FILE:LINE: warning: PATH: TEXT". */
void ink_errors_print(const InkErrors *errors, FILE *stream);

/* One failure of a run, in words for the user. code INK_DONE (0) means none. */
typedef struct InkFailure {
  InkExit code;
  char message[1024];
} InkFailure;

/* Records a failure; the first one stays. Local; use ink_failure_agree before acting on it in parallel. */
__attribute__((format(printf, 3, 4))) void ink_fail(InkFailure *failure, InkExit code, const char *format,
                                                    ...);

#endif
