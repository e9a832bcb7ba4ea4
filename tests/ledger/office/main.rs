//! The command, with the components of the kill ledger: what the ledger runs, kills and runs again.

mod components;
mod tabled;

use std::process::ExitCode;

fn main() -> ExitCode {
    let catalogue = components::catalogue(paperflow::standard());
    match std::env::var(tabled::VARIABLE) {
        Ok(tables) => tabled::run(&catalogue, &tables),
        Err(_) => paperflow::cli(catalogue),
    }
}
