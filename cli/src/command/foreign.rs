//! `zhao secure`: a licence in a form that other people's software reads. `zhao examine`:
//! somebody's credential, judged in fragments, without network.

use std::collections::BTreeMap;

use serde_json::json;
use zhao_issuer::office::Form;
use zhao_spec::wire::foreign::{Foreign, parse_foreign};
use zhao_spec::wire::{UnixMillis, limits};
use zhao_vc::context::Contexts;
use zhao_vc::did::DidKey;
use zhao_vc::jose::{self, Algorithm, Policy};
use zhao_vc::proof::Suite;
use zhao_vc::report::{self, Known, Outcome, Reason, Report};
use zhao_vc::schema::Schema;
use zhao_vc::{cose, model};

use super::office::{Desk, wrong};
use crate::args::{Examine, FormName, Secure};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::session::{Colour, Session};
use crate::sheet::{Sheet, plain};

/// How far another's clock may differ, milliseconds.
const SKEW_MILLIS: u64 = 60_000;

/// `zhao secure`.
///
/// # Errors
/// No such licence, one that may not be used now, a unit that has another key by now.
pub(crate) fn secure(session: &Session, command: &Secure) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let (licence, _) = desk.licence(&command.credential)?;
    let form = match command.form {
        FormName::EddsaRdfc2022 => Form::EddsaRdfc2022,
        FormName::VcJwt => Form::VcJwt,
        FormName::VcCose => Form::VcCose,
    };
    let now = session.host.now()?;
    let bytes = desk.office.form(&licence, form, now).map_err(wrong)?;
    files::output(session, &command.output, &bytes)?;
    Ok(Exit::Fine)
}

/// `zhao examine`.
///
/// # Errors
/// A file that cannot be read, or a context or schema that is none.
pub(crate) fn examine(session: &Session, command: &Examine) -> Result<Exit, Failure> {
    let at = match command.at {
        Some(at) => at,
        None => session.host.now()?,
    };
    let bytes = files::read(&command.file, limits::JSON_BYTES)?;
    let shelf = Shelf::of(command)?;
    let issuers: Vec<&str> = command.issuer.iter().map(String::as_str).collect();
    let known = Known {
        contexts: &shelf.contexts,
        methods: &DidKey,
        schemas: &shelf.schemas,
        lists: &shelf.lists,
        issuers: &issuers,
        suites: Suite::ALL,
    };
    let report = judge(&bytes, &known, at);
    if command.json {
        session.line(&as_json(session, &report).to_string())?;
    } else {
        show(session, &report)?;
    }
    Ok(match report.outcome() {
        Outcome::Pass => Exit::Fine,
        Outcome::Undetermined => Exit::Undetermined,
        Outcome::Fail => Exit::Refused,
    })
}

/// What the reader brought along.
struct Shelf {
    contexts: Contexts,
    schemas: BTreeMap<String, Schema>,
    lists: BTreeMap<String, Foreign>,
}

impl Shelf {
    fn of(command: &Examine) -> Result<Self, Failure> {
        let mut contexts = Contexts::standard();
        for pair in &command.context {
            let (url, path) = split(pair)?;
            let text = files::read_text(path.as_ref(), limits::POLICY_BYTES)?;
            contexts = contexts
                .with(url, &text)
                .map_err(|cause| Failure::usage("context-wrong", args![path, cause]))?;
        }
        let mut schemas = BTreeMap::new();
        for pair in &command.schema {
            let (url, path) = split(pair)?;
            let bytes = files::read(path.as_ref(), limits::POLICY_BYTES)?;
            let schema = Schema::parse(&bytes)
                .map_err(|cause| Failure::usage("schema-wrong", args![path, cause]))?;
            schemas.insert(url.to_owned(), schema);
        }
        let mut lists = BTreeMap::new();
        for path in &command.status_list {
            let bytes = files::read(path, limits::JSON_BYTES)?;
            let shown = path.display();
            let list = parse_foreign(&bytes)
                .map_err(|cause| Failure::usage("list-wrong", args![path = shown, cause]))?;
            let Some(id) = list.member("id").and_then(Foreign::as_text) else {
                let cause = "no id";
                return Err(Failure::usage("list-wrong", args![path = shown, cause]));
            };
            lists.insert(id.to_owned(), list.clone());
        }
        Ok(Self {
            contexts,
            schemas,
            lists,
        })
    }
}

/// `URL=FILE`; the last `=` parts them, since a URL may have its own.
fn split(pair: &str) -> Result<(&str, &str), Failure> {
    pair.rsplit_once('=')
        .ok_or_else(|| Failure::usage("url-file", args![actual = pair]))
}

/// Whatever form it is in.
fn judge(bytes: &[u8], known: &Known<'_>, at: UnixMillis) -> Report {
    let policy = Policy {
        algorithms: &[Algorithm::EdDsa, Algorithm::Ed25519],
        at,
        skew_millis: SKEW_MILLIS,
        untyped: false,
    };
    let text = std::str::from_utf8(bytes).map(str::trim);
    match text {
        Ok(text) if text.starts_with('{') => match parse_foreign(text.as_bytes()) {
            Ok(document) => match model::enveloped(&document) {
                Some(_) => enveloped(&document, &policy, known, at),
                None => report::credential(&document, known, at),
            },
            Err(error) => none(error.code(), &error, known, at),
        },
        Ok(text) if text.is_ascii() => {
            match jose::verify_credential(text, &policy, known.methods) {
                Ok(verified) => secured(&verified, known, at),
                Err(error) => none(error.code(), &error, known, at),
            }
        }
        _ => match cose::verify_credential(bytes, &policy, known.methods) {
            Ok(verified) => secured(&verified, known, at),
            Err(error) => none(error.code(), &error, known, at),
        },
    }
}

/// A credential that stands inside a `data:` URL.
fn enveloped(document: &Foreign, policy: &Policy<'_>, known: &Known<'_>, at: UnixMillis) -> Report {
    let opened = match jose::enveloped(document) {
        Ok(opened) => opened,
        Err(error) => return none(error.code(), &error, known, at),
    };
    match &opened.message {
        jose::Wrapped::Text(text) => match jose::verify_credential(text, policy, known.methods) {
            Ok(verified) => secured(&verified, known, at),
            Err(error) => none(error.code(), &error, known, at),
        },
        jose::Wrapped::Bytes(bytes) => {
            match cose::verify_credential(bytes, policy, known.methods) {
                Ok(verified) => secured(&verified, known, at),
                Err(error) => none(error.code(), &error, known, at),
            }
        }
        _ => report::credential(document, known, at),
    }
}

fn secured(verified: &jose::Verified, known: &Known<'_>, at: UnixMillis) -> Report {
    let controllers = vec![verified.method().controller.clone()];
    report::judge(verified.document(), Ok(controllers), known, at)
}

/// Nothing that holds: there is no document to look at.
fn none(code: &'static str, detail: &dyn ToString, known: &Known<'_>, at: UnixMillis) -> Report {
    let detail = detail.to_string();
    report::judge(&Foreign::Null, Err(Reason { code, detail }), known, at)
}

fn as_json(session: &Session, report: &Report) -> serde_json::Value {
    let fragments: Vec<_> = report
        .fragments()
        .iter()
        .map(|fragment| {
            let (name, outcome) = (fragment.name.as_str(), fragment.outcome.as_str());
            let reasons: Vec<_> = fragment
                .reasons
                .iter()
                .map(|reason| json!({"code": reason.code, "detail": reason.detail}))
                .collect();
            json!({
                "name": name, "outcome": outcome, "reasons": reasons,
                "means": session.messages.text(&format!("examined.{name}-{outcome}")),
            })
        })
        .collect();
    json!({"outcome": report.outcome().as_str(), "fragments": fragments})
}

fn show(session: &Session, report: &Report) -> Result<(), Failure> {
    let mut sheet = Sheet::new(session);
    let word = |outcome: Outcome| {
        let (key, colour) = match outcome {
            Outcome::Pass => ("pass", Colour::Good),
            Outcome::Undetermined => ("undetermined", Colour::Notice),
            Outcome::Fail => ("fail", Colour::Bad),
        };
        session.paint(colour, &session.messages.text(&format!("examined.{key}")))
    };
    sheet.text(word(report.outcome()));
    for fragment in report.fragments() {
        let (name, outcome) = (fragment.name.as_str(), fragment.outcome.as_str());
        let question = session.messages.text(&format!("examined.{name}"));
        sheet.gap().text(format!(
            "{}  {}",
            word(fragment.outcome),
            session.paint(Colour::Strong, &question)
        ));
        let means = session.messages.text(&format!("examined.{name}-{outcome}"));
        sheet.text(format!("  {means}"));
        for reason in &fragment.reasons {
            sheet.text(format!("  [{}] {}", reason.code, plain(&reason.detail)));
        }
    }
    sheet.print()
}
