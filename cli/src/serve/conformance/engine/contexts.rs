//! Contexts that only this mode reads: those of documents that suites send and nobody issues any
//! more. What they do not say here is undefined here, and refused.

use zhao_vc::context::Contexts;

/// Where the context of `Ed25519Signature2020` is published.
const ED25519_2020: &str = "https://w3id.org/security/suites/ed25519-2020/v1";
/// What that context says of a proof, without its keys.
const ED25519_2020_CONTEXT: &str = r#"{"@context": {"@protected": true, "id": "@id",
  "type": "@type",
  "proof": {"@id": "https://w3id.org/security#proof", "@type": "@id", "@container": "@graph"},
  "Ed25519Signature2020": {"@id": "https://w3id.org/security#Ed25519Signature2020", "@context": {
    "@protected": true, "id": "@id", "type": "@type",
    "challenge": "https://w3id.org/security#challenge",
    "created": {"@id": "http://purl.org/dc/terms/created",
      "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    "domain": "https://w3id.org/security#domain",
    "expires": {"@id": "https://w3id.org/security#expiration",
      "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    "nonce": "https://w3id.org/security#nonce",
    "proofPurpose": {"@id": "https://w3id.org/security#proofPurpose", "@type": "@vocab",
      "@context": {"@protected": true, "id": "@id", "type": "@type",
        "assertionMethod": {"@id": "https://w3id.org/security#assertionMethod", "@type": "@id",
          "@container": "@set"},
        "authentication": {"@id": "https://w3id.org/security#authenticationMethod",
          "@type": "@id", "@container": "@set"}}},
    "proofValue": {"@id": "https://w3id.org/security#proofValue",
      "@type": "https://w3id.org/security#multibase"},
    "verificationMethod": {"@id": "https://w3id.org/security#verificationMethod",
      "@type": "@id"}}}}}"#;

/// Where the examples of version 1.1 have their terms, which the suites of VC-API still issue.
const EXAMPLES_V1: &str = "https://www.w3.org/2018/credentials/examples/v1";
/// Those terms; not those of the vocabulary of rights that it names besides.
const EXAMPLES_V1_CONTEXT: &str = r#"{"@context": {"@version": 1.1,
  "ex": "https://example.org/examples#", "schema": "http://schema.org/",
  "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
  "3rdPartyCorrelation": "ex:3rdPartyCorrelation", "AllVerifiers": "ex:AllVerifiers",
  "AlumniCredential": "ex:AlumniCredential", "Archival": "ex:Archival",
  "BachelorDegree": "ex:BachelorDegree", "Child": "ex:Child",
  "CLCredentialDefinition2019": "ex:CLCredentialDefinition2019",
  "CLSignature2019": "ex:CLSignature2019", "DisputeCredential": "ex:DisputeCredential",
  "HolderPolicy": "ex:HolderPolicy", "IssuerPolicy": "ex:IssuerPolicy", "Mother": "ex:Mother",
  "PrescriptionCredential": "ex:PrescriptionCredential",
  "RelationshipCredential": "ex:RelationshipCredential",
  "UniversityDegreeCredential": "ex:UniversityDegreeCredential",
  "ZkpExampleSchema2018": "ex:ZkpExampleSchema2018",
  "alumniOf": {"@id": "schema:alumniOf", "@type": "rdf:HTML"},
  "attributes": "ex:attributes", "child": {"@id": "ex:child", "@type": "@id"},
  "college": "ex:college", "currentStatus": "ex:currentStatus", "degree": "ex:degree",
  "degreeSchool": "ex:degreeSchool", "degreeType": "ex:degreeType",
  "documentPresence": "ex:documentPresence", "evidenceDocument": "ex:evidenceDocument",
  "familyName": "schema:familyName", "givenName": "schema:givenName",
  "issuerData": "ex:issuerData", "name": {"@id": "schema:name", "@type": "rdf:HTML"},
  "nonRevocationProof": "ex:nonRevocationProof", "parent": {"@id": "ex:parent", "@type": "@id"},
  "prescription": "ex:prescription", "primaryProof": "ex:primaryProof",
  "referenceId": "ex:referenceId", "signature": "ex:signature",
  "signatureCorrectnessProof": "ex:signatureCorrectnessProof", "spouse": "schema:spouse",
  "statusReason": "ex:statusReason", "subjectPresence": "ex:subjectPresence",
  "verifier": {"@id": "ex:verifier", "@type": "@id"}}}"#;

/// The contexts that everybody has, and these.
pub(super) fn contexts() -> Contexts {
    let more = [
        (ED25519_2020, ED25519_2020_CONTEXT),
        (EXAMPLES_V1, EXAMPLES_V1_CONTEXT),
    ];
    more.into_iter()
        .fold(Contexts::standard(), |all, (url, text)| {
            all.with(url, text).expect("the contexts above are some")
        })
}
