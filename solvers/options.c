/* The command line: one table of options drives reading and the help page. */
#include "options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef enum Option {
  OPTION_SET,
  OPTION_OUTPUT,
  OPTION_RESTART,
  OPTION_QUIET,
  OPTION_JSON_LOG,
  OPTION_JSON,
  OPTION_JSON_SCHEMA,
  OPTION_JSON_FILE,
  OPTION_LEVELS,
  OPTION_EXPECT_ORDER,
} Option;

typedef enum Takes { TAKES_NOTHING, TAKES_VALUE, TAKES_LOG_FILE } Takes;

#define VERB(verb)     (1u << (verb))
#define VERBS_OF_DECKS (VERB(INK_VERB_RUN) | VERB(INK_VERB_CHECK) | VERB(INK_VERB_CONVERGENCE))

static const struct OptionRow {
  const char *name;
  Option option;
  Takes takes;
  unsigned verbs; /* which take it */
} option_rows[] = {
    {"--set", OPTION_SET, TAKES_VALUE, VERBS_OF_DECKS},
    {"--output", OPTION_OUTPUT, TAKES_VALUE, VERB(INK_VERB_RUN)},
    {"--restart", OPTION_RESTART, TAKES_VALUE, VERB(INK_VERB_RUN)},
    {"--quiet", OPTION_QUIET, TAKES_NOTHING, VERB(INK_VERB_RUN) | VERB(INK_VERB_CONVERGENCE)},
    {"--json-log", OPTION_JSON_LOG, TAKES_LOG_FILE, VERB(INK_VERB_RUN)},
    {"--json", OPTION_JSON, TAKES_NOTHING, VERB(INK_VERB_DESCRIBE)},
    {"--json-schema", OPTION_JSON_SCHEMA, TAKES_NOTHING, VERB(INK_VERB_DESCRIBE)},
    {"--json", OPTION_JSON_FILE, TAKES_VALUE, VERB(INK_VERB_CONVERGENCE)},
    {"--levels", OPTION_LEVELS, TAKES_VALUE, VERB(INK_VERB_CONVERGENCE)},
    {"--expect-order", OPTION_EXPECT_ORDER, TAKES_VALUE, VERB(INK_VERB_CONVERGENCE)},
};

static const struct VerbRow {
  const char *name;
  InkVerb verb;
  int least, most; /* arguments; most < 0: any number */
  const char *what;
} verb_rows[] = {
    {"run", INK_VERB_RUN, 1, -1, "a deck"},
    {"check", INK_VERB_CHECK, 1, -1, "a deck"},
    {"describe", INK_VERB_DESCRIBE, 0, 1, "SOLVER or SOLVER.KEY"},
    {"list", INK_VERB_LIST, 0, 0, "nothing"},
    {"info", INK_VERB_INFO, 1, 1, "a file"},
    {"convergence", INK_VERB_CONVERGENCE, 1, 1, "a deck"},
    {"pack", INK_VERB_PACK, 2, 2, "the folder of a run and the file to write"},
    {"--version", INK_VERB_VERSION, 0, 0, "nothing"},
    {"--help", INK_VERB_HELP, 0, 0, "nothing"},
    {"-h", INK_VERB_HELP, 0, 0, "nothing"},
    {"help", INK_VERB_HELP, 0, -1, "nothing"},
    {"version", INK_VERB_VERSION, 0, 0, "nothing"},
};
enum { OPTIONS = sizeof option_rows / sizeof *option_rows, VERBS = sizeof verb_rows / sizeof *verb_rows };

static const char help_page[] =
    "inkdrop solves diffusion problems given as a deck, a YAML file, and writes HDF5.\n"
    "\n"
    "  mpiexec -n N inkdrop run DECK... [options] [-- PETSc options]\n"
    "    --set KEY.PATH=VALUE        replaces a value of the deck; may be repeated\n"
    "    --output DIR                where results go (default DECKNAME.out in the current folder;\n"
    "                                several decks get a folder each under DIR)\n"
    "    --restart auto|never|FILE   auto (default): an empty folder starts, an unfinished run continues,\n"
    "                                a finished one prints its table; never: refuses a folder in use;\n"
    "                                FILE: continues from that checkpoint\n"
    "    --quiet                     prints the verify table and errors only\n"
    "    --json-log [FILE]           writes a line of JSON for every event (default OUT/log.jsonl; FILE "
    "ends\n"
    "                                in .jsonl, .json or .log, or is given as --json-log=FILE)\n"
    "  inkdrop check DECK... [--set ...]     validates; prints cells, memory, method and why, steps, time\n"
    "  inkdrop describe [SOLVER[.KEY]] [--json | --json-schema]   every key: type, unit, default, meaning\n"
    "  inkdrop list                          solvers and their methods\n"
    "  inkdrop info FILE                     what a snapshot, checkpoint or result holds\n"
    "  inkdrop convergence DECK [--levels 4] [--set ...] [--json FILE] [--expect-order P] [--quiet]\n"
    "                                        refines cells and steps, prints the observed orders\n"
    "  inkdrop pack OUT FILE                 one portable file from a run's snapshots\n"
    "  inkdrop --version | --help\n"
    "\n"
    "A run stops with a checkpoint at its walltime, on SIGUSR1, SIGTERM or Ctrl-C, or when OUT/STOP\n"
    "appears.\n"
    "Exit codes: 0 done and verified, 1 internal error, 2 bad usage or deck, 3 verify out of tolerance,\n"
    "4 numerical failure, 74 storage failed, 75 stopped early with a checkpoint: run again to continue.\n";

void ink_options_help(FILE *stream) { fputs(help_page, stream); }

__attribute__((format(printf, 2, 3))) static bool wrong(InkOptions *options, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(options->message, sizeof options->message, format, list);
  va_end(list);
  return false;
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_log_file(const char *text) {
  return text && text[0] != '-' &&
         (ends_with(text, ".jsonl") || ends_with(text, ".json") || ends_with(text, ".log"));
}

static bool apply(InkOptions *options, const struct OptionRow *row, const char *value) {
  char *end = NULL;
  switch (row->option) {
  case OPTION_SET:
    if (!strchr(value, '=') || value[0] == '=')
      return wrong(options, "--set takes KEY.PATH=VALUE, got '%s'", value);
    options->setting[options->settings++] = value;
    return true;
  case OPTION_OUTPUT:
    if (!*value) return wrong(options, "--output takes the name of a folder");
    options->output = value;
    return true;
  case OPTION_RESTART:
    if (!*value) return wrong(options, "--restart takes auto, never or a checkpoint file");
    if (strcmp(value, "auto") == 0)
      options->restart = INK_RESTART_AUTO;
    else if (strcmp(value, "never") == 0)
      options->restart = INK_RESTART_NEVER;
    else {
      options->restart = INK_RESTART_FILE;
      options->restart_file = value;
    }
    return true;
  case OPTION_QUIET:
    options->quiet = true;
    return true;
  case OPTION_JSON_LOG:
    options->json_log = true;
    options->json_log_file = value;
    return true;
  case OPTION_JSON:
    options->json = true;
    return true;
  case OPTION_JSON_SCHEMA:
    options->json_schema = true;
    return true;
  case OPTION_JSON_FILE:
    options->json_file = value;
    return true;
  case OPTION_LEVELS:
    options->levels = (int)strtol(value, &end, 10);
    if (end == value || *end || options->levels < 2 || options->levels > 12)
      return wrong(options, "--levels takes a number from 2 to 12, got '%s'", value);
    return true;
  case OPTION_EXPECT_ORDER:
    options->expect_order = strtod(value, &end);
    if (end == value || *end || !(options->expect_order > 0))
      return wrong(options, "--expect-order takes a number above 0, got '%s'", value);
    return true;
  }
  return false;
}

/* Reads the option at argv[*at]; *at is left on the last word used. */
static bool read_option(InkOptions *options, const char *verb, int argc, char **argv, int *at) {
  const char *word = argv[*at], *equals = strchr(word, '=');
  size_t length = equals ? (size_t)(equals - word) : strlen(word);
  bool known = false;
  for (int r = 0; r < OPTIONS; r++) {
    const struct OptionRow *row = &option_rows[r];
    if (strlen(row->name) != length || strncmp(row->name, word, length) != 0) continue;
    known = true;
    if (!(row->verbs & VERB(options->verb))) continue;
    const char *value = equals ? equals + 1 : NULL;
    if (row->takes == TAKES_NOTHING && value) return wrong(options, "%s takes no value", row->name);
    if (row->takes == TAKES_VALUE && !value) {
      if (*at + 1 >= argc || strcmp(argv[*at + 1], "--") == 0)
        return wrong(options, "%s needs a value", row->name);
      value = argv[++*at];
    }
    if (row->takes == TAKES_LOG_FILE && !value && *at + 1 < argc && is_log_file(argv[*at + 1]))
      value = argv[++*at];
    return apply(options, row, value);
  }
  if (known) return wrong(options, "%.*s is not an option of %s", (int)length, word, verb);
  return wrong(options, "unknown option %s (PETSc options go after --)", word);
}

static bool find_verb(InkOptions *options, int argc, char **argv, const struct VerbRow **verb) {
  if (argc < 2) return wrong(options, "say what to do: inkdrop run DECK");
  for (int v = 0; v < VERBS; v++)
    if (strcmp(verb_rows[v].name, argv[1]) == 0) {
      *verb = &verb_rows[v];
      options->verb = (*verb)->verb;
      return true;
    }
  if (ends_with(argv[1], ".yaml") || ends_with(argv[1], ".yml"))
    return wrong(options, "unknown verb '%s'; did you mean: inkdrop run %s", argv[1], argv[1]);
  return wrong(options,
               "unknown verb '%s'; the verbs are run, check, describe, list, info, convergence, pack",
               argv[1]);
}

bool ink_options_parse(int argc, char **argv, InkOptions *options) {
  *options = (InkOptions){.levels = 4};
  options->argument = calloc((size_t)argc + 1, sizeof *options->argument);
  options->setting = calloc((size_t)argc + 1, sizeof *options->setting);
  if (!options->argument || !options->setting) return wrong(options, "out of memory");
  const struct VerbRow *verb = NULL;
  if (!find_verb(options, argc, argv, &verb)) return false;
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "--") == 0) {
      options->petsc = argv + i + 1;
      options->petsc_count = argc - i - 1;
      break;
    }
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      options->verb = INK_VERB_HELP;
      return true;
    }
    if (argv[i][0] != '-')
      options->argument[options->arguments++] = argv[i];
    else if (!read_option(options, verb->name, argc, argv, &i))
      return false;
  }
  if (options->arguments < verb->least) return wrong(options, "%s needs %s", verb->name, verb->what);
  if (verb->most >= 0 && options->arguments > verb->most)
    return wrong(options, "%s takes %s; '%s' is too much", verb->name, verb->what,
                 options->argument[verb->most]);
  return true;
}

void ink_options_free(InkOptions *options) {
  free(options->argument);
  free(options->setting);
  options->argument = NULL;
  options->setting = NULL;
}

int ink_exit_worst(int a, int b) {
  static const int order[] = {1, 4, 74, 3, 2, 75};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++)
    if (a == order[i] || b == order[i]) return order[i];
  return 0;
}

char *ink_options_out(const InkOptions *options, const char *deck) {
  if (options->output && options->arguments == 1) return strdup(options->output);
  const char *slash = strrchr(deck, '/'), *name = slash ? slash + 1 : deck;
  size_t length = strlen(name);
  if (ends_with(name, ".yaml") && length > 5)
    length -= 5;
  else if (ends_with(name, ".yml") && length > 4)
    length -= 4;
  const char *folder = options->output ? options->output : "";
  size_t size = strlen(folder) + length + 6;
  char *out = malloc(size);
  if (out) snprintf(out, size, "%s%s%.*s.out", folder, *folder ? "/" : "", (int)length, name);
  return out;
}
