//! `zhao demo`.

mod dishonest;
mod offline;
