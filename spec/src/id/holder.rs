//! Holder code types. Prose: `spec/citizen-id.md`.

use std::fmt;
use std::str::FromStr;

use super::{CitizenId, IdError, Uscc};

/// GB/T 36903 appendix A: code, Chinese name.
const TYPES: [(&str, &str); 16] = [
    ("001", "统一社会信用代码"),
    ("099", "其他法人或其他组织有效证件代码"),
    ("111", "公民身份号码"),
    ("114", "中国人民解放军军官证编号"),
    ("115", "中国人民武装警察部队警官证编号"),
    ("118", "中国人民解放军士兵证编号"),
    ("119", "中国人民武装警察部队士兵证编号"),
    ("120", "中国人民解放军文职人员证编号"),
    ("122", "中国人民武装警察部队文职人员证编号"),
    ("411", "外交护照号"),
    ("412", "公务护照号"),
    ("413", "公务普通护照号"),
    ("414", "普通护照号"),
    ("511", "台湾居民来往大陆通行证号"),
    ("516", "港澳居民来往内地通行证号"),
    ("999", "其他自然人有效证件代码"),
];

/// What kind of number a holder code is (GB/T 36903 appendix A).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderCodeType(&'static str);

impl HolderCodeType {
    /// 001, unified social credit code.
    pub const USCC: Self = Self("001");
    /// 111, citizen identity number.
    pub const CITIZEN_ID: Self = Self("111");

    /// The type of a three-digit code.
    ///
    /// # Errors
    /// A code the standard does not list.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        TYPES
            .iter()
            .find(|(code, _)| *code == text)
            .map(|(code, _)| Self(code))
            .ok_or(IdError::HolderCodeType)
    }

    /// The three digits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The Chinese name.
    #[must_use]
    pub fn name(self) -> &'static str {
        TYPES
            .iter()
            .find(|(code, _)| *code == self.0)
            .map(|(_, name)| *name)
            .unwrap_or_default()
    }

    /// Whether such a holder is an organisation (001, 099) and not a natural person.
    #[must_use]
    pub fn is_organisation(self) -> bool {
        matches!(self.0, "001" | "099")
    }

    /// Checks `code` where this type has check characters (001 and 111); others pass.
    ///
    /// # Errors
    /// What [`Uscc::parse`] or [`CitizenId::parse`] finds.
    pub fn check(self, code: &str) -> Result<(), IdError> {
        match self {
            Self::USCC => Uscc::parse(code).map(drop),
            Self::CITIZEN_ID => CitizenId::parse(code).map(drop),
            _ => Ok(()),
        }
    }
}

impl FromStr for HolderCodeType {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for HolderCodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
