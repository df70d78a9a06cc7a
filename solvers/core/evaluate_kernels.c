/* The loops: one for each operation, and for the pairs and triples that are worth doing in one pass.
 *
 * A fused loop does the same IEEE operations in the same order as single ones would, so fusing changes no
 * bits; it saves the way through memory in between. */
#include "evaluate_impl.h"

/* Meanings that IEEE arithmetic leaves to us; see ink_expr_value in io/expression.h. */

static inline InkVector one_where(InkMask m) { return ink_select(m, ink_all(1), ink_all(0)); }
static inline InkVector nan_where(InkMask m, InkVector a) { return ink_select(m, ink_all(NAN), a); }

static inline InkVector quotient(InkVector x, InkVector z) { return nan_where(ink_eq(z, ink_all(0)), x / z); }

static inline InkVector choice(InkVector c, InkVector a, InkVector b) {
  return nan_where(ink_ne(c, c), ink_select(ink_ne(c, ink_all(0)), a, b));
}

static inline InkVector minimum(InkVector a, InkVector b) {
  return ink_select(ink_or(ink_le(a, b), ink_ne(a, a)), a, b);
}

static inline InkVector maximum(InkVector a, InkVector b) {
  return ink_select(ink_or(ink_le(b, a), ink_ne(a, a)), a, b);
}

static inline InkVector modulo(InkVector a, InkVector b) {
  InkVector zero = ink_all(0), r = ink_fnma(b, ink_floor(a / b), a);
  InkMask up = ink_lt(zero, b), down = ink_lt(b, zero);
  InkMask below = ink_or(ink_and(up, ink_lt(r, zero)), ink_and(down, ink_lt(zero, r)));
  r = ink_select(below, r + b, r);
  InkMask above = ink_or(ink_and(up, ink_le(b, r)), ink_and(down, ink_le(r, b)));
  r = ink_select(above, r - b, r);
  return nan_where(ink_eq(b, zero), r);
}

static inline InkVector power(InkVector a, InkVector b) {
  InkVector zero = ink_all(0);
  InkMask pole = ink_and(ink_eq(a, zero), ink_lt(b, zero));
  InkMask root =
      ink_and(ink_lt(a, zero), ink_ne(b, ink_floor(b))); /* of a negative number, minus infinity too */
  return nan_where(ink_or(pole, root), INK_SLEEF(pow, u10)(a, b));
}

static inline InkVector sign(InkVector a) {
  InkVector zero = ink_all(0);
  return ink_select(ink_lt(zero, a), ink_all(1), ink_select(ink_lt(a, zero), ink_all(-1), a));
}

static inline InkVector logarithm(InkVector a) {
  return nan_where(ink_le(a, ink_all(0)), INK_SLEEF(log, u10)(a));
}

/* SLEEF's sinh and cosh overflow already at 709; e^|x|/2 takes over from there to 710.47. A lane's value
 * comes from its own branch whatever the other lanes do. */
static inline InkVector half_exponential(InkVector x) {
  InkVector root = INK_SLEEF(exp, u10)(ink_all(0.5) * ink_abs(x));
  return ink_all(0.5) * root * root;
}

static inline InkVector hyperbolic_sine(InkVector x) {
  InkVector s = INK_SLEEF(sinh, u10)(x);
  InkMask high = ink_lt(ink_all(709), x), low = ink_lt(x, ink_all(-709));
  if (!ink_any(ink_or(high, low))) return s;
  InkVector large = half_exponential(x);
  return ink_select(high, large, ink_select(low, -large, s));
}

static inline InkVector hyperbolic_cosine(InkVector x) {
  InkVector c = INK_SLEEF(cosh, u10)(x);
  InkMask far = ink_lt(ink_all(709), ink_abs(x));
  return ink_any(far) ? ink_select(far, half_exponential(x), c) : c;
}

/* One operation on vectors. `code` is a constant wherever this is called, so that one branch remains. */
__attribute__((always_inline)) static inline InkVector function(InkCode code, InkVector x) {
  switch (code) {
  case INK_C_NEG:
    return -x;
  case INK_C_ABS:
    return ink_abs(x);
  case INK_C_SIGN:
    return sign(x);
  case INK_C_FLOOR:
    return ink_floor(x);
  case INK_C_SQRT:
    return ink_sqrt(x);
  case INK_C_EXP:
    return INK_SLEEF(exp, u10)(x);
  case INK_C_LOG:
    return logarithm(x);
  case INK_C_SIN:
    return INK_SLEEF(sin, u10)(x);
  case INK_C_COS:
    return INK_SLEEF(cos, u10)(x);
  case INK_C_TAN:
    return INK_SLEEF(tan, u10)(x);
  case INK_C_ASIN:
    return INK_SLEEF(asin, u10)(x);
  case INK_C_ACOS:
    return INK_SLEEF(acos, u10)(x);
  case INK_C_ATAN:
    return INK_SLEEF(atan, u10)(x);
  case INK_C_SINH:
    return hyperbolic_sine(x);
  case INK_C_COSH:
    return hyperbolic_cosine(x);
  case INK_C_TANH:
    return INK_SLEEF(tanh, u10)(x);
  case INK_C_ERF:
    return INK_SLEEF(erf, u10)(x);
  case INK_C_ERFC:
    return INK_SLEEF(erfc, u15)(x);
  default:
    return x;
  }
}

__attribute__((always_inline)) static inline InkVector apply(InkCode code, InkVector x, InkVector y,
                                                             InkVector z) {
  switch (code) {
  case INK_C_ADD:
    return x + z;
  case INK_C_SUB:
    return x - z;
  case INK_C_MUL:
    return x * z;
  case INK_C_DIV:
    return quotient(x, z);
  case INK_C_FMA:
    return ink_fma(x, y, z);
  case INK_C_FMS:
    return ink_fms(x, y, z);
  case INK_C_FNMA:
    return ink_fnma(x, y, z);
  case INK_C_LT:
    return one_where(ink_lt(x, z));
  case INK_C_LE:
    return one_where(ink_le(x, z));
  case INK_C_EQ:
    return one_where(ink_eq(x, z));
  case INK_C_NE:
    return one_where(ink_ne(x, z));
  case INK_C_SELECT:
    return choice(x, y, z);
  case INK_C_MIN:
    return minimum(x, z);
  case INK_C_MAX:
    return maximum(x, z);
  case INK_C_MOD:
    return modulo(x, z);
  case INK_C_POW:
    return power(x, z);
  case INK_C_ATAN2:
    return INK_SLEEF(atan2, u10)(x, z);
  default:
    return function(code, x);
  }
}

static inline bool has_y(InkCode code) {
  return code == INK_C_FMA || code == INK_C_FMS || code == INK_C_FNMA || code == INK_C_SELECT;
}
static inline bool has_z(InkCode code) { return code >= INK_C_ADD && code <= INK_C_ATAN2; }

/* A place being walked along. */
typedef struct Walk {
  const double *at;
  ptrdiff_t step;
} Walk;

__attribute__((always_inline)) static inline InkVector next(Walk *w) {
  InkVector v = ink_load(w->at);
  w->at += w->step;
  return v;
}

__attribute__((always_inline)) static inline void loop(InkCode outer, InkCode inner_x, InkCode inner_z,
                                                       const InkSlot *place, const uint16_t *operand,
                                                       size_t n) {
  Walk w[INK_OPERANDS];
  for (int k = INK_X; k < INK_OPERANDS; k++) w[k] = (Walk){place[operand[k]].at, place[operand[k]].step};
  double *result = place[operand[INK_DST]].at;
  InkVector x, y = ink_all(0), z = ink_all(0);
  for (size_t i = 0; i < n; i += INK_WIDTH) {
    x = next(&w[INK_X]);
    if (inner_x != INK_C_COPY) x = apply(inner_x, x, x, next(&w[INK_X2]));
    if (has_y(outer)) y = next(&w[INK_Y]);
    if (has_z(outer)) z = next(&w[INK_Z]);
    if (inner_z != INK_C_COPY) z = apply(inner_z, z, z, next(&w[INK_Z2]));
    ink_store(result + i, apply(outer, x, y, z));
  }
}

/* The loops by name: KERNEL(FMA, MUL, SUB) defines FMA_MUL_SUB, fma(x * x2, y, z - z2). */
#define KERNEL(outer, inner_x, inner_z)                                                                      \
  static void outer##_##inner_x##_##inner_z(const InkSlot *place, const uint16_t *operand, size_t n) {       \
    loop(INK_C_##outer, INK_C_##inner_x, INK_C_##inner_z, place, operand, n);                                \
  }
#define KERNELS_Z(outer, inner_x)                                                                            \
  KERNEL(outer, inner_x, COPY)                                                                               \
  KERNEL(outer, inner_x, ADD) KERNEL(outer, inner_x, SUB) KERNEL(outer, inner_x, MUL)
#define KERNELS(outer)                                                                                       \
  KERNELS_Z(outer, COPY) KERNELS_Z(outer, ADD) KERNELS_Z(outer, SUB) KERNELS_Z(outer, MUL)

KERNELS(ADD)
KERNELS(SUB)
KERNELS(MUL)
KERNELS(DIV)
KERNELS(FMA)
KERNELS(FMS)
KERNELS(FNMA)
KERNEL(SELECT, COPY, COPY)
KERNEL(SELECT, LT, COPY)
KERNEL(SELECT, LE, COPY)
KERNEL(SELECT, EQ, COPY)
KERNEL(SELECT, NE, COPY)

#define PLAIN(code) KERNEL(code, COPY, COPY)
PLAIN(COPY)
PLAIN(LT)
PLAIN(LE)
PLAIN(EQ)
PLAIN(NE)
PLAIN(MIN)
PLAIN(MAX)
PLAIN(MOD)
PLAIN(POW)
PLAIN(ATAN2)
PLAIN(NEG)
PLAIN(ABS)
PLAIN(SIGN)
PLAIN(FLOOR)
PLAIN(SQRT)
PLAIN(EXP)
PLAIN(LOG)
PLAIN(SIN)
PLAIN(COS)
PLAIN(TAN)
PLAIN(ASIN)
PLAIN(ACOS)
PLAIN(ATAN)
PLAIN(SINH)
PLAIN(COSH)
PLAIN(TANH)
PLAIN(ERF)
PLAIN(ERFC)

#define ROW_Z(outer, inner_x)                                                                                \
  [INK_C_##inner_x] = {[INK_C_COPY] = outer##_##inner_x##_COPY,                                              \
                       [INK_C_ADD] = outer##_##inner_x##_ADD,                                                \
                       [INK_C_SUB] = outer##_##inner_x##_SUB,                                                \
                       [INK_C_MUL] = outer##_##inner_x##_MUL}
#define ROWS(outer)                                                                                          \
  [INK_C_##outer] = {ROW_Z(outer, COPY), ROW_Z(outer, ADD), ROW_Z(outer, SUB), ROW_Z(outer, MUL)}
#define ROW(outer) [INK_C_##outer] = {{outer##_COPY_COPY}}

static const InkKernel kernels[INK_CODES][INK_C_NE + 1][INK_C_MUL + 1] = {
    ROWS(ADD),
    ROWS(SUB),
    ROWS(MUL),
    ROWS(DIV),
    ROWS(FMA),
    ROWS(FMS),
    ROWS(FNMA),
    [INK_C_SELECT] = {[INK_C_COPY] = {SELECT_COPY_COPY},
                      [INK_C_LT] = {SELECT_LT_COPY},
                      [INK_C_LE] = {SELECT_LE_COPY},
                      [INK_C_EQ] = {SELECT_EQ_COPY},
                      [INK_C_NE] = {SELECT_NE_COPY}},
    ROW(COPY),
    ROW(LT),
    ROW(LE),
    ROW(EQ),
    ROW(NE),
    ROW(MIN),
    ROW(MAX),
    ROW(MOD),
    ROW(POW),
    ROW(ATAN2),
    ROW(NEG),
    ROW(ABS),
    ROW(SIGN),
    ROW(FLOOR),
    ROW(SQRT),
    ROW(EXP),
    ROW(LOG),
    ROW(SIN),
    ROW(COS),
    ROW(TAN),
    ROW(ASIN),
    ROW(ACOS),
    ROW(ATAN),
    ROW(SINH),
    ROW(COSH),
    ROW(TANH),
    ROW(ERF),
    ROW(ERFC),
};

InkKernel ink_kernel(InkCode outer, InkCode inner_x, InkCode inner_z) {
  if (outer >= INK_CODES || inner_x > INK_C_NE || inner_z > INK_C_MUL) return NULL;
  return kernels[outer][inner_x][inner_z];
}

double ink_kernel_value(InkCode code, double x, double y, double z) {
  double value[4][INK_WIDTH];
  InkSlot place[4];
  for (int k = 0; k < 4; k++) {
    ink_store(value[k], ink_all(k == 1 ? x : k == 2 ? y : k == 3 ? z : 0));
    place[k] = (InkSlot){value[k], 0};
  }
  const uint16_t operand[INK_OPERANDS] = {
      [INK_DST] = 0, [INK_X] = 1, [INK_X2] = 1, [INK_Y] = 2, [INK_Z] = 3, [INK_Z2] = 3};
  ink_kernel(code, INK_C_COPY, INK_C_COPY)(place, operand, INK_WIDTH);
  return value[0][0];
}

const char *ink_program_instruction_set(void) { return INK_INSTRUCTION_SET; }
