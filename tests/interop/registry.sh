#!/usr/bin/env bash
# registry.sh VENV WORK [SECONDS]: schemathesis asks a served registry whatever its OpenAPI document
# allows, and much that it does not. No fault of the server, no answer that the document does not
# have, no success without the key.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

venv="$1" work="$2" seconds="${3:-300}"
export ZHAO_PASSPHRASE='a registry for a judge'
program="$(bash "$ROOT/tests/interop/program.sh")"
zhao() { "$program" "$@"; }

mkdir -p "$work"
cd "$work"
zhao init office >/dev/null
zhao sample --count 40 -o rows.csv
zhao issue office --from rows.csv -o issued >/dev/null
key="$(zhao api-key office add --name judge --scopes admin 2>/dev/null)"

mkfifo ready
"$program" serve office --listen 127.0.0.1:0 --public-rate 1000000 >ready 2>server.log &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
read -r _ _ url <ready || fail "the server did not start: $(cat server.log)"

"$venv/bin/schemathesis" --config-file "$ROOT/tests/interop/registry.toml" run \
  --max-time "$seconds" --seed 1 --header "Authorization: Bearer $key" "${url}openapi.json" </dev/null \
  >judged.log 2>&1 || fail "schemathesis found something:
$(cat judged.log)"

kill -TERM "$server"
wait "$server" || fail "the server did not end well: $(tail -5 server.log)"
trap - EXIT
if grep -q ' ERROR ' server.log; then fail "the server had a fault: $(grep ' ERROR ' server.log | head -5)"; fi
zhao fsck office >/dev/null || fail 'the log is damaged after the run'
tail -3 judged.log >&2
