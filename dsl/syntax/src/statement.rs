//! From tokens to statements: what belongs together, without yet asking what it means.

use std::ops::Range;

use crate::brackets::is_attributes;
use crate::lexer::{Kind, Token};
use crate::spelling::slice;

/// A stretch of tokens.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A line end outside statements.
    Newline,
    /// A comment or annotation outside statements: its token.
    Note(usize),
    /// `Name:`
    Label(Range<usize>),
    /// Everything else, up to a separator or line end. Line ends and comments after an arrow, or
    /// before one, are inside.
    Statement(Range<usize>),
    /// A comma or semicolon: its token.
    Separator(usize),
}

/// Cuts tokens into items, in order; every token is in exactly one.
pub(crate) fn split<'a>(text: &'a str, tokens: &'a [Token]) -> impl Iterator<Item = Item> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        let item = match tokens.get(at)?.kind {
            Kind::Newline => Item::Newline,
            Kind::Comment | Kind::Annotation => Item::Note(at),
            Kind::Comma | Kind::Semicolon => Item::Separator(at),
            Kind::Word if is_label(&tokens[at..]) => Item::Label(at..at + 2),
            _ => Item::Statement(at..end(text, tokens, at)),
        };
        at = match &item {
            Item::Label(range) | Item::Statement(range) => range.end,
            _ => at + 1,
        };
        Some(item)
    })
}

fn is_label(tokens: &[Token]) -> bool {
    tokens
        .get(1)
        .is_some_and(|next| next.kind == Kind::Colon && tokens[0].touches(next))
}

/// One past the last token of the statement that starts at `at`.
fn end(text: &str, tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Comma | Kind::Semicolon => return at,
            kind if is_trivia(kind) => match resume(text, tokens, start, at) {
                Some(next) => at = next,
                None => return at,
            },
            _ => at += 1,
        }
    }
    at
}

/// Where the statement goes on after the line end at `at`, if it does.
fn resume(text: &str, tokens: &[Token], start: usize, at: usize) -> Option<usize> {
    let next = (at..tokens.len()).find(|at| !is_trivia(tokens[*at].kind))?;
    let open = at > start && hangs(text, &tokens[start..at]);
    let goes_on = open && !ends(tokens[next].kind);
    (goes_on || is_arrow(tokens[next].kind)).then_some(next)
}

/// Whether tokens end in an arrow, or in an arrow and its attributes.
fn hangs(text: &str, tokens: &[Token]) -> bool {
    match tokens {
        [.., arrow, group] if group.kind == Kind::Group => {
            is_arrow(arrow.kind) && is_attributes(slice(text, group.span))
        }
        [.., arrow] => is_arrow(arrow.kind),
        [] => false,
    }
}

fn ends(kind: Kind) -> bool {
    matches!(kind, Kind::Comma | Kind::Semicolon)
}

/// Whether a token is `->` or `=>`.
pub(crate) fn is_arrow(kind: Kind) -> bool {
    matches!(kind, Kind::Arrow | Kind::Border)
}

/// Whether a token means nothing to a statement.
pub(crate) fn is_trivia(kind: Kind) -> bool {
    matches!(kind, Kind::Newline | Kind::Comment | Kind::Annotation)
}
