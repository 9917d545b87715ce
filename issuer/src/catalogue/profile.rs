//! Profiles of places: which members an entry must have there, as data.
//!
//! Places differ in what their regulations ask of a catalogue entry. A profile lists the items of
//! one regulation, each with the members that hold it here, so that another place is another
//! file and no other program.

use std::path::Path;

use zhao_spec::id::RegionCode;
use zhao_spec::wire::{Fields, Malformed, Problem, Value, clip, foreign, json};

use super::{CatalogueError, Entry, Fault, Faults, Names, Rule, check_pictures};

/// One profile file, bytes.
const PROFILE_BYTES: usize = 64 << 10;
/// Items of one profile, members of one item, values of one list.
const ITEMS: usize = 64;
/// Members on the way to one, as in `template.background`.
const DEPTH: usize = 4;

/// The profiles that come with the program: code and file.
const EMBEDDED: [(&str, &str); 4] = [
    (
        "changzhou",
        include_str!("../../catalogue/profiles/changzhou.json"),
    ),
    (
        "fujian",
        include_str!("../../catalogue/profiles/fujian.json"),
    ),
    (
        "shanghai",
        include_str!("../../catalogue/profiles/shanghai.json"),
    ),
    (
        "yangcheng",
        include_str!("../../catalogue/profiles/yangcheng.json"),
    ),
];

/// What a place asks of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its short name.
    pub code: String,
    /// What the regulation asks, in its order.
    pub items: Vec<Item>,
    /// Its names.
    pub names: Names,
    /// The place.
    pub region: RegionCode,
    /// Where it is written.
    pub source: String,
}

/// One item of a regulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The members that hold it; all of them are needed.
    pub members: Vec<Needed>,
    /// The regulation's word for it.
    pub names: Names,
}

/// A member that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// How.
    pub how: How,
    /// Names joined by `.`.
    pub member: String,
}

/// How a member must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// With one of these texts.
    OneOf(Vec<String>),
    /// As a picture whose file is there and is the one that the entry names.
    Picture,
    /// With something in it.
    Present,
}

/// An item that an entry lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it should stand, and what is wrong there.
    pub fault: Fault,
    /// The regulation's word for it.
    pub item: Names,
}

impl Profile {
    /// The profiles that come with the program, by code.
    ///
    /// # Errors
    /// None unless the program was built from a broken profile.
    pub fn embedded() -> Result<Vec<Self>, CatalogueError> {
        let parse = |(code, text): (&str, &str)| Self::parse(Path::new(code), text.as_bytes());
        EMBEDDED.into_iter().map(parse).collect()
    }

    /// The profile `code` that comes with the program.
    ///
    /// # Errors
    /// There is none.
    pub fn named(code: &str) -> Result<Self, CatalogueError> {
        let mut all = Self::embedded()?.into_iter();
        all.find(|profile| profile.code == code)
            .ok_or_else(|| CatalogueError::UnknownProfile {
                actual: clip(code),
                known: EMBEDDED.map(|(code, _)| code).join(", "),
            })
    }

    /// The profile of a file's bytes.
    ///
    /// # Errors
    /// Not JSON, or not a profile; `path` is for the message.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CatalogueError> {
        let malformed = |error: Malformed| CatalogueError::Malformed {
            path: path.to_owned(),
            faults: Faults(vec![error.into()]),
        };
        if bytes.len() > PROFILE_BYTES {
            let (limit, actual) = (PROFILE_BYTES, bytes.len());
            let problem = Problem::TooLong { limit, actual };
            return Err(malformed(Malformed::new("", problem)));
        }
        let read = foreign::parse_foreign(bytes).map_err(|source| CatalogueError::Json {
            path: path.to_owned(),
            source,
        })?;
        let value = json::parse(&foreign::canonicalize(&read))
            .map_err(|error| malformed(Malformed::from(error)))?;
        profile(&value).map_err(malformed)
    }

    /// What the profile asks for and the entry lacks, item by item; `dir` is the folder of the
    /// entry's file, none when there are no files to look at.
    #[must_use]
    pub fn gaps(&self, entry: &Entry, dir: Option<&Path>) -> Vec<Gap> {
        let pictures = dir.map(|dir| check_pictures(entry, dir));
        self.gaps_of(&entry.value, &pictures.unwrap_or_default())
    }

    /// As [`Profile::gaps`], of the JSON of an entry that may be wrong elsewhere; `pictures` is
    /// what is wrong with its pictures.
    #[must_use]
    pub fn gaps_of(&self, entry: &Value, pictures: &[Fault]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for item in &self.items {
            for needed in &item.members {
                let faults = needed.faults(entry, pictures);
                gaps.extend(faults.into_iter().map(|fault| Gap {
                    fault,
                    item: item.names.clone(),
                }));
            }
        }
        gaps
    }
}

impl Needed {
    fn faults(&self, entry: &Value, pictures: &[Fault]) -> Vec<Fault> {
        let Some(value) = at(entry, &self.member).filter(|value| says_something(value)) else {
            return vec![Fault::new(self.member.as_str(), Rule::Needed, "")];
        };
        match &self.how {
            How::Present => Vec::new(),
            How::OneOf(values) => match value {
                Value::Text(text) if values.contains(text) => Vec::new(),
                Value::Text(text) => {
                    vec![Fault::new(self.member.as_str(), Rule::NeededOneOf, text)]
                }
                other => vec![Fault::new(
                    self.member.as_str(),
                    Rule::NeededOneOf,
                    other.kind(),
                )],
            },
            How::Picture => {
                let within = |fault: &&Fault| {
                    let rest = fault.place.strip_prefix(self.member.as_str());
                    rest.is_some_and(|rest| rest.starts_with('.'))
                };
                pictures.iter().filter(within).cloned().collect()
            }
        }
    }
}

/// What stands at `path`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, name| value.member(name))
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Bool(_) | Value::Int(_) => true,
    }
}

fn profile(value: &Value) -> Result<Profile, Malformed> {
    let mut f = Fields::new(value, "")?;
    let code = f.text_within("code", 64)?.to_owned();
    let region = f.text("region")?;
    let region = RegionCode::parse(region)
        .map_err(|_| Malformed::value("region", "a code of GB/T 2260", region))?;
    let mut items = Vec::new();
    for mut f in f.objects("items", ITEMS)? {
        let names = names(&mut f)?;
        let place = f.path_of("members");
        let members = f
            .objects("members", ITEMS)?
            .into_iter()
            .map(needed)
            .collect::<Result<Vec<_>, _>>()?;
        if members.is_empty() {
            return Err(Malformed::value(place, "one member or more", ""));
        }
        f.finish()?;
        items.push(Item { members, names });
    }
    if items.is_empty() {
        return Err(Malformed::value("items", "one item or more", ""));
    }
    let profile = Profile {
        code,
        items,
        names: names(&mut f)?,
        region,
        source: f.text_within("source", 512)?.to_owned(),
    };
    f.finish()?;
    Ok(profile)
}

fn names(f: &mut Fields<'_>) -> Result<Names, Malformed> {
    let mut f = f.object("names")?;
    let names = Names {
        en: f.text_within("en", 512)?.to_owned(),
        zh: f.text_within("zh", 512)?.to_owned(),
    };
    f.finish()?;
    Ok(names)
}

fn needed(mut f: Fields<'_>) -> Result<Needed, Malformed> {
    let place = f.path_of("member");
    let member = f.text_within("member", 256)?.to_owned();
    let names = member.split('.');
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if names.clone().count() > DEPTH || !names.clone().all(plain) {
        let expected = "names joined by dots, at most four";
        return Err(Malformed::value(place, expected, &member));
    }
    let how = match f.optional_text("how")? {
        None | Some("present") => How::Present,
        Some("picture") => How::Picture,
        Some("one-of") => How::OneOf(f.items("values", ITEMS, |value, path| {
            zhao_spec::wire::fields::text_of(value, path).map(str::to_owned)
        })?),
        Some(other) => {
            let expected = "one-of, picture or present";
            return Err(Malformed::value(f.path_of("how"), expected, other));
        }
    };
    f.finish()?;
    Ok(Needed { how, member })
}
