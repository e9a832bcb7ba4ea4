//! `#[example(line = ["to be"], words = ["to", "be"])]`

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Ident, LitInt, Result, Token, bracketed, token};

use crate::arguments::Argument;
use crate::options::scalar;

/// Takes the examples off the function, as expressions.
pub(crate) fn take(
    attributes: &mut Vec<Attribute>,
    arguments: &[Argument],
    core: &TokenStream,
) -> Result<Vec<TokenStream>> {
    let mut examples = Vec::new();
    for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("example")) {
        let entries =
            attribute.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated)?;
        examples.push(example(&entries, arguments, core)?);
    }
    Ok(examples)
}

/// `key = value` or `key[0] = value`
struct Entry {
    key: Ident,
    index: Option<LitInt>,
    value: Given,
}

enum Given {
    Scalar(String),
    List(Vec<Sample>),
}

enum Sample {
    Open,
    Close,
    Json(TokenStream),
}

impl Parse for Entry {
    fn parse(input: ParseStream) -> Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let mut index = None;
        if input.peek(token::Bracket) {
            let content;
            bracketed!(content in input);
            index = Some(content.parse()?);
        }
        input.parse::<Token![=]>()?;
        if !input.peek(token::Bracket) {
            return Ok(Self {
                key,
                index,
                value: Given::Scalar(scalar(input)?),
            });
        }
        let content;
        bracketed!(content in input);
        let list = Punctuated::<Sample, Token![,]>::parse_terminated(&content)?;
        Ok(Self {
            key,
            index,
            value: Given::List(list.into_iter().collect()),
        })
    }
}

impl Parse for Sample {
    fn parse(input: ParseStream) -> Result<Self> {
        let minus = input.parse::<Option<Token![-]>>()?;
        let token: TokenTree = input.parse()?;
        match &token {
            TokenTree::Literal(literal) if is_plain_int(literal) => {
                // Without a suffix it would have to fit an `i32`.
                let wide = Literal::from_str(&format!("{literal}i64"))?;
                return Ok(Self::Json(quote!(#minus #wide)));
            }
            TokenTree::Literal(_) => return Ok(Self::Json(quote!(#minus #token))),
            TokenTree::Group(group)
                if minus.is_none() && group.delimiter() != Delimiter::Parenthesis =>
            {
                return Ok(Self::Json(quote!(#token)));
            }
            TokenTree::Ident(word) if minus.is_none() => match word.to_string().as_str() {
                "open" => return Ok(Self::Open),
                "close" => return Ok(Self::Close),
                "null" | "true" | "false" => return Ok(Self::Json(quote!(#word))),
                _ => {}
            },
            _ => {}
        }
        let message = "a packet is a literal, `null`, `open`, `close`, `[..]` or `{ \"key\": .. }`";
        Err(Error::new(token.span(), message))
    }
}

fn is_plain_int(literal: &Literal) -> bool {
    syn::parse_str::<LitInt>(&literal.to_string()).is_ok_and(|int| int.suffix().is_empty())
}

fn example(
    entries: &Punctuated<Entry, Token![,]>,
    arguments: &[Argument],
    core: &TokenStream,
) -> Result<TokenStream> {
    let (mut params, mut feeds, mut expects) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let argument = arguments
            .iter()
            .find(|argument| argument.ident == entry.key && !argument.is_inner());
        let port = entry.name(argument)?;
        let is_param = argument.is_some_and(Argument::is_param);
        match &entry.value {
            Given::Scalar(text) if is_param => params.push(quote!((#port.into(), #text.into()))),
            Given::Scalar(_) => return Err(entry.error("a port takes a list of packets, `[..]`")),
            Given::List(_) if is_param => return Err(entry.error("a parameter takes one literal")),
            Given::List(list) => {
                let samples = list.iter().map(|sample| sample.expand(core));
                let side = if argument.is_none_or(Argument::is_output) {
                    &mut expects
                } else {
                    &mut feeds
                };
                side.push(quote!((#port.into(), ::std::vec::Vec::from([#(#samples),*]))));
            }
        }
    }
    Ok(quote!(#core::Example {
        params: ::std::vec::Vec::from([#(#params),*]),
        feeds: ::std::vec::Vec::from([#(#feeds),*]),
        expects: ::std::vec::Vec::from([#(#expects),*]),
    }))
}

impl Entry {
    /// `PORT` or `PORT[0]`; without an argument it can only be ERROR.
    fn name(&self, argument: Option<&Argument>) -> Result<String> {
        let Some(argument) = argument else {
            if self.key == "error" && self.index.is_none() {
                return Ok(String::from("ERROR"));
            }
            let message = format!("no port or parameter argument is called `{}`", self.key);
            return Err(self.error(&message));
        };
        match &self.index {
            Some(index) if argument.is_array() => {
                Ok(format!("{}[{}]", argument.port, index.base10_digits()))
            }
            Some(_) => Err(self.error("this is not an array port, it has no elements")),
            None if argument.is_array() => Err(self.error(&format!(
                "say which element of the array port: `{}[0]`",
                self.key
            ))),
            None => Ok(argument.port.clone()),
        }
    }

    fn error(&self, message: &str) -> Error {
        Error::new(self.key.span(), message)
    }
}

impl Sample {
    fn expand(&self, core: &TokenStream) -> TokenStream {
        match self {
            Self::Open => quote!(#core::Sample::Open),
            Self::Close => quote!(#core::Sample::Close),
            Self::Json(json) => quote!(#core::Sample::Data(#core::serde_json::json!(#json))),
        }
    }
}
