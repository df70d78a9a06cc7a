/* The verbs that only print: list and describe. Serial. */
#ifndef INK_LIST_H
#define INK_LIST_H
#include "../io/error.h"
#include "options.h"

/* Solvers, what they solve, their methods. */
InkExit ink_list(FILE *stream);
/* `inkdrop describe [SOLVER[.KEY]]`, as text, JSON or a JSON schema. */
InkExit ink_describe_verb(const InkOptions *options, FILE *stream);
#endif
