//! Every limit, met and passed by one.

use super::*;
use crate::sdjwt::conceal::conceal;
use crate::sdjwt::process::process;

/// A number with `depth` objects around it. The reader of texts lets none be deeper; disclosures in
/// disclosures may be.
fn nested(depth: usize) -> Foreign {
    let within = |value, _| Foreign::Object(vec![("x".to_owned(), value)]);
    (0..depth).fold(Foreign::Number(1.0), within)
}

fn hidden(claims: &Foreign, concealed: Concealed<'_>) -> Result<usize, &'static str> {
    conceal(claims, concealed, &mut counting())
        .map(|(_, disclosures)| disclosures.len())
        .map_err(|e| e.code())
}

const NOTHING: Concealed<'static> = Concealed {
    claims: &[],
    decoys: &[],
};

#[test]
fn a_disclosure_is_as_long_as_it_may_be() {
    // `["`, 22 characters of salt, `","` and `"]`.
    let value = |more: usize| Foreign::Text("x".repeat(DISCLOSURE_BYTES - 29 + more));
    let longest = Disclosure::make(None, value(0), [1; 16]).unwrap();
    assert_eq!(longest.text().len(), DISCLOSURE_BYTES.div_ceil(3) * 4 - 2);
    assert_eq!(Disclosure::parse(longest.text()), Ok(longest));
    let code = |found: Result<Disclosure, SdJwtError>| found.unwrap_err().code();
    assert_eq!(
        code(Disclosure::make(None, value(1), [1; 16])),
        "sd-jwt-too-long"
    );
    let long = "A".repeat(DISCLOSURE_BYTES.div_ceil(3) * 4);
    assert_eq!(code(Disclosure::parse(&long)), "sd-jwt-too-long");
}

#[test]
fn a_text_is_as_long_as_it_may_be() {
    let parsed = |bytes: usize| {
        let text = format!("{}~", "a".repeat(bytes - 1));
        SdJwt::parse(&text).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(parsed(SD_JWT_BYTES), Ok(()));
    assert_eq!(parsed(SD_JWT_BYTES + 1), Err("sd-jwt-too-long"));
}

#[test]
fn as_many_disclosures_as_there_may_be() {
    let text = |count: usize| format!("a.b.c~{}", "WyIiLDFd~".repeat(count));
    let (read, _) = SdJwt::parse(&text(DISCLOSURES)).unwrap();
    assert_eq!(read.disclosures().len(), DISCLOSURES);
    let refused = SdJwt::parse(&text(DISCLOSURES + 1)).unwrap_err();
    assert_eq!(refused.code(), "sd-jwt-limit");
    let conceal = |count: usize| {
        let claims = &vec!["/x"; count][..];
        hidden(&nested(1), Concealed { claims, ..NOTHING })
    };
    assert_eq!(conceal(1), Ok(1));
    // Counted before any is looked for.
    assert_eq!(conceal(DISCLOSURES), Err("sd-jwt-place"));
    assert_eq!(conceal(DISCLOSURES + 1), Err("sd-jwt-limit"));
}

#[test]
fn as_many_digests_as_there_may_be() {
    let payload = |count: usize| {
        let digests: Vec<String> = (0..count).map(|at| at.to_string()).collect();
        foreign(&json!({ "_sd": digests }))
    };
    assert!(process(&payload(DIGESTS), &[]).is_ok());
    let refused = process(&payload(DIGESTS + 1), &[]).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "sd-jwt-limit");
    let decoys = |count: usize| {
        let decoys = &[("", count)][..];
        let claims = &["/x"][..];
        hidden(&nested(1), Concealed { claims, decoys })
    };
    assert_eq!(decoys(DIGESTS - 1), Ok(1));
    assert_eq!(decoys(DIGESTS), Err("sd-jwt-limit"));
}

#[test]
fn claims_are_as_deep_as_they_may_be() {
    assert_eq!(hidden(&nested(DEPTH), NOTHING), Ok(0));
    assert_eq!(hidden(&nested(DEPTH + 1), NOTHING), Err("sd-jwt-depth"));
    assert!(process(&nested(DEPTH), &[]).is_ok());
    let refused = process(&nested(DEPTH + 1), &[]).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "sd-jwt-depth");
    let at = |depth: usize| {
        let place = "/x".repeat(depth);
        let claims = &[place.as_str()][..];
        hidden(&nested(DEPTH), Concealed { claims, ..NOTHING })
    };
    assert_eq!(at(DEPTH), Ok(1));
    assert_eq!(at(DEPTH + 1), Err("sd-jwt-depth"));
}

#[test]
fn a_key_binding_is_as_old_as_it_may_be() {
    let shown = |age: u64| {
        let at = UnixMillis(AT.0 - age);
        let text = issued().bind(ASKED, at, Algorithm::EdDsa, &holder());
        verify(&text.unwrap(), &[VCT], REQUIRED, &policy(), &DidKey)
            .map(|shown| shown.holder())
            .map_err(|e| e.code())
    };
    // What was asked for and the skew of the clocks, 300 and 60 seconds.
    assert_eq!(shown(360_000), Ok(Some(holder().public())));
    assert_eq!(shown(361_000), Err("sd-jwt-binding-old"));
}
