//! Region codes. Prose: `spec/region.md`.

use std::fmt;
use std::str::FromStr;

use super::{IdError, NumberKind, values};

/// GB/T 2260: the 34 regions of province level.
const PROVINCES: [(&str, &str); 34] = [
    ("11", "北京市"),
    ("12", "天津市"),
    ("13", "河北省"),
    ("14", "山西省"),
    ("15", "内蒙古自治区"),
    ("21", "辽宁省"),
    ("22", "吉林省"),
    ("23", "黑龙江省"),
    ("31", "上海市"),
    ("32", "江苏省"),
    ("33", "浙江省"),
    ("34", "安徽省"),
    ("35", "福建省"),
    ("36", "江西省"),
    ("37", "山东省"),
    ("41", "河南省"),
    ("42", "湖北省"),
    ("43", "湖南省"),
    ("44", "广东省"),
    ("45", "广西壮族自治区"),
    ("46", "海南省"),
    ("50", "重庆市"),
    ("51", "四川省"),
    ("52", "贵州省"),
    ("53", "云南省"),
    ("54", "西藏自治区"),
    ("61", "陕西省"),
    ("62", "甘肃省"),
    ("63", "青海省"),
    ("64", "宁夏回族自治区"),
    ("65", "新疆维吾尔自治区"),
    ("71", "台湾省"),
    ("81", "香港特别行政区"),
    ("82", "澳门特别行政区"),
];
const OF: NumberKind = NumberKind::Region;

/// A region code: six digits, the first two a province. Cities and counties are not looked up,
/// because codes of regions since renamed or merged stay in old records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(String);

impl RegionCode {
    /// The code of six digits.
    ///
    /// # Errors
    /// In this order: length, character, province.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 6 {
            return Err(IdError::Length {
                of: OF,
                expected: "6",
                actual: text.len(),
            });
        }
        values(b"0123456789", text).map_err(|offset| IdError::Character { of: OF, offset })?;
        let code = Self(text.to_owned());
        code.province().ok_or(IdError::Province)?;
        Ok(code)
    }

    fn province(&self) -> Option<&'static str> {
        let digits = self.0.get(..2)?;
        PROVINCES
            .iter()
            .find(|(code, _)| *code == digits)
            .map(|(_, name)| *name)
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Chinese name of the province.
    #[must_use]
    pub fn province_name(&self) -> &'static str {
        self.province().expect("checked on construction")
    }

    /// Whether the region `other` lies in this one: the same digits up to this one's zeros.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        let digits = match (self.0.ends_with("0000"), self.0.ends_with("00")) {
            (true, _) => 2,
            (_, true) => 4,
            _ => 6,
        };
        self.0.get(..digits) == other.0.get(..digits)
    }
}

impl FromStr for RegionCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
