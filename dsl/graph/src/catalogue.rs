//! What components look like from outside: names, ports, kinds.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// The payload kinds a port carries: a set of words such as `text` or `int`; empty means any.
///
/// A user type appears as `object:NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kinds(pub Vec<String>);

impl Kinds {
    /// Whether a packet leaving a port of these kinds may be taken by a port of `other`.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.is_empty() || other.0.is_empty() || self.0.iter().any(|kind| other.0.contains(kind))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("any")
        } else {
            f.write_str(&self.0.join(" or "))
        }
    }
}

/// A port of a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Port {
    /// Name in capitals.
    pub name: String,
    /// One line about it.
    pub about: String,
    /// What it carries.
    #[serde(default)]
    pub kinds: Kinds,
    /// Has elements `PORT[i]`.
    #[serde(default)]
    pub array: bool,
    /// Exact number of elements of a fixed array port; every one of them must be connected.
    #[serde(default)]
    pub size: Option<u32>,
    /// The graph must connect it (or give an initial packet).
    #[serde(default)]
    pub required: bool,
    /// Read once before work starts; usually fed by an initial packet.
    #[serde(default)]
    pub param: bool,
    /// The kind of text a parameter parses, e.g. `int`, `duration`, shown to people.
    #[serde(default)]
    pub parses: Option<String>,
    /// Value used when a parameter is not given.
    #[serde(default)]
    pub default: Option<String>,
    /// A parameter: where it is `true`, what the component has written before is kept.
    #[serde(default)]
    pub keeps: bool,
    /// An out-port where nothing leaves before the in-ports have ended, or a group in them has.
    #[serde(default)]
    pub at_end: bool,
}

/// A component as the graph sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// `area/name`.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// In-ports and parameters.
    pub inputs: Vec<Port>,
    /// Out-ports, the optional ERROR among them.
    pub outputs: Vec<Port>,
    /// Runs once even when no packet ever comes.
    #[serde(default)]
    pub must_run: bool,
    /// With the same parameters it sends the same packets in each run.
    #[serde(default)]
    pub repeats: bool,
    /// What it has written is begun anew whenever it begins, unless a parameter keeps it.
    #[serde(default)]
    pub renews: bool,
    /// What it sends depends on packets that it has let go of, and it has that in memory, outside its tables.
    #[serde(default)]
    pub forgets: bool,
    /// It is called for each packet of its one driving in-port, and remembers nothing but its tables.
    #[serde(default)]
    pub plain: bool,
    /// It handles each packet by itself: what it sends follows from one packet and not from several.
    #[serde(default)]
    pub one_by_one: bool,
    /// What it must remember, by the names that a wiring gives stores for.
    #[serde(default)]
    pub tables: Vec<String>,
    /// In what order it takes from several in-ports, or elements of one.
    #[serde(default)]
    pub reads: Reads,
    /// How it divides packets among several out-ports, or elements of one.
    #[serde(default)]
    pub sends: Sends,
}

/// In what order a component takes from its in-ports and their elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Whatever comes first, as a merge does; nothing else is held up by one that is empty.
    #[default]
    Freely,
    /// Some of each in its turn, as collate does: while it waits for one it takes nothing from the
    /// others.
    InStep,
    /// One to its end, then the next, as concat does, in the order in which they are declared and
    /// numbered.
    ToEnd,
}

/// How a component divides packets among its out-ports and their elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sends {
    /// Nothing is known about it.
    #[default]
    Freely,
    /// All get as many at any time, as replicate and round-robin do.
    InStep,
    /// One gets its share and is closed, then the next, as splitter does, in the order in which
    /// they are declared and numbered.
    ToEnd,
    /// Each packet goes to one of them, and many in a row may go to the same, as filters do.
    ByChoice,
}

impl Component {
    /// The in-port of that name, matched without regard to case.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs
            .iter()
            .find(|port| port.name.eq_ignore_ascii_case(name))
    }

    /// The out-port of that name, matched without regard to case.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&Port> {
        self.outputs
            .iter()
            .find(|port| port.name.eq_ignore_ascii_case(name))
    }
}

/// The components of a catalogue that a graph uses, each of which is looked for once.
pub(crate) struct Lookup<'a> {
    catalogue: &'a Catalogue,
    found: HashMap<String, Option<&'a Component>>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            found: HashMap::new(),
        }
    }

    /// As [`Catalogue::find`].
    pub(crate) fn find(&mut self, name: &str) -> Option<&'a Component> {
        let entry = self.found.entry_ref(name);
        *entry.or_insert_with(|| self.catalogue.find(name))
    }
}

/// Descriptions by name, and classic names that stand for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// By component name.
    pub components: BTreeMap<String, Component>,
    /// Alias to component name, e.g. `Passthru` to `flow/pass`.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

impl Catalogue {
    /// The component of that name or alias.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Component> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        self.components.get(name)
    }

    /// Every name a graph may use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.components
            .keys()
            .chain(self.aliases.keys())
            .map(String::as_str)
    }
}
