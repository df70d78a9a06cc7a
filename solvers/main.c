/* inkdrop: the verbs.
 *
 * MPI is started for the verbs that need it only, so that `inkdrop describe` answers at once; PETSc gets the
 * options after "--" and no others, and no signal handlers, for signals are the driver's. */
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../io/snapshot.h"
#include "clock.h"
#include "convergence.h"
#include "core/evaluate.h"
#include "driver.h"
#include "list.h"
#include "options.h"

/* Is this a process of a parallel start other than the first? Such a one leaves printing to the first. */
static bool is_other_process(void) {
  static const char *const variable[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"};
  for (size_t v = 0; v < sizeof variable / sizeof *variable; v++) {
    const char *text = getenv(variable[v]);
    if (text && atoi(text) > 0) return true;
  }
  return false;
}

/* One deck after the other; a run that was asked to stop stops those after it as well. */
static PetscErrorCode each_deck(const InkOptions *options, double begin, int *code) {
  PetscFunctionBeginUser;
  *code = INK_DONE;
  for (int d = 0; d < options->arguments; d++) {
    int one = INK_INTERNAL;
    if (options->verb == INK_VERB_RUN)
      PetscCall(ink_run_deck(PETSC_COMM_WORLD, options->argument[d], options, begin, &one));
    else
      PetscCall(ink_check_deck(PETSC_COMM_WORLD, options->argument[d], options, &one));
    *code = d == 0 ? one : ink_exit_worst(*code, one);
    if (one == INK_STOPPED) break;
    begin = MPI_Wtime();
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode parallel_verb(const InkOptions *options, double begin, int *code) {
  PetscFunctionBeginUser;
  if (options->verb == INK_VERB_CONVERGENCE)
    PetscCall(ink_convergence(PETSC_COMM_WORLD, options, code));
  else
    PetscCall(each_deck(options, begin, code));
  PetscFunctionReturn(0);
}

/* PETSc's command line: the user's own options after "--", no signal handlers, no settings from elsewhere. */
static char **petsc_arguments(const InkOptions *options, char *program, int *argc) {
  static char no_handler[] = "-no_signal_handler", no_file[] = "-skip_petscrc";
  char **argv = calloc((size_t)options->petsc_count + 4, sizeof *argv);
  if (!argv) abort();
  *argc = 0;
  argv[(*argc)++] = program;
  argv[(*argc)++] = no_file;
  argv[(*argc)++] = no_handler;
  for (int i = 0; i < options->petsc_count; i++) argv[(*argc)++] = options->petsc[i];
  unsetenv("PETSC_OPTIONS");
  return argv;
}

/* Are all processes of this run on one machine? Known from Open MPI's launcher; a process started by none is
 * alone. */
static bool is_alone(void) {
  return !getenv("OMPI_COMM_WORLD_SIZE") && !getenv("PMIX_RANK") && !getenv("PMI_RANK");
}

static bool on_one_machine(void) {
  const char *all = getenv("OMPI_COMM_WORLD_SIZE"), *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  return all && here ? strcmp(all, here) == 0 : is_alone();
}

/* MPI_Init. Open MPI spends 0.2 s looking for fast networks; on one machine messages go through shared
 * memory, so it is told not to. One process alone needs no shared store of its launcher's data either: its
 * files of 4 MB would fail under a lower limit on file sizes. (The user's own choices stand.) */
static bool start_mpi(int *argc, char ***argv) {
  if (on_one_machine()) setenv("OMPI_MCA_pml", "ob1", 0);
  if (is_alone()) setenv("PMIX_MCA_gds", "hash", 0);
  return MPI_Init(argc, argv) == MPI_SUCCESS;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int run_parallel(const InkOptions *options, int argc, char **argv) {
  int code = INK_INTERNAL, petsc_argc;
  double entered = seconds();
  bool stops = options->verb == INK_VERB_RUN; /* the others leave nothing to continue: signals end them */
  if (stops) ink_clock_catch_signals();
  if (!start_mpi(&argc, &argv)) {
    fprintf(stderr, "inkdrop: MPI could not be started\n");
    return INK_INTERNAL;
  }
  double begin = MPI_Wtime() - (seconds() - entered);
  if (stops) ink_clock_catch_signals(); /* MPI may have set its own */
  char **petsc_argv = petsc_arguments(options, argv[0], &petsc_argc);
  PetscErrorCode error = PetscInitialize(&petsc_argc, &petsc_argv, NULL, NULL);
  if (!error) error = parallel_verb(options, begin, &code);
  if (!error) error = PetscFinalize();
  if (error) {
    fprintf(stderr, "inkdrop: internal error %d, a bug; please report the lines above\n", (int)error);
    if (options->petsc_count > 0) fprintf(stderr, "inkdrop: or one of the PETSc options after -- is wrong\n");
    MPI_Abort(MPI_COMM_WORLD, INK_INTERNAL);
  }
  free(petsc_argv);
  fflush(stdout);
  MPI_Finalize();
  return code;
}

static int serial_verb(const InkOptions *options) {
  switch (options->verb) {
  case INK_VERB_VERSION:
    printf("inkdrop %s (%s)\n", INKDROP_VERSION, INKDROP_COMMIT);
    return INK_DONE;
  case INK_VERB_LIST:
    return ink_list(stdout);
  case INK_VERB_INFO:
    return (int)ink_info(options->argument[0]);
  case INK_VERB_DESCRIBE:
    return ink_describe_verb(options, stdout);
  default:
    ink_options_help(stdout);
    return INK_DONE;
  }
}

/* `pack` writes through the parallel store; one process does the work. */
static int pack(const InkOptions *options, int argc, char **argv) {
  int rank, code = INK_INTERNAL;
  if (!start_mpi(&argc, &argv)) return INK_INTERNAL;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) code = (int)ink_pack(options->argument[0], options->argument[1]);
  if (MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD) != MPI_SUCCESS) code = INK_INTERNAL;
  MPI_Finalize();
  return code;
}

/* A program tuned for one processor dies on an older one with no word but "illegal instruction". */
static bool processor_fits(void) {
#if defined __AVX512F__
  return __builtin_cpu_supports("avx512f");
#elif defined __AVX2__
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

int main(int argc, char **argv) {
  InkOptions options;
  int code = INK_DONE;
  if (!processor_fits()) {
    fprintf(stderr,
            "inkdrop: built for a processor with %s, which this one has not: build it here, or with "
            "-DINKDROP_NATIVE=OFF\n",
            ink_program_instruction_set());
    return INK_INTERNAL;
  }
  bool good = ink_options_parse(argc, argv, &options);
  bool parallel =
      options.verb == INK_VERB_RUN || options.verb == INK_VERB_CHECK || options.verb == INK_VERB_CONVERGENCE;
  if (!good) {
    /* The others end with 0: after the first code that is not, mpiexec kills the rest, which may be the one
     * that speaks. */
    if (!is_other_process()) {
      fprintf(stderr, "inkdrop: %s\ninkdrop --help prints the verbs and options\n", options.message);
      code = INK_USAGE;
    }
  } else if (parallel)
    code = run_parallel(&options, argc, argv);
  else if (options.verb == INK_VERB_PACK)
    code = pack(&options, argc, argv);
  else if (!is_other_process())
    code = serial_verb(&options);
  ink_options_free(&options);
  return code;
}
