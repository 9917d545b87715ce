//! `zhao holder` and `zhao present`: a holder's key, and of a licence only what somebody needs.

use zhao_issuer::keys::{KeyError, Keyring, Purpose, WorkFactor};
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, clip};
use zhao_vc::jose::{Algorithm, Challenge};
use zhao_vc::sdjwt::SdJwt;

use super::office::keyring;
use crate::args::{HolderAct, HolderCommand, HolderInit, Present};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::host::{PASSPHRASE, Prompts};
use crate::session::Session;
use crate::sheet::{Sheet, plain};

/// Name of the key in the holder's directory.
const KEY: &str = "holder";
/// Longest nonce, bytes: a random number in any writing, and no document.
const NONCE_BYTES: usize = 256;

/// `zhao holder`.
///
/// # Errors
/// A directory that holds something; no passphrase.
pub(crate) fn run(session: &Session, command: &HolderCommand) -> Result<Exit, Failure> {
    match &command.act {
        HolderAct::Init(wanted) => init(session, wanted),
    }
}

fn init(session: &Session, wanted: &HolderInit) -> Result<Exit, Failure> {
    let dir = &wanted.dir;
    files::must_be_empty(dir)?;
    let prompts = Prompts {
        first: session.messages.text("prompt.new"),
        again: session.messages.text("prompt.again"),
    };
    let file = wanted.secret.passphrase_file.as_deref();
    let passphrase = session.host.passphrase(file, &PASSPHRASE, &prompts, true)?;
    let keys = |cause: KeyError| Failure::usage("keys", args![cause]);
    let (mut rng, now) = (session.host.generator()?, session.host.now()?);
    let mut ring = Keyring::create(dir, &passphrase, WorkFactor::default()).map_err(keys)?;
    let made = ring
        .generate(KEY, Purpose::Holder, &mut rng, now)
        .map_err(keys)?;
    session.line(&made.key.did_key())?;
    session.note("holder.made", &args![dir = dir.display()]);
    Ok(Exit::Fine)
}

/// `zhao present`: without a file to write, what there is to show.
///
/// # Errors
/// A file that is no SD-JWT; a claim that is not there to be shown; the holder's key.
pub(crate) fn present(session: &Session, command: &Present) -> Result<Exit, Failure> {
    let wrong = |cause: &dyn ToString| {
        let (path, cause) = (command.file.display(), cause.to_string());
        Failure::refused("sd-jwt", args![path, cause])
    };
    let text = files::read_text(&command.file, zhao_vc::sdjwt::SD_JWT_BYTES)?;
    let (whole, binding) = SdJwt::parse(text.trim()).map_err(|error| wrong(&error))?;
    if binding.is_some() {
        return Err(Failure::usage(
            "sd-jwt-shown",
            args![path = command.file.display()],
        ));
    }
    let algorithms = &Algorithm::ALL;
    let (claims, places) = whole.open(algorithms).map_err(|error| wrong(&error))?;
    let Some(output) = &command.output else {
        return list(session, &claims, &places, command.json);
    };
    files::must_be_writable(output)?;
    let wanted: Vec<String> = command.show.iter().map(|claim| place(claim)).collect();
    if let Some(missing) = wanted.iter().find(|one| !places.contains(one)) {
        let claim = clip(missing.trim_start_matches('/'));
        return Err(Failure::usage("claim-unknown", args![claim]));
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let shown = whole
        .present(&wanted, algorithms)
        .map_err(|error| wrong(&error))?;
    let bound = claims.member("cnf").is_some();
    let text = match (&command.holder, &command.audience, &command.nonce) {
        (Some(_), _, _) if !bound => return Err(Failure::usage("holder-none", args![])),
        (Some(dir), Some(audience), Some(nonce)) => {
            if nonce.is_empty() || nonce.len() > NONCE_BYTES {
                return Err(Failure::usage("nonce", args![limit = NONCE_BYTES]));
            }
            let mut ring = keyring(session, dir, &command.secret)?;
            let key = ring
                .secret(KEY, Purpose::Holder)
                .map_err(because("keys", args![]))?;
            let challenge = Challenge { audience, nonce };
            // In seconds, and never in the verifier's future.
            let UnixMillis(now) = session.host.now()?;
            let at = UnixMillis(now.saturating_sub(now % 1_000));
            shown
                .bind(challenge, at, Algorithm::EdDsa, &key)
                .map_err(|error| wrong(&error))?
        }
        _ => shown.text(),
    };
    files::output(session, output, text.as_bytes())?;
    if bound && command.holder.is_none() {
        session.note("holder.unbound", &args![]);
    }
    Ok(Exit::Fine)
}

/// A claim as people name it, `faceData/scope`, as a JSON Pointer.
fn place(claim: &str) -> String {
    format!("/{}", claim.trim_start_matches('/'))
}

/// What the holder may show or keep, and what is always shown.
fn list(
    session: &Session,
    claims: &Foreign,
    places: &[String],
    json: bool,
) -> Result<Exit, Failure> {
    let value = |place: &String| {
        let mut parts = place.split('/').skip(1);
        parts.try_fold(claims, step).map(said).unwrap_or_default()
    };
    let mut chosen: Vec<(String, String)> = places
        .iter()
        .map(|place| (place.trim_start_matches('/').to_owned(), value(place)))
        .collect();
    chosen.sort();
    if json {
        let claims: serde_json::Map<_, _> = chosen
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        session.line(&serde_json::Value::Object(claims).to_string())?;
        return Ok(Exit::Fine);
    }
    let mut sheet = Sheet::new(session);
    sheet.heading("holder.to-show");
    for (name, value) in chosen {
        sheet.named(&plain(&name), plain(&value));
    }
    sheet.print()?;
    session.note("holder.choose", &args![]);
    Ok(Exit::Fine)
}

/// One step of a JSON Pointer (RFC 6901 §4).
fn step<'a>(within: &'a Foreign, part: &str) -> Option<&'a Foreign> {
    match within {
        Foreign::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.member(&part.replace("~1", "/").replace("~0", "~")),
    }
}

/// A claim's value for a person.
pub(super) fn said(value: &Foreign) -> String {
    match value {
        Foreign::Text(text) => text.clone(),
        other => {
            String::from_utf8_lossy(&zhao_spec::wire::foreign::canonicalize(other)).into_owned()
        }
    }
}
