#!/bin/bash
# Values that are not numbers: exit code 4 and one line that names field, cell and time, the same on any rank count;
# the checkpoints before it stay, and a mended deck's run is not refused for what the broken one left.
. "$(dirname "$0")/../shell.sh"

deck=plate
cat >plate.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 20}, y: {from: 0, to: 1, cells: 16}}
material: {diffusivity: 1}
initial: {T: 1}
time: {end: 0.2, method: explicit}
DECK

# the_line NAME: the one line of the last run about the deck; it must be the same as that of other ranks.
the_line() {
  grep "^$deck.yaml" stderr >"$1.$ranks"
  check "$1 on $ranks ranks: one line" [ "$(wc -l <"$1.$ranks")" = 1 ]
  [ -e "$1.1" ] && check "$1: the same line on $ranks ranks as on one" cmp -s "$1.1" "$1.$ranks"
  no_traceback
}

for method in explicit implicit; do
  for ranks in 1 3; do
    # In the initial state.
    gives 4 "initial, $method" on $ranks run plate.yaml --output start_$method$ranks --set time.method=$method \
      --set 'initial.T=sqrt(0.52 - x)'
    says "T: initial.T is not finite (nan) in cell (10, 0) at x = 0.525 m, y = 0.03125 m, t = 0 s"
    the_line start_$method
    check "no snapshot of it" [ ! -e start_$method$ranks/snapshots ]

    # At a time: the source is NaN from 0.1 s.
    out=later_$method$ranks
    gives 4 "later, $method" on $ranks run plate.yaml --output $out --set time.method=$method \
      --set 'source=log(0.1 - t)' --set checkpoint.every_simulated=0.02
    says "is not finite (nan) in cell ("
    check "the time is near 0.1 s" grep -qE 't = 0\.(0999|1)[0-9]* s' stderr
    the_line later_$method
    check "the report has the line" "$PYTHON" - $out <<'PY'
import json, sys
report = json.load(open(sys.argv[1] + "/report.json"))
assert report["status"] == "failed" and report["exit_code"] == 4, report
assert "not finite" in report["message"] and report["verify"] == [], report
PY
    check "the last checkpoint is good and of 0.08 s or later" "$PYTHON" - $out <<'PY'
import glob, sys, h5py, numpy
with h5py.File(sorted(glob.glob(sys.argv[1] + "/checkpoints/*.h5"))[-1]) as h5:
    assert numpy.isfinite(h5["state/T"][()]).all()
    assert h5["driver/numbers"][0] >= 0.08 - 1e-12, h5["driver/numbers"][()]
PY
    gives 4 "started again, it fails again" on $ranks run plate.yaml --output $out --set time.method=$method \
      --set 'source=log(0.1 - t)' --set checkpoint.every_simulated=0.02
    prints "continuing from checkpoint"

    # Without a checkpoint: nothing to continue from, and started again it starts anew.
    gives 4 "without checkpoints, $method" on $ranks run plate.yaml --output none_$method$ranks \
      --set time.method=$method --set 'source=log(0.1 - t)'
    check "no checkpoint" [ -z "$(ls none_$method$ranks/checkpoints 2>/dev/null)" ]
    gives 4 "again" on $ranks run plate.yaml --output none_$method$ranks --set time.method=$method \
      --set 'source=log(0.1 - t)'
    prints "starting anew"
  done
done

# A constant that is NaN is a NaN like any other.
for ranks in 1 3; do
  gives 4 "sqrt(-1)" on $ranks run plate.yaml --output constant$ranks --set 'initial.T=sqrt(-1)'
  says_once "initial.T"
  gives 4 "conductivity 0/0" on $ranks run plate.yaml --output k$ranks --set 'material={diffusivity: 0/0}'
done

# Species: the failure names the one that is wrong, the coefficient and the place; a blow-up in finite time ends.
cat >species.yaml <<'DECK'
solver: reaction_diffusion
mesh: {x: {from: 0, to: 1, cells: 20}, y: {from: 0, to: 1, cells: 16}}
species:
  u: {diffusion: 1, initial: 1, reaction: 0}
  v: {diffusion: 0.5, initial: "1 + 0.5*exp(-40*((x - 0.3)^2 + (y - 0.5)^2))", reaction: "-u*v"}
time: {end: 4}
DECK
deck=species
for method in explicit implicit; do
  for ranks in 1 3; do
    gives 4 "negative diffusion, $method" on $ranks run species.yaml --output negative_$method$ranks \
      --set time.method=$method --set 'species.v.diffusion=0.3 - x'
    says "diffusion of v is -"
    says "in cell ("
    the_line negative_$method
    gives 4 "blow-up, $method" on $ranks run species.yaml --output blowup_$method$ranks --set time.method=$method \
      --set species.v.diffusion=0.001 --set 'species.v.reaction=v^2'
    says "v: "
    says "in cell (5, "
    says "without bound"
    the_line blowup_$method
  done
done
report
