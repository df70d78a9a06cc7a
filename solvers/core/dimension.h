/* Dimensions in numbers and in words, on any rank. */
#ifndef INK_CORE_DIMENSION_H
#define INK_CORE_DIMENSION_H

#include "../../io/expression.h"

/* A dimension by the exponents of m, kg, s, K, A and mol: without udunits, on any rank. */
InkDim ink_dim_si(int m, int kg, int s, int K, int A, int mol);

/* Units given out so far; empty at first. */
typedef struct InkText InkText;
struct InkText {
  const char *text;
  InkText *next;
};
/* A dimension as text that lives as long as the pool, the same pointer for the same text; "1" where it is not
 * known. */
const char *ink_dim_text(InkPool *pool, InkText **known, const InkDim *dim);
#endif
