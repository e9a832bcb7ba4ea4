//! A component described: what `list`, `describe`, the checks and the engine know of it.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::settle::Settle;

/// How a component uses the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// May block: every process has a thread of its own.
    #[default]
    Thread,
    /// Never blocks: processes share a pool of workers.
    Compute,
}

/// In what order a component takes packets from several in-ports, or elements of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Whatever comes first; nothing else is held up by one that is empty.
    #[default]
    Freely,
    /// Some of each in its turn: while it waits for one it takes nothing from the others.
    InStep,
    /// One to its end, then the next, in the order in which they are declared and numbered.
    ToEnd,
}

/// How a component divides packets among several out-ports, or elements of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sends {
    /// Nothing is known about it.
    #[default]
    Freely,
    /// All get as many at any time, but for one packet or group.
    InStep,
    /// One gets its share and is closed, then the next, in the order in which they are declared and
    /// numbered.
    ToEnd,
    /// Each packet goes to one of them, and many in a row may go to the same.
    ByChoice,
}

/// A component's description.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spec {
    /// `area/name`.
    pub name: String,
    /// First sentence of its documentation.
    pub about: String,
    /// The whole documentation.
    pub doc: String,
    /// How it uses the processor.
    pub work: Work,
    /// Runs once even when no packet ever comes.
    pub must_run: bool,
    /// Opened again after it has ended, as long as packets come.
    pub again: bool,
    /// With the same parameters it sends the same packets in each run, in the same order: after a crash
    /// what it sends again is known to be the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
    /// It is called for each packet, and remembers nothing between two calls but its tables.
    #[serde(skip)]
    pub plain: bool,
    /// A packet that comes twice leaves the same behind as one that comes once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// What it has written, such as a file, is begun anew whenever it begins, unless a parameter that
    /// [keeps](ParamSpec::keeps) it is `true`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renews: bool,
    /// What it sends depends on packets that it has let go of, such as how many there were, and it has that in
    /// memory, outside its tables: a store does not give them again to one that begins again after a crash.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forgets: bool,
    /// An item for an element of an out-port whose reader has left goes to another element. A part of a graph that
    /// begins again closes to it those behind which all had been sent: in its second life it may divide what
    /// it is given in another way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub passes_over: bool,
    /// In what order it takes from its in-ports.
    pub reads: Reads,
    /// How it divides packets among its out-ports.
    pub sends: Sends,
    /// When it lets go of the deliveries that it was given by a store.
    #[serde(skip_serializing_if = "Settle::is_unit")]
    pub settle: Settle,
    /// In-ports.
    pub inputs: Vec<PortSpec>,
    /// Out-ports; ERROR is always the last.
    pub outputs: Vec<PortSpec>,
    /// Parameters.
    pub params: Vec<ParamSpec>,
    /// What it must remember.
    pub tables: Vec<TableSpec>,
    /// Runs that show it, printed by `describe` and run by tests.
    pub examples: Vec<Example>,
}

/// A data port.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortSpec {
    /// In capitals.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Payload kinds; empty for any.
    pub kinds: Vec<String>,
    /// Has elements.
    pub array: bool,
    /// Exact number of elements, for a fixed array.
    pub size: Option<u32>,
    /// May be left unconnected.
    pub optional: bool,
    /// An out-port where nothing leaves before the in-ports have ended, or a group in them has.
    pub at_end: bool,
    /// An out-port for questions: what is sent there is another packet in each life of the process, also when it
    /// follows from the same, so that it is answered again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub afresh: bool,
}

/// A parameter: an initial packet read once before work starts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ParamSpec {
    /// In capitals.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// What its text is read as, e.g. `int` or `duration`.
    pub parses: String,
    /// Text used when none is given.
    pub default: Option<String>,
    /// May be left out without a default.
    pub optional: bool,
    /// Where it is `true`, what the component has written before is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keeps: bool,
}

/// A table of a component.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableSpec {
    /// Name, as addressed by a wiring.
    pub name: String,
    /// What it keeps.
    pub about: String,
}

/// One run of a component alone: what goes in and what comes out, by port.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Example {
    /// Parameters.
    pub params: Vec<(String, String)>,
    /// Packets for each in-port.
    pub feeds: Vec<(String, Vec<Sample>)>,
    /// Packets from each out-port.
    pub expects: Vec<(String, Vec<Sample>)>,
}

/// A packet in an example.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sample {
    /// Opens a group.
    Open,
    /// Closes a group.
    Close,
    /// Data.
    #[serde(untagged)]
    Data(Json),
}

/// The name of the out-port that every component has for what it could not handle.
pub const ERROR: &str = "ERROR";

impl Spec {
    /// An empty description of a component that only forwards to its ERROR port.
    #[must_use]
    pub fn new(name: impl Into<String>, doc: impl Into<String>) -> Self {
        let doc: String = doc.into();
        let error = PortSpec {
            name: String::from(ERROR),
            about: String::from("What could not be handled, with the header `error`."),
            optional: true,
            ..PortSpec::default()
        };
        Self {
            name: name.into(),
            about: first_sentence(&doc),
            doc,
            outputs: vec![error],
            ..Self::default()
        }
    }

    /// Sets how it uses the processor.
    #[must_use]
    pub const fn work(mut self, work: Work) -> Self {
        self.work = work;
        self
    }

    /// Runs once even when no packet ever comes.
    #[must_use]
    pub const fn must_run(mut self) -> Self {
        self.must_run = true;
        self
    }

    /// Opened again after it has ended, as long as packets come.
    #[must_use]
    pub const fn again(mut self) -> Self {
        self.again = true;
        self
    }

    /// Sets in what order it takes from its in-ports.
    #[must_use]
    pub const fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// Whether it handles each packet by itself, and keeps nothing from one to the next but its tables.
    #[must_use]
    pub fn is_one_by_one(&self) -> bool {
        self.plain || self.settle == Settle::Each
    }

    /// Tells that with the same parameters it sends the same packets in each run.
    #[must_use]
    pub const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Tells that it is called for each packet.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Tells that a packet that comes twice leaves the same behind as one that comes once.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Tells that it begins anew what it has written, whenever it begins.
    #[must_use]
    pub const fn renews(mut self) -> Self {
        self.renews = true;
        self
    }

    /// Tells that what it sends depends on packets that it has let go of, and that it has that in memory.
    #[must_use]
    pub const fn forgets(mut self) -> Self {
        self.forgets = true;
        self
    }

    /// Tells that an item for an element whose reader has left goes to another one.
    #[must_use]
    pub const fn passes_over(mut self) -> Self {
        self.passes_over = true;
        self
    }

    /// Sets when it lets go of the deliveries that it was given by a store.
    #[must_use]
    pub const fn settle(mut self, settle: Settle) -> Self {
        self.settle = settle;
        self
    }

    /// Sets how it divides packets among its out-ports.
    #[must_use]
    pub const fn sends(mut self, sends: Sends) -> Self {
        self.sends = sends;
        self
    }

    /// Adds an in-port.
    #[must_use]
    pub fn input(mut self, port: PortSpec) -> Self {
        self.inputs.push(port);
        self
    }

    /// Adds an out-port, before ERROR.
    #[must_use]
    pub fn output(mut self, port: PortSpec) -> Self {
        let error = self.outputs.len().saturating_sub(1);
        self.outputs.insert(error, port);
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn param(mut self, param: ParamSpec) -> Self {
        self.params.push(param);
        self
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, name: &str, about: &str) -> Self {
        self.tables.push(TableSpec {
            name: name.into(),
            about: about.into(),
        });
        self
    }

    /// Adds an example.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        self.examples.push(example);
        self
    }

    /// Index of an in-port.
    #[must_use]
    pub fn input_index(&self, name: &str) -> Option<usize> {
        self.inputs
            .iter()
            .position(|port| port.name.eq_ignore_ascii_case(name))
    }

    /// Index of an out-port.
    #[must_use]
    pub fn output_index(&self, name: &str) -> Option<usize> {
        self.outputs
            .iter()
            .position(|port| port.name.eq_ignore_ascii_case(name))
    }

    /// Index of a parameter.
    #[must_use]
    pub fn param_index(&self, name: &str) -> Option<usize> {
        self.params
            .iter()
            .position(|param| param.name.eq_ignore_ascii_case(name))
    }
}

impl PortSpec {
    /// A required port that carries these kinds; an empty list means any.
    #[must_use]
    pub fn new(name: &str, about: &str, kinds: Vec<String>) -> Self {
        Self {
            name: name.to_uppercase(),
            about: about.into(),
            kinds,
            ..Self::default()
        }
    }

    /// Makes it an array port.
    #[must_use]
    pub const fn array(mut self) -> Self {
        self.array = true;
        self
    }

    /// Makes it an array port with exactly this many elements.
    #[must_use]
    pub const fn fixed(mut self, size: u32) -> Self {
        self.array = true;
        self.size = Some(size);
        self
    }

    /// Lets it be unconnected.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Tells that nothing leaves there before the in-ports have ended, or a group in them has.
    #[must_use]
    pub const fn at_end(mut self) -> Self {
        self.at_end = true;
        self
    }

    /// Tells that what is sent there is another packet in each life of the process.
    #[must_use]
    pub const fn afresh(mut self) -> Self {
        self.afresh = true;
        self
    }
}

fn first_sentence(doc: &str) -> String {
    let paragraph = doc
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .trim()
        .replace('\n', " ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}
