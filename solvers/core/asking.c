/* Reading queries. See asking.h. */
#include "asking.h"
#include <stdarg.h>
#include <string.h>

bool ink_refuse(const InkAsking *asking, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(asking->message, asking->size, format, args);
  va_end(args);
  return false;
}

const InkNode *ink_option(const InkAsking *asking, const char *key) {
  return asking->query->entry ? ink_tree_child(asking->query->entry, key) : NULL;
}

const char *ink_option_text(const InkAsking *asking, const char *key) {
  const InkNode *node = ink_option(asking, key);
  return node && node->kind == INK_SCALAR ? node->text : NULL;
}

bool ink_read_probe(const InkAsking *asking, const char **probe, const char **field) {
  *probe = asking->query->argument;
  if (!**probe || !ink_deck_has(asking->deck, "probes.%s", *probe))
    return ink_refuse(asking, "probe: there is no probes.%s", *probe);
  const InkNode *node = ink_deck_node(asking->deck, "probes.%s.field", *probe);
  *field = node && node->text ? node->text : "";
  return true;
}

bool ink_read_error(const InkAsking *asking, const char *example, bool *l2, const char **field) {
  const char *argument = asking->query->argument, *colon = strchr(argument, ':');
  const bool max = strncmp(argument, "max:", 4) == 0;
  *l2 = strncmp(argument, "l2:", 3) == 0;
  if ((!*l2 && !max) || !colon[1])
    return ink_refuse(asking, "error: write error:l2:%s or error:max:%s, got error:%s", example, example,
                      argument);
  *field = colon + 1;
  return true;
}

bool ink_needs_exact(const InkAsking *asking, const char *field) {
  if (ink_deck_has(asking->deck, "exact.%s", field)) return true;
  return ink_refuse(asking, "error:%s needs exact.%s", asking->query->argument, field);
}
