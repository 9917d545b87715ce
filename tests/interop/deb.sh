#!/usr/bin/env bash
# deb.sh ZHAO WORK: the Debian package of a program that is built already, judged by Debian's own
# tools, unpacked into a folder and tried there. Nothing is installed on this machine.
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

zhao=$1 work=$2
bash "$ROOT/tests/setup/system.sh" package judge
mkdir -p "$work"
cd "$work"

package="$(bash "$ROOT/tests/setup/deb.sh" "$zhao" "$work/one" 2>pack.log)" || fail "$(cat pack.log)"
# The same again, under another umask and time zone, is the same file.
again="$(umask 077 && TZ=Asia/Shanghai LC_ALL=C.UTF-8 bash "$ROOT/tests/setup/deb.sh" "$zhao" "$work/two" 2>pack.log)" \
  || fail "$(cat pack.log)"
cmp "$package" "$again" || fail 'the same program made two packages'

dpkg-deb --info "$package" >info
dpkg-deb --contents "$package" >contents
grep -q '^ Package: zhao$' info || fail "$(cat info)"
grep -Eq '^ Depends: adduser, libc6 \(>= ' info || fail "the libraries are not named: $(cat info)"
# Root's, for everybody to read, written by nobody else, and nothing that runs with others' rights.
if grep -Evq '^(d|-)rwxr-xr-x root/root|^-rw-r--r-- root/root' contents; then
  fail "odd rights: $(grep -Ev '^(d|-)rwxr-xr-x root/root|^-rw-r--r-- root/root' contents)"
fi
# The project has no address of its own; whoever gives the package to others says MAINTAINER.
lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$package" >lintian.log 2>&1 \
  || fail "lintian: $(cat lintian.log)"

# --- unpacked ------------------------------------------------------------------------------------

root="$work/root"
dpkg -x "$package" "$root"
dpkg-deb --control "$package" control
(cd "$root" && md5sum --quiet --check "$work/control/md5sums") || fail 'the sums are of other files'
for script in control/*; do
  case "${script##*/}" in control | md5sums | postinst) ;; *) fail "a script nobody expects: $script" ;; esac
done
"$root/usr/bin/zhao" --version | grep -q '^zhao [0-9]' || fail 'the packed program does not run'
pages=0
for page in "$root"/usr/share/man/man1/*.1.gz "$root"/usr/share/man/zh_CN/man1/*.1.gz; do
  text="$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l "$page" 2>man.log | col -b)"
  [ "${#text}" -gt 200 ] || fail "man shows nothing of $page"
  # Chinese breaks where it may, which troff mentions.
  if grep -v "cannot adjust line\|cannot break line" man.log >man.odd; then fail "man complains about $page: $(head -3 man.odd)"; fi
  pages=$((pages + 1))
done
[ "$pages" -gt 100 ] || fail "$pages manual pages are too few"
bash -n "$root/usr/share/bash-completion/completions/zhao"
third="$(gzip -dc "$root/usr/share/doc/zhao/third-party.txt.gz")"
for word in 'rocksdb' 'MIT License' 'tokio 1'; do
  grep -qi -- "$word" <<<"$third" || fail "third-party.txt lacks $word"
done

# --- the services --------------------------------------------------------------------------------

units="$root/usr/lib/systemd/system"
# What systemd wants to find beside them, from this machine.
for name in sysinit basic network-online time-sync multi-user shutdown; do
  cp "/usr/lib/systemd/system/$name.target" "$units/"
done
for role in serve witness auditor mirror; do
  mkdir -p "$root/etc/default"
  touch "$root/etc/default/zhao-$role-city"
  unit="zhao-$role@city.service"
  systemd-analyze --root="$root" --man=no --recursive-errors=one verify "$unit" >verify.log 2>&1 \
    || fail "systemd refuses $unit: $(cat verify.log)"
  [ ! -s verify.log ] || fail "systemd complains about $unit: $(cat verify.log)"
  systemd-analyze --root="$root" --offline=true --threshold=20 security "$unit" >security.log 2>&1 \
    || fail "$unit is too open: $(tail -1 security.log)"
done
# These judges refuse what is wrong.
sed 's|^ExecStart=/usr/bin/zhao|ExecStart=/usr/bin/zhaw|' "$units/zhao-serve@.service" >"$units/zhao-wrong@.service"
if systemd-analyze --root="$root" --man=no verify zhao-wrong@city.service >verify.log 2>&1; then
  fail 'systemd takes a unit without a program'
fi
mv "$units/zhao-.service.d" "$work/kept"
if systemd-analyze --root="$root" --offline=true --threshold=20 security zhao-serve@city.service >/dev/null 2>&1; then
  fail 'an open unit is taken for a closed one'
fi

# --- what the units do to the program ------------------------------------------------------------

# As ExecStart has it, under the two rules that a program may not bear: no memory that is written
# and run, and only the calls of @system-service without the privileged ones.
export ZHAO_PASSPHRASE='a package to try'
"$root/usr/bin/zhao" init office >/dev/null 2>&1
printf '%s\n' "$ZHAO_PASSPHRASE" >passphrase
unset ZHAO_PASSPHRASE
calls() { # calls SET: the system calls of a set of systemd's, sets within sets resolved
  local word
  systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([a-z_0-9@-]*\)$/\1/p' | while read -r word; do
    case "$word" in "$1") ;; @*) calls "$word" ;; *) printf '%s\n' "$word" ;; esac
  done
}
calls @system-service | sort -u >allowed
calls @privileged | sort -u >privileged
calls @chown >chown
{ comm -23 allowed privileged && cat chown; } | sort -u >left
[ "$(wc -l <left)" -gt 200 ] || fail 'systemd lists too few system calls'
mkfifo ready
cat >writable.py <<'PY'
# PR_SET_MDWE is what MemoryDenyWriteExecute= does, by the kernel itself since Linux 6.3.
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit("the kernel knows no PR_SET_MDWE: Linux 6.3 or newer")
os.execv(sys.argv[1], sys.argv[1:])
PY
strace --follow-forks --quiet=all --summary-only --output=strace.log \
  python3 writable.py "$root/usr/bin/zhao" serve office --listen 127.0.0.1:0 --passphrase-file passphrase \
  >ready 2>server.log &
tracer=$!
trap 'kill "$tracer" 2>/dev/null || true' EXIT
read -rt 120 _ _ url <ready || fail "the packed program does not start so: $(tail -5 server.log)"
curl --silent --fail --output /dev/null "${url}v1/checkpoint" || fail 'no answer'
curl --silent --output /dev/null "${url}v1/public/enterprises/91320400DEM000110X"
server="$(pgrep --parent "$tracer" | head -1)"
kill -TERM "$server"
wait "$tracer" || fail "it did not end well: $(tail -5 server.log)"
trap - EXIT
sed -n 's/^ *[0-9.]* .* \([a-z_0-9]*\)$/\1/p' strace.log | grep -Evx 'syscall|total|execve|prctl' | sort -u >used
grep -qx accept4 used || fail "strace saw nothing: $(cat strace.log)"
# Calls of Python before it became zhao are among them; that only makes the judge stricter.
comm -23 used left >refused
[ ! -s refused ] || fail "the units refuse what the program calls: $(tr '\n' ' ' <refused)"
say "$(dpkg-deb --field "$package" Version): $(du -h "$package" | cut -f 1), $pages manual pages, four services"
