"""numexpr on the expressions of evaluator.c, one thread, arrays in memory. One JSON line each.

    python3 numexpr_peer.py [CELLS [REPEATS]]
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
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    numexpr.set_num_threads(1)
    index = numpy.arange(cells, dtype=numpy.uint64)
    u = 0.1 + 0.8 * ((index * 2654435761) % 1000003) / 1000003
    v = u.copy()
    out = numpy.zeros_like(u)
    for name, text in CASES.items():
        best = float("inf")
        for _ in range(repeats):
            start = time.perf_counter()
            numexpr.evaluate(text, out=out)
            best = min(best, time.perf_counter() - start)
        print(json.dumps({"bench": "evaluator", "case": name, "cells": cells, "numexpr_s": best,
                          "numexpr": numexpr.__version__, "vml": bool(numexpr.use_vml)}))


if __name__ == "__main__":
    main()
