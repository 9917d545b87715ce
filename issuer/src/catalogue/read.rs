//! From JSON to an entry, with every rule an entry must keep.

use std::collections::BTreeSet;

use zhao_spec::id::{HolderCodeType, LicenceTypeCode, Uscc};
use zhao_spec::life::data::{InspectionRule, Openness};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::wire::fields::text_of;
use zhao_spec::wire::{Fields, Hash, Malformed, Problem, Value, limits};

use super::{
    Code, Definer, Entry, Field, FieldKind, Inspection, Names, Pattern, Sensitivity, StandardLevel,
    Term,
};
use crate::intake::METADATA;
use crate::text;

/// One entry file, bytes: a hundred fields with their purposes fit.
pub const ENTRY_BYTES: usize = 256 << 10;
/// A name or title, characters.
const NAME_CHARS: usize = 128;
/// A purpose or reference, characters.
const SENTENCE_CHARS: usize = 512;
/// One text of the face data, characters: four bytes each at most.
const TEXT_CHARS: usize = limits::FACE_TEXT_BYTES / 4;
/// Values of one code list.
const CODES: usize = 256;
/// Longest term or cycle that can be meant, in years; longer is a slip of the keyboard.
const YEARS: u64 = 200;

pub(super) fn entry(value: &Value, digest: Hash) -> Result<Entry, Malformed> {
    let mut f = Fields::new(value, "")?;
    let type_code = code(&mut f, "typeCode", LicenceTypeCode::parse)?;
    let openness = Openness::read(&mut f, "openness")?;
    let standard_level = standard_level(&mut f)?;
    let entry = Entry {
        definer: definer(f.object("definer")?, &type_code)?,
        digest,
        fields: fields(&mut f)?,
        holders: holders(&mut f)?,
        individual_businesses: f.bool("individualBusinesses")?,
        indexed: f.bool("indexed")?,
        inspection: inspection(f.object("inspection")?)?,
        names: names(&mut f, "names")?,
        number: number(&mut f)?,
        openness,
        slug: slug(&mut f)?,
        standard_level,
        standard_ref: standard_ref(&mut f, standard_level)?,
        validity: validity(&mut f)?,
        verbs: verbs(&mut f)?,
        version: at_least_one(&mut f, "version")?,
        type_code,
    };
    f.finish()?;
    check_together(&entry)?;
    Ok(entry)
}

/// Rules that concern several members.
fn check_together(entry: &Entry) -> Result<(), Malformed> {
    if entry.indexed && entry.openness != Openness::Open {
        let open = "false, because the type is not open";
        return Err(Malformed::value("indexed", open, "true"));
    }
    // A holder's public index is keyed by its unified social credit code.
    if entry.indexed && entry.holders != [HolderCodeType::USCC] {
        return Err(Malformed::value(
            "holders",
            "001 alone, because the type is indexed",
            "",
        ));
    }
    if entry.individual_businesses && !entry.indexed {
        let not_indexed = "false, because the type is not indexed";
        return Err(Malformed::value(
            "individualBusinesses",
            not_indexed,
            "true",
        ));
    }
    // A natural person behind an open type would be named in public.
    if entry.openness == Openness::Open && entry.holders.iter().any(|h| !h.is_organisation()) {
        return Err(Malformed::value(
            "holders",
            "organisations only, because the type is open",
            "",
        ));
    }
    let inspected = entry.verbs.contains(&Verb::Inspect);
    if inspected != (entry.inspection.rule != InspectionRule::None) {
        let expected = "inspect exactly when there is an inspection rule";
        return Err(Malformed::value("verbs", expected, ""));
    }
    Ok(())
}

fn clean(path: String, text: &str, limit: usize) -> Result<String, Malformed> {
    if text.is_empty() {
        return Err(Malformed::value(path, "text, not empty", text));
    }
    let same = text::clean(text, limit).is_ok_and(|clean| clean == text);
    if same {
        Ok(text.to_owned())
    } else {
        let expected = "printable text in NFC, without outer spaces, within its length";
        Err(Malformed::value(path, expected, text))
    }
}

fn label(f: &mut Fields<'_>, name: &str, limit: usize) -> Result<String, Malformed> {
    let path = f.path_of(name);
    clean(path, f.text(name)?, limit)
}

fn names(f: &mut Fields<'_>, name: &str) -> Result<Names, Malformed> {
    let mut f = f.object(name)?;
    let names = Names {
        en: label(&mut f, "en", NAME_CHARS)?,
        zh: label(&mut f, "zh", NAME_CHARS)?,
    };
    f.finish()?;
    Ok(names)
}

fn code<T>(
    f: &mut Fields<'_>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, zhao_spec::id::IdError>,
) -> Result<T, Malformed> {
    let text = f.text(name)?;
    parse(text).map_err(|error| Malformed::value(f.path_of(name), number_words(&error), text))
}

/// What is expected of a number, by the check that failed.
fn number_words(error: &zhao_spec::id::IdError) -> &'static str {
    use zhao_spec::id::IdError;
    match error {
        IdError::Length { .. } => "of the right length",
        IdError::Character { .. } => "made of the characters its standard allows",
        IdError::Check { .. } => "a number whose check character is right",
        _ => "a number of its standard",
    }
}

fn definer(mut f: Fields<'_>, type_code: &LicenceTypeCode) -> Result<Definer, Malformed> {
    let definer = Definer {
        code: code(&mut f, "code", Uscc::parse)?,
        name: label(&mut f, "name", NAME_CHARS)?,
    };
    if definer.code != type_code.definer() {
        let expected = "the first 18 characters of typeCode";
        return Err(Malformed::value(
            f.path_of("code"),
            expected,
            definer.code.as_str(),
        ));
    }
    f.finish()?;
    Ok(definer)
}

fn slug(f: &mut Fields<'_>) -> Result<String, Malformed> {
    let slug = f.text("slug")?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&slug.len()) && slug.bytes().all(plain) {
        Ok(slug.to_owned())
    } else {
        Err(Malformed::value("slug", "1 to 64 of a-z, 0-9 and -", slug))
    }
}

fn holders(f: &mut Fields<'_>) -> Result<Vec<HolderCodeType>, Malformed> {
    let holders = f.items("holders", 16, |value, path| {
        let text = text_of(value, path)?;
        HolderCodeType::parse(text)
            .map_err(|_| Malformed::value(path, "a holder code type of GB/T 36903", text))
    })?;
    if holders.is_empty() || !holders.is_sorted_by(|a, b| a < b) {
        return Err(Malformed::value(
            "holders",
            "one or more, strictly ascending",
            "",
        ));
    }
    Ok(holders)
}

fn standard_level(f: &mut Fields<'_>) -> Result<StandardLevel, Malformed> {
    match f.text("standardLevel")? {
        "district" => Ok(StandardLevel::District),
        "municipal" => Ok(StandardLevel::Municipal),
        "national" => Ok(StandardLevel::National),
        other => Err(Malformed::value(
            "standardLevel",
            "district, municipal or national",
            other,
        )),
    }
}

fn standard_ref(f: &mut Fields<'_>, level: StandardLevel) -> Result<Option<String>, Malformed> {
    match f.optional_text("standardRef")? {
        Some(text) => clean("standardRef".to_owned(), text, SENTENCE_CHARS).map(Some),
        // CAT-10: a national standard is named.
        None if level == StandardLevel::National => {
            Err(Malformed::new("standardRef", Problem::Missing))
        }
        None => Ok(None),
    }
}

fn at_least_one(f: &mut Fields<'_>, name: &str) -> Result<u64, Malformed> {
    match f.int(name)? {
        0 => Err(Malformed::value(f.path_of(name), "1 or more", "0")),
        n => Ok(n),
    }
}

/// A number from 1 to `max`, `max` below 2^32.
fn count(f: &mut Fields<'_>, name: &str, max: u64) -> Result<u32, Malformed> {
    let n = f.int(name)?;
    u32::try_from(n)
        .ok()
        .filter(|_| (1..=max).contains(&n))
        .ok_or_else(|| {
            Malformed::value(
                f.path_of(name),
                "1 or more, at most 200 years",
                &n.to_string(),
            )
        })
}

fn inspection(mut f: Fields<'_>) -> Result<Inspection, Malformed> {
    let rule = InspectionRule::read(&mut f, "rule")?;
    let cycle_months = match rule {
        InspectionRule::None => None,
        _ => Some(count(&mut f, "cycleMonths", YEARS * 12)?),
    };
    f.finish()?;
    Ok(Inspection { cycle_months, rule })
}

fn validity(f: &mut Fields<'_>) -> Result<Vec<Term>, Malformed> {
    let mut terms = Vec::new();
    for mut f in f.objects("validity", 16)? {
        let term = match f.text("rule")? {
            "days" => Term::Days(count(&mut f, "length", YEARS * 366)?),
            "indefinite" => Term::Indefinite,
            "months" => Term::Months(count(&mut f, "length", YEARS * 12)?),
            "to-date" => Term::ToDate {
                min_days: count(&mut f, "minDays", YEARS * 366)?,
                max_years: count(&mut f, "maxYears", YEARS)?,
            },
            "years" => Term::Years(count(&mut f, "length", YEARS)?),
            other => {
                let expected = "days, indefinite, months, to-date or years";
                return Err(Malformed::value(f.path_of("rule"), expected, other));
            }
        };
        f.finish()?;
        if terms.contains(&term) {
            return Err(Malformed::value("validity", "terms that differ", ""));
        }
        terms.push(term);
    }
    if terms.is_empty() {
        return Err(Malformed::value("validity", "one term or more", ""));
    }
    Ok(terms)
}

fn verbs(f: &mut Fields<'_>) -> Result<Vec<Verb>, Malformed> {
    let words = f.items("verbs", Verb::ALL.len(), |value, path| {
        let word = text_of(value, path)?;
        let verb = Verb::from_word(word).filter(|verb| verb.on() == On::Licence);
        verb.map(|verb| (word.to_owned(), verb))
            .ok_or_else(|| Malformed::value(path, "a verb of a licence", word))
    })?;
    if !words.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(Malformed::value("verbs", "strictly ascending words", ""));
    }
    let verbs: Vec<Verb> = words.into_iter().map(|(_, verb)| verb).collect();
    if !verbs.contains(&Verb::Issued) {
        return Err(Malformed::value("verbs", "a list with issued", ""));
    }
    Ok(verbs)
}

fn pattern(path: &str, text: &str) -> Result<Pattern, Malformed> {
    Pattern::parse(text)
        .map_err(|_| Malformed::value(path, "a pattern of literals and {parts}", text))
}

fn number(f: &mut Fields<'_>) -> Result<Pattern, Malformed> {
    let text = f.text("number")?;
    let pattern = pattern("number", text)?;
    if !pattern.is_generating() {
        let expected = "a pattern of literals, {holder}, {region}, {serial:n} and {year}";
        return Err(Malformed::value("number", expected, text));
    }
    Ok(pattern)
}

fn fields(f: &mut Fields<'_>) -> Result<Vec<Field>, Malformed> {
    let mut seen = BTreeSet::new();
    let mut fields = Vec::new();
    for f in f.objects("fields", limits::FACE_MEMBERS)? {
        let path = f.path_of("name");
        let field = field(f)?;
        if METADATA.contains(&field.name.as_str()) {
            let expected = "a name that no metadata has (GB/T 36903)";
            return Err(Malformed::value(path, expected, &field.name));
        }
        if !seen.insert(field.name.clone()) {
            return Err(Malformed::value(
                path,
                "a name not used before",
                &field.name,
            ));
        }
        fields.push(field);
    }
    Ok(fields)
}

fn field(mut f: Fields<'_>) -> Result<Field, Malformed> {
    let name = f.text("name")?.to_owned();
    let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !letter || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let expected = "[a-z][A-Za-z0-9]*, at most 64 characters";
        return Err(Malformed::value(f.path_of("name"), expected, &name));
    }
    let field = Field {
        kind: kind(&mut f)?,
        name,
        purpose: label(&mut f, "purpose", SENTENCE_CHARS)?,
        required: f.bool("required")?,
        sensitivity: match f.text("sensitivity")? {
            "personal" => Sensitivity::Personal,
            "public" => Sensitivity::Public,
            "secret" => Sensitivity::Secret,
            other => {
                let expected = "personal, public or secret";
                return Err(Malformed::value(f.path_of("sensitivity"), expected, other));
            }
        },
        titles: names(&mut f, "titles")?,
    };
    f.finish()?;
    Ok(field)
}

fn kind(f: &mut Fields<'_>) -> Result<FieldKind, Malformed> {
    match f.text("kind")? {
        "boolean" => Ok(FieldKind::Boolean),
        "code" => codes(f).map(FieldKind::Code),
        "date" => Ok(FieldKind::Date),
        "integer" => Ok(FieldKind::Integer),
        "text" => {
            let max_length = usize::try_from(f.int("maxLength")?).unwrap_or(usize::MAX);
            if !(1..=TEXT_CHARS).contains(&max_length) {
                let actual = max_length.to_string();
                return Err(Malformed::value(
                    f.path_of("maxLength"),
                    "1 to 1024",
                    &actual,
                ));
            }
            let path = f.path_of("pattern");
            let pattern = match f.optional_text("pattern")? {
                None => None,
                Some(text) => match pattern(&path, text)? {
                    plain if plain.is_plain() => Some(plain),
                    _ => {
                        let expected = "literals, {alnum:n}, {digits:n} and {upper:n}";
                        return Err(Malformed::value(path, expected, text));
                    }
                },
            };
            Ok(FieldKind::Text {
                max_length,
                pattern,
            })
        }
        other => {
            let expected = "boolean, code, date, integer or text";
            Err(Malformed::value(f.path_of("kind"), expected, other))
        }
    }
}

fn codes(f: &mut Fields<'_>) -> Result<Vec<Code>, Malformed> {
    let path = f.path_of("codes");
    let mut codes: Vec<Code> = Vec::new();
    for mut f in f.objects("codes", CODES)? {
        let code = Code {
            code: label(&mut f, "code", 64)?,
            names: names(&mut f, "names")?,
        };
        f.finish()?;
        if codes.iter().any(|other| other.code == code.code) {
            return Err(Malformed::value(path, "codes that differ", &code.code));
        }
        codes.push(code);
    }
    if codes.is_empty() {
        return Err(Malformed::value(path, "one code or more", ""));
    }
    Ok(codes)
}
