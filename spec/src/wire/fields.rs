//! Typed decoding of our JSON: every member is asked for once, and none may be left over.
//!
//! ```
//! use zhao_spec::wire::{Fields, json};
//! let value = json::parse(br#"{"name":"a","size":3}"#).unwrap();
//! let mut fields = Fields::new(&value, "").unwrap();
//! assert_eq!(fields.text("name").unwrap(), "a");
//! assert_eq!(fields.int("size").unwrap(), 3);
//! fields.finish().unwrap();
//! ```

use super::clip;
use super::hash::Hash;
use super::json::Value;
use super::signature::{PublicKey, Signature};
use super::time::{Date, UnixMillis};

mod error;
mod of;

pub use error::{Malformed, Problem};
use of::wrong_kind;
pub use of::{
    array_of, bool_of, bytes_of, date_of, hash_of, int_of, key_of, signature_of, text_of, time_of,
};

/// The members of one object, and which of them have been asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    members: &'a [(String, Value)],
    asked: Asked,
    /// Where to look first: behind the member asked for last, since formats are mostly read in the
    /// order they are written in.
    next: usize,
    path: String,
}

/// One mark for each member.
#[derive(Debug)]
enum Asked {
    /// At most 64 members, a bit each.
    Few(u64),
    Many(Vec<bool>),
}

impl Asked {
    fn new(members: usize) -> Self {
        if members <= 64 {
            Self::Few(0)
        } else {
            Self::Many(vec![false; members])
        }
    }

    fn mark(&mut self, at: usize) {
        match self {
            Self::Few(bits) => *bits |= bit(at),
            Self::Many(marks) => {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = true;
                }
            }
        }
    }

    fn is_marked(&self, at: usize) -> bool {
        match self {
            Self::Few(bits) => *bits & bit(at) != 0,
            Self::Many(marks) => marks.get(at).is_some_and(|mark| *mark),
        }
    }
}

/// The `at`th bit, none from 64 on.
fn bit(at: usize) -> u64 {
    u32::try_from(at)
        .ok()
        .and_then(|at| 1_u64.checked_shl(at))
        .unwrap_or(0)
}

impl<'a> Fields<'a> {
    /// The members of `value`; `path` says where it stands, empty for the whole input.
    ///
    /// # Errors
    /// Not an object.
    pub fn new(value: &'a Value, path: impl Into<String>) -> Result<Self, Malformed> {
        let path = path.into();
        match value {
            Value::Object(members) => Ok(Self {
                members,
                asked: Asked::new(members.len()),
                next: 0,
                path,
            }),
            other => Err(wrong_kind(other, "object", &path)),
        }
    }

    /// Where this object stands.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the member `name` stands.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        let mut path = String::with_capacity(self.path.len().saturating_add(16));
        if !self.path.is_empty() {
            path.push_str(&self.path);
            path.push('.');
        }
        path.push_str(&clip(name));
        path
    }

    /// Whether the member is there, without asking for it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Any member.
    ///
    /// # Errors
    /// Missing.
    pub fn value(&mut self, name: &str) -> Result<&'a Value, Malformed> {
        self.optional_value(name)
            .ok_or_else(|| Malformed::new(self.path_of(name), Problem::Missing))
    }

    /// Any member, if it is there.
    pub fn optional_value(&mut self, name: &str) -> Option<&'a Value> {
        let (at, value) = self.find(name)?;
        self.asked.mark(at);
        self.next = at.saturating_add(1);
        Some(value)
    }

    fn find(&self, name: &str) -> Option<(usize, &'a Value)> {
        if let Some((next, value)) = self.members.get(self.next)
            && next == name
        {
            return Some((self.next, value));
        }
        let at = self
            .members
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
            .ok()?;
        self.members.get(at).map(|(_, value)| (at, value))
    }

    /// Refuses members nobody asked for.
    ///
    /// # Errors
    /// The first unknown member.
    pub fn finish(self) -> Result<(), Malformed> {
        let left = self
            .members
            .iter()
            .enumerate()
            .find(|(at, _)| !self.asked.is_marked(*at));
        match left {
            None => Ok(()),
            Some((_, (name, _))) => Err(Malformed::new(self.path_of(name), Problem::Unknown)),
        }
    }

    /// Every member nobody asked for, for readers that tell all that is wrong at once.
    pub fn unknown(&self) -> impl Iterator<Item = Malformed> + '_ {
        let left = self
            .members
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.asked.is_marked(*at));
        left.map(|(_, (name, _))| Malformed::new(self.path_of(name), Problem::Unknown))
    }

    /// An object member.
    ///
    /// # Errors
    /// Missing, or another kind.
    pub fn object(&mut self, name: &str) -> Result<Fields<'a>, Malformed> {
        let value = self.value(name)?;
        Fields::new(value, self.path_of(name))
    }

    /// An object member, if it is there.
    ///
    /// # Errors
    /// Another kind.
    pub fn optional_object(&mut self, name: &str) -> Result<Option<Fields<'a>>, Malformed> {
        self.optional_value(name)
            .map(|value| Fields::new(value, self.path_of(name)))
            .transpose()
    }

    /// An array member of objects, at most `max` of them.
    ///
    /// # Errors
    /// Missing, another kind, too long, or an element of another kind.
    pub fn objects(&mut self, name: &str, max: usize) -> Result<Vec<Fields<'a>>, Malformed> {
        let items = self.array_within(name, max)?;
        let path = self.path_of(name);
        items
            .iter()
            .enumerate()
            .map(|(at, value)| Fields::new(value, format!("{path}[{at}]")))
            .collect()
    }

    /// An array member, at most `max` elements, each read by `read` (value, path). The path is that
    /// within the element: where the element stands is added to what `read` finds.
    ///
    /// # Errors
    /// Missing, another kind, too long, or what `read` finds.
    pub fn items<T>(
        &mut self,
        name: &str,
        max: usize,
        read: impl Fn(&'a Value, &str) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let items = self.array_within(name, max)?;
        let mut read_items = Vec::with_capacity(items.len());
        for (at, value) in items.iter().enumerate() {
            let item = read(value, "")
                .map_err(|error| error.within(format!("{}[{at}]", self.path_of(name))))?;
            read_items.push(item);
        }
        Ok(read_items)
    }

    fn array_within(&mut self, name: &str, max: usize) -> Result<&'a [Value], Malformed> {
        let items = self.array(name)?;
        if items.len() > max {
            let problem = Problem::TooLong {
                limit: max,
                actual: items.len(),
            };
            return Err(Malformed::new(self.path_of(name), problem));
        }
        Ok(items)
    }

    /// A text member of at most `max` bytes.
    ///
    /// # Errors
    /// Missing, another kind, too long.
    pub fn text_within(&mut self, name: &str, max: usize) -> Result<&'a str, Malformed> {
        let text = self.text(name)?;
        if text.len() > max {
            let problem = Problem::TooLong {
                limit: max,
                actual: text.len(),
            };
            return Err(Malformed::new(self.path_of(name), problem));
        }
        Ok(text)
    }

    /// Requires the text member `name` to be exactly `expected`.
    ///
    /// # Errors
    /// Missing, another kind, another text.
    pub fn literal(&mut self, name: &str, expected: &'static str) -> Result<(), Malformed> {
        let actual = self.text(name)?;
        if actual != expected {
            return Err(Malformed::value(self.path_of(name), expected, actual));
        }
        Ok(())
    }

    /// Bytes of a base64url member, at most `max` of them.
    ///
    /// # Errors
    /// Missing, another kind, not base64url, too long.
    pub fn bytes(&mut self, name: &str, max: usize) -> Result<Vec<u8>, Malformed> {
        bytes_of(self.value(name)?, "", max).map_err(|error| error.within(self.path_of(name)))
    }

    /// Bytes of a base64url member, if it is there.
    ///
    /// # Errors
    /// Another kind, not base64url, too long.
    pub fn optional_bytes(&mut self, name: &str, max: usize) -> Result<Option<Vec<u8>>, Malformed> {
        self.optional_value(name)
            .map(|value| bytes_of(value, "", max))
            .transpose()
            .map_err(|error| error.within(self.path_of(name)))
    }
}

/// The member of one kind, required and optional.
macro_rules! member {
    ($name:ident, $optional:ident, $of:ident, $type:ty, $what:literal, $errors:literal) => {
        #[doc = concat!($what, " member.")]
        ///
        /// # Errors
        #[doc = concat!("Missing, ", $errors)]
        pub fn $name(&mut self, name: &str) -> Result<$type, Malformed> {
            $of(self.value(name)?, "").map_err(|error| error.within(self.path_of(name)))
        }

        #[doc = concat!($what, " member, if it is there.")]
        ///
        /// # Errors
        #[doc = concat!("If it is there: ", $errors)]
        pub fn $optional(&mut self, name: &str) -> Result<Option<$type>, Malformed> {
            self.optional_value(name)
                .map(|value| $of(value, ""))
                .transpose()
                .map_err(|error| error.within(self.path_of(name)))
        }
    };
}

impl<'a> Fields<'a> {
    member!(
        text,
        optional_text,
        text_of,
        &'a str,
        "A text",
        "another kind."
    );
    member!(
        int,
        optional_int,
        int_of,
        u64,
        "An integer",
        "another kind."
    );
    member!(
        bool,
        optional_bool,
        bool_of,
        bool,
        "A boolean",
        "another kind."
    );
    member!(
        array,
        optional_array,
        array_of,
        &'a [Value],
        "An array",
        "another kind."
    );
    member!(
        hash,
        optional_hash,
        hash_of,
        Hash,
        "A hash",
        "another kind, not base64url of 32 bytes."
    );
    member!(
        time,
        optional_time,
        time_of,
        UnixMillis,
        "An instant",
        "another kind, no instant."
    );
    member!(
        date,
        optional_date,
        date_of,
        Date,
        "A date",
        "another kind, no date."
    );
    member!(
        key,
        optional_key,
        key_of,
        PublicKey,
        "A public key",
        "another kind, no strict key."
    );
    member!(
        signature,
        optional_signature,
        signature_of,
        Signature,
        "A signature",
        "another kind, not base64url of 64 bytes."
    );
}

#[cfg(test)]
mod tests;
