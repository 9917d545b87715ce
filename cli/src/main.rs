//! `zhao`: a licence office whose every act can be checked by anyone.
//!
//! Parses the command line into a typed command and runs it. Standard output is data; standard
//! error is `error: …`, then `hint: …`. Exit codes: 0 usable, 1 refused, 2 usage or unreadable,
//! 3 undetermined, 4 changed, 5 a server that stopped by itself.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

mod args;
mod client;
mod command;
mod database;
mod demo;
mod distant;
mod engine;
mod failure;
mod files;
mod home;
mod host;
mod lists;
mod markup;
mod messages;
mod mirror;
mod monitor;
mod place;
mod publish;
mod remote;
mod said;
mod serve;
mod session;
mod sheet;
mod top;
mod trust;
mod values;
mod web;
mod witness;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let host = host::Host::new();
    let language = args::language_flag(&arguments)
        .unwrap_or_else(|| messages::Language::of_locale(host.locale().as_deref()));
    let mut session = session::Session::new(host, messages::Messages::new(language));
    let outcome = args::parse(&arguments, &session.messages).and_then(|parsed| match parsed {
        args::Parsed::Tell(text) => session.data(text.as_bytes()).map(|()| failure::Exit::Fine),
        args::Parsed::Run(line) => session
            .acting(line.operator.clone())
            .and_then(|()| command::run(&session, line.command, line.key_file.as_deref())),
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => session.report(&failure).into(),
    }
}
