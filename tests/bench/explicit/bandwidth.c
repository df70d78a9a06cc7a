/* The memory's limit for explicit steps: one array read, one written, nothing else to do for a cell.
 * Usage: bandwidth CELLS PASSES; prints cells a second with plain stores, which first read the line that they
 * overwrite (24 bytes a cell), and with stores past the caches (16 bytes). OpenMP threads from
 * OMP_NUM_THREADS. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The factor keeps the compiler from making a memcpy of it. */
static void plain(size_t n, double factor, const double *from, double *to) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) to[i] = factor * from[i];
}

static void past_caches(size_t n, double factor, const double *from, double *to) {
#ifdef __SSE2__
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n / 8; i++)
    for (size_t k = 8 * i; k < 8 * i + 8; k += 2)
      _mm_stream_pd(to + k, _mm_mul_pd(_mm_set1_pd(factor), _mm_load_pd(from + k)));
#else
  plain(n, factor, from, to);
#endif
}

static double fastest(void (*copy)(size_t, double, const double *, double *), size_t n, int passes, double *a,
                      double *b) {
  double best = 1e30;
  for (int p = 0; p < passes; p++) {
    const double start = now();
    copy(n, 1 + 1e-9 * p, p % 2 ? b : a, p % 2 ? a : b);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  return best;
}

int main(int argc, char **argv) {
  const size_t n = (argc > 1 ? (size_t)atol(argv[1]) : 16777216) / 8 * 8;
  const int passes = argc > 2 ? atoi(argv[2]) : 20;
  double *a = aligned_alloc(64, n * sizeof *a), *b = aligned_alloc(64, n * sizeof *b);
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) a[i] = b[i] = (double)i;
  const double stored = (double)n / fastest(plain, n, passes, a, b);
  const double streamed = (double)n / fastest(past_caches, n, passes, a, b);
  printf("{\"plain\": %.4e, \"streamed\": %.4e, \"check\": %g}\n", stored, streamed, a[n / 2]);
  free(a);
  free(b);
  return 0;
}
