/* Peer: the Fokker-Planck equation as anyone would write it with PETSc: the matrix of Scharfetter and
 * Gummel's rates assembled on a DMDA, TS for the transient, KSP for the stationary law (one row is p = 1).
 *
 * Usage: petsc_chain -problem rotating|limit_cycle -n N [-tolerance TOL] and PETSc's options. Prints seconds
 * of assembly and solution, the error (in l2, relative, against the exact law), and steps. */
#include <petscdmda.h>
#include <petscksp.h>
#include <petscts.h>
#include <petsctime.h>

typedef struct Problem {
  PetscBool cycle;
  PetscInt n;
  PetscReal half, D, h;
} Problem;

static void drift(const Problem *p, PetscReal x, PetscReal y, PetscReal b[2]) {
  const PetscReal pull = 1 - x * x - y * y;
  b[0] = p->cycle ? x * pull - 2 * y : -x - 2 * y;
  b[1] = p->cycle ? y * pull + 2 * x : 2 * x - y;
}

static PetscReal start(PetscReal x, PetscReal y) {
  return PetscExpReal(-((x - 1.5) * (x - 1.5) + y * y) / 0.18);
}

static PetscReal exact(const Problem *p, PetscReal x, PetscReal y) {
  const PetscReal q = x * x + y * y - 1, decay = PetscExpReal(-2), v = 0.09 * decay + p->D * (1 - decay);
  const PetscReal cx = x - 1.5 * PetscExpReal(-1) * PetscCosReal(2),
                  cy = y - 1.5 * PetscExpReal(-1) * PetscSinReal(2);
  if (p->cycle) return 0.287597079588694 * PetscExpReal(-q * q / (4 * p->D));
  return PetscExpReal(-(cx * cx + cy * cy) / (2 * v)) / (2 * PETSC_PI * v);
}

static PetscReal bernoulli(PetscReal z) {
  return PetscAbsReal(z) < 1e-6 ? 1 - z / 2 : z / (PetscExpReal(z) - 1);
}

/* Rates up and down through the upper face of cell (i, j) along an axis: the drift by two Gauss points. */
static void rates(const Problem *p, PetscInt i, PetscInt j, int axis, PetscReal *up, PetscReal *down) {
  PetscReal z = 0;
  for (int side = -1; side <= 1; side += 2) {
    const PetscReal shift = 0.5 + side / PetscSqrtReal(12);
    PetscReal b[2];
    drift(p, (i + 0.5 + (axis == 0 ? shift : 0)) * p->h - p->half,
          (j + 0.5 + (axis == 1 ? shift : 0)) * p->h - p->half, b);
    z += b[axis] / 2 * p->h / p->D;
  }
  *up = p->D / (p->h * p->h) * bernoulli(-z);
  *down = p->D / (p->h * p->h) * bernoulli(z);
}

/* dp/dt = A p. Every process writes the rows of its own cells. */
static PetscErrorCode assemble(const Problem *p, DM da, Mat A) {
  DMDALocalInfo info;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      const MatStencil row = {.i = i, .j = j};
      MatStencil column[5] = {row};
      PetscReal up, down;
      PetscScalar value[5] = {0};
      PetscInt count = 1;
      for (int axis = 0; axis < 2; axis++) {
        if ((axis ? j : i) < p->n - 1) {
          rates(p, i, j, axis, &up, &down);
          value[0] -= up;
          value[count] = down;
          column[count++] = (MatStencil){.i = i + (axis == 0), .j = j + (axis == 1)};
        }
        if ((axis ? j : i) > 0) {
          rates(p, i - (axis == 0), j - (axis == 1), axis, &up, &down);
          value[0] -= down;
          value[count] = up;
          column[count++] = (MatStencil){.i = i - (axis == 0), .j = j - (axis == 1)};
        }
      }
      PetscCall(MatSetValuesStencil(A, 1, &row, count, column, value, INSERT_VALUES));
    }
  PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode transient(const Problem *p, DM da, Mat A, Vec x, PetscReal tolerance, PetscInt *steps) {
  TS ts;
  DMDALocalInfo info;
  PetscScalar **u;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMDAVecGetArray(da, x, &u));
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++)
      u[j][i] = start((i + 0.5) * p->h - p->half, (j + 0.5) * p->h - p->half);
  PetscCall(DMDAVecRestoreArray(da, x, &u));
  PetscCall(TSCreate(PETSC_COMM_WORLD, &ts));
  PetscCall(TSSetDM(ts, da));
  PetscCall(TSSetProblemType(ts, TS_LINEAR));
  PetscCall(TSSetRHSFunction(ts, NULL, TSComputeRHSFunctionLinear, NULL));
  PetscCall(TSSetRHSJacobian(ts, A, A, TSComputeRHSJacobianConstant, NULL));
  PetscCall(TSSetType(ts, TSBDF));
  PetscCall(TSSetMaxTime(ts, 1));
  PetscCall(TSSetMaxSteps(ts, 1000000));
  PetscCall(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetTimeStep(ts, 1e-4));
  PetscCall(TSSetTolerances(ts, tolerance, NULL, tolerance, NULL));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(TSSolve(ts, x));
  PetscCall(TSGetStepNumber(ts, steps));
  PetscCall(TSDestroy(&ts));
  PetscFunctionReturn(0);
}

static PetscErrorCode stationary(const Problem *p, DM da, Mat A, Vec x) {
  KSP ksp;
  Vec b;
  AO order;
  PetscInt pinned = p->n / 2 * p->n + (PetscInt)((1 + p->half) / p->h);
  PetscFunctionBeginUser;
  PetscCall(DMDAGetAO(da, &order));
  PetscCall(AOApplicationToPetsc(order, 1, &pinned));
  PetscCall(VecDuplicate(x, &b));
  PetscCall(VecSet(x, 1));
  PetscCall(MatZeroRows(A, 1, &pinned, 1, x, b));
  PetscCall(KSPCreate(PETSC_COMM_WORLD, &ksp));
  PetscCall(KSPSetOperators(ksp, A, A));
  PetscCall(KSPSetTolerances(ksp, 1e-10, PETSC_DEFAULT, PETSC_DEFAULT, 100000));
  PetscCall(KSPSetFromOptions(ksp));
  PetscCall(KSPSolve(ksp, b, x));
  KSPConvergedReason reason;
  PetscCall(KSPGetConvergedReason(ksp, &reason));
  PetscCheck(reason > 0, PETSC_COMM_WORLD, PETSC_ERR_NOT_CONVERGED, "the linear solver did not converge");
  PetscCall(KSPDestroy(&ksp));
  PetscCall(VecDestroy(&b));
  PetscFunctionReturn(0);
}

static PetscErrorCode find_error(const Problem *p, DM da, Vec x, PetscReal *error) {
  DMDALocalInfo info;
  PetscScalar sum;
  const PetscScalar *const *u;
  PetscReal mine[2] = {0}, all[2];
  PetscFunctionBeginUser;
  PetscCall(VecSum(x, &sum));
  PetscCall(VecScale(x, 1 / (sum * p->h * p->h)));
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMDAVecGetArrayRead(da, x, &u));
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      const PetscReal right = exact(p, (i + 0.5) * p->h - p->half, (j + 0.5) * p->h - p->half);
      mine[0] += (u[j][i] - right) * (u[j][i] - right);
      mine[1] += right * right;
    }
  PetscCall(DMDAVecRestoreArrayRead(da, x, &u));
  PetscCallMPI(MPI_Allreduce(mine, all, 2, MPIU_REAL, MPIU_SUM, PETSC_COMM_WORLD));
  *error = PetscSqrtReal(all[0] / all[1]);
  PetscFunctionReturn(0);
}

int main(int argc, char **argv) {
  Problem p = {.n = 200};
  char name[32] = "rotating";
  PetscReal tolerance = 1e-5, error;
  PetscLogDouble begin, end;
  PetscInt steps = 0;
  DM da;
  Mat A;
  Vec x;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-problem", name, sizeof name, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-n", &p.n, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-tolerance", &tolerance, NULL));
  PetscCall(PetscStrcmp(name, "limit_cycle", &p.cycle));
  p.half = p.cycle ? 2.5 : 4;
  p.D = p.cycle ? 0.1 : 0.25;
  p.h = 2 * p.half / p.n;
  PetscCall(PetscTime(&begin));
  PetscCall(DMDACreate2d(PETSC_COMM_WORLD, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DMDA_STENCIL_STAR, p.n, p.n,
                         PETSC_DECIDE, PETSC_DECIDE, 1, 1, NULL, NULL, &da));
  PetscCall(DMSetUp(da));
  PetscCall(DMCreateMatrix(da, &A));
  PetscCall(DMCreateGlobalVector(da, &x));
  PetscCall(assemble(&p, da, A));
  PetscCall(p.cycle ? stationary(&p, da, A, x) : transient(&p, da, A, x, tolerance, &steps));
  PetscCall(PetscTime(&end));
  PetscCall(find_error(&p, da, x, &error));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "{\"seconds\": %.6f, \"error\": %.15g, \"steps\": %d}\n",
                        end - begin, (double)error, (int)steps));
  PetscCall(VecDestroy(&x));
  PetscCall(MatDestroy(&A));
  PetscCall(DMDestroy(&da));
  PetscCall(PetscFinalize());
  return 0;
}
