//! The directory of an office: where things are, which format it has, and who is using it.
//!
//! ```text
//! DIR/zhao.toml           format, origin, region, names of the local cosigners
//! DIR/keys/               keys of the log, the units, the local witness and the local auditor
//! DIR/catalogue/          licence types
//! DIR/records.db          the office's own records
//! DIR/ledger/             the log: database in db/, intent and published head beside it; in
//!                         db.format-N/ what zhao migrate replaced, until somebody deletes it
//! DIR/witness/, auditor/  what the local witness and the local auditor remember
//! DIR/policy.txt, trust.txt, issuer-pack.json     for whoever verifies
//! DIR/zhao.lock           held while a process writes
//! DIR/zhao.sock           where a server takes the commands of the directory's owner
//! DIR-admin/              the administrators' keys
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use zhao_spec::id::RegionCode;
use zhao_spec::log::note::check_name;

use crate::failure::{Failure, args};
use crate::files;
use crate::serve::settings::Table;

/// Folder of the licence types in an office.
pub(crate) const CATALOGUE: &str = "catalogue";
/// The format this program reads and writes.
pub(crate) const FORMAT: u64 = 1;
/// Largest zhao.toml, bytes.
const CONFIG_BYTES: usize = 64 << 10;

/// What zhao.toml says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Version of the directory's layout.
    pub(crate) format: u64,
    /// Name of the log.
    pub(crate) origin: String,
    /// Administrative division of the office.
    pub(crate) region: String,
    /// Name of the local witness's key.
    pub(crate) witness: String,
    /// Name of the local auditor's key.
    pub(crate) auditor: String,
    /// Whether the log signs with ML-DSA-44 besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) mldsa: bool,
    /// ML-DSA keys of witnesses, whose cosignatures are published beside the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mldsa_keys: Vec<String>,
    /// Where the log is published besides, and its heads are claimed: a folder, or s3://….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publish: Option<String>,
    /// How the server is set up, where the command line says nothing.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub(crate) serve: Table,
    /// Auditors elsewhere: name in trust.txt → URL where they are asked. Witnesses have theirs in
    /// policy.txt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) auditors: BTreeMap<String, String>,
}

#[cfg(test)]
impl Config {
    /// A configuration, for tests.
    pub(crate) fn example() -> Self {
        Self {
            format: FORMAT,
            origin: "a.example/b".into(),
            region: "320400".into(),
            witness: "a.example/w".into(),
            auditor: "a.example/a".into(),
            auditors: BTreeMap::new(),
            mldsa: false,
            mldsa_keys: Vec::new(),
            publish: None,
            serve: Table::default(),
        }
    }
}

/// An office's directory.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    /// What zhao.toml says.
    pub(crate) config: Config,
}

impl Home {
    /// The directory as `zhao init` is about to make it.
    pub(crate) fn new(dir: &Path, config: Config) -> Self {
        Self {
            dir: dir.to_owned(),
            config,
        }
    }

    /// An existing directory.
    ///
    /// # Errors
    /// No zhao.toml, a malformed one, or one of another format version.
    pub(crate) fn open(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("zhao.toml");
        if !path.is_file() {
            return Err(Failure::usage("home-missing", args![path = dir.display()]));
        }
        let text = files::read_text(&path, CONFIG_BYTES)?;
        let wrong = |cause: &dyn std::fmt::Display| {
            let cause = cause.to_string();
            let cause = cause.trim().replace('\n', " ");
            Failure::usage("home-config", args![path = path.display(), cause])
        };
        // The version first: a newer format may have members that this program does not know.
        let table: toml::Table = text
            .parse()
            .map_err(|cause: toml::de::Error| wrong(&cause.message()))?;
        match table.get("format").and_then(toml::Value::as_integer) {
            Some(format) if u64::try_from(format) == Ok(FORMAT) => {}
            Some(actual) => {
                let path = path.display();
                return Err(Failure::usage(
                    "home-format",
                    args![path, expected = FORMAT, actual],
                ));
            }
            None => return Err(wrong(&"format is missing or not an integer")),
        }
        let config: Config = table
            .try_into()
            .map_err(|cause: toml::de::Error| wrong(&cause.message()))?;
        for name in [&config.origin, &config.witness, &config.auditor] {
            check_name(name).map_err(|cause| wrong(&cause))?;
        }
        RegionCode::parse(&config.region).map_err(|cause| wrong(&cause))?;
        Ok(Self {
            dir: dir.to_owned(),
            config,
        })
    }

    /// Writes zhao.toml: last of all when a directory is made, so that a half-made one is none.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn write_config(&self) -> Result<(), Failure> {
        let text = toml::to_string(&self.config).expect("the configuration is plain text");
        files::replace(&self.dir.join("zhao.toml"), text.as_bytes())
    }

    /// The directory itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keys of the log, units and local cosigners.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// Licence types.
    pub(crate) fn catalogue(&self) -> PathBuf {
        self.dir.join(CATALOGUE)
    }

    /// The office's records.
    pub(crate) fn records(&self) -> PathBuf {
        self.dir.join("records.db")
    }

    /// The log's files.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    /// The log's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.ledger().join("db")
    }

    /// What the local witness remembers.
    pub(crate) fn witness(&self) -> PathBuf {
        self.dir.join("witness")
    }

    /// What the local auditor remembers.
    pub(crate) fn auditor(&self) -> PathBuf {
        self.dir.join("auditor")
    }

    /// The policy.
    pub(crate) fn policy(&self) -> PathBuf {
        self.dir.join("policy.txt")
    }

    /// The trust file.
    pub(crate) fn trust(&self) -> PathBuf {
        self.dir.join("trust.txt")
    }

    /// The issuer pack.
    pub(crate) fn pack(&self) -> PathBuf {
        self.dir.join("issuer-pack.json")
    }

    /// Where a server takes commands.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("zhao.sock")
    }

    /// The administrators' keys, unless a flag names another place.
    pub(crate) fn admin(&self, flag: Option<&Path>) -> PathBuf {
        flag.map_or_else(|| admin_beside(&self.dir), Path::to_owned)
    }

    /// Takes the directory for this process.
    ///
    /// # Errors
    /// Another process has it.
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        lock(&self.dir, || {
            // Only a server listens there, and it is no matter of waiting.
            UnixStream::connect(self.socket()).is_ok()
        })
    }
}

/// Takes a directory for this process. `served` says whether whoever has it is a server.
///
/// # Errors
/// Another process has it.
pub(crate) fn lock(dir: &Path, served: impl FnOnce() -> bool) -> Result<Lock, Failure> {
    let path = dir.join("zhao.lock");
    let wrap = |cause: std::io::Error| Failure::file("write", &path, &cause);
    let mut file = File::options()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(wrap)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut owner = String::new();
        let _ = (&mut file).take(32).read_to_string(&mut owner);
        let process = owner.trim().to_owned();
        let process = if process.is_empty() {
            "?".to_owned()
        } else {
            process
        };
        let path = dir.display();
        return Err(if served() {
            Failure::usage("home-served", args![path])
        } else {
            Failure::usage("home-busy", args![path, process])
        });
    }
    // Who holds it, for the message above. The lock is the flock, not this text.
    file.set_len(0).map_err(wrap)?;
    file.rewind().map_err(wrap)?;
    writeln!(file, "{}", std::process::id()).map_err(wrap)?;
    Ok(Lock { _file: file })
}

/// The directory is this process's while this lives; the kernel lets go when the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// `DIR-admin`, beside `DIR`.
pub(crate) fn admin_beside(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or(dir.as_os_str()).to_owned();
    name.push("-admin");
    dir.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Failure {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("zhao.toml"), text).unwrap();
        Home::open(dir.path()).unwrap_err()
    }

    #[test]
    fn wrong_configurations_are_refused_each_with_its_error() {
        let good = "format = 1\norigin = \"a.example/b\"\nregion = \"320400\"\n\
                    witness = \"a.example/w\"\nauditor = \"a.example/a\"\n";
        for (text, key) in [
            (good.replace("format = 1", "format = 2"), "home-format"),
            (good.replace("format = 1", "format = -1"), "home-format"),
            (good.replace("format = 1", "format = \"1\""), "home-config"),
            (good.replace("320400", "999999"), "home-config"),
            (good.replace("a.example/b", "a b"), "home-config"),
            (format!("{good}colour = \"red\"\n"), "home-config"),
            (format!("{good}[serve]\ncolour = 1\n"), "home-config"),
            (format!("{good}[serve]\nlisten = \"here\"\n"), "home-config"),
            (format!("{good}[serve]\npublic-rate = 0\n"), "home-config"),
            (format!("{good}[serve]\nheartbeat = -1\n"), "home-config"),
            (good.replace("region", "regions"), "home-config"),
            ("format = 1".to_owned(), "home-config"),
            ("\u{0}".to_owned(), "home-config"),
        ] {
            assert_eq!(config(&text).key(), key, "{text}");
        }
    }

    #[test]
    fn one_process_has_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(
            dir.path(),
            Config {
                auditors: BTreeMap::from([("b".into(), "http://b.example".into())]),
                publish: Some("/srv/log".into()),
                serve: Table {
                    heartbeat: Some(60),
                    ..Table::default()
                },
                ..Config::example()
            },
        );
        home.write_config().unwrap();
        assert_eq!(Home::open(dir.path()).unwrap().config, home.config);
        let lock = home.lock().unwrap();
        assert_eq!(home.lock().unwrap_err().key(), "home-busy");
        // A socket that somebody listens on is a server's; one that nobody does is nothing.
        let listener = std::os::unix::net::UnixListener::bind(home.socket()).unwrap();
        assert_eq!(home.lock().unwrap_err().key(), "home-served");
        drop(listener);
        assert_eq!(home.lock().unwrap_err().key(), "home-busy");
        drop(lock);
        home.lock().unwrap();
    }

    #[test]
    fn the_administrators_live_beside_the_office() {
        assert_eq!(
            admin_beside(Path::new("/x/office/")),
            PathBuf::from("/x/office-admin")
        );
        assert_eq!(
            admin_beside(Path::new("office")),
            PathBuf::from("office-admin")
        );
    }
}
