use super::*;

const ORIGIN: &str = "zhao.example/o";

fn secrets(version: u16, byte: u8) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(version, [byte; 32]);
    secrets
}

fn place(row: &[u8]) -> Place<'_> {
    Place {
        table: "licences",
        column: "face",
        row,
    }
}

#[test]
fn a_cell_opens_in_its_place_only() {
    let vault = Vault::fresh(&secrets(1, 7), ORIGIN).unwrap();
    let cell = vault.seal(&place(b"a"), "常州".as_bytes());
    assert_eq!(cell.len(), OVERHEAD + 6);
    assert_eq!(
        vault.open(&place(b"a"), &cell).unwrap().as_slice(),
        "常州".as_bytes()
    );
    for other in [
        place(b"b"),
        place(b""),
        Place {
            column: "person",
            ..place(b"a")
        },
        Place {
            table: "holders",
            ..place(b"a")
        },
        Place {
            table: "licences",
            column: "face\0a",
            row: b"",
        },
    ] {
        assert_eq!(
            vault.open(&other, &cell).unwrap_err(),
            VaultError::Sealed,
            "{other:?}"
        );
    }
}

#[test]
fn a_cell_that_was_changed_or_cut_does_not_open() {
    let vault = Vault::fresh(&secrets(1, 7), ORIGIN).unwrap();
    let cell = vault.seal(&place(b"a"), b"text");
    for at in 0..cell.len() {
        let mut changed = cell.clone();
        changed[at] ^= 1;
        assert_eq!(
            vault.open(&place(b"a"), &changed).unwrap_err(),
            VaultError::Sealed,
            "{at}"
        );
        assert_eq!(
            vault.open(&place(b"a"), &cell[..at]).unwrap_err(),
            VaultError::Sealed,
            "{at}"
        );
    }
    let mut longer = cell;
    longer.push(0);
    assert_eq!(
        vault.open(&place(b"a"), &longer).unwrap_err(),
        VaultError::Sealed
    );
}

#[test]
fn another_key_is_told_from_damage() {
    let rows = [Vault::fresh(&secrets(3, 7), ORIGIN).unwrap().row()];
    assert!(Vault::load(&secrets(3, 7), ORIGIN, &rows).is_ok());
    let refused = |secrets: &Secrets, origin| Vault::load(secrets, origin, &rows).unwrap_err();
    assert_eq!(refused(&secrets(3, 8), ORIGIN), VaultError::Wrong(3));
    assert_eq!(refused(&secrets(2, 7), ORIGIN), VaultError::Missing(3));
    assert_eq!(refused(&Secrets::default(), ORIGIN), VaultError::Missing(3));
    // The same secret in another office makes other keys.
    assert_eq!(
        refused(&secrets(3, 7), "zhao.example/p"),
        VaultError::Wrong(3)
    );
    let mut damaged = rows.clone();
    damaged[0].index_root[30] ^= 1;
    let error = Vault::load(&secrets(3, 7), ORIGIN, &damaged).unwrap_err();
    assert_eq!(error, VaultError::Sealed);
    assert_eq!(
        Vault::load(&secrets(3, 7), ORIGIN, &[]).unwrap_err(),
        VaultError::Missing(1)
    );
    assert_eq!(
        Vault::fresh(&Secrets::default(), ORIGIN).unwrap_err(),
        VaultError::Missing(1)
    );
}

#[test]
fn indexes_outlive_the_key_and_cells_of_both_versions_open() {
    let mut both = secrets(1, 7);
    both.add(2, [8; 32]);
    let vault = Vault::fresh(&secrets(1, 7), ORIGIN).unwrap();
    let first = vault.row();
    let old = vault.seal(&place(b"a"), b"old");
    let blind = vault.blind(Column::Number, &["JY1"]);
    let vault = vault.advanced(&both, ORIGIN, 2).unwrap();
    let new = vault.seal(&place(b"a"), b"old");
    assert_ne!(old, new);
    assert_eq!((version_of(&old), version_of(&new)), (Some(1), Some(2)));
    let rows = [first, vault.row()];
    let mut vault = Vault::load(&both, ORIGIN, &rows).unwrap();
    assert_eq!(vault.current(), 2);
    assert_eq!(vault.blind(Column::Number, &["JY1"]), blind);
    for cell in [&old, &new] {
        assert_eq!(vault.open(&place(b"a"), cell).unwrap().as_slice(), b"old");
    }
    vault.forget();
    assert_eq!(
        vault.open(&place(b"a"), &old).unwrap_err(),
        VaultError::Sealed
    );
    assert_eq!(vault.open(&place(b"a"), &new).unwrap().as_slice(), b"old");
}

#[test]
fn neighbours_of_what_is_counted_share_half_an_index() {
    let vault = Vault::fresh(&secrets(1, 7), ORIGIN).unwrap();
    let halves = |column, parts: &[&str]| {
        let index = vault.blind(column, parts);
        let (near, own) = index.split_at(8);
        (near.to_vec(), own.to_vec())
    };
    for column in [Column::Number, Column::Reference, Column::Serial] {
        let (near, own) = halves(column, &["unit", "20260000999"]);
        assert_eq!(
            halves(column, &["unit", "20260000000"]).0,
            near,
            "{column:?}"
        );
        assert_ne!(
            halves(column, &["unit", "20260000000"]).1,
            own,
            "{column:?}"
        );
        for other in [["unit", "20260001000"], ["other", "20260000999"]] {
            assert_ne!(halves(column, &other).0, near, "{column:?} {other:?}");
        }
        // The text that is left is not its own neighbourhood.
        let (_, shorter) = halves(column, &["unit", "20260000"]);
        assert_ne!(near, shorter);
        // Whole characters, and short texts.
        for short in ["", "一", "一二三", "一二三四"] {
            halves(column, &[short]);
        }
        assert_eq!(halves(column, &["一二三"]).0, halves(column, &["abc"]).0);
        assert_ne!(halves(column, &["一二三四"]).0, halves(column, &["abc"]).0);
    }
    // People are not counted: two of one place and day have nothing in common.
    for column in [Column::HolderCode, Column::HolderName, Column::Operator] {
        let (one, _) = halves(column, &["420607190006215252"]);
        let (other, _) = halves(column, &["420607190006215260"]);
        assert_ne!(one, other, "{column:?}");
    }
}

#[test]
fn blind_indexes_equal_where_the_texts_mean_the_same() {
    let vault = Vault::fresh(&secrets(1, 7), ORIGIN).unwrap();
    let same = [
        (
            Column::HolderCode,
            " 91320402dem0010172",
            "９１３２０４０２ＤＥＭ００１０１７２",
        ),
        (
            Column::HolderName,
            "示例（集团）公司",
            "示例(集团)公司\u{3000}",
        ),
        (Column::HolderName, "Cafe\u{301}", "Café"),
        (Column::Number, "JY1-２０２６", "JY1-2026"),
        (Column::Reference, "A1 ", "A1"),
    ];
    for (column, one, other) in same {
        assert_eq!(
            vault.blind(column, &[one]),
            vault.blind(column, &[other]),
            "{one}"
        );
    }
    let different = [
        (Column::HolderName, "Abc", "abc"),
        (Column::Number, "jy1", "JY1"),
        (Column::Reference, "（1）", "(1)"),
        (Column::HolderName, "𠮷野", "吉野"),
        (Column::HolderName, "a\0", "a"),
    ];
    for (column, one, other) in different {
        assert_ne!(
            vault.blind(column, &[one]),
            vault.blind(column, &[other]),
            "{one}"
        );
    }
    let indexes = Column::ALL.map(|column| vault.blind(column, &["1"]));
    for (at, index) in indexes.iter().enumerate() {
        assert!(!indexes[..at].contains(index));
    }
    let split = [["ab", "c"], ["a", "bc"], ["abc", ""]];
    let split = split.map(|parts| vault.blind(Column::Serial, &parts));
    assert!(split[0] != split[1] && split[1] != split[2] && split[0] != split[2]);
}
