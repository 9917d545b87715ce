//! The reader proper: one pass, an explicit stack instead of recursion.

use super::{JsonError, Value, is_name_byte};
use crate::wire::limits;

/// A container whose end has not been seen yet.
enum Open {
    Array(Vec<Value>),
    /// The members so far and the name whose value is being read.
    Object(Vec<(String, Value)>, String),
}

/// What the reader found at a value's place.
enum Found {
    Whole(Value),
    Opened(Open),
}

pub(super) fn read(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Utf8 {
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
        // A finished value goes into the innermost container, which may thereby finish as well.
        loop {
            value = match stack.pop() {
                None => return reader.end(value),
                Some(Open::Array(mut items)) => {
                    items.push(value);
                    if reader.array_goes_on(items.len())? {
                        stack.push(Open::Array(items));
                        continue 'value;
                    }
                    Value::Array(items)
                }
                Some(Open::Object(mut members, name)) => {
                    members.push((name, value));
                    if let Some(name) = reader.next_name(&members)? {
                        stack.push(Open::Object(members, name));
                        continue 'value;
                    }
                    Value::Object(members)
                }
            };
        }
    }
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

    /// The error for the byte here, where none of the bytes allowed was found.
    fn unexpected(&self) -> JsonError {
        let offset = self.at;
        match self.peek() {
            None => JsonError::End { offset },
            Some(b' ' | b'\t' | b'\n' | b'\r') => JsonError::Whitespace { offset },
            Some(_) => JsonError::Unexpected { offset },
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.advance(1);
        Ok(())
    }

    fn end(&self, value: Value) -> Result<Value, JsonError> {
        if self.at < self.text.len() {
            return Err(JsonError::Trailing { offset: self.at });
        }
        Ok(value)
    }

    /// A scalar, an empty container, or the opening of a container with something in it.
    fn begin(&mut self, depth: usize) -> Result<Found, JsonError> {
        let value = match self.peek() {
            Some(b'{') => {
                self.open(depth)?;
                if self.peek() != Some(b'}') {
                    let name = self.name()?;
                    return Ok(Found::Opened(Open::Object(Vec::new(), name)));
                }
                self.advance(1);
                Value::Object(Vec::new())
            }
            Some(b'[') => {
                self.open(depth)?;
                if self.peek() != Some(b']') {
                    return Ok(Found::Opened(Open::Array(Vec::new())));
                }
                self.advance(1);
                Value::Array(Vec::new())
            }
            Some(b'"') => Value::Text(self.string()?),
            Some(b'0'..=b'9') => Value::Int(self.integer()?),
            Some(b'-') => return Err(JsonError::Negative { offset: self.at }),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => return Err(JsonError::Null { offset: self.at }),
            _ => return Err(self.unexpected()),
        };
        Ok(Found::Whole(value))
    }

    fn open(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= limits::DEPTH {
            return Err(JsonError::Depth { offset: self.at });
        }
        self.advance(1);
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    /// After an element: `true` at a comma, `false` at the end of the array.
    fn array_goes_on(&mut self, items: usize) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b',') if items >= limits::ARRAY_ITEMS => Err(JsonError::ArrayTooLong {
                offset: self.at.saturating_add(1),
            }),
            Some(b',') => {
                self.advance(1);
                Ok(true)
            }
            Some(b']') => {
                self.advance(1);
                Ok(false)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// After a member: the next member's name, or none at the end of the object.
    fn next_name(&mut self, members: &[(String, Value)]) -> Result<Option<String>, JsonError> {
        match self.peek() {
            Some(b',') => self.advance(1),
            Some(b'}') => {
                self.advance(1);
                return Ok(None);
            }
            _ => return Err(self.unexpected()),
        }
        let offset = self.at;
        if members.len() >= limits::OBJECT_MEMBERS {
            return Err(JsonError::ObjectTooLarge { offset });
        }
        let name = self.name()?;
        // Names are ASCII, where byte order is the UTF-16 order of RFC 8785 §3.2.3.
        match members.last().map(|(previous, _)| previous.cmp(&name)) {
            Some(std::cmp::Ordering::Equal) => Err(JsonError::Duplicate { offset }),
            Some(std::cmp::Ordering::Greater) => Err(JsonError::NameOrder { offset }),
            _ => Ok(Some(name)),
        }
    }

    /// A member name with its quotes and colon.
    fn name(&mut self) -> Result<String, JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        while self.peek().is_some_and(is_name_byte) {
            self.advance(1);
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        match self.peek() {
            None => return Err(JsonError::End { offset: self.at }),
            Some(b'"') if !name.is_empty() && name.len() <= limits::NAME_BYTES => {}
            Some(_) => return Err(JsonError::Name { offset: self.at }),
        }
        self.advance(1);
        self.expect(b':')?;
        Ok(name.to_owned())
    }

    fn integer(&mut self) -> Result<u64, JsonError> {
        let offset = self.at;
        let mut number: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if self.at > offset && number == 0 {
                return Err(JsonError::LeadingZero { offset });
            }
            number = number
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(digit.wrapping_sub(b'0'))))
                .filter(|n| *n <= limits::INTEGER)
                .ok_or(JsonError::IntegerTooLarge { offset })?;
            self.advance(1);
        }
        if let Some(b'.' | b'e' | b'E') = self.peek() {
            return Err(JsonError::Fraction { offset: self.at });
        }
        Ok(number)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let quote = self.at;
        self.advance(1);
        let mut text = String::new();
        loop {
            let plain = self.plain();
            if text.len().saturating_add(plain.len()) > limits::TEXT_BYTES {
                return Err(JsonError::TextTooLong { offset: quote });
            }
            text.push_str(plain);
            self.advance(plain.len());
            match self.peek() {
                None => return Err(JsonError::End { offset: self.at }),
                Some(b'"') => {
                    self.advance(1);
                    return Ok(text);
                }
                Some(b'\\') => {
                    if text.len() >= limits::TEXT_BYTES {
                        return Err(JsonError::TextTooLong { offset: quote });
                    }
                    text.push(self.escape()?);
                }
                Some(_) => return Err(JsonError::Control { offset: self.at }),
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

    /// One escape: the seven short ones, or `\u00xx` in lower case for the other controls.
    fn escape(&mut self) -> Result<char, JsonError> {
        let offset = self.at;
        let (c, length) = match self.text.as_bytes().get(offset.saturating_add(1)) {
            None => {
                return Err(JsonError::End {
                    offset: self.text.len(),
                });
            }
            Some(b'b') => ('\u{8}', 2),
            Some(b't') => ('\t', 2),
            Some(b'n') => ('\n', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'r') => ('\r', 2),
            Some(b'"') => ('"', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'u') => (self.control(offset)?, 6),
            Some(_) => return Err(JsonError::Escape { offset }),
        };
        self.advance(length);
        Ok(c)
    }

    /// The control character of `\u00xx`, if that is how RFC 8785 writes it.
    fn control(&self, offset: usize) -> Result<char, JsonError> {
        let error = JsonError::Escape { offset };
        let end = offset.saturating_add(6);
        let Some(escape) = self.text.get(offset..end) else {
            return Err(error);
        };
        let hex = escape.strip_prefix("\\u00").unwrap_or_default();
        match u8::from_str_radix(hex, 16) {
            Ok(0x08..=0x0a | 0x0c | 0x0d | 0x20..) | Err(_) => Err(error),
            // `+1` is a number to from_str_radix, so the digits are compared as well.
            Ok(code) if format!("{code:02x}") == hex => Ok(char::from(code)),
            Ok(_) => Err(error),
        }
    }
}
