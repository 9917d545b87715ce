#!/usr/bin/env bash
# cargo.sh ARGUMENTS…: cargo with everything it needs: system packages, RocksDB's kept library.
# For use by hand as well: tests/setup/cargo.sh test -p zhao-ledger
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$ROOT"
bash tests/setup/system.sh build
bash tests/setup/rocksdb.sh prepare
eval "$(bash tests/setup/rocksdb.sh env)"
exec cargo "$@"
