//! Window or command line? Sets up logging and turns the final error into an exit code.

use std::process::ExitCode;

use flawscope::worker::{DiskPreviews, PipelineJobs};
use flawscope::{app, cli};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let result = match cli::parse(std::env::args_os()) {
        cli::Request::Window => app::run(Box::new(PipelineJobs), Box::new(DiskPreviews::default())),
        cli::Request::Run(command) => command(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::report_failure(&error),
    }
}
