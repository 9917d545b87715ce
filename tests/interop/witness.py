"""Judges what aics-witness made of a log, and feeds a second one as its operator would.

    witness.py POLICY URL OLDER

URL serves a log under POLICY, which has a witness named `foreign` with a URL; OLDER is a file with
a checkpoint that the log published before. First, the witness must show the head that the log
shows. Then a witness in this process, which knows nothing, is asked by hand: it cosigns the older
head and this one, and refuses all that it should.
"""

import logging
import sys
import tempfile

import aics_tlog as tlog
from aics_witness.config import LogConfig
from aics_witness.protocol import format_add_checkpoint_request, origin_hash
from aics_witness.protocol import parse_signature_lines
from aics_witness.service import Witness, WitnessError
from aics_witness.store import WitnessStore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def policy(path):
    """The log's key, the foreign witness's key and where it is."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for words in (line.split() for line in file):
            if words[:1] == ["log"]:
                found["log"] = tlog.parse_vkey(words[1])
            elif words[:2] == ["witness", "foreign"]:
                found["witness"] = tlog.parse_vkey(words[2])
                found["url"] = words[3]
    return found["log"], found["witness"], found["url"]


def want(truth, text):
    if not truth:
        raise ValueError(text)


def shown(log, key, url, head):
    """The head that the witness shows: tlog-witness, monitoring."""
    reader = tlog.HttpTileReader(f"{url}/{origin_hash(log.name)}", proxies={})
    note = tlog.parse_note(reader.read_checkpoint())
    want(note.text == head.text, "the witness shows another head than the log")
    for known in (note, head):
        result = tlog.verify_checkpoint(known, log, [key], 1, expected_origin=log.name)
        want(result.ok, f"head: {result.error}")


def fed(log, tiles, older, head, folder):
    """Feeds a new witness both heads, and what it must refuse between them."""
    secret = Ed25519PrivateKey.generate()
    with WitnessStore(f"{folder}/witness.db", create=True) as store:
        witness = Witness("witness.example/second", secret, store, [LogConfig(log.name, (log,))])
        old, new = (tlog.parse_checkpoint(note.text) for note in (older, head))
        proof = tlog.consistency_proof_from_tiles(tiles, old.size, new.size)
        forged = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        root = bytes([new.root[0] ^ 1]) + new.root[1:]
        other = tlog.Note(tlog.Checkpoint(log.name, new.size, root).text(), head.signatures)

        def add(size, hashes, note):
            body = format_add_checkpoint_request(size, hashes, note.to_bytes())
            try:
                return 200, witness.add_checkpoint(body).decode()
            except WitnessError as error:
                return error.status, error.message

        for text, wanted, (status, answer) in (
            ("the older head", 200, add(0, [], older)),
            ("a forged proof", 422, add(old.size, forged, head)),
            ("another root", 403, add(old.size, proof, other)),
            ("another old size", 409, add(old.size - 1, proof, head)),
            ("the head", 200, add(old.size, proof, head)),
            ("the older head again", 400, add(new.size, [], older)),
        ):
            want(status == wanted, f"{text}: {status} {answer}, expected {wanted}")
            if status != 200:
                continue
            cp = new if text == "the head" else old
            (line,) = parse_signature_lines(answer)
            key = witness.vkey
            good = tlog.verify_cosignature(
                line.signature, key.name, key.public_key, cp.origin, cp.size, cp.root
            )
            want(good, f"{text}: the cosignature does not verify")
        return old.size, new.size


def judge(policy_path, url, older_path):
    log, key, witness_url = policy(policy_path)
    reader = tlog.HttpTileReader(url, proxies={})
    head = tlog.parse_note(reader.read_checkpoint())
    with open(older_path, "rb") as file:
        older = tlog.parse_note(file.read())
    shown(log, key, witness_url, head)
    cp = tlog.parse_checkpoint(head.text)
    tiles = tlog.VerifiedTileReader(reader, cp.size, cp.root)
    with tempfile.TemporaryDirectory() as folder:
        old, new = fed(log, tiles, older, head, folder)
    print(
        f"aics-witness: {key.name} shows the log's head {new}; a second one cosigned {old} and "
        f"{new}, and refused a forged proof, another root, another old size, an older head"
    )


# It warns of what it refuses; here that is wanted.
logging.disable(logging.WARNING)
try:
    judge(*sys.argv[1:4])
except (ValueError, OSError) as error:
    print("refused:", error)
    sys.exit(1)
