"""Peer: paths of dX = -1.5 X dt + 0.8 dW from X = 1 in Python, on one core.

Usage: peer_paths.py PATHS STEPS DT SEED plain|blocks|numba. plain: NumPy on arrays of all paths; blocks: of 4096 paths, which stay in the
cache; numba: a compiled loop, path by path. Normal deviates: Generator.standard_normal (PCG64, ziggurat). Prints seconds and processor
seconds (without those of importing and compiling), the paths' mean and variance at the end."""
import json
import math
import sys
import time
import numpy as np


def plain(generator, x, steps, a, s):
    for _ in range(steps):
        x[:] = a * x + s * generator.standard_normal(x.size)


def blocks(generator, x, steps, a, s, size=4096):
    z = np.empty(size)
    for first in range(0, x.size, size):
        here = x[first:first + size]
        noise = z[:here.size]
        for _ in range(steps):
            generator.standard_normal(out=noise)
            noise *= s
            here *= a
            here += noise


def numba_loop():
    import numba

    @numba.njit
    def loop(generator, x, steps, a, s):
        for i in range(x.size):
            here = x[i]
            for _ in range(steps):
                here = a * here + s * generator.standard_normal()
            x[i] = here

    loop(np.random.default_rng(0), np.ones(2), 2, 1.0, 1.0)
    return loop


def main():
    paths, steps, dt, seed, way = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    loop = numba_loop() if way == "numba" else {"plain": plain, "blocks": blocks}[way]
    wall, processor = time.perf_counter(), time.process_time()
    x = np.ones(paths)
    loop(np.random.default_rng(seed), x, steps, 1 - 1.5 * dt, 0.8 * math.sqrt(dt))
    seconds, processor = time.perf_counter() - wall, time.process_time() - processor
    print(json.dumps({"seconds": seconds, "processor": processor, "mean": x.mean(), "variance": x.var()}))


if __name__ == "__main__":
    main()
