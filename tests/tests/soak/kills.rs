//! A served registry that is killed while it works, again and again: whoever got an answer finds
//! what was answered, whoever got none asks again and gets it once, and no two heads contradict
//! each other.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use zhao_tests::dice::Dice;

use crate::http::{Ask, Line};
use crate::load::until;
use crate::{key, mirror, serve, zhao};

/// Who writes at the same time.
const WRITERS: u64 = 6;
/// Longest life of a server, milliseconds.
const LIFE: u64 = 900;

/// What the writers know: case number → subject, once it was answered.
#[derive(Default)]
struct Known {
    answered: BTreeMap<String, String>,
    /// Asked for, and not answered: to be asked for again.
    open: Vec<String>,
}

fn row(key: &str, reference: &str) -> Ask {
    let body = serde_json::json!({
        "type": "food-operation",
        "reference": reference,
        "holderCode": "91320402DEM0010172",
        "holderCodeType": "001",
        "holderName": "示例餐馆",
        "representative": "示例甲",
        "premises": "示例路1号",
        "businessForm": "catering",
        "operationItems": "热食类",
        "supervisor": "示例所",
    });
    Ask {
        method: "POST",
        path: "/v1/licences".to_owned(),
        key: Some(key.to_owned()),
        body: body.to_string(),
    }
}

/// Writes until the server is gone. What was open before comes first.
fn write(line: &mut Line, key: &str, next: &AtomicU64, known: &Mutex<Known>) {
    loop {
        let again = known.lock().unwrap().open.pop();
        let reference = again.unwrap_or_else(|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            format!("kill-{number}")
        });
        match line.ask(&row(key, &reference)) {
            Ok((200 | 201, body)) => {
                let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let subject = json["licence"]["subject"].as_str().unwrap().to_owned();
                let before = known
                    .lock()
                    .unwrap()
                    .answered
                    .insert(reference, subject.clone());
                // Asked again, it is the same licence.
                assert!(before.is_none_or(|before| before == subject));
            }
            Ok((202 | 429 | 503, _)) => known.lock().unwrap().open.push(reference),
            Ok((other, body)) => panic!("{other}: {}", String::from_utf8_lossy(&body)),
            Err(_) => {
                known.lock().unwrap().open.push(reference);
                return;
            }
        }
    }
}

/// Kills the server in `rounds` of its lives.
pub(crate) fn kills(rounds: u64, seed: u64) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    zhao(dir, &["init", "office", "--key-delay", "0s"]);
    let key = key(dir);
    let mut dice = Dice::new(seed);
    let (next, known) = (AtomicU64::new(0), Mutex::new(Known::default()));
    for round in 0..rounds {
        let (mut served, address) = serve(dir);
        if round % 10 == 0 {
            // It takes nothing that contradicts what it took before.
            mirror(dir, address);
        }
        let life = Duration::from_millis(dice.roll(LIFE));
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| write(&mut Line::new(address), &key, &next, &known));
            }
            until(Instant::now() + life);
            served.kill();
        });
    }
    // Everything that was asked for, in a life of its own.
    let (mut served, address) = serve(dir);
    let mut line = Line::new(address);
    loop {
        let open = known.lock().unwrap().open.pop();
        let Some(reference) = open else { break };
        let (status, body) = line.ask(&row(&key, &reference)).unwrap();
        assert!(
            matches!(status, 200 | 201),
            "{status}: {}",
            String::from_utf8_lossy(&body)
        );
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let subject = json["licence"]["subject"].as_str().unwrap().to_owned();
        known.lock().unwrap().answered.insert(reference, subject);
    }
    let answered = known.into_inner().unwrap().answered;
    assert_eq!(answered.len() as u64, next.load(Ordering::Relaxed));
    for subject in answered.values() {
        let ask = Ask {
            key: Some(key.clone()),
            ..Ask::get(format!("/v1/licences/{subject}"))
        };
        let (status, body) = line.ask(&ask).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status, &json["licence"]["state"]),
            (200, &"issued".into()),
            "{json}"
        );
    }
    // Each once: so many issued events has the log, for so many case numbers.
    let url = format!("http://{address}");
    let shown = zhao(dir, &["log", &url, "--from", "0", "--json"]);
    let issued = shown
        .lines()
        .filter(|line| line.contains("\"verb\":\"issued\""))
        .count();
    assert_eq!(issued, answered.len());
    mirror(dir, address);
    served.stop();
    let found = zhao(dir, &["fsck", "office", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["clean"], true, "{found}");
    println!("{rounds} lives, {} licences, each once", answered.len());
}
