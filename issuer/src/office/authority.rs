//! What the administrators declare, and what a unit declares about its own keys.

use rand::CryptoRng;
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::data::{Action, Administrators, KeyGrant};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, PublicKey, SecretKey, Signer, UnixMillis, limits};

use super::publish::publishable;
use super::{Declared, LedgerClient, Office, OfficeError, Statement};
use crate::keys::Purpose;
use crate::records::{Transaction, Unit, UnitKey};
use crate::text;

mod proposal;

pub use proposal::{Measure, ProposalError, check_signatures, countersign};

/// A unit's name, characters.
const NAME_CHARS: usize = 128;

/// Who declares what either may declare.
#[derive(Clone, Copy, Debug)]
pub enum By<'a, S = SecretKey> {
    /// The administrators, with these keys.
    Administrators(&'a [S]),
    /// The unit itself.
    Unit,
}

/// A new key of a unit, and what it may issue.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The key's name in the key directory, where it is made.
    pub key_name: &'a str,
    /// The types, in any order.
    pub types: &'a [LicenceTypeCode],
    /// The unit.
    pub unit: &'a Uscc,
}

/// The genesis leaf of a log whose administrators have these keys, in any order.
///
/// # Errors
/// No keys, too many, one twice, or a threshold that is 0 or above their number.
pub fn genesis(
    origin: &str,
    mut keys: Vec<PublicKey>,
    threshold: u64,
    key_delay_millis: u64,
    created: UnixMillis,
) -> Result<Genesis, OfficeError> {
    let administrators = administrators(&mut keys, threshold)?;
    if key_delay_millis > limits::KEY_DELAY_MILLIS {
        return Err(OfficeError::Administrators {
            expected: "a key delay of at most 90 days",
            actual: format!("{key_delay_millis} ms"),
        });
    }
    let origin = origin.to_owned();
    Ok(Genesis {
        administrators,
        created,
        key_delay: key_delay_millis,
        origin,
    })
}

fn administrators(
    keys: &mut Vec<PublicKey>,
    threshold: u64,
) -> Result<Administrators, OfficeError> {
    let refuse = |expected, actual: String| Err(OfficeError::Administrators { expected, actual });
    keys.sort_by_key(PublicKey::to_multibase);
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return refuse("keys that differ", format!("{} twice", pair[0]));
    }
    let count = keys.len();
    if !(1..=limits::EVENT_SIGNATURES).contains(&count) {
        return refuse("1 to 16 keys", format!("{count} keys"));
    }
    if threshold == 0 || usize::try_from(threshold).is_ok_and(|threshold| threshold > count) {
        return refuse(
            "a threshold of 1 to the number of keys",
            format!("{threshold} of {count}"),
        );
    }
    Ok(Administrators {
        keys: std::mem::take(keys),
        threshold,
    })
}

fn sorted(types: &[LicenceTypeCode]) -> Vec<String> {
    let mut types: Vec<String> = types.iter().map(|code| code.as_str().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    types
}

impl<C: LedgerClient> Office<C> {
    /// Puts the catalogue's present entry for a type in force, whatever was in force before:
    /// [`Office::publish_entry`] compares the two.
    ///
    /// # Errors
    /// No such entry, one that may not be published, the records, or the ledger's records of the
    /// type.
    pub fn publish_type<S: Signer>(
        &mut self,
        code_or_slug: &str,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let entry = self.catalogue.entry(code_or_slug)?.clone();
        publishable(&entry)?;
        let code = entry.type_code.as_str();
        let subject = subject_key(self.records.origin(), Kind::LicenceType, code);
        let statement = Statement {
            action: entry.publish(),
            effective: now,
            subject,
        };
        self.declare(
            statement,
            None,
            administrators,
            &[],
            now,
            |transaction, id| {
                Ok(transaction.add_type(code, entry.version, &entry.slug, &entry.digest, id)?)
            },
        )
    }

    /// Ends a type: no more licences of it.
    ///
    /// # Errors
    /// No such entry, the records, or the ledger's records of the type.
    pub fn retire_type<S: Signer>(
        &mut self,
        code_or_slug: &str,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let entry = self.catalogue.entry(code_or_slug)?;
        let code = entry.type_code.as_str();
        let subject = subject_key(self.records.origin(), Kind::LicenceType, code);
        let statement = Statement {
            action: Action::RetireType,
            effective: now,
            subject,
        };
        self.declare(statement, None, administrators, &[], now, |_, _| Ok(()))
    }

    /// Makes a unit with its first key.
    ///
    /// # Errors
    /// A name that is refused, a key name that is taken, or the records.
    pub fn add_unit<S: Signer>(
        &mut self,
        name: &str,
        grant: Grant<'_>,
        administrators: &[S],
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Declared, OfficeError> {
        let name = text::required(name, NAME_CHARS).map_err(OfficeError::UnitName)?;
        let unit = Unit {
            name,
            uscc: grant.unit.as_str().to_owned(),
        };
        let (key, data) = self.new_key(grant, now, rng)?;
        let action = Action::AddUnit {
            grant: data,
            unit: unit.uscc.clone(),
        };
        self.about_unit(grant.unit, action, administrators, now, |transaction, _| {
            transaction.put_unit(&unit, now)?;
            Ok(transaction.add_unit_key(&unit.uscc, &key, now)?)
        })
    }

    /// Lets a key of the unit issue more types.
    ///
    /// # Errors
    /// The records, or the ledger's records of the unit.
    pub fn grant_types<S: Signer>(
        &mut self,
        unit: &Uscc,
        key: &PublicKey,
        types: &[LicenceTypeCode],
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let action = Action::GrantTypes(KeyGrant {
            key: *key,
            types: sorted(types),
        });
        self.about_unit(unit, action, administrators, now, |_, _| Ok(()))
    }

    /// Brings a new key, signed by the unit's present one, which takes over its types; the
    /// present one signs no more if `retire` says so.
    ///
    /// # Errors
    /// A unit that cannot sign, a key name that is taken, or the records.
    pub fn rotate_key(
        &mut self,
        unit: &Uscc,
        key_name: &str,
        retire: bool,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Declared, OfficeError> {
        let signer = self.signer(unit.as_str(), None)?;
        let (key, data) = self.new_key(
            Grant {
                key_name,
                types: &[],
                unit,
            },
            now,
            rng,
        )?;
        let retire = retire.then(|| signer.secret.public());
        let action = Action::RotateKey {
            key: data.key,
            retire,
        };
        let statement = Statement {
            action,
            effective: now,
            subject: signer.subject,
        };
        let secrets = [signer.secret];
        let by = Some(signer.subject);
        self.declare(statement, by, &secrets, &[], now, |transaction, _| {
            Ok(transaction.add_unit_key(unit.as_str(), &key, now)?)
        })
    }

    /// Announces a key of the unit; it may be confirmed after the log's key delay.
    ///
    /// # Errors
    /// A key name that is taken, or the records.
    pub fn propose_key<S: Signer>(
        &mut self,
        grant: Grant<'_>,
        administrators: &[S],
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Declared, OfficeError> {
        let (key, data) = self.new_key(grant, now, rng)?;
        let action = Action::ProposeKey(data);
        self.about_unit(grant.unit, action, administrators, now, |transaction, _| {
            Ok(transaction.add_unit_key(grant.unit.as_str(), &key, now)?)
        })
    }

    /// Puts an announced key in force.
    ///
    /// # Errors
    /// The records, or the ledger's records of the unit.
    pub fn confirm_key<S: Signer>(
        &mut self,
        unit: &Uscc,
        key: &PublicKey,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let action = Action::ConfirmKey(*key);
        self.about_unit(unit, action, administrators, now, |_, _| Ok(()))
    }

    /// Drops an announced key.
    ///
    /// # Errors
    /// A unit that cannot sign, the records, or the ledger's records of the unit.
    pub fn withdraw_proposal<S: Signer>(
        &mut self,
        unit: &Uscc,
        key: &PublicKey,
        by: By<'_, S>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        self.about_key(unit, Action::WithdrawProposal(*key), by, now)
    }

    /// Ends a key: it signs no more.
    ///
    /// # Errors
    /// A unit that cannot sign, the records, or the ledger's records of the unit.
    pub fn retire_key<S: Signer>(
        &mut self,
        unit: &Uscc,
        key: &PublicKey,
        by: By<'_, S>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        self.about_key(unit, Action::RetireKey(*key), by, now)
    }

    /// Declares that from leaf index `from` on nothing counts that the key signed.
    ///
    /// # Errors
    /// A unit that cannot sign, the records, or the ledger's records of the unit.
    pub fn compromise_key<S: Signer>(
        &mut self,
        unit: &Uscc,
        key: &PublicKey,
        from: LeafIndex,
        by: By<'_, S>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        self.about_key(unit, Action::CompromiseKey { from, key: *key }, by, now)
    }

    /// Suspends a unit, or lets it sign again.
    ///
    /// # Errors
    /// The records, or the ledger's records of the unit.
    pub fn suspend_unit<S: Signer>(
        &mut self,
        unit: &Uscc,
        suspend: bool,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let action = if suspend {
            Action::SuspendUnit
        } else {
            Action::ResumeUnit
        };
        self.about_unit(unit, action, administrators, now, |_, _| Ok(()))
    }

    /// Replaces the administrators: signed by the present ones.
    ///
    /// # Errors
    /// New administrators that cannot be, or the records.
    pub fn change_administrators<S: Signer>(
        &mut self,
        mut keys: Vec<PublicKey>,
        threshold: u64,
        present: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let action = Action::ChangeAdministrators(administrators(&mut keys, threshold)?);
        let origin = self.records.origin();
        let subject = subject_key(origin, Kind::Registry, origin);
        let statement = Statement {
            action,
            effective: now,
            subject,
        };
        self.declare(statement, None, present, &[], now, |_, _| Ok(()))
    }

    /// Makes a key in the key directory.
    fn new_key(
        &mut self,
        grant: Grant<'_>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(UnitKey, KeyGrant), OfficeError> {
        // A crash after this line leaves a key nobody was told of: harmless, its name is taken.
        let part = self
            .keys
            .generate(grant.key_name, Purpose::Unit, rng, now)?;
        let data = KeyGrant {
            key: part.key,
            types: sorted(grant.types),
        };
        Ok((
            UnitKey {
                name: part.name,
                public: part.key,
            },
            data,
        ))
    }

    fn unit_subject(&self, unit: &Uscc) -> Hash {
        subject_key(self.records.origin(), Kind::Issuer, unit.as_str())
    }

    fn about_unit<S: Signer>(
        &mut self,
        unit: &Uscc,
        action: Action,
        administrators: &[S],
        now: UnixMillis,
        also: impl FnOnce(&Transaction<'_>, i64) -> Result<(), OfficeError>,
    ) -> Result<Declared, OfficeError> {
        let statement = Statement {
            action,
            effective: now,
            subject: self.unit_subject(unit),
        };
        self.declare(statement, None, administrators, &[], now, also)
    }

    fn about_key<S: Signer>(
        &mut self,
        unit: &Uscc,
        action: Action,
        by: By<'_, S>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        match by {
            By::Administrators(keys) => self.about_unit(unit, action, keys, now, |_, _| Ok(())),
            By::Unit => {
                let signer = self.signer(unit.as_str(), None)?;
                let statement = Statement {
                    action,
                    effective: now,
                    subject: signer.subject,
                };
                let secrets = [signer.secret];
                self.declare(
                    statement,
                    Some(signer.subject),
                    &secrets,
                    &[],
                    now,
                    |_, _| Ok(()),
                )
            }
        }
    }
}
