/* Counter-based random numbers: every number is a function of (seed, stream, index, draw), so that the same
 * bits come out for any rank, block, order, restart and vector width.
 *
 * `index` is a particle, cell or sample, `draw` numbers what it needs one after the other (steps). Draws come
 * in blocks of INK_DRAWS: block b holds draws INK_DRAWS b to INK_DRAWS b + 3. index < 2^48, block < 2^47.
 * Which generator, its counters and its key: random.c. Nothing here allocates or communicates. */
#ifndef INK_CORE_RANDOM_H
#define INK_CORE_RANDOM_H
#include <stddef.h>
#include <stdint.h>

typedef struct InkStream {
  uint64_t seed;
  uint32_t stream; /* what the numbers are for */
} InkStream;

enum { INK_DRAWS = 4 };

/* Block `block` of the draws of n indices from `first` on: out[d * n + i] is draw INK_DRAWS block + d of
 * index first + i. */
void ink_random_words(InkStream stream, uint64_t first, size_t n, uint64_t block, uint64_t *out);
/* Uniform in (0, 1): (k + 1/2) 2^-52. */
void ink_random_uniforms(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out);
/* Standard normal, in pairs by Box and Muller: to 1e-13 of the pair's length, up to 9.4. Normal draws 2k and
 * 2k + 1 are both made of words 2k and 2k + 1: words and uniforms of the same draws depend on them, those of
 * other pairs do not. */
void ink_random_normals(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out);
/* The same of any indices, index[i] instead of first + i; in increasing order it is fastest. */
void ink_random_uniforms_of(InkStream stream, const uint64_t *index, size_t n, uint64_t block, double *out);
void ink_random_normals_of(InkStream stream, const uint64_t *index, size_t n, uint64_t block, double *out);
/* One draw: what the arrays above hold at draw % INK_DRAWS of block draw / INK_DRAWS. */
double ink_random_uniform_at(InkStream stream, uint64_t index, uint64_t draw);
double ink_random_normal_at(InkStream stream, uint64_t index, uint64_t draw);

/* out[i] = standard normal deviate of global cell first + i, stream `stream`: noise(k) of decks. */
void ink_random_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t n, double *out);
#endif
