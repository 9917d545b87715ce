//! Terms as canonical N-Quads have them (RDFC-1.0 §5).

use std::fmt::Write as _;

use oxrdf::{Literal, NamedNode};

const TEXT: &str = "http://www.w3.org/2001/XMLSchema#string";

pub(super) fn named(node: &NamedNode) -> String {
    format!("<{}>", node.as_str())
}

/// A literal. Its language is in small letters, as the processors write it with which credentials
/// are made.
pub(super) fn literal(literal: &Literal) -> String {
    let mut text = String::from("\"");
    for one in literal.value().chars() {
        match one {
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                // Writing to a text cannot fail.
                let _ = write!(text, "\\u{:04X}", u32::from(one));
            }
            one => text.push(one),
        }
    }
    text.push('"');
    match (literal.language(), literal.datatype().as_str()) {
        (Some(language), _) => {
            text.push('@');
            text.push_str(&language.to_ascii_lowercase());
        }
        (None, TEXT) => {}
        (None, datatype) => {
            text.push_str("^^<");
            text.push_str(datatype);
            text.push('>');
        }
    }
    text
}
