/* Linear systems A x = b of a stencil matrix: which of the three solvers takes them.
 *
 * Meshes of one axis go to a direct solver on the gathered system, tridiagonal for one field
 * (linear_direct.c), banded for several (linear_band.c), all others to PETSc (linear_krylov.c). */
#include "linear_impl.h"

/* Above this many doubles a rank a mesh with one axis is not gathered but solved as the others. */
static const double DIRECT_LIMIT = 32e6;
static const double TRIDIAGONAL_ARRAYS = 8;

struct InkLinear {
  int dim, n;
  /* One of: */
  InkDirect *direct;
  InkBanded *banded;
  InkKrylov *krylov;
};

int ink_linear_entries(int dim, int n, const InkCoupling *coupling, const InkReach *reach, InkEntry *entry) {
  int count = 0;
  for (int b = 0; b < n * n; b++) {
    if (coupling[b] == INK_UNCOUPLED) continue;
    const int directions = coupling[b] == INK_NEIGHBOURS ? dim + (reach ? reach->count : 0) : 0;
    for (int e = -1; e < 2 * directions; e++, count++) {
      const int d = e < 0 ? -1 : e / 2;
      if (entry)
        entry[count] = (InkEntry){.row = b / n,
                                  .column = b % n,
                                  .along = d < dim ? d : INK_FAR + d - dim,
                                  .end = e < 0 ? 0 : e % 2};
    }
  }
  return count;
}

PetscErrorCode ink_linear_values(const InkStencil *matrix, const InkEntry *entry, const double **values) {
  PetscFunctionBeginUser;
  const InkBlock *block = &matrix->block[entry->row * matrix->n + entry->column];
  const int along = entry->along, end = entry->end;
  *values = along < 0         ? block->diagonal
            : along < INK_FAR ? block->off[along][end]
            : block->far      ? block->far[along - INK_FAR][end]
                              : NULL;
  PetscCheck(*values, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "stencil without block (%d, %d), direction %d",
             entry->row, entry->column, along);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_create(const InkMesh *mesh, int n, const InkCoupling *coupling,
                                 const InkReach *reach, bool symmetric, InkLinear **linear,
                                 InkFailure *failure) {
  PetscFunctionBeginUser;
  *linear = NULL;
  PetscCheck(!reach || reach->count == 0 || (n == 1 && mesh->dim > 1 && mesh->width > 1), PETSC_COMM_SELF,
             PETSC_ERR_SUP, "a reach is for one field on several axes of a wide mesh");
  InkLinear *l;
  PetscCall(PetscNew(&l));
  l->dim = mesh->dim;
  l->n = n;
  /* A periodic axis of two cells has two faces between the same cells: more than tridiagonal can say. */
  const bool tridiagonal = n == 1 && (!mesh->axis[0].periodic || mesh->cells > 2);
  if (mesh->dim == 1 && tridiagonal && TRIDIAGONAL_ARRAYS * (double)mesh->cells <= DIRECT_LIMIT)
    PetscCall(ink_direct_create(mesh, &l->direct));
  else if (mesh->dim == 1 && !tridiagonal && ink_banded_size(mesh, n, coupling) <= DIRECT_LIMIT)
    PetscCall(ink_banded_create(mesh, n, coupling, &l->banded));
  else
    PetscCall(ink_krylov_create(mesh, n, coupling, reach, symmetric, &l->krylov, failure));
  if (!l->direct && !l->banded && !l->krylov) PetscCall(PetscFree(l)); /* failed */
  *linear = l;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_destroy(InkLinear **linear) {
  PetscFunctionBeginUser;
  InkLinear *l = *linear;
  if (!l) PetscFunctionReturn(0);
  PetscCall(ink_direct_destroy(&l->direct));
  PetscCall(ink_banded_destroy(&l->banded));
  PetscCall(ink_krylov_destroy(&l->krylov));
  PetscCall(PetscFree(*linear));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_matrix(InkLinear *linear, const InkStencil *matrix, bool keep_preconditioner) {
  PetscFunctionBeginUser;
  PetscCheck(matrix->n == linear->n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "a stencil of %d fields, not %d",
             matrix->n, linear->n);
  if (linear->direct)
    PetscCall(ink_direct_matrix(linear->direct, matrix->block));
  else if (linear->banded)
    PetscCall(ink_banded_matrix(linear->banded, matrix));
  else
    PetscCall(ink_krylov_matrix(linear->krylov, matrix, keep_preconditioner));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_solve(InkLinear *linear, const double *b, double rtol, double atol, double *x,
                                InkLinearResult *result) {
  PetscFunctionBeginUser;
  *result = (InkLinearResult){0};
  if (linear->direct)
    PetscCall(ink_direct_solve(linear->direct, b, x, result));
  else if (linear->banded)
    PetscCall(ink_banded_solve(linear->banded, b, x, result));
  else
    PetscCall(ink_krylov_solve(linear->krylov, b, rtol, atol, x, result));
  PetscFunctionReturn(0);
}
