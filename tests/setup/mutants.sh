#!/usr/bin/env bash
# make mutants: changes the verifying code in thousands of small ways, one at a time, and runs the
# tests of spec and verifier on each. A change that no test notices is a missing test. Takes hours;
# ARGS narrows it, as in: make mutants ARGS='--file spec/src/log/tree.rs'
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=27.1.0

cd "$ROOT"
bash tests/setup/system.sh build
tool="$(bash tests/setup/tool.sh cargo-mutants "$VERSION")"
mkdir -p target
# Without --file the list of modules in mutants.toml decides.
PATH="$tool:$PATH" cargo mutants --config tests/setup/mutants.toml --output target \
  --package zhao-spec --package zhao-verifier --test-package zhao-spec,zhao-verifier "$@" </dev/null
