//! The command line: parse, run one workflow on the main thread, print its result. Progress goes to stderr.

mod arguments;
mod bench;
mod compare;
mod compare_text;
mod console;
mod demo;
mod eval;
mod output;
mod predict;
mod preview;
mod report;
mod sample;
mod train;
mod weights;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// What the command line asks for.
pub enum Request {
    /// No command: open the window.
    Window,
    /// A command to run here.
    Run(Box<dyn FnOnce() -> anyhow::Result<()>>),
}

/// Parses the arguments; wrong usage prints help and ends the program with code 2.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Request {
    let Some(command) = Arguments::parse_from(arguments).command else {
        return Request::Window;
    };
    console::listen_for_interrupts();
    Request::Run(Box::new(move || match command {
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Weights(command) => weights::run(command),
        Command::Demo(arguments) => demo::run(&arguments),
    }))
}

/// Prints an error with its causes on stderr, one line, and gives the exit code for failure.
pub fn report_failure(error: &anyhow::Error) -> ExitCode {
    #[expect(clippy::print_stderr, reason = "the last word of a failed command")]
    {
        eprintln!("error: {error:#}");
    }
    ExitCode::FAILURE
}
