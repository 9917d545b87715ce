//! Every operation on the place, at every moment, going wrong in every way: nothing answered is
//! lost, no two inconsistent heads are signed, and another directory can go on.

use super::standby::catch;
use super::{no_fork, published, run, upload, uploader, uploader_of};
use crate::fixture::{Office, at};
use crate::publish::memory::{Fault, MemoryPlace, Operation};
use crate::sequence::{Outcome, Sequencer};
use crate::store::memory::Memory;

/// What was answered to be in the log, by its number.
type Answered = Vec<u64>;

/// Commits, whether the place answers or not; what is pending is tried again. Gives the numbers
/// that were answered "accepted".
fn work(
    sequencer: &mut Sequencer,
    office: &mut Office,
    answered: &mut Answered,
    numbers: [u64; 2],
) {
    for n in numbers {
        let outcomes = sequencer.commit(vec![office.issue(n)], at(100 + n));
        let outcomes = outcomes.unwrap_or_else(|error| panic!("licence {n}: {error}"));
        match outcomes[..] {
            [Outcome::Accepted { .. }] => answered.push(n),
            [Outcome::Pending { .. }] => {
                if sequencer.retry(at(100 + n)).unwrap() {
                    answered.push(n);
                }
            }
            _ => panic!("{outcomes:?}"),
        }
    }
}

/// A primary under faults, then a standby from an old copy.
fn scenario(faults: Vec<(Operation, u32, Fault)>) -> [u32; 4] {
    let label = format!("{faults:?}");
    let (site, place, mut sequencer, mut office) = published();
    let old = site.disk.copy();
    let mut up = uploader_of(&site);
    let mut answered = Answered::new();
    place.inject(faults);
    for round in 0..3 {
        let n = 10 + round * 2;
        work(&mut sequencer, &mut office, &mut answered, [n, n + 1]);
        // Whatever fails is done the next time.
        let _ = upload(&mut up, &sequencer);
    }
    // The machine is lost.
    let size = sequencer.published().size;
    drop(sequencer);
    take_over(&site, &place, &old, &answered, size.0, &label);
    no_fork(&site, &old);
    let all = [
        Operation::Get,
        Operation::Create,
        Operation::Swap,
        Operation::Delete,
    ];
    all.map(|operation| place.count(operation))
}

/// The standby tries until it has what it needs, as an operator would.
fn take_over(
    site: &crate::fixture::Site,
    place: &MemoryPlace,
    disk: &Memory,
    answered: &Answered,
    size: u64,
    label: &str,
) {
    let mut tries = (0..6_u64).filter_map(|n| {
        catch(disk, place).ok()?;
        let session = format!("standby {n}");
        let standby = run(&site.with_disk(disk.clone()), place, &session, true);
        Some(standby.open(at(200 + n)).ok()?.0)
    });
    let mut new = tries
        .next()
        .unwrap_or_else(|| panic!("{label}: no standby"));
    assert!(new.size().0 >= size, "{label}");
    // Its first head may not have been claimed yet.
    let mut later = 300..310;
    assert!(later.any(|n| new.heartbeat(at(n)).unwrap()), "{label}");
    // What was answered is there, with a record under that head.
    let reader = new.reader();
    let view = reader.latest().unwrap();
    for n in answered {
        let (_, record) = view.placed(&crate::fixture::licence_key(*n)).unwrap();
        assert!(
            record.is_some(),
            "{label}: licence {n} was answered and is gone"
        );
    }
    drop(view);
    let mut up = uploader(place);
    let done = (0..6).find_map(|_| upload(&mut up, &new).ok());
    let done = done.unwrap_or_else(|| panic!("{label}: not uploaded"));
    assert_eq!(done.size, new.published().size, "{label}");
    let there = place.objects();
    assert_eq!(
        there["checkpoint"],
        new.published().note.as_bytes(),
        "{label}"
    );
}

#[test]
fn every_operation_with_every_fault() {
    let counts = scenario(Vec::new());
    let operations = [
        Operation::Get,
        Operation::Create,
        Operation::Swap,
        Operation::Delete,
    ];
    let mut cases = 0;
    for (operation, count) in operations.into_iter().zip(counts) {
        for fault in [Fault::Before, Fault::After, Fault::Slow, Fault::Stale] {
            if fault == Fault::Stale && operation != Operation::Get {
                continue;
            }
            for at in 0..count {
                scenario(vec![(operation, at, fault)]);
                cases += 1;
            }
        }
    }
    assert!(cases > 150, "{cases}");
}

#[test]
fn many_faults_at_once() {
    let faults = [Fault::Before, Fault::After, Fault::Slow, Fault::Stale];
    for seed in 0_u32..200 {
        // A small generator: which operations fail, and how, is what the seed says.
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let mut all = Vec::new();
        for _ in 0..12 {
            let operation = [
                Operation::Get,
                Operation::Create,
                Operation::Swap,
                Operation::Delete,
            ][usize::try_from(next(4)).unwrap()];
            let fault = faults[usize::try_from(next(4)).unwrap()];
            all.push((operation, next(60), fault));
        }
        scenario(all);
    }
}
