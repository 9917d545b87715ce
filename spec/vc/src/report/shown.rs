//! What a holder shows of an SD-JWT VC, judged in the same fragments.

use std::collections::BTreeMap;

use zhao_spec::wire::clip;

use super::{Answer, Known, Outcome, Own, Reason, Report, reason, refused, trusted};
use crate::jose::Policy;
use crate::sdjwt::{Binding, Shown, verify};
use crate::status::token::{self, INVALID, Reference, SUSPENDED, VALID};

/// Judges `text`, an SD-JWT VC of one of the types `vct`, and gives what was shown if it holds.
/// `tokens` are the status list tokens at hand, by their URLs, as they came: their signatures are
/// checked here.
#[must_use]
pub fn shown(
    text: &str,
    vct: &[&str],
    binding: Binding<'_>,
    policy: &Policy<'_>,
    known: &Known<'_>,
    tokens: &BTreeMap<String, String>,
) -> (Report, Option<Shown>) {
    let shown = match verify(text, vct, binding, policy, known.methods) {
        Ok(shown) => shown,
        Err(error) => return (refused(reason(error.code(), error)), None),
    };
    // Signature, times and type hold: each of them is an error above.
    let report = Report::of([
        Answer::pass(),
        trusted(&shown.method().controller, known),
        Answer::pass(),
        standing(&shown, policy, known, tokens),
        Answer::pass(),
    ]);
    (report, Some(shown))
}

/// What the token at hand says at the place that the claims name.
fn standing(
    shown: &Shown,
    policy: &Policy<'_>,
    known: &Known<'_>,
    tokens: &BTreeMap<String, String>,
) -> Answer {
    if shown.claims().member("status").is_none() {
        let detail = "its issuer offers no status: it cannot be revoked";
        return Answer::pass().and(Outcome::Pass, reason(Own::StatusNone.code(), detail));
    }
    let reference = match Reference::read(shown.claims()) {
        Ok(Some(reference)) => reference,
        Ok(None) => return Answer::undetermined(Own::StatusOther, "its status names no list"),
        Err(error) => return Answer::fail(reason(error.code(), error)),
    };
    let uri = clip(&reference.uri);
    let Some(text) = tokens.get(&reference.uri) else {
        let detail = format!("list {uri} is not at hand");
        return Answer::undetermined(Own::StatusListMissing, detail);
    };
    // A list nobody stands for decides nothing, neither for nor against the credential.
    let read = token::open(text, known.methods);
    let issuer = &shown.method().controller;
    let value = read.and_then(|list| token::check(&reference, &list, issuer, policy.at));
    let said = |code, detail: String| Reason { code, detail };
    match value {
        Ok(VALID) => Answer::pass(),
        Ok(INVALID) => Answer::fail(said(Own::StatusSet.code(), "revocation".to_owned())),
        Ok(SUSPENDED) => Answer::fail(said(Own::StatusSet.code(), "suspension".to_owned())),
        // Values above are the application's, and this reader is none that knows them.
        Ok(other) => Answer::undetermined(Own::StatusOther, format!("list {uri}: value {other}")),
        Err(error) => {
            let why = said(error.code(), format!("list {uri}: {error}"));
            Answer(Outcome::Undetermined, vec![why])
        }
    }
}

#[cfg(test)]
mod tests;
