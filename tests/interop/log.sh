#!/usr/bin/env bash
# log.sh ZHAO VENV GO RUST WORK: a log of more than 70,000 entries, published by `zhao serve` under
# a policy that needs aics-witness, is read over HTTP by programs that other people wrote: Go's
# sumdb (GO, which go.sh built), aics-tlog, and the crates tlog_tiles and signed_note (RUST, which
# rust.sh built). Each has to accept the log, and to refuse it through a server that lies.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 venv=$2 go=$3 rust=$4 work=$5
here="$ROOT/tests/interop"
least=70000
export ZHAO_PASSPHRASE='a log for its judges'
# Judges read this machine, whatever proxy its network has.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

mkdir -p "$work"
cd "$work"
declare -A pid=() at=()
# Only what was started here is ended, each by its own process id.
trap '[ ${#pid[@]} -eq 0 ] || kill "${pid[@]}" 2>/dev/null || true' EXIT

# start NAME COMMAND…: runs a server until `stop NAME`; at[NAME] is the address that it prints.
# Its lines stay in a pipe that is held open: a server that writes more must not die of it.
start() {
  local name=$1 line='' url='' pipe
  shift
  rm -f "$name.pipe"
  mkfifo "$name.pipe"
  "$@" >"$name.pipe" 2>"$name.log" &
  pid[$name]=$!
  exec {pipe}<"$name.pipe"
  while [ -z "$url" ] && read -r -t 120 line <&"$pipe"; do
    case "$line" in
      *'listening on http'*) url="http${line#*listening on http}" url="${url%% *}" ;;
    esac
  done
  [ -n "$url" ] || fail "$name did not start: $(tail -5 "$name.log")"
  at[$name]=$url
}

stop() {
  local name=$1 it=${pid[$1]}
  unset "pid[$name]"
  kill -TERM "$it"
  wait "$it" || fail "$name did not end well: $(tail -5 "$name.log")"
}

# The witness's lines go to stderr; the requests among them are kept.
start_witness() { # start_witness ADDRESS
  start witness bash -c 'exec "$@" 2> >(tee -a witness.lines)' - "$venv/bin/aics-witness" serve \
    --config witness/witness.json --listen "$1" --log-level DEBUG
}

serve() { start server "$zhao" serve office --listen 127.0.0.1:0 --public-rate 1000000 "$@"; }

# issue SEED: one more licence, over the server; prints what became of it.
issue() {
  quietly "$zhao" sample --count 1 --seed "$1" -o "rows-$1.csv"
  "$zhao" issue "${at[server]}" --key-file key --from "rows-$1.csv" -o "issued-$1" \
    >/dev/null 2>&1 || true
  sed -n '2s/^1,\([^,]*\),.*/\1/p' "issued-$1/report.csv"
}

# take FILE: aics-tlog takes the served checkpoint, with the log's signature and both witnesses',
# and keeps it.
take() {
  "$venv/bin/aics-tlog" verify-checkpoint --tiles "${at[server]}" --log-key "$log_key" \
    --witness-key "$local_key" --witness-key "$foreign_key" --quorum 2 --max-age 3600 \
    --save-checkpoint "$1" >"$1.json" </dev/null \
    || fail "aics-tlog refuses the checkpoint: $(cat "$1.json")"
}

size() { sed -n 2p "$1"; }

# quietly COMMAND…: what it says to people is shown only if it fails.
quietly() { "$@" 2>quietly.log || fail "failed: $*: $(tail -5 quietly.log)"; }

# --- a log, and a witness by somebody else -------------------------------------------------------

quietly "$zhao" init office --key-delay 0s >/dev/null
quietly "$zhao" sample --count "$least" --seed 1 -o rows.csv
quietly "$zhao" issue office --from rows.csv -o issued --lines >/dev/null
quietly "$zhao" api-key office add --name judge --scopes admin >key

words() { sed -n "s/^$1 *//p" office/policy.txt; }
log_key="$(words log)"
local_key="$(words 'witness local-witness')"
mkdir witness
foreign_key="$(quietly "$venv/bin/aics-witness" init --config witness/witness.json \
  --name witness.example/foreign)"
quietly "$venv/bin/aics-witness" add-log --config witness/witness.json \
  --origin "${log_key%%+*}" --vkey "$log_key" >/dev/null
start_witness 127.0.0.1:0
sed -i '/^quorum /d' office/policy.txt
printf '%s\n' "witness foreign $foreign_key ${at[witness]}" 'group both all local-witness foreign' \
  'quorum both' >>office/policy.txt

# --- our log, their witness ----------------------------------------------------------------------

serve
[ "$(issue 2)" = issued ] || fail "not published with the witness: $(tail -5 server.log)"
take first
stop server

# The next start asks the witness for its last head; without it nothing is published.
serve --answer-within 2
stop witness
became="$(issue 3)"
[ "$became" = pending ] || fail "published without the witness that its quorum needs: $became"
take same
[ "$(size same)" = "$(size first)" ] || fail 'a head without the witness is served'
start_witness "${at[witness]#http://}"
[ "$(issue 4)" = issued ] || fail "not published though the witness is back: $(tail -5 server.log)"
take last
[ "$(size last)" -gt "$(size first)" ] || fail 'the log did not grow'
"$venv/bin/aics-tlog" verify-consistency --tiles "${at[server]}" --log-key "$log_key" \
  --old-checkpoint first >consistency.json </dev/null \
  || fail "aics-tlog: not consistent: $(cat consistency.json)"
evidence="$("$venv/bin/aics-witness" evidence --config witness/witness.json)"
[ "$evidence" = '[]' ] || fail "the witness has evidence against the log: $evidence"
# What it was asked, by its own account: at the first start it had no head of this log, then one,
# that of the start itself: the policy was new.
for line in 'GET /[0-9a-f]{64}/checkpoint -> 404' 'GET /[0-9a-f]{64}/checkpoint -> 200' \
  'cosigned .* size 0 -> [1-9][0-9]* ' "cosigned .* -> $(size first) " "cosigned .* -> $(size last) "; do
  grep -Eq "$line" witness.lines || fail "the witness was not asked as expected: no line '$line'"
done
say "aics-witness: cosigned $(size first) and $(size last) for zhao serve;" \
  'while it was away nothing was published'

# --- judges --------------------------------------------------------------------------------------

judge() { # judge NAME URL: prints what the judge says
  case "$1" in
    Go) "$go" office/policy.txt "$2" "$least" ;;
    aics-tlog) "$venv/bin/python" "$here/tiles.py" office/policy.txt "$2" "$least" ;;
    aics-witness) "$venv/bin/python" "$here/witness.py" office/policy.txt "$2" first ;;
    tlog_tiles) "$rust" office/policy.txt "$2" "$least" ;;
    *) fail "no judge $1" ;;
  esac </dev/null
}

# accepts NAME URL WHAT
accepts() {
  local said
  said="$(judge "$1" "$2")" || fail "$1 refuses $3: $said"
  say "$said ($3)"
}

# A refusal is said as one: a judge that breaks down has judged nothing.
refuses() { # refuses NAME URL WHAT
  local said
  if said="$(judge "$1" "$2")"; then fail "$1 accepts $3: $said"; fi
  case "$said" in
    refused:*) say "$1 refuses $3: ${said#refused: }" ;;
    *) fail "$1 broke down over $3: $said" ;;
  esac
}

accepts Go "${at[server]}" 'zhao serve'
accepts aics-tlog "${at[server]}" 'zhao serve'
accepts aics-witness "${at[server]}" 'zhao serve'
accepts tlog_tiles "${at[server]}" 'zhao serve'

start mirror "$zhao" mirror "${at[server]}" copy --policy office/policy.txt --listen 127.0.0.1:0
accepts Go "${at[mirror]}" 'zhao mirror'
stop mirror

# That the honest path is accepted shows that a refusal is not about the server in between.
start liar "$venv/bin/python" "$here/liar.py" "${at[server]}"
accepts tlog_tiles "${at[liar]}honest/" 'zhao serve, behind another server'
for lie in root leaf node entry; do
  for name in Go aics-tlog tlog_tiles; do
    refuses "$name" "${at[liar]}$lie/" "a false $lie"
  done
done
# The crates have no verifier of cosignatures.
for name in Go aics-tlog; do
  refuses "$name" "${at[liar]}cosignature/" 'a false cosignature'
done
stop liar

stop server
stop witness
if grep ' ERROR ' server.log >faults; then fail "the server had a fault: $(head -5 faults)"; fi
"$zhao" fsck office >/dev/null || fail 'the log is damaged after the run'
