use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::param::Pattern;
use crate::payload;

/// Separates texts that a regular expression matches from those that it does not.
///
/// It may match anywhere in the text; `^` and `$` tie it to the ends. The packets themselves are sent
/// on, and brackets go both ways. A pattern that cannot be read is a fault before any packet is taken.
#[component("text/match", work = compute, sends = by_choice)]
#[example(test = "^[a-z]+[0-9]$", input = ["ab1", "1ab", "x2y"], acc = ["ab1"], rej = ["1ab", "x2y"])]
#[example(test = "b", input = ["abc", open, "c", close], acc = ["abc", open, close], rej = [open, "c", close])]
pub(crate) fn matching(
    /// Texts.
    input: Packet,
    /// The regular expression.
    test: &Param<Pattern>,
    /// Those that it matches.
    acc: &mut Out<Packet>,
    /// Those that it does not.
    #[optional]
    rej: &mut Out<Packet>,
) -> Result<(), Fault> {
    let holds = test.0.is_match(payload::text(&input)?);
    payload::divide(holds, input, acc, rej);
    Ok(())
}
