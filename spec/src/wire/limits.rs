//! Every maximum, with its reason. Over a limit is an error, never a truncation.
//!
//! A limit is checked before the bytes it bounds are decoded or memory for them is taken.
//! `spec/limits.md` carries the same table for implementers in other languages.

/// JSON text of no narrower kind, bytes: four times the largest dossier.
pub const JSON_BYTES: usize = 4 << 20;
/// One proposal of the administrators, bytes: an event, sixteen signatures and their keys.
pub const PROPOSAL_BYTES: usize = 32 << 10;
/// One event, bytes: a log entry must fit the 16-bit length prefix of an entry bundle with room.
pub const EVENT_BYTES: usize = 16 << 10;
/// Any leaf of the log, bytes: the 16-bit length prefix of an entry bundle (C2SP tlog-tiles).
pub const LEAF_BYTES: usize = 65_535;
/// One credential, bytes: face data are short texts; pictures stay outside.
pub const CREDENTIAL_BYTES: usize = 256 << 10;
/// One dossier, bytes: a credential, two map proofs, a grant chain and a checkpoint, generously.
pub const DOSSIER_BYTES: usize = 1 << 20;
/// One issuer pack, bytes: some thousand units with proofs.
pub const PACK_BYTES: usize = 8 << 20;
/// One piece of evidence, bytes: a batch with its multiproof is the largest kind.
pub const EVIDENCE_BYTES: usize = 64 << 20;
/// A policy file of either kind, bytes.
pub const POLICY_BYTES: usize = 256 << 10;
/// A signed note (checkpoint), bytes.
pub const NOTE_BYTES: usize = 64 << 10;
/// A COSE receipt, bytes: 64 hashes, the longest name of a key and a signature take 2,600.
pub const COSE_BYTES: usize = 4 << 10;

/// Nesting of JSON arrays and objects. Ours need six; the rest is room for other people's.
pub const DEPTH: usize = 32;
/// One JSON text value, bytes of UTF-8 after unescaping: a whole note fits.
pub const TEXT_BYTES: usize = 64 << 10;
/// One member name, bytes: ours are under 40.
pub const NAME_BYTES: usize = 128;
/// Elements of one JSON array: a whole batch.
pub const ARRAY_ITEMS: usize = 65_536;
/// Members of one JSON object.
pub const OBJECT_MEMBERS: usize = 1_024;
/// Largest integer in our JSON, 2^53 − 1: every reader's numbers hold it exactly (RFC 8785
/// §3.2.2.3).
pub const INTEGER: u64 = 9_007_199_254_740_991;
/// Multibase base58btc text, characters: a signature needs 89, and decoding is quadratic.
pub const MULTIBASE_CHARS: usize = 128;
/// Attacker's text repeated in an error message, bytes.
pub const CLIP_BYTES: usize = 64;

/// Hashes of one inclusion or consistency proof: the height of a tree of 2^64 leaves.
pub const PROOF_HASHES: usize = 64;
/// Siblings on one map path: one per bit of a key.
pub const MAP_PATH: usize = 256;
/// Leaves of one page of the map: few enough for one answer, and so many that a page says little
/// about which of them is wanted.
pub const MAP_PAGE_LEAVES: usize = 256;
/// One page of the map, bytes: 256 leaves of 64 bytes behind the longest prefix.
pub const MAP_PAGE_BYTES: usize = 16_417;
/// Signatures under one note: C2SP asks for at least 16; a log, its witnesses and auditors fit.
pub const NOTE_SIGNATURES: usize = 64;
/// Entries of one unit's history (keys, grants, rotations).
pub const UNIT_HISTORY: usize = 1_024;
/// Keys in one issuer record.
pub const ISSUER_KEYS: usize = 64;
/// Keys that followed a log's first.
pub const LOG_KEYS: usize = 16;
/// Events in one batch, and so leaves between two checkpoints.
pub const BATCH_EVENTS: usize = 65_536;
/// Logs, witnesses, groups and auditors named by one policy.
pub const POLICY_PARTIES: usize = 1_024;
/// Issuers in one pack.
pub const PACK_ISSUERS: usize = 4_096;
/// The QR form of a dossier, bytes: what a page of codes holds.
pub const QR_BYTES: usize = 64 << 10;
/// Texts of a QR form after inflating, bytes: as much as the credential they make.
pub const QR_TEXT_BYTES: usize = 256 << 10;
/// One printed code, characters: a version 40 QR code of level L (ISO/IEC 18004 table 7).
pub const QR_CODE_CHARS: usize = 4_296;
/// Codes of one set: a page of them.
pub const QR_PARTS: usize = 32;

/// A log's origin, bytes: a host name and a path.
pub const ORIGIN_BYTES: usize = 256;
/// Face data members of one licence.
pub const FACE_MEMBERS: usize = 256;
/// One face data text, bytes.
pub const FACE_TEXT_BYTES: usize = 4_096;
/// A name of a person, unit, licence or type, and a licence or holder number, bytes.
pub const LABEL_BYTES: usize = 1_024;

/// Signatures under one event, and administrators of one log.
pub const EVENT_SIGNATURES: usize = 16;
/// A reason code, characters.
pub const REASON_CODE_BYTES: usize = 32;
/// The longest delay between `propose-key` and `confirm-key`, milliseconds: 90 days.
pub const KEY_DELAY_MILLIS: u64 = 90 * 24 * 3_600_000;
/// How far ahead of its making a proposal may take effect, milliseconds: 30 days.
pub const PROPOSAL_AHEAD_MILLIS: u64 = 30 * 24 * 3_600_000;
/// Licence types granted to one key: a record with 64 keys of them still fits [`RECORD_BYTES`]
/// only when few keys have many, which `apply` checks by the record's size.
pub const GRANT_TYPES: usize = 256;
/// Open mortgages, pledges or objections of one licence.
pub const OPEN_FLAGS: usize = 64;
/// Proposed keys of one unit.
pub const PROPOSALS: usize = 16;
/// One status record, bytes.
pub const RECORD_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests;
