#!/usr/bin/env bash
# timed.sh NAME COMMAND…: runs one make target and ends with one line: its result and its time.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=$1
shift
code=0
"$@" || code=$?
if [ "$code" = 0 ]; then
  say "${BOLD}make $name${PLAIN}: ${GREEN}ok${PLAIN}, $(duration "$SECONDS")"
else
  say "${BOLD}make $name${PLAIN}: ${RED}failed${PLAIN}, $(duration "$SECONDS")"
fi
exit "$code"
