//! Rules over `spec/vectors/`: a folder of vectors has vectors, and each is readable.

use crate::tree::Tree;

pub(crate) fn not_empty(tree: &Tree) -> Vec<String> {
    let mut offences = Vec::new();
    let pages = tree.files.iter().filter_map(|file| {
        let stem = file.path.strip_prefix("spec/")?.strip_suffix(".md")?;
        (!stem.contains('/')).then_some(stem)
    });
    for stem in pages {
        let folder = format!("spec/vectors/{stem}");
        if !tree.has(&folder) {
            continue;
        }
        let inside = format!("{folder}/");
        let files: Vec<_> = tree
            .files
            .iter()
            .filter(|file| file.path.starts_with(&inside))
            .collect();
        if files.is_empty() {
            offences.push(format!(
                "{folder} holds no file: add vectors or remove the folder"
            ));
        }
        for file in files {
            if file.text.trim().is_empty() {
                offences.push(format!("{} is empty: add vectors or remove it", file.path));
            } else if file.path.ends_with(".json") {
                offences.extend(json(&file.path, &file.text));
            }
        }
    }
    offences
}

fn json(path: &str, text: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Err(error) => Some(format!(
            "{path} is not JSON ({error}): put a malformed text into a string of the vector"
        )),
        Ok(value) => {
            let empty = |list: &serde_json::Value| list.as_array().is_some_and(Vec::is_empty);
            (empty(&value) || value.get("cases").is_some_and(empty))
                .then(|| format!("{path} lists no case: add some or remove it"))
        }
    }
}

#[test]
fn folders_without_vectors_are_found() {
    let tree = |files: &[(&str, &str)]| {
        let mut all = vec![("spec/leaf.md", "# Leaf")];
        all.extend(files);
        Tree::of(&all)
    };
    assert!(not_empty(&tree(&[])).is_empty());
    assert!(not_empty(&tree(&[("spec/vectors/leaf/a.json", r#"{"cases":[1]}"#)])).is_empty());
    assert!(not_empty(&tree(&[("spec/vectors/leaf/a.txt", "x")])).is_empty());
    for bad in ["", " \n", "{", "[]", r#"{"cases":[]}"#] {
        let found = not_empty(&tree(&[("spec/vectors/leaf/a.json", bad)]));
        assert_eq!(found.len(), 1, "{bad:?}: {found:?}");
    }
    let mut folder = tree(&[]);
    folder.names.push("spec/vectors/leaf".to_owned());
    assert_eq!(not_empty(&folder).len(), 1);
}
