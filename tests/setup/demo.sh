#!/usr/bin/env bash
# make demo: sets the machine up, builds the binary, runs `zhao demo` with the given arguments.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
bash tests/setup/system.sh build
# Without these two the demo still runs, and says that it verified without cutting the network.
(bash tests/setup/system.sh namespace) || say 'going on without a network namespace'
step 'build zhao' bash tests/setup/cargo.sh build --locked -p zhao
bash tests/setup/cargo.sh run --locked --quiet -p zhao -- demo "$@"
