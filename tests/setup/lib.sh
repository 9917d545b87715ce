# shellcheck shell=bash disable=SC2034
# Shared by the scripts of this folder; to be sourced. Sets ROOT and CACHE, and defines the few
# words the scripts speak with. Everything for a person goes to stderr: stdout is for values.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/zhao"

# rustup's folder is often missing from the PATH of a shell that never logged in.
if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*" >&2; }

# fail MESSAGE [HINT…]: one line says what is wrong, each further line what to do about it.
fail() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  shift
  local hint
  for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
  exit 1
}

# duration SECONDS: "7 s", "4 min 05 s", "1 h 02 min".
duration() {
  local s=$1
  if [ "$s" -lt 60 ]; then printf '%d s' "$s"
  elif [ "$s" -lt 3600 ]; then printf '%d min %02d s' $((s / 60)) $((s % 60))
  else printf '%d h %02d min' $((s / 3600)) $((s % 3600 / 60)); fi
}

# step NAME COMMAND…: runs one part of a tier and prints its time. The command is a program, not a
# function of several lines: bash would go on after an error inside one.
step() {
  local name=$1 start=$SECONDS
  shift
  say "$name"
  if "$@"; then
    say "$name: ${GREEN}ok${PLAIN} in $(duration $((SECONDS - start)))"
  else
    local code=$?
    say "$name: ${RED}failed${PLAIN} after $(duration $((SECONDS - start)))"
    return "$code"
  fi
}

# at_least HAVE WANT: compares dotted version numbers.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
