//! What an entry breaks: a rule with a stable code, at a place, with what was found there.

use std::fmt;

use zhao_spec::wire::{Malformed, Problem, clip};

/// The rules of entries: code and, in words, what is expected.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $expected:literal;)+) => {
        /// A rule of entries, profiles or versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Rule { $($(#[$doc])* $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What is expected, in words.
            #[must_use]
            pub fn expected(self) -> &'static str {
                match self { $(Self::$variant => $expected,)+ }
            }
        }
    };
}

rules! {
    /// The check character.
    CheckCharacter = "check-character", "a number whose check character is right";
    /// Codes of a list.
    CodesDiffer = "codes-differ", "codes that differ";
    /// A list of codes.
    CodesSome = "codes-some", "one code or more";
    /// Consent.
    Consent = "consent", "holder, issuer or none";
    /// Field defined twice.
    FieldAgain = "field-again", "a name not used before";
    /// A field's values.
    FieldKind = "field-kind", "boolean, code, date, integer or text";
    /// A field may not become another kind of field.
    FieldKindKept = "field-kind-kept", "the kind that the version in force gives the field";
    /// A field's name.
    FieldName = "field-name", "[a-z][A-Za-z0-9]*, at most 64 characters";
    /// A field that licences must have does not vanish.
    FieldRequired = "field-required",
        "kept: the version in force requires it (first publish it as not required)";
    /// A field named as metadata is.
    FieldReserved = "field-reserved", "a name that no metadata has (GB/T 36903)";
    /// The first 18 characters of the type code.
    FirstEighteen = "first-eighteen", "the first 18 characters of typeCode";
    /// Name of a file.
    FileName = "file-name", "a file name of a-z, 0-9, - and ., at most 64 characters";
    /// Level of issuing bodies.
    Grade = "grade", "district, municipal, national, other, provincial or township";
    /// A holder's code type.
    Holder = "holder", "a holder code type of GB/T 36903";
    /// Holders of an indexed type.
    HoldersIndexed = "holders-indexed", "001 alone, because the type is indexed";
    /// Holders of an open type.
    HoldersOpen = "holders-open", "organisations only, because the type is open";
    /// The list of holders.
    HoldersOrder = "holders-order", "one or more, strictly ascending";
    /// Individual businesses and the index.
    IndividualIndexed = "individual-indexed", "false, because the type is not indexed";
    /// The index and openness.
    IndexedOpen = "indexed-open", "false, because the type is not open";
    /// Inspections and their verb.
    InspectVerb = "inspect-verb", "inspect exactly when there is an inspection rule";
    /// A number's length.
    Length = "length", "of the right length";
    /// Lengths of texts.
    MaxLength = "max-length", "1 to 1024";
    /// Kinds of matters.
    Matter = "matter",
        "adjudication, coercion, confirmation, inspection, levy, licensing, other-power, \
         payment, penalty, public-service or reward";
    /// Kinds of pictures.
    Media = "media", "image/jpeg or image/png";
    /// A member that a rule or template points to.
    MemberKnown = "member-known", "a field of the entry or a metadata element (GB/T 36903)";
    /// A member that a register's rule points to.
    MemberText = "member-text", "holderCode, holderName or a text field of the entry";
    /// A member that a place's profile wants.
    Needed = "needed", "there: the profile needs it";
    /// A value that a place's profile wants.
    NeededOneOf = "needed-one-of", "a value that the profile allows";
    /// Use conditions.
    NeedsConditions = "needs-conditions", "there: the type is not open, or a field is not public";
    /// The declaration on state secrets.
    NeedsDeclaration = "needs-declaration",
        "false, declared: types with state secrets are not for this system";
    /// Text that says something.
    NotEmpty = "not-empty", "text, not empty";
    /// A number of its standard.
    Number = "number", "a number of its standard";
    /// Characters of a number.
    NumberCharacters = "number-characters", "made of the characters its standard allows";
    /// The pattern of licence numbers.
    NumberPattern = "number-pattern",
        "a pattern of literals, {holder}, {region}, {serial:n} and {year}";
    /// From 1.
    OneOrMore = "one-or-more", "1 or more";
    /// From 1 and of a human scale.
    OneToCenturies = "one-to-centuries", "1 or more, at most 200 years";
    /// Any pattern.
    Pattern = "pattern", "a pattern of literals and {parts}";
    /// A picture's file.
    PictureBytes = "picture-bytes", "the number of bytes of the file";
    /// A picture's digest.
    PictureDigest = "picture-digest", "the SHA-256 of the file";
    /// A picture's file is there.
    PictureFile = "picture-file", "a readable file in the folder pictures";
    /// A picture's first bytes.
    PictureMedia = "picture-media", "the media type that the file's first bytes show";
    /// How large a picture is.
    PictureSize = "picture-size", "a picture of 1 to 4096 pixels a side, at most 524288 bytes";
    /// The pattern of a field.
    PlainPattern = "plain-pattern", "literals, {alnum:n}, {digits:n} and {upper:n}";
    /// Characters of a text.
    Printable = "printable", "printable text in NFC, without outer spaces, within its length";
    /// Registers.
    Register = "register", "legal-entities or population";
    /// What a later version keeps.
    Same = "same", "what the version in force says: it never changes";
    /// Sensitivity.
    Sensitivity = "sensitivity", "personal, public or secret";
    /// The place of a text on the face.
    Sheet = "sheet", "1 to 2000 millimetres, and on the sheet";
    /// The short name.
    Slug = "slug", "1 to 64 of a-z, 0-9 and -";
    /// One or more of something.
    Some = "some", "one or more";
    /// Levels of standards.
    StandardLevel = "standard-level", "district, municipal or national";
    /// The declaration on state secrets.
    StateSecrets = "state-secrets", "false: a type with state secrets cannot be saved";
    /// A list of terms.
    TermsDiffer = "terms-differ", "terms that differ";
    /// Rules of terms.
    TermRule = "term-rule", "days, indefinite, months, to-date or years";
    /// A list of terms.
    TermsSome = "terms-some", "one term or more";
    /// The verb that begins a licence.
    VerbIssued = "verb-issued", "a list with issued";
    /// Order of verbs.
    VerbOrder = "verb-order", "strictly ascending words";
    /// Verbs.
    Verb = "verb", "a verb of a licence";
    /// The version of the next entry.
    VersionNext = "version-next", "one more than the version in force";
    /// A version that shows more says so.
    WidensSaid = "widens-said", "true, because more can be seen than under the version in force";
    /// A version that shows no more does not say so.
    WidensTrue = "widens-true",
        "absent or false, because no more can be seen than under the version in force";
    /// What a register that does not answer does.
    Without = "without", "note or refuse";
}

/// One thing that is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: member names joined by `.`, array places in brackets; empty for the whole entry.
    pub place: String,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A rule of entries is broken.
    Rule {
        /// The rule.
        rule: Rule,
        /// What was found, clipped; empty when that says nothing.
        actual: String,
    },
    /// The file is no entry at all; the reader's own words.
    Said(String),
    /// The member is absent, unknown, too long or of another kind.
    Shape(Problem),
}

impl Fault {
    /// `actual` at `place` breaks `rule`.
    #[must_use]
    pub fn new(place: impl Into<String>, rule: Rule, actual: &str) -> Self {
        Self {
            place: place.into(),
            wrong: Wrong::Rule {
                rule,
                actual: clip(actual),
            },
        }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.wrong {
            Wrong::Rule { rule, .. } => rule.code(),
            Wrong::Said(_) => "text-form",
            Wrong::Shape(problem) => match problem {
                Problem::Missing => "missing",
                Problem::TooLong { .. } => "too-long",
                Problem::Unknown => "unknown-member",
                Problem::WrongKind { .. } => "wrong-kind",
                _ => "text-form",
            },
        }
    }

    /// What was found, clipped; empty when nothing was.
    #[must_use]
    pub fn actual(&self) -> String {
        match &self.wrong {
            Wrong::Rule { actual, .. } => actual.clone(),
            Wrong::Shape(Problem::WrongKind { actual, .. }) => (*actual).to_owned(),
            Wrong::Shape(Problem::TooLong { actual, .. }) => actual.to_string(),
            Wrong::Said(_) | Wrong::Shape(_) => String::new(),
        }
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self {
            place: malformed.path,
            wrong: Wrong::Shape(malformed.problem),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        match &self.wrong {
            Wrong::Rule { rule, actual } => write!(f, "{actual:?} is not {}", rule.expected()),
            Wrong::Said(text) => f.write_str(text),
            Wrong::Shape(problem) => write!(f, "{problem}"),
        }
    }
}

/// Everything that is wrong with an entry; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
