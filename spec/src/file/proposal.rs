//! A proposal: what the administrators are asked to sign, carried between their machines.
//! Prose: `spec/proposal.md`.

use crate::life::data::{Action, Administrators, check_type_code, check_unit};
use crate::life::event::{Event, read_signatures};
use crate::life::subject::{Kind, subject_key};
use crate::life::verb::{On, Verb};
use crate::wire::write::{object, object_bytes};
use crate::wire::{Fields, Hash, Malformed, PublicKey, UnixMillis, Value, limits};

use super::document;

const FORMAT: &str = "zhao/v1 proposal";
const DAY_MILLIS: u64 = 24 * 3_600_000;

/// What the administrators are asked to sign.
///
/// Reading it shows that the file says what its statement says. Who signed, whether they may and
/// whether it still can be done is for whoever holds the log to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The administrators when it was made, as the proposer says.
    pub administrators: Administrators,
    /// The statement, and the signatures over it so far.
    pub event: Event,
    /// Hash of the log's genesis leaf.
    pub genesis: Hash,
    /// What the statement's subject key was made from.
    pub id: String,
    /// When it was made.
    pub proposed: UnixMillis,
}

impl Proposal {
    /// Reads a proposal.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape, a verb that
    /// the administrators do not sign, or an `id` that is not what the statement is about.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = document(bytes, limits::PROPOSAL_BYTES)?;
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, "")?;
        fields.literal("format", FORMAT)?;
        let mut administrators = fields.object("administrators")?;
        let keys = Administrators::read(&mut administrators)?;
        administrators.finish()?;
        let mut event = Event::from_statement(fields.value("event")?, "event")?;
        event.signatures = read_signatures(&mut fields, &mut PublicKey::from_multibase)?;
        let proposal = Self {
            administrators: keys,
            event,
            genesis: fields.hash("genesis")?,
            id: fields.text("id")?.to_owned(),
            proposed: fields.time("proposed")?,
        };
        fields.finish()?;
        proposal.check()?;
        Ok(proposal)
    }

    /// Checks that the members agree with the statement.
    ///
    /// # Errors
    /// The first that does not, in the order of `spec/proposal.md`.
    pub fn check(&self) -> Result<(), Malformed> {
        let event = &self.event;
        let verb = event.verb();
        let kind = kind_of(verb).filter(|_| event.signer.is_none());
        let Some(kind) = kind else {
            let expected = "what the administrators sign";
            return Err(Malformed::value("event", expected, verb.as_str()));
        };
        match kind {
            Kind::Issuer => check_unit(&self.id, "id")?,
            Kind::LicenceType => check_type_code(&self.id, "id")?,
            _ => {}
        }
        let named = match &event.action {
            Action::AddUnit { unit, .. } => unit == &self.id,
            Action::PublishType(data) => data.type_code == self.id,
            Action::ChangeAdministrators(_) | Action::RotateLogKey(_) => event.origin == self.id,
            _ => true,
        };
        if !named || subject_key(&event.origin, kind, &self.id) != event.subject {
            let expected = "the id that the statement is about";
            return Err(Malformed::value("id", expected, &self.id));
        }
        let ahead = event.effective.0.checked_sub(self.proposed.0);
        if ahead.is_none_or(|millis| millis > limits::PROPOSAL_AHEAD_MILLIS) {
            let expected = "at most 30 days before the statement takes effect, and not after";
            let found = self.proposed.to_string();
            return Err(Malformed::value("proposed", expected, &found));
        }
        Ok(())
    }

    /// What kind of subject the statement is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        kind_of(self.event.verb()).unwrap_or(Kind::Registry)
    }

    /// When the log stops taking it: the verb reaches back no further. This is in the signed
    /// bytes, so that nobody can put it off.
    #[must_use]
    pub fn expires(&self) -> UnixMillis {
        let days = self.event.verb().reaches_back_days().unwrap_or(0);
        let millis = days.saturating_mul(DAY_MILLIS);
        UnixMillis(self.event.effective.0.saturating_add(millis))
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            let mut administrators = Vec::new();
            object(&mut administrators, |own| self.administrators.write(own));
            out.raw("administrators", &administrators);
            out.raw("event", &self.event.statement());
            out.text("format", FORMAT);
            out.hash("genesis", &self.genesis);
            out.text("id", &self.id);
            out.time("proposed", self.proposed);
            self.event.write_signatures(out);
        })
    }
}

/// The kind of subject of a verb that administrators sign; none for what only a unit signs.
fn kind_of(verb: Verb) -> Option<Kind> {
    match (verb, verb.on()) {
        (Verb::RotateKey, _) | (_, On::Licence) => None,
        (_, On::Issuer) => Some(Kind::Issuer),
        (_, On::LicenceType) => Some(Kind::LicenceType),
        (_, On::Registry) => Some(Kind::Registry),
    }
}

#[cfg(test)]
mod tests;
