//! Dossiers that are usable, in every shape.

use zhao_spec::id::HolderCodeType;
use zhao_spec::life::data::{
    Action, Administrators, InspectionResult, InspectionRule, KeyGrant, Note, Openness,
    Predecessor, Relation,
};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{PublicKey, UnixMillis};

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::world::{ADMINS, By, World};
use super::super::{DAY, HOUR, business, food, individual, key, transport, trial, unit};
use super::{honest, issued, line};

/// Ten years in milliseconds: dates of the distant future are judged with an old head.
const OLD: u64 = 3_650 * DAY;

pub fn vectors() -> Vec<Vector> {
    vec![valid(), dates(), notices()]
}

pub fn usable_dossier(world: &mut World, paper: &Paper) -> Vec<u8> {
    let credential = world.issue(paper);
    world.close();
    world.dossier(paper, &credential).bytes()
}

fn valid() -> Vector {
    let (world, trusting, paper, credential) = issued();
    let mut cases = Vec::new();
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "open-type-in-the-public-index",
        dossier.clone(),
    ));
    cases.push(Case::valid("one-newline-at-the-end", line(dossier)));
    let later = {
        let mut world = world.clone();
        world.close();
        world.dossier(&paper, &credential).bytes()
    };
    cases.push(Case::valid("a-later-epoch", later));

    let fork = |name: &str, make: &dyn Fn(&mut World) -> Vec<u8>| {
        let (mut world, _) = honest();
        Case::valid(name, make(&mut world))
    };
    cases.push(fork("open-type-not-indexed", &|world| {
        usable_dossier(world, &Paper::food(2).of_type(transport()))
    }));
    cases.push(fork("closed-type-by-commitment", &|world| {
        usable_dossier(world, &Paper::birth(3))
    }));
    cases.push(fork("individual-business-indexed-by-its-type", &|world| {
        let mut paper = Paper::food(4).of_type(business());
        paper.holder_code = individual(1).as_str().to_owned();
        usable_dossier(world, &paper)
    }));
    cases.push(fork(
        "holder-without-a-uscc-where-nothing-is-indexed",
        &|world| {
            let mut paper = Paper::food(4).of_type(transport());
            paper.holder_code = "11010519491231002X".to_owned();
            paper.holder_code_type = HolderCodeType::CITIZEN_ID;
            usable_dossier(world, &paper)
        },
    ));
    cases.push(fork("without-an-end", &|world| {
        let mut paper = Paper::food(4);
        paper.valid_until = None;
        usable_dossier(world, &paper)
    }));
    cases.extend(keys());
    cases.extend(changes());
    Vector::new(
        "verify/valid",
        "Dossiers that are valid, in every shape.",
        &trusting,
        cases,
    )
}

/// Rotations, retirements, proposals, new administrators.
fn keys() -> Vec<Case> {
    let mut cases = Vec::new();
    let rotate = |world: &mut World, retire: bool| {
        let subject = world.subject(Kind::Issuer, unit(1).as_str());
        let action = Action::RotateKey {
            key: key("unit 1 key 2").public(),
            retire: retire.then(|| key("unit 1 key 1").public()),
        };
        world.act(subject, action, By::Unit(&unit(1), "unit 1 key 1"));
        world.close();
    };
    let (world, _, paper, credential) = issued();
    let mut rotated = world;
    rotate(&mut rotated, true);
    let dossier = rotated.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "issued-before-the-key-was-rotated-away",
        dossier,
    ));
    let mut by_new = Paper::food(2);
    by_new.key = "unit 1 key 2".to_owned();
    let dossier = usable_dossier(&mut rotated, &by_new);
    cases.push(Case::valid("issued-by-the-new-key", dossier));

    let (mut world, _) = honest();
    rotate(&mut world, false);
    let dossier = usable_dossier(&mut world, &Paper::food(2));
    cases.push(Case::valid("old-key-beside-the-new-one", dossier));

    let (mut world, _) = honest();
    let subject = world.subject(Kind::Issuer, unit(1).as_str());
    let grant = KeyGrant {
        key: key("unit 1 key 3").public(),
        types: vec![food().as_str().to_owned()],
    };
    world.act(subject, Action::ProposeKey(grant), ADMINS);
    world.close();
    world.now = UnixMillis(world.now.0 + 24 * HOUR);
    world.act(
        subject,
        Action::ConfirmKey(key("unit 1 key 3").public()),
        ADMINS,
    );
    let mut paper = Paper::food(2);
    paper.key = "unit 1 key 3".to_owned();
    let dossier = usable_dossier(&mut world, &paper);
    let case = Case::valid(
        "key-confirmed-by-the-administrators-after-the-delay",
        dossier,
    );
    cases.push(case.at("2026-12-03T00:00:00.000Z"));

    let (mut world, _) = honest();
    change_administrators(&mut world);
    let grant = KeyGrant {
        key: key("unit 2 key 1").public(),
        types: vec![transport().as_str().to_owned()],
    };
    let subject = world.subject(Kind::Issuer, unit(2).as_str());
    world.act(
        subject,
        Action::GrantTypes(grant),
        By::Admins(&["new admin 1"]),
    );
    let mut paper = Paper::food(2).of_type(transport());
    paper.unit = unit(2);
    paper.key = "unit 2 key 1".to_owned();
    let dossier = usable_dossier(&mut world, &paper);
    cases.push(Case::valid(
        "granted-by-old-and-new-administrators",
        dossier,
    ));

    let (mut world, _, paper, credential) = issued();
    let from = world.next_index();
    compromise(&mut world, from);
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid("key-compromised-after-it-issued", dossier));

    let (mut world, _, paper, credential) = issued();
    rotate(&mut world, false);
    compromise(&mut world, LeafIndex(1));
    world.plain_by(&paper, Verb::Reaffirm, "unit 1 key 2");
    world.close();
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "reaffirmed-after-its-key-was-compromised",
        dossier,
    ));
    cases
}

/// Replaces the three administrators by one.
pub fn change_administrators(world: &mut World) {
    let subject = world.subject(Kind::Registry, &world.origin);
    let keys: Vec<PublicKey> = vec![key("new admin 1").public()];
    let action = Action::ChangeAdministrators(Administrators { keys, threshold: 1 });
    world.act(subject, action, ADMINS);
    world.close();
}

/// Declares unit 1's first key compromised from this index on.
pub fn compromise(world: &mut World, from: LeafIndex) {
    let subject = world.subject(Kind::Issuer, unit(1).as_str());
    let action = Action::CompromiseKey {
        from,
        key: key("unit 1 key 1").public(),
    };
    world.act(subject, action, ADMINS);
    world.close();
}

/// A new version of a licence, as its successor.
pub fn renew(world: &mut World, old: &Paper, number: u8, relation: Relation) -> (Paper, Vec<u8>) {
    let paper = Paper {
        number,
        ..old.clone()
    };
    let credential = paper.sign();
    let mut issued = world.issued(&paper, &credential);
    let subject = world.licence_key(old);
    let (seq, prev) = world.chain(&subject);
    issued.predecessor = Some(Predecessor {
        prev: prev.unwrap(),
        relation,
        seq,
        subject,
    });
    world.issue_as(&paper, issued);
    world.close();
    let dossier = world.dossier(&paper, &credential).bytes();
    (paper, dossier)
}

/// What happened to the licence and left it in force.
fn changes() -> Vec<Case> {
    let mut cases = Vec::new();
    let after = |name: &str, change: &dyn Fn(&mut World, &Paper)| {
        let (mut world, _, paper, credential) = issued();
        change(&mut world, &paper);
        world.close();
        Case::valid(name, world.dossier(&paper, &credential).bytes())
    };
    cases.push(after("withheld-and-given-back", &|world, paper| {
        world.plain(paper, Verb::Withhold);
        world.plain(paper, Verb::LiftWithholding);
    }));
    cases.push(after("lost-and-found", &|world, paper| {
        world.plain(paper, Verb::ReportLost);
        world.plain(paper, Verb::WithdrawLoss);
    }));
    cases.push(after("mortgaged-and-released", &|world, paper| {
        let of = world.plain(paper, Verb::Mortgage);
        let release = Action::Release(Verb::ReleaseMortgage, of, Note::default());
        world.act(
            world.licence_key(paper),
            release,
            By::Unit(&paper.unit, &paper.key),
        );
    }));
    cases.push(after("transferred-to-another-unit", &|world, paper| {
        let controller = world.subject(Kind::Issuer, unit(2).as_str());
        let action = Action::Transfer {
            controller,
            note: Note::default(),
        };
        let subject = world.licence_key(paper);
        world.act(subject, action, By::Unit(&paper.unit, &paper.key));
        let passed = Action::Inspect {
            due: None,
            note: Note::default(),
            result: InspectionResult::Passed,
        };
        world.act(subject, passed, By::Unit(&unit(2), "unit 2 key 1"));
    }));
    cases.push(after(
        "failed-inspection-of-a-type-without-inspections",
        &|world, paper| {
            inspect(world, paper, InspectionResult::Failed);
        },
    ));

    let (mut world, _, paper, _) = issued();
    let (_, dossier) = renew(&mut world, &paper, 9, Relation::Renewed);
    cases.push(Case::valid("successor-of-a-superseded-licence", dossier));

    let (mut world, _) = honest();
    let paper = Paper::food(2).of_type(trial());
    let credential = world.issue(&paper);
    world.publish(
        &trial(),
        Openness::Restricted,
        false,
        false,
        InspectionRule::None,
    );
    world.close();
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "in-clear-from-before-its-type-was-restricted",
        dossier,
    ));

    let (mut world, _) = honest();
    let paper = Paper::birth(3);
    let credential = world.issue(&paper);
    world.publish(
        &paper.licence_type,
        Openness::Open,
        false,
        false,
        InspectionRule::None,
    );
    world.close();
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "committed-from-before-its-type-was-opened",
        dossier,
    ));

    let (mut world, _) = honest();
    let paper = Paper::food(2).of_type(transport());
    let credential = world.issue(&paper);
    world.publish(
        &transport(),
        Openness::Open,
        true,
        false,
        InspectionRule::None,
    );
    world.close();
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid(
        "not-indexed-from-before-its-type-was-indexed",
        dossier,
    ));
    cases
}

/// An inspection by the unit, without a next one.
pub fn inspect(world: &mut World, paper: &Paper, result: InspectionResult) {
    let action = Action::Inspect {
        due: None,
        note: Note::default(),
        result,
    };
    let subject = world.licence_key(paper);
    world.act(subject, action, By::Unit(&paper.unit, &paper.key));
}

/// The next inspection falls due at that time.
pub fn inspect_due(world: &mut World, paper: &Paper, due: UnixMillis) {
    let result = InspectionResult::Passed;
    let action = Action::Inspect {
        due: Some(due),
        note: Note::default(),
        result,
    };
    let subject = world.licence_key(paper);
    world.act(subject, action, By::Unit(&paper.unit, &paper.key));
}

/// To the millisecond.
fn dates() -> Vector {
    let (world, trusting, paper, credential) = issued();
    let dossier = world.dossier(&paper, &credential).bytes();
    let epoch = world.epochs.last().unwrap().time;
    let text = |millis: u64| UnixMillis(millis).to_string();
    let mut late = Paper::food(2);
    late.valid_from = UnixMillis(epoch.0 + DAY);
    let (mut other, _) = honest();
    let early = usable_dossier(&mut other, &late);
    let begins = late.valid_from.0;
    let cases = vec![
        Case::valid("last-millisecond-of-validity", dossier.clone())
            .at("2031-11-30T15:59:59.999Z")
            .max_age(OLD),
        Case::invalid("24-00-of-the-last-day-in-china", dossier.clone(), "expired")
            .at("2031-11-30T16:00:00.000Z")
            .max_age(OLD),
        Case::new(
            "before-the-first-day",
            early.clone(),
            "not_usable",
            &["not_yet_valid"],
        )
        .at(&text(begins - 1)),
        Case::valid("00-00-of-the-first-day-in-china", early).at(&text(begins)),
        Case::valid("as-old-as-allowed", dossier.clone()).at(&text(epoch.0 + 7 * DAY)),
        Case::undetermined("a-millisecond-too-old", dossier.clone(), "too_old")
            .at(&text(epoch.0 + 7 * DAY + 1)),
        Case::undetermined("too-old-for-the-caller", dossier.clone(), "too_old")
            .at(&text(epoch.0 + HOUR + 1))
            .max_age(HOUR),
        Case::valid("just-young-enough-for-the-caller", dossier.clone())
            .at(&text(epoch.0 + HOUR))
            .max_age(HOUR),
        Case::valid("from-as-far-ahead-as-skew-allows", dossier.clone())
            .at(&text(epoch.0 - 120_000)),
        Case::undetermined("from-the-future", dossier.clone(), "as_of_in_future")
            .at(&text(epoch.0 - 120_001)),
        Case::undetermined("too-old-beats-expired", dossier, "too_old")
            .at("2031-12-30T16:00:00.000Z"),
    ];
    Vector::new(
        "verify/dates",
        "Validity and freshness, to the millisecond.",
        &trusting,
        cases,
    )
}

/// Usable, and the reader must be told.
fn notices() -> Vector {
    let mut cases = Vec::new();
    let (_, trusting) = honest();
    let after = |name: &str, paper: Paper, codes: &[&str], change: &dyn Fn(&mut World, &Paper)| {
        let (mut world, _) = honest();
        let credential = world.issue(&paper);
        world.close();
        change(&mut world, &paper);
        world.close();
        Case::new(
            name,
            world.dossier(&paper, &credential).bytes(),
            "valid_with_notice",
            codes,
        )
    };
    let plain = |verb: Verb| {
        move |world: &mut World, paper: &Paper| {
            world.plain(paper, verb);
        }
    };
    let food_paper = || Paper::food(1);
    cases.push(after(
        "mortgaged",
        food_paper(),
        &["mortgaged"],
        &plain(Verb::Mortgage),
    ));
    cases.push(after(
        "pledged",
        food_paper(),
        &["pledged"],
        &plain(Verb::Pledge),
    ));
    cases.push(after(
        "objection",
        food_paper(),
        &["objection"],
        &plain(Verb::MarkObjection),
    ));
    let failed = |world: &mut World, paper: &Paper| inspect(world, paper, InspectionResult::Failed);
    let shop = || Paper::food(2).of_type(business());
    cases.push(after(
        "inspection-failed",
        shop(),
        &["inspection_failed"],
        &failed,
    ));
    let overdue = |world: &mut World, paper: &Paper| {
        inspect_due(world, paper, UnixMillis(world.now.0 + HOUR));
    };
    cases.push(after(
        "inspection-overdue",
        shop(),
        &["inspection_overdue"],
        &overdue,
    ));
    let suspended = |world: &mut World, paper: &Paper| {
        let subject = world.subject(Kind::Issuer, paper.unit.as_str());
        world.act(subject, Action::SuspendUnit, ADMINS);
    };
    cases.push(after(
        "unit-suspended",
        food_paper(),
        &["issuer_suspended"],
        &suspended,
    ));
    let retired = |world: &mut World, paper: &Paper| {
        let subject = world.subject(Kind::LicenceType, paper.licence_type.as_str());
        world.act(subject, Action::RetireType, ADMINS);
    };
    cases.push(after(
        "type-retired",
        food_paper(),
        &["type_retired"],
        &retired,
    ));
    let everything = |world: &mut World, paper: &Paper| {
        for verb in [
            Verb::Mortgage,
            Verb::Mortgage,
            Verb::Pledge,
            Verb::MarkObjection,
        ] {
            world.plain(paper, verb);
        }
        failed(world, paper);
        suspended(world, paper);
        retired(world, paper);
    };
    let codes = [
        "inspection_failed",
        "mortgaged",
        "pledged",
        "objection",
        "issuer_suspended",
        "type_retired",
    ];
    cases.push(after("all-at-once-in-order", shop(), &codes, &everything));
    let (mut world, _, paper, _) = issued();
    world.plain(&paper, Verb::Mortgage);
    let (_, dossier) = renew(&mut world, &paper, 9, Relation::Amended);
    let name = "encumbrances-follow-into-the-new-version";
    cases.push(Case::new(
        name,
        dossier,
        "valid_with_notice",
        &["mortgaged"],
    ));
    Vector::new(
        "verify/notices",
        "Usable, with something to be told.",
        &trusting,
        cases,
    )
}
