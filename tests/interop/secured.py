"""Credentials as JWS, COSE_Sign1 and SD-JWT, between us and PyPI's jwcrypto, cwt and sd-jwt.

    secured.py PROGRAM    PROGRAM is the example `secured` of spec/vc, which is our side

What we secure they verify, what they secure we verify, and each side refuses what the other forged.
"""

import base64
import json
import subprocess
import sys
import time

import cbor2
import sd_jwt.verifier
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

# The verifier checks key binding with this one algorithm only, ES256 if nobody says otherwise.
sd_jwt.verifier.DEFAULT_SIGNING_ALG = "EdDSA"

NOW = int(time.time())
AUD, NONCE, VCT = "https://verifier.example", "n-0S6_WzA2Mj", "https://types.example/permit"
judged = {"accepted": 0, "refused": 0}


def want(truth, text):
    if not truth:
        raise ValueError(text)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Ours:
    """Our side: a question a line, an answer a line."""

    def __init__(self, program):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True)

    def ask(self, op, **members):
        self.child.stdin.write(json.dumps({"op": op, "at": NOW, **members}) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def make(self, op, **members):
        answer = self.ask(op, **members)
        want("ok" in answer, f"{op}: {answer}")
        return answer["ok"]

    def accepts(self, op, document, **members):
        answer = self.ask(op, **members)
        want("ok" in answer, f"{op}: refused with {answer}")
        want(json.loads(answer["ok"]) == document, f"{op}: read {answer['ok']}")
        judged["accepted"] += 1

    def refuses(self, op, code, **members):
        answer = self.ask(op, **members)
        want(answer == {"error": code}, f"{op}: {answer}, not {code}")
        judged["refused"] += 1


def theirs(accepts, what, good):
    """What another library makes of a message: it must say what is expected of it."""
    want(accepts == good, f"{what}: {'refused' if good else 'accepted'}")
    judged["accepted" if good else "refused"] += 1


def key(seed):
    """The same keys as on our side: a seed of one byte, repeated."""
    private = JWK(kty="OKP", crv="Ed25519", d=b64(bytes([seed]) * 32), x=public(seed)["x"])
    return private


KEYS = {}


def public(seed):
    return json.loads(KEYS[seed]["jwk"])


def credential(seed):
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "credentialSubject": {"id": "did:example:holder", "name": "常州示例食品有限公司"},
        "issuer": KEYS[seed]["did"],
        "type": ["VerifiableCredential"],
        "validFrom": "2026-03-02T00:00:00+08:00",
    }


def tampered(message, part=1):
    """The message with a name changed in its payload."""
    parts = message.split(".")
    payload = unb64(parts[part]).replace("示例".encode(), "真实".encode())
    want(payload != unb64(parts[part]), "nothing was changed")
    parts[part] = b64(payload)
    return ".".join(parts)


# --- JOSE ----------------------------------------------------------------------------------------


def jws_verifies(message, seed):
    try:
        read = JWS()
        read.deserialize(message)
        read.verify(JWK(**public(seed)))
        return json.loads(read.payload)
    except (JWException, ValueError, KeyError):
        return None


def jws_of(header, payload, signer):
    made = JWS(json.dumps(payload, ensure_ascii=False).encode())
    made.add_signature(signer, None, json.dumps(header), None)
    return made.serialize(compact=True)


def jose(ours):
    document = credential(1)
    message = ours.make("issue-jose", key=1, document=json.dumps(document))
    theirs(jws_verifies(message, 1) == document, "jwcrypto: our vc+jwt", True)
    theirs(jws_verifies(message, 2) is not None, "jwcrypto: another key", False)
    theirs(jws_verifies(tampered(message), 1) is not None, "jwcrypto: tampered", False)
    none = b64(b'{"alg":"none","typ":"vc+jwt"}') + "." + message.split(".")[1] + "."
    theirs(jws_verifies(none, 1) is not None, "jwcrypto: alg none", False)

    header = {"alg": "EdDSA", "kid": KEYS[1]["kid"], "typ": "vc+jwt", "cty": "vc"}
    made = jws_of(header, document, key(1))
    ours.accepts("verify-jose", document, message=made)
    ours.refuses("verify-jose", "signature-mismatch", message=tampered(made))
    ours.refuses("verify-jose", "signature-mismatch", message=jws_of(header, document, key(2)))
    ours.refuses("verify-jose", "jose-algorithm", message=none)
    other = {**header, "kid": KEYS[2]["kid"]}
    ours.refuses("verify-jose", "claims-controller", message=jws_of(other, document, key(2)))
    secret = JWK(kty="oct", k=b64(unb64(public(1)["x"])))
    hs256 = jws_of({**header, "alg": "HS256"}, document, secret)
    ours.refuses("verify-jose", "jose-algorithm", message=hs256)
    embedded = {**header, "jwk": public(1)}
    ours.refuses("verify-jose", "jose-forbidden", message=jws_of(embedded, document, key(1)))
    curve = JWK.generate(kty="EC", crv="P-256")
    es256 = jws_of({**header, "alg": "ES256"}, document, curve)
    ours.refuses("verify-jose", "jose-algorithm", message=es256)


# --- COSE ----------------------------------------------------------------------------------------


def cose_key(seed, private=False):
    members = {1: 1, -1: 6, 2: KEYS[seed]["kid"].encode(), 3: -8, -2: unb64(public(seed)["x"])}
    if private:
        members[-4] = bytes([seed]) * 32
    return COSEKey.new(members)


def cose_verifies(message, seed):
    try:
        return json.loads(COSE.new().decode(message, cose_key(seed)))
    except (CWTError, ValueError, KeyError, TypeError, AttributeError, cbor2.CBORError):
        return None


def cose_of(protected, payload, seed):
    signer = cose_key(seed, private=True)
    made = COSE.new()
    return made.encode_and_sign(payload, signer, protected=protected, unprotected={})


def cose(ours):
    document = credential(1)
    message = unb64(ours.make("issue-cose", key=1, document=json.dumps(document)))
    theirs(cose_verifies(message, 1) == document, "cwt: our vc+cose", True)
    # A key that has the kid of the first and is the second's.
    theirs(cose_verifies(message, 2) is not None, "cwt: another key", False)
    changed = message.replace("示例".encode(), "真实".encode())
    want(changed != message, "nothing was changed")
    theirs(cose_verifies(changed, 1) is not None, "cwt: tampered", False)
    protected, unprotected, payload, signature = cbor2.loads(message).value
    stripped = {k: v for k, v in cbor2.loads(protected).items() if k != 1}
    none = cbor2.CBORTag(18, [cbor2.dumps(stripped), unprotected, payload, signature])
    none = cbor2.dumps(none)
    theirs(cose_verifies(none, 1) is not None, "cwt: no alg", False)

    header = {1: -8, 3: "application/vc", 4: KEYS[1]["kid"].encode(), 16: "application/vc+cose"}
    body = json.dumps(document, ensure_ascii=False).encode()
    made = cose_of(header, body, 1)
    ours.accepts("verify-cose", document, message=b64(made))
    changed = made.replace("示例".encode(), "真实".encode())
    ours.refuses("verify-cose", "signature-mismatch", message=b64(changed))
    forged = cose_of(header, body, 2)
    ours.refuses("verify-cose", "signature-mismatch", message=b64(forged))
    ours.refuses("verify-cose", "cose-missing", message=b64(none))
    typed = cose_of({**header, 16: "application/vp+cose"}, body, 1)
    ours.refuses("verify-cose", "cose-type", message=b64(typed))
    other = cose_of({**header, 4: KEYS[2]["kid"].encode()}, body, 2)
    ours.refuses("verify-cose", "claims-controller", message=b64(other))


# --- SD-JWT --------------------------------------------------------------------------------------


def claims():
    return {
        "address": {"city": "常州", "street": "一路"},
        "exp": NOW + 1_000,
        "iss": KEYS[1]["did"],
        "name": "示例",
        "nationalities": ["A", "B"],
        "vct": VCT,
    }


def sd_verifies(message, seed, aud=None, nonce=None):
    try:
        keys = JWK(**public(seed))
        return SDJWTVerifier(message, lambda *_: keys, aud, nonce).get_verified_payload()
    except (JWException, ValueError, KeyError, TypeError, IndexError):
        return None


def sd(ours):
    bound = {**claims(), "cnf": {"jwk": public(3)}}
    places = ["/name", "/address", "/address/street", "/nationalities/0"]
    issued = ours.make("issue-sd-jwt", key=1, claims=json.dumps(bound), conceal=places)
    theirs(sd_verifies(issued, 1) == bound, "sd-jwt: all that we issued", True)
    asked = {"aud": AUD, "nonce": NONCE}
    show = {"message": issued, "show": ["/address/street"], **asked}
    shown = ours.make("present", holder=3, **show)
    least = {name: value for name, value in bound.items() if name != "name"}
    least["nationalities"] = ["B"]
    theirs(sd_verifies(shown, 1, AUD, NONCE) == least, "sd-jwt: what we show", True)
    theirs(sd_verifies(shown, 2) is not None, "sd-jwt: another issuer", False)
    theirs(sd_verifies(shown, 1, AUD, "other") is not None, "sd-jwt: another nonce", False)
    theirs(sd_verifies(shown, 1, "other", NONCE) is not None, "sd-jwt: another audience", False)
    thief = ours.make("present", holder=4, **show)
    theirs(sd_verifies(thief, 1, AUD, NONCE) is not None, "sd-jwt: another holder", False)
    jwt, rest = shown.split("~", 1)
    none = b64(b'{"alg":"none","typ":"dc+sd-jwt"}') + "." + jwt.split(".")[1] + ".~" + rest
    theirs(sd_verifies(none, 1) is not None, "sd-jwt: alg none", False)

    # Theirs: issued, shown and bound by the reference implementation.
    hidden = {
        SDObj("name"): "示例",
        SDObj("address"): {"city": "常州", SDObj("street"): "一路"},
        "nationalities": [SDObj("A"), "B"],
        "exp": NOW + 1_000,
        "iss": KEYS[1]["did"],
        "vct": VCT,
    }
    header = {"kid": KEYS[1]["kid"], "typ": "dc+sd-jwt"}

    def issue(signer, head=header, holder=3):
        made = SDJWTIssuer(hidden, key(signer), JWK(**public(holder)), "EdDSA", True,
                           extra_header_parameters=head)
        return made.sd_jwt_issuance

    def present(message, seed=3, nonce=NONCE, choice=None):
        made = SDJWTHolder(message)
        choice = {"address": {"street": True}} if choice is None else choice
        made.create_presentation(choice, nonce, AUD, key(seed), "EdDSA")
        return made.sd_jwt_presentation

    theirs_issued = issue(1)
    ask = {"vct": VCT, **asked}
    ours.accepts("verify-sd-jwt", bound, message=theirs_issued, vct=VCT)
    shown = present(theirs_issued)
    ours.accepts("verify-sd-jwt", least, message=shown, **ask)
    ours.refuses("verify-sd-jwt", "signature-mismatch", message=present(issue(2)), **ask)
    ours.refuses("verify-sd-jwt", "signature-mismatch", message=present(theirs_issued, 4), **ask)
    ours.refuses("verify-sd-jwt", "claims-nonce", message=present(theirs_issued, 3, "x"), **ask)
    ours.refuses("verify-sd-jwt", "sd-jwt-binding-missing", message=theirs_issued, **ask)
    typed = issue(1, {**header, "typ": "JWT"})
    ours.refuses("verify-sd-jwt", "jose-type", message=present(typed), **ask)
    ours.refuses("verify-sd-jwt", "sd-jwt-vct", message=shown, vct="https://a.example", **asked)
    first, *rest = shown.split("~")
    ours.refuses("verify-sd-jwt", "sd-jwt-binding-hash", message="~".join([first, rest[-1]]), **ask)
    twice = "~".join([first, rest[0], *rest])
    ours.refuses("verify-sd-jwt", "sd-jwt-disclosure-twice", message=twice, **ask)
    added = "~".join([first, b64(b'["salt","admin",true]'), *rest])
    ours.refuses("verify-sd-jwt", "sd-jwt-unreferenced", message=added, **ask)
    ours.refuses("verify-sd-jwt", "jose-algorithm", message=none, **ask)


try:
    side = Ours(sys.argv[1])
    for number in (1, 2, 3, 4):
        KEYS[number] = side.make("key", key=number)
    for part in (jose, cose, sd):
        before = dict(judged)
        part(side)
        done = {name: judged[name] - before[name] for name in judged}
        print(f"{part.__name__}: {done['accepted']} accepted, {done['refused']} refused, as they must")
    want(judged["accepted"] >= 8 and judged["refused"] >= 30, f"only {judged}")
except (ValueError, OSError) as error:
    print("refused:", error)
    sys.exit(1)
