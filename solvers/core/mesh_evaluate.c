/* Programs over the owned cells of a mesh, a row at a time: the coordinate along the row, fields and noise
 * are arrays; y, z and t are one value a row. */
#include "observe.h"
#include "random.h"

typedef struct InkRow {
  const InkMesh *mesh;
  const InkProgram *program;
  uint64_t variables, seed;
  double time, zero;
  double *noise;        /* one row for each stream that is used */
  const double *absent; /* a row of zeros: the row's coordinate that this mesh does not have */
  const double *const *fields;
} InkRow;

static bool reads(const InkRow *row, int variable) { return row->variables >> variable & 1; }

/* Makes the row's noise: stream k of the cells' global numbers. */
static void make_noise(const InkRow *row, int64_t j, int64_t k, const double *in[]) {
  const InkMesh *mesh = row->mesh;
  int64_t nx = mesh->axis[0].cells, ny = mesh->axis[1].cells, n = mesh->count[0];
  int64_t first = mesh->start[0] + nx * (mesh->start[1] + j + ny * (mesh->start[2] + k));
  double *next = row->noise;
  for (int stream = 0; stream < INK_MAX_NOISE; stream++) {
    if (!reads(row, INK_VAR_NOISE + stream)) continue;
    ink_random_normal(row->seed, (uint32_t)stream, (uint64_t)first, (size_t)n, next);
    in[INK_VAR_NOISE + stream] = next;
    next += n;
  }
}

static void run_row(const InkRow *row, int64_t j, int64_t k, double *const out[]) {
  const InkMesh *mesh = row->mesh;
  const double *in[INK_VARS] = {0};
  double *to[INK_VARS];
  int64_t offset = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
  in[INK_VAR_X] = in[INK_VAR_R] = row->absent;
  in[mesh->axis[0].variable] = mesh->axis[0].centroid + mesh->start[0];
  in[INK_VAR_Y] = in[INK_VAR_Z] = &row->zero;
  if (mesh->dim > 1) in[mesh->axis[1].variable] = mesh->axis[1].centroid + mesh->start[1] + j;
  if (mesh->dim > 2) in[mesh->axis[2].variable] = mesh->axis[2].centroid + mesh->start[2] + k;
  in[INK_VAR_T] = &row->time;
  for (int f = 0; f < INK_MAX_FIELDS; f++)
    if (reads(row, INK_VAR_FIELD + f)) in[INK_VAR_FIELD + f] = row->fields[f] + offset;
  make_noise(row, j, k, in);
  int outputs = ink_program_outputs(row->program);
  for (int o = 0; o < outputs; o++) to[o] = out[o] + offset;
  ink_program_run(row->program, (size_t)mesh->count[0], in, to);
}

PetscErrorCode ink_mesh_evaluate(const InkMesh *mesh, const InkProgram *program, double time, uint64_t seed,
                                 const double *const fields[], double *const out[]) {
  PetscFunctionBeginUser;
  PetscCheck(ink_program_outputs(program) <= INK_VARS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "a program of %d outputs", ink_program_outputs(program));
  InkRow row = {.mesh = mesh, .program = program, .variables = ink_program_variables(program), .seed = seed};
  row.time = time;
  row.fields = fields;
  size_t streams = 0, n = (size_t)mesh->count[0];
  for (int stream = 0; stream < INK_MAX_NOISE; stream++) streams += reads(&row, INK_VAR_NOISE + stream);
  double *absent;
  PetscCall(PetscMalloc1(streams * n, &row.noise));
  PetscCall(PetscCalloc1(n, &absent));
  row.absent = absent;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) run_row(&row, j, k, out);
  PetscCall(PetscFree(row.noise));
  PetscCall(PetscFree(absent));
  PetscFunctionReturn(0);
}
