use paperflow_core::{Closed, Got, In, Ins, Out, Packet, component};

use crate::item::Level;

/// Puts the first items of all streams into one group, then the second ones, and so on.
///
/// An item is a packet, or a whole group with its brackets. In a group the items stand in the order of
/// the element numbers. It ends with the shortest stream: what has been taken from others for a group
/// that never gets full is dropped.
#[component("flow/zip", work = compute, reads = in_step)]
#[example(inputs[0] = ["a", "b"], inputs[1] = [1, 2, 3], out = [open, "a", 1, close, open, "b", 2, close])]
#[example(inputs[0] = [open, 1, close], inputs[3] = [2], out = [open, open, 1, close, 2, close])]
pub(crate) async fn zip(
    /// The streams.
    inputs: Ins<Packet>,
    /// The groups.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut group = Vec::new();
    while !inputs.is_empty() {
        for port in inputs.iter() {
            if !item(port, &mut group).await {
                return Ok(());
            }
        }
        out.send(Packet::open()).await?;
        for packet in group.drain(..) {
            out.send(packet).await?;
        }
        out.send(Packet::close()).await?;
    }
    Ok(())
}

/// Takes the next item. False: the stream has ended before it was whole.
async fn item(port: &In<Packet>, group: &mut Vec<Got<Packet>>) -> bool {
    let mut level = Level::default();
    while let Some(packet) = port.next().await {
        let is_whole = level.completes(&packet);
        group.push(packet);
        if is_whole {
            return true;
        }
    }
    false
}
