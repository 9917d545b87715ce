//! The fields of the face data.

use std::collections::BTreeSet;

use zhao_spec::wire::{Fields, limits};

use super::super::{Code, Field, FieldKind, Rule, Sensitivity};
use super::{CODES, Reader, SENTENCE_CHARS, TEXT_CHARS};
use crate::intake::METADATA;

impl Reader {
    pub(super) fn fields(&mut self, f: &mut Fields<'_>) -> Option<Vec<Field>> {
        let mut seen = BTreeSet::new();
        self.each_object(f, "fields", limits::FACE_MEMBERS, |reader, f| {
            let place = f.path_of("name");
            let field = reader.field(f)?;
            if METADATA.contains(&field.name.as_str()) {
                return reader.fault(place, Rule::FieldReserved, &field.name);
            }
            if !seen.insert(field.name.clone()) {
                return reader.fault(place, Rule::FieldAgain, &field.name);
            }
            Some(field)
        })
    }

    fn field(&mut self, mut f: Fields<'_>) -> Option<Field> {
        let name = self.field_name(&mut f);
        let kind = self.kind(&mut f);
        let purpose = self.label(&mut f, "purpose", SENTENCE_CHARS);
        let required = self.note(f.bool("required"));
        let sensitivity = self.word(
            &mut f,
            "sensitivity",
            Rule::Sensitivity,
            Sensitivity::from_word,
        );
        let titles = self.names(&mut f, "titles");
        // The kind decides which members there are, so without it none is unknown.
        let kind = kind?;
        self.finish(&f);
        Some(Field {
            kind,
            name: name?,
            purpose: purpose?,
            required: required?,
            sensitivity: sensitivity?,
            titles: titles?,
        })
    }

    fn field_name(&mut self, f: &mut Fields<'_>) -> Option<String> {
        let name = self.note(f.text("name"))?;
        let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
        if letter && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Some(name.to_owned())
        } else {
            self.fault(f.path_of("name"), Rule::FieldName, name)
        }
    }

    fn kind(&mut self, f: &mut Fields<'_>) -> Option<FieldKind> {
        match self.note(f.text("kind"))? {
            "boolean" => Some(FieldKind::Boolean),
            "code" => self.codes(f).map(FieldKind::Code),
            "date" => Some(FieldKind::Date),
            "integer" => Some(FieldKind::Integer),
            "text" => self.text_kind(f),
            other => self.fault(f.path_of("kind"), Rule::FieldKind, other),
        }
    }

    fn text_kind(&mut self, f: &mut Fields<'_>) -> Option<FieldKind> {
        let max_length = self.note(f.int("maxLength")).and_then(|n| {
            let length = usize::try_from(n).ok();
            match length.filter(|length| (1..=TEXT_CHARS).contains(length)) {
                Some(length) => Some(length),
                None => self.fault(f.path_of("maxLength"), Rule::MaxLength, &n.to_string()),
            }
        });
        let place = f.path_of("pattern");
        let pattern = match self.note(f.optional_text("pattern"))? {
            None => Some(None),
            Some(text) => match self.pattern(&place, text)? {
                plain if plain.is_plain() => Some(Some(plain)),
                _ => self.fault(place, Rule::PlainPattern, text),
            },
        };
        Some(FieldKind::Text {
            max_length: max_length?,
            pattern: pattern?,
        })
    }

    fn codes(&mut self, f: &mut Fields<'_>) -> Option<Vec<Code>> {
        let place = f.path_of("codes");
        let codes = self.each_object(f, "codes", CODES, |reader, mut f| {
            let code = reader.label(&mut f, "code", 64);
            let names = reader.names(&mut f, "names");
            reader.finish(&f);
            Some(Code {
                code: code?,
                names: names?,
            })
        })?;
        if codes.is_empty() {
            return self.fault(place, Rule::CodesSome, "");
        }
        let mut seen = BTreeSet::new();
        match codes.iter().find(|code| !seen.insert(&code.code)) {
            Some(again) => self.fault(place, Rule::CodesDiffer, &again.code),
            None => Some(codes),
        }
    }
}
