/* The values of the quantities. What is asked of the density are sums over the cells of volume times p times
 * the value at the centroid, exact in any order; means and variances are divided by the mass that is left. */
#include <math.h>
#include "../core/observe.h"
#include "fokker_planck_impl.h"

/* ---- sums over the density ---- */

typedef struct CellLoop {
  const InkFokkerPlanck *f;
  int axis; /* weigh with (x_axis - origin)^power */
  double origin;
  const double *of; /* or with these values, an array of the mesh */
} CellLoop;

static double weight_of(const CellLoop *loop, int64_t cell, const int64_t at[3], int power) {
  const InkMesh *mesh = loop->f->mesh;
  if (loop->of) return loop->of[cell];
  if (power == 0) return 1.0;
  const double x = mesh->axis[loop->axis].centroid[mesh->start[loop->axis] + at[loop->axis]] - loop->origin;
  return power == 1 ? x : x * x;
}

/* Sum over the cells of volume times p times the weight. Collective. */
static PetscErrorCode sum_over(const CellLoop *loop, int power, double *value) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = loop->f->mesh;
  const double *volume = loop->f->generator->volume, *p = loop->f->u;
  InkSum sum;
  int64_t at[3];
  ink_sum_clear(&sum);
  for (at[2] = 0; at[2] < mesh->count[2]; at[2]++)
    for (at[1] = 0; at[1] < mesh->count[1]; at[1]++)
      for (at[0] = 0; at[0] < mesh->count[0]; at[0]++) {
        const int64_t cell = mesh->origin + at[0] + at[1] * mesh->stride[1] + at[2] * mesh->stride[2];
        const double mass = volume[cell] * p[cell];
        if (mass != 0.0) ink_sum_add_product(&sum, mass, weight_of(loop, cell, at, power));
      }
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode state_moment(const InkFokkerPlanck *f, const InkInquiry *q, double *value) {
  PetscFunctionBeginUser;
  CellLoop loop = {.f = f, .axis = q->axis};
  double mass, first;
  PetscCall(sum_over(&loop, 0, &mass));
  PetscCall(sum_over(&loop, 1, &first));
  *value = first / mass;
  if (q->what == INK_SOUGHT_STATE_MEAN) PetscFunctionReturn(0);
  loop.origin = *value;
  PetscCall(sum_over(&loop, 2, value));
  *value /= mass;
  PetscFunctionReturn(0);
}

/* ---- conditions ---- */

enum { MOST_SAMPLES = 16 };

/* The places in a cell at which a condition is looked at: the middles of so many equal parts of each axis. */
static int samples_along(const InkMesh *mesh, int axis) {
  static const int samples[] = {MOST_SAMPLES, 8, 4};
  return axis < mesh->dim ? samples[mesh->dim - 1] : 1;
}

static double sample_at(const InkMesh *mesh, int axis, int64_t local, int s) {
  const double *face = mesh->axis[axis].face + mesh->start[axis] + local;
  return face[0] + (face[1] - face[0]) * (s + 0.5) / samples_along(mesh, axis);
}

/* Adds to count[] of a row of cells at how many of its samples the condition is true; y, z: of the row. */
static void count_row(const InkFokkerPlanck *f, const InkProgram *condition, double y, double z, double *x,
                      double *truth, double *count) {
  const double *in[INK_VARS] = {0};
  in[INK_VAR_X] = x;
  in[INK_VAR_Y] = &y;
  in[INK_VAR_Z] = &z;
  in[INK_VAR_T] = &f->now;
  for (int s = 0; s < samples_along(f->mesh, 0); s++) {
    for (int64_t i = 0; i < f->mesh->count[0]; i++) x[i] = sample_at(f->mesh, 0, i, s);
    ink_program_run(condition, (size_t)f->mesh->count[0], in, &truth);
    for (int64_t i = 0; i < f->mesh->count[0]; i++) count[i] += isnan(truth[i]) ? NAN : truth[i] != 0.0;
  }
}

/* The part of each cell in which the condition is true, at f->now. */
static PetscErrorCode true_part(const InkFokkerPlanck *f, const InkProgram *condition, double *part) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = f->mesh;
  const int ny = samples_along(mesh, 1), nz = samples_along(mesh, 2), all = samples_along(mesh, 0) * ny * nz;
  double *x, *truth;
  PetscCall(PetscMalloc2((size_t)mesh->count[0], &x, (size_t)mesh->count[0], &truth));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      double *row = part + mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int s = 0; s < ny * nz; s++)
        count_row(f, condition, mesh->dim > 1 ? sample_at(mesh, 1, j, s % ny) : 0.0,
                  mesh->dim > 2 ? sample_at(mesh, 2, k, s / ny) : 0.0, x, truth, row);
      for (int64_t i = 0; i < mesh->count[0]; i++) row[i] /= all;
    }
  PetscCall(PetscFree2(x, truth));
  PetscFunctionReturn(0);
}

/* probability and expectation: what has been absorbed counts as 0. */
static PetscErrorCode expression_value(const InkFokkerPlanck *f, const InkInquiry *q, double *value) {
  PetscFunctionBeginUser;
  char message[256] = "";
  double *of;
  CellLoop loop = {.f = f};
  InkProgram *program = ink_program_create(1, &q->expression, INK_ROW_UNIFORM, message, sizeof message);
  if (!program) PetscFunctionReturn(0); /* far too long: the value is not a number */
  PetscCall(ink_mesh_array(f->mesh, &of));
  if (q->what == INK_SOUGHT_PROBABILITY)
    PetscCall(true_part(f, program, of));
  else
    PetscCall(ink_mesh_evaluate(f->mesh, program, f->now, 0, NULL, &of));
  ink_program_destroy(&program);
  loop.of = of;
  PetscCall(sum_over(&loop, 0, value));
  ink_mesh_free(&of);
  PetscFunctionReturn(0);
}

/* ---- fields ---- */

/* The values that sides have of themselves: all that absorb through diffusion. */
static void side_values(const InkFokkerPlanck *f, InkFieldView *view) {
  for (int side = 0; side < INK_SIDES; side++) {
    if (!f->generator->exit[side] || !f->diffuses[side / 2]) continue;
    if (f->equation == INK_FIRST_PASSAGE && f->target >= 0 && side != f->target) continue;
    const bool hit = f->equation == INK_HITTING_PROBABILITY && side == f->target;
    view->side_value[side] = hit ? f->one : f->nothing;
  }
}

static PetscErrorCode probe_value(const InkFokkerPlanck *f, const InkInquiry *q, InkFieldView *view,
                                  double *value) {
  PetscFunctionBeginUser;
  const double *given;
  double at[3] = {0.0, 0.0, 0.0};
  const int n = ink_deck_numbers(f->deck, &given, "probes.%s.at", q->probe);
  for (int a = 0; a < n && a < 3; a++) at[a] = given[a];
  side_values(f, view);
  PetscCall(ink_observe_probe(view, at, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode field_value(const InkFokkerPlanck *f, const InkInquiry *q, double *value) {
  PetscFunctionBeginUser;
  InkFieldView view = {.mesh = f->mesh, .values = f->u + (int64_t)q->field * f->mesh->size};
  double first = NAN, second = NAN;
  switch (q->what) {
  case INK_SOUGHT_PROBE:
    PetscCall(probe_value(f, q, &view, value));
    break;
  case INK_SOUGHT_INTEGRAL:
    PetscCall(ink_observe_integral(&view, value));
    break;
  case INK_SOUGHT_MEAN:
  case INK_SOUGHT_VARIANCE:
    PetscCall(ink_observe_mean_variance(&view, &first, &second));
    *value = q->what == INK_SOUGHT_MEAN ? first : second;
    break;
  case INK_SOUGHT_MIN:
  case INK_SOUGHT_MAX:
    PetscCall(ink_observe_range(&view, &first, &second));
    *value = q->what == INK_SOUGHT_MIN ? first : second;
    break;
  default: /* of errors */
    PetscCall(ink_observe_error(&view, f->exact[q->field], f->now, &first, &second));
    *value = q->what == INK_SOUGHT_ERROR_L2 ? first : second;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_fokker_planck_quantity(void *self, const InkQuery *query, InkValue *value) {
  PetscFunctionBeginUser;
  InkFokkerPlanck *f = self;
  InkInquiry q;
  char message[512];
  *value = (InkValue){.value = NAN, .unit = "1"};
  if (!ink_inquiry_read(f->deck, query, &q, message, sizeof message)) PetscFunctionReturn(0);
  value->unit = ink_dim_text(f->pool, &f->texts, &q.dim);
  switch (q.what) {
  case INK_SOUGHT_STATE_MEAN:
  case INK_SOUGHT_STATE_VARIANCE:
    PetscCall(state_moment(f, &q, &value->value));
    break;
  case INK_SOUGHT_PROBABILITY:
  case INK_SOUGHT_EXPECTATION:
    PetscCall(expression_value(f, &q, &value->value));
    break;
  case INK_SOUGHT_FLUX:
    PetscCall(ink_generator_at(f->generator, f->now));
    PetscCall(ink_generator_flux(f->generator, q.side, f->u, &value->value));
    break;
  case INK_SOUGHT_ABSORBED:
    PetscCall(ink_generator_absorbed(f->generator, q.side, &value->value));
    break;
  case INK_SOUGHT_EIGENVALUE:
    value->value = q.k == 0 ? 0.0 : f->solved ? f->decay[q.k - 1] : NAN;
    break;
  default:
    PetscCall(field_value(f, &q, &value->value));
  }
  if (value->value == 0.0) value->value = 0.0; /* no minus sign before nothing */
  PetscFunctionReturn(0);
}
