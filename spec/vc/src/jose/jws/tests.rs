//! Which key a `kid` asks for, and which types are the same.

use super::*;

#[test]
fn a_kid_alone_is_absolute() {
    for kid in ["did:key:z6Mk#z6Mk", "https://a.example/k", "h2+-.x:1"] {
        assert_eq!(absolute(kid, None).as_deref(), Ok(kid));
    }
    for kid in [
        "", "k", "#k", ":k", "2h:k", "-h:k", "a_b:k", "a b:k", "昭:k",
    ] {
        assert_eq!(
            absolute(kid, None).map_err(|e| e.code()),
            Err("jose-kid"),
            "{kid}"
        );
    }
    let iss = Some("did:example:a");
    assert_eq!(absolute("#k", iss).as_deref(), Ok("did:example:a#k"));
    assert_eq!(absolute("k", iss).as_deref(), Ok("k"));
}

#[test]
fn a_media_type_may_leave_application_out() {
    for same in [
        "vc+jwt",
        "VC+jwt",
        "application/vc+jwt",
        "Application/vc+JWT",
    ] {
        assert!(is_media_type(same, "vc+jwt"), "{same}");
    }
    for other in [
        "",
        "vc",
        "vc+jwt ",
        "application/",
        "text/vc+jwt",
        // As long as `application/`, and another word.
        "image/abcdefvc+jwt",
        "application/x/vc+jwt",
    ] {
        assert!(!is_media_type(other, "vc+jwt"), "{other}");
    }
}

#[test]
fn a_part_is_as_long_as_it_may_be() {
    assert_eq!(within("header", 8, 8), Ok(()));
    let long = within("header", 9, 8).map_err(|e| e.code());
    assert_eq!(long, Err("jose-too-long"));
}
