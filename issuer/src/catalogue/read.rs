//! From JSON to an entry, with every rule an entry must keep.
//!
//! Reading does not stop at the first fault: whoever edits an entry is told all of them at once.

use zhao_spec::id::{HolderCodeType, IdError, LicenceTypeCode, Uscc};
use zhao_spec::life::data::{InspectionRule, Openness};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::wire::fields::text_of;
use zhao_spec::wire::{Fields, Hash, Malformed, Problem, Value, limits};

use super::{
    Definer, Entry, Fault, Grade, Inspection, MatterKind, Names, Pattern, Rule, StandardLevel, Term,
};
use crate::text;

mod face;
mod more;

/// One entry file, bytes: a hundred fields with their purposes fit.
pub const ENTRY_BYTES: usize = 256 << 10;
/// A name or title, characters.
const NAME_CHARS: usize = 128;
/// A purpose, reference or requirement, characters.
const SENTENCE_CHARS: usize = 512;
/// One text of the face data, characters: four bytes each at most.
const TEXT_CHARS: usize = limits::FACE_TEXT_BYTES / 4;
/// Values of one code list.
const CODES: usize = 256;
/// Longest term or cycle that can be meant, in years; longer is a slip of the keyboard.
const YEARS: u64 = 200;
/// Terms, purposes, steps, register rules: more is no entry that a person keeps in view.
const SHORT_LIST: usize = 16;

/// The entry of a canonical value.
pub(super) fn entry(value: Value, digest: Hash) -> Result<Entry, Vec<Fault>> {
    let mut reader = Reader::default();
    match (reader.entry(&value, digest), reader.faults) {
        (Some(entry), faults) if faults.is_empty() => Ok(Entry { value, ..entry }),
        (_, faults) => Err(faults),
    }
}

/// Collects faults while it goes through the members.
#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn note<T, F: Into<Fault>>(&mut self, result: Result<T, F>) -> Option<T> {
        result.map_err(|fault| self.faults.push(fault.into())).ok()
    }

    fn fault<T>(&mut self, place: impl Into<String>, rule: Rule, actual: &str) -> Option<T> {
        self.faults.push(Fault::new(place, rule, actual));
        None
    }

    /// Notes every member nobody asked for.
    fn finish(&mut self, f: &Fields<'_>) {
        self.faults.extend(f.unknown().map(Fault::from));
    }

    /// None when the faults say why.
    fn entry(&mut self, value: &Value, digest: Hash) -> Option<Entry> {
        let mut f = self.note(Fields::new(value, ""))?;
        let f = &mut f;
        let type_code = self.code(f, "typeCode", LicenceTypeCode::parse);
        let openness = self.note(Openness::read(f, "openness"));
        let standard_level = self.word(
            f,
            "standardLevel",
            Rule::StandardLevel,
            StandardLevel::from_word,
        );
        let definer = self.definer(f, type_code.as_ref());
        let fields = self.fields(f);
        let holders = self.holders(f);
        let individual_businesses = self.note(f.bool("individualBusinesses"));
        let indexed = self.note(f.bool("indexed"));
        let inspection = self.inspection(f);
        let names = self.names(f, "names");
        let number = self.number(f);
        let slug = self.slug(f);
        let standard_ref = self.standard_ref(f, standard_level);
        let validity = self.validity(f);
        let verbs = self.verbs(f);
        let version = self.at_least_one(f, "version");
        let more = self.more(f, fields.as_deref());
        self.finish(f);
        let more = more?;
        let entry = Entry {
            collection_start: more.collection_start,
            conditions: more.conditions,
            definer: definer?,
            digest,
            grade: more.grade,
            high_frequency: more.high_frequency,
            holders: holders?,
            individual_businesses: individual_businesses?,
            indexed: indexed?,
            inspection: inspection?,
            issuing_units: more.issuing_units,
            matter: more.matter,
            names: names?,
            number: number?,
            openness: openness?,
            registers: more.registers,
            sample: more.sample,
            seal: more.seal,
            sign_off: more.sign_off,
            slug: slug?,
            standard_level: standard_level?,
            standard_ref: standard_ref?,
            states_no_secrets: more.states_no_secrets,
            template: more.template,
            validity: validity?,
            value: Value::Bool(true),
            verbs: verbs?,
            version: version?,
            widens: more.widens,
            fields: fields?,
            type_code: type_code?,
        };
        self.check_together(&entry);
        Some(entry)
    }

    /// Rules that concern several members.
    fn check_together(&mut self, entry: &Entry) {
        if entry.indexed && entry.openness != Openness::Open {
            self.fault::<()>("indexed", Rule::IndexedOpen, "true");
        }
        // A holder's public index is keyed by its unified social credit code.
        if entry.indexed && entry.holders != [HolderCodeType::USCC] {
            self.fault::<()>("holders", Rule::HoldersIndexed, "");
        }
        if entry.individual_businesses && !entry.indexed {
            self.fault::<()>("individualBusinesses", Rule::IndividualIndexed, "true");
        }
        // A natural person behind an open type would be named in public.
        if entry.openness == Openness::Open && entry.holders.iter().any(|h| !h.is_organisation()) {
            self.fault::<()>("holders", Rule::HoldersOpen, "");
        }
        let inspected = entry.verbs.contains(&Verb::Inspect);
        if inspected != (entry.inspection.rule != InspectionRule::None) {
            self.fault::<()>("verbs", Rule::InspectVerb, "");
        }
    }

    fn clean(&mut self, place: String, text: &str, limit: usize) -> Option<String> {
        if text.is_empty() {
            return self.fault(place, Rule::NotEmpty, text);
        }
        if text::clean(text, limit).is_ok_and(|clean| clean == text) {
            Some(text.to_owned())
        } else {
            self.fault(place, Rule::Printable, text)
        }
    }

    fn label(&mut self, f: &mut Fields<'_>, name: &str, limit: usize) -> Option<String> {
        let text = self.note(f.text(name))?;
        self.clean(f.path_of(name), text, limit)
    }

    fn names(&mut self, f: &mut Fields<'_>, name: &str) -> Option<Names> {
        let inner = self.note(f.object(name))?;
        self.names_in(inner, NAME_CHARS)
    }

    fn names_in(&mut self, mut f: Fields<'_>, limit: usize) -> Option<Names> {
        let en = self.label(&mut f, "en", limit);
        let zh = self.label(&mut f, "zh", limit);
        self.finish(&f);
        Some(Names { en: en?, zh: zh? })
    }

    /// A word of a closed list.
    fn word<T>(
        &mut self,
        f: &mut Fields<'_>,
        name: &str,
        rule: Rule,
        from_word: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let word = self.note(f.text(name))?;
        match from_word(word) {
            Some(one) => Some(one),
            None => self.fault(f.path_of(name), rule, word),
        }
    }

    fn code<T>(
        &mut self,
        f: &mut Fields<'_>,
        name: &str,
        parse: impl Fn(&str) -> Result<T, IdError>,
    ) -> Option<T> {
        let text = self.note(f.text(name))?;
        let parsed = parse(text);
        self.note(parsed.map_err(|error| Fault::new(f.path_of(name), number_rule(&error), text)))
    }

    /// A body: its code and name.
    fn body(&mut self, mut f: Fields<'_>) -> Option<Definer> {
        let code = self.code(&mut f, "code", Uscc::parse);
        let name = self.label(&mut f, "name", NAME_CHARS);
        self.finish(&f);
        Some(Definer {
            code: code?,
            name: name?,
        })
    }

    fn definer(
        &mut self,
        f: &mut Fields<'_>,
        type_code: Option<&LicenceTypeCode>,
    ) -> Option<Definer> {
        let inner = self.note(f.object("definer"))?;
        let place = inner.path_of("code");
        let definer = self.body(inner)?;
        if type_code.is_some_and(|type_code| definer.code != type_code.definer()) {
            return self.fault(place, Rule::FirstEighteen, definer.code.as_str());
        }
        Some(definer)
    }

    fn slug(&mut self, f: &mut Fields<'_>) -> Option<String> {
        let slug = self.note(f.text("slug"))?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&slug.len()) && slug.bytes().all(plain) {
            Some(slug.to_owned())
        } else {
            self.fault("slug", Rule::Slug, slug)
        }
    }

    fn holders(&mut self, f: &mut Fields<'_>) -> Option<Vec<HolderCodeType>> {
        let holders = self.each(f, "holders", SHORT_LIST, |reader, value, place| {
            let text = reader.note(text_of(value, place))?;
            match HolderCodeType::parse(text) {
                Ok(holder) => Some(holder),
                Err(_) => reader.fault(place, Rule::Holder, text),
            }
        })?;
        if holders.is_empty() || !holders.is_sorted_by(|a, b| a < b) {
            return self.fault("holders", Rule::HoldersOrder, "");
        }
        Some(holders)
    }

    /// The elements of an array; none when it is no array or an element is wrong.
    fn each<'a, T>(
        &mut self,
        f: &mut Fields<'a>,
        name: &str,
        max: usize,
        mut read: impl FnMut(&mut Self, &'a Value, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.note(f.array(name))?;
        let place = f.path_of(name);
        if items.len() > max {
            let problem = Problem::TooLong {
                limit: max,
                actual: items.len(),
            };
            self.faults.push(Malformed::new(place, problem).into());
            return None;
        }
        let mut all = Some(Vec::with_capacity(items.len()));
        for (at, value) in items.iter().enumerate() {
            match (read(self, value, &format!("{place}[{at}]")), &mut all) {
                (Some(item), Some(all)) => all.push(item),
                _ => all = None,
            }
        }
        all
    }

    /// As [`Reader::each`], for objects.
    fn each_object<'a, T>(
        &mut self,
        f: &mut Fields<'a>,
        name: &str,
        max: usize,
        mut read: impl FnMut(&mut Self, Fields<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.each(f, name, max, |reader, value, place| {
            let inner = reader.note(Fields::new(value, place))?;
            read(reader, inner)
        })
    }

    fn standard_ref(
        &mut self,
        f: &mut Fields<'_>,
        level: Option<StandardLevel>,
    ) -> Option<Option<String>> {
        match self.note(f.optional_text("standardRef"))? {
            Some(text) => self
                .clean("standardRef".to_owned(), text, SENTENCE_CHARS)
                .map(Some),
            // CAT-10: a national standard is named.
            None if level == Some(StandardLevel::National) => {
                self.note(Err(Malformed::new("standardRef", Problem::Missing)))
            }
            None => Some(None),
        }
    }

    fn at_least_one(&mut self, f: &mut Fields<'_>, name: &str) -> Option<u64> {
        match self.note(f.int(name))? {
            0 => self.fault(f.path_of(name), Rule::OneOrMore, "0"),
            n => Some(n),
        }
    }

    /// A number from 1 to `max`, `max` below 2^32.
    fn count(&mut self, f: &mut Fields<'_>, name: &str, max: u64, rule: Rule) -> Option<u32> {
        let n = self.note(f.int(name))?;
        match u32::try_from(n) {
            Ok(small) if (1..=max).contains(&n) => Some(small),
            _ => self.fault(f.path_of(name), rule, &n.to_string()),
        }
    }

    fn inspection(&mut self, f: &mut Fields<'_>) -> Option<Inspection> {
        let mut f = self.note(f.object("inspection"))?;
        let rule = self.note(InspectionRule::read(&mut f, "rule"))?;
        let cycle_months = match rule {
            InspectionRule::None => None,
            _ => Some(self.count(&mut f, "cycleMonths", YEARS * 12, Rule::OneToCenturies)?),
        };
        self.finish(&f);
        Some(Inspection { cycle_months, rule })
    }

    fn validity(&mut self, f: &mut Fields<'_>) -> Option<Vec<Term>> {
        let terms = self.each_object(f, "validity", SHORT_LIST, |reader, mut f| {
            let word = reader.note(f.text("rule"))?;
            let days = YEARS * 366;
            let mut count = |name, max| reader.count(&mut f, name, max, Rule::OneToCenturies);
            let term = match word {
                "days" => count("length", days).map(Term::Days),
                "indefinite" => Some(Term::Indefinite),
                "months" => count("length", YEARS * 12).map(Term::Months),
                "to-date" => {
                    let (min_days, max_years) = (count("minDays", days), count("maxYears", YEARS));
                    min_days
                        .zip(max_years)
                        .map(|(min_days, max_years)| Term::ToDate {
                            min_days,
                            max_years,
                        })
                }
                "years" => count("length", YEARS).map(Term::Years),
                other => return reader.fault(f.path_of("rule"), Rule::TermRule, other),
            };
            reader.finish(&f);
            term
        })?;
        if terms.is_empty() {
            return self.fault("validity", Rule::TermsSome, "");
        }
        let again = |(at, term): (usize, &Term)| terms.iter().take(at).any(|other| other == term);
        if terms.iter().enumerate().any(again) {
            return self.fault("validity", Rule::TermsDiffer, "");
        }
        Some(terms)
    }

    fn verbs(&mut self, f: &mut Fields<'_>) -> Option<Vec<Verb>> {
        let words = self.each(f, "verbs", Verb::ALL.len(), |reader, value, place| {
            let word = reader.note(text_of(value, place))?;
            match Verb::from_word(word).filter(|verb| verb.on() == On::Licence) {
                Some(verb) => Some((word.to_owned(), verb)),
                None => reader.fault(place, Rule::Verb, word),
            }
        })?;
        if !words.is_sorted_by(|(a, _), (b, _)| a < b) {
            return self.fault("verbs", Rule::VerbOrder, "");
        }
        let verbs: Vec<Verb> = words.into_iter().map(|(_, verb)| verb).collect();
        if !verbs.contains(&Verb::Issued) {
            return self.fault("verbs", Rule::VerbIssued, "");
        }
        Some(verbs)
    }

    fn pattern(&mut self, place: &str, text: &str) -> Option<Pattern> {
        match Pattern::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(_) => self.fault(place, Rule::Pattern, text),
        }
    }

    fn number(&mut self, f: &mut Fields<'_>) -> Option<Pattern> {
        let text = self.note(f.text("number"))?;
        let pattern = self.pattern("number", text)?;
        if !pattern.is_generating() {
            return self.fault("number", Rule::NumberPattern, text);
        }
        Some(pattern)
    }

    /// 证照颁发机构级别 and 事项类别, which an entry may leave out.
    fn grade_and_matter(
        &mut self,
        f: &mut Fields<'_>,
    ) -> (Option<Option<Grade>>, Option<Option<MatterKind>>) {
        let grade = match f.has("grade") {
            true => self
                .word(f, "grade", Rule::Grade, Grade::from_word)
                .map(Some),
            false => Some(None),
        };
        let matter = match f.has("matterKind") {
            true => self
                .word(f, "matterKind", Rule::Matter, MatterKind::from_word)
                .map(Some),
            false => Some(None),
        };
        (grade, matter)
    }
}

/// What is expected of a number, by the check that failed.
fn number_rule(error: &IdError) -> Rule {
    match error {
        IdError::Length { .. } => Rule::Length,
        IdError::Character { .. } => Rule::NumberCharacters,
        IdError::Check { .. } => Rule::CheckCharacter,
        _ => Rule::Number,
    }
}
