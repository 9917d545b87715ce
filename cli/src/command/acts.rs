//! `zhao acts`: what the office did with a licence, why, on what basis, and who did it.

use std::collections::BTreeMap;

use zhao_issuer::records::{Said, Standing, Unit};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::Hash;

use super::licence::one;
use super::list::Shelf;
use crate::args::Acts;
use crate::failure::{Exit, Failure, args, because};
use crate::files::{self, OutputDir};
use crate::session::Session;
use crate::sheet::{Sheet, plain};
use crate::values::show_time;

/// Acts read at once.
const CHUNK: usize = 100;

/// Runs the command.
///
/// # Errors
/// No such licence, records that cannot be read, or the disk.
pub(crate) fn run(session: &Session, command: &Acts) -> Result<Exit, Failure> {
    if let Some(path) = &command.output {
        files::dir_must_be_writable(path)?;
    }
    let shelf = Shelf::open(session, &command.which.dir, &command.secret)?;
    let licence = one(&shelf, &command.which)?;
    let path = shelf.home.records();
    let wrap = || because("records", args![path = path.display()]);
    let units = shelf.records.units().map_err(wrap())?;
    let origin = shelf.records.origin();
    let units: BTreeMap<Hash, Unit> = units
        .into_iter()
        .map(|unit| (subject_key(origin, Kind::Issuer, &unit.uscc), unit))
        .collect();
    let _made = command.output.as_deref().map(OutputDir::make).transpose()?;
    let mut sheet = Sheet::new(session);
    sheet
        .heading("acts.of")
        .row("licence-number", plain(&licence.number))
        .row("licence-identifier", &licence.identifier);
    let (mut after, mut values) = (0, Vec::new());
    loop {
        let acts = shelf.records.acts(&licence.subject, after, CHUNK);
        let acts = acts.map_err(wrap())?;
        let Some(last) = acts.last() else { break };
        after = last.entry.id;
        for said in acts {
            if let (Some(dir), Standing::Receipted { index, receipt }) =
                (&command.output, &said.entry.standing)
            {
                let mut bytes = receipt.clone();
                bytes.push(b'\n');
                files::place(&dir.join(format!("receipt-{}.json", index.0)), &bytes)?;
            }
            let unit = said
                .entry
                .event
                .signer
                .and_then(|signer| units.get(&signer));
            if command.json {
                values.push(json(&said, &licence.subject, unit)?);
            } else {
                show(&mut sheet, &said, &licence.subject, unit);
            }
        }
    }
    if let Some(dir) = &command.output {
        files::sync(dir)?;
    }
    if command.json {
        session.line(&serde_json::Value::Array(values).to_string())?;
    } else {
        sheet.print()?;
    }
    Ok(Exit::Fine)
}

/// The event that issues the next version is the last one of the earlier version's.
fn verb(said: &Said, subject: &Hash) -> &'static str {
    match said.entry.event.subject == *subject {
        true => said.entry.event.verb().as_str(),
        false => "superseded",
    }
}

fn words<'a>(said: &'a Said, kind: &str) -> Option<&'a str> {
    let word = said.words.iter().find(|word| word.kind == kind);
    word.map(|word| word.text.as_str())
}

fn json(said: &Said, subject: &Hash, unit: Option<&Unit>) -> Result<serde_json::Value, Failure> {
    let (state, index, receipt, refusal) = match &said.entry.standing {
        Standing::Pending => ("pending", None, None, None),
        Standing::Receipted { index, receipt } => {
            let receipt: serde_json::Value =
                serde_json::from_slice(receipt).map_err(because("office", args![]))?;
            ("receipted", Some(index.0), Some(receipt), None)
        }
        Standing::Refused { code, detail } => {
            let refusal = serde_json::json!({"code": code, "detail": detail});
            ("refused", None, None, Some(refusal))
        }
    };
    Ok(serde_json::json!({
        "basis": words(said, "basis"),
        "declared": said.created.to_string(),
        "effective": said.entry.event.effective.to_string(),
        "event": said.entry.event.id().to_string(),
        "index": index,
        "operator": said.operator,
        "reason": words(said, "reason"),
        "receipt": receipt,
        "refusal": refusal,
        "row": said.entry.id,
        "state": state,
        "unit": unit.map(|unit| &unit.uscc),
        "unitName": unit.map(|unit| &unit.name),
        "verb": verb(said, subject),
    }))
}

fn show(sheet: &mut Sheet<'_>, said: &Said, subject: &Hash, unit: Option<&Unit>) {
    let verb = verb(said, subject);
    let word = match verb {
        "superseded" => sheet.word("state.superseded"),
        verb => sheet.word(&format!("verb.{verb}")),
    };
    let (standing, index) = match &said.entry.standing {
        Standing::Pending => (sheet.word("acts.pending"), None),
        Standing::Receipted { index, .. } => {
            (sheet.word("acts.receipted"), Some(format!("#{}", index.0)))
        }
        Standing::Refused { code, .. } => {
            let text = format!("{} [{}]", sheet.word("acts.refused"), plain(code));
            (text, None)
        }
    };
    let nobody = sheet.word("acts.nobody");
    let operator = said.operator.as_deref().map_or(nobody, plain);
    sheet
        .gap()
        .row("verb", format!("{word} ({verb})"))
        .optional("reason", words(said, "reason").map(plain))
        .optional("basis", words(said, "basis").map(plain))
        .row("effective", show_time(said.entry.event.effective))
        .row("declared", show_time(said.created))
        .row("operator", operator)
        .optional("unit", unit.map(|unit| plain(&unit.name)))
        .optional("unit-code", unit.map(|unit| unit.uscc.as_str()))
        .row("in-the-log", standing)
        .optional("index", index);
}
