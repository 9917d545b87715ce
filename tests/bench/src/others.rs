//! Proofs over credentials of any shape, beside the two libraries that others use for them. Each
//! reads what the others signed, before anything is measured.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use zhao_spec::life::data::TypeRef;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};
use zhao_vc::context::Contexts;
use zhao_vc::did::{DidKey, KnownKeys, Methods};
use zhao_vc::proof::{Expect, Options, Suite, add, verify};
use zhao_vc::status::derive::{ListName, Purpose, derive};
use zhao_vc::status::signed::secure;
use zhao_vc::status::{ListParts, build};
use zhao_vc::time::date_time_stamp;

use crate::figure::Figure;
use crate::peers::digitalbazaar::{self, Rates};
use crate::peers::spruce::Spruce;
use crate::statistics::{median, rate};

const NOON: &str = "2026-03-02T12:00:00Z";
/// The seed that the script of the peer in node has as well.
const SEED: [u8; 32] = [0x22; 32];

/// A credential as a bank would meet one: all members that the data model has for it.
fn document(key: &SecretKey) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
        "type": ["VerifiableCredential"],
        "issuer": key.public().did_key(),
        "name": "食品经营许可证",
        "description": "A licence to trade in food",
        "validFrom": "2026-03-01T00:00:00Z",
        "validUntil": "2031-03-01T00:00:00Z",
        "credentialStatus": {
            "id": "https://office.example/status/1#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://office.example/status/1",
        },
        "credentialSchema": {"id": "https://office.example/schema/1", "type": "JsonSchema"},
        "credentialSubject": {
            "id": "did:example:holder",
            "name": "常州示例食品有限公司",
            "description": "预包装食品销售",
        },
    })
}

struct Ours {
    suite: Suite,
    key: SecretKey,
    bytes: Vec<u8>,
    contexts: Contexts,
}

impl Ours {
    /// From the JSON that a system hands in to the JSON of the credential.
    fn issue(&self) -> Result<Vec<u8>> {
        let document = parse_foreign(&self.bytes)?;
        let method = self.key.public().verification_method();
        let options = Options {
            suite: self.suite,
            verification_method: &method,
            purpose: "assertionMethod",
            created: Some(NOON),
            ..Options::default()
        };
        Ok(canonicalize(&add(
            &document,
            &options,
            &self.key,
            &self.contexts,
        )?))
    }

    /// From the credential's JSON to the answer.
    fn verify(&self, bytes: &[u8], methods: &dyn Methods) -> Result<()> {
        let document = parse_foreign(bytes)?;
        let expect = Expect {
            purpose: "assertionMethod",
            domain: None,
            challenge: None,
            controller: document.member("issuer").and_then(Foreign::as_text),
            at: date_time_stamp(NOON).expect("a time"),
            suites: &[self.suite],
        };
        verify(&document, &expect, methods, &self.contexts)?;
        Ok(())
    }
}

/// Both suites, ours and theirs, on one thread.
pub(crate) fn measure() -> Result<Vec<Figure>> {
    let key = SecretKey::from_seed(SEED);
    let document = document(&key);
    let names: Vec<&str> = Suite::ALL.iter().map(|suite| suite.as_str()).collect();
    let theirs = digitalbazaar::measure(&document, &names)?;
    let mut figures = Vec::new();
    for (at, suite) in Suite::ALL.iter().copied().enumerate() {
        let ours = Ours {
            suite,
            key: SecretKey::from_seed(SEED),
            bytes: document.to_string().into_bytes(),
            contexts: Contexts::standard(),
        };
        let rates = theirs.as_ref().and_then(|all| all.get(at));
        figures.extend(compare(&ours, rates, &document)?);
    }
    figures.push(status_list(&key)?);
    Ok(figures)
}

/// A list of 131,072 entries, half of them taken, a tenth of those revoked: from the log's records
/// to the signed credential.
fn status_list(key: &SecretKey) -> Result<Figure> {
    const UNIT: &str = "11320400DEM0001293";
    let unit = subject_key("log.example", Kind::Issuer, UNIT);
    let record = |state| LicenceRecord {
        controller: unit,
        effective: UnixMillis(1),
        enterprise: None,
        index: LeafIndex(5),
        inspection: None,
        issued_by: Hash([0; 32]),
        issued_index: LeafIndex(5),
        issuer: unit,
        latest: Hash([0; 32]),
        latest_by: Hash([0; 32]),
        mortgages: Vec::new(),
        objections: Vec::new(),
        pledges: Vec::new(),
        predecessor: None,
        reaffirmed: None,
        recorded: UnixMillis(1),
        seq: 0,
        state,
        successor: None,
        suspensions: Vec::new(),
        type_ref: TypeRef::Code("11100000MB0143028R001".to_owned()),
        vc: Hash([0; 32]),
    };
    let (good, revoked) = (record(State::Active), record(State::Revoked));
    let licences: Vec<Hash> = (0..65_536)
        .map(|n| subject_key("log.example", Kind::Licence, &format!("urn:uuid:{n}")))
        .collect();
    let name = ListName::parse(&format!("{UNIT}-0-0"))?;
    let parts = ListParts {
        id: "https://office.example/status/revocation/1",
        issuer: &key.public().did_key(),
        purposes: &["revocation"],
        valid_from: UnixMillis(1),
        valid_until: None,
        ttl: None,
        messages: &[],
        derived_from: None,
    };
    let method = key.public().verification_method();
    let made = || -> Result<()> {
        let records = licences.iter().enumerate().map(|(at, licence)| {
            let record = if at % 10 == 0 { &revoked } else { &good };
            (*licence, record)
        });
        let derived = derive(&name, Purpose::Revocation, records)?;
        let list = derived.list(Purpose::Revocation)?;
        let signed = secure(build(list, &parts)?, &method, UnixMillis(1), key)?;
        black_box(canonicalize(&signed));
        Ok(())
    };
    made()?;
    let times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            made().map(|()| start.elapsed().as_secs_f64() * 1_000.0)
        })
        .collect::<Result<_>>()?;
    Ok(Figure::new(
        "status-list",
        "status list of 131,072 entries, 65,536 licences: derived, compressed, signed",
        "状态列表（131,072 项、65,536 份证照）：推导、压缩、签名",
        median(times),
        "ms",
    )
    .at_most(50.0))
}

fn compare(ours: &Ours, theirs: Option<&Rates>, document: &Value) -> Result<Vec<Figure>> {
    let name = ours.suite.as_str();
    let issued = ours.issue()?;
    let mut known = KnownKeys::default();
    known.meet(&ours.key.public().did_key())?;
    ours.verify(&issued, &DidKey)?;
    if let Some(rates) = theirs {
        ours.verify(rates.issued.to_string().as_bytes(), &DidKey)?;
    }
    let issue = rate(|| {
        black_box(ours.issue().is_ok());
    });
    let verified = rate(|| assert!(ours.verify(black_box(&issued), &known).is_ok()));
    let targets = match ours.suite {
        Suite::EddsaJcs2022 => (15.0, 6.0),
        Suite::EddsaRdfc2022 => (2.0, 2.0),
    };
    let mut figures = Vec::new();
    for (id, english, chinese, value, target, peer) in [
        (
            "issue",
            "issue",
            "签发",
            issue,
            targets.0,
            theirs.map(|rates| rates.issue),
        ),
        (
            "verify",
            "verify",
            "核验",
            verified,
            targets.1,
            theirs.map(|rates| rates.verify),
        ),
    ] {
        let figure = Figure::new(
            &format!("{name}-{id}-db"),
            &format!("{name}, {english} any credential, beside @digitalbazaar"),
            &format!("{chinese}任意凭证（{name}），对比 @digitalbazaar"),
            value,
            "/s",
        );
        figures.push(match peer {
            Some(peer) => figure
                .against("@digitalbazaar/vc in node", peer)
                .at_least(target)
                .note("verifying: of an issuer met before, whose key is prepared"),
            None => figure.note("node or its packages are not here"),
        });
    }
    if ours.suite == Suite::EddsaRdfc2022 {
        figures.extend(beside_ssi(ours, document, &issued, (issue, verified))?);
    }
    Ok(figures)
}

fn beside_ssi(
    ours: &Ours,
    document: &Value,
    issued: &[u8],
    (issue, verified): (f64, f64),
) -> Result<Vec<Figure>> {
    let spruce = Spruce::new(document, &ours.key)?;
    let theirs = spruce.issue()?;
    ensure!(spruce.verify(&theirs), "ssi refuses its own credential");
    ours.verify(serde_json::to_string(&theirs)?.as_bytes(), &DidKey)?;
    let read = spruce.read(std::str::from_utf8(issued)?)?;
    ensure!(spruce.verify(&read), "ssi refuses ours");
    let their_issue = rate(|| {
        black_box(spruce.issue().is_ok());
    });
    let their_verify = rate(|| assert!(spruce.verify(black_box(&theirs))));
    let name = ours.suite.as_str();
    let of = |id: &str, english: &str, chinese: &str, value, peer| {
        Figure::new(
            &format!("{name}-{id}-ssi"),
            &format!("{name}, {english} any credential, beside ssi"),
            &format!("{chinese}任意凭证（{name}），对比 ssi"),
            value,
            "/s",
        )
        .against("ssi", peer)
        .at_least(2.0)
    };
    Ok(vec![
        of("issue", "issue", "签发", issue, their_issue),
        of("verify", "verify", "核验", verified, their_verify),
    ])
}
