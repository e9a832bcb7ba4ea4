use paperflow_core::{Closed, Out, Param, Text, component};

use crate::param::Count;

/// Generates test data: numbered texts, counting down.
///
/// From COUNT to 1, each is the number with six digits and `abcd`. COUNT 0 generates nothing.
#[component("flow/generate", work = compute, repeats)]
#[example(number = 3, out = ["000003abcd", "000002abcd", "000001abcd"])]
pub(crate) async fn generate(
    /// How many.
    #[port("COUNT")]
    number: Param<Count>,
    /// The texts.
    out: Out<Text>,
) -> Result<(), Closed> {
    for left in (1..=number.0).rev() {
        out.send(line(left)).await?;
    }
    Ok(())
}

/// One text of test data.
pub(super) fn line(number: u64) -> String {
    format!("{number:06}abcd")
}
