/* Linear systems A x = b of a stencil matrix: assembly into PETSc and the choice of solver.
 *
 * Unknowns are numbered rank by rank, x fastest inside a rank, so that a rank's rows are contiguous. A
 * neighbour's number comes through the halo exchange of an array of numbers (exact in doubles). The
 * structure of the matrix is made once; later matrices only replace its values.
 *
 * Solvers (meshes of two and three axes): conjugate gradients where the matrix is symmetric, else BiCGStab.
 * Preconditioner by diagonal dominance, rho = max over rows of sum |off| / |diagonal|: the iterations of an
 * incomplete factorisation grow as sqrt(1 / (1 - rho)), those of multigrid do not. Measured on one core at a
 * residual of 1e-8, microseconds a cell and solve (and to set up), five-point 512^2: rho 0.99998: ICC(0) 10
 * (0.6), BoomerAMG 1.2 (2.7), GAMG 1.5 (3.3); rho 0.976: 0.67 (0.3) against BoomerAMG 0.72 (1.1); rho 0.91:
 * 0.36 (0.5) against 0.74 (1.1), Jacobi 0.54 (0.2). So block Jacobi with ICC(0) or ILU(0) below DOMINANT and
 * multigrid above it: hypre's BoomerAMG where PETSc has it, else GAMG. Seven-point 64^3, rho 0.99998:
 * BoomerAMG with one level of aggressive coarsening, short interpolation and l1-Jacobi smoothing 1.8 (3.0),
 * with its defaults 3.7 (9.0), GAMG 1.2 (8.8).
 */
#include <math.h>
#include <string.h>
#include <petscksp.h>
#include "linear_impl.h"

/* Above this many unknowns a mesh with one axis is not gathered but solved as the others. */
static const int64_t DIRECT_LIMIT = 4000000;
static const double DOMINANT = 0.97;
static const int MAX_ITERATIONS = 500;

struct InkLinear {
  const InkMesh *mesh;
  bool symmetric, assembled, cheap; /* cheap: the preconditioner is the one for dominant diagonals */
  InkDirect *direct;                /* one axis; else NULL and: */
  double *number;                   /* global number of each cell and ghost; -1 at walls */
  Mat matrix;
  Vec b, x;
  KSP ksp;
};

static int64_t owned(const InkMesh *mesh) { return mesh->count[0] * mesh->count[1] * mesh->count[2]; }

static int64_t row_start(const InkMesh *mesh, int64_t j, int64_t k) {
  return mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
}

static bool in_use(const InkStencil *matrix, int axis) { return matrix->off[axis][0] != NULL; }

static PetscErrorCode number_cells(InkLinear *linear) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = linear->mesh;
  PetscCall(ink_mesh_array(mesh, &linear->number));
  for (int64_t c = 0; c < mesh->size; c++) linear->number[c] = -1;
  int64_t first = 0, count = owned(mesh);
  PetscCallMPI(MPI_Exscan(&count, &first, 1, MPI_INT64_T, MPI_SUM, mesh->comm));
  int rank;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  if (rank == 0) first = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++)
        linear->number[row_start(mesh, j, k) + i] = (double)first++;
  PetscCall(ink_mesh_exchange(mesh, linear->number));
  PetscFunctionReturn(0);
}

/* The columns of a cell's row: itself first, then its neighbours; a column met twice (a periodic axis of two
 * cells) once. Returns how many; entry[] is summed from matrix, or left alone when that is NULL. */
static int row_of(const InkLinear *linear, int64_t c, const InkStencil *matrix, PetscInt column[7],
                  double entry[7]) {
  const InkMesh *mesh = linear->mesh;
  int n = 1;
  column[0] = (PetscInt)linear->number[c];
  if (matrix) entry[0] = matrix->diagonal[c];
  for (int axis = 0; axis < mesh->dim; axis++)
    for (int end = 0; end < 2; end++) {
      const int64_t step = axis == 0 ? 1 : mesh->stride[axis];
      const double number = linear->number[end ? c + step : c - step];
      if (number < 0) continue;
      int at = 0;
      while (at < n && column[at] != (PetscInt)number) at++;
      if (at == n) {
        column[n++] = (PetscInt)number;
        if (matrix) entry[at] = 0;
      }
      if (matrix) entry[at] += matrix->off[axis][end][c];
    }
  return n;
}

static PetscErrorCode make_matrix(InkLinear *linear) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = linear->mesh;
  const PetscInt rows = (PetscInt)owned(mesh);
  PetscInt *here, *there, column[7], first = (PetscInt)linear->number[mesh->origin], row = 0;
  PetscCall(PetscCalloc2(rows, &here, rows, &there));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++, row++) {
        const int n = row_of(linear, row_start(mesh, j, k) + i, NULL, column, NULL);
        for (int e = 0; e < n; e++)
          *(column[e] >= first && column[e] < first + rows ? &here[row] : &there[row]) += 1;
      }
  PetscCall(MatCreateAIJ(mesh->comm, rows, rows, PETSC_DETERMINE, PETSC_DETERMINE, 0, here, 0, there,
                         &linear->matrix));
  PetscCall(PetscFree2(here, there));
  PetscCall(MatSetOption(linear->matrix, MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_TRUE));
  PetscCall(MatSetOption(linear->matrix, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  if (linear->symmetric) PetscCall(MatSetOption(linear->matrix, MAT_SPD, PETSC_TRUE));
  PetscCall(MatCreateVecs(linear->matrix, &linear->x, &linear->b));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_solver(InkLinear *linear) {
  PetscFunctionBeginUser;
  PetscCall(KSPCreate(linear->mesh->comm, &linear->ksp));
  PetscCall(KSPSetOptionsPrefix(linear->ksp, "ink_"));
  PetscCall(KSPSetOperators(linear->ksp, linear->matrix, linear->matrix));
  PetscCall(KSPSetType(linear->ksp, linear->symmetric ? KSPCG : KSPBCGS));
  PetscCall(KSPSetErrorIfNotConverged(linear->ksp, PETSC_FALSE));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_create(const InkMesh *mesh, bool symmetric, InkLinear **linear,
                                 InkFailure *failure) {
  PetscFunctionBeginUser;
  *linear = NULL;
  const double limit = (double)PETSC_MAX_INT;
  int64_t most = owned(mesh);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, mesh->comm));
  if ((double)mesh->cells > limit || 7.0 * (double)most > limit) {
    ink_fail(failure, INK_USAGE,
             "mesh: %lld cells, %lld on one rank, are more than this PETSc numbers with its 32-bit indices "
             "(%.0f, and "
             "%.0f on a rank); use more ranks, time.method: explicit, or a PETSc built with 64-bit indices",
             (long long)mesh->cells, (long long)most, limit, limit / 7);
    PetscFunctionReturn(0);
  }
  InkLinear *l;
  PetscCall(PetscNew(&l));
  l->mesh = mesh;
  l->symmetric = symmetric;
  if (mesh->dim == 1 && mesh->cells <= DIRECT_LIMIT) {
    PetscCall(ink_direct_create(mesh, &l->direct));
  } else {
    PetscCall(number_cells(l));
    PetscCall(make_matrix(l));
    PetscCall(make_solver(l));
  }
  *linear = l;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_destroy(InkLinear **linear) {
  PetscFunctionBeginUser;
  InkLinear *l = *linear;
  if (!l) PetscFunctionReturn(0);
  PetscCall(ink_direct_destroy(&l->direct));
  PetscCall(KSPDestroy(&l->ksp));
  PetscCall(VecDestroy(&l->b));
  PetscCall(VecDestroy(&l->x));
  PetscCall(MatDestroy(&l->matrix));
  ink_mesh_free(&l->number);
  PetscCall(PetscFree(*linear));
  PetscFunctionReturn(0);
}

/* rho = max over rows of sum |off| / |diagonal|, over all ranks. */
static PetscErrorCode dominance(const InkLinear *linear, const InkStencil *matrix, double *rho) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = linear->mesh;
  *rho = 0;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0, c = row_start(mesh, j, k); i < mesh->count[0]; i++, c++) {
        double sum = 0;
        for (int axis = 0; axis < mesh->dim; axis++)
          sum += fabs(matrix->off[axis][0][c]) + fabs(matrix->off[axis][1][c]);
        *rho = fmax(*rho, sum / fabs(matrix->diagonal[c]));
      }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rho, 1, MPI_DOUBLE, MPI_MAX, mesh->comm));
  PetscFunctionReturn(0);
}

/* An option of the preconditioner's own, unless the user gave it. */
static PetscErrorCode default_option(const char *name, const char *value) {
  PetscFunctionBeginUser;
  PetscBool given;
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &given));
  if (!given) PetscCall(PetscOptionsSetValue(NULL, name, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode choose_preconditioner(InkLinear *linear, bool cheap) {
  PetscFunctionBeginUser;
  PC pc;
  PetscCall(KSPGetPC(linear->ksp, &pc));
  if (cheap) {
    PetscCall(PCSetType(pc, PCBJACOBI));
    if (linear->symmetric) PetscCall(default_option("-ink_sub_pc_type", PCICC));
  } else {
#if defined(PETSC_HAVE_HYPRE)
    PetscCall(PCSetType(pc, PCHYPRE));
    PetscCall(PCHYPRESetType(pc, "boomeramg"));
    if (linear->mesh->dim == 3) {
      PetscCall(default_option("-ink_pc_hypre_boomeramg_strong_threshold", "0.5"));
      PetscCall(default_option("-ink_pc_hypre_boomeramg_coarsen_type", "HMIS"));
      PetscCall(default_option("-ink_pc_hypre_boomeramg_interp_type", "ext+i"));
      PetscCall(default_option("-ink_pc_hypre_boomeramg_P_max", "4"));
      PetscCall(default_option("-ink_pc_hypre_boomeramg_agg_nl", "1"));
      PetscCall(default_option("-ink_pc_hypre_boomeramg_relax_type_all", "l1scaled-Jacobi"));
    }
#else
    PetscCall(PCSetType(pc, PCGAMG));
#endif
  }
  PetscCall(KSPSetFromOptions(linear->ksp));
  linear->cheap = cheap;
  PetscFunctionReturn(0);
}

static PetscErrorCode fill(InkLinear *linear, const InkStencil *matrix) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = linear->mesh;
  PetscInt column[7];
  double entry[7];
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0, c = row_start(mesh, j, k); i < mesh->count[0]; i++, c++) {
        const int n = row_of(linear, c, matrix, column, entry);
        PetscCall(MatSetValues(linear->matrix, 1, column, n, column, entry, INSERT_VALUES));
      }
  PetscCall(MatAssemblyBegin(linear->matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(linear->matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_linear_matrix(InkLinear *linear, const InkStencil *matrix, bool keep_preconditioner) {
  PetscFunctionBeginUser;
  for (int axis = 0; axis < linear->mesh->dim; axis++)
    PetscCheck(in_use(matrix, axis), PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "stencil without axis %d", axis);
  if (linear->direct) {
    PetscCall(ink_direct_matrix(linear->direct, matrix));
    PetscFunctionReturn(0);
  }
  PetscCall(fill(linear, matrix));
  const bool keep = keep_preconditioner && linear->assembled;
  if (!keep) {
    double rho;
    PetscCall(dominance(linear, matrix, &rho));
    if (!linear->assembled || (rho < DOMINANT) != linear->cheap)
      PetscCall(choose_preconditioner(linear, rho < DOMINANT));
  }
  PetscCall(KSPSetReusePreconditioner(linear->ksp, keep ? PETSC_TRUE : PETSC_FALSE));
  PetscCall(KSPSetOperators(linear->ksp, linear->matrix, linear->matrix));
  linear->assembled = true;
  PetscFunctionReturn(0);
}

/* Copies between a padded array of the mesh and a rank's packed part of a vector. */
static void pack(const InkMesh *mesh, const double *padded, double *packed) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++, packed += mesh->count[0])
      memcpy(packed, padded + row_start(mesh, j, k), (size_t)mesh->count[0] * sizeof(double));
}

static void unpack(const InkMesh *mesh, const double *packed, double *padded) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++, packed += mesh->count[0])
      memcpy(padded + row_start(mesh, j, k), packed, (size_t)mesh->count[0] * sizeof(double));
}

PetscErrorCode ink_linear_solve(InkLinear *linear, const double *b, double rtol, double atol, double *x,
                                InkLinearResult *result) {
  PetscFunctionBeginUser;
  if (linear->direct) {
    PetscCall(ink_direct_solve(linear->direct, b, x, result));
    PetscFunctionReturn(0);
  }
  memset(result, 0, sizeof *result);
  double *values;
  PetscCall(VecGetArrayWrite(linear->b, &values));
  pack(linear->mesh, b, values);
  PetscCall(VecRestoreArrayWrite(linear->b, &values));
  PetscCall(KSPSetTolerances(linear->ksp, rtol, atol, 1e12, MAX_ITERATIONS));
  PetscCall(KSPSolve(linear->ksp, linear->b, linear->x));
  KSPConvergedReason reason;
  PetscInt iterations;
  PetscCall(KSPGetConvergedReason(linear->ksp, &reason));
  PetscCall(KSPGetIterationNumber(linear->ksp, &iterations));
  result->converged = reason > 0;
  result->iterations = (int)iterations;
  const double *solution;
  PetscCall(VecGetArrayRead(linear->x, &solution));
  unpack(linear->mesh, solution, x);
  PetscCall(VecRestoreArrayRead(linear->x, &solution));
  if (!result->converged)
    PetscCall(PetscSNPrintf(result->reason, sizeof result->reason,
                            "the linear solver gave up after %d iterations (%s)", result->iterations,
                            KSPConvergedReasons[reason]));
  PetscFunctionReturn(0);
}
