//! @digitalbazaar's libraries in node: one process, one thread, told what to sign.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Seconds for each rate.
const SECONDS: &str = "3";

/// What it does with one suite, in a second.
pub(crate) struct Rates {
    pub(crate) issue: f64,
    pub(crate) verify: f64,
    /// A credential it issued.
    pub(crate) issued: Value,
}

/// Measures it; nothing if node or the libraries are not there.
pub(crate) fn measure(document: &Value, suites: &[&str]) -> Result<Option<Vec<Rates>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = root.join("tests/interop/rates.mjs");
    if !root.join("tests/interop/node_modules").is_dir() {
        return Ok(None);
    }
    let child = Command::new("node")
        .arg(script)
        .arg(root.join("spec/vc/contexts"))
        .arg(SECONDS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("node cannot be started"),
    };
    let mut stdin = child.stdin.take().context("its input is a pipe")?;
    stdin.write_all(document.to_string().as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "@digitalbazaar's libraries failed");
    let figures: Value = serde_json::from_slice(&output.stdout)?;
    let rates = suites.iter().map(|suite| {
        let number = |name: &str| figures[suite][name].as_f64().context("no rate");
        Ok(Rates {
            issue: number("issue")?,
            verify: number("verify")?,
            issued: figures[suite]["issued"].clone(),
        })
    });
    rates.collect::<Result<_>>().map(Some)
}
