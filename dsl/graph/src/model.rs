//! What an author drew: processes, connections, initial packets, exports.
//!
//! Lists keep the order of the file. Every element knows its span. Nothing is resolved: names
//! may be wrong, and the checks say so.

use serde_json::Value;

use crate::source::Span;

/// A graph as written, one file's worth, subnets still only named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The network's name: classic `Name:`, else the file's stem, else empty.
    pub name: String,
    /// Whether port names keep their case (fbp JSON `caseSensitive`).
    pub case_sensitive: bool,
    /// Annotations and other graph properties, in order; the last of equal keys wins.
    pub properties: Vec<Property>,
    /// Exported in-ports.
    pub inports: Vec<Export>,
    /// Exported out-ports.
    pub outports: Vec<Export>,
    /// Groups (JSON only; the text has no form for them).
    pub groups: Vec<Group>,
    /// Processes in order of first mention.
    pub processes: Vec<Process>,
    /// Connections and initial packets in order.
    pub connections: Vec<Connection>,
}

/// A graph property; from text, an annotation `# @key value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The key, e.g. `title`. `environment.type` is spelled as the nested JSON value.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub span: Span,
}

/// A named set of processes, kept for tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Members by process name.
    pub members: Vec<String>,
    /// Free data.
    pub metadata: Vec<(String, Value)>,
}

/// One running use of a component, as drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// Its name; anonymous ones have the generated name of upstream.
    pub name: String,
    /// Component name or path; `None` while no mention gave one (`A()` gives none).
    pub component: Option<String>,
    /// Node metadata, in order (`x` and `y` are numbers, the rest strings unless JSON said otherwise).
    pub metadata: Vec<(String, Value)>,
    /// Classic trailing `?`: trace this process.
    pub trace: bool,
    /// First mention of the name (the component for an anonymous process).
    pub span: Span,
    /// The component as written, where it was given last.
    pub component_span: Option<Span>,
    /// Earlier, different definitions that the last one replaced, for the warning.
    pub redefined: Vec<Span>,
}

/// A port of a process, or an element of an array port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortRef {
    /// Name as written (or lower-cased on request).
    pub name: String,
    /// Array element, when written.
    pub index: Option<u32>,
    /// The name and index; the arrow's span when the port was left out.
    pub span: Span,
    /// Not written: a default port.
    pub implied: bool,
}

/// One end of a connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    /// Process name.
    pub process: String,
    /// Where the process is mentioned here.
    pub span: Span,
    /// The port.
    pub port: PortRef,
}

/// An initial packet as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Initial {
    /// Quoted text gives a string; JSON gives its value.
    pub value: Value,
    /// Where.
    pub span: Span,
}

/// What an arrow starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// An out-port.
    Port(End),
    /// An initial packet.
    Initial(Initial),
}

/// `key=value` on an arrow, or a bare kind word or capacity (then `key` is `kind` or `capacity`).
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The key.
    pub key: String,
    /// The value as text, without quotes (`5s`, `64KiB`, `drop-oldest`).
    pub value: String,
    /// The whole attribute.
    pub span: Span,
}

/// An arrow.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Where packets come from.
    pub from: Origin,
    /// Where they go.
    pub to: End,
    /// Attributes in the order written; the last of equal keys wins.
    pub attributes: Vec<Attribute>,
    /// Other connection metadata.
    pub metadata: Vec<(String, Value)>,
    /// Where each piece of it is written, as far as that is known.
    pub metadata_spans: Vec<Span>,
    /// The arrow itself.
    pub span: Span,
}

/// An exported port: the graph's own port, seen from outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// Public name.
    pub public: String,
    /// Inner process.
    pub process: String,
    /// Inner port.
    pub port: PortRef,
    /// Free data (JSON only).
    pub metadata: Vec<(String, Value)>,
    /// The whole line.
    pub span: Span,
}

impl Graph {
    /// The process of that name.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// The last value of a property.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&Value> {
        self.properties
            .iter()
            .rev()
            .find(|property| property.key == key)
            .map(|found| &found.value)
    }

    /// The same graph as if nothing were known of its text: no spans, no implied ports, no
    /// replaced definitions. Two texts mean the same if these are equal.
    #[must_use]
    pub fn without_places(&self) -> Self {
        let mut graph = self.clone();
        graph
            .properties
            .iter_mut()
            .for_each(|property| property.span = Span::default());
        for process in &mut graph.processes {
            process.span = Span::default();
            process.component_span = None;
            process.redefined.clear();
        }
        for export in graph.inports.iter_mut().chain(&mut graph.outports) {
            export.span = Span::default();
            export.port.forget_place();
        }
        graph
            .connections
            .iter_mut()
            .for_each(Connection::forget_places);
        graph
    }
}

impl PortRef {
    fn forget_place(&mut self) {
        self.span = Span::default();
        self.implied = false;
    }
}

impl End {
    fn forget_place(&mut self) {
        self.span = Span::default();
        self.port.forget_place();
    }
}

impl Connection {
    /// The last value of an attribute.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .rev()
            .find(|attribute| attribute.key == key)
    }

    fn forget_places(&mut self) {
        self.span = Span::default();
        self.metadata_spans.clear();
        self.to.forget_place();
        match &mut self.from {
            Origin::Port(from) => from.forget_place(),
            Origin::Initial(initial) => initial.span = Span::default(),
        }
        self.attributes
            .iter_mut()
            .for_each(|attribute| attribute.span = Span::default());
    }
}
