/* The owned cells of a mesh in parts of rows that fit the first-level cache: for (InkPart part =
 * ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)). */
#ifndef INK_CORE_PART_H
#define INK_CORE_PART_H

#include "mesh.h"

enum { INK_PART = 512 }; /* cells, a multiple of every vector width */

typedef struct InkPart {
  int64_t at[3]; /* local index of the first cell */
  int64_t cell;  /* its place in a padded array */
  int64_t n;     /* cells; 0 after the last part */
} InkPart;

static inline void ink_part_set(const InkMesh *mesh, InkPart *part) {
  const int64_t left = mesh->count[0] - part->at[0];
  part->cell = mesh->origin + part->at[0] + part->at[1] * mesh->stride[1] + part->at[2] * mesh->stride[2];
  part->n = left < INK_PART ? left : INK_PART;
}
static inline InkPart ink_part_first(const InkMesh *mesh) {
  InkPart part = {{0, 0, 0}, 0, 0};
  ink_part_set(mesh, &part);
  return part;
}
static inline void ink_part_next(const InkMesh *mesh, InkPart *part) {
  part->at[0] += part->n;
  part->n = 0;
  if (part->at[0] == mesh->count[0]) {
    part->at[0] = 0;
    if (++part->at[1] == mesh->count[1]) {
      part->at[1] = 0;
      if (++part->at[2] == mesh->count[2]) return;
    }
  }
  ink_part_set(mesh, part);
}

#endif
