/* Which numbers go into the series. See series_columns.h. */
#include "series_columns.h"
#include "verify.h"

#include <string.h>

static PetscErrorCode add(InkColumns *columns, int *room, const char *kind, const char *argument) {
  PetscFunctionBeginUser;
  if (columns->count == *room) {
    *room = *room ? 2 * *room : 16;
    PetscCall(PetscRealloc((size_t)*room * sizeof *columns->query, &columns->query));
    PetscCall(PetscRealloc((size_t)*room * sizeof *columns->name, &columns->name));
    PetscCall(PetscRealloc((size_t)*room * sizeof *columns->long_name, &columns->long_name));
  }
  char text[512];
  snprintf(text, sizeof text, "%s:%s", kind, argument);
  columns->long_name[columns->count] = ink_pool_strdup(columns->pool, text);
  columns->query[columns->count] = ink_query_parse(columns->pool, text, NULL);
  char *name = ink_pool_strdup(columns->pool, text);
  for (char *c = name; *c; c++)
    if (*c == ':' || *c == '.' || *c == '/') *c = '_';
  columns->name[columns->count++] = name;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_candidates(const InkDeck *deck, InkColumns *columns) {
  static const char *const of_fields[] = {"integral", "min", "max", "balance"};
  static const char *const sides[] = {"x_min", "x_max", "y_min", "y_max", "z_min", "z_max", "r_min", "r_max"};
  int room = 0;
  PetscFunctionBeginUser;
  for (int p = 0; p < ink_deck_count(deck, "probes"); p++)
    PetscCall(add(columns, &room, "probe", ink_deck_name(deck, "probes", p)));
  const char *const *fields;
  const InkDim *dims;
  int count = ink_deck_fields(deck, &fields, &dims);
  for (int f = 0; f < count; f++) {
    for (size_t k = 0; k < sizeof of_fields / sizeof *of_fields; k++)
      PetscCall(add(columns, &room, of_fields[k], fields[f]));
    char argument[256];
    snprintf(argument, sizeof argument, "l2:%s", fields[f]);
    PetscCall(add(columns, &room, "error", argument));
  }
  for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) PetscCall(add(columns, &room, "flux", sides[s]));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_create(MPI_Comm comm, const InkDeck *deck, const InkSolverType *solver,
                                  InkColumns **columns) {
  InkColumns *made;
  int rank, *defined, kept = 0;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&made));
  made->pool = ink_pool_create();
  PetscCall(add_candidates(deck, made));
  PetscCall(PetscCalloc1((size_t)made->count, &defined));
  for (int c = 0; rank == 0 && c < made->count; c++) {
    InkDim dim;
    char message[256];
    defined[c] = solver->defined(deck, &made->query[c], &dim, message, sizeof message);
  }
  PetscCallMPI(MPI_Bcast(defined, made->count, MPI_INT, 0, comm));
  for (int c = 0; c < made->count; c++) {
    if (!defined[c]) continue;
    made->query[kept] = made->query[c];
    made->name[kept] = made->name[c];
    made->long_name[kept++] = made->long_name[c];
  }
  made->count = kept;
  size_t length = 1;
  for (int c = 0; c < kept; c++) length += strlen(made->name[c]) + 1;
  made->names = ink_pool_alloc(made->pool, length);
  for (int c = 0; c < kept; c++) strcat(strcat(made->names, made->name[c]), " ");
  PetscCall(PetscFree(defined));
  *columns = made;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_destroy(InkColumns **columns) {
  PetscFunctionBeginUser;
  if (*columns) {
    PetscCall(PetscFree((*columns)->query));
    PetscCall(PetscFree((*columns)->name));
    PetscCall(PetscFree((*columns)->long_name));
    ink_pool_destroy(&(*columns)->pool);
  }
  PetscCall(PetscFree(*columns));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_columns_values(const InkColumns *columns, const InkSolverType *solver, void *self,
                                  double *value, const char **unit) {
  PetscFunctionBeginUser;
  for (int c = 0; c < columns->count; c++) {
    InkValue v = {0};
    PetscCall(solver->quantity(self, &columns->query[c], &v));
    value[c] = v.value;
    if (unit) unit[c] = v.unit ? v.unit : "1";
  }
  PetscFunctionReturn(0);
}
