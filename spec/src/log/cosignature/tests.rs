use serde_json::json;

use super::*;
use crate::log::vectors;

#[test]
fn cosignature_vectors() {
    vectors::run("cosignature", |case| {
        let refused = |e: NoteError| vectors::error(e.code());
        let key = || Vkey::parse(vectors::text(case, "vkey")).unwrap();
        match vectors::text(case, "op") {
            "verify" => {
                let line = NoteSignature::parse(vectors::text(case, "line")).map_err(refused)?;
                let time = verify(&key(), &line, vectors::text(case, "body")).map_err(refused)?;
                Ok(json!(time.to_string()))
            }
            "cosign" => {
                let seed = vectors::bytes(case, "seed").try_into().unwrap();
                let secret = SecretKey::from_seed(seed);
                let name = vectors::text(case, "cosigner");
                let time = UnixSeconds(vectors::number(case, "time"));
                let line = cosign(&secret, name, time, vectors::text(case, "body"));
                Ok(json!(line.map_err(refused)?.line().trim_end()))
            }
            "newest" => {
                let note = SignedNote::parse(vectors::text(case, "note")).unwrap();
                let time = newest(&key(), &note).map_err(refused)?;
                Ok(json!(time.map(|time| time.to_string())))
            }
            other => panic!("unknown op {other}"),
        }
    });
}

#[test]
fn a_cosigner_signs_what_it_verifies() {
    let secret = SecretKey::from_seed([9; 32]);
    let key = Vkey::new("w.example", KeyKind::Cosignature, secret.public()).unwrap();
    let body = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let line = cosign(&secret, "w.example", UnixSeconds(5), body).unwrap();
    assert_eq!(verify(&key, &line, body), Ok(UnixSeconds(5)));
    assert_eq!(
        verify(&key, &line, "other\n").unwrap_err().code(),
        "bad_signature"
    );
}
