/* What a Brownian path does at a wall between two steps. Pure functions.
 *
 * Between X(0) = x and X(dt) = y, with constant variance s^2 a time, the path is a Brownian bridge whatever
 * the drift. Distances from the wall: x > 0 inside; y <= 0 is beyond. A path that starts at
 * the wall (x = 0) touches it at once when there is diffusion. */
#ifndef INK_WALLS_H
#define INK_WALLS_H

/* Probability that the bridge touches the wall: 1 when y <= 0, else exp(-2 x y/(s^2 dt)). variance = s^2 dt;
 * 0: no diffusion. */
double ink_bridge_crossing(double x, double y, double variance);
/* Part of the step, in [0, 1], at which it first does, given that it does: z/(1 + z), z inverse Gaussian of
 * mean x/|y| and shape x^2/variance, by one normal and one uniform deviate (Michael, Schucany & Haas,
 * Am. Stat. 30 (1976) 88). */
double ink_bridge_time(double x, double y, double variance, double normal, double uniform);
/* How far beyond the wall the bridge gets (0: not at all), for a uniform deviate in (0, 1): the path is
 * pushed back by this much (Skorokhod's reflection). */
double ink_bridge_excursion(double x, double y, double variance, double uniform);
/* x mirrored at the walls from and to until it lies in [from, to], also from several lengths away. */
double ink_fold(double x, double from, double to);
/* x moved by whole lengths into [from, to). Both leave what is inside as it is; NaN stays NaN. */
double ink_wrap(double x, double from, double to);
#endif
