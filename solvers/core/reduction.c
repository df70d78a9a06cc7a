/* Exact sums.
 *
 *     sum = SUM_k limb[k] 2^(32 k - 1088)
 *
 * A double is an integer of 53 bits times a power of two; it is added to the two or three limbs it overlaps.
 * Limbs are 64 bits wide for 32 bits of content, so 2^29 additions fit before carries must run. Integer
 * additions commute, so the limbs, after carrying, and the one rounding at the end depend on the terms alone.
 * Kulisch: Computer arithmetic and validity (2013). */
#include "reduction.h"
#include "vector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LIMBS = 72, LIMB_BITS = 32, OFFSET = 1088, MAX_PENDING = 1 << 29 };

void ink_sum_clear(InkSum *sum) { memset(sum, 0, sizeof *sum); }

/* Runs the carries: limbs in [0, 2^32) but the last, which keeps the sign. */
static void carry(InkSum *sum) {
  for (int k = 0; k + 1 < LIMBS; k++) {
    int64_t over = sum->limb[k] >> LIMB_BITS; /* arithmetic shift: rounds down */
    sum->limb[k] -= over * (INT64_C(1) << LIMB_BITS);
    sum->limb[k + 1] += over;
  }
  sum->pending = 0;
}

void ink_sum_add(InkSum *sum, double value) {
  if (!isfinite(value)) {
    sum->special += value;
    return;
  }
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  int exponent = (int)(bits >> 52 & 0x7FF);
  uint64_t mantissa = bits & 0xFFFFFFFFFFFFFull;
  if (exponent)
    mantissa |= 1ull << 52;
  else
    exponent = 1; /* subnormal */
  int position = exponent - 1075 + OFFSET, limb = position / LIMB_BITS, shift = position % LIMB_BITS;
  uint64_t low = (mantissa & 0xFFFFFFFF) << shift, high = (mantissa >> 32) << shift;
  int64_t sign = bits >> 63 ? -1 : 1;
  sum->limb[limb] += sign * (int64_t)(low & 0xFFFFFFFF);
  sum->limb[limb + 1] += sign * (int64_t)((low >> 32) + (high & 0xFFFFFFFF));
  sum->limb[limb + 2] += sign * (int64_t)(high >> 32);
  if (++sum->pending == MAX_PENDING) carry(sum);
}

void ink_sum_add_product(InkSum *sum, double a, double b) {
  double product = a * b;
  ink_sum_add(sum, product);
  if (isfinite(product)) ink_sum_add(sum, fma(a, b, -product));
}

/* The fast path: blocks of 512 values.
 *
 * With all |x| < 2^E, adding and subtracting 1.5 2^(E+8) splits x exactly into q, a multiple of 2^(E-44), and
 * the rest, at most 2^(E-45). The q of a block add up exactly in double precision: 512 times 2^E is 2^53
 * units. Two splits take in all of a double that is not 2^37 times smaller than the largest; what is left is
 * split again. */
enum { BLOCK = 512, SPLIT_BITS = 45 };

static double largest(const double *x, size_t n) {
  InkVector most = ink_all(0);
  for (size_t i = 0; i < n; i += INK_WIDTH) {
    InkVector a = ink_abs(ink_load(x + i));
    most = ink_select(ink_or(ink_lt(most, a), ink_ne(a, a)), a, most); /* keeps NaN */
  }
  double lane[INK_WIDTH], result = 0;
  ink_store(lane, most);
  for (int k = 0; k < INK_WIDTH; k++)
    if (lane[k] > result || isnan(lane[k])) result = lane[k];
  return result;
}

static double exact_total(InkVector lanes) {
  double lane[INK_WIDTH], total = 0;
  ink_store(lane, lanes);
  for (int k = 0; k < INK_WIDTH; k++) total += lane[k];
  return total;
}

static double splitter(int exponent) { return ldexp(1.5, exponent + 8); }

/* Splits twice; the rests go to rest[]. Returns whether any is not 0. */
static bool split_twice(InkSum *sum, const double *x, size_t n, int exponent, double *rest) {
  InkVector s1 = ink_all(splitter(exponent)), s2 = ink_all(splitter(exponent - SPLIT_BITS));
  InkVector total1 = ink_all(0), total2 = total1, zero = total1, left = total1;
  for (size_t i = 0; i < n; i += INK_WIDTH) {
    InkVector a = ink_load(x + i), q1 = (s1 + a) - s1, b = a - q1, q2 = (s2 + b) - s2, c = b - q2;
    total1 = total1 + q1;
    total2 = total2 + q2;
    ink_store(rest + i, c);
    left = ink_select(ink_ne(c, zero), ink_all(1), left);
  }
  ink_sum_add(sum, exact_total(total1));
  ink_sum_add(sum, exact_total(total2));
  return exact_total(left) != 0;
}

/* n: a multiple of INK_WIDTH, at most BLOCK. */
static void add_block(InkSum *sum, const double *x, size_t n) {
  double rest[BLOCK], most = largest(x, n);
  while (most > 0x1p-800 &&
         most < 0x1p900) { /* the splitters must neither underflow nor overflow; false for NaN */
    int exponent;
    frexp(most, &exponent);
    if (!split_twice(sum, x, n, exponent, rest)) return;
    x = rest;
    most = largest(x, n);
  }
  if (most != 0)
    for (size_t i = 0; i < n; i++) ink_sum_add(sum, x[i]);
}

void ink_sum_add_array(InkSum *sum, int64_t n, const double *values) {
  int64_t whole = n - n % INK_WIDTH;
  for (int64_t i = 0; i < whole; i += BLOCK)
    add_block(sum, values + i, (size_t)(whole - i < BLOCK ? whole - i : BLOCK));
  for (int64_t i = whole; i < n; i++) ink_sum_add(sum, values[i]);
}

/* Rounds limbs that have been carried. */
static double round_carried(const InkSum *carried) {
  InkSum s = *carried;
  bool negative = s.limb[LIMBS - 1] < 0;
  if (negative) {
    for (int k = 0; k < LIMBS; k++) s.limb[k] = -s.limb[k];
    carry(&s);
  }
  int top = LIMBS - 1;
  while (top >= 0 && s.limb[top] == 0) top--;
  if (top < 0) return 0;
  /* 64 bits from the highest one on; those below only tell whether they are all 0. */
  uint64_t limb[3] = {0, 0, 0};
  for (int k = 0; k < 3 && top - k >= 0; k++) limb[k] = (uint64_t)s.limb[top - k];
  unsigned __int128 head = (unsigned __int128)limb[0] << 64 | (unsigned __int128)limb[1] << 32 | limb[2];
  int lowest = (top - 2) * LIMB_BITS - OFFSET; /* exponent of head's last bit */
  bool below = false;
  for (int k = top - 3; k >= 0; k--) below |= s.limb[k] != 0;
  while (head >> 64) {
    below |= (head & 1) != 0;
    head >>= 1;
    lowest++;
  }
  /* An odd last bit stands for all that was cut off, so that the one rounding, to 53 bits, is right. No
   * double has bits below 2^-1074, so a subnormal result is exact and is not rounded again. */
  double result = ldexp((double)((uint64_t)head | (below ? 1u : 0u)), lowest);
  return negative ? -result : result;
}

double ink_sum_round(const InkSum *sum) {
  if (sum->special != 0) return isnan(sum->special) ? NAN : sum->special;
  InkSum carried = *sum;
  carry(&carried);
  return round_carried(&carried);
}

/* The special part as counts, which add in any order. */
enum { MESSAGE = LIMBS + 1 };
static const int64_t minus_infinity = INT64_C(1) << 20, not_a_number = INT64_C(1) << 40;

static int64_t special_count(double special) {
  if (isnan(special)) return not_a_number;
  return special == 0 ? 0 : special > 0 ? 1 : minus_infinity;
}

static double special_value(int64_t count) {
  bool up = count % minus_infinity != 0, down = count % not_a_number / minus_infinity != 0;
  if (count >= not_a_number || (up && down)) return NAN;
  return up ? INFINITY : down ? -INFINITY : 0;
}

PetscErrorCode ink_sum_reduce(MPI_Comm comm, int count, InkSum *sums, double *values) {
  PetscFunctionBeginUser;
  int64_t *message;
  PetscCall(PetscMalloc1((size_t)count * MESSAGE + 1, &message));
  for (int s = 0; s < count; s++) {
    carry(&sums[s]);
    memcpy(message + (size_t)s * MESSAGE, sums[s].limb, sizeof sums[s].limb);
    message[(size_t)s * MESSAGE + LIMBS] = special_count(sums[s].special);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, message, count * MESSAGE, MPI_INT64_T, MPI_SUM, comm));
  for (int s = 0; s < count; s++) {
    memcpy(sums[s].limb, message + (size_t)s * MESSAGE, sizeof sums[s].limb);
    sums[s].special = special_value(message[(size_t)s * MESSAGE + LIMBS]);
    carry(&sums[s]);
    values[s] = ink_sum_round(&sums[s]);
  }
  PetscCall(PetscFree(message));
  PetscFunctionReturn(0);
}

/* Extrema: a NaN is told by the sign of a second number; zero has one sign, so that bits do not depend on
 * order. */
static PetscErrorCode extremum(MPI_Comm comm, MPI_Op op, double sign, double *value) {
  double message[2] = {isnan(*value) ? sign : 0, isnan(*value) ? -sign * INFINITY : *value};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, message, 2, MPI_DOUBLE, op, comm));
  *value = message[0] != 0 ? NAN : message[1] == 0 ? 0 : message[1];
  PetscFunctionReturn(0);
}

PetscErrorCode ink_reduce_min(MPI_Comm comm, double *value) {
  PetscFunctionBeginUser;
  PetscCall(extremum(comm, MPI_MIN, -1, value));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_reduce_max(MPI_Comm comm, double *value) {
  PetscFunctionBeginUser;
  PetscCall(extremum(comm, MPI_MAX, 1, value));
  PetscFunctionReturn(0);
}
