//! Blind indexes: keyed hashes of texts in one normal form, a key a column.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Bytes of a blind index. At 128 bits no two texts of an office meet by chance.
pub(crate) const BLIND_BYTES: usize = 16;

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

    /// The form in which two texts of the column are the same.
    fn normal(self, text: &str) -> String {
        match self {
            // Codes are of digits and capital letters, whatever the keyboard made of them.
            Self::HolderCode | Self::Serial => narrow(text).to_ascii_uppercase(),
            // Brackets, digits and letters come in both widths.
            Self::HolderName | Self::Number => narrow(text),
            // The office's own: two cases are the same only if they are written alike.
            Self::Operator | Self::Reference => text.trim().nfc().collect(),
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
    text.trim().chars().map(half).nfc().collect()
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
        let at = Column::ALL.iter().position(|other| *other == column);
        let state = at.and_then(|at| self.columns.get(at));
        let mut mac = state.expect("every column has a key").clone();
        for part in parts {
            let text = column.normal(part);
            // With its length before it, no part can be taken for the end of another.
            let length = u64::try_from(text.len()).expect("a text has under 2^64 bytes");
            mac.update(&length.to_be_bytes());
            mac.update(text.as_bytes());
        }
        let full = mac.finalize().into_bytes();
        let mut short = [0; BLIND_BYTES];
        short.copy_from_slice(&full[..BLIND_BYTES]);
        short
    }

    pub(super) fn name(&self, content: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.documents, content).as_bytes()
    }
}
