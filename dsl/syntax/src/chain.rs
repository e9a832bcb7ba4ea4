//! Statements with arrows: one connection, or one exported port, for each.

use paperflow_graph::attributes::KINDS;
use paperflow_graph::similar::suggest;
use paperflow_graph::{Connection, End, Export, Origin, PortRef, Span};

use crate::attribute;
use crate::brackets::{inside, is_attributes};
use crate::diagnostics::{bad_border, border_attributes, lone_name, missing_end};
use crate::lexer::{Kind, Token};
use crate::parser::Parser;
use crate::segment::{Hop, Place};
use crate::spelling::slice;
use crate::statement::is_arrow;

/// An arrow with what stands after it.
#[derive(Clone, Copy, Debug)]
struct Step<'t> {
    arrow: Token,
    attributes: Option<Token>,
    tokens: &'t [Token],
}

/// Which of a chain's arrows are borders.
#[derive(Clone, Copy, Debug, Default)]
struct Borders {
    first: bool,
    last: bool,
}

impl Parser<'_> {
    /// A statement, without its line ends and comments.
    pub(crate) fn chain(&mut self, tokens: &[Token]) {
        let (first, steps) = self.cut(tokens);
        if steps.is_empty() {
            return self.lone(first);
        }
        let borders = self.borders(first, &steps);
        let mut from = if borders.first {
            None
        } else {
            self.visit(first, None, steps.first())
        };
        for (at, step) in steps.iter().enumerate() {
            let next = steps.get(at + 1);
            let outer = borders.last && next.is_none();
            let mut to = if outer {
                None
            } else {
                self.visit(step.tokens, Some(step), next)
            };
            let leaving = next.and(to.as_mut()).and_then(Hop::leave);
            match step.arrow.kind {
                Kind::Border if borders.first && at == 0 => self.inport(first, step, to),
                Kind::Border if outer => self.outport(from, step),
                Kind::Border => self.report(bad_border(step.arrow.span)),
                _ => self.connect(from, to, step),
            }
            from = leaving;
        }
    }

    /// Splits a statement at its arrows.
    fn cut<'t>(&self, tokens: &'t [Token]) -> (&'t [Token], Vec<Step<'t>>) {
        let mut pieces = tokens.split(|token| is_arrow(token.kind));
        let first = pieces.next().unwrap_or_default();
        let arrows = tokens.iter().filter(|token| is_arrow(token.kind));
        let steps = arrows
            .zip(pieces)
            .map(|(arrow, after)| self.step(*arrow, after))
            .collect();
        (first, steps)
    }

    fn step<'t>(&self, arrow: Token, after: &'t [Token]) -> Step<'t> {
        match after {
            [group, tokens @ ..] if group.kind == Kind::Group && self.sets(*group, tokens) => {
                Step {
                    arrow,
                    attributes: Some(*group),
                    tokens,
                }
            }
            tokens => Step {
                arrow,
                attributes: None,
                tokens,
            },
        }
    }

    /// Whether brackets after an arrow are its attributes. Those that hold almost a kind of
    /// connector, before more than an anonymous process can have, are meant to be.
    fn sets(&self, group: Token, after: &[Token]) -> bool {
        let raw = slice(self.text, group.span);
        let crowded = matches!(after, [_, second, ..] if second.kind != Kind::Index);
        is_attributes(raw) || (crowded && suggest(inside(raw), KINDS.iter().copied()).is_some())
    }

    /// A border has a single name on its outer side.
    fn borders(&self, first: &[Token], steps: &[Step<'_>]) -> Borders {
        let lone = |tokens: &[Token]| matches!(tokens, [word] if word.kind == Kind::Word);
        let [start, .., end] = steps else {
            let Some(step) = steps.first() else {
                return Borders::default();
            };
            return self.only_border(first, step);
        };
        Borders {
            first: start.arrow.kind == Kind::Border && lone(first),
            last: end.arrow.kind == Kind::Border && lone(end.tokens),
        }
    }

    /// With one arrow and a single name on both sides, the side that is no known process is outer.
    fn only_border(&self, first: &[Token], step: &Step<'_>) -> Borders {
        if step.arrow.kind != Kind::Border {
            return Borders::default();
        }
        let name = |tokens: &[Token]| match tokens {
            [word] if word.kind == Kind::Word => Some(slice(self.text, word.span)),
            _ => None,
        };
        let known = |name: &str| self.is_declared(name);
        match (name(first), name(step.tokens)) {
            (Some(_), None) => Borders {
                first: true,
                last: false,
            },
            (None, Some(_)) => Borders {
                first: false,
                last: true,
            },
            (Some(one), Some(two)) if known(one) != known(two) => Borders {
                first: known(two),
                last: known(one),
            },
            _ => Borders::default(),
        }
    }

    /// A statement without an arrow: a declaration, or half of something.
    fn lone(&mut self, tokens: &[Token]) {
        if let [word] = tokens
            && word.kind == Kind::Word
        {
            return self.report(lone_name(word.span, slice(self.text, word.span)));
        }
        self.segment(
            tokens,
            Place {
                entered: false,
                left: false,
            },
        );
    }

    /// Reads a segment, and says so when it is empty.
    fn visit(
        &mut self,
        tokens: &[Token],
        before: Option<&Step<'_>>,
        after: Option<&Step<'_>>,
    ) -> Option<Hop> {
        if !tokens.is_empty() {
            let place = Place {
                entered: before.is_some(),
                left: after.is_some(),
            };
            return self.segment(tokens, place);
        }
        let arrow = before.or(after).map(|step| step.arrow.span);
        if let Some(arrow) = arrow {
            self.report(missing_end(arrow, before.is_none()));
        }
        None
    }

    fn connect(&mut self, from: Option<Hop>, to: Option<Hop>, step: &Step<'_>) {
        let arrow = step.arrow.span;
        let read = step
            .attributes
            .map(|group| attribute::read(self.text, group.span));
        let read = read.unwrap_or_default();
        read.diagnostics
            .into_iter()
            .for_each(|problem| self.report(problem));
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        let from = match from {
            Hop::Initial(initial) => Origin::Initial(initial),
            Hop::Process { .. } => match self.source(from, arrow) {
                Some(end) => Origin::Port(end),
                None => return,
            },
        };
        let Some(to) = self.target(to, arrow) else {
            return;
        };
        let connection = Connection {
            from,
            to,
            attributes: read.attributes,
            metadata: read.metadata,
            metadata_spans: read.metadata_spans,
            span: arrow,
        };
        self.builder.graph.connections.push(connection);
    }

    fn source(&self, hop: Hop, arrow: Span) -> Option<End> {
        let Hop::Process {
            name,
            span,
            outport,
            ..
        } = hop
        else {
            return None;
        };
        let port = outport.unwrap_or_else(|| self.implied(&self.default_out, arrow));
        Some(End {
            process: name,
            span,
            port,
        })
    }

    fn target(&self, hop: Hop, arrow: Span) -> Option<End> {
        let Hop::Process {
            name, span, inport, ..
        } = hop
        else {
            return None;
        };
        let port = inport.unwrap_or_else(|| self.implied(&self.default_in, arrow));
        Some(End {
            process: name,
            span,
            port,
        })
    }

    fn implied(&self, name: &str, arrow: Span) -> PortRef {
        PortRef {
            implied: true,
            ..self.port_ref(String::from(name), None, arrow)
        }
    }

    /// `EXT => IN P`
    fn inport(&mut self, outer: &[Token], step: &Step<'_>, inner: Option<Hop>) {
        let end = inner.and_then(|hop| self.target(hop, step.arrow.span));
        if let Some(export) = self.border(outer, step, end) {
            self.builder.graph.inports.push(export);
        }
    }

    /// `P OUT => EXT`
    fn outport(&mut self, inner: Option<Hop>, step: &Step<'_>) {
        let end = inner.and_then(|hop| self.source(hop, step.arrow.span));
        if let Some(export) = self.border(step.tokens, step, end) {
            self.builder.graph.outports.push(export);
        }
    }

    fn border(&mut self, outer: &[Token], step: &Step<'_>, end: Option<End>) -> Option<Export> {
        if let Some(group) = step.attributes {
            self.report(border_attributes(group.span));
        }
        let word = outer.first()?;
        let public = self.port_name(word.span)?;
        let End {
            process,
            span,
            port,
        } = end?;
        let span = word.span.to(span).to(port.span);
        Some(Export {
            public: self.cased(public),
            process,
            port,
            metadata: Vec::new(),
            span,
        })
    }
}
