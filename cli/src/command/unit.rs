//! `zhao unit`: issuing units and their keys.

use zhao_issuer::office::{By, Grant, LedgerClient as _};
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::record::{IssuerRecord, Record};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{PublicKey, SecretKey};

use super::init::parse_uscc;
use super::office::{Desk, settled, write_pack, wrong};
use crate::args::{Admin, Secret, Unit, UnitAct, UnitList};
use crate::failure::{Exit, Failure, args, because};
use crate::session::Session;
use crate::sheet::Sheet;

/// Runs the command.
///
/// # Errors
/// No such unit or key, wrong passphrases, or a refusal by the log.
pub(crate) fn run(session: &Session, command: &Unit) -> Result<Exit, Failure> {
    let mut desk = Desk::open(session, &command.dir, secret(&command.act))?;
    if let UnitAct::List(list) = &command.act {
        return print(session, &desk, list);
    }
    let done = act(session, &mut desk, &command.act)?;
    write_pack(&desk.home, &desk.office)?;
    session.note(done, &args![uscc = uscc(&command.act)]);
    Ok(Exit::Fine)
}

/// The passphrase source of an act.
fn secret(act: &UnitAct) -> &Secret {
    match act {
        UnitAct::List(act) => &act.secret,
        UnitAct::Add(act) => &act.admin.secret,
        UnitAct::GrantTypes(act) => &act.admin.secret,
        UnitAct::RotateKey(act) => &act.secret,
        UnitAct::RetireKey(act) => &act.admin.secret,
        UnitAct::Suspend(act) | UnitAct::Resume(act) => &act.admin.secret,
        UnitAct::Compromised(act) => &act.admin.secret,
    }
}

fn uscc(act: &UnitAct) -> &str {
    match act {
        UnitAct::List(_) => "",
        UnitAct::Add(act) => &act.uscc,
        UnitAct::GrantTypes(act) => &act.uscc,
        UnitAct::RotateKey(act) => &act.uscc,
        UnitAct::RetireKey(act) => &act.uscc,
        UnitAct::Suspend(act) | UnitAct::Resume(act) => &act.uscc,
        UnitAct::Compromised(act) => &act.uscc,
    }
}

/// Does what is asked; gives the sentence that says so.
fn act(session: &Session, desk: &mut Desk, act: &UnitAct) -> Result<&'static str, Failure> {
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    let unit = parse_uscc(uscc(act))?;
    let admins = |desk: &Desk, admin: &Admin| desk.administrators(session, admin);
    match act {
        UnitAct::List(_) => Ok("unit.done-add"),
        UnitAct::Add(add) => {
            let types = types(desk, &add.types)?;
            let signers = admins(desk, &add.admin)?;
            let key_name = next_key_name(desk, &unit)?;
            let grant = Grant {
                key_name: &key_name,
                types: &types,
                unit: &unit,
            };
            let office = &mut desk.office;
            settled(
                office
                    .add_unit(&add.name, grant, &signers, now, &mut rng)
                    .map_err(wrong)?,
                office,
                now,
            )?;
            Ok("unit.done-add")
        }
        UnitAct::GrantTypes(grant) => {
            let types = types(desk, &grant.types)?;
            let signers = admins(desk, &grant.admin)?;
            let key = present_key(desk, &unit)?;
            let office = &mut desk.office;
            settled(
                office
                    .grant_types(&unit, &key, &types, &signers, now)
                    .map_err(wrong)?,
                office,
                now,
            )?;
            Ok("unit.done-grant")
        }
        UnitAct::RotateKey(rotate) => {
            let name = next_key_name(desk, &unit)?;
            let retire = !rotate.keep_old;
            let office = &mut desk.office;
            settled(
                office
                    .rotate_key(&unit, &name, retire, now, &mut rng)
                    .map_err(wrong)?,
                office,
                now,
            )?;
            Ok("unit.done-rotate")
        }
        UnitAct::RetireKey(retire) => {
            let key = parse_key(&retire.key)?;
            let signers = admins(desk, &retire.admin)?;
            let by = By::Administrators(&signers);
            settled(
                desk.office
                    .retire_key(&unit, &key, by, now)
                    .map_err(wrong)?,
                &mut desk.office,
                now,
            )?;
            Ok("unit.done-retire")
        }
        UnitAct::Suspend(plain) => suspend(desk, &unit, true, &admins(desk, &plain.admin)?, now),
        UnitAct::Resume(plain) => suspend(desk, &unit, false, &admins(desk, &plain.admin)?, now),
        UnitAct::Compromised(compromised) => {
            let key = match &compromised.key {
                Some(text) => parse_key(text)?,
                None => present_key(desk, &unit)?,
            };
            let signers = admins(desk, &compromised.admin)?;
            let (from, by) = (LeafIndex(compromised.from), By::Administrators(&signers));
            settled(
                desk.office
                    .compromise_key(&unit, &key, from, by, now)
                    .map_err(wrong)?,
                &mut desk.office,
                now,
            )?;
            Ok("unit.done-compromised")
        }
    }
}

fn suspend(
    desk: &mut Desk,
    unit: &Uscc,
    suspend: bool,
    signers: &[SecretKey],
    now: zhao_spec::wire::UnixMillis,
) -> Result<&'static str, Failure> {
    settled(
        desk.office
            .suspend_unit(unit, suspend, signers, now)
            .map_err(wrong)?,
        &mut desk.office,
        now,
    )?;
    Ok(if suspend {
        "unit.done-suspend"
    } else {
        "unit.done-resume"
    })
}

/// The types named, or the whole catalogue.
pub(super) fn types(desk: &Desk, named: &[String]) -> Result<Vec<LicenceTypeCode>, Failure> {
    let catalogue = desk.office.catalogue();
    if named.is_empty() {
        return Ok(catalogue
            .entries()
            .map(|entry| entry.type_code.clone())
            .collect());
    }
    named
        .iter()
        .map(|name| catalogue.entry(name).map(|entry| entry.type_code.clone()))
        .collect::<Result<_, _>>()
        .map_err(because("catalogue-entry", args![]))
}

pub(super) fn parse_key(text: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_multibase(text).map_err(because(
        "key-text",
        args![value = zhao_spec::wire::clip(text)],
    ))
}

/// The unit's record in the log.
pub(super) fn record(desk: &Desk, unit: &str) -> Result<Option<IssuerRecord>, Failure> {
    let subject = subject_key(&desk.home.config.origin, Kind::Issuer, unit);
    match desk
        .office
        .client()
        .record(&subject)
        .map_err(because("ledger", args![]))?
    {
        Some(Record::Issuer(record)) => Ok(Some(record)),
        _ => Ok(None),
    }
}

/// The newest key in force whose secret is here.
fn present_key(desk: &Desk, unit: &Uscc) -> Result<PublicKey, Failure> {
    let no_key = || Failure::refused("unit-no-key", args![unit]);
    let record = record(desk, unit.as_str())?.ok_or_else(no_key)?;
    let keys = desk.office.records().unit_keys(unit.as_str());
    keys.map_err(|cause| wrong(cause.into()))?
        .into_iter()
        .map(|key| key.public)
        .find(|key| record.key(key).is_some_and(|entry| entry.until.is_none()))
        .ok_or_else(no_key)
}

/// A name for the unit's next key in the key directory.
pub(super) fn next_key_name(desk: &Desk, unit: &Uscc) -> Result<String, Failure> {
    let parts =
        zhao_issuer::keys::public_parts(&desk.home.keys()).map_err(because("keys", args![]))?;
    let taken = |name: &String| parts.iter().any(|part| part.name == *name);
    let mut number = 1;
    while taken(&key_name(unit, number)) {
        number += 1;
    }
    Ok(key_name(unit, number))
}

/// `unit-<uscc>-<number>`, as key names may be.
pub(crate) fn key_name(unit: &Uscc, number: u64) -> String {
    format!("unit-{}-{number}", unit.as_str().to_ascii_lowercase())
}

fn print(session: &Session, desk: &Desk, list: &UnitList) -> Result<Exit, Failure> {
    let units = desk
        .office
        .records()
        .units()
        .map_err(|cause| wrong(cause.into()))?;
    let mut rows = Vec::new();
    for unit in units {
        let record = record(desk, &unit.uscc)?.map(Record::Issuer);
        rows.push((unit, record));
    }
    print_units(session, &rows, list.json)
}

/// Prints units with their records; those that are not in the log are left out.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn print_units(
    session: &Session,
    rows: &[(zhao_issuer::records::Unit, Option<Record>)],
    as_json: bool,
) -> Result<Exit, Failure> {
    let mut json = Vec::new();
    let mut sheet = Sheet::new(session);
    for (unit, record) in rows {
        let Some(Record::Issuer(record)) = record else {
            continue;
        };
        let state = sheet.word(&format!("state.{}", record.state.as_str()));
        sheet
            .gap()
            .row("unit", crate::sheet::plain(&unit.name))
            .row("unit-code", &unit.uscc)
            .row("standing", state);
        let mut keys = Vec::new();
        for key in &record.keys {
            let until = key
                .until
                .map(|index| index.0.to_string())
                .unwrap_or_default();
            let mut text = format!("{}  #{}…{until}", key.key, key.from.0);
            if let Some(from) = key.compromised_from {
                text.push_str(&format!("  {} #{}", sheet.word("show.compromised"), from.0));
            }
            sheet.row("key", text);
            keys.push(serde_json::json!({
                "key": key.key.to_multibase(),
                "from": key.from.0,
                "until": key.until.map(|index| index.0),
                "compromisedFrom": key.compromised_from.map(|index| index.0),
                "types": key.types.iter().map(|grant| &grant.type_code).collect::<Vec<_>>(),
            }));
        }
        json.push(serde_json::json!({
            "name": unit.name,
            "uscc": unit.uscc,
            "state": record.state.as_str(),
            "keys": keys,
        }));
    }
    if as_json {
        session.line(&serde_json::Value::Array(json).to_string())?;
    } else {
        sheet.print()?;
    }
    Ok(Exit::Fine)
}
