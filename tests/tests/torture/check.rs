//! What must hold after a worker has died: as it lies there, after a start, and after a wrong
//! restoration.

use std::sync::Arc;

use zhao_ledger::fsck::{self, Advice};
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::intent::{self, Intent};
use zhao_ledger::sequence::{CHECKPOINT_FILE, CommitError, StartError};
use zhao_ledger::store;
use zhao_ledger::store::files::Files as _;
use zhao_ledger::store::layout::Leaves;
use zhao_spec::log::checkpoint;
use zhao_spec::log::tree::TreeSize;
use zhao_tests::machine::{AUDITOR, ORIGIN, WITNESS, log_keys, quorum, signer};
use zhao_tests::promise::{Checked, ensure, text};

use crate::site::{Part, Site};
use crate::stage::Stages;
use crate::supervisor::Supervisor;

/// A copy of the site, and what its parts know.
pub(crate) struct Kept {
    pub(crate) site: Site,
    /// Leaves in the database.
    pub(crate) log: TreeSize,
    /// Size in the intent.
    pub(crate) intent: TreeSize,
    /// Size the witness cosigned last.
    pub(crate) witness: TreeSize,
    /// Size the auditor cosigned last.
    pub(crate) auditor: TreeSize,
}

impl Supervisor {
    /// What the dead process left, before anything is repaired.
    pub(crate) fn check_crashed(&mut self, copy: &Site) -> Checked<Kept> {
        let (log, files) = (text(copy.log())?, text(copy.files())?);
        let last = text(store::last::<Leaves>(&*log))?;
        let size = TreeSize(last.map_or(0, |(index, _)| index.0 + 1));
        let intent = text(files.read(intent::FILE))?.map(|bytes| Intent::parse(&bytes));
        let intent = text(intent.transpose())?.map_or(TreeSize(0), |intent| intent.size);
        let witness = self.cosigned(text(copy.witnessed())?)?;
        let auditor = text(text(copy.auditor(&log))?.latest())?;
        let auditor = self.cosigned(auditor)?;
        if size.0 > 0 {
            let report = text(fsck::check(&*log, &files, &log_keys()))?;
            let worse = report
                .findings
                .iter()
                .find(|found| found.advice != Advice::Restart);
            ensure(worse.is_none(), || format!("left behind: {worse:?}"))?;
        }
        // Published before it was answered, and durable.
        let newest = Reader::new(Arc::clone(&log))
            .latest()
            .map(|view| view.size());
        let newest = newest.unwrap_or(TreeSize(0));
        let last = self.answered.values().max();
        ensure(last.is_none_or(|last| last.0 < newest.0), || {
            format!("{last:?} was answered, but the newest published head is {newest}")
        })?;
        Ok(Kept {
            site: copy.clone(),
            log: size,
            intent,
            witness,
            auditor,
        })
    }

    fn cosigned(&mut self, note: Option<String>) -> Checked<TreeSize> {
        let head = note.map(|note| self.heads.see(&note)).transpose()?;
        Ok(head.map_or(TreeSize(0), |head| head.size))
    }

    /// A start repairs whatever it was; then everything is opened anew and must agree.
    pub(crate) fn check_recovered(&mut self, copy: &Site) -> Checked {
        let published = {
            let log = text(copy.log())?;
            let (sequencer, start) = text(copy.open(&log, &Stages::quiet()))?;
            let well = start.unasked.is_empty() && sequencer.silent().is_empty();
            ensure(well, || {
                format!("{start:?}, silent {:?}", sequencer.silent())
            })?;
            let published = sequencer.published().clone();
            ensure(published.size == sequencer.size(), || {
                format!("{} leaves, published {}", sequencer.size(), published.size)
            })?;
            published
        };
        let (log, files) = (text(copy.log())?, text(copy.files())?);
        let report = text(fsck::check(&*log, &files, &log_keys()))?;
        ensure(report.is_clean(), || {
            format!("after a start: {:?}", report.findings)
        })?;
        let file = text(files.read(CHECKPOINT_FILE))?;
        ensure(file.as_deref() == Some(published.note.as_bytes()), || {
            format!(
                "the checkpoint file is not the head of size {}",
                published.size
            )
        })?;
        ensure(text(quorum().is_met(&published.note))?, || {
            "recovered without a quorum".to_owned()
        })?;
        let places = self.history.check(&log)?;
        for (id, index) in &self.answered {
            let place = places.get(id);
            ensure(place == Some(index), || {
                format!("{id} was answered {index}, is {place:?}")
            })?;
        }
        self.heads.check(&log)?;
        let auditor = text(copy.auditor(&log))?;
        ensure(text(auditor.size())? == published.size, || {
            "the auditor is behind".to_owned()
        })?;
        let (head, _) = text(checkpoint::open(&published.note, signer().vkey()))?;
        for note in [text(copy.witnessed())?, text(auditor.latest())?] {
            let note = note.ok_or("a cosigner has cosigned nothing")?;
            let (cosigned, _) = text(checkpoint::open(&note, signer().vkey()))?;
            ensure(cosigned == head, || {
                format!("published {head:?}, cosigned {cosigned:?}")
            })?;
        }
        Ok(())
    }
}

impl Kept {
    /// Puts old parts beside the newest ones. Each mixture must be refused with its own error, and
    /// nothing may be signed. Returns how many were refused.
    pub(crate) fn refuse_restored(&self, old: &Self, folder: &Site) -> Checked<u64> {
        let ours = old.log;
        let ahead = |name: &str, theirs| {
            let name = name.to_owned();
            StartError::Commit(CommitError::WitnessAhead { name, theirs, ours })
        };
        let older = StartError::DatabaseOlder {
            database: ours,
            intent: self.intent,
        };
        let cases: [(&[Part], StartError); 3] = [
            (&[Part::Log], older),
            (&[Part::Log, Part::Files], ahead(WITNESS, self.witness)),
            (
                &[Part::Log, Part::Files, Part::Witness],
                ahead(AUDITOR, self.auditor),
            ),
        ];
        for (parts, expected) in &cases {
            text(folder.take(&self.site, &Part::ALL))?;
            text(folder.take(&old.site, parts))?;
            let before = signed(folder)?;
            let opened = folder.open(&text(folder.log())?, &Stages::quiet());
            let error = opened.map(|(_, start)| start).err();
            ensure(error.as_ref() == Some(expected), || {
                format!("{parts:?} restored: expected {expected:?}, got {error:?}")
            })?;
            ensure(signed(folder)? == before, || {
                format!("{parts:?} restored: signed")
            })?;
        }
        // An old intent beside a newer database would permit what was signed to be signed again.
        text(folder.take(&self.site, &Part::ALL))?;
        text(folder.take(&old.site, &[Part::Files]))?;
        let opened = folder.open(&text(folder.log())?, &Stages::quiet());
        match opened.map(|(_, start)| start) {
            Err(StartError::Published { size, problem, .. })
                if size > old.intent && problem == "it is newer than the intent" => {}
            other => return Err(format!("files restored: {other:?}")),
        }
        Ok(4)
    }
}

/// Whether a start from parts of different ages is refused, for being that, and signs nothing.
pub(crate) fn is_refused(site: &Site) -> Checked<bool> {
    let before = signed(site)?;
    let opened = site.open(&text(site.log())?, &Stages::quiet());
    let error = match opened {
        Ok(_) => return Ok(false),
        Err(error) => error,
    };
    let expected = match &error {
        StartError::DatabaseOlder { database, intent } => database < intent,
        StartError::Commit(CommitError::WitnessAhead { ours, theirs, .. }) => ours < theirs,
        StartError::Published { problem, .. } => problem.contains("older"),
        // Taken before there was a log: whoever makes one finds the newer files.
        StartError::AlreadyCreated { .. } => true,
        _ => false,
    };
    ensure(expected, || {
        format!("refused for another reason: {error:?}")
    })?;
    ensure(signed(site)? == before, || {
        format!("{error}, but something was signed")
    })?;
    Ok(true)
}

/// Everything that changes when the key signs.
fn signed(site: &Site) -> Checked<[Option<Vec<u8>>; 3]> {
    let files = text(site.files())?;
    let intent = text(files.read(intent::FILE))?;
    Ok([
        // The empty intent comes before the first signature, when a log is made.
        intent.filter(|bytes| *bytes != Intent::none(ORIGIN).bytes()),
        text(files.read(CHECKPOINT_FILE))?,
        text(site.witnessed())?.map(String::into_bytes),
    ])
}
