/* Counter-based random numbers (Philox 4x32-10 of Random123): key = seed, counter = (stream, index). Same
 * bits on any rank. */
#ifndef INK_CORE_RANDOM_H
#define INK_CORE_RANDOM_H
#include <stddef.h>
#include <stdint.h>

/* out[i] = standard normal deviate of global cell first + i, stream `stream` (Box-Muller through the block
 * evaluator's functions, so that bits do not depend on position). */
void ink_random_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t n, double *out);
#endif
