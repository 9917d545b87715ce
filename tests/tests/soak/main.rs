//! A served registry under load, over real sockets: steady at six tenths of what it can do, then
//! twice what it can do, then normal again. Times are printed and never asserted; that nothing
//! breaks, nothing is lost and nothing grows without end is. And the same registry, killed while it
//! works.
//!
//! `make test` has a minute of it and eight kills, `make soak` ten and three hundred.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![allow(
    clippy::print_stdout,
    reason = "figures are for whoever runs it by hand"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a load is made of times, and its figures are"
)]

mod http;
mod kills;
mod load;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use http::{Ask, Line};
use load::{Came, Mix, peak, percentile, steady, watch};

/// Workers of the steady load, and of the flood: more than the server has turns for writes.
const WORKERS: usize = 16;
const FLOOD: usize = 192;
/// How much memory may grow while the load is steady, MiB: caches fill, nothing else.
const GROWTH: f64 = 256.0;
/// How long the server may take to be as it was.
const RECOVERY: Duration = Duration::from_secs(10);

fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let path = profile.join("zhao");
    assert!(path.is_file(), "run `cargo build -p zhao` first");
    path
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("ZHAO_PASSPHRASE", "soak")
        .stdin(Stdio::null());
    command
}

fn zhao(dir: &Path, arguments: &[&str]) -> String {
    let output = command(dir, arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// A server that ends with the test.
struct Served(Child);

impl Served {
    /// As a power cut ends it.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// As its operator ends it.
    fn stop(&mut self) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server on `office`; where it listens.
fn serve(dir: &Path) -> (Served, std::net::SocketAddr) {
    let arguments = [
        "serve",
        "office",
        "--listen",
        "127.0.0.1:0",
        "--public-rate",
        "10000000",
    ];
    let mut child = command(dir, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // A line a request: somebody must read them.
    let mut log = child.stderr.take().unwrap();
    thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    let address = line
        .trim()
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap();
    (Served(child), address.parse().unwrap())
}

/// A key for everything.
fn key(dir: &Path) -> String {
    let add = [
        "api-key", "office", "add", "--name", "soak", "--scopes", "admin",
    ];
    zhao(dir, &add).trim().to_owned()
}

/// Copies the served log to `m`, which must agree with what it copied before.
fn mirror(dir: &Path, address: std::net::SocketAddr) {
    let url = format!("http://{address}");
    zhao(dir, &["mirror", &url, "m", "--policy", "office/policy.txt"]);
}

fn mix(dir: &Path, address: std::net::SocketAddr, key: String) -> Mix {
    let uscc = "91320400DEM000110X".to_owned();
    let issued = std::fs::read_to_string(dir.join("out/credentials.jsonl")).unwrap();
    let shown = zhao(
        dir,
        &["log", &format!("http://{address}"), "--from", "0", "--json"],
    );
    let subjects = shown.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        (event["verb"] == "issued").then(|| event["subject"].as_str().unwrap().to_owned())
    });
    let subjects: Vec<String> = subjects.collect();
    assert_eq!(subjects.len(), issued.lines().count());
    Mix {
        address,
        key,
        uscc,
        bundle: "/tile/entries/000".to_owned(),
        subjects,
        rows: AtomicU64::new(0),
    }
}

fn report(name: &str, came: &mut Came) {
    let mut line = format!("{name}: {:?}", came.status);
    for (what, times) in [("writes", &mut came.writes), ("reads", &mut came.reads)] {
        let (half, most) = (percentile(times, 50), percentile(times, 99));
        let max = percentile(times, 100);
        let count = times.len();
        line.push_str(&format!(
            "; {what} {count}, p50 {half:.1} ms, p99 {most:.1} ms, max {max:.1} ms"
        ));
    }
    println!("{line}");
}

/// A licence's state, as the office sees it.
fn state(line: &mut Line, mix: &Mix, subject: &str) -> String {
    let ask = Ask {
        key: Some(mix.key.clone()),
        ..Ask::get(format!("/v1/licences/{subject}"))
    };
    let (status, body) = line.ask(&ask).unwrap();
    assert_eq!(
        status, 200,
        "{subject} was answered as written, and is not there"
    );
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    json["licence"]["state"].as_str().unwrap().to_owned()
}

/// The memory of the steady part, as a picture beside the other results of the tests.
fn picture(seen: &[(f64, f64)]) -> PathBuf {
    let (width, height) = (800.0, 240.0);
    let last = seen.last().map_or(1.0, |point| point.0.max(1.0));
    let most = seen.iter().map(|point| point.1).fold(1.0, f64::max) * 1.1;
    let points = seen.iter().map(|(seconds, mib)| {
        let x = 40.0 + seconds / last * (width - 50.0);
        let y = height - 20.0 - mib / most * (height - 40.0);
        format!("{x:.1},{y:.1}")
    });
    let points = points.collect::<Vec<_>>().join(" ");
    let text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"#1f6feb\"/>\
         <text x=\"40\" y=\"14\" font-size=\"12\">resident memory, MiB, up to {most:.0}; \
         {last:.0} s</text></svg>\n"
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak.svg");
    std::fs::write(&path, text).unwrap();
    path
}

/// Everything, in about so long.
fn soak(whole: Duration) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    zhao(dir, &["init", "office", "--key-delay", "0s"]);
    zhao(
        dir,
        &[
            "sample",
            "--count",
            "500",
            "--type",
            "food-operation",
            "-o",
            "in.csv",
        ],
    );
    zhao(
        dir,
        &[
            "issue", "office", "--from", "in.csv", "-o", "out", "--lines",
        ],
    );
    let key = key(dir);
    let (mut served, address) = serve(dir);
    let mix = mix(dir, address, key);
    let mut issued = Vec::new();

    // What it can do.
    let (rate, mut came) = peak(&mix, WORKERS, whole / 8);
    assert_eq!(came.errors, [""; 0]);
    report(&format!("peak {rate:.0}/s"), &mut came);
    issued.append(&mut came.issued);
    let mut pending = came.pending;

    // Six tenths of it, for most of the time: no error, nobody told to wait, memory flat.
    let ended = AtomicBool::new(false);
    let pid = served.0.id();
    let (mut came, seen) = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(pid, &ended));
        let came = steady(&mix, WORKERS, rate * 0.6, whole * 5 / 8);
        ended.store(true, Ordering::Relaxed);
        (came, watching.join().unwrap())
    });
    assert_eq!(came.errors, [""; 0]);
    assert!(!came.status.contains_key(&429), "{:?}", came.status);
    report("six tenths of it", &mut came);
    issued.append(&mut came.issued);
    pending.append(&mut came.pending);
    let part = |from: usize, to: usize| {
        let range = seen.len() * from / 4..seen.len() * to / 4;
        let mut mib: Vec<f64> = seen[range].iter().map(|point| point.1).collect();
        percentile(&mut mib, 50)
    };
    let (early, late) = (part(1, 2), part(3, 4));
    println!(
        "memory: {early:.0} MiB, then {late:.0} MiB; {}",
        picture(&seen).display()
    );
    assert!(
        late - early < GROWTH,
        "memory grew from {early:.0} to {late:.0} MiB"
    );

    // Twice what it can do: those who are too many are told so, the others are served.
    let mut came = steady(&mix, FLOOD, rate * 2.0, whole / 8);
    assert_eq!(came.errors, [""; 0]);
    report("twice of it", &mut came);
    issued.append(&mut came.issued);
    pending.append(&mut came.pending);

    // Normal again.
    let start = Instant::now();
    let mut line = Line::new(address);
    let (status, body) = line.ask(&mix.write()).unwrap();
    assert!(
        matches!(status, 200..=202),
        "{status}: {}",
        String::from_utf8_lossy(&body)
    );
    let after = start.elapsed();
    println!(
        "a write after the flood: {:.1} ms",
        after.as_secs_f64() * 1e3
    );
    assert!(after < RECOVERY, "{after:?}");

    // Nothing that was answered is lost, and what was pending is issued by and by.
    for subject in &issued {
        assert_eq!(state(&mut line, &mix, subject), "issued");
    }
    for subject in &pending {
        while state(&mut line, &mix, subject) != "issued" {
            thread::yield_now();
        }
    }
    println!(
        "{} issued, {} of them pending at first",
        issued.len(),
        pending.len()
    );
    served.stop();
    let found = zhao(dir, &["fsck", "office", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["clean"], true, "{found}");
    assert_eq!(found["office"]["pending"], 0, "{found}");
}

#[test]
fn a_served_registry_outlives_eight_kills() {
    kills::kills(8, 1);
}

#[test]
#[ignore = "ten minutes: make soak"]
fn a_served_registry_outlives_three_hundred_kills() {
    kills::kills(300, 2);
}

#[test]
fn a_minute_of_load_loses_nothing() {
    soak(Duration::from_secs(45));
}

#[test]
#[ignore = "ten minutes: make soak"]
fn ten_minutes_of_load_lose_nothing() {
    soak(Duration::from_secs(720));
}
