/* Values for jansson that JSON itself cannot hold become null. */
#ifndef INK_IO_JSON_H
#define INK_IO_JSON_H

#include <jansson.h>

json_t *ink_json_number(double value);   /* null for NaN and infinity */
json_t *ink_json_text(const char *text); /* null for NULL and for text that is not UTF-8 */

#endif
