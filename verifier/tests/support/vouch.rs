//! Who signs and cosigns, and the policies that name them.

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::{UnixSeconds, cosign};
use zhao_spec::log::note::{KeyKind, NoteSigner, SignedNote, Vkey};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};

use super::key;

/// A cosigner's line: whose key, under which name, how many seconds after the epoch.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub delay: i64,
}

/// Who signs a checkpoint.
#[derive(Clone, Debug)]
pub struct Vouchers {
    /// Names of the log's secret keys.
    pub log: Vec<String>,
    pub witnesses: Vec<Line>,
    pub auditors: Vec<Line>,
    /// Of the line of this key, a cosigner's or the log's, the last byte is changed.
    pub spoil: Option<String>,
}

impl Vouchers {
    /// All three witnesses and both auditors, honest.
    pub fn all() -> Self {
        Self::of(&["w1", "w2", "w3"], &["a1", "a2"])
    }

    /// These cosigners, two seconds after the epoch.
    pub fn of(witnesses: &[&str], auditors: &[&str]) -> Self {
        let lines = |names: &[&str], delay| {
            names
                .iter()
                .map(|name| Line {
                    name: (*name).to_owned(),
                    delay,
                })
                .collect()
        };
        Self {
            log: vec!["log".to_owned()],
            witnesses: lines(witnesses, 2),
            auditors: lines(auditors, 3),
            spoil: None,
        }
    }

    /// The same, the witnesses so many seconds after the epoch.
    pub fn delayed(mut self, seconds: &[i64]) -> Self {
        for (line, delay) in self.witnesses.iter_mut().zip(seconds) {
            line.delay = *delay;
        }
        self
    }

    /// The same, with another key in the log's place.
    pub fn signed_by(mut self, log: &str) -> Self {
        self.log = vec![log.to_owned()];
        self
    }

    /// The same, with this key of the log's besides.
    pub fn and_by(mut self, log: &str) -> Self {
        self.log.push(log.to_owned());
        self
    }

    /// The same, one line false.
    pub fn spoiled(mut self, name: &str) -> Self {
        self.spoil = Some(name.to_owned());
        self
    }

    /// The signed checkpoint.
    pub fn sign(&self, checkpoint: &Checkpoint, epoch: UnixMillis) -> SignedNote {
        let mut note = checkpoint.to_note().unwrap();
        for log in &self.log {
            let signer = log_signer(&checkpoint.origin, log);
            if self.spoil.as_ref() == Some(log) {
                let mut line = signer.sign(&checkpoint.body());
                *line.blob.last_mut().unwrap() ^= 1;
                note.add(line).unwrap();
            } else {
                note.sign(&signer).unwrap();
            }
        }
        for line in self.witnesses.iter().chain(&self.auditors) {
            let seconds = i64::try_from(epoch.0 / 1_000).unwrap() + line.delay;
            let time = UnixSeconds(u64::try_from(seconds).unwrap());
            let name = format!("{}.example", line.name);
            let mut signature = cosign(&key(&line.name), &name, time, &checkpoint.body()).unwrap();
            if self.spoil.as_ref() == Some(&line.name) {
                *signature.blob.last_mut().unwrap() ^= 1;
            }
            note.add(signature).unwrap();
        }
        note
    }
}

/// The log's signer: one key for each origin; `=w1` is that cosigner's own.
pub fn log_signer(origin: &str, name: &str) -> NoteSigner {
    NoteSigner::new(origin, log_secret(origin, name)).unwrap()
}

/// The secret key of [`log_signer`].
pub fn log_secret(origin: &str, name: &str) -> SecretKey {
    match name.strip_prefix('=') {
        Some(cosigner) => key(cosigner),
        None => key(&format!("{name} {origin}")),
    }
}

/// A cosigner's verifier key.
pub fn cosigner(name: &str) -> String {
    let name_in_note = format!("{name}.example");
    Vkey::new(&name_in_note, KeyKind::Cosignature, key(name).public())
        .unwrap()
        .format()
}

/// What a policy vector says; the default is two of three witnesses and one of two auditors.
#[derive(Clone, Debug)]
pub struct Trusting {
    pub logs: Vec<(String, Hash)>,
    pub quorum: String,
    pub auditors: String,
    pub local_witnesses: Vec<String>,
    pub local_auditors: Vec<String>,
}

impl Trusting {
    pub fn new(logs: &[(&str, Hash)]) -> Self {
        Self {
            logs: logs
                .iter()
                .map(|(origin, hash)| ((*origin).to_owned(), *hash))
                .collect(),
            quorum: "group most 2 w1 w2 w3\nquorum most".to_owned(),
            auditors: "1".to_owned(),
            local_witnesses: Vec::new(),
            local_auditors: Vec::new(),
        }
    }

    pub fn quorum(mut self, lines: &str) -> Self {
        self.quorum = lines.to_owned();
        self
    }

    pub fn auditors(mut self, number: &str) -> Self {
        self.auditors = number.to_owned();
        self
    }

    pub fn local(mut self, witnesses: &[&str], auditors: &[&str]) -> Self {
        self.local_witnesses = witnesses.iter().map(|name| (*name).to_owned()).collect();
        self.local_auditors = auditors.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub fn policy(&self) -> String {
        let mut text = String::new();
        for (origin, _) in &self.logs {
            let vkey = log_signer(origin, "log").vkey().format();
            text.push_str(&format!("log {vkey}\n"));
        }
        for name in ["w1", "w2", "w3"] {
            text.push_str(&format!("witness {name} {}\n", cosigner(name)));
        }
        text.push_str(&self.quorum);
        text.push('\n');
        text
    }

    pub fn trust(&self) -> String {
        let mut text = String::new();
        for (origin, genesis) in &self.logs {
            text.push_str(&format!("administrator {origin} {}\n", genesis.to_base64()));
        }
        for name in ["a1", "a2"] {
            let local = if self.local_auditors.iter().any(|own| own == name) {
                " local"
            } else {
                ""
            };
            text.push_str(&format!("auditor {name} {}{local}\n", cosigner(name)));
        }
        text.push_str(&format!("auditors {}\n", self.auditors));
        for name in &self.local_witnesses {
            text.push_str(&format!("local-witness {name}\n"));
        }
        text.push_str("max-age 7d\nmax-lag 10m\nskew 2m\ninclusion-bound 1h\npack-max-age 30d\n");
        text
    }
}
