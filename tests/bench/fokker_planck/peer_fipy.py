"""Peer: FiPy, a diffusion term and a power-law convection term; implicit steps, as FiPy takes them.

Usage: peer_fipy.py rotating|limit_cycle N STEPS. The stationary law is reached by STEPS steps of length 100. Prints seconds, without
the time of importing, and the error."""
import json
import os
import sys
import time

os.environ.setdefault("FIPY_SOLVERS", "scipy")
import fipy
from problems import PROBLEMS, error


def main():
    problem, n, steps = PROBLEMS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    h = 2 * problem.half / n
    begin = time.perf_counter()
    mesh = fipy.Grid2D(nx=n, ny=n, dx=h, dy=h) + [[-problem.half], [-problem.half]]
    x, y = mesh.cellCenters
    p = fipy.CellVariable(mesh=mesh, hasOld=True, value=problem.start(x, y) if hasattr(problem, "start") else 1.0)
    drift = fipy.FaceVariable(mesh=mesh, rank=1, value=problem.drift(*mesh.faceCenters))
    drift.setValue(0.0, where=mesh.exteriorFaces)
    equation = fipy.TransientTerm() + fipy.PowerLawConvectionTerm(coeff=drift) == fipy.DiffusionTerm(coeff=problem.D)
    dt = problem.end / steps if hasattr(problem, "start") else 100.0
    for _ in range(steps):
        p.updateOld()
        equation.solve(var=p, dt=dt)
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "error": error(problem, x, y, p.value, h)}))


if __name__ == "__main__":
    main()
