//! The vector files: `spec/vectors/{verify,dossier,receipt,history,answer,evidence,issuer-pack}`.

use serde_json::{Map, Value, json};
use zhao_spec::wire::UnixMillis;
use zhao_verifier::{TrustPolicy, Verdict, verify};

use super::at;
use super::fragments::{Fragment, expected};
use super::vouch::Trusting;

/// When the cases of a vector are judged, unless they say otherwise.
pub const AT: &str = "2026-12-02T00:00:00.000Z";

/// One file judged once.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub file: Vec<u8>,
    pub pack: Option<Vec<u8>>,
    pub at: Option<String>,
    pub max_age: Option<u64>,
    pub verdict: String,
    pub reasons: Vec<String>,
    pub assurance: Vec<String>,
    /// Whether a check after step 6 failed that has the code of one before it.
    pub witnessed: bool,
    /// Each with its outcome and codes as one text.
    pub fragments: Vec<Fragment>,
}

impl Case {
    pub fn new(name: &str, file: Vec<u8>, verdict: &str, reasons: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            file,
            pack: None,
            at: None,
            max_age: None,
            verdict: verdict.to_owned(),
            reasons: reasons.iter().map(|code| (*code).to_owned()).collect(),
            assurance: Vec::new(),
            witnessed: false,
            fragments: Vec::new(),
        }
    }

    pub fn valid(name: &str, file: Vec<u8>) -> Self {
        Self::new(name, file, "valid", &[])
    }

    pub fn invalid(name: &str, file: Vec<u8>, reason: &str) -> Self {
        Self::new(name, file, "invalid", &[reason])
    }

    pub fn undetermined(name: &str, file: Vec<u8>, reason: &str) -> Self {
        Self::new(name, file, "undetermined", &[reason])
    }

    pub fn with_pack(mut self, pack: Vec<u8>) -> Self {
        self.pack = Some(pack);
        self
    }

    pub fn at(mut self, at: &str) -> Self {
        self.at = Some(at.to_owned());
        self
    }

    pub fn max_age(mut self, millis: u64) -> Self {
        self.max_age = Some(millis);
        self
    }

    pub fn assurance(mut self, codes: &[&str]) -> Self {
        self.assurance = codes.iter().map(|code| (*code).to_owned()).collect();
        self
    }

    pub fn witnessed(mut self) -> Self {
        self.witnessed = true;
        self
    }

    fn json(&self) -> Value {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("vectors are UTF-8");
        let mut case = Map::new();
        case.insert("name".into(), json!(self.name));
        case.insert("fileText".into(), json!(text(&self.file)));
        if let Some(pack) = &self.pack {
            case.insert("pack".into(), json!(text(pack)));
        }
        if let Some(at) = &self.at {
            case.insert("at".into(), json!(at));
        }
        if let Some(max_age) = self.max_age {
            case.insert("maxAge".into(), json!(max_age));
        }
        let fragments = expected(self).into_iter();
        let fragments = fragments.map(|(name, text)| (name, json!(text)));
        let expect = json!({
            "verdict": self.verdict, "reasons": self.reasons, "assurance": self.assurance,
            "fragments": fragments.collect::<Map<_, _>>(),
        });
        case.insert("expect".into(), expect);
        Value::Object(case)
    }

    fn read(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().iter().map(text).collect();
        Self {
            name: text(&value["name"]),
            file: text(&value["fileText"]).into_bytes(),
            pack: value.get("pack").map(|pack| text(pack).into_bytes()),
            at: value.get("at").map(text),
            max_age: value.get("maxAge").map(|age| age.as_u64().unwrap()),
            verdict: text(&value["expect"]["verdict"]),
            reasons: list(&value["expect"]["reasons"]),
            assurance: list(&value["expect"]["assurance"]),
            witnessed: false,
            fragments: value["expect"]["fragments"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, fragment)| (name.clone(), text(fragment)))
                .collect(),
        }
    }
}

/// One vector file.
#[derive(Clone, Debug)]
pub struct Vector {
    /// `<folder>/<stem>`.
    pub path: String,
    pub description: String,
    pub policy: String,
    pub trust: String,
    pub at: String,
    pub cases: Vec<Case>,
}

impl Vector {
    pub fn new(path: &str, description: &str, trusting: &Trusting, cases: Vec<Case>) -> Self {
        Self {
            path: path.to_owned(),
            description: description.to_owned(),
            policy: trusting.policy(),
            trust: trusting.trust(),
            at: AT.to_owned(),
            cases,
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let value = json!({
            "description": self.description,
            "source": "ours",
            "policy": self.policy,
            "trust": self.trust,
            "at": self.at,
            "cases": self.cases.iter().map(Case::json).collect::<Vec<_>>(),
        });
        let mut text = serde_json::to_string_pretty(&value).unwrap();
        text.push('\n');
        text
    }

    pub fn read(path: &str, text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap();
        let own = |name: &str| value[name].as_str().unwrap().to_owned();
        Self {
            path: path.to_owned(),
            description: own("description"),
            policy: own("policy"),
            trust: own("trust"),
            at: own("at"),
            cases: value["cases"]
                .as_array()
                .unwrap()
                .iter()
                .map(Case::read)
                .collect(),
        }
    }

    pub fn trust_policy(&self) -> TrustPolicy {
        TrustPolicy::load(&self.policy, &self.trust).unwrap()
    }

    pub fn instant(&self, case: &Case) -> UnixMillis {
        at(case.at.as_deref().unwrap_or(&self.at))
    }

    /// Our verdict on a case.
    pub fn judge(&self, policy: &TrustPolicy, case: &Case) -> Verdict {
        verify(
            &case.file,
            policy,
            case.pack.as_deref(),
            self.instant(case),
            case.max_age,
        )
    }

    /// How the verdict on a case differs from the one expected, if it does.
    pub fn difference(&self, policy: &TrustPolicy, case: &Case) -> Option<String> {
        let verdict = self.judge(policy, case);
        let reasons: Vec<_> = verdict
            .reasons()
            .iter()
            .map(|reason| reason.code())
            .collect();
        let assurance: Vec<_> = verdict
            .assurance()
            .iter()
            .map(|note| note.as_str())
            .collect();
        let mut fragments: Vec<_> = verdict.report().fragments().iter().map(said).collect();
        fragments.sort();
        let same = verdict.status().as_str() == case.verdict
            && reasons == case.reasons
            && assurance == case.assurance
            && fragments == case.fragments;
        (!same).then(|| {
            let words: Vec<_> = verdict.reasons().iter().map(ToString::to_string).collect();
            format!(
                "{}: {}: {} {reasons:?} {assurance:?} {fragments:?} ({words:?}), \
                 expected {} {:?} {:?} {:?}",
                self.path,
                case.name,
                verdict.status().as_str(),
                case.verdict,
                case.reasons,
                case.assurance,
                case.fragments,
            )
        })
    }
}

/// A fragment as vectors have it.
pub fn said(fragment: &zhao_verifier::Fragment) -> Fragment {
    let outcome = fragment.outcome().as_str();
    let text = [vec![outcome], fragment.codes()].concat().join(" ");
    (fragment.name().as_str().to_owned(), text)
}

/// Folder of all vectors.
pub fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")
}

/// The folders this crate writes.
pub const FOLDERS: [&str; 7] = [
    "answer",
    "dossier",
    "evidence",
    "history",
    "issuer-pack",
    "receipt",
    "verify",
];
