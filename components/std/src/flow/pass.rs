use paperflow_core::{Out, Packet, component};

/// Passes every packet on.
///
/// The packets keep their identity and headers; brackets pass too.
#[component("flow/pass", work = compute)]
#[example(input = ["a", open, 1, close], out = ["a", open, 1, close])]
pub(crate) fn pass(
    /// Anything.
    input: Packet,
    /// The same, in order.
    out: &mut Out<Packet>,
) {
    out.put(input);
}
