use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use super::*;
use crate::catalogue::Catalogue;
use crate::intake::{self, Defaults};

fn sample(seed: u64) -> Sample {
    Sample {
        enterprises: 50,
        seed,
        today: Date::parse("2026-11-22").unwrap(),
        unit: Uscc::parse("11320400DEM0001293").unwrap(),
    }
}

#[test]
fn every_row_of_every_type_passes_intake() {
    let catalogue = Catalogue::embedded().unwrap();
    for seed in 0..4 {
        let sample = sample(seed);
        let defaults = Defaults {
            licence_type: None,
            today: sample.today,
            unit: None,
        };
        for entry in catalogue.entries() {
            let csv = sample.csv(entry, 150);
            let batch = intake::open(Cursor::new(csv), &catalogue, None).unwrap();
            let mut rows = 0;
            for row in batch {
                let checked = intake::check(&row.unwrap(), &catalogue, &defaults);
                assert!(checked.is_ok(), "{}: {}", entry.slug, checked.unwrap_err());
                rows += 1;
            }
            assert_eq!(rows, 150);
        }
    }
}

#[test]
fn nothing_in_it_is_anybodys() {
    let catalogue = Catalogue::embedded().unwrap();
    for entry in catalogue.entries() {
        for line in sample(1).csv(entry, 50).lines().skip(1) {
            let cells: Vec<_> = line.split(',').collect();
            assert!(cells[3].contains("示例"), "{line}");
            let code = cells[4];
            assert!(code[8..12] == *"DEM0" || code[6..10] == *"1900", "{line}");
        }
    }
}

#[test]
fn a_seed_means_one_batch() {
    let catalogue = Catalogue::embedded().unwrap();
    let entry = catalogue.entry("food-operation").unwrap();
    assert_eq!(sample(1).csv(entry, 20), sample(1).csv(entry, 20));
    assert_ne!(sample(1).csv(entry, 20), sample(2).csv(entry, 20));
    let more = sample(1).csv(entry, 30);
    assert!(
        more.starts_with(&sample(1).csv(entry, 20)),
        "a longer batch only goes on"
    );
}

#[test]
fn enterprises_hold_several_licences_and_one_business_licence() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    for slug in ["business-licence", "food-operation", "composite-permit"] {
        let csv = sample(1).csv(catalogue.entry(slug).unwrap(), 50);
        let codes: Vec<_> = csv
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(4).unwrap().to_owned())
            .collect();
        if slug == "business-licence" {
            assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 50);
        }
        for code in codes {
            *held.entry(code).or_default() += 1;
        }
    }
    assert_eq!(held.len(), 50);
    assert!(held.values().filter(|count| **count > 1).count() > 30);
}

#[test]
fn codes_are_all_different() {
    let codes: BTreeSet<_> = (0..20_000).map(|at| Enterprise::new(3, at).code).collect();
    assert_eq!(codes.len(), 20_000);
    let names: BTreeSet<_> = (0..2_000).map(|at| Enterprise::new(3, at).name).collect();
    assert!(names.len() > 1_900, "{}", names.len());
}
