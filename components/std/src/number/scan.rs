use paperflow_core::{Fault, In, Number, Out, Packet, Param, Value as _, component};

use super::combine;
use crate::param::{Amount, Operation};
use crate::payload;

/// Keeps a running total, and sends it after each number.
///
/// OPERATION makes the next total out of the last one and the number: `add`, `subtract`, `multiply`,
/// `divide`, `min` or `max`. The first total is the first number, or is made out of START and that. A
/// bracket passes, and the total begins anew after it, so that each group has its own.
#[component("number/scan", work = compute, forgets)]
#[example(input = [1, 2, -4, 0.5], out = [1, 3, -1, -0.5])]
#[example(operation = "max", start = 2, input = [1, 3, open, 1, close], out = [2, 3, open, 2, close])]
pub(crate) async fn scan(
    /// Numbers.
    input: In<Packet>,
    /// What is done.
    #[default("add")]
    operation: Param<Operation>,
    /// Where it begins.
    start: Param<Option<Amount>>,
    /// The totals.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let start = start.into_inner().map(|Amount(number)| number);
    let mut total: Option<Number> = start;
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            total = start;
            out.send(packet).await?;
            continue;
        }
        let number = payload::number(&packet)?;
        drop(packet);
        let next = match total {
            Some(total) => combine(*operation, total, number)?,
            None => number,
        };
        total = Some(next);
        out.send(next.into_packet()).await?;
    }
    Ok(())
}
