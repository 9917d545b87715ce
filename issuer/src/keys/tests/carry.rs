//! Keys carried from one directory to another, shown in other forms, looked over.

use std::path::PathBuf;

use zhao_spec::wire::binary;

use super::*;

const WORK: WorkFactor = WorkFactor(2);
const YEAR: u64 = 365 * 24 * 3_600_000;

/// A directory, `log` exported from it to a file, and an empty directory.
fn carried() -> (TempDir, Keyring, PathBuf, TempDir, Keyring) {
    let (dir, mut ring) = ring();
    let path = dir.path().join("carried.age");
    ring.export("log", &path, &passphrase("on paper"), WORK)
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    let empty = Keyring::create(other.path(), &passphrase("other"), WORK).unwrap();
    (dir, ring, path, other, empty)
}

fn import(ring: &mut Keyring, path: &Path) -> Result<PublicPart, KeyError> {
    ring.import(path, &passphrase("on paper"), Purpose::Log, None)
}

#[test]
fn a_key_is_the_same_in_another_directory() {
    let (_dir, mut ring, path, other, mut empty) = carried();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let part = import(&mut empty, &path).unwrap();
    assert_eq!(part, public_part(ring.dir(), "log").unwrap());
    let mut again = Keyring::open(other.path(), &passphrase("other")).unwrap();
    let key = again.secret("log", Purpose::Log).unwrap();
    assert_eq!(
        key.public(),
        ring.secret("log", Purpose::Log).unwrap().public()
    );
}

#[test]
fn an_export_says_nothing_in_clear() {
    let (dir, _ring, path, ..) = carried();
    let sealed = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&sealed).into_owned();
    let key = public_part(dir.path(), "log").unwrap().key.to_multibase();
    for word in ["log", "seed", "purpose", key.as_str()] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn an_export_is_refused_where_something_is_or_without_passphrase() {
    let (dir, mut ring, path, ..) = carried();
    let before = fs::read(&path).unwrap();
    let error = ring
        .export("log", &path, &passphrase("x"), WORK)
        .unwrap_err();
    assert!(matches!(error, KeyError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let new = dir.path().join("new.age");
    let error = ring.export("log", &new, &passphrase(""), WORK).unwrap_err();
    assert!(matches!(error, KeyError::EmptyPassphrase), "{error}");
    let error = ring
        .export("none", &new, &passphrase("x"), WORK)
        .unwrap_err();
    assert!(matches!(error, KeyError::NoSuchKey { .. }), "{error}");
    assert!(!new.exists());
}

#[test]
fn an_import_is_refused_with_another_passphrase_or_purpose() {
    let (_dir, _ring, path, _other, mut empty) = carried();
    for wrong in ["", "on Paper", "other"] {
        let error = empty
            .import(&path, &passphrase(wrong), Purpose::Log, None)
            .unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
    }
    for purpose in Purpose::ALL {
        if purpose == Purpose::Log {
            continue;
        }
        let error = empty
            .import(&path, &passphrase("on paper"), purpose, None)
            .unwrap_err();
        let fits = matches!(
            error,
            KeyError::Purpose { expected, actual: Purpose::Log, .. } if expected == purpose
        );
        assert!(fits, "{error}");
    }
    assert_eq!(public_parts(empty.dir()).unwrap(), []);
}

#[test]
fn an_import_is_refused_under_a_name_that_is_taken_or_none() {
    let (_dir, mut ring, path, _other, mut empty) = carried();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    empty.generate("log", Purpose::Log, &mut rng, NOW).unwrap();
    let error = import(&mut empty, &path).unwrap_err();
    assert!(matches!(error, KeyError::NameTaken { .. }), "{error}");
    for name in ["identity", "../log", ""] {
        let error = empty
            .import(&path, &passphrase("on paper"), Purpose::Log, Some(name))
            .unwrap_err();
        assert!(matches!(error, KeyError::Name { .. }), "{error}");
    }
    let part = empty
        .import(&path, &passphrase("on paper"), Purpose::Log, Some("log-2"))
        .unwrap();
    assert_eq!(part.name, "log-2");
    // Once in, it does not come in under another name.
    for ring in [&mut ring, &mut empty] {
        let error = ring
            .import(&path, &passphrase("on paper"), Purpose::Log, Some("log-3"))
            .unwrap_err();
        assert!(matches!(error, KeyError::KeyHere { .. }), "{error}");
    }
}

#[test]
fn an_import_is_refused_when_others_can_read_it_or_it_is_a_link() {
    let (dir, _ring, path, _other, mut empty) = carried();
    for mode in [0o644, 0o640, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = import(&mut empty, &path).unwrap_err();
        let fits = matches!(error, KeyError::Permissions { mode: m, .. } if m == mode);
        assert!(fits, "{error}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for place in [link.as_path(), dir.path()] {
        let error = import(&mut empty, place).unwrap_err();
        assert!(matches!(error, KeyError::NotPlain { .. }), "{error}");
    }
    let error = import(&mut empty, &dir.path().join("absent")).unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }), "{error}");
    import(&mut empty, &path).unwrap();
}

#[test]
fn an_import_is_refused_with_any_byte_changed_or_missing() {
    let (_dir, _ring, path, _other, mut empty) = carried();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let error = import(&mut empty, &path).unwrap_err();
        let known = matches!(
            error,
            KeyError::Damaged { .. }
                | KeyError::WrongPassphrase { .. }
                | KeyError::WorkFactor { .. }
        );
        assert!(known, "{at}: {error}");
        fs::write(&path, &whole[..at]).unwrap();
        let error = import(&mut empty, &path).unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "{at}: {error}");
    }
    fs::write(&path, vec![b'a'; 1 << 20]).unwrap();
    let error = import(&mut empty, &path).unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
    assert_eq!(public_parts(empty.dir()).unwrap(), []);
}

#[test]
fn a_file_of_a_key_directory_is_no_export() {
    let (dir, ring, path, _other, mut empty) = carried();
    let error = import(&mut empty, &dir.path().join("log.age")).unwrap_err();
    assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
    ring.change_passphrase(&passphrase("on paper"), WORK)
        .unwrap();
    let identity = dir.path().join("identity.age");
    let error = import(&mut empty, &identity).unwrap_err();
    assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
    // Nor what a key directory has inside, sealed by hand.
    let key = SecretKey::from_seed([7; 32]);
    let bytes = file::secret_bytes("log", Purpose::Log, &key);
    let sealed = seal::to_passphrase(&bytes, secret(&passphrase("on paper")), 2).unwrap();
    fs::write(&path, sealed).unwrap();
    let error = import(&mut empty, &path).unwrap_err();
    assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
}

/// The key of RFC 8037 A.2 and its thumbprint, A.3; and that of RFC 8410 §10.1.
#[test]
fn forms_are_those_of_the_standards() {
    let seed = |text: &str| binary::decode_base64url_array::<32>(text).unwrap();
    let key = SecretKey::from_seed(seed("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")).public();
    assert_eq!(
        jwk(&key),
        "{\"crv\":\"Ed25519\",\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\
         \"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
    );
    let der = binary::decode_base64("1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI=").unwrap();
    let key = SecretKey::from_seed(der.try_into().unwrap()).public();
    assert_eq!(
        pem(&key),
        "-----BEGIN PUBLIC KEY-----\n\
         MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
         -----END PUBLIC KEY-----\n"
    );
    let log = vkey(&key, Purpose::Log, "zhao.example/log").unwrap();
    let witness = vkey(&key, Purpose::Witness, "zhao.example/log").unwrap();
    assert!(log.starts_with("zhao.example/log+") && log != witness);
    for name in ["", "a b", "a+b"] {
        vkey(&key, Purpose::Log, name).unwrap_err();
    }
}

#[test]
fn a_passphrase_that_could_not_be_written_is_not_changed() {
    let (dir, ring) = ring();
    let before = fs::read(dir.path().join("identity.age")).unwrap();
    // No file takes the place of a directory: as with a full disk, nothing moves.
    let gone = dir.path().join("moved");
    fs::create_dir(&gone).unwrap();
    fs::rename(dir.path().join("identity.age"), gone.join("identity.age")).unwrap();
    fs::create_dir(dir.path().join("identity.age")).unwrap();
    let error = ring
        .change_passphrase(&passphrase("new"), WORK)
        .unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }), "{error}");
    fs::remove_dir(dir.path().join("identity.age")).unwrap();
    fs::rename(gone.join("identity.age"), dir.path().join("identity.age")).unwrap();
    assert_eq!(fs::read(dir.path().join("identity.age")).unwrap(), before);
    fs::remove_dir(gone).unwrap();
    reopen(&dir);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        5,
        "nothing is left behind"
    );
}

fn kinds(findings: &[Finding]) -> Vec<String> {
    let word = |finding: &Finding| {
        let text = format!("{finding:?}");
        let end = text.find([' ', '{']).unwrap_or(text.len());
        format!(
            "{}{}",
            &text[..end],
            if finding.is_fault() { "!" } else { "" }
        )
    };
    findings.iter().map(word).collect()
}

#[test]
fn a_directory_in_order_has_no_findings() {
    let (dir, mut ring) = ring();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(kinds(&ring.inspect(NOW, YEAR).unwrap()), [""; 0]);
    let later = UnixMillis(NOW.0 + YEAR);
    assert_eq!(kinds(&ring.inspect(later, YEAR).unwrap()), ["Old", "Old"]);
    let earlier = UnixMillis(NOW.0 - 1);
    let found = kinds(&ring.inspect(earlier, YEAR).unwrap());
    assert_eq!(found, ["Tomorrow!", "Tomorrow!"]);
}

#[test]
fn everything_wrong_with_a_directory_is_found() {
    let (dir, mut ring) = ring();
    let at = |name: &str| dir.path().join(name);
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    fs::write(at(".new-abc"), "").unwrap();
    fs::write(at("notes.txt"), "").unwrap();
    fs::copy(at("log.age"), at("stray.age")).unwrap();
    let key = ring.secret("unit-a", Purpose::Unit).unwrap();
    ring.store("unit-b", Purpose::Unit, key, NOW).unwrap();
    fs::set_permissions(at("log.age"), Permissions::from_mode(0o644)).unwrap();
    let found = kinds(&ring.inspect(NOW, YEAR).unwrap());
    let expected = [
        "Open!", "Leftover", "Unknown!", "HalfMade", "Broken!", "SameKey!",
    ];
    assert_eq!(found, expected);
    fs::remove_file(at("unit-b.age")).unwrap();
    let found = ring.inspect(NOW, YEAR).unwrap();
    let gone = found.iter().any(|finding| {
        let Finding::Broken { name, error } = finding else {
            return false;
        };
        name == "unit-b" && matches!(error, KeyError::NoSuchKey { .. })
    });
    assert!(gone, "{found:?}");
}
