#!/bin/bash
# The short form of the Fokker-Planck bench; all codes agree with the exact laws (the bench ends when they do not). Times are not looked at.
# Peers in Python are left out where they are not installed.
set -euo pipefail
. "$(dirname "$0")/short.sh"
short_form fokker_planck/run -- "rotating Ornstein-Uhlenbeck, 64x64: PETSc TS" "stationary limit cycle, 64x64: PETSc KSP, LU" "GMRES + hypre"
