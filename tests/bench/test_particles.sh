#!/bin/bash
# The short form of the particles' bench; all codes agree with the laws of their steps (the bench ends when they do not). Times are not
# looked at. Peers that are not installed are left out; NumPy is there.
set -euo pipefail
. "$(dirname "$0")/short.sh"
short_form particles/run -- "Euler-Maruyama, 1e+04 x 50, 1 core: NumPy" "2 cores: NumPy, in blocks" "jumps, forward" "jumps, reverse"
