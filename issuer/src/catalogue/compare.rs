//! Two versions of an entry: what differs, and whether the later one may follow the earlier.

use std::collections::BTreeMap;

use zhao_spec::life::data::Openness;
use zhao_spec::wire::{Value, json};

use super::{Entry, Fault, FieldKind, Rule, Sensitivity};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What stands there in the later version; none: the member is gone.
    pub after: Option<String>,
    /// What stood there in the earlier version; none: the member is new.
    pub before: Option<String>,
    /// Where: as in faults, but elements that have a name are named, `fields[premises].titles.zh`.
    pub place: String,
}

/// Everything that differs, by place. Elements of a list that have a name, code or member are
/// told apart by it, so that a field put in between does not make all after it differ.
#[must_use]
pub fn compare(before: &Entry, after: &Entry) -> Vec<Difference> {
    let [before, after] = [before, after].map(|entry| {
        let mut leaves = BTreeMap::new();
        flatten(&entry.value, String::new(), &mut leaves);
        leaves
    });
    let mut places: Vec<&String> = before.keys().chain(after.keys()).collect();
    places.sort_unstable();
    places.dedup();
    let differ = |place: &&&String| before.get(**place) != after.get(**place);
    places
        .iter()
        .filter(differ)
        .map(|place| Difference {
            after: after.get(*place).cloned(),
            before: before.get(*place).cloned(),
            place: (*place).clone(),
        })
        .collect()
}

/// The leaves of `value` as text, by place.
fn flatten(value: &Value, place: String, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let inner = match place.is_empty() {
                    true => name.clone(),
                    false => format!("{place}.{name}"),
                };
                flatten(member, inner, leaves);
            }
        }
        Value::Array(items) if items.iter().any(|item| matches!(item, Value::Object(_))) => {
            for (at, item) in items.iter().enumerate() {
                let name = label(item).map_or_else(|| at.to_string(), str::to_owned);
                let mut inner = format!("{place}[{name}]");
                // Two of one name: told apart by their place after all.
                let next = leaves.range(inner.clone()..).next();
                if next.is_some_and(|(other, _)| other.starts_with(&inner)) {
                    inner = format!("{place}[{at}]");
                }
                flatten(item, inner, leaves);
            }
        }
        Value::Text(text) => {
            leaves.insert(place, text.clone());
        }
        other => {
            let text = String::from_utf8(json::encode(other)).unwrap_or_default();
            leaves.insert(place, text);
        }
    }
}

/// What tells an element of a list from the others.
fn label(item: &Value) -> Option<&str> {
    ["member", "name", "code"].iter().find_map(|name| {
        // A rule on a register has a code and a name, which say what it compares.
        match item.member(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        }
    })
}

/// Why `after` may not follow `before` in the log; empty when it may.
///
/// A type stays what it is (code, definer, slug) and its version goes up by one. What licences in
/// force rest on stays: no field that they must have disappears, no field becomes another kind.
/// Whoever lets more be seen says so in the entry itself (`widensOpenness`), so that the digest
/// in the log commits to it.
#[must_use]
pub fn incompatible(before: &Entry, after: &Entry) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, was, is) in [
        (
            "typeCode",
            before.type_code.as_str(),
            after.type_code.as_str(),
        ),
        (
            "definer.code",
            before.definer.code.as_str(),
            after.definer.code.as_str(),
        ),
        ("slug", before.slug.as_str(), after.slug.as_str()),
    ] {
        if was != is {
            faults.push(Fault::new(place, Rule::Same, is));
        }
    }
    if before.version.checked_add(1) != Some(after.version) {
        let actual = after.version.to_string();
        faults.push(Fault::new("version", Rule::VersionNext, &actual));
    }
    for field in &before.fields {
        let place = format!("fields[{}]", field.name);
        match after.field(&field.name) {
            None if field.required => faults.push(Fault::new(place, Rule::FieldRequired, "")),
            Some(later) if kind(&later.kind) != kind(&field.kind) => {
                let actual = kind(&later.kind);
                faults.push(Fault::new(
                    format!("{place}.kind"),
                    Rule::FieldKindKept,
                    actual,
                ));
            }
            _ => {}
        }
    }
    match (widens(before, after), after.widens) {
        (Some(place), false) => faults.push(Fault::new(place, Rule::WidensSaid, "")),
        (None, true) => faults.push(Fault::new("widensOpenness", Rule::WidensTrue, "true")),
        _ => {}
    }
    faults
}

/// Where more can be seen under `after` than under `before`, if anywhere.
fn widens(before: &Entry, after: &Entry) -> Option<String> {
    if openness(after.openness) > openness(before.openness) {
        return Some("widensOpenness (openness)".to_owned());
    }
    if after.indexed && !before.indexed {
        return Some("widensOpenness (indexed)".to_owned());
    }
    if after.individual_businesses && !before.individual_businesses {
        return Some("widensOpenness (individualBusinesses)".to_owned());
    }
    let wider = |name: &str, is: Sensitivity| {
        let was = before.field(name).map(|field| field.sensitivity);
        was.is_some_and(|was| seen(is) > seen(was))
    };
    let field = after
        .fields
        .iter()
        .find(|field| wider(&field.name, field.sensitivity));
    field.map(|field| format!("widensOpenness (fields[{}].sensitivity)", field.name))
}

fn openness(openness: Openness) -> u8 {
    match openness {
        Openness::Closed => 0,
        Openness::Restricted => 1,
        Openness::Open => 2,
    }
}

fn seen(sensitivity: Sensitivity) -> u8 {
    match sensitivity {
        Sensitivity::Secret => 0,
        Sensitivity::Personal => 1,
        Sensitivity::Public => 2,
    }
}

fn kind(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Boolean => "boolean",
        FieldKind::Code(_) => "code",
        FieldKind::Date => "date",
        FieldKind::Integer => "integer",
        FieldKind::Text { .. } => "text",
    }
}
