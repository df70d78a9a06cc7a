/* From the graph to the program.
 *
 * 1. Count uses. A product used once in a sum becomes an fma: the first such product of the sum, from the
 * left. This alone decides which IEEE operations are done; nothing after it changes bits.
 * 2. Fuse: a sum, difference or product (or a comparison in an `if`) used once is done in the loop of its
 * user.
 * 3. Order: depth first, the argument that needs more registers first (Sethi and Ullman 1970).
 * 4. Registers: a linear scan; a register is free after its last reader, which may write to it. */
#include "evaluate_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a node's instruction reads, after fusing. */
typedef struct Fused {
  InkCode inner_x, inner_z;
  int operand[INK_OPERANDS]; /* nodes; -1: none */
} Fused;

typedef struct Compiler {
  InkGraph graph;
  InkProgram *program;
  Fused *fused;
  int *need;     /* registers needed to compute a node */
  bool *done;    /* emitted */
  int *place;    /* of a node; -1: none yet */
  int *order[2]; /* nodes in the order of computation: [0] varying, [1] uniform */
  int ordered[2];
} Compiler;

static void *zeroed(size_t count, size_t size) {
  void *memory = calloc(count + 1, size);
  if (memory) return memory;
  fputs("inkdrop: out of memory\n", stderr);
  abort();
}

static bool is_leaf(const InkGraphNode *n) { return n->code == INK_C_CONSTANT || n->code == INK_C_VARIABLE; }

static void count_uses(InkGraph *g) {
  for (int o = 0; o < g->nout; o++) g->node[g->output[o]].uses++;
  for (int i = g->count - 1; i >= 0; i--)
    for (int a = 0; a < 3 && g->node[i].uses; a++)
      if (g->node[i].arg[a] >= 0) g->node[g->node[i].arg[a]].uses++;
}

/* A product that this one node alone uses. */
static bool lone(const InkGraph *g, int id, InkCode code) {
  return g->node[id].uses == 1 && g->node[id].code == code;
}

static void contract(InkGraph *g) {
  for (int i = 0; i < g->count; i++) {
    InkGraphNode *n = &g->node[i];
    if (!n->uses || (n->code != INK_C_ADD && n->code != INK_C_SUB)) continue;
    int x = n->arg[0], z = n->arg[2], product;
    if (lone(g, x, INK_C_MUL)) {
      n->code = n->code == INK_C_ADD ? INK_C_FMA : INK_C_FMS;
      product = x;
      n->arg[2] = z;
    } else if (lone(g, z, INK_C_MUL)) {
      n->code = n->code == INK_C_ADD ? INK_C_FMA : INK_C_FNMA;
      product = z;
      n->arg[2] = x;
    } else {
      continue;
    }
    n->arg[0] = g->node[product].arg[0];
    n->arg[1] = g->node[product].arg[2];
    g->node[product].uses = 0;
  }
}

/* Can `id` be done inside its user's loop, as the operand of an `outer`? */
static bool joins(const InkGraph *g, int id, InkCode outer, bool as_x) {
  const InkGraphNode *n = &g->node[id];
  if (n->uses != 1 || n->uniform) return false;
  if (outer == INK_C_SELECT)
    return as_x && ink_kernel(outer, n->code, INK_C_COPY) != NULL && n->code >= INK_C_LT;
  if (n->code < INK_C_ADD || n->code > INK_C_MUL) return false;
  return ink_kernel(outer, as_x ? n->code : INK_C_COPY, as_x ? INK_C_COPY : n->code) != NULL;
}

static void take_in(InkGraph *g, int id, InkCode *inner, int *first, int *second) {
  *inner = g->node[id].code;
  *first = g->node[id].arg[0];
  *second = g->node[id].arg[2];
  g->node[id].uses = 0;
}

/* Users come after what they use, so going down the users choose before their operands do: each operation is
 * fused into its user or takes in its own operands, never both. */
static void fuse(Compiler *c) {
  InkGraph *g = &c->graph;
  for (int i = g->count - 1; i >= 0; i--) {
    InkGraphNode *n = &g->node[i];
    Fused *f = &c->fused[i];
    *f = (Fused){INK_C_COPY, INK_C_COPY, {-1, n->arg[0], -1, n->arg[1], n->arg[2], -1}};
    if (!n->uses || n->uniform || is_leaf(n)) continue;
    bool product = n->code == INK_C_FMA || n->code == INK_C_FMS || n->code == INK_C_FNMA;
    if (product && !joins(g, n->arg[0], n->code, true) && joins(g, n->arg[1], n->code, true)) {
      f->operand[INK_X] = n->arg[1];
      f->operand[INK_Y] = n->arg[0];
    }
    int x = f->operand[INK_X], z = f->operand[INK_Z];
    if (joins(g, x, n->code, true)) take_in(g, x, &f->inner_x, &f->operand[INK_X], &f->operand[INK_X2]);
    if (z >= 0 && joins(g, z, n->code, false))
      take_in(g, z, &f->inner_z, &f->operand[INK_Z], &f->operand[INK_Z2]);
  }
}

/* The operands of a node, most demanding first. Returns how many. */
static int sorted_operands(const Compiler *c, int id, int sorted[INK_OPERANDS]) {
  int count = 0;
  for (int k = INK_X; k < INK_OPERANDS; k++) {
    int operand = c->fused[id].operand[k];
    if (operand < 0) continue;
    int at = count++;
    for (; at > 0 && c->need[sorted[at - 1]] < c->need[operand]; at--) sorted[at] = sorted[at - 1];
    sorted[at] = operand;
  }
  return count;
}

static void find_needs(Compiler *c) {
  for (int i = 0; i < c->graph.count; i++) {
    if (is_leaf(&c->graph.node[i]) || c->graph.node[i].uniform) continue;
    int sorted[INK_OPERANDS], count = sorted_operands(c, i, sorted);
    c->need[i] = 1;
    for (int k = 0; k < count; k++)
      if (c->need[sorted[k]] + k > c->need[i]) c->need[i] = c->need[sorted[k]] + k;
  }
}

static void visit(Compiler *c, int id) {
  const InkGraphNode *n = &c->graph.node[id];
  if (c->done[id] || is_leaf(n)) return;
  c->done[id] = true;
  int sorted[INK_OPERANDS], count = sorted_operands(c, id, sorted);
  for (int k = 0; k < count; k++) visit(c, sorted[k]);
  c->order[n->uniform][c->ordered[n->uniform]++] = id;
}

/* Places. */

static void place_leaves(Compiler *c) {
  InkProgram *p = c->program;
  InkGraph *g = &c->graph;
  for (int i = 0; i < g->count; i++) {
    InkGraphNode *n = &g->node[i];
    c->place[i] = -1;
    if (!n->uses || !is_leaf(n)) continue;
    if (n->code == INK_C_CONSTANT) {
      c->place[i] = p->constants++;
    } else {
      p->read |= 1ull << n->variable;
      if (n->uniform)
        p->uniform_variable[p->uniform_variables++] = n->variable;
      else
        p->variable[p->variables++] = n->variable;
    }
  }
  p->constant = aligned_alloc(64, ((size_t)p->constants * INK_WIDTH * sizeof(double) + 127) / 64 * 64);
  if (!p->constant) abort();
  for (int i = 0; i < g->count; i++)
    if (c->place[i] >= 0)
      for (int k = 0; k < INK_WIDTH; k++) p->constant[c->place[i] * INK_WIDTH + k] = g->node[i].value;
  p->first_uniform = p->constants;
  p->uniforms = p->uniform_variables + c->ordered[1];
  p->first_register = p->first_uniform + p->uniforms;
  for (int k = 0; k < c->ordered[1]; k++)
    c->place[c->order[1][k]] = p->first_uniform + p->uniform_variables + k;
  for (int i = 0; i < g->count; i++)
    for (int v = 0; v < p->uniform_variables; v++)
      if (g->node[i].uses && g->node[i].code == INK_C_VARIABLE &&
          g->node[i].variable == p->uniform_variable[v])
        c->place[i] = p->first_uniform + v;
}

/* Registers for the varying nodes, numbered from 0 in reg[]; outputs' own nodes get none (-1). */
static void give_registers(Compiler *c, int *reg) {
  InkProgram *p = c->program;
  int *last = zeroed((size_t)c->graph.count, sizeof *last),
      *spare = zeroed((size_t)c->ordered[0], sizeof *spare);
  int spares = 0;
  for (int k = 0; k < c->ordered[0]; k++)
    for (int a = INK_X; a < INK_OPERANDS; a++)
      if (c->fused[c->order[0][k]].operand[a] >= 0) last[c->fused[c->order[0][k]].operand[a]] = k;
  for (int k = 0; k < c->ordered[0]; k++) {
    int id = c->order[0][k];
    for (int a = INK_X; a < INK_OPERANDS; a++) {
      int operand = c->fused[id].operand[a];
      if (operand < 0 || last[operand] != k || reg[operand] < 0) continue;
      spare[spares++] = reg[operand];
      last[operand] = -1; /* once, also when it is read twice */
    }
    if (c->place[id] == -2) continue; /* an output's */
    reg[id] = spares ? spare[--spares] : p->registers++;
  }
  free(last);
  free(spare);
}

static void place_results(Compiler *c) {
  InkProgram *p = c->program;
  InkGraph *g = &c->graph;
  int *reg = zeroed((size_t)g->count, sizeof *reg);
  for (int i = 0; i < g->count; i++) reg[i] = -1;
  for (int o = 0; o < g->nout; o++)
    if (!is_leaf(&g->node[g->output[o]]) && !g->node[g->output[o]].uniform) c->place[g->output[o]] = -2;
  give_registers(c, reg);
  p->first_variable = p->first_register + p->registers;
  p->first_output = p->first_variable + p->variables;
  p->places = p->first_output + p->outputs;
  for (int i = 0; i < g->count; i++) {
    if (reg[i] >= 0) c->place[i] = p->first_register + reg[i];
    if (!g->node[i].uses || g->node[i].code != INK_C_VARIABLE || g->node[i].uniform) continue;
    for (int v = 0; v < p->variables; v++)
      if (p->variable[v] == g->node[i].variable) c->place[i] = p->first_variable + v;
  }
  for (int o = g->nout - 1; o >= 0; o--)
    if (!is_leaf(&g->node[g->output[o]]) && !g->node[g->output[o]].uniform)
      c->place[g->output[o]] = p->first_output + o; /* of the first output that is this node */
  free(reg);
}

static InkInstruction instruction(const Compiler *c, int id) {
  const Fused *f = &c->fused[id];
  InkInstruction i = {.kernel = ink_kernel(c->graph.node[id].code, f->inner_x, f->inner_z)};
  for (int k = INK_X; k < INK_OPERANDS; k++) {
    int operand = f->operand[k] >= 0 ? f->operand[k] : f->operand[INK_X]; /* never read */
    i.operand[k] = (uint16_t)c->place[operand];
  }
  i.operand[INK_DST] = (uint16_t)c->place[id];
  return i;
}

static void emit(Compiler *c) {
  InkProgram *p = c->program;
  p->prelude = zeroed((size_t)c->ordered[1], sizeof *p->prelude);
  p->body = zeroed((size_t)(c->ordered[0] + p->outputs), sizeof *p->body);
  p->written = zeroed((size_t)p->outputs, sizeof *p->written);
  for (int k = 0; k < c->ordered[1]; k++) p->prelude[p->prelude_count++] = instruction(c, c->order[1][k]);
  for (int k = 0; k < c->ordered[0]; k++) {
    const Fused *f = &c->fused[c->order[0][k]];
    p->operations += 1 + (f->inner_x != INK_C_COPY) + (f->inner_z != INK_C_COPY);
    p->body[p->body_count++] = instruction(c, c->order[0][k]);
  }
  for (int o = 0; o < p->outputs;
       o++) { /* outputs that no instruction writes: inputs, constants, repeated ones */
    uint16_t from = (uint16_t)c->place[c->graph.output[o]], to = (uint16_t)(p->first_output + o);
    if (from != to)
      p->body[p->body_count++] = (InkInstruction){ink_kernel(INK_C_COPY, INK_C_COPY, INK_C_COPY),
                                                  {to, from, from, from, from, from}};
  }
  for (int k = 0; k < p->body_count; k++) {
    int to = p->body[k].operand[INK_DST] - p->first_output;
    if (to >= 0) p->written[to] = k;
    for (int a = INK_X; a < INK_OPERANDS; a++) {
      int from = p->body[k].operand[a] - p->first_variable;
      if (from >= 0 && from < p->variables) p->last_read[from] = k;
    }
  }
}

/* Cells a block: what the registers leave of a first-level cache, from one vector to 256 cells. */
static size_t block_cells(int registers) {
  enum { CACHE_BYTES = 24576, MOST = 256 };
  size_t cells = MOST;
  while (cells > INK_WIDTH && cells * (size_t)registers * sizeof(double) > CACHE_BYTES) cells /= 2;
  return cells;
}

static void compile(Compiler *c) {
  InkGraph *g = &c->graph;
  size_t count = (size_t)g->count;
  count_uses(g);
  contract(g);
  c->fused = zeroed(count, sizeof *c->fused);
  c->need = zeroed(count, sizeof *c->need);
  c->done = zeroed(count, sizeof *c->done);
  c->place = zeroed(count, sizeof *c->place);
  for (int k = 0; k < 2; k++) c->order[k] = zeroed(count, sizeof **c->order);
  fuse(c);
  find_needs(c);
  for (int o = 0; o < g->nout; o++) visit(c, g->output[o]);
  place_leaves(c);
  place_results(c);
  emit(c);
  c->program->block = block_cells(c->program->registers);
  free(c->fused);
  free(c->need);
  free(c->done);
  free(c->place);
  for (int k = 0; k < 2; k++) free(c->order[k]);
}

InkProgram *ink_program_create(int nout, const InkExpr *const out[], uint64_t uniform, char *message,
                               size_t size) {
  Compiler c = {0};
  ink_graph_build(&c.graph, nout, out, uniform);
  if (!c.graph.too_large) {
    c.program = zeroed(1, sizeof *c.program);
    c.program->outputs = nout;
    compile(&c);
  }
  if (c.graph.too_large || c.program->body_count + c.program->prelude_count > INK_MAX_OPERATIONS) {
    snprintf(message, size, "the expression is too large: more than %d operations; make it shorter",
             INK_MAX_OPERATIONS);
    ink_program_destroy(&c.program);
  }
  ink_graph_clear(&c.graph);
  return c.program;
}

void ink_program_destroy(InkProgram **program) {
  if (!program || !*program) return;
  free((*program)->constant);
  free((*program)->prelude);
  free((*program)->body);
  free((*program)->written);
  free(*program);
  *program = NULL;
}

uint64_t ink_program_variables(const InkProgram *program) { return program->read; }
int ink_program_operations(const InkProgram *program) { return program->operations; }
