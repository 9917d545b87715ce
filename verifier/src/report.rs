//! The verdict in six parts, one for each question a reader asks of a file.
//!
//! Nothing is judged here. The steps say which check failed, what they collected and which
//! questions they have answered to the end; [`Report::status`] makes the verdict of that, and no
//! verdict is made otherwise. A question that nobody answered to the end is never passed.

use crate::check::{Check, Finding, Stop};
use crate::verdict::Status;

/// The code of a question that was not answered because a check of another had failed.
pub const NOT_CHECKED: &str = "not_checked";

/// What a fragment of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FragmentName {
    /// Is it as its signer signed it?
    Integrity,
    /// Was whoever issued it entitled to, by a chain from the trusted administrators?
    Authority,
    /// Does the time of judging lie in its term?
    Validity,
    /// What does the log say of it, does it really say so, and as of when?
    Standing,
    /// Do as many others vouch for the log as the policy asks for?
    Witnesses,
    /// Is it a well-formed file of ours with a credential of our closed profile?
    Schema,
}

impl FragmentName {
    /// Every name, in the order of a report.
    pub const ALL: &'static [Self] = &[
        Self::Integrity,
        Self::Authority,
        Self::Validity,
        Self::Standing,
        Self::Witnesses,
        Self::Schema,
    ];

    /// The name in vectors and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Authority => "authority",
            Self::Validity => "validity",
            Self::Standing => "standing",
            Self::Witnesses => "witnesses",
            Self::Schema => "schema",
        }
    }
}

/// What the checks of one fragment say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All were made and none speaks against use. With codes: something the reader must be told.
    Pass,
    /// There is not enough evidence, or the checks were not reached.
    Undetermined,
    /// A check speaks against use.
    Fail,
}

impl Outcome {
    /// The word in vectors and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undetermined => "undetermined",
            Self::Fail => "fail",
        }
    }
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    name: FragmentName,
    outcome: Outcome,
    /// Those that failed or had something to tell. None and undetermined: not checked.
    checks: Vec<Check>,
}

impl Fragment {
    /// What it is about.
    #[must_use]
    pub fn name(&self) -> FragmentName {
        self.name
    }

    /// The answer.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Codes of the reasons that belong here, in the order of `spec/verify.md`; [`NOT_CHECKED`]
    /// alone where the checks were not reached.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        if self.outcome == Outcome::Undetermined && self.checks.is_empty() {
            return vec![NOT_CHECKED];
        }
        self.checks.iter().map(|check| check.code()).collect()
    }

    /// What it makes of the verdict, by its outcome and codes alone.
    fn status(&self) -> Status {
        let forgivable = |check: &Check| {
            let own = check.status();
            own == Status::NotUsable || own == Status::ValidWithNotice
        };
        match self.outcome {
            Outcome::Undetermined => Status::Undetermined,
            Outcome::Pass if self.checks.is_empty() => Status::Valid,
            Outcome::Pass => Status::ValidWithNotice,
            Outcome::Fail if self.checks.iter().all(forgivable) => Status::NotUsable,
            Outcome::Fail => Status::Invalid,
        }
    }
}

/// The fragments that the kind of file has, in the order of [`FragmentName::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    fragments: Vec<Fragment>,
}

impl Report {
    /// The fragments. A dossier has all six; so has what is no file of ours.
    #[must_use]
    pub fn fragments(&self) -> &[Fragment] {
        &self.fragments
    }

    /// The fragment of that name, if this kind of file has it.
    #[must_use]
    pub fn fragment(&self, name: FragmentName) -> Option<&Fragment> {
        self.fragments.iter().find(|own| own.name == name)
    }

    /// The verdict: the worst that fails; else undetermined if one is; else what the passed say.
    #[must_use]
    pub fn status(&self) -> Status {
        let all = || self.fragments.iter().map(Fragment::status);
        let worst = all().max().unwrap_or(Status::Undetermined);
        let fails = matches!(worst, Status::NotUsable | Status::Invalid);
        if !fails && all().any(|status| status == Status::Undetermined) {
            return Status::Undetermined;
        }
        worst
    }
}

/// A report in the making: which questions this kind of file has, and which are answered.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    asked: &'static [FragmentName],
    answered: Vec<FragmentName>,
}

impl Draft {
    /// For a file that has these questions.
    pub(crate) fn of(asked: &'static [FragmentName]) -> Self {
        Self {
            asked,
            answered: Vec::new(),
        }
    }

    /// All checks of `name` were made, and none of them stopped.
    pub(crate) fn answered(&mut self, name: FragmentName) {
        self.answered.push(name);
    }

    /// The report when a check failed: what was answered before stays so.
    pub(crate) fn stopped(&self, stop: &Stop) -> Report {
        self.report(&[(stop.check, stop.outcome)])
    }

    /// The report when all was looked at.
    pub(crate) fn finished(&self, findings: &[Finding]) -> Report {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| (finding.check, finding.outcome))
            .collect();
        self.report(&findings)
    }

    /// No code is lost: a fragment that has one is there even if this kind of file lacks it.
    fn report(&self, findings: &[(Check, Outcome)]) -> Report {
        let fragment = |name: FragmentName| {
            let own = || {
                findings
                    .iter()
                    .filter(|(check, _)| check.fragment() == name)
            };
            let worst = own().map(|(_, outcome)| *outcome).max();
            if worst.is_none() && !self.asked.contains(&name) {
                return None;
            }
            let unanswered = if self.answered.contains(&name) {
                Outcome::Pass
            } else {
                Outcome::Undetermined
            };
            // A notice does not answer the rest of its question.
            let outcome = match worst {
                None | Some(Outcome::Pass) => unanswered,
                Some(other) => other,
            };
            Some(Fragment {
                name,
                outcome,
                checks: own().map(|(check, _)| *check).collect(),
            })
        };
        Report {
            fragments: FragmentName::ALL
                .iter()
                .filter_map(|name| fragment(*name))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
