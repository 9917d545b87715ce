#!/usr/bin/env python3
"""Judges a run of cargo mutants: every mutant that no test noticed must stand in SET.accepted,
with its reason; and whatever stands there without having survived is named as well.

Usage: judge.py SET MUTANTS_OUT [--write]    --write: the outcome goes to SET.md beside this file

SET.accepted has one mutant a line, `NAME :: REASON`. NAME is as cargo mutants prints it, without line and
column, which move: `spec/vc/src/rdf.rs: replace check -> Result<(), RdfError> with Ok(())`.
"""

import collections
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent


def named(line):
    """A mutant without the place in its file."""
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", line.strip())


def lines(path):
    if not path.exists():
        return []
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def accepted(name):
    found = {}
    for line in lines(HERE / f"{name}.accepted"):
        if line.startswith("#"):
            continue
        mutant, separator, reason = line.partition(" :: ")
        if not separator or not reason.strip():
            sys.exit(f"{name}.accepted: no reason: {line}")
        found[mutant.strip()] = reason.strip()
    return found


def main():
    name, out = sys.argv[1], pathlib.Path(sys.argv[2])
    outcomes = {
        kind: [named(line) for line in lines(out / f"{kind}.txt")]
        for kind in ("caught", "missed", "timeout", "unviable")
    }
    reasons = accepted(name)
    survivors = outcomes["missed"]
    without = [mutant for mutant in survivors if mutant not in reasons]
    print("  ".join(f"{kind} {len(found)}" for kind, found in outcomes.items()))
    for mutant in without:
        print(f"survives without a reason: {mutant}")
    if "--write" in sys.argv:
        for mutant in sorted(set(reasons) - set(survivors)):
            print(f"accepted, but caught: {mutant}")
        files = collections.defaultdict(collections.Counter)
        for kind, found in outcomes.items():
            for mutant in found:
                files[mutant.split(": ")[0]][kind] += 1
        rows = [
            f"| `{file}` | {count['caught']} | {count['timeout']} | {count['missed']} | "
            f"{count['unviable']} |"
            for file, count in sorted(files.items())
        ]
        kept = [f"- `{mutant}`: {reasons.get(mutant, '**no reason**')}" for mutant in survivors]
        text = "\n".join(
            [
                f"# Mutants: {name}",
                "",
                "What became of every small change to the code, the last time all of them were tried.",
                "",
                "| file | noticed | ran too long | survived | does not build |",
                "|---|---|---|---|---|",
                *rows,
                "",
                "## Survivors, each with its reason",
                "",
                *(kept or ["None."]),
                "",
            ]
        )
        (HERE / f"{name}.md").write_text(text, "utf-8")
    sys.exit(1 if without or not outcomes["caught"] else 0)


main()
