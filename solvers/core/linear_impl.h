/* Private to the files linear*.c: the three solvers behind linear.h. */
#ifndef INK_CORE_LINEAR_IMPL_H
#define INK_CORE_LINEAR_IMPL_H

#include "linear.h"

/* One field on one axis: tridiagonal or cyclic. */
typedef struct InkDirect InkDirect;
PetscErrorCode ink_direct_create(const InkMesh *mesh, InkDirect **direct);
PetscErrorCode ink_direct_matrix(InkDirect *direct, const InkBlock *matrix);
PetscErrorCode ink_direct_solve(InkDirect *direct, const double *b, double *x, InkLinearResult *result);
PetscErrorCode ink_direct_destroy(InkDirect **direct);

/* LU of a band matrix with partial pivoting, pure and serial. Row i is stored at a + i * width, width = 2 *
 * lower + upper + 1, its entry in column j at [j - i + lower] (room for the fill of swapped rows; zero before
 * the factorisation). scale, pivot and reach (last column of each row of U) have room for `rows` and are
 * filled. False: exactly singular. */
typedef struct InkBand {
  int64_t rows;
  int lower, upper, width; /* sub- and superdiagonals, doubles a row */
  double *a, *scale;
  int64_t *pivot, *reach;
} InkBand;
bool ink_band_factor(InkBand *band);
void ink_band_solve(const InkBand *band, double *x);

/* Several fields on one axis. */
typedef struct InkBanded InkBanded;
/* Doubles that the factorisation takes on every rank. */
double ink_banded_size(const InkMesh *mesh, int n, const InkCoupling *coupling);
PetscErrorCode ink_banded_create(const InkMesh *mesh, int n, const InkCoupling *coupling, InkBanded **banded);
PetscErrorCode ink_banded_matrix(InkBanded *banded, const InkStencil *matrix);
PetscErrorCode ink_banded_solve(InkBanded *banded, const double *b, double *x, InkLinearResult *result);
PetscErrorCode ink_banded_destroy(InkBanded **banded);

/* More axes, or more unknowns than a rank should factor: PETSc. */
typedef struct InkKrylov InkKrylov;
PetscErrorCode ink_krylov_create(const InkMesh *mesh, int n, const InkCoupling *coupling,
                                 const InkReach *reach, bool symmetric, InkKrylov **krylov,
                                 InkFailure *failure);
PetscErrorCode ink_krylov_matrix(InkKrylov *krylov, const InkStencil *matrix, bool keep_preconditioner);
PetscErrorCode ink_krylov_solve(InkKrylov *krylov, const double *b, double rtol, double atol, double *x,
                                InkLinearResult *result);
PetscErrorCode ink_krylov_destroy(InkKrylov **krylov);

/* The entries of a cell's rows in the order of their blocks: diagonal first, then, where the block has
 * neighbours, lower and upper along each axis and each direction of the reach. */
typedef struct InkEntry {
  int row, column; /* fields s and f */
  int along, end;  /* of the neighbour: the axis, or INK_FAR + direction of the reach; -1: the cell itself */
} InkEntry;
enum { INK_FAR = 3 };
/* entry[] (may be NULL) is filled; returns how many. reach may be NULL. */
int ink_linear_entries(int dim, int n, const InkCoupling *coupling, const InkReach *reach, InkEntry *entry);
/* The array of a stencil that holds an entry; an error where it is missing. */
PetscErrorCode ink_linear_values(const InkStencil *matrix, const InkEntry *entry, const double **values);
#endif
