//! The map as static files: what a server shows of it, and a dossier made new from nothing else.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use support::server::{Answer, Server, key, parse, request, serve};
use support::{Ran, food, office, zhao};
use zhao_spec::file::Dossier;
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tile::{Kind, Tile, decode_bundle};
use zhao_spec::map::check;
use zhao_spec::map::page::{Found, PageName, Walk};
use zhao_spec::wire::Hash;

/// An office whose map is renewed every second, a server on it, and a key for everything.
fn started() -> (tempfile::TempDir, Server, String) {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let server = serve(dir.path(), &["--edition-every", "1"]);
    (dir, server, admin)
}

/// Issues a licence; its subject key, and its credential in a file.
fn issue(dir: &Path, server: &Server, admin: &str, name: &str) -> Hash {
    let made = server
        .post(admin, "/v1/licences", &food(name))
        .is(201)
        .json();
    fs::write(dir.join("credential.json"), made["credential"].to_string()).unwrap();
    Hash::from_base64url(made["licence"]["subject"].as_str().unwrap()).unwrap()
}

fn dossier(dir: &Path, server: &Server, file: &str) {
    let credential = fs::read(dir.join("credential.json")).unwrap();
    let json = [("Content-Type", "application/json")];
    let made = server
        .ask("POST", "/v1/dossiers", &json, &credential)
        .is(200);
    fs::write(dir.join(file), &made.body).unwrap();
}

fn checkpoint(answer: &Answer) -> Checkpoint {
    let text = std::str::from_utf8(&answer.body).unwrap();
    Checkpoint::parse(SignedNote::parse(text).unwrap().text()).unwrap()
}

/// The epoch leaf of the newest edition.
fn epoch(server: &Server) -> Epoch {
    let head = checkpoint(&server.get("/map/checkpoint").is(200));
    let last = head.size.0 - 1;
    let tile = Tile::in_tree(Kind::Entries, last / 256, head.size).unwrap();
    let bundle = server.get(&format!("/{}", tile.path())).is(200);
    let leaves = decode_bundle(&bundle.body, tile.width).unwrap();
    match Leaf::parse(leaves[usize::try_from(last % 256).unwrap()]).unwrap() {
        Leaf::Epoch(epoch) => epoch,
        other => panic!("{other:?}"),
    }
}

fn page(server: &Server, name: &PageName) -> Answer {
    server.get(&format!("/{}", name.path()))
}

/// Walks by asking the server. Nothing: a page was of no edition any more.
fn walk(server: &Server, root: &Hash, key: &Hash) -> Option<Found> {
    let mut walk = Walk::new(root, key);
    while let Some(name) = walk.wanted() {
        let answer = page(server, name);
        if answer.status == 404 {
            answer.problem("edition-gone");
            return None;
        }
        walk.take(&answer.is(200).body).unwrap();
    }
    walk.found()
}

/// Waits until the newest edition has a key.
fn edition_with(server: &Server, key: &Hash) -> (Epoch, Found) {
    loop {
        let epoch = epoch(server);
        if let Some(found) = walk(server, &epoch.map_root, key)
            && found.record_hash.is_some()
        {
            return (epoch, found);
        }
    }
}

#[test]
fn presence_and_absence_are_proved_from_static_files() {
    let (dir, server, admin) = started();
    let subject = issue(dir.path(), &server, &admin, "示例餐馆");
    let (epoch, found) = edition_with(&server, &subject);
    let root = epoch.map_root;
    check(&root, &subject, found.record_hash.as_ref(), &found.path).unwrap();
    // What the query server says of it is the same.
    let asked = server
        .get(&format!("/v1/subjects/{subject}"))
        .is(200)
        .json();
    let record = zhao_spec::wire::json::parse(asked["record"].to_string().as_bytes());
    let record = zhao_spec::wire::json::encode(&record.unwrap());
    assert_eq!(
        found.record_hash,
        Some(zhao_spec::map::record_hash(&record))
    );
    // A stranger is not there.
    let mut stranger = subject;
    stranger.0[31] ^= 1;
    let absent = walk(&server, &root, &stranger).unwrap();
    assert_eq!(absent.record_hash, None);
    assert_eq!(absent.path.terminal.unwrap().key, subject);
    check(&root, &stranger, None, &absent.path).unwrap();
}

#[test]
fn pages_may_be_kept_for_ever_and_the_newest_edition_for_a_moment() {
    let (_dir, server, _) = started();
    let newest = server.get("/map/checkpoint").is(200);
    assert_eq!(newest.header("cache-control"), Some("public, max-age=1"));
    assert_eq!(
        newest.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(newest.header("access-control-allow-origin"), Some("*"));
    let name = PageName::top(&epoch(&server).map_root);
    let answer = page(&server, &name).is(200);
    let for_ever = Some("public, max-age=604800, immutable");
    assert_eq!(answer.header("cache-control"), for_ever);
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("content-encoding"), None);
    let path = format!("/{}", name.path());
    let (_, hash) = path.rsplit_once('/').unwrap();
    let tag = answer.header("etag").unwrap().to_owned();
    assert_eq!(tag, format!("\"{hash}\""));
    for held in [tag.as_str(), "*", &format!("\"x\", W/{tag}")] {
        let same = server
            .ask("GET", &path, &[("If-None-Match", held)], b"")
            .is(304);
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        assert_eq!(same.header("cache-control"), for_ever);
        assert!(same.body.is_empty());
    }
    let other = server
        .ask("GET", &path, &[("If-None-Match", "\"x\"")], b"")
        .is(200);
    assert_eq!(other.body, answer.body);
    let packed = server
        .ask("GET", &path, &[("Accept-Encoding", "gzip")], b"")
        .is(200);
    assert_eq!(packed.body, answer.body);
    let head = server.ask("HEAD", &path, &[], b"").is(200);
    assert!(head.body.is_empty());
    server
        .ask("POST", &path, &[], b"x")
        .is(405)
        .problem("method");
}

#[test]
fn absurd_names_are_refused() {
    let (_dir, server, _) = started();
    let zeros = "0".repeat(64);
    let long = "0".repeat(249);
    for bad in [
        "top".to_owned(),
        "top/".to_owned(),
        format!("top/{}", &zeros[1..]),
        format!("top/{zeros}0"),
        format!("top/{zeros}/"),
        format!("TOP/{zeros}"),
        format!("01/{}", "A".repeat(64)),
        format!("2/{zeros}"),
        format!("0x01/{zeros}"),
        format!("{long}/{zeros}"),
        format!("../checkpoint/{zeros}"),
        format!("%E8%AF%81/{zeros}"),
        "0".repeat(5_000),
    ] {
        let answer = server
            .get(&format!("/map/{bad}"))
            .is(400)
            .problem("malformed");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    // Well-formed, and nothing there.
    for none in [
        format!("top/{zeros}"),
        format!("0/{zeros}"),
        format!("11111111/{zeros}"),
        format!("{}/{zeros}", &long[1..]),
    ] {
        let answer = server.get(&format!("/map/{none}")).is(404);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let problem = answer.problem("edition-gone").json();
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("/map/checkpoint")
        );
    }
    // The hash of the map, below another prefix: no page begins there.
    let root = epoch(&server).map_root;
    let name = PageName::top(&root).path();
    let (_, hash) = name.rsplit_once('/').unwrap();
    server
        .get(&format!("/map/0/{hash}"))
        .is(404)
        .problem("edition-gone");
    server.get("/map").is(404).problem("not-found");
}

/// An edition stays while others come; after three newer ones it is gone, and says so.
#[test]
fn editions_come_and_go() {
    let (dir, server, admin) = started();
    let subject = issue(dir.path(), &server, &admin, "示例餐馆");
    let (first, _) = edition_with(&server, &subject);
    let top = PageName::top(&first.map_root);
    let (mut seen, mut n) = (BTreeSet::from([first.epoch]), 0);
    // Commits go on while the first edition is walked and newer ones are made.
    while seen.len() < 3 {
        n += 1;
        issue(dir.path(), &server, &admin, &format!("第{n}餐馆"));
        seen.insert(epoch(&server).epoch);
        if seen.len() < 3 {
            let found = walk(&server, &first.map_root, &subject).expect("one of the last three");
            check(
                &first.map_root,
                &subject,
                found.record_hash.as_ref(),
                &found.path,
            )
            .unwrap();
        }
    }
    // Newer ones until it is dropped: at the latest with the third after it.
    while page(&server, &top).status == 200 {
        n += 1;
        issue(dir.path(), &server, &admin, &format!("第{n}餐馆"));
        seen.insert(epoch(&server).epoch);
        assert!(seen.len() <= 6, "{seen:?}");
    }
    page(&server, &top).is(404).problem("edition-gone");
    assert_eq!(walk(&server, &first.map_root, &subject), None);
    let again = epoch(&server);
    assert!(again.epoch > first.epoch && again.index > first.index);
    let found = walk(&server, &again.map_root, &subject).unwrap();
    assert!(found.record_hash.is_some());
}

/// What becomes of an answer's body, given the path.
type Alter = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

/// Passes requests on to a server, and keeps their paths.
struct Between {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Between {
    fn new(server: &Server, alter: Alter) -> Self {
        let alter = Arc::new(alter);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (kept, to) = (Arc::clone(&lines), server.address);
        // Ends with the test's process; nobody waits for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, alter) = (Arc::clone(&kept), Arc::clone(&alter));
                thread::spawn(move || pass(stream, to, &kept, &alter));
            }
        });
        Self { address, lines }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn paths(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

fn pass(mut stream: TcpStream, to: SocketAddr, kept: &Mutex<Vec<String>>, alter: &Alter) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap_or(0) > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap().to_owned();
        kept.lock().unwrap().push(path.clone());
        let mut server = TcpStream::connect(to).unwrap();
        server.write_all(&request("GET", &path, &[], b"")).unwrap();
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).unwrap();
        let answer = parse(&bytes);
        let body = alter(&path, answer.body);
        let length = body.len();
        let status = answer.status;
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n");
        let sent = stream.write_all(&[head.as_bytes(), &body].concat());
        if sent.is_err() {
            return;
        }
    }
}

fn refresh(dir: &Path, url: &str, more: &[&str]) -> Ran {
    let mut all = vec!["refresh", "old.json", url, "-o", "new.json"];
    all.extend(["--policy", "office/policy.txt"]);
    all.extend(more);
    zhao(dir, &all)
}

fn verify(dir: &Path, file: &str) -> Value {
    let ran = zhao(
        dir,
        &["verify", file, "--policy", "office/policy.txt", "--json"],
    );
    serde_json::from_str(&ran.code(0).stdout).unwrap()
}

/// A dossier whose licence is in the newest edition, and others after it.
fn presented(dir: &Path, server: &Server, admin: &str) -> Hash {
    let subject = issue(dir, server, admin, "示例餐馆");
    dossier(dir, server, "old.json");
    let credential = fs::read(dir.join("credential.json")).unwrap();
    let other = issue(dir, server, admin, "另一餐馆");
    fs::write(dir.join("credential.json"), credential).unwrap();
    edition_with(server, &other);
    subject
}

#[test]
fn a_dossier_is_made_new_without_naming_its_licence() {
    let (dir, server, admin) = started();
    let dir = dir.path();
    let subject = presented(dir, &server, &admin);
    let between = Between::new(&server, Box::new(|_, body| body));
    let ran = refresh(dir, &between.url(), &["--json"]).code(0);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["outcome"], "refreshed", "{said}");
    assert_eq!(
        said["verdict"]["verdict"],
        verify(dir, "new.json")["verdict"]
    );

    // The file is a dossier of the newer head with the same statements, and as good.
    let read = |file| Dossier::parse(fs::read(dir.join(file)).unwrap().trim_ascii_end()).unwrap();
    let (old, new) = (read("old.json"), read("new.json"));
    assert!(new.head.checkpoint().size > old.head.checkpoint().size);
    assert!(new.head.epoch.time > old.head.epoch.time);
    assert_eq!(new.placed.record, old.placed.record);
    assert_eq!(new.credential, old.credential);
    let (was, is) = (verify(dir, "old.json"), verify(dir, "new.json"));
    assert_eq!(was["verdict"], is["verdict"]);
    assert_eq!(was["assurance"], is["assurance"]);
    assert_eq!(
        new.head.epoch.time.to_string(),
        is["facts"]["asOf"].as_str().unwrap()
    );

    // Nothing that was asked for has the licence in it, in any spelling.
    let paths = between.paths();
    let hex: String = subject.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let bits: String = subject.0.iter().map(|byte| format!("{byte:08b}")).collect();
    let id = old.credential.value();
    let id = String::from_utf8(zhao_spec::wire::json::encode(id)).unwrap();
    let uuid = id
        .split("urn:uuid:")
        .nth(1)
        .unwrap()
        .get(..36)
        .unwrap()
        .to_owned();
    for path in &paths {
        let known = path == "/map/checkpoint"
            || path.starts_with("/map/top/")
            || path.starts_with("/tile/");
        assert!(known, "{path}");
        for secret in [&subject.to_base64url(), &hex, &bits[..32].to_owned(), &uuid] {
            assert!(!path.contains(secret), "{path}");
        }
    }
    assert!(paths.iter().any(|path| path.starts_with("/map/top/")));
    // One page for all of it: the licence, its unit, its type, the administrators.
    assert_eq!(
        paths
            .iter()
            .filter(|path| path.starts_with("/map/top/"))
            .count(),
        1
    );
    // And what it wrote can be made new again, to standard output.
    fs::copy(dir.join("new.json"), dir.join("old.json")).unwrap();
    let text = refresh(dir, &server.url(), &[]).code(0);
    assert!(text.stdout.contains("VALID"), "{}", text.stdout);
    let chinese = refresh(dir, &server.url(), &["--lang", "zh"]).code(0);
    assert!(chinese.stdout.contains("有效"), "{}", chinese.stdout);
}

#[test]
fn a_changed_standing_is_a_result_of_its_own() {
    let (dir, server, admin) = started();
    let dir = dir.path();
    let subject = presented(dir, &server, &admin);
    let act = json!({"verb": "revoke", "reason": "示例理由"}).to_string();
    let path = format!("/v1/licences/{subject}/acts");
    server.post(&admin, &path, &act).is(200);
    let asked = server
        .get(&format!("/v1/subjects/{subject}"))
        .is(200)
        .json();
    let record = asked["record"].to_string();
    let record = zhao_spec::wire::json::parse(record.as_bytes()).unwrap();
    let now = zhao_spec::map::record_hash(&zhao_spec::wire::json::encode(&record));
    while edition_with(&server, &subject).1.record_hash != Some(now) {}
    let ran = refresh(dir, &server.url(), &[]).code(4);
    assert!(
        ran.stdout.contains("The standing has changed since"),
        "{}",
        ran.stdout
    );
    assert!(!dir.join("new.json").exists());
    let ran = refresh(dir, &server.url(), &["--lang", "zh"]).code(4);
    assert!(ran.stdout.contains("状态已有变动"), "{}", ran.stdout);
    let ran = refresh(dir, &server.url(), &["--json"]).code(4);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["outcome"], "standing-changed");
    assert_eq!(said["verdict"], Value::Null);
    // What the holder gets now is refused for it, and can be made new as it is.
    dossier(dir, &server, "old.json");
    let ran = refresh(dir, &server.url(), &["--json"]).code(1);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["outcome"], "not-written", "{said}");
}

/// The unit takes another key: the licence is as it was, what its dossier shows of the unit is not.
#[test]
fn a_changed_unit_needs_a_new_pack() {
    let (dir, server, admin) = started();
    let dir = dir.path();
    presented(dir, &server, &admin);
    server.stop();
    let old = fs::read(dir.join("old.json")).unwrap();
    let authorities = Dossier::parse(&old).unwrap().authorities.unwrap();
    let unit = &authorities.issuers[0].placed.record.unit;
    zhao(dir, &["unit", "office", "rotate-key", unit]).code(0);
    let server = serve(dir, &[]);
    // A policy without a pack beside it.
    fs::create_dir(dir.join("bank")).unwrap();
    for file in ["policy.txt", "trust.txt"] {
        fs::copy(dir.join("office").join(file), dir.join("bank").join(file)).unwrap();
    }
    let bank = |more: &[&str]| {
        let url = server.url();
        let mut all = vec!["refresh", "old.json", &url, "-o", "new.json"];
        all.extend(["--policy", "bank/policy.txt"]);
        all.extend(more);
        zhao(dir, &all)
    };
    let ran = bank(&["--json"]).code(4);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["outcome"], "authorities-changed");
    let ran = bank(&[]).code(4);
    assert!(ran.stdout.contains("issuer pack"), "{}", ran.stdout);
    assert!(!dir.join("new.json").exists());
    // The pack names no licence, so fetching it tells nothing either.
    let pack = server.get("/v1/public/issuer-pack").is(200);
    fs::write(dir.join("pack.json"), pack.body).unwrap();
    bank(&["--pack", "pack.json"]).code(0);
    let new = fs::read(dir.join("new.json")).unwrap();
    let new = Dossier::parse(new.trim_ascii_end()).unwrap();
    assert_eq!(new.authorities, None);
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let (dir, server, admin) = started();
    let dir = dir.path();
    presented(dir, &server, &admin);
    let url = server.url();
    // A credential is no dossier.
    fs::copy(dir.join("old.json"), dir.join("kept.json")).unwrap();
    fs::copy(dir.join("credential.json"), dir.join("old.json")).unwrap();
    let ran = refresh(dir, &url, &[]).code(1);
    assert!(ran.error().contains("is no dossier"), "{}", ran.stderr);
    fs::copy(dir.join("kept.json"), dir.join("old.json")).unwrap();
    // A forged record: the map has another one. The licence's own stands last.
    let mut text = fs::read_to_string(dir.join("old.json")).unwrap();
    let at = text.rfind("\"active\"").unwrap();
    text.replace_range(at..at + "\"active\"".len(), "\"revoked\"");
    fs::write(dir.join("old.json"), text).unwrap();
    refresh(dir, &url, &[]).code(4);
    fs::copy(dir.join("kept.json"), dir.join("old.json")).unwrap();
    // Nobody there, and no log there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    refresh(dir, &nobody, &[]).code(2);
    refresh(dir, &format!("{url}/v1"), &[]).code(2);
    // Another log's policy.
    zhao(dir, &["init", "other", "--origin", "other.example/log"]).code(0);
    let line = [
        "refresh",
        "old.json",
        &url,
        "-o",
        "new.json",
        "--policy",
        "other/policy.txt",
    ];
    let ran = zhao(dir, &line).code(2);
    assert!(
        ran.error().contains("do not know the log"),
        "{}",
        ran.stderr
    );
    assert!(!dir.join("new.json").exists());
}

/// The same body but for pages of the map.
fn pages(alter: fn(&mut Vec<u8>)) -> Alter {
    Box::new(move |path, mut body| {
        if path.starts_with("/map/top/") {
            alter(&mut body);
        }
        body
    })
}

/// The same body but for the checkpoint of the map.
fn heads(alter: impl Fn(String) -> String + Send + Sync + 'static) -> Alter {
    Box::new(move |path, body| match path {
        "/map/checkpoint" => alter(String::from_utf8(body).unwrap()).into_bytes(),
        _ => body,
    })
}

#[test]
fn a_server_that_lies_is_found_out() {
    let (dir, server, admin) = started();
    let dir = dir.path();
    let earlier = server.get("/map/checkpoint").is(200);
    let earlier = String::from_utf8(earlier.body).unwrap();
    presented(dir, &server, &admin);
    let other_root = |text: String| {
        let root = text.lines().nth(2).unwrap().to_owned();
        let first = if root.starts_with('A') { "B" } else { "A" };
        text.replace(&root, &format!("{first}{}", &root[1..]))
    };
    let log_alone = |text: String| {
        let lines: Vec<&str> = text.lines().take(5).collect();
        lines.join("\n") + "\n"
    };
    let lies: [(Alter, i32, &str); 9] = [
        (
            pages(|body| *body.last_mut().unwrap() ^= 1),
            2,
            "page hashes to",
        ),
        (pages(|body| body.truncate(100)), 2, "ends inside an entry"),
        (pages(|body| body[0] = 3), 2, "page is of kind 3"),
        (
            pages(|body| body.resize(1 << 20, 0)),
            2,
            "more than 16417 bytes",
        ),
        // The page of the empty map: the licence would be absent.
        (pages(|body| *body = vec![2, 0]), 2, "page hashes to"),
        (pages(|body| *body = vec![2, 1, 0]), 2, "not cut into pages"),
        (heads(other_root), 2, "signature"),
        (heads(log_alone), 3, "has not the quorum"),
        (heads(move |_| earlier.clone()), 3, "older than the file's"),
    ];
    for (alter, code, said) in lies {
        let between = Between::new(&server, alter);
        let ran = refresh(dir, &between.url(), &[]).code(code);
        assert!(ran.error().contains(said), "{said}: {}", ran.stderr);
        assert!(!dir.join("new.json").exists());
    }
}

/// A place that somebody else serves is as good as the server.
#[test]
fn a_place_has_the_map_too() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    fs::create_dir(dir.join("place")).unwrap();
    let made = zhao(dir, &["publish", "office", "place", "--json"]).code(0);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(made["pages"], 1);
    let server = serve(dir, &["--edition-every", "1"]);
    presented(dir, &server, &admin);
    server.stop();
    let again = zhao(dir, &["publish", "office", "--json"]).code(0);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&again["pages"], &again["objects"]), (&json!(0), &json!(0)));
    let files = Files::new(dir.join("place"));
    let ran = refresh(dir, &files.url(), &["--json"]).code(0);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["outcome"], "refreshed");
    verify(dir, "new.json");
    // A page that is gone: it begins again, and at last says so.
    for page in fs::read_dir(dir.join("place/map/top")).unwrap() {
        fs::remove_file(page.unwrap().path()).unwrap();
    }
    let ran = refresh(dir, &files.url(), &[]).code(2);
    assert!(ran.error().contains("status 404"), "{}", ran.stderr);
}

/// A web server of a folder.
struct Files(SocketAddr);

impl Files {
    fn new(folder: std::path::PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                lines.read_line(&mut first).unwrap();
                let mut line = String::new();
                while lines.read_line(&mut line).unwrap_or(0) > 2 {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap().trim_start_matches('/');
                let found = fs::read(folder.join(path));
                let status = if found.is_ok() { 200 } else { 404 };
                let body = found.unwrap_or_default();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self(address)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}
