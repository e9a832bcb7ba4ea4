//! `completions`: what a shell needs to complete this command.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::exit::{Exit, Failure};
use super::{CommandLine, out};

/// Prints what a shell needs to complete this command.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow completions bash > ~/.local/share/bash-completion/completions/paperflow")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn execute(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(
        args.shell,
        &mut CommandLine::command(),
        out::own_name(),
        &mut script,
    );
    out::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
