//! Line-based texts: policy, trust file, checkpoint, report.

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::policy::Policy;
use zhao_spec::log::trust::Trust;

use crate::sheet::{Sheet, plain};
use crate::values::show_millis;

/// First line of every report.csv.
pub(crate) const REPORT_HEADER: &str = "row,status,code,message_en,message_zh,id,file";

fn first_word(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.split([' ', '\t']).next())
        .unwrap_or_default()
}

/// Whether it looks like a tlog-policy.
pub(super) fn is_policy(text: &str) -> bool {
    matches!(first_word(text), "log" | "witness" | "group" | "quorum")
}

/// Whether it looks like a trust file.
pub(super) fn is_trust(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "administrator",
        "auditor",
        "auditors",
        "max-age",
        "max-lag",
        "skew",
        "inclusion-bound",
        "pack-max-age",
        "local-witness",
    ];
    WORDS.contains(&first_word(text))
}

/// Whether it is a report of ours.
pub(super) fn is_report(text: &str) -> bool {
    text.lines().next() == Some(REPORT_HEADER)
}

/// A policy.
pub(super) fn policy(sheet: &mut Sheet<'_>, policy: &Policy) {
    sheet.heading("show.policy");
    for log in policy.logs() {
        sheet.row("log", plain(&log.vkey.format()));
    }
    for witness in policy.witnesses() {
        sheet.row(
            "witness",
            format!(
                "{}  {}",
                plain(&witness.name),
                plain(&witness.vkey.format())
            ),
        );
    }
    let key = if policy.requires_witnesses() {
        "show.quorum"
    } else {
        "show.no-quorum"
    };
    let text = sheet.word(key);
    sheet.row("quorum", text);
}

/// A trust file.
pub(super) fn trust(sheet: &mut Sheet<'_>, trust: &Trust) {
    sheet.heading("show.trust");
    for each in &trust.administrators {
        sheet.row(
            "administrator",
            format!("{}  {}", plain(&each.origin), each.genesis.to_base64()),
        );
    }
    for each in &trust.auditors {
        let local = if each.local {
            sheet.word("show.local")
        } else {
            String::new()
        };
        let text = format!(
            "{}  {}  {local}",
            plain(&each.name),
            plain(&each.vkey.format())
        );
        sheet.row("auditor", text.trim_end());
    }
    let required = match trust.required_auditors {
        Some(count) => count.to_string(),
        None => sheet.word("show.none"),
    };
    sheet
        .row("auditors-needed", required)
        .row("max-age", show_millis(trust.max_age))
        .row("max-lag", show_millis(trust.max_lag))
        .row("pack-max-age", show_millis(trust.pack_max_age))
        .row("skew", show_millis(trust.skew))
        .row("inclusion-bound", show_millis(trust.inclusion_bound));
    for name in &trust.local_witnesses {
        sheet.row("local-witness", plain(name));
    }
}

/// A checkpoint.
pub(super) fn checkpoint(sheet: &mut Sheet<'_>, checkpoint: &Checkpoint, note: &SignedNote) {
    let names: Vec<String> = note
        .signatures()
        .iter()
        .map(|line| plain(&line.name))
        .collect();
    sheet
        .heading("show.checkpoint")
        .row("origin", plain(&checkpoint.origin))
        .row("log-size", checkpoint.size.to_string())
        .row("root", checkpoint.root.to_base64())
        .row("signatures", names.join(", "));
}

/// A report of a batch: what was refused, and how many were not.
pub(super) fn report(sheet: &mut Sheet<'_>, text: &str) {
    let (mut issued, mut waiting, mut refused) = (0u64, 0u64, Vec::new());
    for line in text.lines().skip(1) {
        match line.split(',').nth(1) {
            Some("issued") => issued += 1,
            Some("refused") => refused.push(line),
            Some(_) => waiting += 1,
            None => {}
        }
    }
    sheet
        .heading("show.report")
        .row("issued", issued.to_string())
        .row("pending", waiting.to_string())
        .row("refused", refused.len().to_string());
    for line in refused {
        sheet.text(plain(line));
    }
}
