use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::item::Level;
use crate::param::Count;

/// Lets the first items of a stream pass.
///
/// An item is a packet, or a whole group with its brackets. What comes after them goes to REJ; when
/// REJ is not connected the process ends after the last item it wants, and its sender with it.
#[component("flow/take", work = compute, forgets, sends = to_end)]
#[example(number = 2, input = ["a", "b", "c"], acc = ["a", "b"], rej = ["c"])]
#[example(number = 1, input = [open, 1, 2, close, 3], acc = [open, 1, 2, close])]
pub(crate) async fn take(
    /// The stream.
    input: In<Packet>,
    /// How many items.
    number: Param<Count>,
    /// The first ones.
    acc: Out<Packet>,
    /// The others.
    #[optional]
    rej: Out<Packet>,
) -> Result<(), Closed> {
    let mut level = Level::default();
    let mut left = number.into_inner().0;
    while left > 0 {
        let Some(packet) = input.next().await else {
            return Ok(());
        };
        left -= u64::from(level.completes(&packet));
        acc.send(packet).await?;
    }
    acc.close();
    while rej.is_connected() {
        let Some(packet) = input.next().await else {
            return Ok(());
        };
        rej.send(packet).await?;
    }
    Ok(())
}
