//! A witness, or an auditor that cosigns as one, on another machine.

use std::time::Duration;

use zhao_ledger::sequence::{CosignError, CosignRequest, Cosigner};
use zhao_spec::log::note::Vkey;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::{clip, limits, sha256};

use crate::web::{Answer, Web, WebError};

/// How long the log waits for one.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cosigner at a URL.
#[derive(Debug)]
pub(crate) struct RemoteCosigner {
    web: Web,
    vkey: Vkey,
    /// Without a slash at its end.
    url: String,
    origin: String,
}

impl RemoteCosigner {
    /// The cosigner with this key at `url`, its prefix for submission and for monitoring, of the
    /// log `origin`.
    pub(crate) fn new(vkey: &Vkey, url: &str, origin: &str) -> Self {
        Self {
            web: Web::new(PATIENCE),
            vkey: vkey.clone(),
            url: url.trim_end_matches('/').to_owned(),
            origin: origin.to_owned(),
        }
    }
}

/// Where a witness shows the last head it cosigned of a log: tlog-witness, monitoring.
pub(crate) fn monitoring_path(origin: &str) -> String {
    let hash = sha256(&[origin.as_bytes()]);
    let hex: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}/checkpoint")
}

fn unreachable(error: WebError) -> CosignError {
    CosignError::Unreachable(error.to_string())
}

/// What an answer of another status says.
fn refused(answer: &Answer) -> CosignError {
    let text = answer.text().unwrap_or_default();
    let text = clip(text.lines().next().unwrap_or_default());
    CosignError::Refused(format!("{} {text}", answer.status))
}

impl Cosigner for RemoteCosigner {
    fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        let url = format!("{}/{}", self.url, monitoring_path(&self.origin));
        let limit = limits::NOTE_BYTES as u64;
        let answer = self.web.get(&url, limit).map_err(unreachable)?;
        match (answer.status, answer.text()) {
            (200, Some(note)) => Ok(Some(note.to_owned())),
            (404, _) => Ok(None),
            _ => Err(refused(&answer)),
        }
    }

    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        let url = format!("{}/add-checkpoint", self.url);
        let limit = limits::NOTE_BYTES as u64;
        let answer = self.web.post(&url, &request.body(), limit);
        let answer = answer.map_err(unreachable)?;
        match (answer.status, answer.text()) {
            (200, Some(lines)) => Ok(lines.lines().map(|line| format!("{line}\n")).collect()),
            (409, Some(size)) => match size.trim_end_matches('\n').parse() {
                Ok(size) => Err(CosignError::Conflict {
                    size: TreeSize(size),
                }),
                Err(_) => Err(refused(&answer)),
            },
            _ => Err(refused(&answer)),
        }
    }
}
