/* What the generator does to a density and to a function: in each cell the sum over the axes (flow through
 * the lower edge, through the upper edge), then over the far directions, then the exits. An edge's flow is
 * the same operations for both of its cells. */
#include "generator_impl.h"
#include <float.h>
#include "part.h"

/* ---- rows: of n cells, whose neighbours along a direction lie s apart ---- */

/* Net flow into cell i along a direction. */
static inline double net(const double *up, const double *down, const double *p, int64_t i, int64_t s) {
  return (up[i - s] * p[i - s] - down[i - s] * p[i]) - (up[i] * p[i] - down[i] * p[i + s]);
}

typedef struct Edges {
  const double *up, *down;
  int64_t s;
} Edges;

static void flow_1(int64_t n, const Edges e[1], const double *p, double *restrict g) {
  for (int64_t i = 0; i < n; i++) g[i] = net(e[0].up, e[0].down, p, i, 1);
}
static void flow_2(int64_t n, const Edges e[2], const double *p, double *restrict g) {
  const double *up = e[0].up, *down = e[0].down, *above = e[1].up, *below = e[1].down;
  const int64_t s = e[1].s;
  for (int64_t i = 0; i < n; i++) g[i] = net(up, down, p, i, 1) + net(above, below, p, i, s);
}
static void flow_3(int64_t n, const Edges e[3], const double *p, double *restrict g) {
  const double *up = e[0].up, *down = e[0].down, *up1 = e[1].up, *down1 = e[1].down, *up2 = e[2].up,
               *down2 = e[2].down;
  const int64_t s1 = e[1].s, s2 = e[2].s;
  for (int64_t i = 0; i < n; i++)
    g[i] = net(up, down, p, i, 1) + net(up1, down1, p, i, s1) + net(up2, down2, p, i, s2);
}
static void flow_far(int64_t n, const Edges *e, const double *p, double *restrict g) {
  const double *up = e->up, *down = e->down;
  const int64_t s = e->s;
  for (int64_t i = 0; i < n; i++) g[i] += net(up, down, p, i, s);
}

/* next = p + dt/volume * g; what is too small to be a normal number is 0, so that round-off in denormal
 * numbers makes nothing negative. */
static void advance(int64_t n, double factor, const double *inverse, const double *p,
                    const double *restrict g, double *restrict next) {
  for (int64_t i = 0; i < n; i++) {
    const double value = p[i] + factor * inverse[i] * g[i];
    next[i] = fabs(value) < DBL_MIN ? 0.0 : value;
  }
}

/* ---- parts of rows ---- */

static Edges edges_at(const InkGenerator *generator, int d, int64_t cell) {
  return (Edges){generator->up[d] + cell, generator->down[d] + cell,
                 ink_mesh_jump(generator->mesh, generator->offset[d])};
}

/* Cells i0 <= i < i1 of a part from which a side may absorb. */
static bool beside(const InkGenerator *generator, int side, const InkPart *part, int64_t *i0, int64_t *i1) {
  const InkMesh *mesh = generator->mesh;
  const int a = side / 2, depth = generator->parts->depth[side];
  if (depth == 0) return false;
  const int64_t first = side % 2 ? mesh->count[a] - depth : 0, end = first + depth;
  *i0 = 0;
  *i1 = part->n;
  if (a > 0) return part->at[a] >= first && part->at[a] < end;
  if (first > part->at[0]) *i0 = first - part->at[0];
  if (end < part->at[0] + part->n) *i1 = end - part->at[0];
  return *i0 < *i1;
}

static void flow_part(const InkGenerator *generator, const InkPart *part, const double *p, double *g) {
  const int dim = generator->mesh->dim;
  const double *here = p + part->cell;
  Edges edges[3];
  int64_t i0, i1;
  for (int a = 0; a < dim; a++) edges[a] = edges_at(generator, a, part->cell);
  (dim == 1 ? flow_1 : dim == 2 ? flow_2 : flow_3)(part->n, edges, here, g);
  for (int d = dim; d < generator->directions; d++) {
    const Edges far = edges_at(generator, d, part->cell);
    flow_far(part->n, &far, here, g);
  }
  for (int side = 0; side < 2 * dim; side++) {
    if (!beside(generator, side, part, &i0, &i1)) continue;
    const double *exit = generator->exit[side] + part->cell;
    for (int64_t i = i0; i < i1; i++) g[i] -= exit[i] * here[i];
  }
}

void ink_generator_flow(const InkGenerator *generator, const double *dt, const double *p, double *g) {
  const InkMesh *mesh = generator->mesh;
  double flow[INK_PART];
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    if (!dt) {
      flow_part(generator, &part, p, g + part.cell);
      continue;
    }
    flow_part(generator, &part, p, flow);
    const double depth =
        mesh->axis[1].volume[mesh->start[1] + part.at[1]] * mesh->axis[2].volume[mesh->start[2] + part.at[2]];
    advance(part.n, *dt / depth, generator->parts->inverse + part.at[0], p + part.cell, flow, g + part.cell);
  }
}

PetscErrorCode ink_generator_forward(InkGenerator *generator, double *p, double *g) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_exchange(generator->mesh, p));
  ink_generator_flow(generator, NULL, p, g);
  PetscFunctionReturn(0);
}

void ink_generator_leaving(const InkGenerator *generator, double *out) {
  const InkMesh *mesh = generator->mesh;
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    double *to = out + part.cell;
    int64_t i0, i1;
    for (int64_t i = 0; i < part.n; i++) to[i] = 0.0;
    for (int d = 0; d < generator->directions; d++) {
      const Edges e = edges_at(generator, d, part.cell);
      for (int64_t i = 0; i < part.n; i++) to[i] += e.down[i - e.s] + e.up[i];
    }
    for (int side = 0; side < 2 * mesh->dim; side++)
      if (beside(generator, side, &part, &i0, &i1))
        for (int64_t i = i0; i < i1; i++) to[i] += generator->exit[side][part.cell + i];
  }
}

PetscErrorCode ink_generator_backward(InkGenerator *generator, double *x, const double value[INK_SIDES],
                                      double *g) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  PetscCall(ink_mesh_exchange(mesh, x));
  for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
    const double *here = x + part.cell;
    double *to = g + part.cell;
    int64_t i0, i1;
    for (int64_t i = 0; i < part.n; i++) to[i] = 0.0;
    for (int d = 0; d < generator->directions; d++) {
      const Edges e = edges_at(generator, d, part.cell);
      for (int64_t i = 0; i < part.n; i++)
        to[i] += e.down[i - e.s] * (here[i - e.s] - here[i]) + e.up[i] * (here[i + e.s] - here[i]);
    }
    for (int side = 0; side < 2 * mesh->dim; side++)
      if (beside(generator, side, &part, &i0, &i1))
        for (int64_t i = i0; i < i1; i++)
          to[i] += generator->exit[side][part.cell + i] * ((value ? value[side] : 0.0) - here[i]);
  }
  PetscFunctionReturn(0);
}

/* ---- fluxes ---- */

static void add_absorbed(const InkGenerator *generator, int side, const double *p, InkSum *sum) {
  int64_t i0, i1;
  for (InkPart part = ink_part_first(generator->mesh); part.n > 0; ink_part_next(generator->mesh, &part))
    if (beside(generator, side, &part, &i0, &i1))
      for (int64_t i = part.cell + i0; i < part.cell + i1; i++)
        ink_sum_add(sum, generator->exit[side][i] * p[i]);
}

/* How often the way of a direction from a global cell passes the end of a periodic axis, upwards. */
static int passes(const InkGenerator *generator, int axis, int d, int64_t cell) {
  const int64_t to = cell + generator->offset[d][axis];
  return to < 0 ? -1 : to >= generator->mesh->axis[axis].cells ? 1 : 0;
}

/* What crosses the seam of a periodic axis upwards. */
static void add_crossing(const InkGenerator *generator, int axis, const double *p, InkSum *sum) {
  const InkMesh *mesh = generator->mesh;
  for (int d = 0; d < generator->directions; d++) {
    if (generator->offset[d][axis] == 0) continue;
    for (InkPart part = ink_part_first(mesh); part.n > 0; ink_part_next(mesh, &part)) {
      const Edges e = edges_at(generator, d, part.cell);
      const double *here = p + part.cell;
      for (int64_t i = 0; i < part.n; i++) {
        const int64_t at = part.at[axis] + (axis == 0 ? i : 0);
        const int times = passes(generator, axis, d, mesh->start[axis] + at);
        if (times) ink_sum_add(sum, times * (e.up[i] * here[i] - e.down[i] * here[i + e.s]));
      }
    }
  }
}

PetscErrorCode ink_generator_flux(InkGenerator *generator, int side, double *p, double *flux) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  InkSum sum;
  ink_sum_clear(&sum);
  PetscCall(ink_mesh_exchange(mesh, p));
  if (side / 2 < mesh->dim && mesh->axis[side / 2].periodic)
    add_crossing(generator, side / 2, p, &sum);
  else if (generator->exit[side])
    add_absorbed(generator, side, p, &sum);
  PetscCall(ink_sum_reduce(mesh->comm, 1, &sum, flux));
  if (side % 2 == 0 && mesh->axis[side / 2].periodic) *flux = -*flux;
  PetscFunctionReturn(0);
}
