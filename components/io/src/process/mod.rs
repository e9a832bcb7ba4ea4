//! Child processes.

use paperflow_core::Catalogue;

mod child;
mod exec;
mod words;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(exec::exec)
        .alias("Exec", "process/exec")
        .alias("RunExe", "process/exec")
}
