//! Blind indexes: keyed hashes of texts in one normal form, a key a column.
//!
//! What is counted, as numbers, serials and case numbers are, is entered in its order as a rule.
//! A hash throws neighbours all over the index, and each that is entered costs a page of it. So
//! the first half of such an index is the hash of the text without its last characters: neighbours
//! share it and lie side by side. What that tells, the order of the rows tells too.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::text::nfc;

/// Bytes of a blind index. At 128 bits no two texts of an office meet by chance.
pub(crate) const BLIND_BYTES: usize = 16;

/// Last characters in which neighbours differ: a thousand of them share half their index.
const NEAR_CHARS: usize = 3;

/// A blind index.
pub(crate) type Blind = [u8; BLIND_BYTES];

/// What is indexed; each has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    HolderCode,
    HolderName,
    Number,
    Operator,
    Reference,
    Serial,
}

impl Column {
    pub(super) const ALL: [Self; 6] = [
        Self::HolderCode,
        Self::HolderName,
        Self::Number,
        Self::Operator,
        Self::Reference,
        Self::Serial,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::HolderCode => "holder code",
            Self::HolderName => "holder name",
            Self::Number => "licence number",
            Self::Operator => "operator",
            Self::Reference => "reference",
            Self::Serial => "serial",
        }
    }

    /// Whether texts of the column are counted, so that neighbours are to lie side by side.
    fn is_counted(self) -> bool {
        match self {
            Self::Number | Self::Reference | Self::Serial => true,
            // Neighbours among people's codes would be people of one place and day.
            Self::HolderCode | Self::HolderName | Self::Operator => false,
        }
    }

    /// The form in which two texts of the column are the same.
    fn normal(self, text: &str) -> String {
        match self {
            // Codes are of digits and capital letters, whatever the keyboard made of them.
            Self::HolderCode | Self::Serial => narrow(text).to_ascii_uppercase(),
            // Brackets, digits and letters come in both widths.
            Self::HolderName | Self::Number => narrow(text),
            // The office's own: two cases are the same only if they are written alike.
            Self::Operator | Self::Reference => nfc(text.trim()),
        }
    }
}

/// NFC, trimmed, and the full-width forms of ASCII in half width.
fn narrow(text: &str) -> String {
    let half = |c: char| match u32::from(c) {
        0x3000 => ' ',
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    };
    let half: String = text.trim().chars().map(half).collect();
    nfc(&half)
}

/// The index keys at work: the state of HMAC after its key, by column.
pub(super) struct Indexes {
    columns: [Hmac<Sha256>; Column::ALL.len()],
    documents: Zeroizing<[u8; 32]>,
}

impl Indexes {
    pub(super) fn derive(root: &[u8; 32]) -> Self {
        let root = Hkdf::<Sha256>::new(None, root);
        let key = |purpose: &str| {
            let mut key = Zeroizing::new([0; 32]);
            let info = format!("zhao/v1 records index {purpose}");
            root.expand(info.as_bytes(), key.as_mut_slice())
                .expect("32 bytes are less than 255 hashes");
            key
        };
        let keyed = |column: Column| {
            Hmac::new_from_slice(key(column.name()).as_slice())
                .expect("HMAC takes keys of any length")
        };
        Self {
            columns: Column::ALL.map(keyed),
            documents: key("document name"),
        }
    }

    pub(super) fn blind(&self, column: Column, parts: &[&str]) -> Blind {
        let mut texts: Vec<String> = parts.iter().map(|part| column.normal(part)).collect();
        let mut blind = [0; BLIND_BYTES];
        blind.copy_from_slice(&self.hash(column, &[], &texts)[..BLIND_BYTES]);
        if column.is_counted()
            && let Some(last) = texts.last_mut()
        {
            let cut = last.char_indices().nth_back(NEAR_CHARS - 1);
            last.truncate(cut.map_or(0, |(at, _)| at));
            // No text is as long as this says: no text's own hash is another's neighbourhood.
            let near = self.hash(column, &u64::MAX.to_be_bytes(), &texts);
            let (first, rest) = blind.split_at_mut(BLIND_BYTES / 2);
            rest.copy_from_slice(first);
            first.copy_from_slice(&near[..BLIND_BYTES / 2]);
        }
        blind
    }

    fn hash(&self, column: Column, before: &[u8], texts: &[String]) -> [u8; 32] {
        let at = Column::ALL.iter().position(|other| *other == column);
        let state = at.and_then(|at| self.columns.get(at));
        let mut mac = state.expect("every column has a key").clone();
        mac.update(before);
        for text in texts {
            // With its length before it, no part can be taken for the end of another.
            let length = u64::try_from(text.len()).expect("a text has under 2^64 bytes");
            mac.update(&length.to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    pub(super) fn name(&self, content: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.documents, content).as_bytes()
    }
}
