//! Status lists derived from a log, and published ones laid beside it.
//! Prose: `spec/status-list.md`.

use zhao_ledger::read::{ReadError, Reader, View};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::map::page::Prefix;
use zhao_spec::wire::foreign::{Foreign, ForeignError, parse_foreign};
use zhao_vc::did::UnitMethods;
use zhao_vc::status::derive::{Derived, Deriving, ListName, Purpose, agree};
use zhao_vc::status::{ListCredential, StatusError, decode, signed};

/// Why a list was not derived, or what is wrong with one that was published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The published list is not that of the log.
    #[error("{0}")]
    Status(#[from] StatusError),
    /// The published list is no JSON.
    #[error("{0}")]
    Json(#[from] ForeignError),
    /// It says another thing of the epoch it was derived from than the log does.
    #[error("derivedFrom.{member} is not that of the log's epoch")]
    Epoch {
        /// The member.
        member: &'static str,
    },
    /// The log cannot be read there: no judgement.
    #[error("{0}")]
    Read(#[from] ReadError),
}

impl Trouble {
    /// Whether the list is at fault, and not what it would be judged by.
    pub(crate) fn is_fault(&self) -> bool {
        !matches!(self, Self::Read(_))
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Status(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::Epoch { .. } => "status-epoch",
            Self::Read(_) => "not-judged",
        }
    }
}

/// The list of one purpose under a head.
///
/// # Errors
/// The store's; none of the list's.
pub(crate) fn derived(
    view: &View<'_>,
    name: &ListName,
    purpose: Purpose,
) -> Result<Derived, Trouble> {
    let mut deriving = Deriving::new(name, &[purpose])?;
    let (low, _) = name.range();
    let mut failed = Ok(());
    // One byte of tag, then the bits that part the unit's licences.
    if let Some(prefix) = Prefix::of(&low, 8_u8.saturating_add(name.bits())) {
        let issuer = subject_key(view.origin(), Kind::Issuer, name.unit());
        view.licences_below(&prefix, &mut |key, record| {
            if record.issuer == issuer && failed.is_ok() {
                failed = deriving.take(key, record);
            }
        })?;
    }
    failed?;
    Ok(deriving.finish())
}

/// Lays a published list beside the log at the epoch that it names.
///
/// # Errors
/// [`Trouble`], whose [`Trouble::is_fault`] says whose fault it is.
pub(crate) fn compare(reader: &Reader, bytes: &[u8]) -> Result<(), Trouble> {
    let credential = parse_foreign(bytes.trim_ascii_end())?;
    let list = ListCredential::read(&credential)?;
    let shape = |member, expected| StatusError::Shape { member, expected };
    let from = list
        .derived_from
        .as_ref()
        .ok_or(shape("derivedFrom", "there, as in a list of a log"))?;
    let (purpose, name) = named(list.id.as_deref().unwrap_or_default())
        .ok_or(shape("id", "the URL of a list of a log"))?;
    if list.purposes != [purpose.as_str()] {
        return Err(StatusError::Purpose {
            expected: purpose.as_str().to_owned(),
        }
        .into());
    }
    let at = list
        .valid_from
        .ok_or(shape("validFrom", "the time of an epoch"))?;
    let view = reader.as_of(at)?;
    let epoch = view.epoch();
    for (member, same) in [
        ("origin", from.origin == view.origin()),
        ("epoch", from.epoch == epoch.epoch),
        ("size", from.size == view.size().0),
        ("mapRoot", from.map_root == epoch.map_root),
        ("time", at == epoch.time),
    ] {
        if !same {
            return Err(Trouble::Epoch { member });
        }
    }
    proved(&view, &credential, &list, name.unit())?;
    let published = decode(&list.encoded, purpose.size())?;
    let derived = derived(&view, &name, purpose)?;
    Ok(agree(&published, derived.list(purpose)?)?)
}

/// Whether the list's proof is by a key of its unit: in force at the epoch, or, for a list of the
/// past that was asked for later, now.
fn proved(
    view: &View<'_>,
    credential: &Foreign,
    list: &ListCredential,
    unit: &str,
) -> Result<(), Trouble> {
    let subject = subject_key(view.origin(), Kind::Issuer, unit);
    let Some(Record::Issuer(record)) = view.placed(&subject)?.1 else {
        return Err(ReadError::Absent { what: "unit" }.into());
    };
    if !list.issuer.ends_with(&format!(":units:{unit}")) {
        return Err(StatusError::Issuer {
            actual: zhao_spec::wire::clip(&list.issuer),
        }
        .into());
    }
    let last = LeafIndex(view.size().0.saturating_sub(1));
    let opened = |at| {
        let methods = UnitMethods {
            did: &list.issuer,
            record: &record,
            at,
        };
        signed::open(credential, &methods)
    };
    opened(Some(last)).or_else(|error| opened(None).map_err(|_| error))?;
    Ok(())
}

/// Purpose and name from a list's URL, `…/status/PURPOSE/NAME`.
fn named(url: &str) -> Option<(Purpose, ListName)> {
    let (rest, name) = url.rsplit_once('/')?;
    let (rest, purpose) = rest.rsplit_once('/')?;
    let known = rest.ends_with("/status");
    let purpose = Purpose::from_word(purpose).filter(|_| known)?;
    Some((purpose, ListName::parse(name).ok()?))
}
