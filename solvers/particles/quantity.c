/* The values of the quantities, with their standard errors.
 *
 * Particles are independent, so a mean over N of them has the error sqrt(variance/N), and a part q of them
 * sqrt(q (1 - q)/N). What is asked of the histogram is a weighted sum of its counts c, sum w c/(N V), with
 * the error sqrt(sum (w/V)^2 c)/N. Sums are exact in any order. */
#include <math.h>
#include "../core/observe.h"
#include "particles_impl.h"

/* ---- of all particles ---- */

/* The part `count` of all particles. */
static void set_part(const InkParticles *s, double count, InkValue *v) {
  const double all = (double)s->ensemble->count, q = count / all;
  v->value = q;
  v->standard_error = sqrt(fmax(q * (1.0 - q), 0.0) / all);
}

static void set_mean(const InkMoments *m, bool variance, InkValue *v) {
  v->value = variance ? m->variance : m->mean;
  v->standard_error = variance ? m->variance_error : m->mean_error;
}

/* The array a mean is of; NULL where it has to be made of others, or the run does not keep it. */
static const double *kept_values(const InkParticles *s, const InkRequest *r) {
  const InkEnsemble *e = s->ensemble;
  if (r->of == INK_OF_STATE) return e->x[r->state];
  if (r->of == INK_OF_TOTAL_VARIATION) return r->state < 0 ? e->length : e->total[r->state];
  return r->of == INK_OF_QUADRATIC_VARIATION && r->state >= 0 ? e->quadratic[r->state] : NULL;
}

/* Makes what is asked of every particle, [n], of what the run keeps; NULL where it does not. */
static PetscErrorCode make_values(const InkParticles *s, const InkRequest *r, double **values) {
  PetscFunctionBeginUser;
  const InkEnsemble *e = s->ensemble;
  const bool passage = r->of == INK_OF_PASSAGE_TIME, square = r->of == INK_OF_SQUARED_DISPLACEMENT;
  const bool kept = passage ? e->when != NULL : square ? e->moved[0] != NULL : e->quadratic[0] != NULL;
  *values = NULL;
  if (!kept) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)e->n + 1, values));
  for (int64_t i = 0; i < e->n && passage; i++) (*values)[i] = e->when[i] - s->start;
  for (int a = 0; a < e->dim && !passage; a++) {
    if (r->state >= 0 && r->state != a) continue;
    for (int64_t i = 0; i < e->n; i++)
      (*values)[i] += square ? e->moved[a][i] * e->moved[a][i] : e->quadratic[a][i];
  }
  PetscFunctionReturn(0);
}

static InkWho who_counts(InkOf of) {
  if (of == INK_OF_STATE) return INK_THOSE_INSIDE;
  return of == INK_OF_PASSAGE_TIME ? INK_THOSE_ABSORBED : INK_ALL_PARTICLES;
}

static PetscErrorCode moment_value(const InkParticles *s, const InkRequest *r, InkValue *v) {
  PetscFunctionBeginUser;
  const double *values = kept_values(s, r);
  double *made = NULL;
  InkMoments moments;
  if (!values) PetscCall(make_values(s, r, &made));
  if (!values && !made) PetscFunctionReturn(0);
  PetscCall(ink_ensemble_moments(s->ensemble, who_counts(r->of), r->fate, values ? values : made, &moments));
  set_mean(&moments, r->what == INK_WANTED_VARIANCE, v);
  PetscCall(PetscFree(made));
  PetscFunctionReturn(0);
}

/* ---- expressions ---- */

/* An expression at the places of all particles; 0 of those that are absorbed. `condition`: 1 where it is
 * true. */
static void evaluate(const InkParticles *s, const InkProgram *program, bool condition, double *values) {
  const InkEnsemble *e = s->ensemble;
  const double now = ink_particles_forward_time(s);
  const double *in[INK_VARS] = {0}; /* only states are read */
  for (int a = 0; a < e->dim; a++) in[INK_VAR_X + a] = e->x[a];
  in[INK_VAR_T] = &now;
  if (e->n > 0) ink_program_run(program, (size_t)e->n, in, &values);
  for (int64_t i = 0; i < e->n; i++) {
    if (!ink_is_inside(e, i)) values[i] = 0.0;
    if (condition && !isnan(values[i])) values[i] = values[i] != 0.0;
  }
}

/* The part of a cell in which a condition is true: at the middles of so many equal parts of each axis, as
 * probabilities of densities are looked at. */
static double true_part(const InkParticles *s, const InkProgram *condition, const int64_t cell[3]) {
  enum { MOST = 16 * 16 };
  static const int parts[] = {16, 8, 4};
  const int dim = s->mesh->dim, n = parts[dim - 1];
  const double now = ink_particles_forward_time(s);
  double x[3][MOST] = {{0}}, truth[MOST], *out = truth, sum = 0.0;
  const double *in[INK_VARS] = {0};
  int all = 1;
  for (int a = 0; a < 3; a++) in[INK_VAR_X + a] = x[a];
  in[INK_VAR_T] = &now;
  for (int a = 0; a < dim; a++) all *= n;
  for (int a = 0, every = 1; a < dim; a++, every *= n) {
    const double *face = s->mesh->axis[a].face + cell[a];
    for (int k = 0; k < all; k++) x[a][k] = face[0] + (face[1] - face[0]) * (k / every % n + 0.5) / n;
  }
  ink_program_run(condition, (size_t)all, in, &out);
  for (int k = 0; k < all; k++) sum += isnan(truth[k]) ? NAN : truth[k] != 0.0;
  return sum / all;
}

/* Particles of a chain are anywhere in their cells: the mean of their cells' true parts. */
static PetscErrorCode chain_probability(InkParticles *s, const InkProgram *condition, InkValue *v) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = s->mesh;
  InkSum sum[2];
  double total[2];
  int64_t own[3];
  PetscCall(ink_particles_count(s));
  ink_sum_clear(&sum[0]);
  ink_sum_clear(&sum[1]);
  for (own[2] = 0; own[2] < mesh->count[2]; own[2]++)
    for (own[1] = 0; own[1] < mesh->count[1]; own[1]++)
      for (own[0] = 0; own[0] < mesh->count[0]; own[0]++) {
        int64_t cell[3], number = 0;
        for (int a = 0; a < 3; a++) cell[a] = mesh->start[a] + own[a];
        for (int a = 2; a >= 0; a--) number = number * mesh->axis[a].cells + cell[a];
        if (s->counts[number] == 0) continue;
        const double part = true_part(s, condition, cell);
        ink_sum_add_product(&sum[0], (double)s->counts[number], part);
        ink_sum_add_product(&sum[1], (double)s->counts[number], part * part);
      }
  PetscCall(ink_sum_reduce(s->comm, 2, sum, total));
  const double all = (double)s->ensemble->count;
  v->value = total[0] / all;
  v->standard_error = sqrt(fmax(total[1] / all - v->value * v->value, 0.0) / all);
  PetscFunctionReturn(0);
}

static PetscErrorCode path_expression(const InkParticles *s, const InkProgram *program, bool condition,
                                      InkValue *v) {
  PetscFunctionBeginUser;
  double *values;
  InkMoments moments;
  PetscCall(PetscMalloc1((size_t)s->ensemble->n + 1, &values));
  evaluate(s, program, condition, values);
  PetscCall(ink_ensemble_moments(s->ensemble, INK_ALL_PARTICLES, -1, values, &moments));
  set_mean(&moments, false, v);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

static PetscErrorCode expression_value(InkParticles *s, const InkRequest *r, InkValue *v) {
  PetscFunctionBeginUser;
  const bool probability = r->what == INK_WANTED_PROBABILITY;
  char message[256] = "";
  InkProgram *program = ink_program_create(1, &r->expression, 1ull << INK_VAR_T, message, sizeof message);
  if (!program) PetscFunctionReturn(0); /* far too long: the value is not a number */
  if (probability && s->chain)
    PetscCall(chain_probability(s, program, v));
  else
    PetscCall(path_expression(s, program, probability, v));
  ink_program_destroy(&program);
  PetscFunctionReturn(0);
}

/* ---- absorption ---- */

static PetscErrorCode absorbed_value(const InkParticles *s, const InkRequest *r, InkValue *v) {
  PetscFunctionBeginUser;
  int64_t number[INK_FATES], inside;
  PetscCall(ink_ensemble_fates(s->ensemble, number, &inside));
  set_part(s, (double)number[r->fate], v);
  PetscFunctionReturn(0);
}

/* A chain, and paths without bridges, are absorbed at the ends of steps. */
static PetscErrorCode flux_value(const InkParticles *s, const InkRequest *r, InkValue *v) {
  PetscFunctionBeginUser;
  const bool ends = s->chain || !ink_deck_bool(s->deck, "particles.bridge");
  const double step = s->span.count > 0 ? (s->span.to - s->span.from) / (double)s->span.count : s->dt_longest;
  v->value = 0.0;
  if (!s->ensemble->fate) PetscFunctionReturn(0);
  PetscCall(ink_ensemble_flux(s->ensemble, r->fate, s->start, s->now, ends ? step : 0.0, &v->value,
                              &v->standard_error));
  PetscFunctionReturn(0);
}

/* ---- the histogram as a field ---- */

/* The cells between whose centroids a place lies along an axis, and how far from the first to the second. */
typedef struct Between {
  int64_t cell[2];
  double weight[2];
} Between;

static Between locate(const InkAxis *axis, double at) {
  const double *c = axis->centroid;
  int64_t low = ink_axis_cell(axis, at);
  if (at < c[low]) low--;
  if (low < 0 || low == axis->cells - 1) { /* beyond the last centroid: the cell's own value nearly */
    const int64_t end = low < 0 ? 0 : low;
    return (Between){{end, end}, {1.0, 0.0}};
  }
  const double part = (at - c[low]) / (c[low + 1] - c[low]);
  return (Between){{low, low + 1}, {1.0 - part, part}};
}

/* Of a value interpolated from the histogram at a place: sqrt(sum (w/V)^2 c)/N. */
static double probe_error(const InkParticles *s, const double at[3]) {
  const InkMesh *mesh = s->mesh;
  Between between[3] = {{{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}, {{0, 0}, {1.0, 0.0}}};
  double sum = 0.0;
  for (int a = 0; a < mesh->dim; a++) between[a] = locate(&mesh->axis[a], at[a]);
  for (int corner = 0; corner < 8; corner++) {
    double weight = 1.0;
    int64_t cell = 0;
    for (int a = 2; a >= 0; a--) {
      const int64_t i = between[a].cell[corner >> a & 1];
      weight *= between[a].weight[corner >> a & 1] / mesh->axis[a].volume[i];
      cell = cell * mesh->axis[a].cells + i;
    }
    sum += weight * weight * (double)s->counts[cell];
  }
  return sqrt(sum) / (double)s->ensemble->count;
}

/* As of a density: sides that absorb by diffusion have the value 0. */
static PetscErrorCode probe_value(const InkParticles *s, const InkRequest *r, InkFieldView *view,
                                  InkValue *v) {
  PetscFunctionBeginUser;
  const InkProcess *process = &s->model.process;
  const double *given;
  double at[3] = {0.0, 0.0, 0.0}, *nothing;
  int64_t most = 1;
  const int n = ink_deck_numbers(s->deck, &given, "probes.%s.at", r->probe);
  for (int a = 0; a < n && a < 3; a++) at[a] = given[a];
  for (int side = 0; side < INK_SIDES; side++)
    if (ink_side_count(s->mesh, side) > most) most = ink_side_count(s->mesh, side);
  PetscCall(PetscCalloc1((size_t)most, &nothing));
  for (int side = 0; side < 2 * process->dim; side++)
    if (process->absorbing[side] && process->diffusion[side / 2][side / 2]) view->side_value[side] = nothing;
  PetscCall(ink_observe_probe(view, at, &v->value));
  PetscCall(PetscFree(nothing));
  if (r->field == 0) v->standard_error = probe_error(s, at);
  PetscFunctionReturn(0);
}

/* The integral of the histogram is the part of the particles that is inside; its mean is that over the
 * volume. */
static PetscErrorCode inside_error(const InkParticles *s, bool mean, InkValue *v) {
  PetscFunctionBeginUser;
  int64_t number[INK_FATES], inside;
  double volume = 1.0;
  InkValue part = {.value = NAN};
  PetscCall(ink_ensemble_fates(s->ensemble, number, &inside));
  set_part(s, (double)inside, &part);
  for (int a = 0; a < s->mesh->dim && mean; a++) volume *= s->mesh->axis[a].to - s->mesh->axis[a].from;
  v->standard_error = part.standard_error / volume;
  PetscFunctionReturn(0);
}

static PetscErrorCode field_value(InkParticles *s, const InkRequest *r, InkValue *v) {
  PetscFunctionBeginUser;
  double first = NAN, second = NAN;
  PetscCall(ink_particles_count(s));
  InkFieldView view = {.mesh = s->mesh, .values = r->field == 0 ? s->p : s->density};
  switch (r->what) {
  case INK_WANTED_PROBE:
    PetscCall(probe_value(s, r, &view, v));
    break;
  case INK_WANTED_INTEGRAL:
    PetscCall(ink_observe_integral(&view, &v->value));
    if (r->field == 0) PetscCall(inside_error(s, false, v));
    break;
  case INK_WANTED_FIELD_MEAN:
  case INK_WANTED_FIELD_VARIANCE:
    PetscCall(ink_observe_mean_variance(&view, &first, &second));
    v->value = r->what == INK_WANTED_FIELD_MEAN ? first : second;
    if (r->field == 0 && r->what == INK_WANTED_FIELD_MEAN) PetscCall(inside_error(s, true, v));
    break;
  case INK_WANTED_MIN:
  case INK_WANTED_MAX:
    PetscCall(ink_observe_range(&view, &first, &second));
    v->value = r->what == INK_WANTED_MIN ? first : second;
    break;
  default: /* of errors */
    PetscCall(ink_observe_error(&view, s->exact, ink_particles_forward_time(s), &first, &second));
    v->value = r->what == INK_WANTED_ERROR_L2 ? first : second;
  }
  PetscFunctionReturn(0);
}

/* ---- histogram and density ---- */

static PetscErrorCode along_value(const InkParticles *s, const InkRequest *r, double *value) {
  PetscFunctionBeginUser;
  const InkAxis *axis = &s->mesh->axis[r->state];
  double *counts, *mass, p_value;
  PetscCall(ink_particles_marginals(s, r->state, &counts, &mass));
  const double largest = ink_distance_kolmogorov_smirnov(axis->cells, counts, mass, &p_value);
  *value = r->what == INK_WANTED_WASSERSTEIN ? ink_distance_wasserstein(axis->cells, counts, mass, axis->face)
           : r->what == INK_WANTED_KOLMOGOROV_SMIRNOV ? largest
                                                      : p_value;
  PetscCall(PetscFree(counts));
  PetscCall(PetscFree(mass));
  PetscFunctionReturn(0);
}

static PetscErrorCode comparison_value(InkParticles *s, const InkRequest *r, double *value) {
  PetscFunctionBeginUser;
  const int64_t cells = s->mesh->cells, all = s->ensemble->count;
  double chance;
  PetscCall(ink_particles_count(s));
  if (r->what == INK_WANTED_TOTAL_VARIATION_DISTANCE)
    *value = ink_distance_total_variation(cells, s->counts, all, s->mass, &chance);
  else if (r->what == INK_WANTED_CHI_SQUARED_P)
    *value = ink_chi_squared(cells, s->counts, all, s->mass).p_value;
  else
    PetscCall(along_value(s, r, value));
  PetscFunctionReturn(0);
}

/* ---- all ---- */

PetscErrorCode ink_particles_quantity(void *self, const InkQuery *query, InkValue *value) {
  PetscFunctionBeginUser;
  InkParticles *s = self;
  InkRequest r;
  char message[512];
  *value = (InkValue){.value = NAN, .unit = "1"};
  if (!ink_request_read(s->deck, query, &r, message, sizeof message)) PetscFunctionReturn(0);
  value->unit = ink_dim_text(s->pool, &s->texts, &r.dim);
  switch (r.what) {
  case INK_WANTED_MEAN:
  case INK_WANTED_VARIANCE:
    PetscCall(moment_value(s, &r, value));
    break;
  case INK_WANTED_PROBABILITY:
  case INK_WANTED_EXPECTATION:
    PetscCall(expression_value(s, &r, value));
    break;
  case INK_WANTED_ABSORBED:
    PetscCall(absorbed_value(s, &r, value));
    break;
  case INK_WANTED_FLUX:
    PetscCall(flux_value(s, &r, value));
    break;
  case INK_WANTED_TOTAL_VARIATION_DISTANCE:
  case INK_WANTED_WASSERSTEIN:
  case INK_WANTED_KOLMOGOROV_SMIRNOV:
  case INK_WANTED_CHI_SQUARED_P:
  case INK_WANTED_KOLMOGOROV_SMIRNOV_P:
    PetscCall(comparison_value(s, &r, &value->value));
    break;
  default:
    PetscCall(field_value(s, &r, value));
  }
  if (value->value == 0.0) value->value = 0.0; /* no minus sign before nothing */
  if (!isfinite(value->standard_error)) value->standard_error = 0.0;
  PetscFunctionReturn(0);
}
