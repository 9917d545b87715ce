#!/usr/bin/env bash
# make mutants [ARGS='SET …']: changes the verifying code in thousands of small ways, one at a time,
# and runs its tests on each. A change that no test notices is a missing test, or stands with its
# reason in tests/mutants/SET.accepted (`NAME :: REASON`, a line each). Takes hours; ARGS chooses:
#
#   make mutants                                                the licence's path: spec, verifier
#   make mutants ARGS=credentials                               other people's credentials: spec/vc
#   make mutants ARGS='credentials --file spec/vc/src/rdf.rs'   one module, or a pattern; repeatable
#   make mutants ARGS='credentials --todo'                      those never run, or changed since
#   make mutants ARGS='credentials --missed'                    survivors alone, after a test was added
#   make mutants ARGS='credentials --jobs 2'                    two modules at a time
#
# A module is done at a time, and what became of its mutants is kept at once: in SET.json, from
# which SET.md is written. So a run may be ended at any time and taken up with --todo.
#
# The changes are made in copies of the checkout that are kept in target/mutants-SET/JOB/copy, each
# with its own target folder: building what does not change is paid for once.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION=27.1.0

cd "$ROOT"
set=licences
case "${1-}" in licences | credentials) set=$1; shift ;; esac
case "$set" in
  licences) packages=(zhao-spec zhao-verifier) ;;
  credentials) packages=(zhao-vc) ;;
esac
chosen=(--config "$ROOT/tests/mutants/$set.toml")
chosen+=(--cargo-arg=--config)
chosen+=("--cargo-arg=target.'cfg(all())'.runner=['bash', '$ROOT/tests/mutants/first.sh']")
chosen+=(--test-package "$(IFS=,; echo "${packages[*]}")")
for package in "${packages[@]}"; do chosen+=(--package "$package"); done
jobs=1 todo='' patterns=()
while [ $# -gt 0 ]; do
  case "$1" in
    --file) patterns+=("${2:?a module}"); shift ;;
    --jobs) jobs=${2:?how many}; shift ;;
    --todo | --missed) todo=$1 ;;
    *) fail "unknown: $1" "see the head of tests/setup/mutants.sh" ;;
  esac
  shift
done

bash tests/setup/system.sh build python
tool="$(bash tests/setup/tool.sh cargo-mutants "$VERSION")"
PATH="$tool:$PATH"
# A few random cases are enough to notice what a test is there to notice; the seeds are not kept.
export PROPTEST_CASES=32 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# What is not optimised takes several times the stack: the deepest graphs that are read would not fit.
export RUST_MIN_STACK=$((16 << 20))
# A mutant may ask for memory without end.
ulimit -v $((12 * 1024 * 1024))

# copy FOLDER: makes it the checkout as it is now. Only what differs is written, with the time of
# now: an older time would let cargo keep what it built from a mutant.
copy() {
  local file
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ -f "$file" ] || { rm -f "$1/$file"; continue; }
    cmp -s "$file" "$1/$file" && continue
    mkdir -p "$1/$(dirname "$file")"
    cp "$file" "$1/$file"
  done
}

# work JOB: takes one module after another. Ends badly if one of them cannot be run, or has a survivor
# without a reason.
work() {
  local home="target/mutants-$set/$1" bad=0 module first only part status
  copy "$home/copy"
  while module="$(flock "target/mutants-$set" bash -c 'read -r module <&3 && echo "$module"')"; do
    say "$module"
    # The tests of spec/vc/src/jose/jws.rs are those of jose.
    first="${module#*/src/}"
    first="${first%.rs}"
    only=("^${module//./\\.}:") part=()
    if [ "$todo" = --missed ]; then
      readarray -t only < <(python3 tests/mutants/judge.py missed "$set" "$module")
      [ ${#only[@]} -gt 0 ] || continue
      part=(--missed)
    fi
    status=0
    FIRST="${first%%/*}::" cargo mutants --dir "$home/copy" --in-place --output "$home" "${chosen[@]}" \
      "${only[@]/#/--re=}" </dev/null || status=$?
    # 2: some were missed, 3: some ran too long. Whether that is right, the list says.
    case "$status" in
      0 | 2 | 3) flock "target/mutants-$set" python3 tests/mutants/judge.py \
        record "$set" "$home" "$module" ${part[@]+"${part[@]}"} || bad=1 ;;
      *) say "$module: cargo mutants ended with $status"; bad=1 ;;
    esac
  done
  return "$bad"
}

mkdir -p "target/mutants-$set"
cargo mutants --list "${chosen[@]}" | sed 's/:.*//' | uniq >"target/mutants-$set/all"
python3 tests/mutants/judge.py modules "$set" "target/mutants-$set/all" $todo >"target/mutants-$set/chosen"
for pattern in "${patterns[@]:-*}"; do
  while read -r module; do
    # shellcheck disable=SC2254  # it is a pattern
    case "$module" in $pattern) echo "$module" ;; esac
  done <"target/mutants-$set/chosen"
done >"target/mutants-$set/modules"
[ -s "target/mutants-$set/modules" ] || say "no module to run"
exec 3<"target/mutants-$set/modules"
running=()
for ((job = 0; job < jobs; job++)); do
  work "$job" &
  running+=($!)
done
bad=0
for one in "${running[@]}"; do wait "$one" || bad=1; done
[ "$bad" = 0 ] || fail "some modules could not be run, or changes to them pass every test" \
  "write the missing test, or give the reason in tests/mutants/$set.accepted; then run them again"
