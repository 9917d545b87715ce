#!/usr/bin/env bash
# Checks what the machine must have, and installs what Debian can give.
#
#   system.sh build      C and C++ compiler, libclang, git, a Rust that is new enough
#   system.sh lint       besides: clippy and rustfmt
#   system.sh python     besides: python3 with venv, for second opinions and for Node
#   system.sh namespace  besides: unshare and ip, for the part of the demo without a network
#   system.sh package    besides: what packs for Debian
#   system.sh judge      besides: what judges the package and its units, without installing either
#
# Packages are installed with apt-get when this is root or sudo asks no password; otherwise the
# exact command is printed and the script fails. Nothing is installed when nothing is missing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing=()
need() { # need PACKAGE COMMAND
  command -v "$2" >/dev/null 2>&1 || missing+=("$1")
}

# bindgen loads libclang when RocksDB's header is read, and clang's own headers with it. The C++
# library (libclang-cpp) is another one, which comes with Debian's llvm and does not serve.
has_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  local file
  for file in /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* /usr/lib64/libclang*.so*; do
    case "$file" in *libclang-cpp*) continue ;; esac
    [ -e "$file" ] && return 0
  done
  return 1
}

has_venv() { python3 -c 'import venv, ensurepip' >/dev/null 2>&1; }

install() { # install PACKAGE…
  local apt=(apt-get) line="apt-get update && apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null 2>&1 \
    || fail "missing on this machine: $*" "these are Debian's package names; install what they hold"
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      apt=(sudo -n apt-get)
    else
      fail "missing Debian packages: $*" "as root: $line"
    fi
  fi
  say "installing Debian packages: $*"
  local log
  log="$(mktemp)"
  if ! { DEBIAN_FRONTEND=noninteractive "${apt[@]}" update -q \
      && DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -q -y --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $*" "as root: $line"
  fi
  rm -f "$log"
}

rust_hints=(
  'with rustup: rustup update stable (or install it: package rustup in Debian 13)'
  'Debian 12 has a newer one in its security updates: apt-get install rustc-web cargo-web'
)

check_rust() {
  local want have
  want="$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)"
  { command -v cargo && command -v rustc; } >/dev/null 2>&1 \
    || fail "no Rust on this machine: needs cargo and rustc $want or newer" "${rust_hints[@]}"
  have="$(cd "$ROOT" && rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')"
  at_least "$have" "$want" \
    || fail "Rust is too old: needs $want or newer, found $have" "${rust_hints[@]}"
}

check_lint() {
  local tool
  for tool in clippy fmt; do
    (cd "$ROOT" && cargo "$tool" --version) >/dev/null 2>&1 \
      || fail "cargo $tool is not installed" \
        'with rustup: rustup component add clippy rustfmt' \
        "Debian 12 has rustfmt-web, but no clippy for its newer Rust: use rustup"
  done
}

groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(build)

for group in "${groups[@]}"; do
  case "$group" in
    build)
      need gcc cc
      need g++ c++
      need make make
      need git git
      [ -e /usr/include/stdlib.h ] || compgen -G '/usr/include/*/sys/types.h' >/dev/null \
        || missing+=(libc6-dev)
      has_libclang || missing+=(libclang-dev)
      ;;
    lint) ;;
    python)
      need python3 python3
      has_venv || missing+=(python3-venv)
      ;;
    namespace)
      need util-linux unshare
      need iproute2 ip
      ;;
    package)
      need dpkg-dev dpkg-shlibdeps
      need binutils strip
      need gzip gzip
      ;;
    judge)
      need lintian lintian
      need systemd systemd-analyze
      need man-db man
      need openssl openssl
      need curl curl
      need procps pgrep
      need strace strace
      ;;
    *) fail "unknown group: $group" 'groups: build lint python namespace package judge' ;;
  esac
done

[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"

for group in "${groups[@]}"; do
  case "$group" in
    build) check_rust ;;
    lint) check_lint ;;
  esac
done
