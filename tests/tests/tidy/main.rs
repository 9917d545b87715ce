//! Tidy: the rules of this repository that no compiler checks, each a test of its own.
//!
//! A rule is a function over texts that returns one line per offence: what is wrong, where, and
//! what to do. Here the rules meet the real tree; beside each rule, small samples show that it
//! fails when it should and passes when it should.

mod coverage;
mod docs;
mod licences;
mod manifests;
mod rust;
mod source;
mod tree;
mod vectors;

use manifests::Manifest;
use tree::Tree;

/// Fails with every offence, so that one run shows all there is to do.
#[track_caller]
fn none(offences: Vec<String>) {
    assert!(
        offences.is_empty(),
        "{} offence(s):\n  {}",
        offences.len(),
        offences.join("\n  ")
    );
}

fn manifests() -> Vec<Manifest> {
    let tree = Tree::read();
    let found = manifests::parse_all(&tree.files);
    assert_eq!(found.len(), 9, "the workspace has nine members: {found:?}");
    found
}

#[test]
fn crates_use_each_other_only_along_the_arrows() {
    none(manifests::arrows(&manifests()));
}

#[test]
fn spec_has_few_dependencies() {
    none(manifests::few_dependencies(&manifests(), "zhao-spec", 9));
}

#[test]
fn spec_and_verifier_depend_on_nothing_impure() {
    none(manifests::pure(&manifests()));
}

#[test]
fn only_the_ledger_and_a_failing_disk_depend_on_rocksdb() {
    none(manifests::only_these_name(
        &manifests(),
        "rocksdb",
        &["zhao-ledger", "zhao-faults"],
    ));
}

#[test]
fn the_failing_disk_is_not_in_the_product() {
    none(manifests::only_in_tests(
        &manifests(),
        &["zhao-faults", "zhao-tests"],
        "faults",
    ));
}

#[test]
fn only_the_failing_disk_has_unsafe_code() {
    none(source::unsafe_in_one_place(&Tree::read().files));
}

#[test]
fn only_one_module_of_the_ledger_names_rocksdb() {
    none(source::rocksdb_in_one_place(&Tree::read().files));
}

#[test]
fn members_take_versions_and_lints_from_the_workspace() {
    none(manifests::inherit(&manifests()));
}

#[test]
fn every_dependency_states_its_reason() {
    none(manifests::reasons(&Tree::read().text("Cargo.toml")));
}

#[test]
fn every_package_comes_from_the_registry() {
    none(licences::sources(&Tree::read().text("Cargo.lock")));
}

#[test]
fn every_licence_is_allowed() {
    let tree = Tree::read();
    none(licences::allowed(
        &tree.text("deny.toml"),
        &licences::metadata(&tree.root),
    ));
}

#[test]
fn files_are_short() {
    none(source::file_sizes(&Tree::read().files));
}

#[test]
fn lines_are_short() {
    none(source::line_lengths(&Tree::read().files));
}

#[test]
fn clocks_and_randomness_stay_in_their_files() {
    none(source::owned_calls(&Tree::read().files, source::OWNED));
}

#[test]
fn signatures_are_verified_one_by_one_and_strictly() {
    none(source::no_batch_verification(&Tree::read().files));
}

#[test]
fn the_verifying_path_reads_json_with_its_own_reader() {
    none(source::no_foreign_json(&Tree::read().files));
}

#[test]
fn spec_and_verifier_touch_nothing_outside() {
    none(source::no_side_effects(&Tree::read().files));
}

#[test]
fn the_javascript_verifier_stands_alone() {
    none(source::javascript_alone(&Tree::read().files));
}

#[test]
fn nothing_is_left_to_do() {
    none(source::unfinished(&Tree::read().files));
}

#[test]
fn nothing_waits_for_a_time_to_pass() {
    none(source::no_sleep(&Tree::read().files));
}

#[test]
fn documents_name_only_files_that_exist() {
    none(docs::paths(Tree::read()));
}

#[test]
fn documents_name_only_make_targets_that_exist() {
    let tree = Tree::read();
    let targets = docs::make_targets(&tree.text("Makefile"));
    assert!(targets.contains("test"), "no targets found: {targets:?}");
    none(docs::makes(tree, &targets));
}

#[test]
fn documents_name_only_subcommands_that_exist() {
    let tree = Tree::read();
    none(docs::subcommands_named(
        tree,
        &docs::subcommands(&tree.files),
    ));
}

#[test]
fn specification_pages_name_code_and_vectors_that_exist() {
    none(docs::page_feet(Tree::read()));
}

#[test]
fn every_folder_of_vectors_has_vectors() {
    none(vectors::not_empty(Tree::read()));
}

#[test]
fn coverage_rows_are_complete_and_name_tests_that_run() {
    let tree = Tree::read();
    none(coverage::check(tree, &coverage::test_names(&tree.files)));
}
