#!/usr/bin/env bash
# place.sh ZHAO VENV GO WORK: a log that is published in somebody else's object store (SeaweedFS,
# over its S3 interface) and in a folder that a plain file server shows. The store is killed under
# load, the log's machine is lost, two standbys want to follow at once: what was answered is there,
# once, and Go's sumdb reads one log.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 venv=$2 go=$3 work=$4
weed="$venv/bin/weed"
export ZHAO_PASSPHRASE='a log in two places'
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
export AWS_ACCESS_KEY_ID=office AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1
export AWS_ALLOW_HTTP=true
mkdir -p "$work"
cd "$work"
declare -A pid=()
trap '[ ${#pid[@]} -eq 0 ] || kill -9 "${pid[@]}" 2>/dev/null || true' EXIT

quietly() { "$@" >quietly.log 2>&1 || fail "failed: $*: $(tail -5 quietly.log)"; }

# until_true SECONDS WHAT COMMAND…
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what"
    read -rt 0.2 <> <(:) || true
  done
}

get() { # get URL: what is there, over HTTP, as anybody gets it
  "$venv/bin/python" -c 'import sys, urllib.request as web
sys.stdout.buffer.write(web.urlopen(sys.argv[1], timeout=20).read())' "$1"
}

# --- a store ---------------------------------------------------------------------------------------

# Four ports in a row, and their gRPC ports ten thousand above, that nobody has.
port="$("$venv/bin/python" - <<'PY'
import random, socket
def free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
while True:
    base = random.randrange(15000, 22000)
    if all(free(base + n + more) for n in range(4) for more in (0, 10000)):
        print(base)
        break
PY
)"
export AWS_ENDPOINT="http://127.0.0.1:$((port + 3))"
cat >s3.json <<'JSON'
{"identities": [
  {"name": "office", "credentials": [{"accessKey": "office", "secretKey": "secret"}],
   "actions": ["Admin", "Read", "Write", "List"]},
  {"name": "anonymous", "actions": ["Read:log"]}]}
JSON
mkdir -p data
start_store() {
  "$weed" server -dir data -ip 127.0.0.1 -ip.bind 127.0.0.1 -master.port "$port" \
    -volume.port $((port + 1)) -filer -filer.port $((port + 2)) -s3 -s3.port $((port + 3)) \
    -s3.config s3.json -s3.iam=false -volume.max=100 -master.volumeSizeLimitMB=64 \
    -master.telemetry=false >>store.log 2>&1 &
  pid[store]=$!
}
kill_store() {
  kill -9 "${pid[store]}"
  wait "${pid[store]}" 2>/dev/null || true
  unset 'pid[store]'
}
configured() {
  # Without fsync it answers before what it was given is on a disk.
  printf '%s\n' 's3.bucket.create -name log' 'fs.configure -locationPrefix=/buckets/log/ -fsync -apply' \
    | "$weed" shell -master "127.0.0.1:$port" -filer "127.0.0.1:$((port + 2))" >shell.log 2>&1
}
start_store
until_true 60 "the store did not start: $(tail -3 store.log)" configured
url="$AWS_ENDPOINT/log/city/"

# --- a log in it -----------------------------------------------------------------------------------

quietly "$zhao" init office --key-delay 0s
until_true 30 'the log is not published in the store' "$zhao" publish office s3://log/city
quietly "$zhao" backup office backup
"$zhao" api-key office add --name judge --scopes admin >key 2>quietly.log

serve() { # serve DIR: $server is its address
  rm -f server.pipe
  mkfifo server.pipe
  "$zhao" serve "$1" --listen 127.0.0.1:0 --answer-within 3 >server.pipe 2>"server.log" &
  pid[server]=$!
  exec {out}<server.pipe
  read -rt 120 line <&"$out" || fail "no server: $(tail -5 server.log)"
  server="http${line#*listening on http}" server="${server%% *}"
}

# batch SEED COUNT: that many licences over the server; its report says what became of each.
batch() {
  quietly "$zhao" sample --count "$2" --seed "$1" -o "rows-$1.csv"
  "$zhao" issue "$server" --key-file key --from "rows-$1.csv" -o "issued-$1" >/dev/null \
    2>"issue-$1.log" || true
}
became() { # became SEED STATE: how many rows of that batch are so
  cut -d, -f2 "issued-$1/report.csv" | grep -cx "$2" || true
}
delivered() { "$zhao" outbox office --json >waiting && [ ! -s waiting ]; }
size() { sed -n 2p "$1"; }
shown() { # shown: the store shows the head that the server does
  get "${server}checkpoint" >served && get "${url}checkpoint" >stored && cmp -s served stored
}

serve office
batch 1 300
[ "$(became 1 issued)" = 300 ] || fail "not issued: $(head -3 issued-1/report.csv)"
kill_store
batch 2 3
[ "$(became 2 pending)" = 3 ] || fail "published without the store: $(head -3 issued-2/report.csv)"
start_store
# Nobody has to ask again.
until_true 90 "nothing is published although the store is back: $(tail -3 server.log)" delivered
batch 3 40
[ "$(became 3 issued)" = 40 ] || fail "not issued: $(head -3 issued-3/report.csv)"
until_true 60 'the store does not show the newest head' shown
least="$(size stored)"
batch 4 5
[ "$(became 4 issued)" = 5 ] || fail "not issued: $(head -3 issued-4/report.csv)"
say "the store was killed: $(became 2 pending) licences waited for it, none was lost"

# --- the machine is lost, and two want to follow at once -------------------------------------------

kill -9 "${pid[server]}"
wait "${pid[server]}" 2>/dev/null || true
unset 'pid[server]'
follow() { # follow DIR: takes the log over, and signs one more head
  local code=0
  { "$zhao" publish "$1" --take-over && "$zhao" cosign "$1"; } >"$1.out" 2>"$1.err" || code=$?
  echo "$code" >"$1.code"
}
mkdir heads
cp office/ledger/checkpoint heads/lost
mv office lost
for one in a b; do quietly "$zhao" restore backup "$one"; done
took=0
for round in 1 2 3 4 5; do
  both=()
  for one in a b; do
    follow "$one" &
    both+=($!)
  done
  wait "${both[@]}"
  for one in a b; do
    cp "$one/ledger/checkpoint" "heads/$one-$round"
    case "$(cat "$one.code")" in
      0) took=$((took + 1)) ;;
      *)
        grep -Eq 'took this log over|older than what was signed|never as it was|never signed' \
          "$one.err" || fail "$one, round $round: $(cat "$one.err")"
        # It may have written an epoch that the other one was quicker to claim: that copy is spent.
        rm -rf "$one"
        quietly "$zhao" restore backup "$one"
        ;;
    esac
  done
done
[ "$took" -gt 0 ] || fail 'neither standby could take over'
quietly "$zhao" restore backup c
quietly "$zhao" publish c --take-over
quietly "$zhao" audit c --policy c/policy.txt
# Whoever was lost is not let back.
if "$zhao" cosign lost >/dev/null 2>lost.err; then fail 'the lost machine signed again'; fi
grep -q 'took this log over' lost.err || fail "the lost machine: $(cat lost.err)"

# --- what a stranger reads -------------------------------------------------------------------------

"$go" c/policy.txt "$url" "$least" </dev/null || fail 'Go refuses the log in the store'
log_key="$(sed -n 's/^log *//p' c/policy.txt)"
for head in heads/*; do
  "$venv/bin/aics-tlog" verify-consistency --tiles "$url" --log-key "$log_key" \
    --old-checkpoint "$head" >consistency.json </dev/null \
    || fail "$head is of another log: $(cat consistency.json)"
done
"$zhao" log "$url" --json --from 0 >events.json 2>quietly.log || fail "$(cat quietly.log)"
issued="$(grep -c '"issued"' events.json)"
[ "$issued" = 348 ] || fail "348 licences were answered for, $issued are in the log"
say "$took of 10 take-overs in pairs succeeded; $(ls heads | wc -l) heads are of one log, with all" \
  "$issued licences"

# --- a folder --------------------------------------------------------------------------------------

mkdir shown
quietly "$zhao" init plain --key-delay 0s
quietly "$zhao" publish plain shown
for seed in 5 6 7; do
  quietly "$zhao" sample --count 120 --seed "$seed" -o "rows-$seed.csv"
  quietly "$zhao" issue plain --from "rows-$seed.csv" -o "issued-$seed"
  for _ in 1 2 3; do quietly "$zhao" cosign plain; done
  quietly "$zhao" publish plain
done
mkfifo files.pipe
"$venv/bin/python" -u -m http.server --bind 127.0.0.1 --directory shown 0 >files.pipe 2>files.log &
pid[files]=$!
exec {out}<files.pipe
read -rt 60 line <&"$out" || fail 'the file server did not start'
address="$(grep -o 'http://[0-9.:]*' <<<"$line")/"
"$go" plain/policy.txt "$address" 380 </dev/null || fail 'Go refuses the log in the folder'
