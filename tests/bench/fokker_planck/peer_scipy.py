"""Peer: numpy and scipy's sparse LU on the matrix of Scharfetter and Gummel's rates, the one inkdrop's chain has.

Usage: peer_scipy.py rotating|limit_cycle N STEPS. Stationary: one row is replaced by p = 1 at the cell where the law is largest. Transient:
STEPS trapezoidal steps after four halves of an implicit Euler step (Rannacher), one factorisation for each. Prints seconds, without the
time of importing, and the error."""
import json
import sys
import time
import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu
from problems import PROBLEMS, centres, error


def bernoulli(z):
    small = np.abs(z) < 1e-6
    return np.where(small, 1 - z / 2, z / np.expm1(np.where(small, 1, z)))


def generator(problem, n):
    """dp/dt = A p; the number of a cell is i n + j."""
    h, c = centres(problem, n)
    number = np.arange(n * n).reshape(n, n)
    rows, columns, values = [], [], []
    between = (c[1:] + c[:-1]) / 2
    gauss = [between + s * h / np.sqrt(12) for s in (-1, 1)]
    for axis in (0, 1):
        places = [np.meshgrid(g, c, indexing="ij") if axis == 0 else np.meshgrid(c, g, indexing="ij") for g in gauss]
        z = sum(problem.drift(*place)[axis] for place in places) / 2 * h / problem.D
        low, high = (number[:-1], number[1:]) if axis == 0 else (number[:, :-1], number[:, 1:])
        for source, target, rate in ((low, high, bernoulli(-z)), (high, low, bernoulli(z))):
            rate = (problem.D / h**2 * rate).ravel()
            rows += [target.ravel(), source.ravel()]
            columns += [source.ravel()] * 2
            values += [rate, -rate]
    shape = (n * n, n * n)
    return sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def stationary(A, x, y):
    pinned = int(np.argmin((x.ravel() - 1) ** 2 + y.ravel() ** 2))
    keep = sparse.diags(np.where(np.arange(A.shape[0]) == pinned, 0.0, 1.0))
    one = np.zeros(A.shape[0])
    one[pinned] = 1
    return splu((keep @ A + sparse.diags(one)).tocsc()).solve(one)


def transient(A, p, end, steps):
    dt = end / steps
    unit = sparse.identity(A.shape[0], format="csc")
    euler = splu((unit - dt / 2 * A).tocsc())  # half a step; the trapezoidal rule has the same matrix
    for _ in range(4):
        p = euler.solve(p)
    for _ in range(steps - 2):
        p = euler.solve(p + dt / 2 * (A @ p))
    return p


def main():
    problem, n, steps = PROBLEMS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    begin = time.perf_counter()
    h, c = centres(problem, n)
    x, y = np.meshgrid(c, c, indexing="ij")
    A = generator(problem, n)
    p = transient(A, problem.start(x, y).ravel(), problem.end, steps) if hasattr(problem, "start") else stationary(A, x, y)
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "error": error(problem, x, y, p.reshape(n, n), h)}))


if __name__ == "__main__":
    main()
