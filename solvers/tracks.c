/* Rates: samples over a span of time and the line through them. See tracks.h. */
#include "tracks.h"

#include <math.h>
#include <string.h>
#include "events.h"

/* ---- from the deck ---- */

static bool is_or_has_field(const char *quantity, const char *name) {
  size_t length = strlen(name);
  return strncmp(quantity, name, length) == 0 && (quantity[length] == '\0' || quantity[length] == ':');
}

InkTrackKind ink_track_kind(const char *quantity) {
  if (is_or_has_field(quantity, "front:speed")) return INK_TRACK_SPEED;
  return is_or_has_field(quantity, "growth") ? INK_TRACK_GROWTH : INK_TRACK_NONE;
}

InkQuery ink_track_base(InkPool *pool, InkTrackKind kind, const InkQuery *query) {
  InkQuery base = {.kind = "amplitude", .argument = query->argument, .entry = query->entry};
  if (kind != INK_TRACK_SPEED) return base;
  const char *field = strchr(query->argument, ':'); /* of "speed:u" */
  char argument[256];
  snprintf(argument, sizeof argument, "position%s", field ? field : "");
  return (InkQuery){.kind = "front", .argument = ink_pool_strdup(pool, argument), .entry = query->entry};
}

InkDim ink_track_dim(InkTrackKind kind) { return ink_dim_of(kind == INK_TRACK_SPEED ? "m/s" : "1/s"); }

void ink_track_span(const InkDeck *deck, int i, double *from, double *to) {
  bool growth = ink_track_kind(ink_deck_text(deck, "verify[%d].quantity", i)) == INK_TRACK_GROWTH;
  const InkNode *first = ink_deck_node(deck, "verify[%d].from", i);
  const InkNode *last = ink_deck_node(deck, "verify[%d].to", i);
  if (!last) last = ink_deck_node(deck, "verify[%d].at", i);
  *to = last ? last->number : ink_deck_end(deck);
  *from = first ? first->number : ink_deck_start(deck);
  if (!(growth && first)) *from += 0.5 * (*to - *from);
}

double ink_track_time(double from, double to, int j) {
  return j == INK_TRACK_INTERVALS ? to : from + (to - from) * ((double)j / INK_TRACK_INTERVALS);
}

/* The key that says when, for messages. */
static void path_of_times(const InkDeck *deck, int i, char *path, size_t size) {
  static const char *const keys[] = {"from", "to", "at", "quantity"};
  int k = 0;
  while (k < 3 && !ink_deck_has(deck, "verify[%d].%s", i, keys[k])) k++;
  snprintf(path, size, "verify[%d].%s", i, keys[k]);
}

/* Options that say when, of an entry that is a rate. Times outside the run are reported with all others. */
static bool check_times(const InkDeck *deck, int i, InkErrors *errors) {
  char path[64];
  bool has_from = ink_deck_has(deck, "verify[%d].from", i), has_to = ink_deck_has(deck, "verify[%d].to", i);
  if ((has_from || has_to) && ink_deck_has(deck, "verify[%d].at", i)) {
    snprintf(path, sizeof path, "verify[%d].at", i);
    ink_deck_error(deck, errors, path, "stands for `to`: give it alone, or from and to");
    return false;
  }
  if (!ink_deck_sound(deck, "time")) return false;
  const double start = ink_deck_start(deck), end = ink_deck_end(deck), same = ink_deck_same_time(deck);
  const double given = has_from ? ink_deck_number(deck, "verify[%d].from", i) : start;
  double from, to;
  ink_track_span(deck, i, &from, &to);
  if (!(end > start) || to > end + same || to < start - same || given < start - same || given > end + same)
    return false;
  path_of_times(deck, i, path, sizeof path);
  if (!(given < to))
    ink_deck_error(deck, errors, path, "the span must end after it begins, and goes from %g to %g s", given,
                   to);
  else if ((to - from) / INK_TRACK_INTERVALS <= 8 * same)
    ink_deck_error(deck, errors, path, "%d samples from %g to %g s are too close in a run as long as this",
                   INK_TRACK_INTERVALS + 1, from, to);
  else
    return true;
  return false;
}

bool ink_track_check(const InkDeck *deck, int i, InkErrors *errors) {
  static const char *const spans[] = {"from", "to"};
  const char *quantity = ink_deck_text(deck, "verify[%d].quantity", i);
  InkTrackKind kind = ink_track_kind(quantity);
  char path[64];
  bool good = true;
  for (int s = 0; s < 2 && kind == INK_TRACK_NONE; s++) {
    if (!ink_deck_has(deck, "verify[%d].%s", i, spans[s])) continue;
    snprintf(path, sizeof path, "verify[%d].%s", i, spans[s]);
    ink_deck_error(deck, errors, path, "is for front:speed and growth; %s is taken at one time, `at`",
                   quantity);
    good = false;
  }
  if (kind == INK_TRACK_NONE) return good;
  snprintf(path, sizeof path, "verify[%d].quantity", i);
  if (ink_deck_is_steady(deck)) {
    ink_deck_error(deck, errors, path, "%s is not defined for a steady run", quantity);
    return false;
  }
  if (kind == INK_TRACK_GROWTH && !ink_deck_has(deck, "verify[%d].wavenumber", i)) {
    ink_deck_error(deck, errors, path, "growth needs wavenumber, that of the wave that grows");
    good = false;
  }
  return check_times(deck, i, errors) && good;
}

/* ---- samples ---- */

PetscErrorCode ink_track_create(const InkDeck *deck, int i, InkPool *pool, const InkQuery *query,
                                InkTrack **track) {
  PetscFunctionBeginUser;
  InkTrackKind kind = ink_track_kind(ink_deck_text(deck, "verify[%d].quantity", i));
  *track = NULL;
  if (kind == INK_TRACK_NONE) PetscFunctionReturn(0);
  PetscCall(PetscNew(track));
  (*track)->kind = kind;
  (*track)->base = ink_track_base(pool, kind, query);
  ink_track_span(deck, i, &(*track)->from, &(*track)->to);
  const InkNode *end = ink_deck_node(deck, "time.end");
  bool seconds = end && end->unit; /* the deck's times have a unit */
  snprintf((*track)->unit, sizeof(*track)->unit, "%s", kind == INK_TRACK_GROWTH && seconds ? "1/s" : "1");
  PetscFunctionReturn(0);
}

PetscErrorCode ink_track_destroy(InkTrack **track) {
  PetscFunctionBeginUser;
  if (*track) {
    PetscCall(PetscFree((*track)->time));
    PetscCall(PetscFree((*track)->value));
  }
  PetscCall(PetscFree(*track));
  PetscFunctionReturn(0);
}

static PetscErrorCode keep(InkTrack *track, double time, double value) {
  PetscFunctionBeginUser;
  if (track->count == track->room) {
    track->room = track->room ? 2 * track->room : INK_TRACK_INTERVALS + 1;
    PetscCall(PetscRealloc((size_t)track->room * sizeof(double), &track->time));
    PetscCall(PetscRealloc((size_t)track->room * sizeof(double), &track->value));
  }
  track->time[track->count] = time;
  track->value[track->count++] = value;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_track_sample(InkTrack *track, const InkSolverType *solver, void *self, double now,
                                double same) {
  InkValue value = {0};
  PetscFunctionBeginUser;
  double place = (now - track->from) / (track->to - track->from) * INK_TRACK_INTERVALS;
  if (!(place > -0.5 && place < INK_TRACK_INTERVALS + 0.5)) PetscFunctionReturn(0);
  if (fabs(ink_track_time(track->from, track->to, (int)lround(place)) - now) > same) PetscFunctionReturn(0);
  if (track->count > 0 && now <= track->time[track->count - 1]) PetscFunctionReturn(0); /* has it already */
  PetscCall(solver->quantity(self, &track->base, &value));
  if (track->kind == INK_TRACK_SPEED && value.unit && strcmp(value.unit, "m") == 0)
    snprintf(track->unit, sizeof track->unit, "m/s");
  PetscCall(keep(track, now, track->kind == INK_TRACK_GROWTH ? log(value.value) : value.value));
  PetscFunctionReturn(0);
}

void ink_track_value(const InkTrack *track, InkValue *value) {
  ink_line_fit(track->count, track->time, track->value, &value->value, &value->standard_error);
  value->unit = track->unit;
}

/* ---- the line ---- */

void ink_line_fit(int n, const double *t, const double *y, double *slope, double *error) {
  double of_use = 0, mean_t = 0, mean_y = 0, tt = 0, ty = 0, square = 0;
  for (int i = 0; i < n; i++) {
    if (!isfinite(y[i])) continue;
    of_use++; /* running means lose nothing where all y are large and alike */
    mean_t += (t[i] - mean_t) / of_use;
    mean_y += (y[i] - mean_y) / of_use;
  }
  for (int i = 0; i < n; i++) {
    if (!isfinite(y[i])) continue;
    tt += (t[i] - mean_t) * (t[i] - mean_t);
    ty += (t[i] - mean_t) * (y[i] - mean_y);
  }
  *slope = *error = NAN;
  if (of_use < 3 || !(tt > 0)) return;
  *slope = ty / tt;
  for (int i = 0; i < n; i++) {
    if (!isfinite(y[i])) continue;
    double residual = y[i] - mean_y - *slope * (t[i] - mean_t);
    square += residual * residual;
  }
  *error = sqrt(square / ((of_use - 2) * tt));
}

/* ---- in checkpoints ---- */

/* /driver/tracks/counts: of each track; /driver/tracks/samples: time and value by turns, track by track. */
static const char counts_path[] = "/driver/tracks/counts", samples_path[] = "/driver/tracks/samples";

PetscErrorCode ink_tracks_save(int count, InkTrack *const track[], InkStore *store) {
  int64_t *counts;
  double *samples;
  int total = 0;
  PetscFunctionBeginUser;
  for (int i = 0; i < count; i++) total += track[i] ? track[i]->count : 0;
  if (total == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2((size_t)count, &counts, 2 * (size_t)total, &samples));
  double *next = samples;
  for (int i = 0; i < count; i++) {
    counts[i] = track[i] ? track[i]->count : 0;
    for (int s = 0; s < counts[i]; s++) {
      *next++ = track[i]->time[s];
      *next++ = track[i]->value[s];
    }
  }
  PetscCall(ink_store_group(store, "/driver/tracks"));
  PetscCall(ink_store_write_integers(store, counts_path, count, counts));
  PetscCall(ink_store_write_numbers(store, samples_path, 2 * total, samples));
  PetscCall(PetscFree2(counts, samples));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_tracks_load(int count, InkTrack *const track[], InkStore *store) {
  int64_t *counts;
  double *samples;
  int rank = 0;
  hsize_t entries[4] = {0}, numbers[4] = {0};
  PetscFunctionBeginUser;
  if (count == 0 || !ink_store_has(store, counts_path)) PetscFunctionReturn(0);
  PetscCall(ink_store_size(store, counts_path, &rank, entries));
  PetscCall(ink_store_size(store, samples_path, &rank, numbers));
  if (entries[0] != (hsize_t)count) PetscFunctionReturn(0); /* the entries were changed */
  PetscCall(PetscMalloc2((size_t)count, &counts, (size_t)numbers[0], &samples));
  PetscCall(ink_store_read_integers(store, counts_path, count, counts));
  PetscCall(ink_store_read_numbers(store, samples_path, (int)numbers[0], samples));
  const double *next = samples, *end = samples + numbers[0];
  for (int i = 0; i < count; i++) {
    if (track[i]) track[i]->count = 0;
    for (int64_t s = 0; s < counts[i] && next + 1 < end; s++, next += 2)
      if (track[i] && next[0] >= track[i]->from && next[0] <= track[i]->to)
        PetscCall(keep(track[i], next[0], next[1]));
  }
  PetscCall(PetscFree2(counts, samples));
  PetscFunctionReturn(0);
}
