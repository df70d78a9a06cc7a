/* Targets: snapshot, series, verify and simulated-time checkpoint times, the samples of rates, and the end,
 * merged and in order. */
#include "events.h"
#include "tracks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More targets than this are a mistake in the deck. */
enum { MAX_TARGETS = 5000000 };

/* A time before merging. Of times that are the same but for rounding the one with the lowest `order` is kept:
 * times given in the deck come before multiples of an interval. */
typedef struct Raw {
  double time;
  unsigned what;
  int order;
} Raw;

typedef struct RawList {
  Raw *raw;
  size_t count, room;
} RawList;

enum { ORDER_END, ORDER_GIVEN, ORDER_MULTIPLE };

double ink_deck_start(const InkDeck *deck) {
  return ink_deck_node(deck, "time.start") ? ink_deck_number(deck, "time.start") : 0;
}

double ink_deck_end(const InkDeck *deck) {
  if (ink_deck_node(deck, "time.end")) return ink_deck_number(deck, "time.end");
  return ink_deck_start(deck) + 1;
}

static bool is_rate(const InkDeck *deck, int i) {
  const InkNode *quantity = ink_deck_node(deck, "verify[%d].quantity", i);
  return quantity && quantity->text && ink_track_kind(quantity->text) != INK_TRACK_NONE;
}

double ink_verify_time(const InkDeck *deck, int i) {
  if (is_rate(deck, i)) {
    double from, to;
    ink_track_span(deck, i, &from, &to);
    return to;
  }
  return ink_deck_node(deck, "verify[%d].at", i) ? ink_deck_number(deck, "verify[%d].at", i)
                                                 : ink_deck_end(deck);
}

static double tolerance_of(double start, double end) {
  return fmax(1e-10 * (end - start), 8 * 2.220446049250313e-16 * fmax(fabs(start), fabs(end)));
}

double ink_deck_same_time(const InkDeck *deck) {
  return tolerance_of(ink_deck_start(deck), ink_deck_end(deck));
}

/* The keys that make a target at every multiple of an interval. */
static const struct {
  const char *path;
  unsigned what;
} intervals[] = {{"output.snapshots.every", INK_EVENT_SNAPSHOT},
                 {"output.series.every", INK_EVENT_SERIES},
                 {"checkpoint.every_simulated", INK_EVENT_CHECKPOINT}};
enum { INTERVALS = sizeof intervals / sizeof *intervals };

static void check_within(const InkDeck *deck, InkErrors *errors, const char *path, double time) {
  double start = ink_deck_start(deck), end = ink_deck_end(deck), same = tolerance_of(start, end);
  if (time < start - same || time > end + same)
    ink_deck_error(deck, errors, path, "time %g s is outside the run, which goes from %g to %g s", time,
                   start, end);
}

/* Times that the deck names must be within the run. Returns how many there are. */
static double check_given_times(const InkDeck *deck, InkErrors *errors) {
  static const char *const keys[] = {"at", "from", "to"};
  const double *at;
  int given = ink_deck_numbers(deck, &at, "output.snapshots.at");
  for (int i = 0; i < given; i++) check_within(deck, errors, "output.snapshots.at", at[i]);
  double count = given;
  for (int i = 0; i < ink_deck_count(deck, "verify"); i++) {
    for (int k = 0; k < 3; k++) {
      char path[64];
      snprintf(path, sizeof path, "verify[%d].%s", i, keys[k]);
      if (ink_deck_node(deck, "%s", path))
        check_within(deck, errors, path, ink_deck_number(deck, "%s", path));
    }
    count += is_rate(deck, i) ? INK_TRACK_INTERVALS + 1 : 1;
  }
  return count;
}

void ink_events_check(const InkDeck *deck, InkErrors *errors) {
  static const char *const sections[] = {"time", "output", "checkpoint", "verify"};
  for (int s = 0; s < 4; s++)
    if (!ink_deck_sound(deck, "%s", sections[s])) return; /* the reader's errors come first */
  bool has_end = ink_deck_node(deck, "time.end") != NULL;
  if (!has_end && !ink_deck_is_steady(deck)) return; /* the key table requires it */
  double start = ink_deck_start(deck), end = ink_deck_end(deck);
  if (has_end && !(end > start)) {
    ink_deck_error(deck, errors, "time.end", "must be after time.start (%g s), got %g s", start, end);
    return;
  }
  double targets = 0;
  for (int i = 0; i < INTERVALS; i++) {
    if (!ink_deck_node(deck, "%s", intervals[i].path)) continue;
    double every = ink_deck_number(deck, "%s", intervals[i].path);
    double count = every > 0 ? (end - start) / every : 0;
    if (count > MAX_TARGETS)
      ink_deck_error(deck, errors, intervals[i].path, "%g s makes %.3g times, more than %d", every, count,
                     MAX_TARGETS);
    else
      targets += count;
  }
  targets += check_given_times(deck, errors);
  if (targets > MAX_TARGETS)
    ink_deck_error(deck, errors, "time", "the deck makes %.3g times that steps must hit, more than %d",
                   targets, MAX_TARGETS);
}

static PetscErrorCode add(RawList *list, double time, unsigned what, int order) {
  PetscFunctionBeginUser;
  if (list->count == list->room) {
    list->room = list->room ? 2 * list->room : 64;
    PetscCall(PetscRealloc(list->room * sizeof *list->raw, &list->raw));
  }
  list->raw[list->count++] = (Raw){time, what, order};
  PetscFunctionReturn(0);
}

static PetscErrorCode add_track(RawList *list, const InkDeck *deck, int i) {
  double from, to;
  PetscFunctionBeginUser;
  ink_track_span(deck, i, &from, &to);
  for (int j = 0; j <= INK_TRACK_INTERVALS; j++)
    PetscCall(add(list, ink_track_time(from, to, j), INK_EVENT_TRACK, ORDER_MULTIPLE));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_all(const InkDeck *deck, const InkEvents *events, unsigned mask, RawList *list) {
  double start = events->start, end = events->end;
  PetscFunctionBeginUser;
  PetscCall(add(list, end, INK_EVENT_END, ORDER_END));
  for (int i = 0; i < INTERVALS; i++) {
    if (!(mask & intervals[i].what) || !ink_deck_node(deck, "%s", intervals[i].path)) continue;
    double every = ink_deck_number(deck, "%s", intervals[i].path);
    if (intervals[i].what == INK_EVENT_SERIES) PetscCall(add(list, end, INK_EVENT_SERIES, ORDER_END));
    for (int64_t n = 0; every > 0 && start + (double)n * every < end - events->same; n++)
      PetscCall(
          add(list, start + (double)n * every, intervals[i].what, n == 0 ? ORDER_GIVEN : ORDER_MULTIPLE));
  }
  const double *at;
  int given = mask & INK_EVENT_SNAPSHOT ? ink_deck_numbers(deck, &at, "output.snapshots.at") : 0;
  for (int i = 0; i < given; i++) PetscCall(add(list, at[i], INK_EVENT_SNAPSHOT, ORDER_GIVEN));
  for (int i = 0; mask & INK_EVENT_VERIFY && i < ink_deck_count(deck, "verify"); i++)
    PetscCall(add(list, ink_verify_time(deck, i), INK_EVENT_VERIFY, ORDER_GIVEN));
  for (int i = 0; mask & INK_EVENT_TRACK && i < ink_deck_count(deck, "verify"); i++)
    if (is_rate(deck, i)) PetscCall(add_track(list, deck, i));
  PetscFunctionReturn(0);
}

static int by_time(const void *a, const void *b) {
  const Raw *p = a, *q = b;
  if (p->time != q->time) return p->time < q->time ? -1 : 1;
  return p->order - q->order;
}

/* Joins times that are the same but for rounding; those at the start go to `initial`. */
static PetscErrorCode merge(const RawList *list, InkEvents *events) {
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(list->count, &events->event));
  events->count = 0;
  for (size_t i = 0; i < list->count;) {
    double first = list->raw[i].time;
    InkEvent joined = {first, 0};
    int order = ORDER_MULTIPLE + 1;
    for (; i < list->count && list->raw[i].time - first <= events->same; i++) {
      joined.what |= list->raw[i].what;
      if (list->raw[i].order < order) joined.time = list->raw[i].time;
      if (list->raw[i].order < order) order = list->raw[i].order;
    }
    if (fabs(joined.time - events->start) <= events->same)
      events->initial |= joined.what;
    else
      events->event[events->count++] = joined;
  }
  events->event[events->count - 1].what |= INK_EVENT_SNAPSHOT; /* the end is always written */
  PetscFunctionReturn(0);
}

PetscErrorCode ink_events_create(const InkDeck *deck, unsigned mask, InkEvents **events) {
  RawList list = {0};
  InkEvents *made;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&made));
  made->start = ink_deck_start(deck);
  made->end = ink_deck_end(deck);
  made->same = tolerance_of(made->start, made->end);
  made->initial = INK_EVENT_SNAPSHOT;
  PetscCall(add_all(deck, made, mask, &list));
  qsort(list.raw, list.count, sizeof *list.raw, by_time);
  PetscCall(merge(&list, made));
  /* Without a state to begin with there is nothing to show before it is solved for. */
  if (ink_deck_is_steady(deck) && ink_deck_state(deck, NULL) >= 0)
    made->initial &= ~(unsigned)(INK_EVENT_SNAPSHOT | INK_EVENT_SERIES);
  PetscCall(PetscFree(list.raw));
  *events = made;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_events_tell(const InkEvents *events, const InkSolverType *solver, void *self,
                               InkFailure *failure) {
  PetscFunctionBeginUser;
  double *time;
  if (!solver->targets) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)events->count, &time));
  for (int e = 0; e < events->count; e++) time[e] = events->event[e].time;
  PetscCall(solver->targets(self, events->count, time, failure));
  PetscCall(PetscFree(time));
  PetscFunctionReturn(0);
}

void ink_events_destroy(InkEvents **events) {
  if (!*events) return;
  (void)PetscFree((*events)->event);
  (void)PetscFree(*events);
  *events = NULL;
}

const InkEvent *ink_events_after(const InkEvents *events, double now) {
  int low = 0, high = events->count; /* event[low - 1].time <= now < event[high].time */
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (events->event[middle].time <= now)
      low = middle + 1;
    else
      high = middle;
  }
  return low < events->count ? &events->event[low] : NULL;
}
