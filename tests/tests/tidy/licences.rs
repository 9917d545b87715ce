//! Rules over the whole dependency tree, so that the daily run holds what `cargo deny` checks more
//! thoroughly in the longer one: every package from the registry, every licence allowed.

use std::path::Path;
use std::process::Command;

/// Packages that stand in the lock file with a source other than the one registry.
pub(crate) fn sources(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .expect("packages");
    let mut offences = Vec::new();
    for package in packages {
        let text = |key: &str| {
            package
                .get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
        };
        let (name, source) = (text("name"), text("source"));
        let ours = source.is_empty() && (name == "zhao" || name.starts_with("zhao-"));
        let registry = source.starts_with("registry+") && source.ends_with("/crates.io-index");
        if !ours && !registry {
            offences.push(format!(
                "Cargo.lock: {name} comes from {source:?}: take it from crates.io"
            ));
        }
        if registry && text("checksum").is_empty() {
            offences.push(format!(
                "Cargo.lock: {name} has no checksum: make the lock file anew"
            ));
        }
    }
    offences
}

/// What cargo says about every package that is built on this system.
pub(crate) fn metadata(root: &Path) -> serde_json::Value {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &host])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
}

pub(crate) fn allowed(deny: &str, metadata: &serde_json::Value) -> Vec<String> {
    let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
    let allow: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .expect("licenses.allow is a list")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let mut offences = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().unwrap_or_default();
        match package["license"].as_str() {
            None => offences.push(format!("{name} states no licence: do without it")),
            // The older spelling of a choice.
            Some(licence) if !permits(&licence.replace('/', " OR "), &allow) => offences.push(
                format!("{name} is under {licence}, which deny.toml does not allow: do without it"),
            ),
            Some(_) => {}
        }
    }
    offences
}

/// Whether an SPDX expression can be met by the allowed licences alone. `WITH` belongs to the
/// licence before it, `AND` binds closer than `OR`; what cannot be read is not allowed.
fn permits(expression: &str, allow: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let result = any(&mut words, allow);
    result == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allow: &[&str]) -> Option<bool> {
    let mut result = all(words, allow)?;
    while words.next_if_eq(&"OR").is_some() {
        result |= all(words, allow)?;
    }
    Some(result)
}

fn all(words: &mut Words<'_>, allow: &[&str]) -> Option<bool> {
    let mut result = single(words, allow)?;
    while words.next_if_eq(&"AND").is_some() {
        result &= single(words, allow)?;
    }
    Some(result)
}

fn single(words: &mut Words<'_>, allow: &[&str]) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let result = any(words, allow)?;
        return (words.next()? == ")").then_some(result);
    }
    let mut licence = word.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        licence = format!("{word} WITH {}", words.next()?);
    }
    Some(allow.contains(&licence.as_str()))
}

#[test]
fn expressions_are_judged() {
    let allow = ["MIT", "Apache-2.0", "Unicode-3.0"];
    for good in [
        "MIT",
        "MIT OR GPL-3.0-only",
        "GPL-3.0-only OR MIT AND Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(permits(good, &allow), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MIT AND (GPL-3.0-only OR AGPL-3.0-only)",
        "Apache-2.0 WITH LLVM-exception",
        "MIT MIT",
        "(MIT",
        "MIT OR",
        "OR",
    ] {
        assert!(!permits(bad, &allow), "{bad}");
    }
}

#[test]
fn packages_with_a_wrong_licence_are_found() {
    let deny = "[licenses]\nallow = [\"MIT\"]\n";
    let tree = |licence: &str| {
        let text = format!(r#"{{"packages":[{{"name":"a","license":{licence}}}]}}"#);
        allowed(deny, &serde_json::from_str(&text).expect("a sample"))
    };
    assert!(tree(r#""MIT""#).is_empty());
    assert!(tree(r#""GPL-2.0/MIT""#).is_empty());
    assert_eq!(tree(r#""GPL-2.0""#).len(), 1);
    assert_eq!(tree("null").len(), 1);
}

#[test]
fn packages_from_elsewhere_are_found() {
    let lock = |source: &str| sources(&format!("[[package]]\nname = \"a\"\n{source}\n"));
    let registry = "source = \"registry+x/crates.io-index\"\n";
    assert!(lock(&format!("{registry}checksum = \"00\"")).is_empty());
    assert_eq!(lock(registry).len(), 1);
    assert_eq!(lock("source = \"git+x\"\nchecksum = \"00\"").len(), 1);
    assert_eq!(
        lock("source = \"registry+elsewhere\"\nchecksum = \"00\"").len(),
        1
    );
    assert_eq!(lock("").len(), 1);
    assert!(sources("[[package]]\nname = \"zhao-spec\"\n").is_empty());
}
