#!/usr/bin/env bash
# tool.sh NAME VERSION: installs a program of crates.io at that version into the cache, once, and
# prints the folder that holds it. Used for the programs that only longer tiers need.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=$1 version=$2
home="$CACHE/tools/$name-$version"
if [ ! -x "$home/bin/$name" ]; then
  say "building $name $version: once for this machine, some minutes"
  # From another folder: the checkout's Cargo.toml and target folder are not its business.
  (cd / && cargo install --locked --quiet --version "$version" --root "$home" "$name") </dev/null >&2 \
    || fail "$name $version could not be installed"
fi
printf '%s\n' "$home/bin"
