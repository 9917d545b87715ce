//! Judges Zhao's log, as its server publishes it, with the crates `tlog_tiles` and `signed_note`:
//! the log's signature, every tile, inclusion of every entry, consistency of twenty sizes.
//!
//! ```text
//! zhao-interop POLICY URL LEAST
//! ```
//!
//! POLICY is a C2SP tlog-policy; at URL a log of at least LEAST entries is served. Each thing is
//! judged a second time with one bit turned, and must be refused then. Cosignatures are for other
//! judges: `signed_note` has no verifier of that kind of key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash, tree_hash,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HEIGHT: u8 = 8;
const FULL: u64 = 1 << HEIGHT;
/// Published sizes whose pairs are compared.
const SIZES: usize = 20;

/// A log at a URL. What was read is kept under its path.
struct Server {
    /// `host:port`.
    address: String,
    /// What stands before each path: it begins and ends with a slash.
    prefix: String,
    kept: RefCell<HashMap<String, Option<Vec<u8>>>>,
}

impl Server {
    fn new(url: &str) -> Result<Self> {
        let rest = url
            .strip_prefix("http://")
            .filter(|rest| rest.ends_with('/'));
        let rest = rest.ok_or("only http://…/ here")?;
        let (address, prefix) = rest.split_once('/').unwrap_or_default();
        Ok(Self {
            address: address.to_owned(),
            prefix: format!("/{prefix}"),
            kept: RefCell::default(),
        })
    }

    /// A resource; none where the server has none.
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if let Some(body) = self.kept.borrow().get(path) {
            return Ok(body.clone());
        }
        let body = self.fetch(path)?;
        let mut kept = self.kept.borrow_mut();
        kept.insert(path.to_owned(), body.clone());
        Ok(body)
    }

    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (address, prefix) = (&self.address, &self.prefix);
        write!(
            stream,
            "GET {prefix}{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .ok_or("no end of the header")?;
        let header = String::from_utf8(answer[..end].to_vec())?.to_ascii_lowercase();
        let mut body = answer.split_off(end + 4);
        let mut length = None;
        for line in header.lines() {
            match line.split_once(": ") {
                Some(("content-length", value)) => length = Some(value.parse::<usize>()?),
                Some(("content-encoding" | "transfer-encoding", value)) => {
                    return Err(format!("{path}: {value} was not asked for").into());
                }
                _ => {}
            }
        }
        if length != Some(body.len()) {
            return Err(format!("{path}: {} bytes, announced {length:?}", body.len()).into());
        }
        match header.split(' ').nth(1) {
            Some("200") => {}
            Some("404") => return Ok(None),
            other => return Err(format!("{path}: status {other:?}").into()),
        }
        body.shrink_to_fit();
        Ok(Some(body))
    }

    /// A tile at its width, or the full one where the log has only that; and the width it has.
    fn tile(&self, tile: &Tile) -> Result<(Vec<u8>, u64)> {
        if let Some(body) = self.get(&path(tile))? {
            return Ok((body, tile.width().into()));
        }
        let (level, index) = (tile.level(), tile.level_index());
        let whole = Tile::new(HEIGHT, level, index, 1 << HEIGHT, tile.is_data());
        let body = self.get(&path(&whole))?;
        Ok((body.ok_or_else(|| format!("no {}", path(tile)))?, FULL))
    }

    /// All of the first `size` entries.
    fn entries(&self, size: u64) -> Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        for index in 0..size.div_ceil(FULL) {
            let want = FULL.min(size - index * FULL);
            let tile = Tile::new(HEIGHT, 0, index, u32::try_from(want)?, true);
            let (body, width) = self.tile(&tile)?;
            let mut rest = &body[..];
            for slot in 0..width {
                let cut = || format!("{}: ends within an entry", path(&tile));
                let (length, behind) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (entry, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
                if slot < want {
                    all.push(entry.to_vec());
                }
                rest = behind;
            }
            if !rest.is_empty() {
                return Err(format!("{}: more than {width} entries", path(&tile)).into());
            }
        }
        Ok(all)
    }
}

/// The crate's paths have the height in them, and call entries data; C2SP does neither.
fn path(tile: &Tile) -> String {
    let long = tile.path();
    let short = long.strip_prefix("tile/8/").unwrap_or(&long);
    match short.strip_prefix("data/") {
        Some(rest) => format!("tile/entries/{rest}"),
        None => format!("tile/{short}"),
    }
}

impl TileReader for Server {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> std::result::Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let one = |tile: &Tile| {
            let wanted = tile.width() as usize * tlog_tiles::HASH_SIZE;
            match self.tile(tile) {
                Ok((mut body, _)) if body.len() >= wanted => {
                    body.truncate(wanted);
                    Ok(body)
                }
                Ok(_) => Err(tlog_tiles::Error::InvalidTile),
                Err(error) => Err(tlog_tiles::Error::InvalidInput(error.to_string())),
            }
        };
        tiles.iter().map(one).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Opens a checkpoint under the log's key.
fn open(vkey: &str, note: &[u8]) -> Result<Checkpoint> {
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(vkey)?)]);
    let note = Note::from_bytes(note)?;
    note.verify(&known)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|error| error.to_string())?;
    if !vkey.starts_with(&format!("{}+", checkpoint.origin())) {
        return Err("checkpoint of another origin".into());
    }
    Ok(checkpoint)
}

/// Proves every entry from tiles; returns the sizes that were published: each ends in an epoch.
fn included(tiles: &impl HashReader, size: u64, root: Hash, all: &[Vec<u8>]) -> Result<Vec<u64>> {
    let mut published = Vec::new();
    for (index, entry) in (0..).zip(all) {
        let proof = prove_record(size, index, tiles).map_err(|e| format!("entry {index}: {e}"))?;
        check_record(&proof, size, root, index, record_hash(entry))
            .map_err(|e| format!("entry {index}: {e}"))?;
        let mut turned = record_hash(entry);
        turned.0[0] ^= 1;
        if check_record(&proof, size, root, index, turned).is_ok() {
            return Err(format!("entry {index}: accepted another hash").into());
        }
        // Members are sorted, and a nested one of this name would only add a size.
        if entry.windows(14).any(|part| part == br#""leaf":"epoch""#) {
            published.push(index + 1);
        }
    }
    Ok(published)
}

/// Proves each size to be the beginning of each later one, from the later one's own tiles.
fn consistent(server: &Server, head: &impl HashReader, sizes: &[u64]) -> Result<usize> {
    let mut pairs = 0;
    let mut earlier: Vec<(u64, Hash)> = Vec::new();
    for &size in sizes {
        let root = tree_hash(size, head)?;
        let tiles = TileHashReader::new(size, root, server);
        for &(old, old_root) in &earlier {
            let proof = prove_tree(size, old, &tiles)?;
            check_tree(&proof, size, root, old, old_root)?;
            let mut turned = old_root;
            turned.0[0] ^= 1;
            if check_tree(&proof, size, root, old, turned).is_ok() {
                return Err(format!("{old} to {size}: accepted another root").into());
            }
            pairs += 1;
        }
        earlier.push((size, root));
    }
    Ok(pairs)
}

fn judge(policy: &str, url: &str, least: &str) -> Result<String> {
    let policy = fs::read_to_string(policy)?;
    let vkey = policy
        .lines()
        .find_map(|line| line.strip_prefix("log "))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or("the policy names no log")?;
    let server = Server::new(url)?;
    let note = server.get("checkpoint")?.ok_or("no checkpoint")?;
    let checkpoint = open(vkey, &note)?;
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    let mut other = root;
    other.0[31] ^= 1;
    let turned = String::from_utf8(note)?.replace(&root.to_string(), &other.to_string());
    if open(vkey, turned.as_bytes()).is_ok() {
        return Err("accepted a checkpoint with another root".into());
    }
    if size < least.parse()? {
        return Err(format!("{size} entries, need {least}").into());
    }

    let entries = server.entries(size)?;
    let head = TileHashReader::new(size, root, &server);
    let published = included(&head, size, root, &entries)?;
    if published.len() < SIZES || published.last() != Some(&size) {
        return Err(format!("{} published sizes up to {size}", published.len()).into());
    }
    let nth = |i: usize| published[i * (published.len() - 1) / (SIZES - 1)];
    let sizes: Vec<u64> = (0..SIZES).map(nth).collect();
    let pairs = consistent(&server, &head, &sizes)?;
    let (origin, count) = (checkpoint.origin(), entries.len());
    Ok(format!(
        "{origin} at {size}: {count} of {size} entries included; {pairs} pairs of {SIZES} sizes \
         consistent, {} to {size}",
        sizes[0]
    ))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, policy, url, least] = &arguments[..] else {
        eprintln!("usage: zhao-interop POLICY URL LEAST");
        return ExitCode::from(2);
    };
    match judge(policy, url, least) {
        Ok(said) => {
            println!("tlog_tiles: {said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("refused: {error}");
            ExitCode::FAILURE
        }
    }
}
