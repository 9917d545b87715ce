//! Refusals of steps 1 and 2: what is no dossier, no credential, or not signed by its issuer.

use zhao_spec::credential::eddsa_jcs;
use zhao_spec::file::{Dossier, EmbeddedCredential};
use zhao_spec::life::record::Record;
use zhao_spec::wire::{Value, json};

use super::super::credential::Paper;
use super::super::key;
use super::super::vectors::{Case, Vector};
use super::{honest, issued};

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let description = "Steps 1 and 2: the credential and its proof.";
    vec![
        Vector::new(
            "dossier/malformed",
            "Files that are no dossier.",
            &trusting,
            malformed(),
        ),
        Vector::new("verify/credential", description, &trusting, credential()),
    ]
}

fn good() -> Dossier {
    let (world, _, paper, credential) = issued();
    world.dossier(&paper, &credential)
}

fn text_of(dossier: &Dossier) -> String {
    String::from_utf8(dossier.bytes()).unwrap()
}

fn malformed() -> Vec<Case> {
    let good = text_of(&good());
    let edit = |name: &str, from: &str, to: &str| {
        assert!(good.contains(from), "{name}: nothing to edit");
        let text = good.replacen(from, to, 1);
        Case::invalid(name, text.into_bytes(), "malformed")
    };
    let mut cases = vec![
        Case::invalid("empty", Vec::new(), "malformed"),
        Case::invalid("a-text", b"\"zhao/v1 dossier\"".to_vec(), "malformed"),
        Case::invalid(
            "two-newlines",
            format!("{good}\n\n").into_bytes(),
            "malformed",
        ),
        Case::invalid(
            "byte-order-mark",
            format!("\u{feff}{good}").into_bytes(),
            "malformed",
        ),
        Case::invalid(
            "cut-off",
            good.as_bytes()[..good.len() - 1].to_vec(),
            "malformed",
        ),
        Case::invalid(
            "cut-in-half",
            good.as_bytes()[..good.len() / 2].to_vec(),
            "malformed",
        ),
        edit("white-space", ",\"credential\"", ", \"credential\""),
        edit("other-format", "zhao/v1 dossier", "zhao/v2 dossier"),
        edit("format-missing", "\"format\":\"zhao/v1 dossier\",", ""),
        edit("head-renamed", ",\"head\":", ",\"heae\":"),
        edit(
            "unknown-member-in-record",
            "\"kind\":\"licence\",",
            "\"kind\":\"licence\",\"l\":1,",
        ),
        edit("escaped-letter", "zhao/v1 dossier", "zhao/v1 d\\u006fssier"),
        edit(
            "members-out-of-order",
            "\"epoch\":1,\"index\"",
            "\"index\":1,\"epoch\"",
        ),
        edit("number-with-a-fraction", "\"seats\":40", "\"seats\":40.0"),
        edit(
            "number-with-a-leading-zero",
            "\"seats\":40",
            "\"seats\":040",
        ),
        edit("negative-number", "\"seats\":40", "\"seats\":-40"),
        edit("null", "\"seats\":40", "\"seats\":null"),
        edit("member-twice", "\"seats\":40", "\"seats\":40,\"seats\":40"),
        edit(
            "proof-of-another-version",
            "c2sp.org/tlog-proof@v1",
            "c2sp.org/tlog-proof@v2",
        ),
        edit(
            "proof-with-extra-data",
            "@v1\\nindex",
            "@v1\\nextra AAAA\\nindex",
        ),
        edit("proof-index-with-a-sign", "@v1\\nindex ", "@v1\\nindex +"),
        edit(
            "unknown-state",
            "\"state\":\"active\"",
            "\"state\":\"activ\"",
        ),
        edit(
            "suspension-unknown",
            "\"suspensions\":[]",
            "\"suspensions\":[\"paused\"]",
        ),
        edit("hash-too-short", "\"latestBy\":\"", "\"latestBy\":\"A"),
    ];
    let (world, _, paper, credential) = issued();
    let dossier = world.dossier(&paper, &credential);
    let registry = Record::Registry(world.registry_authority().placed.record);
    let own = String::from_utf8(Record::Licence(dossier.placed.record.clone().into()).bytes());
    let swapped = good.replacen(
        &format!("\"record\":{}", own.unwrap()),
        &format!(
            "\"record\":{}",
            String::from_utf8(registry.bytes()).unwrap()
        ),
        1,
    );
    cases.push(Case::invalid(
        "record-of-another-kind",
        swapped.into_bytes(),
        "malformed",
    ));
    let mut twice = dossier.clone();
    let authorities = twice.authorities.as_mut().unwrap();
    authorities.issuers.push(authorities.issuers[0].clone());
    cases.push(Case::invalid(
        "unit-listed-twice",
        twice.bytes(),
        "malformed",
    ));
    let mut long = dossier;
    long.placed.path.depths = vec![0; 257];
    cases.push(Case::invalid(
        "path-longer-than-a-key",
        long.bytes(),
        "malformed",
    ));
    cases
}

/// Issues what `paper` says, with this credential in its place, everything else in order.
fn issue_instead(paper: &Paper, credential: &EmbeddedCredential) -> Vec<u8> {
    let (mut world, _) = honest();
    let issued = world.issued(paper, credential);
    world.issue_as(paper, issued);
    world.close();
    world.dossier(paper, credential).bytes()
}

/// The credential with one piece of its text replaced.
fn edited(credential: &EmbeddedCredential, from: &str, to: &str) -> EmbeddedCredential {
    let text = String::from_utf8(credential.bytes().to_vec()).unwrap();
    assert!(text.contains(from), "nothing to edit: {from}");
    EmbeddedCredential::parse(text.replacen(from, to, 1).as_bytes()).unwrap()
}

/// The credential with other proof members, signed again with the key of that name.
pub fn resigned(
    credential: &EmbeddedCredential,
    signer: &str,
    change: impl Fn(&mut Vec<(String, Value)>),
) -> EmbeddedCredential {
    let Value::Object(members) = credential.value().clone() else {
        panic!("an object")
    };
    let (proof, document): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|(name, _)| name == "proof");
    let Some((_, Value::Object(mut config))) = proof.into_iter().next() else {
        panic!("a proof")
    };
    config.retain(|(name, _)| name != "proofValue");
    change(&mut config);
    let document = Value::Object(document);
    let value = eddsa_jcs::proof_value(
        &key(signer),
        &json::encode(&Value::Object(config.clone())),
        &json::encode(&document),
    )
    .unwrap();
    config.push(("proofValue".to_owned(), Value::Text(value)));
    config.sort_by(|a, b| a.0.cmp(&b.0));
    let Value::Object(mut members) = document else {
        panic!("an object")
    };
    members.push(("proof".to_owned(), Value::Object(config)));
    members.sort_by(|a, b| a.0.cmp(&b.0));
    EmbeddedCredential::new(Value::Object(members)).unwrap()
}

fn replace(name: &'static str, text: String) -> impl Fn(&mut Vec<(String, Value)>) {
    move |config| {
        let (_, value) = config.iter_mut().find(|(own, _)| own == name).unwrap();
        *value = Value::Text(text.clone());
    }
}

fn credential() -> Vec<Case> {
    let paper = Paper::food(1);
    let good = paper.sign();
    let case = |name: &str, credential: EmbeddedCredential, reason: &str| {
        Case::invalid(name, issue_instead(&paper, &credential), reason)
    };
    let own = key(&paper.key).public();
    let thief = key("unit 2 key 1").public();
    let mut cases = vec![
        case(
            "holder-code-with-a-wrong-check-digit",
            edited(&good, &paper.holder_code, "913204000000000000"),
            "credential_malformed",
        ),
        case(
            "type-of-another-profile",
            edited(&good, "LicenceCredential", "LicenseCredential"),
            "credential_malformed",
        ),
        case(
            "claim-that-the-profile-does-not-know",
            edited(
                &good,
                "\"type\":\"Licence\"",
                "\"type\":\"Licence\",\"zone\":\"1\"",
            ),
            "credential_malformed",
        ),
        case(
            "other-cryptosuite",
            resigned(
                &good,
                &paper.key,
                replace("cryptosuite", "eddsa-rdfc-2022".to_owned()),
            ),
            "credential_malformed",
        ),
        case(
            "other-purpose",
            resigned(
                &good,
                &paper.key,
                replace("proofPurpose", "authentication".to_owned()),
            ),
            "credential_malformed",
        ),
        case(
            "proof-by-another-key",
            resigned(
                &good,
                "unit 2 key 1",
                replace("verificationMethod", thief.verification_method()),
            ),
            "proof_key_not_issuer",
        ),
        case(
            "verification-method-without-a-fragment",
            resigned(
                &good,
                &paper.key,
                replace("verificationMethod", own.did_key()),
            ),
            "proof_key_not_issuer",
        ),
        case(
            "fragment-of-another-key",
            resigned(
                &good,
                &paper.key,
                replace("verificationMethod", format!("{}#{thief}", own.did_key())),
            ),
            "proof_key_not_issuer",
        ),
        case(
            "holder-changed-after-signing",
            edited(&good, "常州示例餐饮有限公司", "常州示例饮食有限公司"),
            "proof_signature",
        ),
        case(
            "validity-changed-after-signing",
            edited(&good, "2031-11-30T16", "2036-11-30T16"),
            "proof_signature",
        ),
        case(
            "proof-time-changed-after-signing",
            edited(
                &good,
                "\"created\":\"2026-11-30T16",
                "\"created\":\"2026-11-30T17",
            ),
            "proof_signature",
        ),
        case(
            "signed-by-another-key",
            resigned(&good, "unit 2 key 1", |_| {}),
            "proof_signature",
        ),
    ];
    let value = good
        .value()
        .member("proof")
        .and_then(|proof| proof.member("proofValue"));
    let Some(Value::Text(value)) = value else {
        panic!("a proof value")
    };
    cases.push(case(
        "scalar-not-reduced",
        edited(&good, value, &malleable(value)),
        "proof_signature",
    ));
    cases
}

/// The same signature with s + L for s: it fulfils the equation and is refused by strict readers.
fn malleable(value: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = zhao_spec::wire::binary::decode_multibase(value).unwrap();
    let mut carry = 0_u16;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    zhao_spec::wire::binary::encode_multibase(&bytes)
}
