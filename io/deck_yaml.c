/* The resolved deck as YAML on which YAML 1.1 and 1.2 readers agree. */
#include "deck_impl.h"
#include "expression_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Text under construction, in malloc'ed memory. */
typedef struct Text {
  char *bytes;
  size_t used, room;
} Text;

static void append(Text *text, const char *piece) {
  size_t length = strlen(piece);
  if (text->used + length + 1 > text->room) {
    text->room = 2 * (text->used + length) + 4096;
    text->bytes = realloc(text->bytes, text->room);
    if (!text->bytes) abort();
  }
  memcpy(text->bytes + text->used, piece, length + 1);
  text->used += length;
}

static void indent(Text *text, int depth) {
  for (int i = 0; i < depth; i++) append(text, "  ");
}

/* Fewest digits that read back to the same bits, always with a point and a signed exponent: 1.0e-06. */
const char *ink_yaml_number(InkPool *pool, double value) {
  char digits[40];
  int whole = 1; /* digits before the point: 7200.0 rather than 7.2e+03 */
  while (whole < 15 && fabs(value) >= pow(10, whole)) whole++;
  for (int precision = whole < 15 ? whole : 1; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  char *text = ink_pool_alloc(pool, 48);
  char *exponent = strchr(digits, 'e');
  size_t mantissa = exponent ? (size_t)(exponent - digits) : strlen(digits);
  bool point = memchr(digits, '.', mantissa) != NULL;
  snprintf(text, 48, "%.*s%s%s", (int)mantissa, digits, point ? "" : ".0", exponent ? exponent : "");
  return text;
}

/* Words that some YAML reader takes for a boolean, null or number. */
static bool special_word(const char *text) {
  static const char *const words[] = {"y",    "n",     "yes",  "no",  "on",  "off",
                                      "true", "false", "null", "inf", "nan", "infinity"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strcasecmp(words[i], text)) return true;
  return false;
}

static bool plain(const char *text) { return ink_identifier(text) && *text != '_' && !special_word(text); }

/* A text as a YAML scalar: plain when no reader can take it for anything else, else in double quotes. */
static const char *quote(InkPool *pool, const char *text) {
  if (plain(text)) return text;
  char *quoted = ink_pool_alloc(pool, 4 * strlen(text) + 3), *out = quoted;
  *out++ = '"';
  for (const char *p = text; *p; p++) {
    unsigned char c = (unsigned char)*p;
    if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = (char)c;
    } else if (c == '\n') {
      *out++ = '\\';
      *out++ = 'n';
    } else if (c < 0x20 || c == 0x7F)
      out += snprintf(out, 5, "\\x%02x", c);
    else
      *out++ = (char)c;
  }
  *out++ = '"';
  *out = 0;
  return quoted;
}

static const char *expression_text(InkPool *pool, const InkDeck *deck, const InkNode *node) {
  double value;
  if (ink_expr_literal(node->expression, &value)) return ink_yaml_number(pool, value);
  return quote(pool, ink_expr_print(pool, node->expression, deck->variable));
}

const char *ink_yaml_value(InkPool *pool, const InkDeck *deck, const InkNode *node) {
  const InkKey *key = node->type ? node->type : node->parent->type; /* items of a list of numbers */
  if (node->expression) return expression_text(pool, deck, node);
  switch (key ? key->kind : INK_KIND_TEXT) {
  case INK_KIND_BOOL:
    return node->number != 0 ? "true" : "false";
  case INK_KIND_INTEGER: {
    char *text = ink_pool_alloc(pool, 32);
    snprintf(text, 32, "%.0f", node->number);
    return text;
  }
  case INK_KIND_TOLERANCE:
    if (node->percent) {
      char *text = ink_pool_alloc(pool, 64);
      snprintf(text, 64, "\"%s %%\"", ink_yaml_number(pool, strtod(node->text, NULL)));
      return text;
    }
    return ink_yaml_number(pool, node->number);
  case INK_KIND_NUMBER:
  case INK_KIND_DIFFERENCE:
  case INK_KIND_NUMBERS:
    return ink_yaml_number(pool, node->number);
  default:
    return quote(pool, node->text ? node->text : "");
  }
}

typedef struct Writer {
  InkPool *pool;
  const InkDeck *deck;
  Text text;
} Writer;

static void write_mapping(Writer *w, const InkNode *mapping, int depth, bool first_inline);

/* A list: [1.0, 2.0] of scalars, else an item a line. */
static void write_sequence(Writer *w, const InkNode *sequence, int depth) {
  bool scalars = !sequence->first || sequence->first->kind == INK_SCALAR;
  append(&w->text, scalars ? " [" : "\n");
  for (const InkNode *item = sequence->first; item; item = item->next) {
    if (scalars) {
      append(&w->text, item == sequence->first ? "" : ", ");
      append(&w->text, ink_yaml_value(w->pool, w->deck, item));
    } else {
      indent(&w->text, depth);
      append(&w->text, item->kind == INK_MAPPING && item->first ? "- " : "- {}\n");
      write_mapping(w, item, depth + 1, true);
    }
  }
  if (scalars) append(&w->text, "]\n");
}

/* first_inline: the first key stands behind "- ". */
static void write_mapping(Writer *w, const InkNode *mapping, int depth, bool first_inline) {
  for (const InkNode *child = mapping->first; child; child = child->next) {
    if (!first_inline) indent(&w->text, depth);
    first_inline = false;
    append(&w->text, quote(w->pool, child->key));
    append(&w->text, ":");
    if (child->kind == INK_MAPPING) {
      append(&w->text, child->first ? "\n" : " {}\n");
      write_mapping(w, child, depth + 1, false);
    } else if (child->kind == INK_SEQUENCE)
      write_sequence(w, child, depth + 1);
    else {
      append(&w->text, " ");
      append(&w->text, ink_yaml_value(w->pool, w->deck, child));
      append(&w->text, "\n");
    }
  }
}

const char *ink_deck_yaml(const InkDeck *deck) {
  if (deck->yaml) return deck->yaml;
  InkPool *scratch = ink_pool_create();
  Writer w = {.pool = scratch, .deck = deck};
  append(&w.text, "# The deck as it was run: SI units, defaults filled in.\n");
  write_mapping(&w, deck->root, 0, false);
  /* Made once and kept: the deck's own text, which its pool owns. */
  ((InkDeck *)deck)->yaml = ink_pool_strdup(deck->pool, w.text.bytes);
  free(w.text.bytes);
  ink_pool_destroy(&scratch);
  return deck->yaml;
}
