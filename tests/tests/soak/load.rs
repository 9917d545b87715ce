//! Load: what is asked, how fast, and what came back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Ask, Line};

/// Of ten requests so many change something.
const WRITES: u64 = 3;

/// What a server under load is asked.
pub(crate) struct Mix {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    /// Holder whose public answer is asked for; what is written is another's, so it stays small.
    pub(crate) uscc: String,
    /// A bundle of entries that is full.
    pub(crate) bundle: String,
    /// Subjects of licences that are there.
    pub(crate) subjects: Vec<String>,
    /// Rows written so far: each has a case number of its own.
    pub(crate) rows: AtomicU64,
}

impl Mix {
    fn ask(&self, number: u64) -> (bool, Ask) {
        if number % 10 < WRITES {
            return (true, self.write());
        }
        let at = usize::try_from(number).unwrap_or(0) % self.subjects.len();
        let ask = match number % 10 {
            3 | 4 => Ask::get("/checkpoint"),
            5 | 6 => Ask::get(self.bundle.clone()),
            7 | 8 => Ask::get(format!("/v1/subjects/{}", self.subjects[at])),
            _ => Ask::get(format!("/v1/public/enterprises/{}", self.uscc)),
        };
        (false, ask)
    }

    /// One licence more.
    pub(crate) fn write(&self) -> Ask {
        let row = self.rows.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::json!({
            "type": "food-operation",
            "reference": format!("soak-{row}"),
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
            key: Some(self.key.clone()),
            body: body.to_string(),
        }
    }
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Came {
    /// Milliseconds from the moment a request was due to its answer.
    pub(crate) writes: Vec<f64>,
    pub(crate) reads: Vec<f64>,
    /// Answers by status.
    pub(crate) status: BTreeMap<u16, u64>,
    /// Licences answered as issued, and as pending.
    pub(crate) issued: Vec<String>,
    pub(crate) pending: Vec<String>,
    /// Connections that broke, and answers that are none of those expected.
    pub(crate) errors: Vec<String>,
}

impl Came {
    fn take(&mut self, write: bool, millis: f64, answer: std::io::Result<(u16, Vec<u8>)>) {
        let (status, body) = match answer {
            Ok(answer) => answer,
            Err(error) => return self.errors.push(error.to_string()),
        };
        *self.status.entry(status).or_default() += 1;
        let times = if write {
            &mut self.writes
        } else {
            &mut self.reads
        };
        match status {
            200..=202 => times.push(millis),
            429 => return,
            other => {
                let text = String::from_utf8_lossy(&body).into_owned();
                return self.errors.push(format!("{other}: {text}"));
            }
        }
        if write {
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let subject = json["licence"]["subject"].as_str().unwrap_or_default();
            match status {
                202 => self.pending.push(subject.to_owned()),
                _ => self.issued.push(subject.to_owned()),
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.reads.extend(other.reads);
        for (status, count) in other.status {
            *self.status.entry(status).or_default() += count;
        }
        self.issued.extend(other.issued);
        self.pending.extend(other.pending);
        self.errors.extend(other.errors);
    }

    /// Answers that did what was asked.
    pub(crate) fn good(&self) -> usize {
        self.writes.len() + self.reads.len()
    }
}

/// Asks as fast as `workers` get answers, for so long. Requests a second that were answered well.
pub(crate) fn peak(mix: &Mix, workers: usize, time: Duration) -> (f64, Came) {
    let start = Instant::now();
    let came = work(mix, workers, &|_| {
        (start.elapsed() < time).then(Instant::now)
    });
    (came.good() as f64 / start.elapsed().as_secs_f64(), came)
}

/// Asks `rate` times a second for so long, whatever comes back: a request that finds all workers
/// busy is late, and its time counts from when it was due.
pub(crate) fn steady(mix: &Mix, workers: usize, rate: f64, time: Duration) -> Came {
    let start = Instant::now();
    work(mix, workers, &|number| {
        let due = Duration::from_secs_f64(number as f64 / rate);
        (due < time).then(|| start + due)
    })
}

/// Workers that take request after request. `due` says when a request is due, or that it is not
/// to be asked any more.
fn work(mix: &Mix, workers: usize, due: &(dyn Fn(u64) -> Option<Instant> + Sync)) -> Came {
    let next = AtomicU64::new(0);
    let all = Mutex::new(Came::default());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut line = Line::new(mix.address);
                let mut came = Came::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(due) = due(number) else { break };
                    until(due);
                    let (write, ask) = mix.ask(number);
                    let answer = line.ask(&ask);
                    came.take(write, due.elapsed().as_secs_f64() * 1e3, answer);
                }
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.add(came);
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a moment.
pub(crate) fn until(moment: Instant) {
    let (_keep, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(moment.saturating_duration_since(Instant::now()));
}

/// Looks at a process's resident memory until it is told to stop: seconds and MiB.
pub(crate) fn watch(pid: u32, ended: &AtomicBool) -> Vec<(f64, f64)> {
    let start = Instant::now();
    let mut seen = Vec::new();
    let mut next = start;
    while !ended.load(Ordering::Relaxed) {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        if let Some(kib) = kib {
            seen.push((start.elapsed().as_secs_f64(), kib / 1024.0));
        }
        next += Duration::from_millis(500);
        until(next);
    }
    seen
}

/// The value below which so many of a hundred lie.
pub(crate) fn percentile(times: &mut [f64], hundredths: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = times.len().saturating_sub(1) * hundredths / 100;
    times.get(at).copied().unwrap_or(f64::NAN)
}
