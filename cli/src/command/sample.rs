//! `zhao sample`: fictional licences as CSV.
