//! The files people exchange: dossier, issuer pack, receipt, history, answer, evidence.
//!
//! Each is canonical JSON with a `format` member. Reading checks shape and limits and nothing
//! else: whether a file is *right* is decided by `zhao-verifier`. Reading and writing are inverse:
//! `parse(b)?.bytes()` is `b`, except for the one newline a file may end in.
//! Prose: `spec/dossier.md`, `spec/evidence.md`, `spec/proposal.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod answer;
mod authorities;
mod dossier;
mod evidence;
mod head;
mod history;
mod pack;
mod placed;
mod proposal;
mod receipt;
mod receipts;

pub use answer::{Answer, AnswerItem, EnterprisePlace};
pub use authorities::{Authorities, HistoryStep, IssuerAuthority, RegistryAuthority};
pub use dossier::{Dossier, EmbeddedCredential};
pub use evidence::{
    Batch, Evidence, Handed, HiddenEvent, NotIncluded, RawLeaf, SubjectPlace, TwoHeads,
};
pub use head::{Head, LogProof};
pub use history::{History, HistoryEntry};
pub use pack::IssuerPack;
pub use placed::{KindOfRecord, Placed};
pub use proposal::Proposal;
pub use receipt::Receipt;
pub use receipts::{Receipts, ReceiptsError};

use crate::wire::{Fields, Malformed, Problem, Value, json, limits};

/// Any of the files, told apart by `format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyFile {
    /// The open licences of one enterprise.
    Answer(Box<Answer>),
    /// A licence and its standing.
    Dossier(Box<Dossier>),
    /// Proof that an operator cheated.
    Evidence(Box<Evidence>),
    /// Every event of one subject.
    History(Box<History>),
    /// Authorities installed beside a policy.
    IssuerPack(Box<IssuerPack>),
    /// The log has taken an event.
    Receipt(Box<Receipt>),
}

impl AnyFile {
    /// Reads a file of any format.
    ///
    /// # Errors
    /// Not canonical JSON, larger than its format allows, an unknown `format`, or what the
    /// format's own reader says.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse_file_within(bytes, largest(bytes))?;
        let format = match value.member("format") {
            Some(Value::Text(text)) => text.as_str(),
            Some(_) => return Err(Malformed::value("format", "a text", "")),
            None => return Err(Malformed::new("format", Problem::Missing)),
        };
        let length = bytes.len();
        match format {
            answer::FORMAT => Answer::from_value(&value, "")
                .map(Box::new)
                .map(Self::Answer),
            dossier::FORMAT => {
                within(length, limits::DOSSIER_BYTES)?;
                Dossier::from_value(&value, "")
                    .map(Box::new)
                    .map(Self::Dossier)
            }
            evidence::FORMAT => Evidence::from_value(&value, "")
                .map(Box::new)
                .map(Self::Evidence),
            history::FORMAT => History::from_value(&value, "")
                .map(Box::new)
                .map(Self::History),
            pack::FORMAT => IssuerPack::from_value(&value, "")
                .map(Box::new)
                .map(Self::IssuerPack),
            receipt::FORMAT => {
                within(length, limits::DOSSIER_BYTES)?;
                Receipt::from_value(&value, "")
                    .map(Box::new)
                    .map(Self::Receipt)
            }
            other => Err(Malformed::value("format", "a format of zhao/v1", other)),
        }
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Answer(file) => file.bytes(),
            Self::Dossier(file) => file.bytes(),
            Self::Evidence(file) => file.bytes(),
            Self::History(file) => file.bytes(),
            Self::IssuerPack(file) => file.bytes(),
            Self::Receipt(file) => file.bytes(),
        }
    }

    /// The `format` text.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self {
            Self::Answer(_) => answer::FORMAT,
            Self::Dossier(_) => dossier::FORMAT,
            Self::Evidence(_) => evidence::FORMAT,
            Self::History(_) => history::FORMAT,
            Self::IssuerPack(_) => pack::FORMAT,
            Self::Receipt(_) => receipt::FORMAT,
        }
    }
}

/// The byte limit before `format` is known: canonical evidence begins with its `claim`, and only
/// evidence may be larger than a pack.
fn largest(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"{\"claim\":") {
        limits::EVIDENCE_BYTES
    } else {
        limits::PACK_BYTES
    }
}

/// Refuses a file longer than its format allows.
fn within(actual: usize, limit: usize) -> Result<(), Malformed> {
    if actual > limit {
        return Err(Malformed::new("", Problem::TooLong { limit, actual }));
    }
    Ok(())
}

/// The whole value of a file of at most `limit` bytes.
fn document(bytes: &[u8], limit: usize) -> Result<Value, Malformed> {
    Ok(json::parse_file_within(bytes, limit)?)
}

/// Puts `error` below `path`.
fn below(path: &str, error: Malformed) -> Malformed {
    let joined = match (path.is_empty(), error.path.is_empty()) {
        (true, _) => error.path,
        (_, true) => path.to_owned(),
        _ => format!("{path}.{}", error.path),
    };
    Malformed::new(joined, error.problem)
}

/// Hashes of a log proof, leaf to root.
fn hashes(fields: &mut Fields<'_>, name: &str) -> Result<Vec<crate::wire::Hash>, Malformed> {
    fields.items(name, limits::PROOF_HASHES, crate::wire::fields::hash_of)
}

#[cfg(test)]
mod tests;
