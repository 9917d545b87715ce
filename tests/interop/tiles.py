"""Judges a served log with PyPI's aics-tlog: signatures, every tile and entry, proofs.

    tiles.py POLICY URL LEAST

POLICY is a C2SP tlog-policy; at URL a log of at least LEAST entries is served. Proofs are made of
tiles and verified by other code; each is judged again with one bit turned.
"""

import json
import sys
import time

import aics_tlog as tlog

# Of the entries one in so many has its inclusion proved; audit_tiles reads them all.
STEP = 499
SIZES = 20


def policy(path):
    """The log's key and the witnesses' keys."""
    log, witnesses = None, []
    with open(path, encoding="utf-8") as file:
        for words in (line.split() for line in file):
            if words[:1] == ["log"]:
                log = tlog.parse_vkey(words[1])
            elif words[:1] == ["witness"]:
                witnesses.append(tlog.parse_vkey(words[2]))
    return log, witnesses


def turned(data):
    """A hash with one bit turned."""
    return bytes([data[0] ^ 1]) + data[1:]


def want(truth, text):
    if not truth:
        raise ValueError(text)


def judge(policy_path, url, least):
    start = time.monotonic()
    log, witnesses = policy(policy_path)
    reader = tlog.HttpTileReader(url, proxies={})
    note = tlog.parse_note(reader.read_checkpoint())
    result = tlog.verify_checkpoint(
        note, log, witnesses, len(witnesses), expected_origin=log.name, max_age_seconds=3600
    )
    want(result.ok, f"checkpoint: {result.error}")
    size, root = result.size, result.root
    want(size >= least, f"{size} entries, need {least}")
    other = tlog.Checkpoint(log.name, size, turned(root)).text()
    forged = tlog.Note(text=other, signatures=note.signatures)
    accepted = tlog.verify_checkpoint(forged, log, witnesses, len(witnesses)).ok
    want(not accepted, "accepted a checkpoint with another root")

    report = tlog.audit_tiles(reader, size, root)
    tiles = tlog.VerifiedTileReader(reader, size, root)
    published = []
    included = 0
    for index in range(size):
        entry = tiles.entry(index)
        if json.loads(entry)["leaf"] == "epoch":
            published.append(index + 1)
        if index % STEP and index != size - 1:
            continue
        proof = tlog.inclusion_proof_from_tiles(tiles, index, size)
        leaf = tlog.leaf_hash(entry)
        want(tlog.verify_inclusion(leaf, index, size, proof, root), f"entry {index}: not included")
        accepted = tlog.verify_inclusion(turned(leaf), index, size, proof, root)
        want(not accepted, f"entry {index}: accepted another hash")
        included += 1

    want(len(published) >= SIZES and published[-1] == size, "the epochs are not where they belong")
    sizes = [published[i * (len(published) - 1) // (SIZES - 1)] for i in range(SIZES)]
    roots = {at: tlog.tree_root_from_tiles(tiles, at, size) for at in sizes}
    pairs = 0
    for new in sizes:
        # The tiles as they were published at that size.
        then = tlog.VerifiedTileReader(reader, new, roots[new])
        for old in sizes[: sizes.index(new)]:
            proof = tlog.consistency_proof_from_tiles(then, old, new)
            consistent = tlog.verify_consistency(old, new, roots[old], roots[new], proof)
            want(consistent, f"{old} to {new}: not consistent")
            accepted = tlog.verify_consistency(old, new, turned(roots[old]), roots[new], proof)
            want(not accepted, f"{old} to {new}: accepted another root")
            pairs += 1
    print(
        f"aics-tlog: {log.name} at {size}: {1 + len(witnesses)} signatures; {report.tiles} tiles "
        f"and {report.bundles} bundles audited; {included} of {size} entries included; {pairs} "
        f"pairs of {SIZES} sizes consistent; {time.monotonic() - start:.1f} s"
    )


try:
    judge(sys.argv[1], sys.argv[2], int(sys.argv[3]))
except (ValueError, OSError) as error:
    print("refused:", error)
    sys.exit(1)
