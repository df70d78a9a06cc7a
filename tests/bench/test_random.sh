#!/bin/bash
# The short form of the random numbers' bench. Times are not looked at. Peers are left out where they are not installed.
set -euo pipefail
. "$(dirname "$0")/short.sh"
short_form random/run -- words uniforms
