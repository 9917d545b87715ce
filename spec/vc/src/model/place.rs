//! Where in a document something stands, and reading what stands there.

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::ModelError;

/// A place in a document: the path is written out only when something is wrong there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Root,
    Name(&'p str),
    At(usize),
}

impl<'p> Place<'p> {
    /// The document.
    pub(crate) const ROOT: Place<'static> = Place {
        outer: None,
        step: Step::Root,
    };

    /// The member `name` of what stands here.
    pub(crate) fn name(&'p self, name: &'p str) -> Place<'p> {
        Place {
            outer: Some(self),
            step: Step::Name(name),
        }
    }

    /// The element `at` of what stands here.
    pub(crate) fn at(&'p self, at: usize) -> Place<'p> {
        Place {
            outer: Some(self),
            step: Step::At(at),
        }
    }

    /// The path: member names joined by `.`, elements in brackets.
    pub(crate) fn path(&self) -> String {
        match self.outer {
            None => "the document".to_owned(),
            Some(_) => self.written(),
        }
    }

    /// A document nests at most `limits::DEPTH` deep, so the recursion and the text have a bound.
    fn written(&self) -> String {
        let mut path = self.outer.map(Place::written).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Name(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&clip(name));
            }
            Step::At(at) => path.push_str(&format!("[{at}]")),
        }
        path
    }
}

/// The word for what kind of value this is.
pub(crate) fn kind(value: &Foreign) -> &'static str {
    match value {
        Foreign::Null => "null",
        Foreign::Bool(_) => "boolean",
        Foreign::Number(_) => "number",
        Foreign::Text(_) => "text",
        Foreign::Array(_) => "array",
        Foreign::Object(_) => "object",
    }
}

/// That `value` is not `expected`.
pub(super) fn wrong(value: &Foreign, place: &Place<'_>, expected: &'static str) -> ModelError {
    ModelError::Kind {
        path: place.path(),
        expected,
        actual: kind(value),
    }
}

/// The text at `place`.
pub(super) fn text<'a>(value: &'a Foreign, place: &Place<'_>) -> Result<&'a str, ModelError> {
    let text = value.as_text().ok_or_else(|| wrong(value, place, "text"))?;
    if text.is_empty() {
        return Err(ModelError::Empty { path: place.path() });
    }
    Ok(text)
}

/// The members at `place`; an object that has none says nothing, and is refused.
pub(super) fn members<'a>(
    value: &'a Foreign,
    place: &Place<'_>,
) -> Result<&'a [(String, Foreign)], ModelError> {
    match value {
        Foreign::Object(members) if members.is_empty() => {
            Err(ModelError::Empty { path: place.path() })
        }
        Foreign::Object(members) => Ok(members),
        other => Err(wrong(other, place, "object")),
    }
}

/// What `each` reads of one value, or of every element of an array of one or more.
pub(super) fn many<'a, T>(
    value: &'a Foreign,
    place: &Place<'_>,
    mut each: impl FnMut(&'a Foreign, &Place<'_>) -> Result<T, ModelError>,
) -> Result<Vec<T>, ModelError> {
    match value {
        Foreign::Array(items) if items.is_empty() => Err(ModelError::Empty { path: place.path() }),
        Foreign::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| each(item, &place.at(at)))
            .collect(),
        one => Ok(vec![each(one, place)?]),
    }
}

/// What `each` reads of the member `name`, one or many; nothing if it is absent.
pub(super) fn optional_many<'a, T>(
    node: &'a Foreign,
    place: &Place<'_>,
    name: &str,
    each: impl FnMut(&'a Foreign, &Place<'_>) -> Result<T, ModelError>,
) -> Result<Vec<T>, ModelError> {
    match node.member(name) {
        None => Ok(Vec::new()),
        Some(value) => many(value, &place.name(name), each),
    }
}

/// The member `name`.
pub(super) fn required<'a>(
    node: &'a Foreign,
    place: &Place<'_>,
    name: &str,
) -> Result<&'a Foreign, ModelError> {
    node.member(name).ok_or_else(|| ModelError::Missing {
        path: place.name(name).path(),
    })
}
