use serde_json::json;

use super::*;
use crate::log::checkpoint;
use crate::log::note::Vkey;
use crate::log::vectors;

#[test]
fn tlog_proof_vectors() {
    vectors::run("tlog-proof", |case| {
        let text = vectors::text(case, "proof");
        let proof = TlogProof::parse(text).map_err(|e| vectors::error(e.code()))?;
        assert_eq!(proof.format(), text);
        match vectors::text(case, "op") {
            "parse" => Ok(json!({
                "index": proof.index.to_string(),
                "hashes": proof.hashes.iter().map(Hash::to_base64).collect::<Vec<_>>(),
                "extra": proof.extra.as_deref().map(encode_base64),
                "checkpoint": proof.checkpoint,
            })),
            "check" => {
                let key = Vkey::parse(vectors::text(case, "vkey")).unwrap();
                let (checkpoint, _) = checkpoint::open(&proof.checkpoint, &key)
                    .map_err(|e| vectors::error(e.code()))?;
                let checked = proof.check(&vectors::hash(case, "leaf")?, &checkpoint);
                checked
                    .map(|()| json!(true))
                    .map_err(|e| vectors::error(e.code()))
            }
            other => panic!("unknown op {other}"),
        }
    });
}
