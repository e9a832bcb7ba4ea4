use paperflow_core::{Fault, Number, Out, Text, component};

use crate::param;

/// Reads texts as numbers.
///
/// White space around a number is no matter. A text that is no number is a fault, and goes to ERROR
/// if that is connected.
#[component("number/parse", work = compute)]
#[example(input = ["5", " -2.5 ", "1e3"], out = [5, -2.5, 1000.0])]
pub(crate) fn parse(
    /// Texts.
    input: Text,
    /// The numbers they are.
    out: &mut Out<Number>,
) -> Result<(), Fault> {
    let number = param::number(&input);
    out.put(number.ok_or_else(|| Fault::new(format!("expected a number, got {:?}", &*input)))?);
    Ok(())
}
