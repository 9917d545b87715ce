//! The cases of the vectors. A refusal breaks one check only: everything after the change is
//! signed again, as an operator who cheats with everybody's help could.

mod authority;
mod evidence;
mod files;
mod heads;
mod independence;
mod log_keys;
mod packs;
pub mod papers;
mod standing;
mod usable;

use zhao_spec::file::EmbeddedCredential;
use zhao_spec::life::data::{InspectionRule, Openness};

use super::credential::Paper;
use super::vectors::Vector;
use super::vouch::Trusting;
use super::world::World;
use super::{ORIGIN, OTHER_ORIGIN, birth, business, food, transport, trial, unit};

/// Every vector file, in order.
pub fn all() -> Vec<Vector> {
    let mut vectors = Vec::new();
    vectors.extend(usable::vectors());
    vectors.extend(standing::vectors());
    vectors.extend(papers::vectors());
    vectors.extend(heads::vectors());
    vectors.extend(log_keys::vectors());
    vectors.extend(authority::vectors());
    vectors.extend(packs::vectors());
    vectors.extend(independence::vectors());
    vectors.extend(files::vectors());
    vectors.extend(evidence::vectors());
    vectors
}

/// A log with five types and two units, one epoch.
pub fn founded(origin: &str) -> World {
    let mut world = World::new(origin, "admin");
    found(&mut world);
    world
}

fn found(world: &mut World) {
    world.publish(&food(), Openness::Open, true, false, InspectionRule::None);
    world.publish(
        &transport(),
        Openness::Open,
        false,
        false,
        InspectionRule::Suspends,
    );
    world.publish(
        &birth(),
        Openness::Closed,
        false,
        false,
        InspectionRule::None,
    );
    world.publish(
        &business(),
        Openness::Open,
        true,
        true,
        InspectionRule::Notice,
    );
    world.publish(&trial(), Openness::Open, true, false, InspectionRule::None);
    let all = [food(), transport(), birth(), business(), trial()];
    world.add_unit(&unit(1), "unit 1 key 1", &all);
    world.add_unit(&unit(2), "unit 2 key 1", &[food()]);
    world.close();
}

/// A founded log and the policy that knows it and a second log.
pub fn honest() -> (World, Trusting) {
    let world = founded(ORIGIN);
    let other = founded(OTHER_ORIGIN);
    let trusting = Trusting::new(&[
        (ORIGIN, world.genesis.hash()),
        (OTHER_ORIGIN, other.genesis.hash()),
    ]);
    (world, trusting)
}

/// A founded log with one food licence, closed.
pub fn issued() -> (World, Trusting, Paper, EmbeddedCredential) {
    let (mut world, trusting) = honest();
    let paper = Paper::food(1);
    let credential = world.issue(&paper);
    world.close();
    (world, trusting, paper, credential)
}

/// The file with its trailing newline, as people store it.
pub fn line(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(b'\n');
    bytes
}
