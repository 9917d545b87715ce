#!/usr/bin/env bash
# go.sh GOROOT OUT: builds the judge of golang/ with the log packages that this Go ships.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

goroot=$1 out=$2
here="$ROOT/tests/interop/golang"
module="$(mktemp -d)"
trap 'rm -rf "$module"' EXIT
cp "$here/go.mod" "$module/"
mkdir -p "$module/judge" "$module/sumdb"
cp "$here"/*.go "$module/judge/"
for package in note tlog; do
  cp -r "$goroot/src/cmd/vendor/golang.org/x/mod/sumdb/$package" "$module/sumdb/"
done
cd "$module"
# Nothing is fetched, and no setting of the person who runs this is used or changed.
export GOROOT="$goroot" GOPROXY=off GOFLAGS=-mod=mod GOTOOLCHAIN=local GOENV=off GOWORK=off \
  GOCACHE="$CACHE/go-build" GOPATH="$CACHE/go" CGO_ENABLED=0
"$goroot/bin/go" vet ./judge
"$goroot/bin/go" build -trimpath -o "$out" ./judge
