/* For tests: decks from text, and their errors as text. */
#ifndef INK_TESTS_DECK_TEXT_H
#define INK_TESTS_DECK_TEXT_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../solvers/solver.h"

/* Reads `text` through a file of its own. *messages (may be NULL): the printed errors; free() it. The name of
 * the file is cut to "d.yaml" in them. */
static inline InkDeck *deck_of_text(const char *text, const char *const *settings, char **messages) {
  char folder[] = "/tmp/inkdrop_deck_XXXXXX", path[64];
  if (!mkdtemp(folder)) abort();
  snprintf(path, sizeof path, "%s/d.yaml", folder);
  FILE *stream = fopen(path, "w");
  if (!stream) abort();
  fputs(text, stream);
  fclose(stream);
  InkErrors *errors = ink_errors_create();
  InkDeck *deck = ink_deck_read(path, settings, &ink_schemas, errors);
  unlink(path);
  rmdir(folder);
  char *printed = NULL;
  size_t size = 0;
  stream = open_memstream(&printed, &size);
  ink_errors_print(errors, stream);
  fclose(stream);
  for (char *p = printed; (p = strstr(p, folder));)
    memmove(p, p + strlen(folder) + 1, strlen(p + strlen(folder) + 1) + 1);
  if (messages)
    *messages = printed;
  else
    free(printed);
  ink_errors_destroy(&errors);
  return deck;
}

static const char deck_good[] = "title: a rod\n"
                                "solver: heat\n"
                                "parameters: {k: 35 W/(m K), amplitude: '100[K]', twice: 2*amplitude}\n"
                                "mesh:\n"
                                "  x: {from: 0, to: 10 cm, cells: 200}\n"
                                "material: {conductivity: k, density: 7200, heat_capacity: 440.5 J/(kg K)}\n"
                                "initial: {T: 20 degC}\n"
                                "boundary:\n"
                                "  x_min: {type: value, value: 0 degC}\n"
                                "  x_max: {type: value, value: '0[degC] + twice*sin(2*pi*t/80[s])'}\n"
                                "time: {end: 1 min, tolerance: 1e-6, method: implicit}\n"
                                "probes: {a: {at: [8 cm]}}\n"
                                "output: {snapshots: {at: [10, 0.5 min]}}\n"
                                "verify:\n"
                                "- {quantity: probe:a, expect: 36.6 degC, within: 0.05 degC, source: none}\n"
                                "- {quantity: probe:a, expect: 309.75, within: 1.5 %}\n";
#endif
