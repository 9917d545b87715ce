#!/usr/bin/env bash
# make soak: a served registry under load for ten minutes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
bash tests/setup/cargo.sh build --locked -p zhao
bash tests/setup/cargo.sh test --locked -p zhao-tests --test soak -- --ignored --nocapture
