//! Wiring files: TOML read into what the graph understands of it.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use paperflow_graph::diagnostics::bad_wiring;
use paperflow_graph::wiring::{Entry, Node, Value, Written};
use paperflow_graph::{Diagnostic, FileId, Sources, Span, Wiring};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Library;

/// What a wiring file beside its graph is called.
const BESIDE: &str = "paperflow.toml";

/// A wiring file that has been read.
#[derive(Clone, Debug)]
pub(crate) struct WiringFile {
    path: PathBuf,
    text: String,
}

impl WiringFile {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            text,
        })
    }

    /// One that is not written yet.
    pub(crate) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it says by itself, and what is wrong with it.
    pub(crate) fn alone(&self) -> (Wiring, Sources, Vec<Diagnostic>) {
        let mut library = Library::default();
        let wiring = library.wiring(&self.path, Some(self));
        (wiring, library.sources, library.diagnostics)
    }

    /// The one beside a graph, if there is one.
    pub(crate) fn beside(graph: &Path) -> Option<Self> {
        Self::read(&graph.with_file_name(BESIDE)).ok()
    }
}

impl Library {
    /// What the wiring file says, or the one beside the graph.
    pub(super) fn wiring(&mut self, graph: &Path, named: Option<&WiringFile>) -> Wiring {
        let file = named.cloned().or_else(|| WiringFile::beside(graph));
        let Some(WiringFile { path, text }) = file else {
            return Wiring::default();
        };
        let id = self.sources.add(&path, text.as_str());
        Wiring {
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            ..understand(&text, id, &mut self.diagnostics)
        }
    }
}

/// What a wiring says, as far as it can be read.
fn understand(text: &str, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Wiring {
    let place = Place(file);
    let (table, errors) = DeTable::parse_recoverable(text);
    diagnostics.extend(errors.iter().map(|error| {
        let span = error.span().unwrap_or(0..0);
        bad_wiring(error.message(), place.span(span))
    }));
    let mut found = Vec::new();
    let wiring = Wiring::read(&place.entries(table.get_ref()), &mut found);
    // What stands behind a mistake of the text may be read as something else.
    if errors.is_empty() {
        diagnostics.extend(found);
    }
    wiring
}

/// Makes places in the file.
#[derive(Clone, Copy)]
struct Place(FileId);

impl Place {
    fn span(self, at: Range<usize>) -> Span {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.0, narrow(at.start), narrow(at.end))
    }

    /// In the order in which they are written.
    fn entries(self, table: &DeTable<'_>) -> Vec<Entry> {
        let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
            name: Written {
                text: String::from(AsRef::<str>::as_ref(name.get_ref())),
                span: self.span(name.span()),
            },
            node: self.node(value),
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.name.span);
        entries
    }

    fn node(self, value: &Spanned<DeValue<'_>>) -> Node {
        Node {
            span: self.span(value.span()),
            value: match value.get_ref() {
                DeValue::String(text) => Value::Plain(text.to_string()),
                DeValue::Integer(number) => Value::Plain(number.to_string()),
                DeValue::Float(number) => Value::Plain(number.to_string()),
                DeValue::Boolean(yes) => Value::Plain(yes.to_string()),
                DeValue::Datetime(date) => Value::Plain(date.to_string()),
                DeValue::Array(values) => {
                    Value::List(values.iter().map(|value| self.node(value)).collect())
                }
                DeValue::Table(table) => Value::Section(self.entries(table)),
            },
        }
    }
}
