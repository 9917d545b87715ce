//! What an entry says, as types. How it is read: the sibling `read`.

use std::path::Path;

use zhao_spec::id::{HolderCodeType, LicenceTypeCode, Uscc};
use zhao_spec::life::data::{Action, InspectionRule, Openness, PublishType};
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{Date, Hash, Malformed, Problem, Value, foreign, json, sha256};

use super::read::{self, ENTRY_BYTES};
use super::rule::Faults;
use super::{CatalogueError, Fault, Pattern, Rule, Term};

/// A closed list of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in the entry.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// 标准级别: at which level the type was standardised.
    StandardLevel {
        /// By a district or county.
        District = "district",
        /// By a city.
        Municipal = "municipal",
        /// Nationally; then the entry names the standard.
        National = "national",
    }
}

words! {
    /// Who may see a field.
    Sensitivity {
        /// Says something about a natural person.
        Personal = "personal",
        /// Anyone, if the type is open.
        Public = "public",
        /// Never in any public or catalogue answer.
        Secret = "secret",
    }
}

words! {
    /// 证照颁发机构级别: level of the bodies that issue.
    Grade {
        /// 区县级.
        District = "district",
        /// 地市级.
        Municipal = "municipal",
        /// 国家级.
        National = "national",
        /// 其他.
        Other = "other",
        /// 省（部）级.
        Provincial = "provincial",
        /// 乡镇级.
        Township = "township",
    }
}

words! {
    /// 事项类别: kinds of government matters, as the lists of powers have them.
    MatterKind {
        /// 行政裁决.
        Adjudication = "adjudication",
        /// 行政强制.
        Coercion = "coercion",
        /// 行政确认.
        Confirmation = "confirmation",
        /// 行政检查.
        Inspection = "inspection",
        /// 行政征收.
        Levy = "levy",
        /// 行政许可.
        Licensing = "licensing",
        /// 其他行政权力.
        OtherPower = "other-power",
        /// 行政给付.
        Payment = "payment",
        /// 行政处罚.
        Penalty = "penalty",
        /// 公共服务.
        PublicService = "public-service",
        /// 行政奖励.
        Reward = "reward",
    }
}

words! {
    /// Whose consent a use needs.
    Consent {
        /// The holder's.
        Holder = "holder",
        /// The issuing unit's.
        Issuer = "issuer",
        /// Nobody's: a legal basis is enough.
        None = "none",
    }
}

words! {
    /// A base register that issuers compare with.
    Register {
        /// 法人库: organisations by unified social credit code.
        LegalEntities = "legal-entities",
        /// 人口库: people by citizen identification number.
        Population = "population",
    }
}

words! {
    /// What an answer that a register does not give does to the licence.
    Without {
        /// It is issued, and the report says that nothing was compared.
        Note = "note",
        /// It is not issued.
        Refuse = "refuse",
    }
}

/// A name in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// English, for screens.
    pub en: String,
    /// Chinese, as the licence says.
    pub zh: String,
}

/// One value of a code list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What the licence says.
    pub code: String,
    /// What it means.
    pub names: Names,
}

/// What values a field has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `true` or `false`.
    Boolean,
    /// One of a list.
    Code(Vec<Code>),
    /// A calendar day, `YYYY-MM-DD`.
    Date,
    /// 0 to 2^53 − 1.
    Integer,
    /// Text.
    Text {
        /// Most characters.
        max_length: usize,
        /// What it must look like.
        pattern: Option<Pattern>,
    },
}

/// One field of the face data (照面信息).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What values it has.
    pub kind: FieldKind,
    /// Name in JSON and column title in batches.
    pub name: String,
    /// What it is collected for.
    pub purpose: String,
    /// Whether every licence says it.
    pub required: bool,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Title on screens.
    pub titles: Names,
}

/// 年检, 年审: what inspections do and how often they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Months from issue, or from one inspection, to the next; none without a rule.
    pub cycle_months: Option<u32>,
    /// What a failed or overdue one does.
    pub rule: InspectionRule,
}

/// One licence type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 证照归集起始时间: licences issued before this day are the old stock, those from it on the
    /// increment; none: the entry does not say.
    pub collection_start: Option<Date>,
    /// 使用要求: what whoever uses a licence must keep to.
    pub conditions: Option<Conditions>,
    /// The body that defined the type.
    pub definer: Definer,
    /// SHA-256 of the entry's canonical JSON: what `publish-type` commits to.
    pub digest: Hash,
    /// Face data, in the order of the file.
    pub fields: Vec<Field>,
    /// 证照颁发机构级别: level of the bodies that issue.
    pub grade: Option<Grade>,
    /// Whether the type is much used, so that its stock is converted first.
    pub high_frequency: bool,
    /// Code types a holder may have, ascending.
    pub holders: Vec<HolderCodeType>,
    /// Whether individual businesses are in the public index too.
    pub individual_businesses: bool,
    /// Whether licences of the type are in their holder's public index.
    pub indexed: bool,
    /// Inspections.
    pub inspection: Inspection,
    /// 制发单位: the units that issue licences of the type.
    pub issuing_units: Vec<Definer>,
    /// 事项类别: the kind of government matter that a licence ends.
    pub matter: Option<MatterKind>,
    /// Its names.
    pub names: Names,
    /// How licence numbers are made and checked.
    pub number: Pattern,
    /// Who may see licences of the type.
    pub openness: Openness,
    /// What is compared with which register when a licence is issued.
    pub registers: Vec<RegisterRule>,
    /// 证照样例: a picture of a licence with sample data.
    pub sample: Option<Picture>,
    /// 印章图样: the seal on the face.
    pub seal: Option<Seal>,
    /// 签批和颁发: the steps from draft to handing out, in order.
    pub sign_off: Vec<Names>,
    /// Short name in commands and file names.
    pub slug: String,
    /// Level of the standard.
    pub standard_level: StandardLevel,
    /// The standard.
    pub standard_ref: Option<String>,
    /// Whether the entry declares that the type holds no state secrets. An entry that says it
    /// does hold them is none.
    pub states_no_secrets: bool,
    /// 证照模板: how the face looks.
    pub template: Option<Template>,
    /// 21 characters, GB/T 36904.
    pub type_code: LicenceTypeCode,
    /// How long licences last.
    pub validity: Vec<Term>,
    /// The entry's canonical JSON as a value: what profiles and comparisons look at.
    pub value: Value,
    /// Licence verbs that apply, ascending by word.
    pub verbs: Vec<Verb>,
    /// Version of the entry, from 1.
    pub version: u64,
    /// Whether the entry says that more can be seen under it than under the version before.
    pub widens: bool,
}

/// 证照定义机构: the body that defined a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definer {
    /// Its code: the first 18 characters of the type code.
    pub code: Uscc,
    /// Its name.
    pub name: String,
}

/// 使用要求 of a type: returned with every retrieval of its licences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Whose consent a use needs.
    pub consent: Consent,
    /// Most days that a user may keep what it saw; none: as long as the purpose lasts.
    pub keep_days: Option<u32>,
    /// What licences may be used for; at least one.
    pub purposes: Vec<Names>,
    /// The requirement in words.
    pub requirement: Names,
}

/// A picture stored beside the entry, in the folder `pictures`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub digest: Hash,
    /// Its name in the folder.
    pub file: String,
    /// What it is.
    pub media: Media,
}

words! {
    /// Kinds of pictures. Drawings that can carry a program (SVG) are none.
    Media {
        /// JPEG.
        Jpeg = "image/jpeg",
        /// PNG.
        Png = "image/png",
    }
}

/// The seal that stands on the face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Its name, as registered.
    pub name: String,
    /// Its picture.
    pub picture: Picture,
}

/// How the face looks: a sheet, a picture under it, and where which text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// 底图模板: the picture under the texts.
    pub background: Option<Picture>,
    /// Height of the sheet, millimetres.
    pub height: u32,
    /// What stands where, in the order of reading.
    pub texts: Vec<Placed>,
    /// Width of the sheet, millimetres.
    pub width: u32,
}

/// One text on the face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// A field, or a metadata element of GB/T 36903.
    pub member: String,
    /// Height of its letters, millimetres.
    pub size: u32,
    /// From the left edge, millimetres.
    pub x: u32,
    /// From the upper edge, millimetres.
    pub y: u32,
}

/// One comparison of a name with the register's name of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterRule {
    /// Member that holds the code: `holderCode` or a text field.
    pub code: String,
    /// Member that holds the name: `holderName` or a text field.
    pub name: String,
    /// Which register.
    pub register: Register,
    /// When the register knows no such code.
    pub unknown: Without,
    /// When the register does not answer.
    pub unreachable: Without,
}

impl Entry {
    /// The entry of a file's bytes. White space is free, so that people can edit the file; the
    /// digest is that of the canonical form.
    ///
    /// # Errors
    /// Not JSON, or everything for which it is no entry; `path` is for the message.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CatalogueError> {
        let value = Self::value_of(path, bytes)?;
        let digest = sha256(&[&json::encode(&value)]);
        read::entry(value, digest).map_err(|faults| CatalogueError::Malformed {
            path: path.to_owned(),
            faults: Faults(faults),
        })
    }

    /// The JSON of a file's bytes, which may be no entry.
    ///
    /// # Errors
    /// Not JSON, not JSON of ours, or too long.
    pub fn value_of(path: &Path, bytes: &[u8]) -> Result<Value, CatalogueError> {
        let malformed = |error: Malformed| CatalogueError::Malformed {
            path: path.to_owned(),
            faults: Faults(vec![error.into()]),
        };
        if bytes.len() > ENTRY_BYTES {
            let problem = Problem::TooLong {
                limit: ENTRY_BYTES,
                actual: bytes.len(),
            };
            return Err(malformed(Malformed::new("", problem)));
        }
        let read = foreign::parse_foreign(bytes).map_err(|source| CatalogueError::Json {
            path: path.to_owned(),
            source,
        })?;
        json::parse(&foreign::canonicalize(&read))
            .map_err(|error| malformed(Malformed::from(error)))
    }

    /// The event data that puts this version of the entry in force.
    #[must_use]
    pub fn publish(&self) -> Action {
        Action::PublishType(Box::new(PublishType {
            digest: self.digest,
            individual_businesses: self.individual_businesses,
            indexed: self.indexed,
            inspection: self.inspection.rule,
            openness: self.openness,
            type_code: self.type_code.as_str().to_owned(),
            verbs: self.verbs.clone(),
            version: self.version,
        }))
    }

    /// The field `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The use conditions, which go with every retrieval of a licence of the type.
    #[must_use]
    pub fn conditions(&self) -> Option<&Conditions> {
        self.conditions.as_ref()
    }

    /// Whether users must be told conditions: the type is not open, or says something that is not
    /// public.
    #[must_use]
    pub fn needs_conditions(&self) -> bool {
        let sensitive = |field: &Field| field.sensitivity != Sensitivity::Public;
        self.openness != Openness::Open || self.fields.iter().any(sensitive)
    }

    /// What keeps the entry from being published, beside what keeps it from being one. Entries of
    /// before these rules are still read, so that what was issued under them is understood.
    #[must_use]
    pub fn unpublishable(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        // CAT-11: no sensitive licence without a word on how it may be used.
        if self.needs_conditions() && self.conditions.is_none() {
            faults.push(Fault::new("useConditions", Rule::NeedsConditions, ""));
        }
        // CAT-13: state secrets are out of scope, and somebody has said so for this type.
        if !self.states_no_secrets {
            faults.push(Fault::new("stateSecrets", Rule::NeedsDeclaration, ""));
        }
        faults
    }

    /// The pictures that the entry names, each with the member that names it.
    pub fn pictures(&self) -> impl Iterator<Item = (&'static str, &Picture)> {
        let background = self.template.as_ref().and_then(|t| t.background.as_ref());
        let seal = self.seal.as_ref().map(|seal| &seal.picture);
        [
            ("template.background", background),
            ("sample", self.sample.as_ref()),
            ("seal.picture", seal),
        ]
        .into_iter()
        .filter_map(|(place, picture)| picture.map(|picture| (place, picture)))
    }
}
