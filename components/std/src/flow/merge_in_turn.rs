use paperflow_core::{Closed, Ins, Out, Packet, component};

use crate::item::Level;

/// Merges streams by taking one item from each in turn.
///
/// An item is a packet, or a whole group with its brackets. It waits for the element whose turn it
/// is, whatever the others have; elements that have ended are passed over, so that nothing is lost
/// when the streams differ in length.
#[component("flow/merge-in-turn", work = compute, reads = in_step)]
#[example(inputs[0] = [1, 3, 5, 6], inputs[1] = [2, 4], out = [1, 2, 3, 4, 5, 6])]
#[example(inputs[0] = [open, 1, 2, close, 5], inputs[1] = [3, 4], out = [open, 1, 2, close, 3, 5, 4])]
pub(crate) async fn merge_in_turn(
    /// The streams.
    inputs: Ins<Packet>,
    /// Their items, alternating.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut is_alive = true;
    while is_alive {
        is_alive = false;
        for port in inputs.iter() {
            let mut level = Level::default();
            while let Some(packet) = port.next().await {
                is_alive = true;
                let is_whole = level.completes(&packet);
                out.send(packet).await?;
                if is_whole {
                    break;
                }
            }
        }
    }
    Ok(())
}
