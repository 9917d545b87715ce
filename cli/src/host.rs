//! The machine: clock, randomness, environment, terminal. The only file that touches them; all
//! other code gets what it needs from a [`Host`] or as plain arguments.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::wire::UnixMillis;

use crate::failure::{Failure, args};

/// Longest passphrase, bytes.
const PASSPHRASE_BYTES: u64 = 1_024;

/// What the program may ask the machine.
#[derive(Debug)]
pub(crate) struct Host {
    /// Whether people look at standard output.
    pub(crate) stdout_terminal: bool,
    /// Whether people look at standard error.
    pub(crate) stderr_terminal: bool,
    /// The clock.
    pub(crate) clock: Clock,
}

/// The wall clock, which the demo may set back so that a day can pass in a minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Milliseconds behind the machine's. One writer, the demo; any reader may be one step late.
    behind: Arc<AtomicU64>,
}

impl Clock {
    /// The time, 0 for a machine whose clock is before 1970.
    #[expect(clippy::disallowed_methods, reason = "the program's one clock")]
    pub(crate) fn read(&self) -> UnixMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        UnixMillis(millis.saturating_sub(self.behind.load(Ordering::Relaxed)))
    }

    /// From now on the clock is `millis` behind the machine's.
    pub(crate) fn set_behind(&self, millis: u64) {
        self.behind.store(millis, Ordering::Relaxed);
    }

    /// The clock as witnesses and auditors take it, in seconds.
    pub(crate) fn seconds(&self) -> zhao_ledger::witness::Clock {
        let clock = self.clone();
        Arc::new(move || UnixSeconds(clock.read().0 / 1_000))
    }
}

impl Host {
    /// This machine.
    pub(crate) fn new() -> Self {
        let dumb = environment("TERM").is_some_and(|term| term == "dumb");
        Self {
            stdout_terminal: std::io::stdout().is_terminal() && !dumb,
            stderr_terminal: std::io::stderr().is_terminal() && !dumb,
            clock: Clock::default(),
        }
    }

    /// The time.
    ///
    /// # Errors
    /// A clock before 1970 or after the year 9999.
    pub(crate) fn now(&self) -> Result<UnixMillis, Failure> {
        Some(self.clock.read())
            .filter(|now| now.0 > 0 && *now <= UnixMillis::MAX)
            .ok_or_else(|| Failure::usage("clock", args![]))
    }

    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    #[expect(
        clippy::disallowed_methods,
        reason = "the program's one source of randomness"
    )]
    pub(crate) fn generator(&self) -> Result<ChaCha20Rng, Failure> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut())
            .map_err(|cause| Failure::usage("randomness", args![cause]))?;
        Ok(ChaCha20Rng::from_seed(*seed))
    }

    /// Whether colour is welcome on standard output.
    pub(crate) fn colour(&self) -> bool {
        self.stdout_terminal && environment("NO_COLOR").is_none()
    }

    /// Whether a step that the kernel refuses is a failure: continuous integration insists.
    pub(crate) fn insists(&self) -> bool {
        environment("CI").is_some_and(|value| value == "true")
    }

    /// The language the environment asks for: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first not empty.
    pub(crate) fn locale(&self) -> Option<String> {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(environment)
    }

    /// A passphrase: from the file, else from the first of the environment variables that is set,
    /// else from a prompt. `confirm` asks twice, for a passphrase that is being chosen.
    ///
    /// # Errors
    /// An unreadable, over-long or empty one, no terminal to ask on, or two different answers.
    pub(crate) fn passphrase(
        &self,
        file: Option<&Path>,
        variables: &[&'static str],
        prompts: &Prompts,
        confirm: bool,
    ) -> Result<Zeroizing<String>, Failure> {
        if let Some(file) = file {
            let open =
                std::fs::File::open(file).map_err(|cause| Failure::file("read", file, &cause))?;
            let mut text = Zeroizing::new(String::new());
            open.take(PASSPHRASE_BYTES + 1)
                .read_to_string(&mut text)
                .map_err(|cause| Failure::file("read", file, &cause))?;
            if text.len() as u64 > PASSPHRASE_BYTES {
                return Err(Failure::usage(
                    "passphrase-long",
                    args![place = file.display(), limit = PASSPHRASE_BYTES],
                ));
            }
            let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
            return not_empty(line, &file.display().to_string());
        }
        for place in variables {
            #[expect(
                clippy::disallowed_methods,
                reason = "the environment is read here only"
            )]
            match std::env::var(place) {
                Ok(text) => return not_empty(Zeroizing::new(text), place),
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(Failure::usage("passphrase-text", args![place]));
                }
                Err(std::env::VarError::NotPresent) => {}
            }
        }
        if !std::io::stdin().is_terminal() {
            return Err(passphrase_missing(variables));
        }
        let first = ask(&prompts.first)?;
        if confirm && *ask(&prompts.again)? != *first {
            return Err(Failure::usage("passphrase-differs", args![]));
        }
        not_empty(first, "/dev/tty")
    }

    /// Who acts, as the environment says: `ZHAO_OPERATOR`.
    pub(crate) fn operator(&self) -> Option<String> {
        environment("ZHAO_OPERATOR")
    }

    /// Waits until it is time to look again.
    pub(crate) fn pause(&self, time: Duration) {
        // Nothing ever comes: a signal ends the process.
        let (_keep, nothing) = std::sync::mpsc::channel::<()>();
        let _ = nothing.recv_timeout(time);
    }

    /// Whether an environment variable says something.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        environment(name).is_some()
    }

    /// The program's own path, for the step that runs without network.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub(crate) fn own_path(&self) -> Result<std::path::PathBuf, Failure> {
        std::env::current_exe().map_err(|cause| Failure::usage("own-path", args![cause]))
    }

    /// A stopwatch, for times shown to people.
    #[expect(
        clippy::disallowed_methods,
        reason = "durations are shown, never decided upon"
    )]
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        Stopwatch(Instant::now())
    }
}

/// Variables for the office's keys.
pub(crate) const PASSPHRASE: [&str; 1] = ["ZHAO_PASSPHRASE"];
/// Variables for the administrators' keys: one of their own, or the office's.
pub(crate) const ADMIN_PASSPHRASE: [&str; 2] = ["ZHAO_ADMIN_PASSPHRASE", "ZHAO_PASSPHRASE"];

/// Variables for a passphrase that is being chosen.
pub(crate) const NEW_PASSPHRASE: [&str; 1] = ["ZHAO_NEW_PASSPHRASE"];
/// Variables for the passphrase of an exported key's file.
pub(crate) const FILE_PASSPHRASE: [&str; 1] = ["ZHAO_FILE_PASSPHRASE"];

/// What a passphrase prompt says.
#[derive(Debug)]
pub(crate) struct Prompts {
    /// The question.
    pub(crate) first: String,
    /// The question for the same again.
    pub(crate) again: String,
}

/// Measures how long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Time since it was started.
    #[expect(
        clippy::disallowed_methods,
        reason = "durations are shown, never decided upon"
    )]
    pub(crate) fn read(&self) -> Duration {
        self.0.elapsed()
    }
}

/// An environment variable that is set, is text and is not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is read here only"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Names the variable and the flag by which this very passphrase could have been given.
fn passphrase_missing(variables: &[&'static str]) -> Failure {
    let own = variables.first().copied().unwrap_or_default();
    let words = own.strip_prefix("ZHAO_").unwrap_or(own);
    let flag = format!("--{}-file", words.to_ascii_lowercase().replace('_', "-"));
    let variable = variables.join(", ");
    Failure::usage("passphrase-missing", args![variable, flag])
}

fn not_empty(text: Zeroizing<String>, place: &str) -> Result<Zeroizing<String>, Failure> {
    if text.is_empty() {
        return Err(Failure::usage("passphrase-empty", args![place]));
    }
    Ok(text)
}

/// One line from the terminal, not echoed.
fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let failed = |cause: &dyn std::fmt::Display| Failure::usage("prompt", args![cause]);
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(|cause| failed(&cause))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    write!(std::io::stderr(), "{prompt} ").map_err(|cause| failed(&cause))?;
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|cause| failed(&cause))?;
    let mut line = Zeroizing::new(String::new());
    let read = stdin.read_line(&mut line);
    // Whatever was read, the terminal must echo again.
    let restored = tcsetattr(&stdin, OptionalActions::Flush, &before);
    writeln!(std::io::stderr()).map_err(|cause| failed(&cause))?;
    read.map_err(|cause| failed(&cause))?;
    restored.map_err(|cause| failed(&cause))?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
