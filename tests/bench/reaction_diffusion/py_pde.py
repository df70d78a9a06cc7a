"""Peer: explicit Gray-Scott with py-pde, compiled by numba. Usage: py_pde.py N STEPS DT

Prints the seconds of STEPS steps and the sum of v after them. The first STEPS steps, which are compiled on the way, are
not timed: the next STEPS are.
"""
import json
import sys
import time

import numpy as np
import pde

LENGTH = 2.5


def state(n):
    grid = pde.CartesianGrid([[0, LENGTH], [0, LENGTH]], [n, n], periodic=True)
    x, y = grid.cell_coords[..., 0], grid.cell_coords[..., 1]
    inside = (abs(x - 1.25) < 0.25) & (abs(y - 1.25) < 0.25)
    seed = inside * (np.sin(4 * np.pi * x) * np.sin(4 * np.pi * y)) ** 2
    return pde.FieldCollection([pde.ScalarField(grid, 1 - 0.5 * seed), pde.ScalarField(grid, 0.25 * seed)])


def main():
    n, steps, dt = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    equation = pde.PDE({"u": "2e-5*laplace(u) - u*v**2 + 0.04*(1 - u)", "v": "1e-5*laplace(v) + u*v**2 - 0.1*v"})
    stamps = []

    def record(fields, _time):
        stamps.append((time.perf_counter(), float(fields[1].data.sum())))

    tracker = pde.CallbackTracker(record, interrupts=steps * dt)
    equation.solve(state(n), t_range=2 * steps * dt, dt=dt, solver="euler", backend="numba", tracker=tracker)
    (_, _), (compiled, total), (end, _) = stamps[:3]
    print(json.dumps({"seconds": end - compiled, "sum": total}))


if __name__ == "__main__":
    main()
