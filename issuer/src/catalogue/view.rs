//! What of a licence, or of an entry, an answer may contain, and under which conditions.
//!
//! Every answer that shows face data or fields goes through here: a `secret` field is in none that
//! is public or about the catalogue (CAT-11), whatever the type's openness.

use std::collections::BTreeMap;

use zhao_spec::credential::FaceValue;
use zhao_spec::life::data::Openness;
use zhao_spec::wire::Value;

use super::{Conditions, Entry, Field, Sensitivity};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anyone, unnamed: the public index, the catalogue.
    Public,
    /// A unit that may use licences of the type for a purpose.
    User,
    /// The holder, or the unit that issued.
    Party,
}

/// What an answer may contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed<'a> {
    /// What whoever gets it must keep to; goes with it always.
    pub conditions: Option<&'a Conditions>,
    /// Values by field.
    pub face_data: BTreeMap<&'a str, &'a FaceValue>,
}

impl Entry {
    /// Whether `audience` may see a field of a licence of this type.
    #[must_use]
    pub fn shows(&self, field: &Field, audience: Audience) -> bool {
        match (audience, field.sensitivity) {
            (Audience::Party, _) => true,
            (_, Sensitivity::Secret) => false,
            (Audience::User, _) => true,
            (Audience::Public, Sensitivity::Personal) => false,
            (Audience::Public, Sensitivity::Public) => self.openness == Openness::Open,
        }
    }

    /// What `audience` may see of `face_data`. What the entry does not name is shown to nobody.
    #[must_use]
    pub fn disclose<'a>(
        &'a self,
        face_data: &'a BTreeMap<String, FaceValue>,
        audience: Audience,
    ) -> Disclosed<'a> {
        let shown = face_data.iter().filter(|(name, _)| {
            let field = self.field(name);
            field.is_some_and(|field| self.shows(field, audience))
        });
        Disclosed {
            conditions: self.conditions(),
            face_data: shown.map(|(name, value)| (name.as_str(), value)).collect(),
        }
    }

    /// The entry as a catalogue answer shows it: without its secret fields, and without what
    /// points to them.
    #[must_use]
    pub fn listing(&self) -> Value {
        let secret: Vec<&str> = self
            .fields
            .iter()
            .filter(|field| field.sensitivity == Sensitivity::Secret)
            .map(|field| field.name.as_str())
            .collect();
        without(&self.value, &secret)
    }
}

/// `value` without the elements of lists that name one of `secret`.
fn without(value: &Value, secret: &[&str]) -> Value {
    match value {
        Value::Array(items) => {
            let kept = items.iter().filter(|item| !names(item, secret));
            Value::Array(kept.map(|item| without(item, secret)).collect())
        }
        Value::Object(members) => {
            let kept = members.iter();
            let kept = kept.map(|(name, member)| (name.clone(), without(member, secret)));
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

fn names(item: &Value, secret: &[&str]) -> bool {
    ["name", "member", "code"].iter().any(|name| {
        matches!(item.member(name), Some(Value::Text(text)) if secret.contains(&text.as_str()))
    })
}
