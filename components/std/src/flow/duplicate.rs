use paperflow_core::{In, Out, Packet, component};

/// Sends every packet to OUT, and a copy of it to DUPLICATE.
///
/// The packet itself goes to OUT; the copy is a new one. Brackets go both ways. When one receiver leaves
/// the other one still gets everything; when both have left the process ends.
#[component("flow/duplicate", work = compute, sends = in_step)]
#[example(input = ["a", open, close], out = ["a", open, close], copies = ["a", open, close])]
pub(crate) async fn duplicate(
    /// Anything.
    input: In<Packet>,
    /// The packets.
    out: Out<Packet>,
    /// The copies.
    #[port("DUPLICATE")]
    copies: Out<Packet>,
) {
    let (mut to_out, mut to_copies) = (true, true);
    while (to_out || to_copies)
        && let Some(packet) = input.next().await
    {
        let copy = Packet::clone(&packet);
        if to_out {
            to_out = out.send(packet).await.is_ok();
        }
        if to_copies {
            to_copies = copies.send(copy).await.is_ok();
        }
    }
}
