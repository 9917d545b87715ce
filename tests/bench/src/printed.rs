//! QR forms on paper: drawn as the command line draws them, read back by another program's eyes,
//! and judged by both verifiers.

use std::io::{BufReader, BufWriter, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;
use serde_json::json;
use zhao_spec::qr::{codes, join};
use zhao_spec::wire::UnixMillis;
use zhao_spec::wire::binary::encode_base64;
use zhao_verifier::{Reason, Status, TrustPolicy, Verdict, verify};

use crate::drawing::{code, png};
use crate::figure::Figure;
use crate::progress::{bar, done};
use crate::statistics::{float, mean, median};

/// The command line of the other verifier, seen from this package.
const JAVASCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../verifier/js/bin/zhao-verify.mjs"
);

/// What a verifier has installed, and when it judges.
pub(crate) struct Installed {
    /// The policy file.
    pub(crate) policy: String,
    /// The trust file.
    pub(crate) trust: String,
    /// The issuer pack.
    pub(crate) pack: Vec<u8>,
    /// The verifier's time.
    pub(crate) at: UnixMillis,
}

/// How many were as they must be, and what was wrong with the first that was not.
#[derive(Default)]
struct Tally {
    good: usize,
    turned: usize,
    wrong: Option<String>,
}

impl Tally {
    fn count(&mut self, result: Result<()>) {
        match result {
            Ok(()) => self.good += 1,
            Err(error) => self.wrong = self.wrong.take().or(Some(format!("{error:#}"))),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.good += other.good;
        self.turned += other.turned;
        self.wrong = self.wrong.or(other.wrong);
        self
    }

    /// The row: all of them must be good.
    fn figure(self, id: &str, english: &str, chinese: &str, all: usize) -> Figure {
        let figure = Figure::new(id, english, chinese, float(self.good), "forms");
        let figure = figure.at_least(float(all));
        match self.wrong {
            Some(wrong) => {
                eprintln!("    {english}: {wrong}");
                figure.note(&format!("of {all}; the first that is not: {wrong}"))
            }
            None if self.turned > 0 => figure.note(&format!(
                "of {all}, {} of them after a quarter turn",
                self.turned
            )),
            None => figure.note(&format!("of {all}")),
        }
    }
}

/// Prints, reads and judges every form; the folder takes the installed files.
pub(crate) fn figures(
    forms: &[Vec<u8>],
    installed: &Installed,
    folder: &Path,
) -> Result<Vec<Figure>> {
    let all = forms.len();
    let printed = printed(forms)?;
    let (ours, times) = ours(forms, installed)?;
    let mut figures = vec![
        printed.figure(
            "qr-printed",
            "QR dossiers read back from their PNG by another program",
            "从 PNG 由他方程序读回的二维码卷宗",
            all,
        ),
        Figure::new(
            "qr-verify",
            "QR dossier expanded and verified, median",
            "二维码卷宗展开并核验，中位",
            median(times),
            "ms",
        )
        .note("the issuer pack read and checked each time"),
    ];
    let id = "qr-both";
    let english = "QR dossiers on which both verifiers agree";
    let chinese = "两个核验器结论一致的二维码卷宗";
    let Some(node) = start(installed, folder)? else {
        figures.push(Figure::not_run(id, english, chinese, "no node on the PATH"));
        return Ok(figures);
    };
    let (theirs, times) = theirs(node, forms, installed)?;
    let mut both = Tally::default();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        both.count(agreed(ours, theirs));
    }
    figures.push(both.figure(id, english, chinese, all));
    figures.push(Figure::new(
        "qr-verify-javascript",
        "the same in JavaScript, average",
        "同上，JavaScript，平均",
        mean(&times),
        "ms",
    ));
    Ok(figures)
}

/// Draws and reads all of them on two threads.
fn printed(forms: &[Vec<u8>]) -> Result<Tally> {
    let progress = bar(u64::try_from(forms.len())?, "printing and reading codes");
    let read = |forms: &[Vec<u8>]| {
        let mut tally = Tally::default();
        for form in forms {
            let read = through_paper(form);
            tally.turned += usize::from(matches!(read, Ok(true)));
            tally.count(read.map(drop));
            progress.inc(1);
        }
        tally
    };
    let (first, second) = forms.split_at(forms.len() / 2);
    let tally = thread::scope(|scope| {
        let other = scope.spawn(|| read(second));
        let tally = read(first);
        tally.and(other.join().expect("the other thread reads"))
    });
    done(&progress);
    Ok(tally)
}

/// Draws every code of a form, reads the pictures, and joins what they say. Gives whether any of
/// them had to be turned.
fn through_paper(form: &[u8]) -> Result<bool> {
    let (mut read, mut turned) = (Vec::new(), false);
    for text in codes(form)? {
        let (texts, turns) = seen(&png(&code(&text)))?;
        read.extend(texts);
        turned |= turns > 0;
    }
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    ensure!(join(&read)? == form, "the codes say another form");
    Ok(turned)
}

/// The texts that another program finds in a picture, and the quarter turns after which it does.
///
/// Data may look like a fourth corner. The reader then puts a code together from the wrong corners,
/// beside the right code or instead of it; which ones it tries first changes with a turn.
fn seen(picture: &[u8]) -> Result<(Vec<String>, usize)> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    // One byte a pixel, whatever the depth in the file.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let size = reader.output_buffer_size().context("the picture is huge")?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels)?;
    let (width, height) = (usize::try_from(info.width)?, usize::try_from(info.height)?);
    ensure!(width == height, "a picture is no square");
    for turns in 0..4 {
        let pixel = |x: usize, y: usize| {
            let (x, y) = (0..turns).fold((x, y), |(x, y), _| (y, width - 1 - x));
            pixels[y * info.line_size + x]
        };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
        let grids = image.detect_grids();
        let read = grids.iter().filter_map(|grid| Some(grid.decode().ok()?.1));
        let texts: Vec<String> = read.collect();
        if !texts.is_empty() {
            return Ok((texts, turns));
        }
    }
    bail!("no code is read in a picture")
}

/// Our verdict on each, and its time in milliseconds.
fn ours(forms: &[Vec<u8>], installed: &Installed) -> Result<(Vec<Verdict>, Vec<f64>)> {
    let policy = TrustPolicy::load(&installed.policy, &installed.trust)?;
    let pack = Some(installed.pack.as_slice());
    let judged = forms.iter().map(|form| {
        let start = Instant::now();
        let verdict = verify(form, &policy, pack, installed.at, None);
        (verdict, start.elapsed().as_secs_f64() * 1e3)
    });
    Ok(judged.unzip())
}

/// The other verifier with the same things installed; nothing where there is no Node.
fn start(installed: &Installed, folder: &Path) -> Result<Option<Child>> {
    let folder = folder.join("installed");
    std::fs::create_dir_all(&folder)?;
    let (policy, pack) = (folder.join("policy.txt"), folder.join("issuer-pack.json"));
    std::fs::write(&policy, &installed.policy)?;
    // Found by itself beside the policy.
    std::fs::write(folder.join("trust.txt"), &installed.trust)?;
    std::fs::write(&pack, &installed.pack)?;
    let node = Command::new("node")
        .args([JAVASCRIPT, "--batch", "--policy"])
        .arg(&policy)
        .arg("--pack")
        .arg(&pack)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    match node {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("node cannot be started"),
    }
}

/// Its answer about each, and the milliseconds between each answer and the one before.
fn theirs(
    mut node: Child,
    forms: &[Vec<u8>],
    installed: &Installed,
) -> Result<(Vec<String>, Vec<f64>)> {
    let stdin = node.stdin.take().context("its input is a pipe")?;
    let stdout = BufReader::new(node.stdout.take().context("its output is a pipe")?);
    let at = installed.at.to_string();
    let ask = move || -> std::io::Result<()> {
        let mut stdin = BufWriter::new(stdin);
        for form in forms {
            writeln!(stdin, "{}", json!({"bytes": encode_base64(form), "at": at}))?;
        }
        stdin.flush()
    };
    let progress = bar(u64::try_from(forms.len())?, "the other verifier");
    // Asked from a thread of its own: either pipe may fill up before the other is read.
    let (asked, heard) = thread::scope(|scope| {
        let asking = scope.spawn(ask);
        let heard = hear(stdout, &progress);
        (asking.join().expect("the other thread asks"), heard)
    });
    done(&progress);
    let ended = node.wait()?;
    ensure!(ended.success(), "the JavaScript verifier ended: {ended}");
    asked?;
    let (answers, times) = heard?;
    ensure!(
        answers.len() == forms.len(),
        "the JavaScript verifier answered {} of {}",
        answers.len(),
        forms.len()
    );
    Ok((answers, times))
}

fn hear(
    stdout: impl std::io::BufRead,
    progress: &ProgressBar,
) -> std::io::Result<(Vec<String>, Vec<f64>)> {
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    let mut last: Option<Instant> = None;
    for line in stdout.lines() {
        answers.push(line?);
        // The first is the start of the process as well.
        let now = Instant::now();
        times.extend(last.map(|last| (now - last).as_secs_f64() * 1e3));
        last = Some(now);
        progress.inc(1);
    }
    Ok((answers, times))
}

/// Whether a licence was judged as the log has it, and the other verifier says the same to the
/// byte: verdict, reasons, assurance and facts.
fn agreed(ours: &Verdict, theirs: &str) -> Result<()> {
    // The workload put some on hold; a verdict that says so has checked everything.
    let judged = match ours.status() {
        Status::Valid => ours.reasons().is_empty(),
        Status::NotUsable => ours.reasons() == [Reason::OnHold],
        _ => false,
    };
    ensure!(
        judged,
        "a form is {:?}: {:?}",
        ours.status(),
        ours.reasons()
    );
    let ours = String::from_utf8(ours.to_json())?;
    ensure!(ours == theirs, "ours {ours} theirs {theirs}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use zhao_spec::log::note::NoteSigner;

    use super::*;
    use crate::office::{Office, secret};
    use crate::workload::ORIGIN;

    #[test]
    fn another_program_reads_what_was_drawn() {
        let long: Vec<u8> = (0..4_000_u32)
            .map(|n| (n * n % 251).to_le_bytes()[0])
            .collect();
        for form in [&b"zhao"[..], &long] {
            through_paper(form).expect("the very form is read");
        }
    }

    #[test]
    fn a_code_that_another_program_puts_together_wrongly_is_read_after_a_turn() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut form = || -> Vec<u8> {
            let length = 1_900 + next() % 300;
            (0..length)
                .map(|_| (next() >> 24).to_le_bytes()[0])
                .collect()
        };
        // Data of the one looks like a corner that goes with two real ones; of the other, like
        // three corners of their own beside the real ones.
        let all: Vec<_> = (0..=2_144).map(|_| form()).collect();
        assert!(through_paper(&all[2_144]).expect("it is read"));
        assert!(!through_paper(&all[749]).expect("it is read"));
    }

    #[test]
    fn a_picture_without_a_code_is_not_read() {
        let mut picture = Vec::new();
        let mut encoder = png::Encoder::new(&mut picture, 64, 64);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let writer = encoder.write_header();
        writer
            .and_then(|mut writer| writer.write_image_data(&[255; 64 * 64]))
            .expect("a white picture is written");
        let error = seen(&picture).expect_err("nothing is there");
        assert_eq!(error.to_string(), "no code is read in a picture");
        assert!(seen(b"no picture").is_err());
    }

    #[test]
    fn what_is_not_good_is_not_counted_and_the_first_is_told() {
        let mut one = Tally::default();
        one.count(Ok(()));
        let mut other = Tally::default();
        other.count(Err(anyhow::anyhow!("first")));
        other.count(Err(anyhow::anyhow!("second")));
        let figure = one.and(other).figure("a", "", "", 3);
        assert_eq!(figure.value, Some(1.0));
        assert_eq!(figure.is_met(), Some(false));
        let note = figure.note.expect("it is told");
        assert_eq!(note, "of 3; the first that is not: first");
    }

    #[test]
    fn a_verdict_that_checked_nothing_is_not_agreement() {
        let log = NoteSigner::new(ORIGIN, secret("log")).expect("the name is good");
        let policy = format!("log {}\nquorum none\n", log.vkey().format());
        let genesis = Office::new(ORIGIN).genesis().hash().to_base64();
        let trust = format!(
            "administrator {ORIGIN} {genesis}\nauditors none\nmax-age 1d\nmax-lag 1h\n\
             pack-max-age 30d\nskew 5m\ninclusion-bound 1d\n"
        );
        let policy = TrustPolicy::load(&policy, &trust).expect("the two fit");
        let verdict = verify(b"\x80", &policy, None, UnixMillis(0), None);
        let same = String::from_utf8(verdict.to_json()).expect("it is text");
        let error = agreed(&verdict, &same).expect_err("malformed is no judgement");
        assert!(error.to_string().contains("Invalid"), "{error}");
    }
}
