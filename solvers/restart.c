/* The policies of --restart: auto, never, FILE. See restart.h. */
#include "restart.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include "../io/store.h"
#include "events.h"
#include "solver.h"

/* What a run writes after deck.yaml. */
static const char *const results[] = {"snapshots", "checkpoints", "fields.h5", "series.h5", "report.json"};

static bool stands(const char *out, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", out, name);
  return access(path, F_OK) == 0;
}

static char *read_in(const char *out, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", out, name);
  return ink_read_text(path);
}

/* The first entry of the folder that is not hidden and not the lock; "" when there is none. */
static void first_entry(const char *out, char *name, size_t size) {
  name[0] = '\0';
  DIR *folder = opendir(out);
  if (!folder) return;
  for (const struct dirent *entry; !name[0] && (entry = readdir(folder));)
    if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0)
      snprintf(name, size, "%s", entry->d_name);
  closedir(folder);
}

/* The time a finished run in OUT ended at; NaN when it is not finished. */
static double finished_at(const char *out) {
  char *text = read_in(out, "report.json");
  if (!text) return NAN;
  json_t *report = json_loads(text, 0, NULL);
  free(text);
  const char *status = json_string_value(json_object_get(report, "status"));
  const json_t *time = json_object_get(report, "time");
  double at =
      status && strcmp(status, "finished") == 0 && json_is_number(time) ? json_number_value(time) : NAN;
  json_decref(report);
  return at;
}

static InkStart decide(const InkDeck *deck, const char *out, const InkOptions *options, InkFailure *failure) {
  if (options->restart == INK_RESTART_NEVER) {
    char name[256];
    first_entry(out, name, sizeof name);
    if (name[0])
      ink_fail(failure, INK_USAGE,
               "%s is not empty (it holds %s) and --restart never was given: choose another --output", out,
               name);
    return INK_START_FRESH;
  }
  if (options->restart == INK_RESTART_FILE && access(options->restart_file, R_OK) != 0) {
    ink_fail(failure, INK_USAGE, "--restart takes auto, never or a checkpoint file, and %s cannot be read",
             options->restart_file);
    return INK_START_FRESH;
  }
  InkStart unfinished = options->restart == INK_RESTART_FILE ? INK_START_CONTINUE : INK_START_FRESH;
  char *yaml = read_in(out, "deck.yaml");
  if (!yaml) {
    for (size_t r = 0; r < sizeof results / sizeof *results; r++)
      if (stands(out, results[r]))
        ink_fail(failure, INK_USAGE,
                 "%s holds %s but no deck.yaml, so it is not known whose run it is: choose another "
                 "--output",
                 out, results[r]);
    return unfinished;
  }
  const char *difference = ink_deck_difference(deck, yaml, &ink_schemas);
  free(yaml);
  if (difference) {
    ink_fail(failure, INK_USAGE, "%s is the run of another deck: it differs in %s; choose another --output",
             out, difference);
    return unfinished;
  }
  if (options->restart == INK_RESTART_FILE) return INK_START_CONTINUE;
  double at = finished_at(out), end = ink_deck_end(deck), same = 1e-9 * (end - ink_deck_start(deck));
  if (at > end + same)
    ink_fail(failure, INK_USAGE, "%s was already run to %g s, after time.end (%g s): choose another --output",
             out, at, end);
  return fabs(at - end) <= same ? INK_START_FINISHED : INK_START_CONTINUE;
}

PetscErrorCode ink_restart_decide(MPI_Comm comm, const InkDeck *deck, const char *out,
                                  const InkOptions *options, InkStart *start, InkFailure *failure) {
  int rank, decided = INK_START_FRESH;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) decided = (int)decide(deck, out, options, failure);
  PetscCall(ink_failure_agree(comm, failure));
  PetscCallMPI(MPI_Bcast(&decided, 1, MPI_INT, 0, comm));
  *start = (InkStart)decided;
  PetscFunctionReturn(0);
}
