#!/usr/bin/env python3
"""Keeps what became of the mutants of each module, and judges it.

  judge.py modules SET FILE [--todo|--missed]
      the modules of the set, which FILE names, one a line; with --todo those that were never run or
      whose code is another since; with --missed those that were run, with a survivor
      that has no reason
  judge.py missed SET MODULE
      patterns of the module's survivors, for another run of them alone
  judge.py record SET HOME MODULE [--missed]
      the outcome in HOME/mutants.out of the module in HOME/copy, or of its survivors alone

Kept in SET.json; SET.md is written from it. A mutant that no test noticed must stand in SET.accepted with
its reason, one a line: `NAME :: REASON`. NAME is as cargo mutants prints it without line and column, which
move: `spec/vc/src/rdf.rs: replace check -> Result<(), RdfError> with Ok(())`. Where several mutants of a
function have the same name, each that survives has its line.
"""

import collections
import hashlib
import itertools
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
KINDS = ("caught", "timeout", "unviable", "missed")


def named(line):
    """A mutant without the place in its file."""
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", line.strip())


def lines(path):
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def source(root, module):
    """What tells one state of a module's code, its tests left out, from another."""
    path = root / module
    if not path.exists():
        return None
    code = re.split(r"^#\[cfg\(test\)\]\nmod tests \{$", path.read_text("utf-8"), flags=re.M)[0]
    code = re.sub(r"^#\[cfg\(test\)\]\n.*mod \w+;\n+", "", code, flags=re.M)
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def accepted(name):
    """The reasons for each name, as many as it has lines."""
    path, found = HERE / f"{name}.accepted", collections.defaultdict(list)
    for line in lines(path) if path.exists() else []:
        if line.startswith("#"):
            continue
        mutant, _, reason = line.partition(" :: ")
        if not reason.strip():
            sys.exit(f"{path.name}: no reason: {line}")
        found[mutant.strip()].append(reason.strip())
    return found


def page(name, kept, reasons):
    """SET.md: a row a module, the sums, and every survivor with its reason."""
    rows, sums, run = [], collections.Counter(), 0
    for module, was in sorted(kept.items()):
        if was is None:
            rows.append(f"| `{module}` | | | | | | not run |")
            continue
        counts = {kind: len(was[kind]) if kind == "missed" else was[kind] for kind in KINDS}
        sums.update(counts)
        run += 1
        state = was["source"]
        if state != source(ROOT, module):
            state += ", changed since"
        cells = [sum(counts.values()), *counts.values(), state]
        rows.append(f"| `{module}` | " + " | ".join(map(str, cells)) + " |")
    cells = [sum(sums.values()), *(sums[kind] for kind in KINDS)]
    survivors = [
        f"- `{mutant}`: {reason or '**no reason**'}"
        for _, was in sorted(kept.items())
        for mutant, count in collections.Counter(was["missed"] if was else []).items()
        for reason, _ in itertools.zip_longest(reasons[mutant], range(count))
    ]
    return "\n".join(
        [
            f"# Mutants: {name}",
            "",
            f"What became of every small change to the code: `make mutants ARGS={name}`. Modules run: "
            f"{run} of {len(kept)}.",
            "",
            "| module | mutants | noticed | ran too long | does not build | survived | code (SHA-256) |",
            "|---|---|---|---|---|---|---|",
            *rows,
            f"| all | {' | '.join(map(str, cells))} | |",
            "",
            "## Survivors, each with its reason",
            "",
            *(survivors or ["None."]),
            "",
        ]
    )


def main():
    action, name = sys.argv[1:3]
    table = HERE / f"{name}.json"
    kept = json.loads(table.read_text("utf-8")) if table.exists() else {}
    reasons = accepted(name)
    bad = False
    if action == "modules":
        kept = {module: kept.get(module) for module in lines(pathlib.Path(sys.argv[3]))}
        for module, was in kept.items():
            changed = was is None or was["source"] != source(ROOT, module)
            if "--missed" in sys.argv and (changed or all(one in reasons for one in was["missed"])):
                continue
            if "--todo" not in sys.argv or changed:
                print(module)
    elif action == "missed":
        module = sys.argv[3]
        for mutant in sorted(set(kept[module]["missed"])):
            name_of = re.escape(mutant.removeprefix(f"{module}: ")).replace("\\ ", " ")
            print(rf"^{re.escape(module)}:\d+:\d+: {name_of}$")
        return
    else:
        home, module = pathlib.Path(sys.argv[3]), sys.argv[4]
        out = {
            kind: [line for line in lines(home / f"mutants.out/{kind}.txt") if line.startswith(f"{module}:")]
            for kind in KINDS
        }
        chosen = json.loads((home / "mutants.out/mutants.json").read_text("utf-8"))
        if sum(mutant["file"] == module for mutant in chosen) != sum(map(len, out.values())):
            sys.exit(f"{module}: the run was not ended")
        survivors = sorted(map(named, out["missed"]))
        counts = {kind: len(found) for kind, found in out.items()}
        state = source(home / "copy", module)
        if "--missed" in sys.argv:
            was = kept[module]
            if was["source"] != state or counts["timeout"] or counts["unviable"]:
                sys.exit(f"{module}: run it whole, its code or what became of it is another")
            noticed = was["caught"] + len(was["missed"]) - len(survivors)
            counts = was | {"caught": noticed}
        kept[module] = counts | {"missed": survivors, "source": state}
        counts = kept[module] | {"missed": len(survivors)}
        print(module, *(f"{kind} {counts[kind]}" for kind in KINDS), sep="  ")
        for mutant in sorted({*survivors, *reasons}):
            over = survivors.count(mutant) - len(reasons[mutant])
            if mutant.startswith(f"{module}: ") and over:
                bad = True
                what = "survives without a reason" if over > 0 else "accepted, but noticed"
                print(f"{what}: {mutant}")
    text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
    table.write_text(text + "\n", "utf-8")
    (HERE / f"{name}.md").write_text(page(name, kept, reasons), "utf-8")
    sys.exit(1 if bad else 0)


main()
