//! Puts the catalogue's texts into the command line's help, and turns parse errors into ours.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, CommandFactory as _, FromArgMatches as _};

use super::Line;
use crate::failure::{Failure, args};
use crate::messages::{Language, Messages};

/// What the arguments come to.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A command to run.
    Run(Box<Line>),
    /// Help or version: a text for standard output.
    Tell(String),
}

/// Reads the arguments in `messages`' language. `--lang` counts wherever it stands.
///
/// # Errors
/// Arguments that are not a command line of ours.
pub(crate) fn parse(arguments: &[OsString], messages: &Messages) -> Result<Parsed, Failure> {
    let matches = match command(messages).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return refused(&error),
    };
    match Line::from_arg_matches(&matches) {
        Ok(line) => Ok(Parsed::Run(Box::new(line))),
        Err(error) => refused(&error),
    }
}

/// The whole command line, with its help in `messages`' language.
pub(crate) fn command(messages: &Messages) -> clap::Command {
    localised(Line::command(), messages)
}

/// The language that `--lang` names among raw arguments, for help and for errors of parsing.
pub(crate) fn language_flag(arguments: &[OsString]) -> Option<Language> {
    let mut texts = arguments.iter().skip(1).map(|text| text.to_string_lossy());
    while let Some(text) = texts.next() {
        if text == "--" {
            return None;
        }
        let value = match text.strip_prefix("--lang") {
            Some("") => texts.next()?.into_owned(),
            Some(rest) => rest.strip_prefix('=')?.to_owned(),
            None => continue,
        };
        return match value.as_str() {
            "zh" => Some(Language::Zh),
            "en" => Some(Language::En),
            _ => None,
        };
    }
    None
}

/// `command` with every help text from the catalogue: `help.COMMAND.about` and `help.COMMAND.ARG`.
fn localised(command: clap::Command, messages: &Messages) -> clap::Command {
    let key = command.get_name().to_owned();
    let headings = Headings::new(messages);
    // Our own in place of clap's, whose words cannot be changed.
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .global(true);
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version);
    let command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help)
        .arg(version);
    let mut command = dressed(command, &key, messages, &headings);
    // Adds clap's own arguments, so that the second walk finds them as well.
    command.build();
    redress(command, "zhao", messages, &headings)
}

/// Headings of the help. clap keeps them for as long as the program runs, so they are given away.
struct Headings {
    arguments: &'static str,
    commands: &'static str,
    options: &'static str,
}

impl Headings {
    fn new(messages: &Messages) -> Self {
        let text = |key: &str| -> &'static str { messages.text(key).leak() };
        Self {
            arguments: text("help.arguments"),
            commands: text("help.commands"),
            options: text("help.options"),
        }
    }
}

fn dressed(
    command: clap::Command,
    key: &str,
    messages: &Messages,
    headings: &Headings,
) -> clap::Command {
    let template = format!(
        "{{about}}\n\n{} {{usage}}\n\n{{all-args}}{{after-help}}\n",
        messages.text("help.usage")
    );
    command
        .about(messages.text(&format!("help.{key}.about")))
        .help_template(template)
        .subcommand_help_heading(headings.commands)
        .mut_subcommands(|sub| {
            let inner = format!("{key}-{}", sub.get_name());
            let inner = inner.strip_prefix("zhao-").unwrap_or(&inner).to_owned();
            dressed(sub, &inner, messages, headings)
        })
}

/// Second walk, when clap has added its own arguments.
fn redress(
    command: clap::Command,
    key: &str,
    messages: &Messages,
    headings: &Headings,
) -> clap::Command {
    command
        .mut_args(|arg| {
            let id = arg.get_id().as_str().to_owned();
            let text = match id.as_str() {
                "help"
                | "version"
                | "key_file"
                | "lang"
                | "operator"
                | "after"
                | "limit"
                | "row"
                | "json"
                | "passphrase_file"
                | "admin_dir"
                | "new_passphrase_file"
                | "proposal"
                | "effective"
                | "old"
                | "admin_passphrase_file" => messages.text(&format!("help.common.{id}")),
                _ => messages.text(&format!("help.{key}.{id}")),
            };
            let heading = if arg.is_positional() {
                headings.arguments
            } else {
                headings.options
            };
            let defaults: Vec<String> = arg
                .get_default_values()
                .iter()
                .map(|value| value.to_string_lossy().into_owned())
                .collect();
            let mut text = text;
            // A switch is off unless given: that need not be said.
            if !defaults.is_empty() && arg.get_action().takes_values() {
                let value = defaults.join(", ");
                text.push_str(&messages.fill("help.default", &args![value]));
            }
            // Positional ones in the order in which they are written.
            let order = arg.get_index();
            let arg = arg
                .help(text)
                .help_heading(heading)
                .hide_possible_values(true)
                .hide_default_value(true)
                .hide_env(true);
            match order {
                Some(order) => arg.display_order(order),
                None => arg,
            }
        })
        .mut_subcommands(|sub| {
            let inner = format!("{key}-{}", sub.get_name());
            let inner = inner.strip_prefix("zhao-").unwrap_or(&inner).to_owned();
            redress(sub, &inner, messages, headings)
        })
}

/// Our words for clap's errors; help and version are not errors.
fn refused(error: &clap::Error) -> Result<Parsed, Failure> {
    let get = |kind| error.get(kind).map(context_text).unwrap_or_default();
    let name = get(ContextKind::InvalidArg);
    let value = get(ContextKind::InvalidValue);
    let failure = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Ok(Parsed::Tell(error.render().to_string()));
        }
        ErrorKind::UnknownArgument => Failure::usage("argument-unknown", args![name]),
        ErrorKind::InvalidSubcommand => Failure::usage(
            "command-unknown",
            args![name = get(ContextKind::InvalidSubcommand)],
        ),
        ErrorKind::MissingSubcommand => Failure::usage("command-missing", args![]),
        ErrorKind::MissingRequiredArgument => Failure::usage("argument-missing", args![name]),
        ErrorKind::ArgumentConflict => Failure::usage(
            "argument-conflict",
            args![name, other = get(ContextKind::PriorArg)],
        ),
        ErrorKind::InvalidValue if value.is_empty() => {
            Failure::usage("argument-value-missing", args![name])
        }
        ErrorKind::InvalidValue => Failure::usage(
            "argument-value-choice",
            args![name, value, expected = get(ContextKind::ValidValue)],
        ),
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            Failure::usage(
                "argument-value",
                args![name, value, cause = cause.unwrap_or_default()],
            )
        }
        ErrorKind::InvalidUtf8 => Failure::usage("argument-text", args![]),
        _ => {
            let cause = error.render().to_string();
            let first = cause.lines().next().unwrap_or_default();
            let cause = first.strip_prefix("error: ").unwrap_or(first);
            Failure::usage("argument-other", args![cause])
        }
    };
    Err(failure)
}

fn context_text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => zhao_spec::wire::clip(text),
        ContextValue::Strings(texts) => texts
            .iter()
            .map(|text| zhao_spec::wire::clip(text))
            .collect::<Vec<_>>()
            .join(", "),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
