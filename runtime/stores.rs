//! The stores of a graph: what keeps its connectors, and the tables that are not in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paperflow_core::connector::{self, StoreFault, StoreFaultKind};
use paperflow_engine::Stores;
use paperflow_graph::capabilities::{STORES, StoreSpec};
use paperflow_graph::parts::is_shared;
use paperflow_graph::wiring::{Ce, Store};
use paperflow_graph::{Plan, Wiring};

/// The folder beside a graph where the embedded store is, unless another one is given.
pub const DATA_FOLDER: &str = ".paperflow";

/// Where the embedded store of the graph in this file is by default: the folder [`DATA_FOLDER`] beside
/// it.
#[must_use]
pub fn data_folder(graph: &Path) -> PathBuf {
    graph.with_file_name(DATA_FOLDER)
}

/// Where the embedded store of one part of a graph is by default, below [`data_folder`]: parts that run on
/// one machine each have their own, and so has each copy of a part.
#[must_use]
pub fn part_folder(graph: &Path, part: &str, copy: Option<&str>) -> PathBuf {
    let plain = |name: &str| name.replace(['/', '\\', ':'], "-");
    let name = match copy {
        Some(copy) => format!("{}.{}", plain(part), plain(copy)),
        None => plain(part),
    };
    data_folder(graph).join(name)
}

/// Opens the stores that a plan needs, for [`Network::keep`](crate::Network::keep). A plan whose links and
/// tables are all in memory needs none, and no folder is made for it.
///
/// # Errors
/// The store in `data` is in use by another process, is damaged, or cannot be written.
pub fn open_stores(plan: &Plan, data: &Path) -> Result<Stores, StoreFault> {
    open_wired_stores(plan, &Wiring::default(), data, |_| None)
}

/// As [`open_stores`], with those that a wiring file declares; `variables` gives the value of a variable,
/// written as `${NAME}` there.
///
/// # Errors
/// As with [`open_stores`]; a variable is not set, or this build has no such store.
pub fn open_wired_stores(
    plan: &Plan,
    wiring: &Wiring,
    data: &Path,
    variables: impl Fn(&str) -> Option<String>,
) -> Result<Stores, StoreFault> {
    let mut opened = Opened::default();
    let mut stores = Stores::new(&plan.id);
    for name in named(plan).into_iter().chain(elsewhere(plan, wiring)) {
        let declared = name.and_then(|name| wiring.store(name));
        let store = match (name, declared) {
            (Some(_), Some(store)) => match place(store, &variables)? {
                Place::Folder(folder) => opened.embedded(&wiring.folder.join(folder))?,
                Place::Url(url) => opened.broker(store, &url)?,
            },
            (Some(EMBEDDED) | None, _) => opened.embedded(data)?,
            // Whoever needs it will say so.
            (Some(_), None) => continue,
        };
        let store = troubled(store, plan, name);
        stores = match name {
            Some(name) => stores.named(name, store),
            None => stores.usual(store),
        };
    }
    Ok(stores)
}

/// A plan without what would make a folder that is not there: for whoever only looks.
///
/// # Errors
/// A variable is not set.
pub(crate) fn without_new_folders(
    plan: &Plan,
    wiring: &Wiring,
    data: &Path,
    variables: impl Fn(&str) -> Option<String>,
) -> Result<Plan, StoreFault> {
    let mut plan = plan.clone();
    let mut new = BTreeSet::new();
    for name in named(&plan) {
        let declared = name.and_then(|name| wiring.store(name));
        let folder = match (name, declared) {
            (Some(_), Some(store)) => match place(store, &variables)? {
                Place::Folder(folder) => wiring.folder.join(folder),
                Place::Url(_) => continue,
            },
            (Some(EMBEDDED) | None, _) => data.to_owned(),
            (Some(_), None) => continue,
        };
        if !folder.join("store.db").exists() {
            new.insert(name.map(str::to_owned));
        }
    }
    plan.share = None;
    plan.tables.retain(|table| !new.contains(&table.store));
    plan.links.retain(|link| {
        let connector = link.connector.as_ref();
        connector.is_none_or(|connector| !new.contains(&connector.store))
    });
    Ok(plan)
}

/// The store, with what its connectors are to do wrong on purpose.
#[cfg(feature = "sqlite")]
fn troubled(
    store: Arc<dyn connector::Store>,
    plan: &Plan,
    name: Option<&str>,
) -> Arc<dyn connector::Store> {
    use paperflow_connect::chaos::{Chaos, Chaotic};
    let connectors = plan.links.iter().filter_map(|link| link.connector.as_ref());
    let own = connectors.filter(|connector| connector.store.as_deref() == name);
    let wanted = own.filter_map(|connector| {
        let chaos = connector.chaos?;
        let chaos = Chaos {
            drop: chaos.drop,
            dup: chaos.dup,
            reorder: chaos.reorder,
            corrupt: chaos.corrupt,
            down: chaos.down,
            seed: chaos.seed,
        };
        Some((connector.name.clone(), chaos))
    });
    let wanted: BTreeMap<_, _> = wanted.collect();
    if wanted.is_empty() {
        return store;
    }
    Arc::new(Chaotic::around(store, wanted))
}

/// Without a store there is nothing to go wrong.
#[cfg(not(feature = "sqlite"))]
fn troubled(
    store: Arc<dyn connector::Store>,
    _: &Plan,
    _: Option<&str>,
) -> Arc<dyn connector::Store> {
    store
}

/// The stores in which a part meets the others of its graph, but for those that its own arcs name.
fn elsewhere<'a>(plan: &'a Plan, wiring: &Wiring) -> BTreeSet<Option<&'a str>> {
    let links = plan.share.iter().flat_map(|share| &share.whole.links);
    let connectors = links.filter_map(|link| link.connector.as_deref());
    let shared = connectors.filter(|connector| is_shared(wiring, connector));
    let shared = shared.map(|connector| connector.store.as_deref());
    let own = named(plan);
    shared.filter(|name| !own.contains(name)).collect()
}

/// What the embedded store is called in `via=`.
const EMBEDDED: &str = "embedded";

/// The stores that arcs and tables name, each once.
fn named(plan: &Plan) -> BTreeSet<Option<&str>> {
    let connectors = plan.links.iter().filter_map(|link| link.connector.as_ref());
    let connectors = connectors.map(|connector| connector.store.as_deref());
    let tables = plan.tables.iter().map(|table| table.store.as_deref());
    connectors.chain(tables).collect()
}

/// Where a store that is declared is, with the values of variables.
enum Place {
    Folder(String),
    Url(String),
}

fn place(store: &Store, variables: &impl Fn(&str) -> Option<String>) -> Result<Place, StoreFault> {
    let written = store.dir.as_ref().or(store.url.as_ref());
    let text = with_variables(written.map_or("", |written| &written.text), variables)?;
    if store.dir.is_some() {
        return Ok(Place::Folder(text));
    }
    Ok(match text.strip_prefix("sqlite:") {
        Some(folder) => Place::Folder(folder.strip_prefix("//").unwrap_or(folder).to_owned()),
        None => Place::Url(text),
    })
}

/// A text in which `${NAME}` is a variable.
fn with_variables(
    text: &str,
    variables: &impl Fn(&str) -> Option<String>,
) -> Result<String, StoreFault> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        let value = variables(name);
        let missing = || unsupported(format!("the variable {name} is not set"));
        whole = whole + before + &value.ok_or_else(missing)?;
        rest = behind;
    }
    Ok(whole + rest)
}

fn unsupported(message: String) -> StoreFault {
    StoreFault::new(StoreFaultKind::Unsupported, message)
}

/// What is open: two names may stand for one.
#[derive(Default)]
struct Opened {
    folders: BTreeMap<PathBuf, Arc<dyn connector::Store>>,
    /// By URL, and by how messages are written there.
    brokers: BTreeMap<(String, Ce), Arc<dyn connector::Store>>,
}

impl Opened {
    /// The broker at a URL. A fault does not tell the URL, which may hold a password.
    fn broker(
        &mut self,
        store: &Store,
        url: &str,
    ) -> Result<Arc<dyn connector::Store>, StoreFault> {
        let key = (url.to_owned(), store.ce);
        if let Some(store) = self.brokers.get(&key) {
            return Ok(Arc::clone(store));
        }
        let about = |fault: StoreFault| {
            let message = format!("the store `{}`: {fault}", store.name.text);
            StoreFault::new(fault.kind(), message)
        };
        let opened: Arc<dyn connector::Store> = broker(url, store.ce).map_err(about)?;
        self.brokers.insert(key, Arc::clone(&opened));
        Ok(opened)
    }

    #[cfg(feature = "sqlite")]
    fn embedded(&mut self, folder: &Path) -> Result<Arc<dyn connector::Store>, StoreFault> {
        let known = |folder: &Path| {
            folder
                .canonicalize()
                .unwrap_or_else(|_| folder.to_path_buf())
        };
        if let Some(store) = self.folders.get(&known(folder)) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn connector::Store> = Arc::new(paperflow_connect::Embedded::open(folder)?);
        // Opening may have made the folder.
        self.folders.insert(known(folder), Arc::clone(&store));
        Ok(store)
    }

    #[cfg(not(feature = "sqlite"))]
    fn embedded(&mut self, _: &Path) -> Result<Arc<dyn connector::Store>, StoreFault> {
        let message = "this build has no embedded store: build it with the feature `sqlite`";
        Err(unsupported(String::from(message)))
    }
}

/// A broker as it is opened: whoever has it may ask it, if there can be one.
#[cfg(feature = "sqlite")]
type Opening = dyn paperflow_connect::admin::Asked;
#[cfg(not(feature = "sqlite"))]
type Opening = dyn connector::Store;

/// A store that a wiring file declares, to be asked: the one of this name, or the only one there is.
///
/// # Errors
/// There is none of this name, or several and no name is given; as with [`open_wired_stores`].
#[cfg(feature = "sqlite")]
pub(crate) fn open_to_ask(
    wiring: &Wiring,
    name: Option<&str>,
    variables: impl Fn(&str) -> Option<String>,
) -> Result<paperflow_connect::Admin, StoreFault> {
    use paperflow_connect::Admin;
    let names: Vec<&str> = wiring
        .stores
        .iter()
        .map(|own| own.name.text.as_str())
        .collect();
    let known = names.join("`, `");
    let found = match (name, names.as_slice()) {
        (Some(name), _) => wiring.store(name),
        (None, [only]) => wiring.store(only),
        (None, _) => {
            return Err(unsupported(format!(
                "the wiring file declares {} stores: say `--store NAME`, of `{known}`",
                names.len()
            )));
        }
    };
    let store = found.ok_or_else(|| {
        unsupported(format!(
            "the wiring file has no store of this name, but `{known}`"
        ))
    })?;
    match place(store, &variables)? {
        Place::Folder(folder) => Admin::attach(wiring.folder.join(folder)),
        Place::Url(url) => broker(&url, store.ce).map(Admin::of),
    }
}

/// Opens a broker, if it is built in.
#[cfg_attr(
    not(feature = "broker"),
    expect(
        unused_variables,
        reason = "no broker is built in, so nothing is written to one"
    )
)]
fn broker(url: &str, ce: Ce) -> Result<Arc<Opening>, StoreFault> {
    let scheme = url.split("://").next().unwrap_or_default();
    let Some(spec) = StoreSpec::of(scheme) else {
        let known = STORES.iter().flat_map(|store| store.schemes);
        let known = known.copied().collect::<Vec<_>>().join("`, `");
        return Err(unsupported(format!(
            "its URL begins with none of `{known}`"
        )));
    };
    match spec.feature {
        #[cfg(feature = "amqp")]
        "amqp" => Ok(Arc::new(paperflow_connect::amqp::Amqp::open(&access(
            url, ce,
        )?)?)),
        #[cfg(feature = "kafka")]
        "kafka" => Ok(Arc::new(paperflow_connect::kafka::Kafka::open(&access(
            url, ce,
        )?)?)),
        #[cfg(feature = "mqtt")]
        "mqtt" => Ok(Arc::new(paperflow_connect::mqtt::Mqtt::open(&access(
            url, ce,
        )?)?)),
        #[cfg(feature = "redis")]
        "redis" => Ok(Arc::new(paperflow_connect::redis::Redis::open(&access(
            url, ce,
        )?)?)),
        #[cfg(feature = "nats")]
        "nats" => Ok(Arc::new(paperflow_connect::nats::Nats::open(&access(
            url, ce,
        )?)?)),
        feature => Err(unsupported(format!(
            "it is kept by {}, which this build cannot reach: build it with the feature `{feature}` \
             (`cargo install --features {feature} ...`)",
            spec.name
        ))),
    }
}

#[cfg(feature = "broker")]
fn access(url: &str, ce: Ce) -> Result<paperflow_connect::broker::Access, StoreFault> {
    paperflow_connect::broker::Access::new(url, ce == Ce::Structured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_their_places() {
        let variables = |name: &str| (name == "HOST").then(|| String::from("here"));
        let read = |text: &str| with_variables(text, &variables).map_err(|fault| fault.to_string());
        assert_eq!(read("a://${HOST}/${HOST}"), Ok("a://here/here".into()));
        assert_eq!(read("plain ${"), Ok("plain ${".into()));
        assert_eq!(read("${NONE}"), Err("the variable NONE is not set".into()));
    }

    #[test]
    fn what_is_not_built_in_names_its_feature_and_no_secret() {
        let open = |url: &str| {
            let opened = broker(url, Ce::default()).err();
            opened.map(|fault| fault.to_string()).unwrap_or_default()
        };
        if !cfg!(feature = "kafka") {
            let fault = open("kafka://me:secret@h");
            assert!(
                fault.contains("feature `kafka`") && !fault.contains("secret"),
                "{fault}"
            );
        }
        let fault = open("reddis://:secret@h");
        assert!(
            fault.contains("`redis`") && !fault.contains("secret"),
            "{fault}"
        );
    }
}
