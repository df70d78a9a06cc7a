/* The choice of the Krylov method and its preconditioner.
 *
 * By diagonal dominance, rho = max over rows of sum |off| / |diagonal| within a field: the iterations of an
 * incomplete factorisation grow as sqrt(1 / (1 - rho)), those of multigrid do not. Where the rows say no, the
 * columns may say yes: a step of an equation that conserves what a cell holds, such as a density's, has
 * columns that sum to the capacity, whatever the drift does to its rows.
 *
 * One field, measured on one core at a residual of 1e-8, microseconds a cell and solve (and to set up),
 * five-point 512^2: rho 0.99998: ICC(0) 10 (0.6), BoomerAMG 1.2 (2.7), GAMG 1.5 (3.3); rho 0.976: 0.67 (0.3)
 * against BoomerAMG 0.72 (1.1); rho 0.91: 0.36 (0.5) against 0.74 (1.1), Jacobi 0.54 (0.2). So block Jacobi
 * with ICC(0) or ILU(0) below a rho of 0.97 and multigrid above it: hypre's BoomerAMG where PETSc has it,
 * else GAMG. Seven-point 64^3, rho 0.99998: BoomerAMG with one level of aggressive coarsening, short
 * interpolation and l1-Jacobi smoothing 1.8 (3.0), with its defaults 3.7 (9.0), GAMG 1.2 (8.8).
 *
 * Not symmetric, one field: Fokker-Planck steps of TR-BDF2, 300^2, 1e-8, ILU(0) with BiCGStab against
 * BoomerAMG with GMRES (0.8 to set up), by the rho of the columns; that of the rows is above 1 wherever the
 * drift converges:
 *
 *     rotation and decay          0.976: 0.23, 0.54   0.988: 0.42, 0.51   0.994: 1.9, 0.62   0.998: 2.7, 0.77
 *     Langevin with inertia       0.959: 0.15, 0.45   0.979: 0.22, 0.53   0.989: 0.46, 0.62  0.996: 1.6, 0.68
 *     two wells, weak noise       0.982: 0.18, 0.62   0.991: 0.26, 0.70   0.998: 0.48, 1.0   0.9998: 1.2, 1.6
 *
 * so ILU(0) below 0.99.
 *
 * Two fields that react (Schnakenberg, dt J of order 1) and diffuse, D ratio 10, 256^2, residual 1e-6,
 * microseconds a cell and solve, set up in the head of the column:
 *
 *     dt D/h^2  rho     ILU(0)         ILU(0)            ILU(2)    BoomerAMG  BoomerAMG  MUMPS
 *                       BiCGStab 0.25  in blocks 0.27    0.65      BiCGStab   GMRES 1.6  15
 *     1         0.990   1.06           0.80              0.59      2.2        2.1        0.6
 *     10        0.9990  2.6            2.9               2.0       2.3        1.8        0.6
 *     100       0.9999  7.1            9.5               6.8       1.7        1.7        0.6
 *     1000      1.0000  26             31                16        1.7        1.6        0.6
 *
 * (GMRES with ILU(0) 1.06, 3.3, 10, more than 28.) So ILU(0) below a rho of 0.998, above it multigrid, each
 * field coarsened by itself, under GMRES, which applies the preconditioner once an iteration. It needs a
 * matrix in which diffusion dominates: with reactions as strong as diffusion between cells (rho 1.67) it
 * diverges, and so may ILU(0). When one does not converge, the other is tried, and last, where the matrix is
 * not too large, a direct factorisation; what has failed is passed over for matrices that are no more
 * dominant. */
#include <float.h>
#include <math.h>
#include "linear_krylov_impl.h"

static const double DOMINANT_SYMMETRIC = 0.97, DOMINANT = 0.99, DOMINANT_FIELDS = 0.998;
static const int ITERATIONS[INK_PRECONDITIONERS] = {
    [INK_INCOMPLETE] = 300, [INK_MULTIGRID] = 100, [INK_FACTORED] = 20};
/* The most unknowns that are factored, by axes: what fits in a few gigabytes. */
static const double FACTOR_LIMIT[3] = {4e6, 1e6, 1e5};
#if defined(PETSC_HAVE_MUMPS)
static const char *const PACKAGE = MATSOLVERMUMPS;
#elif defined(PETSC_HAVE_SUPERLU_DIST)
static const char *const PACKAGE = MATSOLVERSUPERLU_DIST;
#else
static const char *const PACKAGE = NULL;
#endif

/* Sum of |off| of a cell's row within its field; *mixed where one is above zero. */
static double off_diagonal(const InkKrylov *krylov, const InkBlock *own, int64_t c, bool *mixed) {
  double sum = 0, most = 0;
  for (int axis = 0; axis < krylov->mesh->dim; axis++) {
    sum += fabs(own->off[axis][0][c]) + fabs(own->off[axis][1][c]);
    most = fmax(most, fmax(own->off[axis][0][c], own->off[axis][1][c]));
  }
  for (int d = 0; own->far && d < krylov->reach->count; d++) {
    sum += fabs(own->far[d][0][c]) + fabs(own->far[d][1][c]);
    most = fmax(most, fmax(own->far[d][0][c], own->far[d][1][c]));
  }
  *mixed = *mixed || most > 0;
  return sum;
}

/* rho of the rows within each field, over all ranks. *mixed: not all entries off the diagonal are <= 0 and
 * all on it > 0. */
static PetscErrorCode dominance_of_rows(const InkKrylov *krylov, const InkStencil *matrix, double *rho,
                                        bool *mixed) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = krylov->mesh;
  double pair[2] = {0, 0};
  *mixed = false;
  for (int s = 0; s < krylov->n; s++) {
    const InkBlock *own = &matrix->block[s * krylov->n + s];
    if (!own->off[0][0]) continue; /* immobile */
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++) {
        const int64_t first = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
        for (int64_t c = first; c < first + mesh->count[0]; c++) {
          const double sum = off_diagonal(krylov, own, c, mixed), diagonal = own->diagonal[c];
          pair[0] = fmax(pair[0], diagonal != 0 ? sum / fabs(diagonal) : INFINITY);
          if (!(diagonal > 0)) *mixed = true;
        }
      }
  }
  pair[1] = *mixed;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pair, 2, MPI_DOUBLE, MPI_MAX, mesh->comm));
  *rho = pair[0];
  *mixed = pair[1] > 0;
  PetscFunctionReturn(0);
}

/* The same of the columns of a matrix of one field that is not mixed: 1 - (sum of the column) / diagonal. */
static PetscErrorCode dominance_of_columns(const InkKrylov *krylov, double *rho) {
  PetscFunctionBeginUser;
  PetscReal least;
  PetscCall(VecSet(krylov->b, 1));
  PetscCall(MatMultTranspose(krylov->matrix, krylov->b, krylov->residual));
  PetscCall(MatGetDiagonal(krylov->matrix, krylov->b));
  PetscCall(VecPointwiseDivide(krylov->residual, krylov->residual, krylov->b));
  PetscCall(VecMin(krylov->residual, NULL, &least));
  *rho = 1 - least;
  PetscFunctionReturn(0);
}

static bool is_dominant(const InkKrylov *krylov, double rho) {
  return rho < (krylov->n > 1 ? DOMINANT_FIELDS : krylov->symmetric ? DOMINANT_SYMMETRIC : DOMINANT);
}

/* The lesser of the two, where the rows do not suffice; the columns of several fields are not looked at. */
static PetscErrorCode dominance(const InkKrylov *krylov, const InkStencil *matrix, double *rho) {
  PetscFunctionBeginUser;
  bool mixed;
  PetscCall(dominance_of_rows(krylov, matrix, rho, &mixed));
  if (is_dominant(krylov, *rho) || krylov->n > 1 || krylov->symmetric || mixed) PetscFunctionReturn(0);
  double columns = INFINITY;
  PetscCall(dominance_of_columns(krylov, &columns));
  *rho = fmin(*rho, columns);
  PetscFunctionReturn(0);
}

/* Options of the preconditioner's own, for which PETSc has no function. */
typedef struct Default {
  const char *name, *value;
} Default;

enum { DEFAULTS = 6 };
static const Default MULTIGRID_3D[DEFAULTS] = {
    {"-ink_pc_hypre_boomeramg_strong_threshold", "0.5"},
    {"-ink_pc_hypre_boomeramg_coarsen_type", "HMIS"},
    {"-ink_pc_hypre_boomeramg_interp_type", "ext+i"},
    {"-ink_pc_hypre_boomeramg_P_max", "4"},
    {"-ink_pc_hypre_boomeramg_agg_nl", "1"},
    {"-ink_pc_hypre_boomeramg_relax_type_all", "l1scaled-Jacobi"},
};

/* Reads the options, with these where the user gave none; takes them back, as the next solver of this process
 * may be of another kind. */
static PetscErrorCode configure(KSP ksp, int count, const Default *option) {
  PetscFunctionBeginUser;
  PetscBool given[DEFAULTS];
  for (int i = 0; i < count; i++) {
    PetscCall(PetscOptionsHasName(NULL, NULL, option[i].name, &given[i]));
    if (!given[i]) PetscCall(PetscOptionsSetValue(NULL, option[i].name, option[i].value));
  }
  PetscCall(KSPSetFromOptions(ksp));
  for (int i = 0; i < count; i++)
    if (!given[i]) PetscCall(PetscOptionsClearValue(NULL, option[i].name));
  PetscFunctionReturn(0);
}

static PetscErrorCode set(InkKrylov *krylov, InkPreconditioner preconditioner) {
  PetscFunctionBeginUser;
  PC pc;
  int defaults = 0;
  if (krylov->preconditioner == preconditioner) PetscFunctionReturn(0);
  PetscCall(KSPGetPC(krylov->ksp, &pc));
  if (preconditioner == INK_INCOMPLETE) {
    PetscCall(PCSetType(pc, PCBJACOBI));
  } else if (preconditioner == INK_MULTIGRID) {
#if defined(PETSC_HAVE_HYPRE)
    PetscCall(PCSetType(pc, PCHYPRE));
    PetscCall(PCHYPRESetType(pc, "boomeramg"));
    if (krylov->mesh->dim == 3) defaults = DEFAULTS;
#else
    PetscCall(PCSetType(pc, PCGAMG));
#endif
  } else {
    PetscCall(PCSetType(pc, PCLU));
    PetscCall(PCFactorSetMatSolverType(pc, PACKAGE));
  }
  const KSPType method = preconditioner == INK_INCOMPLETE ? KSPBCGS : KSPGMRES;
  PetscCall(KSPSetType(krylov->ksp, krylov->symmetric ? KSPCG : method));
  PetscCall(configure(krylov->ksp, defaults, MULTIGRID_3D));
  krylov->preconditioner = preconditioner;
  krylov->most_iterations = ITERATIONS[preconditioner];
  PetscFunctionReturn(0);
}

/* Of symmetric matrices the incomplete factorisation is Cholesky's. */
static PetscErrorCode choose_factorisation(const InkKrylov *krylov) {
  PetscFunctionBeginUser;
  PC pc;
  KSP *block;
  PetscInt blocks;
  PetscBool given, incomplete;
  PetscCall(KSPGetPC(krylov->ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCBJACOBI, &incomplete));
  PetscCall(PetscOptionsHasName(NULL, "ink_", "-sub_pc_type", &given));
  if (!krylov->symmetric || !incomplete || given) PetscFunctionReturn(0);
  PetscCall(PCBJacobiGetSubKSP(pc, &blocks, NULL, &block));
  for (PetscInt b = 0; b < blocks; b++) {
    PetscCall(KSPGetPC(block[b], &pc));
    PetscCall(PCSetType(pc, PCICC));
  }
  PetscFunctionReturn(0);
}

static bool can_try(const InkKrylov *krylov, InkPreconditioner preconditioner) {
  if (preconditioner == INK_MULTIGRID && !isfinite(krylov->dominance))
    return false; /* smoothers divide by it */
  if (preconditioner == INK_FACTORED &&
      (!PACKAGE || (double)krylov->mesh->cells * krylov->n > FACTOR_LIMIT[krylov->mesh->dim - 1]))
    return false;
  return krylov->failed[preconditioner] == INFINITY || krylov->failed[preconditioner] > krylov->dominance;
}

/* The first, in the order of expected cost, that has not failed at this dominance or a lesser one. */
static InkPreconditioner untried(const InkKrylov *krylov) {
  const bool dominant = is_dominant(krylov, krylov->dominance);
  const InkPreconditioner first = dominant ? INK_INCOMPLETE : INK_MULTIGRID,
                          second = dominant ? INK_MULTIGRID : INK_INCOMPLETE;
  if (can_try(krylov, first)) return first;
  if (can_try(krylov, second)) return second;
  return can_try(krylov, INK_FACTORED) ? INK_FACTORED : INK_NO_PRECONDITIONER;
}

PetscErrorCode ink_precondition(InkKrylov *krylov, const InkStencil *matrix) {
  PetscFunctionBeginUser;
  PetscCall(dominance(krylov, matrix, &krylov->dominance));
  const InkPreconditioner best = untried(krylov);
  PetscCall(set(krylov, best == INK_NO_PRECONDITIONER ? INK_INCOMPLETE : best));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_precondition_set_up(InkKrylov *krylov, bool *good) {
  PetscFunctionBeginUser;
  /* What a package says of a matrix it cannot handle is a result here, not an error. */
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  int failed = KSPSetUp(krylov->ksp) != 0;
  PetscCall(PetscPopErrorHandler());
  if (!failed) PetscCall(choose_factorisation(krylov));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, krylov->mesh->comm));
  *good = !failed;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_precondition_better(InkKrylov *krylov, bool *found) {
  PetscFunctionBeginUser;
  *found = false;
  double size;
  PetscBool given;
  PetscCall(VecNorm(krylov->b, NORM_INFINITY, &size));
  PetscCall(PetscOptionsHasName(NULL, "ink_", "-pc_type", &given));
  if (!isfinite(size) || given) PetscFunctionReturn(0);
  krylov->failed[krylov->preconditioner] = fmin(krylov->dominance, DBL_MAX);
  const InkPreconditioner better = untried(krylov);
  if (better == INK_NO_PRECONDITIONER) PetscFunctionReturn(0);
  PetscCall(set(krylov, better));
  PetscCall(KSPSetReusePreconditioner(krylov->ksp, PETSC_FALSE));
  PetscCall(KSPSetOperators(krylov->ksp, krylov->matrix, krylov->matrix));
  *found = true;
  PetscFunctionReturn(0);
}
