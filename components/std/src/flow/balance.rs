use paperflow_core::{In, Outs, Packet, component};

use crate::item::Level;
use crate::receivers::Receivers;

/// Gives each item to the element of OUT with the smallest backlog.
///
/// An item is a packet, or a whole group with its brackets: it chooses anew only outside all
/// brackets, however deep they are nested. Of equals the lowest element wins. A receiver that has left
/// is passed over, and what was on its way to it goes to another one; only the rest of a group it had
/// begun is dropped. When all have left the process ends.
///
/// Which element gets which item depends on how fast the receivers are.
#[component("flow/balance", work = compute, passes_over)]
#[example(input = [1, open, 2, close], outs[0] = [1, open, 2, close])]
pub(crate) async fn balance(
    /// The items.
    input: In<Packet>,
    /// Those who get them.
    outs: Outs<Packet>,
) {
    let mut receivers = Receivers::new(&outs);
    let mut level = Level::default();
    let mut chosen = 0;
    while receivers.any() {
        let Some(packet) = input.next().await else {
            return;
        };
        let is_first = level.is_outside();
        level.completes(&packet);
        if is_first {
            chosen = receivers.idlest().unwrap_or(chosen);
        }
        let mut back = receivers.send(chosen, packet).await;
        while is_first && let Some(packet) = back.take() {
            let Some(other) = receivers.idlest() else {
                return;
            };
            chosen = other;
            back = receivers.send(chosen, packet).await;
        }
    }
}
