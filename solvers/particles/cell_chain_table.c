/* Tables of transitions: from the generator's edges to rows of places and rates. */
#include "cell_chain_impl.h"
#include <string.h>

enum { MOST_OPTIONS = 2 * INK_MAX_DIRECTIONS + INK_SIDES };

/* One transition between a cell and another (or a side). */
typedef struct Transition {
  double rate;
  int64_t row;
  int turn[3];
} Transition;

PetscErrorCode ink_table_create(const InkMesh *mesh, InkTable *table) {
  PetscFunctionBeginUser;
  *table = (InkTable){.options = 0, .rows = mesh->cells + INK_SIDES};
  PetscFunctionReturn(0);
}

PetscErrorCode ink_table_destroy(InkTable *table) {
  PetscFunctionBeginUser;
  PetscCall(PetscFree(table->number));
  PetscCall(PetscFree(table->to));
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(table->turn[a]));
  table->options = 0;
  PetscFunctionReturn(0);
}

double ink_table_bytes(const InkMesh *mesh, int options) {
  double place = sizeof(int32_t);
  for (int a = 0; a < mesh->dim; a++) place += mesh->axis[a].periodic ? sizeof(int8_t) : 0;
  return (double)(mesh->cells + INK_SIDES) * (options * (double)sizeof(double) + (options + 1) * place);
}

/* Room for more options. What the table held is lost. */
static PetscErrorCode make_room(const bool turns[3], int options, InkTable *table) {
  PetscFunctionBeginUser;
  const size_t rows = (size_t)table->rows;
  if (options <= table->options) PetscFunctionReturn(0);
  PetscCall(ink_table_destroy(table));
  PetscCall(PetscMalloc1(rows * (size_t)options, &table->number));
  PetscCall(PetscMalloc1(rows * (size_t)(options + 1), &table->to));
  for (int a = 0; a < 3; a++)
    if (turns[a]) PetscCall(PetscCalloc1(rows * (size_t)(options + 1), &table->turn[a]));
  table->options = options;
  PetscFunctionReturn(0);
}

/* The cell at `offset` from a cell: its row, and the turns of the way; false beyond a wall. */
static bool neighbour(const InkMesh *mesh, const int64_t at[3], const int offset[3], int sign,
                      Transition *to) {
  int64_t place[3];
  for (int a = 0; a < 3; a++) {
    const int64_t cells = mesh->axis[a].cells;
    place[a] = at[a] + sign * offset[a];
    to->turn[a] = place[a] < 0 ? -1 : place[a] >= cells ? 1 : 0;
    if (to->turn[a] && !mesh->axis[a].periodic) return false;
    place[a] -= to->turn[a] * cells;
  }
  to->row = place[0] + mesh->axis[0].cells * (place[1] + mesh->axis[1].cells * place[2]);
  return true;
}

static int64_t local_of(const InkMesh *mesh, const int64_t at[3]) {
  return mesh->origin + at[0] + at[1] * mesh->stride[1] + at[2] * mesh->stride[2];
}

/* The transitions out of a cell, or into it, in the order of the directions: downwards, upwards. */
static int list(const InkGenerator *g, const int64_t at[3], bool into, Transition found[MOST_OPTIONS]) {
  const InkMesh *mesh = g->mesh;
  const int64_t cell = local_of(mesh, at);
  int count = 0;
  for (int d = 0; d < g->directions; d++) {
    const int64_t jump = ink_mesh_jump(mesh, g->offset[d]);
    for (int sign = -1; sign <= 1; sign += 2) {
      const int64_t edge = sign > 0 ? cell : cell - jump; /* the edge is its lower cell's */
      const double flow = (sign > 0) == into ? g->down[d][edge] : g->up[d][edge];
      if (flow == 0.0 || !neighbour(mesh, at, g->offset[d], sign, &found[count])) continue;
      found[count++].rate = flow / g->volume[into ? cell + sign * jump : cell];
    }
  }
  for (int side = 0; side < 2 * mesh->dim && !into; side++)
    if (g->exit[side] && g->exit[side][cell] != 0.0)
      found[count++] = (Transition){.rate = g->exit[side][cell] / g->volume[cell], .row = mesh->cells + side};
  return count;
}

/* One row; the sum runs in the order of the options. */
static void set_row(InkTable *table, int64_t row, int count, const Transition found[], bool limits) {
  const int options = table->options;
  double *number = table->number + row * options, sum = 0.0;
  const int64_t first = row * (options + 1);
  for (int k = 0; k <= options; k++) {
    const bool used = k < count;
    sum += used ? found[k].rate : 0.0;
    if (k < options) number[k] = limits ? sum : used ? found[k].rate : 0.0;
    table->to[first + k] = (int32_t)(used ? found[k].row : row);
    for (int a = 0; a < 3; a++)
      if (table->turn[a]) table->turn[a][first + k] = (int8_t)(used ? found[k].turn[a] : 0);
  }
}

/* All rows; the number of options that are needed, and nothing set, where there is no room for them. */
static int set_rows(const InkGenerator *g, bool into, InkTable *table) {
  const InkMesh *mesh = g->mesh;
  Transition found[MOST_OPTIONS];
  int most = 0;
  int64_t row = 0, at[3];
  for (at[2] = 0; at[2] < mesh->axis[2].cells; at[2]++)
    for (at[1] = 0; at[1] < mesh->axis[1].cells; at[1]++)
      for (at[0] = 0; at[0] < mesh->axis[0].cells; at[0]++, row++) {
        const int count = list(g, at, into, found);
        if (count > most) most = count;
        if (most <= table->options) set_row(table, row, count, found, !into);
      }
  for (; row < table->rows && most <= table->options; row++) set_row(table, row, 0, found, !into);
  return most;
}

static PetscErrorCode fill(const InkGenerator *g, bool into, InkTable *table) {
  PetscFunctionBeginUser;
  bool turns[3];
  for (int a = 0; a < 3; a++) turns[a] = g->mesh->axis[a].periodic;
  PetscCall(make_room(turns, 2 * g->mesh->dim, table));
  for (int most; (most = set_rows(g, into, table)) > table->options;)
    PetscCall(make_room(turns, most, table));
  table->version++;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_table_out(const InkGenerator *generator, InkTable *table) {
  PetscFunctionBeginUser;
  PetscCall(fill(generator, false, table));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_table_in(const InkGenerator *generator, InkTable *table) {
  PetscFunctionBeginUser;
  PetscCall(fill(generator, true, table));
  PetscFunctionReturn(0);
}

/* ---- turned round ---- */

/* The places are those of `in`. */
static PetscErrorCode copy_places(const InkTable *in, InkTable *back) {
  PetscFunctionBeginUser;
  const size_t places = (size_t)in->rows * (size_t)(in->options + 1);
  const bool turns[3] = {in->turn[0] != NULL, in->turn[1] != NULL, in->turn[2] != NULL};
  if (back->options != in->options) PetscCall(ink_table_destroy(back));
  PetscCall(make_room(turns, in->options, back));
  memcpy(back->to, in->to, places * sizeof *in->to);
  for (int a = 0; a < 3; a++)
    if (turns[a]) memcpy(back->turn[a], in->turn[a], places * sizeof *in->turn[a]);
  for (int64_t i = 0; i < in->rows * in->options; i++) back->number[i] = 0.0;
  back->version = in->version;
  PetscFunctionReturn(0);
}

/* A limit of 0 is passed by every deviate and a limit of 1 by none: without mass all stay, and where staying
 * has no probability nobody does. */
static inline void turn_rows(int options, const InkTable *in, int64_t cells, const double *weighted,
                             const double *staying, double *restrict limit) {
  const double *rate = in->number;
  for (int64_t j = 0; j < cells; j++) {
    const int32_t *from = in->to + j * (options + 1);
    double *row = limit + j * options, sum = 0.0;
    for (int k = 0; k < options; k++) row[k] = sum += rate[j * options + k] * weighted[from[k]];
    sum += staying[j];
    const double whole = sum > 0.0 ? sum : 1.0;
    for (int k = 0; k < options; k++) row[k] /= whole;
  }
}

PetscErrorCode ink_table_reversed(const InkTable *in, int64_t cells, const double *weighted,
                                  const double *staying, InkTable *back) {
  PetscFunctionBeginUser;
  if (back->version != in->version) PetscCall(copy_places(in, back));
  switch (in->options) { /* loops of a known length are unrolled */
  case 2:
    turn_rows(2, in, cells, weighted, staying, back->number);
    break;
  case 4:
    turn_rows(4, in, cells, weighted, staying, back->number);
    break;
  case 6:
    turn_rows(6, in, cells, weighted, staying, back->number);
    break;
  default:
    turn_rows(in->options, in, cells, weighted, staying, back->number);
  }
  PetscFunctionReturn(0);
}
