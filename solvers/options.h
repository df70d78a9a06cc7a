/* The command line: verbs, options and decks. Pure: nothing is printed, no MPI. */
#ifndef INK_OPTIONS_H
#define INK_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

typedef enum InkVerb {
  INK_VERB_HELP,
  INK_VERB_VERSION,
  INK_VERB_RUN,
  INK_VERB_CHECK,
  INK_VERB_DESCRIBE,
  INK_VERB_LIST,
  INK_VERB_INFO,
  INK_VERB_CONVERGENCE,
  INK_VERB_PACK,
} InkVerb;

typedef enum InkRestartPolicy { INK_RESTART_AUTO, INK_RESTART_NEVER, INK_RESTART_FILE } InkRestartPolicy;

typedef struct InkOptions {
  InkVerb verb;
  const char **argument; /* what stands without an option: decks, files; ends with NULL */
  int arguments;
  const char **setting; /* --set, ends with NULL */
  int settings;
  const char *output; /* --output; NULL: not given */
  InkRestartPolicy restart;
  const char *restart_file; /* INK_RESTART_FILE */
  bool quiet;
  bool json_log;
  const char *json_log_file; /* NULL: OUT/log.jsonl */
  bool json, json_schema;    /* describe */
  const char *json_file;     /* convergence --json FILE */
  int levels;
  double expect_order; /* 0: not asked */
  char **petsc;        /* what stands after "--" */
  int petsc_count;
  char message[512]; /* what is wrong with the command line */
} InkOptions;

/* Reads the command line. False: `message` says what is wrong in one line. The texts stay argv's; free the
 * lists with ink_options_free (also after a failure). */
bool ink_options_parse(int argc, char **argv, InkOptions *options);
void ink_options_free(InkOptions *options);

/* The page of --help. */
void ink_options_help(FILE *stream);

/* The worse of two exit codes, in the order 1, 4, 74, 3, 2, 75, 0. */
int ink_exit_worst(int a, int b);

/* The folder of a run, malloc'ed: --output, or DECKNAME.out in the current folder; with several decks a
 * folder DECKNAME.out each under --output. */
char *ink_options_out(const InkOptions *options, const char *deck);
#endif
