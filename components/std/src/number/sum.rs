use paperflow_core::{Fault, In, Number, Out, Packet, component};

use super::checked;
use crate::payload;

/// Adds up all numbers of a stream, and sends the sum when the stream ends.
///
/// The sum is whole as long as the numbers are, and a sum of whole numbers that is too large is a
/// fault. An empty stream sums up to 0. Brackets are dropped; for a sum per group use `group/sum`.
#[component("number/sum", work = compute, must_run, forgets)]
#[example(input = [1, 2, -4], out = [-1])]
#[example(input = [], out = [0])]
pub(crate) async fn sum(
    /// Numbers.
    input: In<Packet>,
    /// The one sum.
    #[at_end]
    out: Out<Number>,
) -> Result<(), Fault> {
    let mut total = Number::Int(0);
    while let Some(packet) = input.next().await {
        if !packet.is_bracket() {
            total = plus(total, payload::number(&packet)?)?;
        }
    }
    Ok(out.send(total).await?)
}

/// The sum of two numbers.
pub(crate) fn plus(one: Number, two: Number) -> Result<Number, Fault> {
    checked("sum", one, two, i64::checked_add, |one, two| one + two)
}
