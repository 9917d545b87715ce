use serde_json::json;

use super::*;
use crate::log::vectors;
use crate::wire::signature::SecretKey;

#[test]
fn note_vectors() {
    let hex = |id: KeyId| id.to_string();
    vectors::run("note", |case| match vectors::text(case, "op") {
        "vkey" => {
            let text = vectors::text(case, "vkey");
            let key = Vkey::parse(text).map_err(|e| vectors::error(e.code()))?;
            assert_eq!(key.format(), text);
            Ok(json!({"name": key.name(), "id": hex(key.id()), "type": key.kind().byte()}))
        }
        "parse" => {
            let text = vectors::text(case, "note");
            let note = SignedNote::parse(text).map_err(|e| vectors::error(e.code()))?;
            assert_eq!(note.format(), text);
            let lines = note.signatures().iter().map(|each| {
                let blob = encode_base64(&each.blob);
                json!({"name": each.name, "id": hex(each.key_id), "blob": blob})
            });
            Ok(json!({"text": note.text(), "signatures": lines.collect::<Vec<_>>()}))
        }
        "verify" => {
            let key = Vkey::parse(vectors::text(case, "vkey")).unwrap();
            let note = SignedNote::parse(vectors::text(case, "note")).unwrap();
            let verified = note.verify(&key);
            verified
                .map(|()| json!(true))
                .map_err(|e| vectors::error(e.code()))
        }
        other => panic!("unknown op {other}"),
    });
}

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, SecretKey::from_seed([seed; 32])).unwrap()
}

#[test]
fn signing_and_opening() {
    let (a, b) = (signer("a.example", 1), signer("b.example", 2));
    let mut note = SignedNote::new("text\n").unwrap();
    assert_eq!(
        note.verify(a.vkey()),
        Err(NoteError::NotSigned {
            name: "a.example".into()
        })
    );
    note.sign(&a).unwrap();
    note.sign(&b).unwrap();
    note.sign(&a).unwrap();
    assert_eq!(note.signatures().len(), 2, "the same line is kept once");
    let read = SignedNote::parse(&note.format()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.verify(a.vkey()), Ok(()));
    assert_eq!(read.verify(b.vkey()), Ok(()));
    let stranger = signer("a.example", 3);
    assert_eq!(
        read.verify(stranger.vkey()).unwrap_err().code(),
        "not_signed"
    );
}

#[test]
fn texts_that_cannot_be_signed() {
    assert_eq!(SignedNote::new(""), Err(NoteError::TextNotEnded));
    assert_eq!(SignedNote::new("a"), Err(NoteError::TextNotEnded));
    let bad = NoteError::ControlCharacter { character: '\r' };
    assert_eq!(SignedNote::new("a\r\n"), Err(bad));
    let long = "a".repeat(NOTE_LIMIT) + "\n";
    assert_eq!(
        SignedNote::new(&long),
        Err(NoteError::SizeLimit {
            length: NOTE_LIMIT + 1
        })
    );
    let name = NoteSigner::new("a b", SecretKey::from_seed([1; 32])).err();
    assert_eq!(name, Some(VkeyError::Name { name: "a b".into() }));
}

#[test]
fn the_65th_signature_is_refused() {
    let mut note = SignedNote::new("text\n").unwrap();
    for byte in 0..64 {
        let blob = vec![byte];
        note.add(NoteSignature {
            name: "n".into(),
            key_id: KeyId([0; 4]),
            blob,
        })
        .unwrap();
    }
    assert_eq!(
        note.sign(&signer("a.example", 1)),
        Err(NoteError::SignatureLimit)
    );
}

#[test]
fn foreign_text_in_errors_is_short() {
    let error = Vkey::parse(&"x".repeat(5_000)).unwrap_err();
    assert!(error.to_string().len() < 100, "{error}");
}
