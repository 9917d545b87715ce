use serde_json::{Value, json};

use super::*;
use crate::log::vectors;

fn shown(trust: &Trust) -> Value {
    let administrator =
        |each: &Administrator| json!({"origin": each.origin, "genesis": each.genesis.to_base64()});
    let auditor = |each: &Auditor| json!({"name": each.name, "local": each.local});
    json!({
        "administrators": trust.administrators.iter().map(administrator).collect::<Vec<_>>(),
        "auditors": trust.auditors.iter().map(auditor).collect::<Vec<_>>(),
        "required": trust.required_auditors,
        "maxAge": trust.max_age,
        "maxLag": trust.max_lag,
        "packMaxAge": trust.pack_max_age,
        "skew": trust.skew,
        "inclusionBound": trust.inclusion_bound,
        "localWitnesses": trust.local_witnesses,
    })
}

#[test]
fn trust_vectors() {
    vectors::run("trust", |case| {
        let refused = |e: TrustError| (e.code().to_owned(), e.line);
        let trust = Trust::parse(vectors::text(case, "trust")).map_err(refused)?;
        match vectors::text(case, "op") {
            "parse" => Ok(shown(&trust)),
            "check-against" => {
                let policy = Policy::parse(vectors::text(case, "policy")).unwrap();
                trust
                    .check_against(&policy)
                    .map(|()| json!(true))
                    .map_err(refused)
            }
            "auditors-met" => {
                let keys = vectors::hashes(case, "keys")?;
                let keys: Vec<_> = keys
                    .iter()
                    .map(|key| PublicKey::from_bytes(&key.0).unwrap())
                    .collect();
                Ok(json!(trust.auditors_met(&keys)))
            }
            other => panic!("unknown op {other}"),
        }
    });
}

#[test]
fn what_is_asked_of_a_trust_file() {
    let text = "administrator a.example 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
                auditors none\nmax-age 1h\nmax-lag 1m\npack-max-age 1d\nskew 1s\n\
                inclusion-bound 2h\nlocal-witness w1\n";
    let trust = Trust::parse(text).unwrap();
    assert!(trust.genesis_of("a.example").is_some());
    assert_eq!(trust.genesis_of("b.example"), None);
    assert!(trust.is_local_witness("w1") && !trust.is_local_witness("w2"));
    let error = Trust::parse(&text.replace("1m", "soon")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "trust file line 4: not a duration: \"soon\""
    );
}
