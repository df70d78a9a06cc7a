#!/usr/bin/env python3
"""Observed orders from `inkdrop convergence`: 2 in space on a manufactured solution (case heat-order-space), in curvilinear
coordinates and on graded meshes too, of one field and of two coupled species; the method's own order in time (4 where diffusion is solved by
transforms, else 2, explicit 1)."""
import json, os, subprocess, sys, tempfile
from pathlib import Path

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])

DECKS = {
    "square": (SOURCE / "inputs/heat/manufactured.yaml").read_text(),
    "explicit": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 20}}
material: {diffusivity: 1}
manufactured: true
exact: {T: "exp(-t)*sin(2*pi*x) + x"}
time: {end: 0.05, method: explicit}
verify: [{quantity: "error:l2:T", expect: 0, within: 1}]
""",
    "cylinder": """
solver: heat
mesh: {coordinates: cylindrical, r: {from: 0, to: 1, cells: 20}}
material: {diffusivity: "1 + r^2"}
manufactured: true
exact: {T: "exp(-t)*cos(pi*r) + r^2"}
time: {end: 0.1, method: implicit}
verify: [{quantity: "error:l2:T", expect: 0, within: 1}]
""",
    "sphere": """
solver: heat
mesh: {coordinates: spherical, r: {from: 0.2, to: 1, cells: 20}}
material: {conductivity: "1 + 0.1*T^2", density: "1 + r", heat_capacity: 2}
manufactured: true
exact: {T: "exp(-t)*cos(pi*r) + r^2"}
time: {end: 0.1, method: implicit}
verify: [{quantity: "error:l2:T", expect: 0, within: 1}]
""",
    "graded": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 16}, y: {from: 0, to: 2, cells: 16}}
material: {conductivity: "1 + 0.5*sin(x + y)", density: 1, heat_capacity: "1 + 0.1*x"}
boundary: {x_min: {type: flux}, y_max: {type: convection, coefficient: 3}}
manufactured: true
exact: {T: "exp(-t)*sin(2*x + y)"}
time: {end: 0.1, method: implicit}
verify: [{quantity: "error:l2:T", expect: 0, within: 1}]
""",
    "cube": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 8}, y: {from: 0, to: 1, cells: 8}, z: {from: 0, to: 1, cells: 8, grading: 1.01}}
material: {diffusivity: 1}
manufactured: true
exact: {T: "exp(-t)*sin(2*x)*cos(y)*exp(z)"}
time: {end: 0.05, method: implicit}
verify: [{quantity: "error:l2:T", expect: 0, within: 1}]
""",
}
SPECIES = """
solver: reaction_diffusion
mesh: MESH
species:
  u: {diffusion: 0.1, reaction: "0.1 - u + u^2*v"}
  v: {diffusion: 0.4, reaction: "0.9 - u^2*v"}
manufactured: true
exact: {u: "1 + 0.5*exp(-t)*EXACT", v: "1 + 0.4*cos(t)*EXACT"}
time: {end: END, method: METHOD}
verify: [{quantity: "error:l2:u", expect: 0, within: 1}, {quantity: "error:l2:v", expect: 0, within: 1}]
"""


def species(mesh, exact, method, end):
    return SPECIES.replace("MESH", mesh).replace("EXACT", exact).replace("METHOD", method).replace("END", str(end))


DECKS["two species"] = (SOURCE / "inputs/reaction_diffusion/manufactured.yaml").read_text()
DECKS["species, explicit"] = species("{x: {from: 0, to: 3, cells: 20}}", "sin(2*x)", "explicit", 0.5)
# Closed sides: at sides whose values move, Runge-Kutta methods of any order come down to about three.
DECKS["species, split"] = species("{x: {from: 0, to: 3, cells: 20}, y: {from: 0, to: 2, cells: 14}}", "cos(pi*x/3)*cos(pi*y)", "implicit",
                                  0.5) + "boundary: {x_min: {type: symmetry}, x_max: {type: symmetry}, y_min: {type: symmetry}, y_max: {type: symmetry}}\n"  # fmt: skip
DECKS["species, r and z"] = species("{coordinates: axisymmetric, r: {from: 0, to: 2, cells: 12}, z: {from: 0, to: 2, cells: 12}}",
                                    "cos(pi*r/2)*sin(z)", "implicit", 0.2)  # fmt: skip
LEVELS = {"cube": 3, "two species": 3}
ORDER_IN_TIME = {"explicit": 1, "species, explicit": 1, "species, split": 4}


def main():
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, text in DECKS.items():
            deck, out = Path(folder) / f"{name}.yaml", Path(folder) / f"{name}.json"
            deck.write_text(text)
            command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", "2", INKDROP, "convergence", str(deck),
                       "--levels", str(LEVELS.get(name, 4)), "--json", str(out)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=500, stdin=subprocess.DEVNULL)
            if done.returncode != 0 or not out.exists():
                print(f"{name}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
                failed += 1
                continue
            table = json.loads(out.read_text())
            space, in_time = table["space"][-1]["order"], table["time"][-1]["order"]
            expected_time = ORDER_IN_TIME.get(name, 2)
            good = 1.95 <= space <= 2.05 and abs(in_time - expected_time) <= 0.06
            print(f"{name:18s} order in space {space:.3f}, in time {in_time:.3f} (method: {expected_time:.0f}){'' if good else '   FAILED'}")
            if not good:
                print(done.stdout)
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
