//! Vectors of subjects, leaves, events and records: made here from fixed seeds, kept in
//! `spec/vectors/`, and read by every implementation. `regenerate` writes them; the other tests
//! fail when the files and the code disagree.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::data::{
    Action, Administrators, InspectionResult, InspectionRule, Issued, KeyGrant, LogKey, Note,
    Openness, Predecessor, PublishType, Relation, TypeRef,
};
use super::event::Event;
use super::leaf::{Epoch, Genesis, Leaf};
use super::record::{
    EnterpriseRecord, Inspection, IssuerKey, IssuerRecord, KeyTypes, LicenceRecord, Proposal,
    Reaffirmed, Record, RegistryRecord, State, Suspension, TypeRecord, TypeState, UnitState,
};
use super::subject::{Kind, subject_key};
use super::verb::Verb;
use crate::log::HeadKey;
use crate::log::tree::{LeafIndex, TreeSize, leaf_hash};
use crate::wire::hash::{Hash, sha256};
use crate::wire::signature::SecretKey;
use crate::wire::time::UnixMillis;

const ORIGIN: &str = "zhao.example/changzhou";
const UNIT: &str = "11320400DEM0001293";
const TYPE: &str = "11100000MB0143028R001";
const TIME: UnixMillis = UnixMillis(1_795_326_600_000);

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

fn administrators() -> Administrators {
    let mut keys = vec![secret(1).public(), secret(2).public(), secret(3).public()];
    keys.sort_by_key(|key| key.to_multibase());
    Administrators { keys, threshold: 2 }
}

fn genesis() -> Genesis {
    Genesis {
        administrators: administrators(),
        created: TIME,
        key_delay: 604_800_000,
        origin: ORIGIN.to_owned(),
    }
}

fn h(text: &str) -> Hash {
    sha256(&[text.as_bytes()])
}

fn event(action: Action, seq: u64, signer: Option<u8>) -> Event {
    let mut event = Event {
        action,
        effective: TIME,
        origin: ORIGIN.to_owned(),
        prev: (seq > 0).then(|| h("previous leaf")),
        seq,
        signatures: Vec::new(),
        signer: signer.map(|_| subject_key(ORIGIN, Kind::Issuer, UNIT)),
        subject: h("a subject"),
    };
    match signer {
        Some(n) => event.sign(&secret(n)),
        None => [1, 2].into_iter().for_each(|n| event.sign(&secret(n))),
    }
    event
}

fn note() -> Note {
    Note {
        basis: Some(h("basis")),
        code: Some("fire-safety".to_owned()),
        reason: Some(h("reason")),
    }
}

fn issued() -> Issued {
    Issued {
        enterprise: Some(subject_key(ORIGIN, Kind::Enterprise, "91320402DEM0010172")),
        inspection_due: Some(UnixMillis(TIME.0 + 86_400_000)),
        note: Note::default(),
        predecessor: Some(Predecessor {
            prev: h("old leaf"),
            relation: Relation::Renewed,
            seq: 4,
            subject: h("old subject"),
        }),
        type_ref: TypeRef::Code(TYPE.to_owned()),
        vc: h("credential"),
    }
}

fn publish() -> PublishType {
    PublishType {
        digest: h("catalogue entry"),
        individual_businesses: true,
        indexed: true,
        inspection: InspectionRule::Notice,
        openness: Openness::Open,
        type_code: TYPE.to_owned(),
        verbs: vec![Verb::Cancel, Verb::Issued, Verb::Revoke],
        version: 1,
    }
}

fn events() -> Vec<(&'static str, Event)> {
    let grant = KeyGrant {
        key: secret(9).public(),
        types: vec![TYPE.to_owned()],
    };
    vec![
        (
            "issued, a new version",
            event(Action::Issued(Box::new(issued())), 0, Some(7)),
        ),
        (
            "withhold with reasons",
            event(Action::Plain(Verb::Withhold, note()), 3, Some(7)),
        ),
        (
            "release-mortgage",
            event(
                Action::Release(Verb::ReleaseMortgage, LeafIndex(9), Note::default()),
                3,
                Some(7),
            ),
        ),
        (
            "inspect",
            event(
                Action::Inspect {
                    due: Some(TIME),
                    note: note(),
                    result: InspectionResult::Failed,
                },
                3,
                Some(7),
            ),
        ),
        (
            "transfer",
            event(
                Action::Transfer {
                    controller: h("unit"),
                    note: Note::default(),
                },
                3,
                Some(7),
            ),
        ),
        (
            "add-unit by two administrators",
            event(
                Action::AddUnit {
                    grant: grant.clone(),
                    unit: UNIT.to_owned(),
                },
                0,
                None,
            ),
        ),
        ("propose-key", event(Action::ProposeKey(grant), 1, None)),
        (
            "rotate-key",
            event(
                Action::RotateKey {
                    key: secret(9).public(),
                    retire: Some(secret(7).public()),
                },
                1,
                Some(7),
            ),
        ),
        (
            "compromise-key",
            event(
                Action::CompromiseKey {
                    from: LeafIndex(5),
                    key: secret(7).public(),
                },
                2,
                None,
            ),
        ),
        ("suspend-unit", event(Action::SuspendUnit, 2, None)),
        (
            "publish-type",
            event(Action::PublishType(Box::new(publish())), 0, None),
        ),
        (
            "change-administrators",
            event(Action::ChangeAdministrators(administrators()), 1, None),
        ),
        (
            "rotate-log-key",
            event(
                Action::RotateLogKey(LogKey::new(&secret(11), ORIGIN, TreeSize(12))),
                1,
                None,
            ),
        ),
    ]
}

/// `text` with the first `from` replaced, which must be there.
fn edit(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("canonical JSON is UTF-8")
}

fn event_cases() -> Vec<Json> {
    let mut cases: Vec<Json> = Vec::new();
    for (name, event) in events() {
        let ok = json!({
            "id": event.id().to_base64url(), "leafHash": event.leaf_hash().to_base64url(),
            "statement": text(event.statement()),
        });
        cases.push(json!({"name": name, "input": text(event.bytes()), "expect": {"ok": ok}}));
    }
    let base = text(events()[1].1.bytes());
    let admin = text(events()[5].1.bytes());
    let issued = text(events()[0].1.bytes());
    let publish = text(events()[10].1.bytes());
    let rotation = text(events()[12].1.bytes());
    let proof = LogKey::new(&secret(11), ORIGIN, TreeSize(12)).proof;
    let proof = proof.to_base64url();
    let key = secret(7).public().to_multibase();
    let edits = [
        (
            "unknown verb",
            edit(&base, "\"withhold\"", "\"confiscate\""),
        ),
        (
            "verb of another tense",
            edit(&base, "\"withhold\"", "\"withheld\""),
        ),
        (
            "unknown member",
            edit(&base, "\"verb\"", "\"value\":1,\"verb\""),
        ),
        (
            "unknown member of data",
            edit(&base, "\"code\"", "\"clerk\":\"x\",\"code\""),
        ),
        (
            "empty origin",
            edit(
                &base,
                &format!("\"origin\":\"{ORIGIN}\""),
                "\"origin\":\"\"",
            ),
        ),
        (
            "no origin",
            edit(&base, &format!("\"origin\":\"{ORIGIN}\","), ""),
        ),
        (
            "no signatures",
            edit(
                &edit(&base, "[{\"key\"", "[],\"signaturez\":[{\"key\""),
                "x",
                "x",
            ),
        ),
        ("seq 0 with prev", edit(&base, "\"seq\":3", "\"seq\":0")),
        (
            "seq above 0 without prev",
            edit(&issued, "\"seq\":0", "\"seq\":1"),
        ),
        ("seq as text", edit(&base, "\"seq\":3", "\"seq\":\"3\"")),
        (
            "seq beyond 2^53-1",
            edit(&base, "\"seq\":3", "\"seq\":9007199254740992"),
        ),
        ("time without milliseconds", edit(&base, ".000Z", "Z")),
        (
            "effective on 30 February",
            edit(&base, &TIME.to_string(), "2026-02-30T00:00:00.000Z"),
        ),
        (
            "upper-case reason code",
            edit(&base, "fire-safety", "Fire-safety"),
        ),
        (
            "reason code of 33 characters",
            edit(&base, "fire-safety", &"a".repeat(33)),
        ),
        ("empty reason code", edit(&base, "fire-safety", "")),
        ("key in hexadecimal", edit(&base, &key, &"ab".repeat(32))),
        ("signatures not ascending", swap_signatures(&admin)),
        (
            "unit code of 17 characters",
            edit(&admin, UNIT, &UNIT[..17]),
        ),
        (
            "types not ascending",
            edit(
                &admin,
                &format!("[\"{TYPE}\"]"),
                &format!("[\"{TYPE}\",\"{TYPE}\"]"),
            ),
        ),
        (
            "type code in lower case",
            edit(&admin, TYPE, &TYPE.to_lowercase()),
        ),
        (
            "type code and commitment",
            edit(
                &issued,
                "\"typeCode\"",
                "\"typeCommitment\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"typeCodf\"",
            ),
        ),
        ("unknown relation", edit(&issued, "renewed", "replaced")),
        (
            "digest of another length",
            edit(&issued, &h("credential").to_base64url(), "AAAA"),
        ),
        (
            "publish-type without issued",
            edit(&publish, "\"issued\",", ""),
        ),
        (
            "publish-type with a unit's verb",
            edit(&publish, "\"revoke\"", "\"rotate-key\""),
        ),
        (
            "publish-type with unknown openness",
            edit(&publish, "\"open\"", "\"public\""),
        ),
        (
            "rotate-log-key without a proof",
            edit(&rotation, &format!(",\"proof\":\"{proof}\""), ""),
        ),
        (
            "rotate-log-key with a proof cut short",
            edit(&rotation, &proof, &proof[..84]),
        ),
        (
            "rotate-log-key that retires another",
            edit(
                &rotation,
                "\"proof\"",
                &format!("\"old\":\"{key}\",\"proof\""),
            ),
        ),
        ("white space", edit(&base, ",\"seq\"", ", \"seq\"")),
    ];
    for (name, input) in edits {
        let error = Event::parse(input.as_bytes()).expect_err(name);
        cases.push(json!({"name": name, "input": input, "expect": {"error": error.code()}}));
    }
    cases
}

fn swap_signatures(event: &str) -> String {
    let mut value: Json = serde_json::from_str(event).expect("an event");
    value["signatures"]
        .as_array_mut()
        .expect("a list")
        .reverse();
    value.to_string()
}

/// Signatures that decode and do not verify, and some that do.
fn signature_cases() -> Vec<Json> {
    let base = text(events()[1].1.bytes());
    let admin = text(events()[5].1.bytes());
    let inputs = [
        ("as signed", base.clone()),
        ("two administrators", admin.clone()),
        (
            "another effective time",
            edit(&base, &TIME.to_string(), "2026-11-22T06:30:00.000Z"),
        ),
        (
            "another subject",
            edit(
                &base,
                &h("a subject").to_base64url(),
                &h("b").to_base64url(),
            ),
        ),
        ("another origin", edit(&base, "changzhou", "hangzhou2")),
        ("another verb", edit(&base, "\"withhold\"", "\"hold\"")),
        (
            "signer left out",
            edit(
                &base,
                &format!(
                    "\"signer\":\"{}\",",
                    subject_key(ORIGIN, Kind::Issuer, UNIT).to_base64url()
                ),
                "",
            ),
        ),
        (
            "another key's name",
            edit(
                &base,
                &secret(7).public().to_multibase(),
                &secret(8).public().to_multibase(),
            ),
        ),
    ];
    inputs
        .into_iter()
        .map(|(name, input)| {
            let event = Event::parse(input.as_bytes()).expect(name);
            let expect = match event.verify_signatures() {
                Ok(_) => json!({"ok": true}),
                Err(refusal) => json!({"error": refusal.code()}),
            };
            json!({"name": name, "input": input, "expect": expect})
        })
        .collect()
}

fn leaf_cases() -> Vec<Json> {
    let epoch = Epoch {
        epoch: 1,
        index: LeafIndex(4),
        map_root: h("map"),
        previous: Some(LeafIndex(1)),
        subjects: 3,
        time: TIME,
    };
    let first = Epoch {
        epoch: 0,
        index: LeafIndex(1),
        previous: None,
        ..epoch.clone()
    };
    let genesis_text = text(genesis().bytes());
    let epoch_text = text(epoch.bytes());
    let event_text = text(events()[1].1.leaf_bytes());
    let mut cases: Vec<Json> = [
        ("genesis", genesis_text.clone()),
        ("first epoch", text(first.bytes())),
        ("epoch", epoch_text.clone()),
        ("event", event_text.clone()),
    ]
    .into_iter()
    .map(|(name, input)| {
        let hash = leaf_hash(input.as_bytes()).to_base64url();
        json!({"name": name, "input": input, "expect": {"ok": {"leafHash": hash}}})
    })
    .collect();
    let edits = [
        (
            "another tag",
            edit(&epoch_text, "\"epoch\",\"map", "\"checkpoint\",\"map"),
        ),
        ("no tag", edit(&epoch_text, "\"leaf\":\"epoch\",", "")),
        (
            "format 2",
            edit(&genesis_text, "\"format\":1", "\"format\":2"),
        ),
        (
            "threshold 0",
            edit(&genesis_text, "\"threshold\":2", "\"threshold\":0"),
        ),
        (
            "threshold above the keys",
            edit(&genesis_text, "\"threshold\":2", "\"threshold\":4"),
        ),
        (
            "delay of 91 days",
            edit(&genesis_text, "604800000", "7862400000"),
        ),
        ("empty origin", edit(&genesis_text, ORIGIN, "")),
        (
            "epoch 1 without previous",
            edit(&epoch_text, "\"previous\":1,", ""),
        ),
        (
            "epoch 0 with previous",
            edit(&epoch_text, "{\"epoch\":1", "{\"epoch\":0"),
        ),
        (
            "previous not earlier",
            edit(&epoch_text, "\"previous\":1", "\"previous\":4"),
        ),
        (
            "member beside an event",
            edit(&event_text, "\"leaf\"", "\"index\":1,\"leaf\""),
        ),
        ("no event", "{\"leaf\":\"event\"}".to_owned()),
        ("newline at the end", format!("{epoch_text}\n")),
        ("array", "[]".to_owned()),
        ("nothing", String::new()),
    ];
    for (name, input) in edits {
        let error = Leaf::parse(input.as_bytes()).expect_err(name);
        cases.push(json!({"name": name, "input": input, "expect": {"error": error.code()}}));
    }
    cases
}

fn licence_record() -> LicenceRecord {
    LicenceRecord {
        controller: h("unit"),
        effective: TIME,
        enterprise: Some(h("enterprise")),
        index: LeafIndex(12),
        inspection: Some(Inspection {
            due: Some(TIME),
            result: Some(InspectionResult::Passed),
        }),
        issued_by: h("key"),
        issued_index: LeafIndex(7),
        issuer: h("unit"),
        latest: h("leaf"),
        latest_by: h("key"),
        mortgages: vec![LeafIndex(8), LeafIndex(9)],
        objections: vec![],
        pledges: vec![LeafIndex(11)],
        predecessor: Some(h("old")),
        reaffirmed: Some(Reaffirmed {
            by: h("new key"),
            index: LeafIndex(12),
        }),
        recorded: TIME,
        seq: 4,
        state: State::Active,
        successor: None,
        suspensions: vec![Suspension::OnHold, Suspension::Withheld],
        type_ref: TypeRef::Code(TYPE.to_owned()),
        vc: h("credential"),
    }
}

fn record_cases() -> Vec<Json> {
    let issuer = Record::Issuer(IssuerRecord {
        index: LeafIndex(9),
        keys: vec![IssuerKey {
            compromised_from: Some(LeafIndex(6)),
            from: LeafIndex(3),
            key: secret(7).public(),
            types: vec![KeyTypes {
                from: LeafIndex(3),
                type_code: TYPE.to_owned(),
            }],
            until: Some(LeafIndex(9)),
        }],
        latest: h("leaf"),
        proposals: vec![Proposal {
            key: secret(9).public(),
            recorded: TIME,
            types: vec![TYPE.to_owned()],
        }],
        seq: 2,
        state: UnitState::Active,
        unit: UNIT.to_owned(),
    });
    let licence_type = Record::LicenceType(TypeRecord {
        digest: h("entry"),
        index: LeafIndex(2),
        individual_businesses: false,
        indexed: true,
        indexed_since: Some(LeafIndex(2)),
        inspection: InspectionRule::Suspends,
        latest: h("leaf"),
        open_since: Some(LeafIndex(1)),
        openness: Openness::Open,
        seq: 0,
        state: TypeState::Published,
        type_code: TYPE.to_owned(),
        verbs: vec![Verb::Cancel, Verb::Issued],
        version: 1,
    });
    let enterprise = Record::Enterprise(EnterpriseRecord {
        chain: h("chain"),
        count: 2,
        index: LeafIndex(8),
    });
    let registry = Record::Registry(RegistryRecord {
        administrators: administrators(),
        genesis: genesis().hash(),
        index: LeafIndex(0),
        key_delay: 604_800_000,
        latest: genesis().hash(),
        log_keys: Vec::new(),
        seq: 0,
    });
    let rotated = Record::Registry(RegistryRecord {
        administrators: administrators(),
        genesis: genesis().hash(),
        index: LeafIndex(9),
        key_delay: 604_800_000,
        latest: h("rotation"),
        log_keys: [(12, 11), (40, 12)]
            .map(|(from, seed)| HeadKey {
                from: TreeSize(from),
                key: secret(seed).public(),
            })
            .to_vec(),
        seq: 2,
    });
    let committed = Record::Licence(Box::new(LicenceRecord {
        type_ref: TypeRef::Commitment(h("commitment")),
        enterprise: None,
        inspection: None,
        reaffirmed: None,
        suspensions: vec![],
        state: State::Revoked,
        successor: Some(h("new")),
        ..licence_record()
    }));
    let licence = Record::Licence(Box::new(licence_record()));
    let mut cases: Vec<Json> = [
        ("licence", &licence),
        ("revoked licence of a closed type", &committed),
        ("issuer", &issuer),
        ("licence type", &licence_type),
        ("enterprise", &enterprise),
        ("registry", &registry),
        ("registry of a log with its third key", &rotated),
    ]
    .into_iter()
    .map(|(name, record)| {
        let hash = record.hash().to_base64url();
        json!({"name": name, "input": text(record.bytes()), "expect": {"ok": {"hash": hash}}})
    })
    .collect();
    let (licence, issuer) = (text(licence.bytes()), text(issuer.bytes()));
    let licence_type = text(licence_type.bytes());
    let (registry, rotated) = (text(registry.bytes()), text(rotated.bytes()));
    let third = secret(12).public().to_multibase();
    let edits = [
        (
            "unknown kind",
            edit(&licence, "\"kind\":\"licence\"", "\"kind\":\"license\""),
        ),
        ("unknown state", edit(&licence, "\"active\"", "\"expired\"")),
        (
            "suspensions not ascending",
            edit(
                &licence,
                "\"on_hold\",\"withheld\"",
                "\"withheld\",\"on_hold\"",
            ),
        ),
        (
            "suspension twice",
            edit(
                &licence,
                "\"on_hold\",\"withheld\"",
                "\"on_hold\",\"on_hold\"",
            ),
        ),
        (
            "unknown suspension",
            edit(&licence, "\"on_hold\"", "\"lost\""),
        ),
        ("mortgages not ascending", edit(&licence, "[8,9]", "[9,8]")),
        (
            "empty inspection",
            edit(
                &edit(&licence, &format!("\"due\":\"{TIME}\","), ""),
                "\"result\":\"passed\"",
                "",
            ),
        ),
        (
            "no type",
            edit(&licence, &format!(",\"typeCode\":\"{TYPE}\""), ""),
        ),
        (
            "null successor",
            edit(
                &licence,
                ",\"suspensions\"",
                ",\"successor\":null,\"suspensions\"",
            ),
        ),
        (
            "digest form nobody knows",
            edit(&licence, "\"vc\"", "\"jwt\""),
        ),
        (
            "negative index",
            edit(&licence, "\"index\":12", "\"index\":-12"),
        ),
        (
            "open without since",
            edit(&licence_type, "\"openSince\":1,", ""),
        ),
        (
            "indexed since, and not indexed",
            edit(&licence_type, "\"indexed\":true", "\"indexed\":false"),
        ),
        ("key named twice", twice(&issuer)),
        (
            "a list of no log keys",
            edit(&registry, ",\"seq\"", ",\"logKeys\":[],\"seq\""),
        ),
        (
            "log key named twice",
            edit(&rotated, &third, &secret(11).public().to_multibase()),
        ),
        (
            "log key from a negative size",
            edit(&rotated, "\"from\":12", "\"from\":-12"),
        ),
        (
            "log key with an end",
            edit(&rotated, "\"from\":12,", "\"from\":12,\"until\":40,"),
        ),
        (
            "unit in lower case",
            edit(&issuer, UNIT, &UNIT.to_lowercase()),
        ),
        (
            "unit state nobody knows",
            edit(&issuer, "\"active\"", "\"retired\""),
        ),
    ];
    for (name, input) in edits {
        let error = Record::parse(input.as_bytes()).expect_err(name);
        cases.push(json!({"name": name, "input": input, "expect": {"error": error.code()}}));
    }
    cases
}

fn twice(issuer: &str) -> String {
    let mut value: Json = serde_json::from_str(issuer).expect("a record");
    let keys = value["keys"].as_array_mut().expect("a list");
    keys.push(keys[0].clone());
    value.to_string()
}

fn subject_cases() -> Vec<Json> {
    let cases = [
        (
            Kind::Licence,
            "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
        ),
        (Kind::Issuer, UNIT),
        (Kind::LicenceType, TYPE),
        (Kind::Enterprise, "91320402DEM0010172"),
        (Kind::Enterprise, UNIT),
        (Kind::Registry, ORIGIN),
    ];
    let key = |origin: &str, kind, id: &str| subject_key(origin, kind, id).to_base64url();
    let mut cases: Vec<Json> = cases
        .into_iter()
        .map(|(kind, id)| {
            let word = kind.as_str();
            json!({
                "name": format!("{word} {id}"), "origin": ORIGIN, "kind": word, "id": id,
                "expect": {"ok": key(ORIGIN, kind, id)},
            })
        })
        .collect();
    let other = "zhao.example/other";
    cases.push(json!({
        "name": "the same id in another log", "origin": other, "kind": "issuer", "id": UNIT,
        "expect": {"ok": key(other, Kind::Issuer, UNIT)},
    }));
    cases
}

fn file(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(folder)
        .join(name)
}

fn all() -> Vec<(PathBuf, &'static str, Vec<Json>)> {
    vec![
        (
            file("subject", "subject.json"),
            "subject keys, base64url",
            subject_cases(),
        ),
        (
            file("leaf", "leaf.json"),
            "raw leaves; secret keys are seeds of 32 bytes n",
            leaf_cases(),
        ),
        (
            file("event", "event.json"),
            "events; secret keys are seeds of 32 bytes n",
            event_cases(),
        ),
        (
            file("event", "signature.json"),
            "events that decode: do their signatures verify?",
            signature_cases(),
        ),
        (
            file("record", "record.json"),
            "status records; hash is SHA-256 of the bytes",
            record_cases(),
        ),
    ]
}

fn render(description: &str, cases: &[Json]) -> String {
    let lines: Vec<String> = cases.iter().map(|case| format!("    {case}")).collect();
    format!(
        "{{\n  \"description\": {},\n  \"source\": \"ours\",\n  \"cases\": [\n{}\n  ]\n}}\n",
        Json::from(description),
        lines.join(",\n")
    )
}

#[test]
#[ignore = "writes spec/vectors/{subject,leaf,event,record}"]
fn regenerate() {
    for (path, description, cases) in all() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, render(description, &cases)).expect("written");
    }
}

#[test]
fn the_vectors_are_what_this_code_says() {
    for (path, description, cases) in all() {
        let kept = std::fs::read_to_string(&path).expect("the vector file is there");
        assert_eq!(kept, render(description, &cases), "{}", path.display());
        let refused = cases
            .iter()
            .filter(|case| case["expect"]["error"].is_string())
            .count();
        let folder = path.parent().and_then(|p| p.file_name());
        if folder.is_some_and(|f| f != "subject") && path.ends_with("event.json") {
            assert!(
                refused > cases.len() - refused,
                "refusals outnumber acceptances"
            );
        }
    }
}

#[test]
fn accepted_vectors_read_back_to_the_same_bytes() {
    for (path, _, cases) in all() {
        for case in cases.iter().filter(|case| case["expect"]["ok"].is_object()) {
            let input = case["input"].as_str().expect("text").as_bytes();
            let folder = path
                .parent()
                .and_then(|p| p.file_name())
                .and_then(|f| f.to_str());
            let back = match folder {
                Some("leaf") => Leaf::parse(input).expect("a leaf").bytes(),
                Some("event") => Event::parse(input).expect("an event").bytes(),
                _ => Record::parse(input).expect("a record").bytes(),
            };
            assert_eq!(back, input, "{}", case["name"]);
        }
    }
}

/// `apply` measures issuers' records only: the fullest licence is far below the limit.
#[test]
fn the_fullest_licence_record_is_far_below_the_limit() {
    let list: Vec<LeafIndex> = (0..64)
        .map(|n| LeafIndex(9_007_199_254_740_000 + n))
        .collect();
    let record = Record::Licence(Box::new(LicenceRecord {
        mortgages: list.clone(),
        objections: list.clone(),
        pledges: list,
        suspensions: Suspension::ALL.to_vec(),
        successor: Some(h("new")),
        ..licence_record()
    }));
    assert!(record.bytes().len() < crate::wire::limits::RECORD_BYTES / 8);
}
