//! The stores of a graph: what keeps its connectors, and the tables that are not in memory.

use std::path::{Path, PathBuf};

use paperflow_core::connector::StoreFault;
use paperflow_engine::Stores;
use paperflow_graph::Plan;

/// The folder beside a graph where the embedded store is, unless another one is given.
pub const DATA_FOLDER: &str = ".paperflow";

/// Where the embedded store of the graph in this file is by default: the folder [`DATA_FOLDER`] beside
/// it.
#[must_use]
pub fn data_folder(graph: &Path) -> PathBuf {
    graph.with_file_name(DATA_FOLDER)
}

/// Opens the stores that a plan needs, for [`Network::keep`](crate::Network::keep). A plan whose links and
/// tables are all in memory needs none, and no folder is made for it.
///
/// # Errors
/// The store in `data` is in use by another process, is damaged, or cannot be written.
pub fn open_stores(plan: &Plan, data: &Path) -> Result<Stores, StoreFault> {
    let stores = Stores::new(&plan.id);
    let connectors = plan.links.iter().filter_map(|link| link.connector.as_ref());
    let named = connectors.map(|connector| connector.store.as_deref());
    let mut named = named.chain(plan.tables.iter().map(|table| table.store.as_deref()));
    if named.any(|store| store.is_none_or(|store| store == EMBEDDED)) {
        return embedded(stores, data);
    }
    Ok(stores)
}

/// What the embedded store is called in `via=`.
const EMBEDDED: &str = "embedded";

#[cfg(feature = "sqlite")]
fn embedded(stores: Stores, data: &Path) -> Result<Stores, StoreFault> {
    use std::sync::Arc;

    let store = Arc::new(paperflow_connect::Embedded::open(data)?);
    Ok(stores.usual(store.clone()).named(EMBEDDED, store))
}

#[cfg(not(feature = "sqlite"))]
fn embedded(_: Stores, _: &Path) -> Result<Stores, StoreFault> {
    use paperflow_core::connector::StoreFaultKind;

    let message = "this build has no embedded store: build it with the feature `sqlite`";
    Err(StoreFault::new(StoreFaultKind::Unsupported, message))
}
