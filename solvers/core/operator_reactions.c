/* The operator's source terms R_s(x,t,u) and their slopes dR_s/du_f: all fields in one program, a part of a
 * row at a time, so that fluxes can be added while the values are in the first-level cache. Those that depend
 * on neither t nor the fields are evaluated once. */
#include "operator_impl.h"
#include <stdlib.h>

static const uint64_t time_bit = 1ull << INK_VAR_T;

static uint64_t field_bits(int n) { return ((1ull << n) - 1) << INK_VAR_FIELD; }

static void *need(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size);
  if (!memory) abort();
  return memory;
}

/* ---- creation ---- */

static void sort_out(InkReactions *reactions, int n, const InkExpr *const *source) {
  reactions->given = need((size_t)n, sizeof(bool));
  reactions->moving = need((size_t)n, sizeof(bool));
  reactions->fixed_of = need((size_t)n, sizeof(int));
  reactions->moved_of = need((size_t)n, sizeof(int));
  reactions->own_of = need((size_t)n, sizeof(int));
  reactions->values = need((size_t)n, sizeof(double *));
  reactions->now = need((size_t)n, sizeof(double *));
  reactions->row = need((size_t)(n * n), sizeof(int));
  reactions->column = need((size_t)(n * n), sizeof(int));
  for (int s = 0; s < n; s++) {
    if (!source[s]) continue;
    const uint64_t variables = ink_expr_variables(source[s]);
    reactions->given[s] = true;
    reactions->variables |= variables;
    reactions->moving[s] = variables & (field_bits(n) | time_bit);
    if (reactions->moving[s])
      reactions->moved_of[reactions->moved++] = s;
    else
      reactions->fixed_of[reactions->fixed++] = s;
  }
}

/* Collects the slopes that are not zero, and what they are. */
static void differentiate(InkReactions *reactions, int n, const InkExpr *const *source, InkPool *pool,
                          const InkExpr **slope) {
  reactions->affine = reactions->constant_slopes = reactions->nonpositive = true;
  for (int s = 0; s < n; s++)
    for (int f = 0; f < n; f++) {
      if (!source[s] || !(ink_expr_variables(source[s]) >> (INK_VAR_FIELD + f) & 1)) continue;
      const InkExpr *e = ink_expr_derivative(pool, source[s], INK_VAR_FIELD + f);
      const uint64_t variables = ink_expr_variables(e);
      const bool number = ink_expr_is_constant(e);
      if (number && ink_expr_value(e, NULL) == 0.0) continue;
      reactions->affine = reactions->affine && !(variables & field_bits(n));
      reactions->constant_slopes = reactions->constant_slopes && !(variables & (field_bits(n) | time_bit));
      reactions->nonpositive = reactions->nonpositive && number && ink_expr_value(e, NULL) <= 0.0;
      slope[reactions->slopes] = e;
      reactions->row[reactions->slopes] = s;
      reactions->column[reactions->slopes++] = f;
      if (s == f) reactions->own_of[reactions->own++] = s;
    }
}

/* A program of `count` chosen expressions; NULL when there are none. */
static bool compile(int count, const InkExpr *const out[], InkProgram **program, char *message, size_t size) {
  if (count == 0) return true;
  *program = ink_program_create(count, out, INK_ROW_UNIFORM, message, size);
  return *program != NULL;
}

bool ink_reactions_create(InkDiffusion *diffusion, const InkExpr *const *source, InkPool *pool, char *message,
                          size_t size) {
  InkReactions *reactions = &diffusion->reactions;
  const int n = diffusion->n;
  sort_out(reactions, n, source);
  const InkExpr **slope = need((size_t)(n * n), sizeof *slope), **out = need((size_t)n, sizeof *out);
  differentiate(reactions, n, source, pool, slope);
  for (int m = 0; m < reactions->fixed; m++) out[m] = source[reactions->fixed_of[m]];
  bool good = compile(reactions->fixed, out, &reactions->fixed_value, message, size);
  for (int m = 0; m < reactions->moved; m++) out[m] = source[reactions->moved_of[m]];
  good = good && compile(reactions->moved, out, &reactions->moved_value, message, size);
  good = good && compile(reactions->slopes, slope, &reactions->slope, message, size);
  int own = 0;
  for (int m = 0; m < reactions->slopes; m++)
    if (reactions->row[m] == reactions->column[m]) out[own++] = slope[m];
  good = good && compile(own, out, &reactions->own_slope, message, size);
  const int parts = reactions->moved > reactions->slopes ? reactions->moved : reactions->slopes;
  reactions->buffer = ink_operator_line((int64_t)parts * INK_PART + 1);
  free(slope);
  free(out);
  return good;
}

void ink_reactions_destroy(InkReactions *reactions, int n) {
  if (reactions->fixed_value) ink_program_destroy(&reactions->fixed_value);
  if (reactions->moved_value) ink_program_destroy(&reactions->moved_value);
  if (reactions->slope) ink_program_destroy(&reactions->slope);
  if (reactions->own_slope) ink_program_destroy(&reactions->own_slope);
  for (int s = 0; reactions->values && s < n; s++)
    if (reactions->values[s]) ink_mesh_free(&reactions->values[s]);
  free(reactions->given);
  free(reactions->moving);
  free(reactions->fixed_of);
  free(reactions->moved_of);
  free(reactions->own_of);
  free(reactions->values);
  free(reactions->now);
  free(reactions->row);
  free(reactions->column);
  free(reactions->buffer);
}

/* ---- evaluation ---- */

PetscErrorCode ink_reactions_prepare(InkDiffusion *diffusion) {
  PetscFunctionBeginUser;
  InkReactions *reactions = &diffusion->reactions;
  if (reactions->known || reactions->fixed == 0) PetscFunctionReturn(0);
  double *out[INK_MAX_FIELDS];
  for (int m = 0; m < reactions->fixed; m++) {
    double **values = &reactions->values[reactions->fixed_of[m]];
    PetscCall(ink_operator_need(diffusion->mesh, 1, values));
    out[m] = *values;
  }
  /* They read no field: any array will do. */
  ink_operator_evaluate(diffusion, reactions->fixed_value, 0.0, out[0], out);
  reactions->known = true;
  PetscFunctionReturn(0);
}

static void run(InkDiffusion *diffusion, const InkProgram *program, double t, const double *u,
                const InkPart *part) {
  const int outputs = ink_program_outputs(program);
  const double *in[INK_VARS] = {NULL};
  double *out[outputs];
  ink_operator_inputs(diffusion, &t, u, part, in);
  for (int o = 0; o < outputs; o++) out[o] = diffusion->reactions.buffer + (ptrdiff_t)o * INK_PART;
  ink_program_run(program, (size_t)part->n, in, out);
}

void ink_reactions_part(InkDiffusion *diffusion, double t, const double *u, const InkPart *part) {
  InkReactions *reactions = &diffusion->reactions;
  if (reactions->moved > 0) run(diffusion, reactions->moved_value, t, u, part);
  for (int m = 0; m < reactions->moved; m++)
    reactions->now[reactions->moved_of[m]] = reactions->buffer + (ptrdiff_t)m * INK_PART;
  for (int m = 0; m < reactions->fixed; m++) {
    const int s = reactions->fixed_of[m];
    reactions->now[s] = reactions->values[s] + part->cell;
  }
}

void ink_reactions_slopes(InkDiffusion *diffusion, bool own, double t, const double *u, const InkPart *part) {
  const InkProgram *program = own ? diffusion->reactions.own_slope : diffusion->reactions.slope;
  if (program) run(diffusion, program, t, u, part);
}
