/* Random numbers from counters: words, uniform, normal and exponential deviates.
 *
 *     words 2k, 2k + 1 of a block = Philox4x32-10(key = seed, counter)
 *     counter = (index mod 2^32, index / 2^32 + 2^16 (pair / 2^32), pair mod 2^32, not stream),  pair = 2
 * block + k
 *
 * for index < 2^48 and pair < 2^48; beyond, counters repeat. Salmon, Moraes, Dror, Shaw: Parallel random
 * numbers: as easy as 1, 2, 3 (SC11). noise(k) of decks has counters (pair, stream, 0) of its own and Box and
 * Muller's transform; no counter is shared but that of stream 2^32 - 1.
 *
 * Chosen by measurement: nanoseconds a 64-bit word, one core of an EPYC 7003 at 3 GHz, AVX2, gcc 12, and the
 * rounds beside the least with which the paper found no flaw in BigCrush:
 *
 *     Philox4x32-10     1.12   10 of 7       Threefry4x64-20   1.45   20 of 12
 *     Philox4x32-7      0.69    7 of 7       Threefry4x64-13   0.87   13 of 12
 *
 * What keeps a margin is Philox with 10 rounds, and noise(k) has it already. With AVX-512, Threefry gains its
 * rotations, and Philox the exclusive or of three words: 150 and 60 operations for 32 and 16 words.
 *
 * A word gives a normal deviate by inversion: its lowest bit is the sign, the others the probability of the
 * tail, p = (word | 1) 2^-65, so that p has its 53 bits down to 2^-65 (9.2 standard deviations). Where p >=
 * 2^-12 the quantile is Taylor's series about a node z_i = z(p_i), with t = z'(p_i) (p - p_i),
 *
 *     z = z_i + t + z_i t^2/2 + (2 z_i^2 + 1) t^3/6 + (6 z_i^3 + 7 z_i) t^4/24 + (24 z_i^4 + 46 z_i^2 + 7)
 * t^5/120,
 *
 * as z'' = z z'^2; below, Wichura's rational functions (AS 241, Applied Statistics 37, 1988). */
#include "random.h"
#include "random_nodes.h"
#include "vector.h"

#include <string.h>
#include <Random123/philox.h>

enum { NODE_BITS = 6, FIRST_NODE = (1023 + 53) << NODE_BITS }; /* the node of p = 2^-12, that is 2^53 2^-65 */

/* ---- words ---- */

/* Four words of the philox counter, a counter a lane; only the lower half of c[0] and c[2] matters, and the
 * same of c[1] and c[3]. */
typedef struct Philox {
  InkWords c[4];
} Philox;

static inline InkWords join(InkWords upper, InkWords lower) {
  return upper << 32 | (lower & ink_words_all(UINT32_MAX));
}

static inline Philox philox_round(Philox a, InkWords key0, InkWords key1) {
  InkWords p = ink_words_product(a.c[0], ink_words_all(PHILOX_M4x32_0));
  InkWords q = ink_words_product(a.c[2], ink_words_all(PHILOX_M4x32_1));
  return (Philox){{q >> 32 ^ (a.c[1] ^ key0), q, p >> 32 ^ (a.c[3] ^ key1), p}};
}

/* The draws of a block of the indices `index`: two counters a lane, side by side. */
static inline void draw(InkStream stream, InkWords index, uint64_t block, InkWords out[INK_DRAWS]) {
  Philox a[2];
  for (uint64_t k = 0; k < 2; k++) {
    uint64_t pair = 2 * block + k;
    a[k] = (Philox){{index, index >> 32 ^ ink_words_all(pair >> 32 << 16), ink_words_all(pair & UINT32_MAX),
                     ink_words_all((uint32_t)~stream.stream)}};
  }
  uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    InkWords key0 = ink_words_all(key[0]), key1 = ink_words_all(key[1]);
    for (size_t k = 0; k < 2; k++) a[k] = philox_round(a[k], key0, key1);
    key[0] += PHILOX_W32_0;
    key[1] += PHILOX_W32_1;
  }
  for (size_t k = 0; k < 2; k++) {
    out[2 * k] = join(a[k].c[1], a[k].c[0]);
    out[2 * k + 1] = join(a[k].c[3], a[k].c[2]);
  }
}

/* ---- transforms ---- */

/* k + 1/2 in units of 2^-52, k the upper 52 bits: 1 + k 2^-52 less 1 - 2^-53, exactly. */
static inline InkVector uniform(InkWords word) {
  return ink_of_bits(word >> 12 | ink_words_all(UINT64_C(0x3ff0000000000000))) - ink_all(1 - 0x1p-53);
}

/* c[0] + c[1] x + ... + c[7] x^7 */
static InkVector polynomial(const double c[8], InkVector x) {
  InkVector sum = ink_all(c[7]);
  for (int k = 6; k >= 0; k--) sum = ink_fma(sum, x, ink_all(c[k]));
  return sum;
}

/* The quantile of p < 2^-11, to 1e-15: AS 241's numerators and denominators for r = sqrt(-ln p) <= 5 and
 * above. */
static InkVector tail_quantile(InkVector p) {
  static const double near[2][8] = {
      {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
       1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4},
      {1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
       0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
  static const double far[2][8] = {
      {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
       0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
       2.01033439929228813265e-7},
      {1, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
       7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
       2.04426310338993978564e-15}};
  InkVector r = ink_sqrt(-INK_SLEEF(log, u10)(p));
  InkVector a = r - ink_all(1.6), b = r - ink_all(5);
  InkVector within = polynomial(near[0], a) / polynomial(near[1], a);
  InkVector beyond = polynomial(far[0], b) / polynomial(far[1], b);
  return -ink_select(ink_le(r, ink_all(5)), within, beyond);
}

/* The quantile of p = 2^-65 v, v <= 2^64, by the node of its part of the octave. */
static inline InkVector node_quantile(InkVector v) {
  InkWords bits = ink_bits(v), part = ink_words_all((UINT64_C(1) << (52 - NODE_BITS)) - 1);
  InkVector z, slope;
  ink_rows(normal_nodes, (bits >> (52 - NODE_BITS)) - ink_words_all(FIRST_NODE), &z, &slope);
  InkVector middle = ink_of_bits((bits & ~part) | ink_words_all(UINT64_C(1) << (51 - NODE_BITS)));
  InkVector t = slope * (v - middle), zz = z * z;
  InkVector c3 = ink_fma(zz, ink_all(1. / 3), ink_all(1. / 6));
  InkVector c4 = z * ink_fma(zz, ink_all(0.25), ink_all(7. / 24));
  InkVector c5 = ink_fma(zz, ink_fma(zz, ink_all(0.2), ink_all(23. / 60)), ink_all(7. / 120));
  InkVector sum = ink_fma(t, ink_fma(t, ink_fma(t, c5, c4), c3), ink_all(0.5) * z);
  return ink_fma(t, ink_fma(t, sum, ink_all(1)), z);
}

/* 2^65 times the probability of the tail, and the sign bit where it is the upper one. */
typedef struct Tail {
  InkVector v;
  InkWords flip;
} Tail;

static inline Tail tail_of_word(const void *word) {
  InkWords a = ink_words_load(word);
  return (Tail){ink_of_words(a | ink_words_all(1)), a << 63};
}

/* 1 - u is exact for u >= 1/2. */
static inline Tail tail_of_uniform(const void *uniform) {
  InkVector u = ink_load(uniform), above = ink_all(1) - u;
  InkMask upper = ink_lt(above, u);
  return (Tail){ink_all(0x1p65) * ink_select(upper, above, u),
                ink_bits(ink_select(upper, ink_all(-0.0), ink_all(0)))};
}

/* n numbers, rounded up to whole vectors: the nodes first, without a branch; then, one part in thirty, the
 * far tails. Inlined, so that tail_of is too. */
enum { PART = 64 };
static inline __attribute__((always_inline)) void invert(size_t n, const void *in, double *out,
                                                         Tail (*tail_of)(const void *)) {
  const char *from = in;
  InkVector least = ink_all(0x1p53), smallest = least;
  for (size_t i = 0; i < n; i += INK_WIDTH) {
    Tail tail = tail_of(from + i * sizeof *out);
    InkVector v = ink_select(ink_lt(tail.v, least), least, tail.v);
    smallest = ink_select(ink_lt(tail.v, smallest), tail.v, smallest);
    ink_store(out + i, ink_of_bits(ink_bits(node_quantile(v)) ^ tail.flip));
  }
  if (!ink_any(ink_lt(smallest, least))) return;
  for (size_t i = 0; i < n; i += INK_WIDTH) {
    Tail tail = tail_of(from + i * sizeof *out);
    InkMask far = ink_lt(tail.v, least);
    if (!ink_any(far)) continue;
    InkVector z = ink_of_bits(ink_bits(tail_quantile(tail.v * ink_all(0x1p-65))) ^ tail.flip);
    ink_store(out + i, ink_select(far, z, ink_load(out + i)));
  }
}

/* ---- arrays ---- */

typedef void (*Transform)(size_t n, const uint64_t *words, double *out);

static void uniforms_of_words(size_t n, const uint64_t *words, double *out) {
  for (size_t i = 0; i < n; i += INK_WIDTH) ink_store(out + i, uniform(ink_words_load(words + i)));
}

static void normals_of_words(size_t n, const uint64_t *words, double *out) {
  invert(n, words, out, tail_of_word);
}

/* The words of n <= PART indices, row d at PART d, rounded up to whole vectors. */
static void draw_part(InkStream stream, uint64_t first, size_t n, uint64_t block, uint64_t *out) {
  uint64_t lanes[INK_WIDTH];
  for (uint64_t k = 0; k < INK_WIDTH; k++) lanes[k] = first + k;
  InkWords index = ink_words_load(lanes), word[INK_DRAWS];
  for (size_t i = 0; i < n; i += INK_WIDTH, index += ink_words_all(INK_WIDTH)) {
    draw(stream, index, block, word);
    for (size_t d = 0; d < INK_DRAWS; d++) ink_words_store(out + d * PART + i, word[d]);
  }
}

/* Deviates past the last are computed and dropped. */
static void fill(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out,
                 Transform transform) {
  uint64_t words[INK_DRAWS * PART];
  for (size_t i = 0; i < n; i += PART) {
    size_t m = n - i < PART ? n - i : PART;
    draw_part(stream, first + i, m, block, words);
    for (size_t d = 0; d < INK_DRAWS; d++) {
      if (m % INK_WIDTH == 0) {
        transform(m, words + d * PART, out + d * n + i);
      } else {
        double part[PART];
        transform(m, words + d * PART, part);
        memcpy(out + d * n + i, part, m * sizeof *part);
      }
    }
  }
}

void ink_random_words(InkStream stream, uint64_t first, size_t n, uint64_t block, uint64_t *out) {
  uint64_t words[INK_DRAWS * PART];
  for (size_t i = 0; i < n; i += PART) {
    size_t m = n - i < PART ? n - i : PART;
    draw_part(stream, first + i, m, block, words);
    for (size_t d = 0; d < INK_DRAWS; d++) memcpy(out + d * n + i, words + d * PART, m * sizeof *words);
  }
}

void ink_random_uniforms(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out) {
  fill(stream, first, n, block, out, uniforms_of_words);
}

void ink_random_normals(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out) {
  fill(stream, first, n, block, out, normals_of_words);
}

double ink_random_uniform_at(InkStream stream, uint64_t index, uint64_t number) {
  double out[INK_DRAWS];
  ink_random_uniforms(stream, index, 1, number / INK_DRAWS, out);
  return out[number % INK_DRAWS];
}

double ink_random_normal_at(InkStream stream, uint64_t index, uint64_t number) {
  double out[INK_DRAWS];
  ink_random_normals(stream, index, 1, number / INK_DRAWS, out);
  return out[number % INK_DRAWS];
}

static void quantiles(size_t n, const double *in, double *out) { invert(n, in, out, tail_of_uniform); }

static void exponentials(size_t n, const double *in, double *out) {
  for (size_t i = 0; i < n; i += INK_WIDTH) ink_store(out + i, -INK_SLEEF(log1p, u10)(-ink_load(in + i)));
}

/* By parts through a copy, padded with 1/2. */
static void map(size_t n, const double *in, double *out,
                void (*transform)(size_t, const double *, double *)) {
  double from[PART], to[PART];
  for (size_t k = 0; k < PART; k++) from[k] = 0.5;
  for (size_t i = 0; i < n; i += PART) {
    size_t m = n - i < PART ? n - i : PART;
    memcpy(from, in + i, m * sizeof *from);
    transform(m, from, to);
    memcpy(out + i, to, m * sizeof *to);
  }
}

void ink_normal_quantile(size_t n, const double *uniform_numbers, double *out) {
  map(n, uniform_numbers, out, quantiles);
}

void ink_exponential_quantile(size_t n, const double *uniform_numbers, double *out) {
  map(n, uniform_numbers, out, exponentials);
}

/* ---- noise(k) of decks ---- */

/* The two uniform numbers of a pair: *a in (0, 1], *b in [0, 1). */
static void uniform_pair(uint64_t seed, uint32_t stream, uint64_t pair, double *a, double *b) {
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t counter = {{(uint32_t)pair, (uint32_t)(pair >> 32), stream, 0}};
  philox4x32_ctr_t bits = philox4x32(counter, key);
  uint64_t first = (uint64_t)bits.v[1] << 32 | bits.v[0], second = (uint64_t)bits.v[3] << 32 | bits.v[2];
  *a = (double)((first >> 11) + 1) * 0x1p-53;
  *b = (double)(second >> 11) * 0x1p-53;
}

/* The deviates of INK_WIDTH pairs from `pair` on: even cells and odd cells. */
static void deviates(uint64_t seed, uint32_t stream, uint64_t pair, double even[INK_WIDTH],
                     double odd[INK_WIDTH]) {
  double a[INK_WIDTH], b[INK_WIDTH];
  for (uint64_t k = 0; k < INK_WIDTH; k++) uniform_pair(seed, stream, pair + k, &a[k], &b[k]);
  InkVector radius = ink_sqrt(ink_all(-2) * INK_SLEEF(log, u10)(ink_load(a)));
  InkVector angle = ink_all(2 * M_PI) * ink_load(b);
  ink_store(even, radius * INK_SLEEF(cos, u10)(angle));
  ink_store(odd, radius * INK_SLEEF(sin, u10)(angle));
}

void ink_random_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t n, double *out) {
  size_t done = 0;
  while (done < n) {
    double even[INK_WIDTH], odd[INK_WIDTH];
    uint64_t cell = first + done;
    deviates(seed, stream, cell / 2, even, odd);
    for (size_t k = (size_t)(cell % 2); k < 2 * INK_WIDTH && done < n; k++)
      out[done++] = k % 2 ? odd[k / 2] : even[k / 2];
  }
}
