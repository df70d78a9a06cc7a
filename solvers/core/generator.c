/* Making a generator: programs, geometry, arrays; bringing it to a time. */
#include "generator_impl.h"
#include <stdio.h>
#include <string.h>

static const uint64_t time_bit = 1ull << INK_VAR_T;
static const double gauss_point[2] = {0.21132486540518713, 0.78867513459481287}; /* 1/2 -+ sqrt(3)/6 */

/* ---- programs ---- */

static bool is_zero(const InkExpr *e) {
  double value;
  return !e || (ink_expr_is_number(e, &value) && value == 0.0);
}

static bool moves(const InkExpr *e) { return e && (ink_expr_variables(e) & time_bit); }

static bool compile(InkPool *pool, int count, const InkExpr *const tree[], InkProgram **program,
                    InkFailure *failure) {
  const InkExpr *out[INK_ENTRIES];
  char message[256];
  for (int o = 0; o < count; o++) out[o] = tree[o] ? tree[o] : ink_expr_number(pool, 0.0);
  *program = ink_program_create(count, out, INK_ROW_UNIFORM, message, sizeof message);
  if (!*program) ink_fail(failure, INK_USAGE, "drift and diffusion: %s", message);
  return *program != NULL;
}

/* Which axes off-diagonal entries couple, and what moves. */
static void classify(const InkProcess *process, struct InkGeneratorParts *parts) {
  const int dim = process->dim;
  for (int i = 0; i < dim; i++)
    for (int j = i + 1; j < dim; j++)
      if (!is_zero(process->diffusion[i][j])) parts->coupled[i] = parts->coupled[j] = parts->far = true;
  for (int i = 0; i < dim; i++) {
    bool moving = moves(process->drift[i]) || moves(process->diffusion[i][i]);
    for (int j = 0; j < dim; j++) moving = moving || (parts->coupled[i] && moves(process->diffusion[i][j]));
    parts->drifts = parts->drifts || !is_zero(process->drift[i]);
    parts->edge_moves[i] = moving && !parts->coupled[i];
    parts->far_moves = parts->far_moves || (moving && parts->coupled[i]);
  }
}

static bool make_programs(const InkProcess *process, struct InkGeneratorParts *parts, InkFailure *failure) {
  const int dim = process->dim;
  const InkExpr *tree[INK_ENTRIES] = {NULL};
  InkPool *pool = ink_pool_create();
  bool fine = true;
  for (int i = 0; i < dim; i++) {
    tree[i] = process->drift[i];
    for (int j = i; j < dim; j++) tree[ink_entry(dim, i, j)] = process->diffusion[i][j];
  }
  fine = compile(pool, ink_entries(dim), tree, &parts->all, failure);
  for (int a = 0; a < dim && fine; a++) {
    if (parts->coupled[a]) continue;
    const InkExpr *const along[2] = {process->drift[a], process->diffusion[a][a]};
    fine = compile(pool, 2, along, &parts->edge[a], failure) &&
           compile(pool, 1, along + 1, &parts->centre[a], failure);
  }
  ink_pool_destroy(&pool);
  return fine;
}

void ink_generator_run(const InkProgram *program, int64_t n, const double *x, double y, double z, double t,
                       double *const out[]) {
  const double *in[INK_VARS] = {0};
  in[INK_VAR_X] = x;
  in[INK_VAR_Y] = &y;
  in[INK_VAR_Z] = &z;
  in[INK_VAR_T] = &t;
  ink_program_run(program, (size_t)n, in, out);
}

void ink_generator_cells(const InkGenerator *generator, double t, int64_t first, int64_t n, int64_t j,
                         int64_t k) {
  const struct InkGeneratorParts *parts = generator->parts;
  ink_generator_run(parts->all, n, parts->at[0] + first, parts->at[1][j], parts->at[2][k], t,
                    parts->rows.entry);
}

/* ---- geometry ---- */

/* Pieces of one allocation. */
static double *piece(double **next, int64_t count) {
  double *begin = *next;
  *next += count;
  return begin;
}

static PetscErrorCode make_lines(const InkMesh *mesh, struct InkGeneratorParts *parts) {
  PetscFunctionBeginUser;
  const int64_t row = mesh->count[0] + 2 * mesh->width + 2;
  const int rows = 8 + INK_ENTRIES;
  int64_t total = rows * row + mesh->count[0];
  for (int a = 0; a < 3; a++) total += 4 * (mesh->count[a] + 2 * mesh->width + 2);
  PetscCall(PetscCalloc1((size_t)total, &parts->lines));
  double *next = parts->lines;
  InkGeneratorRows *r = &parts->rows;
  double **const array[] = {&r->drift[0], &r->drift[1], &r->diffusion[0], &r->diffusion[1],
                            &r->low,      &r->high,     &r->distance,     &r->area};
  for (size_t i = 0; i < sizeof array / sizeof *array; i++) *array[i] = piece(&next, row);
  for (int i = 0; i < INK_ENTRIES; i++) r->entry[i] = piece(&next, row);
  parts->inverse = piece(&next, mesh->count[0]);
  for (int a = 0; a < 3; a++) {
    const int64_t count = mesh->count[a] + 2 * mesh->width + 2;
    parts->at[a] = piece(&next, count) + mesh->width;
    parts->gauss[a][0] = piece(&next, count) + 1;
    parts->gauss[a][1] = piece(&next, count) + 1;
    parts->distance[a] = piece(&next, count) + 1;
  }
  PetscFunctionReturn(0);
}

/* A place on a periodic axis, within the domain. */
static double within(const InkAxis *axis, double x) { return x < axis->to ? x : axis->from + (x - axis->to); }

/* The edge below global cell `edge`. */
static void set_edge(const InkAxis *axis, int64_t edge, double *gauss[2], double *distance) {
  const bool seam = edge == 0 || edge == axis->cells;
  double low = axis->centroid[seam ? axis->cells - 1 : edge - 1], length;
  if (!seam) {
    length = axis->centroid[edge] - low;
  } else if (axis->periodic) {
    length = (axis->to - low) + (axis->centroid[0] - axis->from);
  } else { /* from the centroid to the wall, whose direction has a sign */
    if (edge == 0) low = axis->centroid[0];
    length = (edge == 0 ? axis->from : axis->to) - low;
  }
  for (int p = 0; p < 2; p++) *gauss[p] = within(axis, low + gauss_point[p] * length);
  *distance = length < 0.0 ? -length : length;
}

/* The global cell at a local index along an axis: the image within the domain or, beyond a wall, the last. */
static int64_t global_cell(const InkMesh *mesh, int a, int64_t i) {
  const int64_t cells = mesh->axis[a].cells, cell = mesh->start[a] + i;
  if (mesh->axis[a].periodic) return (cell % cells + cells) % cells;
  return cell < 0 ? 0 : cell >= cells ? cells - 1 : cell;
}

static void set_axis(const InkMesh *mesh, int a, struct InkGeneratorParts *parts) {
  const InkAxis *axis = &mesh->axis[a];
  for (int64_t i = -mesh->width; i < mesh->count[a] + mesh->width; i++)
    parts->at[a][i] = axis->centroid[global_cell(mesh, a, i)];
  for (int64_t i = -1; i < mesh->count[a]; i++)
    set_edge(axis, mesh->start[a] + i + 1, (double *[]){&parts->gauss[a][0][i], &parts->gauss[a][1][i]},
             &parts->distance[a][i]);
}

static void set_volumes(InkGenerator *generator) {
  const InkMesh *mesh = generator->mesh;
  int64_t ghosts[3];
  for (int a = 0; a < 3; a++) ghosts[a] = a < mesh->dim ? mesh->width : 0;
  for (int64_t i = 0; i < mesh->count[0]; i++)
    generator->parts->inverse[i] = 1.0 / mesh->axis[0].volume[mesh->start[0] + i];
  for (int64_t k = -ghosts[2]; k < mesh->count[2] + ghosts[2]; k++)
    for (int64_t j = -ghosts[1]; j < mesh->count[1] + ghosts[1]; j++)
      for (int64_t i = -ghosts[0]; i < mesh->count[0] + ghosts[0]; i++)
        generator->volume[ink_local(mesh, i, j, k)] = mesh->axis[0].volume[global_cell(mesh, 0, i)] *
                                                      mesh->axis[1].volume[global_cell(mesh, 1, j)] *
                                                      mesh->axis[2].volume[global_cell(mesh, 2, k)];
}

/* ---- making it ---- */

/* Programs and geometry, no arrays; *generator is NULL on failure. */
static PetscErrorCode start(const InkMesh *mesh, const InkProcess *process, InkGenerator **generator,
                            InkFailure *failure) {
  PetscFunctionBeginUser;
  InkGenerator *made;
  PetscCall(PetscNew(&made));
  PetscCall(PetscNew(&made->parts));
  struct InkGeneratorParts *parts = made->parts;
  made->mesh = mesh;
  made->conserves = true;
  parts->time = parts->limit_time = NAN;
  for (int side = 0; side < 2 * mesh->dim; side++) {
    parts->absorbs[side] = process->absorbing[side] && ink_side_exists(mesh, side);
    made->conserves = made->conserves && !parts->absorbs[side];
  }
  for (int a = 0; a < mesh->dim; a++)
    (void)snprintf(parts->name[a], sizeof parts->name[a], "%s", process->name[a]);
  classify(process, parts);
  made->moving = parts->far_moves || parts->edge_moves[0] || parts->edge_moves[1] || parts->edge_moves[2];
  *generator = made;
  if (!make_programs(process, parts, failure)) {
    PetscCall(ink_generator_destroy(generator));
    PetscFunctionReturn(0);
  }
  PetscCall(make_lines(mesh, parts));
  for (int a = 0; a < mesh->dim; a++) set_axis(mesh, a, parts);
  ink_generator_set_laws(made);
  PetscFunctionReturn(0);
}

/* Is the process defined at time t? */
static PetscErrorCode look(const InkGenerator *generator, double t, InkFailure *failure) {
  PetscFunctionBeginUser;
  char text[512];
  PetscCall(ink_generator_fault(generator, t, text, sizeof text));
  if (text[0]) ink_fail(failure, INK_NUMERICAL, "%s", text);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_width(const InkMesh *mesh, const InkProcess *process, double t, int *width,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  InkGenerator *generator;
  *width = 1;
  PetscCall(start(mesh, process, &generator, failure));
  if (!generator) PetscFunctionReturn(0);
  PetscCall(look(generator, t, failure));
  if (generator->parts->far && !failure->code) {
    *width = ink_generator_longest(generator, t);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, width, 1, MPI_INT, MPI_MAX, mesh->comm));
  }
  PetscCall(ink_generator_destroy(&generator));
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkGenerator *generator) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  PetscCall(ink_mesh_array(mesh, &generator->volume));
  for (int d = 0; d < generator->directions; d++) {
    PetscCall(ink_mesh_array(mesh, &generator->up[d]));
    PetscCall(ink_mesh_array(mesh, &generator->down[d]));
  }
  for (int side = 0; side < 2 * mesh->dim; side++)
    if (generator->parts->absorbs[side]) PetscCall(ink_mesh_array(mesh, &generator->exit[side]));
  set_volumes(generator);
  PetscFunctionReturn(0);
}

/* All coefficients at time t. */
static PetscErrorCode fill(InkGenerator *generator, double t) {
  PetscFunctionBeginUser;
  for (int a = 0; a < generator->mesh->dim; a++)
    if (!generator->parts->coupled[a]) ink_generator_axis(generator, a, t);
  if (generator->parts->far) PetscCall(ink_generator_far(generator, t));
  generator->parts->time = t;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_create(const InkMesh *mesh, const InkProcess *process, double t,
                                    InkGenerator **generator, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(start(mesh, process, generator, failure));
  if (!*generator) PetscFunctionReturn(0);
  InkGenerator *made = *generator;
  PetscCheck(!made->parts->far || mesh->width >= INK_LEAST_WIDTH, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
             "off-diagonal diffusion on a mesh without corners");
  for (int a = 0; a < mesh->dim; a++)
    PetscCheck(!made->parts->coupled[a] || mesh->axis[a].uniform, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
               "off-diagonal diffusion on an axis of unequal cells");
  PetscCall(look(made, t, failure));
  if (failure->code) {
    PetscCall(ink_generator_destroy(generator));
    PetscFunctionReturn(0);
  }
  PetscCall(ink_generator_directions(made, t));
  PetscCall(make_arrays(made));
  PetscCall(ink_generator_take(made));
  PetscCall(fill(made, t));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_excess(InkGenerator *generator, bool wanted) {
  PetscFunctionBeginUser;
  bool made = false;
  for (int d = 0; d < generator->directions; d++)
    if (!wanted) {
      ink_mesh_free(&generator->excess[d]);
    } else if (!generator->excess[d]) {
      PetscCall(ink_mesh_array(generator->mesh, &generator->excess[d]));
      made = true;
    }
  if (made) PetscCall(fill(generator, generator->parts->time));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_at(InkGenerator *generator, double t) {
  PetscFunctionBeginUser;
  struct InkGeneratorParts *parts = generator->parts;
  if (!generator->moving || t == parts->time) PetscFunctionReturn(0);
  for (int a = 0; a < generator->mesh->dim; a++)
    if (parts->edge_moves[a]) ink_generator_axis(generator, a, t);
  if (parts->far_moves) PetscCall(ink_generator_far(generator, t));
  parts->time = t;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_generator_destroy(InkGenerator **generator) {
  PetscFunctionBeginUser;
  InkGenerator *made = *generator;
  if (!made) PetscFunctionReturn(0);
  struct InkGeneratorParts *parts = made->parts;
  for (int d = 0; d < INK_MAX_DIRECTIONS; d++) {
    ink_mesh_free(&made->up[d]);
    ink_mesh_free(&made->down[d]);
    ink_mesh_free(&made->excess[d]);
  }
  for (int side = 0; side < INK_SIDES; side++) {
    ink_mesh_free(&made->exit[side]);
    PetscCall(PetscFree(parts->taken[side]));
  }
  ink_mesh_free(&made->volume);
  ink_program_destroy(&parts->all);
  for (int a = 0; a < 3; a++) {
    ink_program_destroy(&parts->edge[a]);
    ink_program_destroy(&parts->centre[a]);
  }
  PetscCall(PetscFree(parts->lines));
  PetscCall(PetscFree(parts->legs));
  PetscCall(PetscFree(parts->number));
  PetscCall(PetscFree(made->parts));
  PetscCall(PetscFree(*generator));
  PetscFunctionReturn(0);
}
