//! What the network costs: the same events into the library and into `zhao serve` over HTTP, and
//! static files from `zhao serve` and from nginx.
//!
//! Both sides have the parties that every new office has: the sequencer, a local witness, a local
//! auditor that replays every event. What is compared is processor time, which does not change with
//! who waits for whom.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use zhao_issuer::keys::{Keyring, Purpose};
use zhao_ledger::audit::{Auditor, LocalAuditor, StoreLeaves};
use zhao_ledger::pipeline::Pipeline;
use zhao_ledger::sequence::{Config, Cosigner, Quorum, Sequencer};
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::witness::{LocalWitness, Witness};
use zhao_spec::life::event::Event;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::wire::UnixMillis;
use zhao_verifier::TrustPolicy;

use crate::figure::Figure;
use crate::ledger::{admit, at_work};
use crate::office::Office;
use crate::progress::{bar, done};
use crate::statistics::{SLICES, float, median, per_second};
use crate::workload::{BATCH, Workload};

/// Licences that are there before anything is measured, so that there is something to change.
const BEFORE: usize = 20;
/// Events handed in one by one.
const SINGLES: usize = 2_000;
/// Connections that ask.
const CONNECTIONS: usize = 8;
/// How long one server is asked for static files, before the other has its turn.
const TURN: Duration = Duration::from_secs(2);
/// The type of the sample catalogue that everybody may query.
const TYPE: &str = "11100000DEM0090006001";

/// All figures, and the rate at which the library makes events durable that witness and auditor
/// have cosigned; none if the program is not named.
pub(crate) fn figures(
    folder: &Path,
    batches: usize,
    seed: u64,
) -> Result<(Vec<Figure>, Option<f64>)> {
    let Some(program) = std::env::var_os("ZHAO").map(PathBuf::from) else {
        let why = "ZHAO does not name the program";
        let figure = Figure::not_run("served", "over HTTP", "经网络", why);
        return Ok((vec![figure], None));
    };
    let folder = folder.join("served");
    std::fs::create_dir_all(folder.join("shown"))?;
    let site = Site { program, folder };
    site.run(&["init", "office", "--key-delay", "0s"])?;
    // The same log twice: the same events are admissible in both.
    let mut copy = Command::new("cp");
    copy.args(["-r", "office", "library"])
        .current_dir(&site.folder);
    ensure!(copy.status()?.success(), "cp failed");
    let mut workload = Workload::of(site.office()?, seed);
    let before: Vec<_> = (0..BEFORE).map(|_| workload.issue(BATCH)).collect();
    let measured: Vec<_> = (0..SLICES * batches)
        .map(|_| workload.mixed(BATCH))
        .collect();
    let singles = workload.mixed(SINGLES);
    let events = measured.len() * BATCH;
    let (library, rate) = {
        let pipeline = site.library()?;
        admit(&pipeline, before.clone())?;
        let (start, clock) = (processor("self")?, Instant::now());
        admit(&pipeline, measured.clone())?;
        let rate = per_second(events, clock.elapsed());
        let batched = (processor("self")? - start) / float(events);
        let start = processor("self")?;
        admit(
            &pipeline,
            singles.iter().map(|event| vec![event.clone()]).collect(),
        )?;
        let single = (processor("self")? - start) / float(SINGLES);
        ((batched, single), rate)
    };
    let cosigned = Figure::new(
        "cosigned",
        "events made durable with a local witness and a local auditor, batches of 1,000",
        "事件落盘受理（含本地见证与本地审计），每批 1000",
        rate,
        "/s",
    );
    let mut figures = vec![cosigned];
    figures.extend(site.submissions(&before, &measured, singles, library)?);
    site.run(&["publish", "office", "shown"])?;
    figures.push(site.reads()?);
    std::fs::remove_dir_all(&site.folder)?;
    Ok((figures, Some(rate)))
}

/// The product's program, and the folder of the offices.
struct Site {
    program: PathBuf,
    folder: PathBuf,
}

/// A process that is ended when nobody needs it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // As its operator would: nginx has children, which a killed one leaves behind.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let end = Instant::now() + Duration::from_secs(20);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .args(arguments)
            .env("ZHAO_PASSPHRASE", "bench")
            .env("ZHAO_ADMIN_PASSPHRASE", "bench");
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let status = self.command(arguments).stdout(Stdio::null()).status()?;
        ensure!(
            status.success(),
            "zhao {} ended with {status}",
            arguments.join(" ")
        );
        Ok(())
    }

    fn keyring(&self, office: &str) -> Result<Keyring> {
        let pass = "bench".to_owned().into();
        Ok(Keyring::open(
            &self.folder.join(office).join("keys"),
            &pass,
        )?)
    }

    /// The unit of the sample office, able to sign here.
    fn office(&self) -> Result<Office> {
        let mut keyring = self.keyring("office")?;
        let signing = keyring
            .secrets(Purpose::Unit)?
            .pop()
            .context("a unit's key")?;
        let keys = std::fs::read_dir(self.folder.join("office/keys"))?;
        let names = keys.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names: Vec<String> = names.collect::<Result<_>>()?;
        let unit = names.iter().find_map(|name| {
            let rest = name.strip_prefix("unit-")?;
            Some(rest.split('-').next()?.to_uppercase())
        });
        let unit = unit.context("the name of the unit's key")?;
        Ok(Office::of(
            &self.origin()?,
            &unit,
            signing,
            TYPE,
            self.made()?,
        ))
    }

    /// When the office was made: the clock of everything in this process.
    fn made(&self) -> Result<UnixMillis> {
        let written = std::fs::metadata(self.folder.join("office/zhao.toml"))?.modified()?;
        let since = written.duration_since(UNIX_EPOCH)?.as_millis();
        Ok(UnixMillis(u64::try_from(since)?))
    }

    fn origin(&self) -> Result<String> {
        let text = std::fs::read_to_string(self.folder.join("office/zhao.toml"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("origin = "));
        Ok(line.context("the log's name")?.trim_matches('"').to_owned())
    }

    /// The ledger as `zhao serve` opens it, in this process.
    fn library(&self) -> Result<Pipeline> {
        let dir = self.folder.join("library");
        let read = |name: &str| std::fs::read_to_string(dir.join(name));
        let trust = TrustPolicy::load(&read("policy.txt")?, &read("trust.txt")?)?;
        let (origin, mut keyring) = (self.origin()?, self.keyring("library")?);
        let store = Arc::new(Rocks::open(&dir.join("ledger/db"))?);
        let signer = NoteSigner::new(&origin, keyring.secret("log", Purpose::Log)?)?;
        let witness = Witness::new(
            &format!("{origin}/local-witness"),
            keyring.secret("local-witness", Purpose::Witness)?,
            vec![signer.vkey().clone()],
            Arc::new(Directory::open(&dir.join("witness"))?),
        )?;
        let genesis = trust
            .trust()
            .genesis_of(&origin)
            .context("the genesis hash")?;
        let auditor = Auditor::new(
            &format!("{origin}/local-auditor"),
            keyring.secret("local-auditor", Purpose::Auditor)?,
            signer.vkey().clone().into(),
            *genesis,
            Arc::new(Rocks::open(&dir.join("auditor/db"))?),
            Arc::new(StoreLeaves(store.clone())),
        )?;
        let now = self.made()?;
        let clock: zhao_ledger::witness::Clock = Arc::new(move || UnixSeconds(now.0 / 1_000));
        let (witness, auditor) = (Arc::new(Mutex::new(witness)), Arc::new(Mutex::new(auditor)));
        let cosigners: Vec<Box<dyn Cosigner>> = vec![
            Box::new(LocalWitness::new(witness, &origin, Arc::clone(&clock))),
            Box::new(LocalAuditor::new(auditor, clock, Arc::new(|_| ()))),
        ];
        let config = Config {
            signer: signer.into(),
            quorum: Quorum {
                policy: trust.policy().clone(),
                trust: Some(trust.trust().clone()),
                others: Vec::new(),
            },
            cosigners,
            max_unpublished: 100_000,
            mldsa: None,
            publication: None,
        };
        let files = Arc::new(Directory::open(&dir.join("ledger"))?);
        let (sequencer, _) = Sequencer::open(store, files, config, now)?;
        at_work(sequencer, now)
    }

    fn serve(&self) -> Result<(Running, SocketAddr)> {
        let mut arguments = vec!["serve", "office", "--listen", "127.0.0.1:0"];
        arguments.extend(["--event-rate", "100000000"]);
        arguments.extend(["--event-rate-signer", "100000000"]);
        let mut command = self.command(&arguments);
        let log = std::fs::File::create(self.folder.join("serve.log"))?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let running = Running(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line
            .split("http://")
            .nth(1)
            .context("the server's address")?;
        let address = url.trim().trim_end_matches('/').parse()?;
        Ok((running, address))
    }

    /// Processor time of the server for each event, beside the library's.
    fn submissions(
        &self,
        before: &[Vec<Event>],
        measured: &[Vec<Event>],
        singles: Vec<Event>,
        library: (f64, f64),
    ) -> Result<Vec<Figure>> {
        let (server, address) = self.serve()?;
        let pid = server.0.id().to_string();
        let mut line = Line::new(address)?;
        for batch in before {
            line.post(&body(batch))?;
        }
        let bodies: Vec<_> = measured.iter().map(|batch| body(batch)).collect();
        let progress = bar(u64::try_from(bodies.len())?, "batches over HTTP");
        let start = processor(&pid)?;
        for body in &bodies {
            line.post(body)?;
            progress.inc(1);
        }
        let batched = (processor(&pid)? - start) / float(bodies.len() * BATCH);
        done(&progress);
        let start = processor(&pid)?;
        let shares: Vec<_> = singles.chunks(SINGLES.div_ceil(CONNECTIONS)).collect();
        let ask = |share: &[Event]| -> Result<()> {
            let mut line = Line::new(address)?;
            share.iter().try_for_each(|event| line.post(&event.bytes()))
        };
        let ask = &ask;
        thread::scope(|scope| -> Result<()> {
            let begin = |share: &&'_ [Event]| {
                let share = share.to_vec();
                scope.spawn(move || ask(&share))
            };
            let all: Vec<_> = shares.iter().map(begin).collect();
            all.into_iter()
                .try_for_each(|asking| asking.join().expect("no thread panics"))
        })?;
        let single = (processor(&pid)? - start) / float(SINGLES);
        let micros = |seconds: f64| seconds * 1e6;
        Ok(vec![
            Figure::new(
                "served-batch",
                "server's processor time an event, batches of 1,000 over HTTP",
                "经网络每批 1000，每事件处理器时间",
                micros(batched),
                "µs",
            )
            .against("the library's", micros(library.0))
            .at_most(1.4)
            .note("with a local witness and a local auditor on both sides"),
            Figure::new(
                "served-single",
                "server's processor time an event, one by one over HTTP",
                "经网络逐个提交，每事件处理器时间",
                micros(single),
                "µs",
            )
            .against("the library's, one by one", micros(library.1))
            .note("eight connections; each commit takes what came together"),
        ])
    }

    /// Static files a second, beside nginx over the same files.
    fn reads(&self) -> Result<Figure> {
        let (english, chinese) = ("static files served", "静态文件");
        let Some(nginx) = std::env::var_os("NGINX").map(PathBuf::from) else {
            let why = "NGINX does not name the program";
            return Ok(Figure::not_run("served-files", english, chinese, why));
        };
        let (_server, ours) = self.serve()?;
        let (_peer, theirs) = self.nginx(&nginx)?;
        let paths = ["checkpoint", "tile/0/000", "tile/entries/000", "tile/0/001"];
        let paths: Vec<Vec<u8>> = paths.iter().map(|path| get(path)).collect();
        let (mut own, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..SLICES {
            own.push(rate(ours, &paths)?);
            peer.push(rate(theirs, &paths)?);
        }
        Ok(
            Figure::new("served-files", english, chinese, median(own), "/s")
                .against("nginx", median(peer))
                .at_least(0.5)
                .note("checkpoint, tiles and bundles in turn; eight connections that stay open"),
        )
    }

    fn nginx(&self, program: &Path) -> Result<(Running, SocketAddr)> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = format!(
            "daemon off; worker_processes 2; pid nginx.pid; error_log nginx.log;\n\
             events {{}}\n\
             http {{\n  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
             \x20 client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;\n\
             \x20 uwsgi_temp_path t4; scgi_temp_path t5;\n\
             \x20 server {{ listen {address}; root shown; }}\n}}\n"
        );
        std::fs::write(self.folder.join("nginx.conf"), config)?;
        let prefix = format!("{}/", self.folder.display());
        let child = Command::new(program)
            .args(["-p", &prefix, "-c", "nginx.conf"])
            .current_dir(&self.folder)
            .stderr(Stdio::null())
            .spawn()?;
        let running = Running(child);
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            ensure!(Instant::now() < end, "nginx did not start");
            thread::park_timeout(Duration::from_millis(20));
        }
        Ok((running, address))
    }
}

/// Requests a second that several connections get answered, for a turn.
fn rate(address: SocketAddr, paths: &[Vec<u8>]) -> Result<f64> {
    let start = Instant::now();
    let ask = || -> Result<usize> {
        let mut line = Line::new(address)?;
        let mut asked = 0;
        for path in paths.iter().cycle() {
            if start.elapsed() > TURN {
                break;
            }
            line.ask(path)?;
            asked += 1;
        }
        Ok(asked)
    };
    let asked = thread::scope(|scope| -> Result<usize> {
        let all: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        all.into_iter()
            .map(|asking| asking.join().expect("no thread panics"))
            .sum()
    })?;
    Ok(float(asked) / start.elapsed().as_secs_f64())
}

fn get(path: &str) -> Vec<u8> {
    format!("GET /{path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

fn body(batch: &[Event]) -> Vec<u8> {
    let mut body = vec![b'['];
    for (n, event) in batch.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend(event.bytes());
    }
    body.push(b']');
    body
}

/// A connection that is kept.
struct Line(BufReader<TcpStream>);

impl Line {
    fn new(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self(BufReader::new(stream)))
    }

    fn post(&mut self, body: &[u8]) -> Result<()> {
        let length = body.len();
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        self.ask(&[head.as_bytes(), body].concat())
    }

    /// Asks, and reads the whole answer, which must be 200 or 201.
    fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.0.get_mut().write_all(request)?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.clone();
        let mut length = None;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.context("an answer without a length")?];
        self.0.read_exact(&mut body)?;
        if !(status.contains(" 200 ") || status.contains(" 201 ")) {
            let text = String::from_utf8_lossy(&body);
            bail!(
                "{}: {}",
                status.trim_end(),
                text.get(..400).unwrap_or(&text)
            );
        }
        Ok(())
    }
}

/// Processor time that a process has used, seconds: utime and stime of proc(5).
fn processor(pid: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = text.rsplit_once(')').context("proc(5) stat")?.1;
    let mut fields = after.split_whitespace().skip(11);
    let mut ticks = || -> Result<f64> {
        let field = fields.next().context("proc(5) stat")?;
        Ok(field.parse::<f64>()?)
    };
    // Ticks of 1/100 s, whatever the kernel's own clock is.
    Ok((ticks()? + ticks()?) / 100.0)
}
