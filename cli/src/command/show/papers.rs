//! Our JSON files, as sheets.

use zhao_spec::credential::{FaceValue, Licence};
use zhao_spec::file::{Answer, Authorities, Dossier, Evidence, Head, History, IssuerPack, Receipt};
use zhao_spec::life::data::TypeRef;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::{LicenceRecord, Record, State};
use zhao_spec::log::cose::CoseReceipt;

use crate::sheet::{Sheet, plain};
use crate::values::{show_bytes, show_holder_code, show_time};

/// What a credential states.
pub(crate) fn credential(sheet: &mut Sheet<'_>, licence: &Licence) {
    let subject = &licence.subject;
    sheet
        .row("licence-name", plain(&subject.licence_name))
        .row("licence-number", plain(&subject.licence_number))
        .row("licence-identifier", subject.licence_identifier.to_string())
        .row("licence-type", subject.licence_type_code.to_string())
        .row("holder", plain(&subject.holder_name))
        .row(
            "holder-code",
            show_holder_code(
                &subject.holder_code,
                subject.holder_code_type.is_organisation(),
            ),
        )
        .row("unit", plain(&licence.issuer.name))
        .row("unit-code", licence.issuer.unit.to_string())
        .row("issued-date", subject.issued_date.to_string())
        .row("valid-from", show_time(licence.valid_from));
    match licence.valid_until {
        Some(until) => sheet.row("valid-until", show_time(until)),
        None => {
            let text = sheet.word("show.indefinite");
            sheet.row("valid-until", text)
        }
    };
    for (name, value) in &subject.face_data {
        let text = match value {
            FaceValue::Text(text) => plain(text),
            FaceValue::Int(number) => number.to_string(),
            FaceValue::Bool(flag) => flag.to_string(),
        };
        sheet.named(name, text);
    }
    sheet
        .row("credential-id", plain(&licence.id))
        .row("origin", plain(&licence.status.origin));
}

/// What a licence's record says.
pub(crate) fn standing(sheet: &mut Sheet<'_>, record: &LicenceRecord) {
    let mut words = vec![sheet.word(&format!("state.{}", record.state.as_str()))];
    if record.state == State::Active {
        let suspensions = record.suspensions.iter();
        words.extend(suspensions.map(|each| sheet.word(&format!("state.{}", each.as_str()))));
    }
    sheet
        .row("standing", words.join(", "))
        .row("effective", show_time(record.effective))
        .row("recorded", show_time(record.recorded));
    for (name, open) in [
        ("mortgages", &record.mortgages),
        ("pledges", &record.pledges),
        ("objections", &record.objections),
    ] {
        if !open.is_empty() {
            let list: Vec<String> = open.iter().map(|index| format!("#{}", index.0)).collect();
            sheet.row(name, list.join(" "));
        }
    }
    if let Some(inspection) = &record.inspection {
        let result = inspection
            .result
            .map(|each| sheet.word(&format!("state.{}", each.as_str())));
        sheet.optional("inspection", result);
        sheet.optional("inspection-due", inspection.due.map(show_time));
    }
    sheet.row("events", (record.seq + 1).to_string());
    if let TypeRef::Commitment(_) = record.type_ref {
        let text = sheet.word("show.type-closed");
        sheet.row("licence-type", text);
    }
}

/// As of when, and under which head.
fn head(sheet: &mut Sheet<'_>, head: &Head) {
    let checkpoint = head.checkpoint();
    let names: Vec<String> = head
        .proof
        .note()
        .signatures()
        .iter()
        .map(|line| plain(&line.name))
        .collect();
    sheet
        .row("as-of", show_time(head.epoch.time))
        .row("origin", plain(&checkpoint.origin))
        .row("log-size", checkpoint.size.to_string())
        .row("signatures", names.join(", "));
}

fn authorities(sheet: &mut Sheet<'_>, authorities: &Authorities) {
    let administrators = &authorities.registry.placed.record.administrators;
    sheet.heading("show.authorities").row(
        "administrators",
        format!(
            "{} / {}",
            administrators.threshold,
            administrators.keys.len()
        ),
    );
    for issuer in &authorities.issuers {
        let record = &issuer.placed.record;
        let state = sheet.word(&format!("state.{}", record.state.as_str()));
        sheet.row("unit-code", format!("{}  {state}", record.unit));
        for key in &record.keys {
            let until = key
                .until
                .map(|index| index.0.to_string())
                .unwrap_or_default();
            let mut text = format!("{}  #{}…{until}", key.key, key.from.0);
            if let Some(from) = key.compromised_from {
                text.push_str(&format!("  {} #{}", sheet.word("show.compromised"), from.0));
            }
            sheet.row("key", text);
        }
    }
    let types: Vec<&str> = authorities
        .licence_types
        .iter()
        .map(|placed| placed.record.type_code.as_str())
        .collect();
    sheet.row("licence-types", types.join(" "));
}

/// A dossier.
pub(super) fn dossier(sheet: &mut Sheet<'_>, dossier: &Dossier) {
    sheet.heading("show.dossier");
    match Licence::from_value(dossier.credential.value()) {
        Ok(licence) => credential(sheet, &licence),
        Err(cause) => {
            let text = cause.to_string();
            sheet.row("problem", plain(&text));
        }
    }
    sheet.heading("show.standing");
    standing(sheet, &dossier.placed.record);
    sheet.heading("show.head");
    head(sheet, &dossier.head);
    if let Some(own) = &dossier.authorities {
        authorities(sheet, own);
    }
    sheet.gap().row("size", show_bytes(size(&dossier.bytes())));
}

/// An issuer pack.
pub(super) fn pack(sheet: &mut Sheet<'_>, pack: &IssuerPack) {
    sheet.heading("show.issuer-pack");
    head(sheet, &pack.head);
    authorities(sheet, &pack.authorities);
}

/// A receipt.
pub(super) fn receipt(sheet: &mut Sheet<'_>, receipt: &Receipt) {
    sheet
        .heading("show.receipt")
        .row("index", format!("#{}", receipt.index.0));
    event(sheet, &receipt.event);
    sheet.heading("show.head");
    head(sheet, &receipt.head);
}

/// A COSE receipt.
pub(super) fn cose(sheet: &mut Sheet<'_>, receipt: &CoseReceipt) {
    let key = format!("{}+{}", receipt.origin, receipt.key_id);
    sheet
        .heading("show.cose-receipt")
        .row("index", format!("#{}", receipt.index))
        .row("origin", plain(&receipt.origin))
        .row("log-size", receipt.size.to_string())
        .row("signed-by", plain(&key));
}

fn event(sheet: &mut Sheet<'_>, event: &Event) {
    let verb = event.verb();
    let word = sheet.word(&format!("verb.{}", verb.as_str()));
    sheet
        .row("verb", format!("{word} ({verb})"))
        .row("effective", show_time(event.effective))
        .row("seq", event.seq.to_string())
        .row("subject", event.subject.to_string());
    for signature in &event.signatures {
        sheet.row("signed-by", signature.key.to_string());
    }
}

/// A history.
pub(super) fn history(sheet: &mut Sheet<'_>, history: &History) {
    sheet
        .heading("show.history")
        .row("subject", history.subject.to_string());
    for entry in &history.entries {
        let verb = entry.event.verb();
        // The event that issues a new version is the last one of the old version's history.
        let word = match entry.event.subject == history.subject {
            true => sheet.word(&format!("verb.{}", verb.as_str())),
            false => sheet.word("state.superseded"),
        };
        sheet
            .gap()
            .row("index", format!("#{}", entry.index.0))
            .row("verb", format!("{word} ({verb})"))
            .row("effective", show_time(entry.event.effective))
            .row("recorded", show_time(entry.epoch.time));
    }
    sheet.heading("show.standing");
    if let Record::Licence(record) = &history.placed.record {
        standing(sheet, record);
    }
    sheet.heading("show.head");
    head(sheet, &history.head);
}

/// A public answer.
pub(super) fn answer(sheet: &mut Sheet<'_>, answer: &Answer) {
    let count = answer
        .enterprise
        .record
        .as_ref()
        .map_or(0, |record| record.count);
    sheet
        .heading("show.answer")
        .row("enterprise", plain(answer.uscc.as_str()))
        .row("licences", count.to_string());
    for item in &answer.items {
        sheet.gap();
        match item
            .credential
            .as_ref()
            .map(|own| Licence::from_value(own.value()))
        {
            Some(Ok(licence)) => {
                let subject = &licence.subject;
                sheet
                    .row("licence-name", plain(&subject.licence_name))
                    .row("licence-number", plain(&subject.licence_number))
                    .row("holder", plain(&subject.holder_name));
            }
            Some(Err(cause)) => {
                let text = cause.to_string();
                sheet.row("problem", plain(&text));
            }
            None => {
                sheet.row("subject", item.subject.to_string());
            }
        }
        standing(sheet, &item.placed.record);
    }
    sheet.heading("show.head");
    head(sheet, &answer.head);
}

/// A piece of evidence.
pub(super) fn evidence(sheet: &mut Sheet<'_>, evidence: &Evidence) {
    let claim = evidence.claim();
    let word = sheet.word(&format!("claim.{claim}"));
    sheet
        .heading("show.evidence")
        .row("claim", format!("{word} ({claim})"));
    match evidence {
        Evidence::TwoHeads(own) => {
            for note in [&own.first, &own.second] {
                let mut lines = note.text().lines();
                let origin = lines.next().unwrap_or_default();
                let size = lines.next().unwrap_or_default();
                sheet
                    .gap()
                    .row("origin", plain(origin))
                    .row("log-size", plain(size));
                sheet.row("root", plain(lines.next().unwrap_or_default()));
            }
            sheet.gap().row("implied-root", own.root.to_base64());
        }
        Evidence::HiddenEvent(own) => {
            sheet
                .heading("show.receipt")
                .row("index", format!("#{}", own.receipt.index.0));
            event(sheet, &own.receipt.event);
            sheet.heading("show.later-head");
            head(sheet, &own.head);
            match &own.record {
                Some(Record::Licence(record)) => standing(sheet, record),
                Some(_) => {}
                None => {
                    let text = sheet.word("show.absent");
                    sheet.row("standing", text);
                }
            }
        }
        Evidence::InadmissibleLeaf(own) | Evidence::WrongTransition(own) => {
            head(sheet, &own.head);
            let first = own.previous.index.0 + 1;
            let last = own.entries.last().map_or(first, |entry| entry.index.0);
            sheet.row("leaves", format!("#{first}…#{last}"));
        }
        Evidence::NotIncluded(own) => {
            event(sheet, &own.handed.event);
            sheet
                .row("handed-to", plain(&own.handed.auditor))
                .row("handed-at", show_time(own.handed.at));
            sheet.heading("show.later-head");
            head(sheet, &own.head);
        }
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
