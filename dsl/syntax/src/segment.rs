//! What stands between two arrows: at most an in-port, one process, an out-port.

use paperflow_graph::{Initial, PortRef, Span};

use crate::brackets::{self, Body};
use crate::builder::Declaration;
use crate::diagnostics::{
    ambiguous_middle, bad_component, bad_index, bad_port, bad_process, index_on_process,
    lone_initial, misplaced_initial, missing_arrow, missing_process, port_without_arrow,
    spaced_component, unexpected,
};
use crate::lexer::{Kind, Token};
use crate::parser::Parser;
use crate::spelling::{slice, unescape, unescaped};

/// Which arrows stand beside a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// An arrow leads to it.
    pub(crate) entered: bool,
    /// An arrow leaves it.
    pub(crate) left: bool,
}

/// A segment as understood.
#[derive(Debug)]
pub(crate) enum Hop {
    /// A process with the ports written beside it.
    Process {
        name: String,
        span: Span,
        inport: Option<PortRef>,
        outport: Option<PortRef>,
    },
    /// An initial packet.
    Initial(Initial),
}

impl Hop {
    /// The same process for the arrow that leaves it, with the out-port.
    pub(crate) fn leave(&mut self) -> Option<Self> {
        match self {
            Self::Process {
                name,
                span,
                outport,
                ..
            } => Some(Self::Process {
                name: name.clone(),
                span: *span,
                inport: None,
                outport: outport.take(),
            }),
            // No arrow leads to an initial packet.
            Self::Initial(_) => None,
        }
    }
}

/// An in-port, a process, an out-port.
const USUAL_PARTS: usize = 3;

/// A word that may be a port or a process, or is known to be one of them.
#[derive(Debug)]
enum Part {
    /// Port or process.
    Word(Span),
    /// A port: a star, or something with an index.
    Port(PortRef),
    /// A process: it has brackets.
    Process { name: String, span: Span },
}

impl<'a> Parser<'a> {
    /// Understands the tokens between two arrows. `None` when they are wrong, which is reported.
    pub(crate) fn segment(&mut self, tokens: &[Token], place: Place) -> Option<Hop> {
        if let Some(first) = tokens
            .first()
            .filter(|first| self.is_value(first, tokens, place))
        {
            return self.initial(*first, &tokens[1..], place);
        }
        let parts = self.parts(tokens, place)?;
        let at = self.find_process(&parts, place)?;
        let mut parts = parts.into_iter();
        let inport = if at == 1 { parts.next() } else { None };
        let process = parts.next()?;
        let outport = parts.next();
        self.hop(inport, process, outport, place)
    }

    fn hop(
        &mut self,
        inport: Option<Part>,
        process: Part,
        outport: Option<Part>,
        place: Place,
    ) -> Option<Hop> {
        let (name, span) = self.process_of(process)?;
        let inport = self.optional_port(inport)?;
        let outport = self.optional_port(outport)?;
        let extra_in = inport
            .as_ref()
            .filter(|_| !place.entered)
            .map(|port| (port.span, true));
        let extra_out = outport
            .as_ref()
            .filter(|_| !place.left)
            .map(|port| (port.span, false));
        if let Some((span, incoming)) = extra_in.or(extra_out) {
            let problem = port_without_arrow(span, slice(self.text, span), incoming);
            self.report(problem);
            return None;
        }
        Some(Hop::Process {
            name,
            span,
            inport,
            outport,
        })
    }

    /// Whether a segment is an initial packet: text, JSON, or a JSON keyword that no process of the
    /// file has for a name.
    fn is_value(&self, first: &Token, tokens: &[Token], place: Place) -> bool {
        let word = slice(self.text, first.span);
        match first.kind {
            Kind::Quote | Kind::Json => true,
            Kind::Word => {
                matches!(word, "true" | "false" | "null")
                    && tokens.len() == 1
                    && !place.entered
                    && !self.is_declared(word)
            }
            _ => false,
        }
    }

    fn initial(&mut self, token: Token, after: &[Token], place: Place) -> Option<Hop> {
        let extra = after.iter().find(|token| token.kind != Kind::Broken);
        let problem = match extra {
            _ if place.entered => misplaced_initial(token.span),
            Some(extra) => missing_arrow(extra.span, slice(self.text, extra.span)),
            None if !after.is_empty() => return None,
            None if !place.left => lone_initial(token.span),
            None => return Some(Hop::Initial(self.value(token))),
        };
        self.report(problem);
        None
    }

    fn value(&self, token: Token) -> Initial {
        let raw = slice(self.text, token.span);
        let value = match token.kind {
            Kind::Quote => raw[1..raw.len() - 1].replace("\\'", "'").into(),
            _ => serde_json::from_str(raw).unwrap_or_default(),
        };
        Initial {
            value,
            span: token.span,
        }
    }

    /// Joins names with their brackets and indexes. Processes with brackets are declared here, so
    /// that a mistake elsewhere in the statement does not make them unknown.
    fn parts(&mut self, tokens: &[Token], place: Place) -> Option<Vec<Part>> {
        let mut parts = Vec::with_capacity(USUAL_PARTS);
        let mut sound = true;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            let (part, taken) = match token.kind {
                Kind::Word if self.has_brackets(rest, &parts, place) => self.named(rest),
                Kind::Group => self.nameless(rest),
                Kind::Word | Kind::Star if next_is_index(rest) => (self.element(rest), 2),
                Kind::Word => (Some(Part::Word(token.span)), 1),
                Kind::Star => (Some(Part::Port(self.star(*token))), 1),
                _ => (self.stray(*token), 1),
            };
            sound &= part.is_some();
            parts.extend(part);
            at += taken;
        }
        sound.then_some(parts)
    }

    /// Whether the brackets after a word are its component. With a blank between, they are when
    /// the word cannot be an in-port; then the blank is reported.
    fn has_brackets(&mut self, tokens: &[Token], before: &[Part], place: Place) -> bool {
        let [word, group, ..] = tokens else {
            return false;
        };
        if group.kind != Kind::Group || word.touches(group) {
            return group.kind == Kind::Group;
        }
        let is_name = !place.entered || !before.is_empty();
        if is_name {
            let gap = Span::new(word.span.file, word.span.end, group.span.start);
            self.report(spaced_component(
                group.span,
                gap,
                slice(self.text, word.span),
            ));
        }
        is_name
    }

    /// `name(component)`, perhaps with `?`.
    fn named(&mut self, tokens: &[Token]) -> (Option<Part>, usize) {
        let [word, group, after @ ..] = tokens else {
            return (None, tokens.len());
        };
        let trace = after
            .first()
            .is_some_and(|next| next.kind == Kind::Question);
        let name = self.process_name(word.span);
        let body = self.body(group.span);
        let part = name.zip(body).map(|(name, body)| {
            let given = declaration(body, word.span, group.span, trace);
            self.builder.declare(&name, given);
            Part::Process {
                name,
                span: word.span,
            }
        });
        (part, 2 + usize::from(trace))
    }

    /// `(component)`, perhaps with `?`.
    fn nameless(&mut self, tokens: &[Token]) -> (Option<Part>, usize) {
        let [group, after @ ..] = tokens else {
            return (None, tokens.len());
        };
        let trace = after
            .first()
            .is_some_and(|next| next.kind == Kind::Question);
        let part = self.body(group.span).map(|body| {
            let name = self
                .builder
                .anonymous(body.component.as_deref().unwrap_or_default());
            self.builder
                .declare(&name, declaration(body, group.span, group.span, trace));
            Part::Process {
                name,
                span: group.span,
            }
        });
        (part, 1 + usize::from(trace))
    }

    fn body(&mut self, group: Span) -> Option<Body<'a>> {
        match brackets::body(slice(self.text, group)) {
            Ok(body) => Some(body),
            Err(problem) => {
                let at = crate::attribute::part(group, &problem.at);
                self.report(bad_component(at, &problem.reason));
                None
            }
        }
    }

    fn star(&self, token: Token) -> PortRef {
        self.port_ref(unescape(slice(self.text, token.span)), None, token.span)
    }

    /// `PORT[3]`
    fn element(&mut self, tokens: &[Token]) -> Option<Part> {
        let [word, index, ..] = tokens else {
            return None;
        };
        let number = self.index(index.span)?;
        let name = if word.kind == Kind::Star {
            unescape(slice(self.text, word.span))
        } else {
            self.port_name(word.span)?
        };
        Some(Part::Port(self.port_ref(
            name,
            Some(number),
            word.span.to(index.span),
        )))
    }

    /// The number in `[3]`.
    pub(crate) fn index(&mut self, span: Span) -> Option<u32> {
        let raw = slice(self.text, span);
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        let digits = inner.trim();
        let number = digits.parse().ok().filter(|_| !digits.starts_with('+'));
        if number.is_none() {
            self.report(bad_index(span, inner));
        }
        number
    }

    fn stray(&mut self, token: Token) -> Option<Part> {
        let sign = slice(self.text, token.span);
        match token.kind {
            Kind::Broken => {}
            Kind::Quote | Kind::Json => self.report(misplaced_initial(token.span)),
            _ => self.report(unexpected::unexpected(token.span, sign)),
        }
        None
    }

    /// Which part is the process.
    fn find_process(&mut self, parts: &[Part], place: Place) -> Option<usize> {
        let named = parts
            .iter()
            .position(|part| matches!(part, Part::Process { .. }));
        let at = match (named, parts) {
            (Some(at), _) => at,
            (None, [_]) => 0,
            (None, [first, second]) => self.one_of_two(first, second, place)?,
            (None, _) => 1,
        };
        let extra = if at > 1 {
            Some(at)
        } else {
            (parts.len() > at + 2).then_some(at + 2)
        };
        let second = parts
            .iter()
            .skip(at + 1)
            .position(|part| matches!(part, Part::Process { .. }));
        match extra.or(second.map(|further| at + 1 + further)) {
            Some(extra) => {
                let span = parts[extra].span();
                self.report(missing_arrow(span, slice(self.text, span)));
                None
            }
            None => Some(at),
        }
    }

    /// Tells port and process apart where both are bare.
    fn one_of_two(&mut self, first: &Part, second: &Part, place: Place) -> Option<usize> {
        match (first, second) {
            (Part::Port(_), _) => return Some(1),
            (_, Part::Port(_)) => return Some(0),
            _ => {}
        }
        match (place.entered, place.left) {
            (true, false) => return Some(1),
            (false, _) => return Some(0),
            (true, true) => {}
        }
        let (one, two) = (
            slice(self.text, first.span()),
            slice(self.text, second.span()),
        );
        match (self.is_declared(one), self.is_declared(two)) {
            (true, false) => Some(0),
            (false, true) => Some(1),
            _ => {
                self.report(ambiguous_middle(first.span().to(second.span()), one, two));
                None
            }
        }
    }

    fn process_of(&mut self, part: Part) -> Option<(String, Span)> {
        match part {
            Part::Process { name, span } => Some((name, span)),
            Part::Word(span) => Some((self.process_name(span)?, span)),
            Part::Port(port) => {
                let problem = match port.index {
                    Some(_) => index_on_process(port.span),
                    None => missing_process(port.span, &port.name),
                };
                self.report(problem);
                None
            }
        }
    }

    /// `None` when there is a port and it is wrong.
    fn optional_port(&mut self, part: Option<Part>) -> Option<Option<PortRef>> {
        match part {
            Some(part) => self.port_of(part).map(Some),
            None => Some(None),
        }
    }

    fn port_of(&mut self, part: Part) -> Option<PortRef> {
        match part {
            Part::Port(port) => Some(port),
            Part::Word(span) => {
                let name = self.port_name(span)?;
                Some(self.port_ref(name, None, span))
            }
            Part::Process { .. } => None,
        }
    }

    /// The name a word spells, if it may be a process.
    pub(crate) fn process_name(&mut self, span: Span) -> Option<String> {
        let raw = slice(self.text, span);
        match unescaped(raw, '-') {
            Some(letter) => {
                self.report(bad_process(span, raw, letter));
                None
            }
            None => Some(unescape(raw)),
        }
    }

    /// The name a word spells, if it may be a port.
    pub(crate) fn port_name(&mut self, span: Span) -> Option<String> {
        let raw = slice(self.text, span);
        match unescaped(raw, '.') {
            Some(letter) => {
                self.report(bad_port(span, raw, letter));
                None
            }
            None => Some(unescape(raw)),
        }
    }

    /// A port as written, lower-cased on request.
    pub(crate) fn port_ref(&self, name: String, index: Option<u32>, span: Span) -> PortRef {
        PortRef {
            name: self.cased(name),
            index,
            span,
            implied: false,
        }
    }
}

impl Part {
    fn span(&self) -> Span {
        match self {
            Self::Word(span) | Self::Process { span, .. } => *span,
            Self::Port(port) => port.span,
        }
    }
}

fn next_is_index(tokens: &[Token]) -> bool {
    tokens.get(1).is_some_and(|next| next.kind == Kind::Index)
}

fn declaration(body: Body<'_>, span: Span, group: Span, trace: bool) -> Declaration<'_> {
    let component_span = crate::attribute::part(group, &body.at);
    Declaration {
        body,
        span,
        component_span,
        trace,
    }
}
