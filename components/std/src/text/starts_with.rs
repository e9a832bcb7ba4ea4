use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::payload;

/// Separates texts that begin with a given text from those that do not.
///
/// The packets themselves are sent on. Every text begins with the empty text. Brackets go both ways.
#[component("text/starts-with", work = compute, sends = by_choice)]
#[example(test = "a", input = ["apple", "Apple", "pear"], acc = ["apple"], rej = ["Apple", "pear"])]
pub(crate) fn starts_with(
    /// Texts.
    input: Packet,
    /// What they begin with.
    test: &Param<String>,
    /// Those that do.
    acc: &mut Out<Packet>,
    /// Those that do not.
    #[optional]
    rej: &mut Out<Packet>,
) -> Result<(), Fault> {
    let holds = payload::text(&input)?.starts_with(&**test);
    payload::divide(holds, input, acc, rej);
    Ok(())
}
