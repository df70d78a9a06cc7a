/* The arrays of an ensemble: shared out over the ranks in whole blocks, saved and loaded. See ensemble.h. */
#include "ensemble.h"
#include <math.h>
#include "../../io/store.h"

/* The arrays a run has, by name. */
typedef struct Column {
  const char *name;
  double **values;
} Column;

enum { MOST_COLUMNS = 16 };

static int columns(InkEnsemble *e, const InkEnsembleNeeds *needs, Column column[MOST_COLUMNS]) {
  static const char *const x[] = {"x0", "x1", "x2"}, *const moved[] = {"moved0", "moved1", "moved2"},
                           *const quadratic[] = {"quadratic0", "quadratic1", "quadratic2"},
                           *const total[] = {"total0", "total1", "total2"};
  int n = 0;
  for (int a = 0; a < e->dim; a++) {
    column[n++] = (Column){x[a], &e->x[a]};
    if (needs->moved) column[n++] = (Column){moved[a], &e->moved[a]};
    if (needs->quadratic) column[n++] = (Column){quadratic[a], &e->quadratic[a]};
    if (needs->total) column[n++] = (Column){total[a], &e->total[a]};
  }
  if (needs->total) column[n++] = (Column){"length", &e->length};
  if (needs->absorbs) column[n++] = (Column){"fate", &e->fate};
  if (needs->absorbs) column[n++] = (Column){"when", &e->when};
  if (needs->chain) column[n++] = (Column){"cell", &e->cell};
  return n;
}

/* What an ensemble has. */
static InkEnsembleNeeds needs_of(const InkEnsemble *e) {
  return (InkEnsembleNeeds){.absorbs = e->fate != NULL,
                            .moved = e->moved[0] != NULL,
                            .quadratic = e->quadratic[0] != NULL,
                            .total = e->total[0] != NULL,
                            .chain = e->cell != NULL};
}

double ink_ensemble_bytes(int dim, const InkEnsembleNeeds *needs) {
  InkEnsemble shape = {.dim = dim};
  Column column[MOST_COLUMNS];
  return (double)sizeof(double) * columns(&shape, needs, column);
}

/* Blocks are shared out evenly; the first ranks get one more. */
static void share(InkEnsemble *e, int rank, int ranks) {
  const int64_t blocks = (e->count + INK_PARTICLE_BLOCK - 1) / INK_PARTICLE_BLOCK;
  int64_t start, mine;
  ink_decompose_part(blocks, ranks, rank, &start, &mine);
  e->first = start * INK_PARTICLE_BLOCK < e->count ? start * INK_PARTICLE_BLOCK : e->count;
  const int64_t end = (start + mine) * INK_PARTICLE_BLOCK;
  e->n = (end < e->count ? end : e->count) - e->first;
  e->room = mine * INK_PARTICLE_BLOCK;
}

PetscErrorCode ink_ensemble_create(MPI_Comm comm, uint64_t seed, int64_t count, int dim,
                                   const InkEnsembleNeeds *needs, InkEnsemble **ensemble) {
  PetscFunctionBeginUser;
  InkEnsemble *e;
  Column column[MOST_COLUMNS];
  int rank, ranks;
  PetscCall(PetscNew(&e));
  *ensemble = e;
  e->comm = comm;
  e->seed = seed;
  e->count = count;
  e->dim = dim;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  share(e, rank, ranks);
  const int n = columns(e, needs, column);
  for (int c = 0; c < n; c++) {
    /* at least a block, so that an array that is there is never NULL */
    const size_t room = (size_t)(e->room > 0 ? e->room : INK_PARTICLE_BLOCK);
    *column[c].values = aligned_alloc(64, room * sizeof(double));
    PetscCheck(*column[c].values, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the particles");
    for (size_t i = 0; i < room; i++) (*column[c].values)[i] = 0.0;
  }
  for (int64_t i = 0; needs->absorbs && i < e->room; i++) {
    e->fate[i] = INK_INSIDE;
    e->when[i] = NAN;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_ensemble_destroy(InkEnsemble **ensemble) {
  PetscFunctionBeginUser;
  InkEnsemble *e = *ensemble;
  if (!e) PetscFunctionReturn(0);
  const InkEnsembleNeeds needs = needs_of(e);
  Column column[MOST_COLUMNS];
  const int n = columns(e, &needs, column);
  double *values[MOST_COLUMNS]; /* needs_of and columns look at the pointers */
  for (int c = 0; c < n; c++) values[c] = *column[c].values;
  for (int c = 0; c < n; c++) free(values[c]);
  PetscCall(PetscFree(e));
  *ensemble = NULL;
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

static void path_of(const Column *column, char path[64]) {
  (void)snprintf(path, 64, "/state/particles/%s", column->name);
}

static InkBox box_of(const InkEnsemble *e) {
  return (InkBox){.rank = 1,
                  .size = {(hsize_t)e->count},
                  .start = {(hsize_t)e->first},
                  .count = {(hsize_t)e->n},
                  .stride = {1}};
}

PetscErrorCode ink_ensemble_save(const InkEnsemble *ensemble, InkStore *store) {
  PetscFunctionBeginUser;
  const InkEnsembleNeeds needs = needs_of(ensemble);
  const InkBox box = box_of(ensemble);
  InkEnsemble e = *ensemble; /* the pointers only */
  Column column[MOST_COLUMNS];
  char path[64];
  PetscCall(ink_store_group(store, "/state/particles"));
  const int n = columns(&e, &needs, column);
  for (int c = 0; c < n; c++) {
    path_of(&column[c], path);
    PetscCall(ink_store_write(store, path, &box, *column[c].values, false, 0));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_ensemble_load(InkEnsemble *ensemble, InkStore *store) {
  PetscFunctionBeginUser;
  const InkEnsembleNeeds needs = needs_of(ensemble);
  const InkBox box = box_of(ensemble);
  Column column[MOST_COLUMNS];
  char path[64];
  const int n = columns(ensemble, &needs, column);
  for (int c = 0; c < n; c++) {
    path_of(&column[c], path);
    PetscCall(ink_store_read(store, path, &box, *column[c].values));
  }
  PetscFunctionReturn(0);
}
