//! A licence's record.

use crate::life::data::{InspectionResult, TypeRef, words};
use crate::log::tree::LeafIndex;
use crate::wire::fields::{Fields, Malformed, int_of, text_of};
use crate::wire::hash::Hash;
use crate::wire::limits;
use crate::wire::time::UnixMillis;
use crate::wire::write::ObjectWriter;

words! {
    /// Main state. All but `active` are terminal.
    State {
        /// 有效.
        Active = "active",
        /// 已换发: another version took its place.
        Superseded = "superseded",
        /// 已注销.
        Cancelled = "cancelled",
        /// 已吊销.
        Revoked = "revoked",
        /// 已撤销.
        Annulled = "annulled",
        /// 已废止.
        Abolished = "abolished",
    }
}
words! {
    /// What keeps an active licence from being used, and can be lifted. In order of the words.
    Suspension {
        /// 挂起.
        OnHold = "on_hold",
        /// 挂失.
        ReportedLost = "reported_lost",
        /// 暂扣.
        Withheld = "withheld",
    }
}

/// The latest inspection and the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// When the next is due.
    pub due: Option<UnixMillis>,
    /// How the latest ended.
    pub result: Option<InspectionResult>,
}

/// The unit stood by what a compromised key had signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaffirmed {
    /// Thumbprint of the key that signed the reaffirmation.
    pub by: Hash,
    /// Its leaf index.
    pub index: LeafIndex,
}

/// A licence's standing. Written by `apply` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenceRecord {
    /// Subject key of the unit that may change it now.
    pub controller: Hash,
    /// When the state or suspensions last changed, in law.
    pub effective: UnixMillis,
    /// The holder's public index.
    pub enterprise: Option<Hash>,
    /// Leaf index of the latest event.
    pub index: LeafIndex,
    /// The latest inspection and the next; absent until known.
    pub inspection: Option<Inspection>,
    /// Thumbprint of the issuing key.
    pub issued_by: Hash,
    /// Leaf index of `issued`.
    pub issued_index: LeafIndex,
    /// Subject key of the issuing unit.
    pub issuer: Hash,
    /// Leaf hash of the latest event.
    pub latest: Hash,
    /// Thumbprint of the key that signed the latest event.
    pub latest_by: Hash,
    /// Indexes of open mortgages, ascending.
    pub mortgages: Vec<LeafIndex>,
    /// Indexes of open objections, ascending.
    pub objections: Vec<LeafIndex>,
    /// Indexes of open pledges, ascending.
    pub pledges: Vec<LeafIndex>,
    /// The version before.
    pub predecessor: Option<Hash>,
    /// The latest reaffirmation.
    pub reaffirmed: Option<Reaffirmed>,
    /// Recorded time of the latest change of state or suspensions.
    pub recorded: UnixMillis,
    /// Sequence number of the latest event.
    pub seq: u64,
    /// Main state.
    pub state: State,
    /// The version after.
    pub successor: Option<Hash>,
    /// Ascending by word.
    pub suspensions: Vec<Suspension>,
    /// The licence type, in clear or committed.
    pub type_ref: TypeRef,
    /// SHA-256 of the credential's canonical bytes.
    pub vc: Hash,
}

fn indexes(fields: &mut Fields<'_>, name: &str) -> Result<Vec<LeafIndex>, Malformed> {
    let list = fields.items(name, limits::OPEN_FLAGS, |value, path| {
        int_of(value, path).map(LeafIndex)
    })?;
    if list.windows(2).any(|pair| pair.first() >= pair.last()) {
        return Err(Malformed::value(
            fields.path_of(name),
            "strictly ascending",
            "",
        ));
    }
    Ok(list)
}

fn write_indexes(o: &mut ObjectWriter<'_>, name: &str, list: &[LeafIndex]) {
    o.array(name, |a| {
        list.iter().for_each(|index| {
            a.int(index.0);
        });
    });
}

impl LicenceRecord {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut digests = fields.object("digests")?;
        let vc = digests.hash("vc")?;
        digests.finish()?;
        let inspection = match fields.optional_object("inspection")? {
            None => None,
            Some(mut inspection) => {
                let due = inspection.optional_time("due")?;
                let result = if inspection.has("result") {
                    Some(InspectionResult::read(&mut inspection, "result")?)
                } else {
                    None
                };
                let path = inspection.path().to_owned();
                inspection.finish()?;
                if due.is_none() && result.is_none() {
                    return Err(Malformed::value(path, "a due time or a result", "{}"));
                }
                Some(Inspection { due, result })
            }
        };
        let reaffirmed = match fields.optional_object("reaffirmed")? {
            None => None,
            Some(mut reaffirmed) => {
                let read = Reaffirmed {
                    by: reaffirmed.hash("by")?,
                    index: LeafIndex(reaffirmed.int("index")?),
                };
                reaffirmed.finish()?;
                Some(read)
            }
        };
        let path = fields.path_of("suspensions");
        let suspensions = fields.items("suspensions", Suspension::ALL.len(), |value, path| {
            let word = text_of(value, path)?;
            Suspension::from_word(word)
                .ok_or_else(|| Malformed::value(path, "on_hold, reported_lost, withheld", word))
        })?;
        if suspensions
            .windows(2)
            .any(|pair| pair.first() >= pair.last())
        {
            return Err(Malformed::value(path, "strictly ascending", ""));
        }
        Ok(Self {
            controller: fields.hash("controller")?,
            effective: fields.time("effective")?,
            enterprise: fields.optional_hash("enterprise")?,
            index: LeafIndex(fields.int("index")?),
            inspection,
            issued_by: fields.hash("issuedBy")?,
            issued_index: LeafIndex(fields.int("issuedIndex")?),
            issuer: fields.hash("issuer")?,
            latest: fields.hash("latest")?,
            latest_by: fields.hash("latestBy")?,
            mortgages: indexes(fields, "mortgages")?,
            objections: indexes(fields, "objections")?,
            pledges: indexes(fields, "pledges")?,
            predecessor: fields.optional_hash("predecessor")?,
            reaffirmed,
            recorded: fields.time("recorded")?,
            seq: fields.int("seq")?,
            state: State::read(fields, "state")?,
            successor: fields.optional_hash("successor")?,
            suspensions,
            type_ref: TypeRef::read(fields)?,
            vc,
        })
    }

    pub(super) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.hash("controller", &self.controller)
            .object("digests", |o| {
                o.hash("vc", &self.vc);
            })
            .time("effective", self.effective);
        if let Some(enterprise) = &self.enterprise {
            o.hash("enterprise", enterprise);
        }
        o.int("index", self.index.0);
        if let Some(inspection) = &self.inspection {
            o.object("inspection", |o| {
                if let Some(due) = inspection.due {
                    o.time("due", due);
                }
                if let Some(result) = inspection.result {
                    o.text("result", result.as_str());
                }
            });
        }
        o.hash("issuedBy", &self.issued_by)
            .int("issuedIndex", self.issued_index.0)
            .hash("issuer", &self.issuer)
            .text("kind", "licence")
            .hash("latest", &self.latest)
            .hash("latestBy", &self.latest_by);
        write_indexes(o, "mortgages", &self.mortgages);
        write_indexes(o, "objections", &self.objections);
        write_indexes(o, "pledges", &self.pledges);
        if let Some(predecessor) = &self.predecessor {
            o.hash("predecessor", predecessor);
        }
        if let Some(reaffirmed) = &self.reaffirmed {
            o.object("reaffirmed", |o| {
                o.hash("by", &reaffirmed.by)
                    .int("index", reaffirmed.index.0);
            });
        }
        o.time("recorded", self.recorded)
            .int("seq", self.seq)
            .text("state", self.state.as_str());
        if let Some(successor) = &self.successor {
            o.hash("successor", successor);
        }
        o.array("suspensions", |a| {
            self.suspensions.iter().for_each(|suspension| {
                a.text(suspension.as_str());
            });
        });
        self.type_ref.write(o);
    }
}
