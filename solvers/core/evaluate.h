/* The block evaluator: runs expressions over many cells.
 *
 * A tree (io/expression.h) is compiled to a small straight-line program of operations, and the program is the
 * contract: every operation is one IEEE operation (fma chosen by the compiler here, not by the C compiler) or
 * one named SLEEF function, and all lanes go through one routine (the last block is padded). So a cell's
 * value has the same bits wherever it lies in an array and on whichever rank. */
#ifndef INK_CORE_EVALUATE_H
#define INK_CORE_EVALUATE_H

#include <stddef.h>
#include <stdint.h>
#include "../../io/expression.h"

typedef struct InkProgram InkProgram;

/* Compiles `nout` expressions into one program (common subexpressions shared). Variables whose bit is set in
 * `uniform` have one value a call (in[v] points to one double): time always, y and z in a row-wise kernel.
 * Free with ink_program_destroy. Returns NULL only for a program too large (> 4096 operations), with a line
 * in message[size]. */
InkProgram *ink_program_create(int nout, const InkExpr *const out[], uint64_t uniform, char *message,
                               size_t size);
void ink_program_destroy(InkProgram **program);

/* out[o][i] = expression o at cell i, i < n. in[v] for each variable v of ink_program_variables: n values, or
 * one if uniform. in and out may be the same arrays (exactly) but must not overlap otherwise. No allocation,
 * thread-safe, any n, any alignment; never writes past out[o][n-1]. */
void ink_program_run(const InkProgram *program, size_t n, const double *const in[INK_VARS],
                     double *const out[]);

uint64_t ink_program_variables(const InkProgram *program); /* bit v set: variable v is read */
int ink_program_outputs(const InkProgram *program);        /* as created */
int ink_program_operations(const InkProgram *program);     /* operations a cell: for cost estimates */
const char *ink_program_instruction_set(void); /* "avx512f", "avx2+fma", "sse2": recorded with results */

#endif
