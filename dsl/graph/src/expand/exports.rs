//! The public ports of an opened graph.

use std::hash::{Hash, Hasher};

use crate::model::{self, Export, Graph, Origin, PortRef};
use crate::places::Places;

use super::Side;
use super::tree::{plain, scoped};

/// The public ports of one side, found by name without regard to case; the last of equal names counts.
#[derive(Default)]
pub(super) struct Exports {
    list: Vec<Export>,
    by_name: Places,
    by_process: Places,
}

impl Exports {
    /// Those that are written, and those made by named borders.
    pub(super) fn of(graph: &Graph, names: &Places, side: Side) -> Self {
        let written = match side {
            Side::In => &graph.inports,
            Side::Out => &graph.outports,
        };
        let arrows = graph.connections.iter();
        let bordered = arrows.filter_map(|arrow| border_export(graph, names, arrow, side));
        let list: Vec<Export> = written.iter().cloned().chain(bordered).collect();
        Self {
            by_name: Places::of(list.len(), |at| Folded(&list[at].public)),
            by_process: Places::of(list.len(), |at| list[at].process.as_str()),
            list,
        }
    }

    pub(super) fn find(&self, public: &str) -> Option<&Export> {
        self.list.get(self.place(public)?)
    }

    /// Whether a port of this process is public.
    pub(super) fn has(&self, process: &str) -> bool {
        let found = self
            .by_process
            .find(&process, |at| self.list[at].process.as_str());
        found.is_some()
    }

    /// Their names, also those that do not count.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|export| export.public.as_str())
    }

    /// Those that count, in the order in which they are written.
    pub(super) fn lasting(&self) -> Vec<Export> {
        let all = self.list.iter().enumerate();
        let lasting = all.filter(|(at, export)| self.place(&export.public) == Some(*at));
        lasting.map(|(_, export)| export.clone()).collect()
    }

    fn place(&self, public: &str) -> Option<usize> {
        self.by_name
            .find(&Folded(public), |at| Folded(&self.list[at].public))
    }
}

/// A name without regard to the case of ASCII letters.
struct Folded<'a>(&'a str);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let letters = self.0.bytes().map(|byte| byte.to_ascii_lowercase());
        letters.for_each(|letter| state.write_u8(letter));
    }
}

/// The export that `'NAME' -> NAME Border` stands for.
fn border_export(
    graph: &Graph,
    names: &Places,
    arrow: &model::Connection,
    side: Side,
) -> Option<Export> {
    let Origin::Initial(initial) = &arrow.from else {
        return None;
    };
    if !arrow.to.port.name.eq_ignore_ascii_case("NAME") {
        return None;
    }
    let name_of = |at: usize| graph.processes[at].name.as_str();
    let process = &graph.processes[names.find(&arrow.to.process.as_str(), name_of)?];
    plain(process)
        .or_else(|| scoped(process))
        .filter(|border| *border == side)?;
    let port = match side {
        Side::In => "IN",
        Side::Out => "OUT",
    };
    Some(Export {
        public: String::from(initial.value.as_str()?),
        process: process.name.clone(),
        port: PortRef {
            name: String::from(port),
            span: initial.span,
            ..PortRef::default()
        },
        metadata: Vec::new(),
        span: initial.span,
    })
}
