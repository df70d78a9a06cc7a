/* Reactions as programs, and the linear algebra of a few fields. */
#include "analysis_impl.h"

#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

enum { SQUARE = INK_MAX_FIELDS * INK_MAX_FIELDS };

bool ink_model_create(const InkReactions *reactions, InkModel *model) {
  const int n = reactions->n;
  InkPool *pool = reactions->pool;
  const InkExpr **kinetics = ink_pool_alloc(pool, (size_t)(n + n * n) * sizeof *kinetics);
  const InkExpr **transport = ink_pool_alloc(pool, (size_t)(n * n) * sizeof *transport);
  const InkExpr *zero = ink_expr_number(pool, 0);
  char message[200];
  *model = (InkModel){.n = n};
  for (int s = 0; s < n; s++) {
    const InkExpr *rate = reactions->rate[s] ? reactions->rate[s] : zero;
    kinetics[s] = rate;
    for (int f = 0; f < n; f++) {
      kinetics[n + s * n + f] = ink_expr_derivative(pool, rate, INK_VAR_FIELD + f);
      const InkExpr *D = reactions->diffusion[s * n + f];
      transport[s * n + f] = D ? D : zero;
    }
  }
  model->kinetics = ink_program_create(n + n * n, kinetics, 0, message, sizeof message);
  model->transport = ink_program_create(n * n, transport, 0, message, sizeof message);
  return model->kinetics && model->transport;
}

void ink_model_clear(InkModel *model) {
  ink_program_destroy(&model->kinetics);
  ink_program_destroy(&model->transport);
}

static void run(const InkModel *model, const InkProgram *program, const double *u, double *out[]) {
  const double *in[INK_VARS];
  for (int v = 0; v < INK_VARS; v++) in[v] = &model->variable[v];
  for (int f = 0; f < model->n; f++) in[INK_VAR_FIELD + f] = &u[f];
  ink_program_run(program, 1, in, out);
}

void ink_model_rates(const InkModel *model, const double *u, double *rate, double *slope) {
  const int n = model->n;
  double ignored[SQUARE], *out[INK_MAX_FIELDS + SQUARE];
  for (int s = 0; s < n; s++) out[s] = &rate[s];
  for (int i = 0; i < n * n; i++) out[n + i] = slope ? &slope[i] : &ignored[i];
  run(model, model->kinetics, u, out);
}

void ink_model_diffusion(const InkModel *model, const double *u, double *D) {
  double *out[SQUARE];
  for (int i = 0; i < model->n * model->n; i++) out[i] = &D[i];
  run(model, model->transport, u, out);
}

double ink_small_norm(int n, const double *A) {
  double norm = 0;
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += fabs(A[i * n + j]);
    norm = fmax(norm, sum);
  }
  return norm;
}

static void swap(double *a, double *b) {
  const double c = *a;
  *a = *b;
  *b = c;
}

/* Brings the largest element of the rest to (k, k). Its magnitude. */
static double pivot(int n, double *A, double *b, int *column, int k) {
  int row = k, col = k;
  for (int i = k; i < n; i++)
    for (int j = k; j < n; j++)
      if (fabs(A[i * n + j]) > fabs(A[row * n + col])) row = i, col = j;
  if (row != k) {
    for (int j = 0; j < n; j++) swap(&A[k * n + j], &A[row * n + j]);
    swap(&b[k], &b[row]);
  }
  if (col != k) {
    for (int i = 0; i < n; i++) swap(&A[i * n + k], &A[i * n + col]);
    const int c = column[k];
    column[k] = column[col];
    column[col] = c;
  }
  return fabs(A[k * n + k]);
}

int ink_small_solve(int n, double *A, double *b) {
  int column[INK_MAX_FIELDS], rank = 0;
  double x[INK_MAX_FIELDS], first = 0;
  for (int i = 0; i < n; i++) {
    double largest = 0;
    for (int j = 0; j < n; j++) largest = fmax(largest, fabs(A[i * n + j]));
    for (int j = 0; j < n && largest > 0; j++) A[i * n + j] /= largest;
    if (largest > 0) b[i] /= largest;
    column[i] = i;
  }
  for (int k = 0; k < n; k++, rank++) {
    const double size = pivot(n, A, b, column, k);
    if (k == 0) first = size;
    if (!(size > 1e-12 * first)) break;
    for (int i = k + 1; i < n; i++) {
      const double factor = A[i * n + k] / A[k * n + k];
      for (int j = k; j < n; j++) A[i * n + j] -= factor * A[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (int k = rank - 1; k >= 0; k--) {
    x[column[k]] = b[k];
    for (int j = k + 1; j < rank; j++) x[column[k]] -= A[k * n + j] * x[column[j]];
    x[column[k]] /= A[k * n + k];
  }
  for (int k = rank; k < n; k++) x[column[k]] = 0;
  memcpy(b, x, (size_t)n * sizeof *b);
  return rank;
}

/* LAPACK keeps a complex pair's vector as two real columns: real and imaginary part. */
static void vector_of(int n, const double *columns, int j, bool pair, double complex *vector) {
  for (int i = 0; i < n; i++)
    vector[i] = columns[j * n + i] + (pair ? columns[(j + 1) * n + i] * (double complex)I : 0);
}

bool ink_small_eigenvalues(int n, const double *A, double complex *lambda, double complex *left,
                           double complex *right) {
  double columns[SQUARE], real[INK_MAX_FIELDS], imaginary[INK_MAX_FIELDS], work[10 * INK_MAX_FIELDS];
  double vl[SQUARE], vr[SQUARE];
  const PetscBLASInt size = n, lwork = 10 * INK_MAX_FIELDS;
  PetscBLASInt info;
  int first = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      if (!isfinite(A[i * n + j])) return false;
      columns[j * n + i] = A[i * n + j];
    }
  LAPACKgeev_(left ? "V" : "N", right ? "V" : "N", &size, columns, &size, real, imaginary, vl, &size, vr,
              &size, work, &lwork, &info);
  if (info != 0) return false;
  for (int i = 0; i < n; i++) {
    lambda[i] = real[i] + imaginary[i] * (double complex)I;
    if (real[i] > real[first]) first = i; /* of a pair LAPACK gives the positive imaginary part first */
  }
  if (left) vector_of(n, vl, first, imaginary[first] != 0, left);
  if (right) vector_of(n, vr, first, imaginary[first] != 0, right);
  const double complex largest = lambda[first];
  for (int i = first; i > 0; i--) lambda[i] = lambda[i - 1];
  lambda[0] = largest;
  return true;
}
