//! What a wiring file says of a graph: which arcs are of another kind, which stores there are, where
//! tables are kept, which parts run apart, and what becomes of faults.
//!
//! The file's form is none of this module's business: it takes names and values with their places. So one
//! graph serves laptop, test and production. What the wiring says of an arc goes before what is written
//! on its arrow.

mod apply;
mod read;

pub(crate) use apply::{Named, apply, named};

use std::path::PathBuf;

use crate::model::Attribute;
use crate::plan::Keep;
use crate::source::Span;

/// A name or a value as written, with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text, without quotes.
    pub text: String,
    /// Where it is.
    pub span: Span,
}

/// What stands behind a name in a wiring file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, a number or a yes or no, as text.
    Plain(String),
    /// Several values.
    List(Vec<Node>),
    /// Names with values.
    Section(Vec<Entry>),
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it is.
    pub span: Span,
}

/// A name with what stands behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name.
    pub name: Written,
    /// What stands behind it.
    pub node: Node,
}

/// A section that a wiring file may have.
#[derive(Clone, Copy, Debug)]
pub struct SectionSpec {
    /// Its name, as in `[arc."A.OUT -> B.IN"]`.
    pub name: &'static str,
    /// An example of its heading.
    pub heading: &'static str,
    /// Its keys; those of an arrow when there are none.
    pub keys: &'static [&'static str],
    /// One line about it.
    pub about: &'static str,
}

/// Every section that a wiring file may have.
pub const SECTIONS: &[SectionSpec] = &[
    SectionSpec {
        name: "arc",
        heading: "[arc.\"A.OUT -> B.IN\"]",
        keys: &[],
        about: "what an arc is, with the attributes of an arrow",
    },
    SectionSpec {
        name: "store",
        heading: "[store.NAME]",
        keys: &["url", "dir", "ce"],
        about: "a store, by its URL or, if it is embedded, its folder; and how messages are written there",
    },
    SectionSpec {
        name: "table",
        heading: "[table.\"PROCESS.TABLE\"]",
        keys: &["store", "keep"],
        about: "a table that a store keeps; without `store` the usual one; with `keep = \"run\"` until the run has finished well",
    },
    SectionSpec {
        name: "part",
        heading: "[part.NAME]",
        keys: &["processes"],
        about: "a share of the graph that runs as a process of its own",
    },
    SectionSpec {
        name: "policy",
        heading: "[policy.\"PROCESS\"]",
        keys: &["fault", "retries"],
        about: "what becomes of the faults of a process",
    },
];

/// The words for what becomes of a fault.
pub const FAULTS: &[&str] = &[
    "retry",
    "reject",
    "invalid",
    "park",
    "restart",
    "stop-process",
    "stop-network",
];

/// What is said of an arc.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arc {
    /// `A.OUT -> B.IN`.
    pub name: Written,
    /// As on an arrow.
    pub attributes: Vec<Attribute>,
}

/// A store that keeps connectors and tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// Its name.
    pub name: Written,
    /// Where it is: `sqlite:DIR`, or the URL of a broker. `${NAME}` stands for a variable of the environment.
    pub url: Option<Written>,
    /// The folder of an embedded one.
    pub dir: Option<Written>,
    /// How messages are written to a broker.
    pub ce: Ce,
}

/// How a message is written to a broker, as CloudEvents has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ce {
    /// Its attributes stand beside its body.
    #[default]
    Binary,
    /// It is one JSON document.
    Structured,
}

impl Ce {
    /// Both, with their words.
    pub const WORDS: [(&str, Self); 2] =
        [("binary", Self::Binary), ("structured", Self::Structured)];
}

/// A table that a store keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// `PROCESS.TABLE`.
    pub name: Written,
    /// The store; the usual one if none is named.
    pub store: Option<Written>,
    /// How long it is kept.
    pub keep: Keep,
}

/// A share of the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: Written,
    /// Addresses of its processes and subnets.
    pub processes: Vec<Written>,
}

/// What becomes of the faults of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The address of the process.
    pub process: Written,
    /// One of [`FAULTS`].
    pub fault: Option<Written>,
    /// How often it is tried again.
    pub retries: Option<Written>,
}

/// A wiring file, understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wiring {
    /// Where the file is; folders in it are meant from here.
    pub folder: PathBuf,
    /// Arcs.
    pub arcs: Vec<Arc>,
    /// Stores.
    pub stores: Vec<Store>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Parts.
    pub parts: Vec<Part>,
    /// Policies.
    pub policies: Vec<Policy>,
}

impl Wiring {
    /// The store of that name.
    #[must_use]
    pub fn store(&self, name: &str) -> Option<&Store> {
        self.stores.iter().find(|store| store.name.text == name)
    }
}

impl Store {
    /// What its URL begins with; a store with a folder is `sqlite`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match &self.url {
            Some(url) => url.text.split(':').next().unwrap_or_default(),
            None => "sqlite",
        }
    }
}

#[cfg(test)]
mod tests;
