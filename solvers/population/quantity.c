/* What can be asked of a population, and the values. Means over the density are sums over the states, exact
 * in any order. */
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include "../core/observe.h"
#include "population_impl.h"

typedef enum Asked {
  PROBE,
  INTEGRAL,
  MINIMUM,
  MAXIMUM,
  MEAN,
  VARIANCE,
  EXPECTATION,
  PROBABILITY,
  ABSORBED
} Asked;

typedef struct Question {
  Asked what;
  bool of_state; /* mean, variance: of x over the density, not of the field over the volume */
  const InkExpr *expression;
  int end;
} Question;

__attribute__((format(printf, 3, 4))) static bool refuse(char *message, size_t size, const char *format,
                                                         ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, size, format, args);
  va_end(args);
  return false;
}

/* Of the field, or, where it may, of x over the density. */
static bool read_name(const InkDeck *deck, const InkQuery *query, Question *q, char *message, size_t size) {
  const char *const *field;
  ink_deck_fields(deck, &field, NULL);
  const InkNode *option = query->entry ? ink_tree_child(query->entry, "field") : NULL;
  const char *name = *query->argument ? query->argument : option && option->text ? option->text : field[0];
  const bool moment = q->what == MEAN || q->what == VARIANCE;
  q->of_state = moment && strcmp(name, "x") == 0;
  if (q->of_state || strcmp(name, field[0]) == 0) return true;
  return refuse(message, size, "%s: '%s' is not %sthe field %s", query->kind, name, moment ? "x or " : "",
                field[0]);
}

static bool read_question(const InkDeck *deck, const InkQuery *query, Question *q, char *message,
                          size_t size) {
  static const struct {
    const char *kind;
    const char *option; /* a key of the entry it needs */
  } known[] = {[PROBE] = {"probe", NULL},
               [INTEGRAL] = {"integral", NULL},
               [MINIMUM] = {"min", NULL},
               [MAXIMUM] = {"max", NULL},
               [MEAN] = {"mean", NULL},
               [VARIANCE] = {"variance", NULL},
               [EXPECTATION] = {"expectation", "of"},
               [PROBABILITY] = {"probability", "where"},
               [ABSORBED] = {"absorbed", NULL}};
  const InkPopulationEquation equation = ink_population_equation(deck);
  int what = 0;
  while (what <= ABSORBED && strcmp(known[what].kind, query->kind) != 0) what++;
  if (what > ABSORBED) return refuse(message, size, "%s is not defined for population", query->kind);
  *q = (Question){.what = (Asked)what};
  if (what == PROBE) {
    if (*query->argument && ink_deck_has(deck, "probes.%s", query->argument)) return true;
    return refuse(message, size, "probe: there is no probes.%s", query->argument);
  }
  if (what < EXPECTATION && !read_name(deck, query, q, message, size)) return false;
  if ((what >= EXPECTATION || q->of_state) && equation != INK_POPULATION_DENSITY &&
      equation != INK_POPULATION_STATIONARY)
    return refuse(message, size, "%s is of a density, and equation is %s", query->kind,
                  ink_deck_text(deck, "equation"));
  if (known[what].option) {
    const InkNode *option = query->entry ? ink_tree_child(query->entry, known[what].option) : NULL;
    q->expression = option ? option->expression : NULL;
    if (!q->expression)
      return refuse(message, size, "%s needs the key `%s`", query->kind, known[what].option);
  }
  if (what != ABSORBED) return true;
  q->end = ink_population_end(query->argument);
  if (q->end < 0) return refuse(message, size, "absorbed: write absorbed:x_min or absorbed:x_max");
  const InkPopulation population = ink_population_of(deck);
  if (ink_population_absorbs(&population, q->end)) return true;
  return refuse(message, size, "absorbed:%s: mutation leads away from there", query->argument);
}

bool ink_population_defined(const InkDeck *deck, const InkQuery *query, InkDim *dim, char *message,
                            size_t size) {
  Question question;
  *dim = ink_dim_none();
  return read_question(deck, query, &question, message, size);
}

/* ---- values ---- */

/* Sum over the states of their probability times (x - origin)^power, of times `of`, an array of the mesh. All
 * ranks have all probabilities; each adds its own cells. */
static PetscErrorCode sum_over(const InkPopulationRun *r, const double *of, double origin, int power,
                               double *value) {
  PetscFunctionBeginUser;
  const double n = (double)r->population.size;
  InkSum sum;
  ink_sum_clear(&sum);
  for (int64_t i = 0; i < r->mesh->count[0]; i++) {
    const int64_t state = r->mesh->start[0] + i;
    const double x = (double)state / n - origin, weight = of           ? of[r->mesh->origin + i]
                                                          : power == 1 ? x
                                                                       : x * x;
    if (r->value[state] != 0) ink_sum_add_product(&sum, r->value[state], weight);
  }
  PetscCall(ink_sum_reduce(r->comm, 1, &sum, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode moment(const InkPopulationRun *r, Asked what, double *value) {
  PetscFunctionBeginUser;
  PetscCall(sum_over(r, NULL, 0, 1, value));
  if (what == VARIANCE) PetscCall(sum_over(r, NULL, *value, 2, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode mean_of(const InkPopulationRun *r, const Question *q, double *value) {
  PetscFunctionBeginUser;
  char message[256] = "";
  double *of;
  InkProgram *program = ink_program_create(1, &q->expression, INK_ROW_UNIFORM, message, sizeof message);
  if (!program) PetscFunctionReturn(0); /* far too long: the value is not a number */
  PetscCall(ink_mesh_array(r->mesh, &of));
  PetscCall(ink_mesh_evaluate(r->mesh, program, r->now, 0, NULL, &of));
  ink_program_destroy(&program);
  for (int64_t c = r->mesh->origin; q->what == PROBABILITY && c < r->mesh->origin + r->mesh->count[0]; c++)
    if (!isnan(of[c])) of[c] = of[c] != 0;
  PetscCall(sum_over(r, of, 0, 0, value));
  ink_mesh_free(&of);
  PetscFunctionReturn(0);
}

static PetscErrorCode field_value(const InkPopulationRun *r, const InkQuery *query, const Question *q,
                                  double *value) {
  PetscFunctionBeginUser;
  const InkFieldView view = {.mesh = r->mesh, .values = r->u};
  const double *given;
  double first, second;
  if (q->what == PROBE) {
    ink_deck_numbers(r->deck, &given, "probes.%s.at", query->argument);
    PetscCall(ink_observe_probe(&view, (const double[3]){given[0], 0, 0}, value));
  } else if (q->what == INTEGRAL) {
    PetscCall(ink_observe_integral(&view, value));
  } else if (q->what == MINIMUM || q->what == MAXIMUM) {
    PetscCall(ink_observe_range(&view, &first, &second));
    *value = q->what == MINIMUM ? first : second;
  } else {
    PetscCall(ink_observe_mean_variance(&view, &first, &second));
    *value = q->what == MEAN ? first : second;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_population_quantity(void *self, const InkQuery *query, InkValue *value) {
  PetscFunctionBeginUser;
  const InkPopulationRun *r = self;
  Question q;
  char message[512];
  *value = (InkValue){.value = NAN, .unit = "1"};
  if (!read_question(r->deck, query, &q, message, sizeof message)) PetscFunctionReturn(0);
  if (q.what == ABSORBED)
    value->value = r->value[q.end ? r->population.size : 0];
  else if (q.what == EXPECTATION || q.what == PROBABILITY)
    PetscCall(mean_of(r, &q, &value->value));
  else if (q.of_state)
    PetscCall(moment(r, q.what, &value->value));
  else
    PetscCall(field_value(r, query, &q, &value->value));
  PetscFunctionReturn(0);
}
