#!/usr/bin/env bash
# mldsa.sh ZHAO GO WORK: a log and a witness sign with ML-DSA-44 besides; Go's own implementation
# judges their lines on the served checkpoint.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 go=$2 work=$3
export ZHAO_PASSPHRASE='a log for the day after'
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
mkdir -p "$work"
cd "$work"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT

# start NAME COMMAND…: a server; $url is where it listens.
start() {
  local name=$1
  shift
  mkfifo "$name.pipe"
  "$@" >"$name.pipe" 2>"$name.log" &
  pids+=($!)
  read -r _ _ url <"$name.pipe" || fail "$name did not start: $(tail -5 "$name.log")"
  url=${url%/}
}

"$zhao" init office --key-delay 0s >/dev/null
log="$(sed -n 's/^log //p' office/policy.txt)"
"$zhao" witness init w --name w.example --log "$log" --mldsa >keys 2>/dev/null
start witness "$zhao" witness serve w --listen 127.0.0.1:0
printf 'log %s\nwitness w %s %s\nquorum w\n' "$log" "$(sed -n 1p keys)" "$url" >office/policy.txt
sed -i '/^local-witness/d' office/trust.txt
lattice="$(sed -n 2p keys)"
sed -i "1i mldsa = true\nmldsa-keys = [\"$lattice\"]" office/zhao.toml
start server "$zhao" serve office --listen 127.0.0.1:0
python3 -c 'import sys, urllib.request as web
sys.stdout.buffer.write(web.urlopen(sys.argv[1], timeout=60).read())' "$url/checkpoint" >checkpoint \
  || fail 'no checkpoint is served'
own="$(grep -o '[^ ]*$' <(grep ML-DSA server.log))"
"$go" mldsa checkpoint "$own" "$lattice" || fail "Go refuses: $(cat checkpoint)"
# A judge that accepts everything proves nothing.
sed "2s/.*/999/" checkpoint >forged
if "$go" mldsa forged "$own" "$lattice"; then fail 'Go accepts another size'; fi
