#!/usr/bin/env python3
"""Particle runs give the same bytes in every dataset outside /run and the same numbers in the report on 1, 2, 3 and 4 ranks: a particle's
way depends on the seed, its number and the step alone, and what is told of all is summed in an order that ranks do not change. The density
beside paths is the one exception: where its steps are implicit and solved by iteration, it is the same to tolerance. Some decks run on 1 and
3 ranks only, unless INKDROP_LONG=1."""
import json, os, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from test_ranks import datasets, difference

INKDROP = os.environ["INKDROP"]
ALL_RANKS = (1, 2, 3, 4)
ON_ALL = ALL_RANKS if os.environ.get("INKDROP_LONG") else (1, 3)
OFTEN = {"reverse"}
WIDE = 1000  # verify entries are there for their values

DECKS = {
    "walls": (["absorbed:x_max", "flux:x_max", "first_passage_time", "variance:first_passage_time", "mean:x", "probability", "msd",
               "quadratic_variation", "total_variation", "distance:total_variation", "p_value:chi_squared", "distance:wasserstein"], """
model:
  state: {x: {from: -2, to: 1, cells: 61, grading: 1.02}}
  drift: {x: "x - x^3 + 0.3*sin(9*t)"}
  diffusion: {x: "0.4 + 0.05*x^2"}
  boundary: {x_min: absorbing, x_max: absorbing}
initial: {density: "exp(-(x + 0.4)^2/0.1)"}
particles: {count: 20011, dt: 0.01}
time: {end: 0.6, method: explicit}
"""),
    "milstein": (["mean:x", "variance:x", "expectation"], """
model:
  state: {x: {from: 0, to: 60, cells: 40}}
  drift: {x: "0.3*x"}
  noise: {x: {w: "0.5*x"}}
initial: {point: [1]}
particles: {count: 20011, dt: 0.02, scheme: milstein}
time: {end: 1}
"""),
    "heun": (["mean:x", "variance:y", "msd"], """
model:
  state: {x: {from: -4, to: 4, cells: 24}, y: {from: -3, to: 3, cells: 19}}
  drift: {x: "y", y: "-x - 0.2*y"}
  noise: {x: {w: "0.2*y", v: 0.1}, y: {w: "-0.2*x"}}
  interpretation: stratonovich
  boundary: {x_min: periodic, x_max: periodic, y_max: absorbing}
initial: {point: [1, 0.5]}
particles: {count: 20011, dt: 0.02}
time: {end: 0.6}
"""),
    "langevin": (["mean:x", "variance:v", "absorbed:v_max"], """
model:
  state: {x: {from: -4, to: 4, cells: 24}, v: {from: -4, to: 3, cells: 25}}
  drift: {x: v, v: "-x - 0.5*v"}
  noise: {v: {w: 0.9}}
  boundary: {x_min: periodic, x_max: periodic, v_max: absorbing}
initial: {density: "exp(-2*x^2 - 2*v^2)"}
particles: {count: 20011, dt: 0.05, scheme: exact}
time: {end: 2}
"""),
    "correlated": (["mean:x", "variance:y", "quadratic_variation:x", "total_variation", "distance:total_variation"], """
model:
  state: {x: {from: -1, to: 1, cells: 24}, y: {from: -1, to: 2, cells: 31}}
  drift: {x: "y", y: "-x - 0.4*y"}
  diffusion: {x: "1 + 0.1*x", y: 0.4, xy: "0.2*cos(t)"}
initial: {point: [0.3, -0.2]}
particles: {count: 20011, dt: 0.005}
time: {end: 0.1, method: explicit}
"""),
    "region": (["absorbed:hole", "first_passage_time:hole", "absorbed:rim", "mean:x"], """
model:
  state: {x: {from: -2, to: 2, cells: 21}, y: {from: -2, to: 2, cells: 20}, z: {from: -2, to: 2, cells: 8}}
  drift: {x: "-x", z: "-z^3"}
  diffusion: {xx: 0.5, yy: 0.5, zz: 0.3}
initial: {point: [1, 0, 0.1]}
particles: {count: 20011, dt: 0.01, absorbing: {hole: "x^2 + y^2 - 0.3", rim: "3.2 - x^2 - y^2"}}
time: {end: 0.3}
"""),
    "jump": (["mean:x", "variance:v", "absorbed:v_max", "msd:x", "total_variation:v", "distance:total_variation", "p_value:chi_squared"], """
model:
  state: {x: {from: -4, to: 4, cells: 17}, v: {from: -3, to: 3, cells: 14}}
  drift: {x: v, v: "-x - 0.4*v + 0.2*sin(t)"}
  diffusion: {x: "1 + 0.1*x", v: 0.3, xv: 0.2}
  boundary: {x_min: periodic, x_max: periodic, v_max: absorbing}
initial: {density: "exp(-(x - 1)^2 - v^2)"}
particles: {count: 20011, scheme: jump}
time: {end: 0.4}
"""),
}
DECKS["reverse"] = DECKS["jump"][0][:2] + DECKS["jump"][0][3:], DECKS["jump"][1].replace(", v_max: absorbing", "") + "direction: reverse\n"
DECKS["survivors"] = ["mean:x", "msd:x"], DECKS["jump"][1] + "direction: reverse\n"
OPTIONS = {"probability": ', where: "x > 0"', "expectation": ', of: "log(x)"'}
COMMON = """solver: particles
seed: 7
output: {snapshots: {every: THIRD}, series: {every: TENTH}, paths: 300}
"""
IMPLICIT = DECKS["correlated"][1].replace("explicit", "implicit, tolerance: 1e-5").replace("*cos(t)", "")


def deck_of(quantities, text):
    end = float(re.search(r"end: ([\d.]+)", text)[1])
    entries = [f'  - {{quantity: "{q}"{OPTIONS.get(q, "")}, expect: 0, within: {WIDE}}}\n' for q in quantities]
    entries += [f'  - {{quantity: "{q}", at: {0.5 * end}{OPTIONS.get(q, "")}, expect: 0, within: {WIDE}}}\n' for q in quantities[:1]]
    common = COMMON.replace("THIRD", f"{end / 3}").replace("TENTH", f"{end / 10}")
    return common + text + "verify:\n" + "".join(entries)


def run(deck, ranks, out):
    """What is wrong, or None; the datasets and the report's numbers."""
    command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), INKDROP, "run", str(deck), "--quiet", "--output", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 3):  # a flux may well be larger than what is expected of it
        return f"exit code {done.returncode}\n{done.stderr}", None, None
    return None, datasets(out), json.loads((out / "report.json").read_text())


def numbers(report):
    return [(e["quantity"], e["at"], repr(e["value"]), repr(e.get("standard_error"))) for e in report["verify"]], report["steps"], report["message"]


def ranks_of(name):
    return ALL_RANKS if name in OFTEN else ON_ALL


def is_beside(name):
    return re.split("[:/]", name)[-1].startswith(("density", "distance"))


def complaints(job):
    """Of one deck on all rank counts; exact: in the density beside paths too."""
    name, quantities, text, exact, top = job
    deck = Path(top) / f"{name}.yaml"
    deck.write_text(deck_of(quantities, text))
    found, first = [], None
    for ranks in ranks_of(name):
        wrong, data, report = run(deck, ranks, Path(top) / f"{name}.{ranks}")
        if wrong is None and ranks == 1:
            first = data, report
            kinds = {key.rsplit(":", 1)[1] for key in data}
            wrong = None if {"p", "path_x", "time"} <= kinds and len(data) > 20 else f"only {sorted(data)}"
        elif wrong is None and first:
            beside = {key for key in data if not exact and is_beside(key)}
            wrong = difference({k: v for k, v in first[0].items() if k not in beside}, {k: v for k, v in data.items() if k not in beside}, True)
            wrong = wrong or next((f"{k} differs" for k in beside if np.abs(data[k] - first[0][k]).max() > 1e-5 * np.abs(data[k]).max()), None)
            if not wrong and exact and numbers(first[1]) != numbers(report):
                wrong = f"the report says other numbers:\n{numbers(first[1])}\n{numbers(report)}"
        if wrong:
            found.append(f"{name}, {ranks} ranks: {wrong}")
    return found


def main():
    with tempfile.TemporaryDirectory() as top:
        jobs = [(name, *deck, True, top) for name, deck in DECKS.items()]
        jobs.append(("implicit", DECKS["correlated"][0], IMPLICIT, False, top))
        with ThreadPoolExecutor(2) as pool:
            failed = [line for lines in pool.map(complaints, jobs) for line in lines]
    for line in failed:
        print(line)
    print(f"{sum(len(ranks_of(job[0])) for job in jobs) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
