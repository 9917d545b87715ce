//! Files changed at random, from a seed: the same number always gives the same mutant.

use zhao_spec::wire::{Value, json};

use super::cases;
use super::vectors::Vector;

/// Where the randomness starts. A failure names the mutant; this and its number give it again.
pub const SEED: u64 = 0x7a68_616f_2026_1122;

/// A usable file that mutants are made from.
pub struct Original {
    pub name: String,
    pub bytes: Vec<u8>,
    pub at: String,
    value: Value,
}

/// What mutants are made of, and the policy they are judged by.
pub struct Nursery {
    pub originals: Vec<Original>,
    pub policy: String,
    pub trust: String,
    /// Whole files, usable or not, whose parts may be put into others.
    donors: Vec<Value>,
}

/// One changed file.
pub struct Mutant {
    pub original: usize,
    pub bytes: Vec<u8>,
}

impl Nursery {
    /// Every usable dossier of the vectors under the common policy; every dossier as a donor.
    pub fn of_dossiers() -> Self {
        let nursery = Self::of(&["verify/"]);
        assert!(nursery.originals.len() > 30 && nursery.donors.len() > 100);
        nursery
    }

    /// Every valid receipt, history, answer and issuer pack; every such file as a donor.
    pub fn of_other_files() -> Self {
        let nursery = Self::of(&["answer/", "history/", "issuer-pack/", "receipt/"]);
        assert!(nursery.originals.len() > 10 && nursery.donors.len() > 50);
        nursery
    }

    fn of(folders: &[&str]) -> Self {
        let vectors = cases::all();
        let common = vectors
            .iter()
            .find(|vector| vector.path == "verify/valid")
            .unwrap();
        let (policy, trust) = (common.policy.clone(), common.trust.clone());
        let mut nursery = Self {
            originals: Vec::new(),
            policy,
            trust,
            donors: Vec::new(),
        };
        for vector in &vectors {
            if folders.iter().any(|folder| vector.path.starts_with(folder)) {
                nursery.take(vector);
            }
        }
        nursery
    }

    fn take(&mut self, vector: &Vector) {
        let same = vector.policy == self.policy && vector.trust == self.trust;
        for case in &vector.cases {
            let Ok(value) = json::parse_file(&case.file) else {
                continue;
            };
            self.donors.push(value.clone());
            let usable = matches!(case.verdict.as_str(), "valid" | "valid_with_notice");
            if same && usable && case.pack.is_none() && case.max_age.is_none() {
                self.originals.push(Original {
                    name: format!("{}: {}", vector.path, case.name),
                    bytes: case.file.clone(),
                    at: case.at.clone().unwrap_or_else(|| vector.at.clone()),
                    value,
                });
            }
        }
    }

    /// The mutant of that number.
    pub fn mutant(&self, number: u64) -> Mutant {
        let mut dice = Dice::of(number);
        let original = dice.below(self.originals.len());
        let start = &self.originals[original];
        if dice.below(5) == 0 {
            return Mutant {
                original,
                bytes: raw(&start.bytes, &mut dice),
            };
        }
        let mut value = start.value.clone();
        // Mostly one change: the fewer, the closer to what is accepted.
        let changes = if dice.below(4) == 0 { 2 } else { 1 };
        for _ in 0..changes {
            let paths = places(&value);
            let path = &paths[1 + dice.below(paths.len() - 1)];
            self.change(&mut value, path, &mut dice);
        }
        Mutant {
            original,
            bytes: json::encode(&value),
        }
    }

    fn change(&self, value: &mut Value, path: &[usize], dice: &mut Dice) {
        match dice.below(4) {
            0 => {
                let donor = &self.donors[dice.below(self.donors.len())];
                // The same place in another file, or any other place in this one.
                let other = match at(donor, path) {
                    Some(other) => other.clone(),
                    None => {
                        let paths = places(value);
                        at(value, &paths[dice.below(paths.len())]).unwrap().clone()
                    }
                };
                // A whole file for a member would only nest it.
                if let Some(own) = at_mut(value, path)
                    && json::encode(&other).len() < 60_000
                {
                    *own = other;
                }
            }
            1 => {
                let (last, parent) = path.split_last().unwrap();
                list(at_mut(value, parent).unwrap(), *last, dice);
            }
            _ => leaf(at_mut(value, path).unwrap(), dice),
        }
    }
}

/// Removes, repeats, exchanges or cuts off after an element or member.
fn list(parent: &mut Value, at: usize, dice: &mut Dice) {
    match parent {
        Value::Array(items) => match dice.below(4) {
            0 => drop(items.remove(at)),
            1 => items.insert(at, items[at].clone()),
            2 => items.truncate(at),
            _ => {
                let other = dice.below(items.len());
                items.swap(at, other);
            }
        },
        Value::Object(members) if members.len() > 1 && dice.below(2) == 0 => {
            let other = dice.below(members.len());
            let value = members[other].1.clone();
            let own = std::mem::replace(&mut members[at].1, value);
            members[other].1 = own;
        }
        Value::Object(members) => drop(members.remove(at)),
        _ => {}
    }
}

/// Changes a text, a number or a truth value; of a container, one below it.
fn leaf(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Bool(own) => *own = !*own,
        Value::Int(own) => {
            *own = match dice.below(4) {
                0 => own.wrapping_sub(1).min(zhao_spec::wire::limits::INTEGER),
                1 => 0,
                2 => dice.next() % 64,
                _ => (*own + 1).min(zhao_spec::wire::limits::INTEGER),
            }
        }
        Value::Text(own) => *own = text(own, dice),
        Value::Array(items) if !items.is_empty() => {
            let at = dice.below(items.len());
            leaf(&mut items[at], dice);
        }
        Value::Object(members) if !members.is_empty() => {
            let at = dice.below(members.len());
            leaf(&mut members[at].1, dice);
        }
        Value::Array(items) => items.push(Value::Int(dice.next() % 64)),
        Value::Object(members) => members.push(("a".to_owned(), Value::Bool(true))),
    }
}

/// A text with one character, digit, line or bit changed.
fn text(own: &str, dice: &mut Dice) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/";
    let characters: Vec<char> = own.chars().collect();
    if characters.is_empty() {
        return "x".to_owned();
    }
    let at = dice.below(characters.len());
    let letter = char::from(LETTERS[dice.below(LETTERS.len())]);
    let mut changed = characters.clone();
    match dice.below(8) {
        0 => drop(changed.remove(at)),
        1 => changed.insert(at, letter),
        2 if own.contains('\n') => return lines(own, dice),
        3 if own.contains('\n') => return lines(own, dice),
        4 => {
            let digit = changed.iter().position(char::is_ascii_digit).unwrap_or(at);
            changed[digit] = char::from(b'0' + u8::try_from(dice.below(10)).unwrap());
        }
        // Letters of the same kind keep dates dates and base64 base64.
        _ if changed[at].is_ascii_digit() => {
            changed[at] = char::from(b'0' + u8::try_from(dice.below(10)).unwrap());
        }
        _ => changed[at] = letter,
    }
    changed.into_iter().collect()
}

/// A proof or note with a line removed, repeated or exchanged.
fn lines(own: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = own.split('\n').collect();
    let at = dice.below(lines.len());
    match dice.below(3) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at]),
        _ => {
            let other = dice.below(lines.len());
            lines.swap(at, other);
        }
    }
    lines.join("\n")
}

/// Bytes with a bit flipped, a byte changed, put in or left out, or cut off.
pub(super) fn raw(original: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let at = dice.below(bytes.len());
    let byte = u8::try_from(dice.next() & 0xff).unwrap();
    match dice.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, byte),
        3 => bytes[at] = byte,
        4 => {
            let end = (at + 1 + dice.below(64)).min(bytes.len());
            drop(bytes.drain(at..end));
        }
        _ => bytes[at] ^= 1 << dice.below(8),
    }
    bytes
}

/// Ways to every node, the root first: positions in containers.
fn places(value: &Value) -> Vec<Vec<usize>> {
    fn walk(value: &Value, path: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        found.push(path.clone());
        let children: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => members.iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        };
        for (at, child) in children.into_iter().enumerate() {
            path.push(at);
            walk(child, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn at<'a>(value: &'a Value, path: &[usize]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, at| match value {
        Value::Array(items) => items.get(*at),
        Value::Object(members) => members.get(*at).map(|(_, value)| value),
        _ => None,
    })
}

fn at_mut<'a>(value: &'a mut Value, path: &[usize]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, at| match value {
        Value::Array(items) => items.get_mut(*at),
        Value::Object(members) => members.get_mut(*at).map(|(_, value)| value),
        _ => None,
    })
}

/// SplitMix64: a seeded stream without a dependency.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The dice of a mutant.
    pub(super) fn of(number: u64) -> Self {
        Self(SEED ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }
}
