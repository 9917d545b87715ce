//! The office against a ledger that judges by the real life cycle and fails on demand.

mod acts;
mod bulk;
mod bulk_runs;
mod crash;
mod delivery;
mod issuing;
mod jobs;
mod ledger;
mod proposals;
mod publishing;
mod signers;
mod simulation;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;
use zeroize::Zeroizing;
use zhao_spec::id::Uscc;
use zhao_spec::wire::SecretKey;

use self::ledger::MiniLedger;
use super::*;
use crate::intake::{Cell, Defaults, Row};
use crate::keys::WorkFactor;
use crate::vault::Secrets;

/// 2026-11-22 14:00 in China.
const NOW: UnixMillis = UnixMillis(1_795_327_200_000);
const ORIGIN: &str = "zhao.example/test";
const UNIT: &str = "11320400DEM0001293";
const HOLDER: &str = "91320402DEM0010172";

/// An office with two administrators, every type published, and one unit that may issue all.
struct Desk {
    administrators: Vec<SecretKey>,
    dir: TempDir,
    office: Office<MiniLedger>,
    rng: ChaCha20Rng,
}

fn passphrase() -> Zeroizing<String> {
    Zeroizing::new("test".to_owned())
}

/// The key of the records.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(1, [9; 32]);
    secrets
}

fn unit() -> Uscc {
    Uscc::parse(UNIT).unwrap()
}

impl Desk {
    /// Set up, but nothing declared yet.
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let administrators: Vec<_> = [1, 2].map(|n| SecretKey::from_seed([n; 32])).into();
        let public = administrators.iter().map(SecretKey::public).collect();
        let genesis = genesis(ORIGIN, public, 2, 1000, NOW).unwrap();
        let path = dir.path().join("office.sqlite");
        let records = Records::create(&path, ORIGIN, &genesis.bytes(), &secrets()).unwrap();
        let work = WorkFactor::new(1).unwrap();
        let keys = Keyring::create(&dir.path().join("keys"), &passphrase(), work).unwrap();
        let catalogue = Catalogue::embedded().unwrap();
        let office = Office::open(records, keys, catalogue, MiniLedger::new(&genesis)).unwrap();
        Self {
            administrators,
            dir,
            office,
            rng: ChaCha20Rng::seed_from_u64(7),
        }
    }

    fn new() -> Self {
        Self::with(|_| true)
    }

    /// With the one type that [`food`] is of.
    fn bare() -> Self {
        Self::with(|slug| slug == "food-operation")
    }

    fn with(wanted: impl Fn(&str) -> bool) -> Self {
        let mut desk = Self::empty();
        let slugs: Vec<_> = desk
            .office
            .catalogue
            .entries()
            .map(|e| e.slug.clone())
            .filter(|slug| wanted(slug))
            .collect();
        let types: Vec<_> = desk
            .office
            .catalogue
            .entries()
            .filter(|e| wanted(&e.slug))
            .map(|e| e.type_code.clone())
            .collect();
        for slug in slugs {
            let done = desk
                .office
                .publish_type(&slug, &desk.administrators, NOW)
                .unwrap();
            let done = desk.finish(done);
            assert!(
                matches!(done.standing, Standing::Receipted { .. }),
                "{done:?}"
            );
        }
        let unit = unit();
        let grant = Grant {
            key_name: "unit-1",
            types: &types,
            unit: &unit,
        };
        let name = "常州市示例市场监督管理局";
        let done = desk
            .office
            .add_unit(name, grant, &desk.administrators, NOW, &mut desk.rng)
            .unwrap();
        let done = desk.finish(done);
        assert!(
            matches!(done.standing, Standing::Receipted { .. }),
            "{done:?}"
        );
        desk
    }

    /// As after the process died: only disk and ledger are left.
    fn restart(self) -> Self {
        let Self {
            administrators,
            dir,
            office,
            rng,
        } = self;
        let Office {
            catalogue,
            client,
            keys,
            records,
            ..
        } = office;
        drop((keys, records));
        let client = Arc::into_inner(client).unwrap();
        let records = Records::open(&dir.path().join("office.sqlite"), &secrets()).unwrap();
        let keys = Keyring::open(&dir.path().join("keys"), &passphrase()).unwrap();
        let office = Office::open(records, keys, catalogue, client).unwrap();
        Self {
            administrators,
            dir,
            office,
            rng,
        }
    }

    /// Issues the rows; every outcome with its row number.
    fn issue(&mut self, rows: Vec<Row>) -> Vec<(u64, Outcome)> {
        let defaults = Defaults {
            licence_type: Some("food-operation".to_owned()),
            today: NOW.beijing_date(),
            unit: Some(unit()),
        };
        let mut outcomes = Vec::new();
        let mut rows = rows.into_iter().map(Ok);
        let tally = self
            .office
            .issue(
                &mut rows,
                &defaults,
                NOW,
                &mut self.rng,
                &mut |row, outcome, tally| {
                    outcomes.push((row, outcome));
                    assert_eq!(tally.rows(), u64::try_from(outcomes.len()).unwrap());
                },
            )
            .unwrap();
        assert_eq!(tally.rows(), u64::try_from(outcomes.len()).unwrap());
        outcomes
    }

    /// Delivers what was declared, and says what became of it.
    fn finish<T: Finish>(&mut self, declared: T) -> T {
        declared.finish(&mut self.office)
    }

    /// Issues one licence and answers it.
    fn issue_one(&mut self, row: Row) -> Issued {
        match self.issue(vec![row]).remove(0).1 {
            Outcome::Issued(issued) => *issued,
            other => panic!("not issued: {other:?}"),
        }
    }
}

trait Finish {
    fn finish(self, office: &mut Office<MiniLedger>) -> Self;
}

impl Finish for Declared {
    fn finish(self, office: &mut Office<MiniLedger>) -> Self {
        office.finish(self, NOW).unwrap()
    }
}

impl Finish for Outcome {
    fn finish(self, office: &mut Office<MiniLedger>) -> Self {
        office.finish_issue(self, NOW).unwrap()
    }
}

/// A row from pairs of column and text.
fn row(number: u64, cells: &[(&str, &str)]) -> Row {
    let cell = |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
    Row::new(number, cells.iter().map(cell))
}

/// A food operation licence, with cells changed.
fn food(number: u64, changes: &[(&str, &str)]) -> Row {
    let mut row = row(
        number,
        &[
            ("holderName", "常州示例食品有限公司"),
            ("holderCode", HOLDER),
            ("representative", "张示例"),
            ("premises", "常州市天宁区示例路1号"),
            ("businessForm", "catering"),
            ("operationItems", "热食类食品制售"),
            ("supervisor", "常州市示例市场监督管理局"),
        ],
    );
    for (name, text) in changes {
        row.cells
            .insert((*name).to_owned(), Cell::Text((*text).to_owned()));
    }
    Row::new(number, row.cells)
}

/// A birth certificate: a closed type.
fn birth(number: u64) -> Row {
    row(
        number,
        &[
            ("type", "birth-certificate"),
            ("holderCodeType", "111"),
            ("holderCode", "320402190001010016"),
            ("holderName", "李示例"),
            ("sex", "1"),
            ("birthDate", "1900-01-01"),
            ("birthPlace", "常州市示例医院"),
            ("motherName", "王示例"),
            ("motherCode", "140522190006150023"),
            ("institution", "常州市示例医院"),
        ],
    )
}
