//! Standard input, output and error.

use paperflow_core::Catalogue;

mod error;
mod lines;
mod write;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(write::write)
        .with(lines::lines)
        .with(error::error)
        .alias("WriteToConsole", "console/write")
        .alias("Output", "console/write")
        .alias("Display", "console/write")
        .alias("recvr", "console/write")
}
