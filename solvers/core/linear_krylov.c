/* Linear systems of meshes of two and three axes: assembly into PETSc and solution (the choice of the
 * preconditioner: linear_precondition.c).
 *
 * Cells are numbered rank by rank, x fastest inside a rank, so that a rank's rows are contiguous; unknown s
 * of cell c is row n c + s. A neighbour's number comes through the halo exchange of an array of numbers
 * (exact in doubles). The places of the entries are handed to PETSc once, array after array of the stencil; a
 * later matrix is the same arrays again. */
#include <math.h>
#include <string.h>
#include <petscksp.h>
#include "linear_krylov_impl.h"

static int64_t owned(const InkMesh *mesh) { return mesh->count[0] * mesh->count[1] * mesh->count[2]; }

static int64_t row_start(const InkMesh *mesh, int64_t j, int64_t k) {
  return mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
}

/* Global number of each cell and ghost; -1 at walls. */
static PetscErrorCode number_cells(const InkMesh *mesh, double **number) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_array(mesh, number));
  for (int64_t c = 0; c < mesh->size; c++) (*number)[c] = -1;
  int64_t first = 0, count = owned(mesh);
  PetscCallMPI(MPI_Exscan(&count, &first, 1, MPI_INT64_T, MPI_SUM, mesh->comm));
  int rank;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  if (rank == 0) first = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) (*number)[row_start(mesh, j, k) + i] = (double)first++;
  PetscCall(ink_mesh_exchange(mesh, *number));
  PetscFunctionReturn(0);
}

/* From a cell to the neighbour of an entry, in arrays of the mesh. */
static int64_t step_to(const InkKrylov *krylov, const InkEntry *entry) {
  const InkMesh *mesh = krylov->mesh;
  int64_t step = 0;
  if (entry->along >= INK_FAR)
    step = ink_mesh_jump(mesh, krylov->reach->offset[entry->along - INK_FAR]);
  else if (entry->along >= 0)
    step = mesh->stride[entry->along];
  return entry->end ? step : -step;
}

/* Rows and columns of one entry in all owned cells; column -1, which PETSc passes over, at walls. */
static void places(const InkKrylov *krylov, const double *number, const InkEntry *entry, PetscInt *row,
                   PetscInt *column) {
  const InkMesh *mesh = krylov->mesh;
  const int64_t step = step_to(krylov, entry);
  const PetscInt n = krylov->n;
  int64_t at = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0, c = row_start(mesh, j, k); i < mesh->count[0]; i++, c++, at++) {
        const PetscInt other = (PetscInt)number[c + step];
        row[at] = n * (PetscInt)number[c] + entry->row;
        column[at] = other < 0 ? -1 : n * other + entry->column;
      }
}

static PetscErrorCode make_matrix(InkKrylov *krylov) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = krylov->mesh;
  const int64_t cells = owned(mesh), entries = krylov->entries * cells;
  PetscInt *row, *column;
  double *number;
  PetscCall(number_cells(mesh, &number));
  PetscCall(PetscMalloc2(entries, &row, entries, &column));
  for (int e = 0; e < krylov->entries; e++)
    places(krylov, number, &krylov->entry[e], row + e * cells, column + e * cells);
  ink_mesh_free(&number);
  const PetscInt rows = (PetscInt)(krylov->n * cells);
  PetscCall(MatCreate(mesh->comm, &krylov->matrix));
  PetscCall(MatSetSizes(krylov->matrix, rows, rows, PETSC_DETERMINE, PETSC_DETERMINE));
  PetscCall(MatSetBlockSize(krylov->matrix, krylov->n));
  PetscCall(MatSetType(krylov->matrix, MATAIJ));
  PetscCall(MatSetPreallocationCOO(krylov->matrix, entries, row, column));
  PetscCall(PetscFree2(row, column));
  PetscCall(PetscMalloc1(entries, &krylov->values));
  if (krylov->symmetric) PetscCall(MatSetOption(krylov->matrix, MAT_SPD, PETSC_TRUE));
  PetscCall(MatCreateVecs(krylov->matrix, &krylov->x, &krylov->b));
  PetscCall(VecDuplicate(krylov->b, &krylov->residual));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_solver(InkKrylov *krylov) {
  PetscFunctionBeginUser;
  PetscCall(KSPCreate(krylov->mesh->comm, &krylov->ksp));
  PetscCall(KSPSetOptionsPrefix(krylov->ksp, "ink_"));
  PetscCall(KSPSetOperators(krylov->ksp, krylov->matrix, krylov->matrix));
  PetscCall(KSPSetErrorIfNotConverged(krylov->ksp, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* Are there more unknowns, or entries on a rank, than PETSc can number? */
static PetscErrorCode check_size(const InkKrylov *krylov, bool *fits, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = krylov->mesh;
  const double limit = (double)PETSC_MAX_INT;
  int64_t most = owned(mesh);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, mesh->comm));
  *fits = (double)mesh->cells * krylov->n <= limit && (double)krylov->entries * (double)most <= limit;
  if (*fits) PetscFunctionReturn(0);
  ink_fail(
      failure, INK_USAGE,
      "mesh: %lld cells, %lld on one rank, with %d field%s, are more than this PETSc numbers with its "
      "32-bit indices (%.0f, and %.0f on a rank); use more ranks, time.method: explicit, or a PETSc built "
      "with 64-bit indices",
      (long long)mesh->cells, (long long)most, krylov->n, krylov->n == 1 ? "" : "s", floor(limit / krylov->n),
      floor(limit / krylov->entries));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_krylov_create(const InkMesh *mesh, int n, const InkCoupling *coupling,
                                 const InkReach *reach, bool symmetric, InkKrylov **krylov,
                                 InkFailure *failure) {
  PetscFunctionBeginUser;
  InkKrylov *k;
  PetscCall(PetscNew(&k));
  k->mesh = mesh;
  k->reach = reach;
  k->n = n;
  k->symmetric = symmetric;
  for (int p = 0; p < INK_PRECONDITIONERS; p++) k->failed[p] = INFINITY;
  k->entries = ink_linear_entries(mesh->dim, n, coupling, reach, NULL);
  PetscCall(PetscMalloc1(k->entries, &k->entry));
  ink_linear_entries(mesh->dim, n, coupling, reach, k->entry);
  bool fits;
  PetscCall(check_size(k, &fits, failure));
  if (fits) {
    PetscCall(make_matrix(k));
    PetscCall(make_solver(k));
  } else {
    PetscCall(ink_krylov_destroy(&k));
  }
  *krylov = k;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_krylov_destroy(InkKrylov **krylov) {
  PetscFunctionBeginUser;
  InkKrylov *k = *krylov;
  if (!k) PetscFunctionReturn(0);
  PetscCall(KSPDestroy(&k->ksp));
  PetscCall(VecDestroy(&k->residual));
  PetscCall(VecDestroy(&k->b));
  PetscCall(VecDestroy(&k->x));
  PetscCall(MatDestroy(&k->matrix));
  PetscCall(PetscFree(k->values));
  PetscCall(PetscFree(k->entry));
  PetscCall(PetscFree(*krylov));
  PetscFunctionReturn(0);
}

/* Copies between a padded array of the mesh and a packed one of every `stride`-th double. */
static void pack(const InkMesh *mesh, const double *padded, int stride, double *packed) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const double *row = padded + row_start(mesh, j, k);
      if (stride == 1)
        memcpy(packed, row, (size_t)mesh->count[0] * sizeof(double));
      else
        for (int64_t i = 0; i < mesh->count[0]; i++) packed[i * stride] = row[i];
      packed += mesh->count[0] * stride;
    }
}

static void unpack(const InkMesh *mesh, const double *packed, int stride, double *padded) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      double *row = padded + row_start(mesh, j, k);
      if (stride == 1)
        memcpy(row, packed, (size_t)mesh->count[0] * sizeof(double));
      else
        for (int64_t i = 0; i < mesh->count[0]; i++) row[i] = packed[i * stride];
      packed += mesh->count[0] * stride;
    }
}

static PetscErrorCode fill(InkKrylov *krylov, const InkStencil *matrix) {
  PetscFunctionBeginUser;
  for (int e = 0; e < krylov->entries; e++) {
    const double *values;
    PetscCall(ink_linear_values(matrix, &krylov->entry[e], &values));
    pack(krylov->mesh, values, 1, krylov->values + e * owned(krylov->mesh));
  }
  PetscCall(MatSetValuesCOO(krylov->matrix, krylov->values, INSERT_VALUES));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_krylov_matrix(InkKrylov *krylov, const InkStencil *matrix, bool keep_preconditioner) {
  PetscFunctionBeginUser;
  PetscCall(fill(krylov, matrix));
  const bool keep = keep_preconditioner && krylov->preconditioner != INK_NO_PRECONDITIONER;
  if (!keep) PetscCall(ink_precondition(krylov, matrix));
  PetscCall(KSPSetReusePreconditioner(krylov->ksp, keep ? PETSC_TRUE : PETSC_FALSE));
  PetscCall(KSPSetOperators(krylov->ksp, krylov->matrix, krylov->matrix));
  PetscFunctionReturn(0);
}

/* Is x as good as the preconditioned residual says? A preconditioner that is nearly singular, such as
 * multigrid of an indefinite matrix can be, blows its residuals up, and then a small reduction says nothing:
 * when the error is within the tolerance t, the residual is within |A| t. */
static PetscErrorCode verify(InkKrylov *krylov, double rtol, double atol, KSPConvergedReason *reason) {
  PetscFunctionBeginUser;
  static const double generous = 100;
  double norm, size, residual;
  PetscCall(MatNorm(krylov->matrix, NORM_INFINITY, &norm));
  PetscCall(VecNorm(krylov->x, NORM_2, &size));
  PetscCall(MatMult(krylov->matrix, krylov->x, krylov->residual));
  PetscCall(VecAXPY(krylov->residual, -1, krylov->b));
  PetscCall(VecNorm(krylov->residual, NORM_2, &residual));
  if (!(residual <= generous * norm * fmax(fmax(rtol, 1e-15) * size, atol))) *reason = KSP_DIVERGED_BREAKDOWN;
  PetscFunctionReturn(0);
}

static PetscErrorCode run(InkKrylov *krylov, double rtol, double atol, InkLinearResult *result,
                          KSPConvergedReason *reason) {
  PetscFunctionBeginUser;
  PetscInt iterations;
  PetscCall(KSPSetTolerances(krylov->ksp, rtol, atol, 1e12, krylov->most_iterations));
  PetscCall(KSPSolve(krylov->ksp, krylov->b, krylov->x));
  PetscCall(KSPGetConvergedReason(krylov->ksp, reason));
  PetscCall(KSPGetIterationNumber(krylov->ksp, &iterations));
  result->iterations += (int)iterations;
  if (*reason > 0 && !krylov->symmetric) PetscCall(verify(krylov, rtol, atol, reason));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_krylov_solve(InkKrylov *krylov, const double *b, double rtol, double atol, double *x,
                                InkLinearResult *result) {
  PetscFunctionBeginUser;
  const int n = krylov->n;
  double *values;
  PetscCall(VecGetArrayWrite(krylov->b, &values));
  for (int s = 0; s < n; s++) pack(krylov->mesh, b + s * krylov->mesh->size, n, values + s);
  PetscCall(VecRestoreArrayWrite(krylov->b, &values));
  KSPConvergedReason reason = KSP_DIVERGED_PC_FAILED;
  bool again = true;
  while (again) {
    bool ready;
    PetscCall(ink_precondition_set_up(krylov, &ready));
    if (ready) PetscCall(run(krylov, rtol, atol, result, &reason));
    result->converged = ready && reason > 0;
    again = false;
    if (!result->converged) PetscCall(ink_precondition_better(krylov, &again));
  }
  const double *solution;
  PetscCall(VecGetArrayRead(krylov->x, &solution));
  for (int s = 0; s < n; s++) unpack(krylov->mesh, solution + s, n, x + s * krylov->mesh->size);
  PetscCall(VecRestoreArrayRead(krylov->x, &solution));
  if (!result->converged)
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason,
                            "the linear solver gave up after %d iterations (%s)", result->iterations,
                            KSPConvergedReasons[reason]));
  PetscFunctionReturn(0);
}
