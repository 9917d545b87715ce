#!/usr/bin/env bash
# secured.sh VENV: PyPI's jwcrypto, cwt and sd-jwt read credentials that we secured, and we theirs.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

venv=$1
program="$(bash "$ROOT/tests/setup/cargo.sh" build --locked --quiet -p zhao-vc --example secured \
  --message-format json | sed -n 's/.*"executable":"\([^"]*\/secured\)".*/\1/p' | tail -1)"
[ -x "$program" ] || fail 'cargo did not say where it built the example secured'
"$venv/bin/python" "$ROOT/tests/interop/secured.py" "$program"
