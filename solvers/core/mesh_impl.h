/* Shared between the files of the mesh; not for others. */
#ifndef INK_CORE_MESH_IMPL_H
#define INK_CORE_MESH_IMPL_H

#include "mesh.h"

/* The domain of a deck, read. Names and units are the deck's. */
typedef struct InkMeshSpec {
  int dim;
  InkCoordinates coordinates;
  InkAxisSpec axis[3];
  InkAxisSegment *segment[3]; /* owned; NULL without segments */
} InkMeshSpec;

/* Reads the domain of a deck in which ink_mesh_check found nothing wrong. */
PetscErrorCode ink_mesh_spec_read(const InkDeck *deck, InkMeshSpec *spec);
void ink_mesh_spec_clear(InkMeshSpec *spec);

const char *ink_mesh_letters(InkCoordinates coordinates); /* "xyz", "r" or "rz" */
const InkDomainAxis *ink_mesh_axis(char letter);          /* of the section mesh: 'x', 'y', 'z' or 'r' */

/* Halo buffers of a mesh whose layout is known. Local. */
PetscErrorCode ink_halo_create(const InkMesh *mesh, struct InkHalo **halo);
PetscErrorCode ink_halo_destroy(struct InkHalo **halo);

/* "mesh too small for N ranks: ..." with what to do. least: cells a rank needs along each axis. */
void ink_mesh_too_small(int ranks, int dim, const int64_t cells[3], int least, char *message, size_t size);
#endif
