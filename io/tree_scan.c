/* The bytes of a deck, before YAML sees them: size, UTF-8 (RFC 3629), null bytes, tabs. */
#include "tree_impl.h"

#include <string.h>

/* Length of the UTF-8 sequence at p (n bytes left), 0 when it is not one. */
static size_t utf8_length(const unsigned char *p, size_t n) {
  if (p[0] < 0x80) return 1;
  size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
  if (p[0] < 0xC2 || p[0] > 0xF4 || n < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  if (p[0] == 0xE0 && p[1] < 0xA0) return 0; /* overlong */
  if (p[0] == 0xED && p[1] > 0x9F) return 0; /* surrogates */
  if (p[0] == 0xF0 && p[1] < 0x90) return 0; /* overlong */
  if (p[0] == 0xF4 && p[1] > 0x8F) return 0; /* above U+10FFFF */
  return length;
}

bool ink_tree_scan(const char *name, const char *text, size_t length, InkErrors *errors) {
  InkPlace place = {name, 1, 1};
  bool good = true, tab_reported = false;
  if (length > INK_DECK_MAX_BYTES) {
    ink_error(errors, (InkPlace){name, 0, 0}, NULL,
              "is larger than 1 MiB; a deck holds settings, data go in files");
    return false;
  }
  for (size_t i = 0, n; i < length; i += n) {
    n = utf8_length((const unsigned char *)text + i, length - i);
    if (!n) {
      ink_error(errors, place, NULL, "is not UTF-8 text (byte 0x%02X)", (unsigned char)text[i]);
      return false;
    }
    if (!text[i]) {
      ink_error(errors, place, NULL, "holds a null byte; a deck is plain text");
      return false;
    }
    if (text[i] == '\t' && !tab_reported) {
      ink_error(errors, place, NULL, "holds a tab; use blanks");
      good = false;
      tab_reported = true;
    }
    if (text[i] == '\n') {
      place.line++;
      tab_reported = false;
    }
  }
  return good;
}
