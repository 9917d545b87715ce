use serde_json::json;

use super::*;
use crate::log::note::NoteSigner;
use crate::log::vectors;
use crate::wire::signature::SecretKey;

#[test]
fn checkpoint_vectors() {
    vectors::run("checkpoint", |case| {
        let opened = match vectors::text(case, "op") {
            "parse" => Checkpoint::parse(vectors::text(case, "body")),
            "open" => {
                let key = Vkey::parse(vectors::text(case, "vkey")).unwrap();
                open(vectors::text(case, "note"), &key).map(|(checkpoint, _)| checkpoint)
            }
            other => panic!("unknown op {other}"),
        };
        let checkpoint = opened.map_err(|e| vectors::error(e.code()))?;
        if let Some(body) = case["body"].as_str() {
            assert_eq!(checkpoint.body(), body);
        }
        let Checkpoint { origin, size, root } = checkpoint;
        Ok(json!({"origin": origin, "size": size.to_string(), "root": root.to_base64()}))
    });
}

#[test]
fn what_is_signed_can_be_opened() {
    let signer = NoteSigner::new("log.example", SecretKey::from_seed([7; 32])).unwrap();
    let checkpoint = Checkpoint {
        origin: "log.example".into(),
        size: TreeSize(0),
        root: empty_root(),
    };
    let mut note = checkpoint.to_note().unwrap();
    note.sign(&signer).unwrap();
    let (read, again) = open(&note.format(), signer.vkey()).unwrap();
    assert_eq!((read, again), (checkpoint.clone(), note));

    let wrong = Checkpoint {
        root: Hash([1; 32]),
        ..checkpoint.clone()
    };
    assert_eq!(wrong.to_note().unwrap_err(), CheckpointError::EmptyRoot);
    let wrong = Checkpoint {
        size: TreeSize(SIZE_LIMIT),
        ..checkpoint.clone()
    };
    assert_eq!(wrong.to_note().unwrap_err().code(), "tree_size_limit");
    let wrong = Checkpoint {
        origin: "two\nlines".into(),
        ..checkpoint
    };
    assert_eq!(wrong.to_note().unwrap_err().code(), "extension_line");
}
