//! `zhao api-key`: who may use the office's routes of `zhao serve`. Works while a server runs.

use zhao_http::Scope;

use crate::args::{ApiKey, ApiKeyAct, ApiKeyAdd, ApiKeyList};
use crate::failure::{Exit, Failure, args};
use crate::home::Home;
use crate::serve::keys;
use crate::session::Session;

/// Runs the command.
///
/// # Errors
/// No office, no such key, or the file of keys cannot be read or written.
pub(crate) fn run(session: &Session, command: &ApiKey) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    match &command.act {
        ApiKeyAct::Add(wanted) => add(session, &home, wanted),
        ApiKeyAct::List(wanted) => list(session, &home, wanted),
        ApiKeyAct::Revoke(wanted) => {
            keys::revoke(&home.api_keys(), &wanted.id, session.host.now()?)?;
            session.note("api-key.revoked", &args![id = wanted.id]);
            Ok(Exit::Fine)
        }
    }
}

fn add(session: &Session, home: &Home, wanted: &ApiKeyAdd) -> Result<Exit, Failure> {
    let scopes: Vec<Scope> = wanted
        .scopes
        .iter()
        .filter_map(|text| scope(text))
        .collect();
    let now = session.host.now()?;
    let expires = now
        .checked_add(wanted.expires)
        .ok_or_else(|| Failure::usage("clock", args![]))?;
    let mut rng = session.host.generator()?;
    let path = home.api_keys();
    let (entry, key) = keys::add(&path, &wanted.name, &scopes, now, expires, &mut rng)?;
    if wanted.json {
        let json = serde_json::json!({
            "expires": entry.expires, "id": entry.id, "key": key, "name": entry.name,
            "scopes": entry.scopes,
        });
        session.line(&json.to_string())?;
    } else {
        session.line(&key)?;
        session.note(
            "api-key.added",
            &args![id = entry.id, expires = entry.expires],
        );
    }
    Ok(Exit::Fine)
}

fn scope(text: &str) -> Option<Scope> {
    [Scope::Read, Scope::Issue, Scope::Change, Scope::Admin]
        .into_iter()
        .find(|scope| scope.as_str() == text)
}

fn list(session: &Session, home: &Home, wanted: &ApiKeyList) -> Result<Exit, Failure> {
    let keys = keys::list(&home.api_keys())?;
    let now = session.host.now()?;
    let state = |key: &keys::ApiKey| match (&key.revoked, key.is_in_force(now)) {
        (Some(_), _) => "revoked",
        (None, true) => "active",
        (None, false) => "expired",
    };
    if wanted.json {
        let rows: Vec<serde_json::Value> = keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "created": key.created, "expires": key.expires, "id": key.id,
                    "name": key.name, "revoked": key.revoked, "scopes": key.scopes,
                    "state": state(key),
                })
            })
            .collect();
        session.line(&serde_json::Value::Array(rows).to_string())?;
        return Ok(Exit::Fine);
    }
    for key in &keys {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let text = session.messages.fill(
            "api-key.line",
            &args![
                id = key.id,
                state = session.messages.text(match state(key) {
                    "active" => "api-key.active",
                    "revoked" => "api-key.revoked-state",
                    _ => "api-key.expired",
                }),
                scopes = scopes.join(","),
                expires = key.expires,
                name = crate::sheet::plain(&key.name),
            ],
        );
        session.line(&text)?;
    }
    Ok(Exit::Fine)
}
