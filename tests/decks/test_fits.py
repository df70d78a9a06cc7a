#!/usr/bin/env python3
"""Reference cases that are a fit over a run and not one of its numbers. Each runs its deck of the gallery, takes the values of the verify table
and compares the fitted number with the case's own value, within the case's own tolerance:

    kpp-bramson               b of m(t) = c t - b ln t + C - 3 sqrt(pi/t) + (9/8)(5 - 6 ln 2) ln t/t + E/t, c from the cells' dispersion relation
    skellam-speed             the limit of R/t, from (R/t)^2 = a + b ln t/t + d/t
    randles-sevcik-*          the top of a quartic through five currents around the peak
    schnakenberg-fastest-k    the top of a parabola through the growth rates of three neighbouring modes
"""
import json, os, re, subprocess, sys, tempfile
from math import exp, log, pi, sqrt
from pathlib import Path
import numpy as np
import yaml

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
CASES = {case["id"]: case for case in yaml.safe_load((SOURCE / "tests/references.yaml").read_text())}
FARADAY, GAS, TEMPERATURE = 96485.33212, 8.314462618, 298.15


def values(name, quantity):
    """The deck's text, and (at, value) of its verify entries of one quantity, in the order of the deck."""
    deck = SOURCE / f"inputs/reaction_diffusion/{name}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", "2", INKDROP, "run", str(deck), "--quiet", "--output", f"{folder}/out"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{deck.name}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        entries = json.loads(Path(f"{folder}/out/report.json").read_text())["verify"]
    return yaml.safe_load(deck.read_text()), [(e["at"], e["value"]) for e in entries if e["quantity"] == quantity]


def least_squares(columns, y):
    return np.linalg.lstsq(np.transpose(columns), np.asarray(y), rcond=None)[0]


def top(x, y, degree):
    """Place and height of the top of the polynomial through (least squares) the points."""
    fit = np.poly1d(np.polyfit(x, y, degree))
    places = [float(p.real) for p in fit.deriv().roots if abs(p.imag) < 1e-9 and min(x) <= p.real <= max(x)]
    place = max(places, key=fit)
    return place, float(fit(place))


def lattice_speed(h, w):
    """Speed of the pulled front of u_t = u_xx - w u_x + u (1 - u) in equal cells h with Scharfetter-Gummel fluxes: min over q of s(q)/q."""
    up, down = (-w * h) / (exp(-w * h) - 1), (w * h) / (exp(w * h) - 1)  # of the left and the right cell's value
    rate = lambda q: (up * (exp(q * h) - 1) + down * (exp(-q * h) - 1)) / h**2 + 1
    low, high = 0.5, 1.5
    for _ in range(200):  # s(q)/q has one minimum there
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if rate(a) / a < rate(b) / b else (a, high)
    return rate(low) / low


def bramson():
    deck, rows = values("kpp_bramson", "front:position")
    mesh = deck["mesh"]["x"]
    c = lattice_speed((mesh["to"] - mesh["from"]) / mesh["cells"], float(deck["velocity"]["x"]))
    t, m = np.transpose(rows)
    y = m - c * t + 3 * np.sqrt(pi / t) - 9 / 8 * (5 - 6 * log(2)) * np.log(t) / t
    return {"kpp-bramson": least_squares([-np.log(t), np.ones_like(t), 1 / t], y)[0]}


def skellam():
    _, rows = values("skellam_radial", "front:position")
    t, radius = np.transpose(rows)
    return {"skellam-speed": sqrt(least_squares([np.ones_like(t), np.log(t) / t, 1 / t], (radius / t) ** 2)[0])}


def randles_sevcik():
    _, rows = values("randles_sevcik", "current:x_min")
    t, current = np.transpose(rows)
    per_volt = FARADAY / (GAS * TEMPERATURE)
    x, height = top(0.1 * per_volt * t - 12, current, 4)
    unit = FARADAY * sqrt(1e-9 * per_volt * 0.1)  # n F c sqrt(D n F v/(R T))
    return {"randles-sevcik-peak": height / unit, "randles-sevcik-offset": x, "randles-sevcik-potential": -x / per_volt}


def schnakenberg():
    deck, rows = values("schnakenberg_fastest", "growth")
    fastest = deck["parameters"]["fastest"]
    place, _ = top([fastest * n / 24 for n in (23, 24, 25)], [rate for _, rate in rows], 2)
    return {"schnakenberg-fastest-k": place}


def allowed(case):
    """The case's tolerance as an absolute difference: the first number of its text, read by its words."""
    number, words = re.match(r"([\d.]+(?:e-?\d+)?) *(%|mV|absolute|relative)", case["tolerance"]).groups()
    scale = {"%": 0.01 * abs(float(case["value"])), "relative": abs(float(case["value"])), "absolute": 1.0, "mV": 1e-3}
    return float(number) * scale[words]


def main():
    failed = passed = 0
    for study in (bramson, skellam, randles_sevcik, schnakenberg):
        for name, value in study().items():
            case = CASES[name]
            difference, within = value - float(case["value"]), allowed(case)
            good = abs(difference) <= within
            passed, failed = passed + good, failed + (not good)
            print(f"{name:26s} {value:.9g}  expected {case['value']}  difference {difference:.2g}  within {within:.2g}  {'ok' if good else 'FAILED'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
