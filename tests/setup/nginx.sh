#!/usr/bin/env bash
# nginx.sh: prints where nginx is, for the benchmark. Where it is not installed, Debian's package is
# unpacked into the cache, which starts no service; prints nothing where that cannot be done.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if command -v nginx; then exit 0; fi
home="$CACHE/tools/nginx"
if [ ! -x "$home/usr/sbin/nginx" ]; then
  command -v apt-get >/dev/null 2>&1 || exit 0
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  # The user that apt fetches as must be able to write there.
  chmod 755 "$work"
  (cd "$work" && apt-get download -q nginx && dpkg -x nginx_*.deb unpacked) >/dev/null 2>&1 </dev/null \
    || exit 0
  mkdir -p "${home%/*}"
  rm -rf "$home"
  mv "$work/unpacked" "$home"
fi
"$home/usr/sbin/nginx" -v >/dev/null 2>&1 && printf '%s\n' "$home/usr/sbin/nginx"
exit 0
