//! What keeps an entry from being one, from being published, and from following another.

use std::collections::BTreeMap;
use std::path::Path;

use zhao_spec::credential::FaceValue;
use zhao_spec::wire::{Value, json};

use super::super::*;

const TITLE: &str = include_str!("../../../catalogue/real-estate-title.json");
const BIRTH: &str = include_str!("../../../catalogue/birth-certificate.json");

fn entry(text: &str) -> Entry {
    Entry::parse(Path::new("entry.json"), text.as_bytes()).unwrap()
}

fn value(text: &str) -> Value {
    Entry::value_of(Path::new("entry.json"), text.as_bytes()).unwrap()
}

/// The entry without the member at `path`.
fn without(value: &Value, path: &str) -> Value {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Object(members) = value else {
        panic!("{path} is in no object")
    };
    let kept = members
        .iter()
        .filter(|(name, _)| name != first || !rest.is_empty());
    let kept = kept.map(|(name, member)| match name == first {
        true => (name.clone(), without(member, rest)),
        false => (name.clone(), member.clone()),
    });
    Value::Object(kept.collect())
}

fn places(faults: &[Fault]) -> Vec<(&str, &str)> {
    let places = faults
        .iter()
        .map(|fault| (fault.place.as_str(), fault.code()));
    places.collect()
}

/// A profile asks for `items` things: without any of them it is named, with all of them the entry
/// passes; and when all are gone, all are named at once.
fn asks_for(code: &str, items: &[(&str, &[&str])]) {
    let profile = Profile::named(code).unwrap();
    let whole = value(TITLE);
    assert_eq!(profile.items.len(), items.len());
    assert!(!profile.source.is_empty());
    assert_eq!(profile.gaps(&entry(TITLE), None), Vec::new());
    let mut bare = whole.clone();
    let mut all = Vec::new();
    for (item, (name, members)) in profile.items.iter().zip(items) {
        assert_eq!(item.names.zh, *name);
        for member in *members {
            let lacking = without(&whole, member);
            let gaps = profile.gaps_of(&lacking, &[]);
            assert_eq!(gaps.len(), 1, "{member}");
            assert_eq!(gaps[0].item.zh, *name);
            assert_eq!(gaps[0].fault, Fault::new(*member, Rule::Needed, ""));
            all.push(gaps[0].clone());
            // The reader names it too, or else publishing under the profile does.
            match Entry::parse(Path::new("e.json"), &json::encode(&lacking)) {
                Err(error) => assert!(error.to_string().contains(member), "{error}"),
                Ok(read) => assert_eq!(profile.gaps(&read, None), gaps),
            }
        }
    }
    // A member within another that is wanted itself goes with it.
    for (_, members) in items {
        for member in *members {
            if !member.contains('.') || bare.member(member.split('.').next().unwrap()).is_some() {
                bare = without(&bare, member);
            }
        }
    }
    assert_eq!(profile.gaps_of(&bare, &[]), all);
}

#[test]
fn cat_02_changzhou_asks_for_six_fields_and_names_each_that_is_missing() {
    asks_for(
        "changzhou",
        &[
            ("证照名称", &["names.zh"]),
            ("制发单位", &["issuingUnits"]),
            ("证照类型", &["typeCode"]),
            ("持证主体", &["holders"]),
            ("证照模板", &["template"]),
            ("照面信息", &["fields"]),
        ],
    );
}

#[test]
fn cat_03_fujian_asks_for_six_fields_and_reads_every_term() {
    asks_for(
        "fujian",
        &[
            ("证照名称", &["names.zh"]),
            ("签发单位", &["issuingUnits"]),
            ("事项类别", &["matterKind"]),
            ("证照模板信息", &["template"]),
            ("证照有效期限", &["validity"]),
            ("其他信息", &["fields"]),
        ],
    );
    let read = |rule: &str| {
        let mut whole = value(TITLE);
        let Value::Object(members) = &mut whole else {
            panic!()
        };
        let at = members
            .iter()
            .position(|(name, _)| name == "validity")
            .unwrap();
        members[at].1 = json::parse(format!("[{rule}]").as_bytes()).unwrap();
        Entry::parse(Path::new("e.json"), &json::encode(&whole)).map(|entry| entry.validity)
    };
    for (rule, term) in [
        (r#"{"length":30,"rule":"days"}"#, Term::Days(30)),
        (r#"{"length":6,"rule":"months"}"#, Term::Months(6)),
        (r#"{"length":5,"rule":"years"}"#, Term::Years(5)),
        (r#"{"rule":"indefinite"}"#, Term::Indefinite),
        (
            r#"{"maxYears":70,"minDays":1,"rule":"to-date"}"#,
            Term::ToDate {
                max_years: 70,
                min_days: 1,
            },
        ),
    ] {
        assert_eq!(read(rule).unwrap(), [term], "{rule}");
    }
    for (rule, code) in [
        ("", "terms-some"),
        (r#"{"rule":"weeks"}"#, "term-rule"),
        (r#"{"rule":"years"}"#, "missing"),
        (r#"{"length":0,"rule":"days"}"#, "one-to-centuries"),
        (r#"{"length":1,"rule":"indefinite"}"#, "unknown-member"),
        (
            r#"{"maxYears":201,"minDays":1,"rule":"to-date"}"#,
            "one-to-centuries",
        ),
        (
            r#"{"rule":"indefinite"},{"rule":"indefinite"}"#,
            "terms-differ",
        ),
    ] {
        let CatalogueError::Malformed { faults, .. } = read(rule).unwrap_err() else {
            panic!("{rule}")
        };
        assert_eq!(faults.0[0].code(), code, "{rule}");
    }
}

#[test]
fn cat_04_shanghai_asks_for_eight_fields_with_level_and_openness_of_its_lists() {
    asks_for(
        "shanghai",
        &[
            ("证照名称", &["names.zh"]),
            ("发证单位", &["issuingUnits"]),
            ("持证主体类型", &["holders"]),
            ("证照归集起始时间", &["collectionStartDate"]),
            ("类目公开属性", &["openness"]),
            ("标准级别", &["standardLevel"]),
            ("证照模板", &["template"]),
            ("照面信息", &["fields"]),
        ],
    );
    let profile = Profile::named("shanghai").unwrap();
    let other = value(&TITLE.replace("\"national\"", "\"provincial\""));
    let gaps = profile.gaps_of(&other, &[]);
    let fault = Fault::new("standardLevel", Rule::NeededOneOf, "provincial");
    assert_eq!(
        gaps.iter().map(|gap| &gap.fault).collect::<Vec<_>>(),
        [&fault]
    );
    let date = TITLE.replace("\"2020-06-01\"", "\"2020-06-31\"");
    let error = Entry::parse(Path::new("e.json"), date.as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("collectionStartDate: "),
        "{error}"
    );
}

#[test]
fn cat_05_yangcheng_asks_for_seven_items_with_pictures_by_digest() {
    asks_for(
        "yangcheng",
        &[
            (
                "证照基本要素",
                &[
                    "names.zh",
                    "typeCode",
                    "issuingUnits",
                    "holders",
                    "validity",
                ],
            ),
            ("照面模板", &["template.texts"]),
            ("证照样例", &["sample"]),
            ("数据项标准", &["fields"]),
            ("印章图样", &["seal.picture"]),
            ("签批和颁发", &["signOff"]),
            ("底图模板", &["template.background"]),
        ],
    );
    let profile = Profile::named("yangcheng").unwrap();
    let dir = tempfile::tempdir().unwrap();
    Catalogue::write_embedded(dir.path()).unwrap();
    let title = entry(TITLE);
    assert_eq!(profile.gaps(&title, Some(dir.path())), Vec::new());
    let sample = dir.path().join(PICTURES).join("sample.png");
    let good = fs::read(&sample).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut long = good.clone();
    long.push(0);
    for (bytes, place, code) in [
        (flipped, "sample.digest", "picture-digest"),
        (long, "sample.bytes", "picture-bytes"),
        (vec![0; PICTURE_BYTES + 1], "sample.file", "picture-size"),
        (Vec::new(), "sample.bytes", "picture-bytes"),
    ] {
        fs::write(&sample, bytes).unwrap();
        let gaps = profile.gaps(&title, Some(dir.path()));
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].item.zh, "证照样例");
        assert_eq!(
            (gaps[0].fault.place.as_str(), gaps[0].fault.code()),
            (place, code)
        );
    }
    fs::remove_file(&sample).unwrap();
    let gaps = profile.gaps(&title, Some(dir.path()));
    assert_eq!(gaps[0].fault.code(), "picture-file");
}

#[test]
fn pictures_are_what_the_entry_says_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(PICTURES);
    fs::create_dir_all(&folder).unwrap();
    let jpeg = |height: u8| {
        let mut bytes = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc0\x00\x0b\x08\x00".to_vec();
        bytes.extend([height, 0, 9, 1, 1, 0x11, 0]);
        bytes
    };
    let png = |side: u32| {
        let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
        bytes.extend(side.to_be_bytes());
        bytes.extend(side.to_be_bytes());
        bytes
    };
    for (media, bytes, expected) in [
        (Media::Png, png(1), None),
        (Media::Png, png(4096), None),
        (Media::Png, png(0), Some(Rule::PictureSize)),
        (Media::Png, png(4097), Some(Rule::PictureSize)),
        (Media::Png, png(1)[..20].to_vec(), Some(Rule::PictureMedia)),
        (Media::Png, jpeg(9), Some(Rule::PictureMedia)),
        (
            Media::Png,
            b"<svg onload=alert(1)>".to_vec(),
            Some(Rule::PictureMedia),
        ),
        (Media::Jpeg, jpeg(9), None),
        (Media::Jpeg, jpeg(0), Some(Rule::PictureSize)),
        (Media::Jpeg, jpeg(9)[..9].to_vec(), Some(Rule::PictureMedia)),
        (
            Media::Jpeg,
            b"\xff\xd8\xff\xda\x00\x02".to_vec(),
            Some(Rule::PictureMedia),
        ),
        (
            Media::Jpeg,
            b"\xff\xd8\xff\xe0\x00\x00".to_vec(),
            Some(Rule::PictureMedia),
        ),
        (Media::Jpeg, png(1), Some(Rule::PictureMedia)),
    ] {
        fs::write(folder.join("x"), &bytes).unwrap();
        let mut title = entry(TITLE);
        title.template = None;
        title.seal = None;
        title.sample = Some(Picture {
            bytes: bytes.len().try_into().unwrap(),
            digest: zhao_spec::wire::sha256(&[&bytes]),
            file: "x".to_owned(),
            media,
        });
        let faults = check_pictures(&title, dir.path());
        let codes: Vec<_> = faults.iter().map(Fault::code).collect();
        let expected: Vec<_> = expected.into_iter().map(Rule::code).collect();
        assert_eq!(codes, expected, "{media:?} {bytes:?}");
    }
}

#[test]
fn a_file_name_is_one_name_in_the_folder() {
    for name in [
        "../seal.png",
        "/etc/passwd",
        "",
        ".",
        "..",
        ".hidden",
        "a..png",
        "A.png",
        "a/b",
    ] {
        let text = TITLE.replace("\"seal.png\"", &format!("{name:?}"));
        let error = Entry::parse(Path::new("e.json"), text.as_bytes()).unwrap_err();
        let CatalogueError::Malformed { faults, .. } = error else {
            panic!("{name}")
        };
        assert_eq!(
            places(&faults.0),
            [("seal.picture.file", "file-name")],
            "{name}"
        );
    }
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let text = TITLE
        .replace(
            "\"slug\": \"real-estate-title\"",
            "\"slug\": \"Title\", \"colour\": 1",
        )
        .replace("\"version\": 1", "\"version\": 0")
        .replace("\"member\": \"use\"", "\"member\": \"purse\"")
        .replace("\"register\": \"population\"", "\"register\": \"police\"")
        .replace("\"consent\": \"holder\"", "\"consent\": \"nobody\"");
    let error = Entry::parse(Path::new("e.json"), text.as_bytes()).unwrap_err();
    let CatalogueError::Malformed { faults, .. } = error else {
        panic!("{error}")
    };
    let expected = [
        ("slug", "slug"),
        ("version", "one-or-more"),
        ("useConditions.consent", "consent"),
        ("registers[1].register", "register"),
        ("template.texts[8].member", "member-known"),
        ("colour", "unknown-member"),
    ];
    assert_eq!(places(&faults.0), expected);
}

#[test]
fn cat_11_sensitive_types_state_conditions_and_secrets_are_in_no_answer() {
    // A type that is not open, or says something personal, is not published without conditions;
    // one that is open and says nothing personal may be.
    for entry in Catalogue::embedded().unwrap().entries() {
        assert_eq!(entry.unpublishable(), Vec::new(), "{}", entry.slug);
        let lacking = without(&entry.value, "signOff");
        let lacking = match entry.conditions() {
            Some(_) => without(&lacking, "useConditions"),
            None => lacking,
        };
        // As an entry of before these members is still one.
        let read = Entry::parse(Path::new("e.json"), &json::encode(&lacking)).unwrap();
        let expected = [("useConditions", "needs-conditions")];
        let expected = &expected[..usize::from(entry.needs_conditions())];
        assert_eq!(places(&read.unpublishable()), expected, "{}", entry.slug);
    }
    // They go with every answer; and no answer but to holder and issuer has a secret field.
    let birth = entry(BIRTH);
    let text = |text: &str| FaceValue::Text(text.to_owned());
    let face: BTreeMap<String, FaceValue> = [
        ("sex", text("female")),
        ("motherCode", text("140522190001012222")),
        ("undeclared", text("x")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let seen = |entry: &Entry, audience| {
        let disclosed = entry.disclose(&face, audience);
        assert_eq!(disclosed.conditions, entry.conditions());
        let names = disclosed.face_data.into_keys().map(str::to_owned);
        names.collect::<Vec<_>>()
    };
    assert_eq!(seen(&birth, Audience::Public), Vec::<String>::new());
    assert_eq!(seen(&birth, Audience::User), ["sex"]);
    assert_eq!(seen(&birth, Audience::Party), ["motherCode", "sex"]);
    // Nor when the whole type were open.
    let mut open = birth.clone();
    open.openness = Openness::Open;
    assert_eq!(seen(&open, Audience::Public), Vec::<String>::new());
    assert!(BIRTH.contains("motherCode"));
    let listing = String::from_utf8(json::encode(&birth.listing())).unwrap();
    assert!(!listing.contains("motherCode"), "{listing}");
    assert!(listing.contains("motherName") && listing.contains("useConditions"));
}

#[test]
fn cat_13_a_type_with_state_secrets_cannot_be_saved_and_every_other_says_it_has_none() {
    let secret = TITLE.replace("\"stateSecrets\": false", "\"stateSecrets\": true");
    let error = Entry::parse(Path::new("e.json"), secret.as_bytes()).unwrap_err();
    let CatalogueError::Malformed { faults, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(places(&faults.0), [("stateSecrets", "state-secrets")]);
    let silent = json::encode(&without(&value(TITLE), "stateSecrets"));
    let silent = Entry::parse(Path::new("e.json"), &silent).unwrap();
    assert_eq!(
        places(&silent.unpublishable()),
        [("stateSecrets", "needs-declaration")]
    );
}

#[test]
fn a_version_follows_only_what_it_may_follow() {
    let before = entry(TITLE);
    let next = TITLE.replace("\"version\": 1", "\"version\": 2");
    let judge = |text: &str| {
        let faults = incompatible(&before, &entry(text));
        let faults = faults.iter();
        let faults = faults.map(|fault| (fault.place.clone(), fault.code()));
        faults.collect::<Vec<_>>()
    };
    let one = |place: &str, code: &'static str| vec![(place.to_owned(), code)];
    assert_eq!(judge(&next), Vec::new());
    assert_eq!(judge(TITLE), one("version", "version-next"));
    let far = TITLE.replace("\"version\": 1", "\"version\": 3");
    assert_eq!(judge(&far), one("version", "version-next"));
    let slug = next.replace("\"real-estate-title\"", "\"title\"");
    assert_eq!(judge(&slug), one("slug", "same"));
    let gone = next
        .replace("\"name\": \"use\"", "\"name\": \"usage\"")
        .replace("\"member\": \"use\"", "\"member\": \"usage\"");
    assert_eq!(judge(&gone), one("fields[use]", "field-required"));
    let kind = next.replacen("\"kind\": \"integer\"", "\"kind\": \"date\"", 1);
    assert_eq!(
        judge(&kind),
        one("fields[areaSquareCentimetres].kind", "field-kind-kept")
    );
    // More to be seen is said in the entry, less need not be.
    let public = next.replacen("\"personal\"", "\"public\"", 1);
    let place = "widensOpenness (fields[unitNumber].sensitivity)";
    assert_eq!(judge(&public), one(place, "widens-said"));
    let said =
        |text: &str| text.replace("\"version\": 2", "\"version\": 2, \"widensOpenness\": true");
    assert_eq!(judge(&said(&public)), Vec::new());
    assert_eq!(judge(&said(&next)), one("widensOpenness", "widens-true"));
    let closed = next.replace("\"restricted\"", "\"closed\"");
    assert_eq!(judge(&closed), Vec::new());
    let reopened = incompatible(
        &entry(&closed.replace("\"version\": 2", "\"version\": 1")),
        &entry(&next),
    );
    assert_eq!(
        places(&reopened),
        [("widensOpenness (openness)", "widens-said")]
    );
}

#[test]
fn differences_are_told_by_name_and_not_by_place() {
    let after = TITLE
        .replace("\"version\": 1", "\"version\": 2")
        .replace("\"keepDays\": 90", "\"keepDays\": 60")
        .replace("  \"highFrequency\": true,\n", "");
    let differences = compare(&entry(TITLE), &entry(&after));
    let told: Vec<_> = differences
        .iter()
        .map(|one| {
            (
                one.place.as_str(),
                one.before.as_deref(),
                one.after.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("highFrequency", Some("true"), None),
            ("useConditions.keepDays", Some("90"), Some("60")),
            ("version", Some("1"), Some("2")),
        ]
    );
    // A field taken out of the middle is one field's differences, and the others are the same.
    let Value::Object(mut members) = value(TITLE) else {
        panic!()
    };
    let at = members
        .iter()
        .position(|(name, _)| name == "fields")
        .unwrap();
    let Value::Array(fields) = &mut members[at].1 else {
        panic!()
    };
    fields.remove(1);
    let template = members
        .iter()
        .position(|(name, _)| name == "template")
        .unwrap();
    members.remove(template);
    let mut fewer = entry(TITLE);
    fewer.value = Value::Object(members);
    let differences = compare(&entry(TITLE), &fewer);
    let others = differences.iter().filter(|one| {
        !one.place.starts_with("fields[location].") && !one.place.starts_with("template.")
    });
    assert_eq!(others.count(), 0);
    assert!(differences.iter().all(|one| one.after.is_none()));
}

#[test]
fn profiles_that_are_none_are_refused() {
    let good = include_str!("../../../catalogue/profiles/fujian.json");
    let parse = |text: &str| Profile::parse(Path::new("p.json"), text.as_bytes());
    assert_eq!(parse(good).unwrap(), Profile::named("fujian").unwrap());
    for (old, new, said) in [
        ("\"350000\"", "\"999999\"", "region: "),
        (
            "\"matterKind\"",
            "\"matter kind\"",
            "items[2].members[0].member: ",
        ),
        (
            "\"matterKind\"",
            "\"a.b.c.d.e\"",
            "items[2].members[0].member: ",
        ),
        (
            "\"member\": \"matterKind\"",
            "\"member\": \"matterKind\", \"how\": \"often\"",
            "how: ",
        ),
        (
            "\"member\": \"matterKind\"",
            "\"how\": \"present\"",
            "member: missing",
        ),
        (
            "\"code\"",
            "\"colour\": 1, \"code\"",
            "colour: unknown member",
        ),
    ] {
        assert!(good.contains(old), "{old}");
        let error = parse(&good.replacen(old, new, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let error = Profile::named("atlantis").unwrap_err();
    assert!(
        matches!(error, CatalogueError::UnknownProfile { .. }),
        "{error}"
    );
}
