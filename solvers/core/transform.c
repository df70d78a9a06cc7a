/* Direct solution of constant-coefficient diffusion on uniform meshes, and spectra.
 *
 * All axes but the last go through their transform (transform_line.c), which leaves for each combination of
 * their modes one system along the last axis,
 *
 *     (shift + k sum over the other axes of 4/h^2 sin^2(theta) + k S/h^2) u = b,     S second differences,
 *
 * solved by recurrences (transform_sweep.c); then the other axes go back. */
#include <math.h>
#include <string.h>
#include "reduction.h"
#include "transform_impl.h"

struct InkTransform {
  const InkMesh *mesh;
  InkGather *gather[3];
  InkLine *line[3];      /* for solving; NULL on a last axis that is not periodic */
  InkLine *spectrum[3];  /* cosine or Fourier, made when asked for */
  double *eigenvalue[3]; /* [cells] 4/h^2 sin^2(theta) of each slot, of axes with a line */
  double *across;        /* of each line along the last axis: its shift */
  InkSweep sweep;
};

static InkBasis basis_of(const InkMesh *mesh, int axis, const InkEnd end[2]) {
  if (mesh->axis[axis].periodic) return INK_FOURIER;
  if (end[0] == end[1]) return end[0] == INK_END_FLUX ? INK_COSINE : INK_SINE;
  return end[0] == INK_END_FLUX ? INK_COSINE_QUARTER : INK_SINE_QUARTER;
}

static double width(const InkAxis *axis) { return (axis->to - axis->from) / (double)axis->cells; }

static PetscErrorCode make_line(InkTransform *t, int axis, InkBasis basis) {
  PetscFunctionBeginUser;
  const int64_t n = t->mesh->axis[axis].cells;
  const double h = width(&t->mesh->axis[axis]);
  PetscCall(ink_line_create(basis, n, &t->line[axis]));
  PetscCall(PetscMalloc1((size_t)n, &t->eigenvalue[axis]));
  ink_line_angles(t->line[axis], t->eigenvalue[axis]);
  for (int64_t m = 0; m < n; m++) {
    const double sine = 2 * sin(t->eigenvalue[axis][m]) / h;
    t->eigenvalue[axis][m] = sine * sine;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_transform_create(const InkMesh *mesh, const InkEnd end[3][2], InkTransform **transform) {
  PetscFunctionBeginUser;
  InkTransform *t;
  PetscCall(PetscNew(&t));
  t->mesh = mesh;
  const int last = mesh->dim - 1;
  for (int a = 0; a < mesh->dim; a++) {
    PetscCall(ink_gather_create(mesh, a, &t->gather[a]));
    if (a < last) PetscCall(make_line(t, a, basis_of(mesh, a, end[a])));
  }
  t->sweep.n = mesh->axis[last].cells;
  t->sweep.periodic = mesh->axis[last].periodic;
  for (int e = 0; e < 2; e++) t->sweep.wall[e] = end[last][e] == INK_END_FLUX ? 0 : 2;
  PetscCall(PetscMalloc2((size_t)ink_sweep_scratch(t->sweep.n), &t->sweep.scratch,
                         (size_t)ink_gather_count(t->gather[last]), &t->across));
  *transform = t;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_transform_destroy(InkTransform **transform) {
  PetscFunctionBeginUser;
  InkTransform *t = *transform;
  if (!t) PetscFunctionReturn(0);
  for (int a = 0; a < 3; a++) {
    PetscCall(ink_gather_destroy(&t->gather[a]));
    PetscCall(ink_line_destroy(&t->line[a]));
    PetscCall(ink_line_destroy(&t->spectrum[a]));
    PetscCall(PetscFree(t->eigenvalue[a]));
  }
  PetscCall(PetscFree2(t->sweep.scratch, t->across));
  PetscCall(PetscFree(*transform));
  PetscFunctionReturn(0);
}

/* Does something to all lines along an axis, from one array of the mesh to another or the same. */
typedef void (*LineWork)(InkTransform *t, int axis, const InkLines *from, const InkLines *to, int64_t number);

static PetscErrorCode pass(InkTransform *t, int axis, LineWork work, const double *from, double *to) {
  PetscFunctionBeginUser;
  InkLines in, out;
  int64_t number;
  PetscCall(ink_gather_in(t->gather[axis], from));
  for (int64_t g = 0; ink_gather_lines(t->gather[axis], g, to, &out, &number); g++) {
    ink_gather_lines(t->gather[axis], g, (double *)from, &in, &number); /* only read through */
    work(t, axis, &in, &out, number);
  }
  PetscCall(ink_gather_out(t->gather[axis], to));
  PetscFunctionReturn(0);
}

static void forward(InkTransform *t, int axis, const InkLines *from, const InkLines *to, int64_t number) {
  (void)number;
  ink_line_forward(t->line[axis], from, to);
}

static void backward(InkTransform *t, int axis, const InkLines *from, const InkLines *to, int64_t number) {
  (void)number;
  ink_line_backward(t->line[axis], from, to);
}

static void spectrum(InkTransform *t, int axis, const InkLines *from, const InkLines *to, int64_t number) {
  (void)number;
  ink_line_forward(t->spectrum[axis], from, to);
}

static void solve(InkTransform *t, int axis, const InkLines *from, const InkLines *to, int64_t number) {
  (void)axis;
  ink_sweep(&t->sweep, from, to, t->across + number);
}

/* The systems along the last axis, times what the transforms back and forth multiply by. */
static void prepare(InkTransform *t, double shift, double k) {
  const InkMesh *mesh = t->mesh;
  const int last = mesh->dim - 1;
  const int lower = last == 0 ? 1 : 0, upper = last == 2 ? 1 : 2; /* the axes across */
  const InkGather *gather = t->gather[last];
  double scale = 1;
  for (int a = 0; a < mesh->dim; a++)
    if (t->line[a]) scale *= (double)mesh->axis[a].cells;
  for (int64_t l = 0; l < ink_gather_count(gather); l++) {
    const int64_t line = ink_gather_first(gather) + l;
    double sum = 0;
    if (last > 0) sum += t->eigenvalue[lower][mesh->start[lower] + line % mesh->count[lower]];
    if (last > 1) sum += t->eigenvalue[upper][mesh->start[upper] + line / mesh->count[lower]];
    t->across[l] = (shift + k * sum) * scale;
  }
  const double h = width(&mesh->axis[last]);
  t->sweep.c = k / (h * h) * scale;
}

PetscErrorCode ink_transform_solve(InkTransform *t, double shift, double k, const double *b, double *u) {
  PetscFunctionBeginUser;
  const int last = t->mesh->dim - 1;
  prepare(t, shift, k);
  for (int a = 0; a < last; a++) PetscCall(pass(t, a, forward, a == 0 ? b : u, u));
  PetscCall(pass(t, last, solve, last == 0 ? b : u, u));
  for (int a = last - 1; a >= 0; a--) PetscCall(pass(t, a, backward, u, u));
  PetscFunctionReturn(0);
}

/* ---- spectra ---- */

/* Of each slot along an axis: squared wave number, and the mean square over the cells of its mode at a
 * coefficient of one. */
static void slot_waves(const InkTransform *t, int axis, double *square, double *weight) {
  const InkAxis *a = &t->mesh->axis[axis];
  const double n = (double)a->cells;
  ink_line_angles(t->spectrum[axis], square);
  for (int64_t m = 0; m < a->cells; m++) {
    const double wave = 2 * square[m] / width(a); /* theta = wave h / 2 */
    square[m] = wave * wave;
    const bool alone = m == 0 || (a->periodic && 2 * m == a->cells);
    weight[m] = (alone ? 1 : 2) / (n * n);
  }
}

/* Adds the modes of this rank. */
static PetscErrorCode add_modes(const InkTransform *t, const double *modes, double bin, int bins,
                                InkSum *power, double *count) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = t->mesh;
  double *square[3], *weight[3];
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscCalloc2((size_t)mesh->axis[a].cells, &square[a], (size_t)mesh->axis[a].cells, &weight[a]));
    if (a < mesh->dim)
      slot_waves(t, a, square[a], weight[a]);
    else
      weight[a][0] = 1;
  }
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++)
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t at[3] = {mesh->start[0] + i, mesh->start[1] + j, mesh->start[2] + k};
        const double wave = sqrt(square[0][at[0]] + square[1][at[1]] + square[2][at[2]]);
        const double value = modes[mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2]];
        const double b = floor(wave / bin + 0.5);
        if (wave == 0 || b >= bins) continue;
        ink_sum_add(&power[(int)b], value * value * (weight[0][at[0]] * weight[1][at[1]] * weight[2][at[2]]));
        count[(int)b] += 1;
      }
  for (int a = 0; a < 3; a++) PetscCall(PetscFree2(square[a], weight[a]));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_transform_power(InkTransform *t, const double *values, double bin, int bins, double *power,
                                   double *modes) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = t->mesh;
  double *work;
  InkSum *sums;
  PetscCall(ink_mesh_array(mesh, &work));
  for (int a = 0; a < mesh->dim; a++) {
    if (!t->spectrum[a])
      PetscCall(ink_line_create(mesh->axis[a].periodic ? INK_FOURIER : INK_COSINE, mesh->axis[a].cells,
                                &t->spectrum[a]));
    PetscCall(pass(t, a, spectrum, a == 0 ? values : work, work));
  }
  PetscCall(PetscMalloc1((size_t)bins, &sums));
  for (int b = 0; b < bins; b++) ink_sum_clear(&sums[b]);
  memset(modes, 0, (size_t)bins * sizeof(double));
  PetscCall(add_modes(t, work, bin, bins, sums, modes));
  PetscCall(ink_sum_reduce(mesh->comm, bins, sums, power));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, modes, bins, MPI_DOUBLE, MPI_SUM, mesh->comm));
  PetscCall(PetscFree(sums));
  ink_mesh_free(&work);
  PetscFunctionReturn(0);
}
