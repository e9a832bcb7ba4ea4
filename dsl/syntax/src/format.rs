//! Canonical style for a text, from its own tokens: what an author wrote stays, blanks change.

use paperflow_graph::{Diagnostic, FileId, Severity};

use crate::brackets::{Entered, entries, inside, is_attributes};
use crate::export::is_export;
use crate::lexer::{Kind, Token, annotation, lex};
use crate::spelling::slice;
use crate::statement::{Item, is_arrow, is_trivia, split};
use crate::{Options, read};

/// What [`format()`] made of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Formatted {
    /// The text in canonical style; as it was when it has errors.
    pub text: String,
    /// Everything that is wrong with it, as [`parse`](crate::parse) says.
    pub diagnostics: Vec<Diagnostic>,
}

/// Puts a text into canonical style: one statement to a line, single blanks, no trailing commas, at
/// most one empty line in a row. Comments, order, and the way a graph is written stay, and so does
/// its meaning. Formatting twice changes nothing.
#[must_use]
pub fn format(text: &str) -> Formatted {
    let file = FileId::default();
    let diagnostics = read(text, file, "", Options::default()).diagnostics;
    if diagnostics
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Formatted {
            text: String::from(text),
            diagnostics,
        };
    }
    let tokens = lex(text, file).tokens;
    let mut writer = Writer {
        text,
        tokens: &tokens,
        out: String::new(),
        breaks: 0,
    };
    for item in split(text, &tokens) {
        writer.item(&item);
    }
    Formatted {
        text: writer.finish(),
        diagnostics,
    }
}

/// What stands before the rest of a statement that a comment broke.
const INDENT: &str = "  ";

struct Writer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    out: String,
    /// Line ends since the last item.
    breaks: usize,
}

impl<'a> Writer<'a> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Newline => {
                self.breaks += 1;
                return;
            }
            Item::Note(at) => self.note(self.tokens[*at]),
            Item::Label(range) => {
                self.begin_line();
                self.out.push_str(self.slice(self.tokens[range.start]));
                self.out.push(':');
            }
            Item::Statement(range) => {
                self.begin_line();
                self.statement(&self.tokens[range.clone()]);
            }
            Item::Separator(at) => self.separator(self.tokens[*at]),
        }
        self.breaks = 0;
    }

    /// Ends the line before, with the empty line the author left.
    fn begin_line(&mut self) {
        if self.out.is_empty() {
            return;
        }
        self.out.push('\n');
        if self.breaks > 1 {
            self.out.push('\n');
        }
    }

    fn separator(&mut self, token: Token) {
        if token.kind == Kind::Comma {
            return;
        }
        if self.breaks > 0 || self.out.is_empty() {
            self.begin_line();
        }
        self.out.push(';');
    }

    fn note(&mut self, token: Token) {
        let beside = self.breaks == 0 && !self.out.is_empty() && token.kind == Kind::Comment;
        if beside {
            self.out.push(' ');
        } else {
            self.begin_line();
        }
        let text = self.note_text(token);
        if !beside && token.kind == Kind::Comment && annotation(&text).is_some() {
            self.out.push(' ');
        }
        self.out.push_str(&text);
    }

    /// A comment without trailing blanks, or an annotation with single blanks before its value.
    fn note_text(&self, token: Token) -> String {
        let raw = self.slice(token);
        match annotation(raw) {
            Some((key, value)) if token.kind == Kind::Annotation => format!("# @{key} {value}"),
            _ => String::from(raw.trim_end()),
        }
    }

    fn statement(&mut self, tokens: &[Token]) {
        let export = is_export(tokens);
        let mut before: Option<Token> = None;
        let mut fresh = false;
        for token in tokens {
            if is_trivia(token.kind) {
                fresh = self.inner_note(*token, fresh);
                continue;
            }
            if !fresh && !export && self.parted(before, *token) {
                self.out.push(' ');
            }
            let text = self.token(before, *token);
            self.out.push_str(&text);
            (before, fresh) = (Some(*token), false);
        }
    }

    /// A comment inside a statement, after which the statement goes on, indented. Answers whether a
    /// line has just begun.
    fn inner_note(&mut self, token: Token, fresh: bool) -> bool {
        let text = self.note_text(token);
        match token.kind {
            Kind::Newline => return fresh,
            Kind::Annotation => {
                let indent = if fresh { INDENT.len() } else { 0 };
                self.out.truncate(self.out.len() - indent);
                self.out.push_str(if fresh { "" } else { "\n" });
            }
            _ if !fresh => self.out.push(' '),
            _ => {}
        }
        self.out.push_str(&text);
        self.out.push('\n');
        self.out.push_str(INDENT);
        true
    }

    /// Whether a blank stands between two tokens of a statement.
    fn parted(&self, before: Option<Token>, token: Token) -> bool {
        let Some(before) = before else { return false };
        match token.kind {
            Kind::Index | Kind::Question => false,
            Kind::Group if is_arrow(before.kind) => !is_attributes(self.slice(token)),
            Kind::Group => !(before.kind == Kind::Word && before.touches(&token)),
            _ => true,
        }
    }

    fn token(&self, before: Option<Token>, token: Token) -> String {
        let raw = self.slice(token);
        match token.kind {
            Kind::Index => {
                let inner = raw.trim_start_matches('[').trim_end_matches(']');
                format!("[{}]", inner.trim())
            }
            Kind::Group
                if before.is_some_and(|token| is_arrow(token.kind)) && is_attributes(raw) =>
            {
                attributes(raw)
            }
            _ => String::from(raw),
        }
    }

    fn slice(&self, token: Token) -> &'a str {
        slice(self.text, token.span)
    }

    fn finish(mut self) -> String {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

/// `(a, b=c)` with one blank after each comma and none elsewhere.
fn attributes(group: &str) -> String {
    let Ok(entries) = entries(inside(group), 1) else {
        return String::from(group);
    };
    let items = entries.iter().map(|entry| {
        let raw = &group[entry.at.clone()];
        match (&entry.value, raw.split_once('=')) {
            (Entered::Plain(_) | Entered::Quoted(_), Some((key, value)))
                if !raw.starts_with(['"', '\'']) =>
            {
                format!("{}={}", key.trim(), value.trim())
            }
            _ => String::from(raw),
        }
    });
    format!("({})", items.collect::<Vec<_>>().join(", "))
}
