/* Rows of the chains, and their steps. See chain.h. */
#include "chain.h"
#include <stdlib.h>
#include <string.h>

static const double LEAST = 1e-300;

bool ink_population_absorbs(const InkPopulation *population, int end) {
  return population->mutation[1 - end] == 0;
}

void ink_population_offspring(const InkPopulation *population, int64_t copies, double *p, double *q) {
  const double favoured = (double)copies * (1 + population->selection),
               others = (double)(population->size - copies);
  const double w = favoured / (favoured + others), rest = others / (favoured + others);
  const double away = population->mutation[0], to = population->mutation[1];
  *p = (1 - away) * w + to * rest;
  *q = away * w + (1 - to) * rest;
}

/* Binomial probabilities from the largest outwards, so that each is a product of few factors. */
static void binomial(int64_t n, double p, double q, double *row) {
  memset(row, 0, (size_t)(n + 1) * sizeof *row);
  int64_t mode = (int64_t)((double)(n + 1) * p);
  if (mode > n) mode = n;
  double sum = row[mode] = 1;
  for (int64_t j = mode; j < n && row[j] > LEAST && p > 0; j++) {
    row[j + 1] = row[j] * ((double)(n - j) * p) / ((double)(j + 1) * q);
    sum += row[j + 1];
  }
  for (int64_t j = mode; j > 0 && row[j] > LEAST && q > 0; j--) {
    row[j - 1] = row[j] * ((double)j * q) / ((double)(n - j + 1) * p);
    sum += row[j - 1];
  }
  for (int64_t j = 0; j <= n; j++) row[j] = row[j] > LEAST ? row[j] / sum : 0;
}

void ink_population_row(const InkPopulation *population, int64_t copies, double *row) {
  const int64_t n = population->size;
  double p, q;
  ink_population_offspring(population, copies, &p, &q);
  if (!population->moran) {
    binomial(n, p, q, row);
    return;
  }
  const double x = (double)copies / (double)n, y = (double)(n - copies) / (double)n;
  memset(row, 0, (size_t)(n + 1) * sizeof *row);
  row[copies] = p * x + q * y;
  if (copies < n) row[copies + 1] = p * y;
  if (copies > 0) row[copies - 1] = q * x;
}

InkTransitions *ink_transitions_create(const InkPopulation *population) {
  InkTransitions *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  const size_t n = (size_t)population->size + 1;
  t->states = (int64_t)n;
  t->row = malloc(n * n * sizeof *t->row);
  t->first = malloc(n * sizeof *t->first);
  t->end = malloc(n * sizeof *t->end);
  if (!t->row || !t->first || !t->end) {
    ink_transitions_destroy(&t);
    return NULL;
  }
  for (int64_t i = 0; i < t->states; i++) {
    double *row = t->row + i * t->states;
    ink_population_row(population, i, row);
    t->first[i] = 0;
    t->end[i] = t->states;
    while (row[t->first[i]] == 0) t->first[i]++;
    while (row[t->end[i] - 1] == 0) t->end[i]--;
  }
  return t;
}

void ink_transitions_destroy(InkTransitions **transitions) {
  InkTransitions *t = *transitions;
  if (!t) return;
  free(t->row);
  free(t->first);
  free(t->end);
  free(t);
  *transitions = NULL;
}

void ink_transitions_step(const InkTransitions *t, const double *mass, double *restrict next) {
  memset(next, 0, (size_t)t->states * sizeof *next);
  for (int64_t i = 0; i < t->states; i++) {
    const double *row = t->row + i * t->states, here = mass[i];
    if (here == 0) continue;
    for (int64_t j = t->first[i]; j < t->end[i]; j++) next[j] += here * row[j];
  }
}
