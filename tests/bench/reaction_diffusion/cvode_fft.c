/* Peer: Schnakenberg on a periodic square with SUNDIALS' CVODE: BDF, Newton, GMRES, and a preconditioner that
 * a specialist would write: I - gamma (J + D Laplace) with the mean J of the state, solved mode by mode with
 * FFTW as two-by-two systems.
 *
 * Usage: cvode_fft N END RTOL [FILE]; atol is RTOL too. Prints seconds, steps and the sum of v; FILE gets the
 * final u and v, cell by cell. */
#include <cvode/cvode.h>
#include <fftw3.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <time.h>

typedef struct Problem {
  int n;
  double length, D[2], a, b;
  double J[4];    /* mean of d(reaction)/d(u,v) */
  double *symbol; /* eigenvalue of the Laplacian, a mode */
  double *field;  /* one field */
  fftw_complex *mode[2];
  fftw_plan forward[2], backward[2];
} Problem;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* u and v stand side by side in a cell. */
static int rhs(double t, N_Vector y, N_Vector f, void *context) {
  const Problem *p = context;
  const double *s = N_VGetArrayPointer(y);
  double *out = N_VGetArrayPointer(f);
  const int n = p->n;
  const double h = p->length / n, cu = p->D[0] / (h * h), cv = p->D[1] / (h * h);
  (void)t;
  for (int j = 0; j < n; j++) {
    const double *row = s + 2 * (size_t)j * n, *low = s + 2 * (size_t)((j + n - 1) % n) * n,
                 *high = s + 2 * (size_t)((j + 1) % n) * n;
    double *to = out + 2 * (size_t)j * n;
    for (int i = 0; i < n; i++) {
      const int c = 2 * i, l = i > 0 ? c - 2 : 2 * (n - 1), r = i < n - 1 ? c + 2 : 0;
      const double u = row[c], v = row[c + 1], rate = u * u * v;
      to[c] = cu * (row[l] + row[r] + low[c] + high[c] - 4 * u) + p->a - u + rate;
      to[c + 1] = cv * (row[l + 1] + row[r + 1] + low[c + 1] + high[c + 1] - 4 * v) + p->b - rate;
    }
  }
  return 0;
}

static int set_up(double t, N_Vector y, N_Vector f, int ok, int *current, double gamma, void *context) {
  Problem *p = context;
  const double *s = N_VGetArrayPointer(y);
  const size_t cells = (size_t)p->n * p->n;
  double uv = 0, uu = 0;
  (void)t, (void)f, (void)ok, (void)gamma;
  for (size_t c = 0; c < cells; c++) {
    uv += s[2 * c] * s[2 * c + 1];
    uu += s[2 * c] * s[2 * c];
  }
  uv /= (double)cells;
  uu /= (double)cells;
  p->J[0] = -1 + 2 * uv;
  p->J[1] = uu;
  p->J[2] = -2 * uv;
  p->J[3] = -uu;
  *current = 1;
  return 0;
}

static int precondition(double t, N_Vector y, N_Vector f, N_Vector r, N_Vector z, double gamma, double delta,
                        int side, void *context) {
  Problem *p = context;
  const double *in = N_VGetArrayPointer(r);
  double *out = N_VGetArrayPointer(z);
  const size_t n = (size_t)p->n, cells = n * n, modes = n * (n / 2 + 1);
  (void)t, (void)y, (void)f, (void)delta, (void)side;
  for (int s = 0; s < 2; s++) {
    for (size_t c = 0; c < cells; c++) p->field[c] = in[2 * c + (size_t)s];
    fftw_execute(p->forward[s]);
  }
  for (size_t m = 0; m < modes; m++) {
    const double A = 1 - gamma * (p->J[0] + p->D[0] * p->symbol[m]), B = -gamma * p->J[1];
    const double C = -gamma * p->J[2], E = 1 - gamma * (p->J[3] + p->D[1] * p->symbol[m]);
    const double scale = 1 / ((A * E - B * C) * (double)cells);
    for (int part = 0; part < 2; part++) {
      const double u = p->mode[0][m][part], v = p->mode[1][m][part];
      p->mode[0][m][part] = scale * (E * u - B * v);
      p->mode[1][m][part] = scale * (A * v - C * u);
    }
  }
  for (int s = 0; s < 2; s++) {
    fftw_execute(p->backward[s]);
    for (size_t c = 0; c < cells; c++) out[2 * c + (size_t)s] = p->field[c];
  }
  return 0;
}

static void plan(Problem *p) {
  const size_t n = (size_t)p->n, modes = n * (n / 2 + 1);
  const double h = p->length / (double)n;
  p->field = fftw_alloc_real(n * n);
  p->symbol = malloc(modes * sizeof *p->symbol);
  for (int s = 0; s < 2; s++) {
    p->mode[s] = fftw_alloc_complex(modes);
    p->forward[s] = fftw_plan_dft_r2c_2d(p->n, p->n, p->field, p->mode[s], FFTW_MEASURE);
    p->backward[s] = fftw_plan_dft_c2r_2d(p->n, p->n, p->mode[s], p->field, FFTW_MEASURE);
  }
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i <= n / 2; i++) {
      const double x = sin(M_PI * (double)i / (double)n), y = sin(M_PI * (double)j / (double)n);
      p->symbol[j * (n / 2 + 1) + i] = -4 / (h * h) * (x * x + y * y);
    }
}

static void start(const Problem *p, double *s) {
  const double h = p->length / p->n, q = 2 * M_PI / p->length;
  for (int j = 0; j < p->n; j++)
    for (int i = 0; i < p->n; i++) {
      const double x = (i + 0.5) * h, y = (j + 0.5) * h;
      double *cell = s + 2 * ((size_t)j * p->n + i);
      cell[0] = 1 + 0.1 * cos(3 * q * x) * cos(2 * q * y) + 0.05 * sin(4 * q * y + q * x);
      cell[1] = 0.9;
    }
}

static void check(int flag, const char *what) {
  if (flag >= 0) return;
  fprintf(stderr, "%s failed: %d\n", what, flag);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  Problem p = {.n = atoi(argv[1]), .length = 50, .D = {1, 40}, .a = 0.1, .b = 0.9};
  const double end = atof(argv[2]), tolerance = atof(argv[3]);
  const size_t cells = (size_t)p.n * p.n;
  SUNContext context;
  double t;
  long steps;
  plan(&p);
  check(SUNContext_Create(NULL, &context), "SUNContext_Create");
  N_Vector y = N_VNew_Serial((sunindextype)(2 * cells), context);
  start(&p, N_VGetArrayPointer(y));
  void *cvode = CVodeCreate(CV_BDF, context);
  check(CVodeInit(cvode, rhs, 0, y), "CVodeInit");
  check(CVodeSetUserData(cvode, &p), "CVodeSetUserData");
  check(CVodeSStolerances(cvode, tolerance, tolerance), "CVodeSStolerances");
  check(CVodeSetMaxNumSteps(cvode, 1000000), "CVodeSetMaxNumSteps");
  SUNLinearSolver gmres = SUNLinSol_SPGMR(y, SUN_PREC_LEFT, 0, context);
  check(CVodeSetLinearSolver(cvode, gmres, NULL), "CVodeSetLinearSolver");
  check(CVodeSetPreconditioner(cvode, set_up, precondition), "CVodeSetPreconditioner");
  check(CVodeSetStopTime(cvode, end), "CVodeSetStopTime");
  const double begin = now();
  check(CVode(cvode, end, y, &t, CV_NORMAL), "CVode");
  const double seconds = now() - begin;
  check(CVodeGetNumSteps(cvode, &steps), "CVodeGetNumSteps");
  const double *s = N_VGetArrayPointer(y);
  double sum = 0;
  for (size_t c = 0; c < cells; c++) sum += s[2 * c + 1];
  printf("{\"seconds\": %.6f, \"sum\": %.15g, \"steps\": %ld}\n", seconds, sum, steps);
  if (argc > 4) {
    FILE *file = fopen(argv[4], "wb");
    if (!file || fwrite(s, sizeof *s, 2 * cells, file) != 2 * cells) return 1;
    fclose(file);
  }
  return 0;
}
