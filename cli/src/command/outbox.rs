//! `zhao outbox`: what was declared and not yet acknowledged by the ledger, oldest first. It reads
//! the records only, so it answers while others work in the directory. With `--output` the signed
//! events are written as files, as `zhao hand-in` takes them to an auditor.

use super::office::{keyring, records};
use crate::args::Outbox;
use crate::failure::{Exit, Failure, args, because};
use crate::files::{self, OutputDir};
use crate::home::Home;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::values::show_time;

/// Rows read at once.
const CHUNK: usize = 1_000;
/// Rows shown to people; machines get all.
const SHOWN: u64 = 100;

/// Runs the command: 0 if nothing waits, 3 if something does.
///
/// # Errors
/// No office there, or records that cannot be read.
pub(crate) fn run(session: &Session, command: &Outbox) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let path = home.records();
    let wrap = || because("records", args![path = path.display()]);
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let records = records(session, &home, &mut keyring)?;
    let _made = command.output.as_deref().map(OutputDir::make).transpose()?;
    let (mut after, mut count) = (0, 0_u64);
    let mut sheet = Sheet::new(session);
    loop {
        let rows = records.outgoing(after, CHUNK).map_err(wrap())?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            count = count.saturating_add(1);
            let (verb, subject) = (row.event.verb().as_str(), row.event.subject);
            if let Some(dir) = &command.output {
                let name = format!("{}.json", row.event.id().to_base64url());
                let mut bytes = row.event.bytes();
                bytes.push(b'\n');
                files::replace(&dir.join(name), &bytes)?;
            }
            if command.json {
                let value = serde_json::json!({
                    "created": row.created.0,
                    "event": row.event.id().to_string(),
                    "row": row.id,
                    "seq": row.event.seq,
                    "subject": subject.to_string(),
                    "verb": verb,
                });
                session.line(&value.to_string())?;
            } else if count <= SHOWN {
                let (time, row) = (show_time(row.created), row.id);
                let arguments = args![row, time, verb, subject];
                sheet.text(session.messages.fill("outbox.row", &arguments));
            }
        }
    }
    if !command.json {
        if count > SHOWN {
            let count = count.saturating_sub(SHOWN);
            sheet.text(session.messages.fill("fsck.more", &args![count]));
        }
        sheet.text(session.messages.fill("outbox.count", &args![count]));
        sheet.print()?;
    }
    Ok(if count == 0 {
        Exit::Fine
    } else {
        Exit::Undetermined
    })
}
