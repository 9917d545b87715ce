use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn parse(value: &Value) -> Foreign {
    parse_foreign(&bytes(value)).unwrap()
}

#[test]
fn meets_the_known_cases() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../vectors/data-model/schema.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut conform, mut refused) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let (name, expect) = (&case["name"], &case["expect"]);
        let document = parse(&case["document"]);
        let result =
            Schema::parse(&bytes(&case["schema"])).and_then(|schema| schema.check(&document));
        match result {
            Ok(()) => {
                assert_eq!(expect["ok"], "conforms", "{name}");
                conform += 1;
            }
            Err(error) => {
                assert_eq!(expect["error"], error.code(), "{name}: {error}");
                if let SchemaError::Mismatch { path, keyword } = &error {
                    assert_eq!(expect["keyword"], *keyword, "{name}: {error}");
                    let path = path.replace("the document", "");
                    let expected = expect["path"].as_str().unwrap();
                    assert_eq!(
                        path,
                        expected.replace("the document", ""),
                        "{name}: {error}"
                    );
                }
                refused += 1;
            }
        }
    }
    assert!(conform > 100 && refused > 200, "{conform} {refused}");
}

#[test]
fn refuses_bytes_that_are_no_json() {
    for text in [&b""[..], b"{", b"\xff", br#"{"a":1,"a":1}"#, b"{} {}"] {
        assert_eq!(Schema::parse(text).unwrap_err().code(), "schema-json");
    }
}

/// A pointer would escape these characters; a name that has them is not referred to, though it is
/// there.
#[test]
fn refers_to_plain_names_only() {
    let with = |name: &str| {
        let reference = format!("#/$defs/{name}");
        Schema::parse(&bytes(
            &json!({"$schema": DIALECT, "$defs": {name: true}, "$ref": reference}),
        ))
    };
    assert!(with("plain name").is_ok());
    for name in ["a/b", "a~1b", "a%2Fb", "~", "%"] {
        let error = with(name).unwrap_err();
        assert_eq!(error.code(), "schema-reference", "{name}");
    }
}

#[test]
fn counts_are_whole_numbers_from_0() {
    let with = |count: &str| {
        let text = format!(r#"{{"$schema": "{DIALECT}", "minItems": {count}}}"#);
        Schema::parse(text.as_bytes())
    };
    for count in ["0", "1", "2.0", "1e3"] {
        assert!(with(count).is_ok(), "{count}");
    }
    for count in ["-1", "-0.5", "0.5", "1e300", "-1e300"] {
        let error = with(count).unwrap_err();
        assert_eq!(error.code(), "schema-value", "{count}");
    }
}

#[test]
fn bounds_the_parts_of_a_schema() {
    let with = |count: usize| {
        let parts = vec![json!(true); count];
        Schema::parse(&bytes(&json!({"$schema": DIALECT, "allOf": parts})))
    };
    assert!(with(PARTS - 1).is_ok());
    assert_eq!(
        with(PARTS).unwrap_err(),
        SchemaError::TooMany { limit: PARTS }
    );
}

#[test]
fn stops_after_so_many_steps() {
    // Each definition asks twice for the next: 2^64 steps, were they not counted.
    let mut defs = serde_json::Map::new();
    for at in 0..64 {
        let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
        defs.insert(format!("d{at}"), json!({"allOf": [next, next]}));
    }
    defs.insert("d64".to_owned(), json!(true));
    let schema = json!({"$schema": DIALECT, "$defs": defs, "$ref": "#/$defs/d0"});
    let schema = Schema::parse(&bytes(&schema)).unwrap();
    let error = schema.check(&Foreign::Null).unwrap_err();
    assert_eq!(error, SchemaError::Work { limit: STEPS });

    let slow = json!({"$schema": DIALECT, "items": {"pattern": "^a{0,1000}b$"}});
    let slow = Schema::parse(&bytes(&slow)).unwrap();
    let long = Foreign::Array(vec![Foreign::Text("a".repeat(60_000)); 40]);
    assert_eq!(slow.check(&long).unwrap_err().code(), "schema-work");
}

const ID: &str = "https://example.org/schema";

fn outcome(schema: &Value, parts: Value, subject: Value) -> Vec<(String, Conformity)> {
    let document = parse(&json!({
        "@context": [model::BASE_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": subject,
        "credentialSchema": parts,
    }));
    let credential = model::credential(&document).unwrap();
    let schemas = BTreeMap::from([(ID.to_owned(), Schema::parse(&bytes(schema)).unwrap())]);
    check_credential(&credential, &schemas)
        .into_iter()
        .map(|(id, conformity)| (id.to_owned(), conformity))
        .collect()
}

#[test]
fn judges_a_credential_under_each_of_its_schemas() {
    let schema = json!({
        "$schema": DIALECT,
        "properties": {"credentialSubject": {"required": ["email"]}},
    });
    let good = json!({"email": "a@example.org"});
    let one = json!({"id": ID, "type": "JsonSchema"});
    assert_eq!(
        outcome(&schema, one.clone(), good.clone()),
        [(ID.to_owned(), Conformity::Pass)]
    );
    let code = |conformity: &Conformity| match conformity {
        Conformity::Pass => "pass",
        Conformity::Fail(error) | Conformity::Undetermined(error) => error.code(),
    };
    let all = outcome(
        &schema,
        json!([
            one,
            {"id": "https://example.org/other", "type": "JsonSchema"},
            {"id": ID, "type": "JsonSchemaCredential"},
            {"id": ID, "type": ["JsonSchema", "Other"]},
            {"id": ID, "type": "JsonSchema", "digestSRI": "sha256-AAAA"},
        ]),
        json!({"name": "x"}),
    );
    let codes: Vec<_> = all.iter().map(|(_, conformity)| code(conformity)).collect();
    assert_eq!(
        codes,
        [
            "schema-mismatch",
            "schema-unknown",
            "schema-type",
            "schema-type",
            "schema-digest"
        ]
    );
    let failed: Vec<_> = all
        .iter()
        .map(|(_, conformity)| matches!(conformity, Conformity::Fail(_)))
        .collect();
    assert_eq!(failed, [true, false, false, false, true]);
    let Conformity::Fail(error) = &all[0].1 else {
        panic!("{all:?}");
    };
    assert_eq!(
        error.to_string(),
        "credentialSubject.email does not conform to the schema's required"
    );
}

#[test]
fn knows_the_schema_by_its_digest() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let schema = json!({"$schema": DIALECT});
    let hash = sha2::Sha384::digest(bytes(&schema));
    let digest = base64::engine::general_purpose::STANDARD.encode(hash);
    for (digest, pass) in [
        (format!("sha384-{digest}"), true),
        (format!("sha384-{}", digest.to_ascii_lowercase()), false),
    ] {
        let part = json!({"id": ID, "type": "JsonSchema", "digestSRI": digest});
        let all = outcome(&schema, part, json!({"a": 1}));
        assert_eq!(all[0].1 == Conformity::Pass, pass, "{all:?}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn const_takes_the_value_and_no_other(one in any_json(), other in any_json()) {
        let schema = Schema::parse(&bytes(&json!({"$schema": DIALECT, "const": one}))).unwrap();
        prop_assert_eq!(schema.check(&parse(&one)), Ok(()));
        prop_assert_eq!(schema.check(&parse(&other)).is_ok(), one == other);
    }

    #[test]
    fn not_turns_every_answer_round(value in any_json(), kind in 0usize..7) {
        let kinds = ["null", "boolean", "object", "array", "number", "integer", "string"];
        let plain = json!({"$schema": DIALECT, "type": kinds[kind]});
        let turned = json!({"$schema": DIALECT, "not": {"type": kinds[kind]}});
        let check = |schema: &Value| Schema::parse(&bytes(schema)).unwrap().check(&parse(&value));
        prop_assert_ne!(check(&plain).is_ok(), check(&turned).is_ok());
    }

    #[test]
    fn any_json_is_a_schema_or_an_error(mut value in any_json()) {
        if let Value::Object(members) = &mut value {
            members.insert("$schema".to_owned(), DIALECT.into());
        }
        if let Ok(schema) = Schema::parse(&bytes(&value)) {
            let _ = schema.check(&Foreign::Null);
        }
    }
}
