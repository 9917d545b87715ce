//! What crosses the folders of this repository, and is therefore no one crate's to test.
//!
//! The tests are in `tests/tests/`, the set-up of the machine in `tests/setup/`, the judges from
//! elsewhere in `tests/interop/`. Here is what those tests and the benchmark share; tests of
//! one crate stay beside its code.
#![forbid(unsafe_code)]

pub mod client;
pub mod dice;
pub mod machine;
pub mod office;
pub mod plan;
pub mod promise;
pub mod quick;
pub mod small_disk;
