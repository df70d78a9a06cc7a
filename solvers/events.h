/* The targets of a run: times that steps must hit exactly. They depend on the deck alone, so that a restart
 * has the same ones. Not collective. */
#ifndef INK_EVENTS_H
#define INK_EVENTS_H

#include "solver.h"

enum {
  INK_EVENT_SNAPSHOT = 1,
  INK_EVENT_SERIES = 2,
  INK_EVENT_VERIFY = 4,
  INK_EVENT_CHECKPOINT = 8, /* checkpoint.every_simulated */
  INK_EVENT_END = 16,
  INK_EVENT_TRACK = 32, /* a sample of a rate (tracks.h) */
  INK_EVENT_ALL = 63,
};

typedef struct InkEvent {
  double time;
  unsigned what; /* INK_EVENT_* */
} InkEvent;

typedef struct InkEvents {
  double start, end;
  double same;      /* times closer than this are one target */
  int count;        /* targets after start, up to and with the end */
  InkEvent *event;  /* in order of time; the last one is the end */
  unsigned initial; /* what happens at the start: snapshot always, but for state variables that are
                       solved for at once; series, verify, track when asked for */
} InkEvents;

/* Deck checks (rank 0): end after start, `at` within the run, not too many targets. */
void ink_events_check(const InkDeck *deck, InkErrors *errors);

/* The targets of a good deck whose kinds are in `mask` (the end always is). */
PetscErrorCode ink_events_create(const InkDeck *deck, unsigned mask, InkEvents **events);
void ink_events_destroy(InkEvents **events);
/* Tells a solver that wants to know (InkSolverType.targets). Collective; failure: agreed on. */
PetscErrorCode ink_events_tell(const InkEvents *events, const InkSolverType *solver, void *self,
                               InkFailure *failure);

/* The first target after `now`; NULL when the end is reached. */
const InkEvent *ink_events_after(const InkEvents *events, double now);

/* Start and end of the deck's time. A steady deck without an end has one pseudo second. */
double ink_deck_start(const InkDeck *deck);
double ink_deck_end(const InkDeck *deck);
/* Times of the deck's run closer than this are the same but for rounding. */
double ink_deck_same_time(const InkDeck *deck);
/* When the i-th verify entry is due: its `at` (of a rate, the end of its samples), or the end. */
double ink_verify_time(const InkDeck *deck, int i);
#endif
