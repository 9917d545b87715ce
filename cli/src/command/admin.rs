//! `zhao admin`: what the administrators decide together, each on a machine of their own.

use std::path::{Path, PathBuf};

use zhao_issuer::keys::{Keyring, Purpose, WorkFactor, public_part, public_parts, vkey};
use zhao_issuer::office::{LedgerClient as _, Measure, countersign};
use zhao_issuer::records::Standing;
use zhao_spec::file::Proposal;
use zhao_spec::id::LicenceTypeCode;
use zhao_spec::life::data::Administrators;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Hash, PublicKey, UnixMillis, clip, limits};
use zhao_verifier::TrustPolicy;

use super::init::parse_uscc;
use super::keys::{chosen, refused};
use super::office::{Desk, open_keys, settled, write_pack, wrong};
use super::unit::{next_key_name, parse_key, types};
use crate::args::{
    AdminAct, AdminList, AdminNew, AdminPropose, AdminShow, AdminSign, AdminSubmit, Administration,
    Carry, Propose, ProposeAdministrators, ProposeGrant,
};
use crate::engine::LOG_KEY;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::host::ADMIN_PASSPHRASE;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::values::{show_millis, show_time};

mod paper;

/// Runs the command.
///
/// # Errors
/// Files that are none, a proposal that is refused, wrong passphrases, or a refusal by the log.
pub(crate) fn run(session: &Session, command: &Administration) -> Result<Exit, Failure> {
    match &command.act {
        AdminAct::New(act) => new(session, act),
        AdminAct::List(act) => list(session, act),
        AdminAct::Propose(act) => propose(session, act),
        AdminAct::Show(act) => show(session, act),
        AdminAct::Sign(act) => sign(session, act),
        AdminAct::Submit(act) => submit(session, act),
    }
}

/// A directory with one administrator's key.
fn new(session: &Session, act: &AdminNew) -> Result<Exit, Failure> {
    files::dir_must_be_writable(&act.dir)?;
    let passphrase = chosen(session, act.new_passphrase_file.as_deref())?;
    let (now, mut rng) = (session.host.now()?, session.host.generator()?);
    let work = WorkFactor::default();
    let mut ring = Keyring::create(&act.dir, &passphrase, work).map_err(refused)?;
    let part = ring
        .generate(&act.name, Purpose::Administrator, &mut rng, now)
        .map_err(refused)?;
    session.note("admin.made", &args![dir = act.dir.display()]);
    session.line(&part.key.to_multibase())?;
    Ok(Exit::Fine)
}

/// The administrators now, and the announced keys with the time left.
fn list(session: &Session, act: &AdminList) -> Result<Exit, Failure> {
    let desk = Desk::open(session, &act.dir, &act.secret)?;
    let now = session.host.now()?;
    let (present, delay) = registry(&desk)?;
    let mut sheet = Sheet::new(session);
    let (threshold, count) = (present.threshold, present.keys.len());
    let text = session
        .messages
        .fill("admin.threshold", &args![threshold, count]);
    sheet.row("administrators", text);
    for key in &present.keys {
        sheet.row("key", key.to_multibase());
    }
    sheet.row("key-delay", show_millis(delay));
    let mut waiting = Vec::new();
    let units = desk.office.records().units();
    for unit in units.map_err(|cause| wrong(cause.into()))? {
        let Some(record) = super::unit::record(&desk, &unit.uscc)? else {
            continue;
        };
        for announced in &record.proposals {
            let from = UnixMillis(announced.recorded.0.saturating_add(delay));
            let left = from.0.saturating_sub(now.0);
            let text = match left {
                0 => session.messages.text("admin.ready"),
                left => session.messages.fill(
                    "admin.left",
                    &args![left = show_millis(left), time = show_time(from)],
                ),
            };
            sheet
                .gap()
                .row("announced-key", announced.key.to_multibase())
                .row("unit-code", &unit.uscc)
                .row("recorded", show_time(announced.recorded))
                .row("waits", text);
            waiting.push(serde_json::json!({
                "key": announced.key.to_multibase(),
                "uscc": unit.uscc,
                "recorded": announced.recorded.to_string(),
                "from": from.to_string(),
                "leftMillis": left,
                "types": announced.types,
            }));
        }
    }
    if act.json {
        let keys: Vec<_> = present.keys.iter().map(PublicKey::to_multibase).collect();
        let value = serde_json::json!({
            "threshold": present.threshold,
            "keys": keys,
            "keyDelayMillis": delay,
            "announced": waiting,
        });
        session.line(&value.to_string())?;
    } else {
        sheet.print()?;
    }
    Ok(Exit::Fine)
}

/// The administrators and the delay of announced keys, as the log knows them.
fn registry(desk: &Desk) -> Result<(Administrators, u64), Failure> {
    let origin = &desk.home.config.origin;
    let subject = subject_key(origin, Kind::Registry, origin);
    let record = desk.office.client().record(&subject);
    match record.map_err(because("ledger", args![]))? {
        Some(Record::Registry(record)) => Ok((record.administrators, record.key_delay)),
        _ => Err(Failure::usage("ledger", args![cause = "no registry"])),
    }
}

fn carry(measure: &Propose) -> &Carry {
    match measure {
        Propose::AddUnit(one) | Propose::Announce(one) => &one.carry,
        Propose::GrantTypes(one) => &one.carry,
        Propose::ConfirmKey(one) | Propose::WithdrawKey(one) | Propose::RetireKey(one) => {
            &one.carry
        }
        Propose::CompromisedKey(one) => &one.carry,
        Propose::Suspend(one) | Propose::Resume(one) => &one.carry,
        Propose::PublishType(one) | Propose::RetireType(one) => &one.carry,
        Propose::Administrators(one) => &one.carry,
        Propose::LogKey(one) => &one.carry,
    }
}

fn propose(session: &Session, act: &AdminPropose) -> Result<Exit, Failure> {
    let carry = carry(&act.measure);
    files::must_be_new(&carry.proposal)?;
    files::must_be_writable(&carry.proposal)?;
    let mut desk = Desk::open(session, &act.dir, &carry.secret)?;
    let proposal = drawn_up(session, &mut desk, &act.measure, carry)?;
    write(session, &carry.proposal, &proposal)?;
    paper::print(session, &proposal, None, false)?;
    Ok(Exit::Fine)
}

fn drawn_up(
    session: &Session,
    desk: &mut Desk,
    act: &Propose,
    carry: &Carry,
) -> Result<Proposal, Failure> {
    let now = session.host.now()?;
    let effective = carry.effective.unwrap_or(now);
    let mut rng = session.host.generator()?;
    let mut draw = |desk: &mut Desk, measure: Measure<'_>| {
        let made = desk.office.propose(measure, effective, now, &mut rng);
        made.map_err(wrong)
    };
    match act {
        Propose::AddUnit(one) => {
            let (unit, types, key_name) = grant(desk, one)?;
            let grant = zhao_issuer::office::Grant {
                key_name: &key_name,
                types: &types,
                unit: &unit,
            };
            draw(desk, Measure::AddUnit(grant))
        }
        Propose::Announce(one) => {
            let (unit, types, key_name) = grant(desk, one)?;
            let grant = zhao_issuer::office::Grant {
                key_name: &key_name,
                types: &types,
                unit: &unit,
            };
            draw(desk, Measure::ProposeKey(grant))
        }
        Propose::GrantTypes(one) => {
            let (unit, key) = (parse_uscc(&one.uscc)?, parse_key(&one.key)?);
            let types = types(desk, &one.types)?;
            draw(desk, Measure::GrantTypes(&unit, key, &types))
        }
        Propose::ConfirmKey(one) => {
            let (unit, key) = (parse_uscc(&one.uscc)?, parse_key(&one.key)?);
            draw(desk, Measure::ConfirmKey(&unit, key))
        }
        Propose::WithdrawKey(one) => {
            let (unit, key) = (parse_uscc(&one.uscc)?, parse_key(&one.key)?);
            draw(desk, Measure::WithdrawProposal(&unit, key))
        }
        Propose::RetireKey(one) => {
            let (unit, key) = (parse_uscc(&one.uscc)?, parse_key(&one.key)?);
            draw(desk, Measure::RetireKey(&unit, key))
        }
        Propose::CompromisedKey(one) => {
            let (unit, key) = (parse_uscc(&one.uscc)?, parse_key(&one.key)?);
            draw(
                desk,
                Measure::CompromiseKey(&unit, key, LeafIndex(one.from)),
            )
        }
        Propose::Suspend(one) => draw(desk, Measure::SuspendUnit(&parse_uscc(&one.uscc)?)),
        Propose::Resume(one) => draw(desk, Measure::ResumeUnit(&parse_uscc(&one.uscc)?)),
        Propose::PublishType(one) => draw(desk, Measure::PublishType(&one.licence_type)),
        Propose::RetireType(one) => draw(desk, Measure::RetireType(&one.licence_type)),
        Propose::Administrators(one) => {
            let (present, _) = registry(desk)?;
            let (keys, threshold) = changed(present, one)?;
            draw(desk, Measure::ChangeAdministrators { keys, threshold })
        }
        Propose::LogKey(one) => {
            let key_name = free_name(desk)?;
            let from = TreeSize(one.from);
            let key_name = key_name.as_str();
            let proposal = draw(desk, Measure::RotateLogKey { from, key_name })?;
            list_key(session, &desk.home, key_name)?;
            Ok(proposal)
        }
    }
}

/// The first of log-2, log-3 … that names no key yet.
fn free_name(desk: &Desk) -> Result<String, Failure> {
    let parts = public_parts(&desk.home.keys()).map_err(refused)?;
    let taken = |name: &String| parts.iter().any(|part| part.name == *name);
    let mut names = (2_u64..).map(|number| format!("{LOG_KEY}-{number}"));
    Ok(names.find(|name| !taken(name)).unwrap_or_default())
}

/// Writes a key of the log into the office's own policy, and says what the others' must have.
fn list_key(session: &Session, home: &Home, name: &str) -> Result<(), Failure> {
    let part = public_part(&home.keys(), name).map_err(refused)?;
    let origin = &home.config.origin;
    let key = vkey(&part.key, Purpose::Log, origin).map_err(because("keys", args![]))?;
    let path = home.policy();
    let text = files::read_text(&path, limits::POLICY_BYTES)?;
    // Beside the key it has, so that the file stays one that people can read.
    let at = text
        .lines()
        .position(|line| line.starts_with("log ") && line.contains(origin.as_str()));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.insert(
        at.map_or(0, |at| at.saturating_add(1)),
        format!("log {key}"),
    );
    let text = lines.join("\n") + "\n";
    let trust = files::read_text(&home.trust(), limits::POLICY_BYTES)?;
    let wrong = because("policy-wrong", args![path = path.display()]);
    TrustPolicy::load(&text, &trust).map_err(wrong)?;
    files::replace(&path, text.as_bytes())?;
    let path = path.display();
    session.say(
        "admin.log-key",
        &args![name, path, line = format!("log {key}")],
    )
}

type Granted = (zhao_spec::id::Uscc, Vec<LicenceTypeCode>, String);

fn grant(desk: &Desk, one: &ProposeGrant) -> Result<Granted, Failure> {
    let unit = parse_uscc(&one.uscc)?;
    let types = types(desk, &one.types)?;
    let key_name = next_key_name(desk, &unit)?;
    Ok((unit, types, key_name))
}

/// The administrators after the change that is asked for.
fn changed(
    present: Administrators,
    one: &ProposeAdministrators,
) -> Result<(Vec<PublicKey>, u64), Failure> {
    let Administrators {
        mut keys,
        threshold,
    } = present;
    for text in &one.remove {
        let key = parse_key(text)?;
        if !keys.contains(&key) {
            return Err(Failure::usage("admin-unknown", args![key]));
        }
        keys.retain(|other| *other != key);
    }
    for text in &one.add {
        let key = parse_key(text)?;
        if keys.contains(&key) {
            return Err(Failure::usage("admin-known", args![key]));
        }
        keys.push(key);
    }
    if one.remove.is_empty() && one.add.is_empty() && one.threshold.is_none() {
        return Err(Failure::usage("admin-nothing", args![]));
    }
    Ok((keys, one.threshold.unwrap_or(threshold)))
}

fn write(session: &Session, path: &Path, proposal: &Proposal) -> Result<(), Failure> {
    let mut bytes = proposal.bytes();
    bytes.push(b'\n');
    files::output(session, path, &bytes)
}

fn read(path: &Path) -> Result<Proposal, Failure> {
    let bytes = files::read(path, limits::PROPOSAL_BYTES + 1)?;
    Proposal::parse(&bytes)
        .map_err(|cause| Failure::refused("file-malformed", args![path = path.display(), cause]))
}

/// The genesis that a trust file names for the proposal's log.
fn known_genesis(trust: Option<&Path>, proposal: &Proposal) -> Result<Option<Hash>, Failure> {
    let Some(path) = trust else {
        return Ok(None);
    };
    let text = files::read_text(path, limits::POLICY_BYTES)?;
    let trust =
        Trust::parse(&text).map_err(because("policy-wrong", args![path = path.display()]))?;
    let origin = &proposal.event.origin;
    match trust.genesis_of(origin) {
        Some(genesis) => Ok(Some(*genesis)),
        None => Err(Failure::refused(
            "trust-other-log",
            args![path = path.display(), origin = crate::sheet::plain(origin)],
        )),
    }
}

fn show(session: &Session, act: &AdminShow) -> Result<Exit, Failure> {
    let proposal = read(&act.file)?;
    let genesis = known_genesis(act.trust.as_deref(), &proposal)?;
    if let Some(expected) = genesis.filter(|genesis| *genesis != proposal.genesis) {
        let actual = proposal.genesis;
        let error = zhao_issuer::office::ProposalError::Genesis { expected, actual };
        return Err(wrong(error.into()));
    }
    paper::print(session, &proposal, genesis, act.json)?;
    Ok(Exit::Fine)
}

/// The one key of the directory that is to sign.
fn own_key(ring: &Keyring, act: &AdminSign, proposal: &Proposal) -> Result<String, Failure> {
    if let Some(name) = &act.key {
        return Ok(name.clone());
    }
    let mut names: Vec<String> = public_parts(ring.dir())
        .map_err(refused)?
        .into_iter()
        .filter(|part| part.purpose == Purpose::Administrator)
        .filter(|part| proposal.administrators.keys.contains(&part.key))
        .map(|part| part.name)
        .collect();
    let path = ring.dir().display();
    match (names.pop(), names.len()) {
        (None, _) => Err(Failure::refused("admin-none-here", args![path])),
        (Some(name), 0) => Ok(name),
        (Some(name), _) => {
            names.push(name);
            let names = names.join(", ");
            Err(Failure::usage("admin-several", args![path, names]))
        }
    }
}

fn sign(session: &Session, act: &AdminSign) -> Result<Exit, Failure> {
    let output: &PathBuf = act.output.as_ref().unwrap_or(&act.file);
    files::must_be_writable(output)?;
    // Read once: what is judged, what is signed and what is written are the same bytes.
    let mut proposal = read(&act.file)?;
    let shown = Hash::from_base64url(&act.id)
        .map_err(because("proposal-id", args![value = clip(&act.id)]))?;
    let genesis = known_genesis(act.trust.as_deref(), &proposal)?;
    let now = session.host.now()?;
    let file = act.admin_passphrase_file.as_deref();
    let mut ring = open_keys(session, &act.keys, file, &ADMIN_PASSPHRASE, "admin-missing")?;
    let name = own_key(&ring, act, &proposal)?;
    let key = ring
        .signing(&name, Purpose::Administrator)
        .map_err(refused)?;
    countersign(&mut proposal, &key, &shown, genesis.as_ref(), now).map_err(wrong)?;
    write(session, output, &proposal)?;
    let (path, count) = (output.display(), proposal.event.signatures.len());
    let threshold = proposal.administrators.threshold;
    session.note("admin.signed", &args![name, path, count, threshold]);
    Ok(Exit::Fine)
}

fn submit(session: &Session, act: &AdminSubmit) -> Result<Exit, Failure> {
    if let Some(path) = &act.receipt {
        files::must_be_writable(path)?;
    }
    let proposals: Vec<Proposal> = act
        .file
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let mut desk = Desk::open(session, &act.dir, &act.secret)?;
    let now = session.host.now()?;
    let done = desk
        .office
        .declare_proposal(&proposals, act.unit_name.as_deref(), now)
        .map_err(wrong)?;
    let done = settled(done, &mut desk.office, now)?;
    if let Standing::Receipted { index, receipt } = &done.standing {
        if let Some(path) = &act.receipt {
            let mut bytes = receipt.clone();
            bytes.push(b'\n');
            files::output(session, path, &bytes)?;
        }
        session.note("admin.done", &args![index = index.0]);
    }
    write_pack(&desk.home, &desk.office)?;
    Ok(Exit::Fine)
}
