use paperflow_core::{In, Outs, Packet, component};

use crate::receivers::Receivers;

/// Sends a copy of every packet to each element of OUT, in the order of their numbers.
///
/// Every copy is a new packet and the original is dropped; brackets are copied like data. A full
/// element holds the others up. A receiver that leaves is passed over; when all have left the
/// process ends.
#[component("flow/replicate", work = compute, sends = in_step)]
#[example(input = ["a", "b"], outs[0] = ["a", "b"], outs[1] = ["a", "b"])]
#[example(input = [open, 1, close], outs[0] = [open, 1, close], outs[1] = [open, 1, close])]
pub(crate) async fn replicate(
    /// What is copied.
    input: In<Packet>,
    /// The copies.
    outs: Outs<Packet>,
) {
    let mut receivers = Receivers::new(&outs);
    while receivers.any() {
        let Some(packet) = input.next().await else {
            return;
        };
        for at in 0..outs.len() {
            receivers.send(at, Packet::clone(&packet)).await;
        }
    }
}
