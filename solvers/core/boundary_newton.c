/* The coupled fields of a side: for the surface values us of a face, of all its coupled fields together,
 *
 *     R_s(us) = H_s(us,u) - q_s(us) = 0       (value side: us_s - v_s(us) = 0; immobile: us_s - u_s = 0)
 *
 * with H_s the flux through the half cell and q_s the law, by Newton's method: J dus = -R, J = dR/dus dense,
 * by elimination with partial pivoting. A step that makes the residuals, each in units of its row of J, grow
 * is halved. The slopes follow from the implicit function theorem, dus/du = -J^-1 dR/du. */
#include <math.h>
#include <string.h>
#include "boundary_impl.h"

enum { STEPS = 300 };
static const double round_off = 4e-16;      /* of the residual, relative to its terms */
static const double least_fraction = 1e-12; /* of a step; below, it is taken as it is */

/* ---- equations of a face ---- */

/* Adds a conductor's k-derivatives to the rows: k is the mean over cell and side, `by_k` the flux's
 * derivative with respect to it. */
static void add_k_slopes(const InkConductor *conductor, int64_t count, int64_t i, double by_k,
                         double *by_surface, double *by_cell) {
  for (int j = 0; j < conductor->dependences; j++) {
    const int64_t at = (1 + j) * count + i;
    by_surface[conductor->field[j]] += 0.5 * conductor->surface[at] * by_k;
    by_cell[conductor->field[j]] += 0.5 * conductor->cell[at] * by_k;
  }
}

/* Flux through the half cell of field s at face i, and its derivatives with respect to all us and u. */
static double half_cell(const InkClosure *closure, int s, int64_t i, double *by_surface, double *by_cell) {
  const struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  const double d = closure->distance;
  double flow = 0.0;
  for (int f = 0; f < closure->n; f++) by_surface[f] = by_cell[f] = 0.0;
  for (int c = parts->field[s].conductor; c < parts->conductors && parts->conductor[c].row == s; c++) {
    const InkConductor *conductor = &parts->conductor[c];
    const int f = conductor->column;
    const double u = parts->state[f * count + i], us = closure->surface[f * count + i];
    const double k =
        conductor->dependences ? 0.5 * (conductor->cell[i] + conductor->surface[i]) : conductor->cell[i];
    double by_k = (us - u) / d;
    if (f == s && parts->velocity) {
      const InkCarry half = ink_carry(k, parts->speed[i], d);
      flow += half.into * us - half.out * u;
      by_surface[s] += half.into;
      by_cell[s] -= half.out;
      by_k = half.into_by_k * us - half.out_by_k * u;
    } else {
      flow += k * by_k;
      by_surface[f] += k / d;
      by_cell[f] -= k / d;
    }
    add_k_slopes(conductor, count, i, by_k, by_surface, by_cell);
  }
  return flow;
}

/* The terms' size of a residual, to tell round-off from an error. */
static double magnitude(const InkClosure *closure, int64_t i, double law, const double *by_surface,
                        const double *by_cell) {
  double sum = fabs(law);
  for (int f = 0; f < closure->n; f++)
    sum += fabs(by_surface[f] * closure->surface[f * closure->count + i]) +
           fabs(by_cell[f] * closure->parts->state[f * closure->count + i]);
  return sum;
}

/* Row a of the equations of face i: R, dR/dus, dR/du. */
static void equation(InkClosure *closure, int a, int64_t i) {
  struct InkClosureParts *parts = closure->parts;
  InkSurfaceNewton *newton = &parts->newton;
  const int n = closure->n, s = newton->field[a];
  const int64_t count = closure->count;
  const InkSideField *field = &parts->field[s];
  const double us = closure->surface[s * count + i], u = parts->state[s * count + i];
  double *by_surface = newton->by_surface + a * n, *by_cell = newton->by_cell + a * n;
  double *flow_by_surface = newton->flow_by_surface + a * n, *flow_by_cell = newton->flow_by_cell + a * n;
  const InkSideType kind = (InkSideType)field->kind[i];
  const double law = kind == INK_SIDE_CLOSED ? 0.0 : field->data[i];
  newton->flow[a] = field->mobile ? half_cell(closure, s, i, flow_by_surface, flow_by_cell) : 0.0;
  bool stays = !field->mobile;
  if (field->mobile && kind == INK_SIDE_VALUE) {
    for (int f = 0; f < n; f++) by_surface[f] = by_cell[f] = 0.0;
    by_surface[s] = 1.0;
    newton->residual[a] = us - law;
  } else if (field->mobile) {
    for (int f = 0; f < n; f++) by_surface[f] = flow_by_surface[f];
    for (int f = 0; f < n; f++) by_cell[f] = flow_by_cell[f];
    newton->residual[a] = newton->flow[a] - law;
  }
  if (field->mobile && kind != INK_SIDE_CLOSED)
    for (int j = 0; j < field->dependences; j++)
      by_surface[field->field[j]] -= field->data[(1 + j) * count + i];
  if (field->mobile && us == u) { /* a half cell that carries nothing, and a given flux */
    stays = true;
    for (int f = 0; f < n; f++) stays = stays && by_surface[f] == 0.0;
  }
  if (stays) {
    for (int f = 0; f < n; f++) by_surface[f] = by_cell[f] = 0.0;
    by_surface[s] = 1.0;
    by_cell[s] = -1.0;
    newton->residual[a] = us - u;
  }
  newton->magnitude[a] = magnitude(closure, i, stays ? 0.0 : law, by_surface, by_cell);
}

/* ---- dense elimination ---- */

/* Solves matrix X = right, matrix [m][m], right [m][columns] -> X; pivots are chosen relative to their rows.
 * False when singular. */
static bool eliminate(int m, double *matrix, int columns, double *right) {
  double largest[INK_MAX_FIELDS];
  for (int r = 0; r < m; r++) {
    largest[r] = 0.0;
    for (int c = 0; c < m; c++) largest[r] = fmax(largest[r], fabs(matrix[r * m + c]));
  }
  for (int c = 0; c < m; c++) {
    int pivot = c;
    for (int r = c + 1; r < m; r++)
      if (fabs(matrix[r * m + c]) * largest[pivot] > fabs(matrix[pivot * m + c]) * largest[r]) pivot = r;
    if (matrix[pivot * m + c] == 0.0) return false;
    for (int k = 0; k < m && pivot != c; k++) {
      const double keep = matrix[c * m + k];
      matrix[c * m + k] = matrix[pivot * m + k];
      matrix[pivot * m + k] = keep;
    }
    for (int k = 0; k < columns && pivot != c; k++) {
      const double keep = right[c * columns + k];
      right[c * columns + k] = right[pivot * columns + k];
      right[pivot * columns + k] = keep;
    }
    largest[pivot] = largest[c];
    for (int r = c + 1; r < m; r++) {
      const double factor = matrix[r * m + c] / matrix[c * m + c];
      if (factor == 0.0) continue;
      for (int k = c + 1; k < m; k++) matrix[r * m + k] -= factor * matrix[c * m + k];
      for (int k = 0; k < columns; k++) right[r * columns + k] -= factor * right[c * columns + k];
    }
  }
  for (int r = m - 1; r >= 0; r--)
    for (int k = 0; k < columns; k++) {
      double sum = right[r * columns + k];
      for (int c = r + 1; c < m; c++) sum -= matrix[r * m + c] * right[c * columns + k];
      right[r * columns + k] = sum / matrix[r * m + r];
    }
  return true;
}

static void copy_matrix(const InkClosure *closure) {
  const InkSurfaceNewton *newton = &closure->parts->newton;
  for (int a = 0; a < newton->m; a++)
    for (int b = 0; b < newton->m; b++)
      newton->matrix[a * newton->m + b] = newton->by_surface[a * closure->n + newton->field[b]];
}

/* ---- iteration ---- */

void ink_side_surface_terms(InkClosure *closure, double t) {
  const struct InkClosureParts *parts = closure->parts;
  for (int a = 0; a < parts->newton.m; a++) {
    const int s = parts->newton.field[a];
    if (parts->field[s].data_state) ink_side_data(closure, s, t, closure->surface);
  }
  for (int c = 0; c < parts->conductors; c++) {
    const InkConductor *conductor = &parts->conductor[c];
    if (conductor->dependences && parts->field[conductor->row].form == INK_FORM_COUPLED)
      ink_side_run(closure, conductor->program, parts->cell_at, t, closure->surface, conductor->surface);
  }
}

/* Open faces start from the cell's values. */
static int64_t start(InkClosure *closure) {
  const struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  int64_t open = 0;
  for (int64_t i = 0; i < count; i++) {
    if (parts->newton.status[i] != INK_FACE_OPEN) continue;
    open++;
    parts->newton.fraction[i] = 0.0; /* no step is being tried */
    for (int a = 0; a < parts->newton.m; a++) {
      const int64_t at = parts->newton.field[a] * count + i;
      closure->surface[at] = parts->state[at];
    }
  }
  return open;
}

/* The residuals in units of the rows at base, squared and summed; not finite: INFINITY. */
static double merit_of(const InkClosure *closure, int64_t i) {
  const InkSurfaceNewton *newton = &closure->parts->newton;
  double sum = 0.0;
  for (int a = 0; a < newton->m; a++) {
    const double part = newton->residual[a] / newton->scale[a * closure->count + i];
    sum += part * part;
  }
  return isfinite(sum) ? sum : INFINITY;
}

static void try_step(InkClosure *closure, int64_t i, double fraction) {
  const InkSurfaceNewton *newton = &closure->parts->newton;
  const int64_t count = closure->count;
  newton->fraction[i] = fraction;
  for (int a = 0; a < newton->m; a++)
    closure->surface[newton->field[a] * count + i] =
        newton->base[a * count + i] + fraction * newton->step[a * count + i];
}

/* A new step from here. */
static InkFaceStatus new_step(InkClosure *closure, int64_t i, bool satisfied) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSurfaceNewton *newton = &parts->newton;
  const int64_t count = closure->count;
  for (int a = 0; a < newton->m; a++) {
    double largest = 0.0;
    for (int b = 0; b < newton->m; b++)
      largest = fmax(largest, fabs(newton->by_surface[a * closure->n + newton->field[b]]));
    newton->scale[a * count + i] = largest > 0.0 ? largest : 1.0;
    newton->right[a] = -newton->residual[a];
    newton->base[a * count + i] = closure->surface[newton->field[a] * count + i];
  }
  newton->merit[i] = merit_of(closure, i);
  copy_matrix(closure);
  if (!eliminate(newton->m, newton->matrix, 1, newton->right))
    return satisfied ? INK_FACE_DONE : INK_FACE_FAILED;
  bool finite = true, small = true;
  for (int a = 0; a < newton->m; a++) {
    const double step = newton->right[a], us = newton->base[a * count + i];
    newton->step[a * count + i] = step;
    finite = finite && isfinite(step);
    small = small && fabs(step) <= ink_surface_tolerance *
                                       (fabs(us) + fabs(parts->state[newton->field[a] * count + i]));
  }
  if (!finite) return satisfied ? INK_FACE_DONE : INK_FACE_FAILED;
  try_step(closure, i, 1.0);
  return small || satisfied ? INK_FACE_DONE : INK_FACE_OPEN;
}

static int64_t damped_step(InkClosure *closure) {
  InkSurfaceNewton *newton = &closure->parts->newton;
  int64_t open = 0;
  for (int64_t i = 0; i < closure->count; i++) {
    if (newton->status[i] != INK_FACE_OPEN) continue;
    bool satisfied = true;
    for (int a = 0; a < newton->m; a++) {
      equation(closure, a, i);
      const double residual = fabs(newton->residual[a]), size = newton->magnitude[a];
      satisfied = satisfied && (residual == 0.0 || (isfinite(residual) && residual <= round_off * size));
    }
    const double fraction = newton->fraction[i];
    if (!satisfied && fraction > least_fraction && !(merit_of(closure, i) <= newton->merit[i]))
      try_step(closure, i, 0.5 * fraction);
    else
      newton->status[i] = (unsigned char)new_step(closure, i, satisfied);
    open += newton->status[i] == INK_FACE_OPEN;
  }
  return open;
}

/* ---- results ---- */

/* dus/du of the coupled fields into right [m][n]. */
static bool surface_slopes(InkClosure *closure) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSurfaceNewton *newton = &parts->newton;
  copy_matrix(closure);
  return eliminate(newton->m, newton->matrix, closure->n, newton->right);
}

static void slope_right(InkClosure *closure, int64_t i) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSurfaceNewton *newton = &parts->newton;
  const int n = closure->n;
  for (int a = 0; a < newton->m; a++)
    for (int f = 0; f < n; f++) {
      double sum = newton->by_cell[a * n + f];
      if (parts->field[f].followed) sum += newton->by_surface[a * n + f] * parts->field[f].follow[i];
      newton->right[a * n + f] = -sum;
    }
}

/* dus_g/du_f */
static double surface_slope(const InkClosure *closure, int g, int f, int64_t i) {
  const struct InkClosureParts *parts = closure->parts;
  const int a = parts->newton.place[g];
  if (a >= 0) return parts->newton.right[a * closure->n + f];
  return g == f && parts->field[g].followed ? parts->field[g].follow[i] : 0.0;
}

/* Is q_s taken from the half cell? At a value side it must be; with another law, where the law is the
 * difference of larger terms (fast kinetics near equilibrium) and the half cell loses fewer digits. */
static bool from_half_cell(const InkClosure *closure, int a, int64_t i) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSurfaceNewton *newton = &parts->newton;
  const int n = closure->n;
  const int64_t count = closure->count;
  const InkSideField *field = &parts->field[newton->field[a]];
  if (!field->mobile) return false;
  if (field->kind[i] == INK_SIDE_VALUE) return true;
  double in_law = 0.0, in_half = 0.0;
  for (int j = 0; j < field->dependences; j++)
    in_law += fabs(field->data[(1 + j) * count + i] * closure->surface[field->field[j] * count + i]);
  for (int f = 0; f < n; f++)
    in_half += fabs(newton->flow_by_surface[a * n + f] * closure->surface[f * count + i]) +
               fabs(newton->flow_by_cell[a * n + f] * parts->state[f * count + i]);
  return in_law > in_half;
}

/* dq_s/du_f at face i, from the half cell or from the law. */
static double flux_slope(const InkClosure *closure, int a, int f, int64_t i, bool half) {
  const InkSurfaceNewton *newton = &closure->parts->newton;
  const InkSideField *field = &closure->parts->field[newton->field[a]];
  const int n = closure->n;
  double sum = half ? newton->flow_by_cell[a * n + f] : 0.0;
  for (int g = 0; g < n && half; g++)
    if (newton->flow_by_surface[a * n + g] != 0.0)
      sum += newton->flow_by_surface[a * n + g] * surface_slope(closure, g, f, i);
  for (int j = 0; j < field->dependences && !half; j++)
    sum += field->data[(1 + j) * closure->count + i] * surface_slope(closure, field->field[j], f, i);
  return sum;
}

/* q_s and its slopes at face i. */
static void put_results(InkClosure *closure, int a, int64_t i, bool good) {
  const InkSurfaceNewton *newton = &closure->parts->newton;
  const int n = closure->n, s = newton->field[a];
  const int64_t count = closure->count;
  const InkSideField *field = &closure->parts->field[s];
  const bool nothing =
      field->kind[i] == INK_SIDE_CLOSED || (field->kind[i] == INK_SIDE_VALUE && !field->mobile);
  const bool half = !nothing && from_half_cell(closure, a, i);
  const double q = nothing ? 0.0 : half ? newton->flow[a] : field->data[i];
  closure->inflow[s * count + i] = good ? q : NAN;
  for (int f = 0; f < n; f++) {
    if (!closure->coupled[s * n + f]) continue;
    const double slope = nothing ? 0.0 : flux_slope(closure, a, f, i, half);
    /* A solved face may stand where its law has no derivative, as |us - ambient|^(1/4) at us = ambient. */
    closure->slope[(s * n + f) * count + i] = !good ? NAN : isnan(slope) ? 0.0 : slope;
  }
}

/* A face that is solved and whose laws make sense there. */
static bool is_good(const InkClosure *closure, int64_t i) {
  const struct InkClosureParts *parts = closure->parts;
  const int64_t count = closure->count;
  if (parts->newton.status[i] != INK_FACE_DONE) return false;
  for (int a = 0; a < parts->newton.m; a++) {
    const int s = parts->newton.field[a];
    const bool radiation = parts->field[s].kind[i] == INK_SIDE_RADIATION;
    if (radiation && !(parts->state[s * count + i] > 0.0 && closure->surface[s * count + i] > 0.0))
      return false;
  }
  return true;
}

static void finish(InkClosure *closure) {
  const struct InkClosureParts *parts = closure->parts;
  const InkSurfaceNewton *newton = &parts->newton;
  for (int64_t i = 0; i < closure->count; i++) {
    if (newton->status[i] == INK_FACE_SETTLED) continue;
    bool good = is_good(closure, i);
    for (int a = 0; a < newton->m; a++) equation(closure, a, i);
    slope_right(closure, i);
    good = good && surface_slopes(closure);
    for (int a = 0; a < newton->m; a++) put_results(closure, a, i, good);
  }
}

void ink_side_solve(InkClosure *closure, double t) {
  struct InkClosureParts *parts = closure->parts;
  InkSurfaceNewton *newton = &parts->newton;
  memset(newton->status, INK_FACE_OPEN, (size_t)closure->count);
  for (int a = 0; a < newton->m; a++) {
    InkSideField *field = &parts->field[newton->field[a]];
    if (!field->data_state && (!field->data_known || field->data_moves))
      ink_side_data(closure, newton->field[a], t, parts->state);
    field->data_known = true;
  }
  if (newton->single) ink_side_solve_single(closure, t);
  int64_t open = start(closure);
  for (int step = 0; step < STEPS && open > 0; step++) {
    ink_side_surface_terms(closure, t);
    open = damped_step(closure);
  }
  ink_side_surface_terms(closure, t);
  if (newton->single) ink_side_finish_single(closure);
  finish(closure);
}
