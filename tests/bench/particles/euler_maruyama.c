/* Peer: paths of dX = -1.5 X dt + 0.8 dW from X = 1 in plain loops, on one core.
 *
 *     euler_maruyama PATHS STEPS DT SEED gsl                  path by path, gsl_ran_gaussian_ziggurat
 * (MT19937) euler_maruyama PATHS STEPS DT SEED mkl libmkl_rt.so     blocks of 1024 paths, step by step,
 * vdRngGaussian (Philox4x32-10, inversion)
 *
 * Prints seconds and processor seconds of the loops, the paths' mean and variance at the end. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WITH_GSL
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#endif

enum { BLOCK = 1024, PHILOX4X32X10 = 16 << 20, INVERSION = 2 };

typedef struct Bench {
  long paths, steps;
  unsigned long seed;
  double a, s; /* X' = a X + s z */
  double *x;   /* [paths] */
} Bench;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#ifdef WITH_GSL
static void gsl_paths(Bench *bench) {
  gsl_rng *generator = gsl_rng_alloc(gsl_rng_mt19937);
  gsl_rng_set(generator, bench->seed);
  for (long i = 0; i < bench->paths; i++) {
    double x = 1;
    for (long n = 0; n < bench->steps; n++)
      x = bench->a * x + bench->s * gsl_ran_gaussian_ziggurat(generator, 1);
    bench->x[i] = x;
  }
  gsl_rng_free(generator);
}
#else
static void gsl_paths(Bench *bench) {
  (void)bench;
  fprintf(stderr, "compiled without GSL\n");
  exit(1);
}
#endif

static void mkl_paths(Bench *bench, const char *path) {
  int (*new_stream)(void **stream, int generator, unsigned seed) = NULL;
  int (*gaussian)(int method, void *stream, int n, double *out, double mean, double deviation) = NULL;
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL), *stream = NULL;
  if (library) {
    *(void **)&new_stream = dlsym(library, "vslNewStream");
    *(void **)&gaussian = dlsym(library, "vdRngGaussian");
  }
  if (!new_stream || !gaussian || new_stream(&stream, PHILOX4X32X10, (unsigned)bench->seed)) {
    fprintf(stderr, "%s: no VSL there\n", path);
    exit(1);
  }
  double z[BLOCK], *x = bench->x;
  for (long first = 0; first < bench->paths; first += BLOCK, x += BLOCK) {
    const int size = bench->paths - first < BLOCK ? (int)(bench->paths - first) : BLOCK;
    for (int i = 0; i < size; i++) x[i] = 1;
    for (long n = 0; n < bench->steps; n++) {
      gaussian(INVERSION, stream, size, z, 0, 1);
      for (int i = 0; i < size; i++) x[i] = bench->a * x[i] + bench->s * z[i];
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  const double dt = strtod(argv[3], NULL);
  Bench bench = {.paths = atol(argv[1]),
                 .steps = atol(argv[2]),
                 .seed = strtoul(argv[4], NULL, 10),
                 .a = 1 - 1.5 * dt,
                 .s = 0.8 * sqrt(dt)};
  bench.x = malloc((size_t)bench.paths * sizeof *bench.x);
  if (!bench.x) return 1;
  const double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
  if (!strcmp(argv[5], "mkl") && argc > 6)
    mkl_paths(&bench, argv[6]);
  else
    gsl_paths(&bench);
  const double taken = seconds(CLOCK_MONOTONIC) - wall,
               worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
  double mean = 0, variance = 0;
  for (long i = 0; i < bench.paths; i++) mean += bench.x[i] / (double)bench.paths;
  for (long i = 0; i < bench.paths; i++)
    variance += (bench.x[i] - mean) * (bench.x[i] - mean) / (double)bench.paths;
  printf("{\"seconds\": %.6f, \"processor\": %.6f, \"mean\": %.9g, \"variance\": %.9g}\n", taken, worked,
         mean, variance);
  free(bench.x);
  return 0;
}
