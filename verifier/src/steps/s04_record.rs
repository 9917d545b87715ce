//! Step 4: the record speaks of this credential.

use zhao_spec::credential::{Licence, type_commitment};
use zhao_spec::file::EmbeddedCredential;
use zhao_spec::life::data::TypeRef;
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::PublicKey;

use crate::check::{Check, Stop, ensure};
use crate::reason::Reason;

/// Checks digest, issuer, key and type of the record against the credential's.
pub(crate) fn check(
    record: &LicenceRecord,
    credential: &EmbeddedCredential,
    licence: &Licence,
    key: &PublicKey,
) -> Result<(), Stop> {
    let digest = credential.digest();
    ensure(Check::RecordDigest, record.vc == digest, || {
        Reason::RecordDigest {
            expected: digest,
            actual: record.vc,
        }
    })?;
    let unit = subject_key(
        &licence.status.origin,
        Kind::Issuer,
        licence.issuer.unit.as_str(),
    );
    ensure(Check::RecordIssuer, record.issuer == unit, || {
        Reason::RecordIssuer {
            expected: unit,
            actual: record.issuer,
        }
    })?;
    let thumbprint = key.thumbprint();
    ensure(
        Check::RecordIssuedBy,
        record.issued_by == thumbprint,
        || Reason::RecordIssuedBy {
            expected: thumbprint,
            actual: record.issued_by,
        },
    )?;
    let claim = licence.subject.licence_type_code.as_str();
    let same = match (&record.type_ref, &licence.status.type_salt) {
        (TypeRef::Code(code), None) => code == claim,
        (TypeRef::Commitment(commitment), Some(salt)) => {
            *commitment == type_commitment(salt, claim)
        }
        _ => false,
    };
    ensure(Check::RecordType, same, || Reason::RecordType {
        expected: claim.to_owned(),
    })
}
