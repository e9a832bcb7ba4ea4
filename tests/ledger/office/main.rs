//! The command, with the components of the kill ledger: what the ledger runs, kills and runs again.

mod components;

use std::process::ExitCode;

fn main() -> ExitCode {
    paperflow::cli(components::catalogue(paperflow::standard()))
}
