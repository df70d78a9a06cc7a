/* The generator as a system of the steppers, V dp/dt = G p, and what the sides have absorbed: cell by cell,
 * so that the sum is exact and does not depend on the ranks. */
#include "generator_impl.h"
#include <math.h>
#include <stdio.h>

static PetscErrorCode right_hand_side(void *context, double t, double *u, double *g) {
  PetscFunctionBeginUser;
  PetscCall(ink_generator_at(context, t));
  PetscCall(ink_generator_forward(context, u, g));
  PetscFunctionReturn(0);
}

static void copy_owned(const InkMesh *mesh, const double *from, double *to) {
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t cell = ink_local(mesh, 0, j, k);
      for (int64_t i = cell; i < cell + mesh->count[0]; i++) to[i] = from[i];
    }
}

static PetscErrorCode capacity(void *context, double t, const double *u, double *m) {
  PetscFunctionBeginUser;
  (void)t;
  (void)u;
  const InkGenerator *generator = context;
  copy_owned(generator->mesh, generator->volume, m);
  PetscFunctionReturn(0);
}

static PetscErrorCode jacobian(void *context, double t, double *u, InkStencil *stencil) {
  PetscFunctionBeginUser;
  (void)u;
  InkGenerator *generator = context;
  const InkMesh *mesh = generator->mesh;
  const InkBlock *block = &stencil->block[0];
  PetscCall(ink_generator_at(generator, t));
  ink_generator_leaving(generator, block->diagonal);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t cell = ink_local(mesh, 0, j, k);
      for (int64_t i = cell; i < cell + mesh->count[0]; i++) block->diagonal[i] = -block->diagonal[i];
    }
  for (int d = 0; d < generator->directions; d++) {
    double *const *to = d < mesh->dim ? block->off[d] : block->far[d - mesh->dim];
    copy_owned(mesh, generator->up[d] - ink_mesh_jump(mesh, generator->offset[d]), to[0]);
    copy_owned(mesh, generator->down[d], to[1]);
  }
  PetscFunctionReturn(0);
}

/* The largest rate out of a cell; NaN where a coefficient is. */
static PetscErrorCode largest_rate(const InkGenerator *generator, double *rate) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  double *out;
  *rate = 0.0;
  PetscCall(ink_mesh_array(mesh, &out));
  ink_generator_leaving(generator, out);
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t cell = ink_local(mesh, i, j, k);
        const double here = out[cell] / generator->volume[cell];
        if (!(here <= *rate)) *rate = isnan(*rate) ? *rate : here;
      }
  ink_mesh_free(&out);
  PetscCall(ink_reduce_max(mesh->comm, rate));
  PetscFunctionReturn(0);
}

static PetscErrorCode monotone_step(void *context, double t, double *u, double *dt) {
  PetscFunctionBeginUser;
  (void)u;
  InkGenerator *generator = context;
  struct InkGeneratorParts *parts = generator->parts;
  PetscCall(ink_generator_at(generator, t));
  if (parts->limit_time != parts->time) {
    double rate;
    PetscCall(largest_rate(generator, &rate));
    parts->limit = rate == 0.0 ? INFINITY : 1.0 / rate;
    parts->limit_time = parts->time;
  }
  *dt = parts->limit;
  PetscFunctionReturn(0);
}

/* ---- absorbed ---- */

/* Cells of layer number `layer` of a side, counted from the wall: first local index along x, y, z, and the
 * other axes' counts. */
static void layer_box(const InkMesh *mesh, int side, int layer, int64_t first[3], int64_t end[3]) {
  for (int a = 0; a < 3; a++) {
    first[a] = 0;
    end[a] = mesh->count[a];
  }
  const int a = side / 2;
  first[a] = side % 2 ? mesh->count[a] - 1 - layer : layer;
  end[a] = first[a] + 1;
}

PetscErrorCode ink_generator_take(InkGenerator *generator) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  struct InkGeneratorParts *parts = generator->parts;
  for (int side = 0; side < 2 * mesh->dim; side++) {
    if (!generator->exit[side] || ink_side_count(mesh, side) == 0) continue;
    parts->depth[side] = parts->coupled[side / 2] ? parts->radius : 1;
    PetscCall(PetscCalloc1((size_t)(parts->depth[side] * ink_side_count(mesh, side)), &parts->taken[side]));
  }
  PetscFunctionReturn(0);
}

/* Adds weight times what the sides absorb at density p. */
static void absorb(InkGenerator *generator, double weight, const double *p) {
  const InkMesh *mesh = generator->mesh;
  int64_t first[3], end[3];
  for (int side = 0; side < 2 * mesh->dim; side++) {
    double *taken = generator->parts->taken[side];
    const double *exit = generator->exit[side];
    for (int layer = 0; layer < generator->parts->depth[side]; layer++) {
      layer_box(mesh, side, layer, first, end);
      for (int64_t k = first[2]; k < end[2]; k++)
        for (int64_t j = first[1]; j < end[1]; j++)
          for (int64_t i = first[0]; i < end[0]; i++) {
            const int64_t cell = ink_local(mesh, i, j, k);
            *taken++ += weight * (exit[cell] * p[cell]);
          }
    }
  }
}

static PetscErrorCode accumulate(void *context, double weight, double t, double *u) {
  PetscFunctionBeginUser;
  PetscCall(ink_generator_at(context, t));
  absorb(context, weight, u);
  PetscFunctionReturn(0);
}

static PetscErrorCode explicit_step(void *context, double t, double dt, bool taken, double *u, double *next) {
  PetscFunctionBeginUser;
  InkGenerator *generator = context;
  PetscCall(ink_generator_at(generator, t));
  PetscCall(ink_mesh_exchange(generator->mesh, u));
  ink_generator_flow(generator, &dt, u, next);
  if (taken) absorb(generator, dt, u);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_absorbed(const InkGenerator *generator, int side, double *absorbed) {
  PetscFunctionBeginUser;
  const struct InkGeneratorParts *parts = generator->parts;
  InkSum sum;
  ink_sum_clear(&sum);
  if (parts->taken[side])
    ink_sum_add_array(&sum, parts->depth[side] * ink_side_count(generator->mesh, side), parts->taken[side]);
  PetscCall(ink_sum_reduce(generator->mesh->comm, 1, &sum, absorbed));
  PetscFunctionReturn(0);
}

/* ---- checkpoints ---- */

/* Layers of a side that are stored: the same on all ranks. */
static int stored_layers(const InkGenerator *generator, int side) {
  if (!generator->exit[side]) return 0;
  return generator->parts->coupled[side / 2] ? generator->parts->radius : 1;
}

/* "/state/absorbed/SIDE" or "/state/absorbed/SIDE/LAYER" */
static void path_of(const InkGenerator *generator, int side, int layer, char path[256]) {
  const char *name = ink_side_name(generator->mesh, side);
  if (layer < 0)
    (void)snprintf(path, 256, "/state/absorbed/%s", name);
  else
    (void)snprintf(path, 256, "/state/absorbed/%s/%d", name, layer);
}

static double *layer_of(const InkGenerator *generator, int side, int layer) {
  double *taken = generator->parts->taken[side];
  return taken ? taken + layer * ink_side_count(generator->mesh, side) : NULL;
}

PetscErrorCode ink_generator_save(const InkGenerator *generator, InkStore *store) {
  PetscFunctionBeginUser;
  char path[256];
  InkBox box;
  PetscCall(ink_store_group(store, "/state/absorbed"));
  for (int side = 0; side < 2 * generator->mesh->dim; side++) {
    const int layers = stored_layers(generator, side);
    if (layers == 0) continue;
    path_of(generator, side, -1, path);
    PetscCall(ink_store_group(store, path));
    ink_side_box(generator->mesh, side, &box);
    for (int layer = 0; layer < layers; layer++) {
      path_of(generator, side, layer, path);
      PetscCall(ink_store_write(store, path, &box, layer_of(generator, side, layer), false, 0));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_load(InkGenerator *generator, InkStore *store) {
  PetscFunctionBeginUser;
  char path[256];
  InkBox box;
  for (int side = 0; side < 2 * generator->mesh->dim; side++)
    for (int layer = 0; layer < stored_layers(generator, side); layer++) {
      ink_side_box(generator->mesh, side, &box);
      path_of(generator, side, layer, path);
      PetscCall(ink_store_read(store, path, &box, layer_of(generator, side, layer)));
    }
  PetscFunctionReturn(0);
}

/* ---- the system ---- */

static PetscErrorCode fault(void *context, double t, double *u, char *text, size_t size) {
  PetscFunctionBeginUser;
  (void)u;
  PetscCall(ink_generator_fault(context, t, text, size));
  PetscFunctionReturn(0);
}

void ink_generator_system(InkGenerator *generator, InkSystem *system) {
  static const char *const field[] = {"p"};
  static const InkCoupling coupling[] = {INK_NEIGHBOURS};
  static const bool nonnegative[] = {true};
  static const InkSuspects suspects = {
      .expression = "a drift or diffusion",
      .sign = "the diffusion matrix below 0 in some direction",
      .growth = "a drift or diffusion that grows without bound: end the run before that time, or look at its "
                "expression",
      .steep = "a drift or diffusion that jumps there or is many orders of magnitude larger than elsewhere",
      .loss = "linear systems that are too ill-conditioned: try time.method: explicit"};
  *system = (InkSystem){.context = generator,
                        .mesh = generator->mesh,
                        .n = 1,
                        .field = field,
                        .coupling = coupling,
                        .reach = generator->parts->reach.count > 0 ? &generator->parts->reach : NULL,
                        .linear = true,
                        .constant = !generator->moving,
                        .moving = generator->moving,
                        .singular = generator->conserves, /* a stationary density has any mass */
                        .carries = generator->parts->drifts,
                        .nonnegative = nonnegative,
                        .rhs = right_hand_side,
                        .capacity = capacity,
                        .jacobian = jacobian,
                        .accumulate = generator->conserves ? NULL : accumulate,
                        .monotone_step = monotone_step,
                        .explicit_step = explicit_step,
                        .steady_bound = !generator->moving,
                        .fault = fault,
                        .suspects = &suspects};
}

/* ---- plans ---- */

double ink_generator_bytes_per_cell(const InkGenerator *generator) {
  double arrays = 2.0 * generator->directions + 1.0;
  for (int side = 0; side < INK_SIDES; side++) arrays += generator->exit[side] ? 1.0 : 0.0;
  return sizeof(double) * arrays + (generator->parts->far ? sizeof(InkLegs) : 0);
}

double ink_generator_operations(const InkGenerator *generator) {
  const struct InkGeneratorParts *parts = generator->parts;
  double operations = 7.0 * generator->directions + 4.0;
  for (int a = 0; a < generator->mesh->dim; a++) /* two exponentials an edge */
    if (parts->edge_moves[a])
      operations +=
          2.0 * ink_program_operations(parts->edge[a]) + ink_program_operations(parts->centre[a]) + 60.0;
  if (parts->far_moves) operations += ink_program_operations(parts->all) + 600.0; /* decomposition, rates */
  return operations;
}
