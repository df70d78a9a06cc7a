/* The chain of a generator: making it, its density, places and draws.
 *
 *     m_(n+1)(j) = sum_i m_n(i) dt q(i -> j) + m_n(j) (1 - dt leaving_j)
 *
 * is summed for each cell in the order of its table, so that the reversed chain, which chooses among these
 * terms, has them to the last bit. */
#include "cell_chain_impl.h"
#include <math.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/observe.h"
#include "../core/rates.h"

/* Masses below this are 0: products with probabilities stay normal numbers. */
static const double LEAST_MASS = 1e-290;

/* ---- making it ---- */

/* generator: NULL while there is none. */
static double bytes_of(const InkMesh *mesh, const InkGenerator *generator) {
  const int directions = generator ? generator->directions : mesh->dim;
  const int options = directions > mesh->dim ? 2 * INK_SELLING_MAX : 2 * mesh->dim;
  const int tables = generator && generator->moving ? 2 + INK_CHAIN_TABLES : 2;
  return 8.0 * (double)mesh->size * (4.0 + 2.0 * directions) + 8.0 * (double)mesh->cells * (6.0 + mesh->dim) +
         tables * ink_table_bytes(mesh, options);
}

/* The mesh, as wide as the process reaches. */
static PetscErrorCode make_mesh(MPI_Comm comm, const InkDeck *deck, const InkProcess *process, double t,
                                InkMesh **mesh, InkFailure *failure) {
  PetscFunctionBeginUser;
  int width = 1;
  PetscCall(ink_mesh_create(MPI_COMM_SELF, deck, mesh, failure));
  PetscCall(ink_failure_agree(comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(ink_generator_width(*mesh, process, t, &width, failure));
  PetscCall(ink_failure_agree(comm, failure));
  if (!failure->code && width > 1) {
    PetscCall(ink_mesh_destroy(mesh));
    PetscCall(ink_mesh_create_wide(MPI_COMM_SELF, deck, width, mesh, failure));
    const size_t used = strlen(failure->message);
    if (failure->code)
      snprintf(failure->message + used, sizeof failure->message - used,
               " (off-diagonal diffusion reaches %d cells far)", width);
  }
  PetscFunctionReturn(0);
}

/* Largest |b h/D| of the axes at the cells' centroids; infinite where a drift has no diffusion. */
static PetscErrorCode find_peclet(const InkMesh *mesh, const InkProcess *process, double t, double *peclet) {
  PetscFunctionBeginUser;
  char message[256];
  double *value[2];
  InkPool *pool = ink_pool_create();
  *peclet = 0.0;
  for (int o = 0; o < 2; o++) PetscCall(ink_mesh_array(mesh, &value[o]));
  for (int a = 0; a < mesh->dim; a++) {
    const InkExpr *tree[2] = {process->drift[a], process->diffusion[a][a]};
    if (!tree[0]) continue;
    if (!tree[1]) tree[1] = ink_expr_number(pool, 0.0);
    InkProgram *program = ink_program_create(2, tree, INK_ROW_UNIFORM, message, sizeof message);
    if (!program) continue; /* too large: the generator has said so */
    PetscCall(ink_mesh_evaluate(mesh, program, t, 0, NULL, value));
    ink_program_destroy(&program);
    for (int64_t k = 0; k < mesh->count[2]; k++)
      for (int64_t j = 0; j < mesh->count[1]; j++)
        for (int64_t i = 0; i < mesh->count[0]; i++) {
          const int64_t at[3] = {i, j, k},
                        cell = mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
          const double drift = fabs(value[0][cell]) * mesh->axis[a].volume[at[a]];
          if (drift > 0.0) *peclet = fmax(*peclet, drift / fmax(value[1][cell], 0.0));
        }
  }
  for (int o = 0; o < 2; o++) ink_mesh_free(&value[o]);
  ink_pool_destroy(&pool);
  PetscFunctionReturn(0);
}

static PetscErrorCode make_arrays(InkCellChain *chain) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = chain->mesh;
  const size_t cells = (size_t)mesh->cells;
  double **const array[] = {&chain->start,    &chain->mass,    &chain->next,
                            &chain->weighted, &chain->staying, &chain->leaving};
  for (size_t i = 0; i < sizeof array / sizeof *array; i++) PetscCall(PetscCalloc1(cells, array[i]));
  for (int a = 0; a < mesh->dim; a++) PetscCall(PetscCalloc1(cells + INK_SIDES, &chain->place[a]));
  for (int64_t row = 0; row < mesh->cells; row++) {
    const int64_t x = mesh->axis[0].cells, y = mesh->axis[1].cells;
    const int64_t at[3] = {row % x, row / x % y, row / x / y};
    for (int a = 0; a < mesh->dim; a++) chain->place[a][row] = mesh->axis[a].centroid[at[a]];
  }
  PetscCall(ink_table_create(mesh, &chain->out));
  PetscCall(ink_table_create(mesh, &chain->in));
  for (int k = 0; k < INK_CHAIN_TABLES; k++) PetscCall(ink_table_create(mesh, &chain->table[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_build(MPI_Comm comm, InkMesh *mesh, const InkProcess *process, double t,
                                    InkCellChain **chain, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkCellChain *made;
  PetscCall(PetscNew(&made));
  *chain = made;
  made->comm = comm;
  made->mesh = mesh;
  made->cells = mesh->cells;
  made->history.segment = -1;
  if (mesh->cells > INT32_MAX - INK_SIDES)
    ink_fail(failure, INK_USAGE, "particles that jump between cells: more than 2^31 cells; take fewer");
  PetscCall(ink_memory_check(comm, bytes_of(mesh, NULL), failure));
  if (!failure->code) PetscCall(ink_generator_create(mesh, process, t, &made->generator, failure));
  PetscCall(ink_failure_agree(comm, failure));
  if (!failure->code) PetscCall(ink_memory_check(comm, bytes_of(mesh, made->generator), failure));
  if (failure->code) {
    PetscCall(ink_cell_chain_destroy(chain));
    PetscFunctionReturn(0);
  }
  PetscCall(make_arrays(made));
  PetscCall(find_peclet(mesh, process, t, &made->peclet));
  PetscCall(ink_cell_chain_at(made, t, &made->out));
  PetscFunctionReturn(0);
}

/* Masses of the deck's initial density. */
static PetscErrorCode set_start(InkCellChain *chain, const InkDeck *deck, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = chain->mesh;
  double *p;
  int64_t row = 0;
  PetscCall(ink_mesh_array(mesh, &p));
  PetscCall(ink_model_initial(deck, mesh, p, failure));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++, row++) {
        const double m =
            p[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]] * ink_mesh_volume(mesh, i, j, k);
        chain->start[row] = chain->mass[row] = m < LEAST_MASS ? 0.0 : m;
      }
  ink_mesh_free(&p);
  PetscCall(ink_failure_agree(chain->comm, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_create(MPI_Comm comm, const InkDeck *deck, const InkProcess *process,
                                     InkCellChain **chain, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double t = ink_deck_number(deck, "time.start");
  InkMesh *mesh = NULL;
  *chain = NULL;
  PetscCall(make_mesh(comm, deck, process, t, &mesh, failure));
  PetscCall(ink_failure_agree(comm, failure));
  if (failure->code) {
    if (mesh) PetscCall(ink_mesh_destroy(&mesh));
    PetscFunctionReturn(0);
  }
  PetscCall(ink_cell_chain_build(comm, mesh, process, t, chain, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(set_start(*chain, deck, failure));
  if (failure->code) PetscCall(ink_cell_chain_destroy(chain));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_destroy(InkCellChain **chain) {
  PetscFunctionBeginUser;
  InkCellChain *c = *chain;
  if (!c) PetscFunctionReturn(0);
  double **const array[] = {&c->start,   &c->mass,     &c->next,     &c->weighted, &c->staying,
                            &c->leaving, &c->place[0], &c->place[1], &c->place[2]};
  for (size_t i = 0; i < sizeof array / sizeof *array; i++) PetscCall(PetscFree(*array[i]));
  PetscCall(ink_table_destroy(&c->out));
  PetscCall(ink_table_destroy(&c->in));
  for (int k = 0; k < INK_CHAIN_TABLES; k++) PetscCall(ink_table_destroy(&c->table[k]));
  PetscCall(ink_chain_history_destroy(&c->history));
  PetscCall(ink_generator_destroy(&c->generator));
  PetscCall(ink_mesh_destroy(&c->mesh));
  PetscCall(PetscFree(*chain));
  PetscFunctionReturn(0);
}

/* ---- steps of the density ---- */

/* The rate out of each cell: the last of its limits. */
static void set_leaving(InkCellChain *chain, const InkTable *out) {
  chain->largest = 0.0;
  for (int64_t row = 0; row < chain->cells; row++) {
    const double rate = out->number[(row + 1) * out->options - 1];
    chain->leaving[row] = rate;
    if (!(rate <= chain->largest)) chain->largest = isnan(chain->largest) ? chain->largest : rate;
  }
}

PetscErrorCode ink_cell_chain_at(InkCellChain *chain, double t, InkTable *out) {
  PetscFunctionBeginUser;
  if (chain->made) PetscFunctionReturn(0);
  PetscCall(ink_generator_at(chain->generator, t));
  PetscCall(ink_table_out(chain->generator, out));
  PetscCall(ink_table_in(chain->generator, &chain->in));
  set_leaving(chain, out);
  chain->made = !chain->generator->moving;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_fits(InkCellChain *chain, double t, double dt, bool *fits,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  *fits = dt * chain->largest <= 1.0 + 1e-9;
  if (*fits) PetscFunctionReturn(0);
  char text[512] = "";
  InkSystem system;
  ink_generator_system(chain->generator, &system);
  PetscCall(system.fault(chain->generator, t, NULL, text, sizeof text));
  if (text[0])
    ink_fail(failure, INK_NUMERICAL, "%s", text);
  else
    ink_fail(failure, INK_NUMERICAL,
             "particles that jump: at t = %.9g s the step of %.6g s is longer than %.6g s, with which the "
             "probability to stay is 0 where most jump; lower particles.dt to at most that",
             t, dt, 1.0 / chain->largest);
  PetscFunctionReturn(0);
}

static inline void gather(int options, const InkTable *in, int64_t cells, const double *weighted,
                          const double *staying, double *restrict next) {
  for (int64_t j = 0; j < cells; j++) {
    const int32_t *from = in->to + j * (options + 1);
    double sum = 0.0;
    for (int k = 0; k < options; k++) sum += in->number[j * options + k] * weighted[from[k]];
    sum += staying[j];
    next[j] = sum < LEAST_MASS ? 0.0 : sum;
  }
}

void ink_cell_chain_step(InkCellChain *chain, double dt, const double *m, double *next) {
  const InkTable *in = &chain->in;
  const int64_t cells = chain->cells;
  double *weighted = chain->weighted, *staying = chain->staying;
  for (int64_t i = 0; i < cells; i++) {
    const double stays = 1.0 - dt * chain->leaving[i];
    weighted[i] = dt * m[i];
    staying[i] = (stays < 0.0 ? 0.0 : stays) * m[i];
  }
  switch (in->options) { /* loops of a known length are unrolled */
  case 2:
    gather(2, in, cells, weighted, staying, next);
    break;
  case 4:
    gather(4, in, cells, weighted, staying, next);
    break;
  case 6:
    gather(6, in, cells, weighted, staying, next);
    break;
  default:
    gather(in->options, in, cells, weighted, staying, next);
  }
}

/* ---- questions ---- */

PetscErrorCode ink_cell_chain_longest(InkCellChain *chain, double t, double *dt) {
  PetscFunctionBeginUser;
  PetscCall(ink_cell_chain_at(chain, t, &chain->out));
  *dt = chain->largest == 0.0 ? INFINITY : 1.0 / chain->largest;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_cell_chain_peclet(InkCellChain *chain, double *peclet) {
  PetscFunctionBeginUser;
  *peclet = chain->peclet;
  PetscFunctionReturn(0);
}

const InkMesh *ink_cell_chain_mesh(const InkCellChain *chain) { return chain->mesh; }

const double *ink_cell_chain_mass(const InkCellChain *chain) { return chain->mass; }

/* Number of the values [n], which do not fall, that are <= at. */
static int64_t below(int64_t n, const double *values, double at) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (values[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int64_t ink_cell_chain_cell(const InkCellChain *chain, const double at[3]) {
  const InkMesh *mesh = chain->mesh;
  int64_t row = 0;
  for (int a = mesh->dim - 1; a >= 0; a--) {
    const InkAxis *axis = &mesh->axis[a];
    if (!(at[a] >= axis->from && at[a] <= axis->to)) return -1;
    const int64_t cell = below(axis->cells + 1, axis->face, at[a]) - 1;
    row = row * axis->cells + (cell < axis->cells ? cell : axis->cells - 1);
  }
  return row;
}

void ink_cell_chain_draw(const InkCellChain *chain, const double *m, InkEnsemble *e) {
  const InkStream stream = {e->seed, INK_STREAM_START};
  double *sums = chain->next, sum = 0.0, u[INK_DRAWS * INK_PARTICLE_BLOCK];
  for (int64_t row = 0; row < chain->cells; row++) sums[row] = sum += m[row];
  for (int64_t block = 0; block < e->n; block += INK_PARTICLE_BLOCK) {
    const int64_t left = e->n - block, n = left < INK_PARTICLE_BLOCK ? left : INK_PARTICLE_BLOCK;
    ink_random_uniforms(stream, (uint64_t)(e->first + block), (size_t)n, 0, u);
    for (int64_t i = 0; i < n; i++) {
      const int64_t row = below(chain->cells, sums, u[i] * sum);
      e->cell[block + i] = (double)row;
      for (int a = 0; a < e->dim; a++) e->x[a][block + i] = chain->place[a][row];
    }
  }
}
