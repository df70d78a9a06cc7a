"""numexpr on the expressions of evaluator.c, one thread, arrays in memory.

    python3 numexpr_peer.py [CELLS]

Does one round for every line it reads and prints a JSON line with the seconds of the round.
"""
import json
import sys
import time

import numexpr
import numpy

CASES = {
    "gray_scott": "0.04 - u + u**2*v",
    "arrhenius": "3.5*v*exp(-2/(u + 0.5))",
    "polynomial": "u*(1-u)*(u-0.1) - v*(u**2 - 0.5*v) + 0.3*u*v",
}


def main():
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    numexpr.set_num_threads(1)
    index = numpy.arange(cells, dtype=numpy.uint64)
    u = 0.1 + 0.8 * ((index * 2654435761) % 1000003) / 1000003
    v = u.copy()
    out = numpy.zeros_like(u)
    for _ in sys.stdin:
        seconds = {}
        for name, text in CASES.items():
            start = time.perf_counter()
            numexpr.evaluate(text, {"u": u, "v": v}, out=out)
            seconds[name] = {"numexpr": time.perf_counter() - start}
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
