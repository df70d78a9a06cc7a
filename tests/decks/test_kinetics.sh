#!/bin/bash
# Named kinetics: the list, what `check` foretells, the warning about a coarse mesh, and a run whose OUT/deck.yaml holds all
# that the name stands for.
. "$(dirname "$0")/../shell.sh"

gives 0 "the list" on 1 list
for name in gray_scott gray_scott_alpha gray_scott_mu schnakenberg gierer_meinhardt brusselator fitzhugh_nagumo \
  hodgkin_huxley fisher_kpp nagumo barkley lotka_volterra michaelis_menten; do
  check "the list shows $name" grep -qE "^ +$name " stdout
done
prints "[Pearson 1993"
prints "A = 2, B = 3, Du = 1, Dv = 8"

cat >pattern.yaml <<'DECK'
solver: reaction_diffusion
kinetics: schnakenberg
mesh: {x: {from: 0, to: 50, cells: 100}}
boundary: {x_min: {type: periodic}, x_max: {type: periodic}}
time: {end: 0.1}
DECK
gives 0 "check" on 1 check pattern.yaml
prints "u = 1, v = 0.9: stable"
prints "growing wave numbers 0.183645603 to 0.860972876, fastest 0.420543403"
prints "along x: 3.347 wavelengths, 29.88 cells a wavelength"
prints "Turing threshold: d = 8.56762746 (now 40)"
check "no warning of a fine mesh" [ ! -s stderr ]
gives 0 "check on two ranks" on 2 check pattern.yaml
check "one analysis on two ranks" [ "$(grep -c 'Turing threshold: d' stdout)" = 1 ]

gives 0 "check of a coarse mesh" on 1 check pattern.yaml --set mesh.x.cells=20
says_once "pattern.yaml:3: warning: mesh: the mesh is too coarse for the pattern"
gives 0 "a run on a coarse mesh" on 1 run pattern.yaml --output coarse --set mesh.x.cells=20
says_once "pattern.yaml:3: warning: mesh: the mesh is too coarse for the pattern"

cat >front.yaml <<'DECK'
solver: reaction_diffusion
kinetics: fisher_kpp
parameters: {D: 0.3, rate: 1.7}
mesh: {x: {from: 0, to: 100, cells: 1000}}
initial: {u: "x < 5"}
time: {end: 0.1}
DECK
gives 0 "check of a front" on 1 check front.yaml
prints "front speed 2 sqrt(D r) = 1.42828569"
gives 0 "check of a coarse front" on 1 check front.yaml --set mesh.x.cells=200
says_once "the mesh is too coarse for the front of u: its length sqrt(D/r) is 0.4201"

gives 2 "a misspelt name" on 1 check front.yaml --set kinetics=fisher_kkp
says "kinetics: unknown 'fisher_kkp'; did you mean 'fisher_kpp'?"
no_traceback

# A parameter that nothing uses is most often one of the set's, misspelt.
gives 0 "a parameter that nothing uses" on 1 check front.yaml --set parameters.rat=2
says_once "parameters.rat: nothing uses it; did you mean 'rate'?"
gives 0 "one that resembles none is the deck's own" on 1 check front.yaml --set parameters.extra=2
check "no warning of it" [ ! -s stderr ]
gives 0 "one that the deck uses" on 1 check front.yaml --set parameters.extra=2 --set "initial.u=x < extra"
check "no warning of a parameter in use" [ ! -s stderr ]

cat >neutral.yaml <<'DECK'
solver: reaction_diffusion
kinetics: lotka_volterra
parameters: {alpha: 1.5, beta: 0.7, delta: 0.4, gamma: 1.2}
mesh: {x: {from: 0, to: 1, cells: 10}}
initial: {u: 2, v: 1}
time: {end: 1}
DECK
gives 0 "check of an oscillator without damping" on 1 check neutral.yaml
prints "neutral, slowest eigenvalues 0 +- 1.34164 i"

# The resolved deck gives the same run without the name's help.
gives 0 "a run" on 1 run pattern.yaml --output first
check "the parameters stand in the resolved deck" grep -qE "^  d: 40.0" first/deck.yaml
cp first/deck.yaml again.yaml
gives 0 "a run of the resolved deck" on 1 run again.yaml --output second
check "the resolved deck stays the same" cmp -s first/deck.yaml second/deck.yaml
same first second
report
