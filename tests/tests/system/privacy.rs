//! What the log and its map tell about people: nothing. Three hundred licences of all types live
//! through every verb; then every byte the ledger keeps or publishes is searched for every text of
//! every credential, in clear and under every hash that a reader could compute from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use zhao_ledger::store::Read as _;
use zhao_ledger::store::layout::Family;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::sha256;

use crate::office::{ORIGIN, Office, UNIT};
use crate::program::read;
use crate::scan::{Hit, Needles};

/// Reasons and documents, which enter the log as salted digests.
const REASON: &str = "因持证人示例三无证经营被投诉";
const BASIS: &str = "示例市监罚〔2026〕77号";

/// An office after a long day: credentials by type slug.
fn busy_office() -> (Office, BTreeMap<String, Vec<String>>) {
    let office = Office::new();
    office
        .zhao(&["sample", "--count", "304", "--seed", "7", "-o", "batch.csv"])
        .code(0);
    office
        .zhao(&["issue", "office", "--from", "batch.csv", "-o", "out"])
        .code(0);
    let batch = office.text("batch.csv");
    let slugs = batch
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap_or_default());
    let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (slug, row) in slugs.zip(office.report("out")) {
        by_type
            .entry(slug.to_owned())
            .or_default()
            .push(format!("out/{}", row.file));
    }
    assert_eq!(by_type.len(), 8, "all types: {:?}", by_type.keys());
    let pick = |slug: &str, at: usize| by_type[slug][at].clone();
    let today = office.today();
    let due = today.add_months(18).unwrap().to_string();
    let first = |slug: &str| pick(slug, 0);
    for (credential, verb, more) in [
        (
            first("food-operation"),
            "withhold",
            &["--code", "fire-safety"][..],
        ),
        (first("food-operation"), "lift-withholding", &[]),
        (first("birth-certificate"), "hold", &[]),
        (first("birth-certificate"), "lift-hold", &[]),
        (first("construction-safety-officer"), "report-lost", &[]),
        (first("construction-safety-officer"), "withdraw-loss", &[]),
        (first("real-estate-title"), "mortgage", &[]),
        (first("real-estate-title"), "release-mortgage", &[]),
        (first("business-licence"), "pledge", &[]),
        (first("business-licence"), "release-pledge", &[]),
        (
            first("road-transport-operation"),
            "inspect",
            &["--result", "passed", "--due", &due],
        ),
        (first("approval-document"), "mark-objection", &[]),
        (
            first("approval-document"),
            "clear-objection",
            &["--result", "upheld"],
        ),
        (pick("real-estate-title", 1), "cancel", &[]),
        (pick("food-operation", 1), "revoke", &[]),
        (pick("birth-certificate", 1), "annul", &[]),
        (pick("composite-permit", 1), "abolish", &[]),
    ] {
        let line = [
            "status",
            "office",
            &credential,
            verb,
            "--reason",
            REASON,
            "--basis",
            BASIS,
        ];
        office.zhao(&[&line[..], more].concat()).code(0);
    }
    for (how, slug, changes) in [
        (
            "amend",
            "birth-certificate",
            r#"{"holderName":"示例新名者","birthPlace":"示例新址妇幼医院"}"#,
        ),
        (
            "amend",
            "business-licence",
            r#"{"representative":"示例新任代表"}"#,
        ),
        ("reissue", "real-estate-title", "{}"),
    ] {
        office.write("changes.json", changes);
        let credential = pick(slug, 2);
        let line = [
            how,
            "office",
            &credential,
            "--from",
            "changes.json",
            "-o",
            "out",
        ];
        office
            .zhao(&[&line[..], &["--reason", REASON]].concat())
            .code(0);
    }
    let from = office.size().to_string();
    office.zhao(&["unit", "office", "rotate-key", UNIT]).code(0);
    let units = office
        .zhao(&["unit", "office", "list", "--json"])
        .code(0)
        .stdout;
    let units: Value = serde_json::from_str(&units).unwrap();
    let old = units[0]["keys"][0]["key"].as_str().unwrap().to_owned();
    let line = [
        "unit",
        "office",
        "compromised",
        UNIT,
        "--key",
        &old,
        "--from",
        &from,
    ];
    office.zhao(&line).code(0);
    (office, by_type)
}

/// What the catalogue says of the types.
#[derive(Default)]
struct Types {
    /// Codes of those whose licences may be known to exist.
    open: BTreeSet<String>,
    /// Codes of those whose holders have a public list.
    indexed: BTreeSet<String>,
    /// Kind of each field, by type and name.
    kinds: BTreeMap<(String, String), String>,
}

fn types(office: &Office) -> Types {
    let mut types = Types::default();
    for entry in fs::read_dir(office.path("office/catalogue")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Pictures of the templates, and the versions that were published.
            continue;
        }
        let entry: Value = serde_json::from_slice(&read(&path)).unwrap();
        let code = entry["typeCode"].as_str().unwrap().to_owned();
        if entry["openness"] == "open" {
            types.open.insert(code.clone());
        }
        if entry["indexed"] == true {
            types.indexed.insert(code.clone());
        }
        for field in entry["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap().to_owned();
            let kind = field["kind"].as_str().unwrap().to_owned();
            types.kinds.insert((code.clone(), name), kind);
        }
    }
    assert!(types.indexed.is_subset(&types.open));
    assert!(types.open.len() < 8 && types.indexed.len() > 2);
    types
}

/// What may not be found.
struct People {
    /// Every text of the credentials that is somebody's.
    texts: BTreeSet<String>,
    /// Codes of the holders of indexed types.
    holders: BTreeSet<String>,
    /// Ids of the credentials.
    ids: BTreeSet<String>,
}

fn people(office: &Office, types: &Types) -> People {
    let today = office.now().to_string();
    let today = today.get(..10).unwrap();
    let (mut all, mut holders, mut ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    all.insert(REASON.to_owned());
    all.insert(BASIS.to_owned());
    let mut credentials = 0;
    for entry in fs::read_dir(office.path("out")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        credentials += 1;
        let credential: Value = serde_json::from_slice(&read(&path)).unwrap();
        let subject = &credential["credentialSubject"];
        let text = |name: &str| subject[name].as_str().unwrap().to_owned();
        for name in [
            "holderName",
            "holderCode",
            "licenceNumber",
            "licenceIdentifier",
        ] {
            all.insert(text(name));
        }
        let id = credential["id"].as_str().unwrap().to_owned();
        all.insert(id.trim_start_matches("urn:uuid:").to_owned());
        all.insert(id.clone());
        ids.insert(id);
        if let Some(salt) = credential["credentialStatus"]["typeSalt"].as_str() {
            all.insert(salt.to_owned());
        }
        all.insert(
            credential["proof"]["proofValue"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        let code = text("licenceTypeCode");
        if types.indexed.contains(&code) {
            holders.insert(text("holderCode"));
        }
        for (name, value) in subject["faceData"].as_object().unwrap() {
            // Values from a list of codes say nothing about whom, and stand in the specification.
            let kind = &types.kinds[&(code.clone(), name.clone())];
            match value {
                Value::String(text) if kind != "code" => all.insert(text.clone()),
                Value::Number(number) => all.insert(number.to_string()),
                _ => false,
            };
        }
    }
    assert_eq!(credentials, 307);
    // What is shorter occurs by chance; today's date is in every epoch.
    all.retain(|text| text.len() >= 8 && text != today);
    assert!(all.len() > 2_000, "{}", all.len());
    People {
        texts: all,
        holders,
        ids,
    }
}

/// Everything the ledger keeps or publishes: each entry of its database, each file.
fn everything(office: &Office) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for database in ["office/ledger/db", "office/auditor/db"] {
        let store = Rocks::open(&office.path(database)).unwrap();
        for family in Family::ALL {
            let entries = store.scan(family, &[], &[0xff; 80], usize::MAX).unwrap();
            for (key, value) in entries {
                all.push((format!("{database} {} key", family.name()), key));
                all.push((format!("{database} {} value", family.name()), value));
            }
        }
    }
    let mut open: Vec<_> = ["ledger", "auditor", "witness"]
        .map(|name| office.path("office").join(name))
        .into();
    let mut files: Vec<_> = ["policy.txt", "trust.txt", "issuer-pack.json", "zhao.toml"]
        .map(|name| office.path("office").join(name))
        .into();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for path in files {
        all.push((path.display().to_string(), read(&path)));
    }
    all
}

#[test]
fn log_02_log_map_and_files_name_nobody() {
    let (office, _) = busy_office();
    let types = types(&office);
    let People {
        texts,
        holders,
        ids,
    } = people(&office, &types);
    let stored = everything(&office);
    let leaves = stored
        .iter()
        .filter(|(place, _)| place.ends_with("leaves value"))
        .count();
    assert!(leaves > 600, "two copies of the log: {leaves}");
    let needles = Needles::new(texts.iter().map(String::as_str).collect(), ORIGIN);
    let mut enterprises = BTreeSet::new();
    let mut licences = BTreeSet::new();
    let mut wrong = Vec::new();
    for (place, bytes) in &stored {
        for Hit { text, form } in needles.find(bytes) {
            // The one exception, and what a licence is called in the log: its id is random.
            if form.starts_with("subject enterprise ") && holders.contains(text) {
                enterprises.insert(text.to_owned());
            } else if form.starts_with("subject licence ") && ids.contains(text) {
                licences.insert(text.to_owned());
            } else {
                wrong.push(format!("{text:?} as {form} in {place}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} finds:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // Exactly those: whoever holds an open, indexed licence is found by the code, nobody else is.
    assert_eq!(enterprises, holders);
    assert_eq!(licences, ids);
    assert!(
        holders.len() > 50 && holders.iter().all(|code| code.len() == 18),
        "{holders:?}"
    );

    // The log says the type of open licences only.
    let mut commitments = 0;
    for (_, leaf) in stored
        .iter()
        .filter(|(place, _)| place == "office/ledger/db leaves value")
    {
        let leaf: Value = serde_json::from_slice(leaf).unwrap();
        let event = &leaf["event"];
        if event["verb"] == "issued" {
            match event["data"]["typeCode"].as_str() {
                Some(code) => assert!(types.open.contains(code), "{code} is not an open type"),
                None => commitments += 1,
            }
        }
    }
    assert!(commitments > 100, "{commitments}");
}

#[test]
fn the_search_finds_what_is_planted() {
    let name = "袁示例磊与他人";
    let needles = Needles::new(vec!["another text", name], ORIGIN);
    let leaf = br#"{"event":{"data":{"reason":"@"},"verb":"hold"},"leaf":"event"}"#;
    let plant = |planted: &[u8]| {
        let at = leaf.iter().position(|byte| *byte == b'@').unwrap();
        [&leaf[..at], planted, &leaf[at + 1..]].concat()
    };
    assert_eq!(needles.find(leaf), Vec::new());
    let forms = crate::scan::forms(name, ORIGIN);
    assert!(forms.len() > 400, "{}", forms.len());
    let mut seen = BTreeSet::new();
    for (form, bytes) in &forms {
        let hits = needles.find(&plant(bytes));
        assert!(
            hits.iter().any(|hit| hit.text == name && hit.form == *form),
            "{form} was planted, found {hits:?}"
        );
        seen.insert(form.clone());
    }
    for form in [
        "clear",
        "clear utf-16be",
        "SHA-256 raw",
        "BLAKE3 hex",
        "SHA-256 of \"zhao/v1 reason\" 00 base64url",
        "subject enterprise base64",
    ] {
        assert!(seen.contains(form), "{form} is not among {seen:?}");
    }
    // As they would really be written: a hash cut in half, and the key of an index.
    let hash = sha256(&[b"zhao/v1 basis\0", name.as_bytes()]);
    let key = subject_key(ORIGIN, Kind::Enterprise, name);
    for (planted, form) in [
        (
            hash.as_bytes()[..16].to_vec(),
            "SHA-256 of \"zhao/v1 basis\" 00 raw",
        ),
        (
            hash.to_base64url().into_bytes(),
            "SHA-256 of \"zhao/v1 basis\" 00 base64url",
        ),
        (
            key.to_base64url().into_bytes(),
            "subject enterprise base64url",
        ),
        (key.to_base64().into_bytes(), "subject enterprise base64"),
        (key.as_bytes().to_vec(), "subject enterprise raw"),
    ] {
        let hits = needles.find(&plant(&planted));
        assert!(hits.iter().any(|hit| hit.form == form), "{form}: {hits:?}");
        assert!(hits.iter().all(|hit| hit.text == name), "{form}: {hits:?}");
    }
}
