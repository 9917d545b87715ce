//! The texts of printed codes changed at random, from a seed.

use zhao_spec::qr;
use zhao_spec::wire::sha256;

use super::forms::FormNursery;
use super::mutants::Dice;

impl FormNursery {
    /// The texts of a form's codes, whole or of up to four parts, some of them changed.
    pub fn codes(&self, number: u64) -> Vec<String> {
        let mut dice = Dice::of(!number);
        let form = &self.originals[dice.below(self.originals.len())].bytes;
        let mut codes = parts(form, 1 + dice.below(4));
        for _ in 0..dice.below(3) {
            let place = dice.below(codes.len() + 1);
            match dice.below(7) {
                0 => codes.reverse(),
                1 => codes.insert(place, String::new()),
                2 => codes.insert(place, parts(form, 1 + dice.below(3)).swap_remove(0)),
                _ if place == codes.len() => codes.extend(codes.first().cloned()),
                3 => drop(codes.remove(place)),
                4 => {
                    // Most of what a header may say wrong.
                    let place_of = codes[place].find(':').unwrap_or(0);
                    let (header, rest) = codes[place].split_at(place_of);
                    codes[place] = header_text(header, &mut dice) + rest;
                }
                _ => codes[place] = character(&codes[place], &mut dice),
            }
        }
        codes
    }
}

/// The texts of a form cut into so many parts.
fn parts(form: &[u8], count: usize) -> Vec<String> {
    if count == 1 {
        return qr::codes(form).unwrap();
    }
    let name = sha256(&[form]).0;
    let name: String = name[..8].iter().map(|byte| format!("{byte:02X}")).collect();
    form.chunks(form.len().div_ceil(count))
        .zip(1..)
        .map(|(part, number)| {
            let text = qr::encode_base45(part);
            format!("ZHAO1/{name}/{number}/{count}:{text}")
        })
        .collect()
}

/// A header with one of its fields another, or one character.
fn header_text(header: &str, dice: &mut Dice) -> String {
    const FIELDS: &[&str] = &[
        "0", "1", "2", "3", "4", "01", "+1", "33", "100", "", "ZHAO1",
    ];
    let mut fields: Vec<&str> = header.split('/').collect();
    let place = dice.below(fields.len());
    match dice.below(4) {
        0 => return character(header, dice),
        1 => drop(fields.remove(place)),
        _ => fields[place] = FIELDS[dice.below(FIELDS.len())],
    }
    fields.join("/")
}

/// A text with one character another, left out, or put in, or cut off after it.
fn character(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return "ZHAO1:".to_owned();
    }
    let place = dice.below(letters.len());
    let other = [
        'A',
        'F',
        ':',
        '/',
        '0',
        '9',
        'b',
        '昭',
        '\n',
        ' ',
        '\u{10000}',
    ][dice.below(11)];
    match dice.below(5) {
        0 => drop(letters.remove(place)),
        1 => letters.insert(place, other),
        2 => letters.truncate(place),
        3 => letters.extend(vec![other; 4_290]),
        _ => letters[place] = other,
    }
    letters.into_iter().collect()
}
