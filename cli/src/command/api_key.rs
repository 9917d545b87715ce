//! `zhao api-key`: who may use the office's routes of `zhao serve`. Works while a server runs.

use zhao_http::Scope;
use zhao_issuer::records::{ApiKey as Key, Records};
use zhao_spec::wire::UnixMillis;

use super::office::{keyring, records, wrong};
use crate::args::{ApiKey, ApiKeyAct, ApiKeyAdd, ApiKeyList};
use crate::failure::{Exit, Failure, args};
use crate::home::Home;
use crate::serve::keys;
use crate::session::Session;

/// Runs the command.
///
/// # Errors
/// No office, no such key, or the records cannot be read or written.
pub(crate) fn run(session: &Session, command: &ApiKey) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let mut records = records(session, &home, &mut keyring)?;
    match &command.act {
        ApiKeyAct::Add(wanted) => add(session, &mut records, wanted),
        ApiKeyAct::List(wanted) => list(session, &records, wanted),
        ApiKeyAct::Revoke(wanted) => {
            keys::revoke(&mut records, &wanted.name, session.host.now()?)?;
            session.note("api-key.revoked", &args![name = wanted.name]);
            Ok(Exit::Fine)
        }
    }
}

fn add(session: &Session, records: &mut Records, wanted: &ApiKeyAdd) -> Result<Exit, Failure> {
    let scopes: Vec<Scope> = wanted
        .scopes
        .iter()
        .filter_map(|text| keys::scope(text))
        .collect();
    let now = session.host.now()?;
    let expires = now
        .checked_add(wanted.expires)
        .ok_or_else(|| Failure::usage("clock", args![]))?;
    let mut rng = session.host.generator()?;
    let (entry, key) = keys::add(records, &wanted.name, &scopes, now, expires, &mut rng)?;
    if wanted.json {
        let json = serde_json::json!({
            "expires": expires.to_string(), "key": key, "name": entry.id,
            "scopes": entry.scopes,
        });
        session.line(&json.to_string())?;
    } else {
        session.line(&key)?;
        session.note("api-key.added", &args![name = entry.id, expires]);
    }
    Ok(Exit::Fine)
}

fn list(session: &Session, records: &Records, wanted: &ApiKeyList) -> Result<Exit, Failure> {
    let keys = records.api_keys().map_err(|cause| wrong(cause.into()))?;
    let now = session.host.now()?;
    let state = |key: &Key| match (key.revoked, key.is_good(now)) {
        (Some(_), _) => "revoked",
        (None, true) => "active",
        (None, false) => "expired",
    };
    if wanted.json {
        let time = |at: Option<UnixMillis>| at.map(|at| at.to_string());
        let rows: Vec<serde_json::Value> = keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "created": key.created.to_string(), "expires": time(key.expires),
                    "name": key.id, "revoked": time(key.revoked), "scopes": key.scopes,
                    "state": state(key),
                })
            })
            .collect();
        session.line(&serde_json::Value::Array(rows).to_string())?;
        return Ok(Exit::Fine);
    }
    for key in &keys {
        let text = session.messages.fill(
            "api-key.line",
            &args![
                name = key.id,
                state = session.messages.text(match state(key) {
                    "active" => "api-key.active",
                    "revoked" => "api-key.revoked-state",
                    _ => "api-key.expired",
                }),
                scopes = key.scopes.join(","),
                expires = key
                    .expires
                    .map_or_else(|| "-".to_owned(), |at| at.to_string()),
            ],
        );
        session.line(&text)?;
    }
    Ok(Exit::Fine)
}
