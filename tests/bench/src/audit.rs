//! An auditor's replay of the whole log, into a database of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use zhao_ledger::audit::{Auditor, LeafSource, StoreLeaves};
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::tree::LeafIndex;

use indicatif::ProgressBar;

use crate::figure::Figure;
use crate::ledger::Ledger;
use crate::machine::strict_beside;
use crate::office::{START, secret};
use crate::progress::{bar, done};
use crate::statistics::{median, per_second};
use crate::workload::ORIGIN;

/// Leaves from the log's store, counted for the bar.
struct Counted {
    source: StoreLeaves,
    progress: ProgressBar,
}

impl LeafSource for Counted {
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String> {
        self.progress.set_position(from.0);
        self.source.leaves(from, limit)
    }
}

/// Replays everything up to the newest head.
pub(crate) fn figures(ledger: &Ledger, folder: &Path) -> Result<Vec<Figure>> {
    let reader = ledger.reader();
    let view = reader.latest()?;
    let progress = bar(view.size().0, "audit");
    let store = Arc::new(Rocks::create(&folder.join("auditor"))?);
    let source = Arc::new(Counted {
        source: StoreLeaves(Arc::clone(&ledger.store)),
        progress: progress.clone(),
    });
    let log = NoteSigner::new(ORIGIN, secret("log"))?.vkey().clone();
    let genesis = ledger.workload.office.genesis().hash();
    let (name, key) = ("auditor.example", secret("auditor"));
    let mut auditor = Auditor::new(name, key, log.into(), genesis, store, source)?;
    let mut beside = vec![strict_beside(), strict_beside()];
    let start = Instant::now();
    auditor.cosign(view.note(), UnixSeconds(START.0 / 1_000))?;
    let replayed = per_second(ledger.events, start.elapsed());
    beside.push(strict_beside());
    done(&progress);
    drop(auditor);
    std::fs::remove_dir_all(folder.join("auditor"))?;
    Ok(vec![
        Figure::new(
            "audit",
            "audit: events replayed from genesis",
            "审计：自创世重放",
            replayed,
            "/s",
        )
        .against("verify_strict on two threads", median(beside))
        .at_least(0.6),
    ])
}
