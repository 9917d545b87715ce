//! Licence type codes and licence identifiers. Prose: `spec/licence-identifier.md`.

use std::fmt;
use std::str::FromStr;

use super::{CheckOf, IdError, NumberKind, Uscc, character_in, values};

/// GB/T 36904: what every licence identifier begins with. Not an OID prefix in the technical
/// sense, because what follows has letters: never write an identifier as `urn:oid:`.
pub const IDENTIFIER_ROOT: &str = "1.2.156.3005.2.";

/// GB/T 17710: the values of MOD 37,36.
const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const OF: NumberKind = NumberKind::LicenceIdentifier;

/// A licence type code: the USCC of the body that defined the type, and three digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LicenceTypeCode(String);

impl LicenceTypeCode {
    /// The code of a 21-character text.
    ///
    /// # Errors
    /// Length, a number that is not three digits, or what [`Uscc::parse`] finds.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let of = NumberKind::LicenceType;
        if text.len() != 21 {
            return Err(IdError::Length {
                of,
                expected: "21",
                actual: text.len(),
            });
        }
        let (definer, number) = text
            .split_at_checked(18)
            .ok_or(IdError::Character { of, offset: 17 })?;
        if let Some(offset) = number.bytes().position(|b| !b.is_ascii_digit()) {
            return Err(IdError::Character {
                of,
                offset: offset.saturating_add(18),
            });
        }
        Uscc::parse(definer)?;
        Ok(Self(text.to_owned()))
    }

    /// The 21 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The body that defined the type.
    #[must_use]
    pub fn definer(&self) -> Uscc {
        Uscc::parse(self.0.get(..18).unwrap_or_default()).expect("checked on construction")
    }
}

/// Who issued, in a licence identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IssuerPart {
    /// The issuing body's code: what the standard asks for, and all that Zhao writes.
    Uscc(Uscc),
    /// Six digits of a region, as identifiers from before body codes were assigned have it.
    Region(String),
}

impl IssuerPart {
    /// The 18 or 6 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uscc(code) => code.as_str(),
            Self::Region(digits) => digits,
        }
    }
}

/// A licence identifier, its check character right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LicenceIdentifier {
    type_code: LicenceTypeCode,
    issuer: IssuerPart,
    serial: String,
    version: u16,
    check: char,
}

impl LicenceIdentifier {
    /// The identifier of its five parts, with the check character computed.
    ///
    /// # Errors
    /// A serial that is empty, over 64 characters or not of `0-9A-Z`; a version that is 0 or
    /// above 999.
    pub fn new(
        type_code: LicenceTypeCode,
        issuer: Uscc,
        serial: &str,
        version: u16,
    ) -> Result<Self, IdError> {
        Self::with_check(type_code, IssuerPart::Uscc(issuer), serial, version)
    }

    /// The identifier of a text.
    ///
    /// # Errors
    /// In this order: root, number of parts, type code, issuer, serial, version, check character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let body = text.strip_prefix(IDENTIFIER_ROOT).ok_or(IdError::Root)?;
        let parts: Vec<&str> = body.split('.').take(7).collect();
        let [type_code, issuer, serial, version, check] = parts.as_slice() else {
            return Err(IdError::Parts {
                actual: parts.len(),
            });
        };
        let type_code = LicenceTypeCode::parse(type_code)?;
        let issuer = match issuer.len() {
            6 if issuer.bytes().all(|b| b.is_ascii_digit()) => {
                IssuerPart::Region((*issuer).to_owned())
            }
            6 => return Err(character(issuer, |b| b.is_ascii_digit())),
            _ => IssuerPart::Uscc(Uscc::parse(issuer)?),
        };
        check_serial(serial)?;
        if version.len() != 3 {
            return Err(IdError::Length {
                of: OF,
                expected: "3",
                actual: version.len(),
            });
        }
        let number = version
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| version.parse().ok())
            .flatten()
            .ok_or_else(|| character(version, |b| b.is_ascii_digit()))?;
        let [actual] = check.as_bytes() else {
            return Err(IdError::Length {
                of: OF,
                expected: "1",
                actual: check.len(),
            });
        };
        if !ALPHABET.contains(actual) {
            return Err(IdError::Character { of: OF, offset: 0 });
        }
        let actual = char::from(*actual);
        let right = Self::with_check(type_code, issuer, serial, number)?;
        if right.check != actual {
            let of = CheckOf::LicenceIdentifier;
            return Err(IdError::Check {
                of,
                expected: right.check,
                actual,
            });
        }
        Ok(right)
    }

    fn with_check(
        type_code: LicenceTypeCode,
        issuer: IssuerPart,
        serial: &str,
        version: u16,
    ) -> Result<Self, IdError> {
        check_serial(serial)?;
        if version == 0 {
            return Err(IdError::Version);
        }
        if version > 999 {
            return Err(IdError::Length {
                of: OF,
                expected: "3",
                actual: 4,
            });
        }
        let body = format!(
            "{}{}{serial}{version:03}",
            type_code.as_str(),
            issuer.as_str()
        );
        let check = mod_37_36(&body);
        Ok(Self {
            type_code,
            issuer,
            serial: serial.to_owned(),
            version,
            check,
        })
    }

    /// What kind of licence.
    #[must_use]
    pub fn type_code(&self) -> &LicenceTypeCode {
        &self.type_code
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &IssuerPart {
        &self.issuer
    }

    /// The serial, 1 to 64 of `0-9A-Z`; a re-issue keeps it.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The version, 1 to 999; a re-issue raises it.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The check character.
    #[must_use]
    pub fn check_character(&self) -> char {
        self.check
    }
}

/// The check character over the parts of an identifier, if they are of `0-9A-Z`.
pub(crate) fn check_character(parts: &str) -> Option<char> {
    values(ALPHABET, parts).ok().map(|_| mod_37_36(parts))
}

/// The check character of GB/T 17710 (ISO/IEC 7064) MOD 37,36 over `body`.
fn mod_37_36(body: &str) -> char {
    let digits = values(ALPHABET, body).expect("every part is of 0-9 and A-Z");
    let product = digits.into_iter().fold(36_u32, |product, value| {
        let sum = match product.saturating_add(value) % 36 {
            0 => 36,
            sum => sum,
        };
        sum.saturating_mul(2) % 37
    });
    // The second `% 36` matters: 37 − 1 is 36, which is written 0.
    character_in(ALPHABET, 37_u32.saturating_sub(product) % 36)
}

fn check_serial(serial: &str) -> Result<(), IdError> {
    if !(1..=64).contains(&serial.len()) {
        return Err(IdError::Length {
            of: OF,
            expected: "1 to 64",
            actual: serial.len(),
        });
    }
    match values(ALPHABET, serial) {
        Ok(_) => Ok(()),
        Err(offset) => Err(IdError::Character { of: OF, offset }),
    }
}

/// The error for the first character of `part` that is not `allowed`.
fn character(part: &str, allowed: impl Fn(u8) -> bool) -> IdError {
    let offset = part.bytes().position(|b| !allowed(b)).unwrap_or(0);
    IdError::Character { of: OF, offset }
}

impl FromStr for LicenceIdentifier {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for LicenceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, serial) = (self.issuer.as_str(), &self.serial);
        let (type_code, version, check) = (&self.type_code, self.version, self.check);
        write!(
            f,
            "{IDENTIFIER_ROOT}{type_code}.{issuer}.{serial}.{version:03}.{check}"
        )
    }
}

impl FromStr for LicenceTypeCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for LicenceTypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LicenceTypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LicenceTypeCode({self})")
    }
}
