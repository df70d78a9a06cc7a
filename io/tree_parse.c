/* From YAML text to a tree, through libyaml's events. The parts of YAML that surprise people (tags, anchors,
 * aliases, several documents, keys that are not text) are refused with a hint. */
#include "tree_impl.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct Reader {
  yaml_parser_t parser;
  InkPool *pool;
  InkErrors *errors;
  const char *name; /* of the file, for places */
  const char *text;
  size_t length;
  int depth, *nodes;
  bool flow_only;   /* block mappings and sequences are refused (--set) */
  bool stopped;     /* nothing more can be read */
  int refused_line; /* line of the last refused alias, anchor or tag: YAML often stumbles right after it */
} Reader;

static InkPlace place_of(const Reader *reader, yaml_mark_t mark) {
  if (reader->flow_only) return (InkPlace){reader->name, 0, 0};
  return (InkPlace){reader->name, (int)mark.line + 1, (int)mark.column + 1};
}

/* The text of line `line` (0-based), its length in *length. */
static const char *source_line(const Reader *reader, size_t line, size_t *length) {
  const char *p = reader->text, *end = reader->text + reader->length;
  while (line-- && p < end) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    if (!newline) break;
    p = newline + 1;
  }
  const char *newline = memchr(p, '\n', (size_t)(end - p));
  *length = (size_t)((newline ? newline : end) - p);
  return p;
}

/* What usually lies behind a YAML syntax error on this line. */
static const char *syntax_hint(const Reader *reader, size_t line) {
  size_t length;
  const char *p = source_line(reader, line, &length), *end = p + length;
  const char *value = p;
  for (const char *q = p; q + 1 < end; q++)
    if (q[0] == ':' && q[1] == ' ') {
      value = q + 2;
      break;
    }
  while (value < end && *value == ' ') value++;
  if (value < end && strchr("*&!%@`", *value)) return "a value that starts with * & ! % @ or ` needs quotes";
  if (value > p && value + 1 < end && value[0] == '-' && value[1] == ' ')
    return "a value that starts with '- ' needs quotes; a list starts on the next line";
  if (memchr(p, '{', length) || memchr(p, '[', length))
    return "inside { } and [ ] a value that holds commas, brackets or ': ' needs quotes";
  const char *second = NULL;
  for (const char *q = value; q + 1 < end; q++)
    if (q[0] == ':' && q[1] == ' ') second = q;
  if (second) return "a value that holds ': ' needs quotes";
  return "check the indentation and the quotes";
}

static void syntax_error(Reader *reader) {
  const yaml_parser_t *parser = &reader->parser;
  reader->stopped = true;
  size_t line = parser->problem_mark.line;
  InkPlace place = place_of(reader, parser->problem_mark);
  int distance = (int)line + 1 - reader->refused_line;
  if (reader->refused_line && distance >= 0 && distance <= 1) return;
  const char *problem = parser->problem ? parser->problem : "unreadable";
  const char *context = parser->context ? parser->context : "while reading";
  ink_error(reader->errors, place, NULL, "YAML syntax: %s (%s); %s", problem, context,
            syntax_hint(reader, line));
}

/* False at a syntax error, which is then reported. */
static bool next_event(Reader *reader, yaml_event_t *event) {
  if (reader->stopped) return false;
  if (yaml_parser_parse(&reader->parser, event)) return true;
  syntax_error(reader);
  return false;
}

static void refuse(Reader *reader, yaml_mark_t mark, const char *what, char sign) {
  InkPlace place = place_of(reader, mark);
  reader->refused_line = (int)mark.line + 1;
  ink_error(reader->errors, place, NULL,
            "YAML %s are not used in decks: a value that starts with '%c' needs quotes", what, sign);
}

/* Refuses anchors and tags; true when there was one. */
static bool refuse_properties(Reader *reader, yaml_mark_t mark, const yaml_char_t *anchor,
                              const yaml_char_t *tag) {
  if (anchor) refuse(reader, mark, "anchors", '&');
  if (tag) refuse(reader, mark, "tags", '!');
  return anchor || tag;
}

static InkNode *new_node(Reader *reader, InkNodeKind kind, const char *key, InkPlace key_place,
                         yaml_mark_t mark) {
  if (++*reader->nodes > INK_DECK_MAX_NODES) {
    ink_error(reader->errors, place_of(reader, mark), NULL, "the deck has more than %d values",
              INK_DECK_MAX_NODES);
    reader->stopped = true;
  }
  return ink_node_create(reader->pool, kind, key, key_place, place_of(reader, mark));
}

/* `parent` is known to the child before it is appended, so that messages can name its path. */
static InkNode *build_value(Reader *reader, const yaml_event_t *event, InkNode *parent, const char *key,
                            InkPlace key_place);

/* The text of a scalar, without blanks at its ends. A null byte ("\0") is an error. */
static const char *scalar_text(Reader *reader, const yaml_event_t *event, bool *bad) {
  const char *value = (const char *)event->data.scalar.value;
  size_t length = event->data.scalar.length;
  if (memchr(value, 0, length)) {
    ink_error(reader->errors, place_of(reader, event->start_mark), NULL, "holds a null byte");
    *bad = true;
    return "";
  }
  while (length && strchr(" \n", value[length - 1])) length--;
  while (length && strchr(" \n", *value)) value++, length--;
  char *text = ink_pool_alloc(reader->pool, length + 1);
  memcpy(text, value, length);
  return text;
}

/* Reads and drops the rest of a collection whose start event has been read. */
static void skip_collection(Reader *reader) {
  for (int depth = 1; depth > 0;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return;
    if (event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT) depth++;
    if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) depth--;
    yaml_event_delete(&event);
    if (++*reader->nodes > INK_DECK_MAX_NODES) reader->stopped = true;
  }
}

/* The key of a mapping's next entry. NULL: it is no text (reported; its value is still to be read). */
static const char *read_key(Reader *reader, const yaml_event_t *event) {
  if (event->type == YAML_SCALAR_EVENT) {
    bool bad =
        refuse_properties(reader, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
    const char *key = scalar_text(reader, event, &bad);
    if (*key && strlen(key) < 256) return bad ? NULL : key;
    ink_error(reader->errors, place_of(reader, event->start_mark), NULL,
              *key ? "a key is longer than 255 characters" : "a key is empty");
    return NULL;
  }
  if (event->type == YAML_ALIAS_EVENT)
    refuse(reader, event->start_mark, "aliases", '*');
  else {
    ink_error(reader->errors, place_of(reader, event->start_mark), NULL,
              "a key must be text, not a list or mapping");
    skip_collection(reader);
  }
  return NULL;
}

static bool unbalanced(const char *text) {
  int open = 0;
  for (; *text; text++) open += *text == '(' ? 1 : *text == ')' ? -1 : 0;
  return open > 0;
}

/* `key:` with nothing behind it; inside { } mostly the rest of a value that was cut at a comma. */
static void check_value_given(Reader *reader, InkNode *previous, InkNode *child, bool flow) {
  if (child->kind != INK_SCALAR || *child->text || child->bad) return;
  child->bad = true;
  if (flow && previous && previous->kind == INK_SCALAR && unbalanced(previous->text)) {
    ink_error(reader->errors, previous->place, ink_tree_path(reader->pool, previous),
              "'%s' is cut at a comma: inside { } a value that holds commas needs quotes", previous->text);
    previous->bad = true;
    ink_node_remove(child);
  } else
    ink_error(reader->errors, child->key_place, ink_tree_path(reader->pool, child), "has no value%s",
              flow ? "; inside { } a value that holds commas needs quotes" : "");
}

static int by_key(const void *a, const void *b) {
  const InkNode *p = *(InkNode *const *)a, *q = *(InkNode *const *)b;
  int order = strcmp(p->key, q->key);
  if (order) return order;
  if (p->key_place.line != q->key_place.line) return p->key_place.line < q->key_place.line ? -1 : 1;
  return p->key_place.column < q->key_place.column ? -1 : 1;
}

/* The first of equal keys stays. */
static void check_duplicates(Reader *reader, InkNode *mapping) {
  if (mapping->count < 2) return;
  size_t count = (size_t)mapping->count, i = 0;
  InkNode **child = ink_pool_alloc(reader->pool, count * sizeof(InkNode *));
  for (InkNode *n = mapping->first; n; n = n->next) child[i++] = n;
  qsort(child, count, sizeof *child, by_key);
  const InkNode *first = child[0];
  for (i = 1; i < count; i++) {
    if (strcmp(first->key, child[i]->key)) {
      first = child[i];
      continue;
    }
    ink_error(reader->errors, child[i]->key_place, ink_tree_path(reader->pool, child[i]),
              "is given twice (first on line %d)", first->key_place.line);
    ink_node_remove(child[i]);
  }
}

static void build_mapping(Reader *reader, InkNode *mapping, bool flow) {
  for (;;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return;
    bool end = event.type == YAML_MAPPING_END_EVENT;
    const char *key = end ? NULL : read_key(reader, &event);
    InkPlace key_place = place_of(reader, event.start_mark);
    yaml_event_delete(&event);
    if (end) break;
    if (!next_event(reader, &event)) return;
    InkNode *child = build_value(reader, &event, mapping, key ? key : "?", key_place),
            *previous = mapping->last;
    yaml_event_delete(&event);
    if (reader->stopped) return;
    if (!key) continue;
    ink_node_append(mapping, child);
    check_value_given(reader, previous, child, flow);
  }
  check_duplicates(reader, mapping);
}

static void build_sequence(Reader *reader, InkNode *sequence) {
  for (;;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return;
    bool end = event.type == YAML_SEQUENCE_END_EVENT;
    InkNode *child =
        end ? NULL : build_value(reader, &event, sequence, NULL, place_of(reader, event.start_mark));
    yaml_event_delete(&event);
    if (end || reader->stopped) return;
    ink_node_append(sequence, child);
  }
}

static InkNode *build_scalar(Reader *reader, const yaml_event_t *event, const char *key, InkPlace key_place) {
  InkNode *node = new_node(reader, INK_SCALAR, key, key_place, event->start_mark);
  node->text = "";
  if (event->type == YAML_ALIAS_EVENT) {
    refuse(reader, event->start_mark, "aliases", '*');
    node->bad = true;
    return node;
  }
  node->bad = refuse_properties(reader, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
  node->text = scalar_text(reader, event, &node->bad);
  return node;
}

static InkNode *build_value(Reader *reader, const yaml_event_t *event, InkNode *parent, const char *key,
                            InkPlace key_place) {
  if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT)
    return build_scalar(reader, event, key, key_place);
  bool mapping = event->type == YAML_MAPPING_START_EVENT;
  bool flow = mapping ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                      : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
  InkNode *node = new_node(reader, mapping ? INK_MAPPING : INK_SEQUENCE, key, key_place, event->start_mark);
  node->parent = parent;
  if (reader->flow_only && !flow) {
    ink_error(reader->errors, node->place, NULL,
              "the value must be a single value, [..] or {..}; quote a text that "
              "holds ': ' or starts with '- '");
    reader->stopped = true;
  }
  if (mapping)
    refuse_properties(reader, event->start_mark, event->data.mapping_start.anchor,
                      event->data.mapping_start.tag);
  else
    refuse_properties(reader, event->start_mark, event->data.sequence_start.anchor,
                      event->data.sequence_start.tag);
  if (++reader->depth > INK_DECK_MAX_DEPTH) {
    ink_error(reader->errors, node->place, NULL, "is nested deeper than %d levels", INK_DECK_MAX_DEPTH);
    reader->stopped = true;
  }
  if (!reader->stopped && mapping)
    build_mapping(reader, node, flow);
  else if (!reader->stopped)
    build_sequence(reader, node);
  reader->depth--;
  return node;
}

/* Reads to the end of the stream, in which a second document is an error. */
static void finish(Reader *reader) {
  for (bool end = false; !end;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return;
    end = event.type == YAML_STREAM_END_EVENT;
    if (event.type == YAML_DOCUMENT_START_EVENT) {
      ink_error(reader->errors, place_of(reader, event.start_mark), NULL,
                "a second YAML document starts here; a deck is one document");
      end = reader->stopped = true;
    }
    yaml_event_delete(&event);
  }
}

/* The root value, NULL for an empty stream. */
static InkNode *build_root(Reader *reader) {
  InkNode *root = NULL;
  for (bool done = false; !done;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return NULL;
    if (event.type == YAML_STREAM_END_EVENT)
      done = true;
    else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT) {
      root = build_value(reader, &event, NULL, NULL, place_of(reader, event.start_mark));
      done = true;
    }
    yaml_event_delete(&event);
  }
  if (root && !reader->stopped) finish(reader);
  return reader->stopped ? NULL : root;
}

InkNode *ink_tree_build(InkPool *pool, const char *name, const char *text, size_t length, bool any_root,
                        int *nodes, InkErrors *errors) {
  Reader reader = {.pool = pool,
                   .errors = errors,
                   .name = ink_pool_strdup(pool, name),
                   .text = text,
                   .length = length,
                   .nodes = nodes,
                   .flow_only = any_root};
  if (!yaml_parser_initialize(&reader.parser)) {
    ink_error(errors, (InkPlace){name, 0, 0}, NULL, "out of memory");
    return NULL;
  }
  yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
  InkNode *root = build_root(&reader);
  bool stopped = reader.stopped;
  yaml_parser_delete(&reader.parser);
  if (stopped || any_root) return root;
  if (!root || (root->kind == INK_SCALAR && !*root->text && !root->bad)) {
    ink_error(errors, (InkPlace){name, 0, 0}, NULL, "the deck is empty");
    return NULL;
  }
  if (root->kind == INK_MAPPING) return root;
  if (!root->bad) ink_error(errors, root->place, NULL, "a deck is a mapping of keys, such as 'solver: heat'");
  return NULL;
}

InkNode *ink_tree_parse(InkPool *pool, const char *name, const char *text, size_t length, InkErrors *errors) {
  int nodes = 0;
  if (!ink_tree_scan(name, text, length, errors)) return NULL;
  return ink_tree_build(pool, name, text, length, false, &nodes, errors);
}
