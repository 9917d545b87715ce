//! How long anything may be, and how long it may take. Prose: `spec/http.md`.

/// A request's body where a route says nothing else, bytes: one event, one row, one credential.
pub const BODY_BYTES: usize = 1 << 20;
/// Body of `POST /v1/events`, bytes: [`EVENTS`] events.
pub const EVENTS_BODY_BYTES: usize = 16 << 20;
/// Events of one submission.
pub const EVENTS: usize = 1_000;
/// Body of `POST /v1/licences/batch`, bytes.
pub const BATCH_BODY_BYTES: usize = 16 << 20;
/// Rows of `POST /v1/licences/batch`.
pub const BATCH_ROWS: usize = 10_000;
/// Body of `POST /v1/licences/bulk`, bytes.
pub const BULK_BODY_BYTES: u64 = 4 << 30;
/// A line of the answer to it, as the client accepts it, bytes.
pub const BULK_LINE_BYTES: usize = 1 << 20;
/// Batches of any length at once.
pub const BULKS: usize = 2;
/// Items of one page of a list.
pub const PAGE: usize = 100;
/// A text to find licences by, characters.
pub const FIND_CHARS: usize = 128;
/// Enterprises of one name that a public query answers.
pub const SAME_NAME: u32 = 16;
/// Headers of a request.
pub const HEADERS: usize = 64;
/// Everything before a request's body, bytes.
pub const HEAD_BYTES: usize = 16 << 10;
/// Connections at once.
pub const CONNECTIONS: usize = 1_024;
/// Until a request's headers are there, seconds.
pub const HEAD_SECONDS: u64 = 10;
/// Until a request's body is there, seconds.
pub const BODY_SECONDS: u64 = 30;
/// Until a request is answered, seconds, where the work is a read.
pub const READ_SECONDS: u64 = 30;
/// An answer as the client accepts it, bytes.
pub const ANSWER_BYTES: usize = 512 << 20;
