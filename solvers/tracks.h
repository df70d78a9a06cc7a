/* Quantities that are rates: a number observed again and again over a span of time, and the slope of the line
 * through the samples.
 *
 *   front:speed   slope of front:position over the last half of [from, to], by default that of the run
 *   growth        slope of ln amplitude over [from, to]; without `from` over the last half of the run
 *
 * The line is that of least squares; with t and y the samples' means over n samples,
 *
 *     slope = sum (t_i - t)(y_i - y) / sum (t_i - t)^2,
 *     its standard error^2 = sum of squared residuals / ((n - 2) sum (t_i - t)^2)
 *
 * (of samples whose residuals are independent). The times of the samples are targets of the run
 * (INK_EVENT_TRACK) and depend on the deck alone; the samples go into checkpoints. */
#ifndef INK_TRACKS_H
#define INK_TRACKS_H

#include "solver.h"

typedef enum InkTrackKind {
  INK_TRACK_NONE, /* not a rate */
  INK_TRACK_SPEED,
  INK_TRACK_GROWTH
} InkTrackKind;

enum { INK_TRACK_INTERVALS = 200 }; /* of the span; one sample more */

typedef struct InkTrack {
  InkTrackKind kind;
  InkQuery base;   /* what is sampled */
  double from, to; /* the span of the samples */
  int count, room;
  double *time, *value; /* the samples so far, in order of time; NaN where there was nothing to find */
  char unit[32];        /* of the rate; "1": not known */
} InkTrack;

/* What kind of rate a quantity of the deck is: "front:speed", "growth", also with ":FIELD" after it. Pure. */
InkTrackKind ink_track_kind(const char *quantity);
/* The question whose answers are sampled; texts are made in `pool`. */
InkQuery ink_track_base(InkPool *pool, InkTrackKind kind, const InkQuery *query);
InkDim ink_track_dim(InkTrackKind kind);

/* The span over which the i-th verify entry of a deck, a rate, is sampled, and the time of sample j, from 0
 * to INK_TRACK_INTERVALS. Pure. */
void ink_track_span(const InkDeck *deck, int i, double *from, double *to);
double ink_track_time(double from, double to, int j);

/* Deck checks (rank 0) of the i-th verify entry: the options of a rate, and that no other has them. Needs a
 * sound verify section. True when nothing is wrong. */
bool ink_track_check(const InkDeck *deck, int i, InkErrors *errors);

/* The track of the i-th verify entry, whose query is `query`. Not collective. */
PetscErrorCode ink_track_create(const InkDeck *deck, int i, InkPool *pool, const InkQuery *query,
                                InkTrack **track);
PetscErrorCode ink_track_destroy(InkTrack **track);

/* Takes a sample when `now` is one of the track's times, closer than `same`. Collective. */
PetscErrorCode ink_track_sample(InkTrack *track, const InkSolverType *solver, void *self, double now,
                                double same);
/* The rate from the samples so far. NaN with fewer than three of use. The unit is owned by the track. */
void ink_track_value(const InkTrack *track, InkValue *value);

/* Slope and its standard error of the least-squares line through n points; points whose y is not finite are
 * left out, with fewer than three left both are NaN. Pure. */
void ink_line_fit(int n, const double *t, const double *y, double *slope, double *error);

/* The samples of `count` tracks (NULL: none) in a checkpoint. Loading takes those that are within the track's
 * span. Collective. */
PetscErrorCode ink_tracks_save(int count, InkTrack *const track[], InkStore *store);
PetscErrorCode ink_tracks_load(int count, InkTrack *const track[], InkStore *store);
#endif
