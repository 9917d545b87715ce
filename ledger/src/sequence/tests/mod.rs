//! The sequencer: what it answers, and what it survives.

mod ahead;
mod answers;
mod cosigners;
mod faults;
mod panel;
mod random;
mod rocks;
mod start;
mod tampering;
mod watch;
