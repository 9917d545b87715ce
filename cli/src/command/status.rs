//! `zhao status`: something happens to a licence.

use zhao_issuer::office::{Act, Grounds};
use zhao_issuer::records::Standing;
use zhao_spec::life::data::{InspectionResult, ObjectionResult};
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;

use super::init::parse_uscc;
use super::office::{Desk, settled, wrong};
use crate::args::Status;
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::session::Session;
use crate::values::show_time;

/// Runs the command.
///
/// # Errors
/// Flags that do not fit the verb, no such licence, or a refusal by the log.
pub(crate) fn run(session: &Session, command: &Status) -> Result<Exit, Failure> {
    check_flags(command)?;
    if let Some(path) = &command.receipt {
        files::must_be_writable(path)?;
    }
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let (licence, subject) = desk.licence(&command.credential)?;
    let record = desk.office.licence_record(&subject).map_err(wrong)?;
    let act = act(command, &record)?;
    let grounds = Grounds {
        basis: command.basis.clone(),
        code: command.code.clone(),
        reason: Some(command.reason.clone()),
    };
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    let declared = desk
        .office
        .act(&subject, &act, &grounds, command.at, now, &mut rng)
        .map_err(wrong)?;
    let declared = settled(declared, &mut desk.office, now)?;
    let Standing::Receipted { index, receipt } = &declared.standing else {
        return Err(Failure::usage("pending", args![cause = ""]));
    };
    if let Some(path) = &command.receipt {
        let mut bytes = receipt.clone();
        bytes.push(b'\n');
        files::output(session, path, &bytes)?;
    }
    let verb = session
        .messages
        .text(&format!("verb.{}", command.verb.as_str()));
    session.note(
        "status.done",
        &args![
            number = crate::sheet::plain(&licence.subject.licence_number),
            verb,
            index = index.0,
            time = show_time(command.at.unwrap_or(now)),
        ],
    );
    Ok(Exit::Fine)
}

/// Flags that only some verbs have.
fn check_flags(command: &Status) -> Result<(), Failure> {
    let verb = command.verb;
    let releases = matches!(
        verb,
        Verb::ReleaseMortgage | Verb::ReleasePledge | Verb::ClearObjection
    );
    let judged = matches!(verb, Verb::Inspect | Verb::ClearObjection);
    let unfit = |name: &str| Failure::usage("flag-unfit", args![name, verb]);
    if command.of.is_some() && !releases {
        return Err(unfit("--of"));
    }
    if command.due.is_some() && verb != Verb::Inspect {
        return Err(unfit("--due"));
    }
    match &command.to {
        Some(_) if verb != Verb::Transfer => return Err(unfit("--to")),
        Some(unit) => drop(parse_uscc(unit)?),
        None if verb == Verb::Transfer => {
            let (name, expected) = ("--to", "USCC");
            return Err(Failure::usage("flag-missing", args![name, verb, expected]));
        }
        None => {}
    }
    let expected = match verb {
        Verb::Inspect => "passed, failed",
        _ => "upheld, rejected",
    };
    match &command.result {
        None if judged => Err(Failure::usage(
            "flag-missing",
            args![name = "--result", verb, expected],
        )),
        Some(_) if !judged => Err(unfit("--result")),
        Some(value) if !expected.split(", ").any(|word| word == value) => {
            let name = "--result";
            Err(Failure::usage(
                "argument-value-choice",
                args![name, value, expected],
            ))
        }
        _ => Ok(()),
    }
}

fn act(command: &Status, record: &LicenceRecord) -> Result<Act, Failure> {
    let result = command.result.as_deref().unwrap_or_default();
    Ok(match command.verb {
        Verb::ReleaseMortgage => Act::ReleaseMortgage(of(command, &record.mortgages)?),
        Verb::ReleasePledge => Act::ReleasePledge(of(command, &record.pledges)?),
        Verb::ClearObjection => Act::ClearObjection {
            of: of(command, &record.objections)?,
            result: match result {
                "upheld" => ObjectionResult::Upheld,
                _ => ObjectionResult::Rejected,
            },
        },
        Verb::Inspect => Act::Inspect {
            due: command.due.map(zhao_spec::wire::UnixMillis::beijing_date),
            result: match result {
                "passed" => InspectionResult::Passed,
                _ => InspectionResult::Failed,
            },
        },
        Verb::Transfer => Act::Transfer(parse_uscc(command.to.as_deref().unwrap_or_default())?),
        verb => Act::Plain(verb),
    })
}

/// Which open one is meant: the one said, or the only one there is.
fn of(command: &Status, open: &[LeafIndex]) -> Result<LeafIndex, Failure> {
    match (command.of, open) {
        (Some(index), _) => Ok(LeafIndex(index)),
        (None, [only]) => Ok(*only),
        (None, _) => {
            let list: Vec<String> = open.iter().map(|index| index.0.to_string()).collect();
            let (verb, open) = (command.verb, list.join(", "));
            Err(Failure::refused(
                "of-needed",
                args![verb, count = list.len(), open],
            ))
        }
    }
}
