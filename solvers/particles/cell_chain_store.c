/* The density of a chain in checkpoints. */
#include "../../io/store.h"
#include "cell_chain_impl.h"

/* All have all masses: rank 0 writes them, and every rank reads them. */
static InkBox whole(const InkCellChain *chain, bool mine) {
  const hsize_t cells = (hsize_t)chain->cells;
  return (InkBox){.rank = 1, .size = {cells}, .count = {mine ? cells : 0}, .stride = {1}};
}

PetscErrorCode ink_cell_chain_save(const InkCellChain *chain, InkStore *store) {
  PetscFunctionBeginUser;
  int rank;
  PetscCallMPI(MPI_Comm_rank(chain->comm, &rank));
  const InkBox box = whole(chain, rank == 0);
  if (!chain->history.time) PetscCall(ink_store_write(store, "/state/mass", &box, chain->mass, false, 0));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_load(InkCellChain *chain, int64_t step, InkStore *store) {
  PetscFunctionBeginUser;
  const InkBox box = whole(chain, true);
  if (chain->history.time)
    PetscCall(ink_chain_history_recall(chain, chain->history.steps - step));
  else
    PetscCall(ink_store_read(store, "/state/mass", &box, chain->mass));
  PetscFunctionReturn(0);
}
