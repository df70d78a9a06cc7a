/* Reads the number of outputs of a program. A file of its own, as the evaluator's private header and the
 * deck's headers both have an InkPlace. */
#include "mesh_program.h"
#include "evaluate_impl.h"

int ink_mesh_program_outputs(const InkProgram *program) { return program->outputs; }
