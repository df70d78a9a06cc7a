/* Flux correction of a step.
 *
 * The flows of all edges are found first, then each cell's shares, then the flows are applied; an edge's flow
 * is the same operations for both of its cells and on all ranks that see it, so that what leaves one cell
 * enters the other. */
#include "antidiffusion_impl.h"
#include <float.h>
#include <math.h>
#include "reduction.h"

/* ---- pure functions ---- */

void ink_antidiffusive_flows(int64_t n, const InkAntidiffusionRow *row, double *restrict flow) {
  const double *restrict up = row->up, *restrict down = row->down, *restrict excess = row->excess,
                         *restrict low = row->low, *restrict high = row->high;
  const double anti = 0.5 * row->dt * row->anti, own = 0.5 * row->dt * row->own, old = row->old;
  for (int64_t i = 0; i < n; i++) {
    const double there = up[i] * low[i], back = down[i] * high[i], net = there - back;
    const double with_drift = ink_larger(excess[i] > 0 ? net : -net, 0), rise = high[i] - low[i];
    /* The smallest number keeps 0/0 away. */
    const double even = fabs(up[i] - down[i]) / (up[i] + down[i] + DBL_MIN) * (there + back);
    const double part = ink_smaller(2 * with_drift / (even + DBL_MIN), 1);
    const double taken = ink_smaller(fabs(excess[i] * rise) * (part * part), with_drift);
    flow[i] = old * flow[i] + anti * copysign(taken, rise) + own * net;
  }
}

double ink_flow_share(double wanted, double room) {
  static const double most = 1 - 1e-14; /* of the room: the rest is for rounding */
  return ink_smaller(1, most * ink_larger(room, 0) / (wanted + DBL_MIN));
}

/* ---- making it ---- */

PetscErrorCode ink_antidiffusion_create(InkGenerator *generator, InkAntidiffusion **antidiffusion) {
  PetscFunctionBeginUser;
  InkAntidiffusion *a;
  PetscCall(PetscNew(&a));
  a->generator = generator;
  PetscCall(ink_generator_excess(generator, true));
  for (int d = 0; d < generator->directions; d++) {
    PetscCall(ink_mesh_array(generator->mesh, &a->flow[d]));
    if (generator->moving) PetscCall(ink_mesh_array(generator->mesh, &a->shift[d]));
  }
  PetscCall(ink_mesh_array(generator->mesh, &a->share_in));
  PetscCall(ink_mesh_array(generator->mesh, &a->share_out));
  *antidiffusion = a;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_antidiffusion_destroy(InkAntidiffusion **antidiffusion) {
  PetscFunctionBeginUser;
  InkAntidiffusion *a = *antidiffusion;
  if (!a) PetscFunctionReturn(0);
  for (int d = 0; d < INK_MAX_DIRECTIONS; d++) {
    ink_mesh_free(&a->flow[d]);
    ink_mesh_free(&a->shift[d]);
  }
  ink_mesh_free(&a->share_in);
  ink_mesh_free(&a->share_out);
  PetscCall(PetscFree(*antidiffusion));
  PetscFunctionReturn(0);
}

/* ---- edges ---- */

/* The cells whose edge along a direction ends or starts in an owned cell: a box of rows. */
typedef struct Rows {
  int64_t first[3], end[3], j, k; /* j, k: of the row */
  int64_t cell, n;                /* its first cell and length */
} Rows;

static Rows rows_of(const InkMesh *mesh, const int offset[3]) {
  Rows rows = {{0}, {0}, 0, 0, 0, 0};
  for (int axis = 0; axis < 3; axis++) {
    const int step = axis < mesh->dim ? offset[axis] : 0;
    rows.first[axis] = step > 0 ? -step : 0;
    rows.end[axis] = mesh->count[axis] - (step < 0 ? step : 0);
  }
  rows.j = rows.first[1] - 1;
  rows.k = rows.first[2];
  rows.n = rows.end[0] - rows.first[0];
  return rows;
}

static bool next_row(const InkMesh *mesh, Rows *rows) {
  if (++rows->j == rows->end[1]) {
    rows->j = rows->first[1];
    if (++rows->k == rows->end[2]) return false;
  }
  rows->cell = mesh->origin + rows->first[0] + rows->j * mesh->stride[1] + rows->k * mesh->stride[2];
  return true;
}

void ink_antidiffusion_add(const InkAntidiffusion *a, InkFlowSum sum, const double *p, double *const flow[]) {
  const InkGenerator *generator = a->generator;
  for (int d = 0; d < generator->directions; d++)
    for (Rows rows = rows_of(generator->mesh, generator->offset[d]); next_row(generator->mesh, &rows);) {
      const double *low = p + rows.cell;
      const InkAntidiffusionRow row = {.up = generator->up[d] + rows.cell,
                                       .down = generator->down[d] + rows.cell,
                                       .excess = generator->excess[d] + rows.cell,
                                       .low = low,
                                       .high = low + ink_mesh_jump(generator->mesh, generator->offset[d]),
                                       .old = sum.old,
                                       .anti = sum.anti,
                                       .own = sum.own,
                                       .dt = sum.dt};
      ink_antidiffusive_flows(rows.n, &row, flow[d] + rows.cell);
    }
}

/* ---- limiting ---- */

/* What comes into and goes out of the cells of a part, and the largest and least value around them. */
typedef struct Room {
  double in[INK_PART], out[INK_PART], most[INK_PART], least[INK_PART];
} Room;

/* The edges of n cells to their neighbours at one end of a direction. */
typedef struct Ends {
  const double *up, *down, *flow, *before, *after; /* of the edges; of the neighbours */
  double sign;                                     /* of a flow into the cells */
} Ends;

static void include(int64_t n, const Ends *ends, Room *restrict room) {
  const double *restrict up = ends->up, *restrict down = ends->down, *restrict flow = ends->flow,
                         *restrict before = ends->before, *restrict after = ends->after;
  for (int64_t i = 0; i < n; i++) {
    const double inwards = ends->sign * flow[i], most = ink_larger(before[i], after[i]),
                 least = ink_smaller(before[i], after[i]);
    const bool is_edge = up[i] + down[i] > 0;
    room->in[i] += ink_larger(inwards, 0);
    room->out[i] += ink_larger(-inwards, 0);
    room->most[i] = ink_larger(room->most[i], is_edge ? most : room->most[i]);
    room->least[i] = ink_smaller(room->least[i], is_edge ? least : room->least[i]);
  }
}

/* What the cells may take in and give away. */
void ink_antidiffusion_shares(InkAntidiffusion *a, const double *weight, const double *before,
                              const double *after) {
  const InkGenerator *generator = a->generator;
  Room room;
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part)) {
    const int64_t c = part.cell;
    for (int64_t i = 0; i < part.n; i++) {
      room.in[i] = room.out[i] = 0;
      room.most[i] = ink_larger(before[c + i], after[c + i]);
      room.least[i] = ink_smaller(before[c + i], after[c + i]);
    }
    for (int d = 0; d < generator->directions; d++)
      for (int end = 0; end < 2; end++) {
        const int64_t s = ink_mesh_jump(generator->mesh, generator->offset[d]), edge = end ? c : c - s,
                      other = end ? c + s : c - s;
        const Ends ends = {.up = generator->up[d] + edge,
                           .down = generator->down[d] + edge,
                           .flow = a->flow[d] + edge,
                           .before = before + other,
                           .after = after + other,
                           .sign = end ? -1 : 1};
        include(part.n, &ends, &room);
      }
    const double *scale = weight + c, *value = after + c;
    for (int64_t i = 0; i < part.n; i++) {
      a->share_in[c + i] = ink_flow_share(room.in[i], scale[i] * (room.most[i] - value[i]));
      a->share_out[c + i] = ink_flow_share(room.out[i], scale[i] * (value[i] - room.least[i]));
    }
  }
}

/* Leaves of the flows what both cells allow. */
PetscErrorCode ink_antidiffusion_limit(InkAntidiffusion *a, double *const flows[]) {
  PetscFunctionBeginUser;
  const InkGenerator *generator = a->generator;
  PetscCall(ink_mesh_exchange(generator->mesh, a->share_in));
  PetscCall(ink_mesh_exchange(generator->mesh, a->share_out));
  for (int d = 0; d < generator->directions; d++) {
    const int64_t s = ink_mesh_jump(generator->mesh, generator->offset[d]);
    for (Rows rows = rows_of(generator->mesh, generator->offset[d]); next_row(generator->mesh, &rows);) {
      const double *restrict in = a->share_in + rows.cell, *restrict out = a->share_out + rows.cell;
      double *restrict flow = flows[d] + rows.cell;
      for (int64_t i = 0; i < rows.n; i++) {
        const double upwards = ink_smaller(out[i], in[i + s]), downwards = ink_smaller(in[i], out[i + s]);
        flow[i] *= flow[i] > 0 ? upwards : downwards;
      }
    }
  }
  PetscFunctionReturn(0);
}

static void apply_flows(const InkAntidiffusion *a, double *const flow[], double *values) {
  const InkGenerator *generator = a->generator;
  double gain[INK_PART];
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part)) {
    const double *restrict volume = generator->volume + part.cell;
    double *restrict value = values + part.cell;
    for (int64_t i = 0; i < part.n; i++) gain[i] = 0;
    for (int d = 0; d < generator->directions; d++) {
      const double *leaves = flow[d] + part.cell,
                   *comes = leaves - ink_mesh_jump(generator->mesh, generator->offset[d]);
      for (int64_t i = 0; i < part.n; i++) gain[i] += comes[i] - leaves[i];
    }
    for (int64_t i = 0; i < part.n; i++) {
      const double mended = value[i] + gain[i] / volume[i];
      value[i] = fabs(mended) < DBL_MIN ? 0 : mended;
    }
  }
}

/* Forward Euler's step with the rates of its start becomes that with the mean of those at its two ends, as
 * far as no cell is emptied: `shift` has the flows between. This is no diffusion, and limited together with
 * it, it would use up the room of cells whose in- and outflow are nearly equal. */
static PetscErrorCode shift_rates(InkAntidiffusion *a, double *after) {
  PetscFunctionBeginUser;
  const InkGenerator *generator = a->generator;
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) {
      double out = 0;
      for (int d = 0; d < generator->directions; d++)
        out += ink_larger(a->shift[d][c], 0) +
               ink_larger(-a->shift[d][c - ink_mesh_jump(generator->mesh, generator->offset[d])], 0);
      a->share_in[c] = 1;
      a->share_out[c] = ink_flow_share(out, generator->volume[c] * after[c]);
    }
  PetscCall(ink_antidiffusion_limit(a, a->shift));
  apply_flows(a, a->shift, after);
  PetscCall(ink_mesh_exchange(generator->mesh, after));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_antidiffusion_mend(InkAntidiffusion *a, double t, double dt, bool euler, double *before,
                                      double *after) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = a->generator->mesh;
  const bool shifts = euler && a->generator->moving;
  PetscCall(ink_mesh_exchange(mesh, before));
  PetscCall(ink_mesh_exchange(mesh, after));
  PetscCall(ink_generator_at(a->generator, t));
  ink_antidiffusion_add(a, (InkFlowSum){.anti = 1, .own = euler && !shifts ? -1 : 0, .dt = dt}, before,
                        a->flow);
  if (shifts) ink_antidiffusion_add(a, (InkFlowSum){.own = -1, .dt = dt}, before, a->shift);
  PetscCall(ink_generator_at(a->generator, t + dt));
  if (shifts) {
    ink_antidiffusion_add(a, (InkFlowSum){.old = 1, .own = 1, .dt = dt}, before, a->shift);
    PetscCall(shift_rates(a, after));
    ink_antidiffusion_add(a, (InkFlowSum){.old = 1, .own = -1, .dt = dt}, before, a->flow);
  }
  ink_antidiffusion_add(a, (InkFlowSum){.old = 1, .anti = 1, .own = euler ? 1 : 0, .dt = dt}, after, a->flow);
  ink_antidiffusion_shares(a, a->generator->volume, before, after);
  PetscCall(ink_antidiffusion_limit(a, a->flow));
  apply_flows(a, a->flow, after);
  PetscFunctionReturn(0);
}

/* ---- what it is good for ---- */

PetscErrorCode ink_antidiffusion_share(const InkGenerator *generator, double *share) {
  PetscFunctionBeginUser;
  *share = 0;
  for (int d = 0; d < generator->directions; d++)
    for (Rows rows = rows_of(generator->mesh, generator->offset[d]); next_row(generator->mesh, &rows);)
      for (int64_t c = rows.cell; c < rows.cell + rows.n; c++)
        if (generator->excess[d][c] != 0)
          *share = ink_larger(*share, 2 * fabs(generator->excess[d][c]) /
                                          (generator->up[d][c] + generator->down[d][c]));
  PetscCall(ink_reduce_max(generator->mesh->comm, share));
  PetscFunctionReturn(0);
}

/* Of the edges of a cell: excess diffusion per volume, as far as it is taken back. */
static double rate_of_cell(const InkAntidiffusion *a, int64_t c, const double *p) {
  const InkGenerator *generator = a->generator;
  double sum = 0;
  for (int d = 0; d < generator->directions; d++) {
    const int64_t s = ink_mesh_jump(generator->mesh, generator->offset[d]);
    for (int end = 0; end < 2; end++) {
      const int64_t edge = end ? c : c - s;
      const double there = generator->up[d][edge] * p[edge], back = generator->down[d][edge] * p[edge + s];
      sum += fabs(generator->excess[d][edge]) * (fabs(there - back) / (there + back + DBL_MIN));
    }
  }
  return sum / generator->volume[c];
}

PetscErrorCode ink_antidiffusion_longest(InkAntidiffusion *a, double t, double *p, double *dt) {
  PetscFunctionBeginUser;
  static const double negligible = 1e-4; /* of the largest density */
  static const double cells_a_step = 2;
  const InkMesh *mesh = a->generator->mesh;
  double most = 0, rate = 0;
  PetscCall(ink_mesh_exchange(mesh, p));
  PetscCall(ink_generator_at(a->generator, t));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++) most = ink_larger(most, p[c]);
  PetscCall(ink_reduce_max(mesh->comm, &most));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part))
    for (int64_t c = part.cell; c < part.cell + part.n; c++)
      if (p[c] > negligible * most) rate = ink_larger(rate, rate_of_cell(a, c, p));
  PetscCall(ink_reduce_max(mesh->comm, &rate));
  *dt = rate > 0 ? cells_a_step / rate : INFINITY;
  PetscFunctionReturn(0);
}

static PetscErrorCode mend(void *context, double t, double dt, bool euler, double *before, double *after) {
  PetscFunctionBeginUser;
  PetscCall(ink_antidiffusion_mend(context, t, dt, euler, before, after));
  PetscFunctionReturn(0);
}

static PetscErrorCode longest(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  PetscCall(ink_antidiffusion_longest(context, t, u, dt));
  PetscFunctionReturn(0);
}

void ink_antidiffusion_finish(InkAntidiffusion *antidiffusion, InkFinish *finish) {
  *finish = (InkFinish){.context = antidiffusion, .mend = mend, .longest = longest};
}
