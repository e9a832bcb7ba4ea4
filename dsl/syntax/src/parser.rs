//! From statements to a graph, with every problem on the way.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::mem;

use paperflow_graph::{Diagnostic, Graph, Property, Span};
use serde_json::{Value, json};

use crate::builder::Builder;
use crate::diagnostics::{bad_note, empty_statement};
use crate::export::is_export;
use crate::lexer::{Kind, Token, annotation};
use crate::note::{self, Note};
use crate::spelling::{slice, unescape};
use crate::statement::{Item, is_trivia, split};
use crate::{Options, Parsed};
use paperflow_graph::check::drawing::contents as check_contents;

/// A parser on its way through one file.
pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    tokens: &'a [Token],
    options: Options,
    /// Words that have brackets somewhere in the file, as spelled, once somebody has asked for them.
    declared: OnceCell<HashSet<&'a str>>,
    pub(crate) default_in: String,
    pub(crate) default_out: String,
    pub(crate) builder: Builder,
    /// Networks that are complete.
    done: Vec<Graph>,
    /// Whether the current network has a statement or label.
    started: bool,
    /// Whether a separator may follow.
    separable: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    /// A parser of these tokens of this text; `name` is what the file is called.
    pub(crate) fn new(text: &'a str, tokens: &'a [Token], name: &str, options: Options) -> Self {
        Self {
            text,
            tokens,
            options,
            declared: OnceCell::new(),
            default_in: String::from("IN"),
            default_out: String::from("OUT"),
            builder: Builder::new(name, !options.lowercase_ports),
            done: Vec::new(),
            started: false,
            separable: false,
            diagnostics: Vec::new(),
        }
    }

    /// Reads everything.
    pub(crate) fn run(mut self) -> Parsed {
        for item in split(self.text, self.tokens) {
            self.item(&item);
        }
        self.finish("");
        let mut graphs = self.done.into_iter();
        let graph = graphs.next().unwrap_or_default();
        let subnets: Vec<Graph> = graphs.collect();
        let checked = [&graph]
            .into_iter()
            .chain(&subnets)
            .flat_map(check_contents);
        self.diagnostics.extend(checked);
        self.diagnostics
            .sort_by_key(|problem| (problem.span, problem.code));
        Parsed {
            graph,
            subnets,
            diagnostics: self.diagnostics,
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Newline => self.separable = false,
            Item::Note(at) => self.note(self.tokens[*at]),
            Item::Label(range) => self.label(self.tokens[range.start].span),
            Item::Statement(range) => self.statement(&self.tokens[range.clone()]),
            Item::Separator(at) => self.separator(self.tokens[*at]),
        }
    }

    fn separator(&mut self, token: Token) {
        if token.kind == Kind::Comma && !self.separable {
            self.report(empty_statement(token.span));
        }
        self.separable = false;
    }

    fn note(&mut self, token: Token) {
        if token.kind == Kind::Annotation {
            self.annotate(token.span);
        }
    }

    fn statement(&mut self, tokens: &[Token]) {
        let mut plain = Cow::Borrowed(tokens);
        if tokens.iter().any(|token| is_trivia(token.kind)) {
            let (notes, others): (Vec<Token>, Vec<Token>) =
                tokens.iter().partition(|token| is_trivia(token.kind));
            notes.into_iter().for_each(|token| self.note(token));
            plain = Cow::Owned(others);
        }
        self.started = true;
        self.separable = true;
        if is_export(&plain) {
            self.export(&plain);
        } else {
            self.chain(&plain);
        }
    }

    /// `Name:` names the network, or begins the next one.
    fn label(&mut self, span: Span) {
        let name = unescape(slice(self.text, span));
        if self.started {
            self.finish(&name);
        } else {
            self.builder.graph.name = name;
        }
        self.started = true;
    }

    /// Puts the current network aside and begins another.
    fn finish(&mut self, next: &str) {
        let builder = Builder::new(next, !self.options.lowercase_ports);
        self.done
            .push(mem::replace(&mut self.builder, builder).graph);
    }

    fn annotate(&mut self, span: Span) {
        let Some((key, value)) = annotation(slice(self.text, span)) else {
            return;
        };
        let graph = &mut self.builder.graph;
        match note::read(key, value) {
            Note::Group(group) => graph.groups.push(group),
            Note::Name(name) => graph.name = name,
            Note::Property(key, value) => graph.properties.push(Property { key, value, span }),
            Note::Plain if key == "runtime" => {
                let (key, value) = (String::from("environment"), json!({ "type": value }));
                graph.properties.push(Property { key, value, span });
            }
            Note::Plain => {
                let (key, value) = (String::from(key), Value::from(value));
                graph.properties.push(Property { key, value, span });
            }
            Note::Bad => self.report(bad_note(span, key)),
        }
    }

    /// A port name, lower-cased on request.
    pub(crate) fn cased(&self, name: String) -> String {
        if self.options.lowercase_ports {
            name.to_lowercase()
        } else {
            name
        }
    }

    /// Whether a word has brackets somewhere in the file: then it is surely a process.
    pub(crate) fn is_declared(&self, word: &str) -> bool {
        let declared = self
            .declared
            .get_or_init(|| declared(self.text, self.tokens));
        declared.contains(word)
    }

    pub(crate) fn report(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
    }
}

/// The words with brackets right after them.
fn declared<'a>(text: &'a str, tokens: &[Token]) -> HashSet<&'a str> {
    let mut named = HashSet::new();
    let mut after_equals = false;
    for (at, pair) in tokens.windows(2).enumerate() {
        let [word, group] = pair else { continue };
        match word.kind {
            Kind::Equals => after_equals = true,
            Kind::Newline | Kind::Comma | Kind::Semicolon => after_equals = false,
            _ => {}
        }
        // In `INPORT=a.IN:X(...)` the brackets hold the metadata of the export X.
        let is_public = after_equals && at > 0 && tokens[at - 1].kind == Kind::Colon;
        let is_node = word.kind == Kind::Word && group.kind == Kind::Group && word.touches(group);
        if is_node && !is_public {
            named.insert(slice(text, word.span));
        }
    }
    named
}
