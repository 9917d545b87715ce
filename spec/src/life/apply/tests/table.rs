//! Sections 2, 3 and 5: the page's cells against the code's behaviour.

use super::world::{
    DAY, ORIGIN, OTHER, PLAIN, UNIT, World, code, issuer, licence, note, publish, secret, type_key,
};
use crate::life::apply::{Cell, Column, cell, relation_cell};
use crate::life::data::{Action, InspectionResult, KeyGrant, ObjectionResult, Relation};
use crate::life::record::{State, Suspension};
use crate::life::verb::{On, Verb};
use crate::log::tree::LeafIndex;

const PAGE: &str = include_str!("../../../../lifecycle.md");

/// Rows of the table under a heading whose first header cell is `first`.
fn table(section: &str, first: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let start = PAGE.find(section).expect("the section is there");
    let split = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = PAGE[start..]
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {first} ")));
    let header = split(lines.next().expect("a header"));
    let rows = lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(split)
        .collect();
    (header, rows)
}

fn column(name: &str) -> Column {
    match name {
        "absent" => Column::Absent,
        "active" => Column::Active,
        other => Suspension::from_word(other).map_or_else(
            || Column::Terminal(State::from_word(other).expect("a state")),
            Column::Suspended,
        ),
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Add(suspension) => format!("+{}", suspension.as_str()),
        Cell::Become(state) => format!("→ {}", state.as_str()),
        Cell::Refuse(refusal) => refusal.code().to_owned(),
        Cell::Stays => "stays".to_owned(),
        Cell::Take(suspension) => format!("−{}", suspension.as_str()),
    }
}

/// The event of a licence verb, with data that fits `name` as far as it can.
fn action(world: &World, name: &str, verb: Verb) -> Action {
    let record = world
        .records
        .contains_key(&licence(name))
        .then(|| world.licence(name));
    let first = |list: Option<Vec<LeafIndex>>| {
        list.and_then(|list| list.first().copied())
            .unwrap_or(LeafIndex(0))
    };
    match verb {
        Verb::ReleaseMortgage => Action::Release(verb, first(record.map(|r| r.mortgages)), note()),
        Verb::ReleasePledge => Action::Release(verb, first(record.map(|r| r.pledges)), note()),
        Verb::ClearObjection => Action::ClearObjection {
            note: note(),
            of: first(record.map(|r| r.objections)),
            result: ObjectionResult::Upheld,
        },
        Verb::Inspect => Action::Inspect {
            due: None,
            note: note(),
            result: InspectionResult::Passed,
        },
        Verb::Transfer => Action::Transfer {
            controller: issuer(OTHER),
            note: note(),
        },
        Verb::Issued => Action::Issued(Box::new(super::world::issued(super::world::open_type()))),
        plain => Action::Plain(plain, note()),
    }
}

/// Brings a licence into a set of suspensions or a terminal state, with an open mortgage, pledge
/// and objection when `flags`.
fn bring(world: &mut World, name: &str, columns: &[Column], flags: bool) {
    if columns == [Column::Absent] {
        return;
    }
    world.issue(name).expect("issued");
    if flags {
        for verb in [Verb::Mortgage, Verb::Pledge, Verb::MarkObjection] {
            world.plain(name, verb).expect("flag");
        }
    }
    for column in columns {
        let verb = match column {
            Column::Absent | Column::Active => continue,
            Column::Suspended(Suspension::OnHold) => Verb::Hold,
            Column::Suspended(Suspension::ReportedLost) => Verb::ReportLost,
            Column::Suspended(Suspension::Withheld) => Verb::Withhold,
            Column::Terminal(State::Revoked) => Verb::Revoke,
            Column::Terminal(State::Annulled) => Verb::Annul,
            Column::Terminal(State::Abolished) => Verb::Abolish,
            Column::Terminal(State::Cancelled) => Verb::Cancel,
            Column::Terminal(_) => {
                world
                    .succeed(name, "its successor", Relation::Amended)
                    .expect("superseded");
                continue;
            }
        };
        world.plain(name, verb).expect("the verb that leads there");
    }
}

/// What really happens, in the words of the table.
fn outcome(world: &mut World, name: &str, verb: Verb) -> String {
    let exists = world.records.contains_key(&licence(name));
    let before = exists.then(|| world.licence(name));
    let action = action(world, name, verb);
    if let Err(refusal) = world.unit(licence(name), action) {
        let after = exists.then(|| world.licence(name));
        assert_eq!(before, after, "a refused event changed the record");
        return refusal.code().to_owned();
    }
    let after = world.licence(name);
    let Some(before) = before else {
        return format!("→ {}", after.state.as_str());
    };
    if before.state != after.state {
        return format!("→ {}", after.state.as_str());
    }
    let gained = after
        .suspensions
        .iter()
        .find(|s| !before.suspensions.contains(s));
    let lost = before
        .suspensions
        .iter()
        .find(|s| !after.suspensions.contains(s));
    match (gained, lost) {
        (Some(s), None) => format!("+{}", s.as_str()),
        (None, Some(s)) => format!("−{}", s.as_str()),
        _ => "stays".to_owned(),
    }
}

#[test]
fn sta_06_every_licence_cell_is_as_the_page_says() {
    let (header, rows) = table("## 2.", "verb");
    let verbs: Vec<Verb> = Verb::ALL
        .iter()
        .copied()
        .filter(|v| v.on() == On::Licence)
        .collect();
    assert_eq!(rows.len(), verbs.len());
    for row in &rows {
        let verb = Verb::from_word(&row[0]).expect("a verb");
        for (name, said) in header.iter().zip(row).skip(1) {
            let column = column(name);
            assert_eq!(&text(&cell(verb, column)), said, "{verb} on {name}: code");
            let needs_flags = matches!(
                verb,
                Verb::ReleaseMortgage | Verb::ReleasePledge | Verb::ClearObjection
            );
            let mut world = World::new();
            if verb == Verb::Reaffirm {
                compromise_issuing_key(&mut world, &[column]);
            } else {
                let flags = needs_flags && column != Column::Terminal(State::Cancelled);
                bring(&mut world, "licence", &[column], flags);
            }
            assert_eq!(
                &outcome(&mut world, "licence", verb),
                said,
                "{verb} on {name}: done"
            );
        }
    }
}

/// A licence whose issuing key was declared compromised, while the unit's new key is `unit key`.
fn compromise_issuing_key(world: &mut World, columns: &[Column]) {
    let old = secret("unit key").public();
    bring(world, "licence", columns, false);
    // The unit brings a second key, and the second declares the first compromised.
    let rotate = Action::RotateKey {
        key: secret("second key").public(),
        retire: None,
    };
    world.unit(issuer(UNIT), rotate).expect("rotated");
    let declare = Action::CompromiseKey {
        from: LeafIndex(0),
        key: old,
    };
    let event = world.draft(issuer(UNIT), Some(issuer(UNIT)), declare);
    world.signed(event, &["second key"]).expect("declared");
    world.signing = "second key";
}

#[test]
fn reaffirm_needs_a_compromised_key() {
    let mut world = World::new();
    world.issue("licence").expect("issued");
    let plain = Action::Plain(Verb::Reaffirm, note());
    assert_eq!(
        code(world.unit(licence("licence"), plain.clone())),
        "nothing_to_reaffirm"
    );
    let mut world = World::new();
    compromise_issuing_key(&mut world, &[Column::Active]);
    world.signing = "unit key";
    assert_eq!(
        code(world.unit(licence("licence"), plain.clone())),
        "key_not_authorised"
    );
    world.signing = "second key";
    world.unit(licence("licence"), plain).expect("reaffirmed");
    let record = world.licence("licence");
    let reaffirmed = record.reaffirmed.expect("noted");
    assert_eq!(reaffirmed.by, secret("second key").public().thumbprint());
    assert_eq!(reaffirmed.index, record.index);
}

/// Every subset of the three suspensions: a lifting verb looks at its own only, any other is
/// refused by the first column that refuses.
#[test]
fn suspensions_stack() {
    let all = Suspension::ALL;
    for mask in 0..8_usize {
        let set: Vec<Suspension> = (0..3)
            .filter(|bit| mask & (1 << bit) != 0)
            .map(|bit| all[bit])
            .collect();
        let columns: Vec<Column> = if set.is_empty() {
            vec![Column::Active]
        } else {
            set.iter().map(|s| Column::Suspended(*s)).collect()
        };
        for verb in Verb::ALL.iter().copied().filter(|v| v.on() == On::Licence) {
            if matches!(verb, Verb::Reaffirm | Verb::Issued) {
                continue;
            }
            let own = columns
                .iter()
                .map(|c| cell(verb, *c))
                .find(|c| matches!(c, Cell::Take(_)));
            let expected = own.unwrap_or_else(|| {
                let cells: Vec<Cell> = columns.iter().map(|c| cell(verb, *c)).collect();
                cells
                    .iter()
                    .find(|c| matches!(c, Cell::Refuse(_)))
                    .unwrap_or(&cells[0])
                    .clone()
            });
            let mut world = World::new();
            let flags = matches!(
                verb,
                Verb::ReleaseMortgage | Verb::ReleasePledge | Verb::ClearObjection
            );
            bring(&mut world, "licence", &columns, flags);
            assert_eq!(
                outcome(&mut world, "licence", verb),
                text(&expected),
                "{verb} on {set:?}"
            );
        }
    }
}

#[test]
fn sta_10_every_relation_cell_is_as_the_page_says() {
    let (header, rows) = table("**Predecessor**", "relation");
    assert_eq!(rows.len(), Relation::ALL.len());
    for row in &rows {
        let relation = Relation::from_word(&row[0]).expect("a relation");
        for (name, said) in header.iter().zip(row).skip(1) {
            let column = column(name);
            assert_eq!(
                &text(&relation_cell(relation, column)),
                said,
                "{relation:?} on {name}"
            );
            let mut world = World::new();
            bring(&mut world, "old", &[column], false);
            let before = world.licence("old");
            match world.succeed("old", "new", relation) {
                Err(refusal) => {
                    assert_eq!(refusal.code(), said, "{relation:?} on {name}");
                    assert_eq!(world.licence("old"), before);
                }
                Ok(()) => {
                    let old = world.licence("old");
                    assert_eq!(old.successor, Some(licence("new")));
                    assert_eq!(world.licence("new").predecessor, Some(licence("old")));
                    assert_eq!(old.seq, before.seq + 1);
                    assert_eq!(old.latest, world.licence("new").latest);
                    let done = if old.state == before.state {
                        "stays".to_owned()
                    } else {
                        format!("→ {}", old.state.as_str())
                    };
                    assert_eq!(&done, said, "{relation:?} on {name}");
                }
            }
        }
    }
}

#[test]
fn a_new_version_takes_over_flags_and_never_a_loss() {
    let mut world = World::new();
    bring(
        &mut world,
        "old",
        &[Column::Suspended(Suspension::ReportedLost)],
        true,
    );
    let old = world.licence("old");
    world
        .succeed("old", "new", Relation::Reissued)
        .expect("reissued");
    let new = world.licence("new");
    assert_eq!(
        (new.mortgages, new.pledges, new.objections, new.suspensions),
        (old.mortgages, old.pledges, old.objections, vec![])
    );
    let mut world = World::new();
    let withheld = [
        Column::Suspended(Suspension::OnHold),
        Column::Suspended(Suspension::Withheld),
    ];
    bring(&mut world, "old", &withheld, true);
    world
        .succeed("old", "new", Relation::Corrected)
        .expect("corrected");
    let new = world.licence("new");
    assert_eq!(new.suspensions, [Suspension::OnHold, Suspension::Withheld]);
    assert_eq!(new.mortgages.len(), 1);
    // Released on the new version, by the index of the old one's event.
    let of = new.mortgages[0];
    let release = Action::Release(Verb::ReleaseMortgage, of, note());
    world
        .unit(licence("new"), release.clone())
        .expect("released");
    assert_eq!(code(world.unit(licence("new"), release)), "not_open");
}

#[test]
fn a_corrected_terminal_state_starts_clean_and_only_once() {
    let mut world = World::new();
    world.issue("old").expect("issued");
    world.plain("old", Verb::Mortgage).expect("mortgaged");
    world.plain("old", Verb::Revoke).expect("revoked");
    world
        .succeed("old", "new", Relation::Corrected)
        .expect("corrected");
    assert_eq!(world.licence("new").mortgages, []);
    assert_eq!(world.licence("old").state, State::Revoked);
    assert_eq!(
        code(world.succeed("old", "third", Relation::Corrected)),
        "already_succeeded"
    );
}

#[test]
fn sta_07_encumbrances_are_counted_and_block_only_cancelling() {
    let mut world = World::new();
    world.issue("licence").expect("issued");
    world.plain("licence", Verb::Mortgage).expect("first");
    world.plain("licence", Verb::Mortgage).expect("second");
    world.plain("licence", Verb::Pledge).expect("pledged");
    let refused = world.plain("licence", Verb::Cancel);
    assert_eq!(
        refused,
        Err(crate::life::apply::Refusal::Encumbered {
            mortgages: 2,
            pledges: 1
        })
    );
    let record = world.licence("licence");
    let crossed = Action::Release(Verb::ReleasePledge, record.mortgages[0], note());
    assert_eq!(code(world.unit(licence("licence"), crossed)), "not_open");
    for verb in [Verb::Revoke, Verb::Annul, Verb::Abolish] {
        assert_eq!(code(world.clone().plain("licence", verb)), "ok");
    }
}

#[test]
fn flags_have_a_limit() {
    for verb in [Verb::Mortgage, Verb::Pledge, Verb::MarkObjection] {
        let mut world = World::new();
        world.issue("licence").expect("issued");
        for _ in 0..64 {
            world.plain("licence", verb).expect("below the limit");
        }
        assert_eq!(code(world.plain("licence", verb)), "limit_reached");
    }
}

#[test]
fn every_issuer_cell_is_as_the_page_says() {
    let (header, rows) = table("## 5.", "verb");
    let verbs: Vec<Verb> = Verb::ALL
        .iter()
        .copied()
        .filter(|v| v.on() == On::Issuer)
        .collect();
    assert_eq!(rows.len(), verbs.len());
    let spare = || secret("spare key").public();
    for row in &rows {
        let verb = Verb::from_word(&row[0]).expect("a verb");
        for (name, said) in header.iter().zip(row).skip(1) {
            let unit = if name == "absent" {
                "11350000DEM000137M"
            } else {
                UNIT
            };
            let mut world = World::new();
            let grant = |key| KeyGrant {
                key,
                types: vec![PLAIN.to_owned()],
            };
            let subject = issuer(unit);
            if name != "absent" {
                let proposal = Action::ProposeKey(grant(spare()));
                world.admin(subject, proposal).expect("proposed");
                world.now.0 += 8 * DAY;
            }
            if name == "suspended" {
                world
                    .admin(subject, Action::SuspendUnit)
                    .expect("suspended");
            }
            let own = secret("unit key").public();
            let third = secret("third key").public();
            let action = match verb {
                Verb::AddUnit => Action::AddUnit {
                    grant: grant(third),
                    unit: unit.to_owned(),
                },
                Verb::GrantTypes => Action::GrantTypes(KeyGrant {
                    key: own,
                    types: vec!["11100000DEM0001107009".to_owned()],
                }),
                Verb::RotateKey => Action::RotateKey {
                    key: third,
                    retire: None,
                },
                Verb::RetireKey => Action::RetireKey(own),
                Verb::ProposeKey => Action::ProposeKey(grant(third)),
                Verb::ConfirmKey => Action::ConfirmKey(spare()),
                Verb::WithdrawProposal => Action::WithdrawProposal(spare()),
                Verb::SuspendUnit => Action::SuspendUnit,
                Verb::ResumeUnit => Action::ResumeUnit,
                _ => Action::CompromiseKey {
                    from: LeafIndex(3),
                    key: own,
                },
            };
            let before = world.records.get(&subject).cloned();
            let result = if verb == Verb::RotateKey && name != "absent" {
                world.unit(subject, action)
            } else if verb == Verb::RotateKey {
                // Only a unit may rotate, and an absent one cannot sign: seen from another unit.
                assert_eq!(code(world.unit(subject, action)), "wrong_signer");
                Err(crate::life::apply::Refusal::SubjectAbsent)
            } else {
                world.admin(subject, action)
            };
            let state = |world: &World| match world.records.get(&subject).map(AsRef::as_ref) {
                Some(crate::life::record::Record::Issuer(record)) => Some(record.state),
                _ => None,
            };
            let old = match before.as_deref() {
                Some(crate::life::record::Record::Issuer(record)) => Some(record.state),
                _ => None,
            };
            let done = match result {
                Err(refusal) => refusal.code().to_owned(),
                Ok(()) if state(&world) == old => "stays".to_owned(),
                Ok(()) => format!("→ {}", state(&world).expect("a unit").as_str()),
            };
            assert_eq!(&done, said, "{verb} on {name} unit");
        }
    }
}

#[test]
fn cat_01_every_type_cell_is_as_the_page_says() {
    let (header, rows) = table("declared compromised is retired", "verb");
    assert_eq!(rows.len(), 2);
    for row in &rows {
        for (name, said) in header.iter().zip(row).skip(1) {
            let mut world = World::new();
            let (key, version) = if name == "absent" {
                ("11100000DEM0001107008", 1)
            } else {
                (PLAIN, 2)
            };
            if name == "retired" {
                world
                    .admin(type_key(key), Action::RetireType)
                    .expect("retired");
            }
            let before = world.records.get(&type_key(key)).cloned();
            let action = match row[0].as_str() {
                "publish-type" => Action::PublishType(Box::new(publish(key, version))),
                _ => Action::RetireType,
            };
            let state = |record: Option<&crate::life::record::Record>| match record {
                Some(crate::life::record::Record::LicenceType(record)) => Some(record.state),
                _ => None,
            };
            let done = match world.admin(type_key(key), action) {
                Err(refusal) => refusal.code().to_owned(),
                Ok(()) => {
                    let after = state(world.records.get(&type_key(key)).map(AsRef::as_ref));
                    if after == state(before.as_deref()) {
                        "stays".to_owned()
                    } else {
                        format!("→ {}", after.expect("a type").as_str())
                    }
                }
            };
            assert_eq!(&done, said, "{} on {name} type of {ORIGIN}", row[0]);
        }
    }
}
