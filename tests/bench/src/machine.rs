//! The machine: what it is, and the limits nothing built on it can exceed.

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use ed25519_dalek::{Signer as _, SigningKey};
use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use serde::{Deserialize, Serialize};
use zhao_spec::log::tree::{leaf_hash, node_hash};
use zhao_spec::wire::Hash;

use crate::figure::Figure;
use crate::statistics::{SLICES, float, median, per_second, percentile, rate};

/// Bytes of a leaf, about those of an event about a licence.
pub(crate) const LEAF_BYTES: usize = 600;
/// Entries of a synced batch of the engine, and bytes of each.
const ENTRIES: u64 = 1_000;
const ENTRY_BYTES: usize = 400;
const SYNCS: usize = 400;

/// What the figures were measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Model of the processor, as the kernel names it.
    pub(crate) processor: String,
    /// Processors the program may use.
    pub(crate) cores: usize,
    /// Main memory, GiB.
    pub(crate) memory_gib: u64,
    /// Name and version of the kernel.
    pub(crate) kernel: String,
    /// File system of the data folder, and the size of its disk.
    pub(crate) disk: String,
    /// Version of the compiler.
    pub(crate) compiler: String,
}

impl Machine {
    /// This machine, and the disk of `folder`.
    pub(crate) fn here(folder: &Path) -> Self {
        let from = |path: &str, name: &str| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory = from("/proc/meminfo", "MemTotal");
        let kib: u64 = memory
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        let folder = folder.to_string_lossy();
        Self {
            processor: from("/proc/cpuinfo", "model name"),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: said("uname", &["-sr"]),
            disk: said("df", &["--output=fstype,size", "-h", &folder])
                .lines()
                .last()
                .unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            compiler: said("rustc", &["--version"]),
        }
    }
}

/// What a program says; nothing if it is not there.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

/// Strict verifications a second on two threads: what admission and replay are ratios to.
pub(crate) fn strict_on_two(slices: impl Fn(&mut dyn FnMut()) -> f64 + Sync) -> f64 {
    let case = signature_case();
    let run = || slices(&mut || case.verify());
    thread::scope(|scope| {
        let other = scope.spawn(run);
        run() + other.join().expect("the other thread measures")
    })
}

/// A short slice, to stand between slices of what is compared.
fn short(call: &mut dyn FnMut()) -> f64 {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed().as_millis() < 150 {
        call();
        count += 1;
    }
    per_second(count, start.elapsed())
}

/// Strict verifications a second on two threads, measured beside something else.
pub(crate) fn strict_beside() -> f64 {
    strict_on_two(short)
}

/// The same on one thread.
pub(crate) fn strict_on_one() -> f64 {
    let case = signature_case();
    short(&mut || case.verify())
}

struct SignatureCase {
    key: SigningKey,
    message: Vec<u8>,
    signature: ed25519_dalek::Signature,
}

fn signature_case() -> SignatureCase {
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = vec![7; LEAF_BYTES];
    let signature = key.sign(&message);
    SignatureCase {
        key,
        message,
        signature,
    }
}

impl SignatureCase {
    fn verify(&self) {
        let key = self.key.verifying_key();
        let good = key.verify_strict(black_box(&self.message), &self.signature);
        assert!(good.is_ok(), "the signature is good");
    }
}

/// Measures the limits.
pub(crate) fn measure(folder: &Path) -> Result<Vec<Figure>> {
    let case = signature_case();
    let strict_one = rate(|| case.verify());
    let strict_two = strict_on_two(|call| rate(call));
    let sign = rate(|| {
        black_box(case.key.sign(black_box(&case.message)));
    });
    let leaf = rate(|| {
        black_box(leaf_hash(black_box(&case.message)));
    });
    let (left, right) = (Hash([1; 32]), Hash([2; 32]));
    let node = rate(|| {
        black_box(node_hash(black_box(&left), black_box(&right)));
    });
    let (typical, slow) = syncs(folder)?;
    let entries = engine(folder)?;
    Ok(vec![
        Figure::new(
            "strict-one",
            "verify_strict, one thread",
            "严格验签，单线程",
            strict_one,
            "/s",
        ),
        Figure::new(
            "strict-two",
            "verify_strict, two threads",
            "严格验签，双线程",
            strict_two,
            "/s",
        )
        .against("one thread", strict_one),
        Figure::new("sign", "signing, one thread", "签名，单线程", sign, "/s"),
        Figure::new(
            "leaf-hash",
            "hash of a leaf of 600 B",
            "600 字节叶子哈希",
            leaf,
            "/s",
        ),
        Figure::new("node-hash", "hash of a node", "内部节点哈希", node, "/s"),
        Figure::new(
            "fsync",
            "synced write of 4 KiB, median",
            "4 KiB 同步写，中位",
            typical,
            "ms",
        ),
        Figure::new(
            "fsync-p99",
            "synced write of 4 KiB, p99",
            "4 KiB 同步写，p99",
            slow,
            "ms",
        ),
        Figure::new(
            "engine",
            "RocksDB, synced batches of 1,000 × 400 B",
            "RocksDB 同步批写，1000 × 400 字节",
            entries,
            "/s",
        ),
    ])
}

/// Milliseconds of a synced write: median and 99th percentile.
fn syncs(folder: &Path) -> Result<(f64, f64)> {
    let mut file = File::create(folder.join("sync"))?;
    let mut one = || -> Result<f64> {
        let start = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[7; 4_096])?;
        file.sync_data().context("the disk does not sync")?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    one()?;
    let times = (0..SYNCS).map(|_| one()).collect::<Result<Vec<_>>>()?;
    Ok((percentile(times.clone(), 50), percentile(times, 99)))
}

/// Entries a second of synced batches with ascending keys, which is how a log writes.
fn engine(folder: &Path) -> Result<f64> {
    let mut options = Options::default();
    options.create_if_missing(true);
    let db = DB::open(&options, folder.join("engine"))?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let mut next = 0_u64;
    let mut rates = Vec::new();
    for _ in 0..SLICES {
        let (start, first) = (Instant::now(), next);
        while start.elapsed().as_millis() < 300 {
            let mut batch = WriteBatch::default();
            for _ in 0..ENTRIES {
                batch.put(next.to_be_bytes(), [7; ENTRY_BYTES]);
                next += 1;
            }
            db.write_opt(batch, &synced)?;
        }
        rates.push(float(usize::try_from(next - first)?) / start.elapsed().as_secs_f64());
    }
    Ok(median(rates))
}
