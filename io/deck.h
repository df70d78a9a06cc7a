/* A deck, resolved: every value typed, in SI, checked, defaults filled in.
 *
 * Rank 0 reads and resolves (ink_deck_read), the solver's checks add their errors (ink_deck_error), and
 * ink_deck_broadcast gives every rank the same resolved tree. The getters below then work on every rank, are
 * not collective, and take printf-style paths: ink_deck_number(deck, "mesh.%s.to", axis). */
#ifndef INK_IO_DECK_H
#define INK_IO_DECK_H

#include <mpi.h>
#include <petscsys.h>
#include "keys.h"

typedef struct InkDeck InkDeck;

/* How the reader of a deck finds the schema of the solver it names. NULL: no such solver (the reader makes
 * the error, with a suggestion from ink_solver_names). Given by the caller so that io knows nothing of
 * solvers. */
typedef struct InkSchemas {
  const InkSchema *(*find)(const char *solver);
  const char *const *names; /* of all solvers, ends with NULL */
} InkSchemas;

/* Reads, merges `settings` ("key.path=value", ends with NULL; the value is one YAML scalar or flow
 * collection, its place is
 * "--set"), resolves. Always returns a deck; it is good when ink_errors_count(errors) is 0. Call on rank 0
 * only. */
InkDeck *ink_deck_read(const char *path, const char *const *settings, const InkSchemas *schemas,
                       InkErrors *errors);

/* Collective. deck: the good deck on rank 0, NULL elsewhere; on return the same deck on all ranks. The
 * resolved tree is sent; no other rank reads files or units. */
PetscErrorCode ink_deck_broadcast(MPI_Comm comm, const InkSchemas *schemas, InkDeck **deck);
void ink_deck_destroy(InkDeck **deck);

#define INK_PATH __attribute__((format(printf, 2, 3)))
/* Was it given in the deck (not filled in)? Also for sections and lists. */
INK_PATH bool ink_deck_has(const InkDeck *deck, const char *path, ...);
/* The node at a path, given or defaulted; NULL when absent. */
INK_PATH const InkNode *ink_deck_node(const InkDeck *deck, const char *path, ...);
/* Values, given or defaulted. Asking for a key that is absent and has no default is a bug and aborts with the
 * path. */
INK_PATH double ink_deck_number(const InkDeck *deck, const char *path, ...);
INK_PATH int64_t ink_deck_integer(const InkDeck *deck, const char *path, ...);
INK_PATH bool ink_deck_bool(const InkDeck *deck, const char *path, ...);
INK_PATH const char *ink_deck_text(const InkDeck *deck, const char *path, ...); /* text, choice, unit */
/* NULL when absent. Lives as long as the deck. */
INK_PATH const InkExpr *ink_deck_expression(const InkDeck *deck, const char *path, ...);
/* Children of a section or list; 0 when absent, or not of the kind it should be. Given ones only, in the
 * order of the deck. */
INK_PATH int ink_deck_count(const InkDeck *deck, const char *path, ...);
const char *ink_deck_name(const InkDeck *deck, const char *path, int i); /* key of the i-th child */
/* Was all at and below `path` understood? False when the reader has reported an error there; of an absent
 * node, when one of its nearest parent's children is wrong (the node may be there, misspelt). What is sound
 * can be read with the getters; absent keys stay absent. For checks of a deck that has errors elsewhere. */
INK_PATH bool ink_deck_sound(const InkDeck *deck, const char *path, ...);
#undef INK_PATH
/* A NUMBERS value: count and values (owned by the deck). 0 when absent. */
__attribute__((format(printf, 3, 4))) int ink_deck_numbers(const InkDeck *deck, const double **values,
                                                           const char *path, ...);

/* Has a choice of the deck, given or defaulted, this text? False too where the key is wrong or absent: for
 * checks of decks with errors. */
bool ink_deck_chosen(const InkDeck *deck, const char *path, const char *choice);
/* One solve instead of steps: time.method is steady, or equation is not density. */
bool ink_deck_is_steady(const InkDeck *deck);
bool ink_deck_is_manufactured(const InkDeck *deck); /* manufactured */
/* What stands behind a time in messages: " s"; "" where state variables are the axes and time.end has no
 * unit. */
const char *ink_deck_seconds(const InkDeck *deck);

/* An axis of the domain as the deck has it. */
typedef struct InkDomainAxis {
  const char *name;    /* "x", "V" */
  const char *section; /* "mesh.x", "model.state.V": has from, to, cells, grading or segments */
  const char *side[2]; /* "V_min", "V_max" */
  const char *unit;    /* SI unit of a state variable, "1" when it is not known */
  InkDim dim;          /* of a state variable */
} InkDomainAxis;
/* The state variables that are the axes of the domain (InkSchema.axes), at most three; -1 when its axes are
 * those of the section mesh. Owned by the deck. */
int ink_deck_state(const InkDeck *deck, const InkDomainAxis **axes);

int ink_deck_fields(const InkDeck *deck, const char *const **names,
                    const InkDim **dims);       /* the solver's fields */
InkPool *ink_deck_pool(const InkDeck *deck);    /* for trees derived from the deck's expressions */
const char *ink_deck_file(const InkDeck *deck); /* as given on the command line */
/* Names of variables for ink_expr_print and messages. */
const char *const *ink_deck_variable_names(const InkDeck *deck);

/* An error or warning of the solver's own checks, about a key (its place is found; of a missing key, its
 * nearest parent's). */
__attribute__((format(printf, 4, 5))) void ink_deck_error(const InkDeck *deck, InkErrors *errors,
                                                          const char *path, const char *format, ...);
__attribute__((format(printf, 4, 5))) void ink_deck_warning(const InkDeck *deck, InkErrors *errors,
                                                            const char *path, const char *format, ...);

/* OUT/deck.yaml: the resolved deck as YAML that 1.1 and 1.2 readers agree on; reading it gives the same deck.
 * Owned by the deck. */
const char *ink_deck_yaml(const InkDeck *deck);
/* Hash over everything a restart may not change. */
uint64_t ink_deck_hash(const InkDeck *deck);
/* Keys (paths) that differ between this deck and the text of an OUT/deck.yaml, leaving out those a restart
 * may change, as one line "mesh.x.cells, time.method" in the pool; NULL when there are none. Rank 0. */
const char *ink_deck_difference(const InkDeck *deck, const char *yaml, const InkSchemas *schemas);
#endif
