use paperflow_core::{In, Outs, Packet, component};

use crate::item::Level;
use crate::receivers::Receivers;

/// Deals items out to the elements of OUT in turn.
///
/// An item is a packet, or a whole group with its brackets: a group is never split. A receiver that
/// has left is passed over, and what was on its way to it goes to the next one; only the rest of a
/// group it had begun is dropped. When all have left the process ends.
#[component("flow/round-robin", work = compute, forgets, passes_over, sends = in_step)]
#[example(input = [1, 2, 3], outs[0] = [1, 3], outs[1] = [2])]
#[example(input = [open, 1, 2, close, 3], outs[0] = [open, 1, 2, close], outs[1] = [3])]
pub(crate) async fn round_robin(
    /// The items.
    input: In<Packet>,
    /// Those who get them.
    outs: Outs<Packet>,
) {
    let mut receivers = Receivers::new(&outs);
    let mut level = Level::default();
    let mut turn = 0;
    while receivers.any() {
        let Some(packet) = input.next().await else {
            return;
        };
        let is_first = level.is_outside();
        let is_last = level.completes(&packet);
        turn = receivers.from(turn).filter(|_| is_first).unwrap_or(turn);
        let mut back = receivers.send(turn, packet).await;
        while is_first && let Some(packet) = back.take() {
            let Some(next) = receivers.from(turn) else {
                return;
            };
            turn = next;
            back = receivers.send(turn, packet).await;
        }
        if is_last {
            turn += 1;
        }
    }
}
