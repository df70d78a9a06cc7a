/* Units and physical dimensions. Units are read by udunits2, restricted as the deck's language says. */
#ifndef INK_IO_UNITS_H
#define INK_IO_UNITS_H

#include <stdbool.h>
#include <stddef.h>

enum { INK_BASE_UNITS = 7 }; /* m kg s K A mol cd */

/* A physical dimension as exponents of the SI base units; `known` false: any dimension (a bare number). */
typedef struct InkDim {
  bool known;
  double exponent[INK_BASE_UNITS];
} InkDim;

/* A unit: SI value = factor * number + offset (offset 0 except for degC, degF). */
typedef struct InkUnit {
  double factor, offset;
  InkDim dim;
} InkUnit;

/* Reads `text` (length `length`) as a unit. On failure returns false and writes one line for the user, with a
 * hint where there is one ("unknown unit 'C': did you mean degC?"), to message[size]. Only rank 0 of a run
 * calls this. */
bool ink_unit_parse(const char *text, size_t length, InkUnit *unit, char *message, size_t size);

/* What was likely meant by `text` where it is unknown or has the wrong dimension ("C": "degC"), or NULL. */
const char *ink_unit_hint(const char *text, size_t length);

bool ink_dim_equal(const InkDim *a, const InkDim *b); /* true also when one of them is not known */
InkDim ink_dim_any(void);
InkDim ink_dim_none(void);                                /* known, dimensionless */
InkDim ink_dim_product(InkDim a, InkDim b, double power); /* a * b^power; unknown when either is unknown */
InkDim ink_dim_of(
    const char *si_unit); /* dimension of an SI unit of our own writing, "W/m^2"; needs udunits: rank 0 */

/* Writes the dimension as a unit ("kg/(m s^2)" style, "1" for none, "any" when unknown), at most size bytes.
 */
void ink_dim_print(const InkDim *dim, char *text, size_t size);

#endif
