//! Who may issue, and what a signature is worth.

use zhao_spec::life::data::{Action, KeyGrant};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;

use crate::town::{FOOD, OTHER, Paper, Town, UNIT, key_of, said, secret};

#[test]
fn iss_11_only_a_key_in_force_issues_and_no_byte_may_change() {
    let mut town = Town::new();
    let unit = key_of(Kind::Issuer, UNIT);
    let refusal = |town: &mut Town, number: u8, key: &str| {
        let paper = Paper {
            key: key.to_owned(),
            ..Paper::food(number)
        };
        town.issue(&paper).unwrap_err().code()
    };
    // Unknown, then suspended, then retired.
    assert_eq!(
        refusal(&mut town, 1, "a stranger's key"),
        "key_not_authorised"
    );
    assert_eq!(refusal(&mut town, 1, "other key"), "key_not_authorised");
    town.administer(unit, Action::SuspendUnit).unwrap();
    assert_eq!(refusal(&mut town, 1, "unit key"), "signer_suspended");
    town.administer(unit, Action::ResumeUnit).unwrap();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let retired = secret("unit key").public();
    town.administer(unit, Action::RetireKey(retired)).unwrap();
    assert_eq!(refusal(&mut town, 2, "unit key"), "key_not_authorised");
    // What it signed before stays good.
    assert_eq!(town.standing(&paper), ("valid", vec![]));

    // Every byte of the credential counts.
    let dossier = town.dossier(&paper);
    let credential = paper.sign();
    let start = dossier
        .windows(credential.len())
        .position(|window| window == credential)
        .expect("the dossier holds it byte for byte");
    for at in start..start + credential.len() {
        let mut changed = dossier.clone();
        changed[at] ^= 1;
        let (word, reasons) = said(&town.judge(&changed, town.now()));
        assert_eq!(word, "invalid", "byte {at}: {reasons:?}");
    }
}

#[test]
fn iss_11_what_a_stolen_key_signed_does_not_stand() {
    let mut town = Town::new();
    let (before, after) = (Paper::food(1), Paper::food(2));
    town.issue(&before).unwrap();
    let stolen_at = town.log.size();
    town.issue(&after).unwrap();
    let key = secret("unit key").public();
    let action = Action::CompromiseKey {
        from: LeafIndex(stolen_at.0),
        key,
    };
    town.administer(key_of(Kind::Issuer, UNIT), action).unwrap();
    assert_eq!(town.standing(&before), ("valid", vec![]));
    assert_eq!(
        town.standing(&after),
        ("not_usable", vec!["key_compromised"])
    );
    // A key the administrators bring counts only after the delay.
    let fresh = secret("fresh key");
    let grant = KeyGrant {
        key: fresh.public(),
        types: vec![FOOD.to_owned()],
    };
    town.administer(key_of(Kind::Issuer, UNIT), Action::ProposeKey(grant))
        .unwrap();
    let early = town.administer(
        key_of(Kind::Issuer, UNIT),
        Action::ConfirmKey(fresh.public()),
    );
    assert_eq!(early.unwrap_err().code(), "delay_not_over");
}

#[test]
fn iss_21_a_unit_issues_only_what_it_was_allowed() {
    let mut town = Town::new();
    let by_other = |paper: Paper| Paper {
        unit: OTHER,
        key: "other key".to_owned(),
        ..paper
    };
    let allowed = by_other(Paper::trade(1));
    town.issue(&allowed).unwrap();
    assert_eq!(town.standing(&allowed), ("valid", vec![]));
    let refused = town.issue(&by_other(Paper::food(2)));
    assert_eq!(refused.unwrap_err().code(), "type_not_granted");
    // Nor does it touch another unit's licence.
    let foreign = Paper::trade(3);
    town.issue(&foreign).unwrap();
    for verb in [Verb::Revoke, Verb::Withhold, Verb::Cancel] {
        let action = Action::Plain(verb, zhao_spec::life::data::Note::default());
        let refused = town.change(&by_other(foreign.clone()), action);
        assert_eq!(refused.unwrap_err().code(), "not_controller");
    }
}
