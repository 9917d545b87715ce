//! The licence types of an office, and one of them as a readable face. Secret fields are in
//! neither (CAT-11).

use comfy_table::presets;
use zhao_issuer::catalogue::{
    Audience, CatalogueError, Code, Entry, Field, FieldKind, Names, Picture, Register,
    RegisterRule, Term,
};
use zhao_spec::wire::{clip, json};

use super::publish::published;
use super::{catalogue, name};
use crate::args::{List, Schema, ShowType};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::home::Home;
use crate::session::Session;
use crate::sheet::{Sheet, plain, table};

/// Runs `zhao catalogue list`.
///
/// # Errors
/// No office there, or a catalogue that cannot be read.
pub(super) fn list(session: &Session, command: &List) -> Result<Exit, Failure> {
    let catalogue = catalogue(command.dir.as_deref())?;
    let entries: Vec<&Entry> = match command.public {
        true => catalogue.public().collect(),
        false => catalogue.entries().collect(),
    };
    if command.json {
        let mut whole = Vec::new();
        zhao_spec::wire::write::array(&mut whole, |array| {
            for entry in entries {
                array.value(&entry.listing());
            }
        });
        whole.push(b'\n');
        session.data(&whole)?;
        return Ok(Exit::Fine);
    }
    let mut rows = table(session, presets::UTF8_HORIZONTAL_ONLY);
    let word = |key: &str| session.messages.text(key);
    rows.set_header([
        word("catalogue.slug"),
        word("catalogue.name"),
        word("catalogue.code"),
        word("catalogue.version"),
        word("catalogue.openness"),
        word("catalogue.fields"),
    ]);
    for entry in entries {
        rows.add_row([
            entry.slug.clone(),
            plain(name(session, &entry.names)),
            entry.type_code.to_string(),
            entry.version.to_string(),
            word(openness(entry)),
            entry.fields.len().to_string(),
        ]);
    }
    session.line(&rows.to_string())?;
    Ok(Exit::Fine)
}

pub(super) fn openness(entry: &Entry) -> &'static str {
    use zhao_spec::life::data::Openness;
    match entry.openness {
        Openness::Closed => "catalogue.closed",
        Openness::Open => "catalogue.open",
        Openness::Restricted => "catalogue.restricted",
    }
}

/// Runs `zhao catalogue show`.
///
/// # Errors
/// No such type, or a catalogue that cannot be read.
pub(super) fn run(session: &Session, command: &ShowType) -> Result<Exit, Failure> {
    let catalogue = catalogue(command.dir.as_deref())?;
    let entry = catalogue
        .entry(&command.licence_type)
        .map_err(|cause| Failure::usage("catalogue-entry", args![cause]))?;
    if command.json {
        let mut bytes = json::encode(&entry.listing());
        bytes.push(b'\n');
        session.data(&bytes)?;
        return Ok(Exit::Fine);
    }
    if let Some(path) = &command.html {
        let page = super::page::page(entry, command.dir.as_deref())?;
        files::output(session, path, page.as_bytes())?;
        session.note("catalogue.page", &args![path = path.display()]);
        return Ok(Exit::Fine);
    }
    let mut sheet = Sheet::new(session);
    head(session, entry, &mut sheet);
    face(session, entry, &mut sheet);
    conditions(session, entry, &mut sheet);
    more(session, entry, &mut sheet);
    sheet.print()?;
    Ok(Exit::Fine)
}

/// Runs `zhao catalogue schema`.
///
/// # Errors
/// No such type or version, or a catalogue that cannot be read.
pub(super) fn schema(session: &Session, command: &Schema) -> Result<Exit, Failure> {
    let catalogue = catalogue(command.dir.as_deref())?;
    let named = |cause: CatalogueError| Failure::usage("catalogue-entry", args![cause]);
    let entry = catalogue.entry(&command.licence_type).map_err(named)?;
    let schema = match (&command.dir, command.catalogue_version) {
        (Some(dir), Some(version)) if version != entry.version => {
            let home = Home::open(dir)?;
            let kept = published(&home.catalogue(), &entry.slug, version).map_err(named)?;
            let actual = clip(&command.licence_type);
            kept.ok_or_else(|| Failure::usage("catalogue-version", args![actual, version]))?
                .schema()
        }
        _ => entry.schema(),
    };
    files::output(session, &command.output, &[&schema[..], b"\n"].concat())?;
    Ok(Exit::Fine)
}

fn head(session: &Session, entry: &Entry, sheet: &mut Sheet<'_>) {
    let names = name(session, &entry.names);
    let openness = sheet.word(openness(entry));
    let terms: Vec<String> = entry.validity.iter().map(|t| term(session, *t)).collect();
    let holders: Vec<&str> = entry.holders.iter().map(|kind| kind.as_str()).collect();
    sheet
        .row("licence-name", plain(names))
        .row(
            "licence-type",
            format!("{} {}", entry.slug, entry.type_code),
        )
        .row(
            "entry-version",
            format!("{} {}", entry.version, entry.digest),
        )
        .row("definer", plain(&entry.definer.name))
        .row("openness", openness)
        .row("holder-kinds", holders.join(", "))
        .row("term", terms.join("; "))
        .row("standard", plain(&standard(entry)))
        .optional(
            "collection-start",
            entry.collection_start.map(|day| day.to_string()),
        );
}

fn standard(entry: &Entry) -> String {
    let level = entry.standard_level.as_str();
    match &entry.standard_ref {
        Some(reference) => format!("{level}, {reference}"),
        None => level.to_owned(),
    }
}

fn term(session: &Session, term: Term) -> String {
    let fill = |key: &str, length: u32| session.messages.fill(key, &args![length]);
    match term {
        Term::Days(length) => fill("catalogue.days", length),
        Term::Indefinite => session.messages.text("catalogue.indefinite"),
        Term::Months(length) => fill("catalogue.months", length),
        Term::ToDate {
            min_days,
            max_years,
        } => session
            .messages
            .fill("catalogue.to-date", &args![min_days, max_years]),
        Term::Years(length) => fill("catalogue.years", length),
    }
}

/// The face, in the order of its template, else in that of the fields.
fn face(session: &Session, entry: &Entry, sheet: &mut Sheet<'_>) {
    sheet.heading("catalogue.face");
    let shown = |field: &&Field| entry.shows(field, Audience::User);
    let mut placed: Vec<&str> = Vec::new();
    if let Some(template) = &entry.template {
        placed.extend(template.texts.iter().map(|text| text.member.as_str()));
    }
    let rest = entry.fields.iter().map(|field| field.name.as_str());
    let rest: Vec<&str> = rest.filter(|name| !placed.contains(name)).collect();
    for member in placed.into_iter().chain(rest) {
        match entry.field(member) {
            Some(field) if shown(&field) => {
                // Who fills in a batch needs the column as well as the title.
                let title = format!("{} ({})", name(session, &field.titles), field.name);
                sheet.named(&title, plain(&describe(session, field)));
            }
            Some(_) => {}
            None => {
                sheet.named(member, format!("[{member}]"));
            }
        }
    }
    let count = entry.fields.iter().filter(|field| !shown(field)).count();
    if count > 0 {
        let text = session.messages.fill("catalogue.hidden", &args![count]);
        sheet.text(text);
    }
}

fn describe(session: &Session, field: &Field) -> String {
    let word = |key: &str| session.messages.text(key);
    let kind = match &field.kind {
        FieldKind::Boolean => word("catalogue.boolean"),
        FieldKind::Code(codes) => {
            let code = |c: &Code| format!("{} {}", c.code, name(session, &c.names));
            codes.iter().map(code).collect::<Vec<_>>().join(" | ")
        }
        FieldKind::Date => word("catalogue.date"),
        FieldKind::Integer => word("catalogue.integer"),
        FieldKind::Text {
            max_length,
            pattern,
        } => match pattern {
            Some(pattern) => pattern.to_string(),
            None => session.messages.fill("catalogue.text", &args![max_length]),
        },
    };
    let required = match field.required {
        true => String::new(),
        false => format!(" {}", word("catalogue.optional")),
    };
    format!("[{kind}]{required}  {}", field.purpose)
}

fn conditions(session: &Session, entry: &Entry, sheet: &mut Sheet<'_>) {
    let Some(conditions) = entry.conditions() else {
        return;
    };
    let consent = match conditions.consent {
        zhao_issuer::catalogue::Consent::Holder => "catalogue.consent-holder",
        zhao_issuer::catalogue::Consent::Issuer => "catalogue.consent-issuer",
        zhao_issuer::catalogue::Consent::None => "catalogue.consent-none",
    };
    let consent = session.messages.text(consent);
    let purposes = joined(session, &conditions.purposes);
    sheet
        .heading("catalogue.conditions")
        .row("requirement", plain(name(session, &conditions.requirement)))
        .row("consent", consent)
        .row("purposes", plain(&purposes))
        .optional(
            "keep-days",
            conditions.keep_days.map(|days| days.to_string()),
        );
}

fn joined(session: &Session, names: &[Names]) -> String {
    let names: Vec<&str> = names.iter().map(|names| name(session, names)).collect();
    names.join("; ")
}

fn more<'a>(session: &'a Session, entry: &Entry, sheet: &mut Sheet<'a>) {
    let units: Vec<&str> = entry
        .issuing_units
        .iter()
        .map(|u| u.name.as_str())
        .collect();
    let registers: Vec<String> = entry.registers.iter().map(|r| rule(session, r)).collect();
    let picture = |picture: &Picture| {
        let Picture {
            bytes,
            digest,
            file,
            ..
        } = picture;
        format!("{file} {bytes} B sha256:{digest}")
    };
    let steps = joined(session, &entry.sign_off);
    let background = entry.template.as_ref().and_then(|t| t.background.as_ref());
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let (units, steps) = (plain(&units.join("; ")), plain(&steps));
    let mut rows = Sheet::new(session);
    rows.optional("units", said(units))
        .optional("sign-off", said(steps))
        .optional("registers", said(registers.join("; ")))
        .optional("matter", entry.matter.map(|matter| matter.as_str()))
        .optional("grade", entry.grade.map(|grade| grade.as_str()))
        .optional("background", background.map(picture))
        .optional("sample", entry.sample.as_ref().map(picture))
        .optional(
            "seal",
            entry
                .seal
                .as_ref()
                .map(|seal| plain(&format!("{} {}", seal.name, picture(&seal.picture)))),
        );
    if !rows.is_empty() {
        sheet.heading("catalogue.more").append(rows);
    }
}

fn rule(session: &Session, rule: &RegisterRule) -> String {
    let register = match rule.register {
        Register::LegalEntities => "catalogue.legal-entities",
        Register::Population => "catalogue.population",
    };
    let register = session.messages.text(register);
    format!("{register}: {} = {}", rule.code, rule.name)
}
