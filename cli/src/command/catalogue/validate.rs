//! Everything that is wrong with entry files, in one go; and what differs between two.

use std::path::{Path, PathBuf};

use comfy_table::presets;
use serde_json::json;
use zhao_issuer::catalogue::{
    CatalogueError, ENTRY_BYTES, Entry, Fault, Gap, Profile, Wrong, check_pictures, compare,
    incompatible,
};
use zhao_spec::wire::Problem;

use super::{entry, name, profile};
use crate::args::{Compare, Validate};
use crate::failure::{Exit, Failure, args};
use crate::messages::{Language, Messages};
use crate::session::Session;
use crate::sheet::{plain, table};

/// One thing that is wrong with a file.
#[derive(Debug)]
pub(super) struct Finding {
    /// Where and what.
    fault: Fault,
    /// The regulation's word for what is missing, when a profile asks for it.
    item: Option<zhao_issuer::catalogue::Names>,
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self { fault, item: None }
    }
}

impl From<Gap> for Finding {
    fn from(gap: Gap) -> Self {
        Self {
            fault: gap.fault,
            item: Some(gap.item),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A file or directory that cannot be read, an unknown profile.
pub(super) fn run(session: &Session, command: &Validate) -> Result<Exit, Failure> {
    let profile = command.profile.as_deref().map(profile).transpose()?;
    let mut all = Vec::new();
    for path in paths(&command.file)? {
        all.push((path.clone(), file(&path, profile.as_ref())?));
    }
    let wrong = all.iter().filter(|(_, findings)| !findings.is_empty());
    let wrong = wrong.count();
    if command.json {
        let both = [Messages::new(Language::En), Messages::new(Language::Zh)];
        let files: Vec<_> = all
            .iter()
            .map(|(path, findings)| {
                let problems: Vec<_> = findings.iter().map(|found| found.json(&both)).collect();
                json!({ "file": path.display().to_string(), "problems": problems })
            })
            .collect();
        session.line(&serde_json::Value::Array(files).to_string())?;
    } else {
        print(session, &all)?;
        let count = all.len();
        session.note("catalogue.validated", &args![count, wrong]);
    }
    Ok(match wrong {
        0 => Exit::Fine,
        _ => Exit::Refused,
    })
}

/// The files named, and those of the directories named.
fn paths(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for path in named {
        if !path.is_dir() {
            paths.push(path.clone());
            continue;
        }
        let wrap = |cause: std::io::Error| Failure::file("read", path, &cause);
        let mut inner = Vec::new();
        for found in std::fs::read_dir(path).map_err(wrap)? {
            let found = found.map_err(wrap)?.path();
            if found.extension().is_some_and(|end| end == "json") {
                inner.push(found);
            }
        }
        if inner.is_empty() {
            let path = path.display();
            return Err(Failure::usage("catalogue-empty", args![path]));
        }
        inner.sort_unstable();
        paths.append(&mut inner);
    }
    Ok(paths)
}

/// All that is wrong with one file.
fn file(path: &Path, profile: Option<&Profile>) -> Result<Vec<Finding>, Failure> {
    let whole = |problem: String| {
        let wrong = Wrong::Said(problem);
        let place = String::new();
        vec![Fault { place, wrong }.into()]
    };
    match entry(path)? {
        Ok(entry) => Ok(judge(&entry, path, profile)),
        Err(CatalogueError::Malformed { faults, .. }) => {
            let mut findings: Vec<Finding> = faults.0.into_iter().map(Finding::from).collect();
            let bytes = crate::files::read(path, ENTRY_BYTES)?;
            if let (Ok(value), Some(profile)) = (Entry::value_of(path, &bytes), profile) {
                findings.extend(profile.gaps_of(&value, &[]).into_iter().map(Finding::from));
            }
            Ok(findings)
        }
        Err(CatalogueError::Json { source, .. }) => Ok(whole(source.to_string())),
        Err(other) => Ok(whole(other.to_string())),
    }
}

/// What keeps a well-formed entry from being published.
pub(super) fn judge(entry: &Entry, path: &Path, profile: Option<&Profile>) -> Vec<Finding> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut faults = entry.unpublishable();
    faults.extend(check_pictures(entry, dir));
    let mut findings: Vec<Finding> = faults.into_iter().map(Finding::from).collect();
    // Pictures were looked at already: the profile asks only whether they are named.
    let gaps = profile.map(|profile| profile.gaps(entry, None));
    findings.extend(gaps.into_iter().flatten().map(Finding::from));
    findings
}

impl Finding {
    /// What is expected, in the language of `messages`.
    pub(super) fn expected(&self, messages: &Messages) -> String {
        let key = format!("rule.{}", self.fault.code());
        let expected = match &self.fault.wrong {
            Wrong::Shape(Problem::WrongKind { expected, .. }) => (*expected).to_owned(),
            Wrong::Shape(Problem::TooLong { limit, .. }) => limit.to_string(),
            Wrong::Shape(problem) => problem.to_string(),
            Wrong::Said(text) => text.clone(),
            Wrong::Rule { .. } => String::new(),
        };
        messages.fill(&key, &args![expected])
    }

    /// Place, expected, actual: one line.
    pub(super) fn line(&self, messages: &Messages) -> String {
        let place = &self.fault.place;
        let item = self.item.as_ref().map(|names| format!(" ({})", names.zh));
        let actual = match self.fault.actual() {
            none if none.is_empty() => String::new(),
            actual => format!(" — {}", plain(&actual)),
        };
        let item = item.unwrap_or_default();
        format!(
            "{}{item}: {}{actual}",
            plain(place),
            self.expected(messages)
        )
    }

    fn json(&self, [en, zh]: &[Messages; 2]) -> serde_json::Value {
        json!({
            "actual": self.fault.actual(),
            "code": self.fault.code(),
            "expected": { "en": self.expected(en), "zh": self.expected(zh) },
            "item": self.item.as_ref().map(|names| json!({ "en": names.en, "zh": names.zh })),
            "place": self.fault.place,
        })
    }
}

fn print(session: &Session, all: &[(PathBuf, Vec<Finding>)]) -> Result<(), Failure> {
    let mut rows = table(session, presets::UTF8_HORIZONTAL_ONLY);
    let word = |key: &str| session.messages.text(key);
    rows.set_header([
        word("catalogue.file"),
        word("catalogue.place"),
        word("catalogue.expected"),
        word("catalogue.actual"),
    ]);
    let mut any = false;
    for (path, findings) in all {
        for found in findings {
            any = true;
            let place = match &found.item {
                Some(item) => format!("{} ({})", found.fault.place, name(session, item)),
                None => found.fault.place.clone(),
            };
            rows.add_row([
                plain(&path.display().to_string()),
                plain(&place),
                found.expected(&session.messages),
                plain(&found.fault.actual()),
            ]);
        }
    }
    match any {
        true => session.line(&rows.to_string()),
        false => Ok(()),
    }
}

/// Runs `zhao catalogue compare`.
///
/// # Errors
/// A file that cannot be read or holds no entry.
pub(super) fn compare_files(session: &Session, command: &Compare) -> Result<Exit, Failure> {
    let read = |path: &Path| {
        entry(path)?.map_err(|cause| Failure::refused("catalogue-entry", args![cause]))
    };
    let (before, after) = (read(&command.before)?, read(&command.after)?);
    let differences = compare(&before, &after);
    let faults: Vec<Finding> = incompatible(&before, &after)
        .into_iter()
        .map(Finding::from)
        .collect();
    if command.json {
        let both = [Messages::new(Language::En), Messages::new(Language::Zh)];
        let differences: Vec<_> = differences
            .iter()
            .map(|one| json!({ "after": one.after, "before": one.before, "place": one.place }))
            .collect();
        let problems: Vec<_> = faults.iter().map(|fault| fault.json(&both)).collect();
        let whole = json!({ "differences": differences, "problems": problems });
        session.line(&whole.to_string())?;
    } else {
        let word = |key: &str| session.messages.text(key);
        let mut rows = table(session, presets::UTF8_HORIZONTAL_ONLY);
        rows.set_header([
            word("catalogue.change"),
            word("catalogue.place"),
            word("catalogue.before"),
            word("catalogue.after"),
        ]);
        for one in &differences {
            let change = match (&one.before, &one.after) {
                (None, _) => "catalogue.added",
                (_, None) => "catalogue.removed",
                _ => "catalogue.changed",
            };
            let text = |side: &Option<String>| plain(side.as_deref().unwrap_or_default());
            rows.add_row([
                word(change),
                plain(&one.place),
                text(&one.before),
                text(&one.after),
            ]);
        }
        session.line(&rows.to_string())?;
        for fault in &faults {
            let text = fault.line(&session.messages);
            session.say("catalogue.incompatible", &args![text])?;
        }
    }
    Ok(match faults.is_empty() {
        true => Exit::Fine,
        false => Exit::Refused,
    })
}
