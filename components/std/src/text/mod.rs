//! Components for texts.

mod affix;
mod captures;
mod contains;
mod count_words;
mod field_limits;
mod fill;
mod join;
mod length;
mod lower;
mod matching;
mod obscure;
mod pad_fields;
mod replace;
mod replace_pattern;
mod split;
mod starts_with;
mod strip;
mod template;
mod tokens;
mod trim;
mod upper;
mod words;

use paperflow_core::{Catalogue, Fault};

/// Classic name, and the component it stands for.
const ALIASES: [(&str, &str); 22] = [
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
    ("Selector", "text/starts-with"),
    ("Match", "text/match"),
    ("ReplaceRegExp", "text/replace-pattern"),
    ("Submatch", "text/captures"),
    ("Obscure", "text/obscure"),
    ("FieldLimits", "text/field-limits"),
    ("PadFields", "text/pad-fields"),
    ("GenerateWordCounts", "text/count-words"),
];

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    let catalogue = Catalogue::new()
        .with(affix::affix)
        .with(captures::captures)
        .with(contains::contains)
        .with(count_words::count_words)
        .with(field_limits::field_limits)
        .with(fill::fill)
        .with(join::join)
        .with(length::length)
        .with(lower::lower)
        .with(matching::matching)
        .with(obscure::obscure)
        .with(pad_fields::pad_fields)
        .with(replace::replace)
        .with(replace_pattern::replace_pattern)
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

/// The fields of a line.
fn fields<'a>(line: &'a str, sep: &'a str) -> Result<impl Iterator<Item = &'a str>, Fault> {
    if sep.is_empty() {
        return Err(Fault::new(
            "parameter SEP: expected a text that is not empty",
        ));
    }
    Ok(line.split(sep))
}
