//! Components that look something up: by asking for it, or in a table of their own.

mod ask;
mod remote;
mod rows;
mod table;

use paperflow_core::Catalogue;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(ask::ask)
        .with(remote::remote)
        .with(table::table)
}
