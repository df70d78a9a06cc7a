/* Peer: the same with PETSc's own means: DMDA, a right-hand-side function, TSEULER. Insulated walls by ghost
 * cells that repeat the cell at the wall. Usage: petsc_euler -n N -steps S; prints seconds spent stepping and
 * the sum. */
#include <petsctime.h>
#include <petscdmda.h>
#include <petscts.h>

/* Ghost cells past a wall take the value of the cell at the wall. */
static void insulate(const DMDALocalInfo *info, PetscScalar **u) {
  const PetscInt left = info->xs, right = info->xs + info->xm - 1, low = info->ys,
                 high = info->ys + info->ym - 1;
  for (PetscInt j = low; j <= high; j++) {
    if (left == 0) u[j][-1] = u[j][0];
    if (right == info->mx - 1) u[j][right + 1] = u[j][right];
  }
  for (PetscInt i = left; i <= right; i++) {
    if (low == 0) u[-1][i] = u[0][i];
    if (high == info->my - 1) u[high + 1][i] = u[high][i];
  }
}

static PetscErrorCode rhs(TS ts, PetscReal t, Vec global, Vec result, void *context) {
  DM da;
  DMDALocalInfo info;
  Vec local;
  PetscScalar **u, **f;
  (void)t;
  (void)context;
  PetscFunctionBeginUser;
  PetscCall(TSGetDM(ts, &da));
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMGetLocalVector(da, &local));
  PetscCall(DMGlobalToLocal(da, global, INSERT_VALUES, local));
  PetscCall(DMDAVecGetArray(da, local, &u));
  insulate(&info, u);
  PetscCall(DMDAVecGetArray(da, result, &f));
  const PetscReal h2 = (PetscReal)info.mx * (PetscReal)info.mx;
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++)
      f[j][i] = h2 * (u[j][i - 1] + u[j][i + 1] + u[j - 1][i] + u[j + 1][i] - 4 * u[j][i]);
  PetscCall(DMDAVecRestoreArray(da, result, &f));
  PetscCall(DMDAVecRestoreArray(da, local, &u));
  PetscCall(DMRestoreLocalVector(da, &local));
  PetscFunctionReturn(0);
}

static PetscErrorCode initial(DM da, Vec global) {
  DMDALocalInfo info;
  PetscScalar **u;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMDAVecGetArray(da, global, &u));
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      const PetscReal x = (i + 0.5) / info.mx - 0.4, y = (j + 0.5) / info.my - 0.6;
      u[j][i] = PetscExpReal(-(x * x + y * y) / 0.02);
    }
  PetscCall(DMDAVecRestoreArray(da, global, &u));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv) {
  PetscInt n = 4096, steps = 100;
  DM da;
  TS ts;
  Vec u;
  PetscLogDouble start, end;
  PetscScalar sum;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-n", &n, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-steps", &steps, NULL));
  PetscCall(DMDACreate2d(PETSC_COMM_WORLD, DM_BOUNDARY_GHOSTED, DM_BOUNDARY_GHOSTED, DMDA_STENCIL_STAR, n, n,
                         PETSC_DECIDE, PETSC_DECIDE, 1, 1, NULL, NULL, &da));
  PetscCall(DMSetUp(da));
  PetscCall(DMCreateGlobalVector(da, &u));
  PetscCall(initial(da, u));
  PetscCall(TSCreate(PETSC_COMM_WORLD, &ts));
  PetscCall(TSSetDM(ts, da));
  PetscCall(TSSetType(ts, TSEULER));
  PetscCall(TSSetRHSFunction(ts, NULL, rhs, NULL));
  PetscCall(TSSetTimeStep(ts, 0.25 / ((PetscReal)n * (PetscReal)n)));
  PetscCall(TSSetMaxSteps(ts, steps));
  PetscCall(TSSetMaxTime(ts, 1e9));
  PetscCall(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_STEPOVER));
  PetscCall(PetscTime(&start));
  PetscCall(TSSolve(ts, u));
  PetscCall(PetscTime(&end));
  PetscCall(VecSum(u, &sum));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "{\"seconds\": %.6f, \"sum\": %.15g}\n", end - start, sum));
  PetscCall(TSDestroy(&ts));
  PetscCall(VecDestroy(&u));
  PetscCall(DMDestroy(&da));
  PetscCall(PetscFinalize());
  return 0;
}
