#!/usr/bin/env bash
# deb.sh [PROGRAM [FOLDER]]: packs zhao for Debian, and prints where the package is. Without PROGRAM
# the release is built; without FOLDER it lies in target/debian. The same program at the same commit
# is the same package, byte for byte: every time in it is the commit's.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MAINTAINER="${MAINTAINER:-Zhao <maintainers@zhao.example>}"

cd "$ROOT"
bash tests/setup/system.sh build package
program="${1:-}" out="${2:-target/debian}"
if [ -z "$program" ]; then
  bash tests/setup/cargo.sh build --locked --release --quiet -p zhao </dev/null >&2
  program=target/release/zhao
fi
[ -x "$program" ] || fail "no program at $program"

SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
day() { date --utc --date "@$SOURCE_DATE_EPOCH" "$@"; }
number="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version *= *"\(.*\)"/\1/p' Cargo.toml)"
commit="$(git rev-parse --short=7 HEAD)"
if git describe --exact-match --tags --match "v$number" >/dev/null 2>&1; then version="$number"
# Before the release of that number, in the order of commits.
else version="$number~$(day +%Y%m%d.%H%M%S).$commit"; fi
architecture="$(dpkg --print-architecture)"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root" share="$work/root/usr/share"
# put MODE FILE PLACE: as in the package, whatever this machine's umask is.
put() { install -D -m "$1" "$2" "$root/$3"; }
packed() { gzip -9n <"$1" >"$work/gz" && put 644 "$work/gz" "$2.gz"; }

# --- the program, and what it says of itself -----------------------------------------------------

put 755 "$program" usr/bin/zhao
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/zhao"
for language in en zh; do
  case "$language" in en) under=man ;; zh) under=man/zh_CN ;; esac
  "$root/usr/bin/zhao" --lang "$language" man "$work/man-$language" </dev/null 2>/dev/null
  for page in "$work/man-$language"/*; do packed "$page" "usr/share/$under/man1/${page##*/}"; done
done
for shell in bash zsh fish; do
  "$root/usr/bin/zhao" --lang en completions "$shell" </dev/null >"$work/$shell"
done
put 644 "$work/bash" usr/share/bash-completion/completions/zhao
put 644 "$work/zsh" usr/share/zsh/vendor-completions/_zhao
put 644 "$work/fish" usr/share/fish/vendor_completions.d/zhao.fish

# --- services and papers -------------------------------------------------------------------------

for unit in cli/debian/*.service; do put 644 "$unit" "usr/lib/systemd/system/${unit##*/}"; done
put 644 cli/debian/hardening.conf usr/lib/systemd/system/zhao-.service.d/hardening.conf
install -d -m 755 "$root/etc/zhao"
doc=usr/share/doc/zhao
put 644 cli/debian/copyright "$doc/copyright"
put 644 cli/debian/nginx.conf "$doc/examples/nginx.conf"
for page in operator clerk configuration service exits; do
  put 644 "cli/handbook/$page.md" "$doc/$page.md"
  put 644 "cli/handbook/$page.zh.md" "$doc/$page.zh.md"
done
packed CHANGELOG.md "$doc/CHANGELOG.md"
{
  printf 'zhao (%s) unstable; urgency=medium\n\n' "$version"
  printf '  * What changed is in CHANGELOG.md.gz beside this file.\n\n'
  printf ' -- %s  %s\n' "$MAINTAINER" "$(LC_ALL=C day --rfc-email)"
} >"$work/changelog"
packed "$work/changelog" "$doc/changelog"

# Every library in the program, under its terms; the same text stands once.
declare -A told=()
crates="$work/crates"
cargo tree --locked -p zhao --edges normal,build --prefix none --format '{p}|{l}' --no-dedupe \
  </dev/null 2>/dev/null | sed -n 's/^\([^ ]*\) v\([^ |]*\)[^|]*|\(.*\)$/\1 \2 \3/p' \
  | grep -v '^zhao' | LC_ALL=C sort -u >"$crates"
[ -s "$crates" ] || fail 'cargo lists no libraries'
{
  printf 'Libraries in /usr/bin/zhao, from crates.io: name, version, terms.\n\n'
  cat "$crates"
  while read -r name number _; do
    for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name-$number"; do
      [ -d "$folder" ] || fail "the source of $name $number is not here"
      while read -r text; do
        sum="$(sha256sum <"$text")"
        [ -z "${told[$sum]:-}" ] || continue
        told[$sum]=1
        printf '\n\n--- %s %s: %s\n\n' "$name" "$number" "${text#"$folder"/}"
        cat "$text"
      done < <(find "$folder" -maxdepth 3 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' \
        -o -iname 'notice*' -o -iname 'copyright*' \) ! -name '*.rs' | LC_ALL=C sort)
      break
    done
  done <"$crates"
} >"$work/third-party"
packed "$work/third-party" "$doc/third-party.txt"

# --- the package ---------------------------------------------------------------------------------

mkdir "$work/debian" "$root/DEBIAN"
printf 'Source: zhao\n\nPackage: zhao\nArchitecture: any\n' >"$work/debian/control"
libraries="$(cd "$work" && dpkg-shlibdeps -O -eroot/usr/bin/zhao 2>/dev/null)"
size="$(find "$root" -type f -printf '%s\n' | awk '{n += int(($1 + 1023) / 1024)} END {print n}')"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" \
  -e "s/@MAINTAINER@/$MAINTAINER/" -e "s/@SIZE@/$size/" \
  -e "s/@LIBRARIES@/${libraries#shlibs:Depends=}/" cli/debian/control >"$root/DEBIAN/control"
chmod 644 "$root/DEBIAN/control"
install -m 755 cli/debian/postinst "$root/DEBIAN/postinst"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z \
  | xargs -0 md5sum >DEBIAN/md5sums)
chmod 644 "$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +
find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
package="$out/zhao_${version}_$architecture.deb"
dpkg-deb --root-owner-group --build "$root" "$package" </dev/null >&2
printf '%s\n' "$package"
