//! Witnesses and mirrors in processes of their own: who cosigns what, who is caught, and what a
//! copy is worth.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use support::server::{self, Server, key, serve, start};
use support::{food, office, zhao};

/// The line of a policy that begins with these words.
fn line(dir: &Path, file: &str, begins: &str) -> String {
    let text = std::fs::read_to_string(dir.join(file)).unwrap();
    let found = text.lines().find(|line| line.starts_with(begins));
    found
        .unwrap_or_else(|| panic!("no {begins} in {text}"))
        .to_owned()
}

/// The second item of the office's `log` line.
fn log_key(dir: &Path) -> String {
    let line = line(dir, "office/policy.txt", "log ");
    line.split(' ').nth(1).unwrap().to_owned()
}

/// A witness in `dir/name` that watches the office's log; its key.
fn witness(dir: &Path, name: &str) -> String {
    let log = log_key(dir);
    let full = format!("{name}.example");
    let made = zhao(
        dir,
        &["witness", "init", name, "--name", &full, "--log", &log],
    );
    made.code(0).stdout.trim().to_owned()
}

fn serve_witness(dir: &Path, name: &str, listen: &str) -> Server {
    start(dir, &["witness", "serve", name, "--listen", listen])
}

/// Has the office publish under `quorum` of these witnesses, each a key and a URL, and no other.
fn publish_under(dir: &Path, quorum: usize, witnesses: &[(String, String)]) {
    let mut policy = format!("log {}\n", log_key(dir));
    let mut members = String::new();
    for (n, (key, url)) in witnesses.iter().enumerate() {
        writeln!(policy, "witness w{n} {key} {url}").unwrap();
        write!(members, " w{n}").unwrap();
    }
    writeln!(policy, "group g {quorum}{members}\nquorum g").unwrap();
    std::fs::write(dir.join("office/policy.txt"), policy).unwrap();
    let path = dir.join("office/trust.txt");
    let trust = std::fs::read_to_string(&path).unwrap();
    let kept = trust
        .lines()
        .filter(|line| !line.starts_with("local-witness"))
        .map(|line| format!("{line}\n"));
    std::fs::write(&path, kept.collect::<String>()).unwrap();
}

/// A witness that answers everything with the same false line.
fn liar(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 64 << 10];
            let length = stream.read(&mut bytes).unwrap_or(0);
            let get = bytes[..length].starts_with(b"GET");
            let text = match get {
                true => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
                false => answer.clone(),
            };
            let _ = stream.write_all(text.as_bytes());
        }
    });
    url
}

fn issue(server: &Server, key: &str, name: &str) -> server::Answer {
    server.post(key, "/v1/licences", &food(name))
}

fn size(note: &[u8]) -> u64 {
    let note = String::from_utf8_lossy(note);
    note.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn three_of_five_witnesses_are_enough_and_two_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let names = ["a", "b", "c", "d"];
    let mut keys: Vec<String> = names.iter().map(|name| witness(dir, name)).collect();
    let mut running: Vec<Option<Server>> = names
        .iter()
        .map(|name| Some(serve_witness(dir, name, "127.0.0.1:0")))
        .collect();
    let mut urls: Vec<String> = running
        .iter()
        .map(|server| server.as_ref().unwrap().url())
        .collect();
    // The fifth signs, but something else.
    keys.push(witness(dir, "e"));
    let name = keys[4].split('+').next().unwrap();
    let blob = "A".repeat(100);
    let body = format!("\u{2014} {name} {blob}\n");
    let length = body.len();
    urls.push(liar(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
    )));
    let witnesses: Vec<_> = keys.into_iter().zip(urls.clone()).collect();
    publish_under(dir, 3, &witnesses);
    let server = serve(dir, &["--answer-within", "1"]);

    // One lies, one is killed: the others are enough, and a stranger's policy is met.
    drop(running[3].take());
    let made = issue(&server, &admin, "示例餐馆").is(201).json();
    std::fs::write(dir.join("receipt.json"), made["receipt"].to_string()).unwrap();
    let verify = ["verify", "receipt.json", "--policy", "office/policy.txt"];
    zhao(dir, &verify).code(0);
    let before = size(&server.get("/checkpoint").is(200).body);

    // Two of five: nothing is published, and nothing lost.
    let address = running[2].as_ref().unwrap().address.to_string();
    drop(running[2].take());
    let waiting = issue(&server, &admin, "示例茶馆").is(202).json();
    assert_eq!(waiting["status"], "pending");
    assert_eq!(size(&server.get("/checkpoint").is(200).body), before);
    let path = format!(
        "/v1/licences/{}",
        waiting["licence"]["subject"].as_str().unwrap()
    );
    let state = || {
        let shown = server.get_with(&admin, &path).is(200).json();
        shown["licence"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "issuing");

    // The third comes back with its memory: what waited is published without being asked for.
    running[2] = Some(serve_witness(dir, "c", &address));
    while state() != "issued" {
        thread::yield_now();
    }
    assert!(size(&server.get("/checkpoint").is(200).body) > before);
    assert_eq!(server.stop().0, 0);

    // A witness's server ends as it should, and its directory is one process's.
    let held = zhao(dir, &["witness", "serve", "a", "--listen", "127.0.0.1:0"]);
    assert!(held.code(2).error().contains("another zhao process"));
    for server in running.into_iter().flatten() {
        assert_eq!(server.stop().0, 0);
    }
    // Without its memory it does not start: it would cosign another history.
    std::fs::remove_dir_all(dir.join("a/state")).unwrap();
    let forgot = zhao(dir, &["witness", "serve", "a", "--listen", "127.0.0.1:0"]);
    assert!(forgot.code(2).error().contains("memory is gone"));
}

#[test]
fn an_office_put_back_from_a_copy_is_stopped_by_witnesses_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let own = witness(dir, "a");
    let watching = serve_witness(dir, "a", "127.0.0.1:0");
    publish_under(dir, 1, &[(own, watching.url())]);
    let server = serve(dir, &[]);
    issue(&server, &admin, "示例餐馆").is(201);
    server.stop();
    let copied = std::process::Command::new("cp")
        .args(["-a", "office", "copy"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    let server = serve(dir, &[]);
    issue(&server, &admin, "示例茶馆").is(201);
    server.stop();
    // The copy has its own intent and its own local cosigners: only the witness knows better.
    let restored = zhao(dir, &["serve", "copy", "--listen", "127.0.0.1:0"]);
    let restored = restored.code(2);
    assert!(
        restored.error().contains("a.example"),
        "{}",
        restored.error()
    );
    watching.stop();
}

#[test]
fn a_witness_answers_with_the_status_that_fits() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    witness(dir, "a");
    let watching = serve_witness(dir, "a", "127.0.0.1:0");
    let note = || zhao(dir, &["cosign", "office"]).code(0).stdout;
    let add = |body: &str| watching.ask("POST", "/add-checkpoint", &[], body.as_bytes());
    let (first, second) = (note(), note());
    let (small, large) = (size(first.as_bytes()), size(second.as_bytes()));
    assert!(small < large);
    let origin = first.lines().next().unwrap();
    let hash = {
        let summed = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$0\" | sha256sum", origin])
            .output();
        let text = String::from_utf8(summed.unwrap().stdout).unwrap();
        text.split(' ').next().unwrap().to_owned()
    };
    let monitoring = format!("/{hash}/checkpoint");
    watching.get(&monitoring).is(404);

    add("").is(400);
    add(&format!("old x\n\n{first}")).is(400);
    add(&format!("old {}\n\n{first}", small + 1)).is(400);
    add(&format!("old 0\nAAAA\n\n{first}")).is(400);
    add(&format!("old 0\n\n{}", "x".repeat(200 << 10))).is(413);
    add(&format!(
        "old 0\n\n{}",
        first.replacen(origin, "other.example/log", 1)
    ))
    .is(404);
    add(&format!(
        "old 0\n\n{}",
        first.replacen(&format!("\n{small}\n"), "\n999\n", 1)
    ))
    .is(403);
    let hash32 = "A".repeat(43) + "=";
    add(&format!("old 0\n{hash32}\n\n{first}")).is(422);
    watching.get(&monitoring).is(404);

    let line = add(&format!("old 0\n\n{first}")).is(200);
    let line = String::from_utf8(line.body).unwrap();
    assert!(
        line.starts_with("\u{2014} a.example ") && line.ends_with('\n'),
        "{line}"
    );
    // Again with the size it was at: it has moved on, and says to where.
    let conflict = add(&format!("old 0\n\n{second}")).is(409);
    assert_eq!(conflict.header("content-type"), Some("text/x.tlog.size"));
    assert_eq!(conflict.body, format!("{small}\n").as_bytes());
    add(&format!("old {small}\n\n{first}")).is(200);
    add(&format!("old {small}\n{hash32}\n\n{second}")).is(422);
    let shown = watching.get(&monitoring).is(200);
    assert_eq!(size(&shown.body), small);
    assert!(String::from_utf8(shown.body).unwrap().contains("a.example"));
    watching.get("/add-checkpoint").is(405);
    watching.get("/00/checkpoint").is(404);
    watching.stop();
}

/// Every file of a log of this size, by path.
fn files(size: u64) -> Vec<String> {
    let last = size % 256;
    let mut paths = vec!["/checkpoint".to_owned()];
    assert!(size < 256, "the test's log is small");
    for kind in ["0", "entries"] {
        paths.push(format!("/tile/{kind}/000.p/{last}"));
        paths.push(format!("/tile/{kind}/000.p/1"));
    }
    paths
}

#[test]
fn a_mirror_is_the_log_and_catches_a_log_that_forks() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    issue(&server, &admin, "示例餐馆").is(201);

    // A copy needs to be told whom to believe, and of what log.
    let bare = zhao(dir, &["mirror", &server.url(), "m"]);
    assert!(bare.code(2).error().contains("policy"));
    let policy = ["--policy", "office/policy.txt"];
    let mirror = |url: &str, to: &str, more: &[&str]| {
        let mut all = vec!["mirror", url, to, "--json"];
        all.extend(more);
        let ran = zhao(dir, &all);
        let json: serde_json::Value = serde_json::from_str(ran.stdout.trim())
            .unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
        (ran.code, json)
    };
    let (code, first) = mirror(&server.url(), "m", &policy);
    assert_eq!((code, &first["state"]), (0, &"copied".into()), "{first}");
    let (code, again) = mirror(&server.url(), "m", &[]);
    assert_eq!((code, &again["new"]), (0, &0.into()), "{again}");

    // What it serves is what the log serves, and can be mirrored in its turn.
    let served = start(
        dir,
        &[
            "mirror",
            &server.url(),
            "m",
            "--listen",
            "127.0.0.1:0",
            "--every",
            "100ms",
        ],
    );
    issue(&server, &admin, "示例茶馆").is(201);
    let newest = server.get("/checkpoint").is(200).body;
    while served.get("/checkpoint").is(200).body != newest {
        thread::yield_now();
    }
    for path in files(size(&newest)) {
        let (ours, theirs) = (served.get(&path).is(200), server.get(&path).is(200));
        assert_eq!(ours.body, theirs.body, "{path}");
        assert_eq!(ours.header("access-control-allow-origin"), Some("*"));
    }
    for path in [
        "/tile/0/000",
        "/tile/0/001",
        "/tile/1/000.p/1",
        "/tile/entries/000",
    ] {
        served.get(path).is(404);
        server.get(path).is(404);
    }
    for path in [
        "/tile/0/0",
        "/tile/8/000",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/x",
    ] {
        server.get(path).is(400).problem("malformed");
    }
    let (code, second) = mirror(&served.url(), "of-mirror", &policy);
    assert_eq!((code, &second["state"]), (0, &"copied".into()), "{second}");
    served.stop();
    server.stop();

    // The operator, his local cosigners and a copy of everything: two histories under one key.
    let copied = std::process::Command::new("cp")
        .args(["-a", "office", "other"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    let there = serve(dir, &[]);
    issue(&there, &admin, "示例面馆").is(201);
    let (code, _) = mirror(&there.url(), "m", &[]);
    assert_eq!(code, 0);
    let here = start(dir, &["serve", "other", "--listen", "127.0.0.1:0"]);
    let caught = |rounds: usize, to: &str| {
        for n in 0..rounds {
            issue(&here, &admin, &format!("示例酒馆{n}")).is(201);
        }
        let (code, json) = mirror(&here.url(), to, &[]);
        assert_eq!((code, &json["state"]), (1, &"cheats".into()), "{json}");
        let file = json["evidence"][0].as_str().unwrap().to_owned();
        let verify = ["verify", &file, "--policy", "office/policy.txt"];
        zhao(dir, &verify).code(0);
    };
    // The other history is as long as the copy, then longer.
    caught(1, "m");
    caught(2, "m");
    // What was copied is still the history it was.
    let (code, json) = mirror(&there.url(), "m", &[]);
    assert_eq!((code, &json["state"]), (0, &"copied".into()), "{json}");
    there.stop();
    here.stop();
}

#[test]
fn a_head_without_its_quorum_is_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let (ours, theirs) = (witness(dir, "a"), witness(dir, "b"));
    let server = serve(dir, &[]);
    // The reader asks for more than the log has.
    let local = line(dir, "office/policy.txt", "witness ");
    let log = line(dir, "office/policy.txt", "log ");
    let name = local.split(' ').nth(1).unwrap();
    let text = format!(
        "{log}\n{local}\nwitness a {ours}\nwitness b {theirs}\ngroup g 2 {name} a b\nquorum g\n"
    );
    std::fs::create_dir(dir.join("strict")).unwrap();
    std::fs::write(dir.join("strict/policy.txt"), text).unwrap();
    std::fs::copy(dir.join("office/trust.txt"), dir.join("strict/trust.txt")).unwrap();
    let ran = zhao(
        dir,
        &[
            "mirror",
            &server.url(),
            "m",
            "--policy",
            "strict/policy.txt",
            "--json",
        ],
    );
    assert!(ran.code(3).stdout.contains("no_quorum"));
    server.stop();
}

#[test]
fn heads_are_signed_for_the_day_after_ed25519_where_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let log = log_key(dir);
    let init = [
        "witness",
        "init",
        "a",
        "--name",
        "a.example",
        "--log",
        &log,
        "--mldsa",
    ];
    let keys = zhao(dir, &init).code(0).stdout;
    let [own, other] = keys.lines().collect::<Vec<_>>()[..] else {
        panic!("two keys: {keys}");
    };
    let watching = serve_witness(dir, "a", "127.0.0.1:0");
    publish_under(dir, 1, &[(own.to_owned(), watching.url())]);
    let path = dir.join("office/zhao.toml");
    let plain = std::fs::read_to_string(&path).unwrap();
    let (head, tail) = plain.split_once("\nregion").unwrap();
    let with = |keys: &str| format!("{head}\nmldsa = true\nmldsa-keys = [{keys}]\nregion{tail}");
    std::fs::write(&path, with(&format!("\"{own}\""))).unwrap();
    let refused = zhao(dir, &["serve", "office", "--listen", "127.0.0.1:0"]).code(2);
    assert!(
        refused.error().contains("no ML-DSA-44 key"),
        "{}",
        refused.error()
    );
    std::fs::write(&path, with(&format!("\"{other}\""))).unwrap();
    let server = serve(dir, &[]);
    let made = issue(&server, &admin, "示例餐馆").is(201).json();
    // Log and witness, each with both kinds; whoever knows only Ed25519 takes no notice.
    let note = String::from_utf8(server.get("/checkpoint").is(200).body).unwrap();
    let lengths = note
        .lines()
        .filter_map(|line| line.strip_prefix("\u{2014} "));
    let mut lengths: Vec<usize> = lengths
        .map(|line| line.split(' ').nth(1).unwrap().len())
        .collect();
    lengths.sort_unstable();
    // 4 + 64, twice 4 + 8 + 64 (the local auditor's too), twice 4 + 8 + 2,420 bytes in base64.
    assert_eq!(lengths, [92, 104, 104, 3244, 3244]);
    std::fs::write(dir.join("receipt.json"), made["receipt"].to_string()).unwrap();
    let verify = ["verify", "receipt.json", "--policy", "office/policy.txt"];
    zhao(dir, &verify).code(0);
    let (_, said) = server.stop();
    let said = said
        .lines()
        .find(|line| line.contains("ML-DSA-44"))
        .unwrap()
        .to_owned();
    let log_key = said.rsplit(' ').next().unwrap();
    assert!(log_key.starts_with("zhao.example/"), "{said}");
    watching.stop();
}
