//! One run of the program: the machine, the language, and where text goes.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zhao_issuer::text;

use crate::failure::{Exit, Failure, args, because};
use crate::host::Host;
use crate::messages::{Argument, Messages};

/// Longest name of who acts, characters.
pub(crate) const OPERATOR_CHARS: usize = 100;

/// Colours with one meaning each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Usable, agrees, caught.
    Good,
    /// Read this.
    Notice,
    /// Refused, wrong.
    Bad,
    /// A heading.
    Strong,
}

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Session {
    /// The machine.
    pub(crate) host: Host,
    /// The sentences.
    pub(crate) messages: Messages,
    /// Who acts, if a name is given: kept in the records with every act.
    pub(crate) operator: Option<String>,
}

impl Session {
    /// A run on `host`, speaking `messages`.
    pub(crate) fn new(host: Host, messages: Messages) -> Self {
        Self {
            host,
            messages,
            operator: None,
        }
    }

    /// Takes the name of who acts: the flag's, otherwise the environment's.
    ///
    /// # Errors
    /// A name that is empty, too long or not plain text.
    pub(crate) fn acting(&mut self, flag: Option<String>) -> Result<(), Failure> {
        if let Some(name) = flag.or_else(|| self.host.operator()) {
            let clean =
                text::required(&name, OPERATOR_CHARS).map_err(because("operator", args![]))?;
            self.operator = Some(clean);
        }
        Ok(())
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|cause| Failure::usage("stdout", args![cause]))
    }

    /// Writes one line to standard output.
    ///
    /// # Errors
    /// As [`Session::data`].
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        self.data(format!("{text}\n").as_bytes())
    }

    /// Writes one sentence of the catalogue to standard output.
    ///
    /// # Errors
    /// As [`Session::data`].
    pub(crate) fn say(&self, key: &str, arguments: &[Argument]) -> Result<(), Failure> {
        self.line(&self.messages.fill(key, arguments))
    }

    /// A sentence for a person beside the data: standard error, which nothing depends on.
    pub(crate) fn note(&self, key: &str, arguments: &[Argument]) {
        let text = self.messages.fill(key, arguments);
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Writes `error: …` and `hint: …`; gives the exit code.
    pub(crate) fn report(&self, failure: &Failure) -> Exit {
        // One line each, whatever a file or a flag put into them.
        let one_line = |text: String| text.replace(|c: char| c.is_control(), " ");
        let (error, hint) = failure.lines(&self.messages);
        let (error, hint) = (one_line(error), one_line(hint));
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(std::io::stderr(), "error: {error}\nhint: {hint}");
        failure.exit()
    }

    /// `text` in a colour, where colours are welcome.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.host.colour() {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Good => "32;1",
            Colour::Notice => "33;1",
            Colour::Bad => "31;1",
            Colour::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A progress bar over `length` steps; invisible where no person looks.
    pub(crate) fn progress(&self, length: u64, label: &str) -> ProgressBar {
        if !self.host.stderr_terminal {
            return ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
            .expect("the template is a constant");
        ProgressBar::new(length)
            .with_style(style)
            .with_message(label.to_owned())
    }
    /// A progress bar over the bytes of a file, with its rate and the time left.
    pub(crate) fn progress_bytes(&self, length: u64) -> ProgressBar {
        let bar = self.progress(length, "");
        let template =
            "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
        bar
    }
}
