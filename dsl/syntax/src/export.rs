//! Lines with a keyword: `INPORT=`, `OUTPORT=`, `DEFAULT_INPORT=`, `DEFAULT_OUTPORT=`.

use paperflow_graph::{Export, PortRef, Span};
use serde_json::Value;

use crate::attribute::part;
use crate::brackets;
use crate::builder::Declaration;
use crate::diagnostics::{bad_component, bad_export, unknown_keyword};
use crate::lexer::{Kind, Token};
use crate::parser::Parser;
use crate::spelling::{first_dot, slice};

/// The words that may stand before `=`.
pub(crate) const KEYWORDS: &[&str] = &["INPORT", "OUTPORT", "DEFAULT_INPORT", "DEFAULT_OUTPORT"];

/// Whether a statement is `WORD=...`.
pub(crate) fn is_export(tokens: &[Token]) -> bool {
    matches!(tokens, [word, equals, ..] if word.kind == Kind::Word && equals.kind == Kind::Equals)
}

impl<'a> Parser<'a> {
    /// A statement that [`is_export`].
    pub(crate) fn export(&mut self, tokens: &[Token]) {
        let [word, _, value @ ..] = tokens else {
            return;
        };
        let keyword = slice(self.text, word.span);
        let whole = tokens
            .last()
            .map_or(word.span, |last| word.span.to(last.span));
        let before = self.diagnostics.len();
        let done = match keyword {
            "INPORT" | "OUTPORT" => self.exported(keyword, value, whole),
            "DEFAULT_INPORT" | "DEFAULT_OUTPORT" => self.default_port(keyword, value),
            _ => return self.report(unknown_keyword(word.span, keyword)),
        };
        let broken = value.iter().any(|token| token.kind == Kind::Broken);
        if done.is_none() && !broken && self.diagnostics.len() == before {
            self.report(bad_export(whole, keyword));
        }
    }

    fn default_port(&mut self, keyword: &str, value: &[Token]) -> Option<()> {
        let [word] = value else { return None };
        let name = (word.kind == Kind::Word).then(|| self.port_name(word.span))??;
        match keyword {
            "DEFAULT_INPORT" => self.default_in = name,
            _ => self.default_out = name,
        }
        Some(())
    }

    /// `process.PORT:PUBLIC`, where the process may have its component, the port an index and the
    /// public name metadata `(:key=value)`.
    fn exported(&mut self, keyword: &str, value: &[Token], span: Span) -> Option<()> {
        let colon = value.iter().position(|token| token.kind == Kind::Colon)?;
        let (process, port) = self.inner(&value[..colon])?;
        let (public, metadata) = match &value[colon + 1..] {
            [public] => (*public, Vec::new()),
            [public, group] if group.kind == Kind::Group => {
                (*public, self.export_metadata(group.span)?)
            }
            _ => return None,
        };
        let name = (public.kind == Kind::Word).then(|| self.port_name(public.span))??;
        let export = Export {
            public: self.cased(name),
            process,
            port,
            metadata,
            span,
        };
        match keyword {
            "INPORT" => self.builder.graph.inports.push(export),
            _ => self.builder.graph.outports.push(export),
        }
        Some(())
    }

    fn inner(&mut self, tokens: &[Token]) -> Option<(String, PortRef)> {
        let (process, port, index) = match tokens {
            [group, rest @ ..] if group.kind == Kind::Group => (
                self.declared_here(None, group.span)?,
                after_dot(rest)?,
                rest.get(2),
            ),
            [word, group, rest @ ..] if group.kind == Kind::Group => (
                self.declared_here(Some(word.span), group.span)?,
                after_dot(rest)?,
                rest.get(2),
            ),
            [word, rest @ ..] if word.kind == Kind::Word => {
                let (process, port) = self.halves(word.span)?;
                (self.process_name(process)?, port, rest.first())
            }
            _ => return None,
        };
        let name = self.port_name(port)?;
        let number = match index {
            Some(token) if token.kind == Kind::Index => Some(self.index(token.span)?),
            Some(_) => return None,
            None => None,
        };
        let span = index.map_or(port, |token| port.to(token.span));
        Some((process, self.port_ref(name, number, span)))
    }

    /// The process and the port of `process.PORT`.
    fn halves(&self, span: Span) -> Option<(Span, Span)> {
        let dot = first_dot(slice(self.text, span))?;
        let dot = span.start + u32::try_from(dot).ok()?;
        let port = Span::new(span.file, dot + 1, span.end);
        (dot + 1 < span.end).then_some((Span::new(span.file, span.start, dot), port))
    }

    fn declared_here(&mut self, word: Option<Span>, group: Span) -> Option<String> {
        let body = self.export_body(group)?;
        let name = match word {
            Some(word) => self.process_name(word)?,
            None => self
                .builder
                .anonymous(body.component.as_deref().unwrap_or_default()),
        };
        let component_span = part(group, &body.at);
        let span = word.unwrap_or(group);
        self.builder.declare(
            &name,
            Declaration {
                body,
                span,
                component_span,
                trace: false,
            },
        );
        Some(name)
    }

    fn export_metadata(&mut self, group: Span) -> Option<Vec<(String, Value)>> {
        let body = self.export_body(group)?;
        body.metadata.filter(|_| body.component.is_none())
    }

    fn export_body(&mut self, group: Span) -> Option<brackets::Body<'a>> {
        match brackets::body(slice(self.text, group)) {
            Ok(body) => Some(body),
            Err(problem) => {
                self.report(bad_component(part(group, &problem.at), &problem.reason));
                None
            }
        }
    }
}

/// The port in `.PORT`, as it comes after brackets.
fn after_dot(tokens: &[Token]) -> Option<Span> {
    match tokens {
        [dot, word, ..] if dot.kind == Kind::Dot && word.kind == Kind::Word => Some(word.span),
        _ => None,
    }
}
