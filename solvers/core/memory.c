#include "memory.h"

#include <unistd.h>
#include "../../io/store.h"

PetscErrorCode ink_memory_check(MPI_Comm comm, double bytes, InkFailure *failure) {
  MPI_Comm machine;
  int ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine));
  PetscCallMPI(MPI_Comm_size(machine, &ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, machine));
  PetscCallMPI(MPI_Comm_free(&machine));
  const double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (bytes > there)
    ink_fail(failure, INK_USAGE,
             "needs about %.3g GB on %d rank%s of this machine, which has %.3g GB: take fewer cells or "
             "particles, or more machines",
             bytes / 1e9, ranks, ranks == 1 ? "" : "s", there / 1e9);
  PetscCall(ink_failure_agree(comm, failure));
  PetscFunctionReturn(0);
}
