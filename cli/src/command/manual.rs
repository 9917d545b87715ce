//! `zhao completions` and `zhao man`: the command line described for shells and for `man`.
//!
//! Both are made from the very command line that is parsed, in the session's language.

use std::path::Path;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{self, Completions, Manual, Shell};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::messages::Messages;
use crate::session::Session;

/// Section of commands for everybody.
const SECTION: &str = "1";

/// Exit codes, each with its sentence.
const EXITS: [(&str, &str); 6] = [
    ("0", "man.exit-0"),
    ("1", "man.exit-1"),
    ("2", "man.exit-2"),
    ("3", "man.exit-3"),
    ("4", "man.exit-4"),
    ("5", "man.exit-5"),
];

/// Runs `zhao completions`.
///
/// # Errors
/// Standard output is closed or full.
pub(crate) fn completions(session: &Session, command: &Completions) -> Result<Exit, Failure> {
    let script = script(command.shell, &session.messages);
    session.data(&script)?;
    Ok(Exit::Fine)
}

fn script(shell: Shell, messages: &Messages) -> Vec<u8> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut args::command(messages), "zhao", &mut out);
    out
}

/// Runs `zhao man`.
///
/// # Errors
/// The directory cannot be made or written.
pub(crate) fn pages(session: &Session, command: &Manual) -> Result<Exit, Failure> {
    files::make_dir(&command.output)?;
    let mut count = 0_u64;
    let mut give = |page: Page| -> Result<(), Failure> {
        count += 1;
        page.write(&command.output)
    };
    walk(
        &args::command(&session.messages),
        None,
        &session.messages,
        &mut give,
    )?;
    let path = command.output.display();
    session.note("man.done", &args![count, path]);
    Ok(Exit::Fine)
}

/// One manual page.
#[derive(Debug)]
struct Page {
    name: String,
    text: Vec<u8>,
}

impl Page {
    fn write(&self, dir: &Path) -> Result<(), Failure> {
        files::replace(&dir.join(&self.name), &self.text)
    }
}

/// Gives the page of `command` to `give`, then those of its subcommands.
fn walk(
    command: &clap::Command,
    above: Option<&str>,
    messages: &Messages,
    give: &mut impl FnMut(Page) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let title = match above {
        Some(above) => format!("{above}-{}", command.get_name()),
        None => command.get_name().to_owned(),
    };
    let text = page(command, &title, above, messages)
        .map_err(|cause| Failure::file("write", Path::new(&title), &cause))?;
    let name = format!("{title}.{SECTION}");
    give(Page { name, text })?;
    command
        .get_subcommands()
        .try_for_each(|inner| walk(inner, Some(&title), messages, give))
}

fn page(
    command: &clap::Command,
    title: &str,
    above: Option<&str>,
    messages: &Messages,
) -> std::io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(title)
        .section(SECTION)
        // Not empty: the library writes no quotes round nothing, and all would move up one place.
        .date(" ")
        .source(format!("zhao {}", env!("CARGO_PKG_VERSION")))
        .manual(messages.text("man.manual"));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    // The library's own headings are English only.
    heading(&mut out, messages, "man.name")?;
    let about = command.get_about().map(ToString::to_string);
    let line = format!("{title} - {}", about.unwrap_or_default());
    body(&mut out, &[roman(line)])?;
    heading(&mut out, messages, "man.synopsis")?;
    let mut synopsis = Vec::new();
    man.render_synopsis_section(&mut synopsis)?;
    out.extend_from_slice(without_heading(&synopsis));
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        heading(&mut out, messages, "help.commands")?;
        for inner in command.get_subcommands() {
            let about = inner.get_about().map(ToString::to_string);
            term(
                &mut out,
                &format!("{title}-{}({SECTION})", inner.get_name()),
                &about.unwrap_or_default(),
            )?;
        }
    }
    heading(&mut out, messages, "man.exit")?;
    for (code, meaning) in EXITS {
        term(&mut out, code, &messages.text(meaning))?;
    }
    if let Some(above) = above {
        heading(&mut out, messages, "man.see")?;
        body(&mut out, &[bold(above), roman(format!("({SECTION})"))])?;
    }
    Ok(once(&out))
}

/// Every part begins with the library's two lines of definitions; once is enough.
fn once(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.len());
    for (at, line) in page.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let defines = line.starts_with(b".ie ") || line.starts_with(b".el ");
        if at < 2 || !defines {
            out.extend_from_slice(line);
        }
    }
    out
}

fn heading(out: &mut Vec<u8>, messages: &Messages, key: &str) -> std::io::Result<()> {
    let text = messages.text(key).to_uppercase();
    let mut roff = Roff::new();
    roff.control("SH", [text.as_str()]);
    roff.to_writer(out)
}

fn body(out: &mut Vec<u8>, inlines: &[clap_mangen::roff::Inline]) -> std::io::Result<()> {
    let mut roff = Roff::new();
    roff.text(inlines.to_vec());
    roff.to_writer(out)
}

fn term(out: &mut Vec<u8>, name: &str, meaning: &str) -> std::io::Result<()> {
    let mut roff = Roff::new();
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
    roff.to_writer(out)
}

/// A section of the library's from the line after its heading.
fn without_heading(section: &[u8]) -> &[u8] {
    let marks = section.windows(4).position(|bytes| bytes == b".SH ");
    let Some(start) = marks else { return section };
    let rest = section.get(start..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'\n');
    end.and_then(|end| rest.get(end + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
