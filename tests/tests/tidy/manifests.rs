//! Rules over the manifests: which crate may use what.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::File;

/// Which of our crates each of our crates may use, in its tests as well. What admits an event is
/// the pure function in `spec`, so the ledger needs neither verifier nor issuer.
const ARROWS: &[(&str, &[&str])] = &[
    ("zhao-spec", &[]),
    // What goes over HTTP: shapes only, so that nothing which decides needs it.
    ("zhao-http", &[]),
    // Other people's credentials, and ours as they read them.
    ("zhao-vc", &["zhao-spec"]),
    ("zhao-verifier", &["zhao-spec"]),
    ("zhao-ledger", &["zhao-spec"]),
    ("zhao-issuer", &["zhao-spec", "zhao-vc", "zhao-verifier"]),
    (
        "zhao",
        &[
            "zhao-http",
            "zhao-issuer",
            "zhao-ledger",
            "zhao-spec",
            "zhao-vc",
            "zhao-verifier",
        ],
    ),
    // A disk that fails, for the tests of whoever keeps something on it.
    ("zhao-faults", &[]),
    (
        "zhao-tests",
        &[
            "zhao-faults",
            "zhao-issuer",
            "zhao-ledger",
            "zhao-spec",
            "zhao-verifier",
        ],
    ),
];

/// Crates that bring a clock, randomness, files, sockets, threads or a lenient JSON reader.
const IMPURE: &[&str] = &[
    "async-std",
    "async-trait",
    "chrono",
    "crossbeam",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "jiff",
    "librocksdb-sys",
    "memmap2",
    "object_store",
    "rand",
    "rand_chacha",
    "rayon",
    "reqwest",
    "rocksdb",
    "rusqlite",
    "serde_json",
    "smol",
    "sqlx",
    "ssi",
    "tempfile",
    "time",
    "tokio",
    "uuid",
    "walkdir",
];

/// One member's manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    path: String,
    name: String,
    table: toml::Table,
}

impl Manifest {
    /// Names of dependencies of one kind, in every target section as well.
    fn dependencies(&self, kind: &str) -> BTreeMap<String, toml::Value> {
        let mut tables = vec![&self.table];
        if let Some(targets) = self.table.get("target").and_then(toml::Value::as_table) {
            tables.extend(targets.values().filter_map(toml::Value::as_table));
        }
        let mut found = BTreeMap::new();
        for table in tables {
            if let Some(section) = table.get(kind).and_then(toml::Value::as_table) {
                found.extend(
                    section
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
            }
        }
        found
    }

    fn all_dependencies(&self) -> BTreeMap<String, toml::Value> {
        ["dependencies", "dev-dependencies", "build-dependencies"]
            .iter()
            .flat_map(|kind| self.dependencies(kind))
            .collect()
    }
}

/// The manifests of the members that the root's names.
pub(crate) fn parse_all(files: &[File]) -> Vec<Manifest> {
    let root = files
        .iter()
        .find(|file| file.path == "Cargo.toml")
        .expect("there is a root manifest");
    let root: toml::Table = root.text.parse().expect("the root manifest is TOML");
    let members: BTreeSet<String> = root["workspace"]["members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .map(|member| format!("{member}/Cargo.toml"))
        .collect();
    files
        .iter()
        .filter(|file| members.contains(&file.path))
        .map(|file| parse(&file.path, &file.text))
        .collect()
}

fn parse(path: &str, text: &str) -> Manifest {
    let table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let name = table
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
        .unwrap_or_else(|| panic!("{path} names no package"))
        .to_owned();
    Manifest {
        path: path.to_owned(),
        name,
        table,
    }
}

pub(crate) fn arrows(manifests: &[Manifest]) -> Vec<String> {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let mut offences = Vec::new();
    for manifest in manifests {
        let Some((_, expected)) = ARROWS.iter().find(|(name, _)| *name == manifest.name) else {
            offences.push(format!(
                "{}: crate {} has no arrows: state them in tests/tests/tidy/manifests.rs",
                manifest.path, manifest.name
            ));
            continue;
        };
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        let used = manifest.all_dependencies();
        let used: BTreeSet<&str> = used
            .keys()
            .map(String::as_str)
            .filter(|name| ours.contains(name))
            .collect();
        for name in used.difference(&expected) {
            offences.push(format!(
                "{}: {} may not use {name}: move what it needs along the arrows",
                manifest.path, manifest.name
            ));
        }
    }
    offences
}

pub(crate) fn few_dependencies(manifests: &[Manifest], name: &str, max: usize) -> Vec<String> {
    manifests
        .iter()
        .filter(|manifest| manifest.name == name)
        .map(|manifest| (manifest, manifest.dependencies("dependencies").len()))
        .filter(|(_, count)| *count > max)
        .map(|(manifest, count)| {
            format!(
                "{}: {count} direct dependencies, at most {max}: drop one",
                manifest.path
            )
        })
        .collect()
}

pub(crate) fn pure(manifests: &[Manifest]) -> Vec<String> {
    let mut offences = Vec::new();
    for manifest in manifests {
        if !["zhao-spec", "zhao-verifier"].contains(&manifest.name.as_str()) {
            continue;
        }
        let mut used = manifest.dependencies("dependencies");
        used.extend(manifest.dependencies("build-dependencies"));
        for name in used.keys().filter(|name| IMPURE.contains(&name.as_str())) {
            offences.push(format!(
                "{}: {} is pure and may not depend on {name}: take its result as an argument",
                manifest.path, manifest.name
            ));
        }
    }
    offences
}

pub(crate) fn only_these_name(manifests: &[Manifest], what: &str, owners: &[&str]) -> Vec<String> {
    manifests
        .iter()
        .filter(|manifest| !owners.contains(&manifest.name.as_str()))
        .flat_map(|manifest| {
            manifest
                .all_dependencies()
                .into_keys()
                .filter(|name| name.contains(what))
                .map(|name| format!("{}: only {owners:?} may depend on {name}", manifest.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Crates and features that only tests use: in nobody's `[dependencies]`.
pub(crate) fn only_in_tests(manifests: &[Manifest], names: &[&str], feature: &str) -> Vec<String> {
    let mut offences = Vec::new();
    for manifest in manifests {
        let mut used = manifest.dependencies("dependencies");
        used.extend(manifest.dependencies("build-dependencies"));
        for (name, value) in used {
            let features = value.get("features").and_then(toml::Value::as_array);
            let asked = features
                .into_iter()
                .flatten()
                .any(|asked| asked.as_str() == Some(feature));
            if names.contains(&name.as_str()) || asked {
                offences.push(format!(
                    "{}: {name} with {feature} is for tests: move it to [dev-dependencies]",
                    manifest.path
                ));
            }
        }
        let features = manifest.table.get("features");
        let default = features.and_then(|features| features.get("default"));
        let defaults = default
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten();
        if defaults
            .filter_map(toml::Value::as_str)
            .any(|on| on == feature)
        {
            offences.push(format!("{}: {feature} is on by default", manifest.path));
        }
    }
    offences
}

pub(crate) fn inherit(manifests: &[Manifest]) -> Vec<String> {
    let from_workspace = |value: Option<&toml::Value>| {
        value
            .and_then(|value| value.get("workspace"))
            .and_then(toml::Value::as_bool)
            == Some(true)
    };
    let mut offences = Vec::new();
    for manifest in manifests {
        if !from_workspace(manifest.table.get("lints")) {
            offences.push(format!("{}: add [lints] workspace = true", manifest.path));
        }
        let package = manifest.table.get("package");
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !from_workspace(package.and_then(|package| package.get(key))) {
                offences.push(format!("{}: write {key}.workspace = true", manifest.path));
            }
        }
        for (name, value) in manifest.all_dependencies() {
            if !from_workspace(Some(&value)) {
                offences.push(format!(
                    "{}: write {name}.workspace = true and its version in the root Cargo.toml",
                    manifest.path
                ));
            }
        }
    }
    offences
}

/// Each line of `[workspace.dependencies]` ends in a comment, says no `*` and names no git.
pub(crate) fn reasons(root_manifest: &str) -> Vec<String> {
    let mut offences = Vec::new();
    let mut inside = false;
    for (number, line) in root_manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
            continue;
        }
        if !inside || line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = number.saturating_add(1);
        let name = line.split([' ', '=', '.']).next().unwrap_or_default();
        if name.starts_with("zhao-") {
            continue;
        }
        let reason = line
            .rsplit_once('#')
            .map_or("", |(_, reason)| reason.trim());
        if reason.len() < 8 {
            offences.push(format!(
                "Cargo.toml:{at}: say behind {name} why it is needed: # …"
            ));
        }
        if line.contains("\"*\"") || line.contains("git =") {
            offences.push(format!(
                "Cargo.toml:{at}: {name} needs a version from the registry"
            ));
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, rest: &str) -> Manifest {
        parse(
            "x/Cargo.toml",
            &format!("[package]\nname = \"{name}\"\n{rest}"),
        )
    }

    #[test]
    fn an_arrow_too_many_is_found() {
        let good = manifest(
            "zhao-ledger",
            "[dependencies]\nzhao-spec.workspace = true\n",
        );
        assert!(arrows(&[good]).is_empty());

        for section in [
            "dependencies",
            "dev-dependencies",
            "target.'cfg(unix)'.dependencies",
        ] {
            let text = format!("[{section}]\nzhao-verifier.workspace = true\n");
            let found = arrows(&[manifest("zhao-ledger", &text)]);
            assert_eq!(found.len(), 1, "{section}");
            assert!(
                found[0].contains("may not use zhao-verifier"),
                "{section}: {found:?}"
            );
        }
        let tests = manifest(
            "zhao-spec",
            "[dev-dependencies]\nzhao-tests.workspace = true\n",
        );
        assert!(arrows(&[tests])[0].contains("may not use zhao-tests"));
        assert!(arrows(&[manifest("zhao-util", "")])[0].contains("has no arrows"));
    }

    #[test]
    fn one_dependency_too_many_is_found() {
        let three = || {
            manifest(
                "zhao-spec",
                "[dependencies]\na = \"1\"\nb = \"1\"\nc = \"1\"\n",
            )
        };
        assert!(few_dependencies(&[three()], "zhao-spec", 3).is_empty());
        assert_eq!(few_dependencies(&[three()], "zhao-spec", 2).len(), 1);
        assert!(few_dependencies(&[three()], "zhao", 2).is_empty());
    }

    #[test]
    fn impure_dependencies_are_found_except_in_tests() {
        let rand = |name: &str, section: &str| {
            pure(&[manifest(
                name,
                &format!("[{section}]\nrand.workspace = true\n"),
            )])
            .len()
        };
        assert_eq!(rand("zhao-spec", "dependencies"), 1);
        assert_eq!(rand("zhao-verifier", "build-dependencies"), 1);
        assert_eq!(rand("zhao-spec", "dev-dependencies"), 0);
        assert_eq!(rand("zhao-issuer", "dependencies"), 0);
    }

    #[test]
    fn a_second_user_of_rocksdb_is_found() {
        let rocks = |name| manifest(name, "[dependencies]\nlibrocksdb-sys = \"1\"\n");
        let owners = ["zhao-ledger", "zhao-faults"];
        assert!(only_these_name(&[rocks("zhao-ledger")], "rocksdb", &owners).is_empty());
        assert_eq!(
            only_these_name(&[rocks("zhao")], "rocksdb", &owners).len(),
            1
        );
    }

    #[test]
    fn what_is_for_tests_is_found_where_the_product_would_have_it() {
        let found = |name: &str, text: &str| {
            only_in_tests(&[manifest(name, text)], &["zhao-faults"], "faults").len()
        };
        let faults = "zhao-faults.workspace = true\n";
        let feature = "zhao-ledger = { workspace = true, features = [\"faults\"] }\n";
        for line in [faults, feature] {
            assert_eq!(
                found("zhao-tests", &format!("[dev-dependencies]\n{line}")),
                0
            );
            for section in [
                "dependencies",
                "build-dependencies",
                "target.'cfg(unix)'.dependencies",
            ] {
                let text = format!("[{section}]\n{line}");
                assert_eq!(found("zhao", &text), 1, "{text}");
            }
        }
        assert_eq!(found("zhao-ledger", "[features]\nfaults = []\n"), 0);
        let default = "[features]\ndefault = [\"faults\"]\nfaults = []\n";
        assert_eq!(found("zhao-ledger", default), 1);
    }

    #[test]
    fn a_version_outside_the_workspace_is_found() {
        let head = "version.workspace = true\nedition.workspace = true\n\
                    rust-version.workspace = true\nlicense.workspace = true\n\
                    publish.workspace = true\n";
        let good = format!("{head}[lints]\nworkspace = true\n[dependencies]\na.workspace = true\n");
        assert_eq!(inherit(&[manifest("zhao", &good)]), Vec::<String>::new());
        assert_eq!(
            inherit(&[manifest(
                "zhao",
                &good.replace("a.workspace = true", "a = \"1\"")
            )])
            .len(),
            1
        );
        assert_eq!(inherit(&[manifest("zhao", head)]).len(), 1);
        assert_eq!(
            inherit(&[manifest("zhao", "lints.workspace = true\n")]).len(),
            6
        );
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let text = |line: &str| format!("[workspace.dependencies]\n{line}\n[profile.dev]\nx = 1\n");
        assert!(reasons(&text("a = \"1\" # the reason why")).is_empty());
        assert!(reasons(&text("# a comment\n\nzhao-spec = { path = \"spec\" }")).is_empty());
        assert_eq!(reasons(&text("a = \"1\"")).len(), 1);
        assert_eq!(reasons(&text("a = \"1\" #")).len(), 1);
        assert_eq!(reasons(&text("a = \"*\" # the reason why")).len(), 1);
        assert_eq!(
            reasons(&text("a = { git = \"x\" } # the reason why")).len(),
            1
        );
    }
}
