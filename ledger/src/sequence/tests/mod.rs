//! The sequencer: what it answers, and what it survives.

mod ahead;
mod answers;
mod cosigners;
mod faults;
mod random;
mod rocks;
mod start;
mod tampering;
