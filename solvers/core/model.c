/* The section `model` of a good deck as a process. See model.h. */
#include "model.h"
#include <string.h>

/* NULL for an expression that is the number 0: what is zero everywhere costs nothing. */
static const InkExpr *not_zero(const InkExpr *e) {
  double value;
  return e && ink_expr_is_number(e, &value) && value == 0.0 ? NULL : e;
}

static const InkExpr *sum(InkPool *pool, const InkExpr *a, const InkExpr *b) {
  if (!a || !b) return a ? a : b;
  return not_zero(ink_expr_binary(pool, INK_OP_ADD, a, b));
}

static const InkExpr *product(InkPool *pool, const InkExpr *a, const InkExpr *b) {
  if (!a || !b) return NULL;
  return not_zero(ink_expr_binary(pool, INK_OP_MUL, a, b));
}

static const InkExpr *half(InkPool *pool, const InkExpr *e) {
  return product(pool, ink_expr_number(pool, 0.5), e);
}

bool ink_model_entry(const InkProcess *process, const char *name, int *i, int *j) {
  for (int a = 0; a < process->dim; a++)
    if (strcmp(process->name[a], name) == 0) {
      *i = *j = a;
      return true;
    }
  for (int a = 0; a < process->dim; a++) {
    const size_t length = strlen(process->name[a]);
    if (strncmp(process->name[a], name, length) != 0) continue;
    for (int b = 0; b < process->dim; b++)
      if (strcmp(process->name[b], name + length) == 0) {
        *i = a;
        *j = b;
        return true;
      }
  }
  return false;
}

static void read_diffusion(const InkDeck *deck, InkProcess *process) {
  for (int e = 0; e < ink_deck_count(deck, "model.diffusion"); e++) {
    const char *name = ink_deck_name(deck, "model.diffusion", e);
    int i, j;
    if (!ink_model_entry(process, name, &i, &j)) continue;
    process->diffusion[i][j] = process->diffusion[j][i] =
        not_zero(ink_deck_expression(deck, "model.diffusion.%s", name));
  }
}

/* ---- noise ---- */

static int noise_number(InkModel *model, const char *name) {
  for (int k = 0; k < model->noises; k++)
    if (strcmp(model->noise[k], name) == 0) return k;
  if (model->noises == INK_MAX_NOISES) return -1;
  model->noise[model->noises] = name;
  return model->noises++;
}

static void read_noise(const InkDeck *deck, InkModel *model) {
  const InkProcess *process = &model->process;
  for (int i = 0; i < process->dim; i++) {
    char row[128];
    snprintf(row, sizeof row, "model.noise.%s", process->name[i]);
    for (int c = 0; c < ink_deck_count(deck, "%s", row); c++) {
      const char *name = ink_deck_name(deck, row, c);
      const int k = noise_number(model, name);
      if (k >= 0) model->B[i][k] = not_zero(ink_deck_expression(deck, "%s.%s", row, name));
    }
  }
}

/* D = B B^T/2. */
static void diffusion_of_noise(InkPool *pool, InkModel *model) {
  InkProcess *process = &model->process;
  for (int i = 0; i < process->dim; i++)
    for (int j = 0; j <= i; j++) {
      const InkExpr *total = NULL;
      for (int k = 0; k < model->noises; k++)
        total = sum(pool, total, product(pool, model->B[i][k], model->B[j][k]));
      process->diffusion[i][j] = process->diffusion[j][i] = half(pool, total);
    }
}

/* What turns a Stratonovich drift into Ito's: 1/2 sum over j and k of B_jk dB_ik/dx_j. */
static const InkExpr *correction(InkPool *pool, const InkModel *model, int i) {
  const InkExpr *total = NULL;
  for (int k = 0; k < model->noises; k++)
    for (int j = 0; j < model->process.dim; j++) {
      if (!model->B[i][k] || !model->B[j][k]) continue;
      const InkExpr *slope = not_zero(ink_expr_derivative(pool, model->B[i][k], INK_VAR_X + j));
      total = sum(pool, total, product(pool, model->B[j][k], slope));
    }
  return half(pool, total);
}

/* ---- all ---- */

void ink_model_read(const InkDeck *deck, InkPool *pool, InkModel *model) {
  const InkDomainAxis *axis;
  *model = (InkModel){.stratonovich = ink_deck_chosen(deck, "model.interpretation", "stratonovich")};
  InkProcess *process = &model->process;
  process->dim = ink_deck_state(deck, &axis);
  if (process->dim < 0) process->dim = 0;
  for (int i = 0; i < process->dim; i++) {
    process->name[i] = axis[i].name;
    model->as_given[i] = process->drift[i] =
        not_zero(ink_deck_expression(deck, "model.drift.%s", axis[i].name));
    for (int end = 0; end < 2; end++) {
      char path[128];
      snprintf(path, sizeof path, "model.boundary.%s", axis[i].side[end]);
      process->absorbing[2 * i + end] = ink_deck_chosen(deck, path, "absorbing");
    }
  }
  read_noise(deck, model);
  if (model->noises > 0)
    diffusion_of_noise(pool, model);
  else
    read_diffusion(deck, process);
  if (!model->stratonovich) return;
  for (int i = 0; i < process->dim; i++)
    process->drift[i] = sum(pool, process->drift[i], correction(pool, model, i));
}
