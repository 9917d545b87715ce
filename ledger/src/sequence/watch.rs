//! What took how long and who failed how, told to whoever watches. Nothing is decided upon it.
//!
//! There is no clock here: [`Watch::elapsed`] is the watcher's, and so are the counters.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{Span, info_span};
use zhao_spec::log::tree::TreeSize;

use super::cosign::CosignError;

/// Whoever watches a log at work. Called on the log's own threads: it must answer at once.
pub trait Watch: Send + Sync {
    /// Time since some fixed moment. Never goes back.
    fn elapsed(&self) -> Duration;

    /// An operation of the sequencer ended: leaves in the log now, and the cosigners that gave
    /// nothing usable for the newest head, with why.
    fn stands(&self, size: TreeSize, silent: &[(String, String)]);

    /// A stage of a commit ended after so long, well or not.
    fn stage(&self, stage: Stage, took: Duration);

    /// A commit of so many events was begun.
    fn batch(&self, events: usize);

    /// A submission was answered so long after it was handed in.
    fn admitted(&self, took: Duration);

    /// An event was refused for its signatures. `code` is one of the life cycle's.
    fn unsigned(&self, code: &'static str);

    /// A cosigner answered a question to cosign after so long, whatever it said and however late.
    fn answered(&self, name: &str, took: Duration);

    /// A cosigner's own line was added to a head.
    fn cosigned(&self, name: &str);

    /// A cosigner gave nothing usable for a head it was asked to cosign.
    fn failed(&self, name: &str, failing: Failing);
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name among the figures.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// A stage of a commit, in the order in which they come.
    Stage {
        /// Leaves, tiles, records and map of the epoch (first path).
        Derive = "derive",
        /// The same computed again from the bytes (second path).
        Check = "check",
        /// The synced batch.
        Write = "write",
        /// The claim in the place of publication.
        Claim = "claim",
        /// The intent on disk, and the log's signatures.
        Sign = "sign",
        /// Cosigners.
        Cosign = "cosign",
        /// The head with its quorum on disk.
        Publish = "publish",
    }
}

impl Stage {
    /// The span in which it happens, for whoever collects traces.
    pub(crate) fn span(self) -> Span {
        match self {
            Self::Derive => info_span!("derive"),
            Self::Check => info_span!("check"),
            Self::Write => info_span!("write"),
            Self::Claim => info_span!("claim"),
            Self::Sign => info_span!("sign"),
            Self::Cosign => info_span!("cosign"),
            Self::Publish => info_span!("publish"),
        }
    }
}

words! {
    /// How a cosigner fails to cosign.
    Failing {
        /// It has not answered an earlier question yet.
        Busy = "busy",
        /// It insists on, or cannot show, another size than ours.
        Conflict = "conflict",
        /// It sent a line that does not verify, or that nobody's key made.
        False = "false",
        /// Its thread has ended.
        Gone = "gone",
        /// It did not answer in time.
        Late = "late",
        /// It answered well and gave no line of its own.
        Nothing = "nothing",
        /// It refused.
        Refused = "refused",
        /// It could not be reached.
        Unreachable = "unreachable",
    }
}

impl From<&CosignError> for Failing {
    fn from(error: &CosignError) -> Self {
        match error {
            CosignError::Conflict { .. } => Self::Conflict,
            CosignError::Refused(_) => Self::Refused,
            CosignError::Unreachable(_) => Self::Unreachable,
        }
    }
}

/// The watcher, once there is one. All parts of a log share it.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<OnceLock<Arc<dyn Watch>>>);

impl Watched {
    /// From now on `watch` is told. The first one stays.
    pub(crate) fn by(&self, watch: Arc<dyn Watch>) {
        let _ = self.0.set(watch);
    }

    /// Tells the watcher, if there is one.
    pub(crate) fn tell(&self, what: impl FnOnce(&dyn Watch)) {
        if let Some(watch) = self.0.get() {
            what(&**watch);
        }
    }

    /// When this is, for [`Watched::since`].
    pub(crate) fn begin(&self) -> Option<Duration> {
        self.0.get().map(|watch| watch.elapsed())
    }

    /// Tells the watcher how long it is since `begun`; nothing for what began before it came.
    pub(crate) fn since(&self, begun: Option<Duration>, what: impl FnOnce(&dyn Watch, Duration)) {
        if let (Some(begun), Some(watch)) = (begun, self.0.get()) {
            what(&**watch, watch.elapsed().saturating_sub(begun));
        }
    }

    /// Does a stage of a commit and tells how long it took.
    pub(crate) fn stage<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let begun = self.begin();
        let done = stage.span().in_scope(work);
        self.since(begun, |watch, took| watch.stage(stage, took));
        done
    }
}
