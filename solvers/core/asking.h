/* What reading a query has in common, whatever is asked: saying why it is not defined, and the parts that all
 * solvers with fields on a mesh share. Local; no MPI, no udunits. */
#ifndef INK_CORE_ASKING_H
#define INK_CORE_ASKING_H

#include "../solver.h"

/* A query on its way to being understood. */
typedef struct InkAsking {
  const InkDeck *deck;
  const InkQuery *query;
  char *message; /* why it is not defined */
  size_t size;
} InkAsking;

/* Says why the query is not defined; false, for returns. */
__attribute__((format(printf, 2, 3))) bool ink_refuse(const InkAsking *asking, const char *format, ...);

/* An option of the verify entry, or NULL; its text, or NULL where it has none. */
const InkNode *ink_option(const InkAsking *asking, const char *key);
const char *ink_option_text(const InkAsking *asking, const char *key);

/* probe:NAME: the probe, and the field it names ("": none). */
bool ink_read_probe(const InkAsking *asking, const char **probe, const char **field);
/* error:l2:FIELD or error:max:FIELD: which, and the field's name. example: a field, for the message. */
bool ink_read_error(const InkAsking *asking, const char *example, bool *l2, const char **field);
/* An error is against exact.FIELD: is it there? */
bool ink_needs_exact(const InkAsking *asking, const char *field);
#endif
