use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::param::Size;

/// Passes packets on and leaves at the one with the given number, to try how a network bears that.
///
/// That packet is dropped, and what comes after it is never taken.
#[component("flow/close-early", work = compute, forgets)]
#[example(number = 3, input = ["a", "b", "c", "d"], out = ["a", "b"])]
pub(crate) async fn close_early(
    /// The stream.
    input: In<Packet>,
    /// The packet to leave at; 1 is the first.
    #[default(20)]
    number: Param<Size>,
    /// What came before.
    out: Out<Packet>,
) -> Result<(), Closed> {
    for _ in 1..number.0 {
        let Some(packet) = input.next().await else {
            return Ok(());
        };
        out.send(packet).await?;
    }
    drop(input.next().await);
    input.close();
    Ok(())
}
