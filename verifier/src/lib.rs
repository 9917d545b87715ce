//! Decides what a licence is worth: offline, from a file, a policy and a time.
//!
//! In scope: the algorithm of `spec/verify.md` for every file people exchange, as one pure
//! function, [`verify`], and another for COSE receipts, [`verify_cose`]. Out of scope: fetching,
//! clocks, files and networks; how formats are read (`zhao-spec`). The same decision is written a
//! second time, independently, in `verifier/js`.
//!
//! Only this crate can make a [`VerifiedLicence`], and only at the end of all ten steps.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod answer;
mod check;
mod cose;
mod evidence;
mod facts;
mod history;
mod licence;
mod log_keys;
mod pack;
mod policy;
mod reason;
mod receipt;
mod replay;
mod report;
mod steps;
mod verdict;

pub use check::Check;
pub use facts::{Facts, Holder, ItemVerdict, Quorum};
pub use log_keys::named_log_keys;
pub use policy::{PolicyError, TrustPolicy};
pub use reason::Reason;
pub use report::{Fragment, FragmentName, NOT_CHECKED, Outcome, Report};
pub use verdict::{Assurance, Status, Verdict, VerifiedLicence};

use zhao_spec::file::{AnyFile, Head};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::wire::UnixMillis;

use check::{Findings, Stop};
use licence::Case;
use log_keys::LogKeys;
use report::Draft;
use steps::{Whose, s01_decode, s06_vouch};

/// What every step may look at beside the file.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) at: UnixMillis,
    pub(crate) log_keys: &'a LogKeys,
    /// Milliseconds.
    pub(crate) max_age: u64,
    pub(crate) pack: Option<&'a [u8]>,
    pub(crate) policy: &'a TrustPolicy,
}

/// Judges a file of any format, or a dossier in its QR form.
///
/// `pack` is an issuer pack for dossiers that carry no authorities, `at` the time of judging,
/// `max_age` (milliseconds) replaces the trust file's.
pub fn verify(
    file: &[u8],
    policy: &TrustPolicy,
    pack: Option<&[u8]>,
    at: UnixMillis,
    max_age: Option<u64>,
) -> Verdict {
    let max_age = max_age.unwrap_or(policy.trust.max_age);
    let file = match s01_decode::file(file) {
        Ok(file) => file,
        Err(stop) => return Progress::of(FragmentName::ALL).stopped(stop),
    };
    let context = Context {
        at,
        log_keys: &LogKeys::shown(&file, pack, policy),
        max_age,
        pack,
        policy,
    };
    match &file {
        AnyFile::Answer(answer) => answer::judge(answer, &context),
        AnyFile::Dossier(dossier) => licence::judge(
            Case {
                authorities: dossier.authorities.as_ref(),
                credential: &dossier.credential,
                head: &dossier.head,
                placed: &dossier.placed,
            },
            &context,
        ),
        AnyFile::Evidence(evidence) => evidence::judge(evidence, &context),
        AnyFile::History(history) => history::judge(history, &context),
        AnyFile::IssuerPack(pack) => pack::judge(pack, &context),
        AnyFile::Receipt(receipt) => receipt::judge(receipt, &context),
    }
}

/// Judges a COSE receipt (`spec/cose-receipt.md`) of `entry`: an event, or a leaf as the log has
/// it.
///
/// Such a receipt carries nobody's word but the log's. Under a policy that asks for witnesses or
/// auditors the verdict is at best `undetermined`.
pub fn verify_cose(receipt: &[u8], entry: &[u8], policy: &TrustPolicy) -> Verdict {
    cose::judge(receipt, entry, policy)
}

/// What has been established so far.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) assurance: Vec<Assurance>,
    pub(crate) facts: Facts,
    pub(crate) draft: Draft,
}

impl Progress {
    /// Nothing yet, of a file that has these questions.
    pub(crate) fn of(asked: &'static [FragmentName]) -> Self {
        Self {
            assurance: Vec::new(),
            facts: Facts::default(),
            draft: Draft::of(asked),
        }
    }

    /// The same of a file that has been decoded to the end.
    pub(crate) fn of_decoded(asked: &'static [FragmentName]) -> Self {
        let mut progress = Self::of(asked);
        progress.draft.answered(FragmentName::Schema);
        progress
    }

    /// Step 6, and the facts that come with it. Returns T, if the quorum needs witnesses.
    pub(crate) fn vouch(
        &mut self,
        head: &Head,
        context: &Context<'_>,
    ) -> Result<Option<UnixSeconds>, Stop> {
        s06_vouch::log_signed(Whose::File, head, context)?;
        let vouched = s06_vouch::cosigned(Whose::File, head, context.policy)?;
        self.draft.answered(FragmentName::Witnesses);
        self.assurance = vouched.assurance;
        let as_of = head.epoch.time;
        self.facts.age = Some(context.at.0.saturating_sub(as_of.0));
        self.facts.as_of = Some(as_of);
        self.facts.epoch = Some(head.epoch.epoch);
        self.facts.size = Some(head.checkpoint().size);
        self.facts.auditors = Some(vouched.auditors);
        self.facts.witnesses = Some(vouched.witnesses);
        let asks = context.policy.policy.requires_witnesses();
        self.facts.quorum = Some(if asks { Quorum::Met } else { Quorum::None });
        self.facts.quorum_time = vouched
            .quorum_time
            .and_then(|time| time.0.checked_mul(1_000))
            .map(UnixMillis);
        Ok(vouched.quorum_time)
    }

    /// The verdict when a check failed.
    pub(crate) fn stopped(self, stop: Stop) -> Verdict {
        let report = self.draft.stopped(&stop);
        Verdict::new(report, vec![stop.reason], self.assurance, self.facts, None)
    }

    /// The verdict when all was looked at. `licence` counts if the verdict is a usable one.
    pub(crate) fn finished(self, findings: Findings, licence: Option<VerifiedLicence>) -> Verdict {
        let report = self.draft.finished(&findings.0);
        let reasons = findings.0.into_iter().map(|finding| finding.reason);
        let reasons = reasons.collect();
        Verdict::new(report, reasons, self.assurance, self.facts, licence)
    }

    /// The verdict of a file that has no findings beside the checks it may fail.
    pub(crate) fn concluded(self, outcome: Result<(), Stop>) -> Verdict {
        match outcome {
            Ok(()) => self.finished(Findings::default(), None),
            Err(stop) => self.stopped(stop),
        }
    }
}
