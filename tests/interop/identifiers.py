"""python-stdnum judges the identifier vectors.

Its checks are fewer than ours (no check digit of the organisation code, no registering department),
so two things are asked: what we accept it must accept, and what it refuses we must refuse; what only
it accepts must be refused by us for a reason that is none of its business, listed below.

Usage: identifiers.py FOLDER-OF-VECTORS
"""

import json
import pathlib
import sys

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

# Reasons of ours that python-stdnum does not know.
ONLY_OURS = {
    "uscc": {
        "organisation-check",
        "region-province",
        "uscc-category",
        "uscc-department",
    },
    "citizen-id": {"citizen-id-birth-date", "region-province"},
    "licence-identifier": None,  # it checks the check character alone: see below
}
ROOT = "1.2.156.3005.2."


def judge_uscc(text):
    """Whether it is a unified social credit code, as written: stdnum would strip and upcase.

    Its format wants digits in the first two places; the standard's amendment has letters there
    too (N, Y, A), for which its check digit alone is asked.
    """
    if uscc.compact(text) != text:
        return False
    if len(text) == 18 and text[0] in "ANY" and text[2:8].isdigit():
        try:
            return uscc.calc_check_digit(text) == text[17]
        except ValueError:
            return False
    return uscc.is_valid(text)


def judge_citizen_id(text):
    """Check digit and birth date; the places are a table of the past that we do not have."""
    if ric.compact(text) != text or len(text) != 18 or not text[:17].isascii():
        return False
    if not text[:17].isdigit() or text[17] not in "0123456789X":
        return False
    try:
        ric.get_birth_date(text)
    except (ValidationError, ValueError):
        return False
    return ric.calc_check_digit(text) == text[17]


def judge_licence_identifier(text):
    """The check character of GB/T 36904 by ISO 7064 MOD 37,36 over what stands behind the root."""
    if not text.startswith(ROOT):
        return False
    body = text[len(ROOT):].replace(".", "")
    return mod_37_36.is_valid(body)


JUDGES = {
    "uscc": judge_uscc,
    "citizen-id": judge_citizen_id,
    "licence-identifier": judge_licence_identifier,
}


def disagreement(kind, case):
    """What is wrong with the case in python-stdnum's eyes, or None."""
    accepts = JUDGES[kind](case["input"])
    error = case["expect"].get("error")
    if error is None:
        return None if accepts else "we accept, python-stdnum refuses"
    if not accepts:
        return None
    allowed = ONLY_OURS[kind]
    # Of an identifier it knows the check character only: that reason it may not contradict.
    foreign = error != "licence-identifier-check" if allowed is None else error in allowed
    return None if foreign else f"we refuse ({error}), python-stdnum accepts"


def main(folder):
    passed = failed = 0
    for kind in JUDGES:
        accepted = refused = 0
        path = pathlib.Path(folder, kind, f"{kind}.json")
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            wrong = disagreement(kind, case)
            if wrong:
                failed += 1
                print(f"failed: {path.name}: {case['name']}: {wrong}")
            else:
                passed += 1
            if "ok" in case["expect"]:
                accepted += 1
            else:
                refused += 1
        if not (accepted and refused):
            failed += 1
            print(f"failed: {kind}: {accepted} accepted and {refused} refused: nothing is compared")
    print(f"python-stdnum: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
