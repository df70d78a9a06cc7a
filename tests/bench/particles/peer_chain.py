"""Peer: jumps of the chain of chain.yaml in NumPy, the same rates and steps, forward or reversed in time, on one core.

Usage: peer_chain.py PARTICLES STEPS DT SEED forward|reverse. One uniform deviate a particle and step; particles in blocks of 4096, which stay
in the cache. Reversed: the density's masses m_n of all steps are kept, and step n is turned round by P(i -> j) m_n(i)/m_(n+1)(j). Prints
seconds and processor seconds (without those of importing), the particles' mean and variance at the end, and those of the chain's own law,
with the fourth central moment."""
import json
import sys
import time
import numpy as np

CELLS, HALF, D = 200, 4.0, 0.32
WIDTH = 2 * HALF / CELLS
CENTRE = (np.arange(CELLS) + 0.5) * WIDTH - HALF


def bernoulli(z):
    small = np.abs(z) < 1e-9
    return np.where(small, 1 - z / 2, z / np.expm1(np.where(small, 1, z)))


def probabilities(dt):
    """Of a jump down and up from each cell: Scharfetter and Gummel's rates of the drift -1.5 x."""
    face = CENTRE[:-1] + WIDTH / 2
    z = -1.5 * face * WIDTH / D
    down, up = np.zeros(CELLS), np.zeros(CELLS)
    up[:-1], down[1:] = (dt * D / WIDTH**2 * bernoulli(sign * z) for sign in (-1, 1))
    return down, up


def densities(down, up, steps):
    m = np.exp(-((CENTRE - 1) ** 2) / 0.08)
    masses = [m / m.sum()]
    for _ in range(steps):
        m = masses[-1] * (1 - down - up)
        m[:-1] += (masses[-1] * down)[1:]
        m[1:] += (masses[-1] * up)[:-1]
        masses.append(m)
    return masses


def turned_round(down, up, before, after):
    """Probabilities to come from the cell below (after a jump up) and from the one above."""
    from_below, from_above = np.zeros(CELLS), np.zeros(CELLS)
    from_below[1:], from_above[:-1] = (before * up)[:-1], (before * down)[1:]
    there = np.where(after > 0, after, 1)
    return from_below / there, from_above / there


def jump(generator, cell, tables, size=4096):
    """Every step of a block by its table, (limit of going down, limit of staying)."""
    u = np.empty(size)
    for first in range(0, cell.size, size):
        here = cell[first:first + size]
        draws = u[:here.size]
        for down, stay in tables:
            generator.random(out=draws)
            here += (draws >= stay[here]).astype(np.int64) - (draws < down[here])


def main():
    particles, steps, dt, seed, reverse = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "reverse"
    generator = np.random.default_rng(seed)
    wall, processor = time.perf_counter(), time.process_time()
    down, up = probabilities(dt)
    masses = densities(down, up, steps)
    ways = [(down, up)] * steps
    if reverse:
        ways = [turned_round(down, up, masses[n], masses[n + 1]) for n in range(steps - 1, -1, -1)]
    begin, end = (masses[-1], masses[0]) if reverse else (masses[0], masses[-1])
    cell = np.searchsorted(np.cumsum(begin), generator.random(particles) * begin.sum(), side="right")
    jump(generator, cell, [(lower, 1 - upper) for lower, upper in ways])
    seconds, processor = time.perf_counter() - wall, time.process_time() - processor
    x, mean = CENTRE[cell], (end * CENTRE).sum()
    law = [mean, *((end * (CENTRE - mean) ** k).sum() for k in (2, 4))]
    print(json.dumps({"seconds": seconds, "processor": processor, "mean": x.mean(), "variance": x.var(), "law": law}))


if __name__ == "__main__":
    main()
