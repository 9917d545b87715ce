//! The program as its users meet it: the real binary, real directories, real bytes.
//!
//! Each test has an office of its own, a copy of one that is made once a run. Every verdict is
//! asked for twice, from `zhao verify` and from the JavaScript verifier, and both print the same.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod backup;
mod batches;
mod bench;
mod command_line;
mod directories;
mod files;
mod keys;
mod life;
mod load;
mod office;
mod policies;
mod privacy;
mod program;
mod qr;
mod scan;
mod versions;
