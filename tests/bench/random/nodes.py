"""The rows of solvers/core/random_nodes.h: z(p) and 2^-65 dz/dp of the normal quantile at the nodes."""
from mpmath import erfc, exp, log, mp, mpf, pi, sqrt

PARTS = 64
mp.dps = 40


def quantile(p):
    """Halley's iteration."""
    z = -sqrt(-2 * log(p)) if p < 0.25 else (p - mpf(1) / 2) * sqrt(2 * pi)
    for _ in range(60):
        step = (erfc(-z / sqrt(2)) / 2 - p) * sqrt(2 * pi) * exp(z * z / 2)
        step /= 1 + z * step / 2
        z -= step
        if abs(step) < mpf(10) ** -32:
            break
    return z


middles = [mpf(2) ** octave * (1 + (part + mpf(1) / 2) / PARTS) for octave in range(-12, -1) for part in range(PARTS)]
for p in [*middles, (1 + mpf(1) / (2 * PARTS)) / 2]:
    z = quantile(p)
    print(f"{{{float(z).hex()}, {float(sqrt(2 * pi) * exp(z * z / 2) / mpf(2) ** 65).hex()}}},")
