#!/usr/bin/env bash
# demo.sh DIR JUDGE: has a folder that `zhao demo --keep DIR` left judged by Go and @digitalbazaar.
# JUDGE is the program that go.sh built; node is on the PATH.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

demo=$1 judge=$2
policy="$demo/office/policy.txt"
[ -f "$policy" ] || fail "no office/policy.txt in $demo"

# What the honest office gave out; the attempts and their evidence are for Zhao's own verifiers.
mapfile -t dossiers < <(grep -l '"format":"zhao/v1 dossier"' "$demo"/dossiers/*.json | sort)
[ ${#dossiers[@]} -gt 0 ] || fail "no dossier in $demo/dossiers"

"$judge" "$policy" "${dossiers[@]}"
node "$ROOT/tests/interop/credential.mjs" "${dossiers[@]}"
