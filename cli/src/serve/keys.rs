//! API keys: the records have hashes of them, their scopes, and until when they hold.
//!
//! A key is `zhao_NAME_SECRET`: a name to find it by, and 32 random bytes in base64url. The records
//! have the SHA-256 of the whole key, which is enough for 256 bits of randomness and shows nobody
//! who reads them what to send. A server looks in the records each time, so a key that is revoked
//! is refused from the next request on.

use std::sync::{Mutex, PoisonError};

use subtle::ConstantTimeEq as _;
use zhao_http::Scope;
use zhao_issuer::office::OfficeError;
use zhao_issuer::records::{ApiKey, Records, RecordsError};
use zhao_spec::wire::hash::sha256;
use zhao_spec::wire::{Hash, UnixMillis};

use crate::command::office::wrong;
use crate::failure::{Failure, args};

/// Longest name, characters.
const NAME_CHARS: usize = 32;

/// The keys of an office, for a server: a connection to the records of their own, so that nobody
/// waits at the door for a long read.
#[derive(Debug)]
pub(crate) struct KeyRing(Mutex<Records>);

impl KeyRing {
    /// The keys in these records.
    pub(crate) fn new(records: Records) -> Self {
        Self(Mutex::new(records))
    }

    /// What `key` may be used for at `now`; none: it is no key, or one no longer.
    ///
    /// # Errors
    /// The records cannot be read: then nobody is let in.
    pub(crate) fn scopes(
        &self,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Vec<Scope>>, RecordsError> {
        let Some(name) = name_of(key) else {
            return Ok(None);
        };
        let found = {
            let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            records.api_key(name)?
        };
        Ok(found
            .filter(|known| {
                let hash = sha256(&[key.as_bytes()]);
                let same: bool = known.secret_hash.as_bytes().ct_eq(hash.as_bytes()).into();
                same && known.is_good(now)
            })
            .map(|known| scopes(&known)))
    }
}

/// The name in a key.
fn name_of(key: &str) -> Option<&str> {
    let (name, _) = key.strip_prefix("zhao_")?.split_once('_')?;
    is_name(name).then_some(name)
}

/// It stands in the key, which stands in a header: letters that every tool takes.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_CHARS).contains(&name.len()) && name.bytes().all(plain)
}

/// The scopes that this program knows; another's are no scopes here.
pub(crate) fn scopes(key: &ApiKey) -> Vec<Scope> {
    key.scopes.iter().filter_map(|text| scope(text)).collect()
}

/// A scope by its word.
pub(crate) fn scope(text: &str) -> Option<Scope> {
    [Scope::Read, Scope::Issue, Scope::Change, Scope::Admin]
        .into_iter()
        .find(|scope| scope.as_str() == text)
}

/// Makes a key; gives it whole, for the only time.
///
/// # Errors
/// A name that is none, or is another key's; the records cannot be written.
pub(crate) fn add(
    records: &mut Records,
    name: &str,
    scopes: &[Scope],
    now: UnixMillis,
    expires: UnixMillis,
    rng: &mut dyn rand::CryptoRng,
) -> Result<(ApiKey, String), Failure> {
    if !is_name(name) {
        return Err(Failure::usage("api-key-name", args![limit = NAME_CHARS]));
    }
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let key = format!("zhao_{name}_{}", Hash(secret).to_base64url());
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    let entry = ApiKey {
        created: now,
        expires: Some(expires),
        id: name.to_owned(),
        revoked: None,
        scopes: scopes
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
        secret_hash: sha256(&[key.as_bytes()]),
        unit: None,
    };
    let transaction = records.begin().map_err(unwritten)?;
    match transaction.add_api_key(&entry) {
        Err(RecordsError::Taken { .. }) => {
            return Err(Failure::refused("api-key-taken", args![name]));
        }
        other => other.map_err(unwritten)?,
    }
    transaction.commit().map_err(unwritten)?;
    Ok((entry, key))
}

/// Revokes the key of this name; one that is revoked already stays as it is.
///
/// # Errors
/// There is none; the records cannot be written.
pub(crate) fn revoke(records: &mut Records, name: &str, now: UnixMillis) -> Result<(), Failure> {
    let transaction = records.begin().map_err(unwritten)?;
    if !transaction.revoke_api_key(name, now).map_err(unwritten)? {
        let id = zhao_spec::wire::clip(name);
        return Err(Failure::refused("no-api-key", args![id]));
    }
    transaction.commit().map_err(unwritten)
}

fn unwritten(cause: RecordsError) -> Failure {
    wrong(OfficeError::from(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use zhao_issuer::vault::Secrets;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const LATER: UnixMillis = UnixMillis(1_800_000_001_000);

    fn opened(dir: &tempfile::TempDir) -> (Records, KeyRing) {
        let mut secrets = Secrets::default();
        secrets.add(1, [7; 32]);
        let path = dir.path().join("records.db");
        let records = Records::create(&path, "a.example/log", b"genesis", &secrets).unwrap();
        (
            records,
            KeyRing::new(Records::open(&path, &secrets).unwrap()),
        )
    }

    fn made(records: &mut Records, name: &str, scopes: &[Scope]) -> (ApiKey, String) {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(name.len() as u64);
        add(records, name, scopes, NOW, LATER, &mut rng).unwrap()
    }

    #[test]
    fn a_key_holds_until_it_expires_or_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let (mut records, ring) = opened(&dir);
        let scopes = |key: &str, now| ring.scopes(key, now).unwrap();
        assert_eq!(scopes("anything", NOW), None);
        let (entry, key) = made(
            &mut records,
            "desk",
            &[Scope::Read, Scope::Issue, Scope::Read],
        );
        let (_, other) = made(&mut records, "chief-1", &[Scope::Admin]);
        assert_eq!(scopes(&key, NOW), Some(vec![Scope::Read, Scope::Issue]));
        assert_eq!(scopes(&other, NOW), Some(vec![Scope::Admin]));
        assert_eq!(scopes(&key, LATER), None);
        revoke(&mut records, &entry.id, NOW).unwrap();
        assert_eq!(scopes(&key, NOW), None);
        assert_eq!(scopes(&other, NOW), Some(vec![Scope::Admin]));
        // The first time counts, and a void key's name is not given again.
        revoke(&mut records, &entry.id, LATER).unwrap();
        let kept = records.api_key("desk").unwrap().unwrap();
        assert_eq!(kept.revoked, Some(NOW));
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(9);
        let again = add(&mut records, "desk", &[Scope::Read], NOW, LATER, &mut rng);
        assert_eq!(again.unwrap_err().key(), "api-key-taken");
    }

    #[test]
    fn what_is_almost_a_key_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let (mut records, ring) = opened(&dir);
        let (entry, key) = made(&mut records, "desk", &[Scope::Admin]);
        let (_, other) = made(&mut records, "other", &[Scope::Admin]);
        let hash = entry.secret_hash.to_base64url();
        for wrong in [
            "",
            "zhao",
            "zhao_",
            "zhao__",
            "zhao_desk",
            "zhao_desk_",
            &key[..key.len() - 1],
            &format!("{key}A"),
            &key.to_uppercase(),
            &hash,
            &format!("zhao_desk_{hash}"),
            &other.replace("other", "desk"),
            &key.replace("desk", "desk' OR '1'='1"),
        ] {
            assert_eq!(ring.scopes(wrong, NOW).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (mut records, _) = opened(&dir);
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for name in ["", " ", "a b", "a_b", "a\nb", "A", "窗口", &"a".repeat(33)] {
            let error = add(&mut records, name, &[Scope::Read], NOW, LATER, &mut rng);
            assert_eq!(error.unwrap_err().key(), "api-key-name", "{name}");
        }
        let error = revoke(&mut records, "nobody", NOW).unwrap_err();
        assert_eq!(error.key(), "no-api-key");
    }
}
