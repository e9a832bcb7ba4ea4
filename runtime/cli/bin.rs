//! The command `paperflow`, with the components that come with it.

use std::process::ExitCode;

fn main() -> ExitCode {
    paperflow::cli(paperflow::standard())
}
