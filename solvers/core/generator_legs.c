/* Selling's decomposition of each cell's diffusion matrix on the axes that off-diagonal diffusion couples:
 *
 *     D_ij / (h_i h_j) = sum_k w_k e_k e_k^T,     b_i / h_i = sum_k w_k z_k e_k + rest,
 *
 * a leg each, and which directions e there are on all ranks. */
#include "generator_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  SIDE = 2 * INK_SELLING_RADIUS + 1, /* of the cube of offsets */
  KEYS = SIDE * SIDE * SIDE
};

static const double SINGULAR = 1e-9; /* of a diagonal entry: what is left of it counts as 0 below this */

static int key_of(const int e[3]) {
  return (e[0] + INK_SELLING_RADIUS) +
         SIDE * ((e[1] + INK_SELLING_RADIUS) + SIDE * (e[2] + INK_SELLING_RADIUS));
}
static void offset_of(int key, int e[3]) {
  for (int a = 0; a < 3; a++) {
    e[a] = key % SIDE - INK_SELLING_RADIUS;
    key /= SIDE;
  }
}

/* ---- one cell ---- */

InkSplitter ink_splitter_of(const InkGenerator *generator, int radius) {
  InkSplitter splitter = {.generator = generator, .radius = radius};
  for (int a = 0; a < generator->mesh->dim; a++) {
    const InkAxis *axis = &generator->mesh->axis[a];
    if (!generator->parts->coupled[a]) continue;
    splitter.axis[splitter.dim] = a;
    splitter.width[splitter.dim++] = (axis->to - axis->from) / (double)axis->cells;
  }
  return splitter;
}

/* Decomposes the matrix of place i of rows.entry; false: not positive semi-definite. */
static bool split(InkSplitter *splitter, int64_t i) {
  double *const *entry = splitter->generator->parts->rows.entry;
  double D[3][3] = {{0}};
  for (int m = 0; m < splitter->dim; m++)
    for (int n = 0; n < splitter->dim; n++)
      D[m][n] = entry[ink_entry(splitter->generator->mesh->dim, splitter->axis[m], splitter->axis[n])][i] /
                (splitter->width[m] * splitter->width[n]);
  if (splitter->known && memcmp(D, splitter->D, sizeof D) == 0) return splitter->good;
  memcpy(splitter->D, D, sizeof D);
  splitter->known = true;
  splitter->good = ink_selling(splitter->dim, D, splitter->radius, &splitter->selling);
  return splitter->good;
}

void ink_splitter_spread(const InkSplitter *splitter, const int among[3], int e[3]) {
  e[0] = e[1] = e[2] = 0;
  for (int m = 0; m < splitter->dim; m++) e[splitter->axis[m]] = among[m];
}

/* The slope m with (sum of w e e^T) m = sum of w z e, by elimination; false: the directions do not span. */
static bool slope_of(const InkSplitter *splitter, const InkLegs *legs, double slope[3]) {
  const InkSelling *selling = &splitter->selling;
  const int dim = splitter->dim;
  double A[3][4] = {{0.0}}, first[3];
  for (int k = 0; k < selling->count; k++) {
    const int *e = selling->offset[k];
    for (int i = 0; i < dim; i++) {
      for (int j = 0; j < dim; j++) A[i][j] += selling->weight[k] * (e[i] * e[j]);
      A[i][3] += selling->weight[k] * legs->leg[k].z * e[i];
    }
  }
  for (int i = 0; i < dim; i++) first[i] = A[i][i];
  for (int i = 0; i < dim; i++) {
    if (!(A[i][i] > SINGULAR * first[i])) return false;
    for (int n = i + 1; n < dim; n++) {
      const double factor = A[n][i] / A[i][i];
      for (int j = i; j < 4; j++) A[n][j] -= factor * A[i][j];
    }
  }
  for (int i = dim - 1; i >= 0; i--) {
    double value = A[i][3];
    for (int j = i + 1; j < dim; j++) value -= A[i][j] * slope[splitter->axis[j]];
    slope[splitter->axis[i]] = value / A[i][i];
  }
  return true;
}

void ink_splitter_legs(InkSplitter *splitter, int64_t i, InkLegs *legs) {
  const struct InkGeneratorParts *parts = splitter->generator->parts;
  double drift[3] = {0}, share[INK_SELLING_MAX] = {0}, rest[3] = {0};
  *legs = (InkLegs){0};
  if (!split(splitter, i)) {
    for (int m = 0; m < splitter->dim; m++) legs->rest[splitter->axis[m]] = NAN;
    return;
  }
  const InkSelling *selling = &splitter->selling;
  for (int m = 0; m < splitter->dim; m++)
    drift[m] = parts->rows.entry[splitter->axis[m]][i] / splitter->width[m];
  ink_selling_drift(splitter->dim, selling, drift, share, rest);
  legs->count = selling->count;
  for (int k = 0; k < selling->count; k++) {
    legs->leg[k] = (InkLeg){ink_splitter_direction(splitter, selling->offset[k]), selling->weight[k],
                            share[k] / selling->weight[k]};
  }
  for (int m = 0; m < splitter->dim; m++) legs->rest[splitter->axis[m]] = rest[m];
  if (!slope_of(splitter, legs, legs->slope)) legs->slope[0] = legs->slope[1] = legs->slope[2] = NAN;
}

bool ink_splitter_wall(const InkSplitter *splitter, const InkWall *wall, InkSelling *along) {
  double S[3][3] = {{0.0}};
  int axis[2], dim = 0;
  for (int m = 0; m < splitter->dim; m++)
    if (m != wall->normal) axis[dim++] = m;
  for (int a = 0; a < dim; a++)
    for (int b = 0; b < dim; b++) S[a][b] = wall->S[axis[a]][axis[b]];
  InkSelling inside;
  if (!ink_selling(dim, S, splitter->radius, &inside)) return false;
  *along = (InkSelling){.count = inside.count};
  for (int k = 0; k < inside.count; k++) {
    along->weight[k] = inside.weight[k];
    for (int a = 0; a < dim; a++) along->offset[k][axis[a]] = inside.offset[k][a];
  }
  return true;
}

int ink_splitter_direction(const InkSplitter *splitter, const int among[3]) {
  int e[3];
  ink_splitter_spread(splitter, among, e);
  return splitter->generator->parts->number[key_of(e)];
}

/* ---- which directions there are ---- */

static void mark(const InkSplitter *splitter, const InkSelling *selling, unsigned char seen[KEYS]) {
  for (int leg = 0; leg < selling->count; leg++) {
    int e[3];
    ink_splitter_spread(splitter, selling->offset[leg], e);
    seen[key_of(e)] = 1;
  }
}

/* Marks the offsets of the owned cells. */
static void collect(const InkGenerator *generator, double t, int radius, unsigned char seen[KEYS]) {
  const InkMesh *mesh = generator->mesh;
  InkSplitter splitter = ink_splitter_of(generator, radius);
  InkSelling along;
  InkWall wall;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      ink_generator_cells(generator, t, 0, mesh->count[0], j, k);
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const int64_t at[3] = {i, j, k};
        if (!split(&splitter, i)) continue;
        mark(&splitter, &splitter.selling, seen);
        for (int m = 0; m < splitter.dim; m++) {
          const int side = 2 * splitter.axis[m];
          const int64_t here = at[splitter.axis[m]];
          if ((ink_reflects(generator, side, here) || ink_reflects(generator, side + 1, here)) &&
              ink_generator_wall(splitter.dim, &splitter.selling, m, &wall) &&
              ink_splitter_wall(&splitter, &wall, &along))
            mark(&splitter, &along, seen);
        }
      }
    }
}

static int common_divisor(int a, int b) {
  while (b) {
    const int rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

/* Marks every offset that a decomposition can have: no multiple of another, first non-zero component
 * positive, along coupled axes. */
static void mark_all(const InkGenerator *generator, int radius, unsigned char seen[KEYS]) {
  for (int key = 0; key < KEYS; key++) {
    int e[3], first = 0;
    bool fits = true;
    offset_of(key, e);
    for (int a = 2; a >= 0; a--) {
      if (e[a] != 0) first = e[a];
      const bool coupled = a < generator->mesh->dim && generator->parts->coupled[a];
      fits = fits && e[a] >= -radius && e[a] <= radius && (coupled || e[a] == 0);
    }
    if (fits && first > 0 && common_divisor(common_divisor(e[0], e[1]), e[2]) == 1) seen[key] = 1;
  }
}

/* Numbers the axes first, then the others that are marked; false: too many. */
static bool number(InkGenerator *generator, unsigned char seen[KEYS]) {
  struct InkGeneratorParts *parts = generator->parts;
  const int dim = generator->mesh->dim;
  int count = dim;
  for (int key = 0; key < KEYS; key++) parts->number[key] = -1;
  for (int a = 0; a < dim; a++) {
    for (int b = 0; b < 3; b++) generator->offset[a][b] = a == b;
    parts->number[key_of(generator->offset[a])] = (int16_t)a;
    seen[key_of(generator->offset[a])] = 0;
  }
  for (int key = 0; key < KEYS; key++) {
    if (!seen[key]) continue;
    if (count == INK_MAX_DIRECTIONS) return false;
    offset_of(key, generator->offset[count]);
    parts->number[key] = (int16_t)count++;
  }
  generator->directions = count;
  return true;
}

PetscErrorCode ink_generator_directions(InkGenerator *generator, double t) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = generator->mesh;
  struct InkGeneratorParts *parts = generator->parts;
  unsigned char seen[KEYS];
  bool few = false;
  PetscCall(PetscMalloc1(KEYS, &parts->number));
  parts->radius = mesh->width < INK_SELLING_RADIUS ? mesh->width : INK_SELLING_RADIUS;
  for (parts->radius++; !few;) { /* within radius 1 there are 13 at most */
    parts->radius--;
    memset(seen, 0, sizeof seen);
    if (parts->far_moves)
      mark_all(generator, parts->radius, seen);
    else if (parts->far)
      collect(generator, t, parts->radius, seen);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seen, KEYS, MPI_UNSIGNED_CHAR, MPI_MAX, mesh->comm));
    few = number(generator, seen);
  }
  parts->reach = (InkReach){.count = generator->directions - mesh->dim,
                            .offset = (const int(*)[3])generator->offset + mesh->dim};
  PetscFunctionReturn(0);
}

/* The longest offset on an axis of few cells: it must not lead back to its own cell, and one rank must be
 * able to hold the ghost cells. */
static int longest_fitting(const InkMesh *mesh) {
  int most = INK_SELLING_RADIUS;
  for (int a = 0; a < mesh->dim; a++)
    if (mesh->axis[a].cells <= most) most = (int)mesh->axis[a].cells - 1;
  return most > INK_LEAST_WIDTH ? most : INK_LEAST_WIDTH;
}

int ink_generator_longest(const InkGenerator *generator, double t) {
  unsigned char seen[KEYS] = {0};
  const int most = longest_fitting(generator->mesh);
  int longest = generator->parts->far_moves ? INK_MOVING_WIDTH : INK_LEAST_WIDTH;
  collect(generator, t, INK_SELLING_RADIUS, seen);
  for (int key = 0; key < KEYS; key++) {
    int e[3];
    if (!seen[key]) continue;
    offset_of(key, e);
    for (int a = 0; a < 3; a++) {
      const int length = e[a] < 0 ? -e[a] : e[a];
      if (length > longest) longest = length;
    }
  }
  return longest < most ? longest : most;
}

void ink_generator_remark(const InkGenerator *generator, char *text, size_t size) {
  const int radius = generator->parts->radius;
  text[0] = '\0';
  if (!(generator->added > 0.0)) return;
  snprintf(
      text, size,
      "the diffusion matrix needs steps of more than %d cells; within these up to %.2g %% of its largest "
      "entry is added to the diagonal (numerical diffusion)%s",
      radius, 100.0 * generator->added,
      radius == INK_SELLING_RADIUS ? ": widths of the cells that suit its directions need less"
      : radius == longest_fitting(generator->mesh) ? ": more cells along the shortest axis allow longer steps"
                                                   : "");
}
