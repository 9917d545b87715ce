//! The members of a form, and their bytes.

use super::texts::Texts;
use super::{DICTIONARY, QrError, VERSION};
use crate::wire::cbor::{Reader, Writer};
use crate::wire::time::{BEIJING_MILLIS, DAY_MILLIS};
use crate::wire::{Date, Hash, UnixMillis, limits};

/// Items of the outer array.
const ITEMS: usize = 27;
/// Bytes of a signature line: key id and signature.
const LINE_BYTES: usize = 68;
/// The largest version in a licence identifier, which has three digits for it.
const IDENTIFIER_VERSION: u64 = 999;

/// What a form says. Names are those of the JSON members, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) id: [u8; 16],
    pub(super) key: [u8; 32],
    pub(super) signature: [u8; 64],
    pub(super) created: UnixMillis,
    pub(super) valid_from: UnixMillis,
    pub(super) issued_date: Date,
    pub(super) catalogue_version: u64,
    pub(super) identifier_version: u64,
    pub(super) seq: u64,
    pub(super) index: u64,
    pub(super) index_after_issued: u64,
    pub(super) effective: UnixMillis,
    pub(super) recorded: UnixMillis,
    pub(super) latest: Hash,
    pub(super) depths: Vec<u8>,
    pub(super) hashes: Vec<Hash>,
    pub(super) size: u64,
    pub(super) epoch: u64,
    pub(super) index_after_previous: u64,
    pub(super) subjects: u64,
    pub(super) time: UnixMillis,
    pub(super) log_hashes: Vec<Hash>,
    pub(super) lines: Vec<Line>,
    pub(super) texts: Texts,
    pub(super) rare: Rare,
}

/// A signature line without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Key id and signature.
    pub(super) bytes: [u8; LINE_BYTES],
    /// Of a cosignature: its time after the whole seconds of the epoch's.
    pub(super) seconds_after_epoch: Option<i64>,
}

/// What most licences do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rare {
    pub(super) valid_until: Option<UnixMillis>,
    pub(super) type_salt: Option<[u8; 32]>,
    pub(super) controller: Option<Hash>,
    pub(super) latest_by: Option<Hash>,
    pub(super) enterprise: bool,
    /// Place in the list of states; 0 is `active`.
    pub(super) state: u64,
    pub(super) suspensions: u64,
    pub(super) mortgages: Vec<u64>,
    pub(super) objections: Vec<u64>,
    pub(super) pledges: Vec<u64>,
    pub(super) predecessor: Option<Hash>,
    pub(super) successor: Option<Hash>,
    pub(super) reaffirmed_index: Option<u64>,
    pub(super) reaffirmed_by: Option<Hash>,
    pub(super) inspection_due: Option<UnixMillis>,
    pub(super) inspection_result: Option<u64>,
}

impl Form {
    /// The bytes of the form.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.array(ITEMS);
        out.unsigned(VERSION);
        out.unsigned(DICTIONARY);
        out.bytes(&self.id);
        out.bytes(&self.key);
        out.bytes(&self.signature);
        write_time(&mut out, self.created);
        write_time(&mut out, self.valid_from);
        out.integer(self.issued_date.signed_day_number());
        out.unsigned(self.catalogue_version);
        out.unsigned(self.identifier_version);
        out.unsigned(self.seq);
        out.unsigned(self.index);
        out.unsigned(self.index_after_issued);
        write_time(&mut out, self.effective);
        write_time(&mut out, self.recorded);
        out.bytes(&self.latest.0);
        out.bytes(&to_bits(&self.depths));
        out.bytes(&end_to_end(&self.hashes));
        out.unsigned(self.size);
        out.unsigned(self.epoch);
        out.unsigned(self.index_after_previous);
        out.unsigned(self.subjects);
        write_time(&mut out, self.time);
        out.bytes(&end_to_end(&self.log_hashes));
        let dated = self
            .lines
            .iter()
            .filter(|l| l.seconds_after_epoch.is_some());
        out.array(self.lines.len().saturating_add(dated.count()));
        for line in &self.lines {
            out.bytes(&line.bytes);
            if let Some(seconds) = line.seconds_after_epoch {
                out.integer(seconds);
            }
        }
        out.bytes(&self.texts.bytes());
        self.rare.write(&mut out);
        out.finish()
    }

    /// The form of bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, QrError> {
        let mut from = Reader::new(bytes);
        let items = from.array("form")?;
        let version = from.unsigned("version")?;
        if version != VERSION {
            return Err(QrError::Version { actual: version });
        }
        // Another version may have another number of items.
        if usize::try_from(items) != Ok(ITEMS) {
            return Err(QrError::Shape { item: "form" });
        }
        let dictionary = from.unsigned("dictionary")?;
        if dictionary != DICTIONARY {
            return Err(QrError::Dictionary { actual: dictionary });
        }
        let from = &mut from;
        let id = from.exactly("id")?;
        let key = from.exactly("issuer key")?;
        let signature = from.exactly("proofValue")?;
        let created = time(from, "created")?;
        let valid_from = time(from, "validFrom")?;
        let issued_date = date(from, "issuedDate")?;
        let catalogue_version = number(from, "catalogueVersion")?;
        let identifier_version = within(from, 0, IDENTIFIER_VERSION, "licenceIdentifier version")?;
        let seq = number(from, "seq")?;
        let index = number(from, "index")?;
        let index_after_issued = number(from, "issuedIndex")?;
        let effective = time(from, "effective")?;
        let recorded = time(from, "recorded")?;
        let latest = Hash(from.exactly("latest")?);
        let depths = of_bits(from.bytes(0..=32, "depths")?)?;
        let hashes = hashes(from, depths.len(), "hashes")?;
        let size = number(from, "size")?;
        let last = size.checked_sub(1).ok_or(QrError::Value { item: "size" })?;
        let epoch = number(from, "epoch")?;
        let index_after_previous = number(from, "previous")?;
        let subjects = number(from, "subjects")?;
        let epoch_time = time(from, "time")?;
        // The last leaf's siblings are the roots of the full trees before it: one for each bit set.
        let expected = usize::try_from(last.count_ones()).unwrap_or(usize::MAX);
        let log_hashes = self::hashes(from, expected, "log proof")?;
        let lines = lines(from)?;
        let texts = from.bytes(0..=usize::MAX, "texts")?;
        let rare = Rare::parse(from)?;
        std::mem::replace(from, Reader::new(&[])).finish()?;
        Ok(Self {
            id,
            key,
            signature,
            created,
            valid_from,
            issued_date,
            catalogue_version,
            identifier_version,
            seq,
            index,
            index_after_issued,
            effective,
            recorded,
            latest,
            depths,
            hashes,
            size,
            epoch,
            index_after_previous,
            subjects,
            time: epoch_time,
            log_hashes,
            texts: Texts::parse(texts, lines.len())?,
            lines,
            rare,
        })
    }
}

impl Rare {
    fn write(&self, out: &mut Writer) {
        let hash = |own: Option<Hash>| own.map(|hash| Entry::Bytes(hash.0));
        let some = |n: u64| Some(Entry::Number(n)).filter(|_| n > 0);
        let list = |list: &[u64]| Some(Entry::List(list.to_vec())).filter(|_| !list.is_empty());
        let entries: Vec<(u64, Entry)> = [
            self.valid_until.map(Entry::Time),
            self.type_salt.map(Entry::Bytes),
            hash(self.controller),
            hash(self.latest_by),
            some(u64::from(self.enterprise)),
            some(self.state),
            some(self.suspensions),
            list(&self.mortgages),
            list(&self.objections),
            list(&self.pledges),
            hash(self.predecessor),
            hash(self.successor),
            self.reaffirmed_index.map(Entry::Number),
            hash(self.reaffirmed_by),
            self.inspection_due.map(Entry::Time),
            self.inspection_result.map(Entry::Number),
        ]
        .into_iter()
        .zip(1..)
        .filter_map(|(entry, key)| Some((key, entry?)))
        .collect();
        out.map(entries.len());
        for (key, entry) in entries {
            out.unsigned(key);
            match entry {
                Entry::Bytes(bytes) => out.bytes(&bytes),
                Entry::List(list) => {
                    out.array(list.len());
                    list.into_iter().for_each(|n| out.unsigned(n));
                }
                Entry::Number(n) => out.unsigned(n),
                Entry::Time(time) => write_time(out, time),
            }
        }
    }

    fn parse(from: &mut Reader<'_>) -> Result<Self, QrError> {
        let mut rare = Self::default();
        let mut last = None;
        for _ in 0..from.map("map")? {
            let key = from.key(last)?;
            last = Some(key);
            match key {
                1 => rare.valid_until = Some(time(from, "validUntil")?),
                2 => rare.type_salt = Some(from.exactly("typeSalt")?),
                3 => rare.controller = Some(Hash(from.exactly("controller")?)),
                4 => rare.latest_by = Some(Hash(from.exactly("latestBy")?)),
                5 => rare.enterprise = within(from, 1, 1, "enterprise")? == 1,
                6 => rare.state = within(from, 1, 5, "state")?,
                7 => rare.suspensions = within(from, 1, 7, "suspensions")?,
                8 => rare.mortgages = ascending(from, "mortgages")?,
                9 => rare.objections = ascending(from, "objections")?,
                10 => rare.pledges = ascending(from, "pledges")?,
                11 => rare.predecessor = Some(Hash(from.exactly("predecessor")?)),
                12 => rare.successor = Some(Hash(from.exactly("successor")?)),
                13 => rare.reaffirmed_index = Some(number(from, "reaffirmed.index")?),
                14 => rare.reaffirmed_by = Some(Hash(from.exactly("reaffirmed.by")?)),
                15 => rare.inspection_due = Some(time(from, "inspection.due")?),
                16 => rare.inspection_result = Some(within(from, 0, 1, "inspection.result")?),
                _ => return Err(QrError::Shape { item: "map" }),
            }
        }
        Ok(rare)
    }
}

/// An entry of the map.
enum Entry {
    Bytes([u8; 32]),
    List(Vec<u64>),
    Number(u64),
    Time(UnixMillis),
}

/// An unsigned integer that our JSON can hold.
fn number(from: &mut Reader<'_>, item: &'static str) -> Result<u64, QrError> {
    within(from, 0, limits::INTEGER, item)
}

fn within(
    from: &mut Reader<'_>,
    least: u64,
    most: u64,
    item: &'static str,
) -> Result<u64, QrError> {
    let n = from.unsigned(item)?;
    if !(least..=most).contains(&n) {
        return Err(QrError::Value { item });
    }
    Ok(n)
}

/// An integer that our JSON can hold.
fn integer(from: &mut Reader<'_>, item: &'static str) -> Result<i64, QrError> {
    let n = from.integer(item)?;
    if n.unsigned_abs() > limits::INTEGER {
        return Err(QrError::Value { item });
    }
    Ok(n)
}

/// A day of the years that dates have.
fn date(from: &mut Reader<'_>, item: &'static str) -> Result<Date, QrError> {
    let days = i32::try_from(integer(from, item)?).ok();
    let first = Date::new(1970, 1, 1).ok();
    days.and_then(|days| first?.add_days(days))
        .ok_or(QrError::Value { item })
}

fn ascending(from: &mut Reader<'_>, item: &'static str) -> Result<Vec<u64>, QrError> {
    let length = from.array(item)?;
    let length = usize::try_from(length).ok();
    let length = length.filter(|n| (1..=limits::OPEN_FLAGS).contains(n));
    let mut list = Vec::new();
    for _ in 0..length.ok_or(QrError::Shape { item })? {
        let n = number(from, item)?;
        if list.last().is_some_and(|last| n <= *last) {
            return Err(QrError::Value { item });
        }
        list.push(n);
    }
    Ok(list)
}

fn lines(from: &mut Reader<'_>) -> Result<Vec<Line>, QrError> {
    let item = "signature lines";
    let shape = QrError::Shape { item };
    let left = usize::try_from(from.array(item)?).ok();
    // Each line may have its time behind it.
    let most = limits::NOTE_SIGNATURES.saturating_mul(2);
    let left = left.filter(|left| (1..=most).contains(left));
    let mut left = left.ok_or(shape.clone())?;
    let mut lines = Vec::new();
    while left > 0 {
        if lines.len() >= limits::NOTE_SIGNATURES {
            // Whatever stands here is too much; that nothing does is the other error.
            from.peek()?;
            return Err(shape);
        }
        let bytes = from.exactly(item)?;
        left = left.saturating_sub(1);
        let mut seconds_after_epoch = None;
        if left > 0 && from.integer_next() {
            seconds_after_epoch = Some(integer(from, item)?);
            left = left.saturating_sub(1);
        }
        lines.push(Line {
            bytes,
            seconds_after_epoch,
        });
    }
    Ok(lines)
}

fn hashes(
    from: &mut Reader<'_>,
    expected: usize,
    item: &'static str,
) -> Result<Vec<Hash>, QrError> {
    let length = expected.saturating_mul(Hash::BYTES);
    let bytes = from.bytes(length..=length, item)?;
    let (hashes, _) = bytes.as_chunks();
    Ok(hashes.iter().copied().map(Hash).collect())
}

fn end_to_end(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Depths, which ascend, as bits.
fn to_bits(depths: &[u8]) -> Vec<u8> {
    let mut bits = vec![
        0;
        depths
            .last()
            .map_or(0, |d| usize::from(d / 8).saturating_add(1))
    ];
    for depth in depths {
        if let Some(byte) = bits.get_mut(usize::from(depth / 8)) {
            *byte |= 0x80 >> (depth % 8);
        }
    }
    bits
}

fn of_bits(bits: &[u8]) -> Result<Vec<u8>, QrError> {
    if bits.last() == Some(&0) {
        return Err(QrError::Value { item: "depths" });
    }
    let set = |depth: &u8| {
        let byte = bits.get(usize::from(depth / 8)).copied().unwrap_or(0);
        byte & (0x80 >> (depth % 8)) != 0
    };
    Ok((0..=u8::MAX).filter(set).collect())
}

fn write_time(out: &mut Writer, time: UnixMillis) {
    let from_day = time.0.saturating_add(BEIJING_MILLIS);
    match i64::try_from(from_day / DAY_MILLIS) {
        Ok(day) if from_day.is_multiple_of(DAY_MILLIS) => out.integer(day.saturating_neg()),
        _ => out.unsigned(time.0),
    }
}

fn time(from: &mut Reader<'_>, item: &'static str) -> Result<UnixMillis, QrError> {
    let refused = QrError::Value { item };
    let n = integer(from, item)?;
    let time = match u64::try_from(n) {
        Ok(millis) => {
            let from_day = millis.saturating_add(BEIJING_MILLIS);
            Some(millis).filter(|_| !from_day.is_multiple_of(DAY_MILLIS))
        }
        Err(_) => n
            .unsigned_abs()
            .checked_mul(DAY_MILLIS)
            .and_then(|millis| millis.checked_sub(BEIJING_MILLIS)),
    };
    time.map(UnixMillis)
        .filter(|time| *time <= UnixMillis::MAX)
        .ok_or(refused)
}
