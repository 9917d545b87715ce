//! What verifying has established, beside the verdict.

use zhao_spec::life::record::State;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::write::{ArrayWriter, ObjectWriter};
use zhao_spec::wire::{Hash, UnixMillis, limits};

use crate::reason::Reason;
use crate::report::FragmentName;
use crate::verdict::Status;

/// Whether the policy's quorum asks for witnesses. It is met where a verdict tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quorum {
    /// It asks for some, and they cosigned.
    Met,
    /// It asks for none.
    None,
}

impl Quorum {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::None => "none",
        }
    }
}

/// Whose licence it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The holder's number.
    pub code: String,
    /// The holder's name.
    pub name: String,
}

/// The verdict on one item of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemVerdict {
    /// Subject key of the licence.
    pub subject: Hash,
    /// The verdict; none for an item without a credential.
    pub judged: Option<(Status, Vec<Reason>)>,
}

/// What was established. A member is there once the step that proves it has passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// From `as_of` to the time of judging, milliseconds; 0 when `as_of` is later.
    pub age: Option<u64>,
    /// Time of the epoch: everything is as of then.
    pub as_of: Option<UnixMillis>,
    /// Auditors counted, by their names in the trust file.
    pub auditors: Option<Vec<String>>,
    /// When the licence's state took legal effect.
    pub effective: Option<UnixMillis>,
    /// Epoch number.
    pub epoch: Option<u64>,
    /// The holder.
    pub holder: Option<Holder>,
    /// Thumbprint of the issuing key.
    pub issued_by: Option<Hash>,
    /// Index of `issued`.
    pub issued_index: Option<LeafIndex>,
    /// Verdicts on the items of an answer.
    pub items: Option<Vec<ItemVerdict>>,
    /// Whether the quorum asks for witnesses.
    pub quorum: Option<Quorum>,
    /// T: the time for which the quorum vouches.
    pub quorum_time: Option<UnixMillis>,
    /// When the licence's state was recorded.
    pub recorded: Option<UnixMillis>,
    /// Number of leaves in the log.
    pub size: Option<TreeSize>,
    /// The licence's state.
    pub state: Option<State>,
    /// The licence's subject key.
    pub subject: Option<Hash>,
    /// Licence type code.
    pub type_code: Option<String>,
    /// USCC of the issuing unit.
    pub unit: Option<String>,
    /// Witnesses counted, by their names in the policy.
    pub witnesses: Option<Vec<String>>,
}

impl Facts {
    /// Writes all, or those of one fragment.
    pub(crate) fn write(&self, out: &mut ObjectWriter<'_>, of: Option<FragmentName>) {
        use FragmentName::{Authority, Integrity, Standing, Witnesses};
        let told = |fragment: FragmentName| of.is_none_or(|of| of == fragment);
        // A number or time beyond what our JSON can say is left out: only a log that signs
        // nonsense has one, and no verdict rests on it.
        let time = |of: FragmentName, time: Option<UnixMillis>| {
            time.filter(|time| told(of) && *time <= UnixMillis::MAX)
        };
        let number = |of: FragmentName, number: Option<u64>| {
            number.filter(|number| told(of) && *number <= limits::INTEGER)
        };
        if let Some(age) = number(Standing, self.age) {
            out.int("age", age);
        }
        if let Some(as_of) = time(Standing, self.as_of) {
            out.time("asOf", as_of);
        }
        if let Some(names) = self.auditors.as_ref().filter(|_| told(Witnesses)) {
            out.array("auditors", |list| texts(list, names));
        }
        if let Some(effective) = time(Standing, self.effective) {
            out.time("effective", effective);
        }
        if let Some(epoch) = number(Standing, self.epoch) {
            out.int("epoch", epoch);
        }
        if let Some(holder) = self.holder.as_ref().filter(|_| told(Integrity)) {
            out.object("holder", |one| {
                one.text("code", &holder.code).text("name", &holder.name);
            });
        }
        if let Some(key) = self.issued_by.as_ref().filter(|_| told(Authority)) {
            out.hash("issuedBy", key);
        }
        if let Some(index) = number(Authority, self.issued_index.map(|index| index.0)) {
            out.int("issuedIndex", index);
        }
        if let Some(items) = self.items.as_ref().filter(|_| of.is_none()) {
            out.array("items", |list| {
                items.iter().for_each(|item| item.write(list));
            });
        }
        if let Some(quorum) = self.quorum.filter(|_| told(Witnesses)) {
            out.text("quorum", quorum.as_str());
        }
        if let Some(quorum_time) = time(Witnesses, self.quorum_time) {
            out.time("quorumTime", quorum_time);
        }
        if let Some(recorded) = time(Standing, self.recorded) {
            out.time("recorded", recorded);
        }
        if let Some(size) = number(Standing, self.size.map(|size| size.0)) {
            out.int("size", size);
        }
        if let Some(state) = self.state.filter(|_| told(Standing)) {
            out.text("state", state.as_str());
        }
        if let Some(subject) = self.subject.as_ref().filter(|_| told(Standing)) {
            out.hash("subject", subject);
        }
        if let Some(code) = self.type_code.as_ref().filter(|_| told(Authority)) {
            out.text("typeCode", code);
        }
        if let Some(unit) = self.unit.as_ref().filter(|_| told(Authority)) {
            out.text("unit", unit);
        }
        if let Some(names) = self.witnesses.as_ref().filter(|_| told(Witnesses)) {
            out.array("witnesses", |list| texts(list, names));
        }
    }
}

impl ItemVerdict {
    fn write(&self, list: &mut ArrayWriter<'_>) {
        list.object(|one| {
            if let Some((_, reasons)) = &self.judged {
                one.array("reasons", |codes| write_codes(codes, reasons));
            }
            one.hash("subject", &self.subject);
            if let Some((status, _)) = &self.judged {
                one.text("verdict", status.as_str());
            }
        });
    }
}

fn texts(list: &mut ArrayWriter<'_>, names: &[String]) {
    for name in names {
        list.text(name);
    }
}

pub(crate) fn write_codes(list: &mut ArrayWriter<'_>, reasons: &[Reason]) {
    for reason in reasons {
        list.text(reason.code());
    }
}
