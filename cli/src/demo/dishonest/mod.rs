//! The dishonest operator, and what he does.

pub(crate) mod press;
