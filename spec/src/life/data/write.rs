//! Canonical bytes of each verb's data, members in ascending order.

use super::{Action, Issued, KeyGrant, Note, PublishType};
use crate::wire::write::ObjectWriter;

/// Members of a note stand between others, so each is written where the alphabet wants it.
impl Note {
    fn basis(&self, o: &mut ObjectWriter<'_>) {
        if let Some(basis) = &self.basis {
            o.hash("basis", basis);
        }
    }

    fn code(&self, o: &mut ObjectWriter<'_>) {
        if let Some(code) = &self.code {
            o.text("code", code);
        }
    }

    fn reason(&self, o: &mut ObjectWriter<'_>) {
        if let Some(reason) = &self.reason {
            o.hash("reason", reason);
        }
    }
}

fn grant(o: &mut ObjectWriter<'_>, grant: &KeyGrant) {
    o.key("key", &grant.key);
    o.array("types", |a| {
        grant.types.iter().for_each(|code| {
            a.text(code);
        });
    });
}

fn issued(o: &mut ObjectWriter<'_>, issued: &Issued) {
    issued.note.basis(o);
    issued.note.code(o);
    o.object("digests", |o| {
        o.hash("vc", &issued.vc);
    });
    if let Some(enterprise) = &issued.enterprise {
        o.hash("enterprise", enterprise);
    }
    if let Some(due) = issued.inspection_due {
        o.time("inspectionDue", due);
    }
    if let Some(predecessor) = &issued.predecessor {
        o.object("predecessor", |o| {
            o.hash("prev", &predecessor.prev)
                .text("relation", predecessor.relation.as_str())
                .int("seq", predecessor.seq)
                .hash("subject", &predecessor.subject);
        });
    }
    issued.note.reason(o);
    issued.type_ref.write(o);
}

fn publish(o: &mut ObjectWriter<'_>, publish: &PublishType) {
    o.hash("digest", &publish.digest)
        .bool("indexed", publish.indexed)
        .bool("individualBusinesses", publish.individual_businesses)
        .text("inspection", publish.inspection.as_str())
        .text("openness", publish.openness.as_str())
        .text("typeCode", &publish.type_code)
        .array("verbs", |a| {
            publish.verbs.iter().for_each(|verb| {
                a.text(verb.as_str());
            });
        })
        .int("version", publish.version);
}

impl Action {
    pub(crate) fn write(&self, o: &mut ObjectWriter<'_>) {
        match self {
            Self::Issued(data) => issued(o, data),
            Self::Plain(_, note) => {
                note.basis(o);
                note.code(o);
                note.reason(o);
            }
            Self::Release(_, of, note) => {
                note.basis(o);
                note.code(o);
                o.int("of", of.0);
                note.reason(o);
            }
            Self::Inspect { due, note, result } => {
                note.basis(o);
                note.code(o);
                if let Some(due) = due {
                    o.time("due", *due);
                }
                note.reason(o);
                o.text("result", result.as_str());
            }
            Self::ClearObjection { note, of, result } => {
                note.basis(o);
                note.code(o);
                o.int("of", of.0);
                note.reason(o);
                o.text("result", result.as_str());
            }
            Self::Transfer { controller, note } => {
                note.basis(o);
                note.code(o);
                o.hash("controller", controller);
                note.reason(o);
            }
            Self::AddUnit { grant: first, unit } => {
                grant(o, first);
                o.text("unit", unit);
            }
            Self::GrantTypes(data) | Self::ProposeKey(data) => grant(o, data),
            Self::RotateKey { key, retire } => {
                o.key("key", key);
                if let Some(retire) = retire {
                    o.key("retire", retire);
                }
            }
            Self::RetireKey(key) | Self::ConfirmKey(key) | Self::WithdrawProposal(key) => {
                o.key("key", key);
            }
            Self::SuspendUnit | Self::ResumeUnit | Self::RetireType => {}
            Self::CompromiseKey { from, key } => {
                o.int("from", from.0).key("key", key);
            }
            Self::PublishType(data) => publish(o, data),
            Self::ChangeAdministrators(administrators) => administrators.write(o),
            Self::RotateLogKey(data) => data.write(o),
        }
    }
}
