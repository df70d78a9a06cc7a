/* Vectors of doubles: the instruction sets behind one set of names.
 *
 * Everything is one IEEE operation a lane, or one of SLEEF's deterministic functions, which give a lane the
 * same bits whatever the other lanes hold. ink_stream stores to an address aligned to the vector's width past
 * the caches; ink_stream_end must follow before another process may read. Chosen when compiling: AVX-512,
 * AVX2 with FMA, SSE2, or plain C.
 *
 * InkWords are as many unsigned 64-bit integers; C's operators +, &, |, ^, << and >> work on them lane by
 * lane.
 */
#ifndef INK_CORE_VECTOR_H
#define INK_CORE_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__)) || defined(__SSE2__)
#include <immintrin.h>
#include <sleef.h>
#endif

#if defined(__AVX512F__)

#define INK_INSTRUCTION_SET  "avx512f"
#define INK_SLEEF(name, ulp) Sleef_finz_##name##d8_##ulp##avx512f
enum { INK_WIDTH = 8 };
typedef __m512d InkVector;
typedef __mmask8 InkMask; /* true or false a lane */
static inline InkVector ink_load(const double *p) { return _mm512_loadu_pd(p); }
static inline void ink_store(double *p, InkVector a) { _mm512_storeu_pd(p, a); }
static inline void ink_stream(double *p, InkVector a) { _mm512_stream_pd(p, a); }
static inline void ink_stream_end(void) { _mm_sfence(); }
static inline InkVector ink_all(double a) { return _mm512_set1_pd(a); }
static inline InkVector ink_fma(InkVector a, InkVector b, InkVector c) { return _mm512_fmadd_pd(a, b, c); }
static inline InkVector ink_fms(InkVector a, InkVector b, InkVector c) { return _mm512_fmsub_pd(a, b, c); }
static inline InkVector ink_fnma(InkVector a, InkVector b, InkVector c) { return _mm512_fnmadd_pd(a, b, c); }
static inline InkVector ink_sqrt(InkVector a) { return _mm512_sqrt_pd(a); }
static inline InkVector ink_floor(InkVector a) {
  return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
static inline InkVector ink_abs(InkVector a) { return _mm512_abs_pd(a); }
static inline InkMask ink_lt(InkVector a, InkVector b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
static inline InkMask ink_le(InkVector a, InkVector b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
static inline InkMask ink_eq(InkVector a, InkVector b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
static inline InkMask ink_ne(InkVector a, InkVector b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
static inline InkMask ink_or(InkMask a, InkMask b) { return a | b; }
static inline InkMask ink_and(InkMask a, InkMask b) { return a & b; }
static inline int ink_any(InkMask m) { return m != 0; }
static inline InkVector ink_select(InkMask m, InkVector a, InkVector b) {
  return _mm512_mask_blend_pd(m, b, a);
}
typedef uint64_t InkWords __attribute__((vector_size(64)));
static inline InkWords ink_words_load(const void *p) { return (InkWords)_mm512_loadu_si512(p); }
static inline void ink_words_store(void *p, InkWords a) { _mm512_storeu_si512(p, (__m512i)a); }
static inline InkWords ink_words_all(uint64_t a) { return (InkWords)_mm512_set1_epi64((long long)a); }
static inline InkWords ink_bits(InkVector a) { return (InkWords)a; }
static inline InkVector ink_of_bits(InkWords a) { return (InkVector)a; }
/* The products of the lower halves. */
static inline InkWords ink_words_product(InkWords a, InkWords b) {
  return (InkWords)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#elif defined(__AVX2__) && defined(__FMA__)

#define INK_INSTRUCTION_SET  "avx2+fma"
#define INK_SLEEF(name, ulp) Sleef_finz_##name##d4_##ulp##avx2
enum { INK_WIDTH = 4 };
typedef __m256d InkVector;
typedef __m256d InkMask;
static inline InkVector ink_load(const double *p) { return _mm256_loadu_pd(p); }
static inline void ink_store(double *p, InkVector a) { _mm256_storeu_pd(p, a); }
static inline void ink_stream(double *p, InkVector a) { _mm256_stream_pd(p, a); }
static inline void ink_stream_end(void) { _mm_sfence(); }
static inline InkVector ink_all(double a) { return _mm256_set1_pd(a); }
static inline InkVector ink_fma(InkVector a, InkVector b, InkVector c) { return _mm256_fmadd_pd(a, b, c); }
static inline InkVector ink_fms(InkVector a, InkVector b, InkVector c) { return _mm256_fmsub_pd(a, b, c); }
static inline InkVector ink_fnma(InkVector a, InkVector b, InkVector c) { return _mm256_fnmadd_pd(a, b, c); }
static inline InkVector ink_sqrt(InkVector a) { return _mm256_sqrt_pd(a); }
static inline InkVector ink_floor(InkVector a) { return _mm256_floor_pd(a); }
static inline InkVector ink_abs(InkVector a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
static inline InkMask ink_lt(InkVector a, InkVector b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
static inline InkMask ink_le(InkVector a, InkVector b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
static inline InkMask ink_eq(InkVector a, InkVector b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
static inline InkMask ink_ne(InkVector a, InkVector b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
static inline InkMask ink_or(InkMask a, InkMask b) { return _mm256_or_pd(a, b); }
static inline InkMask ink_and(InkMask a, InkMask b) { return _mm256_and_pd(a, b); }
static inline int ink_any(InkMask m) { return _mm256_movemask_pd(m); }
static inline InkVector ink_select(InkMask m, InkVector a, InkVector b) { return _mm256_blendv_pd(b, a, m); }
typedef uint64_t InkWords __attribute__((vector_size(32)));
static inline InkWords ink_words_load(const void *p) { return (InkWords)_mm256_loadu_si256(p); }
static inline void ink_words_store(void *p, InkWords a) { _mm256_storeu_si256(p, (__m256i)a); }
static inline InkWords ink_words_all(uint64_t a) { return (InkWords)_mm256_set1_epi64x((long long)a); }
static inline InkWords ink_bits(InkVector a) { return (InkWords)a; }
static inline InkVector ink_of_bits(InkWords a) { return (InkVector)a; }
static inline InkWords ink_words_product(InkWords a, InkWords b) {
  return (InkWords)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

#elif defined(__SSE2__)

#define INK_INSTRUCTION_SET  "sse2"
#define INK_SLEEF(name, ulp) Sleef_cinz_##name##d2_##ulp##sse2
enum { INK_WIDTH = 2 };
typedef __m128d InkVector;
typedef __m128d InkMask;
static inline InkVector ink_load(const double *p) { return _mm_loadu_pd(p); }
static inline void ink_store(double *p, InkVector a) { _mm_storeu_pd(p, a); }
static inline void ink_stream(double *p, InkVector a) { _mm_stream_pd(p, a); }
static inline void ink_stream_end(void) { _mm_sfence(); }
static inline InkVector ink_all(double a) { return _mm_set1_pd(a); }
static inline InkVector ink_fma(InkVector a, InkVector b, InkVector c) { /* SSE2 has none: libm's, exact */
  return (InkVector){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])};
}
static inline InkVector ink_fms(InkVector a, InkVector b, InkVector c) { return ink_fma(a, b, -c); }
static inline InkVector ink_fnma(InkVector a, InkVector b, InkVector c) { return ink_fma(-a, b, c); }
static inline InkVector ink_sqrt(InkVector a) { return _mm_sqrt_pd(a); }
static inline InkVector ink_floor(InkVector a) { return (InkVector){floor(a[0]), floor(a[1])}; }
static inline InkVector ink_abs(InkVector a) { return _mm_andnot_pd(_mm_set1_pd(-0.0), a); }
static inline InkMask ink_lt(InkVector a, InkVector b) { return _mm_cmplt_pd(a, b); }
static inline InkMask ink_le(InkVector a, InkVector b) { return _mm_cmple_pd(a, b); }
static inline InkMask ink_eq(InkVector a, InkVector b) { return _mm_cmpeq_pd(a, b); }
static inline InkMask ink_ne(InkVector a, InkVector b) { return _mm_cmpneq_pd(a, b); }
static inline InkMask ink_or(InkMask a, InkMask b) { return _mm_or_pd(a, b); }
static inline InkMask ink_and(InkMask a, InkMask b) { return _mm_and_pd(a, b); }
static inline int ink_any(InkMask m) { return _mm_movemask_pd(m); }
static inline InkVector ink_select(InkMask m, InkVector a, InkVector b) {
  return _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b));
}
typedef uint64_t InkWords __attribute__((vector_size(16)));
static inline InkWords ink_words_load(const void *p) { return (InkWords)_mm_loadu_si128(p); }
static inline void ink_words_store(void *p, InkWords a) { _mm_storeu_si128(p, (__m128i)a); }
static inline InkWords ink_words_all(uint64_t a) { return (InkWords)_mm_set1_epi64x((long long)a); }
static inline InkWords ink_bits(InkVector a) { return (InkWords)a; }
static inline InkVector ink_of_bits(InkWords a) { return (InkVector)a; }
static inline InkWords ink_words_product(InkWords a, InkWords b) {
  return (InkWords)_mm_mul_epu32((__m128i)a, (__m128i)b);
}

#else

#define INK_INSTRUCTION_SET  "scalar"
#define INK_SLEEF(name, ulp) name /* libm's */
enum { INK_WIDTH = 1 };
typedef double InkVector;
typedef int InkMask;
static inline InkVector ink_load(const double *p) { return *p; }
static inline void ink_store(double *p, InkVector a) { *p = a; }
static inline void ink_stream(double *p, InkVector a) { *p = a; }
static inline void ink_stream_end(void) {}
static inline InkVector ink_all(double a) { return a; }
static inline InkVector ink_fma(InkVector a, InkVector b, InkVector c) { return fma(a, b, c); }
static inline InkVector ink_fms(InkVector a, InkVector b, InkVector c) { return fma(a, b, -c); }
static inline InkVector ink_fnma(InkVector a, InkVector b, InkVector c) { return fma(-a, b, c); }
static inline InkVector ink_sqrt(InkVector a) { return sqrt(a); }
static inline InkVector ink_floor(InkVector a) { return floor(a); }
static inline InkVector ink_abs(InkVector a) { return fabs(a); }
static inline InkMask ink_lt(InkVector a, InkVector b) { return a < b; }
static inline InkMask ink_le(InkVector a, InkVector b) { return a <= b; }
static inline InkMask ink_eq(InkVector a, InkVector b) { return a == b; }
static inline InkMask ink_ne(InkVector a, InkVector b) { return a != b; }
static inline InkMask ink_or(InkMask a, InkMask b) { return a | b; }
static inline InkMask ink_and(InkMask a, InkMask b) { return a & b; }
static inline int ink_any(InkMask m) { return m; }
static inline InkVector ink_select(InkMask m, InkVector a, InkVector b) { return m ? a : b; }
typedef uint64_t InkWords;
static inline InkWords ink_words_load(const void *p) {
  InkWords a;
  memcpy(&a, p, sizeof a);
  return a;
}
static inline void ink_words_store(void *p, InkWords a) { memcpy(p, &a, sizeof a); }
static inline InkWords ink_words_all(uint64_t a) { return a; }
static inline InkWords ink_bits(InkVector a) { return ink_words_load(&a); }
static inline InkVector ink_of_bits(InkWords a) {
  InkVector b;
  memcpy(&b, &a, sizeof b);
  return b;
}
static inline InkWords ink_words_product(InkWords a, InkWords b) {
  return (a & UINT32_MAX) * (b & UINT32_MAX);
}

#endif

/* The lower halves of both, lane by lane. */
static inline InkWords ink_words_join(InkWords upper, InkWords lower) {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  return (InkWords)_mm512_mask_mov_epi32((__m512i)(upper << 32), 0x5555, (__m512i)lower);
#else
  return (InkWords)_mm256_blend_epi32((__m256i)(upper << 32), (__m256i)lower, 0x55);
#endif
#else
  return upper << 32 | (lower & ink_words_all(UINT32_MAX));
#endif
}

/* The nearest doubles of unsigned integers: 2^84 + 2^32 (upper half) and 2^52 + (lower half) are exact. */
static inline InkVector ink_of_words(InkWords a) {
#if defined(__AVX512DQ__)
  return _mm512_cvtepu64_pd((__m512i)a);
#else
  InkVector upper = ink_of_bits(a >> 32 | ink_words_all(UINT64_C(0x4530000000000000)));
  InkVector lower =
      ink_of_bits((a & ink_words_all(UINT32_MAX)) | ink_words_all(UINT64_C(0x4330000000000000)));
  return upper - ink_all(0x1p84 + 0x1p52) + lower;
#endif
}
#endif
