//! Vectors of proposals, made here from fixed seeds and kept in `spec/vectors/proposal/`.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::*;
use crate::life::data::{InspectionRule, KeyGrant, Note, Openness, PublishType};
use crate::wire::{SecretKey, sha256};

const ORIGIN: &str = "zhao.example/changzhou";
const UNIT: &str = "11320400DEM0001293";
const TYPE: &str = "11100000MB0143028R001";
const TIME: UnixMillis = UnixMillis(1_795_326_600_000);

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

fn administrators(numbers: &[u8], threshold: u64) -> Administrators {
    let mut keys: Vec<_> = numbers.iter().map(|n| secret(*n).public()).collect();
    keys.sort_by_key(PublicKey::to_multibase);
    Administrators { keys, threshold }
}

fn proposal(action: Action, kind: Kind, id: &str, seq: u64) -> Proposal {
    let event = Event {
        action,
        effective: TIME,
        origin: ORIGIN.to_owned(),
        prev: (seq > 0).then(|| sha256(&[b"previous leaf"])),
        seq,
        signatures: Vec::new(),
        signer: None,
        subject: subject_key(ORIGIN, kind, id),
    };
    Proposal {
        administrators: administrators(&[1, 2, 3], 2),
        event,
        genesis: sha256(&[b"genesis"]),
        id: id.to_owned(),
        proposed: UnixMillis(TIME.0 - 60_000),
    }
}

fn grant() -> KeyGrant {
    KeyGrant {
        key: secret(9).public(),
        types: vec![TYPE.to_owned()],
    }
}

fn signed(mut proposal: Proposal, by: &[u8]) -> Proposal {
    by.iter().for_each(|n| proposal.event.sign(&secret(*n)));
    proposal
}

fn add_unit() -> Proposal {
    let action = Action::AddUnit {
        grant: grant(),
        unit: UNIT.to_owned(),
    };
    proposal(action, Kind::Issuer, UNIT, 0)
}

fn change() -> Proposal {
    let action = Action::ChangeAdministrators(administrators(&[1, 2, 4], 3));
    proposal(action, Kind::Registry, ORIGIN, 5)
}

fn publish() -> Proposal {
    let action = Action::PublishType(Box::new(PublishType {
        digest: sha256(&[b"entry"]),
        individual_businesses: false,
        indexed: false,
        inspection: InspectionRule::None,
        openness: Openness::Closed,
        type_code: TYPE.to_owned(),
        verbs: vec![Verb::Cancel, Verb::Issued],
        version: 1,
    }));
    proposal(action, Kind::LicenceType, TYPE, 0)
}

fn on_unit(action: Action) -> Proposal {
    proposal(action, Kind::Issuer, UNIT, 3)
}

fn accepted() -> Vec<(&'static str, Proposal)> {
    let key = secret(9).public();
    let from = crate::log::tree::LeafIndex(7);
    let mut later = change();
    later.proposed = UnixMillis(TIME.0 - limits::PROPOSAL_AHEAD_MILLIS);
    vec![
        ("a unit to be made, nobody has signed", add_unit()),
        ("signed by one", signed(add_unit(), &[2])),
        ("signed by all", signed(add_unit(), &[1, 2, 3])),
        ("signed by a stranger: to be judged, not malformed", {
            signed(add_unit(), &[8])
        }),
        ("administrators to be changed", signed(change(), &[1])),
        ("made 30 days before it takes effect", later),
        ("a type to be published", publish()),
        (
            "a type to be retired",
            proposal(Action::RetireType, Kind::LicenceType, TYPE, 1),
        ),
        (
            "a key to be announced",
            on_unit(Action::ProposeKey(grant())),
        ),
        ("a key to be put in force", on_unit(Action::ConfirmKey(key))),
        ("types to be granted", on_unit(Action::GrantTypes(grant()))),
        (
            "a key in other hands",
            on_unit(Action::CompromiseKey { from, key }),
        ),
        ("a unit to be suspended", on_unit(Action::SuspendUnit)),
    ]
}

fn refused() -> Vec<(&'static str, String)> {
    let text = |proposal: &Proposal| String::from_utf8(proposal.bytes()).unwrap();
    let whole = text(&signed(add_unit(), &[1, 2]));
    let edit = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replacen(from, to, 1)
    };
    let with = |change: &dyn Fn(&mut Proposal)| {
        let mut proposal = signed(add_unit(), &[1]);
        change(&mut proposal);
        text(&proposal)
    };
    let signatures = {
        let at = whole.find(",\"signatures\":").unwrap();
        whole[at..whole.len() - 1].to_owned()
    };
    let first = signed(add_unit(), &[1]).event.signatures.remove(0);
    let twice = with(&|p| p.event.signatures = vec![first.clone(), first.clone()]);
    let withhold = Action::Plain(Verb::Withhold, Note::default());
    let rotate = Action::RotateKey {
        key: secret(9).public(),
        retire: None,
    };
    let unit_key = subject_key(ORIGIN, Kind::Issuer, UNIT);
    let long = format!("{whole}{}", " ".repeat(limits::PROPOSAL_BYTES));
    vec![
        ("empty", String::new()),
        ("cut short", whole[..whole.len() - 2].to_owned()),
        ("cut in the middle", whole[..whole.len() / 2].to_owned()),
        ("two files in one", format!("{whole}\n{whole}")),
        ("over the limit", long),
        ("not canonical: a space", edit(",\"event\"", ", \"event\"")),
        ("another format", edit("v1 proposal", "v2 proposal")),
        ("a receipt's format", edit("v1 proposal", "v1 receipt")),
        (
            "an unknown member",
            edit("\"id\":", "\"hint\":\"suspend\",\"id\":"),
        ),
        (
            "words beside the statement",
            edit("\"proposed\":", "\"name\":\"x\",\"proposed\":"),
        ),
        ("no genesis", edit("\"genesis\"", "\"genesiz\"")),
        ("no signatures", whole.replacen(&signatures, "", 1)),
        ("one administrator twice", twice),
        (
            "signatures inside the statement",
            edit(
                "\"seq\":0,\"subject\"",
                "\"seq\":0,\"signatures\":[],\"subject\"",
            ),
        ),
        ("a verb that is none", edit("\"add-unit\"", "\"add-units\"")),
        (
            "a verb of a licence",
            text(&proposal(withhold, Kind::Licence, "urn:uuid:1", 1)),
        ),
        ("a verb of the unit itself", text(&on_unit(rotate))),
        (
            "signed for a unit",
            with(&|p| p.event.signer = Some(unit_key)),
        ),
        (
            "another unit's code",
            with(&|p| p.id = "11320400DEM0001306".into()),
        ),
        (
            "a code in lower case",
            with(&|p| p.id = UNIT.to_lowercase()),
        ),
        ("an empty id", with(&|p| p.id = String::new())),
        (
            "the code of another log's unit",
            with(&|p| p.event.subject = subject_key("zhao.example/other", Kind::Issuer, UNIT)),
        ),
        (
            "the key of another kind",
            with(&|p| p.event.subject = subject_key(ORIGIN, Kind::LicenceType, UNIT)),
        ),
        (
            "a unit under another unit's key",
            with(&|p| {
                p.id = "11320400DEM0001306".into();
                p.event.subject = subject_key(ORIGIN, Kind::Issuer, &p.id);
            }),
        ),
        ("another log's name as registry", {
            let mut other = change();
            other.id = "zhao.example/other".into();
            other.event.subject = subject_key(ORIGIN, Kind::Registry, &other.id);
            text(&other)
        }),
        (
            "made after it takes effect",
            with(&|p| p.proposed = UnixMillis(TIME.0 + 1)),
        ),
        (
            "made more than 30 days before",
            with(&|p| p.proposed = UnixMillis(TIME.0 - limits::PROPOSAL_AHEAD_MILLIS - 1)),
        ),
        (
            "a threshold of none",
            edit("\"threshold\":2", "\"threshold\":0"),
        ),
        (
            "a threshold above all",
            edit("\"threshold\":2", "\"threshold\":4"),
        ),
        (
            "administrators out of order",
            with(&|p| p.administrators.keys.reverse()),
        ),
        ("a first event with a predecessor", {
            let prev = sha256(&[b"x"]).to_base64url();
            edit("\"seq\":0", &format!("\"prev\":\"{prev}\",\"seq\":0"))
        }),
    ]
}

fn cases() -> Vec<Json> {
    let mut cases: Vec<Json> = Vec::new();
    for (name, proposal) in accepted() {
        let input = String::from_utf8(proposal.bytes()).unwrap();
        let ok = json!({
            "eventId": proposal.event.id().to_base64url(),
            "expires": proposal.expires().to_string(),
            "statement": String::from_utf8(proposal.event.statement()).unwrap(),
            "kind": proposal.kind().as_str(),
        });
        cases.push(json!({"name": name, "input": input, "expect": {"ok": ok}}));
    }
    for (name, input) in refused() {
        let error = Proposal::parse(input.as_bytes()).expect_err(name).code();
        cases.push(json!({"name": name, "input": input, "expect": {"error": error}}));
    }
    cases
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/proposal/proposal.json")
}

fn render() -> String {
    let lines: Vec<String> = cases().iter().map(|case| format!("    {case}")).collect();
    format!(
        "{{\n  \"description\": \"proposals; secret keys are seeds of 32 bytes n\",\n  \
         \"source\": \"ours\",\n  \"cases\": [\n{}\n  ]\n}}\n",
        lines.join(",\n")
    )
}

#[test]
#[ignore = "writes spec/vectors/proposal"]
fn regenerate() {
    std::fs::create_dir_all(path().parent().unwrap()).unwrap();
    std::fs::write(path(), render()).unwrap();
}

#[test]
fn the_vectors_are_what_this_code_says() {
    assert_eq!(std::fs::read_to_string(path()).unwrap(), render());
    assert!(refused().len() > 2 * accepted().len());
}

#[test]
fn what_is_read_is_written_again() {
    for (name, proposal) in accepted() {
        let bytes = proposal.bytes();
        assert_eq!(Proposal::parse(&bytes).as_ref(), Ok(&proposal), "{name}");
        let line = [&bytes[..], b"\n"].concat();
        assert_eq!(Proposal::parse(&line), Ok(proposal), "{name}");
        assert!(bytes.len() < limits::PROPOSAL_BYTES / 8, "{name}");
    }
}

#[test]
fn no_byte_can_be_cut_off() {
    let bytes = signed(add_unit(), &[1, 2]).bytes();
    for length in 0..bytes.len() {
        Proposal::parse(&bytes[..length]).unwrap_err();
    }
}

#[test]
fn refusals_name_their_place() {
    let place = |name: &str| {
        let (_, input) = refused().into_iter().find(|(n, _)| *n == name).unwrap();
        Proposal::parse(input.as_bytes()).unwrap_err().path
    };
    for (name, path) in [
        ("another format", "format"),
        ("signatures inside the statement", "event.signatures"),
        ("one administrator twice", "signatures"),
        ("a verb of the unit itself", "event"),
        ("signed for a unit", "event"),
        ("another unit's code", "id"),
        ("made after it takes effect", "proposed"),
        ("a threshold of none", "administrators.threshold"),
        ("words beside the statement", "name"),
    ] {
        assert_eq!(place(name), path, "{name}");
    }
}
