//! The reader proper: one pass, an explicit stack instead of recursion.

use super::{Foreign, ForeignError};
use crate::wire::limits;

/// A container whose end has not been seen yet.
enum Open {
    Array(Vec<Foreign>),
    /// The members so far and the name whose value is being read.
    Object(Vec<(String, Foreign)>, String),
}

/// What the reader found at a value's place.
enum Found {
    Whole(Foreign),
    Opened(Open),
}

pub(super) fn read(bytes: &[u8]) -> Result<Foreign, ForeignError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ForeignError::Utf8 {
        offset: error.valid_up_to(),
    })?;
    let mut reader = Reader { text, at: 0 };
    let mut stack: Vec<Open> = Vec::new();
    'value: loop {
        let mut value = match reader.begin(stack.len())? {
            Found::Opened(open) => {
                stack.push(open);
                continue 'value;
            }
            Found::Whole(value) => value,
        };
        loop {
            reader.space();
            value = match stack.pop() {
                None => return reader.end(value),
                Some(Open::Array(mut items)) => {
                    items.push(value);
                    if reader.goes_on(b']')? {
                        within(items.len(), limits::ARRAY_ITEMS)?;
                        stack.push(Open::Array(items));
                        continue 'value;
                    }
                    Foreign::Array(items)
                }
                Some(Open::Object(mut members, name)) => {
                    members.push((name, value));
                    if reader.goes_on(b'}')? {
                        within(members.len(), limits::OBJECT_MEMBERS)?;
                        let name = reader.name()?;
                        stack.push(Open::Object(members, name));
                        continue 'value;
                    }
                    reader.distinct(&members)?;
                    Foreign::Object(members)
                }
            };
        }
    }
}

/// Whether one more after `count` stays within `limit`.
fn within(count: usize, limit: usize) -> Result<(), ForeignError> {
    if count >= limit {
        return Err(ForeignError::TooLong {
            limit,
            actual: count.saturating_add(1),
        });
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance(1);
        }
    }

    fn unexpected(&self) -> ForeignError {
        match self.peek() {
            None => ForeignError::End { offset: self.at },
            Some(_) => ForeignError::Unexpected { offset: self.at },
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ForeignError> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.advance(1);
        Ok(())
    }

    fn end(&self, value: Foreign) -> Result<Foreign, ForeignError> {
        if self.at < self.text.len() {
            return Err(ForeignError::Trailing { offset: self.at });
        }
        Ok(value)
    }

    fn begin(&mut self, depth: usize) -> Result<Found, ForeignError> {
        self.space();
        let value = match self.peek() {
            Some(b'{') => {
                self.open(depth)?;
                if self.peek() != Some(b'}') {
                    let name = self.name()?;
                    return Ok(Found::Opened(Open::Object(Vec::new(), name)));
                }
                self.advance(1);
                Foreign::Object(Vec::new())
            }
            Some(b'[') => {
                self.open(depth)?;
                if self.peek() != Some(b']') {
                    return Ok(Found::Opened(Open::Array(Vec::new())));
                }
                self.advance(1);
                Foreign::Array(Vec::new())
            }
            Some(b'"') => Foreign::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Foreign::Number(self.number()?),
            Some(b't') => self.word("true", Foreign::Bool(true))?,
            Some(b'f') => self.word("false", Foreign::Bool(false))?,
            Some(b'n') => self.word("null", Foreign::Null)?,
            _ => return Err(self.unexpected()),
        };
        Ok(Found::Whole(value))
    }

    fn open(&mut self, depth: usize) -> Result<(), ForeignError> {
        if depth >= limits::DEPTH {
            return Err(ForeignError::Depth { offset: self.at });
        }
        self.advance(1);
        self.space();
        Ok(())
    }

    fn word(&mut self, word: &str, value: Foreign) -> Result<Foreign, ForeignError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    /// After an element or member: `true` at a comma, `false` at `close`.
    fn goes_on(&mut self, close: u8) -> Result<bool, ForeignError> {
        let more = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == close => false,
            _ => return Err(self.unexpected()),
        };
        self.advance(1);
        Ok(more)
    }

    fn name(&mut self) -> Result<String, ForeignError> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let name = self.string()?;
        self.space();
        self.expect(b':')?;
        Ok(name)
    }

    fn distinct(&self, members: &[(String, Foreign)]) -> Result<(), ForeignError> {
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).any(|pair| pair.first() == pair.last()) {
            true => Err(ForeignError::Duplicate { offset: self.at }),
            false => Ok(()),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.advance(1);
        }
        self.at.saturating_sub(start)
    }

    /// A number of RFC 8259 §6, correctly rounded to a double.
    fn number(&mut self) -> Result<f64, ForeignError> {
        let offset = self.at;
        if self.peek() == Some(b'-') {
            self.advance(1);
        }
        let first = self.peek();
        let digits = self.digits();
        if digits == 0 || (digits > 1 && first == Some(b'0')) {
            return Err(match self.peek() {
                None if digits == 0 => ForeignError::End { offset: self.at },
                _ => ForeignError::Unexpected { offset },
            });
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.advance(1);
            if self.digits() == 0 {
                return Err(self.unexpected());
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            self.advance(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.advance(1);
            }
            if self.digits() == 0 {
                return Err(self.unexpected());
            }
        }
        let text = self.text.get(offset..self.at).unwrap_or_default();
        if integer {
            let beyond = match text.parse::<i64>() {
                Ok(number) => number.unsigned_abs() > limits::INTEGER.saturating_add(1),
                Err(_) => true,
            };
            if beyond {
                return Err(ForeignError::Precision { offset });
            }
        }
        let number: f64 = text
            .parse()
            .map_err(|_| ForeignError::Unexpected { offset })?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(ForeignError::Range { offset })
        }
    }

    fn string(&mut self) -> Result<String, ForeignError> {
        self.advance(1);
        let mut text = String::new();
        loop {
            let plain = self.plain();
            text.push_str(plain);
            self.advance(plain.len());
            if text.len() > limits::TEXT_BYTES {
                return Err(ForeignError::TooLong {
                    limit: limits::TEXT_BYTES,
                    actual: text.len(),
                });
            }
            match self.peek() {
                None => return Err(ForeignError::End { offset: self.at }),
                Some(b'"') => {
                    self.advance(1);
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(ForeignError::Control { offset: self.at }),
            }
        }
    }

    /// The characters from here to the next quote, backslash or control character.
    fn plain(&self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .bytes()
            .position(|b| b < 0x20 || b == b'"' || b == b'\\');
        end.and_then(|end| rest.get(..end)).unwrap_or(rest)
    }

    fn escape(&mut self) -> Result<char, ForeignError> {
        let offset = self.at;
        self.advance(1);
        let c = match self.peek() {
            None => return Err(ForeignError::End { offset: self.at }),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(offset),
            Some(_) => return Err(ForeignError::Escape { offset }),
        };
        self.advance(1);
        Ok(c)
    }

    /// `\uXXXX`, or two of them that make one character; the reader stands on the `u`.
    fn unicode(&mut self, offset: usize) -> Result<char, ForeignError> {
        let unit = self.code_unit(offset)?;
        if let Some(c) = char::from_u32(u32::from(unit)) {
            return Ok(c);
        }
        let second = self.at;
        let lone = ForeignError::Surrogate { offset };
        if self.text.as_bytes().get(second..second.saturating_add(2)) != Some(b"\\u") {
            return Err(lone);
        }
        self.advance(1);
        let low = self.code_unit(second)?;
        char::decode_utf16([unit, low])
            .next()
            .and_then(Result::ok)
            .ok_or(lone)
    }

    /// The code unit of `uXXXX` here, whose backslash stands at `offset`.
    fn code_unit(&mut self, offset: usize) -> Result<u16, ForeignError> {
        self.advance(1);
        let hex = self
            .text
            .get(self.at..self.at.saturating_add(4))
            .unwrap_or_default();
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ForeignError::Escape { offset });
        }
        self.advance(4);
        u16::from_str_radix(hex, 16).map_err(|_| ForeignError::Escape { offset })
    }
}
