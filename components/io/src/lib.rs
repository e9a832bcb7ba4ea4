//! Components that touch the outside: files, console, child processes.
//!
//! Files are read line by line and written in batches; whatever may wait for the world is marked as
//! outside, so that a slow pipe or child is never mistaken for a deadlock. A fault names the file or
//! the command it is about. A closed output pipe is no fault: the writer ends quietly.

use paperflow_core::Catalogue;

mod console;
mod file;
mod process;
mod sink;
mod source;

/// Every component of this crate, with the names the classic family has for them.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::new()
        .and(file::catalogue())
        .and(console::catalogue())
        .and(process::catalogue())
}
