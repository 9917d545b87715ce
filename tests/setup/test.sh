#!/usr/bin/env bash
# make test: every gate that must hold before a change lands. Stops at the first that does not.
#
# One cargo profile serves all of it. `cargo deny` runs in make test-interop, because its own build
# takes minutes; the rules it would break most often (licences, sources, wildcards) are also held by
# tests/tests/tidy.rs, which runs here.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
bash tests/setup/system.sh build lint
bash tests/setup/rocksdb.sh prepare
eval "$(bash tests/setup/rocksdb.sh env)"
node_home="$(bash tests/setup/node.sh)"

step 'format' cargo fmt --all --check
step 'clippy' cargo clippy --locked --workspace --all-targets -- -D warnings
step 'documentation' env RUSTDOCFLAGS='-D warnings' \
  cargo doc --locked --workspace --no-deps --quiet
step 'tests in Rust' env PATH="$node_home:$PATH" cargo test --locked --workspace --no-fail-fast
step 'tests in JavaScript' env PATH="$node_home:$PATH" bash tests/setup/javascript.sh
