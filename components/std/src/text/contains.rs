use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::payload;

/// Separates texts that contain a given text from those that do not.
///
/// The packets themselves are sent on. Every text contains the empty text. Brackets go both ways.
#[component("text/contains", work = compute, sends = by_choice)]
#[example(test = "pp", input = ["apple", "pear"], acc = ["apple"], rej = ["pear"])]
pub(crate) fn contains(
    /// Texts.
    input: Packet,
    /// What they contain.
    test: &Param<String>,
    /// Those that do.
    acc: &mut Out<Packet>,
    /// Those that do not.
    #[optional]
    rej: &mut Out<Packet>,
) -> Result<(), Fault> {
    let holds = payload::text(&input)?.contains(&**test);
    payload::divide(holds, input, acc, rej);
    Ok(())
}
