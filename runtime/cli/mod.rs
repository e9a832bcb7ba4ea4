//! The command.

use std::process::ExitCode;

use paperflow_core::Catalogue;

/// Runs the command line.
#[must_use]
pub fn cli(_: Catalogue) -> ExitCode {
    ExitCode::SUCCESS
}
