//! Other people's programs for the same tasks, measured in the same run.

pub(crate) mod digitalbazaar;
pub(crate) mod logs;
pub(crate) mod maps;
pub(crate) mod naive;
pub(crate) mod spruce;
