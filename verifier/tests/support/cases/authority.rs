//! Refusals of step 7: who made the issuer, and what it may issue.

use zhao_spec::file::Dossier;
use zhao_spec::id::HolderCodeType;
use zhao_spec::life::data::{Action, InspectionRule, KeyGrant, Openness, TypeRef};
use zhao_spec::life::record::{IssuerKey, IssuerRecord, KeyTypes, LicenceRecord, Record};
use zhao_spec::life::subject::Kind;
use zhao_spec::log::tree::LeafIndex;

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::world::{ADMINS, By, World};
use super::super::{ORIGIN, business, company, food, individual, key, transport, unit};
use super::usable::{change_administrators, compromise};
use super::{honest, issued};

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let mut cases = registry();
    cases.extend(grants());
    cases.extend(types());
    cases.extend(index());
    cases.extend(keys());
    let description = "Step 7: the chain from genesis to the issuing key, for that type.";
    vec![Vector::new(
        "verify/authority",
        description,
        &trusting,
        cases,
    )]
}

/// Adds a key to a unit's record without any event.
pub fn plant(world: &mut World, planted: &str) {
    change_unit(world, |record| {
        let types = vec![KeyTypes {
            from: LeafIndex(1),
            type_code: food().as_str().to_owned(),
        }];
        record.keys.push(IssuerKey {
            compromised_from: None,
            from: LeafIndex(1),
            key: key(planted).public(),
            types,
            until: None,
        });
    });
}

fn change_unit(world: &mut World, change: impl FnOnce(&mut IssuerRecord)) {
    let subject = world.subject(Kind::Issuer, unit(1).as_str());
    let Some(Record::Issuer(record)) = world.records.get(&subject) else {
        panic!("a unit")
    };
    let mut record = record.clone();
    change(&mut record);
    world.write(subject, Record::Issuer(record));
}

fn case(name: &str, dossier: &Dossier, reason: &str) -> Case {
    Case::invalid(name, dossier.bytes(), reason)
}

fn registry() -> Vec<Case> {
    let mut cases = Vec::new();
    // The operator begins anew under the same name, with administrators of his own.
    let mut usurped = World::new(ORIGIN, "usurper");
    let own = By::Admins(&["usurper 1", "usurper 2"]);
    found_by(&mut usurped, own);
    let paper = Paper::food(1);
    let credential = usurped.issue(&paper);
    usurped.close();
    let dossier = usurped.dossier(&paper, &credential);
    cases.push(case(
        "other-administrators-from-the-start",
        &dossier,
        "genesis_mismatch",
    ));

    let (mut world, _, paper, credential) = issued();
    let subject = world.subject(Kind::Registry, &world.origin);
    let Some(Record::Registry(record)) = world.records.get(&subject) else {
        panic!("a registry")
    };
    let mut record = record.clone();
    record.administrators.threshold = 1;
    world.write(subject, Record::Registry(record));
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case(
        "threshold-lowered-without-an-event",
        &dossier,
        "registry_invalid",
    ));

    let (mut world, _, paper, credential) = issued();
    let action = Action::ChangeAdministrators(zhao_spec::life::data::Administrators {
        keys: vec![key("usurper 1").public()],
        threshold: 1,
    });
    let event = world.draft(subject, action.clone(), By::Admins(&["admin 1"]));
    let mut honest = world.clone();
    change_to(&mut honest, subject, action);
    let Some(Record::Registry(mut record)) = honest.records.get(&subject).cloned() else {
        panic!("a registry")
    };
    record.latest = event.leaf_hash();
    world.log(event, vec![(subject, Record::Registry(record))]);
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case(
        "changed-by-one-administrator-of-two",
        &dossier,
        "registry_invalid",
    ));

    let (mut world, _, paper, credential) = issued();
    let before = world.registry_authority();
    change_administrators(&mut world);
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().registry.history = before.history.clone();
    dossier.authorities.as_mut().unwrap().registry.placed.record = before.placed.record;
    cases.push(case(
        "change-of-administrators-left-out",
        &dossier,
        "registry_not_in_map",
    ));
    cases
}

fn change_to(world: &mut World, subject: zhao_spec::wire::Hash, action: Action) {
    world.act(subject, action, ADMINS);
}

/// As `found`, with other administrators.
fn found_by(world: &mut World, by: By<'_>) {
    // The same script, each event signed again by those.
    let mut script = super::founded(ORIGIN);
    let steps = std::mem::take(&mut script.steps);
    for step in steps {
        let action = step.event.action.clone();
        world.act(step.event.subject, action, by);
    }
    world.close();
}

fn grants() -> Vec<Case> {
    let mut cases = Vec::new();
    let (world, _, paper, credential) = issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().issuers.clear();
    cases.push(case("unit-left-out", &dossier, "issuer_missing"));

    // A key that nobody granted stands in the unit's record and issues.
    let mut thief = Paper::food(2);
    thief.key = "thief".to_owned();
    let (mut world, _) = honest();
    plant(&mut world, "thief");
    let credential = world.issue(&thief);
    world.close();
    let dossier = world.dossier(&thief, &credential);
    cases.push(case("key-that-nobody-granted", &dossier, "grant_invalid"));

    let (world, _, paper, credential) = issued();
    let granted = |event: &mut zhao_spec::life::event::Event, by: By<'_>| {
        event.signatures.clear();
        super::super::world::sign(event, by);
    };
    for (name, by) in [
        (
            "granted-by-one-administrator-of-two",
            By::Admins(&["admin 1"]),
        ),
        (
            "granted-with-a-foreign-signature",
            By::Admins(&["admin 1", "admin 2", "stranger"]),
        ),
        (
            "granted-by-administrators-of-another-log",
            By::Admins(&["usurper 1", "usurper 2"]),
        ),
    ] {
        let mut world = world.clone();
        let mut dossier = world.dossier(&paper, &credential);
        let issuer = &mut dossier.authorities.as_mut().unwrap().issuers[0];
        granted(&mut issuer.history[0].event, by);
        let latest = issuer.history[0].event.leaf_hash();
        change_unit(&mut world, |record| record.latest = latest);
        world.close();
        let fresh = world.dossier(&paper, &credential);
        issuer.placed = fresh.authorities.as_ref().unwrap().issuers[0]
            .placed
            .clone();
        let issuers = dossier.authorities.as_ref().unwrap().issuers.clone();
        dossier = fresh;
        dossier.authorities.as_mut().unwrap().issuers = issuers;
        cases.push(case(name, &dossier, "grant_invalid"));
    }
    let mut out_of_order = {
        let mut world = world.clone();
        let from = world.next_index();
        compromise(&mut world, from);
        world.dossier(&paper, &credential)
    };
    let steps = &mut out_of_order.authorities.as_mut().unwrap().issuers[0].history;
    steps[1].index = LeafIndex(1);
    cases.push(case(
        "indexes-that-do-not-rise",
        &out_of_order,
        "grant_invalid",
    ));
    steps_of(&mut out_of_order)[1].index = LeafIndex(1_000_000);
    cases.push(case(
        "index-of-another-event",
        &out_of_order,
        "grant_invalid",
    ));

    // The unit's history from before its key was declared compromised.
    let (mut world, _, paper, credential) = issued();
    let before = world.issuer_authority(&unit(1));
    compromise(&mut world, LeafIndex(1));
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().issuers[0] = before;
    cases.push(case("compromise-left-out", &dossier, "issuer_not_in_map"));
    cases
}

fn steps_of(dossier: &mut Dossier) -> &mut Vec<zhao_spec::file::HistoryStep> {
    &mut dossier.authorities.as_mut().unwrap().issuers[0].history
}

fn types() -> Vec<Case> {
    let mut cases = Vec::new();
    let (mut world, _, paper, credential) = issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().licence_types.clear();
    cases.push(case("type-left-out", &dossier, "type_missing"));

    let before = world
        .dossier(&paper, &credential)
        .authorities
        .unwrap()
        .licence_types;
    let subject = world.subject(Kind::LicenceType, food().as_str());
    world.act(subject, Action::RetireType, ADMINS);
    world.close();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().licence_types = before;
    cases.push(case(
        "type-from-before-it-was-retired",
        &dossier,
        "type_not_in_map",
    ));

    // A commitment hides an open type from its holder's public index.
    let (mut world, _) = honest();
    let mut paper = Paper::food(2);
    paper.salt = Some(super::super::hash("salt").0);
    let credential = world.issue(&paper);
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case("open-type-committed-to", &dossier, "type_openness"));
    // A later version of the type does not make it good.
    world.publish(&food(), Openness::Open, true, false, InspectionRule::None);
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case(
        "open-type-committed-to-before-a-new-version",
        &dossier,
        "type_openness",
    ));

    let (mut world, _) = honest();
    let mut paper = Paper::birth(3);
    let committed = world.issue(&paper);
    drop(committed);
    paper.salt = None;
    let credential = paper.sign();
    let code = paper.licence_type.as_str().to_owned();
    world.forge(&paper, |record| {
        record.vc = credential.digest();
        record.type_ref = TypeRef::Code(code);
    });
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case("closed-type-in-clear", &dossier, "type_openness"));

    let (mut world, _) = honest();
    let mut paper = Paper::birth(3);
    paper.holder_code = company(1).as_str().to_owned();
    paper.holder_code_type = HolderCodeType::USCC;
    let credential = world.issue(&paper);
    let enterprise = world.subject(Kind::Enterprise, &paper.holder_code);
    world.forge(&paper, |record| record.enterprise = Some(enterprise));
    // The type is indexed by now, so that nothing else is wrong.
    world.publish(
        &paper.licence_type,
        Openness::Closed,
        false,
        false,
        InspectionRule::None,
    );
    world.close();
    let dossier = world.dossier(&paper, &credential);
    cases.push(case(
        "committed-to-and-in-a-public-index",
        &dossier,
        "type_openness",
    ));
    cases
}

fn index() -> Vec<Case> {
    let mut cases = Vec::new();
    let forged = |name: &str, paper: Paper, change: &dyn Fn(&World, &mut LicenceRecord)| {
        let (mut world, _) = honest();
        let credential = world.issue(&paper);
        let before = world.clone();
        world.forge(&paper, |record| change(&before, record));
        world.close();
        case(
            name,
            &world.dossier(&paper, &credential),
            "enterprise_mismatch",
        )
    };
    cases.push(forged(
        "left-out-of-the-public-index",
        Paper::food(1),
        &|_, record| {
            record.enterprise = None;
        },
    ));
    cases.push(forged(
        "in-another-holders-index",
        Paper::food(1),
        &|world, record| {
            record.enterprise = Some(world.subject(Kind::Enterprise, company(2).as_str()));
        },
    ));
    let car = Paper::food(1).of_type(transport());
    cases.push(forged(
        "in-an-index-of-a-type-that-has-none",
        car,
        &|world, record| {
            record.enterprise = Some(world.subject(Kind::Enterprise, company(1).as_str()));
        },
    ));
    let nothing = |_: &World, _: &mut LicenceRecord| {};
    let mut person = Paper::food(1);
    person.holder_code = individual(1).as_str().to_owned();
    let name = "individual-business-of-a-type-that-does-not-index-them";
    cases.push(forged(name, person, &nothing));
    let mut person = Paper::food(1).of_type(business());
    person.holder_code = "11010519491231002X".to_owned();
    person.holder_code_type = HolderCodeType::CITIZEN_ID;
    cases.push(forged("a-person-in-the-public-index", person, &nothing));
    cases
}

fn keys() -> Vec<Case> {
    let mut cases = Vec::new();
    // The retired key goes on issuing, and the operator logs it.
    let late = |world: &mut World, paper: &Paper, change: &dyn Fn(&mut World)| {
        let mut admitted = world.clone();
        let credential = admitted.issue(paper);
        let record = admitted.records[&admitted.licence_key(paper)].clone();
        change(world);
        let index = world.next_index();
        let subject = world.licence_key(paper);
        let Record::Licence(mut record) = record else {
            panic!("a licence")
        };
        record.issued_index = index;
        record.index = index;
        let step = admitted.steps.last().unwrap().event.clone();
        let enterprise = world.subject(Kind::Enterprise, &paper.holder_code);
        let indexed = admitted.records[&enterprise].clone();
        world.log(
            step,
            vec![(subject, Record::Licence(record)), (enterprise, indexed)],
        );
        world.close();
        world.dossier(paper, &credential)
    };
    let (mut world, _) = honest();
    let retire = |world: &mut World| {
        let subject = world.subject(Kind::Issuer, unit(1).as_str());
        let action = Action::RotateKey {
            key: key("unit 1 key 2").public(),
            retire: Some(key("unit 1 key 1").public()),
        };
        world.act(subject, action, By::Unit(&unit(1), "unit 1 key 1"));
    };
    let dossier = late(&mut world, &Paper::food(2), &retire);
    cases.push(case(
        "issued-after-its-key-was-retired",
        &dossier,
        "key_not_authorised",
    ));

    let (mut world, _) = honest();
    let mut stranger = Paper::food(2);
    stranger.unit = unit(2);
    let credential = stranger.sign();
    let mut own = Paper::food(2);
    own.unit = unit(2);
    own.key = "unit 2 key 1".to_owned();
    world.issue(&own);
    let thumbprint = key(&stranger.key).public().thumbprint();
    world.forge(&own, |record| {
        record.vc = credential.digest();
        record.issued_by = thumbprint;
    });
    world.close();
    let dossier = world.dossier(&own, &credential);
    cases.push(case("key-of-another-unit", &dossier, "key_not_authorised"));

    // Unit 2 was granted food licences only; the grant of transport comes after.
    let (mut world, _) = honest();
    let mut early = Paper::food(2).of_type(transport());
    early.unit = unit(2);
    early.key = "unit 2 key 1".to_owned();
    let mut granted = world.clone();
    grant(&mut granted, transport().as_str());
    let credential = granted.issue(&early);
    let Record::Licence(mut record) = granted.records[&granted.licence_key(&early)].clone() else {
        panic!("a licence")
    };
    let event = granted.steps.last().unwrap().event.clone();
    record.issued_index = world.next_index();
    record.index = world.next_index();
    let subject = world.licence_key(&early);
    world.log(event, vec![(subject, Record::Licence(record))]);
    let never = {
        let mut world = world.clone();
        world.close();
        world.dossier(&early, &credential)
    };
    cases.push(case("type-never-granted", &never, "type_not_granted"));
    grant(&mut world, transport().as_str());
    world.close();
    let dossier = world.dossier(&early, &credential);
    cases.push(case(
        "issued-before-the-type-was-granted",
        &dossier,
        "type_not_granted",
    ));
    cases
}

fn grant(world: &mut World, code: &str) {
    let subject = world.subject(Kind::Issuer, unit(2).as_str());
    let types = vec![code.to_owned()];
    let grant = KeyGrant {
        key: key("unit 2 key 1").public(),
        types,
    };
    world.act(subject, Action::GrantTypes(grant), ADMINS);
}
