//! Fictional rows that look like an office's own, to try the program with.
//!
//! Regions are real; nothing else is. Organisations have codes that begin `DEM0` where GB 11714
//! has an organisation number, their names say 示例 (example), and people were born in 1900. Every
//! check character is right. The same seed gives the same rows on every machine.
//!
//! Holders are shared between types: row 1 of every type is from the same population, so an
//! enterprise holds several licences.

use std::io;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use zhao_spec::id::{HolderCodeType, Uscc};
use zhao_spec::life::data::InspectionRule;
use zhao_spec::wire::Date;

use crate::catalogue::{Entry, Field, FieldKind, Term};

mod face;
mod people;
mod regions;

pub use people::{Enterprise, Person};

/// Columns before those of the face data.
const COLUMNS: [&str; 9] = [
    "type",
    "issuer",
    "reference",
    "holderName",
    "holderCode",
    "holderCodeType",
    "issuedDate",
    "validFrom",
    "validUntil",
];

/// What the rows are about.
#[derive(Clone, Debug)]
pub struct Sample {
    /// How many enterprises there are to hold licences; at least 1.
    pub enterprises: u64,
    /// The same seed, the same rows.
    pub seed: u64,
    /// No licence is issued later.
    pub today: Date,
    /// The unit that issues.
    pub unit: Uscc,
}

/// Draws of one row.
struct Draw {
    rng: ChaCha20Rng,
}

impl Draw {
    /// A generator for one thing: seed, what it is, which one.
    fn new(seed: u64, what: &str, at: u64) -> Self {
        let input = format!("{what}\0{seed}\0{at}");
        let seed = zhao_spec::wire::sha256(&[b"zhao sample\0", input.as_bytes()]);
        Self {
            rng: ChaCha20Rng::from_seed(seed.0),
        }
    }

    /// From 0, below `bound`, which is small; the bias is of no matter in a sample.
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(1);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    fn digits(&mut self, width: usize) -> String {
        (0..width)
            .map(|_| char::from(b"0123456789"[self.index(10)]))
            .collect()
    }

    /// A day from `days` before `last` up to `last`.
    fn day_before(&mut self, last: Date, days: u64) -> Date {
        let back = i32::try_from(self.below(days.max(1))).unwrap_or(0);
        last.add_days(-back).unwrap_or(last)
    }
}

/// Who holds the licence of a row.
enum Holder {
    Enterprise(Enterprise),
    Person(Person),
}

impl Holder {
    fn name(&self) -> &str {
        match self {
            Self::Enterprise(enterprise) => &enterprise.name,
            Self::Person(person) => &person.name,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Enterprise(enterprise) => enterprise.code.as_str(),
            Self::Person(person) => person.code.as_str(),
        }
    }

    fn code_type(&self) -> HolderCodeType {
        match self {
            Self::Enterprise(_) => HolderCodeType::USCC,
            Self::Person(_) => HolderCodeType::CITIZEN_ID,
        }
    }
}

impl Sample {
    /// Writes a batch of `rows` rows for the type, as CSV with a header.
    ///
    /// # Errors
    /// The output refuses.
    pub fn write(&self, entry: &Entry, rows: u64, out: impl io::Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let names = entry.fields.iter().map(|field| field.name.as_str());
        writer.write_record(COLUMNS.into_iter().chain(names))?;
        for number in 1..=rows {
            writer.write_record(self.row(entry, number))?;
        }
        writer.flush()
    }

    /// As [`Sample::write`], into a text.
    #[must_use]
    pub fn csv(&self, entry: &Entry, rows: u64) -> String {
        let mut out = Vec::new();
        self.write(entry, rows, &mut out)
            .expect("a vector takes everything");
        String::from_utf8(out).expect("every cell is UTF-8")
    }

    /// The cells of row `number`, in the order of the header.
    fn row(&self, entry: &Entry, number: u64) -> Vec<String> {
        let mut draw = Draw::new(self.seed, &entry.slug, number);
        let holder = self.holder(entry, number, &mut draw);
        let issued = self.issued(entry, &mut draw);
        let until = until(entry, issued, &mut draw);
        let mut cells = vec![
            entry.slug.clone(),
            self.unit.as_str().to_owned(),
            format!("示例-{}-{}-{number}", entry.slug, self.seed),
            holder.name().to_owned(),
            holder.code().to_owned(),
            holder.code_type().as_str().to_owned(),
            issued.to_string(),
            issued.to_string(),
            until,
        ];
        let other = Enterprise::new(self.seed, draw.below(self.enterprises));
        let scene = face::Scene {
            holder: &holder,
            issued,
            other: &other,
            seed: self.seed,
        };
        for field in &entry.fields {
            cells.push(cell(field, &scene, &mut draw));
        }
        cells
    }

    fn holder(&self, entry: &Entry, number: u64, draw: &mut Draw) -> Holder {
        let organisations = entry.holders.contains(&HolderCodeType::USCC);
        let people = entry.holders.contains(&HolderCodeType::CITIZEN_ID);
        // Where both may hold, three of four holders are people.
        if people && (!organisations || draw.below(4) > 0) {
            return Holder::Person(Person::new(self.seed, draw.below(self.enterprises * 4)));
        }
        // A number that is the holder's own code is one licence a holder.
        let one_each = !entry.number.counts();
        let mut at = if one_each {
            number - 1
        } else {
            draw.below(self.enterprises)
        };
        loop {
            let enterprise = Enterprise::new(self.seed, at);
            let excluded = enterprise.code.is_individual_business() && !entry.individual_businesses;
            if !excluded {
                return Holder::Enterprise(enterprise);
            }
            at += 1;
        }
    }

    /// Recent enough that the licence is still valid and no inspection is overdue.
    fn issued(&self, entry: &Entry, draw: &mut Draw) -> Date {
        let lasts = entry.validity.iter().map(|term| match term {
            Term::Days(days) => u64::from(*days),
            Term::Months(months) => u64::from(*months) * 28,
            Term::Years(years) => u64::from(*years) * 365,
            Term::Indefinite | Term::ToDate { .. } => 3650,
        });
        let cycle = match entry.inspection.rule {
            InspectionRule::None => u64::MAX,
            _ => u64::from(entry.inspection.cycle_months.unwrap_or(1)) * 28,
        };
        let days = lasts.min().unwrap_or(1).min(cycle);
        draw.day_before(self.today, days)
    }
}

/// What stands in `validUntil`: nothing where the type's rule decides.
fn until(entry: &Entry, issued: Date, draw: &mut Draw) -> String {
    if let [Term::Indefinite | Term::Days(_) | Term::Months(_) | Term::Years(_)] =
        entry.validity.as_slice()
    {
        return String::new();
    }
    let after = |years: u32| issued.add_years(years).and_then(|day| day.add_days(-1));
    match draw.pick(&entry.validity) {
        Term::Indefinite => "长期".to_owned(),
        Term::Days(days) => i32::try_from(*days)
            .ok()
            .and_then(|days| issued.add_days(days - 1))
            .map_or_else(String::new, |day| day.to_string()),
        Term::Months(months) => issued
            .add_months(*months)
            .and_then(|day| day.add_days(-1))
            .map_or_else(String::new, |day| day.to_string()),
        Term::Years(years) => after(*years).map_or_else(String::new, |day| day.to_string()),
        Term::ToDate { max_years, .. } => {
            let years = *draw.pick(&[10, 20, 30, 50]);
            after(years.min(*max_years)).map_or_else(String::new, |day| day.to_string())
        }
    }
}

/// A cell of the face data: what the field's name suggests, else anything its kind allows.
fn cell(field: &Field, scene: &face::Scene<'_>, draw: &mut Draw) -> String {
    if !field.required && draw.below(4) == 0 {
        return String::new();
    }
    if let Some(text) = face::by_name(&field.name, scene, draw) {
        return text;
    }
    match &field.kind {
        FieldKind::Boolean => if draw.below(2) == 0 { "是" } else { "否" }.to_owned(),
        FieldKind::Code(codes) => draw.pick(codes).code.clone(),
        FieldKind::Date => draw.day_before(scene.issued, 3650).to_string(),
        FieldKind::Integer => (1 + draw.below(500)).to_string(),
        FieldKind::Text {
            pattern: None,
            max_length,
        } => "示例文本".chars().take(*max_length).collect(),
        FieldKind::Text {
            pattern: Some(pattern),
            ..
        } => {
            let values = crate::catalogue::Values {
                holder: "",
                region: "",
                year: 0,
            };
            pattern.make(values, 0).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests;
