#!/usr/bin/env bash
# A recovery drill: backs an office up, restores it elsewhere, and shows that the copy has the same
# log and gives the same answers, and that a backup with one changed byte is refused.
#
#   drill.sh DIR SCRATCH [CREDENTIAL…]
#
# DIR is an office, which may be at work and is not changed. SCRATCH is a directory to be made; it
# holds the backup and the restored office afterwards. For each CREDENTIAL both offices are asked
# for its dossier. ZHAO names the program, "zhao" otherwise. Ends with 0 if everything held.
set -euo pipefail

fail() { printf 'drill: %s\n' "$1" >&2; exit 1; }
field() { printf '%s' "$1" | grep -o "\"$2\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'; }

[ $# -ge 2 ] || fail 'usage: drill.sh DIR SCRATCH [CREDENTIAL…]'
zhao="${ZHAO:-zhao}"
office="$1"
scratch="$2"
shift 2
mkdir "$scratch" || fail "$scratch: not made"

made="$("$zhao" backup "$office" "$scratch/backup" --json)" || fail 'no backup was made'
restored="$("$zhao" restore "$scratch/backup" "$scratch/office" \
  --manifest "$(field "$made" manifest)" --json)" || fail 'the backup is not restored'

for what in root size; do
  one="$(field "$made" "$what")"
  other="$(field "$restored" "$what")"
  [ -n "$one" ] && [ "$one" = "$other" ] || fail "$what $other, expected $one"
done
"$zhao" fsck "$scratch/office" >"$scratch/fsck.txt" || fail "fsck: see $scratch/fsck.txt"

count=0
for credential in "$@"; do
  for dir in "$office" "$scratch/office"; do
    "$zhao" dossier "$dir" "$credential" -o "$scratch/answer.json" || fail "no answer from $dir"
    mv "$scratch/answer.json" "$scratch/answer-$([ "$dir" = "$office" ] && echo 1 || echo 2).json"
  done
  cmp -s "$scratch/answer-1.json" "$scratch/answer-2.json" || fail "$credential: other answers"
  count=$((count + 1))
done

# One byte of the largest file, in its middle.
largest="$(find "$scratch/backup" -type f -printf '%s %p\n' | sort -n | tail -n 1)"
bytes="${largest%% *}"
file="${largest#* }"
at=$((bytes / 2))
byte="$(od -An -tu1 -j "$at" -N 1 "$file" | tr -d ' ')"
put() { printf "\\x$(printf %x "$1")" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none; }
put $((byte ^ 1))
if "$zhao" restore "$scratch/backup" "$scratch/changed" >/dev/null 2>"$scratch/refusal.txt"; then
  fail 'a changed backup was restored'
fi
put "$byte"
[ ! -e "$scratch/changed" ] || fail 'something of a changed backup was restored'

made_at="$(field "$restored" made)"
point="$(field "$restored" recoveryPoint)"
printf 'root                  %s\n' "$(field "$made" root)"
printf 'size                  %s\n' "$(field "$made" size)"
printf 'answers compared      %s\n' "$count"
printf 'changed backup        refused: %s\n' "$(head -n 1 "$scratch/refusal.txt")"
printf 'office waited         %s ms\n' "$(field "$made" heldMillis)"
printf 'recovery point (RPO)  newest head %s ms before the backup\n' "$((made_at - point))"
printf 'recovery time (RTO)   %s s\n' "$(field "$restored" seconds)"
