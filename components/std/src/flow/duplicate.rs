use paperflow_core::{Out, Packet, component};

/// Sends every packet to OUT, and a copy of it to DUPLICATE.
///
/// The packet itself goes to OUT; the copy is a new one. Brackets go both ways.
#[component("flow/duplicate", work = compute)]
#[example(input = ["a", open, close], out = ["a", open, close], copies = ["a", open, close])]
pub(crate) fn duplicate(
    /// Anything.
    input: Packet,
    /// The packets.
    out: &mut Out<Packet>,
    /// The copies.
    #[port("DUPLICATE")]
    copies: &mut Out<Packet>,
) {
    let copy = input.clone();
    out.put(input);
    copies.put(copy);
}
