/* Peer: the plain one-pass C loop of explicit heat conduction on n x n cells, as anyone would write it.
 * Insulated walls by mirrored ghost cells. Usage: loop N STEPS; prints seconds spent stepping and the sum.
 * OpenMP threads from OMP_NUM_THREADS. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void step(size_t n, double c, const double *restrict u, double *restrict next) {
  const size_t s = n + 2;
#pragma omp parallel for schedule(static)
  for (size_t j = 1; j <= n; j++)
    for (size_t i = 1; i <= n; i++) {
      const size_t k = j * s + i;
      next[k] = u[k] + c * (u[k - 1] + u[k + 1] + u[k - s] + u[k + s] - 4 * u[k]);
    }
}

static void mirror(size_t n, double *u) {
  const size_t s = n + 2;
  for (size_t i = 1; i <= n; i++) {
    u[i] = u[s + i];
    u[(n + 1) * s + i] = u[n * s + i];
    u[i * s] = u[i * s + 1];
    u[i * s + n + 1] = u[i * s + n];
  }
}

int main(int argc, char **argv) {
  const size_t n = argc > 1 ? (size_t)atol(argv[1]) : 4096, steps = argc > 2 ? (size_t)atol(argv[2]) : 100,
               s = n + 2;
  double *u = malloc(s * s * sizeof *u), *next = malloc(s * s * sizeof *next);
  for (size_t j = 0; j < s; j++)
    for (size_t i = 0; i < s; i++) {
      const double x = ((double)i - 0.5) / (double)n - 0.4, y = ((double)j - 0.5) / (double)n - 0.6;
      u[j * s + i] = exp(-(x * x + y * y) / 0.02);
      next[j * s + i] = 0;
    }
  const double start = now();
  for (size_t k = 0; k < steps; k++) {
    mirror(n, u);
    step(n, 0.25, u, next);
    double *swap = u;
    u = next;
    next = swap;
  }
  const double seconds = now() - start;
  double sum = 0;
  for (size_t j = 1; j <= n; j++)
    for (size_t i = 1; i <= n; i++) sum += u[j * s + i];
  printf("{\"seconds\": %.6f, \"sum\": %.15g}\n", seconds, sum);
  free(u);
  free(next);
  return 0;
}
