mod carry;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;

use super::*;

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn passphrase(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// A directory with the keys `log` and `unit-a`.
fn ring() -> (TempDir, Keyring) {
    let dir = tempfile::tempdir().unwrap();
    let work = WorkFactor::new(2).unwrap();
    let mut ring = Keyring::create(dir.path(), &passphrase("correct horse"), work).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    ring.generate("log", Purpose::Log, &mut rng, NOW).unwrap();
    ring.generate("unit-a", Purpose::Unit, &mut rng, NOW)
        .unwrap();
    (dir, ring)
}

fn reopen(dir: &TempDir) -> Keyring {
    Keyring::open(dir.path(), &passphrase("correct horse")).unwrap()
}

#[test]
fn refuses_a_wrong_passphrase() {
    let (dir, _) = ring();
    for wrong in ["", "Correct horse", "correct horse "] {
        let error = Keyring::open(dir.path(), &passphrase(wrong)).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
    }
}

#[test]
fn refuses_an_empty_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let work = WorkFactor::new(2).unwrap();
    let error = Keyring::create(dir.path(), &passphrase(""), work).unwrap_err();
    assert!(matches!(error, KeyError::EmptyPassphrase), "{error}");
    let (_dir, ring) = ring();
    let error = ring.change_passphrase(&passphrase(""), work).unwrap_err();
    assert!(matches!(error, KeyError::EmptyPassphrase), "{error}");
}

#[test]
fn refuses_unreasonable_work() {
    for log_n in [0, 23, 64, 255] {
        let error = WorkFactor::new(log_n).unwrap_err();
        assert!(matches!(error, KeyError::WorkFactor { actual, .. } if actual == log_n));
    }
    // As an attacker who can write the directory would: a header that asks for 2^40.
    let (dir, _) = ring();
    let path = dir.path().join("identity.age");
    let sealed = fs::read(&path).unwrap();
    let end = sealed.windows(4).position(|w| w == b"--- ").unwrap();
    let header = String::from_utf8(sealed[..end].to_vec()).unwrap();
    let changed = header.replacen(" 2\n", " 40\n", 1);
    assert_ne!(header, changed);
    let sealed = [changed.as_bytes(), &sealed[end..]].concat();
    fs::write(&path, sealed).unwrap();
    let error = Keyring::open(dir.path(), &passphrase("correct horse")).unwrap_err();
    assert!(
        matches!(
            error,
            KeyError::WorkFactor {
                actual: 40,
                limit: 22
            }
        ),
        "{error}"
    );
}

#[test]
fn refuses_a_file_cut_short_anywhere() {
    let (dir, _) = ring();
    for name in ["identity.age", "log.age"] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        for length in [0, 1, 21, whole.len() / 2, whole.len() - 17, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Keyring::open(dir.path(), &passphrase("correct horse"))
                .and_then(|mut ring| ring.secret("log", Purpose::Log))
                .unwrap_err();
            assert!(
                matches!(error, KeyError::Damaged { .. }),
                "{name} at {length}: {error}"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
    reopen(&dir).secret("log", Purpose::Log).unwrap();
}

#[test]
fn refuses_a_changed_byte() {
    let (dir, _) = ring();
    let path = dir.path().join("log.age");
    let mut sealed = fs::read(&path).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    fs::write(&path, sealed).unwrap();
    let error = reopen(&dir).secret("log", Purpose::Log).unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
}

#[test]
fn refuses_a_file_that_is_far_too_long() {
    let (dir, _) = ring();
    fs::write(dir.path().join("log.pub.json"), vec![b' '; 1 << 20]).unwrap();
    let error = public_part(dir.path(), "log").unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
}

#[test]
fn refuses_another_purpose() {
    let (dir, mut ring) = ring();
    for ring in [&mut ring, &mut reopen(&dir)] {
        let error = ring.secret("log", Purpose::Unit).unwrap_err();
        assert_eq!(error.to_string(), "key \"log\" is for log, expected unit");
    }
    let error = public_key(dir.path(), "unit-a", Purpose::Witness).unwrap_err();
    assert_eq!(
        error.to_string(),
        "key \"unit-a\" is for unit, expected witness"
    );
}

#[test]
fn refuses_secrets_that_others_can_reach() {
    let (dir, _) = ring();
    for (name, mode) in [
        ("log.age", 0o644),
        ("log.age", 0o620),
        ("identity.age", 0o604),
    ] {
        let path = dir.path().join(name);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = Keyring::open(dir.path(), &passphrase("correct horse"))
            .and_then(|mut ring| ring.secret("log", Purpose::Log))
            .unwrap_err();
        assert!(
            matches!(error, KeyError::Permissions { mode: m, .. } if m == mode),
            "{error}"
        );
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn refuses_moved_files() {
    let (dir, _) = ring();
    let at = |name: &str| dir.path().join(name);
    fs::copy(at("unit-a.age"), at("log.age")).unwrap();
    let error = reopen(&dir).secret("log", Purpose::Log).unwrap_err();
    assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
    fs::copy(at("unit-a.pub.json"), at("log.pub.json")).unwrap();
    let error = public_part(dir.path(), "log").unwrap_err();
    assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
}

#[test]
fn refuses_a_public_part_of_another_key() {
    let (dir, _) = ring();
    let other = public_key(dir.path(), "unit-a", Purpose::Unit).unwrap();
    let mut part = public_part(dir.path(), "log").unwrap();
    part.key = other;
    fs::write(dir.path().join("log.pub.json"), part.bytes()).unwrap();
    let error = reopen(&dir).secret("log", Purpose::Log).unwrap_err();
    assert!(
        matches!(&error, KeyError::PublicPart { key, .. } if **key == other),
        "{error}"
    );
}

#[test]
fn refuses_keys_of_another_directory() {
    let (dir, _) = ring();
    let (other, _) = ring();
    fs::copy(other.path().join("log.age"), dir.path().join("log.age")).unwrap();
    let error = reopen(&dir).secret("log", Purpose::Log).unwrap_err();
    assert!(matches!(error, KeyError::OtherIdentity { .. }), "{error}");
}

#[test]
fn refuses_names_that_are_none() {
    let (dir, mut ring) = ring();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let long = "a".repeat(65);
    for name in [
        "",
        "..",
        "../log",
        "a/b",
        "A",
        "a.b",
        "identity",
        "名",
        "a\0",
        long.as_str(),
    ] {
        let error = ring
            .generate(name, Purpose::Unit, &mut rng, NOW)
            .unwrap_err();
        assert!(matches!(error, KeyError::Name { .. }), "{name:?}: {error}");
        let error = public_part(dir.path(), name).unwrap_err();
        assert!(matches!(error, KeyError::Name { .. }), "{name:?}: {error}");
    }
}

#[test]
fn refuses_what_is_taken_or_missing() {
    let (dir, mut ring) = ring();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let error = ring
        .generate("log", Purpose::Log, &mut rng, NOW)
        .unwrap_err();
    assert!(matches!(error, KeyError::NameTaken { .. }), "{error}");
    let work = WorkFactor::new(2).unwrap();
    let error = Keyring::create(dir.path(), &passphrase("x"), work).unwrap_err();
    assert!(matches!(error, KeyError::Exists { .. }), "{error}");
    let error = ring.secret("witness", Purpose::Witness).unwrap_err();
    assert!(matches!(error, KeyError::NoSuchKey { .. }), "{error}");
    fs::remove_file(dir.path().join("unit-a.age")).unwrap();
    let error = reopen(&dir).secret("unit-a", Purpose::Unit).unwrap_err();
    assert!(matches!(error, KeyError::NoSuchKey { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = Keyring::open(empty.path(), &passphrase("x")).unwrap_err();
    assert!(matches!(error, KeyError::NoIdentity { .. }), "{error}");
}

#[test]
fn reopens_what_it_stored() {
    let (dir, mut ring) = ring();
    let key = ring.secret("unit-a", Purpose::Unit).unwrap();
    let mut again = reopen(&dir);
    assert_eq!(
        again.secret("unit-a", Purpose::Unit).unwrap().public(),
        key.public()
    );
    assert_eq!(again.secrets(Purpose::Unit).unwrap().len(), 1);
    assert_eq!(again.secrets(Purpose::Auditor).unwrap().len(), 0);
    let parts = public_parts(dir.path()).unwrap();
    assert_eq!(
        parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["log", "unit-a"]
    );
    assert_eq!(parts[1].key, key.public());
    assert_eq!(parts[1].created, NOW);
    for name in ["identity.age", "unit-a.age"] {
        let mode = fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_seed_is_the_generators_alone() {
    let keys: Vec<PublicKey> = (0..2)
        .map(|_| public_key(ring().0.path(), "log", Purpose::Log).unwrap())
        .collect();
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn changes_the_passphrase_and_nothing_else() {
    let (dir, ring) = ring();
    let before = fs::read(dir.path().join("log.age")).unwrap();
    ring.change_passphrase(&passphrase("another"), WorkFactor::new(3).unwrap())
        .unwrap();
    let error = Keyring::open(dir.path(), &passphrase("correct horse")).unwrap_err();
    assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
    let mut ring = Keyring::open(dir.path(), &passphrase("another")).unwrap();
    ring.secret("log", Purpose::Log).unwrap();
    assert_eq!(fs::read(dir.path().join("log.age")).unwrap(), before);
}

#[test]
fn replaces_the_secret_a_crash_left_without_public_part() {
    let (dir, mut ring) = ring();
    fs::remove_file(dir.path().join("unit-a.pub.json")).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let part = ring
        .generate("unit-a", Purpose::Unit, &mut rng, NOW)
        .unwrap();
    assert_eq!(
        reopen(&dir)
            .secret("unit-a", Purpose::Unit)
            .unwrap()
            .public(),
        part.key
    );
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 5, "no temporary file stays behind");
}
