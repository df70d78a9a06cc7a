/* What the mesh must know of a program beside evaluate.h; not for others. */
#ifndef INK_CORE_MESH_PROGRAM_H
#define INK_CORE_MESH_PROGRAM_H

#include "evaluate.h"

int ink_mesh_program_outputs(const InkProgram *program); /* how many outputs it was created with */
#endif
