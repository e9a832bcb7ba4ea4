//! What a plan asks of its stores, ahead of a run.

use std::collections::BTreeMap;

use paperflow_core::connector::{ConnectorKind, Declaration, OnError};
use paperflow_graph::plan::Plan;

use super::declaration;

/// A connector that a plan needs, and the store that is to keep it; nothing for the usual one.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The name of the store.
    pub store: Option<String>,
    /// What is asked.
    pub declaration: Declaration,
}

/// Every connector that a plan needs, each once, by store and name: those of its arcs, the queues in which their
/// messages are set aside, and the streams to which they are copied. What no arc declares is as usual.
#[must_use]
pub fn declared(plan: &Plan) -> Vec<Declared> {
    let mut all: BTreeMap<(Option<String>, String), Declaration> = BTreeMap::new();
    let wanted = plan
        .links
        .iter()
        .filter_map(|link| link.connector.as_deref());
    let wanted: Vec<_> = wanted
        .map(|connector| (connector.store.clone(), declaration(connector)))
        .collect();
    for (store, declaration) in &wanted {
        let key = (store.clone(), declaration.name.clone());
        all.insert(key, declaration.clone());
    }
    for (store, declaration) in wanted {
        for beside in beside(&declaration) {
            all.entry((store.clone(), beside.name.clone()))
                .or_insert(beside);
        }
    }
    let all = all.into_iter();
    all.map(|((store, _), declaration)| Declared { store, declaration })
        .collect()
}

/// What a connector needs beside itself.
fn beside(declaration: &Declaration) -> Vec<Declaration> {
    let aside = [declaration.dead_letter_name(), declaration.invalid_name()];
    let aside = aside.map(|name| Declaration::new(name, ConnectorKind::Queue));
    let mut all = aside.to_vec();
    if let OnError::Copy(stream) = &declaration.on_error {
        all.push(Declaration {
            partitions: declaration.partitions,
            ..Declaration::new(stream, ConnectorKind::Stream)
        });
    }
    all
}
