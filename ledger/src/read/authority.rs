//! Who may issue, and what is made of it: dossiers, issuer packs, answers.

use std::collections::{BTreeMap, BTreeSet};

use zhao_spec::credential::Licence;
use zhao_spec::file::{
    Answer, AnswerItem, Authorities, Dossier, EmbeddedCredential, EnterprisePlace, IssuerAuthority,
    IssuerPack, KindOfRecord, Placed, RegistryAuthority,
};
use zhao_spec::id::Uscc;
use zhao_spec::life::data::TypeRef;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::life::record::{EnterpriseRecord, IssuerRecord, LicenceRecord, Record};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::map::MapPath;
use zhao_spec::wire::{Hash, limits};

use super::{ReadError, View};
use crate::store;
use crate::store::layout::Holdings;

impl View<'_> {
    fn key(&self, kind: Kind, id: &str) -> Hash {
        subject_key(&self.origin, kind, id)
    }

    /// A record of one kind that must be there, with its path.
    fn require<R: KindOfRecord>(
        &self,
        key: &Hash,
        what: &'static str,
    ) -> Result<Placed<R>, ReadError> {
        let (path, record) = self.placed(key)?;
        let record = record.ok_or(ReadError::Absent { what })?;
        of_kind(path, record)
    }

    /// The registry, these units (by USCC) and these types (by code), each with how it came to be.
    ///
    /// # Errors
    /// A unit or type that is not there; the store's.
    pub fn authorities(
        &self,
        units: &BTreeSet<String>,
        types: &BTreeSet<String>,
    ) -> Result<Authorities, ReadError> {
        let mut issuers = Vec::with_capacity(units.len());
        for unit in units {
            let key = self.key(Kind::Issuer, unit);
            let placed = self.require(&key, "unit")?;
            issuers.push(IssuerAuthority {
                history: self.steps(&key)?,
                placed,
            });
        }
        let mut licence_types = Vec::with_capacity(types.len());
        for code in types {
            licence_types.push(self.require(&self.key(Kind::LicenceType, code), "licence type")?);
        }
        let key = self.key(Kind::Registry, &self.origin);
        let leaf = Leaf::parse(&self.leaf(LeafIndex(0))?);
        let genesis = match leaf {
            Ok(Leaf::Genesis(genesis)) => genesis,
            Ok(_) => return Err(ReadError::Absent { what: "genesis" }),
            Err(error) => {
                return Err(ReadError::Malformed {
                    what: "genesis",
                    error,
                });
            }
        };
        let placed = self.require(&key, "registry")?;
        let registry = RegistryAuthority {
            genesis,
            history: self.steps(&key)?,
            placed,
        };
        Ok(Authorities {
            issuers,
            licence_types,
            registry,
        })
    }

    /// Authorities to install beside a policy.
    ///
    /// # Errors
    /// As [`View::authorities`].
    pub fn issuer_pack(
        &self,
        units: &BTreeSet<String>,
        types: &BTreeSet<String>,
    ) -> Result<IssuerPack, ReadError> {
        Ok(IssuerPack {
            authorities: self.authorities(units, types)?,
            head: self.head()?,
        })
    }

    /// The dossier of a licence; `with_authorities` makes it verifiable without an issuer pack.
    /// Whether credential and record belong together is the verifier's to say.
    ///
    /// # Errors
    /// The licence, its unit or its type is not there; the store's.
    pub fn dossier(&self, licence: &Licence, with_authorities: bool) -> Result<Dossier, ReadError> {
        let claims = licence.claims();
        let credential = EmbeddedCredential::parse(licence.canonical()).map_err(|error| {
            ReadError::Malformed {
                what: "credential",
                error,
            }
        })?;
        let placed = self.require(&self.key(Kind::Licence, &claims.id), "licence")?;
        let authorities = if with_authorities {
            let units = BTreeSet::from([claims.issuer.unit.to_string()]);
            let types = BTreeSet::from([claims.subject.licence_type_code.to_string()]);
            Some(self.authorities(&units, &types)?)
        } else {
            None
        };
        Ok(Dossier {
            authorities,
            credential,
            head: self.head()?,
            placed,
        })
    }

    /// Subject keys of all open licences ever logged for a holder, in log order.
    ///
    /// # Errors
    /// The store's.
    pub fn holdings(&self, uscc: &Uscc) -> Result<Vec<Hash>, ReadError> {
        let key = self.key(Kind::Enterprise, uscc.as_str());
        let count = match self.placed(&key)?.1 {
            Some(Record::Enterprise(record)) => record.count,
            _ => 0,
        };
        let limit = limits::BATCH_EVENTS;
        if u64::try_from(limit).is_ok_and(|limit| count > limit) {
            return Err(ReadError::TooMany {
                what: "licences of one holder",
                limit,
            });
        }
        // Positions from `count` on were logged after this head.
        let found = store::scan::<Holdings>(self.store(), &(key, 0), &(key, count), limit)?;
        Ok(found.into_iter().map(|(_, licence)| licence).collect())
    }

    /// The open licences of one holder, all of them. `credentials` are those the public may see, by
    /// subject key; others stand without.
    ///
    /// # Errors
    /// The store's; a unit or type that is not there.
    pub fn answer(
        &self,
        uscc: &Uscc,
        credentials: &BTreeMap<Hash, EmbeddedCredential>,
    ) -> Result<Answer, ReadError> {
        let key = self.key(Kind::Enterprise, uscc.as_str());
        let (path, record) = self.placed(&key)?;
        let record = record.map(|record| of_kind::<EnterpriseRecord>(MapPath::default(), record));
        let record = record.transpose()?.map(|placed| placed.record);
        let (mut units, mut types) = (BTreeSet::new(), BTreeSet::new());
        let mut looked_up = BTreeSet::new();
        let mut items = Vec::new();
        for subject in self.holdings(uscc)? {
            let placed: Placed<LicenceRecord> = self.require(&subject, "licence")?;
            // Most licences of a holder are of few units: each is looked up once.
            if looked_up.insert(placed.record.issuer) {
                let issuer: Placed<IssuerRecord> = self.require(&placed.record.issuer, "unit")?;
                units.insert(issuer.record.unit);
            }
            if let TypeRef::Code(code) = &placed.record.type_ref {
                types.insert(code.clone());
            }
            let credential = credentials.get(&subject).cloned();
            items.push(AnswerItem {
                credential,
                placed,
                subject,
            });
        }
        Ok(Answer {
            authorities: self.authorities(&units, &types)?,
            enterprise: EnterprisePlace { path, record },
            head: self.head()?,
            items,
            uscc: uscc.clone(),
        })
    }
}

fn of_kind<R: KindOfRecord>(path: MapPath, record: Record) -> Result<Placed<R>, ReadError> {
    let actual = record.kind().as_str();
    let record = R::from_record(record).ok_or(ReadError::WrongKind {
        expected: R::KIND,
        actual,
    })?;
    Ok(Placed { path, record })
}
