#!/usr/bin/env bash
# Runs the tests of verifier/js with the node on the PATH. A run that finds no test has failed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT/verifier/js" 2>/dev/null || fail 'there is no folder verifier/js'
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
node --test --test-reporter=spec 2>&1 </dev/null | tee "$log"
# Two spellings: with and without colours and symbols.
grep -Eq '(^|[^a-z])tests [1-9][0-9]*' "$log" || fail 'no JavaScript test ran'
