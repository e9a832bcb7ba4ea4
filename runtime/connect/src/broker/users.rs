//! Which graph uses which connectors here, so that the end of its run forgets their ids.

use std::collections::HashMap;

/// The users of a store in this process.
#[derive(Default)]
pub(crate) struct Users {
    /// By connector: the graph that was running when it was connected, or asked for a run since.
    graphs: HashMap<String, Option<String>>,
    /// The graph that asked for a run last, until that has finished.
    running: Option<String>,
}

impl Users {
    pub(crate) fn connected(&mut self, connector: &str) {
        self.graphs
            .insert(connector.to_owned(), self.running.clone());
    }

    pub(crate) fn runs(&mut self, graph: &str) {
        self.running = Some(graph.to_owned());
        for user in self.graphs.values_mut() {
            user.get_or_insert_with(|| graph.to_owned());
        }
    }

    /// The connectors of a graph whose run is over.
    pub(crate) fn finished(&mut self, graph: &str) -> Vec<String> {
        self.running.take_if(|running| running == graph);
        self.of(graph)
    }

    /// The connectors that a graph uses.
    pub(crate) fn of(&self, graph: &str) -> Vec<String> {
        let own = self.graphs.iter();
        let own = own.filter(|(_, user)| user.as_deref() == Some(graph));
        own.map(|(name, _)| name.clone()).collect()
    }

    /// The graph that uses a connector.
    #[cfg(feature = "nats")]
    pub(crate) fn graph(&self, connector: &str) -> Option<String> {
        self.graphs.get(connector).cloned().flatten()
    }
}
