//! Both stores behave alike, and RocksDB refuses what it must.

use std::path::Path;

use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

use super::memory::{Fault, How, Memory, Operation};
use super::rocks::Rocks;
use super::*;

fn raw(family: Family, key: &[u8], value: Option<&[u8]>) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.push_raw((family, key.to_vec(), value.map(<[u8]>::to_vec)));
    batch
}

/// What any store must do, against expectations written by hand.
fn model(store: &dyn Store) {
    assert_eq!(store.get(Family::Leaves, b"a").unwrap(), None);
    assert_eq!(store.last(Family::Leaves).unwrap(), None);
    let mut batch = WriteBatch::new();
    for key in [b"b", b"a", b"d", b"c"] {
        batch.push_raw((Family::Leaves, key.to_vec(), Some(key.repeat(2))));
    }
    // Within a batch the later write wins.
    batch.push_raw((Family::Leaves, b"d".to_vec(), Some(b"D".to_vec())));
    batch.push_raw((Family::Tiles, b"a".to_vec(), Some(Vec::new())));
    store.write(batch).unwrap();
    let entry = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let all = [
        entry(b"a", b"aa"),
        entry(b"b", b"bb"),
        entry(b"c", b"cc"),
        entry(b"d", b"D"),
    ];
    assert_eq!(store.scan(Family::Leaves, b"", b"z", 9).unwrap(), all);
    assert_eq!(
        store.scan(Family::Leaves, b"b", b"d", 9).unwrap(),
        all[1..3]
    );
    assert_eq!(
        store.scan(Family::Leaves, b"b", b"z", 2).unwrap(),
        all[1..3]
    );
    assert_eq!(store.scan(Family::Leaves, b"aa", b"b", 9).unwrap(), []);
    assert_eq!(store.scan(Family::Leaves, b"d", b"b", 9).unwrap(), []);
    assert_eq!(store.last(Family::Leaves).unwrap(), Some(all[3].clone()));
    assert_eq!(store.get(Family::Tiles, b"a").unwrap(), Some(Vec::new()));
    assert_eq!(store.get(Family::Tiles, b"b").unwrap(), None);

    let snapshot = store.snapshot().unwrap();
    let mut batch = raw(Family::Leaves, b"d", None);
    batch.push_raw((Family::Leaves, b"e".to_vec(), Some(b"ee".to_vec())));
    store.write(batch).unwrap();
    assert_eq!(store.get(Family::Leaves, b"d").unwrap(), None);
    assert_eq!(
        store.last(Family::Leaves).unwrap(),
        Some(entry(b"e", b"ee"))
    );
    assert_eq!(
        snapshot.get(Family::Leaves, b"d").unwrap(),
        Some(b"D".to_vec())
    );
    assert_eq!(snapshot.scan(Family::Leaves, b"", b"z", 9).unwrap(), all);
    assert_eq!(snapshot.last(Family::Leaves).unwrap(), Some(all[3].clone()));
    store.write(WriteBatch::new()).unwrap();
    store.write(raw(Family::Heads, b"absent", None)).unwrap();
}

#[test]
fn memory_and_rocksdb_behave_alike() {
    model(&Memory::new().store().unwrap());
    let directory = tempfile::tempdir().unwrap();
    model(&Rocks::create(directory.path()).unwrap());
}

#[test]
fn rocksdb_keeps_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Rocks::create(directory.path()).unwrap();
    store
        .write(raw(Family::Leaves, b"a", Some(b"one")))
        .unwrap();
    drop(store);
    let store = Rocks::open(directory.path()).unwrap();
    assert_eq!(
        store.get(Family::Leaves, b"a").unwrap(),
        Some(b"one".to_vec())
    );
}

#[test]
fn opening_makes_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("db");
    for path in [absent.as_path(), directory.path()] {
        let error = Rocks::open(path).unwrap_err();
        let path = path.to_string_lossy().into_owned();
        assert_eq!(error, StoreError::NoDatabase { path });
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(!Rocks::exists(directory.path()));
    drop(Rocks::create(&absent).unwrap());
    assert!(Rocks::exists(&absent));
    Rocks::open(&absent).unwrap();
}

#[test]
fn a_second_opening_of_a_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Rocks::create(directory.path()).unwrap();
    let error = Rocks::open(directory.path()).unwrap_err();
    let path = directory.path().to_string_lossy().into_owned();
    assert_eq!(error, StoreError::Locked { path });
}

#[test]
fn another_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Rocks::create(directory.path()).unwrap();
    let mut batch = WriteBatch::new();
    batch.put::<layout::Meta>(&layout::MetaKey::Format, &7_u64.to_be_bytes().to_vec());
    store.write(batch).unwrap();
    drop(store);
    let error = Rocks::open(directory.path()).unwrap_err();
    assert_eq!(
        error,
        StoreError::Format {
            expected: 3,
            actual: 7
        }
    );
}

/// The newest file in a directory whose name ends so.
fn file(directory: &Path, end: &str) -> std::path::PathBuf {
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().ends_with(end))
        .max()
        .unwrap()
}

#[test]
fn a_damaged_write_ahead_log_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let store = Rocks::create(directory.path()).unwrap();
    for n in 0..200_u32 {
        let value = vec![b'x'; 1_000];
        store
            .write(raw(Family::Leaves, &n.to_be_bytes(), Some(&value)))
            .unwrap();
    }
    drop(store);
    let path = file(directory.path(), ".log");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Rocks::open(directory.path()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Engine(text) if text.contains("Corruption")),
        "{error:?}"
    );
}

#[test]
fn a_missing_manifest_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let store = Rocks::create(directory.path()).unwrap();
    store
        .write(raw(Family::Leaves, b"a", Some(b"one")))
        .unwrap();
    drop(store);
    let manifest = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("MANIFEST"))
        .unwrap();
    std::fs::write(manifest, b"").unwrap();
    let error = Rocks::open(directory.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Engine(_)), "{error:?}");
}

#[test]
fn a_failed_write_poisons_the_store() {
    for how in [How::Error, How::Kill] {
        let disk = Memory::new();
        let store = disk.store().unwrap();
        disk.inject(Some(Fault {
            at: 0,
            of: Operation::Write,
            how,
            persisted: true,
        }));
        store
            .write(raw(Family::Leaves, b"a", Some(b"one")))
            .unwrap_err();
        let error = store.get(Family::Leaves, b"a").unwrap_err();
        assert!(matches!(error, StoreError::Poisoned(_)), "{error:?}");
        let error = store.write(WriteBatch::new()).unwrap_err();
        assert!(matches!(error, StoreError::Poisoned(_)), "{error:?}");
        assert!(matches!(
            store.snapshot().err(),
            Some(StoreError::Poisoned(_))
        ));
        disk.restart();
        let store = disk.store().unwrap();
        assert_eq!(
            store.get(Family::Leaves, b"a").unwrap(),
            Some(b"one".to_vec())
        );
    }
}

#[test]
fn a_dead_process_keeps_nothing_open() {
    let disk = Memory::new();
    let (store, files) = (disk.store().unwrap(), disk.files());
    disk.restart();
    use super::files::Files as _;
    assert!(matches!(
        store.get(Family::Leaves, b"a"),
        Err(StoreError::Engine(_))
    ));
    assert!(matches!(
        files.replace("x", b"y"),
        Err(StoreError::File { .. })
    ));
    assert_eq!(disk.files().read("x").unwrap(), None);
}

#[test]
fn files_are_replaced_as_a_whole() {
    use super::files::{Directory, Files as _};
    let directory = tempfile::tempdir().unwrap();
    let files = Directory::open(&directory.path().join("deep/er")).unwrap();
    assert_eq!(files.read("intent").unwrap(), None);
    files.replace("intent", b"one").unwrap();
    files.replace("intent", b"two").unwrap();
    assert_eq!(files.read("intent").unwrap(), Some(b"two".to_vec()));
    let names = std::fs::read_dir(directory.path().join("deep/er"))
        .unwrap()
        .count();
    assert_eq!(names, 1);
    std::fs::write(directory.path().join("deep/er/big"), vec![0; (1 << 20) + 1]).unwrap();
    assert!(matches!(files.read("big"), Err(StoreError::File { .. })));
    std::fs::remove_dir_all(directory.path().join("deep")).unwrap();
    assert!(matches!(
        files.replace("intent", b"x"),
        Err(StoreError::File { .. })
    ));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn golden<T: Table>(key: &T::Key, value: &T::Value, key_hex: &str, value_hex: &str)
where
    T::Key: PartialEq + std::fmt::Debug,
    T::Value: PartialEq + std::fmt::Debug,
{
    let entry = (T::encode_key(key), T::encode_value(value));
    assert_eq!(
        (hex(&entry.0).as_str(), hex(&entry.1).as_str()),
        (key_hex, value_hex)
    );
    let (back, again) = decode::<T>(&entry).unwrap();
    assert_eq!((&back, &again), (key, value));
}

/// A change here is a change of the format: raise `layout::FORMAT`.
#[test]
fn golden_bytes() {
    use layout::*;
    let (one, two) = ("01".repeat(32), "02".repeat(32));
    let (a, b) = (Hash([1; 32]), Hash([2; 32]));
    golden::<Epochs>(&4, &LeafIndex(5), "0000000000000004", "0000000000000005");
    golden::<EventIds>(&a, &LeafIndex(258), &one, "0000000000000102");
    golden::<Heads>(&9, &b"note".to_vec(), "0000000000000009", "6e6f7465");
    golden::<Holdings>(&(a, 1), &b, &format!("{one}0000000000000001"), &two);
    golden::<Leaves>(&LeafIndex(1), &b"{}".to_vec(), "0000000000000001", "7b7d");
    golden::<Meta>(&MetaKey::Format, &vec![1], "666f726d6174", "01");
    golden::<Meta>(&MetaKey::LogKey, &vec![1], "6c6f672d6b6579", "01");
    golden::<Meta>(&MetaKey::Origin, &vec![1], "6f726967696e", "01");
    golden::<Records>(
        &(7, a),
        &b"r".to_vec(),
        &format!("0000000000000007{one}"),
        "72",
    );
    golden::<Subjects>(
        &(a, 2),
        &LeafIndex(3),
        &format!("{one}0000000000000002"),
        "0000000000000003",
    );
    golden::<Tiles>(&(1, 2), &vec![9], "010000000000000002", "09");
    golden::<Replaced>(
        &9,
        &vec![(a, 8), (b, 3)],
        "0000000000000009",
        &format!("{one}0000000000000008{two}0000000000000003"),
    );
}

#[test]
fn bytes_of_other_shapes_are_refused() {
    use layout::*;
    let length = |result: Result<(), LayoutError>| {
        assert!(
            matches!(result, Err(LayoutError::Length { .. })),
            "{result:?}"
        );
    };
    length(Leaves::decode_key(b"1234567").map(|_| ()));
    length(EventIds::decode_key(&[0; 31]).map(|_| ()));
    length(Epochs::decode_value(&[0; 7]).map(|_| ()));
    length(Epochs::decode_value(&[0; 9]).map(|_| ()));
    length(Tiles::decode_key(&[0; 8]).map(|_| ()));
    length(Records::decode_key(&[0; 39]).map(|_| ()));
    length(Records::decode_key(&[0; 41]).map(|_| ()));
    length(Records::decode_key(&[0; 7]).map(|_| ()));
    length(Replaced::decode_key(&[0; 7]).map(|_| ()));
    length(Replaced::decode_value(&[]).map(|_| ()));
    length(Replaced::decode_value(&[0; 39]).map(|_| ()));
    length(Replaced::decode_value(&[0; 81]).map(|_| ()));
    let unknown = Meta::decode_key(b"other").unwrap_err();
    assert_eq!(unknown, LayoutError::Value("no such meta key".to_owned()));
}
