use paperflow_core::{Fault, Out, Packet, Param, component};
use regex::{Captures, Regex};
use serde_json::{Map, Value as Json};

use crate::param::Pattern;
use crate::payload::{self, New};

/// Takes the groups of a regular expression out of each text.
///
/// A text that it matches gives a record with a field for each group: under its name, or its number if
/// it has none; `0` is the whole match, and a group that took no part is null. Only the first match
/// in a text counts. The other texts go to REJ, and brackets go both ways. A pattern that cannot be
/// read is a fault before any packet is taken.
#[component("text/captures", work = compute, sends = by_choice)]
#[example(
    test = "(?<name>\\w+)=(\\d+)?",
    input = ["a=1", "b=", "c"],
    out = [{"0": "a=1", "name": "a", "2": "1"}, {"0": "b=", "name": "b", "2": null}],
    rej = ["c"]
)]
pub(crate) fn captures(
    /// Texts.
    input: Packet,
    /// The regular expression.
    test: &Param<Pattern>,
    /// A record for each text that it matches.
    out: &mut Out<Packet>,
    /// The texts that it does not match.
    #[optional]
    rej: &mut Out<Packet>,
) -> Result<(), Fault> {
    match test.0.captures(payload::text(&input)?) {
        Some(captures) => out.put(New(Packet::record(record(&test.0, &captures)))),
        None => rej.put(input),
    }
    Ok(())
}

fn record(pattern: &Regex, captures: &Captures<'_>) -> Json {
    let names = pattern.capture_names().enumerate();
    let groups = names.zip(captures.iter()).map(|((number, name), group)| {
        let name = name.map_or_else(|| number.to_string(), str::to_owned);
        let value = group.map_or(Json::Null, |group| group.as_str().into());
        (name, value)
    });
    Json::Object(groups.collect::<Map<_, _>>())
}
