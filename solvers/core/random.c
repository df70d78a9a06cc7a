/* Random numbers from counters: words, uniform and normal deviates.
 *
 *     words 2k, 2k + 1 of a block = Philox4x32-10(key = seed, counter)
 *     counter = (index mod 2^32, index / 2^32 + 2^16 (pair / 2^32), pair mod 2^32, not stream)
 *     pair = 2 block + k
 *
 * for index < 2^48 and pair < 2^48; beyond, counters repeat. Salmon, Moraes, Dror, Shaw: Parallel random
 * numbers: as easy as 1, 2, 3 (SC11). noise(k) of decks has counters (pair, stream, 0) of its own; no counter
 * is shared but that of stream 2^32 - 1.
 *
 * Normal deviates come in pairs, by Box and Muller (Annals of Mathematical Statistics 29, 1958):
 *
 *     z_2k = sqrt(-2 ln u) cos a, z_2k+1 = sqrt(-2 ln u) sin a,  u, a from words 2k, 2k + 1
 *
 * with polynomials of our own: 1e-13 of the pair's length, and no branch. u has its 53 bits down to 2^-64, so
 * that the tail is exact up to 9.4.
 *
 * Chosen by measurement: nanoseconds a number, one core of an EPYC 7003 at 3 GHz, AVX2, gcc 12, in the
 * first-level cache. Words, with the rounds beside the least with which the paper found no flaw in BigCrush:
 *
 *     Philox4x32-10     1.12   10 of 7       Threefry4x64-20   1.45   20 of 12
 *     Philox4x32-7      0.69    7 of 7       Threefry4x64-13   0.87   13 of 12
 *
 * What keeps a margin is Philox with 10 rounds, and noise(k) has it already. With AVX-512, Threefry gains its
 * rotations, and Philox the exclusive or of three words: 150 and 60 operations for 32 and 16 words.
 * Those have two counters side by side; with four, Philox4x32-10 takes 0.86. Normal deviates of these words:
 *
 *     inversion, Taylor's series about 705 nodes     2.0
 *     Box and Muller, 7 coefficients a polynomial    1.30
 *     the same, 6 coefficients                       1.24   of which root 0.24, division 0.20 */
#include "random.h"
#include "vector.h"

#include <string.h>
#include <Random123/philox.h>

enum { ROUNDS = 10, PAIRS = INK_DRAWS / 2, PART = 128 /* indices at a time */ };

#define ONE UINT64_C(0x3ff0000000000000) /* the bits of 1. */

/* ---- words ---- */

/* Four words of the Philox counter, a counter a lane; only the lower half of c[0] and c[2] matters, and the
 * same of c[1] and c[3]. */
typedef struct Philox {
  InkWords c[4];
} Philox;

static inline Philox philox_round(Philox a, const InkWords key[2]) {
  InkWords p = ink_words_product(a.c[0], ink_words_all(PHILOX_M4x32_0));
  InkWords q = ink_words_product(a.c[2], ink_words_all(PHILOX_M4x32_1));
  return (Philox){{q >> 32 ^ (a.c[1] ^ key[0]), q, p >> 32 ^ (a.c[3] ^ key[1]), p}};
}

/* What the counters of a part share: `start` but for c[0], and the keys of all rounds. */
typedef struct Part {
  Philox start[PAIRS];
  InkWords key[ROUNDS][2];
} Part;

/* upper: half of the indices. */
static inline Part part_at(InkStream stream, uint64_t upper, uint64_t block) {
  Part part;
  for (uint64_t k = 0; k < PAIRS; k++) {
    uint64_t pair = PAIRS * block + k;
    part.start[k] = (Philox){{ink_words_all(0), ink_words_all(upper ^ pair >> 32 << 16),
                              ink_words_all(pair & UINT32_MAX), ink_words_all((uint32_t)~stream.stream)}};
  }
  uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
  for (int round = 0; round < ROUNDS; round++) {
    for (int k = 0; k < 2; k++) part.key[round][k] = ink_words_all(key[k]);
    key[0] += PHILOX_W32_0;
    key[1] += PHILOX_W32_1;
  }
  return part;
}

/* The words of n <= PART indices with the same upper half, row d at PART d, rounded up to pairs of vectors,
 * as far as `index` must reach. Two vectors of indices are four chains of operations side by side, as a chain
 * waits for each product. What does not depend on the index, half of the first three rounds, the compiler
 * takes out of the loop. */
static void draw_part(InkStream stream, const uint64_t index[PART], size_t n, uint64_t block, uint64_t *out) {
  const Part part = part_at(stream, index[0] >> 32, block);
  for (size_t i = 0; i < n; i += 2 * INK_WIDTH) {
    Philox a[2][PAIRS];
    for (size_t j = 0; j < 2; j++) {
      for (size_t k = 0; k < PAIRS; k++) {
        a[j][k] = part.start[k];
        a[j][k].c[0] = ink_words_load(index + i + j * INK_WIDTH);
      }
    }
#pragma GCC unroll 10
    for (int round = 0; round < ROUNDS; round++)
      for (size_t j = 0; j < 2; j++)
        for (size_t k = 0; k < PAIRS; k++) a[j][k] = philox_round(a[j][k], part.key[round]);
    for (size_t j = 0; j < 2; j++)
      for (size_t k = 0; k < PAIRS; k++) {
        uint64_t *to = out + 2 * k * PART + i + j * INK_WIDTH;
        ink_words_store(to, ink_words_join(a[j][k].c[1], a[j][k].c[0]));
        ink_words_store(to + PART, ink_words_join(a[j][k].c[3], a[j][k].c[2]));
      }
  }
}

/* n numbers of index[], or from `first` on where it is NULL. */
typedef struct Indices {
  const uint64_t *index;
  uint64_t first;
} Indices;

/* Those from the i-th on that make a part, into part[], filled up with the last; returns how many. */
static size_t part_of(Indices of, size_t i, size_t n, uint64_t part[PART]) {
  size_t m = n - i < PART ? n - i : PART;
  for (size_t k = 0; k < PART; k++) {
    const size_t at = i + (k < m ? k : m - 1);
    part[k] = of.index ? of.index[at] : of.first + at;
  }
  while (part[m - 1] >> 32 != part[0] >> 32) m--;
  return m;
}

/* ---- normal deviates ---- */

/* c[0] + c[1] x + ... + c[5] x^5 */
static inline InkVector polynomial(const double c[6], InkVector x) {
  InkVector sum = ink_all(c[5]);
  for (int k = 4; k >= 0; k--) sum = ink_fma(sum, x, ink_all(c[k]));
  return sum;
}

/* The pair of deviates of two words.
 *
 * radius = sqrt(-ln u), u = (word[0] | 1) 2^-64 to 53 bits. 2^64 u = 2^e m, m in [1/sqrt(2), sqrt(2)): the
 * bits of m are counted from those of 1/sqrt(2). ln m = 2 artanh s, s = (m - 1) / (m + 1).
 *
 * The angle is pi/4 + pi/2 y in the first quadrant, y in [-1/2, 1/2) from the upper 52 bits of word[1], and
 * the word's last two bits are the signs: sqrt(2) cos, sqrt(2) sin = cos(pi/2 y) -+ sin(pi/2 y).
 *
 * The polynomials are tests/bench/random/polynomials.py's, to 3e-14, 7e-15 and 6e-14. The division comes
 * first, so that it runs beside what does not need it. */
static inline void pair_of_words(const InkWords word[2], InkVector z[2]) {
  static const double artanh[6] = {
      -0x1.fffffffffff12p-1, -0x1.555555567148cp-2, -0x1.9999962c06032p-3,
      -0x1.2494381ee5869p-3, -0x1.c620ee6e2b4a3p-4, -0x1.9192e478c4308p-4}; /* -artanh(sqrt(x)) / sqrt(x) */
  static const double sine[6] = {
      0x1.921fb54442cfap+0,  -0x1.4abbce6257a2ap-1, 0x1.466bc67123fa1p-4,
      -0x1.32d2c644adc0bp-8, 0x1.5071ce4b47930p-13, -0x1.dd54805f3f706p-19}; /* sin(pi/2 sqrt(x)) / sqrt(x) */
  static const double cosine[6] = {0x1.ffffffffffe0bp-1,  -0x1.3bd3cc9bd2c35p+0,
                                   0x1.03c1f074ded21p-2,  -0x1.55d3ba300cd50p-6,
                                   0x1.e1e7ccccb387ap-11, -0x1.a0ee132c60c1fp-16}; /* cos(pi/2 sqrt(x)) */
  const InkWords half_root = ink_words_all(UINT64_C(0x3fe6a09e667f3bcd)), one = ink_words_all(ONE);
  InkWords bits = ink_bits(ink_of_words(word[0] | ink_words_all(1))) + (one - half_root);
  InkVector m = ink_of_bits((bits & ink_words_all((UINT64_C(1) << 52) - 1)) + half_root);
  InkVector s = (m - ink_all(1)) / (m + ink_all(1));
  InkVector y = ink_of_bits(word[1] >> 12 | one) - ink_all(1.5), yy = y * y;
  InkVector cos_y = polynomial(cosine, yy), sin_y = y * polynomial(sine, yy);
  InkWords sign = ink_words_all(UINT64_C(1) << 63);
  InkVector e =
      ink_of_bits(bits >> 52 | ink_words_all(UINT64_C(0x4330000000000000))); /* 2^52 + 1023 + 64 + e */
  InkVector e_ln2 = (e - ink_all(0x1p52 + 1023 + 64)) * ink_all(-M_LN2);
  InkVector radius = ink_sqrt(ink_fma(s + s, polynomial(artanh, s * s), e_ln2));
  z[0] = ink_of_bits(ink_bits(cos_y - sin_y) ^ word[1] << 63) * radius;
  z[1] = ink_of_bits(ink_bits(cos_y + sin_y) ^ (word[1] << 62 & sign)) * radius;
}

/* ---- arrays ---- */

/* Rows d of n <= PART words at PART d to rows of numbers at stride d, rounded up to whole vectors. */
typedef void (*Transform)(size_t n, const uint64_t *words, double *out, size_t stride);

/* k + 1/2 in units of 2^-52, k the upper 52 bits: 1 + k 2^-52 less 1 - 2^-53, exactly. */
static void uniforms_of_words(size_t n, const uint64_t *words, double *out, size_t stride) {
  for (size_t d = 0; d < INK_DRAWS; d++)
    for (size_t i = 0; i < n; i += INK_WIDTH) {
      InkWords mantissa = ink_words_load(words + d * PART + i) >> 12;
      ink_store(out + d * stride + i, ink_of_bits(mantissa | ink_words_all(ONE)) - ink_all(1 - 0x1p-53));
    }
}

static void normals_of_words(size_t n, const uint64_t *words, double *out, size_t stride) {
  for (size_t i = 0; i < n; i += INK_WIDTH)
    for (size_t d = 0; d < INK_DRAWS; d += 2) {
      InkWords word[2] = {ink_words_load(words + d * PART + i), ink_words_load(words + (d + 1) * PART + i)};
      InkVector z[2];
      pair_of_words(word, z);
      ink_store(out + d * stride + i, z[0]);
      ink_store(out + (d + 1) * stride + i, z[1]);
    }
}

/* Deviates past the last are computed and dropped. */
static void fill(InkStream stream, Indices of, size_t n, uint64_t block, double *out, Transform transform) {
  uint64_t words[INK_DRAWS * PART], index[PART];
  for (size_t i = 0, m; i < n; i += m) {
    m = part_of(of, i, n, index);
    draw_part(stream, index, m, block, words);
    if (m % INK_WIDTH == 0) {
      transform(m, words, out + i, n);
    } else {
      double part[INK_DRAWS * PART];
      transform(m, words, part, PART);
      for (size_t d = 0; d < INK_DRAWS; d++)
        for (size_t k = 0; k < m; k++) out[d * n + i + k] = part[d * PART + k];
    }
  }
}

void ink_random_words(InkStream stream, uint64_t first, size_t n, uint64_t block, uint64_t *out) {
  uint64_t words[INK_DRAWS * PART], index[PART];
  for (size_t i = 0, m; i < n; i += m) {
    m = part_of((Indices){NULL, first}, i, n, index);
    draw_part(stream, index, m, block, words);
    for (size_t d = 0; d < INK_DRAWS; d++) memcpy(out + d * n + i, words + d * PART, m * sizeof *words);
  }
}

void ink_random_uniforms(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out) {
  fill(stream, (Indices){NULL, first}, n, block, out, uniforms_of_words);
}

void ink_random_uniforms_of(InkStream stream, const uint64_t *index, size_t n, uint64_t block, double *out) {
  fill(stream, (Indices){index, 0}, n, block, out, uniforms_of_words);
}

void ink_random_normals(InkStream stream, uint64_t first, size_t n, uint64_t block, double *out) {
  fill(stream, (Indices){NULL, first}, n, block, out, normals_of_words);
}

void ink_random_normals_of(InkStream stream, const uint64_t *index, size_t n, uint64_t block, double *out) {
  fill(stream, (Indices){index, 0}, n, block, out, normals_of_words);
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
