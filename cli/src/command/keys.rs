//! `zhao keys`: the keys of an office, or of an administrator's own directory.

use std::path::PathBuf;

use comfy_table::presets;
use zeroize::Zeroizing;
use zhao_issuer::keys::{
    self, Finding, KeyError, Keyring, PublicPart, Purpose, WorkFactor, jwk, pem, vkey,
};
use zhao_spec::wire::UnixMillis;

use super::office::open_keys;
use crate::args::{
    Form, Keys, KeysAct, KeysCheck, KeysExport, KeysImport, KeysList, KeysPassphrase, KeysShow,
    Secret, Unit, UnitAct, UnitRotate,
};
use crate::engine::{AUDITOR_KEY, WITNESS_KEY};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::{Home, Lock};
use crate::host::{ADMIN_PASSPHRASE, FILE_PASSPHRASE, NEW_PASSPHRASE, PASSPHRASE, Prompts};
use crate::session::Session;
use crate::sheet::{Sheet, table};
use crate::values::{show_millis, show_time};

mod rotate;

/// A directory of keys, and whose it is.
struct Place {
    dir: PathBuf,
    /// The office they are of; none for a directory of keys alone.
    home: Option<Home>,
}

impl Place {
    /// An office's directory or a directory of keys.
    fn find(command: &Keys) -> Result<Self, Failure> {
        if command.dir.join("zhao.toml").exists() {
            let home = Home::open(&command.dir)?;
            let dir = home.keys();
            let home = Some(home);
            return Ok(Self { dir, home });
        }
        if command.dir.join("identity.age").exists() {
            let dir = command.dir.clone();
            return Ok(Self { dir, home: None });
        }
        let path = command.dir.display();
        Err(Failure::usage("keys-nowhere", args![path]))
    }

    fn open(&self, session: &Session, secret: &Secret) -> Result<Keyring, Failure> {
        let file = secret.passphrase_file.as_deref();
        let variables = match self.home {
            Some(_) => PASSPHRASE.as_slice(),
            None => ADMIN_PASSPHRASE.as_slice(),
        };
        open_keys(session, &self.dir, file, variables, "keys-missing")
    }

    /// Keeps other processes out of the office while its keys change.
    fn lock(&self) -> Result<Option<Lock>, Failure> {
        self.home.as_ref().map(Home::lock).transpose()
    }

    fn part(&self, name: &str) -> Result<PublicPart, Failure> {
        keys::public_part(&self.dir, name).map_err(refused)
    }

    /// The name of a key in notes and policies.
    fn vkey_name(&self, part: &PublicPart) -> String {
        match (&self.home, part.name.as_str()) {
            (Some(home), _) if part.purpose == Purpose::Log => home.config.origin.clone(),
            (Some(home), WITNESS_KEY) => home.config.witness.clone(),
            (Some(home), AUDITOR_KEY) => home.config.auditor.clone(),
            _ => part.name.clone(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// No keys there, a wrong passphrase, or a key that is not as it must be.
pub(crate) fn run(session: &Session, command: &Keys) -> Result<Exit, Failure> {
    let place = Place::find(command)?;
    match &command.act {
        KeysAct::List(act) => list(session, &place, act),
        KeysAct::Show(act) => show(session, &place, act),
        KeysAct::Passphrase(act) => passphrase(session, &place, act),
        KeysAct::Export(act) => export(session, &place, act),
        KeysAct::Import(act) => import(session, &place, act),
        KeysAct::Rotate(act) if act.records => rotate::run(session, &place, act),
        KeysAct::Rotate(act) => {
            // A unit's key changes in the log too: `zhao unit DIR rotate-key` does it.
            let rotate = UnitRotate {
                uscc: act.uscc.clone().unwrap_or_default(),
                keep_old: act.keep_old,
                secret: act.secret.clone(),
            };
            let unit = Unit {
                dir: command.dir.clone(),
                act: UnitAct::RotateKey(rotate),
            };
            super::unit::run(session, &unit)
        }
        KeysAct::Check(act) => check(session, &place, act),
    }
}

/// A refusal by the keys themselves.
pub(super) fn refused(cause: KeyError) -> Failure {
    match cause {
        KeyError::Io { .. } => Failure::usage("keys", args![cause]),
        _ => Failure::refused("keys", args![cause]),
    }
}

/// A passphrase that is being chosen: asked for twice.
pub(super) fn chosen(
    session: &Session,
    file: Option<&std::path::Path>,
) -> Result<Zeroizing<String>, Failure> {
    let prompts = Prompts {
        first: session.messages.text("prompt.new"),
        again: session.messages.text("prompt.again"),
    };
    session
        .host
        .passphrase(file, &NEW_PASSPHRASE, &prompts, true)
}

fn age(part: &PublicPart, now: UnixMillis) -> u64 {
    now.0.saturating_sub(part.created.0)
}

fn list(session: &Session, place: &Place, act: &KeysList) -> Result<Exit, Failure> {
    let now = session.host.now()?;
    let parts = keys::public_parts(&place.dir).map_err(refused)?;
    if act.json {
        let all: Vec<_> = parts.iter().map(|part| json(part, now, act.old)).collect();
        session.line(&serde_json::Value::Array(all).to_string())?;
        return Ok(Exit::Fine);
    }
    let word = |key: &str| session.messages.text(key);
    let mut rows = table(session, presets::UTF8_FULL_CONDENSED);
    rows.set_header([
        word("keys.column-name"),
        word("keys.column-purpose"),
        word("keys.column-age"),
        word("keys.column-key"),
    ]);
    let mut old = Vec::new();
    for part in &parts {
        let purpose = word(purpose_key(part.purpose));
        let millis = age(part, now);
        if millis >= act.old {
            old.push(part.name.clone());
        }
        let key = part.key.to_multibase();
        rows.add_row([part.name.clone(), purpose, show_millis(millis), key]);
    }
    for line in rows.lines() {
        session.line(line.trim_end())?;
    }
    if !old.is_empty() {
        let names = old.join(", ");
        session.note("keys.old", &args![names, age = show_millis(act.old)]);
    }
    Ok(Exit::Fine)
}

fn json(part: &PublicPart, now: UnixMillis, old: u64) -> serde_json::Value {
    serde_json::json!({
        "name": part.name,
        "purpose": part.purpose.as_str(),
        "created": part.created.to_string(),
        "ageMillis": age(part, now),
        "old": age(part, now) >= old,
        "key": part.key.to_multibase(),
    })
}

fn purpose_key(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Administrator => "keys.for-administrator",
        Purpose::Auditor => "keys.for-auditor",
        Purpose::Holder => "keys.for-holder",
        Purpose::Log => "keys.for-log",
        Purpose::Records => "keys.for-records",
        Purpose::Unit => "keys.for-unit",
        Purpose::Witness => "keys.for-witness",
    }
}

fn show(session: &Session, place: &Place, act: &KeysShow) -> Result<Exit, Failure> {
    let part = place.part(&act.name)?;
    let name = act.vkey_name.clone().unwrap_or(place.vkey_name(&part));
    let line = vkey(&part.key, part.purpose, &name);
    let named = || {
        line.clone()
            .map_err(because("vkey-name", args![value = name]))
    };
    match act.form {
        Some(Form::Jwk) => session.line(&jwk(&part.key))?,
        Some(Form::Multibase) => session.line(&part.key.to_multibase())?,
        Some(Form::Pem) => session.data(pem(&part.key).as_bytes())?,
        Some(Form::Vkey) => session.line(&named()?)?,
        None if act.json => {
            let now = session.host.now()?;
            let mut value = json(&part, now, u64::MAX);
            value["jwk"] = serde_json::from_str(&jwk(&part.key)).unwrap_or_default();
            value["pem"] = pem(&part.key).into();
            value["vkey"] = named()?.into();
            session.line(&value.to_string())?;
        }
        None => {
            let mut sheet = Sheet::new(session);
            let purpose = sheet.word(purpose_key(part.purpose));
            sheet
                .row("key-name", &part.name)
                .row("purpose", purpose)
                .row("made", show_time(part.created))
                .row("key", part.key.to_multibase())
                .row("vkey", named()?)
                .row("jwk", jwk(&part.key));
            sheet.print()?;
            session.data(pem(&part.key).as_bytes())?;
        }
    }
    Ok(Exit::Fine)
}

fn passphrase(session: &Session, place: &Place, act: &KeysPassphrase) -> Result<Exit, Failure> {
    let _lock = place.lock()?;
    let ring = place.open(session, &act.secret)?;
    let new = chosen(session, act.new_passphrase_file.as_deref())?;
    let work = u8::try_from(act.work).unwrap_or(u8::MAX);
    let work = WorkFactor::new(work).map_err(refused)?;
    ring.change_passphrase(&new, work).map_err(refused)?;
    // What cannot be opened again would be lost with the next restart: tried now.
    Keyring::open(&place.dir, &new).map_err(refused)?;
    session.note("keys.passphrase", &args![dir = place.dir.display()]);
    Ok(Exit::Fine)
}

fn export(session: &Session, place: &Place, act: &KeysExport) -> Result<Exit, Failure> {
    files::must_be_new(&act.output)?;
    files::must_be_writable(&act.output)?;
    let mut ring = place.open(session, &act.secret)?;
    let new = chosen(session, act.new_passphrase_file.as_deref())?;
    let part = ring
        .export(&act.name, &act.output, &new, WorkFactor::default())
        .map_err(refused)?;
    let (name, path) = (part.name, act.output.display());
    session.note("keys.exported", &args![name, path]);
    Ok(Exit::Fine)
}

fn import(session: &Session, place: &Place, act: &KeysImport) -> Result<Exit, Failure> {
    let purpose = Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.as_str() == act.purpose);
    let Some(purpose) = purpose else {
        let expected = Purpose::ALL.map(Purpose::as_str).join(", ");
        let value = zhao_spec::wire::clip(&act.purpose);
        return Err(Failure::usage("purpose", args![value, expected]));
    };
    let _lock = place.lock()?;
    let mut ring = place.open(session, &act.secret)?;
    let prompts = Prompts {
        first: session
            .messages
            .fill("prompt.open", &args![dir = act.file.display()]),
        again: String::new(),
    };
    let file = act.file_passphrase_file.as_deref();
    let own = session
        .host
        .passphrase(file, &FILE_PASSPHRASE, &prompts, false)?;
    let part = ring
        .import(&act.file, &own, purpose, act.name.as_deref())
        .map_err(refused)?;
    let (name, key) = (part.name, part.key);
    session.note("keys.imported", &args![name, key]);
    Ok(Exit::Fine)
}

fn check(session: &Session, place: &Place, act: &KeysCheck) -> Result<Exit, Failure> {
    let now = session.host.now()?;
    let mut ring = place.open(session, &act.secret)?;
    let findings = ring.inspect(now, act.old).map_err(refused)?;
    let fault = findings.iter().any(Finding::is_fault);
    if act.json {
        let all: Vec<_> = findings
            .iter()
            .map(|finding| {
                let (code, _) = said(finding);
                let code = code.rsplit('.').next().unwrap_or_default();
                let text = said_in(session, finding);
                serde_json::json!({"code": code, "fault": finding.is_fault(), "text": text})
            })
            .collect();
        session.line(&serde_json::Value::Array(all).to_string())?;
    } else {
        for finding in &findings {
            session.line(&said_in(session, finding))?;
        }
        let end = if fault { "keys.wrong" } else { "keys.right" };
        session.say(end, &[])?;
    }
    Ok(if fault { Exit::Refused } else { Exit::Fine })
}

fn said_in(session: &Session, finding: &Finding) -> String {
    let (key, arguments) = said(finding);
    session.messages.fill(key, &arguments)
}

fn said(finding: &Finding) -> (&'static str, Vec<crate::messages::Argument>) {
    match finding {
        Finding::Broken { name, error } => ("keys.broken", args![name, cause = error]),
        Finding::HalfMade { name } => ("keys.half-made", args![name]),
        Finding::Leftover { file } => ("keys.leftover", args![file]),
        Finding::Old { name, created } => ("keys.aged", args![name, time = show_time(*created)]),
        Finding::Open { mode } => ("keys.open", args![mode = format!("{mode:04o}")]),
        Finding::SameKey { name, other } => ("keys.same", args![name, other]),
        Finding::Tomorrow { name, created } => {
            ("keys.tomorrow", args![name, time = show_time(*created)])
        }
        Finding::Unknown { file } => {
            let file = crate::sheet::plain(file);
            ("keys.unknown", args![file])
        }
        other => ("keys.other", args![cause = format!("{other:?}")]),
    }
}
