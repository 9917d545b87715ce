//! What comes from a server that is odd, gone, or says too much.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;
use crate::host::Host;
use crate::messages::{Language, Messages};

/// A server that answers every question with the next of these, and its URL.
fn serving(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with its last answer.
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let mut bytes = [0; 4096];
            let _ = stream.read(&mut bytes);
            let _ = stream.write_all(&answer);
        }
    });
    url
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    (head + body).into_bytes()
}

fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

fn asker(url: &str) -> Asker {
    Asker {
        web: Web::new(PATIENCE),
        url: url.to_owned(),
        key: None,
        stopwatch: Host::new().stopwatch(),
    }
}

const FIGURES: &str = "zhao_queue_events 3\n# EOF\n";

#[test]
fn an_answer_without_end_is_refused_before_it_is_in_memory() {
    // A hundred megabytes by its own word, and endless chunks.
    let mut long = b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n".to_vec();
    long.extend(vec![b'#'; 3 << 19]);
    let mut endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..24 {
        endless.extend(b"10000\r\n");
        endless.extend(vec![b'#'; 0x10000]);
        endless.extend(b"\r\n");
    }
    for answer in [long, endless] {
        let url = serving(vec![answer]);
        let error = asker(&url).look().unwrap_err();
        let url = format!("{url}/metrics");
        let limit = FIGURES_BYTES;
        assert_eq!(error, Trouble::Web(WebError::TooLong { url, limit }));
    }
}

#[test]
fn garbage_and_refusals_are_named() {
    let url = serving(vec![ok("<html>\n# EOF\n")]);
    let error = asker(&url).look().unwrap_err().to_string();
    assert_eq!(error, format!("{url}/metrics: line 1 is no figure"));
    let url = serving(vec![ok(FIGURES), ok("no checkpoint")]);
    let error = asker(&url).look().unwrap_err().to_string();
    assert_eq!(error, format!("{url}/checkpoint: not a checkpoint"));
    let said = |answer: &str| {
        let url = serving(vec![status(answer)]);
        let trouble = asker(&url).look().unwrap_err();
        not_begun(&trouble).lines(&Messages::new(Language::En)).1
    };
    assert!(said("401 Unauthorized").contains("--key-file"));
    assert!(said("403 Forbidden").contains("--key-file"));
    assert!(said("404 Not Found").contains("zhao serve"));
    assert!(said("500 Internal Server Error").contains("check the URL"));
}

#[test]
fn figures_without_a_checkpoint_are_shown() {
    let url = serving(vec![ok(FIGURES), status("503 Service Unavailable")]);
    let look = asker(&url).look().unwrap();
    assert_eq!(look.head, None);
    assert_eq!(look.figures.one("zhao_queue_events"), Some(3.0));
}

#[test]
fn a_server_that_is_gone_leaves_the_screen_and_says_since_when() {
    let url = serving(vec![ok(FIGURES), status("404 Not Found")]);
    let asker = asker(&url);
    let first = asker.look().unwrap();
    let session = Session::new(Host::new(), Messages::new(Language::En));
    let mut state = State::new(first.clone(), UnixMillis(1_790_000_000_000));
    let before = state.sight.clone();
    assert_eq!(state.away(&session), None);
    // Nobody listens there any more.
    let gone = || {
        Trouble::Web(WebError::Unreachable {
            url: url.clone(),
            problem: "gone".into(),
        })
    };
    state.take(Err(gone()), UnixMillis(1_790_000_010_000));
    state.take(Err(gone()), UnixMillis(1_790_000_090_000));
    assert_eq!((&state.sight, state.as_of.0), (&before, 1_790_000_000_000));
    let away = state.away(&session).unwrap();
    let since = show_time(UnixMillis(1_790_000_010_000));
    assert_eq!(away, format!("no answer since {since}: {url}: gone"));
    // It is back: no longer away, and the time between is one interval.
    let mut back = first;
    back.at += Duration::from_secs(100);
    state.take(Ok(back), UnixMillis(1_790_000_100_000));
    assert_eq!(state.away(&session), None);
    assert_eq!(state.sight.seconds, Some(100.0));
    assert_eq!(state.growth, [0]);
}
