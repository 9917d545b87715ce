//! `zhao status`: something happens to a licence.

use zhao_issuer::office::{Act, Grounds};
use zhao_issuer::records::Standing;
use zhao_spec::file::Receipt;
use zhao_spec::life::data::{InspectionResult, ObjectionResult};
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::init::parse_uscc;
use super::office::{Desk, settled, wrong};
use crate::args::Status;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::session::Session;
use crate::values::show_time;

/// Runs the command.
///
/// # Errors
/// Flags that do not fit the verb, no such licence, or a refusal by the log.
pub(crate) fn run(session: &Session, command: &Status) -> Result<Exit, Failure> {
    let wanted = wanted(command);
    wanted.check()?;
    for path in command.receipt.iter().chain(&command.cose_receipt) {
        files::must_be_writable(path)?;
    }
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let (licence, subject) = desk.licence(&command.credential)?;
    let record = desk.office.licence_record(&subject).map_err(wrong)?;
    let act = wanted.act(&record)?;
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
    if let Some(path) = &command.cose_receipt {
        let made = desk.office.client().cose_receipt(&event_of(receipt)?)?;
        files::output(session, path, &made.bytes())?;
    }
    let done = Done {
        at: command.at.unwrap_or(now),
        index: index.0,
        number: &licence.subject.licence_number,
        verb: command.verb,
    };
    done.tell(session, command.json)?;
    Ok(Exit::Fine)
}

/// Identity of the event a receipt is of.
///
/// # Errors
/// It is no receipt.
pub(crate) fn event_of(receipt: &[u8]) -> Result<Hash, Failure> {
    let receipt = Receipt::parse(receipt).map_err(because("ledger", args![]))?;
    Ok(receipt.event.id())
}

/// What befell a licence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done<'a> {
    /// When it takes effect.
    pub(crate) at: UnixMillis,
    /// Its place in the log.
    pub(crate) index: u64,
    /// The licence's number.
    pub(crate) number: &'a str,
    /// What.
    pub(crate) verb: Verb,
}

impl Done<'_> {
    /// Says it: JSON is data, the sentence is not.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(crate) fn tell(&self, session: &Session, as_json: bool) -> Result<(), Failure> {
        let Self {
            at, index, verb, ..
        } = *self;
        if as_json {
            let value = serde_json::json!({
                "effective": at.to_string(), "index": index, "number": self.number,
                "verb": verb.as_str(),
            });
            return session.line(&value.to_string());
        }
        let verb = session.messages.text(&format!("verb.{}", verb.as_str()));
        let (number, time) = (crate::sheet::plain(self.number), show_time(at));
        session.note("status.done", &args![number, verb, index, time]);
        Ok(())
    }
}

/// What the flags say.
pub(crate) fn wanted(command: &Status) -> Wanted<'_> {
    Wanted {
        verb: command.verb,
        of: command.of,
        result: command.result.as_deref(),
        due: command.due,
        to: command.to.as_deref(),
    }
}

/// What is to befall a licence, in the words of flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// What.
    pub(crate) verb: Verb,
    /// Leaf index of what it ends.
    pub(crate) of: Option<u64>,
    /// How an inspection or objection ended.
    pub(crate) result: Option<&'a str>,
    /// When the next inspection is due.
    pub(crate) due: Option<UnixMillis>,
    /// The unit that controls the licence from then on.
    pub(crate) to: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whether the flags fit the verb.
    ///
    /// # Errors
    /// One that does not, or one that is missing.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let verb = self.verb;
        let releases = matches!(
            verb,
            Verb::ReleaseMortgage | Verb::ReleasePledge | Verb::ClearObjection
        );
        let judged = matches!(verb, Verb::Inspect | Verb::ClearObjection);
        let unfit = |name: &str| Failure::usage("flag-unfit", args![name, verb]);
        if self.of.is_some() && !releases {
            return Err(unfit("--of"));
        }
        if self.due.is_some() && verb != Verb::Inspect {
            return Err(unfit("--due"));
        }
        match self.to {
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
        match self.result {
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

    /// The act on a licence whose record is this.
    ///
    /// # Errors
    /// What it ends is not open, or not the only one.
    pub(crate) fn act(&self, record: &LicenceRecord) -> Result<Act, Failure> {
        let result = self.result.unwrap_or_default();
        Ok(match self.verb {
            Verb::ReleaseMortgage => Act::ReleaseMortgage(self.of(&record.mortgages)?),
            Verb::ReleasePledge => Act::ReleasePledge(self.of(&record.pledges)?),
            Verb::ClearObjection => Act::ClearObjection {
                of: self.of(&record.objections)?,
                result: match result {
                    "upheld" => ObjectionResult::Upheld,
                    _ => ObjectionResult::Rejected,
                },
            },
            Verb::Inspect => Act::Inspect {
                due: self.due.map(UnixMillis::beijing_date),
                result: match result {
                    "passed" => InspectionResult::Passed,
                    _ => InspectionResult::Failed,
                },
            },
            Verb::Transfer => Act::Transfer(parse_uscc(self.to.unwrap_or_default())?),
            verb => Act::Plain(verb),
        })
    }

    /// Which open one is meant: the one said, or the only one there is.
    fn of(&self, open: &[LeafIndex]) -> Result<LeafIndex, Failure> {
        match (self.of, open) {
            (Some(index), _) => Ok(LeafIndex(index)),
            (None, [only]) => Ok(*only),
            (None, _) => {
                let list: Vec<String> = open.iter().map(|index| index.0.to_string()).collect();
                let (verb, open) = (self.verb, list.join(", "));
                Err(Failure::refused(
                    "of-needed",
                    args![verb, count = list.len(), open],
                ))
            }
        }
    }
}
