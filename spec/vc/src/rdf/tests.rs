//! What is signed is all there is, or it is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use zhao_spec::wire::foreign::parse_foreign;

use super::*;

const V2: &str = "https://www.w3.org/ns/credentials/v2";

fn parse(text: &str) -> Foreign {
    parse_foreign(text.as_bytes()).unwrap()
}

/// A credential with more contexts and more members.
fn credential(contexts: &str, members: &str) -> Foreign {
    parse(&format!(
        r#"{{"@context": ["{V2}"{contexts}], "type": ["VerifiableCredential"],
             "issuer": "did:example:i", "credentialSubject": {{"id": "did:example:s"}}{members}}}"#
    ))
}

fn of(document: &Foreign) -> Result<String, RdfError> {
    canonical(document, &Contexts::standard())
}

fn code(contexts: &str, members: &str) -> &'static str {
    of(&credential(contexts, members)).unwrap_err().code()
}

#[test]
fn the_w3cs_documents_have_the_w3cs_canonical_form() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../vectors/rdf/w3c.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let document = parse(case["input"].as_str().unwrap());
        let expected = case["expect"]["ok"].as_str().unwrap();
        assert_eq!(of(&document).unwrap(), expected, "{}", case["name"]);
    }
}

/// What the suite on the data model wants refused, and only somebody who reads contexts can see.
const CONTEXTS: [(&str, &str); 4] = [
    ("credential-type-mapped-nonurl-fail", "rdf-address"),
    ("credential-type-unmapped-fail", "rdf-context-inline"),
    ("credential-redef-type2-fail", "rdf-syntax"),
    (
        "presentation with the context https://example.com",
        "rdf-context-unknown",
    ),
];

#[test]
fn the_suite_on_the_data_model_is_met_where_contexts_say_so() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../vectors/data-model/w3c.json")).unwrap();
    let (mut refused, mut accepted) = (Vec::new(), 0);
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if case["as"] == "envelope" || case["expect"]["ok"].is_null() {
            continue;
        }
        let checked = check(&parse(&case["document"].to_string()), &Contexts::standard());
        if case["needs"] == "rdf" {
            refused.push((name, checked.unwrap_err().code()));
        } else {
            assert_eq!(checked, Ok(()), "{name}");
            accepted += 1;
        }
    }
    assert_eq!(refused, CONTEXTS);
    assert!(accepted > 50, "{accepted}");
}

#[test]
fn a_licence_says_each_of_its_claims() {
    let document = parse(
        r#"{"@context": ["https://www.w3.org/ns/credentials/v2",
                         "https://zhao.example/ns/licence/v1"],
            "type": ["VerifiableCredential", "LicenceCredential"],
            "issuer": {"id": "did:example:i", "name": "示例局", "unit": "11320400DEM0001293"},
            "credentialSubject": {"type": "Licence", "holderName": "示例公司",
              "faceData": {"scope": "销售", "capital": 5000000, "small": true, "id": "x",
                           "nested": [1, {"a": []}]}}}"#,
    );
    let text = of(&document).unwrap();
    for part in ["示例公司", "示例局", "\\\"capital\\\":5000000", "#JSON"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn lists_and_sets_and_several_values_are_all_stated() {
    let document = credential(
        r#", {"steps": {"@id": "https://example.org/steps", "@container": "@list"},
              "tags": {"@id": "https://example.org/tags", "@container": "@set"}}"#,
        r#", "steps": ["a", "b", "a"], "tags": ["x", "y"],
            "name": [{"@value": "名", "@language": "zh-CN"}, {"@value": "n", "@language": "en"}]"#,
    );
    let text = of(&document).unwrap();
    assert!(text.contains("\"名\"@zh-cn"), "{text}");
    assert_eq!(text.matches("syntax-ns#first").count(), 3);
    let empty = credential(
        r#", {"steps": {"@id": "https://example.org/steps", "@container": "@list"}}"#,
        r#", "steps": []"#,
    );
    assert!(of(&empty).unwrap().contains("syntax-ns#nil"));
}

#[test]
fn lists_and_sets_may_be_written_out() {
    let of = |members: &str| of(&credential("", members)).unwrap();
    let set = of(r#", "name": {"@set": ["a", "b"]}"#);
    assert_eq!(set, of(r#", "name": ["a", "b"]"#));
    let list = of(r#", "name": {"@list": ["a", "b", "a"]}"#);
    assert_eq!(list.matches("syntax-ns#first").count(), 3);
    // In a list, every element counts by itself.
    let nested = of(r#", "name": {"@list": [{"@value": "a", "@language": "en"}, {"@set": []}]}"#);
    assert!(nested.contains("\"a\"@en"), "{nested}");
}

#[test]
fn a_context_in_the_document_may_add_terms() {
    let document = credential(
        r#", {"@version": 1.1, "@protected": true, "@propagate": true, "@language": "fr",
              "ex": {"@id": "https://example.org/", "@prefix": true},
              "mine": {"@id": "ex:mine", "@type": "ex:type", "@protected": true},
              "said": {"@id": "ex:said", "@language": "zh"},
              "at": {"@id": "ex:at", "@type": "@id"},
              "all": {"@id": "ex:all", "@container": "@graph"},
              "parts": {"@id": "ex:parts", "@container": "@list",
                        "@context": {"inner": "ex:inner"}}}, {"@vocab": "https://example.org/v#"}"#,
        r#", "mine": "a", "said": "b", "plain": "c", "at": "https://example.org/x", "ex:other": 2,
            "parts": [{"inner": 1}], "all": {"mine": "d"}, "@id": "did:example:c""#,
    );
    let text = of(&document).unwrap();
    for part in [
        "<https://example.org/mine> \"a\"^^<https://example.org/type>",
        "<https://example.org/said> \"b\"@zh",
        "<https://example.org/v#plain> \"c\"@fr",
        "<https://example.org/at> <https://example.org/x>",
        "<https://example.org/other> \"2\"",
        "<https://example.org/inner> \"1\"",
        "<did:example:c> <https://example.org/all>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_direction_is_signed() {
    let text = |direction: &str| {
        of(&credential(
            "",
            &format!(
                r#", "name": {{"@value": "n", "@language": "ar-EG", "@direction": "{direction}"}}"#
            ),
        ))
    };
    assert!(
        text("rtl")
            .unwrap()
            .contains("^^<https://www.w3.org/ns/i18n#ar-eg_rtl>")
    );
    assert_ne!(text("rtl"), text("ltr"));
    assert_eq!(text("up").unwrap_err().code(), "rdf-keyword");
    let twice = r#", "name": {"@value": 7, "@direction": "rtl", "@type": "x:y"}"#;
    assert_eq!(code("", twice), "rdf-keyword");
}

#[test]
fn what_no_context_defines_is_refused() {
    for members in [
        r#", "undefined": "x""#,
        r#", "evidence": {"type": "Unmapped"}"#,
        r#", "termsOfUse": {"type": "x:y", "inner": {"deep": 1}}"#,
    ] {
        assert_eq!(code("", members), "rdf-undefined", "{members}");
    }
    let nested = parse(
        r#"{"@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiablePresentation",
            "verifiableCredential": [{"type": "VerifiableCredential"}]}"#,
    );
    // A credential in a presentation begins with no context: without its own it says nothing.
    assert_eq!(of(&nested).unwrap_err().code(), "rdf-undefined");
    let bare = parse(r#"{"type": "VerifiableCredential"}"#);
    assert_eq!(of(&bare).unwrap_err().code(), "rdf-undefined");
}

#[test]
fn every_context_in_a_presentation_is_read() {
    let text = of(&parse(
        r#"{"@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiablePresentation",
            "verifiableCredential": [
              {"@context": ["https://www.w3.org/ns/credentials/v2",
                            "https://www.w3.org/ns/credentials/examples/v2"],
               "type": ["VerifiableCredential", "ExampleDegreeCredential"],
               "issuer": "did:example:i", "credentialSubject": {"id": "did:example:s"}}]}"#,
    ))
    .unwrap();
    assert!(text.contains("examples#ExampleDegreeCredential"), "{text}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for members in [
        r#", "id": "relative""#,
        r#", "id": """#,
        r#", "id": "https://example.org/a b""#,
        r#", "credentialStatus": {"id": "?x", "type": "x:y"}"#,
        r#", "issuer2": "x""#,
    ] {
        let error = code(
            r#", {"issuer2": {"@id": "https://example.org/i", "@type": "@id"}}"#,
            members,
        );
        assert_eq!(error, "rdf-address", "{members}");
    }
}

#[test]
fn what_a_processor_would_drop_is_refused() {
    assert_eq!(code("", r#", "name": null"#), "rdf-null");
    assert_eq!(code("", r#", "name": ["a", null]"#), "rdf-null");
    for name in [
        "@index",
        "@nest",
        "@reverse",
        "@included",
        "@graph",
        "@foo",
        "@json",
    ] {
        let members = format!(r#", "{name}": {{"a": "b"}}"#);
        assert_eq!(code("", &members), "rdf-keyword", "{name}");
    }
    assert_eq!(
        code("", r#", "id": "did:a:b", "@id": "did:c:d""#),
        "rdf-keyword"
    );
    let typed = r#", "name": {"@value": "a", "@type": "https://example.org/t"}"#;
    assert!(
        of(&credential("", typed))
            .unwrap()
            .contains("\"a\"^^<https://example.org/t>")
    );
    let json = r#", "name": {"@value": {"a": 1}, "@type": "@json"}"#;
    assert_eq!(code("", json), "rdf-keyword");
    // A credential that is a text: the graph it should be in has no room for one.
    let presentation = parse(
        r#"{"@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiablePresentation",
            "verifiableCredential": ["a text"]}"#,
    );
    assert_eq!(of(&presentation).unwrap_err().code(), "rdf-syntax");
}

#[test]
fn a_context_in_the_document_may_not_hide_anything() {
    for context in [
        "null",
        r#"{"hidden": null}"#,
        r#"{"hidden": {"@id": null}}"#,
        r#"{"@vocab": null}"#,
        r#"{"@base": "https://example.org/"}"#,
        r#"{"@import": "https://www.w3.org/ns/credentials/v2"}"#,
        r#"{"@direction": "rtl"}"#,
        r#"{"hidden": "@index"}"#,
        r#"{"hidden": "@nest"}"#,
        r#"{"hidden": "@id"}"#,
        r#"{"id": "@type"}"#,
        r#"{"hidden": {"@id": "https://example.org/h", "@container": "@index"}}"#,
        r#"{"hidden": {"@id": "https://example.org/h", "@container": "@language"}}"#,
        r#"{"hidden": {"@reverse": "https://example.org/h"}}"#,
        r#"{"hidden": {"@id": "https://example.org/h", "@nest": "x"}}"#,
        r#"{"hidden": {"@id": "https://example.org/h", "@context": null}}"#,
        r#"{"hidden": {"@id": "https://example.org/h", "@context": {"x": null}}}"#,
        "7",
        r#"["https://www.w3.org/ns/credentials/v2"]"#,
    ] {
        let error = code(&format!(", {context}"), r#", "name": "n""#);
        assert_eq!(error, "rdf-context-inline", "{context}");
    }
}

#[test]
fn a_context_in_the_document_may_not_redefine_a_term() {
    for context in [
        r#"{"name": "https://example.org/other"}"#,
        r#"{"issuer": "https://www.w3.org/2018/credentials#validFrom"}"#,
        r#"{"mine": {"@id": "https://example.org/m", "@context": {"issuer": "x:y"}}}"#,
        r#"{"VerifiableCredential": "https://example.org/NotOne"}"#,
    ] {
        let error = code(&format!(", {context}"), "");
        assert_eq!(error, "rdf-context-redefines", "{context}");
    }
    // The same definition once more changes nothing.
    let same = credential(
        r#", {"name": "https://schema.org/name"}"#,
        r#", "name": "n""#,
    );
    assert_eq!(of(&same), of(&credential("", r#", "name": "n""#)));
}

#[test]
fn no_context_is_fetched() {
    assert_eq!(
        code(r#", "https://example.org/context""#, ""),
        "rdf-context-unknown"
    );
    assert_eq!(code(r#", "relative""#, ""), "rdf-context-unknown");
    let own = r#"{"@context": {"mine": "https://example.org/mine"}}"#;
    let contexts = Contexts::standard()
        .with("https://example.org/context", own)
        .unwrap();
    let document = credential(r#", "https://example.org/context""#, r#", "mine": 1"#);
    assert!(canonical(&document, &contexts).is_ok());
    for (text, code) in [("{", "context-json"), ("{}", "context-shape")] {
        let error = contexts.with("https://example.org/c", text).unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_graph_made_to_be_slow_is_refused_soon() {
    // Every node is joined to every other: nothing tells them apart (RDFC-1.0 §7.1).
    let count = 8;
    let nodes: Vec<String> = (0..count)
        .map(|at| {
            let others: Vec<String> = (0..count)
                .filter(|other| *other != at)
                .map(|other| format!(r#"{{"@id": "_:n{other}"}}"#))
                .collect();
            format!(r#"{{"@id": "_:n{at}", "x:p": [{}]}}"#, others.join(","))
        })
        .collect();
    let subjects = format!(r#", "x:all": [{}]"#, nodes.join(","));
    assert_eq!(code("", &subjects), "rdf-poison");
}

/// A presentation of these credentials.
fn presentation(credentials: &[&str]) -> Foreign {
    parse(&format!(
        r#"{{"@context": ["{V2}"], "type": ["VerifiablePresentation"],
             "verifiableCredential": [{}]}}"#,
        credentials.join(",")
    ))
}

#[test]
fn what_is_presented_more_than_once_is_no_poison() {
    let proof = |value: &str| {
        format!(
            r#"{{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022",
                 "created": "2026-01-01T00:00:00Z", "expires": "2036-01-01T00:00:00Z",
                 "verificationMethod": "did:example:i#k", "proofPurpose": "assertionMethod",
                 "domain": "a.example", "challenge": "c", "proofValue": "{value}"}}"#
        )
    };
    let credential = |id: &str, subject: &str, proof: &str| {
        format!(
            r#"{{"@context": ["{V2}"], {id} "type": ["VerifiableCredential", "x:a", "x:b"],
                 "issuer": "did:example:i", "name": "n", "description": "d",
                 "validFrom": "2026-01-01T00:00:00Z",
                 "evidence": [{{"type": ["x:e", "x:f"]}}, {{"type": ["x:e", "x:f"]}}],
                 "credentialSubject": {{{subject} "type": ["x:s", "x:t"], "name": "n"}},
                 "proof": {proof}}}"#
        )
    };
    let set = format!("[{}, {}]", proof("z1"), proof("z2"));
    for id in [r#""id": "urn:uuid:1","#, ""] {
        for subject in [r#""id": "did:example:s","#, ""] {
            for proofs in [&*proof("z1"), &set] {
                let one = credential(id, subject, proofs);
                for copies in [2, 3, 16, 64] {
                    let text = of(&presentation(&vec![&*one; copies])).unwrap();
                    assert_eq!(text.matches("#verifiableCredential>").count(), copies);
                }
                // Ids that are shared by credentials that are not the same.
                let other = one.replace(r#""name": "n","#, r#""name": "m","#);
                assert_ne!(one, other);
                let text = of(&presentation(&[&one, &other, &one, &other])).unwrap();
                assert_eq!(
                    text,
                    of(&presentation(&[&other, &other, &one, &one])).unwrap()
                );
            }
        }
    }
}

#[test]
fn blank_nodes_are_told_apart() {
    let document = |first: &str, second: &str| {
        credential(
            "",
            &format!(
                r#", "evidence": [{{"type": "x:{first}", "x:p": {{"x:q": 1}}}},
                                  {{"type": "x:{second}"}}]"#
            ),
        )
    };
    assert_eq!(of(&document("a", "b")), of(&document("a", "b")));
    assert_ne!(of(&document("a", "b")), of(&document("b", "a")));
}

#[test]
fn a_slice_of_a_context_means_what_the_whole_does() {
    // Every term of the licence context, with a prefix and a scoped term as well.
    let contexts = Contexts::standard();
    let whole = statements_of(&contexts, false);
    assert_eq!(statements_of(&contexts, true), whole);
}

#[test]
fn a_slice_has_what_the_words_need_and_no_more() {
    let definitions = parse(
        r#"{"@version": 1.1, "x": "https://example.org/", "y": "https://example.com/", "a": "y:a",
            "b": {"@id": "x:b", "odd": {"d": 1},
                  "@context": {"c": "https://c.example/", "d": "https://d.example/"}},
            "z": "https://example.net/"}"#,
    );
    let Foreign::Object(definitions) = definitions else {
        panic!("no object");
    };
    let of = |document: &str| {
        let document = parse(document);
        slice::slice(&definitions, &slice::Words::of(&document))
    };
    // As a name, a value, a prefix, in an array.
    let most = of(r#"{"b": [{"c": "z:1"}]}"#);
    let expected = parse(
        r#"{"@version": 1.1, "x": "https://example.org/", "y": "https://example.com/",
            "b": {"@id": "x:b", "odd": {"d": 1}, "@context": {"c": "https://c.example/"}},
            "z": "https://example.net/"}"#,
    );
    assert_eq!(most, expected);
    let least =
        parse(r#"{"@version": 1.1, "x": "https://example.org/", "y": "https://example.com/"}"#);
    assert_eq!(of("{}"), least);
    assert!(of(r#"{"n": ["a"]}"#).member("a").is_some());
}

/// The canonical form of a document, its contexts sliced or whole.
fn statements_of(contexts: &Contexts, slice: bool) -> String {
    let definitions = |url: &str| {
        let text = contexts.document(url).unwrap();
        parse(text).member("@context").unwrap().clone()
    };
    let document = credential(
        r#", "https://zhao.example/ns/licence/v1", "https://w3id.org/security/data-integrity/v2""#,
        r#", "credentialStatus": {"type": "ZhaoLedgerEntry", "origin": "log.example"},
            "evidence": {"type": "DataIntegrityProof", "cryptosuite": "x", "created": "y",
                         "proofPurpose": "assertionMethod"}"#,
    );
    if slice {
        return of(&document).unwrap();
    }
    let Foreign::Object(members) = document else {
        panic!("an object");
    };
    let inlined = members
        .into_iter()
        .map(|(name, value)| match (name.as_str(), &value) {
            ("@context", Foreign::Array(urls)) => {
                let all = urls.iter().map(|url| definitions(url.as_text().unwrap()));
                (name, Foreign::Array(all.collect()))
            }
            _ => (name, value),
        })
        .collect();
    let text = canonicalize(&Foreign::Object(inlined));
    let quads: Vec<_> = JsonLdParser::new()
        .for_slice(&text)
        .map(Result::unwrap)
        .collect();
    canon::canonical(&quads).unwrap()
}
