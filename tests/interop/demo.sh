#!/usr/bin/env bash
# demo.sh DIR JUDGE: has a folder that `zhao demo --keep DIR` left judged by Go and @digitalbazaar.
# JUDGE is the program that go.sh built; node is on the PATH.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

demo=$1 judge=$2
policy="$(find "$demo" -name policy.txt | sort | head -n 1)"
[ -n "$policy" ] || fail "no policy.txt in $demo"

# The files say themselves what they are. Evidence and forgeries are not among these two.
mapfile -t headed < <(grep -rlE '"format":"zhao/v1 (dossier|receipt|history)"' "$demo" | sort)
mapfile -t dossiers < <(grep -rl '"format":"zhao/v1 dossier"' "$demo" | sort)
[ ${#headed[@]} -gt 0 ] || fail "no dossier, receipt or history in $demo"
[ ${#dossiers[@]} -gt 0 ] || fail "no dossier in $demo"

"$judge" "$policy" "${headed[@]}"
node "$ROOT/tests/interop/credential.mjs" "${dossiers[@]}"
