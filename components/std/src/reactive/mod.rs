//! Components that keep a network on its feet when a worker fails or falls behind.

mod breaker;
mod bulkhead;
mod fuse;
mod guard;

use paperflow_core::Catalogue;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(breaker::breaker)
        .with(bulkhead::bulkhead)
}
