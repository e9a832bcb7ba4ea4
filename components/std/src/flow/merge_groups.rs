use paperflow_core::{Closed, Ins, Out, Packet, component};

use crate::item::Level;

/// Merges streams by arrival, and never lets another stream into a group.
///
/// It changes to another element only outside all brackets; a packet outside brackets is an item of
/// its own. A stream that ends inside a group lets the others go on.
#[component("flow/merge-groups", work = compute)]
#[example(inputs[0] = [open, 1, 2, close, open, 3, close], out = [open, 1, 2, close, open, 3, close])]
pub(crate) async fn merge_groups(
    /// The streams.
    inputs: Ins<Packet>,
    /// All items, each in one piece.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut last = inputs.len().saturating_sub(1);
    while let Some((at, first)) = inputs.next_after(last).await {
        let mut level = Level::default();
        let mut next = Some(first);
        while let Some(packet) = next.take() {
            let is_whole = level.completes(&packet);
            out.send(packet).await?;
            if !is_whole {
                next = inputs[at].next().await;
            }
        }
        last = at;
    }
    Ok(())
}
