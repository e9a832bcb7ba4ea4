use paperflow_core::{In, Outs, Packet, Param, component};

use crate::param::Size;

/// Fills the elements of OUT one after the other.
///
/// Each element gets SIZE packets and is closed, then the next one is used; the last one takes the
/// rest. Brackets count like data. What is meant for a receiver that has left is dropped, and when that
/// is the last one the process ends.
#[component("flow/splitter", work = compute, forgets, sends = to_end)]
#[example(size = 2, input = [1, 2, 3, 4, 5], outs[0] = [1, 2], outs[1] = [3, 4, 5])]
pub(crate) async fn splitter(
    /// The stream.
    input: In<Packet>,
    /// How many packets an element gets.
    #[default(31)]
    size: Param<Size>,
    /// The parts.
    outs: Outs<Packet>,
) {
    let (mut at, mut sent) = (0, 0);
    while let Some(packet) = input.next().await {
        if sent == size.0 && at + 1 < outs.len() {
            at += 1;
            sent = 0;
        }
        let is_last = at + 1 == outs.len();
        if outs[at].send(packet).await.is_err() && is_last {
            return;
        }
        sent += 1;
        if sent == size.0 && !is_last {
            outs[at].close();
        }
    }
}
