//! The fragments of a verdict for people, and with their sentences for programs.

use serde_json::{Value, json};
use zhao_verifier::{Fragment, NOT_CHECKED, Outcome, Verdict};

use crate::messages::{Language, Messages};
use crate::session::Colour;
use crate::sheet::Sheet;

/// One row for each: a mark, the name, and what it says. The codes' sentences come below it.
pub(super) fn table(sheet: &mut Sheet<'_>, verdict: &Verdict) {
    sheet.gap();
    for fragment in verdict.report().fragments() {
        let codes = fragment.codes();
        // Three shapes, and three widths of two columns: none needs its colour to be read.
        let (colour, mark) = match fragment.outcome() {
            Outcome::Pass if codes.is_empty() => (Colour::Good, "✓ "),
            Outcome::Pass => (Colour::Notice, "✓ "),
            Outcome::Fail => (Colour::Bad, "✗ "),
            Outcome::Undetermined => (Colour::Notice, "？"),
        };
        let word = sheet.word(&format!("outcome.{}", fragment.outcome().as_str()));
        let name = sheet.word(&format!("fragment.{}", fragment.name().as_str()));
        let says = match codes.as_slice() {
            [] => sheet.word(&passes(fragment)),
            // Nobody gave this code as a reason, so its sentence stands here.
            [NOT_CHECKED] => sheet.word(&format!("reason.{NOT_CHECKED}")),
            codes => format!("[{}]", codes.join(", ")),
        };
        sheet.marked(colour, format!("{mark}{name}"), format!("{word} · {says}"));
    }
}

/// The key of what is said of a fragment that passes without a word.
fn passes(fragment: &Fragment) -> String {
    format!("fragment-passes.{}", fragment.name().as_str())
}

/// The verdict's own JSON, each fragment with its sentence and what to do next in both languages:
/// `"text":{"en":…,"zh":…}`, `"next":{"en":…,"zh":…}`.
pub(crate) fn json(verdict: &Verdict) -> Value {
    told(verdict, &[Language::En, Language::Zh].map(Messages::new))
}

/// As [`json()`], with the sentences in English and Chinese.
fn told(verdict: &Verdict, both: &[Messages; 2]) -> Value {
    let mut value: Value =
        serde_json::from_slice(&verdict.to_json()).expect("the verifier writes JSON");
    let told = value["fragments"].as_array_mut().into_iter().flatten();
    for (fragment, told) in verdict.report().fragments().iter().zip(told) {
        let [en, zh] = both.each_ref().map(|messages| words(messages, fragment));
        told["text"] = json!({"en": en.0, "zh": zh.0});
        told["next"] = json!({"en": en.1, "zh": zh.1});
    }
    value
}

/// The sentences of a fragment, and what to do next.
fn words(messages: &Messages, fragment: &Fragment) -> (String, String) {
    let codes = fragment.codes();
    if codes.is_empty() {
        return (
            messages.text(&passes(fragment)),
            messages.text("verify.nothing-to-do"),
        );
    }
    let joined = |section: &str| {
        let mut said: Vec<String> = Vec::new();
        for code in &codes {
            let sentence = messages.text(&format!("{section}.{code}"));
            if !said.contains(&sentence) {
                said.push(sentence);
            }
        }
        said.join(match messages.language() {
            Language::En => "; ",
            Language::Zh => "；",
        })
    };
    (joined("reason"), joined("reason-do"))
}

#[cfg(test)]
mod tests;
