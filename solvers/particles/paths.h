/* Paths of a stochastic differential equation, in steps of
 *
 *   Euler-Maruyama   X' = X + b dt + B dW
 *   Milstein         ... + sum over j <= k of second_jk (dW_j dW_k - delta_jk dt)     (commutative noise)
 *   Heun             X* = X + b dt + B dW,  X' = X + (b(X) + b(X*))/2 dt + (B(X) + B(X*))/2 dW
 *                    (Stratonovich b)
 *   exact            Gaussian or log-normal (sde.h)
 *
 * dW_k = sqrt(dt) z, z = deviate number `step` of index = particle of stream INK_STREAM_NOISE + k. Blocks of
 * INK_PARTICLE_BLOCK particles take all steps of a schedule before the next block does, so that they stay in
 * the first-level cache; expressions go through the block evaluator.
 *
 * Walls lie on the sides of the box (walls.h): absorbing, reflecting along D n, periodic. With `bridge`, what
 * a path does between two steps is drawn from the Brownian bridge; without, only the ends of steps count.
 * Reflection comes before absorption; of several that absorb in a step the earliest does. An absorbed path
 * stays at the wall, at the time of the bridge's first touch (without bridges: the end of the step), its
 * other coordinates between those of both ends. Regions absorb where an expression is 0 or less; to a step
 * their surface is a plane at distance phi/|grad phi|. Sources: Kloeden & Platen, Numerical Solution of SDEs
 * (1992), 10.2, 10.3, 15.5; Gobet, SPA 87 (2000) 167 (killed and reflected diffusions); Lepingle, Math.
 * Comput. Simul. 38 (1995) 119. */
#ifndef INK_PATHS_H
#define INK_PATHS_H

#include "ensemble.h"
#include "sde.h"

typedef struct InkPathOptions {
  InkScheme scheme; /* not INK_JUMP */
  bool bridge;
  double from[3], to[3];                  /* the box */
  bool absorbing[INK_SIDES], periodic[3]; /* else reflecting */
  int regions;
  const InkExpr *region[INK_MAX_REGIONS]; /* absorb where <= 0 */
  const char *region_name[INK_MAX_REGIONS];
} InkPathOptions;

typedef struct InkPaths InkPaths;
/* Compiles the equation; the trees need not outlive it, names must. failure (INK_USAGE): an expression too
 * large. Local. */
PetscErrorCode ink_paths_create(const InkSde *sde, const InkPathOptions *options, InkPaths **paths,
                                InkFailure *failure);
PetscErrorCode ink_paths_destroy(InkPaths **paths);
/* A step that gives a place that is not finite fails with particle, time, place before, the drift or noise
 * that is to blame, and what to try. */
void ink_paths_mover(InkPaths *paths, InkMover *mover);
/* Operations a particle and step, for plans. */
double ink_paths_operations(const InkPaths *paths);
#endif
