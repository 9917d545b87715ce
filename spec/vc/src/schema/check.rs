//! A document under a schema.

use std::collections::BTreeSet;

use zhao_spec::wire::foreign::Foreign;

use super::{DEPTH, Format, Kind, Node, Range, STEPS, SchemaError, same};
use crate::model::place::Place;
use crate::model::{Moment, is_url};

type Checked = Result<(), SchemaError>;

pub(super) struct Checker<'n> {
    nodes: &'n [Node],
    steps: usize,
    depth: usize,
}

impl<'n> Checker<'n> {
    pub(super) fn new(nodes: &'n [Node]) -> Self {
        Self {
            nodes,
            steps: 0,
            depth: 0,
        }
    }

    fn spend(&mut self, steps: usize) -> Checked {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > STEPS {
            true => Err(SchemaError::Work { limit: STEPS }),
            false => Ok(()),
        }
    }

    /// `value` under the subschema `at`.
    pub(super) fn check(&mut self, at: usize, value: &Foreign, place: &Place<'_>) -> Checked {
        let nodes = self.nodes;
        let Some(node) = nodes.get(at) else {
            return Err(mismatch(place, "false"));
        };
        self.spend(1)?;
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH {
            return Err(SchemaError::Work { limit: STEPS });
        }
        let checked = self.node(node, value, place);
        self.depth = self.depth.saturating_sub(1);
        checked
    }

    /// Whether `value` conforms to the subschema `at`.
    fn fits(&mut self, at: usize, value: &Foreign, place: &Place<'_>) -> Result<bool, SchemaError> {
        let depth = self.depth;
        match self.check(at, value, place) {
            Ok(()) => Ok(true),
            Err(SchemaError::Mismatch { .. }) => {
                self.depth = depth;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn node(&mut self, node: &Node, value: &Foreign, place: &Place<'_>) -> Checked {
        if node.never {
            return Err(mismatch(place, "false"));
        }
        if let Some(types) = &node.types
            && !types.iter().any(|kind| is(*kind, value))
        {
            return Err(mismatch(place, "type"));
        }
        self.equal(node, value, place)?;
        match value {
            Foreign::Object(members) => self.object(node, value, members, place)?,
            Foreign::Array(items) => self.array(node, items, place)?,
            Foreign::Text(text) => self.text(node, text, place)?,
            Foreign::Number(number) => {
                if node.minimum.is_some_and(|least| *number < least) {
                    return Err(mismatch(place, "minimum"));
                }
                if node.maximum.is_some_and(|most| *number > most) {
                    return Err(mismatch(place, "maximum"));
                }
            }
            Foreign::Null | Foreign::Bool(_) => {}
        }
        if let Some(reference) = node.reference {
            self.check(reference, value, place)?;
        }
        for part in &node.all_of {
            self.check(*part, value, place)?;
        }
        if let Some(parts) = &node.any_of
            && self.count(parts, value, place, 1)? == 0
        {
            return Err(mismatch(place, "anyOf"));
        }
        if let Some(parts) = &node.one_of
            && self.count(parts, value, place, 2)? != 1
        {
            return Err(mismatch(place, "oneOf"));
        }
        if let Some(not) = node.not
            && self.fits(not, value, place)?
        {
            return Err(mismatch(place, "not"));
        }
        Ok(())
    }

    /// How many of `parts` the value conforms to, counted no further than `enough`.
    fn count(
        &mut self,
        parts: &[usize],
        value: &Foreign,
        place: &Place<'_>,
        enough: usize,
    ) -> Result<usize, SchemaError> {
        let mut count = 0usize;
        for part in parts {
            if self.fits(*part, value, place)? {
                count = count.saturating_add(1);
            }
            if count >= enough {
                break;
            }
        }
        Ok(count)
    }

    fn equal(&mut self, node: &Node, value: &Foreign, place: &Place<'_>) -> Checked {
        if node.among.is_none() && node.constant.is_none() {
            return Ok(());
        }
        let bytes = same(value);
        self.spend(bytes.len())?;
        if let Some(among) = &node.among {
            self.spend(among.len())?;
            if !among.contains(&bytes) {
                return Err(mismatch(place, "enum"));
            }
        }
        match &node.constant {
            Some(constant) if *constant != bytes => Err(mismatch(place, "const")),
            _ => Ok(()),
        }
    }

    fn object(
        &mut self,
        node: &Node,
        value: &Foreign,
        members: &[(String, Foreign)],
        place: &Place<'_>,
    ) -> Checked {
        for name in &node.required {
            self.spend(members.len())?;
            if value.member(name).is_none() {
                return Err(mismatch(&place.name(name), "required"));
            }
        }
        for (name, member) in members {
            self.spend(1)?;
            let place = place.name(name);
            match (node.properties.get(name), node.additional) {
                (Some(property), _) => self.check(*property, member, &place)?,
                (None, Some(additional)) => {
                    if !self.fits(additional, member, &place)? {
                        return Err(mismatch(&place, "additionalProperties"));
                    }
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn array(&mut self, node: &Node, items: &[Foreign], place: &Place<'_>) -> Checked {
        within(
            node.item_count,
            items.len(),
            place,
            ["minItems", "maxItems"],
        )?;
        let mut prefix = node.prefix.iter();
        for (at, item) in items.iter().enumerate() {
            self.spend(1)?;
            if let Some(part) = prefix.next().copied().or(node.items) {
                self.check(part, item, &place.at(at))?;
            }
        }
        if let Some(contains) = node.contains {
            let mut found = false;
            for (at, item) in items.iter().enumerate() {
                found = found || self.fits(contains, item, &place.at(at))?;
            }
            if !found {
                return Err(mismatch(place, "contains"));
            }
        }
        if node.unique {
            let mut seen = BTreeSet::new();
            for (at, item) in items.iter().enumerate() {
                let bytes = same(item);
                self.spend(bytes.len())?;
                if !seen.insert(bytes) {
                    return Err(mismatch(&place.at(at), "uniqueItems"));
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, node: &Node, text: &str, place: &Place<'_>) -> Checked {
        if node.length != Range::default() {
            // JSON Schema Validation §6.3.1: characters of RFC 8259, so code points.
            self.spend(text.len())?;
            let length = text.chars().count();
            within(node.length, length, place, ["minLength", "maxLength"])?;
        }
        if let Some(pattern) = &node.pattern {
            self.spend(text.len().saturating_mul(pattern.states()))?;
            if !pattern.fits(text) {
                return Err(mismatch(place, "pattern"));
            }
        }
        let formed = match node.format {
            None => true,
            Some(Format::Date) => is_date(text),
            Some(Format::DateTime) => is_date_time(text),
            Some(Format::Uri) => text.is_ascii() && is_url(text),
        };
        match formed {
            true => Ok(()),
            false => Err(mismatch(place, "format")),
        }
    }
}

/// RFC 3339 `full-date`, of any year from 0000.
fn is_date(text: &str) -> bool {
    Moment::parse(&format!("{text}T00:00:00Z")).is_ok()
}

/// RFC 3339 `date-time`: as the stamps of the data model, but a leap second at the end of a UTC day
/// is one, 24:00 is none, and `t` and `z` may be small.
fn is_date_time(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    if text.get(11..13) == Some("24") {
        return false;
    }
    if text.get(17..19) != Some("60") {
        return Moment::parse(&text).is_ok();
    }
    let (Some(before), Some(after)) = (text.get(..17), text.get(19..)) else {
        return false;
    };
    Moment::parse(&format!("{before}59{after}"))
        .is_ok_and(|moment| moment.seconds.rem_euclid(86_400) == 86_399)
}

fn within(range: Range, actual: usize, place: &Place<'_>, keywords: [&'static str; 2]) -> Checked {
    let [least, most] = keywords;
    if actual < range.least {
        return Err(mismatch(place, least));
    }
    match range.most {
        Some(limit) if actual > limit => Err(mismatch(place, most)),
        _ => Ok(()),
    }
}

fn is(kind: Kind, value: &Foreign) -> bool {
    match (kind, value) {
        (Kind::Null, Foreign::Null)
        | (Kind::Boolean, Foreign::Bool(_))
        | (Kind::Object, Foreign::Object(_))
        | (Kind::Array, Foreign::Array(_))
        | (Kind::Number, Foreign::Number(_))
        | (Kind::String, Foreign::Text(_)) => true,
        (Kind::Integer, Foreign::Number(number)) => number.fract() == 0.0,
        _ => false,
    }
}

fn mismatch(place: &Place<'_>, keyword: &'static str) -> SchemaError {
    SchemaError::Mismatch {
        path: place.path(),
        keyword,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn work_ends_at_its_limits_and_not_before() {
        let nodes = [Node::default()];
        let mut checker = Checker::new(&nodes);
        checker.spend(STEPS).unwrap();
        let error = checker.spend(1).unwrap_err();
        assert_eq!(error.code(), "schema-work");

        let at = |depth| {
            let mut checker = Checker::new(&nodes);
            checker.depth = depth;
            checker.check(0, &Foreign::Null, &Place::ROOT).is_ok()
        };
        assert_eq!(
            [0, DEPTH - 1, DEPTH, DEPTH + 9].map(at),
            [true, true, false, false]
        );
    }
}
