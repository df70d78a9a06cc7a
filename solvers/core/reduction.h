/* Sums whose bits do not depend on the order of the terms, hence not on the rank count. */
#ifndef INK_CORE_REDUCTION_H
#define INK_CORE_REDUCTION_H
#include <mpi.h>
#include <petscsys.h>

/* Exact fixed-point accumulation: a long integer wide enough for every double, split in limbs; adding is
 * exact and so associative, one rounding at the end (Kulisch). NaN and infinities are kept track of. */
typedef struct InkSum {
  int64_t limb[72];
  int64_t pending; /* additions since carries were last propagated */
  double special;  /* sum of the NaN and infinite terms */
} InkSum;

void ink_sum_clear(InkSum *sum);
void ink_sum_add(InkSum *sum, double value);
/* a * b as two doubles, the product and its rounding error by fma: exact unless the error underflows, that is
 * when |a b| < 2^-969 or so; then the last bits below 2^-1074 are lost. A product that overflows adds an
 * infinity. Still one result for all orders. */
void ink_sum_add_product(InkSum *sum, double a, double b);
void ink_sum_add_array(InkSum *sum, int64_t n, const double *values); /* fast path, same bits */
double ink_sum_round(const InkSum *sum);
/* Collective: adds over all ranks and rounds; the same on all ranks. count sums at a time. */
PetscErrorCode ink_sum_reduce(MPI_Comm comm, int count, InkSum *sums, double *values);

/* Collective minimum and maximum that let NaN through: a NaN anywhere gives NaN. */
PetscErrorCode ink_reduce_min(MPI_Comm comm, double *value);
PetscErrorCode ink_reduce_max(MPI_Comm comm, double *value);
#endif
