//! What is unknown is never passed, and each fragment answers for itself.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use zhao_spec::wire::SecretKey;
use zhao_spec::wire::foreign::{canonicalize, parse_foreign};

use super::*;
use crate::did::DidKey;
use crate::proof::Options;
use crate::schema::Schema;
use crate::status::{ENTRIES, ListParts, Order, StatusList, build};
use crate::time::date_time_stamp;

const NOON: &str = "2026-03-02T12:00:00Z";
const LIST: &str = "https://office.example/status/revocation/1";
const SCHEMA: &str = "https://office.example/schema/1";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn foreign(value: &Value) -> Foreign {
    parse_foreign(value.to_string().as_bytes()).unwrap()
}

fn at(text: &str) -> UnixMillis {
    date_time_stamp(text).unwrap()
}

fn signed(document: &Foreign, seed: u8) -> Foreign {
    let method = key(seed).public().verification_method();
    let options = Options {
        verification_method: &method,
        purpose: "assertionMethod",
        created: Some(NOON),
        ..Options::default()
    };
    proof::add(document, &options, &key(seed), &Contexts::standard()).unwrap()
}

fn unsigned() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
        "type": ["VerifiableCredential"],
        "issuer": key(1).public().did_key(),
        "validFrom": "2026-03-01T00:00:00Z",
        "validUntil": "2031-03-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:s", "name": "甲"},
    })
}

fn with_status(purpose: &str, index: &str) -> Value {
    let mut document = unsigned();
    document["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry", "statusPurpose": purpose,
        "statusListIndex": index, "statusListCredential": LIST,
    });
    document
}

/// A list of one purpose with one bit set, signed by a key.
fn list(purpose: &str, set: u64, issuer: u8, signer: u8) -> Foreign {
    let mut bits = StatusList::new(ENTRIES, 1, Order::HighFirst).unwrap();
    bits.add(set, 1).unwrap();
    let parts = ListParts {
        id: LIST,
        issuer: &key(issuer).public().did_key(),
        purposes: &[purpose],
        valid_from: at("2026-03-01T00:00:00Z"),
        valid_until: Some(at("2026-04-01T00:00:00Z")),
        ttl: None,
        messages: &[],
        derived_from: None,
    };
    signed(&build(&bits, &parts).unwrap(), signer)
}

/// What a reader has at hand.
#[derive(Default)]
struct Desk {
    lists: BTreeMap<String, Foreign>,
    schemas: BTreeMap<String, Schema>,
    strangers: bool,
}

impl Desk {
    fn with_list(list: Foreign) -> Self {
        Self {
            lists: BTreeMap::from([(LIST.to_owned(), list)]),
            ..Self::default()
        }
    }

    fn judge(&self, document: &Foreign, time: &str) -> Report {
        let issuer = key(1).public().did_key();
        let known = Known {
            contexts: &Contexts::standard(),
            methods: &DidKey,
            schemas: &self.schemas,
            lists: &self.lists,
            issuers: if self.strangers { &[] } else { &[&issuer] },
            suites: Suite::ALL,
        };
        credential(document, &known, at(time))
    }
}

/// Outcome and codes of every fragment, in order.
fn told(report: &Report) -> Vec<String> {
    let fragments = report.fragments().iter();
    fragments
        .map(|fragment| {
            let codes = report.codes(fragment.name).join(",");
            format!(
                "{} {} {codes}",
                fragment.name.as_str(),
                fragment.outcome.as_str()
            )
        })
        .collect()
}

/// All fragments pass but those named, which say this.
#[track_caller]
fn only(report: &Report, others: &[&str]) {
    let mut expected = vec![
        "integrity pass ".to_owned(),
        "authority pass ".to_owned(),
        "validity pass ".to_owned(),
        "standing pass status-none".to_owned(),
        "schema pass ".to_owned(),
    ];
    for other in others {
        let name = other.split(' ').next().unwrap();
        let place = expected.iter_mut().find(|row| row.starts_with(name));
        *place.unwrap() = (*other).to_owned();
    }
    assert_eq!(told(report), expected);
}

#[test]
fn what_is_all_right_passes_and_says_that_it_has_no_status() {
    let report = Desk::default().judge(&signed(&foreign(&unsigned()), 1), NOON);
    only(&report, &[]);
    assert_eq!(report.outcome(), Outcome::Pass);
}

#[test]
fn a_changed_claim_fails_integrity_and_leaves_authority_open() {
    let mut forged: Value =
        serde_json::from_slice(&canonicalize(&signed(&foreign(&unsigned()), 1))).unwrap();
    forged["credentialSubject"]["name"] = json!("乙");
    let report = Desk::default().judge(&foreign(&forged), NOON);
    only(
        &report,
        &[
            "integrity fail signature-mismatch",
            "authority undetermined not-checked",
        ],
    );
    assert_eq!(report.outcome(), Outcome::Fail);
    let report = Desk::default().judge(&foreign(&unsigned()), NOON);
    only(
        &report,
        &[
            "integrity fail proof-missing",
            "authority undetermined not-checked",
        ],
    );
}

#[test]
fn a_signature_of_somebody_else_is_not_the_issuers() {
    let report = Desk::default().judge(&signed(&foreign(&unsigned()), 2), NOON);
    only(&report, &["authority fail issuer-key"]);
    // A second signature beside the issuer's takes nothing away.
    let both = signed(&signed(&foreign(&unsigned()), 2), 1);
    only(&Desk::default().judge(&both, NOON), &[]);
}

#[test]
fn an_issuer_nobody_named_is_unknown() {
    let desk = Desk {
        strangers: true,
        ..Desk::default()
    };
    let report = desk.judge(&signed(&foreign(&unsigned()), 1), NOON);
    only(&report, &["authority undetermined issuer-unknown"]);
    assert_eq!(report.outcome(), Outcome::Undetermined);
}

#[test]
fn validity_begins_and_ends() {
    let document = signed(&foreign(&unsigned()), 1);
    let desk = Desk::default();
    for (time, row) in [
        ("2026-02-28T23:59:59Z", "validity fail not-yet-valid"),
        ("2026-03-01T00:00:00Z", "validity pass "),
        ("2031-03-01T00:00:01Z", "validity fail expired"),
    ] {
        only(&desk.judge(&document, time), &[row]);
    }
}

#[test]
fn what_is_no_credential_is_not_looked_at() {
    let mut broken = unsigned();
    broken["issuer"] = json!(["a", "b"]);
    let report = Desk::default().judge(&signed(&foreign(&broken), 1), NOON);
    let rows = told(&report);
    assert_eq!(rows[0], "integrity pass ");
    for row in &rows[1..4] {
        assert!(row.ends_with("undetermined not-checked"), "{row}");
    }
    assert!(rows[4].starts_with("schema fail "), "{}", rows[4]);
    assert_eq!(report.outcome(), Outcome::Fail);
}

#[test]
fn a_term_that_no_context_defines_fails_whatever_the_suite() {
    let mut document = unsigned();
    document["credentialSubject"]["undefined"] = json!(1);
    let report = Desk::default().judge(&signed(&foreign(&document), 1), NOON);
    only(&report, &["schema fail rdf-undefined"]);
}

#[test]
fn a_schema_is_kept_broken_or_missing() {
    let mut document = unsigned();
    document["credentialSchema"] = json!({"id": SCHEMA, "type": "JsonSchema"});
    let document = signed(&foreign(&document), 1);
    let schema = |name: &str| {
        let text = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"credentialSubject": {"properties": {"name": {"const": name}}}},
        });
        let schema = Schema::parse(text.to_string().as_bytes()).unwrap();
        Desk {
            schemas: BTreeMap::from([(SCHEMA.to_owned(), schema)]),
            ..Desk::default()
        }
    };
    only(&schema("甲").judge(&document, NOON), &[]);
    let broken = schema("乙").judge(&document, NOON);
    assert_eq!(broken.outcome(), Outcome::Fail);
    assert!(!broken.codes(FragmentName::Schema).is_empty());
    let missing = Desk::default().judge(&document, NOON);
    assert_eq!(missing.outcome(), Outcome::Undetermined);
    assert!(told(&missing)[4].starts_with("schema undetermined "));
}

#[test]
fn a_list_says_what_is_the_matter() {
    let document = signed(&foreign(&with_status("revocation", "7")), 1);
    let desk = |set| Desk::with_list(list("revocation", set, 1, 1));
    only(&desk(8).judge(&document, NOON), &["standing pass "]);
    only(
        &desk(7).judge(&document, NOON),
        &["standing fail status-set"],
    );
    // Another purpose is told and forbids nothing.
    let document = signed(&foreign(&with_status("refresh", "7")), 1);
    let desk = Desk::with_list(list("refresh", 7, 1, 1));
    only(&desk.judge(&document, NOON), &["standing pass status-said"]);
}

#[test]
fn a_list_that_cannot_be_believed_decides_nothing() {
    let document = signed(&foreign(&with_status("revocation", "7")), 1);
    let mut forged: Value =
        serde_json::from_slice(&canonicalize(&list("revocation", 8, 1, 1))).unwrap();
    forged["credentialSubject"]["statusPurpose"] = json!(["revocation", "suspension"]);
    for (desk, code) in [
        (Desk::default(), "status-list-missing"),
        (Desk::with_list(list("revocation", 8, 1, 2)), "issuer-key"),
        (
            Desk::with_list(list("revocation", 8, 2, 2)),
            "status-issuer",
        ),
        (
            Desk::with_list(list("suspension", 8, 1, 1)),
            "status-purpose",
        ),
        (Desk::with_list(foreign(&forged)), "signature-mismatch"),
    ] {
        let row = format!("standing undetermined {code}");
        only(&desk.judge(&document, NOON), &[&row]);
    }
    // The list outlived its own validity; the credential has not.
    let desk = Desk::with_list(list("revocation", 8, 1, 1));
    let late = desk.judge(&document, "2026-04-01T00:00:01Z");
    assert_eq!(late.outcome(), Outcome::Undetermined);
    let out = signed(&foreign(&with_status("revocation", "131072")), 1);
    assert_eq!(desk.judge(&out, NOON).outcome(), Outcome::Undetermined);
}

#[test]
fn one_bad_entry_is_not_outvoted_by_a_good_one() {
    let mut document = with_status("revocation", "7");
    let entry = document["credentialStatus"].clone();
    let other = json!({"type": "x:Other"});
    document["credentialStatus"] = json!([entry, other]);
    let desk = Desk::with_list(list("revocation", 8, 1, 1));
    let report = desk.judge(&signed(&foreign(&document), 1), NOON);
    only(&report, &["standing undetermined status-other"]);
    let set = Desk::with_list(list("revocation", 7, 1, 1));
    let report = set.judge(&signed(&foreign(&document), 1), NOON);
    only(&report, &["standing fail status-set,status-other"]);
}
