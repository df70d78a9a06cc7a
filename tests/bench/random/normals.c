/* Nanoseconds of the processor a number on one core, written to an array that stays in the first-level cache.
 *
 *     normals words|uniforms|normals|gsl|mkl [libmkl_rt.so]
 *
 * The least of many turns of about a third of a millisecond. mkl is Intel's VSL: Philox4x32-10 and inversion;
 * gsl is there when compiled WITH_GSL. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WITH_GSL
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#endif

#include "../../../solvers/core/random.h"

enum { N = 1024, ARRAYS = 150, TURNS = 150 };

typedef struct Mkl {
  void *stream;
  int (*new_stream)(void **stream, int generator, unsigned seed);
  int (*gaussian)(int method, void *stream, int n, double *out, double mean, double deviation);
} Mkl;
enum { PHILOX4X32X10 = 16 << 20, INVERSION = 2 };

typedef struct Bench {
  const char *what;
#ifdef WITH_GSL
  gsl_rng *gsl;
#endif
  Mkl mkl;
} Bench;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void open_mkl(Mkl *mkl, const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (library) {
    *(void **)&mkl->new_stream = dlsym(library, "vslNewStream");
    *(void **)&mkl->gaussian = dlsym(library, "vdRngGaussian");
  }
  if (!library || !mkl->new_stream || !mkl->gaussian || mkl->new_stream(&mkl->stream, PHILOX4X32X10, 42)) {
    fprintf(stderr, "%s: no VSL there\n", path);
    exit(1);
  }
}

static void array(Bench *bench, uint64_t block, double *out) {
  InkStream stream = {42, 1};
  if (!strcmp(bench->what, "normals")) {
    ink_random_normals(stream, 0, N / INK_DRAWS, block, out);
  } else if (!strcmp(bench->what, "uniforms")) {
    ink_random_uniforms(stream, 0, N / INK_DRAWS, block, out);
  } else if (!strcmp(bench->what, "words")) {
    ink_random_words(stream, 0, N / INK_DRAWS, block, (uint64_t *)out);
#ifdef WITH_GSL
  } else if (!strcmp(bench->what, "gsl")) {
    for (int i = 0; i < N; i++) out[i] = gsl_ran_gaussian_ziggurat(bench->gsl, 1);
#endif
  } else {
    bench->mkl.gaussian(INVERSION, bench->mkl.stream, N, out, 0, 1);
  }
}

int main(int argc, char **argv) {
  static double out[N];
  if (argc < 2) return 2;
  Bench bench = {.what = argv[1]};
#ifdef WITH_GSL
  bench.gsl = gsl_rng_alloc(gsl_rng_mt19937);
#endif
  if (argc > 2) open_mkl(&bench.mkl, argv[2]);
  double least = 1e9, sum = 0;
  for (int turn = 0; turn < TURNS; turn++) {
    double start = seconds();
    for (uint64_t k = 0; k < ARRAYS; k++) array(&bench, k, out);
    double taken = seconds() - start;
    if (taken < least) least = taken;
    sum += out[turn % N];
  }
  printf("%.4f\n", 1e9 * least / (N * ARRAYS));
#ifdef WITH_GSL
  gsl_rng_free(bench.gsl);
#endif
  return sum != sum;
}
