//! A miniature honest log in memory, and the means of an operator who cheats.
//!
//! Everything is derived from names, so that the same call gives the same bytes on every machine.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "this is test code")]

pub mod cases;
pub mod codes;
pub mod credential;
pub mod forms;
pub mod fragments;
pub mod javascript;
pub mod mutants;
pub mod vectors;
pub mod vouch;
pub mod world;

use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, sha256};

/// The log of most vectors.
pub const ORIGIN: &str = "zhao.example/changzhou";
/// Another log of the same policy.
pub const OTHER_ORIGIN: &str = "zhao.example/wuxi";
/// A log that no policy knows.
pub const FOREIGN_ORIGIN: &str = "zhao.example/nowhere";

/// A day, milliseconds.
pub const DAY: u64 = 86_400_000;
/// An hour, milliseconds.
pub const HOUR: u64 = 3_600_000;

/// A secret key by name.
pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[b"zhao test key ", name.as_bytes()]).0)
}

/// A hash by name.
pub fn hash(name: &str) -> Hash {
    sha256(&[b"zhao test hash ", name.as_bytes()])
}

/// An instant by its text.
pub fn at(text: &str) -> UnixMillis {
    UnixMillis::parse(text).unwrap()
}

/// A unit of record: department 1, category 1, fictional by its organisation number.
pub fn unit(number: u8) -> Uscc {
    Uscc::with_checks("11320400", &format!("DEM0{number:04}")).unwrap()
}

/// An enterprise (91) of the market register.
pub fn company(number: u8) -> Uscc {
    Uscc::with_checks("91320400", &format!("DEM0{number:04}")).unwrap()
}

/// An individual business (92).
pub fn individual(number: u8) -> Uscc {
    Uscc::with_checks("92320400", &format!("DEM0{number:04}")).unwrap()
}

/// A licence type code defined by a fictional body.
pub fn type_code(number: u16) -> LicenceTypeCode {
    let definer = Uscc::with_checks("11100000", "DEM00000").unwrap();
    LicenceTypeCode::parse(&format!("{}{number:03}", definer.as_str())).unwrap()
}

/// A food licence: open, in the public index.
pub fn food() -> LicenceTypeCode {
    type_code(1)
}

/// A transport licence: open, not indexed, inspections suspend.
pub fn transport() -> LicenceTypeCode {
    type_code(2)
}

/// A birth certificate: closed.
pub fn birth() -> LicenceTypeCode {
    type_code(3)
}

/// A business licence: open, indexed with individual businesses, inspections give notice.
pub fn business() -> LicenceTypeCode {
    type_code(4)
}

/// A trial type: open when first used, restricted later.
pub fn trial() -> LicenceTypeCode {
    type_code(5)
}
