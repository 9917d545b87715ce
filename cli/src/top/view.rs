//! The screen: everything on a wide terminal, what matters most on a small one.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Sparkline, Table};

use super::sight::Sight;
use super::words;
use crate::failure::args;
use crate::messages::Messages;

/// From here on there is room for everything.
const WIDE: (u16, u16) = (72, 20);

/// What the screen shows.
pub(super) struct Shown<'a> {
    pub(super) messages: &'a Messages,
    pub(super) colour: bool,
    pub(super) url: &'a str,
    /// When the figures were had, as people write it.
    pub(super) as_of: &'a str,
    pub(super) sight: &'a Sight,
    /// Leaves of each interval, the newest last.
    pub(super) growth: &'a [u64],
    /// Why there are no newer figures, in one sentence.
    pub(super) away: Option<&'a str>,
}

impl Shown<'_> {
    fn text(&self, key: &str) -> String {
        self.messages.text(key)
    }

    fn painted(&self, colour: Color) -> Style {
        match self.colour {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    fn bad(&self) -> Style {
        self.painted(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn title(&self) -> Line<'static> {
        let own = Span::styled("zhao top", Style::new().add_modifier(Modifier::BOLD));
        let name = self.sight.origin.as_deref().unwrap_or(self.url).to_owned();
        Line::from(vec![own, Span::raw("  "), Span::raw(name)])
    }

    /// The line that says how fresh everything is.
    fn status(&self) -> Line<'static> {
        match self.away {
            Some(why) => Line::styled(why.to_owned(), self.bad()),
            None => {
                let as_of = self.messages.fill("top.as-of", &args![time = self.as_of]);
                Line::styled(as_of, self.painted(Color::DarkGray))
            }
        }
    }

    /// Labels and values in two columns. What is wrong stands out.
    fn pairs(&self, rows: Vec<(String, String, bool)>) -> Table<'static> {
        let wide = rows
            .iter()
            .map(|(label, ..)| Line::raw(label.as_str()).width());
        let wide = u16::try_from(wide.max().unwrap_or(0)).unwrap_or(u16::MAX);
        let rows = rows.into_iter().map(|(label, value, bad)| {
            let style = if bad { self.bad() } else { Style::new() };
            let label = Cell::from(label).style(self.painted(Color::DarkGray));
            Row::new([label, Cell::from(value).style(style)])
        });
        Table::new(rows, [Constraint::Length(wide), Constraint::Min(1)]).column_spacing(1)
    }

    fn labelled(&self, rows: Vec<words::Row>) -> Vec<(String, String, bool)> {
        let sight = self.sight;
        let failing = sight.publication.is_some_and(|(_, failing)| failing);
        let rows = rows.into_iter().map(|(label, value)| {
            let bad = match label {
                "top.size" => sight.shrank,
                "top.publication" => failing,
                _ => false,
            };
            (self.text(label), value, bad)
        });
        rows.collect()
    }
}

/// Draws everything anew.
pub(super) fn draw(frame: &mut Frame<'_>, shown: &Shown<'_>) {
    let area = frame.area();
    if area.width >= WIDE.0 && area.height >= WIDE.1 {
        wide(frame, shown, area);
    } else {
        narrow(frame, shown, area);
    }
}

/// Nine rows under a line that is the title, or says that there is no answer: ten lines are enough.
fn narrow(frame: &mut Frame<'_>, shown: &Shown<'_>, area: Rect) {
    let [title, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let line = match shown.away {
        Some(_) => shown.status(),
        None => shown.title(),
    };
    frame.render_widget(Paragraph::new(line), title);
    let sight = shown.sight;
    let mut rows = words::work(sight);
    rows.truncate(3);
    rows.extend(words::log(shown.messages, sight));
    rows.retain(|(label, _)| *label != "top.refused-ever");
    for (label, _) in &mut rows {
        match *label {
            "top.admission" => *label = "top.admission-short",
            "top.refused" => *label = "top.refused-short",
            _ => {}
        }
    }
    let mut rows = shown.labelled(rows);
    let silent = sight.witnesses.iter().any(|one| one.silent);
    let witnesses = words::witnesses(shown.messages, sight);
    // After events, admission, queue and size.
    rows.insert(
        4.min(rows.len()),
        (shown.text("top.cosigners"), witnesses, silent),
    );
    frame.render_widget(shown.pairs(rows), rest);
}

fn wide(frame: &mut Frame<'_>, shown: &Shown<'_>, area: Rect) {
    let stages = if shown.sight.stages.is_empty() { 0 } else { 4 };
    let [title, status, _, figures, _, staged, witnesses] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(7),
        Constraint::Length(1),
        Constraint::Length(stages),
        Constraint::Min(2),
    ])
    .areas(area);
    let keys = shown.text("top.keys");
    let room = u16::try_from(Line::raw(keys.as_str()).width()).unwrap_or(u16::MAX);
    let [name, corner] =
        Layout::horizontal([Constraint::Min(1), Constraint::Length(room)]).areas(title);
    frame.render_widget(Paragraph::new(shown.title()), name);
    let style = shown.painted(Color::DarkGray);
    frame.render_widget(Paragraph::new(Line::styled(keys, style)), corner);
    frame.render_widget(Paragraph::new(shown.status()), status);
    let halves = [Constraint::Percentage(56), Constraint::Percentage(44)];
    let [left, right] = Layout::horizontal(halves).spacing(1).areas(figures);
    frame.render_widget(shown.pairs(shown.labelled(words::work(shown.sight))), left);
    let [log, growth] = Layout::vertical([Constraint::Length(6), Constraint::Min(1)]).areas(right);
    let rows = words::log(shown.messages, shown.sight);
    frame.render_widget(shown.pairs(shown.labelled(rows)), log);
    // As many of the newest as there are columns.
    let columns = usize::from(growth.width);
    let newest = shown.growth.len().saturating_sub(columns);
    let newest = shown.growth.get(newest..).unwrap_or_default();
    let line = Sparkline::default()
        .data(newest)
        .style(shown.painted(Color::Green));
    frame.render_widget(line, growth);
    stage_table(frame, shown, staged);
    witness_table(frame, shown, witnesses);
}

fn heading(shown: &Shown<'_>, cells: Vec<String>) -> Row<'static> {
    Row::new(cells).style(shown.painted(Color::DarkGray).add_modifier(Modifier::BOLD))
}

fn stage_table(frame: &mut Frame<'_>, shown: &Shown<'_>, area: Rect) {
    let stages = &shown.sight.stages;
    let mut head = vec![shown.text("top.stages")];
    let mut mean = vec![shown.text("top.mean")];
    let mut most = vec!["p99".to_owned()];
    for stage in stages {
        head.push(shown.text(&format!("commit-stage.{}", stage.name)));
        mean.push(words::seconds(stage.mean));
        most.push(words::quantile(stage.ninety_nine));
    }
    let columns = vec![Constraint::Fill(1); head.len()];
    let table = Table::new([Row::new(mean), Row::new(most)], columns)
        .header(heading(shown, head))
        .column_spacing(1);
    frame.render_widget(table, area);
}

fn witness_table(frame: &mut Frame<'_>, shown: &Shown<'_>, area: Rect) {
    let messages = shown.messages;
    let head = [
        "top.witnesses",
        "top.state",
        "top.last",
        "top.latency",
        "top.cosigned",
        "top.failures",
    ];
    let head = head.map(|key| shown.text(key));
    let rows = shown.sight.witnesses.iter().map(|witness| {
        let style = if witness.silent {
            shown.bad()
        } else {
            Style::new()
        };
        Row::new([
            Cell::from(witness.name.clone()),
            Cell::from(words::state(messages, witness)).style(style),
            Cell::from(words::known(witness.last, words::seconds)),
            Cell::from(words::percentiles(witness.latency)),
            Cell::from(words::known(witness.age, words::seconds)),
            Cell::from(words::failures(messages, witness)),
        ])
    });
    let columns = [
        Constraint::Fill(3),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(26),
        Constraint::Length(9),
        Constraint::Fill(2),
    ];
    // Whoever finds no room is told of in the last line.
    let room = usize::from(area.height.saturating_sub(1));
    let count = shown.sight.witnesses.len();
    let fits = if count > room {
        room.saturating_sub(1)
    } else {
        count
    };
    let table = Table::new(rows.take(fits), columns)
        .header(heading(shown, head.to_vec()))
        .column_spacing(1);
    frame.render_widget(table, area);
    if fits < count
        && let Some(last) = area.rows().next_back()
    {
        let more = count.saturating_sub(fits);
        let text = messages.fill("top.more", &args![more]);
        frame.render_widget(Paragraph::new(text), last);
    }
}

#[cfg(test)]
mod tests;
