use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::item::Level;
use crate::param::Count;

/// Leaves out the first items of a stream and lets the others pass.
///
/// An item is a packet, or a whole group with its brackets. What is left out goes to REJ;
/// whether anybody stays to read that does not matter.
#[component("flow/skip", work = compute, forgets)]
#[example(number = 2, input = ["a", "b", "c"], acc = ["c"], rej = ["a", "b"])]
#[example(number = 1, input = [open, 1, 2, close, 3], acc = [3])]
pub(crate) async fn skip(
    /// The stream.
    input: In<Packet>,
    /// How many items.
    number: Param<Count>,
    /// All but the first ones.
    acc: Out<Packet>,
    /// The first ones.
    #[optional]
    rej: Out<Packet>,
) -> Result<(), Closed> {
    let mut level = Level::default();
    let mut left = number.into_inner().0;
    let mut takes_rest = rej.is_connected();
    while let Some(packet) = input.next().await {
        if left == 0 {
            acc.send(packet).await?;
            continue;
        }
        left -= u64::from(level.completes(&packet));
        if takes_rest {
            takes_rest = rej.send(packet).await.is_ok();
        }
    }
    Ok(())
}
