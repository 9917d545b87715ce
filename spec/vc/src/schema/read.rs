//! A schema's JSON into subschemas.

use std::collections::BTreeMap;

use zhao_spec::wire::foreign::Foreign;

use super::pattern::Pattern;
use super::{DIALECT, Format, Kind, Node, PARTS, SchemaError, same};
use crate::model::place::Place;

/// The subschemas of a document, and which is its own.
pub(super) fn read(document: &Foreign) -> Result<(usize, Vec<Node>), SchemaError> {
    let root = Place::ROOT;
    let Foreign::Object(_) = document else {
        return Err(value(&root, "an object"));
    };
    if document.member("$schema").and_then(Foreign::as_text) != Some(DIALECT) {
        return Err(SchemaError::Dialect);
    }
    let mut reader = Reader {
        nodes: vec![Node::default()],
        defs: BTreeMap::new(),
    };
    // References may lead to what comes later, so every definition has its number first.
    let defs = match document.member("$defs") {
        None => &[][..],
        Some(Foreign::Object(defs)) => defs,
        Some(_) => return Err(value(&root.name("$defs"), "an object")),
    };
    for (name, _) in defs {
        let at = reader.place()?;
        reader.defs.insert(name, at);
    }
    for (name, schema) in defs {
        let node = reader.node(schema, &root.name("$defs").name(name), false)?;
        let at = reader.defs.get(name.as_str()).copied().unwrap_or_default();
        reader.put(at, node);
    }
    let node = reader.node(document, &root, true)?;
    reader.put(0, node);
    Ok((0, reader.nodes))
}

fn value(place: &Place<'_>, expected: &'static str) -> SchemaError {
    SchemaError::Value {
        path: place.path(),
        expected,
    }
}

struct Reader<'s> {
    nodes: Vec<Node>,
    defs: BTreeMap<&'s str, usize>,
}

impl<'s> Reader<'s> {
    fn place(&mut self) -> Result<usize, SchemaError> {
        if self.nodes.len() >= PARTS {
            return Err(SchemaError::TooMany { limit: PARTS });
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len().saturating_sub(1))
    }

    fn put(&mut self, at: usize, node: Node) {
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
    }

    fn sub(&mut self, schema: &'s Foreign, place: &Place<'_>) -> Result<usize, SchemaError> {
        let at = self.place()?;
        let node = self.node(schema, place, false)?;
        self.put(at, node);
        Ok(at)
    }

    fn subs(&mut self, list: &'s Foreign, place: &Place<'_>) -> Result<Vec<usize>, SchemaError> {
        match list {
            Foreign::Array(items) if !items.is_empty() => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.sub(item, &place.at(at)))
                .collect(),
            _ => Err(value(place, "one schema or more")),
        }
    }

    fn node(
        &mut self,
        schema: &'s Foreign,
        place: &Place<'_>,
        root: bool,
    ) -> Result<Node, SchemaError> {
        let members = match schema {
            Foreign::Bool(always) => {
                return Ok(Node {
                    never: !always,
                    ..Node::default()
                });
            }
            Foreign::Object(members) => members,
            _ => return Err(value(place, "a schema")),
        };
        let mut node = Node::default();
        for (keyword, given) in members {
            let place = place.name(keyword);
            match keyword.as_str() {
                "$schema" | "$defs" if root => {}
                "$id" if root => drop(text(given, &place)?),
                "title" | "description" | "$comment" => drop(text(given, &place)?),
                "default" | "examples" => {}
                "$ref" => node.reference = Some(self.reference(given, &place)?),
                "type" => node.types = Some(kinds(given, &place)?),
                "enum" => match given {
                    Foreign::Array(items) if !items.is_empty() => {
                        node.among = Some(items.iter().map(same).collect());
                    }
                    _ => return Err(value(&place, "one value or more")),
                },
                "const" => node.constant = Some(same(given)),
                "properties" => {
                    let Foreign::Object(properties) = given else {
                        return Err(value(&place, "an object"));
                    };
                    for (name, schema) in properties {
                        let at = self.sub(schema, &place.name(name))?;
                        node.properties.insert(name.clone(), at);
                    }
                }
                "required" => node.required = names(given, &place)?,
                "additionalProperties" => node.additional = Some(self.sub(given, &place)?),
                "prefixItems" => node.prefix = self.subs(given, &place)?,
                "items" => node.items = Some(self.sub(given, &place)?),
                "contains" => node.contains = Some(self.sub(given, &place)?),
                "uniqueItems" => match given {
                    Foreign::Bool(unique) => node.unique = *unique,
                    _ => return Err(value(&place, "true or false")),
                },
                "minItems" => node.item_count.least = count(given, &place)?,
                "maxItems" => node.item_count.most = Some(count(given, &place)?),
                "minLength" => node.length.least = count(given, &place)?,
                "maxLength" => node.length.most = Some(count(given, &place)?),
                "minimum" => node.minimum = Some(number(given, &place)?),
                "maximum" => node.maximum = Some(number(given, &place)?),
                "pattern" => {
                    let pattern = Pattern::parse(text(given, &place)?);
                    let unread = || SchemaError::Pattern { path: place.path() };
                    node.pattern = Some(pattern.ok_or_else(unread)?);
                }
                "format" => {
                    node.format = Some(match text(given, &place)? {
                        "date" => Format::Date,
                        "date-time" => Format::DateTime,
                        "uri" => Format::Uri,
                        _ => return Err(SchemaError::Format { path: place.path() }),
                    });
                }
                "allOf" => node.all_of = self.subs(given, &place)?,
                "anyOf" => node.any_of = Some(self.subs(given, &place)?),
                "oneOf" => node.one_of = Some(self.subs(given, &place)?),
                "not" => node.not = Some(self.sub(given, &place)?),
                _ => return Err(SchemaError::Keyword { path: place.path() }),
            }
        }
        Ok(node)
    }

    /// `#`, or `#/$defs/` and a name without characters that a pointer would escape.
    fn reference(&self, given: &Foreign, place: &Place<'_>) -> Result<usize, SchemaError> {
        let reference = text(given, place)?;
        let target = match reference.strip_prefix("#/$defs/") {
            _ if reference == "#" => Some(0),
            Some(name) if !name.contains(['~', '%', '/']) => self.defs.get(name).copied(),
            _ => None,
        };
        target.ok_or_else(|| SchemaError::Reference { path: place.path() })
    }
}

fn text<'a>(given: &'a Foreign, place: &Place<'_>) -> Result<&'a str, SchemaError> {
    given.as_text().ok_or_else(|| value(place, "text"))
}

fn number(given: &Foreign, place: &Place<'_>) -> Result<f64, SchemaError> {
    match given {
        Foreign::Number(number) => Ok(*number),
        _ => Err(value(place, "a number")),
    }
}

/// A whole number from 0, by its digits: there is no other safe way from a double.
fn count(given: &Foreign, place: &Place<'_>) -> Result<usize, SchemaError> {
    let wrong = || value(place, "a whole number from 0");
    match given {
        Foreign::Number(number) => format!("{number}").parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn names(given: &Foreign, place: &Place<'_>) -> Result<Vec<String>, SchemaError> {
    let Foreign::Array(items) = given else {
        return Err(value(place, "a list of names"));
    };
    let mut names = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        names.push(text(item, &place.at(at))?.to_owned());
    }
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    match names.len() == all {
        true => Ok(names),
        false => Err(value(place, "a list of different names")),
    }
}

fn kinds(given: &Foreign, place: &Place<'_>) -> Result<Vec<Kind>, SchemaError> {
    let kind = |given: &Foreign, place: &Place<'_>| match given.as_text() {
        Some("null") => Ok(Kind::Null),
        Some("boolean") => Ok(Kind::Boolean),
        Some("object") => Ok(Kind::Object),
        Some("array") => Ok(Kind::Array),
        Some("number") => Ok(Kind::Number),
        Some("integer") => Ok(Kind::Integer),
        Some("string") => Ok(Kind::String),
        _ => Err(value(place, "a type of JSON Schema")),
    };
    match given {
        Foreign::Array(items) if !items.is_empty() && items.len() <= 7 => items
            .iter()
            .enumerate()
            .map(|(at, item)| kind(item, &place.at(at)))
            .collect(),
        one => Ok(vec![kind(one, place)?]),
    }
}
