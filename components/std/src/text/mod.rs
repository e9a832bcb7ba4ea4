//! Components for texts.

mod affix;
mod contains;
mod fill;
mod join;
mod length;
mod lower;
mod replace;
mod split;
mod starts_with;
mod strip;
mod template;
mod tokens;
mod trim;
mod upper;
mod words;

use paperflow_core::Catalogue;

/// Classic name, and the component it stands for.
const ALIASES: [(&str, &str); 14] = [
    ("LineToWords", "text/split"),
    ("DeCompose", "text/tokens"),
    ("TextToWords", "text/words"),
    ("WordsToLine", "text/fill"),
    ("ReCompose", "text/fill"),
    ("LowerCase", "text/lower"),
    ("UpperCase", "text/upper"),
    ("Affix", "text/affix"),
    ("Prefix", "text/affix"),
    ("ReplaceString", "text/replace"),
    ("StartsWith", "text/starts-with"),
    ("ConcatString", "text/join"),
    ("StripPunct", "text/strip"),
    ("Template", "text/template"),
];

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    let catalogue = Catalogue::new()
        .with(affix::affix)
        .with(contains::contains)
        .with(fill::fill)
        .with(join::join)
        .with(length::length)
        .with(lower::lower)
        .with(replace::replace)
        .with(split::split)
        .with(starts_with::starts_with)
        .with(strip::strip)
        .with(template::template)
        .with(tokens::tokens)
        .with(trim::trim)
        .with(upper::upper)
        .with(words::words);
    ALIASES.iter().fold(catalogue, |catalogue, (alias, name)| {
        catalogue.alias(alias, name)
    })
}
