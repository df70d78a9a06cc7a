"""The coefficients of the polynomials of solvers/core/random.c, lowest first, and how far they are off at most (needs mpmath)."""
from mpmath import atanh, chebyfit, cos, mp, mpf, pi, sin, sqrt

mp.dps = 40
TINY = mpf(10) ** -30
ROOT = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2  # the largest ((m - 1) / (m + 1))^2
FUNCTIONS = {
    "artanh": (lambda x: -atanh(sqrt(x)) / sqrt(x) if x > TINY else mpf(-1), ROOT),
    "sine": (lambda x: sin(pi / 2 * sqrt(x)) / sqrt(x) if x > TINY else pi / 2, mpf(1) / 4),
    "cosine": (lambda x: cos(pi / 2 * sqrt(x)), mpf(1) / 4),
}
for name, (function, end) in FUNCTIONS.items():
    coefficients, error = chebyfit(function, [mpf(0), end], 6, error=True)
    print(f"{name}, {float(error):.1e}: " + ", ".join(float(c).hex() for c in reversed(coefficients)))
