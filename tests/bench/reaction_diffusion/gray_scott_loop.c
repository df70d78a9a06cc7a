/* Peer: the plain one-pass C loop of explicit Gray-Scott on n x n periodic cells, as anyone would write it:
 * fluxes and reactions of both species in one sweep. Usage: gray_scott_loop N STEPS DT; prints seconds spent
 * stepping and the sum of v. OpenMP threads from OMP_NUM_THREADS. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Fields {
  double *u, *v;
} Fields;

static const double length = 2.5, Du = 2e-5, Dv = 1e-5, F = 0.04, k = 0.06;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void step(size_t n, double dt, Fields old, Fields next) {
  const size_t s = n + 2;
  const double h = length / (double)n, cu = dt * Du / (h * h), cv = dt * Dv / (h * h);
  const double *restrict u = old.u, *restrict v = old.v;
  double *restrict nu = next.u, *restrict nv = next.v;
#pragma omp parallel for schedule(static)
  for (size_t j = 1; j <= n; j++)
    for (size_t i = 1; i <= n; i++) {
      const size_t c = j * s + i;
      const double rate = u[c] * v[c] * v[c];
      nu[c] =
          u[c] + cu * (u[c - 1] + u[c + 1] + u[c - s] + u[c + s] - 4 * u[c]) + dt * (F * (1 - u[c]) - rate);
      nv[c] =
          v[c] + cv * (v[c - 1] + v[c + 1] + v[c - s] + v[c + s] - 4 * v[c]) + dt * (rate - (F + k) * v[c]);
    }
}

static void wrap(size_t n, double *u) {
  const size_t s = n + 2;
  for (size_t i = 1; i <= n; i++) {
    u[i] = u[n * s + i];
    u[(n + 1) * s + i] = u[s + i];
    u[i * s] = u[i * s + n];
    u[i * s + n + 1] = u[i * s + 1];
  }
}

static void start(size_t n, Fields f) {
  const size_t s = n + 2;
  const double h = length / (double)n;
  for (size_t j = 0; j < s; j++)
    for (size_t i = 0; i < s; i++) {
      const double x = ((double)i - 0.5) * h, y = ((double)j - 0.5) * h;
      const double wave = sin(4 * M_PI * x) * sin(4 * M_PI * y);
      const double seed = fabs(x - 1.25) < 0.25 && fabs(y - 1.25) < 0.25 ? wave * wave : 0;
      f.u[j * s + i] = 1 - 0.5 * seed;
      f.v[j * s + i] = 0.25 * seed;
    }
}

static Fields allocate(size_t n) {
  const size_t bytes = (n + 2) * (n + 2) * sizeof(double);
  return (Fields){malloc(bytes), malloc(bytes)};
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const size_t n = (size_t)atol(argv[1]), steps = (size_t)atol(argv[2]), s = n + 2;
  const double dt = atof(argv[3]);
  Fields old = allocate(n), next = allocate(n);
  start(n, old);
  start(n, next); /* every page is touched before the clock runs */
  const double begin = now();
  for (size_t t = 0; t < steps; t++) {
    wrap(n, old.u);
    wrap(n, old.v);
    step(n, dt, old, next);
    const Fields swap = old;
    old = next;
    next = swap;
  }
  const double seconds = now() - begin;
  double sum = 0;
  for (size_t j = 1; j <= n; j++)
    for (size_t i = 1; i <= n; i++) sum += old.v[j * s + i];
  printf("{\"seconds\": %.6f, \"sum\": %.15g}\n", seconds, sum);
  return 0;
}
