//! The files of the checkout, as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::rust::{code_only, test_modules};

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
    /// A Rust file that its parent declares under `#[cfg(test)]`.
    pub(crate) under_test: bool,
}

impl File {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            under_test: false,
        }
    }

    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// A file that holds only tests: in a folder of tests or of what
    /// tests are made with (`kit`), `tests.rs` beside the code, or a module
    /// that exists only under test.
    pub(crate) fn is_test(&self) -> bool {
        if self.under_test {
            return true;
        }
        let mut parts = self.path.split('/').rev();
        let name = parts.next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with(".test.js")
            || name.ends_with(".test.mjs")
            || parts.any(|part| ["tests", "test", "benches", "kit"].contains(&part))
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
    /// The checkout this test was built in, read once.
    pub(crate) fn read() -> &'static Self {
        static TREE: OnceLock<Tree> = OnceLock::new();
        TREE.get_or_init(Self::read_afresh)
    }

    fn read_afresh() -> Self {
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
        tree.mark_test_modules();
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
        let mut tree = Self {
            root: PathBuf::new(),
            files,
            names,
        };
        tree.mark_test_modules();
        tree
    }

    /// Finds the files of modules that a Rust file declares under `#[cfg(test)]`.
    fn mark_test_modules(&mut self) {
        let mut modules = Vec::new();
        for file in self.files.iter().filter(|file| file.has_extension(&["rs"])) {
            let folder = match file.path.rsplit_once('/') {
                Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
                _ => file.path.trim_end_matches(".rs"),
            };
            for name in test_modules(&code_only(&file.text)) {
                modules.push(format!("{folder}/{name}"));
            }
        }
        for file in &mut self.files {
            file.under_test = modules.iter().any(|module| {
                file.path
                    .strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
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
                self.files.push(File {
                    path,
                    text,
                    under_test: false,
                });
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
        ("verifier/js/kit/world.mjs", true),
        ("ledger/src/contests.rs", false),
    ] {
        assert_eq!(File::new(path, "").is_test(), expected, "{path}");
    }
}

#[test]
fn modules_under_test_are_followed_to_their_files() {
    let tree = Tree::of(&[
        (
            "spec/src/wire/mod.rs",
            "mod a;\n#[cfg(test)]\npub(crate) mod vectors;\n",
        ),
        ("spec/src/wire/a.rs", "#[cfg(test)]\nmod cases;\n"),
        ("spec/src/wire/vectors.rs", ""),
        ("spec/src/wire/vectors/more.rs", ""),
        ("spec/src/wire/a/cases.rs", ""),
        ("spec/src/wire/cases.rs", ""),
    ]);
    let tests: Vec<&str> = tree
        .files
        .iter()
        .filter(|file| file.is_test())
        .map(|file| file.path.as_str())
        .collect();
    let expected = [
        "spec/src/wire/vectors.rs",
        "spec/src/wire/vectors/more.rs",
        "spec/src/wire/a/cases.rs",
    ];
    assert_eq!(tests, expected);
}
