#!/usr/bin/env bash
# proofs.sh: @digitalbazaar's suites and ours sign for each other.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

cd "$ROOT"
bash tests/setup/cargo.sh build --locked --quiet -p zhao-vc --example credential
exec node tests/interop/proofs.mjs target/debug/examples/credential spec/vc/contexts
