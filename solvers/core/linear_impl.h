/* Private to linear.c and linear_direct.c: the direct solver of meshes with one axis. */
#ifndef INK_CORE_LINEAR_IMPL_H
#define INK_CORE_LINEAR_IMPL_H

#include "linear.h"

typedef struct InkDirect InkDirect;
PetscErrorCode ink_direct_create(const InkMesh *mesh, InkDirect **direct);
PetscErrorCode ink_direct_matrix(InkDirect *direct, const InkStencil *matrix);
PetscErrorCode ink_direct_solve(InkDirect *direct, const double *b, double *x, InkLinearResult *result);
PetscErrorCode ink_direct_destroy(InkDirect **direct);
#endif
