#!/usr/bin/env bash
# cose.sh ZHAO VENV WORK: PyPI's cwt judges COSE receipts: those of the vectors, and that of every
# event of a served log.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 venv=$2 work=$3
export ZHAO_PASSPHRASE='a log for readers of COSE'
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
judge() { "$venv/bin/python" "$ROOT/tests/interop/cose.py" "$@"; }

judge vectors "$ROOT/spec/vectors"
mkdir -p "$work"
cd "$work"
"$zhao" init office --key-delay 0s >/dev/null 2>init.log || fail "no office: $(cat init.log)"
"$zhao" sample --count 300 --seed 1 -o rows.csv 2>sample.log || fail "no rows: $(cat sample.log)"
"$zhao" issue office --from rows.csv -o issued --lines >/dev/null 2>issue.log \
  || fail "nothing was issued: $(tail -5 issue.log)"
mkfifo ready
"$zhao" serve office --listen 127.0.0.1:0 --public-rate 1000000 >ready 2>server.log &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
read -r _ _ url <ready || fail "the server did not start: $(cat server.log)"
judge served "$url" office/policy.txt 300
kill -TERM "$server"
wait "$server" || fail "the server did not end well: $(tail -5 server.log)"
trap - EXIT
