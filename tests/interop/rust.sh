#!/usr/bin/env bash
# rust.sh OUT: builds the judge of rust/, with its own lock file and its own target folder.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

cd "$ROOT/tests/interop/rust"
target="$CACHE/interop-rust"
cargo build --locked --release --quiet --target-dir "$target" </dev/null
cp "$target/release/zhao-interop" "$1"
