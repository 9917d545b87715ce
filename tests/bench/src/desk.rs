//! The licence office as a whole: one file issued in bulk, and questions about what came of it.
//!
//! The program under test is the product's own, in a process of its own, with the local witness and
//! the local auditor that every new office has: the auditor verifies and replays every event once
//! more on the same cores.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use zhao_issuer::keys::Keyring;
use zhao_issuer::records::{Records, Search};
use zhao_issuer::vault::Secrets;

use crate::figure::Figure;
use crate::progress::{bar, done};
use crate::statistics::{float, median, per_second, percentile};

/// Licences of the enterprise whose public answer is asked for.
const HELD: usize = 200;
/// Questions of each kind.
const ASKED: usize = 1_000;
/// Requests for the public answer; a server allows an address more in a minute.
const ANSWERS: usize = 50;

/// The product's program, and the folder of the office.
struct Desk {
    program: PathBuf,
    folder: PathBuf,
}

/// What issuing in bulk is measured beside: rates of the same run, if they were measured.
#[derive(Clone, Copy)]
pub(crate) struct Beside {
    /// Events made durable by the sequencer alone.
    pub(crate) admission: Option<f64>,
    /// Events made durable with the cosigners that the office has too.
    pub(crate) cosigned: Option<f64>,
}

/// Issues `rows` licences from one file and asks about them.
pub(crate) fn figures(folder: &Path, rows: u64, seed: u64, beside: Beside) -> Result<Vec<Figure>> {
    let Some(program) = std::env::var_os("ZHAO").map(PathBuf::from) else {
        let why = "ZHAO does not name the program";
        return Ok(vec![Figure::not_run(
            "bulk",
            "licences issued",
            "批量制发",
            why,
        )]);
    };
    let desk = Desk {
        program,
        folder: folder.join("desk"),
    };
    std::fs::create_dir_all(&desk.folder)?;
    std::fs::write(desk.folder.join("pass"), "bench\n")?;
    desk.run(&["init", "office", "--key-delay", "0s"])?;
    let (count, seed) = (rows.to_string(), seed.to_string());
    desk.run(&["sample", "--count", &count, "--seed", &seed, "-o", "in.csv"])?;
    let uscc = desk.add_holder()?;
    let mut figures = desk.bulk(rows, beside)?;
    // What the batch wrote is still on its way to the disk: a question would wait behind it.
    ensure!(Command::new("sync").status()?.success(), "sync failed");
    figures.extend(desk.queries()?);
    figures.push(desk.public_answer(&uscc)?);
    std::fs::remove_dir_all(&desk.folder)?;
    Ok(figures)
}

impl Desk {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .args(arguments)
            .env("ZHAO_PASSPHRASE", "bench")
            .env("ZHAO_ADMIN_PASSPHRASE", "bench")
            .stdout(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let status = self.command(arguments).status()?;
        ensure!(
            status.success(),
            "zhao {} ended with {status}",
            arguments.join(" ")
        );
        Ok(())
    }

    /// Adds rows for one enterprise, alike but for the case number; returns its code.
    fn add_holder(&self) -> Result<String> {
        let path = self.folder.join("in.csv");
        let mut lines = BufReader::new(File::open(&path)?).lines();
        let header = lines.next().context("the sample has a header")??;
        let columns: Vec<&str> = header.split(',').collect();
        let at = |name: &str| columns.iter().position(|column| *column == name);
        let (code, reference) = (at("holderCode"), at("reference"));
        let (code, reference) = code.zip(reference).context("the sample's columns")?;
        let licence_type = at("type").context("the sample's columns")?;
        for line in lines {
            let line = line?;
            let cells: Vec<&str> = line.split(',').collect();
            let kind = cells.get(licence_type).copied().unwrap_or_default();
            let holder = cells.get(code).copied().unwrap_or_default();
            let plain = cells.len() == columns.len() && !line.contains('"');
            if !(plain && kind == "food-operation" && holder.starts_with("91")) {
                continue;
            }
            let mut out = BufWriter::new(File::options().append(true).open(&path)?);
            for n in 1..HELD {
                let mut row: Vec<String> = cells.iter().map(|&cell| cell.to_owned()).collect();
                if let Some(cell) = row.get_mut(reference) {
                    *cell = format!("bench-{n}");
                }
                writeln!(out, "{}", row.join(","))?;
            }
            out.flush()?;
            return Ok(holder.to_owned());
        }
        bail!("the sample has no food operation licence of an enterprise");
    }

    /// The file from beginning to end: rate, memory, disk.
    fn bulk(&self, rows: u64, beside: Beside) -> Result<Vec<Figure>> {
        let rows = usize::try_from(rows)? + HELD - 1;
        let arguments = [
            "issue", "office", "--from", "in.csv", "-o", "out", "--lines",
        ];
        let progress = bar(u64::try_from(rows)?, "issuing in bulk");
        let start = Instant::now();
        let mut child = self.command(&arguments).stderr(Stdio::null()).spawn()?;
        let (status, peak) = watched(&mut child)?;
        let time = start.elapsed();
        done(&progress);
        ensure!(status == Some(0), "the batch ended with {status:?}");
        let written = BufReader::new(File::open(self.folder.join("out/credentials.jsonl"))?);
        ensure!(written.lines().count() == rows, "not every row was issued");
        let rate = |id: &str, english: &str, chinese: &str| {
            Figure::new(id, english, chinese, per_second(rows, time), "/s")
        };
        let mut whole = rate(
            "bulk",
            "licences issued from one CSV, from start to finish",
            "一个 CSV 批量制发，全程",
        )
        .note("local witness and local auditor included; start and scrypt too");
        if let Some(admission) = beside.admission {
            whole = whole
                .against("events made durable by the sequencer alone", admission)
                .at_least(0.5);
        }
        let mut figures = vec![whole];
        if let Some(cosigned) = beside.cosigned {
            let same = rate(
                "bulk-cosigned",
                "the same, beside admission with the same cosigners",
                "同上，与同样联署的受理相比",
            );
            let same = same.against("events made durable, witnessed and audited", cosigned);
            figures.push(same.at_least(0.5));
        }
        let per_licence =
            |path: &str| -> Result<f64> { Ok(size_of(&self.folder.join(path))? / float(rows)) };
        figures.extend([
            Figure::new(
                "bulk-memory",
                "peak memory of the process that issued them",
                "批量制发进程的内存峰值",
                peak / f64::from(1 << 20),
                "MiB",
            ),
            Figure::new(
                "bulk-records",
                "records on disk, a licence",
                "业务记录，每证占盘",
                per_licence("office/records.db")?,
                "B",
            ),
            Figure::new(
                "bulk-ledger",
                "log and map on disk, a licence",
                "日志与状态图，每证占盘",
                per_licence("office/ledger")?,
                "B",
            ),
        ]);
        Ok(figures)
    }

    /// Point queries on the records, each with the row opened.
    fn queries(&self) -> Result<Vec<Figure>> {
        let office = self.folder.join("office");
        let passphrase = "bench".to_owned().into();
        let mut keyring = Keyring::open(&office.join("keys"), &passphrase)?;
        let secrets = Secrets::open(&mut keyring)?;
        let records = Records::open(&office.join("records.db"), &secrets)?;
        let credentials = self.some_credentials()?;
        let ask = |what: &str, chinese: &str, id: &str, pick: &dyn Fn(&Known) -> Search<'_>| {
            let mut times = Vec::with_capacity(credentials.len());
            for known in &credentials {
                let start = Instant::now();
                let found = records.licences(pick(known), 0, 10)?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
                ensure!(!found.is_empty(), "{what} finds nothing");
            }
            let (half, p99) = (median(times.clone()), percentile(times, 99));
            Ok(Figure::new(id, what, chinese, p99, "ms")
                .at_most(2.0)
                .note(&format!(
                    "median {half:.2} ms, {} questions",
                    credentials.len()
                )))
        };
        Ok(vec![
            ask(
                "licence found by number, p99",
                "按证照编号查询，p99",
                "query-number",
                &|known| Search::Number(&known.number),
            )?,
            ask(
                "licence found by identifier, p99",
                "按证照标识查询，p99",
                "query-identifier",
                &|known| Search::Identifier(&known.identifier),
            )?,
            ask(
                "licences found by holder's code, p99",
                "按持证主体代码查询，p99",
                "query-holder",
                &|known| Search::HolderCode(&known.code),
            )?,
            ask(
                "licences found by holder's name, p99",
                "按持证主体名称查询，p99",
                "query-name",
                &|known| Search::HolderName(&known.name),
            )?,
        ])
    }

    /// Some of the credentials, spread over the file.
    fn some_credentials(&self) -> Result<Vec<Known>> {
        let path = self.folder.join("out/credentials.jsonl");
        let all = BufReader::new(File::open(&path)?).lines().count();
        let step = (all / ASKED).max(1);
        let lines = BufReader::new(File::open(&path)?).lines().step_by(step);
        lines.map(|line| Known::read(&line?)).collect()
    }

    /// The public answer for an enterprise of many licences, from request to last byte.
    fn public_answer(&self, uscc: &str) -> Result<Figure> {
        let mut child = self
            .command(&["serve", "office", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let asked = ask_server(&mut child, uscc);
        // By its own pid, whatever came of it.
        let pid = child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        child.wait()?;
        let (times, bytes) = asked?;
        let (half, p99) = (median(times.clone()), percentile(times, 99));
        Ok(Figure::new(
            "public-answer",
            "public answer for an enterprise of 200 licences, median",
            "公众查询：200 本证照的企业，中位数",
            half,
            "ms",
        )
        .at_most(20.0)
        .note(&format!("p99 {p99:.1} ms, {bytes} bytes")))
    }
}

/// Waits for a process; gives its exit code and the most memory it had, bytes.
fn watched(child: &mut Child) -> Result<(Option<i32>, f64)> {
    let status = format!("/proc/{}/status", child.id());
    let (ended, end) = channel::<()>();
    thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let mut peak = 0.0_f64;
            loop {
                let text = std::fs::read_to_string(&status).unwrap_or_default();
                let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
                peak = peak.max(kib.unwrap_or(0.0) * 1024.0);
                // Until the process has ended; a look in between.
                if end.recv_timeout(Duration::from_millis(100)).is_ok() {
                    return peak;
                }
            }
        });
        let status = child.wait();
        let _ = ended.send(());
        let peak = watching.join().expect("the watching thread does not panic");
        Ok((status?.code(), peak))
    })
}

/// Asks the server that `child` is; gives milliseconds an answer, and its bytes.
fn ask_server(child: &mut Child, uscc: &str) -> Result<(Vec<f64>, usize)> {
    let stdout = child.stdout.take().context("stdout is a pipe")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let (_, address) = line
        .trim()
        .trim_end_matches('/')
        .split_once("http://")
        .context("the server did not start")?;
    let request = format!(
        "GET /v1/public/enterprises/{uscc} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    let (mut times, mut bytes) = (Vec::with_capacity(ANSWERS), Vec::new());
    for _ in 0..ANSWERS {
        let start = Instant::now();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(request.as_bytes())?;
        bytes.clear();
        stream.read_to_end(&mut bytes)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(
            bytes.starts_with(b"HTTP/1.1 200"),
            "the public answer was refused"
        );
    }
    Ok((times, bytes.len()))
}

/// What a licence can be found by.
struct Known {
    code: String,
    identifier: String,
    name: String,
    number: String,
}

impl Known {
    fn read(line: &str) -> Result<Self> {
        let credential: serde_json::Value = serde_json::from_str(line)?;
        let subject = &credential["credentialSubject"];
        let text = |name: &str| -> Result<String> {
            let text = subject[name].as_str();
            Ok(text
                .with_context(|| format!("{name} in a credential"))?
                .to_owned())
        };
        Ok(Self {
            code: text("holderCode")?,
            identifier: text("licenceIdentifier")?,
            name: text("holderName")?,
            number: text("licenceNumber")?,
        })
    }
}

/// Bytes of a file, or of everything in a folder.
fn size_of(path: &Path) -> Result<f64> {
    let data = std::fs::metadata(path)?;
    if data.is_file() {
        return Ok(data.len() as f64);
    }
    let mut sum = 0.0;
    for entry in std::fs::read_dir(path)? {
        sum += size_of(&entry?.path())?;
    }
    Ok(sum)
}
