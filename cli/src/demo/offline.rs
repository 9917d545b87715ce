//! Verification where there is no network: a child process in a network namespace of its own,
//! which has no interface but a loopback that is down.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::failure::{Failure, args};
use crate::session::Session;

/// How the child is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// In a network namespace, made with these arguments of unshare(1).
    Namespace(&'static str),
    /// The kernel, or the lack of unshare(1), refuses; its own words.
    Refused(String),
}

const UNSHARE: &str = "/usr/bin/unshare";

impl Isolation {
    /// Finds out what the machine allows: as root `-n`, else with a user namespace `-rn`. The
    /// probe looks at the namespace from inside: /proc/net/dev must list no interface but `lo`.
    pub(crate) fn probe() -> Self {
        let mut words = String::new();
        for flags in ["-n", "-rn"] {
            let mut command = Command::new(UNSHARE);
            command
                .args([flags, "--", "/bin/cat", "/proc/net/dev"])
                .stdin(Stdio::null());
            match command.output() {
                Ok(output) if output.status.success() => {
                    let text = String::from_utf8_lossy(&output.stdout).into_owned();
                    if interfaces(&text).iter().all(|name| name == "lo") {
                        return Self::Namespace(flags);
                    }
                    words = format!(
                        "unshare {flags}: interfaces {}",
                        interfaces(&text).join(" ")
                    );
                }
                Ok(output) => {
                    let text = String::from_utf8_lossy(&output.stderr);
                    words = text.lines().next().unwrap_or_default().to_owned();
                }
                Err(cause) => words = format!("{UNSHARE}: {cause}"),
            }
        }
        Self::Refused(words)
    }

    /// Runs this program with `arguments`, cut off if that is possible.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn run(&self, session: &Session, arguments: &[&str]) -> Result<Output, Failure> {
        let program: PathBuf = session.host.own_path()?;
        let mut command = match self {
            Self::Namespace(flags) => {
                let mut command = Command::new(UNSHARE);
                command.args([flags, "--"]).arg(&program);
                command
            }
            Self::Refused(_) => Command::new(&program),
        };
        command.args(arguments).stdin(Stdio::null());
        command
            .output()
            .map_err(|cause| start_failed(&program, &cause))
    }
}

fn start_failed(program: &Path, cause: &std::io::Error) -> Failure {
    Failure::usage("child-start", args![path = program.display(), cause])
}

/// The interfaces that /proc/net/dev lists.
fn interfaces(text: &str) -> Vec<String> {
    text.lines()
        .skip(2)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_from_the_kernels_table() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 0 0\n  eth0: 1 2\n";
        assert_eq!(interfaces(text), ["lo", "eth0"]);
        assert_eq!(interfaces(""), Vec::<String>::new());
    }
}
