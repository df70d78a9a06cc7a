/* The particles a rank holds, and how a run takes them through time.
 *
 * Particles are numbered 0 to count - 1 over all ranks; a rank holds a contiguous range that begins at a
 * multiple of INK_PARTICLE_BLOCK, so that blocks, and with them all bits, do not depend on the number of
 * ranks. Structure of arrays: one array a quantity, [room] doubles, 64-byte aligned, padded to whole blocks
 * (padding particles are copies of particle 0's start and are never counted). What happens to particle i in
 * step s is a function of (seed, i, s) alone. */
#ifndef INK_ENSEMBLE_H
#define INK_ENSEMBLE_H

#include <mpi.h>
#include "../core/mesh.h"
#include "../core/random.h"

enum {
  INK_PARTICLE_BLOCK = 256,
  INK_INSIDE = -1,     /* fate of a particle that is still there */
  INK_MAX_REGIONS = 8, /* particles.absorbing */
  INK_FATES = INK_SIDES + INK_MAX_REGIONS
};

/* The streams of random numbers of a run (random.h): what they are drawn for. Part of the meaning of a seed.
 */
enum {
  INK_STREAM_START = 16,   /* places at the start */
  INK_STREAM_NOISE,        /* + noise, up to INK_MAX_NOISES: the Wiener increments; one draw a step */
  INK_STREAM_WALL = 64,    /* + lower side of an axis, or region: crossings in steps; one draw a step */
  INK_STREAM_PASSAGE = 80, /* + side or region: when in the step they are; four draws a step */
  INK_STREAM_JUMP = 96     /* jumps; one draw a step */
};

typedef struct InkEnsemble {
  MPI_Comm comm;
  uint64_t seed;
  int64_t count;    /* of all ranks */
  int64_t first, n; /* this rank's: first <= i < first + n */
  int64_t room;     /* n, rounded up to blocks */
  int dim;
  double *x[3];     /* places; of an absorbed particle, where it was absorbed */
  double *fate;     /* INK_INSIDE, a side, or INK_SIDES + region; NULL when nothing absorbs */
  double *when;     /* time of absorption (or NaN); NULL when nothing absorbs */
  double *moved[3]; /* displacement since the start, unfolded across periodic ends; NULL unless asked for */
  double *quadratic[3]; /* sum over the steps of squared increments of x[a]; NULL unless asked for */
  double *total[3];     /* sum of their magnitudes; NULL unless asked for */
  double *length;       /* sum of the steps' lengths, |dX|, in all states; NULL unless asked for */
  double *cell;         /* chains: number of the cell, x fastest; NULL for paths */
} InkEnsemble;

/* Which arrays a run needs. */
typedef struct InkEnsembleNeeds {
  bool absorbs, moved, quadratic, total, chain;
} InkEnsembleNeeds;

/* Bytes a particle. Pure. */
double ink_ensemble_bytes(int dim, const InkEnsembleNeeds *needs);
/* Shares `count` particles out over the ranks; arrays are zero, fates INK_INSIDE. Collective. */
PetscErrorCode ink_ensemble_create(MPI_Comm comm, uint64_t seed, int64_t count, int dim,
                                   const InkEnsembleNeeds *needs, InkEnsemble **ensemble);
PetscErrorCode ink_ensemble_destroy(InkEnsemble **ensemble);
/* Every array under "/state/particles". The same bits back on any rank count. Collective. */
PetscErrorCode ink_ensemble_save(const InkEnsemble *ensemble, InkStore *store);
PetscErrorCode ink_ensemble_load(InkEnsemble *ensemble, InkStore *store);

static inline bool ink_is_inside(const InkEnsemble *e, int64_t i) {
  return !e->fate || e->fate[i] == INK_INSIDE;
}

/* Steps to take: step number first + k goes from time[k] to time[k + 1]. */
typedef struct InkSchedule {
  int64_t first;
  int count;
  const double *time; /* [count + 1] */
} InkSchedule;

/* What takes an ensemble through a schedule: paths, chains, reversed chains. All ranks call it with the same
 * schedule; failure (INK_NUMERICAL) is local, the caller agrees. */
typedef struct InkMover {
  void *context;
  PetscErrorCode (*advance)(void *context, InkEnsemble *ensemble, const InkSchedule *schedule,
                            InkFailure *failure);
} InkMover;
#endif
