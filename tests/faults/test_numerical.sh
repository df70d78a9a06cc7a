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

# A diffusion process: drift, diffusion and initial density that are not what they must be, at the start and later.
cat >process.yaml <<'DECK'
solver: fokker_planck
model:
  state: {x: {from: -3, to: 3, cells: 40}, v: {from: -3, to: 3, cells: 36}}
  drift: {x: v, v: "x - x^3 - v"}
  diffusion: {x: 0.3, v: 0.5}
initial: {point: [0.3, -0.2]}
time: {end: 0.5}
DECK
deck=process
# fails NAME FRAGMENT OPTION...: exit code 4 and one line with the fragment.
fails() {
  gives 4 "$1, $method" on $ranks run process.yaml --output "process_$1_$method$ranks" --set time.method=$method "${@:3}"
  says "$2"
  the_line "process_$1_$method"
}
for ranks in 1 3; do
  for method in explicit implicit; do
    fails drift "drift b_v is nan in cell (27, 0) at x = 1.125, v = -2.91667, t = 0" --set 'model.drift.v=sqrt(1.02 - x)'
    fails matrix "the diffusion matrix is not positive semi-definite (D_xx = 0.3, D_xv = -2.925, D_vv = 0.5) in cell (0, 0)" \
      --set 'model.diffusion.xv=x'
    fails variance "diffusion D_vv is -2.925 in cell (0, 0)" --set 'model.diffusion.v=x'
    fails negative "initial.density goes down to -2.925" --set 'initial={density: x}'
    fails empty "initial.density is 0 in all cells" --set 'initial={density: "max(x - 100, 0)"}'
    fails later "drift b_v is nan in cell (0, 0)" --set 'model.drift.v=log(0.3 - t)'
    fails turning "diffusion D_vv is -" --set 'model.diffusion.v=0.3 - t'
    fails indefinite "the diffusion matrix is not positive semi-definite" --set 'model.diffusion.xv=t'
  done
  method=explicit
  fails blowup "dt = " --set 'model.drift.v=1/(0.3 - t)'

  # When all mass is absorbed the run is done; no step is taken for what is left.
  gives 0 "all is absorbed on $ranks" on $ranks run process.yaml --output absorbed$ranks --set model.drift.x=10 \
    --set 'model.boundary={x_min: absorbing, x_max: absorbing}' --set time.end=20 --set 'output={snapshots: {every: 5}}' \
    --set 'verify=[{quantity: "integral:p", expect: 0, within: 1e-30},
                   {quantity: "absorbed:x_min", expect: 0, within: 1e-3}, {quantity: "absorbed:x_max", expect: 1, within: 1e-3}]'
  prints "all mass is absorbed"
done

# Equations that have no solution.
alone() { gives 4 "$1" on 2 run process.yaml --output "$1" --set 'model={state: {x: {from: -3, to: 3, cells: 40}},
  drift: {x: 0}, diffusion: {x: "max(x^2 - 1, 0)"}, boundary: {x_max: absorbing}}' "${@:3}"; says "$2"; no_traceback; }
alone unreached "paths never reach an absorbing side" --set equation=first_passage
alone unhit "paths never reach an absorbing side" --set equation=hitting_probability --set target=x_max
alone apart "the stationary density is not unique" --set equation=stationary --set model.boundary.x_max=reflecting
report
