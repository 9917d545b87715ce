"""Judges COSE receipts with PyPI's cwt, which verifies what the log signed.

    cose.py vectors FOLDER          the vectors of spec/vectors
    cose.py served URL POLICY LEAST every event of a served log, which has at least LEAST entries

The root is computed here, by RFC 9162 section 2.1.3.2 as it stands; no code of ours has a part.
"""

import base64
import hashlib
import json
import pathlib
import sys
import urllib.error
import urllib.request

import cbor2
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(entry, index, size, path):
    """RFC 9162 2.1.3.2, steps 1 to 4; the comparison of step 5 is the signature's."""
    if index >= size:
        raise ValueError("index is not in the tree")
    fn, sn, r = index, size - 1, sha256(b"\0", entry)
    for p in path:
        if sn == 0:
            raise ValueError("path is too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\1", p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ValueError("path is too short")
    return r


def key_of(vkey):
    """An Ed25519 vkey of C2SP's signed-note, as a COSE key; its kid is ours."""
    name, number, data = vkey.split("+", 2)
    data = base64.b64decode(data)
    if data[0] != 1:
        raise ValueError("not a log's key")
    kid = f"{name}+{number}".encode()
    return COSEKey.new({1: 1, -1: 6, 2: kid, 3: -8, -2: data[1:]})


def verified(receipt, entry, vkey):
    """The root that the log signed for the entry, and the tree's size."""
    _, unprotected, payload, _ = cbor2.loads(receipt).value
    if payload is not None:
        raise ValueError("payload is attached")
    (proof,) = unprotected[396][-1]
    size, index, path = cbor2.loads(proof)
    root = root_of(entry, index, size, path)
    # cwt takes the algorithm from the protected header, and the key by its kid.
    protected, _, _ = COSE.new().decode_with_headers(receipt, key_of(vkey), detached_payload=root)
    if protected[395] != 1 or protected[-65537] != size:
        raise ValueError("another tree than was signed")
    if protected[4] != "+".join(vkey.split("+", 2)[:2]).encode():
        raise ValueError("another key than was asked for")
    return root, size


def accepts(receipt, entry, vkey):
    try:
        return verified(receipt, entry, vkey)
    except (CWTError, ValueError, KeyError, TypeError, AttributeError, cbor2.CBORError):
        return None


def want(truth, text):
    if not truth:
        raise ValueError(text)


def vectors(folder):
    accepted = refused = 0
    for file in sorted(pathlib.Path(folder, "cose-receipt").glob("*.json")):
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            if case["op"] != "verify":
                continue
            receipt, entry = (base64.b64decode(case[name]) for name in ("receipt", "entry"))
            found, expect = accepts(receipt, entry, case["vkey"]), case["expect"]
            if "ok" in expect:
                root = base64.b64decode(expect["ok"]["root"])
                want(found == (root, int(expect["ok"]["size"])), f"{case['name']}: {found}")
                accepted += 1
            else:
                want(found is None, f"{case['name']}: accepted")
                refused += 1
    want(accepted >= 9 and refused >= 20, f"only {accepted} and {refused} cases")
    print(f"cwt: {accepted} receipts of the vectors verify, {refused} do not, as they must")


def ask(url, accept=None):
    headers = {"Accept": accept} if accept else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read(), answer.headers["Content-Type"]


def identity(event):
    """Spec/event.md: SHA-256 over the canonical event without its signatures."""
    statement = {name: value for name, value in event.items() if name != "signatures"}
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(sha256(b"zhao/v1 event id\n", text.encode())).rstrip(b"=")


def entries(url, size):
    """The leaves: bundles of up to 256, each with its length in two bytes (C2SP tlog-tiles)."""
    for first in range(0, size, 256):
        width, number = min(256, size - first), first // 256
        want(number < 1000, "too many bundles")
        partial = "" if width == 256 else f".p/{width}"
        bundle, _ = ask(f"{url}/tile/entries/{number:03}{partial}")
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]


def served(url, policy, least):
    words = (line.split() for line in pathlib.Path(policy).read_text(encoding="utf-8").splitlines())
    (vkey,) = [line[1] for line in words if line[:1] == ["log"]]
    note = ask(f"{url}/checkpoint")[0].decode().split("\n")
    size, root = int(note[1]), base64.b64decode(note[2])
    leaves = list(entries(url, size))
    want(len(leaves) == size >= least, f"{len(leaves)} of {size} entries, need {least}")
    judged, last, asked = 0, None, None
    for index, leaf in enumerate(leaves):
        event = json.loads(leaf).get("event")
        if event is None:
            continue
        address = f"{url}/v1/receipts/{identity(event).decode()}"
        receipt, kind = ask(address, "application/cose")
        want(kind == 'application/cose; cose-type="cose-sign1"', f"{kind} is no COSE_Sign1")
        want(accepts(receipt, leaf, vkey) == (root, size), f"entry {index}: does not verify")
        want(cbor2.loads(cbor2.loads(receipt).value[1][396][-1][0])[1] == index, "another index")
        judged += 1
        # A judge that accepts everything proves nothing.
        want(accepts(receipt, leaves[index - 1], vkey) is None, f"{index}: accepted another entry")
        for bit in (-1, -300, receipt.find(b"\x58\x20") * 8 + 100, 100):
            at, mask = divmod(bit, 8)
            turned = bytearray(receipt)
            turned[at] ^= 1 << mask
            want(accepts(bytes(turned), leaf, vkey) is None, f"{index}: accepted a turned bit {bit}")
        last, asked = event, address
    usual, kind = ask(asked)
    want(kind == "application/json" and json.loads(usual)["event"] == last, "not the usual form")
    try:
        ask(asked, "text/html")
        raise ValueError("a receipt in HTML")
    except urllib.error.HTTPError as error:
        want(error.code == 406, f"status {error.code}")
    print(f"cwt: {judged} receipts of a served log of {size} entries verify")


try:
    if sys.argv[1] == "vectors":
        vectors(sys.argv[2])
    else:
        served(sys.argv[2].rstrip("/"), sys.argv[3], int(sys.argv[4]))
except (ValueError, OSError) as error:
    print("refused:", error)
    sys.exit(1)
