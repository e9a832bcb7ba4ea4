use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::item::Level;
use crate::param::Count;

/// Selects one item of a stream by its number, counted from 0.
///
/// An item is a packet, or a whole group with its brackets. The others go to REJ; whether anybody
/// stays to read those does not matter.
#[component("flow/nth", work = compute, forgets, sends = by_choice)]
#[example(number = 1, input = ["a", "b", "c"], acc = ["b"], rej = ["a", "c"])]
pub(crate) async fn nth(
    /// The stream.
    input: In<Packet>,
    /// Which item; 0 is the first.
    number: Param<Count>,
    /// That one.
    acc: Out<Packet>,
    /// The others.
    #[optional]
    rej: Out<Packet>,
) -> Result<(), Closed> {
    let wanted = number.into_inner().0;
    let mut level = Level::default();
    let mut seen = 0_u64;
    let mut takes_rest = rej.is_connected();
    while let Some(packet) = input.next().await {
        let is_wanted = seen == wanted;
        seen += u64::from(level.completes(&packet));
        if is_wanted {
            acc.send(packet).await?;
        } else if takes_rest {
            takes_rest = rej.send(packet).await.is_ok();
        }
    }
    Ok(())
}
