/* Shared between the files of paths; not for others.
 *
 *   paths.c         compiles an equation, takes blocks of particles through a schedule
 *   paths_scheme.c  one step of a block, walls apart
 *   paths_wall.c    sides of the box: reflecting, absorbing, periodic
 *   paths_region.c  regions that absorb, and what becomes of absorbed particles
 *   paths_fault.c   steps that give no number */
#ifndef INK_PATHS_IMPL_H
#define INK_PATHS_IMPL_H

#include "../core/evaluate.h"
#include "paths.h"
#include "walls.h"
#include "walls_vector.h"

enum {
  INK_BLOCK = INK_PARTICLE_BLOCK,
  INK_LINE = 8,                                            /* doubles of a cache line */
  INK_SECONDS = INK_MAX_NOISES * (INK_MAX_NOISES + 1) / 2, /* pairs of noises */
  INK_OUTPUTS = 3 + 3 * INK_MAX_NOISES + 3 * INK_SECONDS,
  INK_GAP_ROWS = 4,    /* a region's phi and gradient */
  INK_COLUMNS = 16,    /* arrays of an ensemble, at the most */
  INK_EXACT_STEPS = 64 /* exact steps made ready at a time */
};

/* A coefficient's values over a block: step INK_WIDTH, or 0 for a number (held as one vector). */
typedef struct InkValues {
  const double *at;
  ptrdiff_t step;
} InkValues;

static inline InkVector ink_values_at(InkValues values, size_t vector) {
  return ink_load(values.at + (ptrdiff_t)vector * values.step);
}

/* A coefficient of dW_k, or of dW_j dW_k. */
typedef struct InkTerm {
  InkValues value;
  int j, k;
} InkTerm;

/* The equation's values at one place and time; a Heun step has two. */
typedef struct InkCoefficients {
  double *const *out;             /* where the program writes */
  InkValues drift[3];             /* 0 where there is none */
  InkValues B[3][INK_MAX_NOISES]; /* at: NULL where there is none */
  InkTerm noise[3][INK_MAX_NOISES];
  int noises[3];
  InkTerm second[3][INK_SECONDS];
  int seconds[3];
} InkCoefficients;

/* One axis of the box. */
typedef struct InkAxisEnds {
  double from, to, middle;
  double half; /* |x - middle| below this is inside, whatever rounding does */
  bool periodic, absorbing[2];
  bool bridges;    /* walls at which bridges are drawn */
  bool steady;     /* the noise is given by numbers, */
  double squares;  /* the sum of whose squares is */
  bool couples[3]; /* noise in common with the other axis */
} InkAxisEnds;

/* A block on its way. Arrays are [INK_BLOCK], aligned. */
typedef struct InkPathBlock {
  uint64_t number[INK_BLOCK]; /* of the particles, increasing */
  int inside;                 /* particles still there */
  double *x[3], *y[3];        /* at the start and end of the step */
  double *fate, *when;        /* what is not the ensemble's counts as absorbed */
  double *z[INK_MAX_NOISES];  /* normal deviates of four steps */
  double *uniform[INK_FATES]; /* of four steps, for crossings of axes (lower side) and regions; else NULL */
  int64_t drawn[INK_FATES];   /* which four; -1: none */
  double *predicted[3];       /* Heun's X*; Milstein's base; exact X'; places brought back for regions */
  double *part;               /* of the step, at which the particle is absorbed; > 1: it is not */
  double *taker;              /* fate it then has */
  int hits;                   /* particles absorbed in this step */
  bool near[3];               /* this step may have met a wall, gone through a periodic end, or gone astray */
  bool far[3];                /* x is out of reach of walls in steps of `far_dt` or less */
  double far_dt;
  double *gap[2][INK_MAX_REGIONS][INK_GAP_ROWS]; /* regions: phi and its gradient, at x and at y */
  bool gauged;                                   /* gap[1] is that of x now */
} InkPathBlock;

/* A step. */
typedef struct InkStep {
  int64_t number;
  double t, end, dt, root; /* root: of dt */
  const InkExactStep *exact;
} InkStep;

struct InkPaths {
  InkPool *pool;
  InkSde sde;
  InkPathOptions option;
  InkExactKind exact;
  int deviates;        /* streams of noise a step draws from */
  InkProgram *program; /* NULL: all numbers */
  int outputs;
  double *out[2][INK_OUTPUTS];
  InkCoefficients at[2]; /* at the start of a step; Heun's: at X*, then the mean of both */
  InkAxisEnds axis[3];
  InkProgram *region; /* phi and, with bridges, its gradient */
  InkPathBlock block;
  InkEnsemble packed; /* room for a block of particles gathered from several */
  double room[INK_COLUMNS][INK_BLOCK];
  InkExactStep *exact_step; /* [INK_EXACT_STEPS]; NULL: not that scheme */
  double *memory;           /* of all arrays */
};

/* The particles of a vector that are still there. */
static inline InkMask ink_still(const double *fate, size_t i) {
  return ink_eq(ink_load(fate + i), ink_all(INK_INSIDE));
}

/* sum_k B_ak B_bk at a vector of the block. */
static inline InkVector ink_covariance(const InkPaths *p, int a, int b, size_t vector) {
  InkVector sum = ink_all(0.0);
  for (int n = 0; n < p->at[0].noises[a]; n++) {
    const InkTerm *term = &p->at[0].noise[a][n];
    const InkValues other = p->at[0].B[b][term->k];
    if (other.at) sum = ink_fma(ink_values_at(term->value, vector), ink_values_at(other, vector), sum);
  }
  return sum;
}

/* Uniform deviates of the step for crossings of an axis' ends (of both: fate of the lower one) or a region,
 * [INK_BLOCK]. noise: any stream of the seed. */
const double *ink_paths_uniforms(InkPaths *paths, const InkStream *noise, const InkStep *step, int fate);
/* False for those that, with this deviate, cannot have touched a wall. */
InkMask ink_paths_may_touch(InkVector x, InkVector y, InkVector uniform, InkVector variance);

/* Values of the coefficients at x and t. */
void ink_paths_evaluate(const InkPaths *paths, int at, double *const x[3], double t);
/* y and near from x, walls apart. */
void ink_paths_scheme(InkPaths *paths, const InkStep *step);
/* Axes that are near: reflects, notes what is absorbed. */
void ink_paths_walls(InkPaths *paths, const InkStream *noise, const InkStep *step);
/* Notes what regions absorb. */
void ink_paths_regions(InkPaths *paths, const InkStream *noise, const InkStep *step, InkFailure *failure);
/* Notes those of the vector at i that `hit` says for absorption by a side or region, at the time the law
 * (distances at both ends, variance) draws, unless another takes them earlier. */
void ink_paths_note(InkPathBlock *block, const InkStream *noise, const InkStep *step, int fate, size_t i,
                    InkMask hit, const InkVector law[3]);
/* Places, times and fates of those noted. */
void ink_paths_absorb(InkPaths *paths, const InkStep *step);
/* y back into the box along a periodic axis; may be in place. */
void ink_paths_wrap(const InkAxisEnds *axis, const double *y, double *to);

/* The first particle of the block whose y is no number, or -1; what is to blame, in words. */
int ink_paths_lost(const InkPaths *paths);
void ink_paths_blame(const InkPaths *paths, const InkStep *step, int particle, InkFailure *failure);
void ink_paths_blame_region(const InkPaths *paths, const InkStep *step, int region, size_t particle,
                            double phi, InkFailure *failure);
#endif
