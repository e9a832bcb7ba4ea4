//! The graph as it grows: processes by name, anonymous names, redefinitions.

use std::borrow::Cow;
use std::collections::HashMap;

use paperflow_graph::places::Places;
use paperflow_graph::{Graph, Process, Span};

use crate::brackets::Body;

/// Builds one graph.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) graph: Graph,
    by_name: Places,
    anonymous: HashMap<String, u32>,
}

/// A mention of a process with brackets.
#[derive(Debug)]
pub(crate) struct Declaration<'a> {
    pub(crate) body: Body<'a>,
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
    pub(crate) fn declare(&mut self, name: &str, given: Declaration<'_>) {
        let processes = &mut self.graph.processes;
        let name_of = |at: usize| processes[at].name.as_str();
        let at = self.by_name.enter(&name, processes.len(), name_of);
        if at == processes.len() {
            processes.push(Process {
                name: String::from(name),
                span: given.span,
                ..Process::default()
            });
        }
        update(&mut processes[at], given);
    }
}

fn update(process: &mut Process, given: Declaration<'_>) {
    let Body {
        component,
        metadata,
        ..
    } = given.body;
    let known = process.component.as_deref();
    let is_new = component.is_some() && known != component.as_deref();
    let other_component = is_new && known.is_some();
    let other_metadata = metadata
        .as_ref()
        .is_some_and(|new| !process.metadata.is_empty() && process.metadata != *new);
    if other_component || other_metadata {
        process
            .redefined
            .push(process.component_span.unwrap_or(process.span));
    }
    if component.is_some() {
        process.component_span = Some(given.component_span);
    }
    if is_new {
        process.component = component.map(Cow::into_owned);
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
