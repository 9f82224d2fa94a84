//! The command line of Ergodica: reads arguments, calls `ergodica::campaign`, prints, and turns errors into exit codes.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::verbs::act(cli.verb) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprint!("{}", cli::verbs::render(&error));
            ExitCode::from(error.exit_code())
        }
    }
}
