"""The bench's two problems for peers in Python: drift, start, exact law. See rotating.yaml and limit_cycle.yaml."""
import math
import numpy as np


class Rotating:
    half, D, end = 4.0, 0.25, 1.0

    @staticmethod
    def drift(x, y):
        return -x - 2 * y, 2 * x - y

    @staticmethod
    def start(x, y):
        return np.exp(-((x - 1.5) ** 2 + y**2) / 0.18)

    @classmethod
    def exact(cls, x, y):
        v = 0.09 * math.exp(-2) + cls.D * (1 - math.exp(-2))
        cx, cy = (1.5 * math.exp(-1) * f(2) for f in (math.cos, math.sin))
        return np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * v)) / (2 * math.pi * v)


class LimitCycle:
    half, D = 2.5, 0.1

    @staticmethod
    def drift(x, y):
        pull = 1 - x**2 - y**2
        return x * pull - 2 * y, y * pull + 2 * x

    @classmethod
    def exact(cls, x, y):
        return 0.287597079588694 * np.exp(-((x**2 + y**2 - 1) ** 2) / (4 * cls.D))


PROBLEMS = {"rotating": Rotating, "limit_cycle": LimitCycle}


def centres(problem, n):
    """Cell width and the centres along an axis."""
    h = 2 * problem.half / n
    return h, (np.arange(n) + 0.5) * h - problem.half


def error(problem, x, y, p, h):
    """Root mean square error of a density, scaled to unit mass, relative to the exact law's root mean square."""
    exact = problem.exact(x, y)
    return float(np.sqrt(((p / (p.sum() * h * h) - exact) ** 2).sum() / (exact**2).sum()))
