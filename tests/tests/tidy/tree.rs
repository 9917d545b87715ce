//! The files of the checkout, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &[
    ".git",
    "target",
    "node_modules",
    "__pycache__",
    "mutants.out",
];

/// One text file; `path` is relative to the root of the checkout, with `/`.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// A file that holds only tests: in a folder of tests, or `tests.rs` beside the code.
    pub(crate) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/').rev();
        let name = parts.next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with(".test.js")
            || name.ends_with(".test.mjs")
            || parts.any(|part| part == "tests" || part == "test" || part == "benches")
    }
}

/// The whole checkout: every UTF-8 file, sorted by path, and every folder.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<File>,
    /// Files and folders, whether text or not.
    pub(crate) names: Vec<String>,
}

impl Tree {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("tests/ lies in the checkout")
            .to_owned();
        let mut tree = Self {
            root: root.clone(),
            files: Vec::new(),
            names: Vec::new(),
        };
        tree.walk(&root, "");
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.names.sort();
        tree
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new(path, text))
            .collect();
        let mut names = Vec::new();
        for file in &files {
            let mut path = file.path.as_str();
            names.push(path.to_owned());
            while let Some((folder, _)) = path.rsplit_once('/') {
                names.push(folder.to_owned());
                path = folder;
            }
        }
        Self {
            root: PathBuf::new(),
            files,
            names,
        }
    }

    fn walk(&mut self, folder: &Path, prefix: &str) {
        let entries = fs::read_dir(folder).expect("the checkout can be read");
        for entry in entries {
            let entry = entry.expect("the checkout can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}/{name}")
            };
            let kind = entry.file_type().expect("the checkout can be read");
            if kind.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.names.push(path.clone());
                    self.walk(&entry.path(), &path);
                }
                continue;
            }
            self.names.push(path.clone());
            // Editors write and remove files while this runs: what is gone needs no check.
            if let Ok(bytes) = fs::read(entry.path())
                && let Ok(text) = String::from_utf8(bytes)
            {
                self.files.push(File { path, text });
            }
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The text of a file that must be there.
    pub(crate) fn text(&self, path: &str) -> String {
        self.find(path)
            .unwrap_or_else(|| panic!("{path} is missing"))
            .text
            .clone()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.names.iter().any(|name| name == path)
    }
}

#[test]
fn the_tree_holds_this_file_and_no_build_output() {
    let tree = Tree::read();
    assert!(tree.has("tests/tests/tidy/tree.rs"));
    assert!(tree.text("Cargo.toml").contains("[workspace]"));
    assert!(!tree.names.iter().any(|name| name.starts_with("target/")));
}

#[test]
fn test_files_are_told_apart() {
    for (path, expected) in [
        ("spec/src/log/tree.rs", false),
        ("spec/src/log/tree/tests.rs", true),
        ("tests/tests/tidy/main.rs", true),
        ("spec/tests/vectors.rs", true),
        ("verifier/js/verify.js", false),
        ("verifier/js/verify.test.js", true),
        ("verifier/js/test/all.js", true),
        ("ledger/src/contests.rs", false),
    ] {
        assert_eq!(File::new(path, "").is_test(), expected, "{path}");
    }
}
