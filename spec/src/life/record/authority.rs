//! Records of those who decide: issuers, licence types, the registry.

use crate::life::data::{
    Administrators, InspectionRule, Openness, ascending, check_type_code, check_unit, read_verbs,
    words,
};
use crate::life::verb::Verb;
use crate::log::tree::{LeafIndex, TreeSize};
use crate::log::{HeadKey, head_key_at};
use crate::wire::fields::{Fields, Malformed, text_of};
use crate::wire::hash::Hash;
use crate::wire::limits;
use crate::wire::signature::PublicKey;
use crate::wire::time::UnixMillis;
use crate::wire::write::{ArrayWriter, ObjectWriter};

words! {
    /// Whether a unit may sign.
    UnitState {
        /// It may.
        Active = "active",
        /// It may not.
        Suspended = "suspended",
    }
}
words! {
    /// Whether licences of a type may be issued.
    TypeState {
        /// They may.
        Published = "published",
        /// They may not any more.
        Retired = "retired",
    }
}

/// One type a key may issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTypes {
    /// Leaf index of the grant.
    pub from: LeafIndex,
    /// The licence type code.
    pub type_code: String,
}

/// One key of a unit. All bounds are leaf indexes, never claimed times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKey {
    /// From this index on nothing it signed counts.
    pub compromised_from: Option<LeafIndex>,
    /// It may sign from this index.
    pub from: LeafIndex,
    /// The key.
    pub key: PublicKey,
    /// What it may issue, in the order of the grants.
    pub types: Vec<KeyTypes>,
    /// It may not sign from this index on.
    pub until: Option<LeafIndex>,
}

impl IssuerKey {
    /// Whether it was in force at `index`, compromise left aside.
    #[must_use]
    pub fn in_force(&self, index: LeafIndex) -> bool {
        self.from <= index && self.until.is_none_or(|until| index < until)
    }

    /// Whether it was in force at `index` and not compromised by then.
    #[must_use]
    pub fn authorised(&self, index: LeafIndex) -> bool {
        self.in_force(index) && !self.compromised(index)
    }

    /// Whether nothing it signed at `index` counts.
    #[must_use]
    pub fn compromised(&self, index: LeafIndex) -> bool {
        self.compromised_from.is_some_and(|from| from <= index)
    }

    /// Whether it had been granted the type by `index`.
    #[must_use]
    pub fn granted(&self, type_code: &str, index: LeafIndex) -> bool {
        self.types
            .iter()
            .any(|grant| grant.type_code == type_code && grant.from <= index)
    }
}

/// A key announced by the administrators and not yet in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The key.
    pub key: PublicKey,
    /// When the announcement was recorded.
    pub recorded: UnixMillis,
    /// Type codes, strictly ascending.
    pub types: Vec<String>,
}

/// A unit of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerRecord {
    /// Leaf index of the latest event.
    pub index: LeafIndex,
    /// In the order they were added; none is ever removed.
    pub keys: Vec<IssuerKey>,
    /// Leaf hash of the latest event.
    pub latest: Hash,
    /// Announced keys.
    pub proposals: Vec<Proposal>,
    /// Sequence number of the latest event.
    pub seq: u64,
    /// Whether it may sign.
    pub state: UnitState,
    /// Its USCC.
    pub unit: String,
}

impl IssuerRecord {
    /// The entry of a key.
    #[must_use]
    pub fn key(&self, key: &PublicKey) -> Option<&IssuerKey> {
        self.keys.iter().find(|entry| entry.key == *key)
    }

    /// The entry of the key with this thumbprint.
    #[must_use]
    pub fn key_by_thumbprint(&self, thumbprint: &Hash) -> Option<&IssuerKey> {
        self.keys
            .iter()
            .find(|entry| entry.key.thumbprint() == *thumbprint)
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut keys: Vec<IssuerKey> = Vec::new();
        for mut item in fields.objects("keys", limits::ISSUER_KEYS)? {
            let mut types = Vec::new();
            for mut grant in item.objects("types", limits::GRANT_TYPES)? {
                let type_code = grant.text("typeCode")?.to_owned();
                check_type_code(&type_code, &grant.path_of("typeCode"))?;
                types.push(KeyTypes {
                    from: LeafIndex(grant.int("from")?),
                    type_code,
                });
                grant.finish()?;
            }
            let key = IssuerKey {
                compromised_from: item.optional_int("compromisedFrom")?.map(LeafIndex),
                from: LeafIndex(item.int("from")?),
                key: item.key("key")?,
                types,
                until: item.optional_int("until")?.map(LeafIndex),
            };
            if keys.iter().any(|other| other.key == key.key) {
                let text = key.key.to_multibase();
                return Err(Malformed::value(
                    item.path_of("key"),
                    "a key named once",
                    &text,
                ));
            }
            keys.push(key);
            item.finish()?;
        }
        let mut proposals = Vec::new();
        for mut item in fields.objects("proposals", limits::PROPOSALS)? {
            let types = type_list(&mut item)?;
            proposals.push(Proposal {
                key: item.key("key")?,
                recorded: item.time("recorded")?,
                types,
            });
            item.finish()?;
        }
        let unit = fields.text("unit")?.to_owned();
        check_unit(&unit, &fields.path_of("unit"))?;
        Ok(Self {
            index: LeafIndex(fields.int("index")?),
            keys,
            latest: fields.hash("latest")?,
            proposals,
            seq: fields.int("seq")?,
            state: UnitState::read(fields, "state")?,
            unit,
        })
    }

    pub(super) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.int("index", self.index.0)
            .array("keys", |a| {
                self.keys.iter().for_each(|key| write_key(a, key));
            })
            .text("kind", "issuer")
            .hash("latest", &self.latest)
            .array("proposals", |a| {
                for proposal in &self.proposals {
                    a.object(|o| {
                        o.key("key", &proposal.key)
                            .time("recorded", proposal.recorded);
                        o.array("types", |a| {
                            proposal.types.iter().for_each(|code| {
                                a.text(code);
                            });
                        });
                    });
                }
            })
            .int("seq", self.seq)
            .text("state", self.state.as_str())
            .text("unit", &self.unit);
    }
}

fn type_list(fields: &mut Fields<'_>) -> Result<Vec<String>, Malformed> {
    let types = fields.items("types", limits::GRANT_TYPES, |value, path| {
        let code = text_of(value, path)?;
        check_type_code(code, path)?;
        Ok(code.to_owned())
    })?;
    ascending(&types, fields, "types")?;
    Ok(types)
}

fn write_key(a: &mut ArrayWriter<'_>, key: &IssuerKey) {
    a.object(|o| {
        if let Some(from) = key.compromised_from {
            o.int("compromisedFrom", from.0);
        }
        o.int("from", key.from.0).key("key", &key.key);
        o.array("types", |a| {
            for grant in &key.types {
                a.object(|o| {
                    o.int("from", grant.from.0)
                        .text("typeCode", &grant.type_code);
                });
            }
        });
        if let Some(until) = key.until {
            o.int("until", until.0);
        }
    });
}

/// A licence type, as the catalogue says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRecord {
    /// SHA-256 of the catalogue entry file.
    pub digest: Hash,
    /// Leaf index of the latest event.
    pub index: LeafIndex,
    /// Whether holders with codes beginning 92 are indexed too.
    pub individual_businesses: bool,
    /// Whether every licence of it stands in its holder's public index.
    pub indexed: bool,
    /// From which index on, without a break, it has been indexed; none: it is not.
    pub indexed_since: Option<LeafIndex>,
    /// What inspections do.
    pub inspection: InspectionRule,
    /// Leaf hash of the latest event.
    pub latest: Hash,
    /// From which index on, without a break, it has been open; none: it is not.
    pub open_since: Option<LeafIndex>,
    /// Who may see it.
    pub openness: Openness,
    /// Sequence number of the latest event.
    pub seq: u64,
    /// Whether licences of it may be issued.
    pub state: TypeState,
    /// 21 characters.
    pub type_code: String,
    /// Licence verbs that apply, ascending by word.
    pub verbs: Vec<Verb>,
    /// Catalogue version.
    pub version: u64,
}

/// An index that is there exactly when `holds`.
fn since(fields: &mut Fields<'_>, name: &str, holds: bool) -> Result<Option<LeafIndex>, Malformed> {
    let since = fields.optional_int(name)?.map(LeafIndex);
    if since.is_some() == holds {
        return Ok(since);
    }
    Err(Malformed::value(
        fields.path_of(name),
        "present exactly while it holds",
        if holds { "absent" } else { "present" },
    ))
}

impl TypeRecord {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let verbs = read_verbs(fields)?;
        let type_code = fields.text("typeCode")?.to_owned();
        check_type_code(&type_code, &fields.path_of("typeCode"))?;
        let indexed = fields.bool("indexed")?;
        let openness = Openness::read(fields, "openness")?;
        Ok(Self {
            digest: fields.hash("digest")?,
            index: LeafIndex(fields.int("index")?),
            individual_businesses: fields.bool("individualBusinesses")?,
            indexed,
            indexed_since: since(fields, "indexedSince", indexed)?,
            inspection: InspectionRule::read(fields, "inspection")?,
            latest: fields.hash("latest")?,
            open_since: since(fields, "openSince", openness == Openness::Open)?,
            openness,
            seq: fields.int("seq")?,
            state: TypeState::read(fields, "state")?,
            type_code,
            verbs,
            version: fields.int("version")?,
        })
    }

    pub(super) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.hash("digest", &self.digest)
            .int("index", self.index.0)
            .bool("indexed", self.indexed);
        if let Some(since) = self.indexed_since {
            o.int("indexedSince", since.0);
        }
        o.bool("individualBusinesses", self.individual_businesses)
            .text("inspection", self.inspection.as_str())
            .text("kind", "licence-type")
            .hash("latest", &self.latest);
        if let Some(since) = self.open_since {
            o.int("openSince", since.0);
        }
        o.text("openness", self.openness.as_str())
            .int("seq", self.seq)
            .text("state", self.state.as_str())
            .text("typeCode", &self.type_code)
            .array("verbs", |a| {
                self.verbs.iter().for_each(|verb| {
                    a.text(verb.as_str());
                });
            })
            .int("version", self.version);
    }
}

/// The administrators in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryRecord {
    /// m of n.
    pub administrators: Administrators,
    /// Leaf hash of the genesis leaf.
    pub genesis: Hash,
    /// Leaf index of the latest event, 0 after genesis.
    pub index: LeafIndex,
    /// Milliseconds between `propose-key` and `confirm-key`.
    pub key_delay: u64,
    /// Leaf hash of the latest event, or of genesis.
    pub latest: Hash,
    /// Keys that followed the log's first, in the order of the events that named them.
    pub log_keys: Vec<HeadKey>,
    /// Sequence number of the latest event, 0 after genesis.
    pub seq: u64,
}

impl RegistryRecord {
    /// The key that must have signed a head of this size; none: the log's first key, which only
    /// policies name.
    #[must_use]
    pub fn log_key_at(&self, size: TreeSize) -> Option<&PublicKey> {
        head_key_at(&self.log_keys, size)
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut inner = fields.object("administrators")?;
        let administrators = Administrators::read(&mut inner)?;
        inner.finish()?;
        Ok(Self {
            administrators,
            genesis: fields.hash("genesis")?,
            index: LeafIndex(fields.int("index")?),
            key_delay: fields.int("keyDelay")?,
            latest: fields.hash("latest")?,
            log_keys: head_keys(fields)?,
            seq: fields.int("seq")?,
        })
    }

    pub(super) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.object("administrators", |o| self.administrators.write(o))
            .hash("genesis", &self.genesis)
            .int("index", self.index.0)
            .int("keyDelay", self.key_delay)
            .text("kind", "registry")
            .hash("latest", &self.latest);
        if !self.log_keys.is_empty() {
            o.array("logKeys", |a| {
                for named in &self.log_keys {
                    a.object(|o| {
                        o.int("from", named.from.0).key("key", &named.key);
                    });
                }
            });
        }
        o.int("seq", self.seq);
    }
}

/// The member `logKeys`: absent, or some keys, each once.
fn head_keys(fields: &mut Fields<'_>) -> Result<Vec<HeadKey>, Malformed> {
    if !fields.has("logKeys") {
        return Ok(Vec::new());
    }
    let mut keys: Vec<HeadKey> = Vec::new();
    for mut item in fields.objects("logKeys", limits::LOG_KEYS)? {
        let from = TreeSize(item.int("from")?);
        let key = item.key("key")?;
        if keys.iter().any(|other| other.key == key) {
            let path = item.path_of("key");
            let text = key.to_multibase();
            return Err(Malformed::value(path, "a key named once", &text));
        }
        keys.push(HeadKey { from, key });
        item.finish()?;
    }
    if keys.is_empty() {
        let path = fields.path_of("logKeys");
        return Err(Malformed::value(path, "absent, or some keys", "none"));
    }
    Ok(keys)
}
