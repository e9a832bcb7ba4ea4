//! What is written in attributes: of the component, of its arguments, in documentation comments.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Expr, Ident, Lit, LitInt, LitStr, Meta, Result, Token};

/// `"area/name", work = compute, must_run, again, repeats, idempotent, renews, forgets, passes_over, reads = in_step, sends = to_end, settle = each`
pub(crate) struct Options {
    pub(crate) name: LitStr,
    pub(crate) compute: bool,
    pub(crate) must_run: bool,
    pub(crate) again: bool,
    pub(crate) repeats: bool,
    pub(crate) idempotent: bool,
    pub(crate) renews: bool,
    pub(crate) forgets: Option<Span>,
    pub(crate) passes_over: Option<Span>,
    pub(crate) settle: Option<Order>,
    pub(crate) reads: Option<Order>,
    pub(crate) sends: Option<Order>,
}

/// A word that stands for a variant, and where the option stands.
pub(crate) struct Order {
    /// The variant of the enumeration.
    pub(crate) word: Ident,
    pub(crate) span: Span,
}

/// A word and the variant it stands for.
type Words = &'static [(&'static str, &'static str)];

const READS: Words = &[("in_step", "InStep"), ("to_end", "ToEnd")];
const SENDS: Words = &[
    ("in_step", "InStep"),
    ("to_end", "ToEnd"),
    ("by_choice", "ByChoice"),
];

const SETTLE: Words = &[("unit", "Unit"), ("each", "Each")];

impl Order {
    fn read(key: &Ident, input: ParseStream, words: Words) -> Result<Self> {
        input.parse::<Token![=]>()?;
        let written = input.call(Ident::parse_any)?;
        match words.iter().find(|(word, _)| written == word) {
            Some((_, variant)) => Ok(Self {
                word: Ident::new(variant, written.span()),
                span: key.span(),
            }),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                let message = format!("{key} is {}", words.join(" or "));
                Err(Error::new(written.span(), message))
            }
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream) -> Result<Self> {
        let missing =
            |error: Error| Error::new(error.span(), "a component needs a name: `\"area/name\"`");
        let name: LitStr = input.parse().map_err(missing)?;
        let text = name.value();
        if !text.contains('/') || text.split('/').any(str::is_empty) {
            return Err(Error::new(name.span(), "a component's name is `area/name`"));
        }
        let mut options = Self {
            name,
            compute: false,
            must_run: false,
            again: false,
            repeats: false,
            idempotent: false,
            renews: false,
            forgets: None,
            passes_over: None,
            settle: None,
            reads: None,
            sends: None,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                options.set(&input.call(Ident::parse_any)?, input)?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn set(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            "must_run" => self.must_run = true,
            "again" => self.again = true,
            "repeats" => self.repeats = true,
            "idempotent" => self.idempotent = true,
            "renews" => self.renews = true,
            "forgets" => self.forgets = Some(key.span()),
            "passes_over" => self.passes_over = Some(key.span()),
            "settle" => self.settle = Some(Order::read(key, input, SETTLE)?),
            "reads" => self.reads = Some(Order::read(key, input, READS)?),
            "sends" => self.sends = Some(Order::read(key, input, SENDS)?),
            "work" => {
                input.parse::<Token![=]>()?;
                let work = input.call(Ident::parse_any)?;
                self.compute = work == "compute";
                if !self.compute && work != "thread" {
                    return Err(Error::new(work.span(), "work is `compute` or `thread`"));
                }
            }
            _ => {
                return Err(Error::new(
                    key.span(),
                    "expected `work = ..`, `must_run`, `again`, `repeats`, `idempotent`, `renews`, `forgets`, `passes_over`, `reads = ..`, `sends = ..` or `settle = ..`",
                ));
            }
        }
        Ok(())
    }
}

/// The attributes of an argument.
#[derive(Default)]
pub(crate) struct Helpers {
    pub(crate) doc: Option<String>,
    pub(crate) port: Option<LitStr>,
    pub(crate) optional: Option<Span>,
    pub(crate) default: Option<(Span, String)>,
    pub(crate) fixed: Option<LitInt>,
    pub(crate) at_end: Option<Span>,
    pub(crate) afresh: Option<Span>,
    pub(crate) keeps: Option<Span>,
}

impl Helpers {
    /// Takes them off the argument.
    pub(crate) fn take(attributes: &mut Vec<Attribute>) -> Result<Self> {
        let mut helpers = Self {
            doc: doc(attributes),
            ..Self::default()
        };
        let mut rest = Vec::new();
        for attribute in attributes.drain(..) {
            if !helpers.read(&attribute)? && !attribute.path().is_ident("doc") {
                rest.push(attribute);
            }
        }
        *attributes = rest;
        Ok(helpers)
    }

    fn read(&mut self, attribute: &Attribute) -> Result<bool> {
        let name = attribute.path().get_ident();
        let span = name.map_or_else(Span::call_site, Ident::span);
        let name = name.map(Ident::to_string).unwrap_or_default();
        let word = match name.as_str() {
            "optional" => Some(&mut self.optional),
            "at_end" => Some(&mut self.at_end),
            "afresh" => Some(&mut self.afresh),
            "keeps" => Some(&mut self.keeps),
            _ => None,
        };
        if let Some(word) = word {
            attribute.meta.require_path_only()?;
            *word = Some(span);
            return Ok(true);
        }
        match name.as_str() {
            "port" => self.port = Some(attribute.parse_args()?),
            "default" => self.default = Some((span, attribute.parse_args_with(scalar)?)),
            "fixed" => self.fixed = Some(attribute.parse_args()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The text of a literal.
pub(crate) fn scalar(input: ParseStream) -> Result<String> {
    let minus = input.parse::<Option<Token![-]>>()?;
    let literal: Lit = input.parse()?;
    let text = match &literal {
        Lit::Int(int) => int.base10_digits().to_owned(),
        Lit::Float(float) => float.base10_digits().to_owned(),
        Lit::Str(text) if minus.is_none() => text.value(),
        Lit::Bool(bool) if minus.is_none() => bool.value.to_string(),
        _ => {
            return Err(Error::new(
                literal.span(),
                "expected a text, a number or a bool",
            ));
        }
    };
    Ok(if minus.is_some() {
        format!("-{text}")
    } else {
        text
    })
}

/// The documentation comment, one blank taken off the start of each line.
pub(crate) fn doc(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(literal) = &pair.value else {
        return None;
    };
    match &literal.lit {
        Lit::Str(line) if pair.path.is_ident("doc") => {
            let line = line.value();
            Some(line.strip_prefix(' ').unwrap_or(&line).to_owned())
        }
        _ => None,
    }
}
