/* What the analysis reads from a deck: reactions with the parameters as variables, the domain, the mean of
 * the initial state. */
#include "analysis_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/mesh.h"
#include "reaction_diffusion_impl.h"

static const uint64_t place_and_time =
    1ull << INK_VAR_X | 1ull << INK_VAR_Y | 1ull << INK_VAR_Z | 1ull << INK_VAR_R | 1ull << INK_VAR_T;

/* ---- reactions ---- */

/* Names in the deck's expressions: coordinates, fields, and the parameters as variables behind them. */
static InkScope symbolic_scope(const InkDeck *deck, InkPool *pool, const InkModelParameters *parameters) {
  static const char *const fixed[] = {"x", "y", "z", "r", "t"};
  const char *const *fields;
  const int n = ink_deck_fields(deck, &fields, NULL);
  const size_t room = (size_t)(5 + n + parameters->count);
  struct InkSymbol *symbol = ink_pool_alloc(pool, room * sizeof *symbol);
  int count = 0;
  for (int v = 0; v < 5; v++) symbol[count++] = (struct InkSymbol){.name = fixed[v], .variable = v};
  for (int f = 0; f < n; f++)
    symbol[count++] = (struct InkSymbol){.name = fields[f], .variable = INK_VAR_FIELD + f};
  for (int p = 0; p < parameters->count; p++)
    symbol[count++] = (struct InkSymbol){.name = parameters->name[p], .variable = parameters->first + p};
  return (InkScope){.symbol = symbol, .count = count};
}

/* A number or quantity, so that no parameter is in it. */
static bool is_number(const InkNode *node) {
  char *end;
  if (node->unit) return true;
  strtod(node->text, &end);
  return end != node->text && *end == '\0';
}

/* The node's text with the parameters as variables; where they cannot be, its tree with their values. */
static const InkExpr *symbolic(const InkNode *node, InkPool *pool, const InkScope *scope) {
  char message[400];
  if (!node->text || is_number(node)) return node->expression;
  const InkExpr *e = ink_expr_parse(pool, node->text, scope, message, sizeof message);
  return e ? e : node->expression;
}

/* Parameters are variables as far as there is room for them behind the fields; others keep their values. */
static void read_parameters(const InkDeck *deck, InkPool *pool, InkModelParameters *parameters) {
  const InkNode *section = ink_deck_node(deck, "parameters");
  const int n = ink_deck_fields(deck, NULL, NULL);
  char message[400];
  *parameters = (InkModelParameters){.first = INK_VAR_FIELD + n};
  if (!section || n + section->count > INK_MAX_FIELDS) return;
  for (const InkNode *node = section->first; node; node = node->next) {
    const int p = parameters->count;
    const InkScope scope = symbolic_scope(deck, pool, parameters); /* those above */
    parameters->name[p] = node->key;
    parameters->value[p] = node->number;
    if (node->text && !is_number(node))
      parameters->formula[p] = ink_expr_parse(pool, node->text, &scope, message, sizeof message);
    if (parameters->formula[p] && parameters->formula[p]->variables == 0) parameters->formula[p] = NULL;
    parameters->count++;
  }
}

static const InkExpr *diffusion_of(const InkDeck *deck, InkPool *pool, const InkScope *scope,
                                   const char *species, const char *by, bool own) {
  const InkNode *node = ink_deck_node(deck, "species.%s.diffusion", species);
  if (node && node->kind == INK_MAPPING)
    node = ink_tree_child(node, by);
  else if (!own)
    node = NULL;
  return node && node->expression ? symbolic(node, pool, scope) : NULL;
}

static void read_reactions(const InkDeck *deck, InkPool *pool, InkDeckModel *model) {
  const char *const *fields;
  const int n = ink_deck_fields(deck, &fields, NULL);
  const InkScope scope = symbolic_scope(deck, pool, &model->parameters);
  const InkExpr **rate = ink_pool_alloc(pool, (size_t)n * sizeof *rate);
  const InkExpr **diffusion = ink_pool_alloc(pool, (size_t)(n * n) * sizeof *diffusion);
  for (int s = 0; s < n; s++) {
    const InkNode *node = ink_deck_node(deck, "species.%s.reaction", fields[s]);
    rate[s] = node && node->expression ? symbolic(node, pool, &scope) : NULL;
    for (int f = 0; f < n; f++)
      diffusion[s * n + f] = diffusion_of(deck, pool, &scope, fields[s], fields[f], s == f);
  }
  model->reactions =
      (InkReactions){.n = n, .name = fields, .rate = rate, .diffusion = diffusion, .pool = pool};
}

/* ---- domain ---- */

/* The widest of cells whose widths are a geometric sequence. */
static double widest_of(double length, double cells, double grading) {
  const double ratio = fabs(log(grading));
  if (cells * ratio < 1e-12) return length / cells;
  return length * expm1(-ratio) / expm1(-cells * ratio);
}

static double grading_of(const InkNode *node) {
  const InkNode *grading = ink_tree_child(node, "grading");
  return grading ? grading->number : 1;
}

static double number_of(const InkNode *node, const char *key) { return ink_tree_child(node, key)->number; }

static InkDeckAxis read_axis(const InkDeck *deck, char name) {
  const InkNode *axis = ink_deck_node(deck, "mesh.%c", name);
  const InkNode *type = ink_deck_node(deck, "boundary.%c_min.type", name);
  const InkNode *segments = ink_tree_child(axis, "segments");
  const double from = number_of(axis, "from");
  InkDeckAxis result = {.name = name, .periodic = type && type->text && strcmp(type->text, "periodic") == 0};
  if (!segments) {
    result.length = number_of(axis, "to") - from;
    result.widest = widest_of(result.length, number_of(axis, "cells"), grading_of(axis));
    return result;
  }
  double start = from;
  for (const InkNode *segment = segments->first; segment; segment = segment->next) {
    const double to = number_of(segment, "to");
    const double widest = widest_of(to - start, number_of(segment, "cells"), grading_of(segment));
    result.widest = fmax(result.widest, widest);
    start = to;
  }
  result.length = start - from;
  return result;
}

/* ---- initial state ---- */

enum { SAMPLES = 24 }; /* along each axis */

/* Means and largest magnitudes over points spread evenly in the domain, without noise. */
static void read_initial(const InkDeck *deck, InkPool *pool, InkDeckModel *model) {
  static const int variable_of_axis[] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z};
  double *value[INK_VARS] = {0}, start = ink_deck_number(deck, "time.start");
  const double *in[INK_VARS];
  const int n = model->reactions.n;
  size_t points = 1;
  for (int d = 0; d < model->dim; d++) points *= SAMPLES;
  double *out = ink_pool_alloc(pool, points * sizeof *out);
  double *zeros = ink_pool_alloc(pool, points * sizeof *zeros);
  for (int v = 0; v < INK_VARS; v++) in[v] = zeros;
  in[INK_VAR_T] = &start;
  size_t stride = 1;
  for (int d = 0; d < model->dim; d++, stride *= SAMPLES) {
    const char name = model->axis[d].name;
    const int v = name == 'r' ? INK_VAR_R : variable_of_axis[name - 'x'];
    const double from = ink_deck_number(deck, "mesh.%c.from", name);
    value[v] = ink_pool_alloc(pool, points * sizeof *out);
    for (size_t i = 0; i < points; i++)
      value[v][i] = from + model->axis[d].length * ((double)(i / stride % SAMPLES) + 0.5) / SAMPLES;
    in[v] = value[v];
  }
  for (int f = 0; f < n; f++) {
    char message[200];
    const InkNode *node = ink_species_initial(deck, model->reactions.name[f]);
    const InkExpr *e = node ? node->expression : NULL;
    InkProgram *program = e ? ink_program_create(1, &e, 1ull << INK_VAR_T, message, sizeof message) : NULL;
    double sum = 0;
    if (!program) continue;
    ink_program_run(program, points, in, &out);
    for (size_t i = 0; i < points; i++) {
      sum += out[i];
      model->size[f] = fmax(model->size[f], fabs(out[i]));
    }
    model->mean[f] = isfinite(sum) ? sum / (double)points : 0;
    ink_program_destroy(&program);
  }
}

/* Does the diffusion of a species depend on place or time? */
static bool diffuses_unevenly(const InkDeck *deck, const InkExpr *const *D, int s) {
  const int n = ink_deck_fields(deck, NULL, NULL);
  for (int f = 0; f < n; f++)
    if (D[s * n + f] && ink_expr_variables(D[s * n + f]) & place_and_time) return true;
  return false;
}

/* False, with the reason, for a deck there is nothing to say about. */
static bool suitable(const InkDeck *deck, InkPool *pool, char *why, size_t size) {
  const char *const *fields;
  const int n = ink_deck_fields(deck, &fields, NULL);
  const InkExpr *const *D = ink_species_diffusion(deck, pool);
  bool reacts = false;
  if (ink_deck_bool(deck, "manufactured")) {
    snprintf(why, size, "not analysed: a manufactured run adds sources to the reactions");
    return false;
  }
  for (int s = 0; s < n; s++) {
    const InkExpr *rate = ink_deck_expression(deck, "species.%s.reaction", fields[s]);
    const bool uneven = rate && ink_expr_variables(rate) & place_and_time;
    reacts = reacts || rate;
    if (!uneven && !diffuses_unevenly(deck, D, s)) continue;
    snprintf(why, size, "not analysed: the %s of %s depends on place or time",
             uneven ? "reaction" : "diffusion", fields[s]);
    return false;
  }
  if (!reacts) snprintf(why, size, "no reactions: diffusion only");
  return reacts;
}

bool ink_deck_model(const InkDeck *deck, InkPool *pool, InkDeckModel *model, char *why, size_t size) {
  *model = (InkDeckModel){0};
  if (!suitable(deck, pool, why, size)) return false;
  read_parameters(deck, pool, &model->parameters);
  read_reactions(deck, pool, model);
  model->cartesian = ink_deck_coordinates(deck) == INK_CARTESIAN;
  model->dim = ink_deck_dimension(deck);
  for (int d = 0; d < model->dim; d++)
    model->axis[d] = read_axis(deck, model->cartesian ? "xyz"[d] : "rz"[d]);
  read_initial(deck, pool, model);
  return true;
}
