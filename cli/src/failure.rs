//! Why a command did not do what it was asked: an exit code and a message of the catalogue.

use std::fmt::Display;
use std::path::Path;

use crate::messages::{Argument, Messages};
use crate::said::Said;

/// What the process tells its caller. Style: refusal is not an error of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done; for a verdict: usable.
    Fine,
    /// 1: refused (invalid, not usable, malformed); for an audit: evidence was written.
    Refused,
    /// 2: wrong usage, or something that cannot be read.
    Usage,
    /// 3: undetermined: no evidence either way.
    Undetermined,
    /// 4: what a file says is no longer so, and nothing is wrong with anything.
    Changed,
    /// 5: a server stopped by itself, and may be started again as it is.
    Stopped,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
            Self::Changed => 4,
            Self::Stopped => 5,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A failure: `error.KEY` and `hint.KEY` of the catalogue with their arguments.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    key: String,
    arguments: Vec<Argument>,
    /// For `refused-by-rule`: the rules, said when the language is known.
    said: Vec<Said>,
}

/// Arguments of a message: `args![path = x, count = n]`; `args![cause]` is `cause = cause`.
macro_rules! args {
    (@one $name:ident) => { (stringify!($name), $name.to_string()) };
    (@one $name:ident = $value:expr) => { (stringify!($name), $value.to_string()) };
    ($($name:ident $(= $value:expr)?),* $(,)?) => {
        vec![$($crate::failure::args!(@one $name $(= $value)?)),*] as Vec<(&'static str, String)>
    };
}
pub(crate) use args;

impl Failure {
    /// Wrong usage, or something unreadable: exit 2.
    pub(crate) fn usage(key: &str, arguments: Vec<Argument>) -> Self {
        Self {
            exit: Exit::Usage,
            key: key.to_owned(),
            arguments,
            said: Vec::new(),
        }
    }

    /// A server that worked and stopped: exit 5. What keeps one from starting is [`Self::usage`],
    /// so that whoever starts it anew by itself does not do so for ever.
    pub(crate) fn stopped(key: &str, arguments: Vec<Argument>) -> Self {
        Self {
            exit: Exit::Stopped,
            ..Self::usage(key, arguments)
        }
    }

    /// Refused by a rule: exit 1.
    pub(crate) fn refused(key: &str, arguments: Vec<Argument>) -> Self {
        Self {
            exit: Exit::Refused,
            key: key.to_owned(),
            arguments,
            said: Vec::new(),
        }
    }

    /// Neither yes nor no can be said: exit 3.
    pub(crate) fn undetermined(key: &str, arguments: Vec<Argument>) -> Self {
        Self {
            exit: Exit::Undetermined,
            ..Self::usage(key, arguments)
        }
    }

    /// Refused by rules that have codes and sentences of their own: exit 1.
    pub(crate) fn said(said: Vec<Said>) -> Self {
        Self {
            said,
            ..Self::refused("refused-by-rule", Vec::new())
        }
    }

    /// A file that could not be read, written or made.
    pub(crate) fn file(act: &'static str, path: &Path, cause: &std::io::Error) -> Self {
        let key = match act {
            "read" => "file-read",
            "create" => "file-create",
            _ => "file-write",
        };
        Self::usage(key, args![path = path.display(), cause])
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What lay behind it, in the program's own words.
    pub(crate) fn cause(&self) -> String {
        let cause = self.arguments.iter().find(|(name, _)| *name == "cause");
        cause.map_or_else(|| self.key.clone(), |(_, text)| text.clone())
    }

    /// The key, without its section.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The stable code: of the rule that refuses, or the key.
    pub(crate) fn code(&self) -> &str {
        self.said.first().map_or(&*self.key, Said::code)
    }

    /// The two lines for standard error.
    pub(crate) fn lines(&self, messages: &Messages) -> (String, String) {
        if let Some(first) = self.said.first() {
            let texts: Vec<String> = self.said.iter().map(|said| said.text(messages)).collect();
            let arguments = args![code = first.code(), text = texts.join("; ")];
            let error = messages.fill("error.refused-by-rule", &arguments);
            let hint = messages
                .find(&format!("refusal-do.{}", first.code()))
                .map_or_else(|| messages.text("hint.refused-by-rule"), str::to_owned);
            return (error, hint);
        }
        (
            messages.fill(&format!("error.{}", self.key), &self.arguments),
            messages.fill(&format!("hint.{}", self.key), &self.arguments),
        )
    }
}

/// Turns any library error into a failure that names what was being done.
pub(crate) fn because<E: Display>(
    key: &'static str,
    arguments: Vec<Argument>,
) -> impl FnOnce(E) -> Failure {
    move |cause| {
        let mut arguments = arguments;
        arguments.push(("cause", cause.to_string()));
        Failure::usage(key, arguments)
    }
}
