#include "json.h"

#include <math.h>

json_t *ink_json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *ink_json_text(const char *text) {
  json_t *string = text ? json_string(text) : NULL;
  return string ? string : json_null();
}
