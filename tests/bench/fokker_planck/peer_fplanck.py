"""Peer: fplanck (Holubec, Kroy & Steffenoni, Phys. Rev. E 99, 032117 (2019)): its matrix, steady_state() and propagate().

Usage: peer_fplanck.py rotating|limit_cycle N. Prints seconds, without the time of importing, and the error."""
import json
import sys
import time
import numpy as np
import fplanck
from scipy import constants
from problems import PROBLEMS, error


def main():
    problem, n = PROBLEMS[sys.argv[1]], int(sys.argv[2])
    h = 2 * problem.half / n
    begin = time.perf_counter()
    solver = fplanck.fokker_planck(temperature=problem.D / constants.k, drag=1, extent=2 * [2 * problem.half],
                                   resolution=h * (1 + 1e-12), boundary=fplanck.boundary.reflecting,
                                   force=lambda x, y: np.array(problem.drift(x, y)))
    assert solver.Ngrid.tolist() == [n, n], solver.Ngrid
    p = solver.propagate(problem.start, problem.end) if hasattr(problem, "start") else solver.steady_state()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "error": error(problem, *solver.grid, p, h)}))


if __name__ == "__main__":
    main()
