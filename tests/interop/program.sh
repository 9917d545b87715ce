#!/usr/bin/env bash
# program.sh: builds zhao and prints where it is: the program itself, not cargo around it, which
# would run it elsewhere, and under another process id than the one that ends it.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

program="$(bash "$ROOT/tests/setup/cargo.sh" build --locked --quiet -p zhao --message-format json \
  | sed -n 's/.*"executable":"\([^"]*\/zhao\)".*/\1/p' | tail -1)"
[ -x "$program" ] || fail 'cargo did not say where it built zhao'
printf '%s\n' "$program"
