use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::item::Level;
use crate::param::Size;

/// Puts brackets around every few items of a stream.
///
/// An item is a packet, or a whole group with its brackets. The last group has what is left; no
/// group is empty.
#[component("group/every", work = compute)]
#[example(size = 2, input = [1, 2, 3], out = [open, 1, 2, close, open, 3, close])]
#[example(size = 2, input = [1, open, 2, close], out = [open, 1, open, 2, close, close])]
pub(crate) async fn every(
    /// The stream.
    input: In<Packet>,
    /// How many items a group has.
    size: Param<Size>,
    /// The groups.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut level = Level::default();
    let mut items = 0;
    let mut is_open = false;
    while let Some(packet) = input.next().await {
        if !is_open {
            out.send(Packet::open()).await?;
            is_open = true;
        }
        items += usize::from(level.completes(&packet));
        out.send(packet).await?;
        if items == size.0 {
            out.send(Packet::close()).await?;
            is_open = false;
            items = 0;
        }
    }
    if is_open {
        out.send(Packet::close()).await?;
    }
    Ok(())
}
