//! `zhao secure`: a licence in a form that other people's software reads. `zhao examine`:
//! somebody's credential, judged in fragments, without network.

use std::collections::BTreeMap;

use serde_json::json;
use zhao_issuer::office::FormOptions;
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{PublicKey, UnixMillis, limits};
use zhao_vc::context::Contexts;
use zhao_vc::did::{AtHand, DidKey, Document, Methods as _};
use zhao_vc::jose::{self, Algorithm, Challenge, Policy};
use zhao_vc::proof::Suite;
use zhao_vc::report::{self, Known, Outcome, Reason, Report};
use zhao_vc::schema::Schema;
use zhao_vc::sdjwt::{Binding, Shown, licence};
use zhao_vc::status::token;
use zhao_vc::{cose, model};

use super::holder::said;
use super::office::{Desk, wrong};
use crate::args::{Examine, Secure};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::serve::settings::PublicUrl;
use crate::session::{Colour, Session};
use crate::sheet::{Sheet, plain};

/// How far another's clock may differ, milliseconds.
const SKEW_MILLIS: u64 = 60_000;
/// How long ago a holder may have signed what it shows, milliseconds.
const BINDING_MILLIS: u64 = 300_000;

/// `zhao secure`.
///
/// # Errors
/// No such licence, one that may not be used now, a unit that has another key by now.
pub(crate) fn secure(session: &Session, command: &Secure) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let (licence, _) = desk.licence(&command.credential)?;
    let holder = command.holder.as_deref().map(holder_key);
    let options = FormOptions {
        site: command.public_url.as_ref().map(PublicUrl::as_str),
        holder: holder.transpose()?,
    };
    let (now, mut rng) = (session.host.now()?, session.host.generator()?);
    let made = desk
        .office
        .form(&licence, command.form.form(), options, now, &mut rng);
    let bytes = made.map_err(wrong)?;
    files::output(session, &command.output, &bytes)?;
    Ok(Exit::Fine)
}

/// The key of a holder, of its did:key.
///
/// # Errors
/// It is none.
pub(crate) fn holder_key(did: &str) -> Result<PublicKey, Failure> {
    let key = did.strip_prefix("did:key:").unwrap_or_default();
    let method = DidKey.method(&format!("{did}#{key}"), "authentication");
    method
        .map(|method| method.key)
        .map_err(|cause| Failure::usage("holder-did", args![cause]))
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
        methods: &shelf.methods,
        schemas: &shelf.schemas,
        lists: &shelf.lists,
        issuers: &issuers,
        suites: Suite::ALL,
    };
    let text = std::str::from_utf8(&bytes).map(str::trim);
    let (report, shown) = match text {
        Ok(text) if text.contains('~') && !text.starts_with('{') => {
            presented(command, text, &known, &shelf, at)
        }
        _ => (judge(&bytes, &known, at), None),
    };
    let claims = shown.as_ref().map(Shown::claims);
    if command.json {
        session.line(&as_json(session, &report, claims).to_string())?;
    } else {
        show(session, &report, claims)?;
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
    methods: AtHand,
    /// Status list tokens by their URLs.
    tokens: BTreeMap<String, String>,
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
        let mut methods = AtHand::default();
        for path in &command.did_document {
            let wrong = |cause: &dyn ToString| {
                let (path, cause) = (path.display(), cause.to_string());
                Failure::usage("did-document-wrong", args![path, cause])
            };
            let bytes = files::read(path, limits::POLICY_BYTES)?;
            let document = parse_foreign(&bytes).map_err(|error| wrong(&error))?;
            // Whoever hands a document in says by that whose it is.
            let did = document.member("id").and_then(Foreign::as_text);
            Document::read(&document, did.unwrap_or_default())
                .and_then(|document| methods.put(document))
                .map_err(|error| wrong(&error))?;
        }
        let (mut lists, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for path in &command.status_list {
            let wrong = |cause: &dyn ToString| {
                let (path, cause) = (path.display(), cause.to_string());
                Failure::usage("list-wrong", args![path, cause])
            };
            let text = files::read_text(path, limits::JSON_BYTES)?;
            let text = text.trim();
            if text.starts_with('{') {
                let list = parse_foreign(text.as_bytes()).map_err(|error| wrong(&error))?;
                let id = list.member("id").and_then(Foreign::as_text);
                let id = id.ok_or_else(|| wrong(&"no id"))?.to_owned();
                lists.insert(id, list);
            } else {
                let list = token::open(text, &methods).map_err(|error| wrong(&error))?;
                tokens.insert(list.sub, text.to_owned());
            }
        }
        Ok(Self {
            contexts,
            methods,
            tokens,
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

fn policy(at: UnixMillis) -> Policy<'static> {
    Policy {
        algorithms: &Algorithm::ALL,
        at,
        skew_millis: SKEW_MILLIS,
        untyped: false,
    }
}

/// What a holder shows of an SD-JWT.
fn presented(
    command: &Examine,
    text: &str,
    known: &Known<'_>,
    shelf: &Shelf,
    at: UnixMillis,
) -> (Report, Option<Shown>) {
    let types = command.types.iter().map(String::as_str);
    let types: Vec<&str> = types.chain([licence::VCT]).collect();
    let binding = match (&command.audience, &command.nonce) {
        (Some(audience), Some(nonce)) => Binding::Required {
            challenge: Challenge { audience, nonce },
            max_age_millis: BINDING_MILLIS,
        },
        _ => Binding::NotAsked,
    };
    report::shown(text, &types, binding, &policy(at), known, &shelf.tokens)
}

/// Whatever other form it is in.
fn judge(bytes: &[u8], known: &Known<'_>, at: UnixMillis) -> Report {
    let policy = policy(at);
    let text = std::str::from_utf8(bytes).map(str::trim);
    match text {
        Ok(text) if text.starts_with('{') => match parse_foreign(text.as_bytes()) {
            Ok(document) => match model::enveloped(&document) {
                Some(_) => enveloped(&document, &policy, known, at),
                None => report::credential(&document, known, at),
            },
            Err(error) => none(error.code(), &error),
        },
        Ok(text) if text.is_ascii() => {
            match jose::verify_credential(text, &policy, known.methods) {
                Ok(verified) => secured(&verified, known, at),
                Err(error) => none(error.code(), &error),
            }
        }
        _ => match cose::verify_credential(bytes, &policy, known.methods) {
            Ok(verified) => secured(&verified, known, at),
            Err(error) => none(error.code(), &error),
        },
    }
}

/// A credential that stands inside a `data:` URL.
fn enveloped(document: &Foreign, policy: &Policy<'_>, known: &Known<'_>, at: UnixMillis) -> Report {
    let opened = match jose::enveloped(document) {
        Ok(opened) => opened,
        Err(error) => return none(error.code(), &error),
    };
    match &opened.message {
        jose::Wrapped::Text(text) => match jose::verify_credential(text, policy, known.methods) {
            Ok(verified) => secured(&verified, known, at),
            Err(error) => none(error.code(), &error),
        },
        jose::Wrapped::Bytes(bytes) => {
            match cose::verify_credential(bytes, policy, known.methods) {
                Ok(verified) => secured(&verified, known, at),
                Err(error) => none(error.code(), &error),
            }
        }
        _ => report::credential(document, known, at),
    }
}

fn secured(verified: &jose::Verified, known: &Known<'_>, at: UnixMillis) -> Report {
    let controllers = vec![verified.method().controller.clone()];
    report::judge(verified.document(), Ok(controllers), known, at)
}

fn none(code: &'static str, detail: &dyn ToString) -> Report {
    let detail = detail.to_string();
    report::refused(Reason { code, detail })
}

fn as_json(session: &Session, report: &Report, claims: Option<&Foreign>) -> serde_json::Value {
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
    let mut all = json!({"outcome": report.outcome().as_str(), "fragments": fragments});
    if let Some(claims) = claims {
        // Written by us a moment ago, so it is JSON.
        all["claims"] = serde_json::from_slice(&canonicalize(claims)).unwrap_or_default();
    }
    all
}

fn show(session: &Session, report: &Report, claims: Option<&Foreign>) -> Result<(), Failure> {
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
    if let Some(Foreign::Object(claims)) = claims {
        sheet.heading("holder.shown");
        for (name, value) in claims {
            sheet.named(&plain(name), plain(&said(value)));
        }
    }
    sheet.print()
}
