//! The `.fbp` text: parser, formatter, printer.
//!
//! [`parse`] reads a text into a [`Graph`]; it never fails, it reports. [`format()`] puts a text into
//! canonical style and loses nothing. [`print()`] writes a graph as text.
//!
//! The language is what the reference parser (npm `fbp` 1.8.0) reads, the classic dialect, and
//! attributes on arrows. One rule has no exception: each arrow gives one connection, or an error.
//!
//! ```
//! use paperflow_graph::Sources;
//! use paperflow_syntax::{Options, parse};
//!
//! let mut sources = Sources::new();
//! let file = sources.add("hello.fbp", "'menu.txt' -> FILE Read(io/lines) OUT -> IN Show(io/print)\n");
//! let parsed = parse(&sources, file, Options::default());
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(parsed.graph.connections.len(), 2);
//! ```
//!
//! Where a bare `true`, `false` or `null` starts a statement it is the JSON value, unless the file
//! declares a process of that name; written with a backslash, `\true`, it is always a process.

mod attribute;
mod brackets;
mod builder;
mod chain;
mod diagnostics;
mod export;
mod format;
mod lexer;
mod note;
mod parser;
mod print;
mod segment;
mod spelling;
mod statement;
mod upstream;

use paperflow_graph::{Diagnostic, FileId, Graph, Sources};

pub use diagnostics::EXPLANATIONS;
pub use format::{Formatted, format};
pub use paperflow_graph::attributes::{ATTRIBUTES, AttributeSpec, Form, KINDS};
pub use paperflow_graph::check::drawing::contents as check_contents;
pub use print::print;
pub use upstream::print_upstream;

/// How to read a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Lower-case every port name, as upstream does unless told otherwise.
    pub lowercase_ports: bool,
}

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The network: the only one, or the first labelled one.
    pub graph: Graph,
    /// The further labelled networks of the same file, to be used as components by their names.
    pub subnets: Vec<Graph>,
    /// Everything that is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file of `sources`. Broken statements are reported and left out; the rest is read.
#[must_use]
pub fn parse(sources: &Sources, file: FileId, options: Options) -> Parsed {
    let Some(source) = sources.get(file) else {
        return Parsed::default();
    };
    let stem = source
        .path
        .file_stem()
        .map(|stem| stem.to_string_lossy())
        .unwrap_or_default();
    read(&source.text, file, &stem, options)
}

/// Reads a text that is called `name`.
fn read(text: &str, file: FileId, name: &str, options: Options) -> Parsed {
    let lexed = lexer::lex(text, file);
    let mut parsed = parser::Parser::new(text, &lexed.tokens, name, options).run();
    parsed.diagnostics.extend(lexed.diagnostics);
    parsed
        .diagnostics
        .sort_by_key(|problem| (problem.span, problem.code));
    parsed
}
