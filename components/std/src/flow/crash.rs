use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::param::Size;

/// Passes packets on and fails at the one with the given number, to try how a network bears that.
#[component("flow/crash", work = compute)]
#[example(number = 9, input = ["a", "b"], out = ["a", "b"])]
pub(crate) async fn crash(
    /// The stream.
    input: In<Packet>,
    /// The packet to fail at; 1 is the first.
    #[default(1)]
    number: Param<Size>,
    /// What came before.
    #[optional]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut seen = 0;
    while let Some(packet) = input.next().await {
        seen += 1;
        if seen == number.0 {
            return Err(Fault::new(format!(
                "failed at packet {seen}, as it was told to"
            )));
        }
        if out.is_connected() {
            out.send(packet).await?;
        }
    }
    Ok(())
}
