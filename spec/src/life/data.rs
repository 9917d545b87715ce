//! What each verb says beside its subject. Prose: `spec/event.md`.

use super::verb::Verb;
use crate::log::tree::LeafIndex;
use crate::wire::fields::{Fields, Malformed, text_of};
use crate::wire::hash::Hash;
use crate::wire::limits;
use crate::wire::signature::PublicKey;
use crate::wire::time::UnixMillis;
use crate::wire::write::ObjectWriter;

/// Reasons and basis of an act on a licence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Salted digest of the document it rests on.
    pub basis: Option<Hash>,
    /// Reason code, `[a-z0-9-]{1,32}`, in clear.
    pub code: Option<String>,
    /// Salted digest of the reason in words.
    pub reason: Option<Hash>,
}

/// How an event names the licence's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeRef {
    /// The type code in clear: an open type.
    Code(String),
    /// A salted commitment: a type that is not open.
    Commitment(Hash),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every word.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word in formats.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// Reads the word from a text member.
            ///
            /// # Errors
            /// Missing, another kind, or a word that is none of these.
            pub fn read(fields: &mut Fields<'_>, name: &str) -> Result<Self, Malformed> {
                let word = fields.text(name)?;
                Self::from_word(word).ok_or_else(|| {
                    Malformed::value(fields.path_of(name), concat!("one of", $(" ", $word),*), word)
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How a new version relates to its predecessor.
    Relation {
        /// 变更: the content changed.
        Amended = "amended",
        /// 延续: the validity was extended.
        Renewed = "renewed",
        /// 补换发: replaced, as after a loss.
        Reissued = "reissued",
        /// A mistake of the office is put right.
        Corrected = "corrected",
    }
}
words! {
    /// Result of an inspection.
    InspectionResult {
        /// 合格.
        Passed = "passed",
        /// 不合格.
        Failed = "failed",
    }
}
words! {
    /// Result of an objection.
    ObjectionResult {
        /// The objection was right.
        Upheld = "upheld",
        /// It was not.
        Rejected = "rejected",
    }
}
words! {
    /// 公开属性: who may see licences of a type.
    Openness {
        /// Anyone.
        Open = "open",
        /// Those with a reason in law.
        Restricted = "restricted",
        /// The parties only.
        Closed = "closed",
    }
}
words! {
    /// What a failed or overdue inspection does to licences of a type.
    InspectionRule {
        /// Nothing: the type knows no inspection.
        None = "none",
        /// The verifier is told.
        Notice = "notice",
        /// The licence is not usable.
        Suspends = "suspends",
    }
}

/// The version a new licence takes over from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Leaf hash of its latest event.
    pub prev: Hash,
    /// How the new one relates to it.
    pub relation: Relation,
    /// Its next sequence number.
    pub seq: u64,
    /// Its subject key.
    pub subject: Hash,
}

/// Data of `issued`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The holder's public index, for indexed types.
    pub enterprise: Option<Hash>,
    /// When the first inspection is due.
    pub inspection_due: Option<UnixMillis>,
    /// Reasons and basis.
    pub note: Note,
    /// The old version, when this is a new one.
    pub predecessor: Option<Predecessor>,
    /// The licence type, in clear or committed.
    pub type_ref: TypeRef,
    /// SHA-256 of the credential's canonical bytes.
    pub vc: Hash,
}

/// A key with the types it is to be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// The unit's key.
    pub key: PublicKey,
    /// Type codes, strictly ascending.
    pub types: Vec<String>,
}

/// m administrators of n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrators {
    /// Keys, strictly ascending as multibase text.
    pub keys: Vec<PublicKey>,
    /// How many must sign.
    pub threshold: u64,
}

/// Data of `publish-type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishType {
    /// SHA-256 of the catalogue entry file.
    pub digest: Hash,
    /// Whether holders with codes beginning 92 are indexed too.
    pub individual_businesses: bool,
    /// Whether every licence of it stands in its holder's public index.
    pub indexed: bool,
    /// What inspections do.
    pub inspection: InspectionRule,
    /// Who may see it.
    pub openness: Openness,
    /// 21 characters, GB/T 36904.
    pub type_code: String,
    /// Licence verbs that apply, strictly ascending by word.
    pub verbs: Vec<Verb>,
    /// From 1.
    pub version: u64,
}

/// One verb with its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `issued`.
    Issued(Box<Issued>),
    /// Any licence verb that says no more than its reasons: withhold, lift-withholding, hold,
    /// lift-hold, report-lost, withdraw-loss, mortgage, pledge, mark-objection, cancel, revoke,
    /// annul, abolish, reaffirm.
    Plain(Verb, Note),
    /// `release-mortgage` or `release-pledge` of the event at this index.
    Release(Verb, LeafIndex, Note),
    /// `inspect`.
    Inspect {
        /// When the next is due.
        due: Option<UnixMillis>,
        /// Reasons and basis.
        note: Note,
        /// Passed or failed.
        result: InspectionResult,
    },
    /// `clear-objection`.
    ClearObjection {
        /// Reasons and basis.
        note: Note,
        /// Index of the mark.
        of: LeafIndex,
        /// Upheld or rejected.
        result: ObjectionResult,
    },
    /// `transfer`.
    Transfer {
        /// Subject key of the new controlling unit.
        controller: Hash,
        /// Reasons and basis.
        note: Note,
    },
    /// `add-unit`.
    AddUnit {
        /// The first key and its types.
        grant: KeyGrant,
        /// The unit's USCC.
        unit: String,
    },
    /// `grant-types`.
    GrantTypes(KeyGrant),
    /// `rotate-key`.
    RotateKey {
        /// The new key.
        key: PublicKey,
        /// The key it replaces.
        retire: Option<PublicKey>,
    },
    /// `retire-key`.
    RetireKey(PublicKey),
    /// `propose-key`.
    ProposeKey(KeyGrant),
    /// `confirm-key`.
    ConfirmKey(PublicKey),
    /// `withdraw-proposal`.
    WithdrawProposal(PublicKey),
    /// `suspend-unit`.
    SuspendUnit,
    /// `resume-unit`.
    ResumeUnit,
    /// `compromise-key`.
    CompromiseKey {
        /// From which index it counts for nothing.
        from: LeafIndex,
        /// The key.
        key: PublicKey,
    },
    /// `publish-type`.
    PublishType(Box<PublishType>),
    /// `retire-type`.
    RetireType,
    /// `change-administrators`.
    ChangeAdministrators(Administrators),
    /// `rotate-log-key`.
    RotateLogKey(LogKey),
}

impl Note {
    fn read(data: &mut Fields<'_>) -> Result<Self, Malformed> {
        let code = data.optional_text("code")?;
        if let Some(code) = code {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if code.is_empty() || code.len() > limits::REASON_CODE_BYTES || !code.bytes().all(plain)
            {
                return Err(Malformed::value(
                    data.path_of("code"),
                    "1 to 32 of a-z, 0-9 and -",
                    code,
                ));
            }
        }
        Ok(Self {
            basis: data.optional_hash("basis")?,
            code: code.map(str::to_owned),
            reason: data.optional_hash("reason")?,
        })
    }
}

fn read_types(fields: &mut Fields<'_>) -> Result<Vec<String>, Malformed> {
    let types = fields.items("types", limits::GRANT_TYPES, |value, path| {
        text_of(value, path).map(str::to_owned)
    })?;
    ascending(&types, fields, "types")?;
    types
        .iter()
        .try_for_each(|code| check_type_code(code, &fields.path_of("types")))?;
    Ok(types)
}

/// A type code's shape only (21 upper-case letters and digits); its check characters are judged
/// where licences are issued, so that a log never depends on a national table.
pub(crate) fn check_type_code(code: &str, path: &str) -> Result<(), Malformed> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if code.len() == 21 && code.bytes().all(plain) {
        Ok(())
    } else {
        Err(Malformed::value(path, "21 of A-Z and 0-9", code))
    }
}

/// A USCC's shape only (18 upper-case letters and digits).
pub(crate) fn check_unit(unit: &str, path: &str) -> Result<(), Malformed> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if unit.len() == 18 && unit.bytes().all(plain) {
        Ok(())
    } else {
        Err(Malformed::value(path, "18 of A-Z and 0-9", unit))
    }
}

/// Refuses the texts of the member `name`, unless each is above the one before.
pub(crate) fn ascending<T: AsRef<str> + PartialOrd>(
    texts: &[T],
    fields: &Fields<'_>,
    name: &str,
) -> Result<(), Malformed> {
    match texts.windows(2).find(|pair| pair.first() >= pair.last()) {
        None => Ok(()),
        Some(pair) => Err(Malformed::value(
            fields.path_of(name),
            "strictly ascending",
            pair.last().map_or("", AsRef::as_ref),
        )),
    }
}

impl KeyGrant {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            key: fields.key("key")?,
            types: read_types(fields)?,
        })
    }
}

impl Administrators {
    /// Reads `keys` and `threshold`.
    ///
    /// # Errors
    /// No key, too many, not ascending, or a threshold outside 1 to their number.
    pub fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let texts = fields.items("keys", limits::EVENT_SIGNATURES, |value, path| {
            text_of(value, path).map(str::to_owned)
        })?;
        ascending(&texts, fields, "keys")?;
        let keys = fields.items(
            "keys",
            limits::EVENT_SIGNATURES,
            crate::wire::fields::key_of,
        )?;
        let threshold = fields.int("threshold")?;
        let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
        if threshold == 0 || threshold > count {
            return Err(Malformed::value(
                fields.path_of("threshold"),
                "between 1 and the number of keys",
                &threshold.to_string(),
            ));
        }
        Ok(Self { keys, threshold })
    }

    pub(crate) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.array("keys", |a| {
            self.keys.iter().for_each(|key| {
                a.key(key);
            });
        });
        o.int("threshold", self.threshold);
    }
}

fn index(fields: &mut Fields<'_>, name: &str) -> Result<LeafIndex, Malformed> {
    fields.int(name).map(LeafIndex)
}

impl Issued {
    fn read(data: &mut Fields<'_>) -> Result<Self, Malformed> {
        let note = Note::read(data)?;
        let mut digests = data.object("digests")?;
        let vc = digests.hash("vc")?;
        digests.finish()?;
        let enterprise = data.optional_hash("enterprise")?;
        let inspection_due = data.optional_time("inspectionDue")?;
        let predecessor = match data.optional_object("predecessor")? {
            None => None,
            Some(mut fields) => {
                let predecessor = Predecessor {
                    prev: fields.hash("prev")?,
                    relation: Relation::read(&mut fields, "relation")?,
                    seq: fields.int("seq")?,
                    subject: fields.hash("subject")?,
                };
                fields.finish()?;
                Some(predecessor)
            }
        };
        let type_ref = TypeRef::read(data)?;
        Ok(Self {
            enterprise,
            inspection_due,
            note,
            predecessor,
            type_ref,
            vc,
        })
    }
}

impl TypeRef {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        match fields.optional_hash("typeCommitment")? {
            Some(commitment) => Ok(Self::Commitment(commitment)),
            None => {
                let code = fields.text("typeCode")?;
                check_type_code(code, &fields.path_of("typeCode"))?;
                Ok(Self::Code(code.to_owned()))
            }
        }
    }

    pub(crate) fn write(&self, o: &mut ObjectWriter<'_>) {
        match self {
            Self::Code(code) => o.text("typeCode", code),
            Self::Commitment(commitment) => o.hash("typeCommitment", commitment),
        };
    }
}

impl PublishType {
    fn read(data: &mut Fields<'_>) -> Result<Self, Malformed> {
        let verbs = read_verbs(data)?;
        if !verbs.contains(&Verb::Issued) {
            let path = data.path_of("verbs");
            return Err(Malformed::value(path, "a list with issued", ""));
        }
        let type_code = data.text("typeCode")?.to_owned();
        check_type_code(&type_code, &data.path_of("typeCode"))?;
        Ok(Self {
            digest: data.hash("digest")?,
            individual_businesses: data.bool("individualBusinesses")?,
            indexed: data.bool("indexed")?,
            inspection: InspectionRule::read(data, "inspection")?,
            openness: Openness::read(data, "openness")?,
            type_code,
            verbs,
            version: data.int("version")?,
        })
    }
}

/// The member `verbs`: verbs of licences, strictly ascending by word.
pub(crate) fn read_verbs(fields: &mut Fields<'_>) -> Result<Vec<Verb>, Malformed> {
    let words = fields.items("verbs", Verb::ALL.len(), text_of)?;
    ascending(&words, fields, "verbs")?;
    words
        .iter()
        .map(|word| {
            Verb::from_word(word)
                .filter(|verb| verb.on() == super::verb::On::Licence)
                .ok_or_else(|| {
                    Malformed::value(fields.path_of("verbs"), "a verb of a licence", word)
                })
        })
        .collect()
}

impl Action {
    /// The verb.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Issued(_) => Verb::Issued,
            Self::Plain(verb, _) | Self::Release(verb, _, _) => *verb,
            Self::Inspect { .. } => Verb::Inspect,
            Self::ClearObjection { .. } => Verb::ClearObjection,
            Self::Transfer { .. } => Verb::Transfer,
            Self::AddUnit { .. } => Verb::AddUnit,
            Self::GrantTypes(_) => Verb::GrantTypes,
            Self::RotateKey { .. } => Verb::RotateKey,
            Self::RetireKey(_) => Verb::RetireKey,
            Self::ProposeKey(_) => Verb::ProposeKey,
            Self::ConfirmKey(_) => Verb::ConfirmKey,
            Self::WithdrawProposal(_) => Verb::WithdrawProposal,
            Self::SuspendUnit => Verb::SuspendUnit,
            Self::ResumeUnit => Verb::ResumeUnit,
            Self::CompromiseKey { .. } => Verb::CompromiseKey,
            Self::PublishType(_) => Verb::PublishType,
            Self::RetireType => Verb::RetireType,
            Self::ChangeAdministrators(_) => Verb::ChangeAdministrators,
            Self::RotateLogKey(_) => Verb::RotateLogKey,
        }
    }

    /// Reasons and basis, where the verb has them.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        match self {
            Self::Issued(issued) => Some(&issued.note),
            Self::Plain(_, note)
            | Self::Release(_, _, note)
            | Self::Inspect { note, .. }
            | Self::ClearObjection { note, .. }
            | Self::Transfer { note, .. } => Some(note),
            _ => None,
        }
    }

    pub(crate) fn read(verb: Verb, data: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(match verb {
            Verb::Issued => Self::Issued(Box::new(Issued::read(data)?)),
            Verb::Withhold
            | Verb::LiftWithholding
            | Verb::Hold
            | Verb::LiftHold
            | Verb::ReportLost
            | Verb::WithdrawLoss
            | Verb::Mortgage
            | Verb::Pledge
            | Verb::MarkObjection
            | Verb::Cancel
            | Verb::Revoke
            | Verb::Annul
            | Verb::Abolish
            | Verb::Reaffirm => Self::Plain(verb, Note::read(data)?),
            Verb::ReleaseMortgage | Verb::ReleasePledge => {
                Self::Release(verb, index(data, "of")?, Note::read(data)?)
            }
            Verb::Inspect => Self::Inspect {
                due: data.optional_time("due")?,
                note: Note::read(data)?,
                result: InspectionResult::read(data, "result")?,
            },
            Verb::ClearObjection => Self::ClearObjection {
                note: Note::read(data)?,
                of: index(data, "of")?,
                result: ObjectionResult::read(data, "result")?,
            },
            Verb::Transfer => Self::Transfer {
                controller: data.hash("controller")?,
                note: Note::read(data)?,
            },
            Verb::AddUnit => {
                let unit = data.text("unit")?.to_owned();
                check_unit(&unit, &data.path_of("unit"))?;
                Self::AddUnit {
                    grant: KeyGrant::read(data)?,
                    unit,
                }
            }
            Verb::GrantTypes => Self::GrantTypes(KeyGrant::read(data)?),
            Verb::RotateKey => Self::RotateKey {
                key: data.key("key")?,
                retire: data.optional_key("retire")?,
            },
            Verb::RetireKey => Self::RetireKey(data.key("key")?),
            Verb::ProposeKey => Self::ProposeKey(KeyGrant::read(data)?),
            Verb::ConfirmKey => Self::ConfirmKey(data.key("key")?),
            Verb::WithdrawProposal => Self::WithdrawProposal(data.key("key")?),
            Verb::SuspendUnit => Self::SuspendUnit,
            Verb::ResumeUnit => Self::ResumeUnit,
            Verb::CompromiseKey => Self::CompromiseKey {
                from: index(data, "from")?,
                key: data.key("key")?,
            },
            Verb::PublishType => Self::PublishType(Box::new(PublishType::read(data)?)),
            Verb::RetireType => Self::RetireType,
            Verb::ChangeAdministrators => Self::ChangeAdministrators(Administrators::read(data)?),
            Verb::RotateLogKey => Self::RotateLogKey(LogKey::read(data)?),
        })
    }
}

mod log_key;
mod write;

pub use log_key::LogKey;
