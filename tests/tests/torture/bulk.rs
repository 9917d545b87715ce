//! Files issued in bulk by a process that is killed and started again with the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use rand_chacha::ChaCha20Rng;
use zhao_issuer::intake::Row;
use zhao_issuer::office::{Bulk, Office, RowOutcome};
use zhao_issuer::records::{LicenceState, Records};
use zhao_tests::client::Client;
use zhao_tests::office::START;
use zhao_tests::promise::{Checked, ensure, text};

use crate::office::{ABORT_TURNS, defaults, row};
use crate::stage::{BULK_WAYS, Edge, Place, Stages};

/// A worker that issues in bulk is killed at the latest after this many lines.
pub(crate) const KILL_LINES: u64 = 2_500;
/// Ways to die in bulk.
pub(crate) const WAYS: [(Place, Edge); 8] = BULK_WAYS;
/// Small chunks, so that many are on their way at once, each at another stage.
const BULK: Bulk = Bulk {
    chunk: 40,
    in_flight: 5,
    workers: 2,
    dry_run: false,
    job: None,
};
/// Every so many rows one has a wrong check digit.
const BAD: u64 = 97;
/// Every so many rows one has the case number of the row before it.
const AGAIN: u64 = 61;

/// Files, one after another, from the `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) first: u64,
    pub(crate) rows: u64,
}

impl Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bulk:{}:{}", self.first, self.rows)
    }
}

impl Files {
    /// What [`Display`] has written; none for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, rows) = text.strip_prefix("bulk:")?.split_once(':')?;
        let (first, rows) = (first.parse().ok()?, rows.parse().ok()?);
        Some(Self { first, rows })
    }
}

/// Turns at a place, at most, until an abort.
pub(crate) fn turns(place: Place) -> u64 {
    match place {
        Place::Report => 1_200,
        Place::Turn => 60,
        Place::Submit => 30,
        _ => 4 * ABORT_TURNS,
    }
}

/// Whether the row can be issued.
fn good(number: u64) -> bool {
    !number.is_multiple_of(BAD)
}

/// The case number of a row.
fn case(file: u64, number: u64) -> String {
    let number = if number.is_multiple_of(AGAIN) {
        number - 1
    } else {
        number
    };
    format!("{file}-{number}")
}

fn rows(file: u64, count: u64) -> impl Iterator<Item = Row> {
    (1..=count).map(move |number| {
        let reference = case(file, number);
        let code = if good(number) {
            "91320402DEM0010172"
        } else {
            "91320402DEM0010173"
        };
        row(number, &[("reference", &reference), ("holderCode", code)])
    })
}

/// Issues the first of these files to its end, and says what became of each row.
pub(crate) fn issue(
    office: &mut Office<Client>,
    files: Files,
    stages: &Stages,
    rng: &mut ChaCha20Rng,
    say: &mut dyn FnMut(&str) -> Checked,
) -> Checked {
    let (mut rows, mut problem) = (rows(files.first, files.rows).map(Ok), Ok(()));
    let clock = || stages.pass(Place::Turn, || (), || START);
    let tally = office.issue_bulk(
        &mut rows,
        &defaults(),
        &BULK,
        &clock,
        rng,
        &mut |number, outcome, _| {
            let case = case(files.first, number);
            let line = match outcome {
                RowOutcome::Issued { id, index, .. } => format!("issued {case} {id} {index}"),
                RowOutcome::Repeated(licence) => {
                    format!("repeated {case} {}", licence.credential_id)
                }
                RowOutcome::Refused(_) if !good(number) => return,
                other => format!("wrong {case} {other:?}"),
            };
            stages.pass(
                Place::Report,
                || (),
                || {
                    if let Err(why) = say(&line) {
                        problem = Err(why);
                    }
                },
            );
        },
    );
    let tally = text(tally)?;
    ensure(tally.trouble.is_none() && tally.pending == 0, || {
        format!("{tally:?}")
    })?;
    problem?;
    say(&format!("finished {}", files.first))
}

/// Issues file after file until the process is ended.
pub(crate) fn work(
    office: &mut Office<Client>,
    stages: &Stages,
    files: Files,
    rng: &mut ChaCha20Rng,
) {
    let mut say = |line: &str| {
        stages.say(line);
        Ok(())
    };
    for first in files.first.. {
        let files = Files { first, ..files };
        issue(office, files, stages, rng, &mut say).unwrap();
    }
}

/// What the workers said.
#[derive(Default)]
pub(crate) struct Heard {
    /// Case number → the credential's `id`.
    cases: BTreeMap<String, String>,
    /// Case number → leaf.
    leaves: BTreeMap<String, u64>,
    finished: BTreeSet<u64>,
}

impl Heard {
    /// The file that is to be issued next, or again.
    pub(crate) fn file(&self) -> u64 {
        self.finished.last().map_or(0, |last| last + 1)
    }

    /// Whether the line is about a file.
    pub(crate) fn hear(&mut self, line: &str) -> Checked<bool> {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("issued"), Some(case), Some(id)) => {
                let index = text(words.next().unwrap_or_default().parse())?;
                let before = self.leaves.insert(case.to_owned(), index);
                ensure(before.is_none(), || format!("issued twice: {line}"))?;
                self.is(case, id)?;
            }
            (Some("repeated"), Some(case), Some(id)) => self.is(case, id)?,
            (Some("finished"), Some(file), None) => {
                self.finished.insert(text(file.parse())?);
            }
            (Some("wrong"), ..) => return Err(line.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn is(&mut self, case: &str, id: &str) -> Checked {
        let before = self.cases.insert(case.to_owned(), id.to_owned());
        ensure(before.is_none_or(|before| before == id), || {
            format!("another licence than before: {case} {id}")
        })
    }
}

/// Every row of every file up to `last` is issued once, as it was said, under numbers of its own.
pub(crate) fn check(records: &Records, last: u64, rows: u64, heard: &Heard) -> Checked<String> {
    let (mut numbers, mut identifiers) = (BTreeSet::new(), BTreeSet::new());
    let (mut found, mut after) = (BTreeMap::new(), 0);
    loop {
        let ids = text(records.row_ids(after, 1_000))?;
        let Some(end) = ids.last() else { break };
        after = *end;
        for id in ids {
            let Some(licence) = text(records.licence_of(id))? else {
                continue;
            };
            if licence.state == LicenceState::Refused {
                continue;
            }
            let identifier = licence.identifier.clone();
            ensure(identifiers.insert(identifier), || {
                format!("{} is there twice", licence.identifier)
            })?;
            let Some(case) = licence.reference else {
                continue;
            };
            ensure(numbers.insert(licence.number.clone()), || {
                format!("{} is there twice", licence.number)
            })?;
            ensure(licence.state == LicenceState::Issued, || {
                format!("{case} is not issued")
            })?;
            let told = heard.cases.get(&case);
            ensure(told == Some(&licence.credential_id), || {
                format!("{case} is {}, it was said to be {told:?}", licence.number)
            })?;
            ensure(found.insert(case.clone(), id).is_none(), || {
                format!("{case} is issued twice")
            })?;
        }
    }
    let asked = (0..=last)
        .flat_map(|file| {
            (1..=rows)
                .filter(|number| good(*number))
                .map(move |n| (file, n))
        })
        .map(|(file, number)| case(file, number));
    let asked: BTreeSet<String> = asked.collect();
    ensure(found.keys().eq(&asked), || {
        let missing = asked.iter().find(|case| !found.contains_key(*case));
        format!("{} of {} issued, not {missing:?}", found.len(), asked.len())
    })?;
    let said = heard.leaves.len();
    Ok(format!(
        "{} rows of {} files, {said} said in time",
        found.len(),
        last + 1
    ))
}
