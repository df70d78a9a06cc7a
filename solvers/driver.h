/* The driver: takes a deck through its run. It knows of an equation only what solver.h says.
 *
 * A run: read and check the deck; lock OUT; start or load a checkpoint; then again and again advance to the
 * next target, observe, write, and do what the clock asks for; at the end the index, the series, the report
 * and the verify table. */
#ifndef INK_DRIVER_H
#define INK_DRIVER_H

#include <mpi.h>
#include "options.h"
#include "solver.h"

/* Runs one deck. begin: MPI_Wtime at the start of the program. *code: how it ended, the same on all ranks;
 * messages have been printed. Collective. */
PetscErrorCode ink_run_deck(MPI_Comm comm, const char *deck, const InkOptions *options, double begin,
                            int *code);

/* The verb `check` for one deck. Collective. */
PetscErrorCode ink_check_deck(MPI_Comm comm, const char *deck, const InkOptions *options, int *code);

/* Reads and checks a deck on rank 0, prints what is wrong, gives every rank the resolved deck. A bad deck:
 * *deck is NULL on all ranks. settings: ends with NULL. Collective. */
PetscErrorCode ink_prepare_deck(MPI_Comm comm, const char *path, const char *const *settings, InkDeck **deck,
                                const InkSolverType **solver);

/* Number of a key that may be absent. */
double ink_deck_number_or(const InkDeck *deck, const char *path, double otherwise);

/* The sides of the mesh that the deck does not give, which are zero-flux: "x_max, y_min"; "" when there are
 * none. */
void ink_defaulted_sides(const InkDeck *deck, char *text, size_t size);
#endif
