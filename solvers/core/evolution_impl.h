/* Shared between the files of evolutions; not for others. */
#ifndef INK_CORE_EVOLUTION_IMPL_H
#define INK_CORE_EVOLUTION_IMPL_H

#include "evolution.h"

/* ---- evolution_question.c ---- */

typedef enum InkAsked {
  INK_ASKED_PROBE,
  INK_ASKED_INTEGRAL,
  INK_ASKED_MEAN,
  INK_ASKED_VARIANCE,
  INK_ASKED_MIN,
  INK_ASKED_MAX,
  INK_ASKED_FLUX,
  INK_ASKED_MEAN_FLUX,
  INK_ASKED_CURRENT,
  INK_ASKED_ERROR_L2,
  INK_ASKED_ERROR_MAX,
  INK_ASKED_BALANCE,
  INK_ASKED_FRONT_POSITION,
  INK_ASKED_FRONT_SPEED,
  INK_ASKED_AMPLITUDE,
  INK_ASKED_GROWTH,
  INK_ASKED_WAVELENGTH,
  INK_ASKED_SPOTS
} InkAsked;

/* A query understood. */
typedef struct InkQuestion {
  InkAsked what;
  int field, side, axis;
  double number; /* level, wave number, or electrons */
  const char *probe;
  InkDim dim; /* of the value */
} InkQuestion;

/* False: the query is not defined for this deck, and message says why. Local. */
bool ink_question_read(const InkDeck *deck, const InkEvolutionModel *model, const InkQuery *query,
                       InkQuestion *question, char *message, size_t size);
#endif
