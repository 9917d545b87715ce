#!/usr/bin/env bash
# proxy.sh ZHAO WORK: nginx with TLS before a served registry, by the file that the package brings
# (cli/debian/nginx.conf) with other ports and a certificate made here: static files, long and slow
# bodies, a batch that streams, and limits that count the client and not nginx.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 work=$2
export ZHAO_PASSPHRASE='a registry behind a proxy'
export no_proxy='*' NO_PROXY='*'
mkdir -p "$work"
cd "$work"
bash "$ROOT/tests/setup/system.sh" judge
nginx="$(bash "$ROOT/tests/setup/nginx.sh")"
[ -n "$nginx" ] || fail 'nginx cannot be had' 'Debian has it in its package nginx'
declare -A pid=()
trap '[ ${#pid[@]} -eq 0 ] || kill "${pid[@]}" 2>/dev/null || true' EXIT

quietly() { "$@" >quietly.log 2>&1 || fail "failed: $*: $(tail -5 quietly.log)"; }

# --- a registry, and nginx before it -------------------------------------------------------------

quietly "$zhao" init office
quietly "$zhao" sample --count 300 -o rows.csv
quietly "$zhao" issue office --from rows.csv -o issued
"$zhao" api-key office add --name judge --scopes admin >key 2>quietly.log
mkfifo ready
"$zhao" serve office --listen 127.0.0.1:0 --trusted-proxy 127.0.0.1 --public-rate 5 \
  >ready 2>server.log &
pid[server]=$!
read -rt 120 _ _ direct <ready || fail "the server did not start: $(tail -5 server.log)"
address="${direct#http://}" address="${address%/}"

# An authority of our own, and a certificate by it.
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
quietly openssl req -x509 "${curve[@]}" -days 2 -keyout ca.key -out ca.pem -subj /CN=authority
quietly openssl req -new "${curve[@]}" -keyout tls.key -out tls.csr -subj /CN=log.example
printf '%s\n' 'basicConstraints=CA:FALSE' 'subjectAltName=DNS:log.example,DNS:localhost' >tls.ext
quietly openssl x509 -req -days 2 -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
  -extfile tls.ext -out tls.pem
# start_nginx PORT: the file as it is, but for ports, certificate, and the second family of addresses.
start_nginx() {
  sed -e "s|server 127.0.0.1:8080;|server $address;|" -e "s|listen 443 ssl;|listen 127.0.0.1:$1 ssl;|" \
    -e '/listen \[::\]:443/d' -e "s|/etc/ssl/certs/log.example.pem|$work/tls.pem|" \
    -e "s|/etc/ssl/private/log.example.key|$work/tls.key|" "$ROOT/cli/debian/nginx.conf" >zhao.conf
  {
    # A worker that is not root could not keep long bodies in a folder that is.
    [ "$(id -u)" != 0 ] || printf 'user root;\n'
    printf 'daemon off;\npid nginx.pid;\nworker_processes 1;\nevents {}\nhttp {\n'
    for kind in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s;\n' "$kind" "temp-$kind"; done
    printf 'include zhao.conf;\n}\n'
  } >nginx.conf
  "$nginx" -p "$work" -c nginx.conf -e error.log >nginx.log 2>&1 &
  pid[nginx]=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
    kill -0 "${pid[nginx]}" 2>/dev/null || return 1
  done
  # Somebody else may listen there.
  kill -0 "${pid[nginx]}" 2>/dev/null
}
for _ in 1 2 3 4 5 6 7 8; do
  port=$((20000 + RANDOM % 20000))
  if start_nginx "$port"; then break; fi
  wait "${pid[nginx]}" || true
  unset 'pid[nginx]'
done
[ -n "${pid[nginx]:-}" ] || fail "nginx did not start: $(tail -3 nginx.log error.log)"
url="https://log.example:$port"
bare() { curl --silent --show-error --resolve "log.example:$port:127.0.0.1" "$@"; }
# As 127.0.0.9 unless another address is said: 127.0.0.1 is nginx's.
ask() { bare --cacert ca.pem --interface 127.0.0.9 "$@"; }
status() { ask --output body --write-out '%{http_code}' "$@"; }
expect() { # expect STATUS WHAT ARGUMENTS…
  local want=$1 what=$2 have
  shift 2
  have="$(status "$@")" || fail "$what: no answer"
  [ "$have" = "$want" ] || fail "$what: $have, expected $want: $(head -c 400 body)"
}
problem() { grep -q "https://zhao.example/problems/$1" body || fail "not our problem $1: $(head -c 400 body)"; }

if bare "$url/healthz" >/dev/null 2>&1; then fail 'a certificate that nobody signed was taken'; fi

# --- static files --------------------------------------------------------------------------------

expect 200 'the checkpoint' "$url/checkpoint"
curl --silent "${direct}checkpoint" | cmp - body || fail 'another checkpoint behind nginx'
expect 200 'a bundle' --dump-header head "$url/tile/entries/000"
curl --silent "${direct}tile/entries/000" | cmp - body || fail 'another bundle behind nginx'
grep -qi '^cache-control: public, max-age=604800, immutable' head || fail "no caching: $(cat head)"
expect 200 'a packed bundle' --header 'Accept-Encoding: gzip' --dump-header head "$url/tile/entries/000"
grep -qi '^content-encoding: gzip' head || fail "not packed: $(cat head)"
gzip -dc body | cmp - <(curl --silent "${direct}tile/entries/000") || fail 'packed into something else'
# Our own program trusts what the machine trusts.
SSL_CERT_FILE="$work/ca.pem" "$zhao" mirror "https://localhost:$port" copy --policy office/policy.txt \
  >mirror.log 2>&1 || fail "no mirror through nginx: $(tail -3 mirror.log)"

# --- bodies --------------------------------------------------------------------------------------

json='Content-Type: application/json'
array() { # array BYTES: that much JSON which is no event
  printf '['
  head -c "$(($1 - 4))" /dev/zero | tr '\0' ' '
  printf '{}]'
}
array $((16 << 20)) >whole
array $(((16 << 20) + 1)) >long
array $((18 << 20)) >longer
expect 400 '16 MiB of events' --header "$json" --data-binary @whole "$url/v1/events"
problem malformed
expect 413 'a byte more' --header "$json" --data-binary @long "$url/v1/events"
problem too-large
expect 413 'what nginx refuses' --header "$json" --data-binary @longer "$url/v1/events"

# Longer on the way than the registry waits for a body: behind nginx that is no matter.
array $((1 << 20)) >slow
slowly() { curl --silent --limit-rate 28k --max-time 120 --header "$json" --data-binary @slow "$@"; }
slowly --output straight --write-out '%{http_code}' "${direct}v1/events" >straight.code &
pid[slow]=$!
slowly --cacert ca.pem --resolve "log.example:$port:127.0.0.1" --output around \
  --write-out '%{http_code}' "$url/v1/events" >around.code || fail 'the slow body got no answer'
wait "${pid[slow]}" || true
unset 'pid[slow]'
[ "$(cat straight.code)" = 408 ] || fail "a slow body without nginx: $(cat straight.code)"
[ "$(cat around.code)" = 400 ] || fail "a slow body through nginx: $(cat around.code) $(head -c 300 around)"

quietly "$zhao" sample --count 20000 --seed 2 -o many.csv
[ "$(stat -c %s many.csv)" -gt $((2 << 20)) ] || fail 'the batch is too short to prove anything'
expect 200 'a batch' --header "Authorization: Bearer $(cat key)" --header 'Content-Type: text/csv' \
  --data-binary @many.csv "$url/v1/licences/bulk?dry_run=true"
grep -q '^{"end":' body || fail "the batch broke off: $(tail -c 300 body)"
[ "$(grep -c '^{"row":' body)" = 20000 ] || fail "$(grep -c '^{"row":' body) of 20000 rows were answered"

# --- who asks ------------------------------------------------------------------------------------

from() { # from ADDRESS ARGUMENTS…: the status of one public query
  bare --cacert ca.pem --interface "$1" --output body --write-out '%{http_code}' "${@:2}" \
    "$url/v1/public/enterprises/91320400DEM000110X"
}
for _ in 1 2 3 4 5; do
  [ "$(from 127.0.0.2)" = 200 ] || fail "turned away early: $(head -c 300 body)"
done
[ "$(from 127.0.0.2)" = 429 ] || fail 'a sixth question of five was answered'
problem busy
[ "$(from 127.0.0.2 --header 'X-Forwarded-For: 203.0.113.7')" = 429 ] \
  || fail 'a client made itself another address'
[ "$(from 127.0.0.2 --header 'X-Forwarded-For: 127.0.0.1')" = 429 ] \
  || fail 'a client made itself the proxy'
[ "$(from 127.0.0.3)" = 200 ] || fail "one client's limit is another's"
expect 401 'figures without a key' "$url/metrics"
expect 200 'figures' --header "Authorization: Bearer $(cat key)" "$url/metrics"

kill -TERM "${pid[nginx]}"
wait "${pid[nginx]}" || fail "nginx did not end well: $(tail -3 error.log)"
unset 'pid[nginx]'
kill -TERM "${pid[server]}"
wait "${pid[server]}" || fail "the server did not end well: $(tail -5 server.log)"
unset 'pid[server]'
if grep -q ' ERROR ' server.log; then fail "the server had a fault: $(grep ' ERROR ' server.log | head -3)"; fi
say 'static files, bodies of 16 MiB, slow ones, a batch and limits by client: through nginx with TLS'
