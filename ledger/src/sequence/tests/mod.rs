//! The sequencer: what it answers, and what it survives.

mod ahead;
mod answers;
mod cosigners;
mod faults;
mod log_key;
mod panel;
mod random;
mod receipts;
mod rocks;
mod start;
mod tampering;
mod watch;
