//! Dossiers, verified in this process and then where there is no network.

use std::path::PathBuf;

use zhao_spec::credential::Licence;
use zhao_spec::wire::Hash;
use zhao_verifier::Status;

use super::offline::Isolation;
use super::story::{Story, open};
use crate::command::office::wrong;
use crate::command::verify::{Belief, exit};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::session::Session;

/// Untouched licences that are verified beside those that something happened to.
const UNTOUCHED: usize = 300;
/// Dossiers handed to the child that has no network.
const OFFLINE: usize = 6;

/// How verification went.
#[derive(Debug)]
pub(crate) struct Proved {
    /// Dossiers written and verified here.
    pub(crate) verified: usize,
    /// Bytes of the smallest and the largest.
    pub(crate) sizes: (u64, u64),
    /// Milliseconds that verifying took in all.
    pub(crate) millis: u128,
    /// Files verified without network: name, verdict, reasons.
    pub(crate) offline: Vec<(PathBuf, String)>,
    /// Whether there really was no network.
    pub(crate) isolation: Isolation,
    /// A usable dossier, for the newcomer.
    pub(crate) example: PathBuf,
}

/// Writes and verifies dossiers; every verdict must be the one the story calls for.
///
/// # Errors
/// A verdict that is another, or the disk.
pub(crate) fn prove(session: &Session, story: &Story, belief: &Belief) -> Result<Proved, Failure> {
    let dir = story.dir.join("dossiers");
    files::make_dir(&dir)?;
    let untouched = story.untouched.iter().take(UNTOUCHED);
    let cases: Vec<(Hash, Status, &str)> = story
        .expected
        .iter()
        .copied()
        .chain(untouched.map(|subject| (*subject, Status::Valid, "")))
        .collect();
    let mut written = Vec::new();
    let desk = open(session, &story.home)?;
    let reader = desk.office.client().reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    for (subject, status, code) in cases {
        let row = desk
            .office
            .records()
            .licence(&subject)
            .map_err(|cause| wrong(cause.into()))?;
        let Some(row) = row else { continue };
        let licence = Licence::parse(&row.credential).map_err(because("office", args![]))?;
        let dossier = view
            .dossier(&licence, true)
            .map_err(because("ledger", args![]))?;
        let mut bytes = dossier.bytes();
        bytes.push(b'\n');
        let name = crate::command::issue::file_name(&row.credential_id);
        let path = dir.join(name);
        files::replace(&path, &bytes)?;
        written.push((path, bytes, status, code));
    }
    drop(desk);
    let at = session.host.now()?;
    let watch = session.host.stopwatch();
    for (path, bytes, status, code) in &written {
        let verdict = belief.judge(bytes, at, None);
        let codes: Vec<&str> = verdict
            .reasons()
            .iter()
            .map(|reason| reason.code())
            .collect();
        let right = verdict.status() == *status && (code.is_empty() || codes.contains(code));
        // The sample has licences that end within days; the story is about the rest.
        let untouched = code.is_empty() && *status == Status::Valid;
        let ended = codes
            .iter()
            .all(|code| ["expired", "not_yet_valid"].contains(code));
        let excused = untouched && ended && !codes.is_empty();
        if !right && !excused {
            let actual = format!("{} {}", verdict.status().as_str(), codes.join(" "));
            let expected = format!("{} {code}", status.as_str());
            return Err(Failure::usage(
                "demo-verdict",
                args![path = path.display(), expected, actual],
            ));
        }
    }
    let millis = watch.read().as_millis();
    let length = |bytes: &Vec<u8>| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let sizes = written.iter().map(|(_, bytes, ..)| length(bytes));
    let sizes = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
    let example = written
        .iter()
        .rev()
        .find(|(_, _, status, _)| *status == Status::Valid)
        .map(|(path, ..)| path.clone())
        .unwrap_or_default();
    let isolation = Isolation::probe();
    let offline = offline(session, story, &written, &isolation)?;
    Ok(Proved {
        verified: written.len(),
        sizes,
        millis,
        offline,
        isolation,
        example,
    })
}

type Written = (PathBuf, Vec<u8>, Status, &'static str);

/// One dossier of each kind of verdict, through the program itself, cut off.
fn offline(
    session: &Session,
    story: &Story,
    written: &[Written],
    isolation: &Isolation,
) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut chosen: Vec<&Written> = Vec::new();
    for case in written {
        let known = chosen
            .iter()
            .any(|other| other.2 == case.2 && other.3 == case.3);
        if !known && chosen.len() < OFFLINE {
            chosen.push(case);
        }
    }
    let policy = story.home.policy();
    let policy = policy.to_string_lossy();
    let mut told = Vec::new();
    for (path, _, status, code) in chosen {
        let file = path.to_string_lossy();
        let arguments = ["verify", &file, "--policy", &policy, "--json"];
        let output = isolation.run(session, &arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = match exit(*status) {
            Exit::Fine => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Undetermined => 3,
            Exit::Stopped => 4,
        };
        let says = format!("\"verdict\":\"{}\"", status.as_str());
        if output.status.code() != Some(expected) || !text.contains(&says) {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            let actual = format!("{} {} {}", output.status, text.trim(), error.trim());
            return Err(Failure::usage(
                "demo-verdict",
                args![path = path.display(), expected = status.as_str(), actual],
            ));
        }
        told.push((
            path.clone(),
            format!("{} {code}", status.as_str()).trim().to_owned(),
        ));
    }
    Ok(told)
}
