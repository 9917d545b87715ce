use std::fs;
use std::path::Path;

use zhao_spec::wire::UnixMillis;
use zhao_verifier::{TrustPolicy, verify};

use super::*;
use crate::host::Host;
use crate::session::Session;

/// Every case of a file of `spec/vectors`, judged: its name and its verdict.
fn judged(stem: &str) -> Vec<(String, Verdict)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors");
    let text = fs::read_to_string(path.join(format!("{stem}.json"))).unwrap();
    let vector: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let policy = TrustPolicy::load(&text(&vector["policy"]), &text(&vector["trust"])).unwrap();
    let judge = |case: &Value| {
        let at = UnixMillis::parse(&text(case.get("at").unwrap_or(&vector["at"]))).unwrap();
        let pack = case.get("pack").map(|pack| text(pack).into_bytes());
        let age = case.get("maxAge").and_then(Value::as_u64);
        let file = text(&case["fileText"]).into_bytes();
        let verdict = verify(&file, &policy, pack.as_deref(), at, age);
        (text(&case["name"]), verdict)
    };
    vector["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(judge)
        .collect()
}

fn one(stem: &str, name: &str) -> Verdict {
    let found = judged(stem).into_iter().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("{stem} has no {name}")).1
}

fn shown(verdict: &Verdict, language: Language, terminal: bool) -> String {
    let mut host = Host::new();
    host.stdout_terminal = terminal;
    let session = Session::new(host, Messages::new(language));
    let mut sheet = Sheet::new(&session);
    table(&mut sheet, verdict);
    sheet.render()
}

const VALID: &str = " ✓ Integrity            passes · as its signer signed it
 ✓ Issuer               passes · entitled, by a chain from the administrators you trust
 ✓ Term                 passes · within its term
 ✓ Standing in the log  passes · the log's own signatures bear out what the file says
 ✓ Witnesses            passes · as many vouch for the log as your policy asks for
 ✓ Format               passes · well-formed, with nothing unknown in it
";

#[test]
fn the_table_reads_without_colour_in_both_languages() {
    let valid = one("verify/valid", "open-type-in-the-public-index");
    assert_eq!(shown(&valid, Language::En, false), VALID);
    let forged = one("verify/credential", "signed-by-another-key");
    let expected = " ✗ 完整性        不通过 · [proof_signature]
 ？签发资格      无法判定 · 因另一项检查先行失败，未予查看
";
    let said = shown(&forged, Language::Zh, false);
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(said.lines().count(), 6);
    assert!(
        said.ends_with("✓ 格式          通过 · 格式符合规范，没有未知内容\n"),
        "{said}"
    );
}

#[test]
fn colours_are_on_the_marks_alone() {
    for (stem, name) in [
        ("verify/valid", "open-type-in-the-public-index"),
        ("verify/notices", "mortgaged"),
        ("verify/credential", "signed-by-another-key"),
    ] {
        let verdict = one(stem, name);
        let bare = shown(&verdict, Language::En, false);
        let mut painted = shown(&verdict, Language::En, true);
        if !painted.contains('\u{1b}') {
            // The environment forbids colours.
            return;
        }
        for mark in ["✓", "✗", "？"] {
            for code in ["31", "32", "33"] {
                painted = painted.replace(&format!("\u{1b}[{code};1m{mark}\u{1b}[0m"), mark);
            }
        }
        assert!(!painted.contains('\u{1b}'), "{painted}");
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&painted), words(&bare));
    }
}

/// On every vector: the verifier's own members unchanged, and both languages for every fragment.
#[test]
fn json_has_sentences_for_every_fragment_of_every_vector() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let both = [Language::En, Language::Zh].map(Messages::new);
    let mut fragments = 0;
    for stem in [
        "answer/answer",
        "dossier/malformed",
        "evidence/evidence",
        "history/history",
        "issuer-pack/pack",
        "receipt/receipt",
        "verify/authority",
        "verify/credential",
        "verify/dates",
        "verify/log",
        "verify/notices",
        "verify/pack",
        "verify/place",
        "verify/record",
        "verify/signatures",
        "verify/standing",
        "verify/times",
        "verify/valid",
    ] {
        for (name, verdict) in judged(stem) {
            let mut said = told(&verdict, &both);
            for fragment in said["fragments"].as_array_mut().unwrap() {
                fragments += 1;
                let fragment = fragment.as_object_mut().unwrap();
                for member in ["text", "next"] {
                    let words = fragment.remove(member).unwrap();
                    assert_eq!(words.as_object().unwrap().len(), 2);
                    let (en, zh) = (words["en"].as_str().unwrap(), words["zh"].as_str().unwrap());
                    assert!(en.starts_with(|c: char| c.is_ascii_alphabetic()), "{en}");
                    assert!(han(zh), "{stem} {name}: {zh}");
                }
            }
            let own: Value = serde_json::from_slice(&verdict.to_json()).unwrap();
            assert_eq!(said, own, "{stem} {name}");
        }
    }
    assert!(fragments > 1_000, "{fragments}");
}

#[test]
fn several_codes_are_told_together_and_one_todo_once() {
    let lost = json(&one("verify/standing", "all-suspensions-in-order"));
    let standing = &lost["fragments"][3];
    assert_eq!(
        standing["text"],
        json!({
            "en": "it is on hold (挂起); it is reported lost (挂失); it is withheld (暂扣)",
            "zh": "已挂起；已挂失；已暂扣",
        })
    );
    let notices = json(&one("verify/notices", "all-at-once-in-order"));
    let standing = &notices["fragments"][3];
    let codes = json!(["inspection_failed", "mortgaged", "pledged", "objection"]);
    assert_eq!(standing["codes"], codes);
    let todo = standing["next"]["en"].as_str().unwrap();
    assert_eq!(todo.matches("ask the creditor").count(), 1, "{todo}");
    assert_eq!(
        notices["fragments"][1]["codes"],
        json!(["issuer_suspended", "type_retired"])
    );
}

#[test]
fn what_has_failed_says_what_to_do_in_both_languages() {
    let forged = one("verify/credential", "signed-by-another-key");
    let told = json(&forged);
    let integrity = &told["fragments"][0];
    assert_eq!(integrity["name"], "integrity");
    assert_eq!(integrity["outcome"], "fail");
    assert_eq!(integrity["codes"], json!(["proof_signature"]));
    assert_eq!(
        integrity["next"],
        json!({"en": "refuse the file and tell the issuing unit", "zh": "拒收，并告知签发单位"})
    );
    assert_eq!(
        told["fragments"][1]["next"]["zh"],
        "先处理失败的一项，再重新核验"
    );
    assert_eq!(told["fragments"][5]["next"]["en"], "nothing is left to do");
}
