#!/usr/bin/env bash
# bench.sh [ARGUMENTS…]: builds the package tests/bench, which is no part of the workspace and has a
# lock file of its own, and runs it. Build and databases are kept under target/. Unless the run is a
# short one (--quick) or names its own place, the results go to tests/bench/results.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
bash tests/setup/system.sh build
bash tests/setup/rocksdb.sh prepare
eval "$(bash tests/setup/rocksdb.sh env)"
# The JavaScript verifier judges printed dossiers too.
node_home="$(bash tests/setup/node.sh)"

target="$ROOT/target/bench"
mkdir -p "$ROOT/target/bench-data"
cd tests/bench
say 'building the benchmark and its peers: some two minutes the first time'
cargo build --locked --release --quiet --target-dir "$target"
# The office is measured as whoever runs it has it: the program itself.
(cd "$ROOT" && cargo build --locked --release --quiet -p zhao)
export ZHAO="$ROOT/target/release/zhao"
nginx="$(bash "$ROOT/tests/setup/nginx.sh")"
[ -z "$nginx" ] || export NGINX="$nginx"

arguments=(--data "$ROOT/target/bench-data")
case " $* " in
  *' --quick '* | *' --only'* | *' --results'* | *' --help '*) ;;
  *) arguments+=(--results "$ROOT/tests/bench/results") ;;
esac
# An interrupted run leaves its databases; nobody else writes there.
rm -rf "$ROOT/target/bench-data"/.tmp*
exec env PATH="$node_home:$PATH" "$target/release/zhao-bench" "$@" "${arguments[@]}"
