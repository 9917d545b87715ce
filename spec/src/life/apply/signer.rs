//! Who signed, and whether they may. `spec/lifecycle.md` section 1, point 2.

use super::{ApplyError, Refusal, Scene};
use crate::life::record::{IssuerKey, IssuerRecord, Record, UnitState};
use crate::wire::hash::Hash;
use crate::wire::signature::PublicKey;

/// The unit that signed, as it stood immediately before the event.
pub(super) struct Unit {
    pub(super) key: PublicKey,
    pub(super) record: IssuerRecord,
    pub(super) subject: Hash,
}

impl Unit {
    /// The entry of the key that signed.
    pub(super) fn entry(&self) -> Option<&IssuerKey> {
        self.record.key(&self.key)
    }
}

/// The one unit that must sign this verb.
pub(super) fn unit(scene: &Scene<'_>) -> Result<Unit, ApplyError> {
    let subject = scene.event.signer.ok_or(Refusal::WrongSigner)?;
    let record = match scene.record(&subject)?.as_deref() {
        Some(Record::Issuer(record)) => record.clone(),
        _ => return Err(Refusal::SignerUnknown.into()),
    };
    if record.state != UnitState::Active {
        return Err(Refusal::SignerSuspended.into());
    }
    let [signature] = scene.event.signatures.as_slice() else {
        let extra = scene.event.signatures.last();
        return Err(Refusal::ForeignSignature {
            key: extra.map(|s| s.key.to_multibase()).unwrap_or_default(),
        }
        .into());
    };
    let authorised = record
        .key(&signature.key)
        .is_some_and(|entry| entry.authorised(scene.index));
    if !authorised {
        return Err(Refusal::KeyNotAuthorised {
            key: signature.key.to_multibase(),
            index: scene.index.0,
        }
        .into());
    }
    Ok(Unit {
        key: signature.key,
        record,
        subject,
    })
}

/// At least m administrators, and nobody else.
pub(super) fn administrators(scene: &Scene<'_>) -> Result<(), Refusal> {
    if scene.event.signer.is_some() {
        return Err(Refusal::WrongSigner);
    }
    let administrators = &scene.registry.administrators;
    for signature in &scene.event.signatures {
        if !administrators.keys.contains(&signature.key) {
            return Err(Refusal::ForeignSignature {
                key: signature.key.to_multibase(),
            });
        }
    }
    // Decoding and signing keep the keys strictly ascending, but an event built in memory might
    // not.
    let mut keys: Vec<[u8; 32]> = scene
        .event
        .signatures
        .iter()
        .map(|s| s.key.to_bytes())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let actual = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    if actual < administrators.threshold {
        return Err(Refusal::ThresholdNotMet {
            expected: administrators.threshold,
            actual,
        });
    }
    Ok(())
}
