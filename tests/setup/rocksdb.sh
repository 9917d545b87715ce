#!/usr/bin/env bash
# Keeps the RocksDB library that cargo built, outside the checkout, and hands it back.
#
#   rocksdb.sh prepare   makes sure an archive is kept; the first time this compiles RocksDB
#   rocksdb.sh env       prints the two variables for a shell:  eval "$(tests/setup/rocksdb.sh env)"
#
# Compiling RocksDB takes half an hour of processor time, and cargo does it again for each target
# folder. The archive is the build script's own output, kept under a key of crate version,
# features, compiler and machine, with its SHA-256 beside it. From the first build on every build
# uses the kept archive, because the build script's fingerprint holds these two variables: a build
# without them compiles everything anew. An archive set by hand in ROCKSDB_LIB_DIR is left alone.
#
# lz4 is not in the archive: the crate lz4-sys compiles and links it in either case.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

archive_key() {
  local version features compiler flags
  version="$(sed -n '/^name = "librocksdb-sys"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$ROOT/Cargo.lock")"
  features="$(sed -n 's/^rocksdb = .*features = \[\([^]]*\)\].*/\1/p' "$ROOT/Cargo.toml" | tr -d '" ')"
  [ -n "$version" ] || fail 'Cargo.lock names no librocksdb-sys'
  [ -n "$features" ] || fail 'Cargo.toml names no features of rocksdb'
  compiler="$("${CXX:-c++}" --version | head -n 1)"
  # What else reaches the C++ compiler; mostly empty.
  flags="${CXX:-}|${CXXFLAGS:-}|${CFLAGS:-}|${RUSTFLAGS:-}|${ROCKSDB_CXX_STD:-}"
  printf '%s-%s-%s-%s' "$version" "$features" "$(uname -m)" \
    "$(printf '%s\n%s' "$compiler" "$flags" | sha256sum | cut -c 1-12)" | tr '+,' '__'
}

kept_is_sound() {
  [ -s "$KEPT/librocksdb.a" ] && [ -s "$KEPT/librocksdb.a.sha256" ] \
    && (cd "$KEPT" && sha256sum --status --check librocksdb.a.sha256)
}

# Says every half minute that the compiler is still at work, and how far it is.
report_progress() { # report_progress START-MARKER
  local start=$SECONDS objects total
  total="$(cat "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/librocksdb-sys-*/rocksdb_lib_sources.txt \
    2>/dev/null | wc -l)"
  while sleep 30; do
    objects="$(find "$TARGET" -path '*/librocksdb-sys-*/out/*' -name '*.o' -newer "$1" 2>/dev/null \
      | wc -l)"
    if [ "$objects" -gt 0 ]; then
      say "RocksDB: $objects of about $total files compiled, $(duration $((SECONDS - start)))"
    else
      say "building what RocksDB needs, $(duration $((SECONDS - start)))"
    fi
  done
}

# cargo_build MESSAGES [VARIABLE=VALUE…]: builds the one crate that links RocksDB. cargo's messages
# name the folder its build script wrote to, also when nothing had to be built.
cargo_build() {
  local messages=$1
  shift
  (cd "$ROOT" && env -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC "$@" \
    cargo build --locked -p zhao-ledger --message-format json-render-diagnostics) \
    >"$messages" </dev/null
}

built_archive() { # built_archive MESSAGES
  local out
  out="$(grep '"reason":"build-script-executed"' "$1" | grep 'librocksdb-sys' \
    | sed 's/.*"out_dir":"\([^"]*\)".*/\1/' | head -n 1)"
  [ -s "$out/librocksdb.a" ] && printf '%s' "$out/librocksdb.a"
}

build_and_keep() {
  local marker messages progress archive code=0
  marker="$(mktemp)"
  messages="$(mktemp)"
  TARGET="$(cd "$ROOT" && cargo metadata --locked --no-deps --format-version 1 \
    | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')"
  say 'compiling RocksDB: once for this machine, about 20 minutes on two cores'
  report_progress "$marker" &
  progress=$!
  cargo_build "$messages" || code=$?
  # A library named in cargo's own configuration was linked: compile one all the same, because the
  # key of ours vouches for version, features and compiler.
  if [ "$code" = 0 ] && ! built_archive "$messages" >/dev/null; then
    cargo_build "$messages" ROCKSDB_COMPILE=1 || code=$?
  fi
  kill "$progress" 2>/dev/null || true
  wait "$progress" 2>/dev/null || true
  archive="$(built_archive "$messages")" || archive=
  rm -f "$marker" "$messages"
  [ "$code" = 0 ] || fail 'RocksDB could not be built' 'the compiler says why, above'
  [ -n "$archive" ] || fail 'cargo built no librocksdb.a'
  keep "$archive"
}

# A folder of its own and one rename: two runs at once, or a full disk, leave no half archive.
keep() { # keep ARCHIVE
  local fresh
  mkdir -p "$(dirname "$KEPT")"
  fresh="$(mktemp -d "$KEPT.XXXXXX")"
  cp "$1" "$fresh/librocksdb.a"
  (cd "$fresh" && sha256sum librocksdb.a >librocksdb.a.sha256)
  rm -rf "$KEPT"
  mv -T "$fresh" "$KEPT" || rm -rf "$fresh"
  say "kept the RocksDB library: $KEPT"
}

if [ -n "${ROCKSDB_LIB_DIR:-}" ]; then
  [ -s "$ROCKSDB_LIB_DIR/librocksdb.a" ] \
    || fail "ROCKSDB_LIB_DIR is set, but $ROCKSDB_LIB_DIR/librocksdb.a is not there" \
      'unset ROCKSDB_LIB_DIR to let the build keep its own'
  KEPT="$ROCKSDB_LIB_DIR"
else
  KEPT="$CACHE/rocksdb/$(archive_key)"
fi

case "${1:-}" in
  prepare)
    [ -n "${ROCKSDB_LIB_DIR:-}" ] || kept_is_sound || build_and_keep
    ;;
  env)
    if [ -s "$KEPT/librocksdb.a" ]; then
      printf 'export ROCKSDB_LIB_DIR=%q ROCKSDB_STATIC=1\n' "$KEPT"
    else
      fail 'no RocksDB library is kept yet' 'tests/setup/rocksdb.sh prepare'
    fi
    ;;
  *) fail 'usage: rocksdb.sh prepare|env' ;;
esac
