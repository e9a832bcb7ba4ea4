//! From text to tokens; nothing but blanks is dropped.
//!
//! The first byte tells what a token is. What is in most lines, words and signs, is read byte by byte; the rest
//! by small `nom` parsers.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_till1, take_while};
use nom::character::complete::{anychar, char, digit1, one_of, satisfy};
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};
use paperflow_graph::{Diagnostic, FileId, Span};
use serde_json::{Deserializer, Value};

use crate::diagnostics::{bad_json, unclosed_bracket, unclosed_text, unexpected};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process, port or keyword, escapes included.
    Word,
    /// `*`, or a classic `*NAME`.
    Star,
    /// `[...]` right after a port.
    Index,
    /// `(...)`.
    Group,
    /// Text in single quotes.
    Quote,
    /// A JSON value (never a bare word).
    Json,
    /// `->`
    Arrow,
    /// `=>`
    Border,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `:`
    Colon,
    /// `.` outside a word.
    Dot,
    /// `=`
    Equals,
    /// `?`
    Question,
    /// A line end.
    Newline,
    /// `#` up to the line end.
    Comment,
    /// `# @key value` in column 1.
    Annotation,
    /// Something that was reported already.
    Broken,
}

/// A token and the bytes it covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it is.
    pub(crate) span: Span,
}

impl Token {
    /// Whether nothing stands between this token and the next.
    pub(crate) fn touches(&self, next: &Self) -> bool {
        self.span.end == next.span.start
    }
}

/// The tokens of a text, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Cuts a text into tokens.
pub(crate) fn lex(text: &str, file: FileId) -> Lexed {
    let mut lexer = Lexer {
        text,
        file,
        at: 0,
        no_quote_ends: false,
        out: Lexed::default(),
    };
    if text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    while lexer.step() {}
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    file: FileId,
    at: usize,
    /// No quote closes from here on: later ones need not search the rest of the file again.
    no_quote_ends: bool,
    out: Lexed,
}

type Scan<'a> = IResult<&'a str, Kind>;

impl<'a> Lexer<'a> {
    /// Takes one token; false at the end of the text.
    fn step(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let rest = rest.trim_start_matches([' ', '\t', '\u{b}', '\u{c}']);
        self.at = self.text.len() - rest.len();
        if rest.is_empty() {
            return false;
        }
        match self.scan(rest) {
            Ok((left, kind)) => self.push(kind, rest.len() - left.len()),
            Err(_) => self.broken(rest),
        }
        true
    }

    fn scan(&self, rest: &'a str) -> Scan<'a> {
        match rest.as_bytes() {
            [b'[', ..] if self.after_port() => index(rest),
            [b'#', ..] => note(rest, self.column_one()),
            [b'\'', ..] if self.no_quote_ends => Ok((rest, Kind::Broken)),
            [b'\'', ..] => quote(rest),
            [b'(', ..] => group(rest),
            [b'"' | b'[' | b'{', ..] => structure(rest),
            [b'*', ..] => Ok((after(rest, 1 + parts(&rest[1..])), Kind::Star)),
            [b'-', b'>', ..] => Ok((after(rest, 2), Kind::Arrow)),
            [b'=', b'>', ..] => Ok((after(rest, 2), Kind::Border)),
            [b'-' | b'0'..=b'9', ..] => number(rest),
            [byte, ..] => match sign(*byte) {
                Some(kind) => Ok((after(rest, 1), kind)),
                None => word(rest).or_else(|_| newline(rest)),
            },
            [] => Err(no_token(rest)),
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        if kind == Kind::Broken {
            return self.broken(&self.text[self.at..]);
        }
        let span = self.span(self.at, self.at + length);
        self.out.tokens.push(Token { kind, span });
        self.at += length;
    }

    /// Reports what cannot be read, and goes on after it: at the next line for anything that
    /// should have been closed, else at the next character.
    fn broken(&mut self, rest: &str) {
        let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let open = self.span(self.at, self.at + first);
        let (length, problem) = match rest.as_bytes().first() {
            Some(b'\'') => {
                self.no_quote_ends = true;
                (line, unclosed_text(open))
            }
            Some(b'(' | b'[') if rest.starts_with('(') || self.after_port() => {
                (line, unclosed_bracket(open, &rest[..first]))
            }
            Some(b'[' | b'{' | b'"') => (
                line,
                bad_json(self.span(self.at, self.at + line), &json_error(rest)),
            ),
            _ => {
                let length = unexpected::length(&rest[..line]).max(first);
                let span = self.span(self.at, self.at + length);
                (length, unexpected::unexpected(span, &rest[..length]))
            }
        };
        self.out.diagnostics.push(problem);
        let span = self.span(self.at, self.at + length);
        self.out.tokens.push(Token {
            kind: Kind::Broken,
            span,
        });
        self.at += length;
    }

    fn after_port(&self) -> bool {
        self.out.tokens.last().is_some_and(|last| {
            matches!(last.kind, Kind::Word | Kind::Star) && last.span.end as usize == self.at
        })
    }

    fn column_one(&self) -> bool {
        let before = self.text[..self.at]
            .trim_start_matches('\u{feff}')
            .chars()
            .next_back();
        before.is_none_or(is_line_end)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, narrow(start), narrow(end))
    }
}

/// Whether a character ends a line, as upstream sees it.
pub(crate) fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Whether a character may begin a name without a backslash.
pub(crate) fn starts_word(letter: char) -> bool {
    letter == '_' || letter.is_alphabetic()
}

/// Whether a character may stand in a word without a backslash (`-` is judged by what follows).
fn continues_word(letter: char) -> bool {
    starts_word(letter) || letter.is_numeric() || matches!(letter, '.' | '/' | '@')
}

fn newline(text: &str) -> Scan<'_> {
    let one = satisfy(is_line_end);
    value(Kind::Newline, alt((tag("\r\n"), recognize(one)))).parse(text)
}

/// A sign of one byte.
fn sign(byte: u8) -> Option<Kind> {
    match byte {
        b',' => Some(Kind::Comma),
        b';' => Some(Kind::Semicolon),
        b':' => Some(Kind::Colon),
        b'.' => Some(Kind::Dot),
        b'=' => Some(Kind::Equals),
        b'?' => Some(Kind::Question),
        _ => None,
    }
}

fn escaped(text: &str) -> IResult<&str, &str> {
    recognize(preceded(char('\\'), anychar)).parse(text)
}

/// What stands behind so many bytes, which are whole characters.
fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

fn no_token(text: &str) -> nom::Err<nom::error::Error<&str>> {
    nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Tag))
}

/// How many bytes at the start of a text may stand in a word, behind its first character.
fn parts(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'@' => 1,
            b'-' if bytes.get(at + 1) != Some(&b'>') => 1,
            _ => match part(after(text, at)) {
                0 => break,
                length => length,
            },
        };
    }
    at
}

/// The bytes of an escaped character, or of one outside ASCII that may stand in a word; 0 when there is none.
fn part(text: &str) -> usize {
    let mut letters = text.chars();
    match letters.next() {
        Some('\\') => letters.next().map_or(0, |letter| 1 + letter.len_utf8()),
        Some(letter) if continues_word(letter) => letter.len_utf8(),
        _ => 0,
    }
}

fn word(text: &str) -> Scan<'_> {
    if !text.starts_with(|first| first == '\\' || starts_word(first)) {
        return Err(no_token(text));
    }
    match part(text) {
        0 => Err(no_token(text)),
        first => {
            let length = first + parts(after(text, first));
            Ok((after(text, length), Kind::Word))
        }
    }
}

fn index(text: &str) -> Scan<'_> {
    let inside = take_till(|letter| letter == ']' || is_line_end(letter));
    value(Kind::Index, delimited(char('['), inside, char(']'))).parse(text)
}

/// Text between two marks in which a backslash takes the next character, on one line.
pub(crate) fn quoted(mark: char) -> impl for<'a> Fn(&'a str) -> IResult<&'a str, &'a str> {
    move |text| {
        let stop = move |letter: char| {
            letter != mark && letter != '\\' && letter != '\n' && letter != '\r'
        };
        let plain = recognize(satisfy(stop));
        recognize(delimited(
            char(mark),
            many0_count(alt((plain, escaped))),
            char(mark),
        ))
        .parse(text)
    }
}

fn group(text: &str) -> Scan<'_> {
    let plain = take_till1(|letter| matches!(letter, '(' | ')' | '"' | '\'' | '\n' | '\r'));
    let inside = many0_count(alt((plain, quoted('"'), quoted('\''))));
    value(Kind::Group, delimited(char('('), inside, char(')'))).parse(text)
}

/// Upstream's quoted text: `\'` is the only escape, and lines may end inside.
fn quote(text: &str) -> Scan<'_> {
    let inside = many0_count(alt((is_not("'\\"), tag("\\'"), tag("\\"))));
    value(Kind::Quote, delimited(char('\''), inside, char('\''))).parse(text)
}

fn number(text: &str) -> Scan<'_> {
    let digits = pair(opt(char('-')), digit1);
    let fraction = opt(pair(char('.'), digit1));
    let exponent = opt((one_of("eE"), opt(one_of("+-")), digit1));
    value(Kind::Json, (digits, fraction, exponent)).parse(text)
}

/// A JSON string, list or object; where it ends only a JSON reader can tell.
fn structure(text: &str) -> Scan<'_> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(_)) => Ok((&text[values.byte_offset()..], Kind::Json)),
        _ => Err(no_token(text)),
    }
}

fn json_error(text: &str) -> String {
    match Deserializer::from_str(text).into_iter::<Value>().next() {
        Some(Err(error)) => without_place(&error),
        _ => String::new(),
    }
}

/// A JSON reader's complaint without its own idea of line and column.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn note(text: &str, column_one: bool) -> Scan<'_> {
    let (rest, line) =
        recognize(pair(char('#'), take_while(|letter| !is_line_end(letter)))).parse(text)?;
    let kind = match annotation(line) {
        Some(_) if column_one => Kind::Annotation,
        _ => Kind::Comment,
    };
    Ok((rest, kind))
}

/// Key and value of `# @key value`.
pub(crate) fn annotation(line: &str) -> Option<(&str, &str)> {
    let after = line
        .strip_prefix("# ")?
        .trim_start_matches([' ', '\t'])
        .strip_prefix('@')?;
    let end = after.find(|letter: char| !is_key(letter))?;
    let (key, value) = after.split_at(end);
    let text = value.trim_start_matches([' ', '\t']);
    (!key.is_empty() && !text.is_empty() && text.len() < value.len()).then_some((key, text))
}

/// Whether a character may stand in an annotation's key.
pub(crate) fn is_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}
