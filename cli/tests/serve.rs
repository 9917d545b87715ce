//! `zhao serve`: what it answers, what it refuses, and how it ends.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use support::server::{self, Server, key, serve};
use support::{food, office, zhao};

const HOLDER: &str = "91320400DEM000110X";
const OTHER: &str = "91320402DEM0010172";

/// An office, a server on it, and a key for everything.
fn started() -> (tempfile::TempDir, Server, String) {
    let dir = tempfile::tempdir().expect("a directory can be made");
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let server = serve(dir.path(), &[]);
    (dir, server, admin)
}

fn issue(server: &Server, key: &str, row: &str) -> Value {
    server.post(key, "/v1/licences", row).is(201).json()
}

fn write(dir: &std::path::Path, name: &str, value: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, value).expect("the directory is ours");
    path.display().to_string()
}

/// What `zhao verify` says of a file: the exit code.
fn verified(dir: &std::path::Path, file: &str, more: &[&str]) -> i32 {
    let mut all = vec!["verify", file, "--policy", "office/policy.txt"];
    all.extend(more);
    zhao(dir, &all).code
}

#[test]
fn a_licence_goes_through_its_life_over_http() {
    let (dir, server, admin) = started();
    server.get("/healthz").is(200);
    let ready = server.get("/readyz").is(200).json();
    assert_eq!(ready["status"], "ready");
    let note = server.get("/v1/checkpoint").is(200);
    assert!(
        String::from_utf8(note.body)
            .unwrap()
            .starts_with(ready["origin"].as_str().unwrap())
    );

    let made = issue(&server, &admin, &food("示例餐馆"));
    assert_eq!(made["status"], "issued");
    let subject = made["licence"]["subject"].as_str().unwrap().to_owned();
    let credential = made["credential"].to_string();
    let receipt = write(
        dir.path(),
        "receipt.json",
        made["receipt"].to_string().as_bytes(),
    );
    assert_eq!(verified(dir.path(), &receipt, &[]), 0);

    // The dossier of what was issued, in both forms.
    let dossier = server.ask(
        "POST",
        "/v1/dossiers",
        &[("Content-Type", "application/json")],
        credential.as_bytes(),
    );
    let file = write(dir.path(), "dossier.json", &dossier.is(200).body);
    assert_eq!(verified(dir.path(), &file, &[]), 0);
    let cbor = server.ask(
        "POST",
        "/v1/dossiers",
        &[
            ("Content-Type", "application/json"),
            ("Accept", "application/cbor"),
        ],
        credential.as_bytes(),
    );
    assert_eq!(cbor.header("content-type"), Some("application/cbor"));
    let pack = server.get("/v1/public/issuer-pack").is(200);
    let pack = write(dir.path(), "pack.json", &pack.body);
    let cbor = write(dir.path(), "dossier.cbor", &cbor.is(200).body);
    assert_eq!(verified(dir.path(), &cbor, &["--pack", &pack]), 0);

    // It is found exactly, and by no part.
    let number = made["licence"]["number"].as_str().unwrap();
    let find = |query: &str| {
        let path = format!("/v1/licences?{query}");
        server.get_with(&admin, &path).is(200).json()["licences"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(find(&format!("number={number}")), 1);
    assert_eq!(find(&format!("holder={HOLDER}")), 1);
    assert_eq!(find("name=%E7%A4%BA%E4%BE%8B%E9%A4%90%E9%A6%86"), 1);
    assert_eq!(find("name=%E7%A4%BA%E4%BE%8B"), 0);
    assert_eq!(find(&format!("holder={}", &HOLDER[..17])), 0);
    assert_eq!(find(""), 1);
    assert_eq!(find("after=1000000"), 0);

    // What befalls it: done once for each state that the caller has seen.
    let path = format!("/v1/licences/{subject}");
    let shown = server.get_with(&admin, &path).is(200);
    let tag = shown
        .header("etag")
        .expect("a licence has a tag")
        .to_owned();
    assert_eq!(shown.json()["licence"]["state"], "issued");
    let act = |verb: &str, tag: &str| {
        server.ask(
            "POST",
            &format!("{path}/acts"),
            &[
                ("Authorization", &format!("Bearer {admin}")),
                ("Content-Type", "application/json"),
                ("If-Match", tag),
            ],
            json!({"verb": verb, "reason": "复核"})
                .to_string()
                .as_bytes(),
        )
    };
    let done = act("pledge", &tag).is(200).json();
    assert_eq!(done["status"], "receipted");
    act("pledge", &tag).is(412).problem("precondition");
    act("pledge", "*").is(200);
    // Two are open now, so it must be said which ends.
    act("release-pledge", "*").is(422).problem("refused");
    let one = json!({"verb": "release-pledge", "reason": "已还清", "of": done["index"]});
    server
        .post(&admin, &format!("{path}/acts"), &one.to_string())
        .is(200);
    server
        .post(&admin, &format!("{path}/acts"), &one.to_string())
        .is(422)
        .problem("refused");

    let history = server
        .get(&format!("/v1/subjects/{subject}/history"))
        .is(200)
        .json();
    assert_eq!(history["entries"].as_array().unwrap().len(), 4);
    let event = history["entries"][1]["event"].to_string();
    let again = server.post(&admin, "/v1/events", &event).is(200).json();
    assert_eq!(again["answers"][0]["status"], "receipted");
    assert_eq!(again["answers"][0]["index"], history["entries"][1]["index"]);
    let id = again["answers"][0]["event"].as_str().unwrap();
    let receipt = server.get(&format!("/v1/receipts/{id}")).is(200).json();
    assert_eq!(receipt["index"], history["entries"][1]["index"]);

    let (code, stderr) = server.stop();
    assert_eq!(code, 0, "{stderr}");
    for word in ["示例餐馆", HOLDER, "复核", &admin, number] {
        assert!(!stderr.contains(word), "the log shows {word}:\n{stderr}");
    }
    // Nothing was lost, and the directory is free again.
    zhao(dir.path(), &["fsck", "office"]).code(0);
}

#[test]
fn sta_02_the_answer_to_a_change_carries_the_head_that_shows_it() {
    let (dir, server, admin) = started();
    let made = issue(&server, &admin, &food("示例餐馆"));
    let subject = made["licence"]["subject"].as_str().unwrap();
    let act = json!({"verb": "revoke", "reason": "撤销许可"}).to_string();
    let done = server.post(&admin, &format!("/v1/licences/{subject}/acts"), &act);
    let done = done.is(200).json();
    assert_eq!(done["standing"]["record"]["state"], "revoked");
    assert_eq!(done["standing"]["subject"], subject);
    // Whoever asks from now on gets that head or a later one: there is no time in between.
    let standing = server
        .get(&format!("/v1/subjects/{subject}"))
        .is(200)
        .json();
    assert_eq!(standing, done["standing"]);
    let dossier = server.ask(
        "POST",
        "/v1/dossiers",
        &[("Content-Type", "application/json")],
        made["credential"].to_string().as_bytes(),
    );
    let file = write(dir.path(), "dossier.json", &dossier.is(200).body);
    assert_eq!(verified(dir.path(), &file, &[]), 1);
}

#[test]
fn sta_10_a_superseded_licence_names_its_successor_to_those_who_may_know() {
    let (_dir, server, admin) = started();
    let made = issue(&server, &admin, &food("示例餐馆"));
    let subject = made["licence"]["subject"].as_str().unwrap();
    let path = format!("/v1/licences/{subject}/versions");
    let change =
        json!({"relation": "amended", "changes": {"premises": "示例路2号"}, "reason": "迁址"});
    let next = server
        .post(&admin, &path, &change.to_string())
        .is(201)
        .json();
    let shown = server
        .get_with(&admin, &format!("/v1/licences/{subject}"))
        .is(200)
        .json();
    assert_eq!(shown["standing"]["record"]["state"], "superseded");
    assert_eq!(
        shown["successor"]["identifier"],
        next["licence"]["identifier"]
    );
    // Nobody else learns more than that there is one.
    let public = server
        .get(&format!("/v1/subjects/{subject}"))
        .is(200)
        .json();
    let identifier = next["licence"]["identifier"].as_str().unwrap();
    assert!(!public.to_string().contains(identifier));
    server
        .get(&format!("/v1/licences/{subject}"))
        .is(401)
        .problem("unauthenticated");
    server
        .post(&admin, &path, &change.to_string())
        .is(422)
        .problem("refused");
    let unknown = change.to_string().replace("amended", "improved");
    server
        .post(&admin, &path, &unknown)
        .is(400)
        .problem("malformed");
    let field = change.to_string().replace("premises", "colour");
    server
        .post(&admin, &path, &field)
        .is(422)
        .problem("refused");
}

#[test]
fn sta_12_the_standing_of_a_past_day_is_answered_and_reproduced_offline() {
    let (dir, server, admin) = started();
    let made = issue(&server, &admin, &food("示例餐馆"));
    let subject = made["licence"]["subject"].as_str().unwrap();
    let head = |path: &str| server.get(path).is(200).json();
    let before = head(&format!("/v1/subjects/{subject}"));
    let time = before["head"]["epoch"]["time"].as_str().unwrap().to_owned();
    let act = json!({"verb": "revoke", "reason": "撤销许可"}).to_string();
    server
        .post(&admin, &format!("/v1/licences/{subject}/acts"), &act)
        .is(200);
    let now = head(&format!("/v1/subjects/{subject}"));
    assert_eq!(now["record"]["state"], "revoked");

    // As of then it was active, under the head of then; and the history ends there.
    let then = head(&format!("/v1/subjects/{subject}?at={time}"));
    assert_eq!(then, before);
    let history = head(&format!("/v1/subjects/{subject}/history?at={time}"));
    assert_eq!(history["entries"].as_array().unwrap().len(), 1);
    let credential = made["credential"].to_string();
    let dossier = server.ask(
        "POST",
        &format!("/v1/dossiers?at={time}"),
        &[("Content-Type", "application/json")],
        credential.as_bytes(),
    );
    let file = write(dir.path(), "then.json", &dossier.is(200).body);
    let (code, _) = server.stop();
    assert_eq!(code, 0);
    // Without server or log: the file alone, judged at that time and now.
    assert_eq!(verified(dir.path(), &file, &["--at", &time]), 0);

    let server = serve(dir.path(), &[]);
    let early = format!("/v1/subjects/{subject}?at=2001-01-01");
    server.get(&early).is(404).problem("not-found");
    for wrong in ["yesterday", "2999-01-01", "", "2026-13-01"] {
        let path = format!("/v1/subjects/{subject}?at={wrong}");
        server.get(&path).is(400).problem("malformed");
    }
}

#[test]
fn soc_04_the_public_finds_an_enterprise_by_its_whole_code_or_name_only() {
    let (dir, server, admin) = started();
    issue(&server, &admin, &food("示例餐馆"));
    let person = json!({
        "type": "practising-physician",
        "holderCode": "11010519491231002X",
    });
    // Whatever becomes of a row about a person: the public query never shows it.
    server.post(&admin, "/v1/licences", &person.to_string());

    let found = server
        .get(&format!("/v1/public/enterprises/{HOLDER}"))
        .is(200);
    assert_eq!(found.json()["items"].as_array().unwrap().len(), 1);
    let file = write(dir.path(), "answer.json", &found.body);
    assert_eq!(verified(dir.path(), &file, &[]), 0);

    // A code that nobody has is answered alike, with the proof that there is nothing.
    let nothing = server
        .get(&format!("/v1/public/enterprises/{OTHER}"))
        .is(200);
    let json = nothing.json();
    assert_eq!(json["items"], json!([]));
    let members = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(members(&json), members(&found.json()));
    let file = write(dir.path(), "nothing.json", &nothing.body);
    assert_eq!(verified(dir.path(), &file, &[]), 0);

    let named = |name: &str| server.get(&format!("/v1/public/enterprises?name={name}"));
    let whole = named("%E7%A4%BA%E4%BE%8B%E9%A4%90%E9%A6%86").is(200).json();
    assert_eq!(whole["answers"][0], found.json());
    for part in [
        "%E7%A4%BA%E4%BE%8B",
        "%E7%A4%BA%E4%BE%8B%E9%A4%90%25",
        "%25%25",
        "__",
    ] {
        assert_eq!(named(part).is(200).json()["answers"], json!([]), "{part}");
    }
    for part in [
        "",
        &HOLDER[..17],
        &HOLDER[..6],
        "9132*",
        "%25",
        "11010519491231002X",
    ] {
        let answer = server.get(&format!("/v1/public/enterprises/{part}"));
        assert!(
            matches!(answer.status, 400 | 404),
            "{part}: {}",
            answer.head
        );
    }
    named("").is(400).problem("malformed");
    server
        .get("/v1/public/enterprises")
        .is(400)
        .problem("malformed");
    server
        .get("/v1/public/enterprises?name=ab&limit=9")
        .is(400)
        .problem("malformed");
}

#[test]
fn soc_04_who_asks_too_often_is_told_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let server = serve(dir.path(), &["--public-rate", "3"]);
    let path = format!("/v1/public/enterprises/{OTHER}");
    for _ in 0..3 {
        server.get(&path).is(200);
    }
    let refused = server.get(&path).is(429).problem("busy");
    assert_eq!(refused.header("retry-after"), Some("2"));
    // Names count as codes do, other routes do not, and the owner is not counted.
    server.get("/v1/public/enterprises?name=ab").is(429);
    server.get("/healthz").is(200);
    server.ask_locally("GET", &path, b"").is(200);
}

#[test]
fn keys_open_what_their_scopes_say_and_nothing_once_they_are_void() {
    let (dir, server, admin) = started();
    let read = key(dir.path(), "read");
    let change = key(dir.path(), "change");
    let row = food("示例餐馆");
    server.get_with(&read, "/v1/licences").is(200);
    server
        .post(&read, "/v1/licences", &row)
        .is(403)
        .problem("forbidden");
    server
        .post(&change, "/v1/licences", &row)
        .is(403)
        .problem("forbidden");
    server
        .get_with(&change, "/v1/licences")
        .is(403)
        .problem("forbidden");
    server
        .post(&read, "/v1/events", "[]")
        .is(403)
        .problem("forbidden");
    server
        .get("/v1/licences")
        .is(401)
        .problem("unauthenticated");
    let (head, tail) = admin.split_at(admin.len() - 1);
    for wrong in [
        "",
        "x",
        head,
        &format!("{head}_"),
        &format!("{admin}{tail}"),
    ] {
        let refused = server.get_with(wrong, "/v1/licences").is(401);
        assert!(refused.header("www-authenticate").is_some());
    }
    let basic = [("Authorization", "Basic YTpi")];
    server
        .ask("GET", "/v1/licences", &basic, b"")
        .is(401)
        .problem("unauthenticated");
    let bearer = format!("Bearer {admin}");
    let twice = [("Authorization", &*bearer), ("Authorization", &*bearer)];
    server.ask("GET", "/v1/licences", &twice, b"").is(401);

    // Revoked while the server runs.
    let list = zhao(dir.path(), &["api-key", "office", "list", "--json"])
        .code(0)
        .stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    assert!(
        !list.to_string().contains(&admin[14..]),
        "the list shows a key"
    );
    assert_eq!(list[2]["name"], "read");
    zhao(dir.path(), &["api-key", "office", "revoke", "read"]).code(0);
    server
        .get_with(&read, "/v1/licences")
        .is(401)
        .problem("unauthenticated");
    zhao(dir.path(), &["api-key", "office", "revoke", "nobody"]).code(1);
    let brief = zhao(
        dir.path(),
        &[
            "api-key",
            "office",
            "add",
            "--name",
            "brief",
            "--scopes",
            "read",
            "--expires",
            "0s",
        ],
    );
    if brief.code == 0 {
        server
            .get_with(brief.stdout.trim(), "/v1/licences")
            .is(401)
            .problem("unauthenticated");
    }
}

#[test]
fn what_is_wrong_with_a_request_is_said_precisely() {
    let (_dir, server, admin) = started();
    let row = food("示例餐馆");
    let post = |path: &str, kind: &str, body: &[u8]| {
        let bearer = format!("Bearer {admin}");
        let headers = [("Authorization", &*bearer), ("Content-Type", kind)];
        server.ask("POST", path, &headers, body)
    };
    let json = "application/json";
    for (path, kind, body, status, problem) in [
        ("/v1/licences", json, "{", 400, "malformed"),
        ("/v1/licences", json, "[]", 400, "malformed"),
        ("/v1/licences", json, "", 400, "malformed"),
        (
            "/v1/licences",
            json,
            "{\"type\":\"food-operation\",\"type\":\"x\"}",
            400,
            "malformed",
        ),
        ("/v1/licences", json, "{},{}", 400, "malformed"),
        (
            "/v1/licences",
            json,
            "{\"type\":\"food-operation\"}",
            422,
            "refused",
        ),
        (
            "/v1/licences",
            json,
            "{\"type\":\"fishing\"}",
            422,
            "refused",
        ),
        ("/v1/licences", json, "{\"colour\":\"red\"}", 422, "refused"),
        ("/v1/licences", "text/plain", &row, 415, "media-type"),
        ("/v1/licences?unit=1", json, &row, 400, "malformed"),
        ("/v1/licences?colour=red", json, &row, 400, "malformed"),
        ("/v1/licences?type=fishing", json, &row, 400, "malformed"),
        ("/v1/licences/batch", json, "[1]", 200, ""),
        ("/v1/licences/batch", "image/png", "[]", 415, "media-type"),
        ("/v1/licences/batch", "text/csv", "", 400, "malformed"),
        ("/v1/licences/batch", "Text/CSV; x", " {}", 400, "malformed"),
        ("/v1/licences/batch", "text/csv", "[]", 400, "malformed"),
        ("/v1/licences/bulk", "text/csv", "\n{}", 400, "malformed"),
        ("/v1/events", json, "{}", 400, "malformed"),
        ("/v1/events", json, "[]", 400, "malformed"),
        ("/v1/events", json, "[{}]", 400, "malformed"),
        ("/v1/events", json, "[", 400, "malformed"),
        ("/v1/events", "text/plain", "[]", 415, "media-type"),
        ("/v1/dossiers", json, "{}", 400, "malformed"),
        ("/v1/dossiers?at=x", json, "{}", 400, "malformed"),
        (
            "/v1/licences/unknown/acts",
            json,
            "{\"verb\":\"revoke\",\"reason\":\"a\"}",
            404,
            "not-found",
        ),
        (
            "/v1/licences/unknown/acts",
            json,
            "{\"verb\":\"revoke\"}",
            400,
            "malformed",
        ),
        (
            "/v1/licences/unknown/acts",
            json,
            "{\"verb\":\"revoke\",\"reason\":\"a\",\"x\":1}",
            400,
            "malformed",
        ),
        ("/v1/healthz", json, "{}", 404, "not-found"),
        ("/v1/checkpoint", json, "{}", 405, "method"),
    ] {
        let answer = post(path, kind, body.as_bytes());
        assert_eq!(
            answer.status,
            status,
            "{path} {body}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        if status >= 400 {
            answer.problem(problem);
        }
    }
    let long = vec![b' '; (1 << 20) + 1];
    post("/v1/licences", json, &long)
        .is(413)
        .problem("too-large");
    let accept = [("Content-Type", json), ("Accept", "text/html")];
    server
        .ask("POST", "/v1/dossiers", &accept, b"{}")
        .is(406)
        .problem("not-acceptable");
    for path in ["/v1/subjects/x", "/v1/subjects/%ff", "/v1/receipts/AAAA"] {
        server.get(path).is(400).problem("malformed");
    }
    let nobody = "A".repeat(43);
    server
        .get(&format!("/v1/subjects/{nobody}"))
        .is(404)
        .problem("not-found");
    server
        .get(&format!("/v1/subjects/{nobody}/history"))
        .is(404)
        .problem("not-found");
    server
        .get(&format!("/v1/receipts/{nobody}"))
        .is(404)
        .problem("not-found");
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=-1",
        "number=a&name=b",
        "name=",
        "name=%0a",
    ] {
        let path = format!("/v1/licences?{query}");
        server.get_with(&admin, &path).is(400).problem("malformed");
    }
    // Nothing of all this was issued; and a row says everything that is wrong with it.
    let none = server.get_with(&admin, "/v1/licences").is(200).json();
    assert_eq!(none["licences"], serde_json::json!([]));
    let faults = post("/v1/licences", json, b"{\"type\":\"food-operation\"}").json();
    assert!(faults["faults"].as_array().unwrap().len() > 3, "{faults}");
}

#[test]
fn the_same_submission_twice_issues_one_licence() {
    let (_dir, server, admin) = started();
    let row = food("示例餐馆");
    let bearer = format!("Bearer {admin}");
    let headers = [
        ("Authorization", &*bearer),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "case-1"),
    ];
    let ask = || server.ask("POST", "/v1/licences", &headers, row.as_bytes());
    // At once, as a client does that lost patience.
    let both = std::thread::scope(|scope| {
        let one = scope.spawn(ask);
        let two = scope.spawn(ask);
        [one.join().unwrap(), two.join().unwrap()]
    });
    let mut codes = both.each_ref().map(|answer| answer.status);
    codes.sort_unstable();
    assert_eq!(codes, [200, 201]);
    assert_eq!(both[0].json()["licence"], both[1].json()["licence"]);
    let list = server.get_with(&admin, "/v1/licences").is(200).json();
    assert_eq!(list["licences"].as_array().unwrap().len(), 1);
    let bad = [headers[0], headers[1], ("Idempotency-Key", "")];
    server
        .ask("POST", "/v1/licences", &bad, row.as_bytes())
        .is(400)
        .problem("malformed");

    // A batch, twice.
    let rows = format!(
        "[{},{}]",
        food("甲店").replace('{', "{\"reference\":\"a\","),
        food("乙店").replace('{', "{\"reference\":\"b\","),
    );
    for status in ["issued", "repeated"] {
        let answer = server
            .post(&admin, "/v1/licences/batch", &rows)
            .is(200)
            .json();
        assert_eq!(answer["rows"][0]["status"], status);
        assert_eq!(answer["rows"][1]["status"], status);
    }
    let list = server
        .get_with(&admin, "/v1/licences?limit=2")
        .is(200)
        .json();
    assert_eq!(list["licences"].as_array().unwrap().len(), 2);
    let next = format!("/v1/licences?after={}", list["next"]);
    let rest = server.get_with(&admin, &next).is(200).json();
    assert_eq!(rest["licences"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], Value::Null);
}

#[test]
fn what_was_begun_is_finished_when_the_server_stops() {
    let (dir, server, admin) = started();
    let row = food("示例餐馆");
    let bearer = format!("Bearer {admin}");
    let headers = [
        ("Authorization", &*bearer),
        ("Content-Type", "application/json"),
    ];
    let bytes = server::request("POST", "/v1/licences", &headers, row.as_bytes());
    let (first, rest) = bytes.split_at(bytes.len() - 10);
    let mut stream = TcpStream::connect(server.address).unwrap();
    // The server has it, and waits for the rest of its body: it asked for it.
    let expecting = String::from_utf8(first.to_vec()).unwrap();
    let expecting = expecting.replace(
        "Connection: close\r\n",
        "Connection: close\r\nExpect: 100-continue\r\n",
    );
    let at = expecting.find("\r\n\r\n").unwrap() + 4;
    stream.write_all(&expecting.as_bytes()[..at]).unwrap();
    let mut go = [0; 25];
    stream.read_exact(&mut go).unwrap();
    assert!(go.starts_with(b"HTTP/1.1 100 Continue"));
    server.terminate();
    // It takes nothing new…
    while TcpStream::connect(server.address).is_ok() {
        std::thread::yield_now();
    }
    // …and finishes what it took.
    stream.write_all(&expecting.as_bytes()[at..]).unwrap();
    stream.write_all(rest).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let issued = server::parse(&answer).is(201).json();
    assert_eq!(issued["status"], "issued");
    let (code, stderr) = server.end();
    assert_eq!(code, 0, "{stderr}");
    assert!(!dir.path().join("office/zhao.sock").exists());
    let server = serve(dir.path(), &[]);
    let subject = issued["licence"]["subject"].as_str().unwrap();
    server.get(&format!("/v1/subjects/{subject}")).is(200);
}

#[test]
fn a_second_server_and_a_taken_port_are_refused() {
    let (dir, server, _) = started();
    let second = zhao(dir.path(), &["serve", "office", "--listen", "127.0.0.1:0"]).code(2);
    assert!(second.stderr.contains("office"), "{}", second.stderr);
    let other = tempfile::tempdir().unwrap();
    office(other.path());
    let address = server.address.to_string();
    let taken = zhao(other.path(), &["serve", "office", "--listen", &address]).code(2);
    assert!(taken.error().contains(&address), "{}", taken.stderr);
    zhao(other.path(), &["serve", "office", "--listen", "nowhere"]).code(2);
    zhao(other.path(), &["serve", "absent"]).code(2);
    let wrong = write(other.path(), "wrong.txt", b"wrong");
    zhao(
        other.path(),
        &["serve", "office", "--passphrase-file", &wrong],
    )
    .code(2);
}

#[test]
fn every_answer_says_what_browsers_must_not_do() {
    let (_dir, server, _) = started();
    for path in [
        "/",
        "/openapi.json",
        "/healthz",
        "/v1/checkpoint",
        "/nowhere",
    ] {
        let answer = server.get(path);
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|p| p.contains("default-src 'none'"))
        );
        assert!(answer.header("server").is_none());
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    let page = String::from_utf8(server.get("/").is(200).body).unwrap();
    assert!(page.contains("/v1/licences"));
    assert!(
        !page.contains("http"),
        "the page loads nothing from elsewhere"
    );
    let api = server.get("/openapi.json").is(200).json();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let locked = operation.get("security").is_some();
            let open = [
                "/v1/catalogue",
                "/v1/public/",
                "/v1/subjects",
                "/v1/receipts",
                "/v1/checkpoint",
                "/v1/dossiers",
            ];
            let office = path == "/metrics"
                || path.starts_with("/v1/") && !open.iter().any(|start| path.starts_with(start));
            assert_eq!(locked, office, "{method} {path}");
        }
    }
}

#[test]
fn commands_work_on_an_office_that_a_server_holds() {
    let (dir, server, admin) = started();
    let here = dir.path();
    let rows = format!("[{},{}]", food("甲店"), "{\"type\":\"food-operation\"}");
    write(here, "rows.json", rows.as_bytes());
    let issued = zhao(
        here,
        &["issue", "office", "--from", "rows.json", "-o", "out"],
    )
    .code(1);
    assert!(issued.stdout.contains('1'), "{}", issued.stdout);
    let report = std::fs::read_to_string(here.join("out/report.csv")).unwrap();
    assert_eq!(report.lines().count(), 3, "{report}");
    let credential = support::credentials(&here.join("out")).pop().unwrap();
    let credential = credential.display().to_string();

    let office = "office";
    let url = format!("http://{}", server.address);
    write(here, "key", admin.as_bytes());
    for (place, key) in [(office, None), (&*url, Some("key"))] {
        let run = |arguments: &[&str]| {
            let mut all = arguments.to_vec();
            if let Some(key) = key {
                all.extend(["--key-file", key]);
            }
            zhao(here, &all)
        };
        run(&[
            "status",
            place,
            &credential,
            "pledge",
            "--reason",
            "贷款",
            "--receipt",
            "r.json",
        ])
        .code(0);
        assert_eq!(verified(here, "r.json", &[]), 0);
        let index = serde_json::from_slice::<Value>(&std::fs::read(here.join("r.json")).unwrap());
        let index = index.unwrap()["index"].to_string();
        run(&["dossier", place, &credential, "-o", "d.json"]).code(0);
        assert_eq!(verified(here, "d.json", &[]), 0);
        run(&[
            "dossier",
            place,
            &credential,
            "-o",
            "d.cbor",
            "--format",
            "cbor",
        ])
        .code(0);
        run(&["history", place, &credential, "-o", "h.json"]).code(0);
        assert_eq!(verified(here, "h.json", &[]), 0);
        run(&["query", place, "--uscc", HOLDER, "-o", "q.json"]).code(0);
        assert_eq!(verified(here, "q.json", &[]), 0);
        let units = run(&["unit", place, "list", "--json"]).code(0).stdout;
        assert!(units.contains("uscc"), "{units}");
        run(&[
            "status",
            place,
            &credential,
            "release-pledge",
            "--reason",
            "已还",
            "--of",
            &index,
        ])
        .code(0);
        // Refusals have the exit codes that the directory itself would give.
        run(&["status", place, &credential, "lift-hold", "--reason", "无"]).code(1);
        run(&[
            "status",
            place,
            &credential,
            "revoke",
            "--reason",
            "无",
            "--of",
            "1",
        ])
        .code(2);
        run(&["fsck", place]).code(2);
        run(&["unit", place, "suspend", HOLDER]).code(2);
    }
    zhao(here, &["unit", &url, "list"]).code(2);
    zhao(here, &["unit", "https://localhost", "list"]).code(2);
    let change = write(
        here,
        "change.json",
        "[{\"premises\":\"示例路2号\"}]".as_bytes(),
    );
    let amended = ["amend", office, &credential, "--from", &change, "-o", "new"];
    zhao(here, &amended).code(0);
    assert_eq!(support::credentials(&here.join("new")).len(), 1);
    zhao(here, &amended).code(1);
    let (code, _) = server.stop();
    assert_eq!(code, 0);
    // The directory is the commands' own again.
    zhao(here, &["fsck", office]).code(0);
    zhao(here, &["history", office, &credential, "-o", "h.json"]).code(0);
}

#[test]
fn sta_05_a_change_through_a_server_names_the_person_who_made_it() {
    let (dir, server, admin) = started();
    let here = dir.path();
    let bearer = format!("Bearer {admin}");
    let ask = |path: &str, operators: &[&str], body: &str| {
        let mut headers = vec![
            ("Authorization", &*bearer),
            ("Content-Type", "application/json"),
        ];
        headers.extend(operators.iter().map(|name| ("Zhao-Operator", *name)));
        server.ask("POST", path, &headers, body.as_bytes())
    };
    let li = "%E6%9D%8E%E4%BC%9F";
    let made = ask("/v1/licences", &[li], &food("甲店")).is(201).json();
    let subject = made["licence"]["subject"].as_str().unwrap();
    let path = format!("/v1/licences/{subject}/acts");
    // The next one says nobody: what an earlier caller said is not theirs.
    let held = json!({"verb": "hold", "reason": "核查"}).to_string();
    let event = ask(&path, &[], &held).is(200).json()["event"].to_string();
    assert!(!event.contains("李伟") && !event.contains(li), "{event}");
    for wrong in [&["%FF"][..], &[""], &["%0A"], &[li, li]] {
        let lifted = json!({"verb": "lift-hold", "reason": "无"}).to_string();
        let refused = ask(&path, wrong, &lifted).problem("malformed").json();
        let detail = refused["detail"].to_string();
        assert!(detail.contains("Zhao-Operator"), "{detail}");
    }
    write(here, "c.json", made["credential"].to_string().as_bytes());
    let lift = [
        "status",
        "office",
        "c.json",
        "lift-hold",
        "--reason",
        "已查",
    ];
    zhao(here, &[&lift[..], &["--operator", "王芳"]].concat()).code(0);
    let rows = write(here, "rows.json", format!("[{}]", food("乙店")).as_bytes());
    let batch = [
        "issue",
        "office",
        "--from",
        &rows,
        "-o",
        "out",
        "--operator",
        "王芳",
    ];
    zhao(here, &batch).code(0);
    let (code, _) = server.stop();
    assert_eq!(code, 0);

    let acts = |licence: &str| {
        let said = zhao(here, &["acts", "office", licence, "--json"]).code(0);
        let said: Value = serde_json::from_str(&said.stdout).unwrap();
        let acts = said.as_array().unwrap().clone();
        acts.into_iter()
            .map(|act| (act["verb"].clone(), act["operator"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        acts(made["licence"]["id"].as_str().unwrap()),
        [
            (json!("issued"), json!("李伟")),
            (json!("hold"), Value::Null),
            (json!("lift-hold"), json!("王芳")),
        ]
    );
    let [other] = <[_; 1]>::try_from(support::credentials(&here.join("out"))).unwrap();
    let other: Value = serde_json::from_slice(&std::fs::read(other).unwrap()).unwrap();
    let other = acts(other["id"].as_str().unwrap());
    assert_eq!(other, [(json!("issued"), json!("王芳"))]);
}

#[test]
fn a_socket_that_a_killed_server_left_locks_nobody_out() {
    let (dir, server, _) = started();
    let socket = server.socket.clone();
    drop(server);
    assert!(socket.exists(), "it was killed");
    zhao(dir.path(), &["unit", "office", "list"]).code(0);
    let server = serve(dir.path(), &[]);
    server.get("/readyz").is(200);
    let mode = std::os::unix::fs::PermissionsExt::mode(&socket.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn soc_04_an_enterprise_of_200_licences_is_answered_whole_and_both_verifiers_agree() {
    let (dir, server, admin) = started();
    let mut rows = vec![food("示例餐馆"); 200];
    // One of another enterprise, and one more that would be mistaken for a part of the name.
    rows.push(food("示例").replace(HOLDER, OTHER));
    let rows = format!("[{}]", rows.join(","));
    let made = server
        .post(&admin, "/v1/licences/batch", &rows)
        .is(200)
        .json();
    let issued = made["rows"].as_array().unwrap().iter();
    assert!(
        issued.clone().all(|row| row["status"] == "issued"),
        "{made}"
    );

    let path = format!("/v1/public/enterprises/{HOLDER}");
    let answer = server.get(&path).is(200);
    assert_eq!(answer.json()["items"].as_array().unwrap().len(), 200);
    let file = write(dir.path(), "answer.json", &answer.body);
    let other = server
        .get(&format!("/v1/public/enterprises/{OTHER}"))
        .is(200)
        .json();
    assert_eq!(other["items"].as_array().unwrap().len(), 1);

    // One licence less, and neither verifier believes it.
    let mut less = answer.json();
    less["items"].as_array_mut().unwrap().pop();
    let less = write(dir.path(), "less.json", less.to_string().as_bytes());
    let policy = dir.path().join("office/policy.txt");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../verifier/js/bin/zhao-verify.mjs"
    );
    for (file, usable) in [(&file, true), (&less, false)] {
        let rust = verified(dir.path(), file, &[]);
        let mut node = std::process::Command::new("node");
        let script = node.args([script, file, "--policy"]).arg(&policy);
        let script = support::finish(script).code;
        assert_eq!(
            (rust == 0, script == 0),
            (usable, usable),
            "{rust} {script}"
        );
    }
}
