#!/usr/bin/env bash
# make mutants [ARGS='SET …']: changes the verifying code in thousands of small ways, one at a time,
# and runs its tests on each. A change that no test notices is a missing test, or stands with its
# reason in tests/mutants/SET.accepted. Takes hours; ARGS chooses a set and narrows it:
#
#   make mutants                                                the licence's path: spec, verifier
#   make mutants ARGS=credentials                               other people's credentials: spec/vc
#   make mutants ARGS='credentials --shard 0/4'                 a quarter of it
#   make mutants ARGS='credentials --file spec/vc/src/rdf.rs'   one module
#
# A run of a whole set writes its outcome to tests/mutants/SET.md.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=27.1.0

cd "$ROOT"
set=licences
case "${1-}" in licences | credentials) set=$1; shift ;; esac
case "$set" in
  licences) packages=(zhao-spec zhao-verifier) ;;
  credentials) packages=(zhao-vc) ;;
esac
chosen=(--test-package "$(IFS=,; echo "${packages[*]}")")
for package in "${packages[@]}"; do chosen+=(--package "$package"); done

bash tests/setup/system.sh build python
tool="$(bash tests/setup/tool.sh cargo-mutants "$VERSION")"
mkdir -p "target/mutants-$set"
status=0
PATH="$tool:$PATH" cargo mutants --config "tests/mutants/$set.toml" --output "target/mutants-$set" \
  "${chosen[@]}" "$@" </dev/null || status=$?
# 2: some were missed, 3: some ran too long. Whether that is right, the list says.
case "$status" in 0 | 2 | 3) ;; *) fail "cargo mutants ended with $status" ;; esac
whole=
[ $# -gt 0 ] || whole=--write
python3 tests/mutants/judge.py "$set" "target/mutants-$set/mutants.out" $whole
