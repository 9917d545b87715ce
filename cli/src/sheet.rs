//! Labelled lines for a person: headings, `label  value` rows, sentences.

use comfy_table::{ContentArrangement, Table, TableStyle, presets};

use crate::failure::Failure;
use crate::session::{Colour, Session};

/// Most characters of one value.
const VALUE_CHARS: usize = 400;

#[derive(Debug)]
enum Line {
    Gap,
    /// Colour of the label's first character, if it is a mark; label; value.
    Row(Option<Colour>, String, String),
    Text(String),
}

/// What is to be shown, in order.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    session: &'a Session,
    lines: Vec<Line>,
}

impl<'a> Sheet<'a> {
    /// An empty sheet.
    pub(crate) fn new(session: &'a Session) -> Self {
        Self {
            session,
            lines: Vec::new(),
        }
    }

    /// A word or sentence of the catalogue, without arguments.
    pub(crate) fn word(&self, key: &str) -> String {
        self.session.messages.text(key)
    }

    /// A heading, with an empty line before it unless it is the first.
    pub(crate) fn heading(&mut self, key: &str) -> &mut Self {
        self.gap();
        let text = self.session.messages.text(key);
        self.lines
            .push(Line::Text(self.session.paint(Colour::Strong, &text)));
        self
    }

    /// An empty line, unless the sheet is empty.
    pub(crate) fn gap(&mut self) -> &mut Self {
        if !self.lines.is_empty() {
            self.lines.push(Line::Gap);
        }
        self
    }

    /// A row labelled with `label.NAME` of the catalogue.
    pub(crate) fn row(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        let label = self.session.messages.text(&format!("label.{name}"));
        self.lines
            .push(Line::Row(None, label, value.as_ref().to_owned()));
        self
    }

    /// A row whose label begins with a mark in a colour.
    pub(crate) fn marked(&mut self, colour: Colour, label: String, value: String) -> &mut Self {
        self.lines.push(Line::Row(Some(colour), label, value));
        self
    }

    /// A row with a label of the data's own.
    pub(crate) fn named(&mut self, label: &str, value: impl AsRef<str>) -> &mut Self {
        self.lines
            .push(Line::Row(None, plain(label), value.as_ref().to_owned()));
        self
    }

    /// A row, if there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(value) = value {
            self.row(name, value);
        }
        self
    }

    /// Whether nothing is on it.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Everything of another sheet.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.lines.extend(other.lines);
        self
    }

    /// A sentence on a line of its own.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.lines.push(Line::Text(text.into()));
        self
    }

    /// The whole as text.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        let mut rows: Vec<(Option<Colour>, &str, &str)> = Vec::new();
        for line in &self.lines {
            if let Line::Row(colour, label, value) = line {
                rows.push((*colour, label, value));
                continue;
            }
            self.flush(&mut rows, &mut out);
            if let Line::Text(text) = line {
                out.push_str(text);
            }
            out.push('\n');
        }
        self.flush(&mut rows, &mut out);
        out
    }

    /// Writes the whole to standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        self.session.data(self.render().as_bytes())
    }

    fn flush(&self, rows: &mut Vec<(Option<Colour>, &str, &str)>, out: &mut String) {
        if rows.is_empty() {
            return;
        }
        let mut table = table(self.session, presets::NOTHING);
        for (_, label, value) in &*rows {
            table.add_row([label, value]);
        }
        // Painted after the layout, which counts columns; a row may take several lines.
        let marks = rows.drain(..).filter_map(|(colour, label, _)| {
            let mark = label.chars().next()?;
            colour.map(|colour| (colour, mark))
        });
        let mut marks = marks.peekable();
        for line in table.lines() {
            let line = line.trim_end();
            let body = line.trim_start();
            match marks.next_if(|(_, mark)| body.starts_with(*mark)) {
                Some((colour, mark)) => {
                    let painted = self.session.paint(colour, &mark.to_string());
                    out.push_str(&line.replacen(mark, &painted, 1));
                }
                None => out.push_str(line),
            }
            out.push('\n');
        }
    }
}

/// A table that wraps on a terminal and never elsewhere, so that output can be compared.
pub(crate) fn table(session: &Session, style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    // A terminal that does not tell its width, or a sliver of one, would break every word.
    let wide = table.width().is_some_and(|columns| columns >= 60);
    if session.host.stdout_terminal && wide {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty();
    }
    table
}

/// Text from a file, safe to print: nothing that moves a cursor or turns the writing direction,
/// and not without end.
pub(crate) fn plain(text: &str) -> String {
    let harmless = |c: char| {
        let turns = matches!(
            c,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if c.is_control() || turns { '?' } else { c }
    };
    let mut out: String = text.chars().take(VALUE_CHARS).map(harmless).collect();
    if text.chars().nth(VALUE_CHARS).is_some() {
        out.push('…');
    }
    out
}
