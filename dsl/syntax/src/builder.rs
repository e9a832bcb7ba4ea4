//! The graph as it grows: processes by name, anonymous names, redefinitions.

use std::collections::HashMap;

use paperflow_graph::{Graph, Process, Span};

use crate::brackets::Body;

/// Builds one graph.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) graph: Graph,
    by_name: HashMap<String, usize>,
    anonymous: HashMap<String, u32>,
}

/// A mention of a process with brackets.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) body: Body,
    /// Where the process is named (the brackets of an anonymous one).
    pub(crate) span: Span,
    /// The component as written.
    pub(crate) component_span: Span,
    /// Classic `?`.
    pub(crate) trace: bool,
}

impl Builder {
    /// An empty graph.
    pub(crate) fn new(name: &str, case_sensitive: bool) -> Self {
        let graph = Graph {
            name: String::from(name),
            case_sensitive,
            ..Graph::default()
        };
        Self {
            graph,
            ..Self::default()
        }
    }

    /// Names an anonymous process as upstream does.
    pub(crate) fn anonymous(&mut self, component: &str) -> String {
        let clean = clean(component);
        let count = self.anonymous.entry(clean.clone()).or_default();
        *count += 1;
        format!("_{clean}_{count}")
    }

    /// Adds a process, or adds to it: a component or metadata given later takes the place of what
    /// was given before.
    pub(crate) fn declare(&mut self, name: &str, given: Declaration) {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => self.add(name, given.span),
        };
        let Some(process) = self.graph.processes.get_mut(at) else {
            return;
        };
        update(process, given);
    }

    fn add(&mut self, name: &str, span: Span) -> usize {
        let at = self.graph.processes.len();
        self.by_name.insert(String::from(name), at);
        self.graph.processes.push(Process {
            name: String::from(name),
            span,
            ..Process::default()
        });
        at
    }
}

fn update(process: &mut Process, given: Declaration) {
    let Body {
        component,
        metadata,
        ..
    } = given.body;
    let other_component =
        component.is_some() && process.component.is_some() && process.component != component;
    let other_metadata = metadata
        .as_ref()
        .is_some_and(|new| !process.metadata.is_empty() && process.metadata != *new);
    if other_component || other_metadata {
        process
            .redefined
            .push(process.component_span.unwrap_or(process.span));
    }
    if component.is_some() {
        process.component = component;
        process.component_span = Some(given.component_span);
    }
    if let Some(metadata) = metadata {
        process.metadata = metadata;
    }
    process.trace |= given.trace;
}

/// The component's name with its first run of signs made one `_`, as upstream cleans it.
fn clean(component: &str) -> String {
    let sign = |letter: char| !letter.is_ascii_alphanumeric();
    let Some(start) = component.find(sign) else {
        return String::from(component);
    };
    let (before, run) = component.split_at(start);
    format!("{before}_{}", run.trim_start_matches(sign))
}
