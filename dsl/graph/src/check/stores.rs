//! Whether the store of a connector can do what the graph asks.

use crate::capabilities::{EMBEDDED, StoreSpec};
use crate::diagnostic::Diagnostic;
use crate::diagnostics::store_cannot;
use crate::plan::Plan;
use crate::wiring::{Store, Wiring};

/// Compares what arcs ask with what their stores can do; a store that is not known is left alone.
#[must_use]
pub fn stores(plan: &Plan, wiring: &Wiring) -> Vec<Diagnostic> {
    let mut found = unknown_schemes(wiring);
    found.extend(tables(wiring));
    for connector in plan.links.iter().filter_map(|link| link.connector.as_ref()) {
        let Some(store) = spec(wiring, connector.store.as_deref()) else {
            continue;
        };
        let kind = connector.kind;
        match store.with(kind) {
            None => found.push(store_cannot::kind(store.name, kind, connector.span)),
            Some(can) => {
                let lacks = can.lacks(connector).into_iter();
                let lacks =
                    lacks.map(|what| store_cannot::setting(store.name, kind, what, connector.span));
                found.extend(lacks);
            }
        }
    }
    found
}

/// Tables in stores that keep none.
fn tables(wiring: &Wiring) -> impl Iterator<Item = Diagnostic> {
    wiring.tables.iter().filter_map(|table| {
        let written = table.store.as_ref()?;
        let store = spec(wiring, Some(&written.text)).filter(|store| !store.tables)?;
        Some(store_cannot::tables(store.name, written.span))
    })
}

/// What is known of a store that a connector names; the embedded one when it names none.
pub(crate) fn spec(wiring: &Wiring, name: Option<&str>) -> Option<&'static StoreSpec> {
    match name {
        None => Some(&EMBEDDED),
        Some(name) => match wiring.store(name) {
            Some(store) => StoreSpec::of(store.scheme()),
            None => (name == EMBEDDED.name).then_some(&EMBEDDED),
        },
    }
}

fn unknown_schemes(wiring: &Wiring) -> Vec<Diagnostic> {
    let named = |store: &Store| {
        let url = store.url.as_ref()?;
        // A variable may hold the whole URL.
        let is_known = StoreSpec::of(store.scheme()).is_some() || url.text.starts_with("${");
        (!is_known).then(|| store_cannot::scheme(store.scheme(), url.span))
    };
    wiring.stores.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Connector, ConnectorKind, Link};
    use crate::wiring::{Table, Written};

    fn written(text: &str) -> Written {
        Written {
            text: String::from(text),
            ..Written::default()
        }
    }

    fn store(name: &str, url: &str) -> Store {
        Store {
            name: written(name),
            url: Some(written(url)),
            ..Store::default()
        }
    }

    #[test]
    fn not_every_broker_keeps_so_many_records() {
        let mut connector = Connector {
            kind: ConnectorKind::Stream,
            ..Connector::default()
        };
        connector.retain.messages = Some(3);
        for (url, is_kept) in [
            ("amqp://there", false),
            ("kafka://there", false),
            ("nats://there", true),
            ("redis://there", true),
            ("sqlite:here", true),
        ] {
            connector.store = Some(String::from("far"));
            let link = Link {
                connector: Some(Box::new(connector.clone())),
                ..Link::default()
            };
            let plan = Plan {
                links: vec![link],
                ..Plan::default()
            };
            let wiring = Wiring {
                stores: vec![store("far", url)],
                ..Wiring::default()
            };
            let found = stores(&plan, &wiring);
            let told = found.first().map(|found| found.message.clone());
            let is_told = told.is_some_and(|told| told.ends_with("cannot do `retain=NUMBER`"));
            assert_eq!(is_told, !is_kept, "{url}: {found:?}");
        }
    }

    #[test]
    fn a_broker_keeps_no_tables() {
        let table = |store: &str| Table {
            name: written("Count.SEEN"),
            store: Some(written(store)),
            ..Table::default()
        };
        let wiring = Wiring {
            stores: vec![store("own", "sqlite:here"), store("far", "redis://there")],
            tables: vec![table("own"), table("embedded"), table("far")],
            ..Wiring::default()
        };
        let found = stores(&Plan::default(), &wiring);
        let told: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(told, ["Redis keeps no tables"]);
    }
}
