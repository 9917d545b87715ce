#!/usr/bin/env bash
# vcapi.sh PROGRAM WORK: what the public W3C suites ask of an issuer, holder, verifier and resolver
# is asked of a conformance instance over HTTP, with @digitalbazaar as the other side.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

program="$(realpath "$1")" work="$2"
export ZHAO_PASSPHRASE='a registry for suites'
base=https://vc.example/suites

mkdir -p "$work"
cd "$work"
"$program" init office >/dev/null

mkfifo ready
"$program" serve office --conformance --public-url "$base/" --listen 127.0.0.1:0 \
  >ready 2>server.log &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
read -r _ _ url <ready || fail "the server did not start: $(cat server.log)"

node "$ROOT/tests/interop/vcapi.mjs" "$url" "$base" "$ROOT/spec/vc/contexts"

kill -TERM "$server"
wait "$server" || fail "the server did not end well: $(tail -5 server.log)"
trap - EXIT
if grep -q ' ERROR ' server.log; then fail "the server had a fault: $(grep ' ERROR ' server.log | head -5)"; fi

# A registry with a licence refuses, whatever is asked.
"$program" sample --count 40 -o rows.csv 2>/dev/null
"$program" issue office --from rows.csv -o issued >/dev/null 2>&1
if "$program" serve office --conformance --listen 127.0.0.1:0 >/dev/null 2>refused.log; then
  fail 'a registry with licences was served as a conformance instance'
fi
grep -q 'conformance' refused.log || fail "another refusal: $(cat refused.log)"
