/* The rows of the key table for the section `model`, its axes, and what its units stand for. See model.h. */
#include "model.h"
#include <string.h>
#include "dimension.h"

enum { PLACE_TIME = INK_OF_SPACE | INK_OF_TIME };

const InkKey ink_model_keys[] = {
    {.path = "model",
     .kind = INK_KIND_SECTION,
     .flags = INK_REQUIRED,
     .doc = "the process dX = b dt + B dW (Ito), B B^T = 2 D: its state variables, drift b and diffusion D"},
    {.path = "model.state",
     .kind = INK_KIND_SECTION,
     .flags = INK_REQUIRED,
     .doc = "the state variables, one to three, by name: the axes of the domain, and names in expressions"},
    {.path = "model.state.*", .kind = INK_KIND_SECTION, .doc = "one state variable"},
    {.path = "model.state.*.from", .kind = INK_KIND_NUMBER, .flags = INK_REQUIRED, .doc = "lower end"},
    {.path = "model.state.*.to", .kind = INK_KIND_NUMBER, .flags = INK_REQUIRED, .doc = "upper end"},
    {.path = "model.state.*.cells",
     .kind = INK_KIND_INTEGER,
     .min = 3,
     .max = INK_NO_MAX,
     .flags = INK_REQUIRED,
     .doc = "number of cells"},
    {.path = "model.state.*.grading",
     .kind = INK_KIND_NUMBER,
     .unit = "1",
     .fallback = "1",
     .min = 0,
     .max = INK_NO_MAX,
     .flags = INK_EXCLUSIVE_MIN,
     .doc = "ratio of neighbouring cell widths, going from `from` to `to`"},
    {.path = "model.drift", .kind = INK_KIND_SECTION, .doc = "b, a component a state variable; default 0"},
    {.path = "model.drift.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@drift",
     .flags = PLACE_TIME,
     .doc = "component of b along this state variable; its unit is the variable's over that of time"},
    {.path = "model.diffusion",
     .kind = INK_KIND_SECTION,
     .doc =
         "D, symmetric, half the variance per time: {x: .., v: .., xv: ..}; an entry is named by its state "
         "variable or a pair of them, and given once"},
    {.path = "model.diffusion.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@diffusion",
     .flags = PLACE_TIME,
     .doc = "entry of D; those not given are 0"},
    {.path = "model.noise",
     .kind = INK_KIND_SECTION,
     .doc = "B instead of D, a row a state variable: {x: {w1: ..}, v: {w1: .., w2: ..}}; D = B B^T/2"},
    {.path = "model.noise.*", .kind = INK_KIND_SECTION, .doc = "the noises that act on this state variable"},
    {.path = "model.noise.*.*",
     .kind = INK_KIND_EXPRESSION,
     .unit = "@noise",
     .flags = PLACE_TIME,
     .doc = "strength of this noise, a standard Wiener process of its own"},
    {.path = "model.interpretation",
     .kind = INK_KIND_CHOICE,
     .fallback = "ito",
     .choices = "ito|stratonovich",
     .doc = "how the noise is meant; stratonovich needs model.noise"},
    {.path = "model.boundary",
     .kind = INK_KIND_SECTION,
     .doc = "the sides of the domain (x_min, x_max, ...); one that is not given reflects"},
    {.path = "model.boundary.*",
     .kind = INK_KIND_CHOICE,
     .choices = "reflecting|absorbing|periodic",
     .doc = "what happens to paths that reach this side; periodic on both ends"},
    {.path = "initial", .kind = INK_KIND_SECTION, .doc = "the density at time.start: a point or a law"},
    {.path = "initial.point",
     .kind = INK_KIND_NUMBERS,
     .unit = "@axes",
     .doc = "all paths start at this point, a number a state variable: [0.5, 0]"},
    {.path = "initial.density",
     .kind = INK_KIND_EXPRESSION,
     .flags = INK_OF_SPACE,
     .doc = "initial density, normalised to an integral of 1"},
    {.path = NULL}};

/* ---- axes ---- */

int ink_model_axes(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]) {
  const InkNode *model = root->kind == INK_MAPPING ? ink_tree_child(root, "model") : NULL;
  const InkNode *states = model && model->kind == INK_MAPPING ? ink_tree_child(model, "state") : NULL;
  int count = 0;
  if (!states || states->kind != INK_MAPPING) return 0;
  for (const InkNode *state = states->first; state; state = state->next, count++)
    if (count < 3) axes[count] = (InkSchemaAxis){state->key, ink_tree_path(pool, state)};
  return count;
}

/* ---- units ---- */

/* The dimension a number was given with; a pure number may be in any. */
static InkDim given_dim(const InkNode *number) {
  const InkDim none = ink_dim_none();
  if (!number || number->kind != INK_SCALAR || !number->dim.known) return ink_dim_any();
  return ink_dim_equal(&number->dim, &none) ? ink_dim_any() : number->dim;
}

static InkDim state_dim(const InkNode *state) {
  if (!state || state->kind != INK_MAPPING) return ink_dim_any();
  const InkDim from = given_dim(ink_tree_child(state, "from"));
  return from.known ? from : given_dim(ink_tree_child(state, "to"));
}

/* Seconds where time.end has a unit; where nothing is said of time, if the states have units. */
static InkDim time_dim(const InkNode *root, const InkNode *states) {
  const InkNode *end = ink_tree_find(root, "time.end");
  if (end) return given_dim(end);
  for (const InkNode *state = states->first; state; state = state->next)
    if (state_dim(state).known) return ink_dim_si(0, 0, 1, 0, 0, 0);
  return ink_dim_any();
}

/* Of a name of one state variable, that of the variable; of the names of two, the product. */
static InkDim entry_dim(const InkNode *states, const char *name) {
  const InkNode *one = ink_tree_child(states, name);
  if (one) return ink_dim_product(state_dim(one), state_dim(one), 1.0);
  for (const InkNode *a = states->first; a; a = a->next) {
    const size_t length = strlen(a->key);
    const InkNode *b = strncmp(name, a->key, length) == 0 ? ink_tree_child(states, name + length) : NULL;
    if (b) return ink_dim_product(state_dim(a), state_dim(b), 1.0);
  }
  return ink_dim_any();
}

InkDim ink_model_unit(const InkNode *root, const InkNode *node, const char *name) {
  const InkNode *states = ink_tree_find(root, "model.state");
  if (!states || states->kind != INK_MAPPING) return ink_dim_any();
  const InkDim time = time_dim(root, states);
  if (strcmp(name, "drift") == 0)
    return ink_dim_product(state_dim(ink_tree_child(states, node->key)), time, -1.0);
  if (strcmp(name, "diffusion") == 0) return ink_dim_product(entry_dim(states, node->key), time, -1.0);
  if (strcmp(name, "noise") == 0)
    return ink_dim_product(state_dim(ink_tree_child(states, node->parent->key)), time, -0.5);
  return ink_dim_any();
}
