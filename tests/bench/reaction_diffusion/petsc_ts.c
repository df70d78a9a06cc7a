/* Peer: two species on a periodic square with PETSc's own means, on a DMDA with two degrees of freedom.
 *
 * Without -imex written as its tutorial on Gray-Scott (src/ts/tutorials/advection-diffusion-reaction/ex5.c)
 * is: one right-hand side with its Jacobian, TSEULER or TSARKIMEX fully implicit. With -imex diffusion is
 * implicit and reactions are explicit, so that the systems are linear, symmetric and positive definite.
 *
 * Usage: petsc_ts -kinetics gray_scott|schnakenberg -n N -end T [-dt DT] [-tolerance TOL] [-imex] [-out FILE]
 * and PETSc's options (-ts_type, -pc_type, ...). Prints seconds spent in TSSolve, steps, and the sum of v;
 * FILE gets the final u and v, cell by cell. */
#include <petscdmda.h>
#include <petscts.h>
#include <petsctime.h>

typedef struct Species {
  PetscScalar u, v;
} Species;

typedef struct Problem {
  PetscBool schnakenberg, imex;
  PetscReal length, Du, Dv, F, k, a, b;
} Problem;

static Species reaction(const Problem *p, Species s) {
  const PetscScalar u = s.u, v = s.v;
  if (p->schnakenberg) return (Species){p->a - u + u * u * v, p->b - u * u * v};
  return (Species){-u * v * v + p->F * (1 - u), u * v * v - (p->F + p->k) * v};
}

/* d(reaction)/d(u,v), by rows. */
static void slopes(const Problem *p, Species s, PetscScalar J[4]) {
  const PetscScalar u = s.u, v = s.v;
  if (p->schnakenberg) {
    J[0] = -1 + 2 * u * v;
    J[1] = u * u;
    J[2] = -2 * u * v;
    J[3] = -u * u;
  } else {
    J[0] = -v * v - p->F;
    J[1] = -2 * u * v;
    J[2] = v * v;
    J[3] = 2 * u * v - (p->F + p->k);
  }
}

/* result = diffusion * D Laplace(s) + reactions * R(s). */
static PetscErrorCode evaluate(const Problem *p, DM da, Vec global, Vec result, PetscReal diffusion,
                               PetscBool reactions) {
  DMDALocalInfo info;
  Vec local;
  Species **s, **f;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMGetLocalVector(da, &local));
  PetscCall(DMGlobalToLocal(da, global, INSERT_VALUES, local));
  PetscCall(DMDAVecGetArrayRead(da, local, &s));
  PetscCall(DMDAVecGetArray(da, result, &f));
  const PetscReal h = p->length / info.mx, cu = diffusion * p->Du / (h * h), cv = diffusion * p->Dv / (h * h);
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      const Species c = s[j][i], r = reactions ? reaction(p, c) : (Species){0, 0};
      f[j][i].u = cu * (s[j][i - 1].u + s[j][i + 1].u + s[j - 1][i].u + s[j + 1][i].u - 4 * c.u) + r.u;
      f[j][i].v = cv * (s[j][i - 1].v + s[j][i + 1].v + s[j - 1][i].v + s[j + 1][i].v - 4 * c.v) + r.v;
    }
  PetscCall(DMDAVecRestoreArray(da, result, &f));
  PetscCall(DMDAVecRestoreArrayRead(da, local, &s));
  PetscCall(DMRestoreLocalVector(da, &local));
  PetscFunctionReturn(0);
}

static PetscErrorCode rhs(TS ts, PetscReal t, Vec global, Vec result, void *context) {
  const Problem *p = context;
  DM da;
  (void)t;
  PetscFunctionBeginUser;
  PetscCall(TSGetDM(ts, &da));
  PetscCall(evaluate(p, da, global, result, p->imex ? 0 : 1, PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* With -imex: the implicit part, du/dt - D Laplace(u). */
static PetscErrorCode implicit_part(TS ts, PetscReal t, Vec global, Vec rate, Vec result, void *context) {
  DM da;
  (void)t;
  PetscFunctionBeginUser;
  PetscCall(TSGetDM(ts, &da));
  PetscCall(evaluate(context, da, global, result, -1, PETSC_FALSE));
  PetscCall(VecAXPY(result, 1, rate));
  PetscFunctionReturn(0);
}

static PetscErrorCode assembled(Mat A, Mat B) {
  PetscFunctionBeginUser;
  PetscCall(MatAssemblyBegin(B, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(B, MAT_FINAL_ASSEMBLY));
  if (A == B) PetscFunctionReturn(0);
  PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

/* B = shift + sign (D Laplace + reactions dR/ds). */
static PetscErrorCode assemble(const Problem *p, DM da, Vec global, Mat B, PetscReal shift, PetscReal sign,
                               PetscBool reactions) {
  DMDALocalInfo info;
  const Species **s;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMDAVecGetArrayRead(da, global, &s));
  PetscCall(MatZeroEntries(B));
  const PetscReal h = p->length / info.mx, c[2] = {sign * p->Du / (h * h), sign * p->Dv / (h * h)};
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      PetscScalar J[4] = {0, 0, 0, 0};
      if (reactions) slopes(p, s[j][i], J);
      for (PetscInt f = 0; f < 2; f++) {
        const MatStencil row = {.i = i, .j = j, .c = f};
        const MatStencil column[6] = {{.i = i, .j = j, .c = f},     {.i = i - 1, .j = j, .c = f},
                                      {.i = i + 1, .j = j, .c = f}, {.i = i, .j = j - 1, .c = f},
                                      {.i = i, .j = j + 1, .c = f}, {.i = i, .j = j, .c = 1 - f}};
        const PetscScalar value[6] = {
            shift + sign * J[3 * f] - 4 * c[f], c[f], c[f], c[f], c[f], sign * J[f == 0 ? 1 : 2]};
        PetscCall(MatSetValuesStencil(B, 1, &row, reactions ? 6 : 5, column, value, INSERT_VALUES));
      }
    }
  PetscCall(DMDAVecRestoreArrayRead(da, global, &s));
  PetscFunctionReturn(0);
}

static PetscErrorCode jacobian(TS ts, PetscReal t, Vec global, Mat A, Mat B, void *context) {
  DM da;
  (void)t;
  PetscFunctionBeginUser;
  PetscCall(TSGetDM(ts, &da));
  PetscCall(assemble(context, da, global, B, 0, 1, PETSC_TRUE));
  PetscCall(assembled(A, B));
  PetscFunctionReturn(0);
}

static PetscErrorCode implicit_jacobian(TS ts, PetscReal t, Vec global, Vec rate, PetscReal shift, Mat A,
                                        Mat B, void *context) {
  DM da;
  (void)t;
  (void)rate;
  PetscFunctionBeginUser;
  PetscCall(TSGetDM(ts, &da));
  PetscCall(assemble(context, da, global, B, shift, -1, PETSC_FALSE));
  PetscCall(assembled(A, B));
  PetscFunctionReturn(0);
}

static PetscErrorCode initial(const Problem *p, DM da, Vec global) {
  DMDALocalInfo info;
  Species **s;
  PetscFunctionBeginUser;
  PetscCall(DMDAGetLocalInfo(da, &info));
  PetscCall(DMDAVecGetArray(da, global, &s));
  for (PetscInt j = info.ys; j < info.ys + info.ym; j++)
    for (PetscInt i = info.xs; i < info.xs + info.xm; i++) {
      const PetscReal h = p->length / info.mx, x = (i + 0.5) * h, y = (j + 0.5) * h;
      const PetscReal q = 2 * PETSC_PI / p->length;
      const PetscReal wave = PetscSinReal(4 * PETSC_PI * x) * PetscSinReal(4 * PETSC_PI * y);
      const PetscReal seed = PetscAbsReal(x - 1.25) < 0.25 && PetscAbsReal(y - 1.25) < 0.25 ? wave * wave : 0;
      if (p->schnakenberg)
        s[j][i] = (Species){1 + 0.1 * PetscCosReal(3 * q * x) * PetscCosReal(2 * q * y) +
                                0.05 * PetscSinReal(4 * q * y + q * x),
                            0.9};
      else
        s[j][i] = (Species){1 - 0.5 * seed, 0.25 * seed};
    }
  PetscCall(DMDAVecRestoreArray(da, global, &s));
  PetscFunctionReturn(0);
}

/* On one rank: raw numbers. */
static PetscErrorCode write_state(const char *name, Vec u) {
  const PetscScalar *values;
  PetscInt size;
  FILE *file;
  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(u, &size));
  PetscCall(VecGetArrayRead(u, &values));
  PetscCall(PetscFOpen(PETSC_COMM_SELF, name, "wb", &file));
  PetscCheck(fwrite(values, sizeof *values, (size_t)size, file) == (size_t)size, PETSC_COMM_SELF,
             PETSC_ERR_FILE_WRITE, "%s", name);
  PetscCall(PetscFClose(PETSC_COMM_SELF, file));
  PetscCall(VecRestoreArrayRead(u, &values));
  PetscFunctionReturn(0);
}

static PetscErrorCode solve(const Problem *p, PetscInt n, PetscReal end, PetscReal dt, PetscReal tolerance,
                            const char *out) {
  DM da;
  TS ts;
  Vec u;
  PetscLogDouble start, stop;
  PetscScalar sum;
  PetscInt steps;
  PetscFunctionBeginUser;
  PetscCall(DMDACreate2d(PETSC_COMM_WORLD, DM_BOUNDARY_PERIODIC, DM_BOUNDARY_PERIODIC, DMDA_STENCIL_STAR, n,
                         n, PETSC_DECIDE, PETSC_DECIDE, 2, 1, NULL, NULL, &da));
  PetscCall(DMSetFromOptions(da));
  PetscCall(DMSetUp(da));
  PetscCall(DMCreateGlobalVector(da, &u));
  PetscCall(initial(p, da, u));
  PetscCall(TSCreate(PETSC_COMM_WORLD, &ts));
  PetscCall(TSSetDM(ts, da));
  PetscCall(TSSetType(ts, TSARKIMEX));
  PetscCall(TSSetRHSFunction(ts, NULL, rhs, (void *)p));
  if (p->imex) {
    PetscCall(TSSetIFunction(ts, NULL, implicit_part, (void *)p));
    PetscCall(TSSetIJacobian(ts, NULL, NULL, implicit_jacobian, (void *)p));
  } else {
    PetscCall(TSARKIMEXSetFullyImplicit(ts, PETSC_TRUE));
    PetscCall(TSSetRHSJacobian(ts, NULL, NULL, jacobian, (void *)p));
  }
  PetscCall(TSSetTolerances(ts, tolerance, NULL, tolerance, NULL));
  PetscCall(TSSetTimeStep(ts, dt));
  PetscCall(TSSetMaxTime(ts, end));
  PetscCall(TSSetMaxSteps(ts, 1000000));
  PetscCall(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(PetscTime(&start));
  PetscCall(TSSolve(ts, u));
  PetscCall(PetscTime(&stop));
  PetscCall(TSGetStepNumber(ts, &steps));
  PetscCall(VecStrideNorm(u, 1, NORM_1, &sum)); /* v is positive */
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "{\"seconds\": %.6f, \"sum\": %.15g, \"steps\": %d}\n",
                        stop - start, sum, (int)steps));
  if (*out) PetscCall(write_state(out, u));
  PetscCall(TSDestroy(&ts));
  PetscCall(VecDestroy(&u));
  PetscCall(DMDestroy(&da));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv) {
  Problem p = {.length = 2.5, .Du = 2e-5, .Dv = 1e-5, .F = 0.04, .k = 0.06, .a = 0.1, .b = 0.9};
  PetscInt n = 256;
  PetscReal end = 1, dt = 1e-2, tolerance = 1e-4;
  char kinetics[40] = "gray_scott", out[PETSC_MAX_PATH_LEN] = "";
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-n", &n, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-end", &end, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-dt", &dt, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-tolerance", &tolerance, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-kinetics", kinetics, sizeof kinetics, NULL));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-imex", &p.imex, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-out", out, sizeof out, NULL));
  PetscCall(PetscStrcmp(kinetics, "schnakenberg", &p.schnakenberg));
  if (p.schnakenberg) {
    p.length = 50;
    p.Du = 1;
    p.Dv = 40;
  }
  PetscCall(solve(&p, n, end, dt, tolerance, out));
  PetscCall(PetscFinalize());
  return 0;
}
