//! Members that an entry may leave out: what a place's profile or a sensitive type asks for.

use zhao_spec::wire::{Date, Fields, limits};

use super::super::{
    Conditions, Consent, Definer, Field, FieldKind, Grade, MatterKind, Media, Names, Picture,
    Placed, Register, RegisterRule, Rule, Seal, Template, Without,
};
use super::{NAME_CHARS, Reader, SENTENCE_CHARS, SHORT_LIST, YEARS};
use crate::intake::METADATA;

/// Units that issue one type: a province has some two hundred counties.
const UNITS: usize = 512;
/// Longest side of a face, millimetres.
const SHEET: u64 = 2000;

/// Those members.
pub(super) struct More {
    pub(super) collection_start: Option<Date>,
    pub(super) conditions: Option<Conditions>,
    pub(super) grade: Option<Grade>,
    pub(super) high_frequency: bool,
    pub(super) issuing_units: Vec<Definer>,
    pub(super) matter: Option<MatterKind>,
    pub(super) registers: Vec<RegisterRule>,
    pub(super) sample: Option<Picture>,
    pub(super) seal: Option<Seal>,
    pub(super) sign_off: Vec<Names>,
    pub(super) states_no_secrets: bool,
    pub(super) template: Option<Template>,
    pub(super) widens: bool,
}

impl Reader {
    /// None when one of them is wrong.
    pub(super) fn more(&mut self, f: &mut Fields<'_>, fields: Option<&[Field]>) -> Option<More> {
        let collection_start = self.note(f.optional_date("collectionStartDate"));
        let conditions = self.optional(f, "useConditions", Self::conditions);
        let (grade, matter) = self.grade_and_matter(f);
        let high_frequency = self.note(f.optional_bool("highFrequency"));
        let issuing_units = self.list(f, "issuingUnits", UNITS, Self::body);
        let registers = self.list(f, "registers", SHORT_LIST, |reader, f| {
            reader.register(f, fields)
        });
        let sample = self.optional(f, "sample", Self::picture);
        let seal = self.optional(f, "seal", Self::seal);
        let sign_off = self.list(f, "signOff", SHORT_LIST, |reader, f| {
            reader.names_in(f, NAME_CHARS)
        });
        let state_secrets = self.note(f.optional_bool("stateSecrets"));
        // CAT-13: whoever holds state secrets is told here, before anything is saved.
        if state_secrets == Some(Some(true)) {
            self.fault::<()>("stateSecrets", Rule::StateSecrets, "true");
        }
        let template = self.optional(f, "template", |reader, f| reader.template(f, fields));
        let widens = self.note(f.optional_bool("widensOpenness"));
        Some(More {
            collection_start: collection_start?,
            conditions: conditions?,
            grade: grade?,
            high_frequency: high_frequency?.unwrap_or(false),
            issuing_units: issuing_units?,
            matter: matter?,
            registers: registers?,
            sample: sample?,
            seal: seal?,
            sign_off: sign_off?,
            states_no_secrets: state_secrets? == Some(false),
            template: template?,
            widens: widens?.unwrap_or(false),
        })
    }

    /// An object member, if it is there.
    fn optional<'a, T>(
        &mut self,
        f: &mut Fields<'a>,
        name: &str,
        read: impl FnOnce(&mut Self, Fields<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.note(f.optional_object(name))? {
            None => Some(None),
            Some(inner) => read(self, inner).map(Some),
        }
    }

    /// A list of one or more objects; an absent one is empty.
    fn list<'a, T>(
        &mut self,
        f: &mut Fields<'a>,
        name: &str,
        max: usize,
        read: impl FnMut(&mut Self, Fields<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if !f.has(name) {
            return Some(Vec::new());
        }
        let place = f.path_of(name);
        let items = self.each_object(f, name, max, read)?;
        if items.is_empty() {
            return self.fault(place, Rule::Some, "");
        }
        Some(items)
    }

    fn conditions(&mut self, mut f: Fields<'_>) -> Option<Conditions> {
        let f = &mut f;
        let consent = self.word(f, "consent", Rule::Consent, Consent::from_word);
        let keep_days = match f.has("keepDays") {
            true => self
                .count(f, "keepDays", YEARS * 366, Rule::OneToCenturies)
                .map(Some),
            false => Some(None),
        };
        let purposes = match f.has("purposes") {
            true => self.list(f, "purposes", SHORT_LIST, |reader, f| {
                reader.names_in(f, NAME_CHARS)
            }),
            false => self
                .note(f.objects("purposes", SHORT_LIST))
                .map(|_| Vec::new()),
        };
        let requirement = self
            .note(f.object("requirement"))
            .and_then(|inner| self.names_in(inner, SENTENCE_CHARS));
        self.finish(f);
        Some(Conditions {
            consent: consent?,
            keep_days: keep_days?,
            purposes: purposes?,
            requirement: requirement?,
        })
    }

    fn picture(&mut self, mut f: Fields<'_>) -> Option<Picture> {
        let f = &mut f;
        let bytes = self.note(f.int("bytes"));
        let digest = self.note(f.hash("digest"));
        let file = self.note(f.text("file")).and_then(|name| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
            // One name, no path: the file lies in the folder and nowhere else.
            let fits = (1..=64).contains(&name.len())
                && name.bytes().all(plain)
                && !name.starts_with('.')
                && !name.contains("..");
            match fits {
                true => Some(name.to_owned()),
                false => self.fault(f.path_of("file"), Rule::FileName, name),
            }
        });
        let media = self.word(f, "mediaType", Rule::Media, Media::from_word);
        self.finish(f);
        let bytes = bytes?;
        let limit = u64::try_from(super::super::picture::PICTURE_BYTES).unwrap_or(u64::MAX);
        if !(1..=limit).contains(&bytes) {
            return self.fault(f.path_of("bytes"), Rule::PictureSize, &bytes.to_string());
        }
        Some(Picture {
            bytes,
            digest: digest?,
            file: file?,
            media: media?,
        })
    }

    fn seal(&mut self, mut f: Fields<'_>) -> Option<Seal> {
        let name = self.label(&mut f, "name", NAME_CHARS);
        let picture = self
            .note(f.object("picture"))
            .and_then(|inner| self.picture(inner));
        self.finish(&f);
        Some(Seal {
            name: name?,
            picture: picture?,
        })
    }

    fn template(&mut self, mut f: Fields<'_>, fields: Option<&[Field]>) -> Option<Template> {
        let background = self.optional(&mut f, "background", Self::picture);
        let width = self.count(&mut f, "width", SHEET, Rule::Sheet);
        let height = self.count(&mut f, "height", SHEET, Rule::Sheet);
        let sheet = width.zip(height).unwrap_or((u32::MAX, u32::MAX));
        let most = limits::FACE_MEMBERS + METADATA.len();
        let place = f.path_of("texts");
        let texts = self.each_object(&mut f, "texts", most, |reader, f| {
            reader.placed(f, fields, sheet)
        });
        self.finish(&f);
        let texts = texts?;
        if texts.is_empty() {
            return self.fault(place, Rule::Some, "");
        }
        Some(Template {
            background: background?,
            height: height?,
            texts,
            width: width?,
        })
    }

    fn placed(
        &mut self,
        mut f: Fields<'_>,
        fields: Option<&[Field]>,
        (width, height): (u32, u32),
    ) -> Option<Placed> {
        let f = &mut f;
        let member = self.note(f.text("member")).and_then(|name| {
            let has = |fields: &[Field]| fields.iter().any(|field| field.name == name);
            // Without the fields, because one is wrong, none is unknown.
            let known = METADATA.contains(&name) || fields.is_none_or(has);
            match known {
                true => Some(name.to_owned()),
                false => self.fault(f.path_of("member"), Rule::MemberKnown, name),
            }
        });
        let size = self.count(f, "size", SHEET, Rule::Sheet);
        let x = self.count(f, "x", width.into(), Rule::Sheet);
        let y = self.count(f, "y", height.into(), Rule::Sheet);
        self.finish(f);
        Some(Placed {
            member: member?,
            size: size?,
            x: x?,
            y: y?,
        })
    }

    fn register(&mut self, mut f: Fields<'_>, fields: Option<&[Field]>) -> Option<RegisterRule> {
        let f = &mut f;
        let code = self.member_of_text(f, "code", "holderCode", fields);
        let name = self.member_of_text(f, "name", "holderName", fields);
        let register = self.word(f, "register", Rule::Register, Register::from_word);
        let unknown = self.word(f, "unknown", Rule::Without, Without::from_word);
        let unreachable = self.word(f, "unreachable", Rule::Without, Without::from_word);
        self.finish(f);
        Some(RegisterRule {
            code: code?,
            name: name?,
            register: register?,
            unknown: unknown?,
            unreachable: unreachable?,
        })
    }

    /// The name of a text field, or the metadata element `own`.
    fn member_of_text(
        &mut self,
        f: &mut Fields<'_>,
        name: &str,
        own: &str,
        fields: Option<&[Field]>,
    ) -> Option<String> {
        let member = self.note(f.text(name))?;
        let is_text =
            |field: &Field| field.name == member && matches!(field.kind, FieldKind::Text { .. });
        if member == own || fields.is_none_or(|fields| fields.iter().any(is_text)) {
            Some(member.to_owned())
        } else {
            self.fault(f.path_of(name), Rule::MemberText, member)
        }
    }
}
