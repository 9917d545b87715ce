#!/usr/bin/env bash
# npm.sh: installs the judges from npm beside this file, once a lock file, and prints where node is.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

cd "$ROOT"
here=tests/interop
node_home="$(bash tests/setup/node.sh npm)"
stamp="$here/node_modules/.complete-$(sha256sum "$here/package-lock.json" | cut -c 1-12)"
if [ ! -e "$stamp" ]; then
  say 'installing the judges from npm'
  (cd "$here" && PATH="$node_home:$PATH" npm ci --ignore-scripts --no-audit --no-fund \
    --loglevel=error) </dev/null >&2 \
    || fail "not all of $here/package-lock.json could be installed"
  touch "$stamp"
fi
printf '%s\n' "$node_home"
