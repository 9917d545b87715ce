use super::*;

#[test]
fn addresses_that_are_none_are_refused() {
    for url in [
        "",
        "http://",
        "https://a.example",
        "a.example:80",
        "http://a b",
        "http://a/b",
        "http://a\r\nX: y",
        "file:///x",
    ] {
        assert!(
            matches!(Client::tcp(url, None), Err(ClientError::Address { .. })),
            "{url}"
        );
    }
    for url in [
        "http://127.0.0.1:8080",
        "http://[::1]:8080/",
        "http://a.example",
    ] {
        Client::tcp(url, None).unwrap();
    }
}

#[test]
fn a_client_does_not_show_its_key() {
    let client = Client::tcp("http://a.example", Some("secret")).unwrap();
    assert!(!format!("{client:?}").contains("secret"));
}

#[test]
fn text_is_escaped_into_one_segment() {
    assert_eq!(
        escape("a/b?c=d&e#f g证"),
        "a%2Fb%3Fc%3Dd%26e%23f%20g%E8%AF%81"
    );
}
