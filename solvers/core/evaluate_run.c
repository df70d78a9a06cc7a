/* Running a program: block by block, so that intermediate results stay in the first-level cache.
 *
 * Full vectors are read from and written to the caller's arrays directly. The last cells, fewer than a
 * vector, go through a padded copy and the same loops. An output that lies in an array which later
 * instructions of the block still read is written to a copy first. So are outputs too large for the caches,
 * and from there past them: a plain store would first read the line that it overwrites. */
#include "evaluate_impl.h"

#include <string.h>

typedef struct Run {
  const InkProgram *program;
  const double *const *in;
  double *const *out;
  InkSlot *place;
  double *bounce; /* outputs * block cells; NULL: write directly */
  bool stream;    /* from there past the caches */
} Run;

/* Does an output overwrite an input that is read after it? */
static bool clobbers(const InkProgram *p, const double *const in[], double *const out[]) {
  for (int o = 0; o < p->outputs; o++)
    for (int v = 0; v < p->variables; v++)
      if (in[p->variable[v]] == out[o] && p->last_read[v] > p->written[o]) return true;
  return false;
}

/* Too large for the caches, and not read in as an input anyway? */
static bool streams(const InkProgram *p, size_t n, const double *const in[], double *const out[]) {
  const size_t STREAMED = 1 << 19; /* cells: 4 MiB an output */
  if (n < STREAMED || INK_WIDTH == 1) return false;
  for (int o = 0; o < p->outputs; o++)
    for (int v = 0; v < p->variables; v++)
      if (in[p->variable[v]] == out[o]) return false;
  return true;
}

/* to[i] = from[i], to past the caches where it is aligned. */
static void stream_copy(double *to, const double *from, size_t n) {
  const size_t bytes = INK_WIDTH * sizeof(double), ahead = (bytes - (uintptr_t)to % bytes) % bytes;
  size_t i = ahead / sizeof(double) < n ? ahead / sizeof(double) : n;
  memcpy(to, from, i * sizeof(double));
  for (; i + INK_WIDTH <= n; i += INK_WIDTH) ink_stream(to + i, ink_load(from + i));
  memcpy(to + i, from + i, (n - i) * sizeof(double));
}

static void execute(const InkInstruction *code, int count, const InkSlot *place, size_t n) {
  for (int k = 0; k < count; k++) code[k].kernel(place, code[k].operand, n);
}

/* Cells first .. first + n - 1, n a multiple of the width and at most a block. */
static void run_block(Run *r, size_t first, size_t n) {
  const InkProgram *p = r->program;
  for (int v = 0; v < p->variables; v++) /* Only read through this place; InkSlot serves results too. */
    r->place[p->first_variable + v].at = (double *)r->in[p->variable[v]] + first;
  for (int o = 0; o < p->outputs; o++)
    r->place[p->first_output + o].at = r->bounce ? r->bounce + (size_t)o * p->block : r->out[o] + first;
  execute(p->body, p->body_count, r->place, n);
  for (int o = 0; r->bounce && o < p->outputs; o++) {
    const double *result = r->bounce + (size_t)o * p->block;
    if (r->stream)
      stream_copy(r->out[o] + first, result, n);
    else
      memcpy(r->out[o] + first, result, n * sizeof(double));
  }
}

/* The last n < INK_WIDTH cells, padded with the last of them. */
static void run_rest(Run *r, size_t first, size_t n) {
  const InkProgram *p = r->program;
  double in[p->variables + 1][INK_WIDTH], out[p->outputs + 1][INK_WIDTH];
  for (int v = 0; v < p->variables; v++) {
    for (size_t k = 0; k < INK_WIDTH; k++) in[v][k] = r->in[p->variable[v]][first + (k < n ? k : n - 1)];
    r->place[p->first_variable + v].at = in[v];
  }
  for (int o = 0; o < p->outputs; o++) r->place[p->first_output + o].at = out[o];
  execute(p->body, p->body_count, r->place, INK_WIDTH);
  for (int o = 0; o < p->outputs; o++) memcpy(r->out[o] + first, out[o], n * sizeof(double));
}

static void set_places(Run *r, double *uniforms, double *registers) {
  const InkProgram *p = r->program;
  InkSlot *place = r->place;
  for (int k = 0; k < p->constants; k++) place[k] = (InkSlot){p->constant + (size_t)k * INK_WIDTH, 0};
  for (int k = 0; k < p->uniforms; k++)
    place[p->first_uniform + k] = (InkSlot){uniforms + (size_t)k * INK_WIDTH, 0};
  for (int k = 0; k < p->registers; k++)
    place[p->first_register + k] = (InkSlot){registers + (size_t)k * p->block, INK_WIDTH};
  for (int k = p->first_variable; k < p->places; k++) place[k] = (InkSlot){NULL, INK_WIDTH};
  for (int k = 0; k < p->uniform_variables; k++)
    ink_store(uniforms + (size_t)k * INK_WIDTH, ink_all(*r->in[p->uniform_variable[k]]));
  execute(p->prelude, p->prelude_count, place, INK_WIDTH);
}

void ink_program_run(const InkProgram *p, size_t n, const double *const in[INK_VARS], double *const out[]) {
  if (n == 0) return;
  enum { ALIGN = 8 }; /* doubles to a cache line */
  bool stream = streams(p, n, in, out), copy_out = stream || clobbers(p, in, out);
  size_t uniform_size = ((size_t)p->uniforms * INK_WIDTH + ALIGN - 1) / ALIGN * ALIGN;
  size_t register_size = (size_t)p->registers * p->block,
         out_size = copy_out ? (size_t)p->outputs * p->block : 0;
  double memory[uniform_size + register_size + out_size + ALIGN];
  double *start = (double *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
  InkSlot place[p->places + 1];
  Run r = {p, in, out, place, copy_out ? start + uniform_size + register_size : NULL, stream};
  set_places(&r, start, start + uniform_size);
  size_t whole = n - n % INK_WIDTH;
  for (size_t first = 0; first < whole; first += p->block)
    run_block(&r, first, whole - first < p->block ? whole - first : p->block);
  if (whole < n) run_rest(&r, whole, n - whole);
  if (stream) ink_stream_end();
}

int ink_program_outputs(const InkProgram *program) { return program->outputs; }
