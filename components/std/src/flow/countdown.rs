use paperflow_core::{Fault, In, Number, Out, Packet, component};

use crate::param::Amount;
use paperflow_core::Parameter as _;

/// Counts a number down, for loops that end by themselves.
///
/// For a number above 0 it sends the number less one; 0 or less closes OUT and ends the process. A
/// text is read as a whole number and answered with a text.
#[component("flow/countdown", work = compute, repeats)]
#[example(input = [2], out = [1])]
#[example(input = ["1", "0"], out = ["0"])]
pub(crate) async fn countdown(
    /// Whole numbers, or texts that are.
    input: In<Packet>,
    /// The numbers, less one.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        let Ok(Amount(Number::Int(number))) = Amount::read(&packet) else {
            return Err(Fault::new(format!(
                "expected a whole number, got {packet:?}"
            )));
        };
        if number <= 0 {
            break;
        }
        let is_text = packet.as_text().is_some();
        let less = number - 1;
        drop(packet);
        out.send(if is_text {
            Packet::text(less.to_string())
        } else {
            Packet::int(less)
        })
        .await?;
    }
    out.close();
    // Held to the end, so not `settle = each`: who begins anew is to be told again to close.
    while input.next().await.is_some() {}
    Ok(())
}
