//! Dossiers of licences that are at an end or not to be used now.

use zhao_spec::life::data::{InspectionResult, Relation};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::world::World;
use super::super::{HOUR, transport, unit};
use super::usable::{compromise, inspect, inspect_due, renew};
use super::{honest, issued};
use zhao_spec::life::data::Action;
use zhao_spec::life::subject::Kind;

use super::super::key;
use super::super::world::By;

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let mut cases = terminal();
    cases.extend(suspended());
    cases.extend(compromised());
    vec![Vector::new(
        "verify/standing",
        "Licences at an end, suspended, or signed by a compromised key.",
        &trusting,
        cases,
    )]
}

/// What the licence's events make of the verdict.
fn after(
    name: &str,
    paper: Paper,
    verdict: &str,
    codes: &[&str],
    change: &dyn Fn(&mut World, &Paper),
) -> Case {
    let (mut world, _) = honest();
    let credential = world.issue(&paper);
    world.close();
    change(&mut world, &paper);
    world.close();
    Case::new(
        name,
        world.dossier(&paper, &credential).bytes(),
        verdict,
        codes,
    )
}

fn terminal() -> Vec<Case> {
    let mut cases = Vec::new();
    for (verb, code) in [
        (Verb::Cancel, "cancelled"),
        (Verb::Revoke, "revoked"),
        (Verb::Annul, "annulled"),
        (Verb::Abolish, "abolished"),
    ] {
        cases.push(after(
            code,
            Paper::food(1),
            "invalid",
            &[code],
            &|world, paper| {
                world.plain(paper, verb);
            },
        ));
    }
    let (mut world, _, paper, credential) = issued();
    renew(&mut world, &paper, 9, Relation::Amended);
    let dossier = world.dossier(&paper, &credential).bytes();
    cases.push(Case::invalid("superseded", dossier, "superseded"));
    let codes = ["revoked", "withheld", "mortgaged"];
    let all = |world: &mut World, paper: &Paper| {
        for verb in [Verb::Mortgage, Verb::Withhold, Verb::Revoke] {
            world.plain(paper, verb);
        }
    };
    let name = "a-terminal-state-keeps-suspensions-and-flags";
    cases.push(after(name, Paper::food(1), "invalid", &codes, &all));
    let mut short = Paper::food(1);
    short.valid_until = Some(UnixMillis(short.valid_from.0 + HOUR));
    let codes = ["expired", "on_hold"];
    let hold = |world: &mut World, paper: &Paper| {
        world.plain(paper, Verb::Hold);
    };
    cases.push(after(
        "expired-and-on-hold",
        short,
        "invalid",
        &codes,
        &hold,
    ));
    cases
}

fn suspended() -> Vec<Case> {
    let mut cases = Vec::new();
    for (verb, code) in [
        (Verb::Hold, "on_hold"),
        (Verb::ReportLost, "reported_lost"),
        (Verb::Withhold, "withheld"),
    ] {
        cases.push(after(
            code,
            Paper::food(1),
            "not_usable",
            &[code],
            &|world, paper| {
                world.plain(paper, verb);
            },
        ));
    }
    let codes = ["on_hold", "reported_lost", "withheld"];
    let all = |world: &mut World, paper: &Paper| {
        for verb in [Verb::Withhold, Verb::ReportLost, Verb::Hold] {
            world.plain(paper, verb);
        }
    };
    cases.push(after(
        "all-suspensions-in-order",
        Paper::food(1),
        "not_usable",
        &codes,
        &all,
    ));
    let codes = ["withheld", "objection"];
    let name = "a-notice-does-not-soften-a-suspension";
    cases.push(after(
        name,
        Paper::food(1),
        "not_usable",
        &codes,
        &|world, paper| {
            world.plain(paper, Verb::MarkObjection);
            world.plain(paper, Verb::Withhold);
        },
    ));
    let car = || Paper::food(2).of_type(transport());
    let failed = ["inspection_failed"];
    cases.push(after(
        "inspection-failed",
        car(),
        "not_usable",
        &failed,
        &|world, paper| {
            inspect(world, paper, InspectionResult::Failed);
        },
    ));
    let overdue = ["inspection_overdue"];
    cases.push(after(
        "inspection-overdue",
        car(),
        "not_usable",
        &overdue,
        &|world, paper| {
            inspect_due(world, paper, UnixMillis(world.now.0 + HOUR));
        },
    ));
    let due = "2026-12-02T00:00:00.000Z";
    cases.push(after(
        "inspection-due-this-instant",
        car(),
        "valid",
        &[],
        &|world, paper| {
            inspect_due(world, paper, super::super::at(due));
        },
    ));
    cases
}

fn compromised() -> Vec<Case> {
    let mut cases = Vec::new();
    let code = ["key_compromised"];
    let stolen = |world: &mut World, _: &Paper| compromise(world, LeafIndex(1));
    cases.push(after(
        "key-compromised",
        Paper::food(1),
        "not_usable",
        &code,
        &stolen,
    ));

    let rotate = |world: &mut World| {
        let subject = world.subject(Kind::Issuer, unit(1).as_str());
        let action = Action::RotateKey {
            key: key("unit 1 key 2").public(),
            retire: None,
        };
        world.act(subject, action, By::Unit(&unit(1), "unit 1 key 1"));
        world.close();
    };
    // The thief withheld the licence; the issuing itself is from before.
    let code = ["changed_by_compromised_key", "withheld"];
    let name = "changed-by-a-key-compromised-since-it-issued";
    cases.push(after(
        name,
        Paper::food(1),
        "not_usable",
        &code,
        &|world, paper| {
            rotate(world);
            let index = world.plain(paper, Verb::Withhold);
            compromise(world, index);
        },
    ));
    let code = ["changed_by_compromised_key"];
    let name = "lifted-by-a-key-compromised-since-it-issued";
    cases.push(after(
        name,
        Paper::food(1),
        "not_usable",
        &code,
        &|world, paper| {
            world.plain(paper, Verb::Withhold);
            let index = world.plain(paper, Verb::LiftWithholding);
            compromise(world, index);
        },
    ));
    // Reaffirmed with a key that is compromised as well.
    let code = ["key_compromised", "changed_by_compromised_key"];
    let name = "reaffirmed-by-a-compromised-key";
    cases.push(after(
        name,
        Paper::food(1),
        "not_usable",
        &code,
        &|world, paper| {
            rotate(world);
            compromise(world, LeafIndex(1));
            world.plain_by(paper, Verb::Reaffirm, "unit 1 key 2");
            let subject = world.subject(Kind::Issuer, unit(1).as_str());
            let key = key("unit 1 key 2").public();
            world.act(
                subject,
                Action::CompromiseKey {
                    from: LeafIndex(1),
                    key,
                },
                super::super::world::ADMINS,
            );
        },
    ));
    cases
}
